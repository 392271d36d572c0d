package lowered

import (
	"regexp"
	"slices"

	"github.com/siyiban/onething/forms/kind"
)

// Constants.

// Truth is a constant yes or no.
func (b *Builder) Truth(v bool) Ref {
	n := node{op: opConst, typ: Bool, flag: uint8(False)}
	if v {
		n.flag = uint8(True)
	}
	return b.add(n)
}

// Number is a constant number, or a [Day].
func (b *Builder) Number(v int64) Ref {
	return b.add(node{op: opConst, typ: Number, flag: uint8(Known), k: v})
}

// Amount is a constant amount of money.
func (b *Builder) Amount(v kind.Money) Ref {
	return b.add(node{op: opConst, typ: Amount, flag: uint8(Known), k: int64(v)})
}

// Decimal is a constant decimal number.
func (b *Builder) Decimal(d kind.Decimal) (Ref, error) {
	scale := max(0, -d.Exponent())
	if scale > maxScale || d.NumDigits()+int(max(0, d.Exponent())) > 17 {
		return 0, Unsupported("a decimal number of many digits")
	}
	n, ok := scaled(d, int8(scale))
	if !ok {
		return 0, Unsupported("a decimal number of many digits")
	}
	return b.add(node{op: opConst, typ: Decimal, flag: uint8(Known), scale: int8(scale), k: n}), nil
}

// Text is a constant text.
func (b *Builder) Text(v string) Ref {
	id, ok := b.textIDs[v]
	if !ok {
		id = int64(len(b.texts))
		b.texts = append(b.texts, v)
		b.textIDs[v] = id
	}
	return b.add(node{op: opConst, typ: Text, flag: uint8(Known), k: id})
}

// Option is a constant choice.
func (b *Builder) Option(id string) Ref { return b.Number(b.option(id)) }

// Reads.

// Field is what a form says of an answer: hidden or blank it is a Fault (an empty list, no options), not answered it is
// Unknown. It is shown, and has to be answered, where those conditions hold; zero: always shown, and never required.
func (b *Builder) Field(slot int32, shown, required Ref, triable bool) Ref {
	s := b.slots[slot]
	n := node{op: opField, typ: s.typ, scale: s.scale, a: shown, b: required, k: int64(slot), flag: flag(triable)}
	if n.typ != Decimal {
		n.scale = 0
	}
	return b.add(n)
}

const flagTriable = 1

func flag(triable bool) uint8 {
	if triable {
		return flagTriable
	}
	return 0
}

// Given is a value from outside that is never asked for: a fact, a parameter, today. It is unknown while who it is
// about is, which may be zero.
func (b *Builder) Given(slot int32, about Ref) Ref {
	s := b.slots[slot]
	n := node{op: opGiven, typ: s.typ, scale: s.scale, a: about, k: int64(slot)}
	if n.typ != Decimal {
		n.scale = 0
	}
	return b.add(n)
}

// Derived is a computed value, where it is shown. A named condition that cannot be judged is not known, for no cause
// that can be asked.
func (b *Builder) Derived(shown, value Ref) Ref {
	if b.nodes[value].typ == Bool {
		value = b.guarded(value)
	}
	v := b.nodes[value]
	return b.add(node{op: opDerived, typ: v.typ, scale: v.scale, a: shown, b: value})
}

// guarded is a condition of which a fault is not known, for no cause that can be asked.
func (b *Builder) guarded(r Ref) Ref {
	if n := b.nodes[r]; n.op == opGuarded || n.op == opGate || n.op == opConst && State(n.flag) != Fault {
		return r
	}
	return b.add(node{op: opGuarded, typ: Bool, a: r})
}

// Logic, as CEL has it.

// And is a && b.
func (b *Builder) And(x, y Ref) Ref {
	switch {
	case x == y:
		return x
	case b.isConst(x, True):
		return y
	case b.isConst(y, True):
		return x
	case b.isConst(x, False), b.isConst(y, False):
		return b.Truth(false)
	}
	return b.logic(0, x, y)
}

// Or is a || b.
func (b *Builder) Or(x, y Ref) Ref {
	switch {
	case x == y:
		return x
	case b.isConst(x, False):
		return y
	case b.isConst(y, False):
		return x
	case b.isConst(x, True), b.isConst(y, True):
		return b.Truth(true)
	}
	return b.logic(logicOr, x, y)
}

// logic is && or || of two conditions that may be negated, in an order that makes equal ones one node.
func (b *Builder) logic(flag uint8, x, y Ref) Ref {
	if x > y {
		x, y = y, x
	}
	if n := b.nodes[x]; n.op == opNot {
		x, flag = n.a, flag|logicNotA
	}
	if n := b.nodes[y]; n.op == opNot {
		y, flag = n.a, flag|logicNotB
	}
	return b.add(node{op: opLogic, typ: Bool, a: x, b: y, flag: flag})
}

const (
	logicNotA = 1 << iota
	logicNotB
	logicOr
)

