package witness_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// loaded are the bundles of the examples.
var loaded = sync.OnceValues(func() (*catalog.Catalog, diag.List) { return catalog.Load(os.DirFS("../../examples")) })

func newBundles(t testing.TB) []*catalog.Bundle {
	t.Helper()
	c, found := loaded()
	if len(found) > 0 {
		t.Fatal(found)
	}
	var all []*catalog.Bundle
	for _, id := range slices.Sorted(maps.Keys(c.Bundles)) {
		all = append(all, c.Bundles[id])
	}
	return all
}

// asked is the first of the paths that a record does not answer, and the cell of a row.
func asked(b *catalog.Bundle, record forms.Record, paths []forms.Path) (forms.Path, bool) {
	for _, p := range paths {
		v, answered := record.Get(p)
		if !answered {
			return p, true
		}
		rows, _ := v.(kind.List)
		for i := range rows {
			for _, cell := range b.Field(p).Row {
				if at := p.CellOf(i, cell.ID); !cell.Field.Derived {
					if _, answered := record.Get(at); !answered {
						return at, true
					}
				}
			}
		}
	}
	return "", false
}

// Whatever is asked, each answer that is tried is one of its field, written as a file would write it, and within its
// bounds as far as these were known when it was tried.
func TestSearch_Values(t *testing.T) {
	t.Parallel()
	bundles, setting := newBundles(t), newSetting(t)
	rapid.Check(t, func(t *rapid.T) {
		b := bundles[rapid.IntRange(0, len(bundles)-1).Draw(t, "bundle")]
		paths := slices.DeleteFunc(slices.Clone(b.Paths()), func(p forms.Path) bool { return b.Field(p).Field.Derived })
		if len(paths) == 0 {
			return
		}
		paths = rapid.SliceOfNDistinct(rapid.SampledFrom(paths), 1, min(4, len(paths)), func(p forms.Path) forms.Path { return p }).Draw(t, "asked")
		tried := map[forms.Path]int{}
		witness.New(b).Search(func(record forms.Record, setting guide.Setting) rule.Outcome {
			next, more := asked(b, record, paths)
			for p, v := range record.All() {
				if v == nil {
					if b.Field(p).Field.Required && b.Field(p).RequireRule == nil {
						t.Errorf("%s is tried blank, and has to be answered", p)
					}
					continue
				}
				tried[p]++
				if got, fault := b.Field(p).Spec().Parse(kind.Encode(v)); fault != nil || !got.Equal(v) {
					t.Errorf("%s: %v is read as %v, %v", p, v, got, fault)
				}
			}
			if record.Len() == 1 { // of more answers one can move the bounds of another
				for _, v := range guide.NewTrace(b, record, setting).Faults() {
					if v.Code != "check" {
						t.Errorf("%s: %s", v.Path, v.Code)
					}
				}
			}
			if more {
				return rule.Outcome{Causes: []forms.Cause{{Kind: forms.CauseAnswer, Path: next}}}
			}
			return rule.Outcome{Truth: rule.False}
		}, 60, witness.Start{Setting: setting})
	})
}

// goal is a rule of eligibility that holds, or fails.
type goal struct {
	bundle *catalog.Bundle
	rule   *catalog.Rule
	want   rule.Truth
}

func drawGoal(t *rapid.T, bundles []*catalog.Bundle) (goal, bool) {
	b := bundles[rapid.IntRange(0, len(bundles)-1).Draw(t, "bundle")]
	r := b.Eligibility[rapid.IntRange(0, len(b.Eligibility)-1).Draw(t, "rule")]
	if r.Examine != nil || r.ID == "somebody_is_hired" { // an officer judges it; the list is never empty
		return goal{}, false
	}
	return goal{b, r, rapid.SampledFrom([]rule.Truth{rule.True, rule.False}).Draw(t, "outcome")}, true
}

func (g goal) of(record forms.Record, setting guide.Setting) rule.Outcome {
	return witness.Is(guide.NewTrace(g.bundle, record, setting).Condition(g.rule), g.want)
}

// assessed is what an assessment says of the rule; one that does not concern the record holds.
func (g goal) assessed(t *rapid.T, record forms.Record, setting guide.Setting) rule.Truth {
	selection, err := catalog.Select(g.bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range guide.Assess(selection, record, setting).Cases[0].Rules {
		if r.ID == g.rule.ID {
			return r.Outcome.Truth
		}
	}
	return rule.True
}

// What is found is so by the assessment that a citizen gets, from nothing and from a record like which it shall be; what
// it says to have changed is what differs; and it is found again.
func TestSearch_Found(t *testing.T) {
	t.Parallel()
	bundles, setting := newBundles(t), newSetting(t)
	rapid.Check(t, func(t *rapid.T) {
		g, ok := drawGoal(t, bundles)
		if !ok {
			return
		}
		d := witness.New(g.bundle)
		if rapid.Bool().Draw(t, "about the rule only") {
			var texts []string
			for _, part := range g.rule.Parts() {
				texts = append(texts, part.Text())
			}
			d = d.About(g.rule.Reads(), texts...)
		}
		start := witness.Start{Setting: setting}
		w, result := d.Search(g.of, 3000, start)
		if result != witness.Found {
			t.Fatalf("%s of %s: no record is found that makes it %s", g.rule.ID, g.bundle.ID, g.want)
		}
		if got := g.assessed(t, w.Record, w.Setting); got != g.want {
			t.Errorf("%s of %s: it is %s, not %s", g.rule.ID, g.bundle.ID, got, g.want)
		}
		if again, _ := d.Search(g.of, 3000, start); !reflect.DeepEqual(w, again) {
			t.Errorf("found first %v, then %v", w, again)
		}

		// A record like that one which is judged the other way.
		like := witness.Start{Record: w.Record, Setting: w.Setting}
		if same, _ := d.Search(g.of, 3000, like); len(same.Changed) > 0 {
			t.Errorf("%v is changed where nothing had to be", same.Changed)
		}
		g.want = rule.True + rule.False - g.want
		other, result := d.Search(g.of, 3000, start, like)
		if result != witness.Found {
			t.Fatalf("%s of %s: no record is found that makes it %s", g.rule.ID, g.bundle.ID, g.want)
		}
		if got := g.assessed(t, other.Record, other.Setting); got != g.want {
			t.Errorf("%s of %s: it is %s, not %s", g.rule.ID, g.bundle.ID, got, g.want)
		}
		from := []witness.Start{start, like}[other.Like]
		for _, p := range other.Record.Diff(from.Record) {
			if !slices.Contains(other.Changed, p) {
				t.Errorf("%s differs and is not said to", p)
			}
		}
		if other.Setting.Place != from.Setting.Place != slices.Contains(other.Changed, "place") || other.Setting.Today != from.Setting.Today != slices.Contains(other.Changed, "today") {
			t.Errorf("the setting is %v, was %v; changed is %v", other.Setting, from.Setting, other.Changed)
		}
	})
}
