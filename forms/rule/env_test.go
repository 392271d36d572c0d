package rule_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// question makes a field. In spec, the kind is followed by options of a choice; a leading * makes it required.
func question(id, spec string, conditions ...string) *forms.Field {
	spec, required := strings.CutPrefix(spec, "*")
	words := strings.Fields(spec)
	k, ok := kind.Parse(words[0])
	if !ok {
		panic("no such kind: " + words[0])
	}
	f := &forms.Field{ID: id, Kind: k, Required: required, Conditions: conditions}
	for _, option := range words[1:] {
		f.Options = append(f.Options, forms.Option{ID: option, Name: forms.Text{ZH: option}})
	}
	return f
}

// named gives a field the label that is shown.
func named(label string, f *forms.Field) *forms.Field {
	f.Name.ZH = label
	return f
}

func list(id string, row ...*forms.Field) *forms.Field {
	return &forms.Field{ID: id, Kind: kind.KindList, Row: row}
}

// scope holds a field of every kind, and what the examples of the language read.
func scope() forms.Scope {
	return forms.Scope{
		Bundle: "newborn",
		Form: []*forms.Section{
			{Alias: "mother", Fields: []*forms.Field{
				question("id_no", "*CITIZEN_NUMBER"), question("hukou", "*CHOICE here elsewhere"),
				question("status", "*CHOICE here elsewhere"), question("phone", "PHONE"),
			}},
			{Alias: "newborn", Fields: []*forms.Field{
				question("birth_date", "*DATE"), question("birth_place", "*CHOICE in_county elsewhere"),
				question("cert_no", "TEXT"), question("weight", "DECIMAL"),
			}},
			{Alias: "household_register", Fields: []*forms.Field{question("addr", "*ADDRESS")}},
			{Alias: "a", Fields: []*forms.Field{question("birth", "*DATE")}},
			{Alias: "residence", Fields: []*forms.Field{question("since", "*DATE")}},
			{Alias: "licence", Fields: []*forms.Field{question("valid_to", "*DATE"), question("scan", "FILE")}},
			{Alias: "event", Fields: []*forms.Field{question("start", "*DATE"), question("end", "*DATE")}},
			{Alias: "utilities", Fields: []*forms.Field{question("water_no", "TEXT")}},
			{Alias: "shareholders", Fields: []*forms.Field{
				list("list", question("name", "*TEXT"), question("capital", "*MONEY"), question("share", "DECIMAL"), question("since", "*DATE")),
			}},
			{Alias: "heirs", Repeated: true, Fields: []*forms.Field{
				question("agreed", "*BOOL"), question("adult", "*BOOL"), question("proxy", "*TEXT", "!this.adult"),
				question("relation", "*CHOICE child parent"), question("share", "*INT"),
			}},
		},
		Own: []*forms.Field{
			question("single_parent", "*BOOL"), question("wedlock", "*CHOICE married unmarried"),
			question("agreed", "*BOOL", "!own.single_parent"), question("insured", "*BOOL"),
			question("claim", "*BOOL", "own.insured"), question("ready", "*BOOL", "own.insured", "own.n>=2"),
			question("income", "*MONEY"), question("area", "*DECIMAL"), question("n", "*INT"), question("m", "*INT"),
			question("end", "*DATE"), question("name", "*TEXT"), question("code", "*USCC"), question("remark", "TEXT"),
			question("items", "CHOICES x y z"), question("kind", "*CHOICE a b"), question("plate", "PLATE"),
			named("餐位数", question("seats", "*INT")), {ID: "hall", Kind: kind.KindChoice, Required: true, Options: []forms.Option{{ID: "big", Name: forms.Text{ZH: "大厅"}}}},
			list("machines", question("legal", "*BOOL"), question("secret", "*BOOL")),
			list("machine_names", question("name", "*TEXT")),
		},
		Facts:  map[string][]*forms.Field{"mother": {question("credit_restricted", "*BOOL")}},
		Params: []*forms.Field{question("dibao_line", "*MONEY"), question("years", "*INT")},
		Results: map[string][]*forms.Field{
			"certificate": {question("number", "*TEXT")},
			"inspect":     {question("grade", "*CHOICE good poor")},
		},
		ResultGuards: map[string][]string{"certificate": {"form.newborn.birth_place.in_county"}},
	}
}

// answers is a record with everything else that rules read; what it does not hold is unknown, nil is blank.
type answers map[forms.Path]kind.Value

func (a answers) State(p forms.Path) forms.State {
	v, ok := a[p]
	switch {
	case !ok:
		return forms.State{Causes: []forms.Cause{{Kind: causeOf(p), Path: p}}}
	case v == nil:
		return forms.State{Status: forms.Blank}
	}
	return forms.State{Status: forms.Known, Value: v}
}

func causeOf(p forms.Path) forms.CauseKind {
	switch p.Root() {
	case "facts":
		return forms.CauseFact
	case "params":
		return forms.CauseParameter
	case "results":
		return forms.CauseResult
	case "today", "place":
		return forms.CauseFault
	}
	return forms.CauseAnswer
}

// The calendar of the tests: no holidays, weekends free, 2026 alone published.

func (a answers) AddWorkingDays(d kind.Date, n int) (kind.Date, int, bool) {
	step := 1
	if n < 0 {
		n, step = -n, -1
	}
	for n > 0 {
		d, _ = d.AddDays(step)
		if d.Year != 2026 {
			return kind.Date{}, d.Year, false
		}
		if w := d.Weekday(); w != 0 && w != 6 {
			n--
		}
	}
	return d, 0, true
}

func (a answers) WorkingDaysBetween(from, to kind.Date) (int, int, bool) {
	n := 0
	for d := from; d.Before(to); {
		d, _ = d.AddDays(1)
		if d.Year != 2026 {
			return 0, d.Year, false
		}
		if w := d.Weekday(); w != 0 && w != 6 {
			n++
		}
	}
	return n, 0, true
}

func day(s string) kind.Date { return kind.MustDate(s) }

func dec(s string) kind.Decimal { return kind.Decimal{Decimal: decimal.RequireFromString(s)} }

func environment(t testing.TB, s forms.Scope) *rule.Env {
	t.Helper()
	env, err := rule.NewEnv(s)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func compile(t testing.TB, env *rule.Env, text string, inForce ...string) *rule.Rule {
	t.Helper()
	r, found := env.Compile(diag.Inline("bundle.yaml", "eligibility[0].require", text, diag.Position{Line: 1, Column: 1}),
		rule.Options{InForce: inForce})
	if len(found) > 0 {
		t.Fatalf("compile %q: %s", text, explain(found))
	}
	return r
}

func explain(found diag.List) string {
	var b strings.Builder
	for _, d := range found {
		b.WriteString("\n" + d.Code + ": " + d.Message + "; " + d.Hint)
	}
	return b.String()
}

// outcome writes an outcome down: "true", "unknown: own.a, own.b".
func outcome(o rule.Outcome) string {
	text := o.Truth.String()
	for i, cause := range o.Causes {
		text += map[bool]string{true: ": ", false: ", "}[i == 0]
		if name := map[forms.CauseKind]string{
			forms.CauseFact: "fact", forms.CauseParameter: "parameter", forms.CauseCalendar: "year",
			forms.CauseResult: "result", forms.CauseFault: "fault",
		}[cause.Kind]; name != "" {
			text += name + " "
		}
		text += strings.Replace(string(cause.Path), "own.newborn.", "own.", 1)
	}
	return text
}
