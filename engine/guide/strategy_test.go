package guide_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/siyiban/onething/forms"
)

// sample are people whom one bundle is asked about, and the questions on which its verdict hangs. Which of them were asked is
// a number, a bit for each.
type sample struct {
	people    []*telling
	questions []forms.Path
	parts     [][][]int // by person and question: the question, if it is shown, and of a list its cells
	alike     [][]int   // by what was asked, and person: the first who has answered it in the same way
}

// strategy is the least that anybody asks of these people in all who knows them and their answers, but not with whom of
// them he speaks: of all strategies that choose the next question by the answers so far, the best on this sample, found
// over all sets of questions that may have been asked and all answers that are given to them. What is not shown is passed
// over at no cost; the cells of a list are asked one after another. Whoever has not seen the sample does not do as well.
func (m *matter) strategy(t testing.TB, people ...*telling) (asked int) {
	t.Helper()
	s := &sample{people: people, questions: slices.DeleteFunc(m.asked(), func(p forms.Path) bool { return !m.reads[p] })}
	if len(s.questions) > 13 {
		t.Fatalf("%s has %d questions, which are too many sets", m.bundle.ID, len(s.questions))
	}
	for _, t := range people {
		parts := make([][]int, len(s.questions))
		for q, p := range s.questions {
			for k, asked := range t.questions {
				if list, _, _, cell := asked.Cell(); asked == p || cell && list == p {
					parts[q] = append(parts[q], k)
				}
			}
		}
		s.parts = append(s.parts, parts)
	}
	s.compare()
	// By what was asked, and the first of those who are alike by it: what all of them are asked from there on.
	least := make([][]int, len(s.alike))
	for before := len(least) - 1; before >= 0; before-- {
		least[before] = s.rest(before, least)
	}
	for _, n := range least[0] {
		asked += n
	}
	return asked
}

// compare finds who is alike: at first those who come on the same day and place, with the same facts.
func (s *sample) compare() {
	s.alike = make([][]int, 1<<len(s.questions))
	s.alike[0] = s.first(func(a, b *person) bool { return reflect.DeepEqual(a.setting, b.setting) })
	same := make([][]int, len(s.questions))
	for q, p := range s.questions {
		same[q] = s.first(func(a, b *person) bool {
			v, shown := a.truth.Get(p)
			w, too := b.truth.Get(p)
			return shown == too && reflect.DeepEqual(v, w)
		})
	}
	for asked := 1; asked < len(s.alike); asked++ {
		before, last := s.alike[asked&(asked-1)], same[bits.TrailingZeros(uint(asked))]
		first := map[[2]int]int{}
		for i := range s.people {
			k := [2]int{before[i], last[i]}
			if _, known := first[k]; !known {
				first[k] = i
			}
			s.alike[asked] = append(s.alike[asked], first[k])
		}
	}
}

// first is of each person the first who is the same.
func (s *sample) first(same func(a, b *person) bool) []int {
	all := make([]int, len(s.people))
	for i, t := range s.people {
		all[i] = slices.IndexFunc(s.people, func(other *telling) bool { return same(t.person, other.person) })
	}
	return all
}

// rest is what is still asked of those who are alike, where least says so of all further questions.
func (s *sample) rest(asked int, least [][]int) []int {
	alike, rest := s.alike[asked], make([]int, len(s.people))
	given := make([]some, len(s.people))
	open := false
	for i, t := range s.people {
		for q := range s.questions {
			if asked>>q&1 == 1 {
				for _, k := range s.parts[i][q] {
					given[i] = given[i].with(k)
				}
			}
		}
		if alike[i] == i && !t.of[0].by(given[i]) {
			rest[i], open = math.MaxInt, true
		}
	}
	for q := range s.questions {
		more := asked | 1<<q
		if !open || more == asked {
			continue
		}
		costs := make([]int, len(s.people))
		for i, t := range s.people {
			if rest[alike[i]] == 0 { // their verdict is known
				continue
			}
			now := given[i]
			for n, k := range s.parts[i][q] {
				if n == 0 || !t.of[0].by(now) {
					now = now.with(k)
					costs[alike[i]]++
				}
			}
			if s.alike[more][i] == i {
				costs[alike[i]] += least[more][i]
			}
		}
		for i := range rest {
			rest[i] = min(rest[i], costs[i])
		}
	}
	return rest
}

// The searches find what trying all sets of answers finds, and who knows of only one person knows the answers.
func TestFewest(t *testing.T) {
	t.Parallel()
	several := 0
	for i, m := range every130(t) {
		if i%5 > 0 {
			continue
		}
		p := newPopulation(t, uint64(i), m).person(t)
		told := p.tells(m)
		if len(told.questions) > 10 {
			continue
		}
		want := len(told.questions)
		for n := range 1 << len(told.questions) {
			if told.of[0].by(some{uint64(n)}) {
				want = min(want, bits.OnesCount(uint(n)))
			}
		}
		if want > 1 && want < len(told.questions) {
			several++
		}
		if got := told.fewest().size(); got != want {
			t.Errorf("%s: %d answers decide, found were %d", m.bundle.ID, want, got)
		}
		if got := m.strategy(t, told); got != want {
			t.Errorf("%s: %d answers decide, and the best strategy asks %d", m.bundle.ID, want, got)
		}
	}
	if several < 5 {
		t.Errorf("only %d leave a choice", several)
	}
}

// A smallest set that has something of each of others is as small as one that is found by trying all.
func TestHitting(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		sets := make([]some, rnd.IntN(12))
		for i := range sets {
			for range 1 + rnd.IntN(4) {
				sets[i] = sets[i].with(rnd.IntN(9))
			}
		}
		slices.SortStableFunc(sets, func(a, b some) int { return a.size() - b.size() })
		meetsAll := func(s some) bool {
			return !slices.ContainsFunc(sets, func(other some) bool { return !other.meets(s) })
		}
		want := 9
		for n := range 1 << 9 {
			if meetsAll(some{uint64(n)}) {
				want = min(want, bits.OnesCount(uint(n)))
			}
		}
		if got := hitting(sets); !meetsAll(got) || got.size() != want {
			t.Fatalf("%v meets all %v: %t; %d are enough", got, sets, meetsAll(got), want)
		}
	}
}
