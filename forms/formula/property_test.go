package formula

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// samples are formulas of many shapes, none of which is undone by a fault of the filled record.
var samples = []struct {
	text string
	kind kind.Kind
}{
	{"own.single ? own.claim : own.n", kind.KindInt},
	{"has(own.days) ? own.days : own.m", kind.KindInt},
	{`given(own.note, given(form.mother.phone, own.word))`, kind.KindText},
	{"own.category.male ? 60 : 55", kind.KindInt},
	{"sum(map(form.company.owners, .capital)) + percent(own.income, own.rate)", kind.KindMoney},
	{"sum(map(filter(form.company.owners, has(.loan)), .loan))", kind.KindMoney},
	{"facts.mother.restricted ? params.line : share(own.income, 2, 3)", kind.KindMoney},
	{"let a = age(form.mother.born, today); max(a, own.n) * own.m", kind.KindInt},
	{"form.mother.hukou.within(place) && own.lost.card", kind.KindBool},
	{"!own.single ? add_months(form.father.born, own.n) : add_working_days(own.start, own.n)", kind.KindDate},
	{`own.single ? results.seal.number : join(map(form.heirs, .name), "、")`, kind.KindText},
	{"own.wedlock == own.other ? own.other : own.wedlock", kind.KindChoice},
}

func draw(t *rapid.T, e *Env) *Formula {
	sample := rapid.SampledFrom(samples).Draw(t, "formula")
	f, diags := e.Compile(scalar(sample.text), sample.kind, nil, nil)
	if f == nil {
		t.Fatalf("%s: %v", sample.text, diags)
	}
	return f
}

// TestEval_Properties takes answers away: the value is unknown exactly if a path that the formula reads is
// unknown, and otherwise what it was; a path that it does not read changes nothing.
func TestEval_Properties(t *testing.T) {
	t.Parallel()
	e, paths := newEnv(t, scope()), allPaths()
	rapid.Check(t, func(t *rapid.T) {
		f := draw(t, e)
		full, r := f.Eval(filled()), filled()
		if full.Status != forms.Known {
			t.Fatalf("full record: %+v", full)
		}
		var gone []forms.Path
		for _, p := range rapid.SliceOfDistinct(rapid.SampledFrom(paths), rapid.ID[forms.Path]).Draw(t, "unanswered") {
			delete(r, p)
			if slices.Contains(f.Reads(), p) {
				gone = append(gone, p)
			}
		}
		got := f.Eval(r)
		if len(gone) == 0 {
			if diff := cmp.Diff(full, got, compareStates); diff != "" {
				t.Fatalf("changed by what it does not read:\n%s", diff)
			}
			return
		}
		slices.Sort(gone)
		want := forms.State{}
		for _, p := range gone {
			want.Causes = append(want.Causes, forms.Cause{Kind: forms.CauseAnswer, Path: p})
		}
		if diff := cmp.Diff(want, got, compareStates); diff != "" {
			t.Fatal(diff)
		}
	})
}

// reading is an environment that notes what is asked of it.
type reading struct {
	record
	asked map[forms.Path]bool
}

func (r reading) State(p forms.Path) forms.State {
	r.asked[p] = true
	return r.record.State(p)
}

func TestReads_IsAllThatIsRead(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	for _, sample := range samples {
		f := compileOf(t, e, sample.text, sample.kind)
		r := reading{filled(), map[forms.Path]bool{}}
		f.Eval(r)
		reads := f.Reads()
		slices.Sort(reads)
		if diff := cmp.Diff(reads, slices.Sorted(maps.Keys(r.asked))); diff != "" {
			t.Errorf("%s: %s", sample.text, diff)
		}
	}
}

