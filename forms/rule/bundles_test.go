package rule_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/lowered"
	"github.com/siyiban/onething/forms/rule"
)

// Every rule of every bundle of the examples, wherever it stands, says lowered what it says to cel-go, over the records
// of the bundle's tests, with every third answer missing and with none. Those over the elements of a list are asked of
// the list.
func TestLower_EveryRuleOfTheExamples(t *testing.T) {
	t.Parallel()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	c, found := catalog.Load(os.DirFS("../../examples"))
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	for id, b := range c.Bundles {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../../examples/" + bundletest.File(id))
			if err != nil {
				t.Fatal(err)
			}
			tests, found := bundletest.Read(b, bundletest.File(id), text, days)
			if err := found.Err(); err != nil {
				t.Fatal(err)
			}
			everyRule(t, b, tests)
		})
	}
}

func everyRule(t *testing.T, b *catalog.Bundle, tests []bundletest.Test) {
	t.Helper()
	type lower struct {
		rule    *rule.Rule
		read    reader
		program *lowered.Program
		root    lowered.Root
	}
	var all []lower
	fields := fieldsOf(b)
	for _, d := range b.Decisions() {
		if slices.ContainsFunc(d.Rule.Reads(), func(p forms.Path) bool { return p.Root() == "this" }) {
			continue // of an element: engine/sieve compares those with the lists in which they stand
		}
		read := newReaderOf(fields)
		ref, err := d.Rule.Lower(read.builder, read)
		if err != nil {
			if !errors.Is(err, lowered.ErrNotLowered) || !strings.Contains(d.Rule.Text(), "distinct") {
				t.Errorf("%s: %s: %v", d.What, d.Rule.Text(), err)
			}
			continue
		}
		root := read.builder.Root(ref, nil)
		all = append(all, lower{d.Rule, read, read.builder.Build(), root})
	}
	for i, test := range tests {
		if i > 3 && i%4 != 1 { // the others differ little
			continue
		}
		record := test.Record
		n := 0
		for p := range test.Record.All() {
			if n++; i%8 < 4 && i > 0 && n%3 == 0 {
				record = record.Without(p)
			}
		}
		if i == 2 {
			record = forms.Record{}
		}
		env := guide.NewTrace(b, record, test.Setting)
		known := answers{}
		for p := range fields {
			switch s := env.State(p); s.Status {
			case forms.Known:
				known[p] = s.Value
			case forms.Blank:
				known[p] = nil
			case forms.Unknown:
			}
		}
		for _, l := range all {
			l.read.same(t, l.rule.Text(), l.rule, l.program, l.root, known)
		}
	}
}

// fieldsOf are the fields of everything that the rules of a bundle can read.
func fieldsOf(b *catalog.Bundle) map[forms.Path]*forms.Field {
	fields := map[forms.Path]*forms.Field{"today": {Kind: kind.KindDate}, "place": {Kind: kind.KindText}}
	for _, p := range b.Paths() {
		fields[p] = b.Field(p).Field
	}
	for id, values := range b.Parameters() {
		f := &forms.Field{Kind: values[0].Value.Kind()}
		for _, v := range values {
			if d, ok := v.Value.(kind.Decimal); ok {
				f.Scale = max(f.Scale, int(-d.Exponent()))
			}
		}
		fields[forms.Path("params."+id)] = f
	}
	for id, f := range b.Facts() {
		for _, s := range b.Sections {
			fields[forms.Path("facts."+s.Alias+"."+id)] = f.Field
		}
	}
	for _, s := range b.Steps {
		for _, f := range s.Result {
			fields[forms.Path("results."+s.ID+"."+f.ID)] = f.Field
		}
	}
	return fields
}
