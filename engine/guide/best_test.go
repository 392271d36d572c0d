package guide_test

import (
	"math/bits"
	"slices"

	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/forms"
)

// some are some of a person's questions, by their place in the order of the form.
type some [16]uint64

func (s some) with(i int) some { s[i/64] |= 1 << (i % 64); return s }

func (s some) but(other some) some {
	for i := range s {
		s[i] &^= other[i]
	}
	return s
}

func (s some) join(other some) some {
	for i := range s {
		s[i] |= other[i]
	}
	return s
}

func (s some) common(other some) some {
	for i := range s {
		s[i] &= other[i]
	}
	return s
}

func (s some) meets(other some) bool {
	for i := range s {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

func (s some) size() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s some) each(do func(i int)) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			do(i*64 + bits.TrailingZeros64(w))
		}
	}
}

// telling is what a person's answers tell of bundles.
type telling struct {
	person    *person
	questions []forms.Path // on which a verdict hangs, in the order of the form
	of        []*hanging   // by bundle
}

// hanging is the verdict on one bundle, and the questions that the person is shown and on which it hangs.
type hanging struct {
	telling   *telling
	row       *sieve.Row
	questions some
	decided   map[some]bool
}

func (p *person) tells(matters ...*matter) *telling {
	t := &telling{person: p}
	for _, m := range matters {
		t.of = append(t.of, &hanging{telling: t, row: sieve.New(m.bundle).Row(), decided: map[some]bool{}})
	}
	for _, q := range p.form() {
		of, hangs := q, false
		if list, _, _, ok := q.Cell(); ok {
			of = list
		}
		for i, m := range matters {
			if m.reads[of] {
				t.of[i].questions, hangs = t.of[i].questions.with(len(t.questions)), true
			}
		}
		if hangs {
			t.questions = append(t.questions, q)
		}
	}
	return t
}

// by reports whether these answers of the person decide the verdict. More answers decide what some of them decide:
// TestAssess_FewerAnswers.
func (h *hanging) by(s some) bool {
	if d, known := h.decided[s]; known {
		return d
	}
	record := forms.Record{}
	s.each(func(i int) { record = h.telling.person.answer(record, h.telling.questions[i]) }) // a cell of no row changes nothing
	h.row.Load(record, &h.telling.person.setting)
	d := h.row.Verdicts()[0].Verdict != guide.Undecided
	h.decided[s] = d
	return d
}

// fewest are the least of the person's answers that decide every verdict: what somebody would ask who knew all answers
// beforehand, so that nobody can ask less. Answers that decide have something of each set without which a verdict is
// open. The smallest that has something of each such set found so far decides, or shows one more.
func (t *telling) fewest() some {
	var without []some
	for {
		s := hitting(without)
		before := len(without)
		for _, h := range t.of {
			s := s.common(h.questions)
			if h.by(s) {
				continue
			}
			h.questions.but(s).each(func(i int) {
				if more := s.with(i); !h.by(more) {
					s = more
				}
			})
			without = append(without, h.questions.but(s))
		}
		if len(without) == before {
			return s
		}
		slices.SortStableFunc(without, func(a, b some) int { return a.size() - b.size() })
	}
}

// hitting is a smallest set that has something of each set, by branch and bound; the smallest sets come first.
func hitting(sets []some) some {
	var best some
	found := len(sets) + 1
	var search func(chosen some)
	search = func(chosen some) {
		// Sets that are not met and have nothing in common need an answer each.
		n := chosen.size()
		least, apart, smallest := n, some{}, some{}
		for _, s := range sets {
			if s.meets(chosen) {
				continue
			}
			if least == n {
				smallest = s
			}
			if !s.meets(apart) {
				apart, least = apart.join(s), least+1
			}
		}
		if least == n && n < found {
			best, found = chosen, n
		}
		if least > n && least < found {
			smallest.each(func(i int) { search(chosen.with(i)) })
		}
	}
	search(some{})
	return best
}
