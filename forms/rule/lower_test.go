package rule_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/lowered"
	"github.com/siyiban/onething/forms/rule"
)

// reader gives the values of a scope to a lowered rule, as [answers] gives them to one that cel-go evaluates.
type reader struct {
	builder *lowered.Builder
	fields  map[forms.Path]*forms.Field
}

func newReader(b *lowered.Builder, s forms.Scope) reader {
	fields := map[forms.Path]*forms.Field{
		"today": {ID: "today", Kind: kind.KindDate}, "place": {ID: "place", Kind: kind.KindText},
	}
	add := func(prefix string, all []*forms.Field) {
		for _, f := range all {
			fields[forms.Path(prefix+"."+f.ID)] = f
		}
	}
	for _, section := range s.Form {
		if section.Repeated {
			fields[forms.Path("form."+section.Alias)] = &forms.Field{Kind: kind.KindList, Row: section.Fields}
			continue
		}
		add("form."+section.Alias, section.Fields)
	}
	add("own."+s.Bundle, s.Own)
	add("params", s.Params)
	for alias, all := range s.Facts {
		add("facts."+alias, all)
	}
	for step, all := range s.Results {
		add("results."+step, all)
	}
	return reader{b, fields}
}

// newReaderOf gives the values of paths whose fields are known.
func newReaderOf(fields map[forms.Path]*forms.Field) reader {
	return reader{lowered.NewBuilder(), fields}
}

func (r reader) Read(p forms.Path) (lowered.Ref, error) {
	f := r.fields[p]
	if f == nil {
		return 0, fmt.Errorf("no field %s", p)
	}
	slot, err := r.builder.Slot(p, f)
	if err != nil {
		return 0, err
	}
	if causeOf(p) != forms.CauseAnswer {
		return r.builder.Given(slot, 0), nil
	}
	return r.builder.Field(slot, 0, 0, triable(f)), nil
}

func (r reader) Cell(list forms.Path, loop int32, column string) (lowered.Ref, error) {
	for _, cell := range r.fields[list].Row {
		if cell.ID == column {
			return r.builder.Cell(loop, column, 0, 0, triable(cell))
		}
	}
	return 0, fmt.Errorf("no column %s", column)
}

func triable(f *forms.Field) bool { return f.Kind == kind.KindBool || f.Kind == kind.KindChoice }

// first is the question that would be tried first for an outcome.
func (r reader) first(o rule.Outcome) forms.Path {
	for _, c := range o.Causes {
		if c.Kind != forms.CauseAnswer {
			continue
		}
		f := r.fields[c.Path]
		if list, _, column, ok := c.Path.Cell(); ok {
			for _, cell := range r.fields[list].Row {
				if cell.ID == column {
					f = cell
				}
			}
		}
		if triable(f) {
			return c.Path
		}
	}
	return ""
}

// same fails unless a rule and its lowered form say the same over the answers.
func (r reader) same(t interface{ Errorf(string, ...any) }, text string, reference *rule.Rule, p *lowered.Program, root lowered.Root, a answers) {
	f := p.Frame()
	for path, v := range a {
		if causeOf(path) != forms.CauseAnswer {
			f.Put(path, v)
		}
	}
	f.Begin(a)
	want := reference.Eval(a)
	for range 2 { // the second time, the frame keeps nothing of the first
		f.Clear()
		for path, v := range a {
			if causeOf(path) == forms.CauseAnswer {
				f.Put(path, v)
			}
		}
		f.Settle()
		f.Run()
		got := map[lowered.State]rule.Truth{lowered.Unknown: rule.Unknown, lowered.False: rule.False, lowered.True: rule.True}[f.State(root)]
		if f.Lost() {
			t.Errorf("%s: lost over %v", text, a)
		}
		if got != want.Truth || f.Asked(root) != r.first(want) {
			t.Errorf("%s\nis %s (first %q), lowered %s (first %q)\nover %v", text, outcome(want), r.first(want), got, f.Asked(root), a)
		}
		for path := range r.fields { // fill it with something else
			f.Put(path, nil)
		}
		f.Settle()
		f.Run()
	}
}

// lower lowers a rule alone.
func lower(t interface{ Fatalf(string, ...any) }, s forms.Scope, r *rule.Rule) (reader, *lowered.Program, lowered.Root) {
	b := lowered.NewBuilder()
	read := newReader(b, s)
	ref, err := r.Lower(b, read)
	if err != nil {
		t.Fatalf("lower %s: %v", r.Text(), err)
	}
	root := b.Root(ref, nil)
	return read, b.Build(), root
}

// Of a map with a condition the first element decides that is open, by its condition or by its value.
func TestLower_MapWithACondition(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	text := "sum(form.heirs.map(h, h.agreed, h.adult ? h.share : 1)) > 2"
	r, found := env.Compile(diag.Inline("b.yaml", "require", text, diag.Position{Line: 1, Column: 1}), rule.Options{})
	if len(found) > 0 {
		t.Fatal(explain(found))
	}
	read, program, root := lower(t, scope(), r)
	yes, large := kind.Bool(true), kind.Int(1<<62)
	for _, heirs := range []kind.List{
		{{"agreed": yes}, {}},
		{{}, {"agreed": yes}},
		{{"agreed": yes, "adult": yes, "share": large}, {"agreed": yes, "adult": yes, "share": large}, {}},
	} {
		read.same(t, text, r, program, root, answers{"form.heirs": heirs})
	}
}

// A lowered rule says what cel-go says, over whole records and with answers missing, and is open for the same reason.
func TestLower_SaysWhatCELSays(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	rapid.Check(t, func(t *rapid.T) {
		text := condition(t, rapid.IntRange(0, 5).Draw(t, "depth"), "")
		r, found := env.Compile(diag.Inline("b.yaml", "require", text, diag.Position{Line: 1, Column: 1}), rule.Options{})
		if len(found) > 0 {
			t.Fatalf("%s: %s", text, explain(found))
		}
		read, program, root := lower(t, scope(), r)
		record := complete(t)
		if rapid.Bool().Draw(t, "huge") { // numbers out of range are faults, that something beside them may absorb
			record["own.newborn.n"], record["own.newborn.m"] = kind.Int(1<<53-1), kind.Int(1<<53-1)
			record["own.newborn.income"] = kind.Money(1 << 62)
		}
		rest, _ := without(t, record)
		for _, a := range []answers{record, rest, {}} {
			read.same(t, text, r, program, root, a)
		}
	})
}