// TestEval_Arithmetic compares checked arithmetic with what fits.
func TestEval_Arithmetic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		for name, operation := range map[string]struct {
			got  func(a, b any) (any, error)
			want func(a, b kind.Money) (kind.Money, bool)
		}{
			"+": {add, kind.Money.Add}, "-": {subtract, kind.Money.Sub},
			"*": {multiply, func(a, b kind.Money) (kind.Money, bool) { return a.Mul(int64(b)) }},
		} {
			got, err := operation.got(a, b)
			want, ok := operation.want(kind.Money(a), kind.Money(b))
			if (err == nil) != ok || ok && got != int64(want) {
				t.Fatalf("%d %s %d: got %v, %v; want %d, %v", a, name, b, got, err, want, ok)
			}
		}
		if q, ok := floorDiv(a, b); ok {
			if rest := a - q*b; rest != 0 && ((rest < 0) != (b < 0) || magnitude(rest) >= magnitude(b)) {
				t.Fatalf("div(%d, %d) = %d leaves %d", a, b, q, rest)
			}
		}
	})
}

// TestEval_IsBounded evaluates nearly the most work that is accepted, on the largest lists.
func TestEval_IsBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	heirs := make(kind.List, maxElements)
	for i := range heirs {
		heirs[i] = kind.Row{"age": kind.Int(i), "name": kind.Text("丁")}
	}
	r := filled()
	r["form.heirs"] = heirs
	f := compileOf(t, e, "let a = map(form.heirs, .age + 1000); size(filter(form.heirs, .age in a || .age in a || .age in a))", kind.KindInt)
	began := time.Now()
	if diff := cmp.Diff(known(kind.Int(0)), f.Eval(r), compareStates); diff != "" {
		t.Error(diff)
	}
	if spent := time.Since(began); spent > 2*time.Second {
		t.Errorf("took %v", spent)
	}
}

// FuzzFormula compiles anything and evaluates what compiles: neither panics nor takes long, findings stand
// inside the text, and what was compiled gives a value of the wanted kind or says why not.
func FuzzFormula(f *testing.F) {
	for _, sample := range samples {
		f.Add(sample.text, byte(sample.kind))
	}
	for _, seed := range []string{
		"[1,2][0]", "a ? : b", "{", "((((", "#.x", "let a = 1; a", "1 < 2 < 3", "own.n ?: 1", "\"\\u{110000}\"", "`", "b''", "/*", "own..n",
		"map(form.heirs, {let a = .age; a})", "汉字（", "own.word.matches(\"(a*)*b\")", "-9223372036854775808", "not not in in", "$env", "\xff", "filter([1],#)", "size(map)",
	} {
		f.Add(seed, byte(kind.KindInt))
	}
	e, r := newEnv(f, scope()), filled()
	f.Fuzz(func(t *testing.T, text string, wanted byte) {
		want := kind.Kind(wanted%byte(kind.KindList)) + 1
		compiled, diags := e.Compile(scalar(text), want, nil, nil)
		if (compiled == nil) != (len(diags) > 0) {
			t.Fatalf("formula %v with findings %v", compiled != nil, diags)
		}
		if compiled != nil {
			state := compiled.Eval(r)
			switch state.Status {
			case forms.Known:
				if state.Value.Kind() != want {
					t.Fatalf("%s wanted, got %s", want, state.Value.Kind())
				}
			case forms.Unknown:
				if len(state.Causes) == 0 {
					t.Fatal("unknown without a cause")
				}
			case forms.Blank:
				t.Fatal("a formula gives no blank")
			}
		}
		if template, _ := e.CompileText(scalar(text)); template != nil {
			template.Render(r)
		}
	})
}

func BenchmarkEval(b *testing.B) {
	e, r := newEnv(b, scope()), filled()
	for _, bench := range []struct {
		name, text string
		kind       kind.Kind
	}{
		{"choice", "own.category.male ? 60 : 55", kind.KindInt},
		{"money", "share(own.income, 2, 3) + percent(own.income, 8)", kind.KindMoney},
		{"list", "sum(map(form.company.owners, .capital))", kind.KindMoney},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := compileOf(b, e, bench.text, bench.kind)
			b.ReportAllocs()
			for b.Loop() {
				f.Eval(r)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	e := newEnv(b, scope())
	for b.Loop() {
		if _, diags := e.Compile(scalar("share(own.income, 2, 3) + percent(own.income, 8)"), kind.KindMoney, nil, nil); diags != nil {
			b.Fatal(diags)
		}
	}
}
