package forms_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/forms"
)

func TestConjuncts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		rule string
		this forms.Path
		want []string
	}{
		{name: "nothing"},
		{name: "true", rule: " true "},
		{name: "one", rule: "own.a", want: []string{"own.a"}},
		{name: "spaces", rule: " own.n  >=\n\t2 ", want: []string{"own.n>=2"}},
		{name: "two", rule: "own.a && !own.b", want: []string{"own.a", "!own.b"}},
		{name: "parentheses", rule: "((own.a) && (own.b && (own.c)))", want: []string{"own.a", "own.b", "own.c"}},
		{name: "parentheses that do not belong together", rule: "(own.a || own.b) && (own.c)", want: []string{"own.a||own.b", "own.c"}},
		{name: "or is one part", rule: "own.a && own.b || own.c", want: []string{"own.a&&own.b||own.c"}},
		{name: "a choice is one part", rule: "own.a && own.b ? own.c : own.d && own.e", want: []string{"own.a&&own.b?own.c:own.d&&own.e"}},
		{name: "and inside a function", rule: "own.l.all(m, m.a && m.b) && own.a", want: []string{"own.l.all(m,m.a&&m.b)", "own.a"}},
		{name: "words keep their space", rule: "own.x  in  ['a', 'b']", want: []string{`own.x in["a","b"]`}},
		{name: "single quotes", rule: `own.x == 'it"s' && own.y == "a'b"`, want: []string{`own.x=="it\"s"`, `own.y=="a'b"`}},
		{name: "escaped quote", rule: `own.x == 'it\'s'`, want: []string{`own.x=="it's"`}},
		{name: "escaped backslash before the quote", rule: `own.x == "a\\" && own.b`, want: []string{`own.x=="a\\"`, "own.b"}},
		{name: "signs in a text", rule: `own.x == "a && (b || c" && own.b`, want: []string{`own.x=="a && (b || c"`, "own.b"}},
		{name: "Chinese", rule: `own.x == "甲 && 乙" && own.b`, want: []string{`own.x=="甲 && 乙"`, "own.b"}},
		{name: "this of a section", rule: "!this.single && this.n > own.this.n", this: "form.mother", want: []string{"!form.mother.single", "form.mother.n>own.this.n"}},
		{name: "this in a text and in a word", rule: `x.startsWith("this.a") && xthis.a`, this: "form.mother", want: []string{`x.startsWith("this.a")`, "xthis.a"}},
		{name: "this of an element", rule: "this.a && !this.b", want: []string{"this.a", "!this.b"}},
		{name: "not closed", rule: `own.a && "b`, want: []string{"own.a", `"b`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, forms.Conjuncts(tt.rule, tt.this)); diff != "" {
				t.Errorf("conjuncts of %q (-want +got):\n%s", tt.rule, diff)
			}
		})
	}
}

// The canonical form is canonical: what it yields, it leaves alone.
func TestConjunctsAreStable(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"own.a", "this.b", " ", "&&", "||", "!", "(", ")", `"x y"`, "'z'", " in ", "[1,2]", "?", ":", `\`, "甲", "true"})
	rapid.Check(t, func(t *rapid.T) {
		rule := strings.Join(rapid.SliceOfN(word, 0, 12).Draw(t, "words"), "")
		for _, part := range forms.Conjuncts(rule, "form.m") {
			again := forms.Conjuncts(part, "form.m")
			if len(again) == 1 && again[0] != part {
				t.Fatalf("%q gave %q, which gave %q", rule, part, again[0])
			}
		}
	})
}
