package formula

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/lowered"
)

// whole draws a formula that gives a number, truth one that gives yes or no.
func whole(t *rapid.T, depth int) string {
	leaves := []string{"own.n", "own.m", "own.claim", "given(own.days, 3)", "0", "1", "-7", "9007199254740991", "month_of(own.start)", "year_of(today)",
		"day_of(form.mother.born)", "age(form.mother.born, today)", "months_between(own.start, own.end)", "size(own.lost)", "size(own.word)", "results.audit.grade",
		"age_late(form.mother.born, own.end)", "days_between(own.start, last_of_month(own.end))", "(own.category.male ? 60 : 55)", "size(form.heirs)",
		"years_between(birth_date(form.mother.id_no), today)", "working_days_between(own.start, own.end)"}
	if depth == 0 {
		return rapid.SampledFrom(leaves).Draw(t, "whole")
	}
	next := func() string { return whole(t, depth-1) }
	switch rapid.IntRange(0, 6).Draw(t, "form") {
	case 0:
		return "(" + next() + rapid.SampledFrom([]string{" + ", " - ", " * "}).Draw(t, "operator") + next() + ")"
	case 1:
		return "div(" + next() + ", " + next() + ")"
	case 2:
		return "max(" + next() + ", " + next() + ", 2)"
	case 3:
		return "min(" + next() + ", " + next() + ")"
	case 4:
		return "(" + truth(t, depth-1) + " ? " + next() + " : " + next() + ")"
	case 5:
		return "-(" + next() + ")"
	default:
		return next()
	}
}

func truth(t *rapid.T, depth int) string {
	leaves := []string{"own.single", "has(own.note)", "own.lost.card", "own.wedlock == own.other", "form.mother.hukou.within(place)", "own.word.contains('字')",
		"female(form.mother.id_no)", "own.income >= params.line", "own.rate * 2 > 2", "own.rate == 1.1", "facts.mother.restricted", "own.word.startsWith('a')",
		"add_days(own.start, own.m) < own.end", "own.word.matches('^字.$')", "add_working_days(own.start, 3) > own.end", "own.income + own.fee * 3 < yuan(1500)",
		"own.start == first_of_month(own.start)"}
	if depth == 0 {
		return rapid.SampledFrom(leaves).Draw(t, "truth")
	}
	next := func() string { return truth(t, depth-1) }
	switch rapid.IntRange(0, 4).Draw(t, "form") {
	case 0:
		return "(" + next() + " && " + next() + ")"
	case 1:
		return "(" + next() + " || " + next() + ")"
	case 2:
		return "!(" + next() + ")"
	case 3:
		return "(" + whole(t, depth-1) + rapid.SampledFrom([]string{" < ", " <= ", " == ", " != ", " > ", " >= "}).Draw(t, "operator") + whole(t, depth-1) + ")"
	default:
		return next()
	}
}

// A lowered formula says what expr says, over whole records and with answers missing or left blank, faults included.
func TestLower_SaysWhatExprSays(t *testing.T) {
	t.Parallel()
	e, paths := newEnv(t, scope()), allPaths()
	values := map[forms.Path][]kind.Value{
		"own.test.n": {kind.Int(0), kind.Int(7), kind.Int(1<<53 - 1)}, "own.test.m": {kind.Int(0), kind.Int(-1), kind.Int(3)},
		"own.test.start":  {kind.MustDate("2026-01-31"), kind.MustDate("9999-12-31"), kind.MustDate("2031-01-01")},
		"own.test.single": {kind.Bool(true), kind.Bool(false)}, "own.test.days": {kind.Int(2), nil}, "own.test.note": {kind.Text("a"), nil},
		"own.test.lost": {kind.Choices{}, kind.Choices{"passport", "card"}}, "own.test.income": {kind.Money(85000), kind.Money(999_999_999_999_999_99)},
		"own.test.rate": {dec("1.1"), dec("0.5")}, "form.heirs": {kind.List{}, nil},
	}
	rapid.Check(t, func(t *rapid.T) {
		var text string
		want := kind.KindInt
		if rapid.Bool().Draw(t, "number") {
			text = whole(t, rapid.IntRange(0, 4).Draw(t, "depth"))
		} else {
			text, want = truth(t, rapid.IntRange(0, 4).Draw(t, "depth")), kind.KindBool
		}
		f, diags := e.Compile(scalar(text), want, []string{"own.single", "!own.single"}, nil)
		if f == nil {
			t.Fatalf("%s: %v", text, diags)
		}
		r := filled()
		for p, all := range values {
			if i := rapid.IntRange(0, len(all)).Draw(t, string(p)); i < len(all) {
				r[p] = all[i]
			}
		}
		if rapid.Bool().Draw(t, "missing") {
			for _, p := range rapid.SliceOfDistinct(rapid.SampledFrom(paths), rapid.ID[forms.Path]).Draw(t, "unanswered") {
				if p != "today" && p != "place" {
					delete(r, p)
				}
			}
		}
		agrees(t, f, r)
	})
}

