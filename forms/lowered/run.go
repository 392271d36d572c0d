package lowered

import "slices"

// op is an operation. In what is said of them, a, b, c and k are those of the [node].
type op uint8

const (
	opConst   op = iota // state in flag, value k: a number, the index of a text
	opField             // slot k, shown a, required b
	opGiven             // slot k, about a
	opCell              // slot and column k, shown a, required b; of the row of its loop
	opDerived           // shown a, value b
	opGuarded           // rule a
	opLogic             // a && b, or as flag says
	opNot               // !a
	opCond              // a ? b : c
	opStrict            // b, unless a is open
	opSeqAnd            // a && b in a formula
	opSeqOr             // a || b in a formula
	opGate              // formula a, its reads k
	opHas               // has(a)
	opPresent           // has(a) in a formula
	opSame              // a == b of yes and no, != if flag
	opEqual             // a == b of numbers; the other comparisons follow in their order
	opNotEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opEqualText // a == b of texts
	opNotEqualText
	opScale     // a × k
	opChosen    // bit k of a
	opInNumbers // a in the set k
	opInTexts   // a in the words k
	opAdd       // a + b, then - and *
	opSubtract
	opMultiply
	opCall    // function flag of a and b
	opMatches // a matches the pattern k
	opLoop    // loop k over the list a
)

// inst is a node in a program, half as long: c holds k, or where it is in a table, for operations that have no c.
type inst struct {
	op      op
	typ     Type
	flag    uint8
	a, b, c Ref
}

// cellAt is the k of [opCell].
type cellAt struct {
	slot, column, loop int32
}

// andOf is && by the states of both sides; logicOf is every [opLogic] by its flag and the states of both sides.
//
//nolint:gochecknoglobals // constant tables
var (
	andOf = [16]State{
		Unknown, Unknown, False, Unknown,
		Unknown, Fault, False, Fault,
		False, False, False, False,
		Unknown, Fault, False, True,
	}
	logicOf = logicTable()
)

func logicTable() (table [128]State) {
	for i := range table {
		flag, a, b := i>>4, State(i>>2&3), State(i&3)
		if flag&logicNotA != 0 {
			a = flip(a)
		}
		if flag&logicNotB != 0 {
			b = flip(b)
		}
		if flag&logicOr != 0 {
			table[i] = flip(andOf[flip(a)<<2|flip(b)])
		} else {
			table[i] = andOf[a<<2|b]
		}
	}
	return table
}

// exec computes nodes, in the order of the list.
func (f *Frame) exec(list []Ref) {
	nodes, st, num := f.p.nodes, f.st, f.num
	for _, r := range list {
		i := int(r)
		n := &nodes[i]
		switch n.op {
		case opLogic:
			a, b := st[n.a], st[n.b]
			s := logicOf[(n.flag<<4|uint8(a)<<2|uint8(b))&127]
			st[i] = s
			if s == Unknown {
				num[i] = earlier(a, num[n.a], b, num[n.b])
			}
		case opNot:
			st[i], num[i] = flip(st[n.a]), num[n.a]
		case opGuarded:
			if st[i], num[i] = st[n.a], num[n.a]; st[i] == Fault {
				st[i], num[i] = Unknown, noCause
			}
		case opField:
			f.field(i, n)
		case opGiven:
			f.given(i, n)
		case opCell:
			f.cell(i, n)
		case opDerived:
			if s := st[n.a]; n.a != 0 && s != True {
				f.hidden(i, n, s)
				continue
			}
			f.copy(i, int(n.b), n.typ)
		case opCond:
			switch s := st[n.a]; s {
			case True:
				f.copy(i, int(n.b), n.typ)
			case False:
				f.copy(i, int(n.c), n.typ)
			default:
				st[i], num[i] = s, num[n.a]
			}
		case opStrict:
			if s := st[n.a]; s < False {
				st[i], num[i] = s, num[n.a]
				continue
			}
			f.copy(i, int(n.b), n.typ)
		case opSeqAnd:
			if s := st[n.a]; s != True {
				st[i], num[i] = s, num[n.a]
				continue
			}
			st[i], num[i] = st[n.b], num[n.b]
		case opSeqOr:
			if s := st[n.a]; s != False {
				st[i], num[i] = s, num[n.a]
				continue
			}
			st[i], num[i] = st[n.b], num[n.b]
		case opGate:
			f.gate(i, n)
		case opHas:
			switch s := st[n.a]; {
			case s == Unknown:
				st[i], num[i] = Unknown, num[n.a]
			case s == Fault, nodes[n.a].typ == Options && num[n.a] == 0:
				st[i] = False
			default:
				st[i] = True
			}
		case opPresent:
			if s := st[n.a]; s < False {
				st[i] = False
			} else {
				st[i] = True
			}
		case opSame:
			if f.open2(i, st[n.a], num[n.a], st[n.b], num[n.b]) {
				continue
			}
			st[i] = truth((st[n.a] == st[n.b]) == (n.flag == 0))
		case opEqual:
			if a, b := st[n.a], st[n.b]; a != Known || b != Known {
				f.open2(i, a, num[n.a], b, num[n.b])
				continue
			}
			st[i] = truth(num[n.a] == num[n.b])
		case opNotEqual:
			if a, b := st[n.a], st[n.b]; a != Known || b != Known {
				f.open2(i, a, num[n.a], b, num[n.b])
				continue
			}
			st[i] = truth(num[n.a] != num[n.b])
		case opLess:
			if a, b := st[n.a], st[n.b]; a != Known || b != Known {
				f.openLeft(i, a, num[n.a], b, num[n.b])
				continue
			}
			st[i] = truth(num[n.a] < num[n.b])
		case opLessEqual:
			if a, b := st[n.a], st[n.b]; a != Known || b != Known {
				f.openLeft(i, a, num[n.a], b, num[n.b])
				continue
			}
			st[i] = truth(num[n.a] <= num[n.b])
		case opGreater:
			if a, b := st[n.a], st[n.b]; a != Known || b != Known {
				f.openLeft(i, a, num[n.a], b, num[n.b])
				continue
			}
			st[i] = truth(num[n.a] > num[n.b])
		case opGreaterEqual:
			if a, b := st[n.a], st[n.b]; a != Known || b != Known {
				f.openLeft(i, a, num[n.a], b, num[n.b])
				continue
			}
			st[i] = truth(num[n.a] >= num[n.b])
		case opEqualText, opNotEqualText:
			if a, b := st[n.a], st[n.b]; a != Known || b != Known {
				f.open2(i, a, num[n.a], b, num[n.b])
				continue
			}
			st[i] = truth((f.str[n.a] == f.str[n.b]) == (n.op == opEqualText))
		case opScale:
			st[i], num[i] = st[n.a], num[n.a]
			if st[i] == Known {
				v, ok := product(num[n.a], f.p.consts[n.c])
				num[i] = v
				f.lost = f.lost || !ok
			}
		case opChosen:
			if s := st[n.a]; s != Known {
				st[i], num[i] = s, num[n.a]
				continue
			}
			st[i] = truth(num[n.a]&f.p.consts[n.c] != 0)
		case opInNumbers:
			if s := st[n.a]; s != Known {
				st[i], num[i] = s, num[n.a]
				continue
			}
			st[i] = truth(slices.Contains(f.p.sets[n.c], num[n.a]))
		case opInTexts:
			if s := st[n.a]; s != Known {
				st[i], num[i] = s, num[n.a]
				continue
			}
			st[i] = truth(slices.Contains(f.p.words[n.c], f.str[n.a]))
		case opMatches:
			if s := st[n.a]; s != Known {
				st[i], num[i] = s, num[n.a]
				continue
			}
			st[i] = truth(f.p.patterns[n.c].MatchString(f.str[n.a]))
		case opAdd, opSubtract, opMultiply:
			f.compute(i, n)
		case opCall:
			f.call(i, n)
		case opLoop:
			f.loop(i, &f.p.loops[n.c])
		case opConst: // set once
		}
	}
}

