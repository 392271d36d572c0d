package diag

import (
	"fmt"
	"strings"
	"unicode"
)

// slips finds what was most likely typed otherwise than meant in a text that is no YAML: a tab or a full-width character
// where YAML wants a half-width one, a missing space, a quote or bracket that is not closed, a text that needs quotes, a
// line that stands in by too much or too little. A YAML parser says where it could not go on, which is often a line later
// and never in a configurator's words. Nil: it has found nothing.
//
// It reads the layout that bundles have, not all of YAML, and is asked only about texts in which something is wrong.
func slips(file string, text []byte) List {
	s := &slipScanner{file: file, first: level{line: -1}, last: level{line: -1}}
	for line := range strings.SplitSeq(string(text), "\n") {
		s.lines = append(s.lines, []rune(strings.TrimRight(line, " \r")))
	}
	for s.line < len(s.lines) && !s.lost {
		s.block()
	}
	return s.found
}

// slipScanner goes through a text line by line.
type slipScanner struct {
	file   string
	lines  [][]rune
	line   int
	levels []level
	odd    bool // lines stand in otherwise since one was found that does
	// The first dash or key of the current line and of the one before, and the levels before each of the two.
	first, last     level
	before, earlier []level
	found           List
	lost            bool // what follows cannot be read for sure
}

func (s *slipScanner) add(line, from, to int, code, message, hint string) {
	s.found = append(s.found, Diagnostic{Span: Span{File: s.file, Start: Position{line + 1, from + 1}, End: Position{line + 1, max(to, from+1) + 1}},
		Severity: Error, Code: code, Message: message, Hint: hint})
}

// fullWidth are the characters of Chinese input that take the place of one that YAML needs.
func fullWidth(r rune) (half string, ok bool) {
	half, ok = map[rune]string{'：': ":", '，': ",", '｛': "{", '｝': "}", '［': "[", '］': "]", '【': "[", '】': "]", '“': `"`, '”': `"`,
		'‘': "'", '’': "'", '＂': `"`, '－': "-", '—': "-", '–': "-", '；': ":", '＃': "#", '！': "!"}[r]
	return half, ok
}

// wideSpace reports whether a character looks like a space and is none to YAML.
func wideSpace(r rune) bool { return r != ' ' && r != '\t' && unicode.Is(unicode.Zs, r) }

func (s *slipScanner) full(line, at int) {
	r := s.lines[line][at]
	half, _ := fullWidth(r)
	hint := fmt.Sprintf("switch the input method to half-width and write `%s`", half)
	if half == ":" {
		hint = "switch the input method to half-width and write `:` with a space behind it"
	}
	s.add(line, at, at+1, "yaml-full-width", fmt.Sprintf("the full-width `%c` means nothing to YAML here", r), hint)
}

func (s *slipScanner) wide(line, at int) {
	end := at
	for end < len(s.lines[line]) && wideSpace(s.lines[line][end]) {
		end++
	}
	s.add(line, at, end, "yaml-full-width", "a full-width space stands here, which is no space to YAML", "switch the input method to half-width and type the space again")
}

// quote says that a text needs quotes.
func (s *slipScanner) quote(line, at int, message string) {
	s.add(line, at, at+1, "yaml-quotes", message, "put the whole text in quotes: '…'")
}

// sign is for a text without quotes that begins with a sign of YAML's own.
func (s *slipScanner) sign(n, at int) {
	line := s.lines[n]
	if line[at] != '!' {
		s.quote(n, at, fmt.Sprintf("a text that begins with `%c` means something else to YAML", line[at]))
		return
	}
	end := at + 1
	for end < len(line) && !strings.ContainsRune(" ,}]", line[end]) {
		end++
	}
	s.add(n, at, end, "yaml-tag", tagMessage(string(line[at:end])), tagHint)
}

