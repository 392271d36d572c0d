package formula

import (
	"slices"
	"strconv"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Missing stands in a text for what is unknown or blank.
const Missing = "——"

// Template is a text with formulas in braces. It is immutable and may be rendered by several goroutines.
type Template struct{ pieces []piece }

// piece is a stretch of plain text, or a formula.
type piece struct {
	plain   string
	formula *Formula
}

// CompileText checks a text whose formulas stand in braces: "须等于 {own.subscribed}". `\{` is a brace. A
// formula in a text may read what may be blank: it is shown as [Missing]. The template is nil if there is
// an error; a text without braces always has one.
func (e *Env) CompileText(text diag.Scalar) (*Template, diag.List) {
	t := &Template{}
	if !strings.Contains(text.Text, "{") {
		t.plain(text.Text)
		return t, nil
	}
	var diags diag.List
	runes := []rune(text.Text)
	var plain strings.Builder
	for i := 0; i < len(runes); i++ {
		switch {
		case runes[i] == '\\' && i+1 < len(runes) && runes[i+1] == '{':
			plain.WriteByte('{')
			i++
		case runes[i] != '{':
			plain.WriteRune(runes[i])
		default:
			end, ok := closing(runes, i)
			c := e.checker(text.Sub(i+1, end), nil)
			c.lenient = true
			if !ok {
				c.scalar = text
				c.fail(i, i+1, CodeSyntax, "this brace is not closed", `a brace that is to be shown is written \{`)
				return nil, append(diags, c.diags...)
			}
			if end == i+1 {
				c.scalar = text
				c.fail(i, i+2, CodeSyntax, "there is nothing between the braces", `a brace that is to be shown is written \{`)
			} else if f := c.compile(nil); f != nil {
				t.plain(plain.String())
				plain.Reset()
				t.pieces = append(t.pieces, piece{formula: f})
			}
			diags = append(diags, c.diags...)
			i = end
		}
	}
	t.plain(plain.String())
	if diags.Err() != nil {
		return nil, diags
	}
	return t, diags
}

func (t *Template) plain(text string) {
	if text != "" {
		t.pieces = append(t.pieces, piece{plain: text})
	}
}

// closing returns where the brace that opens at i is closed, past braces and quotes inside.
func closing(runes []rune, i int) (int, bool) {
	depth := 0
	var quote rune
	for ; i < len(runes); i++ {
		switch r := runes[i]; {
		case quote != 0 && r == '\\' && quote != '`':
			i++
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case r == '{':
			depth++
		case r == '}':
			if depth--; depth == 0 {
				return i, true
			}
		}
	}
	return len(runes), false
}

// Reads returns the paths that the text's formulas read, in the order of their first appearance, each once.
func (t *Template) Reads() []forms.Path {
	var paths []forms.Path
	for _, p := range t.pieces {
		if p.formula == nil {
			continue
		}
		for _, path := range p.formula.Reads() {
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// Render returns the text with its values: 1,200.00 元, 2026年3月2日, 是 or 否, the label of an option, and
// [Missing] for what is unknown or blank.
func (t *Template) Render(env forms.Env) string {
	if len(t.pieces) == 1 && t.pieces[0].formula == nil {
		return t.pieces[0].plain
	}
	var b strings.Builder
	for _, p := range t.pieces {
		if p.formula == nil {
			b.WriteString(p.plain)
			continue
		}
		text := ""
		if v, causes := p.formula.run(env); causes == nil {
			text = p.formula.format(v)
		}
		if text == "" {
			text = Missing
		}
		b.WriteString(text)
	}
	return b.String()
}

// format writes a value as it stands in a Chinese text.
func (f *Formula) format(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "是"
		}
		return "否"
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return v
	case kind.Decimal:
		return v.String()
	case kind.Money:
		return v.Format()
	case kind.Date:
		return v.Format()
	case kind.Choice:
		return f.label(string(v))
	case kind.Choices:
		labels := make([]string, len(v))
		for i, id := range v {
			labels[i] = f.label(id)
		}
		return strings.Join(labels, "、")
	case kind.CitizenNumber:
		return string(v)
	case kind.Address:
		return v.Text
	}
	return ""
}

func (f *Formula) label(id string) string {
	for _, o := range f.result.options {
		if o.ID == id {
			return o.Name.ZH
		}
	}
	return id
}