func (b *Builder) isConst(r Ref, s State) bool {
	return b.nodes[r].op == opConst && b.nodes[r].typ == Bool && State(b.nodes[r].flag) == s
}

// Not is !a.
func (b *Builder) Not(x Ref) Ref {
	switch n := b.nodes[x]; {
	case n.op == opNot:
		return n.a
	case b.isConst(x, True):
		return b.Truth(false)
	case b.isConst(x, False):
		return b.Truth(true)
	}
	return b.add(node{op: opNot, typ: Bool, a: x})
}

// Cond is c ? x : y.
func (b *Builder) Cond(c, x, y Ref) (Ref, error) {
	switch {
	case b.isConst(c, True):
		return x, nil
	case b.isConst(c, False):
		return y, nil
	}
	var err error
	if b.Type(x) == List {
		return 0, Unsupported("a choice between lists")
	}
	if b.Type(x) == Decimal {
		if x, y, err = b.align(x, y); err != nil {
			return 0, err
		}
	}
	n := b.nodes[x]
	return b.add(node{op: opCond, typ: n.typ, scale: n.scale, a: c, b: x, c: y}), nil
}

// Strict is body, unless value is a fault or unknown: what `let` needs.
func (b *Builder) Strict(value, body Ref) Ref {
	if b.nodes[value].op == opConst {
		return body
	}
	n := b.nodes[body]
	return b.add(node{op: opStrict, typ: n.typ, scale: n.scale, a: value, b: body})
}

// SeqAnd and SeqOr are && and || as formulas have them: from left to right, and a fault on the left is one.
func (b *Builder) SeqAnd(x, y Ref) Ref { return b.add(node{op: opSeqAnd, typ: Bool, a: x, b: y}) }

// SeqOr is || of formulas.
func (b *Builder) SeqOr(x, y Ref) Ref { return b.add(node{op: opSeqOr, typ: Bool, a: x, b: y}) }

// Gate is a formula: not known while anything that it reads is not, nor if it cannot be computed.
func (b *Builder) Gate(reads []Ref, body Ref) Ref {
	n := b.nodes[body]
	k := slices.IndexFunc(b.gates, func(other []Ref) bool { return slices.Equal(other, reads) })
	if k < 0 {
		k = len(b.gates)
		b.gates = append(b.gates, slices.Clone(reads))
	}
	g := node{op: opGate, typ: n.typ, scale: n.scale, a: body, k: int64(k)}
	for _, r := range reads {
		g.region = max(g.region, b.nodes[r].region)
	}
	return b.add(g)
}

// Has is has(x) of what was read.
func (b *Builder) Has(x Ref) Ref { return b.add(node{op: opHas, typ: Bool, a: x}) }

// Present is has(x) in a formula, where everything that is read is known or blank.
func (b *Builder) Present(x Ref) (Ref, error) {
	if b.Type(x) == Options || b.Type(x) == List { // blank, and none chosen, are held alike
		return 0, Unsupported("has of this kind")
	}
	return b.add(node{op: opPresent, typ: Bool, a: x}), nil
}

// Comparisons.

// Comparison is an operator between two values.
type Comparison uint8

// The comparisons.
const (
	Equal Comparison = iota
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
)

// Compare compares two values of one type, or a decimal with a whole number.
func (b *Builder) Compare(c Comparison, x, y Ref) (Ref, error) {
	var err error
	switch b.Type(x) {
	case Bool:
		if c > NotEqual {
			return 0, Unsupported("an order of yes and no")
		}
		return b.add(node{op: opSame, typ: Bool, a: x, b: y, flag: uint8(c)}), nil
	case Text:
		if c > NotEqual {
			return 0, Unsupported("an order of texts")
		}
		if b.Type(y) != Text {
			return 0, Unsupported("a comparison")
		}
		return b.add(node{op: opEqualText + op(c), typ: Bool, a: x, b: y}), nil
	case Decimal:
		if x, y, err = b.align(x, y); err != nil {
			return 0, err
		}
	case Number, Amount:
		if b.Type(y) != b.Type(x) {
			return 0, Unsupported("a comparison")
		}
	default:
		return 0, Unsupported("a comparison")
	}
	// cel-go looks at both sides of == and != before it says that one is not known, of < and the like at the left one.
	return b.add(node{op: opEqual + op(c), typ: Bool, a: x, b: y}), nil
}

// align gives two decimal numbers, or one and a whole number, the same scale.
func (b *Builder) align(x, y Ref) (Ref, Ref, error) {
	scale := max(b.nodes[x].scale, b.nodes[y].scale)
	for _, r := range []*Ref{&x, &y} {
		n := b.nodes[*r]
		if n.typ != Decimal && n.typ != Number {
			return 0, 0, Unsupported("a decimal number beside something else")
		}
		if n.typ == Decimal && n.scale == scale {
			continue
		}
		factor := power(scale - n.scale)
		if n.op == opConst {
			v, ok := product(n.k, factor)
			if !ok {
				return 0, 0, Unsupported("a decimal number of many digits")
			}
			*r = b.add(node{op: opConst, typ: Decimal, flag: uint8(Known), scale: scale, k: v})
			continue
		}
		*r = b.add(node{op: opScale, typ: Decimal, scale: scale, a: *r, k: factor})
	}
	return x, y, nil
}

