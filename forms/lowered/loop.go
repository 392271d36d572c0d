package lowered

import (
	"math"

	"github.com/siyiban/onething/forms/kind"
)

// Fold is what a loop over the elements of a list comes to.
type Fold uint8

// The folds. Of no elements, the least and the greatest are a Fault.
const (
	All Fold = iota
	Any
	Count
	Sum
	Least
	Greatest
)

// loop is one pass over a list: the nodes of its region are computed for each row.
type loop struct {
	list   Ref
	slot   int32
	region int32
	parent int32 // the loop in whose body it stands; 0: none
	stages []Ref // what an element has to be to be counted, one after another
	value  Ref   // what is folded; none of Count
	joint  bool  // the last stage and the values are of one list
	fold   Fold
	typ    Type
	scale  int8

	body []Ref // the nodes of the region, operands first
}

// Loop begins a loop over a list that was read; its elements are read with [Builder.Cell].
func (b *Builder) Loop(list Ref) (int32, error) {
	n := b.nodes[list]
	if n.op != opField {
		return 0, Unsupported("a loop over what is not an answer")
	}
	id := int32(len(b.loops))
	l := loop{list: list, slot: int32(n.k), region: id}
	b.loops = append(b.loops, l)
	return id, nil
}

// Cell is an answer of the element of a loop, see [Builder.Field]. A column of a zero id is a cell that the bundle does
// not ask for.
func (b *Builder) Cell(loop int32, id string, shown, required Ref, triable bool) (Ref, error) {
	slot := b.loops[loop].slot
	for i, c := range b.slots[slot].cells {
		if c.id == id {
			n := node{op: opCell, typ: c.typ, scale: c.scale, a: shown, b: required, k: int64(slot)<<16 | int64(i), flag: flag(triable), region: loop}
			if n.typ != Decimal {
				n.scale = 0
			}
			return b.add(n), nil
		}
	}
	return 0, Unsupported("a column that is not there")
}

// Joint says that the last stage of a loop and its values make one list, as map does that has a condition: not known, or
// a fault, for the first element for which one of the two is.
func (b *Builder) Joint(id int32) { b.loops[id].joint = true }

// End ends a loop: of the elements for which all stages hold, value is folded. A stage that is not known for an element
// leaves the whole open, as a list whose length is not known.
func (b *Builder) End(id int32, stages []Ref, value Ref, fold Fold) (Ref, error) {
	l := &b.loops[id]
	if len(stages) > maxStages {
		return 0, Unsupported("a filter of a filter of a filter of a filter")
	}
	l.stages, l.value, l.fold, l.typ = stages, value, fold, Number
	switch fold {
	case All, Any:
		l.typ = Bool
	case Count:
	default:
		n := b.nodes[value]
		if l.typ, l.scale = n.typ, n.scale; l.typ != Number && l.typ != Amount && l.typ != Decimal {
			return 0, Unsupported("a total of this kind")
		}
	}
	l.parent = b.around(id)
	n := node{op: opLoop, typ: l.typ, scale: l.scale, a: l.list, k: int64(id), region: l.parent}
	return b.add(n), nil
}

// around returns the innermost loop whose element the body of a loop reads. It was begun before, and has not ended yet.
func (b *Builder) around(id int32) int32 {
	var around int32
	seen := map[Ref]bool{}
	var visit func(Ref)
	visit = func(r Ref) {
		if seen[r] {
			return
		}
		seen[r] = true
		if in := b.nodes[r].region; in < id {
			around = max(around, in)
			return // what it reads stands there too, or further out
		}
		b.operands(r, visit)
	}
	l := &b.loops[id]
	for _, s := range l.stages {
		visit(s)
	}
	if l.value != 0 {
		visit(l.value)
	}
	return around
}

// row is the element that a loop is at.
type row struct {
	index int32
	cells kind.Row
}

