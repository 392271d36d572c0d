package document

import (
	"strings"
	"unicode"
)

// notFirst are characters that begin no line, and notLast those that end none (GB/T 15834: punctuation at the ends of lines).
const (
	notFirst = "，。、；：？！）》」』】〕〉”’％%…—·,.;:?!)]}"
	notLast  = "（《「『【〔〈“‘([{¥"
)

// wrap breaks a text into lines that are not wider than a width, as `measure` has it. Chinese breaks between any two
// characters, but for punctuation; words and numbers stay whole where they fit on a line at all.
func wrap(text string, width float64, measure func(string) float64) []string {
	var lines []string
	for part := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, unit := range units(part) {
			body := strings.TrimRight(unit, " ")
			if line != "" && measure(line+body) <= width {
				line += unit
				continue
			}
			if line != "" {
				lines = append(lines, strings.TrimRight(line, " "))
				unit, body = strings.TrimLeft(unit, " "), strings.TrimLeft(body, " ")
			}
			pieces := cut(body, width, measure)
			last := len(pieces) - 1
			lines = append(lines, pieces[:last]...)
			line = pieces[last] + unit[len(body):]
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// cut cuts a word that fits on no line wherever it has to be cut.
func cut(line string, width float64, measure func(string) float64) []string {
	if measure(line) <= width {
		return []string{line}
	}
	var lines []string
	piece := ""
	for _, r := range line {
		if piece != "" && measure(piece+string(r)) > width {
			lines = append(lines, piece)
			piece = ""
		}
		piece += string(r)
	}
	return append(lines, piece)
}

// units are the parts of a text that stay whole.
func units(text string) []string {
	var all []string
	runes := []rune(text)
	begin := 0
	for i := 1; i <= len(runes); i++ {
		if i < len(runes) && joined(runes[i-1], runes[i]) {
			continue
		}
		all = append(all, string(runes[begin:i]))
		begin = i
	}
	return all
}

// joined reports whether a line may not break between two characters.
func joined(a, b rune) bool {
	switch {
	case strings.ContainsRune(notFirst, b), strings.ContainsRune(notLast, a):
		return true
	case a == ' ':
		return false
	case b == ' ':
		return true
	}
	return !wide(a) && !wide(b)
}

// wide reports whether a character is one of Chinese writing.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
}