// block reads a line outside of brackets and quotes, and what it begins.
func (s *slipScanner) block() {
	n, line := s.line, s.lines[s.line]
	s.line++
	at, sure := 0, true
	for ; at < len(line) && (unicode.IsSpace(line[at]) || wideSpace(line[at])); at++ {
		switch r := line[at]; {
		case !sure:
		case r == '\t':
			s.add(n, at, at+1, "yaml-tab", "a tab stands here; YAML takes only spaces at the beginning of a line", "delete it and type spaces, two for each step inwards; let the editor write spaces for tabs")
			sure = false
		case wideSpace(r):
			if at+1 < len(line) && strings.TrimSpace(string(line[at:])) != "" {
				s.wide(n, at)
			}
			sure = false
		}
	}
	if at >= len(line) || line[at] == '#' || string(line) == "---" || string(line) == "..." {
		return
	}
	for at < len(line) {
		item := false
		switch next := runeAt(line, at+1); {
		case line[at] == '-' && (next == 0 || next == ' ' || next == '\t'):
			item = true
		case line[at] == '-' && wideSpace(next):
			s.wide(n, at+1)
			item = true
		case line[at] == '-' && next != '-' && !unicode.IsDigit(next):
			s.add(n, at, at+1, "yaml-space", "a space is missing behind the `-`", "write `- `, with a space")
			item = true
		case strings.ContainsRune("－—–", line[at]):
			s.full(n, at)
			item = true
		}
		if !item {
			break
		}
		end := at + 1
		for end < len(line) && (unicode.IsSpace(line[end]) || wideSpace(line[end])) {
			end++
		}
		s.place(n, at, true, end >= len(line) || line[end] == '#', sure)
		at = end
	}
	if at >= len(line) || line[at] == '#' {
		return
	}
	value, colon := s.key(n, at, "")
	if !colon { // an item, the rest of a text, or no colon where one is wanted
		if len(s.levels) > 0 && s.levels[len(s.levels)-1] == (level{column: at, line: s.levels[len(s.levels)-1].line}) && sure {
			s.add(n, at, len(line), "yaml-space", "there is no `:` in this line", "write a key, `: ` and its value; a text over several lines stands further in than its key")
			return
		}
		s.value(n, at, at)
		return
	}
	s.place(n, at, false, value >= len(line) || line[value] == '#', sure)
	if value < len(line) {
		s.value(n, value, at)
	}
}

func runeAt(line []rune, at int) rune {
	if at < len(line) {
		return line[at]
	}
	return 0
}

// name returns where a word ends that can be a key; at if none begins there.
func name(line []rune, at int) int {
	if r := runeAt(line, at); r == '"' || r == '\'' {
		if end := quoteEnd(line, at+1, r); end >= 0 {
			return end + 1
		}
		return at
	}
	for at < len(line) && (line[at] < unicode.MaxASCII && (unicode.IsLetter(line[at]) || unicode.IsDigit(line[at])) || line[at] == '_' || line[at] == '.') {
		at++
	}
	return at
}

// key reads a key with its colon, and returns where its value begins. Whatever stands in the colon's place is a slip. In
// brackets, end are the characters that end an entry.
func (s *slipScanner) key(n, at int, end string) (value int, colon bool) {
	line := s.lines[n]
	last := name(line, at)
	if last == at {
		return at, false
	}
	key := string(line[at:last])
	next := last
	for next < len(line) && line[next] == ' ' {
		next++
	}
	switch r := runeAt(line, next); {
	case r == ':':
		switch after := runeAt(line, next+1); {
		case after == 0 || after == ' ' || after == '\t' || strings.ContainsRune(end, after):
		case wideSpace(after):
			s.wide(n, next+1)
		case line[at] == '"' || line[at] == '\'': // `"a":b` is YAML in brackets
		default:
			s.add(n, next, next+1, "yaml-space", fmt.Sprintf("a space is missing behind the `:` of `%s`", key), fmt.Sprintf("write `%s: ` and then the value", key))
		}
	case r == '：' || r == '；':
		s.full(n, next)
	case (r == '=' || r == ';') && runeAt(line, next+1) != '=' && end == "":
		s.add(n, next, next+1, "yaml-space", fmt.Sprintf("`%c` does not stand between a key and its value", r), fmt.Sprintf("write `%s: ` and then the value", key))
	default:
		return at, false
	}
	next++
	for next < len(line) && (unicode.IsSpace(line[next]) || wideSpace(line[next])) {
		next++
	}
	return next, true
}

