package witness

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// matching is a text that a pattern accepts: of what may be repeated as little as may be, of several ways the first.
func matching(pattern *regexp.Regexp) (string, bool) {
	tree, err := syntax.Parse(pattern.String(), syntax.Perl)
	if err != nil {
		return "", false
	}
	var text strings.Builder
	write(&text, tree)
	return text.String(), pattern.MatchString(text.String())
}

func write(text *strings.Builder, tree *syntax.Regexp) {
	switch tree.Op {
	case syntax.OpLiteral:
		text.WriteString(string(tree.Rune))
	case syntax.OpCharClass:
		if len(tree.Rune) > 0 {
			text.WriteRune(tree.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		text.WriteRune('甲')
	case syntax.OpCapture, syntax.OpPlus:
		write(text, tree.Sub[0])
	case syntax.OpRepeat:
		for range tree.Min {
			write(text, tree.Sub[0])
		}
	case syntax.OpConcat:
		for _, part := range tree.Sub {
			write(text, part)
		}
	case syntax.OpAlternate:
		write(text, tree.Sub[0])
	default: // what takes no room, or need not be there
	}
}
