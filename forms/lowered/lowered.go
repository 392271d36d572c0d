// Package lowered holds the expressions of many bundles as one flat program over typed slots, and runs it over a
// record without allocating. Rules (CEL) and formulas (expr) are translated into it by their own packages; what does
// not fit is refused with [ErrNotLowered] and stays with cel-go and expr, which are the reference: the tests of
// forms/rule, forms/formula and engine/sieve hold that both give the same answers.
//
// Equal parts of different bundles are one node. Every node is computed once for a record, in the order of the tape:
// operands come before what reads them, and nodes of one operation stand side by side, so that the loop that runs them
// branches as it did for the node before.
package lowered

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// ErrNotLowered says that an expression has no lowered form.
var ErrNotLowered = errors.New("lowered: the expression has no lowered form")

// Unsupported returns [ErrNotLowered] with what it is that has none.
func Unsupported(what string) error { return fmt.Errorf("%w: %s", ErrNotLowered, what) }

// State is what is known of a value: a BOOL is [Unknown], [Fault], [False] or [True], every other one Unknown, Fault or
// [Known].
type State uint8

// The states of a value. A Fault is a blank that was read or a result out of range; what stands beside it may decide
// all the same, as in `has(x) && x > 1`.
const (
	Unknown State = iota
	Fault
	False
	True
	Known = True
)

// Type is how a value is held.
type Type uint8

// The types. A Number is an INT, a day of a DATE (see [Day]), an option of a CHOICE; an Amount is a MONEY in fen; a
// Decimal has a scale that is known when it is lowered.
const (
	Bool Type = iota + 1
	Number
	Amount
	Decimal
	Options // CHOICES: a bit for each option
	File    // only whether it is there
	List
	Text    // also a citizen number, a region
	Address // only its region
)

// isText reports whether values are held as texts.
func (t Type) isText() bool { return t >= Text }

// TypeOf is how values of a kind are held.
func TypeOf(k kind.Kind) Type {
	switch k {
	case kind.KindBool:
		return Bool
	case kind.KindInt, kind.KindDate, kind.KindChoice:
		return Number
	case kind.KindMoney:
		return Amount
	case kind.KindDecimal:
		return Decimal
	case kind.KindChoices:
		return Options
	case kind.KindFile:
		return File
	case kind.KindList:
		return List
	case kind.KindAddress:
		return Address
	default:
		return Text
	}
}

// Day is a date as a Number. Later days are greater.
func Day(d kind.Date) int64 { return int64(d.Year)<<9 | int64(d.Month)<<5 | int64(d.Day) }

// Ref is a node of a [Builder]. The zero Ref is none.
type Ref int32

// cause is the first answer, in the order of paths, that can be tried for what is not known. The order is that of the
// causes of forms/rule.
type cause = int64

// noCause is greater than every cause.
const noCause cause = math.MaxInt64

// node is one operation. What a, b, c and k are is said at the operations.
type node struct {
	op      op
	typ     Type
	flag    uint8
	scale   int8
	a, b, c Ref
	k       int64
	region  int32 // the loop in whose body it stands; 0: none
}

// Builder puts nodes together. It is used by one goroutine.
type Builder struct {
	nodes    []node
	memo     map[node]Ref
	texts    []string
	textIDs  map[string]int64
	patterns []*regexp.Regexp
	sets     [][]int64
	words    [][]string
	gates    [][]Ref
	loops    []loop
	slots    []slot
	slotIDs  map[forms.Path]int32
	options  map[string]int64 // numbers of options, over all questions
	roots    []root
}

// NewBuilder returns a builder without nodes.
func NewBuilder() *Builder {
	return &Builder{nodes: make([]node, 1), loops: make([]loop, 1), memo: map[node]Ref{}, textIDs: map[string]int64{}, slotIDs: map[forms.Path]int32{}, options: map[string]int64{}}
}

// slot is where a record's answer, or another value from outside, is put.
type slot struct {
	path  forms.Path
	typ   Type
	kind  kind.Kind
	scale int8
	bits  map[string]int64 // of Options: the bit of each
	cells []cellSlot       // of List
}

// cellSlot is a column of a list.
type cellSlot struct {
	id    string
	typ   Type
	kind  kind.Kind
	scale int8
	bits  map[string]int64
	rank  int32
}

// minScale is the least scale of a DECIMAL: that of fields that give none.
const minScale = 2

// maxScale bounds the scale of what is computed, so that an int64 holds more than what a form asks for.
const maxScale = 9

// Slot returns where values of a path are put. The same path is the same slot; its field may differ between bundles in
// its options only.
func (b *Builder) Slot(path forms.Path, f *forms.Field) (int32, error) {
	if id, ok := b.slotIDs[path]; ok {
		return id, b.widen(&b.slots[id], f)
	}
	s := slot{path: path, kind: f.Kind, typ: TypeOf(f.Kind), scale: int8(max(f.Scale, minScale)), bits: map[string]int64{}}
	id := int32(len(b.slots))
	b.slots = append(b.slots, s)
	b.slotIDs[path] = id
	return id, b.widen(&b.slots[id], f)
}

// widen adds what another bundle has at the same path: options, columns.
func (b *Builder) widen(s *slot, f *forms.Field) error {
	if s.kind != f.Kind || int(s.scale) != max(f.Scale, minScale) {
		return Unsupported("two kinds of field at " + string(s.path))
	}
	b.number(f.Options)
	switch s.typ {
	case Options:
		return widenBits(s.bits, f.Options)
	case List:
		for _, cell := range f.Row {
			b.number(cell.Options)
			i := slices.IndexFunc(s.cells, func(c cellSlot) bool { return c.id == cell.ID })
			if i < 0 {
				i = len(s.cells)
				s.cells = append(s.cells, cellSlot{id: cell.ID, typ: TypeOf(cell.Kind), kind: cell.Kind, scale: int8(max(cell.Scale, minScale)), bits: map[string]int64{}})
			}
			if s.cells[i].kind != cell.Kind {
				return Unsupported("two kinds of cell at " + string(s.path))
			}
			if err := widenBits(s.cells[i].bits, cell.Options); err != nil {
				return err
			}
		}
	default:
	}
	return nil
}

func (b *Builder) number(options []forms.Option) {
	for _, o := range options {
		b.option(o.ID)
	}
}

func widenBits(bits map[string]int64, options []forms.Option) error {
	for _, o := range options {
		if _, ok := bits[o.ID]; !ok {
			bits[o.ID] = 1 << len(bits)
		}
	}
	if len(bits) > 63 {
		return Unsupported("a question with more than 63 options")
	}
	return nil
}

// option is the number of an option, the same in every question.
func (b *Builder) option(id string) int64 {
	n, ok := b.options[id]
	if !ok {
		n = int64(len(b.options)) + 1
		b.options[id] = n
	}
	return n
}

// add returns the node; one that is there already is not made again.
func (b *Builder) add(n node) Ref {
	for _, operand := range []Ref{n.a, n.b, n.c} {
		n.region = max(n.region, b.nodes[operand].region)
	}
	if r, ok := b.memo[n]; ok {
		return r
	}
	r := Ref(len(b.nodes))
	b.nodes = append(b.nodes, n)
	b.memo[n] = r
	return r
}

// Type returns the type of a node.
func (b *Builder) Type(r Ref) Type { return b.nodes[r].typ }

// Constant reports whether a node is written out.
func (b *Builder) Constant(r Ref) bool { return b.nodes[r].op == opConst }
