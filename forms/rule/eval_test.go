package rule_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// Three-valued logic: u is an answer that is missing, everything else is what the tables of Kleene say.
func TestTruthTables(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	and := compile(t, env, "own.single_parent && own.insured")
	or := compile(t, env, "own.single_parent || own.insured")
	not := compile(t, env, "!own.single_parent")
	choice := compile(t, env, "own.single_parent ? own.insured : !own.insured")
	tests := []struct{ a, b, and, or, not, choice string }{
		{"t", "t", "true", "true", "false", "true"},
		{"t", "f", "false", "true", "false", "false"},
		{"t", "u", "unknown: own.insured", "true", "false", "unknown: own.insured"},
		{"f", "t", "false", "true", "true", "false"},
		{"f", "f", "false", "false", "true", "true"},
		{"f", "u", "false", "unknown: own.insured", "true", "unknown: own.insured"},
		{"u", "t", "unknown: own.single_parent", "true", "unknown: own.single_parent", "unknown: own.single_parent"},
		{"u", "f", "false", "unknown: own.single_parent", "unknown: own.single_parent", "unknown: own.single_parent"},
		{"u", "u", "unknown: own.insured, own.single_parent", "unknown: own.insured, own.single_parent", "unknown: own.single_parent", "unknown: own.single_parent"},
	}
	for _, tt := range tests {
		t.Run(tt.a+tt.b, func(t *testing.T) {
			t.Parallel()
			record := values{}
			for path, v := range map[forms.Path]string{"own.single_parent": tt.a, "own.insured": tt.b} {
				if v != "u" {
					record[string(path)] = kind.Bool(v == "t")
				}
			}
			got := []string{}
			for _, r := range []*rule.Rule{and, or, not, choice} {
				got = append(got, outcome(r.Eval(record.answers())))
			}
			if diff := cmp.Diff([]string{tt.and, tt.or, tt.not, tt.choice}, got); diff != "" {
				t.Errorf("and, or, not, choice (-want +got):\n%s", diff)
			}
		})
	}
}

// Every comparison of every kind that has an order, with a smaller, an equal and a greater second operand.
func TestComparisons(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	for _, tt := range []struct{ name, a, smaller, equal, greater string }{
		{"INT", "2", "1", "2", "3"},
		{"DECIMAL", "2.5", "2.49", "decimal(2.50)", "2.51"},
		{"DECIMAL and INT", "decimal(2)", "1", "2", "3"},
		{"MONEY", "yuan(2)", "yuan(1.99)", "yuan(2.00)", "yuan(2.01)"},
		{"DATE", `date("2026-02-01")`, `date("2026-01-31")`, `date("2026-02-01")`, `date("2027-01-01")`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for operator, want := range map[string]string{
				"<": "false false true", "<=": "false true true", ">": "true false false", ">=": "true true false",
				"==": "false true false", "!=": "true false true",
			} {
				var got []string
				for _, b := range []string{tt.smaller, tt.equal, tt.greater} {
					got = append(got, outcome(compile(t, env, tt.a+operator+b).Eval(answers{})))
				}
				if strings.Join(got, " ") != want {
					t.Errorf("%s %s a smaller, equal, greater one: %v, want %s", tt.a, operator, got, want)
				}
			}
		})
	}
}

