package lowered

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Arithmetic never wraps: it gives what whole numbers without end give, or says that it does not fit.
func TestArithmetic(t *testing.T) {
	t.Parallel()
	near := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64, 3037000500}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := near.Draw(t, "a"), near.Draw(t, "b")
		for name, of := range map[string]struct {
			ours func(a, b int64) (int64, bool)
			big  func(z, a, b *big.Int) *big.Int
		}{"+": {plus, (*big.Int).Add}, "-": {minus, (*big.Int).Sub}, "*": {product, (*big.Int).Mul}} {
			want := of.big(new(big.Int), big.NewInt(a), big.NewInt(b))
			got, ok := of.ours(a, b)
			if ok != want.IsInt64() || ok && got != want.Int64() {
				t.Fatalf("%d %s %d is %d (fits: %t), want %s", a, name, b, got, ok, want)
			}
		}
	})
}

// A decimal is held as a whole number of its scale, or not at all: nothing is rounded.
func TestScaled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := decimal.New(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-6, 6).Draw(t, "exponent"))
		scale := rapid.Int32Range(0, maxScale).Draw(t, "scale")
		n, ok := scaled(kind.Decimal{Decimal: d}, int8(scale))
		if back := decimal.New(n, -scale); ok && !back.Equal(d) {
			t.Fatalf("%s at scale %d is held as %d, which is %s", d, scale, n, back)
		}
		if small := d.Abs().LessThan(decimal.New(1, 8)) && d.Exponent() >= -scale && d.NumDigits() < 16; small && !ok {
			t.Fatalf("%s at scale %d is not held", d, scale)
		}
	})
}

// Causes are tried in the order of their paths as texts, in which row 10 comes before row 2 and a list's cells after a
// question whose path is longer by a point.
func TestCauses_InTheOrderOfPaths(t *testing.T) {
	t.Parallel()
	b := NewBuilder()
	yes := &forms.Field{ID: "yes", Kind: kind.KindBool}
	list := &forms.Field{Kind: kind.KindList, Row: []*forms.Field{yes, {ID: "also", Kind: kind.KindBool}}}
	var paths []forms.Path
	for _, p := range []forms.Path{"form.a.b", "form.a", "form.a2", "form.a_c", "own.x", "form.b", "form.ab"} {
		f := yes
		if p == "form.a" || p == "form.b" {
			f = list
		}
		if _, err := b.Slot(p, f); err != nil {
			t.Fatal(err)
		}
		if f == yes {
			paths = append(paths, p)
			continue
		}
		for row := range 30 {
			paths = append(paths, p.CellOf(row, "yes"), p.CellOf(row, "also"))
		}
	}
	p := b.Build()
	of := func(path forms.Path) cause {
		list, row, column, ok := path.Cell()
		if !ok {
			return p.causes[p.slotIDs[path]]
		}
		slot := p.slotIDs[list]
		for _, c := range p.slots[slot].cells {
			if c.id == column {
				return p.causeOfCell(slot, int32(row), c.rank)
			}
		}
		return noCause
	}
	slices.Sort(paths)
	for i := 1; i < len(paths); i++ {
		if of(paths[i-1]) >= of(paths[i]) {
			t.Errorf("%s comes before %s, but is tried after it", paths[i-1], paths[i])
		}
	}
}

// Equal expressions are one node, whoever writes them, and in whichever order && and || are written.
func TestBuilder_SharesNodes(t *testing.T) {
	t.Parallel()
	b := NewBuilder()
	read := func(p forms.Path) Ref {
		slot, err := b.Slot(p, &forms.Field{Kind: kind.KindBool})
		if err != nil {
			t.Fatal(err)
		}
		return b.Field(slot, 0, b.Truth(true), true)
	}
	x, y := read("own.x"), read("own.y")
	for name, two := range map[string][2]Ref{
		"read":     {x, read("own.x")},
		"and":      {b.And(x, y), b.And(y, x)},
		"or":       {b.Or(x, b.Not(y)), b.Or(b.Not(y), x)},
		"not not":  {b.Not(b.Not(x)), x},
		"and true": {b.And(x, b.Truth(true)), x},
		"or true":  {b.Or(x, b.Truth(true)), b.Truth(true)},
	} {
		if two[0] != two[1] {
			t.Errorf("%s: %d and %d", name, two[0], two[1])
		}
	}
	if b.And(x, y) == b.Or(x, y) || b.Or(x, y) == b.Or(x, b.Not(y)) {
		t.Error("different expressions are one node")
	}
}

// What has no lowered form is refused when it is lowered, not when it is run.
func TestBuilder_Refuses(t *testing.T) {
	t.Parallel()
	var many []forms.Option
	for i := range 64 {
		many = append(many, forms.Option{ID: fmt.Sprint("o", i)})
	}
	for name, refused := range map[string]func(b *Builder) error{
		"64 options": func(b *Builder) error {
			_, err := b.Slot("own.a", &forms.Field{Kind: kind.KindChoices, Options: many})
			return err
		},
		"two kinds at one path": func(b *Builder) error {
			if _, err := b.Slot("own.a", &forms.Field{Kind: kind.KindInt}); err != nil {
				t.Error(err)
			}
			_, err := b.Slot("own.a", &forms.Field{Kind: kind.KindDate})
			return err
		},
		"an order of texts": func(b *Builder) error {
			_, err := b.Compare(Less, b.Text("a"), b.Text("b"))
			return err
		},
		"a long decimal": func(b *Builder) error {
			_, err := b.Decimal(kind.Decimal{Decimal: decimal.RequireFromString("0.12345678901")})
			return err
		},
		"an amount beside a number": func(b *Builder) error {
			_, err := b.Compare(Equal, b.Amount(1), b.Number(1))
			return err
		},
		"an amount times an amount": func(b *Builder) error {
			_, err := b.Compute(Multiply, b.Amount(1), b.Amount(1))
			return err
		},
		"a loop over a constant": func(b *Builder) error {
			_, err := b.Loop(b.Number(1))
			return err
		},
	} {
		if err := refused(NewBuilder()); !errors.Is(err, ErrNotLowered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
