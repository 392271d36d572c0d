package compare

import (
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// How long a witness is looked for, and a record to start from where there is none, in evaluations.
const (
	forWitness = 3000
	forSeed    = 1000
)

// search finds records that two versions answer differently, as like the seeds as can be.
type search struct {
	old, new *catalog.Selection
	domain   *witness.Domain
	seeds    []assessed
}

// assessed is a seed with what each version says of it.
type assessed struct {
	Seed
	old, new *guide.Assessment
}

func newSearch(old, new *catalog.Bundle, seeds []Seed, fallback guide.Setting) (*search, error) { //nolint:revive // old and new are the words for it
	s := &search{domain: witness.New(old, new)}
	var err error
	if s.old, err = catalog.Select(old); err != nil {
		return nil, err
	}
	if s.new, err = catalog.Select(new); err != nil {
		return nil, err
	}
	if len(seeds) == 0 {
		seeds = []Seed{eligible(old, fallback), eligible(new, fallback)}
	}
	for _, seed := range seeds {
		s.seeds = append(s.seeds, assessed{seed, guide.Assess(s.old, readable(old, seed.Record), seed.Setting), guide.Assess(s.new, readable(new, seed.Record), seed.Setting)})
	}
	slices.SortStableFunc(s.seeds, func(a, b assessed) int { return a.rank() - b.rank() })
	return s, nil
}

// rank puts eligible records first, so that an example shows one thing.
func (a assessed) rank() int {
	n := 0
	for _, said := range []*guide.Assessment{a.old, a.new} {
		if said.Cases[0].Verdict != guide.Eligible {
			n++
		}
	}
	return n
}

// eligible is a record that a bundle accepts, for one that has no records yet; an empty one if none is found.
func eligible(b *catalog.Bundle, setting guide.Setting) Seed {
	r := read(b, nil)
	for _, c := range b.Eligibility {
		r.condition(c)
	}
	w, _ := witness.New(b).About(r.reads(), r.texts...).Search(func(r forms.Record, s guide.Setting) rule.Outcome {
		t, all := guide.NewTrace(b, r, s), rule.Outcome{Truth: rule.True}
		for _, c := range b.Eligibility {
			if all.Truth != rule.False && c.Otherwise != catalog.Warn && len(c.For) == 0 {
				all = witness.All(all, t.Condition(c))
			}
		}
		return all
	}, forSeed, witness.Start{Setting: setting})
	return Seed{Record: w.Record, Setting: setting}
}

// readable is what a version can read of a record: answers to its own questions, of their kind.
func readable(b *catalog.Bundle, record forms.Record) forms.Record {
	for p, v := range record.All() {
		f := b.Field(p)
		switch list, ok := v.(kind.List); {
		case f == nil || f.Field.Derived:
			record = record.Without(p)
		case v == nil:
		case ok && f.Kind == kind.KindList:
			rows, _ := f.Spec().ParseRows(kind.Encode(list))
			record = record.With(p, rows)
		default:
			if _, fault := f.Spec().Parse(kind.Encode(v)); fault != nil {
				record = record.Without(p)
			}
		}
	}
	return record
}

// turned returns a record to which the old version answers from and the new one to; nil if none is met.
func (s *search) turned(q question, from, to string) *Witness {
	return s.find(q, func(a, b said) rule.Outcome { return witness.All(a.is(from), b.is(to)) })
}

// differing returns a record to which the versions give different answers; nil if none is met.
func (s *search) differing(q question) *Witness {
	return s.find(q, func(a, b said) rule.Outcome {
		if a.open || b.open {
			return rule.Outcome{Causes: slices.Concat(a.causes, b.causes)}
		}
		if a.answer == "" || b.answer == "" || a.answer == b.answer {
			return rule.Outcome{Truth: rule.False}
		}
		return rule.Outcome{Truth: rule.True}
	})
}

// find looks for a record to which both versions answer as is wanted.
func (s *search) find(q question, want func(a, b said) rule.Outcome) *Witness {
	var starts []witness.Start
	for _, seed := range s.seeds {
		starts = append(starts, witness.Start{Record: seed.Record, Setting: seed.Setting})
	}
	domain := s.domain.About(slices.Concat(q.old.reads(), q.new.reads()), slices.Concat(q.old.texts, q.new.texts)...)
	found, result := domain.Search(func(record forms.Record, setting guide.Setting) rule.Outcome {
		a := q.old.says(readable(q.old.bundle, record), setting)
		if o := want(a, said{open: true}); o.Truth == rule.False {
			return o
		}
		return want(a, q.new.says(readable(q.new.bundle, record), setting))
	}, forWitness, starts...)
	if result != witness.Found {
		return nil
	}
	// Once more as a file would bring it, written out and read by each version.
	message, err := found.Record.Encode()
	if err != nil {
		return nil
	}
	before, _ := forms.Decode(message.GetAnswers(), s.old.Field)
	after, _ := forms.Decode(message.GetAnswers(), s.new.Field)
	a, b := q.old.says(before, found.Setting), q.new.says(after, found.Setting)
	if want(a, b).Truth != rule.True {
		return nil
	}
	return &Witness{Like: s.seeds[found.Like].Name, Changed: found.Changed, Record: found.Record, Setting: found.Setting, Old: a.answer, New: b.answer,
		Before: guide.Assess(s.old, before, found.Setting).Cases[0].Verdict, After: guide.Assess(s.new, after, found.Setting).Cases[0].Verdict}
}

// Words for what a witness changes.

// Given is the value of a path of the witness as tests.yaml writes it; nil is blank, and ok is false if it is taken
// away.
func (w *Witness) Given(p forms.Path) (value any, ok bool) {
	switch p.Root() {
	case "today":
		return w.Setting.Today.String(), true
	case "place":
		return w.Setting.Place, true
	case "facts":
		v, ok := w.Setting.Facts[p]
		return kind.Encode(v), ok
	case "results":
		for _, steps := range w.Setting.Settled {
			if v, ok := steps[p.Segments()[1]].Result[p]; ok {
				return kind.Encode(v), true
			}
		}
		return nil, false
	}
	v, ok := w.Record.Get(p)
	return kind.Encode(v), ok
}
