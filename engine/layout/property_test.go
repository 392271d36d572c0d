package layout_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// author writes YAML as somebody might: with comments everywhere, in brackets over lines, in any quotes.
type author struct {
	t        *rapid.T
	text     strings.Builder
	comments int
}

func (a *author) chance(label string, of int) bool {
	return rapid.IntRange(0, of-1).Draw(a.t, label) == 0
}

// comment returns a comment of its own.
func (a *author) comment() string {
	a.comments++
	return fmt.Sprintf("# %d: { it's \"said\" }", a.comments)
}

// before writes what may stand before an entry.
func (a *author) before(indent int) {
	for a.chance("before", 4) {
		if a.chance("blank", 2) {
			a.text.WriteString("\n")
			continue
		}
		if a.chance("in", 3) {
			indent += rapid.IntRange(0, 3).Draw(a.t, "by")
		}
		a.text.WriteString(strings.Repeat(" ", indent) + a.comment() + "\n")
	}
}

// end ends a line.
func (a *author) end() {
	if a.chance("trail", 4) {
		a.text.WriteString(strings.Repeat(" ", rapid.IntRange(1, 3).Draw(a.t, "gap")) + a.comment())
	}
	a.text.WriteString("\n")
}

func (a *author) scalar(inFlow bool) string {
	words := []string{"x", "新生儿", "own.a && own.b", "2026-03-16", "12", "0.5", "true", "null", "f(x)", "a-b", "x#y", "it's", "甲：乙，丙"}
	quoted := []string{"!own.a", "x: y", "a, b", "[1]", `x == "y"`, `^\d+$`, "", " x", "y", "12", "2026-03-16", "- x", "#", "x # y", "true", "'", "? x", "x?"}
	switch {
	case a.chance("double", 4):
		text := rapid.SampledFrom(quoted).Draw(a.t, "text")
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
	case a.chance("single", 4):
		return "'" + strings.ReplaceAll(rapid.SampledFrom(quoted).Draw(a.t, "text"), "'", "''") + "'"
	case !inFlow && a.chance("open", 6):
		return rapid.SampledFrom([]string{"a, b", "x?", "[", "a } b"}[:2]).Draw(a.t, "text")
	}
	return rapid.SampledFrom(words).Draw(a.t, "word")
}

// keys of the schema and of the author's own, in any order.
func (a *author) keys() []string {
	all := rapid.Permutation([]string{"bundle", "name", "form", "own", "steps", "id", "needs", "fields", "zh", "en", "set", "form.a.b", "yes"}).Draw(a.t, "keys")
	return all[:rapid.IntRange(1, 4).Draw(a.t, "number")]
}

// brackets writes a collection in brackets, perhaps over lines with comments between.
func (a *author) brackets(depth, indent int) {
	gap := func() {
		switch {
		case a.chance("space", 3):
			a.text.WriteString(" ")
		case a.chance("line", 6):
			a.text.WriteString("\n" + strings.Repeat(" ", indent))
		case a.chance("comment", 6):
			a.text.WriteString(" " + a.comment() + "\n" + strings.Repeat(" ", indent))
		}
	}
	value := func() {
		if depth > 0 && a.chance("deeper", 3) {
			a.brackets(depth-1, indent+2)
			return
		}
		a.text.WriteString(a.scalar(true))
	}
	list := a.chance("list", 2)
	a.text.WriteString(map[bool]string{true: "[", false: "{"}[list])
	gap()
	if list {
		for i := range rapid.IntRange(0, 3).Draw(a.t, "items") {
			if i > 0 {
				a.text.WriteString(",")
				gap()
			}
			value()
			gap()
		}
	} else {
		for i, key := range a.keys() {
			if i > 0 {
				a.text.WriteString(",")
				gap()
			}
			a.text.WriteString(key + ": ")
			value()
			gap()
		}
	}
	a.text.WriteString(map[bool]string{true: "]", false: "}"}[list])
}

// block writes a mapping in lines of its own. What stands before its first key is written already.
func (a *author) block(depth, indent int, begun bool) {
	for i, key := range a.keys() {
		if i > 0 || !begun {
			a.before(indent)
			a.text.WriteString(strings.Repeat(" ", indent))
		}
		a.text.WriteString(key + ":")
		a.behind(depth, indent)
	}
}

// behind writes what stands behind a key.
func (a *author) behind(depth, indent int) {
	switch {
	case depth > 0 && a.chance("block", 3):
		a.end()
		a.block(depth-1, indent+rapid.IntRange(1, 4).Draw(a.t, "in"), false)
	case depth > 0 && a.chance("items", 3):
		a.end()
		in := indent + rapid.IntRange(0, 3).Draw(a.t, "in")
		for range rapid.IntRange(1, 3).Draw(a.t, "number") {
			a.before(in)
			dash := "-" + strings.Repeat(" ", rapid.IntRange(1, 3).Draw(a.t, "gap"))
			a.text.WriteString(strings.Repeat(" ", in) + dash)
			switch {
			case a.chance("mapping", 2):
				a.block(depth-1, in+len(dash), true)
			case a.chance("brackets", 2):
				a.brackets(depth-1, in+len(dash)+1)
				a.end()
			default:
				a.text.WriteString(a.scalar(false))
				a.end()
			}
		}
	case a.chance("text", 8):
		a.text.WriteString(" " + rapid.SampledFrom([]string{"|", ">", "|-", ">-"}).Draw(a.t, "style"))
		a.end()
		for i := range rapid.IntRange(1, 3).Draw(a.t, "lines") {
			a.text.WriteString(strings.Repeat(" ", indent+3) + strings.Repeat(" ", i%2) + "x  # 甲: {\n")
			if a.chance("empty", 4) {
				a.text.WriteString("\n")
			}
		}
	case a.chance("brackets", 3):
		a.text.WriteString(" ")
		a.brackets(depth, indent+1)
		a.end()
	default:
		a.text.WriteString(" " + a.scalar(false))
		a.end()
	}
}

// Whatever an author writes is brought into the style: nothing is refused, no comment is lost, it reads the same, and it
// is in the style then.
func TestFormat_Authors(t *testing.T) {
	t.Parallel()
	comment := regexp.MustCompile(`# \d+: \{ it's "said" \}`)
	rapid.Check(t, func(rt *rapid.T) {
		a := &author{t: rt}
		a.block(3, 0, false)
		a.before(0)
		same(rt, "a.yaml", []byte(a.text.String()), comment)
	})
}
