package guide_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// person has an answer to everything that is asked of it, and gives them one by one.
type person struct {
	truth   forms.Record // closed: what is asked, and nothing else
	setting guide.Setting
	whole   *guide.Assessment // of the truth
}

// answer is the record after one more question. A list is answered with its number of elements; what stands in them is
// asked cell by cell.
func (p *person) answer(record forms.Record, question forms.Path) forms.Record {
	v, _ := p.truth.Get(question)
	if rows, ok := v.(kind.List); ok {
		empty := make(kind.List, len(rows))
		for i := range empty {
			empty[i] = kind.Row{}
		}
		v = empty
	}
	return record.With(question, v)
}

// form are the questions that the form shows this person, in its order, each list before its cells. It is the best that
// a form can do: one that knows before it asks what is visible and needed.
func (p *person) form() []forms.Path {
	var all []forms.Path
	for _, f := range p.whole.Fields {
		if f.Shown != rule.True || f.Field.Derived {
			continue
		}
		all = append(all, f.Path)
		for _, row := range f.Rows {
			for _, c := range row {
				if c.Shown == rule.True && !c.Field.Derived {
					all = append(all, c.Path)
				}
			}
		}
	}
	return all
}

// population makes people for bundles: their answers begin with those of one of the tests of each bundle, the first
// bundle's first, and some that decide are others that the question allows. What the form then asks more is answered by chance.
type population struct {
	matters   []*matter
	selection *catalog.Selection
	sieve     *sieve.Sieve
	rnd       *rand.Rand
}

func newPopulation(t testing.TB, seed uint64, matters ...*matter) *population {
	t.Helper()
	var bundles []*catalog.Bundle
	for _, m := range matters {
		bundles = append(bundles, m.bundle)
	}
	selection, err := catalog.Select(bundles...)
	if err != nil {
		t.Fatal(err)
	}
	return &population{matters, selection, sieve.New(bundles...), rand.New(rand.NewPCG(seed, seed))}
}

// person is the next one: without a fault in the answers, and of whom every verdict is known in the end.
func (c *population) person(t testing.TB) *person {
	t.Helper()
	for range 200 {
		if p := c.draw(); p != nil {
			return p
		}
	}
	t.Fatalf("nobody answers %s without a fault", c.matters[0].bundle.ID)
	return nil
}

func (c *population) draw() *person {
	changed := []float64{0, 0.05, 0.2, 0.5}[c.rnd.IntN(4)]
	order := c.rnd.Perm(len(c.matters))
	p := &person{}
	for i, k := range order {
		m := c.matters[k]
		test := m.tests[c.rnd.IntN(len(m.tests))]
		if i == 0 {
			p.setting = test.Setting
			p.setting.Facts, p.setting.Settled = maps.Clone(test.Setting.Facts), nil
		}
		p.truth = test.Record.Merge(p.truth)
		for _, s := range m.bundle.Sections {
			for _, fact := range m.bundle.Facts() {
				path := forms.Path("facts." + s.Alias + "." + fact.ID)
				if _, known := p.setting.Facts[path]; !known && s.About == forms.AboutPerson && fact.Kind == kind.KindBool {
					p.setting.Facts[path] = kind.Bool(false)
				}
			}
		}
		decisive := m.bundle.Influence().Decisive
		for _, question := range m.asked() {
			if all := m.choices(question); decisive.Has(m.bundle.PlaceOf(question)) && c.rnd.Float64() < changed && len(all) > 0 {
				p.truth = p.truth.With(question, all[c.rnd.IntN(len(all))])
			}
		}
	}
	p.whole = guide.Assess(c.selection, p.truth, p.setting)
	for c.fill(p) {
		p.whole = guide.Reassess(p.whole, p.truth)
	}
	closed, faults := guide.Close(p.truth, p.whole)
	if len(faults) > 0 && len(c.matters) == 1 {
		return nil
	}
	p.truth, p.whole = closed, guide.Assess(c.selection, closed, p.setting)
	for _, k := range p.whole.Cases {
		if k.Verdict == guide.Undecided {
			return nil
		}
	}
	return p
}

// fill answers what must be answered and is not; it says whether there was anything.
func (c *population) fill(p *person) bool {
	missing := false
	need := func(path forms.Path, f *forms.Field, shown, required rule.Truth) {
		if v, _ := p.truth.Get(path); v == nil && !f.Derived && shown != rule.False && required != rule.False {
			for _, m := range c.matters {
				if all := m.choices(path); len(all) > 0 {
					p.truth, missing = p.truth.With(path, all[c.rnd.IntN(len(all))]), true
					break
				}
			}
		}
	}
	for _, f := range p.whole.Fields {
		need(f.Path, f.Field, f.Shown, f.Required)
		for _, row := range f.Rows {
			for _, cell := range row {
				need(cell.Path, cell.Field, cell.Shown, cell.Required)
			}
		}
	}
	return missing
}

// every130 are the bundles of the examples with their tests. They are read once.
func every130(t testing.TB) []*matter {
	t.Helper()
	reading.Do(func() {
		c, found := catalog.Load(examples.Tree())
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		read = newMattersOf(t, "../../examples", slices.Sorted(maps.Keys(c.Bundles))...)
	})
	if len(read) < 130 {
		t.Fatalf("%d bundles could be read", len(read))
	}
	return read
}

var (
	reading sync.Once
	read    []*matter
)

// order gives the next question for what a person has answered so far; "" if there is none.
type order func(forms.Record) forms.Path

// inOrder asks questions as they stand.
func inOrder(questions []forms.Path) order {
	i := -1
	return func(forms.Record) forms.Path {
		if i++; i < len(questions) {
			return questions[i]
		}
		return ""
	}
}

// guided asks what the guide asks next.
func (c *population) guided(p *person) order {
	var a *guide.Assessment
	return func(record forms.Record) forms.Path {
		if a == nil {
			a = guide.Assess(c.selection, record, p.setting)
		} else {
			a = guide.Reassess(a, record)
		}
		if a.Next == nil {
			return ""
		}
		return a.Next.Path
	}
}

// until counts the questions that are put to a person until every verdict is known, and until the first is that somebody is eligible.
func (c *population) until(t testing.TB, p *person, next order) (all, eligible int) {
	t.Helper()
	record, row := forms.Record{}, c.sieve.Row()
	eligible = -1
	for {
		row.Load(record, &p.setting)
		open := false
		for _, j := range row.Verdicts() {
			open = open || j.Verdict == guide.Undecided
			if j.Verdict == guide.Eligible && eligible < 0 {
				eligible = all
			}
		}
		if !open {
			return all, eligible
		}
		question := next(record)
		if question == "" {
			t.Fatalf("nothing is asked, and a verdict of %s is open", c.matters[0].bundle.ID)
		}
		record, all = p.answer(record, question), all+1
	}
}
