package guide_test

import (
	"slices"
	"testing"

	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// Whoever answers what the guide asks is asked only what the form shows him and a step or a verdict needs, nothing twice,
// and until the verdict is known nothing on which it does not hang; and comes to the verdict of the whole record, over
// each of the 130 bundles.
func TestNext_LeadsToTheVerdict(t *testing.T) {
	t.Parallel()
	for i, m := range every130(t) {
		t.Run(m.bundle.ID, func(t *testing.T) {
			t.Parallel()
			c := newPopulation(t, uint64(1000+i), m)
			c.follow(t, c.person(t))
		})
	}
}

// So it is where all of them are asked about at once: nothing is asked on which no open verdict hangs.
func TestNext_LeadsToEveryVerdict(t *testing.T) {
	t.Parallel()
	c := newPopulation(t, 1000, every130(t)...)
	c.follow(t, c.person(t))
}

// follow asks the person until every verdict is known, and of one bundle until nothing more is asked.
func (c *population) follow(t *testing.T, p *person) {
	t.Helper()
	form := p.form()
	record := forms.Record{}
	a := guide.Assess(c.selection, record, p.setting)
	for n := 0; ; n++ {
		var open []*matter
		for i, k := range a.Cases {
			switch want := p.whole.Cases[i].Verdict; k.Verdict {
			case want:
			case guide.Undecided:
				open = append(open, c.matters[i])
			default:
				t.Fatalf("after %d questions %s is %s, and with all answers %s", n, k.Bundle.ID, k.Verdict, want)
			}
		}
		if a.Next == nil && len(open) > 0 {
			t.Fatalf("nothing more is asked, and %d verdicts are open, as that of %s", len(open), open[0].bundle.ID)
		}
		if a.Next == nil || len(open) == 0 && len(c.matters) > 1 {
			return
		}
		q := a.Next.Path
		of := q
		if list, _, _, ok := q.Cell(); ok {
			of = list
		}
		if !slices.Contains(form, q) || !shown(a, q) {
			t.Fatalf("%s is asked, which is not shown", q)
		}
		if len(open) > 0 && !slices.ContainsFunc(open, func(m *matter) bool { return m.reads[of] }) {
			t.Fatalf("%s is asked, and no open verdict hangs on it", q)
		}
		if _, answered := record.Get(q); answered {
			t.Fatalf("%s is asked twice", q)
		}
		record = p.answer(record, q)
		a = guide.Reassess(a, record)
	}
}

// shown reports whether a question, also one of a cell, is shown for certain.
func shown(a *guide.Assessment, p forms.Path) bool {
	for _, f := range a.Fields {
		if f.Path == p {
			return f.Shown == rule.True
		}
		for _, row := range f.Rows {
			for _, c := range row {
				if c.Path == p {
					return c.Shown == rule.True
				}
			}
		}
	}
	return false
}
