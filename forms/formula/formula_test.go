package formula

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// asked is a question that is always answered where its conditions hold; optional may be left blank.
func asked(id string, k kind.Kind, conditions ...string) *forms.Field {
	return &forms.Field{ID: id, Kind: k, Required: true, Conditions: conditions}
}

func optional(id string, k kind.Kind) *forms.Field { return &forms.Field{ID: id, Kind: k} }

func choice(id string, k kind.Kind, options ...string) *forms.Field {
	f := asked(id, k)
	for _, o := range options {
		f.Options = append(f.Options, forms.Option{ID: o, Name: forms.Text{ZH: "选项" + o}})
	}
	return f
}

func listField(id string, row ...*forms.Field) *forms.Field {
	return &forms.Field{ID: id, Kind: kind.KindList, Row: row}
}

// scope is a form with a field of every kind.
func scope() forms.Scope {
	return forms.Scope{
		Bundle: "test",
		Form: []*forms.Section{
			{Alias: "mother", Fields: []*forms.Field{
				asked("name", kind.KindText), asked("id_no", kind.KindCitizenNumber), asked("born", kind.KindDate),
				optional("phone", kind.KindPhone), asked("hukou", kind.KindAddress),
			}},
			{Alias: "father", Fields: []*forms.Field{asked("born", kind.KindDate, "!own.single")}},
			{Alias: "company", Fields: []*forms.Field{
				listField("owners", asked("name", kind.KindText), asked("capital", kind.KindMoney), asked("since", kind.KindDate),
					asked("votes", kind.KindInt), asked("part", kind.KindDecimal), optional("loan", kind.KindMoney),
					asked("bank", kind.KindText, "this.foreign"), asked("foreign", kind.KindBool),
					choice("sort", kind.KindChoice, "person", "firm"), choice("seals", kind.KindChoices, "round", "square")),
			}},
			{Alias: "heirs", Repeated: true, Fields: []*forms.Field{asked("age", kind.KindInt), asked("name", kind.KindText)}},
		},
		Own: []*forms.Field{
			asked("single", kind.KindBool), asked("n", kind.KindInt), asked("m", kind.KindInt), asked("rate", kind.KindDecimal),
			asked("income", kind.KindMoney), asked("fee", kind.KindMoney), asked("start", kind.KindDate), asked("end", kind.KindDate),
			asked("word", kind.KindText), optional("note", kind.KindText), optional("sum", kind.KindMoney),
			optional("days", kind.KindInt), asked("claim", kind.KindInt, "own.single"), optional("proof", kind.KindFile),
			choice("wedlock", kind.KindChoice, "married", "unmarried"), choice("other", kind.KindChoice, "married", "unmarried"),
			choice("category", kind.KindChoice, "male", "female"), choice("lost", kind.KindChoices, "passport", "card"),
			asked("uscc", kind.KindUSCC), asked("plate", kind.KindPlate), asked("account", kind.KindBankAccount),
		},
		Facts:        map[string][]*forms.Field{"mother": {{ID: "restricted", Kind: kind.KindBool}, {ID: "income", Kind: kind.KindMoney}}},
		Params:       []*forms.Field{{ID: "line", Kind: kind.KindMoney}},
		Results:      map[string][]*forms.Field{"audit": {optional("grade", kind.KindInt)}, "seal": {optional("number", kind.KindText)}},
		ResultGuards: map[string][]string{"seal": {"own.single"}},
	}
}

