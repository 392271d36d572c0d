package lowered

import (
	"slices"

	"github.com/siyiban/onething/forms"
)

// trial is an answer that is tried for a cell of a list.
type trial struct {
	cause cause
	value int64
}

// Run computes every node over the answers of the frame.
func (f *Frame) Run() {
	for _, s := range f.p.tape {
		if s.op == opLogic {
			f.logic(int(s.begin), f.p.nodes[s.begin:s.end])
		} else {
			f.exec(f.p.all[s.begin:s.end])
		}
	}
}

// Lost reports whether something did not fit its slot, or a decimal number grew too large: what the frame says does not
// count then, and cel-go has to be asked.
func (f *Frame) Lost() bool { return f.lost }

// State returns what a condition came to without trying anything: True, False or Unknown, which a fault is too.
func (f *Frame) State(r Root) State { return f.At(f.p.rootRefs[r]) }

// Refs returns where the n conditions from r on are, for [Frame.At].
func (f *Frame) Refs(r Root, n int) []Ref { return f.p.rootRefs[r : int(r)+n] }

// At is [Frame.State] of a condition that stands at a place of the program.
func (f *Frame) At(r Ref) State {
	if s := f.st[r]; s != Fault {
		return s
	}
	return Unknown
}

// Asked returns the question that is tried first where a condition is not known; "" if there is none.
func (f *Frame) Asked(r Root) forms.Path {
	at := &f.p.roots[r]
	why := f.num[at.ref]
	if f.st[at.ref] != Unknown || why == noCause {
		return ""
	}
	for i := range f.p.slots {
		s := &f.p.slots[i]
		if f.p.causes[i] == why {
			return s.path
		}
		for _, c := range s.cells {
			if f.p.cells[i]|int64(c.rank) == why&^(0xffff<<16) {
				return s.path.CellOf(slices.Index(f.p.rowRank, int32(why>>16&0xffff)), c.id)
			}
		}
	}
	return ""
}

// Truth is what a condition comes to: where it is not known, the answers of BOOL and CHOICE questions on which it
// depends are tried, and if all agree, that is it.
func (f *Frame) Truth(r Root) State {
	at := &f.p.roots[r]
	if s := f.st[at.ref]; s != Unknown || len(at.trials) == 0 || f.num[at.ref] == noCause {
		return f.At(at.ref)
	}
	budget := maxTried
	return f.explore(at, &budget)
}

// explore is of a condition that is not known, and tries the answers of the first question that may decide. It stops with the first answer that leaves the
// condition open or contradicts the others: then it is not known, whatever the rest says.
func (f *Frame) explore(at *root, budget *int) State {
	why := f.num[at.ref]
	t := at.trial(why)
	if t == nil || t.trouble {
		f.lost = true
		return Unknown
	}
	offered, count := ^uint64(0), t.count
	for i, w := range t.whens {
		if w != 0 && f.st[w] == False {
			offered &^= 1 << i
			count--
		}
	}
	switch {
	case count == 0: // the next question would have to be tried
		f.lost = true
		return Unknown
	case count > *budget:
		return Unknown
	}
	*budget -= count
	state, value := f.slotState[t.slot], f.slotNum[t.slot]
	from := f.save(t)
	agreed := Unknown
	// The order of the answers does not matter. The one that ended it last time most often does so again.
	first := int(f.ended[t.id])
	for k := range t.values {
		i := k + first
		if i >= len(t.values) {
			i -= len(t.values)
		}
		if offered&(1<<i) == 0 {
			continue
		}
		v := t.values[i]
		if t.column >= 0 {
			f.trials = append(f.trials, trial{why, v})
		} else {
			f.slotState[t.slot], f.slotNum[t.slot] = slotKnown, v
		}
		f.exec(t.cone)
		s := f.st[at.ref]
		if s == Unknown && f.num[at.ref] != noCause {
			before := *budget
			s = f.explore(at, budget)
			if i == t.alike { // the answers that it stands for would have cost as much
				*budget -= (t.count - len(t.values)) * (before - *budget)
			}
		}
		if t.column >= 0 {
			f.trials = f.trials[:len(f.trials)-1]
		}
		if s < False || agreed != Unknown && s != agreed || *budget < 0 {
			agreed = Unknown
			f.ended[t.id] = uint8(i)
			break
		}
		agreed = s
	}
	f.slotState[t.slot], f.slotNum[t.slot] = state, value
	f.restore(t, from)
	return agreed
}

// saved is what a node came to before an answer was tried: other conditions read it too.
type saved struct {
	state State
	num   int64
}

func (f *Frame) save(t *trialOf) (from int) {
	from = len(f.saved)
	if t.copied {
		for _, r := range t.cone {
			f.saved = append(f.saved, saved{f.st[r], f.num[r]})
		}
	}
	return from
}

func (f *Frame) restore(t *trialOf, from int) {
	if !t.copied {
		f.exec(t.cone)
		return
	}
	for i, s := range f.saved[from:] {
		r := t.cone[i]
		f.st[r], f.num[r] = s.state, s.num
	}
	f.saved = f.saved[:from]
}

// trial finds the question of a cause.
func (r *root) trial(why cause) *trialOf {
	for i := range r.trials {
		t := &r.trials[i]
		if t.column < 0 && t.cause == why || t.column >= 0 && t.cause == why&^(0xffff<<16) {
			return t
		}
	}
	return nil
}
