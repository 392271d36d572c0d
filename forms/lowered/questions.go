package lowered

import (
	"slices"

	"github.com/siyiban/onething/forms"
)

// Root is a condition of which [Frame.Truth] is asked.
type Root int32

// Answer is one that can be tried for a question: an option of a CHOICE where When may hold, or a yes or no.
type Answer struct {
	Option string
	When   Ref // zero: always offered
}

// Trial is a question whose answers can be tried where they are not known: a BOOL or CHOICE of the form, or a column
// of a list.
type Trial struct {
	Path    forms.Path
	Column  string   // of a list
	Answers []Answer // of a CHOICE, in the order of its options; none: yes or no
	Element bool     // which answers there are follows from the element: not tried, the frame is lost
}

type root struct {
	ref    Ref
	trials []trialOf
}

type trialOf struct {
	slot    int32
	column  int32 // -1: the slot itself
	cause   cause // of a column: without the row
	values  []int64
	whens   []Ref // by value, nil if every answer is always offered
	count   int   // of the answers
	alike   int   // the value that stands for all answers that are not in values
	cone    []Ref // nodes of the root that the answer can change, operands first
	copied  bool  // the cone holds no texts
	trouble bool  // cannot be tried here
	id      int   // among all
}

// Root makes a condition of a node; trials are the questions of its bundle.
func (b *Builder) Root(r Ref, trials []Trial) Root {
	var all []trialOf
	for _, t := range trials {
		id, ok := b.slotIDs[t.Path]
		if !ok {
			continue
		}
		of := trialOf{slot: id, column: -1}
		if t.Column != "" {
			of.column = int32(slices.IndexFunc(b.slots[id].cells, func(c cellSlot) bool { return c.id == t.Column }))
		}
		for _, a := range t.Answers {
			of.values, of.whens = append(of.values, b.option(a.Option)), append(of.whens, a.When)
		}
		if len(t.Answers) == 0 {
			of.values = []int64{int64(True), int64(False)}
		}
		of.count = len(of.values)
		of.trouble = t.Element || of.count > maxTried
		if !slices.ContainsFunc(of.whens, func(w Ref) bool { return w != 0 }) {
			of.whens = nil
		}
		all = append(all, of)
	}
	b.roots = append(b.roots, root{ref: r, trials: b.reached(r, all)})
	return Root(len(b.roots) - 1)
}

// reached returns the trials of questions that a node depends on, or which options of those are offered.
func (b *Builder) reached(r Ref, all []trialOf) []trialOf {
	reached := make([]bool, len(all))
	seen := map[Ref]bool{}
	var visit func(Ref)
	visit = func(at Ref) {
		if seen[at] {
			return
		}
		seen[at] = true
		for i, t := range all {
			n := &b.nodes[at]
			if reached[i] || n.flag&flagTriable == 0 || n.op != opField && n.op != opCell ||
				n.op == opField && (t.column >= 0 || int32(n.k) != t.slot) || n.op == opCell && (int32(n.k>>16) != t.slot || int32(n.k&0xffff) != t.column) {
				continue
			}
			reached[i] = true
			for _, w := range t.whens {
				if w != 0 {
					visit(w)
				}
			}
		}
		b.operands(at, visit)
	}
	visit(r)
	var some []trialOf
	for i, t := range all {
		if reached[i] {
			some = append(some, t)
		}
	}
	return some
}

// maxTried bounds the answers that are tried for one condition, as the guide does.
const maxTried = 64

// cone returns the nodes below a root, and below what says which answers are offered, that depend on a question; those
// in the bodies of loops too.
func (b *Builder) cone(r root, t trialOf) []Ref {
	depends := map[Ref]bool{}
	var visit func(Ref) bool
	visit = func(at Ref) bool {
		if d, seen := depends[at]; seen {
			return d
		}
		yes := b.asks(at, t)
		b.operands(at, func(o Ref) { yes = visit(o) || yes })
		depends[at] = yes
		return yes
	}
	visit(r.ref)
	for _, other := range r.trials {
		for _, w := range other.whens {
			if w != 0 {
				visit(w)
			}
		}
	}
	var cone []Ref
	for at, d := range depends {
		if d {
			cone = append(cone, at)
		}
	}
	return cone
}

// unlike returns the answers that can differ: where a choice is only compared with options, all that are not named come
// to the same, and one of them is enough.
func (b *Builder) unlike(t trialOf, cone []Ref) (values []int64, alike int) {
	named := map[int64]bool{}
	for _, r := range cone {
		n, reads := &b.nodes[r], false
		b.operands(r, func(o Ref) { reads = reads || b.asks(o, t) })
		switch {
		case !reads, n.op == opGate && !b.asks(n.a, t): // a formula only looks whether there is an answer
		case n.op == opEqual && b.Constant(n.a):
			named[b.nodes[n.a].k] = true
		case n.op == opEqual && b.Constant(n.b):
			named[b.nodes[n.b].k] = true
		default:
			return t.values, -1
		}
	}
	if t.column >= 0 || t.whens != nil || len(named) == 0 {
		return t.values, -1
	}
	alike = -1
	for _, v := range t.values {
		switch {
		case named[v]:
			values = append(values, v)
		case alike < 0:
			alike = len(values)
			values = append(values, v)
		}
	}
	return values, alike
}

// asks reports whether a node reads the answer to a question.
func (b *Builder) asks(at Ref, t trialOf) bool {
	switch n := &b.nodes[at]; n.op {
	case opField:
		return t.column < 0 && int32(n.k) == t.slot
	case opCell:
		return int32(n.k>>16) == t.slot && int32(n.k&0xffff) == t.column
	default:
		return false
	}
}

// worthTrying returns the questions of a root if trying them can decide it. It cannot where every question is read
// once, and nothing but &&, || and ! lies between: then each answer of each can be undone by none of the others, and
// three-valued logic has said all that there is to say.
func (b *Builder) worthTrying(r root) []trialOf {
	reads, asks := make([]int, len(r.trials)), map[Ref]bool{}
	for _, t := range r.trials {
		for _, at := range b.cone(r, t) {
			asks[at] = true
		}
	}
	var visit func(at Ref, plain bool) bool
	visit = func(at Ref, plain bool) bool { // false: trying can decide
		if !asks[at] {
			return true
		}
		for i, t := range r.trials {
			if b.asks(at, t) {
				if reads[i]++; reads[i] > 1 || !plain || len(t.values) < 2 || t.trouble {
					return false
				}
				for _, w := range t.whens {
					if w != 0 {
						return false
					}
				}
			}
		}
		switch n := &b.nodes[at]; n.op {
		case opLogic, opNot, opGuarded:
		case opEqual:
			plain = plain && (b.Constant(n.a) || b.Constant(n.b)) && (b.nodes[n.a].op == opField || b.nodes[n.b].op == opField)
		case opDerived:
			plain = plain && n.a == 0
		default:
			plain = false
		}
		decided := true
		b.operands(at, func(o Ref) { decided = decided && visit(o, plain) })
		return decided
	}
	if len(r.trials) == 0 || visit(r.ref, true) {
		return nil
	}
	return r.trials
}