// What has no answers in it: the tables of functions and their edge cases.
func TestFunctions(t *testing.T) {
	t.Parallel()
	holds := []string{
		`date("2026-01-01") < date("2026-01-02")`,
		`add_months(date("2026-01-31"), 1) == date("2026-02-28")`,
		`add_years(date("2024-02-29"), 1) == date("2025-02-28")`,
		`add_months(date("2026-02-28"), 1) == date("2026-03-28")`,
		`add_days(date("2026-03-01"), -1) == date("2026-02-28")`,
		`days_between(date("2026-02-28"), date("2026-03-01")) == 1`,
		`months_between(date("2026-01-31"), date("2026-02-28")) == 1`,
		`months_between(date("2025-03-16"), date("2026-03-15")) == 11`,
		`months_between(date("2026-03-15"), date("2025-03-16")) == -11`,
		`years_between(date("2020-02-29"), date("2021-02-28")) == 1`,
		`age(date("2008-02-29"), date("2026-02-28")) == 18`,
		`age_late(date("2008-02-29"), date("2026-02-28")) == 17`,
		`age_late(date("2008-02-29"), date("2026-03-01")) == 18`,
		`age(date("2027-01-01"), today) == 0`,
		`add_working_days(date("2026-03-13"), 1) == date("2026-03-16")`,
		`add_working_days(date("2026-03-16"), -1) == date("2026-03-13")`,
		`working_days_between(date("2026-03-13"), date("2026-03-17")) == 2`,
		`yuan(850.5) == yuan(850) + yuan(0.5)`,
		`yuan(0.1) + yuan(0.2) == yuan(0.3)`,
		`yuan(-5) < yuan(0) && -yuan(5) == yuan(-5)`,
		`yuan(60) * 3 - yuan(80) == yuan(100)`,
		`decimal(0.1) + decimal(0.2) == decimal(0.3)`,
		`0.1 + 0.2 == 0.3`,
		`decimal(1.50) == 1.5 && decimal(2) == 2 && decimal(2) > 1 && decimal(2.5) * 2 == 5 && decimal(1.5) != 1`,
		`0.1 * 3 == 0.3 && 1.005 * 100 == decimal(100.5)`,
		`-decimal(1.5) == -1.5 && - 2 == 1 - 3 && 2 * 3 - 1 == 5`,
		`9007199254740993.0 != decimal(9007199254740992)`,
		`region("321323") == place && place.within(region("32")) && !region("32").within(place)`,
		`sum([1, 2, 3]) == 6 && sum([0.1, 0.2]) == 0.3 && sum([yuan(1), yuan(2)]) == yuan(3)`,
		`size(distinct([1, 2, 1])) == 2 && size(distinct([yuan(1), yuan(1.00)])) == 1`,
		`size("中文字") == 3`,
		`"中文字".startsWith("中") && "中文字".endsWith("字") && "中文字".contains("文") && "X320101001".matches("^X[0-9]+$")`,
		`"abc".matches("b")`,
		`"a" in ["a", "b"] && 2 in [1, 2] && !(3 in [1, 2]) && decimal(1.0) in [0.5, 1.0] && yuan(1) in [yuan(1)]`,
		`"a" == 'a' && "a" != "b" && 1 != 2`,
		`true ? true : false`,
		`[1, 2, 3].all(x, x > 0) && [1, 2, 3].exists(x, x == 2) && [1, 2, 3].exists_one(x, x > 2) && ![1, 2].exists_one(x, x > 0)`,
		`[1, 2, 3].filter(x, x > 1).map(x, x * 2).all(y, y in [4, 6]) && size([1, 2, 3].map(x, x > 1, x)) == 2`,
	}
	var tests []evalCase
	for _, text := range holds {
		tests = append(tests, evalCase{rule: text, want: "true"})
	}
	fault := "unknown: fault eligibility[0].require"
	tests = append(tests,
		evalCase{rule: "own.n * 9007199254740991 > 0", record: values{"own.n": kind.Int(1 << 40)}, want: fault},
		evalCase{rule: "own.income * own.n > yuan(0)", record: values{"own.n": kind.Int(1 << 50), "own.income": kind.Money(1 << 50)}, want: fault},
		evalCase{rule: "add_years(today, own.n) > today", record: values{"own.n": kind.Int(100000)}, want: fault},
		evalCase{rule: "add_days(today, own.n) > today", record: values{"own.n": kind.Int(1 << 52)}, want: fault},
		evalCase{name: "a fault is absorbed like the unknown", rule: "own.insured || add_years(today, own.n) > today",
			record: values{"own.n": kind.Int(100000), "own.insured": yes}, want: "true"},
		evalCase{name: "working days over a year that is not published", rule: "working_days_between(today, own.end) > 5",
			record: values{"own.end": day("2027-02-01")}, want: "unknown: year calendar.2027"},
		evalCase{name: "a value of another kind is a fault", rule: "own.n > 1", record: values{"own.n": kind.Text("x")}, want: fault},
		evalCase{name: "a blank that no condition foresaw is a fault", rule: "own.n > 1", record: values{"own.n": nil}, want: fault},
		evalCase{name: "and absorbed", rule: "own.n > 1 && own.insured", record: values{"own.n": nil, "own.insured": no}, want: "false"},
	)
	runCases(t, tests)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	woman := kind.CitizenNumber("320102198803150024")
	shareholder := func(name string, share kind.Value, more ...string) kind.Row {
		row := kind.Row{"name": kind.Text(name), "share": share}
		for _, id := range more {
			delete(row, id)
		}
		return row
	}
	list := kind.List{shareholder("甲", dec("50.5")), shareholder("乙", nil), shareholder("丙", dec("10"), "name")}
	runCases(t, []evalCase{
		{rule: "own.wedlock.married", record: values{"own.wedlock": kind.Choice("married")}, want: "true"},
		{rule: "own.wedlock.unmarried", record: values{"own.wedlock": kind.Choice("married")}, want: "false"},
		{rule: "form.mother.hukou == form.mother.status", record: values{"form.mother.hukou": kind.Choice("here"), "form.mother.status": kind.Choice("here")}, want: "true"},
		{rule: "form.mother.hukou != form.mother.status", record: values{"form.mother.hukou": kind.Choice("here"), "form.mother.status": kind.Choice("elsewhere")}, want: "true"},
		{rule: "female(form.mother.id_no)", record: values{"form.mother.id_no": woman}, want: "true"},
		{rule: `birth_date(form.mother.id_no) == date("1988-03-15")`, record: values{"form.mother.id_no": woman}, want: "true"},
		{rule: "own.area > 90", record: values{"own.area": dec("90.01")}, want: "true"},
		{rule: "own.area == 90", record: values{"own.area": dec("90.00")}, want: "true"},
		{rule: "own.area * 2 <= own.area + own.n", record: values{"own.area": dec("2.5"), "own.n": kind.Int(3)}, want: "true"},
		{rule: "own.code == '91320000MA1MUY8R4X'", record: values{"own.code": kind.USCC("91320000MA1MUY8R4X")}, want: "true"},
		{rule: "given(own.remark, 'x') == 'x'", record: values{"own.remark": nil}, want: "true"},
		{name: "given, answered", rule: "given(own.remark, 'x') == 'y'", record: values{"own.remark": kind.Text("y")}, want: "true"},
		{name: "given, unknown", rule: "given(own.remark, 'x') == 'y'", want: "unknown: own.remark"},
		{rule: "has(form.licence.scan)", record: values{"form.licence.scan": kind.File("digest")}, want: "true"},
		{rule: "has(own.items)", record: values{"own.items": nil}, want: "false"},
		{rule: "has(results.certificate.number)", record: values{"results.certificate.number": nil}, want: "false"},
		{name: "a step has not given it yet", rule: "has(results.certificate.number)", want: "unknown: result results.certificate.number"},
		{name: "has inside a list", rule: "form.shareholders.list.all(s, has(s.share))", record: values{"form.shareholders.list": list}, want: "false"},
		{name: "cells one by one", rule: `form.shareholders.list.exists(s, s.name == "丁")`, record: values{"form.shareholders.list": list}, want: "unknown: form.shareholders.list[2].name"},
		{name: "map over what has a share", rule: "sum(form.shareholders.list.map(s, has(s.share), s.share)) == 60.5", record: values{"form.shareholders.list": list}, want: "true"},
		{name: "filter keeps every cause", rule: `size(form.shareholders.list.filter(s, s.since <= today)) == 3`, record: values{"form.shareholders.list": list},
			want: "unknown: form.shareholders.list[0].since, form.shareholders.list[1].since, form.shareholders.list[2].since"},
		{name: "exists_one keeps every cause", rule: "form.shareholders.list.exists_one(s, s.since <= today)", record: values{"form.shareholders.list": list},
			want: "unknown: form.shareholders.list[0].since, form.shareholders.list[1].since, form.shareholders.list[2].since"},
		{name: "option of a cell", rule: "form.heirs.exists(h, h.relation.child)", record: values{"form.heirs": kind.List{{"relation": kind.Choice("parent")}, {"relation": kind.Choice("child")}}}, want: "true"},
		{name: "smallest and largest", rule: "size(form.heirs) > 0 && smallest(form.heirs.map(h, h.share)) == 7 && largest(form.heirs.map(h, h.share)) == 50",
			record: values{"form.heirs": kind.List{{"share": kind.Int(50)}, {"share": kind.Int(7)}, {"share": kind.Int(9)}}}, want: "true"},
		{name: "smallest of none, guarded", rule: "size(form.heirs) > 0 && smallest(form.heirs.map(h, h.share)) == 7", record: values{"form.heirs": nil}, want: "false"},
		{name: "largest with an unknown cell", rule: "size(form.heirs) > 0 && largest(form.heirs.map(h, h.share)) == 7", record: values{"form.heirs": kind.List{{"share": kind.Int(5)}, {}}},
			want: "unknown: form.heirs[1].share"},
		{name: "earliest and latest", rule: `size(form.shareholders.list) > 0 && earliest(form.shareholders.list.map(s, s.since)) == date("2020-02-29") && latest(form.shareholders.list.map(s, s.since)) == today`,
			record: values{"form.shareholders.list": kind.List{{"since": day("2026-03-16")}, {"since": day("2020-02-29")}}}, want: "true"},
		{name: "distinct elements", rule: "size(distinct(form.heirs.map(h, h.share))) == size(form.heirs)",
			record: values{"form.heirs": kind.List{{"share": kind.Int(7)}, {"share": kind.Int(7)}}}, want: "false"},
		{name: "lists inside each other", rule: "[10, 60].exists(n, form.heirs.all(h, h.share <= n))",
			record: values{"form.heirs": kind.List{{"share": kind.Int(50)}, {"share": kind.Int(7)}}}, want: "true"},
	})
}