// logic is [opLogic] of nodes that stand side by side from i on.
func (f *Frame) logic(i int, nodes []inst) {
	st := f.st
	to := st[i : i+len(nodes)]
	for k := range nodes {
		n := &nodes[k]
		a, b := st[n.a], st[n.b]
		s := logicOf[(n.flag<<4|uint8(a)<<2|uint8(b))&127]
		to[k] = s
		if s == Unknown {
			f.num[i+k] = earlier(a, f.num[n.a], b, f.num[n.b])
		}
	}
}

func truth(b bool) State {
	if b {
		return True
	}
	return False
}

// earlier is the first cause of two values of which one is not known at least.
func earlier(a State, why cause, b State, because cause) cause {
	if a != Unknown {
		return because
	}
	if b != Unknown {
		return why
	}
	return min(why, because)
}

// open2 is a value of two of which one is a fault or not known, as == has it: any fault first.
func (f *Frame) open2(i int, a State, why cause, b State, because cause) bool {
	switch {
	case a >= False && b >= False:
		return false
	case a == Fault || b == Fault:
		f.st[i] = Fault
	default:
		f.st[i], f.num[i] = Unknown, earlier(a, why, b, because)
	}
	return true
}

// openLeft is a value of two of which one is a fault or not known, as functions of two have it: the left one first.
func (f *Frame) openLeft(i int, a State, why cause, b State, because cause) bool {
	switch {
	case a >= False && b >= False:
		return false
	case a == Fault || a >= False && b == Fault:
		f.st[i] = Fault
	default:
		f.st[i], f.num[i] = Unknown, earlier(a, why, b, because)
	}
	return true
}

func (f *Frame) copy(i, from int, typ Type) {
	f.st[i], f.num[i] = f.st[from], f.num[from]
	if typ.isText() {
		f.str[i] = f.str[from]
	}
}

func (f *Frame) gate(i int, n *inst) {
	open, why := false, noCause
	for _, r := range f.p.gates[n.c] {
		if f.st[r] == Unknown {
			open, why = true, min(why, f.num[r])
		}
	}
	switch s := f.st[n.a]; {
	case open:
		f.st[i], f.num[i] = Unknown, why
	case s < False:
		f.st[i], f.num[i] = Unknown, noCause
	case n.typ == Number && (f.num[n.a] > maxInt || f.num[n.a] < -maxInt):
		f.st[i], f.num[i] = Unknown, noCause // an INT that JSON does not hold; amounts and dates are far smaller
	default:
		f.copy(i, int(n.a), n.typ)
	}
}

const maxInt = 1<<53 - 1
