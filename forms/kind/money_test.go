package kind

import (
	"math"
	"math/big"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestMoneyForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		money          Money
		plain, printed string
	}{
		{0, "0.00", "0.00 元"},
		{5, "0.05", "0.05 元"},
		{-5, "-0.05", "-0.05 元"},
		{99999, "999.99", "999.99 元"},
		{120000, "1200.00", "1,200.00 元"},
		{-123456789, "-1234567.89", "-1,234,567.89 元"},
		{math.MaxInt64, "92233720368547758.07", "92,233,720,368,547,758.07 元"},
		{math.MinInt64, "-92233720368547758.08", "-92,233,720,368,547,758.08 元"},
	}
	for _, test := range tests {
		if test.money.String() != test.plain || test.money.Format() != test.printed {
			t.Errorf("%d fen: %s, %s; want %s, %s", int64(test.money), test.money, test.money.Format(), test.plain, test.printed)
		}
	}
}

func TestParseMoney(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Money{"1200.50": 120050, "850": 85000, "0.1": 10, "-3.07": -307, "007.500": 750, "-0": 0} {
		if got, ok := ParseMoney(s); !ok || got != want {
			t.Errorf("%q is %s, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "-", "1.005", "1,200.00", "1 200", "１", "1e2", "NaN", "--1", "1.2.3", "1000000000000000"} {
		if got, ok := ParseMoney(s); ok {
			t.Errorf("%q is accepted as %s", s, got)
		}
	}
}

func TestMoneyShares(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		got  func() (Money, bool)
		want Money
		ok   bool
	}{
		{"half a fen goes up", func() (Money, bool) { return Money(1).Share(1, 2) }, 1, true},
		{"less than half goes down", func() (Money, bool) { return Money(100).Share(1, 3) }, 33, true},
		{"two thirds", func() (Money, bool) { return Money(100).Share(2, 3) }, 67, true},
		{"two thirds of 1350 yuan", func() (Money, bool) { return Money(135000).Share(2, 3) }, 90000, true},
		{"a negative half is rounded as its magnitude", func() (Money, bool) { return Money(-1).Share(1, 2) }, -1, true},
		{"a negative denominator", func() (Money, bool) { return Money(1).Share(1, -2) }, -1, true},
		{"nothing to share by", func() (Money, bool) { return Money(1).Share(1, 0) }, 0, false},
		{"a share beyond the range", func() (Money, bool) { return Money(math.MaxInt64).Share(3, 2) }, 0, false},
		{"a share through a product beyond the range", func() (Money, bool) { return Money(math.MaxInt64).Share(4, 4) }, math.MaxInt64, true},
		{"eight percent of the base", func() (Money, bool) { return Money(495240).Percent(dec("8")) }, 39619, true},
		{"one and a half percent", func() (Money, bool) { return Money(100).Percent(dec("1.5")) }, 2, true},
		{"a negative percentage", func() (Money, bool) { return Money(100).Percent(dec("-1.5")) }, -2, true},
		{"a percentage beyond the range", func() (Money, bool) { return Money(math.MaxInt64).Percent(dec("101")) }, 0, false},
		{"a rate with an absurd exponent", func() (Money, bool) { return Money(1).Percent(Decimal{decimal.New(1, 1_000_000_000)}) }, 0, false},
		{"a rate with an absurd scale", func() (Money, bool) { return Money(1).Percent(Decimal{decimal.New(1, -1_000_000_000)}) }, 0, false},
		{"round up", Money(150).RoundYuan, 200, true},
		{"round down", Money(149).RoundYuan, 100, true},
		{"round a negative half", Money(-150).RoundYuan, -200, true},
		{"round beyond the range", Money(math.MinInt64 + 1).RoundYuan, -9223372036854775800, true},
		{"floor", Money(199).FloorYuan, 100, true},
		{"floor a negative amount", Money(-101).FloorYuan, -200, true},
		{"floor a negative yuan", Money(-200).FloorYuan, -200, true},
		{"floor beyond the range", Money(math.MinInt64).FloorYuan, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := test.got(); ok != test.ok || got != test.want {
				t.Errorf("got %d, %v, want %d, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

// The operators against exact arithmetic.
func TestMoneyIsChecked(t *testing.T) {
	t.Parallel()
	edges := rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64})
	amounts := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1e6, 1e6), edges)
	rapid.Check(t, func(t *rapid.T) {
		a, b := amounts.Draw(t, "a"), amounts.Draw(t, "b")
		x, y := big.NewInt(a), big.NewInt(b)
		check := func(operation string, want *big.Int, got Money, ok bool) {
			if ok != want.IsInt64() || ok && int64(got) != want.Int64() {
				t.Fatalf("%s: %d, %v; want %s", operation, int64(got), ok, want)
			}
		}
		m, n := Money(a), Money(b)
		sum, ok := m.Add(n)
		check("add", new(big.Int).Add(x, y), sum, ok)
		difference, ok := m.Sub(n)
		check("sub", new(big.Int).Sub(x, y), difference, ok)
		product, ok := m.Mul(b)
		check("mul", new(big.Int).Mul(x, y), product, ok)
		if share, ok := m.Share(b, b); b != 0 && (!ok || share != m) {
			t.Fatalf("the whole share of %s is %s", m, share)
		}
		if all, ok := m.Percent(dec("100")); !ok || all != m {
			t.Fatalf("100 %% of %s is %s", m, all)
		}
	})
}