// loop runs the body for each row and folds what it gives.
func (f *Frame) loop(i int, l *loop) {
	st, num := f.st, f.num
	if s := st[l.list]; s != Known {
		st[i], num[i] = s, num[l.list]
		return
	}
	if num[l.list] == 0 {
		f.empty(i, l)
		return
	}
	rows := f.slotList[l.slot]
	// The first stage that is open decides; before it, each is a list that is known.
	var state [maxStages + 1]State
	var why [maxStages + 1]cause
	for s := range l.stages {
		state[s], why[s] = Known, noCause
	}
	result, reason, total, counted := Known, noCause, int64(0), int64(0)
	switch l.fold {
	case All:
		result = True
	case Any:
		result = False
	default:
	}
	state[mapped], why[mapped] = Known, noCause
	for r, cells := range rows {
		if r >= maxRows {
			f.lost = true
			return
		}
		f.rows[l.region] = row{int32(r), cells}
		f.exec(l.body)
		kept := true
		for s, stage := range l.stages {
			switch v := st[stage]; v {
			case True:
				continue
			case False:
			default:
				if l.joint && s == len(l.stages)-1 {
					s = mapped
				}
				state[s], why[s] = join(state[s], why[s], v, num[stage])
			}
			kept = false
			break
		}
		if !kept {
			continue
		}
		counted++
		switch l.fold {
		case Count:
		case All:
			result, reason = both(result, reason, st[l.value], num[l.value])
		case Any:
			s, why := both(flip(result), reason, flip(st[l.value]), num[l.value])
			result, reason = flip(s), why
		default:
			v := num[l.value]
			if s := st[l.value]; s != Known {
				state[mapped], why[mapped] = join(state[mapped], why[mapped], s, v)
				continue
			}
			if result != Known {
				continue
			}
			switch {
			case l.fold == Sum:
				sum, ok := plus(total, v)
				if total = sum; !ok {
					result = Fault
					f.lost = f.lost || l.typ == Decimal
				}
			case counted == 1, l.fold == Least && v < total, l.fold == Greatest && v > total:
				total = v
			}
		}
	}
	for s := range state {
		if (s < len(l.stages) || s == mapped) && state[s] != Known {
			st[i], num[i] = state[s], why[s]
			return
		}
	}
	switch l.fold {
	case All, Any:
		st[i], num[i] = result, reason
	case Count:
		st[i], num[i] = Known, counted
	default:
		if result == Known && counted == 0 && (l.fold == Least || l.fold == Greatest) {
			result = Fault
		}
		st[i], num[i] = result, total
	}
}

// maxStages bounds the filters of one list; mapped is the list of values that is made of what they keep.
const (
	maxStages = 3
	mapped    = maxStages
)

// empty is what a fold over nothing comes to.
func (f *Frame) empty(i int, l *loop) {
	f.st[i], f.num[i] = Known, 0
	switch l.fold {
	case All:
		f.num[i] = noCause
	case Any:
		f.st[i], f.num[i] = False, noCause
	case Least, Greatest:
		f.st[i] = Fault
	default:
	}
}

// join adds an element that is open to a list: the first fault or unknown decides which of the two the list is, and
// each further unknown adds its causes to an unknown one.
func join(s State, why cause, v State, because cause) (State, cause) {
	switch {
	case s == Known && v == Unknown:
		return Unknown, because
	case s == Known:
		return Fault, noCause
	case s == Unknown && v == Unknown:
		return Unknown, min(why, because)
	}
	return s, why
}

// both is && of two values with their causes.
func both(a State, why cause, b State, because cause) (State, cause) {
	s := andOf[a<<2|b]
	if s != Unknown {
		return s, noCause
	}
	if a != Unknown {
		why = noCause
	}
	if b != Unknown {
		because = noCause
	}
	return s, min(why, because)
}

func flip(s State) State {
	switch s {
	case True:
		return False
	case False:
		return True
	default:
		return s
	}
}

func plus(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (sum > a) == (b > 0)
}

func minus(a, b int64) (int64, bool) {
	d := a - b
	return d, (d < a) == (b > 0)
}

// product is a × b, false if that does not fit.
func product(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	if p/b != a || a == math.MinInt64 && b == -1 || b == math.MinInt64 && a == -1 {
		return 0, false
	}
	return p, true
}
