package lowered

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/siyiban/onething/forms"
)

// rowOrder is the rank of each row among the paths of its list's cells, which are compared as texts: "[10]." comes
// before "[1].".
func rowOrder() []int32 {
	texts := make([]string, maxRows)
	for i := range texts {
		texts[i] = strconv.Itoa(i) + "]"
	}
	sorted := slices.Sorted(slices.Values(texts))
	order := make([]int32, maxRows)
	for i, text := range texts {
		rank, _ := slices.BinarySearch(sorted, text)
		order[i] = int32(rank)
	}
	return order
}

// maxRows is the most elements that a list of a record has.
const maxRows = 500

func byPath(a, b slotOrder) int { return cmp.Compare(a.text, b.text) }

type slotOrder struct {
	text string
	slot int32
	cell bool
}

// Program is what was built: a tape of nodes, and the slots that they read. It is immutable and safe for concurrent
// use, with a [Frame] for each goroutine.
type Program struct {
	nodes []inst
	outer int // nodes before it are constants
	// The nodes outside of loops, operands first: those that depend on the setting alone, those that depend on one
	// answer beside it, by slot, and the rest.
	setting  []Ref
	local    [][]Ref
	early    []Ref // all of those
	tape     []stretch
	all      []Ref   // every node, for stretches of them
	states   []State // of the constants
	numbers  []int64
	texts    []string
	consts   []int64
	cellAts  []cellAt
	patterns []patternMatcher
	sets     [][]int64
	words    [][]string
	gates    [][]Ref
	loops    []loop
	slots    []slot
	slotIDs  map[forms.Path]int32
	options  map[string]int64
	causes   []cause // by slot
	cells    []int64 // by slot: the cause of its cells, without row and column
	rowRank  []int32
	roots    []root
	rootRefs []Ref
	trials   int
}

// stretch is nodes of one operation that stand side by side.
type stretch struct {
	op         op
	begin, end Ref
}

type patternMatcher interface{ MatchString(string) bool }

// operands calls visit with every node that a node reads, those of the body of a loop included.
func (b *Builder) operands(r Ref, visit func(Ref)) {
	n := &b.nodes[r]
	for _, o := range []Ref{n.a, n.b, n.c} {
		if o != 0 {
			visit(o)
		}
	}
	switch n.op {
	case opGate:
		for _, o := range b.gates[n.k] {
			visit(o)
		}
	case opLoop:
		for _, o := range b.loops[n.k].stages {
			visit(o)
		}
		if v := b.loops[n.k].value; v != 0 {
			visit(v)
		}
	default:
	}
}

// inside reports whether a node stands in the body of a loop, or of one in it.
func (b *Builder) inside(r Ref, loop int32) bool {
	for at := b.nodes[r].region; at != 0; at = b.loops[at].parent {
		if at == loop {
			return true
		}
	}
	return false
}

// levels orders the nodes outside of loops: operands have a lower level.
func (b *Builder) levels() []int32 {
	levels := make([]int32, len(b.nodes))
	var level func(Ref) int32
	level = func(r Ref) int32 {
		if levels[r] != 0 || b.nodes[r].op == opConst {
			return levels[r]
		}
		var highest int32
		b.operands(r, func(o Ref) { highest = max(highest, level(o)) })
		levels[r] = highest + 1
		return levels[r]
	}
	for r := range b.nodes {
		if r > 0 {
			level(Ref(r))
		}
	}
	return levels
}

// instruction shortens a node.
func (p *Program) instruction(b *Builder, n *node) inst {
	i := inst{op: n.op, typ: n.typ, flag: n.flag, a: n.a, b: n.b, c: n.c}
	switch n.op {
	case opField, opGiven, opGate, opInNumbers, opInTexts, opMatches, opLoop:
		i.c = Ref(n.k)
	case opScale, opChosen:
		i.c = Ref(len(p.consts))
		p.consts = append(p.consts, n.k)
	case opCell:
		i.c = Ref(len(p.cellAts))
		p.cellAts = append(p.cellAts, cellAt{slot: int32(n.k >> 16), column: int32(n.k & 0xffff), loop: n.region})
	default:
	}
	return i
}

// What a node depends on, if it is not one slot.
const (
	onNothing = -1 // constants, and what is given with the setting
	onMany    = -2
)

// dependencies returns by node the one slot on which it depends, beside what is given with the setting.
func (b *Builder) dependencies() []int32 {
	on := make([]int32, len(b.nodes))
	known := make([]bool, len(b.nodes))
	join := func(x, y int32) int32 {
		switch {
		case x == onNothing || x == y:
			return y
		case y == onNothing:
			return x
		default:
			return onMany
		}
	}
	var of func(Ref) int32
	of = func(r Ref) int32 {
		if known[r] {
			return on[r]
		}
		slot := int32(onNothing)
		switch n := &b.nodes[r]; {
		case n.op == opField, n.op == opGiven && n.a != 0:
			slot = int32(n.k)
		case n.op == opCell:
			slot = int32(n.k >> 16)
		}
		b.operands(r, func(o Ref) { slot = join(slot, of(o)) })
		on[r], known[r] = slot, true
		return slot
	}
	for r := range b.nodes {
		of(Ref(r))
	}
	return on
}

