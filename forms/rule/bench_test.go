package rule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// wide is a form of 60 questions and ten rules over it, as a bundle has them.
func wide() (forms.Scope, answers, []string) {
	s := forms.Scope{Bundle: "wide"}
	record := answers{"today": day("2026-03-16"), "place": kind.Text("321323")}
	section := &forms.Section{Alias: "a"}
	add := func(id, spec string, v kind.Value) {
		section.Fields = append(section.Fields, question(id, spec))
		record[forms.Path("form.a."+id)] = v
	}
	for i := range 15 {
		add(fmt.Sprintf("choice%d", i), "*CHOICE x y z", kind.Choice("y"))
		add(fmt.Sprintf("date%d", i), "*DATE", day("2025-12-01"))
		add(fmt.Sprintf("int%d", i), "*INT", kind.Int(i))
		add(fmt.Sprintf("bool%d", i), "*BOOL", kind.Bool(i%2 == 0))
	}
	s.Form = []*forms.Section{section}
	var rules []string
	for i := range 10 {
		rules = append(rules, fmt.Sprintf(
			"(!form.a.bool%d || form.a.choice%d.y) && form.a.int%d in [1, 2, 3, %d] && months_between(form.a.date%d, today) < 12 && form.a.int%d <= 20",
			i, i, i, i, i, i+1))
	}
	return s, record, rules
}

func BenchmarkEval(b *testing.B) {
	s, record, texts := wide()
	env := environment(b, s)
	rules := make([]*rule.Rule, len(texts))
	for i, text := range texts {
		rules[i] = compile(b, env, text)
	}
	missing := answers{}
	for p, v := range record {
		if p != "form.a.date3" && p != "form.a.choice2" && p != "form.a.int5" {
			missing[p] = v
		}
	}
	for _, bb := range []struct {
		name   string
		record answers
	}{{"complete", record}, {"missing", missing}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, r := range rules {
					r.Eval(bb.record)
				}
			}
		})
	}
}

// A list of the greatest length with a long text in each row, near the budget.
func costly(t testing.TB) (*rule.Rule, answers) {
	r := compile(t, environment(t, scope()), `form.shareholders.list.all(s, s.name.matches("^(a|b)+$")) && `+
		`form.shareholders.list.all(s, !s.name.contains("abc")) && form.shareholders.list.all(s, s.name != "x")`)
	list := kind.List{}
	for range 500 {
		list = append(list, kind.Row{"name": kind.Text(strings.Repeat("ab", 2000))})
	}
	return r, values{"form.shareholders.list": list}.answers()
}

func TestBudgetHolds(t *testing.T) {
	t.Parallel()
	r, record := costly(t)
	if got := outcome(r.Eval(record)); got != "true" {
		t.Errorf("the longest list that fields accept: %s", got)
	}
}

func BenchmarkEvalList(b *testing.B) {
	r, record := costly(b)
	for b.Loop() {
		r.Eval(record)
	}
}

func BenchmarkCompile(b *testing.B) {
	s, _, texts := wide()
	env := environment(b, s)
	text := diag.Inline("bundle.yaml", "require", texts[0], diag.Position{Line: 1, Column: 1})
	for b.Loop() {
		if _, found := env.Compile(text, rule.Options{}); len(found) > 0 {
			b.Fatal(found)
		}
	}
}

func BenchmarkNewEnv(b *testing.B) {
	s, _, _ := wide()
	for b.Loop() {
		environment(b, s)
	}
}
