// Package witness searches for records: one for which a rule holds, one for which it fails, one to which two versions of
// a bundle give different answers. What it finds is a true record; that it finds none says something only if it tried
// all that the rules can tell apart.
package witness

import (
	"maps"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// Goal says of a record, with what is known beside it, whether it is one that is looked for. As long as that is not
// known, the causes say for what it waits: the search answers these and asks again. It must be three-valued as rules
// are: what it says of some answers, it says with more of them.
type Goal func(forms.Record, guide.Setting) rule.Outcome

// Witness is a record that was looked for, with what is known beside it. It answers what decides the goal, and no more.
type Witness struct {
	Record  forms.Record
	Setting guide.Setting
}

// Result says how a search ended.
type Result int

// The ends of a search.
const (
	// GaveUp says nothing: the budget was used up, or something was in the way that is not tried.
	GaveUp Result = iota
	// Found is a witness.
	Found
	// None says that no record is one, as far as the values in the rules go.
	None
)

// Domain are the values that are worth trying for each question: those on both sides of every literal with which a
// rule or formula compares it. It is immutable and safe for concurrent use.
type Domain struct {
	bundles  []*catalog.Bundle
	setting  guide.Setting
	settings []guide.Setting
	words    map[forms.Path]*words
	only     map[string]bool // expressions on which goals depend; nil: all
}

// New returns the domain of the questions of bundles; of two versions of one, what either of them compares with. The
// setting says what is known beside the record: its facts and results are left alone, all others are tried.
func New(setting guide.Setting, bundles ...*catalog.Bundle) *Domain {
	d := &Domain{bundles: bundles, setting: setting, words: map[forms.Path]*words{}}
	for _, b := range bundles {
		d.collect(b)
	}
	d.settings = d.vary()
	return d
}

// Search looks for a record that is the goal, and of whose answers none is at fault, evaluating the goal at most budget
// times. The same search finds the same record.
func (d *Domain) Search(goal Goal, budget int) (Witness, Result) {
	s := &search{domain: d, goal: goal, budget: budget, whole: true}
	for _, setting := range d.settings {
		if s.visit(forms.Record{}, setting) {
			return s.found, Found
		}
	}
	if s.whole && s.budget > 0 {
		return Witness{}, None
	}
	return Witness{}, GaveUp
}

type search struct {
	domain *Domain
	goal   Goal
	budget int
	whole  bool // nothing was left out so far
	found  Witness
}

// visit tries the values of the first thing for which the goal waits.
func (s *search) visit(record forms.Record, setting guide.Setting) bool {
	if s.budget--; s.budget <= 0 {
		return false
	}
	o := s.goal(record, setting)
	switch o.Truth {
	case rule.True:
		if s.domain.faulty(record, setting) {
			return false
		}
		s.found = Witness{record, setting}
		return true
	case rule.False:
		return false
	case rule.Unknown:
	}
	// Of several causes the first that can be given decides; the others come up again.
	open := false
	for _, c := range o.Causes {
		var f *catalog.Field
		give := func(v kind.Value) bool { return s.visit(record.With(c.Path, v), setting) }
		switch c.Kind {
		case forms.CauseAnswer:
			if _, answered := record.Get(c.Path); answered {
				continue // left blank where it must not be: no such record is filed
			}
			f = s.domain.field(c.Path)
		case forms.CauseFact:
			f = s.domain.fact(c.Path)
			give = func(v kind.Value) bool { return s.visit(record, withFact(setting, c.Path, v)) }
		default: // a parameter or calendar that is not published, a result, a fault
		}
		if f == nil {
			open = true
			continue
		}
		values, all := s.domain.values(c.Path, f, setting)
		s.whole = s.whole && all
		return slices.ContainsFunc(values, give)
	}
	if open {
		s.whole = false
	}
	return false
}

func withFact(setting guide.Setting, p forms.Path, v kind.Value) guide.Setting {
	facts := map[forms.Path]kind.Value{p: v}
	maps.Copy(facts, setting.Facts)
	setting.Facts = facts
	return setting
}

// faulty reports whether an answer lies outside of its field: its bounds, or the options that are offered. What only
// contradicts another answer is left: a condition of the law may say again what a check says.
func (d *Domain) faulty(record forms.Record, setting guide.Setting) bool {
	return slices.ContainsFunc(d.bundles, func(b *catalog.Bundle) bool {
		return slices.ContainsFunc(guide.NewTrace(b, record, setting).Faults(), func(v forms.Violation) bool { return v.Code != "check" })
	})
}

// field is the field of a path, also of a cell, in the first bundle that has it.
func (d *Domain) field(p forms.Path) *catalog.Field {
	for _, b := range d.bundles {
		if f := b.Field(p); f != nil {
			return f
		}
	}
	return nil
}

func (d *Domain) fact(p forms.Path) *catalog.Field {
	parts := p.Segments()
	for _, b := range d.bundles {
		if f := b.Facts()[parts[len(parts)-1]]; f != nil {
			return &catalog.Field{Field: f.Field}
		}
	}
	return nil
}