// Build returns the program of the roots and what they read.
func (b *Builder) Build() *Program {
	b.bodies()
	levels, depends := b.levels(), b.dependencies()
	order := b.needed()
	const constant, early, taped, inLoop = 0, 1, 2, 3
	place := func(r Ref) int {
		switch n := b.nodes[r]; {
		case n.op == opConst:
			return constant
		case n.region != 0:
			return inLoop
		case depends[r] == onMany:
			return taped
		default:
			return early
		}
	}
	slices.SortStableFunc(order, func(x, y Ref) int {
		if c := cmp.Compare(place(x), place(y)); c != 0 || place(x) == constant || place(x) == inLoop {
			return c
		}
		return cmp.Or(cmp.Compare(levels[x], levels[y]), cmp.Compare(b.nodes[x].op, b.nodes[y].op))
	})
	to := make([]Ref, len(b.nodes))
	p := &Program{nodes: make([]inst, 1, len(b.nodes)), outer: 1, states: []State{Unknown}, numbers: []int64{0}, texts: b.texts, sets: b.sets, words: b.words, slots: b.slots,
		slotIDs: maps.Clone(b.slotIDs), options: maps.Clone(b.options), rowRank: rowOrder()}
	p.local = make([][]Ref, len(b.slots))
	for _, pattern := range b.patterns {
		p.patterns = append(p.patterns, pattern)
	}
	for _, r := range order {
		to[r] = Ref(len(p.nodes))
		p.nodes = append(p.nodes, p.instruction(b, &b.nodes[r]))
		switch place(r) {
		case constant:
			p.states, p.numbers = append(p.states, State(b.nodes[r].flag)), append(p.numbers, b.nodes[r].k)
			p.outer = len(p.nodes)
		case early:
			if on := depends[r]; on == onNothing {
				p.setting = append(p.setting, to[r])
			} else {
				p.early, p.local[on] = append(p.early, to[r]), append(p.local[on], to[r])
			}
		case taped:
			if last := len(p.tape) - 1; last >= 0 && p.tape[last].op == b.nodes[r].op {
				p.tape[last].end++
			} else {
				p.tape = append(p.tape, stretch{b.nodes[r].op, to[r], to[r] + 1})
			}
		}
	}
	moved := func(refs []Ref) []Ref {
		all := make([]Ref, len(refs))
		for i, r := range refs {
			all[i] = to[r]
		}
		return all
	}
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.a, n.b = to[n.a], to[n.b]; n.op == opCond {
			n.c = to[n.c]
		}
	}
	for _, g := range b.gates {
		p.gates = append(p.gates, moved(g))
	}
	for _, l := range b.loops {
		l.list, l.stages, l.value, l.body = to[l.list], moved(l.stages), to[l.value], moved(l.body)
		p.loops = append(p.loops, l)
	}
	p.order()
	for i := range p.nodes {
		p.all = append(p.all, Ref(i))
	}
	for _, r := range b.roots {
		at := root{ref: to[r.ref]}
		for _, t := range b.worthTrying(r) {
			cone := b.cone(r, t)
			t.values, t.alike = b.unlike(t, cone)
			cone = slices.DeleteFunc(cone, func(r Ref) bool { return b.nodes[r].region != 0 }) // a loop computes its own
			t.cone, t.id = moved(cone), p.trials
			p.trials++
			slices.Sort(t.cone)
			t.copied = !slices.ContainsFunc(t.cone, func(r Ref) bool { return p.nodes[r].typ.isText() })
			if t.column >= 0 {
				t.cause = p.cells[t.slot] | int64(p.slots[t.slot].cells[t.column].rank)
			} else {
				t.cause = p.causes[t.slot]
			}
			t.whens = moved(t.whens)
			at.trials = append(at.trials, t)
		}
		p.roots, p.rootRefs = append(p.roots, at), append(p.rootRefs, at.ref)
	}
	return p
}

// needed returns the nodes that the roots read, in the order in which they were made.
func (b *Builder) needed() []Ref {
	seen := map[Ref]bool{}
	var visit func(Ref)
	visit = func(r Ref) {
		if !seen[r] {
			seen[r] = true
			b.operands(r, visit)
		}
	}
	for _, r := range b.roots {
		visit(r.ref)
		for _, t := range r.trials {
			for _, w := range t.whens {
				if w != 0 {
					visit(w)
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// bodies gives each loop the nodes of its region that its fold needs. They were made after what they read.
func (b *Builder) bodies() {
	for i := range b.loops {
		l := &b.loops[i]
		if i == 0 {
			continue
		}
		needed := map[Ref]bool{}
		var visit func(Ref)
		visit = func(r Ref) {
			if b.inside(r, l.region) && !needed[r] {
				needed[r] = true
				b.operands(r, visit)
			}
		}
		for _, s := range l.stages {
			visit(s)
		}
		if l.value != 0 {
			visit(l.value)
		}
		for _, r := range slices.Sorted(maps.Keys(needed)) {
			if b.nodes[r].region == l.region {
				l.body = append(l.body, r)
			}
		}
	}
}

// order numbers the causes: greater ones come later in the order of paths.
func (p *Program) order() {
	var all []slotOrder
	for i, s := range p.slots {
		all = append(all, slotOrder{string(s.path), int32(i), false})
		if s.typ == List {
			all = append(all, slotOrder{string(s.path) + "[", int32(i), true})
			ids := make([]string, 0, len(s.cells))
			for _, c := range s.cells {
				ids = append(ids, c.id)
			}
			slices.Sort(ids)
			for j := range s.cells {
				rank, _ := slices.BinarySearch(ids, s.cells[j].id)
				s.cells[j].rank = int32(rank)
			}
		}
	}
	slices.SortFunc(all, byPath)
	p.causes, p.cells = make([]cause, len(p.slots)), make([]int64, len(p.slots))
	for rank, at := range all {
		if at.cell {
			p.cells[at.slot] = int64(rank) << 32
		} else {
			p.causes[at.slot] = int64(rank) << 32
		}
	}
}

func (p *Program) causeOfCell(slot, row, rank int32) cause {
	return p.cells[slot] | int64(p.rowRank[row])<<16 | int64(rank)
}