func newEnv(t testing.TB, s forms.Scope) *Env {
	t.Helper()
	e, err := NewEnv(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// record is an environment of values; a nil value is blank, an absent one unknown. Working days are all days,
// and calendars are published through 2030.
type record map[forms.Path]kind.Value

func (r record) State(p forms.Path) forms.State {
	v, ok := r[p]
	switch {
	case !ok:
		return forms.State{Causes: []forms.Cause{{Kind: forms.CauseAnswer, Path: p}}}
	case v == nil:
		return forms.State{Status: forms.Blank}
	}
	return forms.State{Status: forms.Known, Value: v}
}

func (r record) AddWorkingDays(d kind.Date, n int) (kind.Date, int, bool) {
	due, ok := d.AddDays(n)
	if !ok || due.Year > 2030 {
		return kind.Date{}, 2031, false
	}
	return due, 0, true
}

func (r record) WorkingDaysBetween(a, b kind.Date) (int, int, bool) {
	if max(a.Year, b.Year) > 2030 {
		return 0, 2031, false
	}
	return kind.DaysBetween(a, b), 0, true
}

func dec(s string) kind.Decimal { return kind.Decimal{Decimal: decimal.RequireFromString(s)} }

// filled is a record with an answer to everything but the optional fields, which are blank.
func filled() record {
	owner := func(name string, capital kind.Money, since string, votes kind.Int, part string) kind.Row {
		return kind.Row{"name": kind.Text(name), "capital": capital, "since": kind.MustDate(since), "votes": votes,
			"part": dec(part), "foreign": kind.Bool(false), "sort": kind.Choice("person"), "seals": kind.Choices{"round"}, "loan": nil, "bank": nil}
	}
	foreign := owner("丙", 30000, "2024-02-29", 2, "1.50")
	foreign["foreign"], foreign["bank"], foreign["loan"] = kind.Bool(true), kind.Text("某银行"), kind.Money(500)
	foreign["sort"] = kind.Choice("firm")
	foreign["seals"] = nil
	return record{
		"today": kind.MustDate("2026-03-16"), "place": kind.Text("321323"),
		"form.mother.name": kind.Text("张三"), "form.mother.id_no": kind.CitizenNumber("11010519491231002X"),
		"form.mother.born": kind.MustDate("2000-02-29"), "form.mother.phone": nil,
		"form.mother.hukou": kind.Address{Region: "321323001", Text: "众兴镇某路1号"}, "form.father.born": kind.MustDate("1999-05-01"),
		"form.company.owners": kind.List{owner("甲", 10000, "2020-01-01", 1, "1.5"), owner("乙", 20050, "2022-06-30", 2, "0.25"), foreign},
		"form.heirs":          kind.List{{"age": kind.Int(30), "name": kind.Text("丁")}, {"age": kind.Int(12), "name": kind.Text("戊")}},
		"own.test.single":     kind.Bool(true), "own.test.n": kind.Int(7), "own.test.m": kind.Int(-3), "own.test.rate": dec("1.10"),
		"own.test.income": kind.Money(120000), "own.test.fee": kind.Money(5), "own.test.start": kind.MustDate("2026-01-31"),
		"own.test.end": kind.MustDate("2026-02-28"), "own.test.word": kind.Text("字词"), "own.test.note": nil, "own.test.sum": nil,
		"own.test.days": nil, "own.test.claim": kind.Int(4), "own.test.proof": nil, "own.test.wedlock": kind.Choice("married"),
		"own.test.other": kind.Choice("unmarried"), "own.test.category": kind.Choice("female"), "own.test.lost": kind.Choices{"card"},
		"own.test.uscc": kind.USCC("91350100M000100Y43"), "own.test.plate": kind.Plate("苏N12345"), "own.test.account": kind.BankAccount("62220000"),
		"facts.mother.restricted": kind.Bool(false), "facts.mother.income": kind.Money(1), "params.line": kind.Money(85000),
		"results.audit.grade": kind.Int(3), "results.seal.number": kind.Text("X1"),
	}
}

func scalar(text string) diag.Scalar {
	return diag.Inline("bundle.yaml", "own[0].derive", text, diag.Position{Line: 3, Column: 11})
}

// compileOf compiles a formula that must be right.
func compileOf(t testing.TB, e *Env, text string, want kind.Kind, inForce ...string) *Formula {
	t.Helper()
	f, diags := e.Compile(scalar(text), want, inForce, nil)
	for _, d := range diags {
		t.Errorf("%s: %s[%s] %s (%s)", text, d.Severity, d.Code, d.Message, d.Hint)
	}
	if f == nil {
		t.FailNow()
	}
	return f
}

var compareStates = cmp.Options{cmp.Comparer(func(a, b kind.Value) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Equal(b)
})}

func known(v kind.Value) forms.State { return forms.State{Status: forms.Known, Value: v} }

func unknown(k forms.CauseKind, p forms.Path) forms.State {
	return forms.State{Causes: []forms.Cause{{Kind: k, Path: p}}}
}

var fault = unknown(forms.CauseFault, "")

func TestEval(t *testing.T) {
	t.Parallel()
	day := kind.MustDate
	tests := []struct {
		name, text string
		want       kind.Value
	}{
		{"int literal", "42", kind.Int(42)},
		{"negative literal", "-42", kind.Int(-42)},
		{"decimal literal is exact", "0.1", dec("0.1")},
		{"decimal literal with many digits", "0.12345678901234567890123", dec("0.12345678901234567890123")},
		{"int literal where a decimal is wanted", "2", dec("2")},
		{"text literal", `"甲"`, kind.Text("甲")},
		{"yuan", "yuan(850.5)", kind.Money(85050)},
		{"negative yuan", "yuan(-850.05)", kind.Money(-85005)},
		{"yuan that a float would miss", "yuan(90071992547409.93)", kind.Money(9007199254740993)},
		{"decimal", "decimal(-1.5)", dec("-1.5")},
		{"date", `date("2026-02-28")`, day("2026-02-28")},

		{"precedence", "1 + 2 * 3 - 4", kind.Int(3)},
		{"int arithmetic", "own.n * own.m - own.n + -own.m", kind.Int(-25)},
		{"money plus and minus", "own.income + yuan(0.05) - own.fee", kind.Money(120000)},
		{"money by int", "own.income * 3", kind.Money(360000)},
		{"int by money", "3 * own.income", kind.Money(360000)},
		{"negative money", "-own.income", kind.Money(-120000)},
		{"decimal by int", "own.rate * own.n", dec("7.7")},
		{"decimal by literal", "own.rate * 1.1 + 2", dec("3.21")},
		{"negative decimal", "-own.rate", dec("-1.1")},
		{"decimal minus", "own.rate - 0.1", dec("1")},

		{"equal ints", "own.n == 7", kind.Bool(true)},
		{"unequal", "own.n != 7", kind.Bool(false)},
		{"decimals of other scale are equal", "own.rate == 1.1", kind.Bool(true)},
		{"decimal beside int", "own.rate > own.m", kind.Bool(true)},
		{"money order", "own.income >= yuan(1200) && own.income <= yuan(1200.00)", kind.Bool(true)},
		{"date order", "own.start < own.end && own.end > own.start", kind.Bool(true)},
		{"texts", `own.word == "字词"`, kind.Bool(true)},
		{"text beside plate", `own.plate == "苏N12345"`, kind.Bool(true)},
		{"choices compared", "own.wedlock == own.other", kind.Bool(false)},
		{"bools compared", "own.single == true", kind.Bool(true)},
		{"not", "!own.single", kind.Bool(false)},
		{"or", "!own.single || own.n == 7", kind.Bool(true)},
		{"in texts", `own.word in ["x", "字词"]`, kind.Bool(true)},
		{"in numbers", "own.n in [1, 2]", kind.Bool(false)},
		{"in amounts", "own.fee in map(form.company.owners, .capital)", kind.Bool(false)},

		{"option", "own.category.male ? 60 : 55", kind.Int(55)},
		{"option of several", "own.lost.card && !own.lost.passport", kind.Bool(true)},
		{"let", "let a = own.n + 1; let b = a * a; b - a", kind.Int(56)},
		{"let of a choice", "let c = own.wedlock; c.married", kind.Bool(true)},
		{"let hides the outer", "let a = 1; (let a = 2; a) + a", kind.Int(3)},

		{"has", "has(own.note)", kind.Bool(false)},
		{"has a file", "has(own.proof)", kind.Bool(false)},
		{"given of a blank", `given(own.note, "无")`, kind.Text("无")},
		{"given of an answer", "given(own.claim, 9)", kind.Int(4)},
		{"given in given", "given(own.days, given(own.claim, 0))", kind.Int(4)},
		{"guarded by has", "has(own.sum) ? own.sum : yuan(0)", kind.Money(0)},
		{"guarded on the other side of and", "has(own.days) && own.days > 3", kind.Bool(false)},
		{"guarded on the later side of and", "own.days > 3 && has(own.days)", kind.Bool(false)},
		{"guarded three deep", "own.days > 3 && own.sum > yuan(1) && has(own.sum) && has(own.days)", kind.Bool(false)},
		{"guarded by or", "!has(own.days) || own.days > 3", kind.Bool(true)},
		{"guarded by the later side of or", "own.days > 3 || !has(own.days)", kind.Bool(true)},
		{"condition of a required field", "own.single ? own.claim : 0", kind.Int(4)},
		{"condition in parentheses", "(( own.single )) && true ? own.claim : 0", kind.Int(4)},
		{"the other branch", "own.single ? 1 : years_between(form.father.born, today)", kind.Int(1)},
		{"a failing or has both sides failing", "own.single || own.n > 9 ? 1 : years_between(form.father.born, today)", kind.Int(1)},
		{"result of a step that always applies", "results.audit.grade", kind.Int(3)},
		{"result of a step that applies", `own.single ? results.seal.number : ""`, kind.Text("X1")},
		{"facts and params need no guard", "facts.mother.restricted ? params.line : facts.mother.income", kind.Money(1)},

		{"add_days", "add_days(own.start, 28)", day("2026-02-28")},
		{"add_months clips", "add_months(own.start, 1)", day("2026-02-28")},
		{"add_months does not stretch", "add_months(own.end, 1)", day("2026-03-28")},
		{"add_months back", "add_months(own.end, -1)", day("2026-01-28")},
		{"add_years from a leap day", `add_years(form.mother.born, 1)`, day("2001-02-28")},
		{"days_between", "days_between(own.start, own.end)", kind.Int(28)},
		{"months_between", "months_between(own.start, own.end)", kind.Int(1)},
		{"months_between reversed", "months_between(own.end, own.start)", kind.Int(-1)},
		{"months_between the day before", `months_between(date("2025-03-16"), date("2026-03-15"))`, kind.Int(11)},
		{"years_between", `years_between(date("2000-02-29"), date("2026-02-28"))`, kind.Int(26)},
		{"age", `age(form.mother.born, date("2026-02-28"))`, kind.Int(26)},
		{"age_late", `age_late(form.mother.born, date("2026-02-28"))`, kind.Int(25)},
		{"age before birth", `age(date("2030-01-01"), today)`, kind.Int(0)},
		{"add_working_days", "add_working_days(today, 3)", day("2026-03-19")},
		{"working_days_between", "working_days_between(own.start, own.end)", kind.Int(28)},
		{"year_of", "year_of(today)", kind.Int(2026)},
		{"month_of", "month_of(today)", kind.Int(3)},
		{"day_of", "day_of(today)", kind.Int(16)},
		{"first_of_month", "first_of_month(today)", day("2026-03-01")},
		{"last_of_month", "last_of_month(own.end)", day("2026-02-28")},
		{"birth_date", "birth_date(form.mother.id_no)", day("1949-12-31")},
		{"female", "female(form.mother.id_no)", kind.Bool(true)},

		{"div", "div(7, 2)", kind.Int(3)},
		{"div rounds down", "div(-7, 2)", kind.Int(-4)},
		{"div of negatives", "div(-7, -2)", kind.Int(3)},
		{"div without rest", "div(-6, 2)", kind.Int(-3)},
		{"percent", "percent(yuan(0.33), 1.5)", kind.Money(0)},
		{"percent half up", "percent(yuan(1), 0.5)", kind.Money(1)},
		{"percent of an int", "percent(own.income, 8)", kind.Money(9600)},
		{"share", "share(yuan(1), 2, 3)", kind.Money(67)},
		{"round_yuan", "round_yuan(yuan(1.50))", kind.Money(200)},
		{"floor_yuan", "floor_yuan(yuan(1.99))", kind.Money(100)},
		{"min", "min(own.n, 9, own.m)", kind.Int(-3)},
		{"max of dates", "max(own.start, own.end)", day("2026-02-28")},
		{"max of amounts", "max(own.income, yuan(1))", kind.Money(120000)},

		{"sum of amounts", "sum(map(form.company.owners, .capital))", kind.Money(60050)},
		{"sum of ints", "sum(map(form.company.owners, #.votes))", kind.Int(5)},
		{"sum of decimals", "sum(map(form.company.owners, .part))", dec("3.25")},
		{"sum of nothing", "sum(map(filter(form.company.owners, .votes > 9), .capital))", kind.Money(0)},
		{"sum of what is written out", "sum([own.n, own.m, 1])", kind.Int(5)},
		{"map with given", "sum(map(form.company.owners, given(.loan, yuan(0))))", kind.Money(500)},
		{"map with a guard", "sum(map(form.company.owners, has(.loan) ? .loan : yuan(1)))", kind.Money(700)},
		{"filter guards what follows", "sum(map(filter(form.company.owners, has(.loan)), .loan))", kind.Money(500)},
		{"filter with the condition of a cell", `join(map(filter(form.company.owners, .foreign), .bank), "、")`, kind.Text("某银行")},
		{"element of a list of values", "sum(filter(map(form.company.owners, .votes), # > 1))", kind.Int(4)},
		{"option of an element", "size(filter(form.company.owners, .sort.firm))", kind.Int(1)},
		{"blank choices of an element are empty", "size(filter(form.company.owners, .seals.round))", kind.Int(2)},
		{"repeated section", "size(filter(form.heirs, .age >= 18))", kind.Int(1)},
		{"size of a list", "size(form.heirs)", kind.Int(2)},
		{"len", "len(form.heirs)", kind.Int(2)},
		{"size of choices", "size(own.lost)", kind.Int(1)},
		{"size of a text in characters", "size(own.word)", kind.Int(2)},
		{"smallest", "size(form.heirs) > 0 ? smallest(map(form.heirs, .age)) : 0", kind.Int(12)},
		{"largest", "largest([own.n, 9])", kind.Int(9)},
		{"earliest", `len(form.company.owners) >= 1 ? earliest(map(form.company.owners, .since)) : today`, day("2020-01-01")},
		{"latest", `size(form.company.owners) != 0 ? latest(map(form.company.owners, .since)) : today`, day("2024-02-29")},
		{"smallest under and", "size(form.heirs) > 0 && smallest(map(form.heirs, .age)) > 11", kind.Bool(true)},
		{"distinct", "size(distinct(map(form.company.owners, .votes)))", kind.Int(2)},
		{"distinct decimals by value", "size(distinct(map(form.company.owners, .part)))", kind.Int(2)},
		{"join", `join(map(form.heirs, .name), "、")`, kind.Text("丁、戊")},
		{"join of nothing", `join(map(filter(form.heirs, .age > 99), .name), "、")`, kind.Text("")},

		{"within place", "form.mother.hukou.within(place)", kind.Bool(true)},
		{"within region", `form.mother.hukou.within(region("3213"))`, kind.Bool(true)},
		{"place within", `place.within(region("3211"))`, kind.Bool(false)},
		{"place is a region", `place == region("321323")`, kind.Bool(true)},
		{"startsWith", `own.word.startsWith("字")`, kind.Bool(true)},
		{"endsWith", `own.word.endsWith("字")`, kind.Bool(false)},
		{"contains", `own.word.contains("词")`, kind.Bool(true)},
		{"matches searches", `own.plate.matches("^苏[A-Z]\\d+$")`, kind.Bool(true)},

		{"plate", "own.plate", kind.Plate("苏N12345")},
		{"account", "own.account", kind.BankAccount("62220000")},
		{"code", "own.uscc", kind.USCC("91350100M000100Y43")},
		{"address", "form.mother.hukou", kind.Address{Region: "321323001", Text: "众兴镇某路1号"}},
		{"citizen number", "form.mother.id_no", kind.CitizenNumber("11010519491231002X")},
		{"choice", "own.single ? own.other : own.wedlock", kind.Choice("unmarried")},
		{"comment and line breaks", "own.n /* 件 */ +\n  1 // 另加一件", kind.Int(8)},
	}
	e := newEnv(t, scope())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := compileOf(t, e, test.text, test.want.Kind())
			if diff := cmp.Diff(known(test.want), f.Eval(filled()), compareStates); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestEval_Faults(t *testing.T) {
	t.Parallel()
	const most, least = "9223372036854775807", "(-9223372036854775807 - 1)"
	tests := []struct {
		name, text string
		kind       kind.Kind
		want       forms.State
	}{
		{"int plus", most + " + own.n > 0", kind.KindBool, fault},
		{"int plus below", least + " + own.m < 0", kind.KindBool, fault},
		{"int minus", least + " - own.n > 0", kind.KindBool, fault},
		{"int times", most + " * own.n > 0", kind.KindBool, fault},
		{"int times that wraps to positive", "4294967296 * 4294967296 > 0", kind.KindBool, fault},
		{"int times minus one", least + " * -1 > 0", kind.KindBool, fault},
		{"least int is reached", "(-4611686018427387904) * 2 < 0", kind.KindBool, known(kind.Bool(true))},
		{"int negated", "-" + least + " > 0", kind.KindBool, fault},
		{"int beyond what JSON keeps", "9007199254740991 + 1", kind.KindInt, fault},
		{"int that JSON keeps", "9007199254740990 + 1", kind.KindInt, known(kind.Int(9007199254740991))},
		{"int sum", "sum([" + most + ", own.n]) > 0", kind.KindBool, fault},
		{"money times", "yuan(900000000000000) * 1000", kind.KindMoney, fault},
		{"money plus many", "let a = yuan(900000000000000) * 100; a + a", kind.KindMoney, fault},
		{"money minus", "let a = yuan(-900000000000000) * 100; a + a - yuan(1)", kind.KindMoney, fault},
		{"money sum", "let a = yuan(900000000000000) * 100; sum([a, a])", kind.KindMoney, fault},
		{"percent", "percent(yuan(900000000000000), 100000)", kind.KindMoney, fault},
		{"share", "share(yuan(900000000000000), 1000, 1)", kind.KindMoney, fault},
		{"share of nothing", "share(yuan(1), 1, own.n - 7)", kind.KindMoney, fault},
		{"div by zero", "div(1, own.n - 7)", kind.KindInt, fault},
		{"div that does not fit", "div(" + least + ", -1) > 0", kind.KindBool, fault},
		{"decimal with too many digits", "let a = decimal(123456789.123456789); let b = a * a; b * b", kind.KindDecimal, fault},
		{"date too late", "add_years(today, 9999)", kind.KindDate, fault},
		{"date too early", "add_days(today, -9223372036854775807)", kind.KindDate, fault},
		{"date far months", "add_months(today, 9223372036854775807)", kind.KindDate, fault},
		{"text too long", `let a = join([own.word, own.word, own.word, own.word, own.word, own.word, own.word, own.word], "，，，，，，，，，，"); let b = join([a, a, a, a, a, a, a, a], a); let c = join([b, b, b, b, b, b], b); c`, kind.KindText, fault},
		{"untaken branch is not computed", "own.n == 7 ? 1 : div(1, 0)", kind.KindInt, known(kind.Int(1))},
		{"calendar not published", "add_working_days(today, 4000)", kind.KindDate, unknown(forms.CauseCalendar, "calendar.2031")},
		{"calendar of another year", `working_days_between(today, date("2031-01-01"))`, kind.KindInt, unknown(forms.CauseCalendar, "calendar.2031")},
	}
	e := newEnv(t, scope())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := compileOf(t, e, test.text, test.kind)
			if diff := cmp.Diff(test.want, f.Eval(filled()), compareStates); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestEval_Unknown(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	f := compileOf(t, e, "own.single ? own.n : own.m + own.n", kind.KindInt)
	t.Run("a path of a branch that is not taken is unknown", func(t *testing.T) {
		t.Parallel()
		r := filled()
		delete(r, "own.test.m")
		if diff := cmp.Diff(unknown(forms.CauseAnswer, "own.test.m"), f.Eval(r), compareStates); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("causes are merged, sorted, each once", func(t *testing.T) {
		t.Parallel()
		want := forms.State{Causes: []forms.Cause{
			{Kind: forms.CauseAnswer, Path: "own.test.m"}, {Kind: forms.CauseAnswer, Path: "own.test.n"},
			{Kind: forms.CauseAnswer, Path: "own.test.single"},
		}}
		if diff := cmp.Diff(want, f.Eval(record{}), compareStates); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a required answer that is blank is asked for", func(t *testing.T) {
		t.Parallel()
		r := filled()
		r["own.test.n"] = nil
		if diff := cmp.Diff(unknown(forms.CauseAnswer, "own.test.n"), f.Eval(r), compareStates); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a cell that is missing is asked for by its row", func(t *testing.T) {
		t.Parallel()
		r := filled()
		r["form.heirs"] = kind.List{{"name": kind.Text("丁")}}
		sum := compileOf(t, e, "sum(map(form.heirs, .age))", kind.KindInt)
		if diff := cmp.Diff(unknown(forms.CauseAnswer, "form.heirs[0].age"), sum.Eval(r), compareStates); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a blank list is empty", func(t *testing.T) {
		t.Parallel()
		r := filled()
		r["form.heirs"], r["own.test.lost"] = nil, nil
		count := compileOf(t, e, "size(form.heirs) + size(own.lost)", kind.KindInt)
		if diff := cmp.Diff(known(kind.Int(0)), count.Eval(r), compareStates); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an empty list where the guard is the form's is a fault, not a panic", func(t *testing.T) {
		t.Parallel()
		low := compileOf(t, e, "smallest(map(form.heirs, .age))", kind.KindInt, "size(map(form.heirs,#.age))>0")
		r := filled()
		r["form.heirs"] = kind.List{}
		if diff := cmp.Diff(fault, low.Eval(r), compareStates); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a value of another kind is a fault, not a panic", func(t *testing.T) {
		t.Parallel()
		r := filled()
		r["own.test.n"] = kind.Text("七")
		plus := compileOf(t, e, "own.n + 1", kind.KindInt)
		if diff := cmp.Diff(fault, plus.Eval(r), compareStates); diff != "" {
			t.Error(diff)
		}
	})
}

func TestReads(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []forms.Path
	}{
		{"none", "1 + 1", []forms.Path{}},
		{"own carries its bundle", "own.n + own.m + own.n", []forms.Path{"own.test.n", "own.test.m"}},
		{"has reads", "has(own.days) ? 1 : 2", []forms.Path{"own.test.days"}},
		{"an option reads its question", "own.category.male ? 1 : 2", []forms.Path{"own.test.category"}},
		{"list, today, place", `size(filter(form.heirs, .age > 1)) + year_of(today) + (place == region("32") ? 1 : 0)`,
			[]forms.Path{"form.heirs", "today", "place"}},
	}
	e := newEnv(t, scope())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, compileOf(t, e, test.text, kind.KindInt).Reads()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompile_InForce(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	for _, test := range []struct {
		name, text string
		inForce    []string
		fails      bool
	}{
		{"nothing in force", "own.claim + 1", nil, true},
		{"condition in force", "own.claim + 1", forms.Conjuncts("(own.single) && own.n > 3", ""), false},
		{"has in force", "own.days", forms.Conjuncts("has( own.days )", ""), false},
		{"another has in force", "own.days", forms.Conjuncts("has(own.sum)", ""), true},
		{"an or is not in force", "own.claim", forms.Conjuncts("own.single || own.n > 3", ""), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, diags := e.Compile(scalar(test.text), kind.KindInt, test.inForce, nil)
			if got := diags.Err() != nil; got != test.fails {
				t.Errorf("fails %v, want %v: %v", got, test.fails, diags)
			}
		})
	}
}

func TestCompile_This(t *testing.T) {
	t.Parallel()
	born := asked("born", kind.KindDate)
	phone := optional("phone", kind.KindPhone)
	t.Run("of a section", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t, forms.Scope{This: []*forms.Field{born, phone, asked("days", kind.KindInt, "has(form.mother.phone)")}, ThisPath: "form.mother"})
		f := compileOf(t, e, "has(this.phone) ? this.days : age(this.born, today)", kind.KindInt)
		if diff := cmp.Diff([]forms.Path{"form.mother.phone", "form.mother.days", "form.mother.born", "today"}, f.Reads()); diff != "" {
			t.Error(diff)
		}
		got := f.Eval(record{"form.mother.phone": nil, "form.mother.days": nil, "form.mother.born": kind.MustDate("2000-01-01"), "today": kind.MustDate("2026-01-01")})
		if diff := cmp.Diff(known(kind.Int(26)), got, compareStates); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("of an element", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t, forms.Scope{This: []*forms.Field{born, phone}})
		f := compileOf(t, e, "given(this.phone, this.phone) == \"1\" ? 0 : age(this.born, today)", kind.KindInt, "has(this.phone)")
		if diff := cmp.Diff([]forms.Path{"this.phone", "this.born", "today"}, f.Reads()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCompile_Choice(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	wedlock, lost := choice("x", kind.KindChoice, "married", "unmarried"), choice("y", kind.KindChoices, "passport", "card")
	for _, test := range []struct {
		name, text string
		field      *forms.Field
		want       kind.Value // nil: an error
	}{
		{"an option", `"married"`, wedlock, kind.Choice("married")},
		{"options in branches", `own.n > 9 ? "married" : "unmarried"`, wedlock, kind.Choice("unmarried")},
		{"the same question", "own.wedlock", wedlock, kind.Choice("married")},
		{"no such option", `"maried"`, wedlock, nil},
		{"other options", "own.category", wedlock, nil},
		{"a text", "own.word", wedlock, nil},
		{"several, in the order of the options", `["card", "passport", "card"]`, lost, kind.Choices{"passport", "card"}},
		{"none of several", "[]", lost, kind.Choices{}},
		{"no such option of several", `["card", "book"]`, lost, nil},
		{"not written out", "[own.word]", lost, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, diags := e.Compile(scalar(test.text), test.field.Kind, nil, test.field)
			if test.want == nil {
				if diags.Err() == nil {
					t.Error("compiled")
				}
				return
			}
			if f == nil {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(known(test.want), f.Eval(filled()), compareStates); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNewEnv_Duplicates(t *testing.T) {
	t.Parallel()
	twice := []*forms.Field{asked("a", kind.KindInt), asked("a", kind.KindInt)}
	for name, s := range map[string]forms.Scope{
		"sections": {Form: []*forms.Section{{Alias: "a"}, {Alias: "a"}}},
		"section":  {Form: []*forms.Section{{Alias: "a", Fields: twice}}},
		"own":      {Own: twice}, "params": {Params: twice}, "this": {This: twice},
		"facts": {Facts: map[string][]*forms.Field{"a": twice}}, "results": {Results: map[string][]*forms.Field{"a": twice}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewEnv(s); err == nil || !strings.Contains(err.Error(), "two") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// allPaths are the paths of a filled record, in order.
func allPaths() []forms.Path {
	paths := make([]forms.Path, 0, len(filled()))
	for p := range filled() {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}
