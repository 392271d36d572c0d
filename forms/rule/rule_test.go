package rule_test

import (
	"testing"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// values is short for a record; own paths lack their bundle.
type values map[string]kind.Value

func (v values) answers() answers {
	a := answers{"today": day("2026-03-16"), "place": kind.Text("321323")}
	for path, value := range v {
		if len(path) > 4 && path[:4] == "own." {
			path = "own.newborn." + path[4:]
		}
		a[forms.Path(path)] = value
	}
	return a
}

const yes, no = kind.Bool(true), kind.Bool(false)

type evalCase struct {
	name    string
	rule    string
	inForce []string
	record  values
	want    string
}

func runCases(t *testing.T, tests []evalCase) {
	t.Helper()
	env := environment(t, scope())
	for _, tt := range tests {
		name := tt.name
		if name == "" {
			name = tt.rule
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := outcome(compile(t, env, tt.rule, tt.inForce...).Eval(tt.record.answers()))
			if got != tt.want {
				t.Errorf("%s over %v\n got %s\nwant %s", tt.rule, tt.record, got, tt.want)
			}
		})
	}
}

// Every line of "How do I say …" that is a rule.
func TestHowDoISay(t *testing.T) {
	t.Parallel()
	machines := func(legal ...kind.Value) kind.List {
		var l kind.List
		for _, v := range legal {
			row := kind.Row{"secret": no}
			if v != nil {
				row["legal"] = v
			}
			l = append(l, row)
		}
		return l
	}
	capital := func(fen ...kind.Money) kind.List {
		var l kind.List
		for _, m := range fen {
			l = append(l, kind.Row{"name": kind.Text("甲"), "capital": m})
		}
		return l
	}
	heirs := func(agreed ...kind.Bool) kind.List {
		l := kind.List{}
		for _, v := range agreed {
			l = append(l, kind.Row{"agreed": v})
		}
		return l
	}
	runCases(t, []evalCase{
		{rule: "age(form.a.birth, today) >= 60", record: values{"form.a.birth": day("1966-03-16")}, want: "true"},
		{name: "60 tomorrow", rule: "age(form.a.birth, today) >= 60", record: values{"form.a.birth": day("1966-03-17")}, want: "false"},
		{rule: "age(form.a.birth, today) < 60", want: "unknown: form.a.birth"},
		{rule: "add_months(form.residence.since, 6) <= today", record: values{"form.residence.since": day("2025-09-16")}, want: "true"},
		{rule: "form.licence.valid_to >= form.event.end", record: values{"form.licence.valid_to": day("2026-05-01"), "form.event.end": day("2026-05-01")}, want: "true"},
		{name: "both unknown", rule: "form.licence.valid_to >= form.event.end", want: "unknown: form.event.end, form.licence.valid_to"},
		{rule: "form.event.start >= add_working_days(today, 20)", record: values{"form.event.start": day("2026-04-13")}, want: "true"},
		{name: "a day too late", rule: "form.event.start >= add_working_days(today, 20)", record: values{"form.event.start": day("2026-04-12")}, want: "false"},
		{name: "beyond the calendar", rule: "form.event.start >= add_working_days(today, 400)", record: values{"form.event.start": day("2028-04-12")}, want: "unknown: year calendar.2027"},
		{rule: "own.end <= today && days_between(own.end, today) <= 30", record: values{"own.end": day("2026-02-14")}, want: "true"},
		{rule: "today <= add_months(own.end, 2)", record: values{"own.end": day("2026-01-15")}, want: "false"},
		{rule: "own.machines.all(m, m.legal)", record: values{"own.machines": machines(yes, nil, yes)}, want: "unknown: own.machines[1].legal"},
		{name: "one false decides all", rule: "own.machines.all(m, m.legal)", record: values{"own.machines": machines(nil, no)}, want: "false"},
		{name: "all of none", rule: "own.machines.all(m, m.legal)", record: values{"own.machines": kind.List{}}, want: "true"},
		{name: "all of blank", rule: "own.machines.all(m, m.legal)", record: values{"own.machines": nil}, want: "true"},
		{name: "all of unknown", rule: "own.machines.all(m, m.legal)", want: "unknown: own.machines"},
		{rule: "own.machines.exists(m, m.secret)", record: values{"own.machines": machines(yes)}, want: "false"},
		{name: "one true decides exists", rule: "own.machines.exists(m, m.legal)", record: values{"own.machines": machines(nil, yes)}, want: "true"},
		{rule: "size(form.heirs) > 0 && form.heirs.all(h, h.agreed)", record: values{"form.heirs": heirs()}, want: "false"},
		{name: "all heirs agree", rule: "size(form.heirs) > 0 && form.heirs.all(h, h.agreed)", record: values{"form.heirs": heirs(yes, yes)}, want: "true"},
		{rule: "sum(form.shareholders.list.map(s, s.capital)) >= yuan(100000)", record: values{"form.shareholders.list": capital(6_000_000, 4_000_000)}, want: "true"},
		{name: "a fen short", rule: "sum(form.shareholders.list.map(s, s.capital)) >= yuan(100000)", record: values{"form.shareholders.list": capital(6_000_000, 3_999_999)}, want: "false"},
		{name: "sum of none", rule: "sum(form.shareholders.list.map(s, s.capital)) == yuan(0)", record: values{"form.shareholders.list": nil}, want: "true"},
		{rule: "has(form.utilities.water_no)", record: values{"form.utilities.water_no": kind.Text("8")}, want: "true"},
		{name: "blank", rule: "has(form.utilities.water_no)", record: values{"form.utilities.water_no": nil}, want: "false"},
		{name: "unanswered", rule: "has(form.utilities.water_no)", want: "unknown: form.utilities.water_no"},
		{rule: "size(own.items) >= 1", record: values{"own.items": kind.Choices{"x"}}, want: "true"},
		{name: "none chosen", rule: "size(own.items) >= 1", record: values{"own.items": nil}, want: "false"},
		{rule: "own.items.x", record: values{"own.items": kind.Choices{"y", "x"}}, want: "true"},
		{name: "not chosen", rule: "own.items.z", record: values{"own.items": kind.Choices{"y", "x"}}, want: "false"},
		{name: "a blank choice of several", rule: "own.items.z", record: values{"own.items": nil}, want: "false"},
		{rule: "own.income < params.dibao_line", record: values{"own.income": kind.Money(84_999), "params.dibao_line": kind.Money(85_000)}, want: "true"},
		{name: "the year's line is missing", rule: "own.income < params.dibao_line", record: values{"own.income": kind.Money(1)}, want: "unknown: parameter params.dibao_line"},
		{rule: `place.within(region("3213"))`, want: "true"},
		{name: "elsewhere", rule: `place.within(region("3214"))`, want: "false"},
		{rule: "results.inspect.grade.poor", record: values{"results.inspect.grade": kind.Choice("poor")}, want: "true"},
		{name: "not inspected yet", rule: "results.inspect.grade.poor", want: "unknown: result results.inspect.grade"},
		{rule: "facts.mother.credit_restricted", want: "unknown: fact facts.mother.credit_restricted"},
	})
}