// value reads what stands behind a key or a dash. column is where its key begins.
func (s *slipScanner) value(n, at, column int) {
	line := s.lines[n]
	switch r := line[at]; {
	case r == '|' || r == '>':
		s.text(column)
	case r == '"' || r == '\'':
		end, last := s.quoted(n, at, column)
		if end < 0 {
			return
		}
		s.line = last + 1
		s.rest(last, end+1)
	case r == '{' || r == '[':
		s.flow(n, at)
	case s.wideBracket(n, at):
		s.lost = true
	case strings.ContainsRune("%@`*&!", r):
		s.sign(n, at)
	case r == '-' && runeAt(line, at+1) == ' ' && at > column:
		s.add(n, at, at+1, "yaml-indent", "an item of a list cannot begin behind a key", "write it on the next line, two spaces further in than the key, or the list as `[ … ]`")
	default:
		for i := at; i < len(line); i++ {
			switch next := runeAt(line, i+1); {
			case line[i] == '#' && i > at && line[i-1] == ' ':
				return
			case line[i] == ':' && (next == 0 || next == ' '):
				s.quote(n, i, "`: ` ends a key, and stands inside a text here")
				return
			}
		}
	}
}

// wideBracket reports a full-width bracket in the place of one that YAML knows: words of the language stand behind it,
// where a text would be Chinese.
func (s *slipScanner) wideBracket(n, at int) bool {
	line := s.lines[n]
	if !strings.ContainsRune("｛［【", line[at]) {
		return false
	}
	inner := at + 1
	for inner < len(line) && (unicode.IsSpace(line[inner]) || wideSpace(line[inner])) {
		inner++
	}
	if name(line, inner) == inner {
		return false
	}
	s.full(n, at)
	return true
}

// rest finds what stands behind the end of a quoted text or a bracket.
func (s *slipScanner) rest(n, at int) {
	line := s.lines[n]
	for at < len(line) && (line[at] == ' ' || line[at] == '\t') {
		at++
	}
	if at >= len(line) || line[at] == '#' {
		return
	}
	switch line[at] {
	case '}', ']':
		s.add(n, at, at+1, "yaml-brackets", fmt.Sprintf("this `%c` closes nothing", line[at]), "take it away, or open the bracket before")
	case ':': // a key in quotes or brackets: not ours
	default:
		s.add(n, at, len(line), "yaml-quotes", "the value has ended before this", "put the whole text in quotes; inside '…' a quote is written twice")
	}
}

// text passes over a block of text, whose lines stand further in than its key.
func (s *slipScanner) text(column int) {
	for s.line < len(s.lines) {
		line := s.lines[s.line]
		if at := spaces(line); at < len(line) && at <= column {
			return
		}
		s.line++
	}
}

// quoteEnd is where a quoted text ends that has begun before at, -1 if not on this line.
func quoteEnd(line []rune, at int, quote rune) int {
	for i := at; i < len(line); i++ {
		switch {
		case quote == '"' && line[i] == '\\':
			i++
		case line[i] != quote:
		case quote == '\'' && runeAt(line, i+1) == '\'':
			i++
		default:
			return i
		}
	}
	return -1
}

// quoted reads a quoted text, and returns where it ends and on which line; -1 if it does not.
func (s *slipScanner) quoted(n, at, column int) (end, last int) {
	quote := s.lines[n][at]
	from := at + 1
	for last = n; last < len(s.lines); last++ {
		line := s.lines[last]
		if last > n { // a text over several lines stands further in than its key
			if in := spaces(line); in < len(line) && in <= column {
				break
			}
		}
		end := quoteEnd(line, from, quote)
		if quote == '"' {
			stop := end
			if stop < 0 {
				stop = len(line)
			}
			s.escapes(last, from, stop)
		}
		if end >= 0 {
			return end, last
		}
		from = 0
	}
	for i := at + 1; i < len(s.lines[n]); i++ {
		if half, ok := fullWidth(s.lines[n][i]); ok && half == string(quote) {
			s.add(n, i, i+1, "yaml-full-width", fmt.Sprintf("the full-width `%c` does not end a text that begins with `%c`", s.lines[n][i], quote),
				fmt.Sprintf("switch the input method to half-width and write `%c`", quote))
			return -1, n
		}
	}
	s.add(n, at, at+1, "yaml-quotes", "this quote is not closed", fmt.Sprintf("write `%c` at the end of the text too", quote))
	return -1, n
}

// escapes finds what stands behind a backslash in double quotes and is no escape there.
func (s *slipScanner) escapes(n, from, to int) {
	line := s.lines[n]
	for i := from; i < to; i++ {
		if line[i] != '\\' {
			continue
		}
		i++
		if r := runeAt(line, i); r != 0 && !strings.ContainsRune("0abtnvfre \"/\\N_LPxuU\t", r) {
			s.add(n, i-1, i+1, "yaml-quotes", fmt.Sprintf("`\\%c` means nothing inside double quotes", r), "write the text in single quotes: '…'; there a backslash is a backslash")
		}
	}
}