func power(n int8) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// Chosen is whether an option of CHOICES is chosen; of a CHOICE, compare with [Builder.Option].
func (b *Builder) Chosen(x Ref, id string) (Ref, error) {
	n := b.nodes[x]
	var bits map[string]int64
	switch n.op {
	case opField:
		bits = b.slots[n.k].bits
	case opCell:
		bits = b.slots[n.k>>16].cells[n.k&0xffff].bits
	default:
		return 0, Unsupported("an option of what is not an answer")
	}
	bit, ok := bits[id]
	if !ok {
		return 0, Unsupported("an option that is not there")
	}
	return b.add(node{op: opChosen, typ: Bool, a: x, k: bit}), nil
}

// In is whether a value is one of constants.
func (b *Builder) In(x Ref, all []Ref) (Ref, error) {
	var set []int64
	var words []string
	for _, r := range all {
		n := b.nodes[r]
		if n.op != opConst || n.typ != b.Type(x) {
			return 0, Unsupported("a list of what is not constant")
		}
		if n.typ == Text {
			words = append(words, b.texts[n.k])
		} else {
			set = append(set, n.k)
		}
	}
	switch b.Type(x) {
	case Number, Amount:
		b.sets = append(b.sets, set)
		return b.add(node{op: opInNumbers, typ: Bool, a: x, k: int64(len(b.sets) - 1)}), nil
	case Text:
		b.words = append(b.words, words)
		return b.add(node{op: opInTexts, typ: Bool, a: x, k: int64(len(b.words) - 1)}), nil
	default:
		return 0, Unsupported("a list of this kind")
	}
}

// Arithmetic.

// Arithmetic is +, - or *.
type Arithmetic uint8

// The operations.
const (
	Add Arithmetic = iota
	Subtract
	Multiply
)

// Compute adds, subtracts or multiplies two numbers, or amounts, or an amount by a number; a result out of the range of
// its kind is a Fault.
func (b *Builder) Compute(o Arithmetic, x, y Ref) (Ref, error) {
	n := node{op: opAdd + op(o), typ: b.Type(x), a: x, b: y}
	switch tx, ty := b.Type(x), b.Type(y); {
	case tx == Decimal && o == Multiply && (ty == Decimal || ty == Number):
		n.scale = b.nodes[x].scale + b.nodes[y].scale
		if n.scale > maxScale {
			return 0, Unsupported("a product of many decimals")
		}
	case tx == Decimal:
		var err error
		if n.a, n.b, err = b.align(x, y); err != nil {
			return 0, err
		}
		n.scale = b.nodes[n.a].scale
	case tx == Number && ty == Number:
	case tx == Number && ty == Amount && o == Multiply:
		n.typ, n.a, n.b = Amount, y, x
	case tx == Amount && (ty == Amount && o != Multiply || ty == Number && o == Multiply):
	default:
		return 0, Unsupported("arithmetic of this kind")
	}
	return b.add(n), nil
}

// Function is a function of one or two values.
type Function uint8

// The functions of the language, those of days with the second argument a number or another day.
const (
	AddDays Function = iota
	AddMonths
	AddYears
	DaysBetween
	MonthsBetween
	YearsBetween
	Age
	AgeLate
	AddWorkingDays
	WorkingDaysBetween
	YearOf
	MonthOf
	DayOf
	FirstOfMonth
	LastOfMonth
	BirthDate
	Female
	Within
	StartsWith
	EndsWith
	Contains
	Runes
	Chosens
	Length
	Div
	Smaller
	Larger
)

// Call is a function of one or two values; the second may be zero.
func (b *Builder) Call(f Function, x, y Ref) (Ref, error) {
	n := node{op: opCall, typ: Number, flag: uint8(f), a: x, b: y}
	switch f {
	case Female, Within, StartsWith, EndsWith, Contains:
		n.typ = Bool
	case Smaller, Larger:
		n.typ = b.Type(x)
		if n.typ == Decimal {
			var err error
			if n.a, n.b, err = b.align(x, y); err != nil {
				return 0, err
			}
			n.scale = b.nodes[n.a].scale
		} else if n.typ != Number && n.typ != Amount || b.Type(y) != n.typ {
			return 0, Unsupported("the least of this kind")
		}
	default:
	}
	return b.add(n), nil
}

// Matches is whether a text matches a pattern.
func (b *Builder) Matches(x Ref, pattern string) (Ref, error) {
	p, err := regexp.Compile(pattern)
	if err != nil || b.Type(x) != Text {
		return 0, Unsupported("a pattern")
	}
	k := slices.IndexFunc(b.patterns, func(other *regexp.Regexp) bool { return other.String() == pattern })
	if k < 0 {
		k = len(b.patterns)
		b.patterns = append(b.patterns, p)
	}
	return b.add(node{op: opMatches, typ: Bool, a: x, k: int64(k)}), nil
}
