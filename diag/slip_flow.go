package diag

import (
	"fmt"
	"slices"
	"strings"
)

// opened is a bracket that is not closed yet.
type opened struct {
	line, column int
	bracket      rune
	keyed        bool // in a mapping: the key of the current entry has been read
}

// flow reads brackets up to the one that closes the first, over several lines. Where it cannot, it passes over the lines
// that stand further in than where they began.
func (s *slipScanner) flow(n, at int) {
	indent := spaces(s.lines[n])
	if s.brackets(n, at, indent) {
		return
	}
	for s.line < len(s.lines) && spaces(s.lines[s.line]) > indent {
		s.line++
	}
}

func (s *slipScanner) brackets(n, at, indent int) (read bool) {
	var stack []opened
	entry := true // something begins here: a key, a value, an item
	for {
		line := s.lines[n]
		for at < len(line) {
			r := line[at]
			if r == '#' && (at == 0 || line[at-1] == ' ' || line[at-1] == '\t') {
				at = len(line)
				continue
			}
			switch {
			case r == ' ' || r == '\t':
				at++
			case wideSpace(r):
				s.wide(n, at)
				for at < len(line) && wideSpace(line[at]) {
					at++
				}
			case r == '{' || r == '[':
				stack = append(stack, opened{line: n, column: at, bracket: r})
				entry, at = true, at+1
			case r == '}' || r == ']':
				top := stack[len(stack)-1]
				if top.bracket != opening(r) {
					s.add(n, at, at+1, "yaml-brackets", fmt.Sprintf("this `%c` does not close the `%c` of line %d, column %d", r, top.bracket, top.line+1, top.column+1),
						fmt.Sprintf("close that one first, with `%c`", closer(top.bracket)))
					s.line = n + 1
					return false
				}
				stack, entry, at = stack[:len(stack)-1], false, at+1
				if len(stack) == 0 {
					s.line = n + 1
					s.rest(n, at)
					return true
				}
			case r == ',':
				stack[len(stack)-1].keyed = false
				entry, at = true, at+1
			case r == ':' && !entry: // behind a quoted key
				stack[len(stack)-1].keyed = true
				entry, at = true, at+1
			case !entry:
				if half, ok := fullWidth(r); ok {
					s.full(n, at)
					entry, at = half == ",", at+1
					continue
				}
				s.add(n, at, at+1, "yaml-quotes", "the value has ended before this", "put the whole text in quotes, or write a comma before the next one")
				s.line = n + 1
				return false
			default:
				if n, at, entry = s.entry(n, at, &stack[len(stack)-1]); at < 0 {
					s.line = n + 1
					return false
				}
				line = s.lines[n]
			}
		}
		next := n + 1
		for next < len(s.lines) && strings.TrimSpace(string(s.lines[next])) == "" {
			next++
		}
		if next >= len(s.lines) || spaces(s.lines[next]) <= indent && !strings.ContainsRune("}]", s.lines[next][spaces(s.lines[next])]) {
			s.unclosed(stack[len(stack)-1], n)
			s.line = max(next, n+1)
			return false
		}
		n, at = next, 0
	}
}

func opening(closing rune) rune { return map[rune]rune{'}': '{', ']': '['}[closing] }
func closer(opening rune) rune  { return map[rune]rune{'{': '}', '[': ']'}[opening] }

// unclosed reports a bracket that is open where the next line begins something else.
func (s *slipScanner) unclosed(o opened, last int) {
	for n := o.line; n <= last; n++ {
		from := 0
		if n == o.line {
			from = o.column + 1
		}
		for i := from; i < len(s.lines[n]); i++ {
			if half, ok := fullWidth(s.lines[n][i]); ok && half == string(closer(o.bracket)) {
				s.full(n, i)
				return
			}
		}
	}
	s.add(o.line, o.column, o.column+1, "yaml-brackets", fmt.Sprintf("this `%c` is not closed", o.bracket), fmt.Sprintf("write `%c` where it ends", closer(o.bracket)))
}

// entry reads a key with its colon, a quoted text or a plain one inside of brackets. It returns where that ends, -1 where
// what follows cannot be read, and whether something begins there: a value, or after a wrong comma the next key.
func (s *slipScanner) entry(n, at int, in *opened) (line, end int, begins bool) {
	text := s.lines[n]
	if r := text[at]; r == '"' || r == '\'' {
		end, last := s.quoted(n, at, spaces(s.lines[in.line]))
		if end < 0 {
			return n, -1, false
		}
		return last, end + 1, false
	}
	if in.bracket == '{' && !in.keyed {
		if value, ok := s.key(n, at, ",}]"); ok {
			in.keyed = true
			return n, value, true
		}
	}
	if end := name(text, at); in.bracket == '[' && end > at && runeAt(text, end) == ':' && runeAt(text, end+1) == ' ' {
		s.unclosed(*in, n) // no list of ours holds pairs
		return n, -1, false
	}
	if s.wideBracket(n, at) {
		return n, -1, false
	}
	if strings.ContainsRune("%@`*&!|>", text[at]) {
		s.sign(n, at)
	}
	return s.plain(n, at, in)
}

// plain reads a text without quotes inside of brackets, up to what ends it; it returns what [slipScanner.entry] does.
func (s *slipScanner) plain(n, at int, in *opened) (line, end int, begins bool) {
	text := s.lines[n]
	quoted := -1 // where a full-width quote ends that the text begins with
	if text[at] == '“' || text[at] == '‘' {
		quoted = at + slices.Index(text[at:], text[at]+1) // in Unicode the one that closes comes next
	}
	for i := at; i < len(text); i++ {
		next := runeAt(text, i+1)
		switch r := text[i]; {
		case i < quoted && strings.ContainsRune(",{}[]", r):
			s.full(n, at)
			s.full(n, quoted)
			return n, quoted + 1, false
		case r == ',' || r == '}' || r == ']':
			return n, i, false
		case r == '{' || r == '[':
			s.quote(n, i, fmt.Sprintf("`%c` opens a bracket, and stands inside a text here", r))
			return n, -1, false
		case r == '?' && (next == ' ' || next == 0):
			s.quote(n, i, "`? ` means something else to YAML inside of brackets")
			return n, -1, false
		case r == ':' && (next == ' ' || next == 0):
			if in.bracket == '{' && !in.keyed { // a key with spaces or signs in it
				in.keyed = true
				return n, i + 1, true
			}
			s.quote(n, i, "`: ` ends a key, and stands inside a text here")
			return n, -1, false
		case r == '#' && i > at && text[i-1] == ' ':
			s.quote(n, i, "` #` begins a comment, and stands inside a text here")
			return n, -1, false
		case r == '，':
			j := i + 1
			for j < len(text) && (text[j] == ' ' || wideSpace(text[j])) {
				j++
			}
			if k := name(text, j); in.bracket == '{' && k > j && strings.ContainsRune(":：", runeAt(text, k)) {
				s.full(n, i)
				in.keyed = false
				return n, j, true
			}
		}
	}
	return n, len(text), false
}
