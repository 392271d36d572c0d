package simulate

import (
	"cmp"
	"slices"
)

// Counts are how many there are of each kind.
type Counts struct {
	Total int64
	Kinds map[Kind]int64
	Moves map[Move]int64
}

// Sum adds effects up. It holds a number for each kind and each reason, however many effects there are.
type Sum struct {
	Applications, Drafts Counts
	reasons              map[Reason]int64
}

// Add adds an effect, of a draft or an application.
func (s *Sum) Add(e Effect, draft bool) {
	c := &s.Applications
	if draft {
		c = &s.Drafts
	}
	if c.Kinds == nil {
		c.Kinds, c.Moves = map[Kind]int64{}, map[Move]int64{}
	}
	if s.reasons == nil {
		s.reasons = map[Reason]int64{}
	}
	c.Total++
	c.Kinds[e.Kind]++
	if e.Move != "" {
		c.Moves[e.Move]++
	}
	for _, r := range e.Reasons {
		s.reasons[r]++
	}
}

// Counted is a reason with how many there are.
type Counted struct {
	Reason
	N int64
}

// Reasons returns the reasons, the most frequent first.
func (s *Sum) Reasons() []Counted {
	var all []Counted
	for r, n := range s.reasons {
		all = append(all, Counted{r, n})
	}
	slices.SortFunc(all, func(a, b Counted) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Item, b.Item))
	})
	return all
}

// Changes reports whether a verdict changes, or somebody has to answer or bring something more.
func (s *Sum) Changes() bool {
	for _, c := range []Counts{s.Applications, s.Drafts} {
		if c.Kinds[Verdict]+c.Kinds[Asks] > 0 {
			return true
		}
	}
	return false
}
