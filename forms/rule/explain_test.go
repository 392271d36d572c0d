package rule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// parts writes an explanation down, a part a line.
func parts(p rule.Part, depth int) string {
	what := p.Truth.String()
	if p.Blank {
		what = "blank"
	}
	text := fmt.Sprintf("%s%s: %s", strings.Repeat("  ", depth), p.Text, what)
	for _, cause := range p.Causes {
		text += " " + string(cause.Path)
	}
	text += "\n"
	for _, child := range p.Parts {
		text += parts(child, depth+1)
	}
	return text
}

// Every part says what it comes to, also what decides nothing, what is not known and what was left blank.
func TestExplain(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	tests := []struct {
		name, rule string
		record     values
		want       string
	}{
		{name: "one part", rule: "own.n >= 2", record: values{"own.n": kind.Int(1)}, want: "own.n >= 2: false\n"},
		{name: "parts of an and", rule: "own.n >= 2 && own.m < 5 && own.insured", record: values{"own.n": kind.Int(1), "own.m": kind.Int(1)},
			want: "own.n >= 2 && own.m < 5 && own.insured: false\n  own.n >= 2: false\n  own.m < 5: true\n  own.insured: unknown own.newborn.insured\n"},
		{name: "an or inside, in parentheses", rule: "own.insured && (own.n == 1 || own.n == 2)", record: values{"own.insured": kind.Bool(true), "own.n": kind.Int(3)},
			want: "own.insured && (own.n == 1 || own.n == 2): false\n  own.insured: true\n  own.n == 1 || own.n == 2: false\n    own.n == 1: false\n    own.n == 2: false\n"},
		{name: "not", rule: "!own.insured", record: values{"own.insured": kind.Bool(true)}, want: "!own.insured: false\n  own.insured: true\n"},
		{name: "a blank beside its guard", rule: `has(own.remark) && own.remark == "a"`, record: values{"own.remark": nil},
			want: "has(own.remark) && own.remark == \"a\": false\n  has(own.remark): false\n  own.remark == \"a\": blank\n"},
		{name: "a list", rule: "form.heirs.all(h, h.agreed)", record: values{"form.heirs": kind.List{{"agreed": kind.Bool(true)}, {"agreed": kind.Bool(false)}}},
			want: "form.heirs.all(h, h.agreed): false\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := compile(t, env, test.rule)
			got := r.Explain(test.record.answers())
			if diff := cmp.Diff(test.want, parts(got, 0)); diff != "" {
				t.Error(diff)
			}
			if o := r.Eval(test.record.answers()); o.Truth != got.Truth {
				t.Errorf("explained as %s, and is %s", got.Truth, o.Truth)
			}
		})
	}
}