// agrees fails unless a formula and its lowered form say the same.
func agrees(t interface {
	Fatalf(string, ...any)
}, f *Formula, r record) {
	b := lowered.NewBuilder()
	fields := fieldsOf(scope())
	ref, err := f.Lower(b, func(p forms.Path) (lowered.Ref, error) {
		slot, err := b.Slot(p, fields[p])
		if err != nil {
			return 0, err
		}
		return b.Field(slot, 0, 0, false), nil
	})
	if err != nil {
		t.Fatalf("lower %s: %v", f.Text(), err)
	}
	want := f.Eval(r)
	var same lowered.Root
	switch v := want.Value.(type) {
	case kind.Int:
		equal, err := b.Compare(lowered.Equal, ref, b.Number(int64(v)))
		if err != nil {
			t.Fatalf("%v", err)
		}
		same = b.Root(equal, nil)
	case kind.Bool:
		equal, err := b.Compare(lowered.Equal, ref, b.Truth(bool(v)))
		if err != nil {
			t.Fatalf("%v", err)
		}
		same = b.Root(equal, nil)
	default:
		same = b.Root(b.Has(ref), nil)
	}
	frame := b.Build().Frame()
	frame.Begin(r)
	for p, v := range r {
		frame.Put(p, v)
	}
	frame.Settle()
	frame.Run()
	state := lowered.Unknown
	if want.Status == forms.Known {
		state = lowered.True
	}
	if got := frame.State(same); got != state || frame.Lost() {
		t.Fatalf("%s is %+v, lowered %d (lost: %t)\nover %v", f.Text(), want, got, frame.Lost(), r)
	}
}

func fieldsOf(s forms.Scope) map[forms.Path]*forms.Field {
	fields := map[forms.Path]*forms.Field{"today": {Kind: kind.KindDate}, "place": {Kind: kind.KindText}}
	add := func(prefix string, all []*forms.Field) {
		for _, f := range all {
			fields[forms.Path(prefix+"."+f.ID)] = f
		}
	}
	for _, section := range s.Form {
		if section.Repeated {
			fields[forms.Path("form."+section.Alias)] = &forms.Field{Kind: kind.KindList, Row: section.Fields}
		} else {
			add("form."+section.Alias, section.Fields)
		}
	}
	add("own."+s.Bundle, s.Own)
	add("params", s.Params)
	for alias, all := range s.Facts {
		add("facts."+alias, all)
	}
	for step, all := range s.Results {
		add("results."+step, all)
	}
	return fields
}

// What `let` names is computed even if nobody reads it, so that a fault in it is one of the whole.
func TestLower_Let(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	for i, text := range []string{"let a = own.n * 2; a + a", "let a = div(1, own.m + 3); 5", "let a = own.word; size(a) + 1", "let a = own.n; let b = a * a; max(a, b)"} {
		f := compileOf(t, e, text, kind.KindInt)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			agrees(t, f, filled())
		})
	}
}
