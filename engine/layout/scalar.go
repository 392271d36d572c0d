package layout

import (
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// scalar writes a scalar on one line. Quotes stand where YAML needs them: double ones, unless the text holds a double
// quote or a backslash.
func scalar(n *yaml.Node, inFlow bool) string {
	if tag(n) == "!!null" {
		return "null"
	}
	if tag(n) != "!!str" || plain(n.Value, inFlow) {
		return n.Value
	}
	return quote(n.Value)
}

// plain reports whether a text reads the same without quotes. Words that older YAML takes for yes or no keep theirs.
func plain(text string, inFlow bool) bool {
	if text == "" || strings.TrimSpace(text) != text || strings.ContainsRune("!&*|>'\"%@`#,[]{}", []rune(text)[0]) {
		return false
	}
	if resolved := (&yaml.Node{Kind: yaml.ScalarNode, Value: text}); tag(resolved) != "!!str" {
		return false
	}
	switch strings.ToLower(text) {
	case "y", "yes", "n", "no", "on", "off", "=":
		return false
	}
	runes := []rune(text)
	for i, r := range runes {
		next := ' '
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		ends := next == ' ' || inFlow && strings.ContainsRune(",[]{}", next)
		switch {
		case r < ' ' || r == 0x7f || r == '\uFEFF' || r == '\u0085' || r == '\u2028' || r == '\u2029' || !unicode.IsPrint(r) && !unicode.IsSpace(r):
			return false
		case inFlow && strings.ContainsRune(",[]{}", r),
			r == ':' && ends,
			r == '#' && i > 0 && unicode.IsSpace(runes[i-1]),
			r == '?' && ends && (inFlow || i == 0),
			r == '-' && i == 0 && (ends || next == '-'):
			return false
		}
	}
	return true
}

func quote(text string) string {
	bare := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || !unicode.IsPrint(r) && r != '\u3000' }) < 0
	if bare && strings.ContainsAny(text, `"\`) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80 && (r < ' ' || r == 0x7f):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r) && r != '\u3000' && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		case !unicode.IsPrint(r) && r != '\u3000':
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
