// Package witness searches for records: one for which a rule holds, one for which it fails, one to which two versions of
// a bundle give different answers. What it finds is a true record; that it finds none says something only if it tried
// all that the rules can tell apart. It is pure.
package witness

import (
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// Goal says of a record, with what is known beside it, whether it is one that is looked for. As long as that is not
// known, the causes say for what it waits: the search answers these and asks again. It must be three-valued as rules
// are: what it says of some answers, it says with more of them. [Is], [Any] and [All] make one of outcomes.
type Goal func(forms.Record, guide.Setting) rule.Outcome

// Start is where a search begins: a record like which the witness shall be, perhaps empty, and what is known beside it.
type Start struct {
	Record  forms.Record
	Setting guide.Setting
}

// Witness is a record that was looked for, with what is known beside it.
type Witness struct {
	// Like is the start from which it differs least, as a place in what was given; Changed are the paths that differ:
	// answers, facts, results, and `today` and `place`.
	Like    int
	Changed []forms.Path
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
// rule or formula compares it, and of what stands beside it. It is immutable and safe for concurrent use.
type Domain struct {
	bundles     []*catalog.Bundle
	expressions []expression
	words       map[forms.Path]*words
}

// New returns the domain of the questions of bundles; of two versions of one, what either of them compares with.
func New(bundles ...*catalog.Bundle) *Domain {
	d := &Domain{bundles: bundles}
	for _, b := range bundles {
		d.expressions = append(d.expressions, expressions(b)...)
	}
	d.words = collect(d.expressions)
	return d
}

// Search looks for a record that is the goal, and of whose answers none is at fault in all bundles, evaluating the goal
// at most budget times. It takes records in the order of how many answers differ from those of a start, so that what it
// finds is as like one as can be; what a start leaves open is tried in the order of the domain. The same search finds the
// same record.
func (d *Domain) Search(goal Goal, budget int, starts ...Start) (Witness, Result) {
	s := &search{domain: d, goal: goal, budget: budget, whole: len(starts) > 0, starts: starts, seen: map[step]*point{}}
	var wave []*node
	for i, start := range starts {
		if start.Record.Len() > 0 {
			if _, found := s.judge(start.Record, start.Setting); found {
				return Witness{Like: i, Record: start.Record, Setting: start.Setting}, Found
			}
		}
		wave = append(wave, root(i, start.Setting))
	}
	for first := true; len(wave) > 0; first = false {
		var next []*node
		for _, n := range wave {
			for n != nil {
				p, found := s.reach(n)
				switch {
				case found:
					return s.witness(n), Found
				case s.budget < 0:
					return Witness{}, GaveUp
				}
				near, far := s.below(n, p)
				n, next = near, append(next, far...)
			}
		}
		for i := range starts {
			if first {
				for _, setting := range d.vary(starts[i].Setting) {
					next = append(next, root(i, setting))
				}
			}
		}
		wave = next
	}
	if s.whole {
		return Witness{}, None
	}
	return Witness{}, GaveUp
}

// faulty reports whether an answer lies outside of its field in every bundle: its bounds, or the options that are
// offered. What only contradicts another answer is left: a condition of the law may say again what a check says.
func (d *Domain) faulty(record forms.Record, setting guide.Setting) bool {
	for _, b := range d.bundles {
		if !slices.ContainsFunc(guide.NewTrace(b, record, setting).Faults(), func(v forms.Violation) bool { return v.Code != "check" }) {
			return false
		}
	}
	return true
}