// `this` is the section where its path is known, else an element.
func TestThis(t *testing.T) {
	t.Parallel()
	section := scope()
	section.This, section.ThisPath = section.Form[0].Fields, "form.mother"
	element := scope()
	element.This = section.Form[9].Fields
	tests := []struct {
		name   string
		scope  forms.Scope
		rule   string
		record values
		want   string
		reads  []forms.Path
	}{
		{name: "section", scope: section, rule: "this.hukou.here && own.insured", record: values{"form.mother.hukou": kind.Choice("here"), "own.insured": yes},
			want: "true", reads: []forms.Path{"form.mother.hukou", "own.newborn.insured"}},
		{name: "section, unknown", scope: section, rule: "this.hukou.here", want: "unknown: form.mother.hukou", reads: []forms.Path{"form.mother.hukou"}},
		{name: "element", scope: element, rule: "this.adult || this.proxy != ''", record: values{"this.adult": no, "this.proxy": kind.Text("乙")},
			want: "true", reads: []forms.Path{"this.adult", "this.proxy"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := compile(t, environment(t, tt.scope), tt.rule)
			if got := outcome(r.Eval(tt.record.answers())); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if diff := cmp.Diff(tt.reads, r.Reads()); diff != "" {
				t.Errorf("reads (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	r := compile(t, environment(t, scope()),
		"form.heirs.all(h, h.agreed) && months_between(form.newborn.birth_date, today) < params.years && (has(own.remark) || place.within(region('32')))")
	want := []forms.Path{"form.heirs", "form.newborn.birth_date", "own.newborn.remark", "params.years", "place", "today"}
	if diff := cmp.Diff(want, r.Reads()); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
}

// An unknown keeps the causes that its value came with, such as those of a derived value.
func TestCausesOfDerivedValues(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	r := compile(t, env, "own.n > 1 && own.m > 1")
	got := outcome(r.Eval(derived{answers{}}))
	if want := "unknown: form.a.birth, own.m, parameter params.years"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type derived struct{ answers }

func (d derived) State(p forms.Path) forms.State {
	if p != "own.newborn.n" {
		return d.answers.State(p)
	}
	return forms.State{Causes: []forms.Cause{{Kind: forms.CauseAnswer, Path: "form.a.birth"}, {Kind: forms.CauseParameter, Path: "params.years"}}}
}

// A rule is used by many at once.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	r := compile(t, env, "form.heirs.all(h, h.agreed) && add_years(today, own.n) > today")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			record := values{"own.n": kind.Int(100000), "form.heirs": kind.List{{"agreed": yes}}}
			want := "unknown: fault eligibility[0].require"
			if i%2 == 0 {
				record["form.heirs"], want = kind.List{{}}, "unknown: form.heirs[0].agreed"
			}
			for range 50 {
				if got := outcome(r.Eval(record.answers())); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if _, found := env.Compile(diag.Inline("", "", fmt.Sprintf("own.n > %d", i), diag.Position{}), rule.Options{}); len(found) > 0 {
					t.Error(found)
				}
			}
		})
	}
	wg.Wait()
}
