package kind

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Money is an amount in fen. Its arithmetic is checked: where the result does not fit, it is false, never
// a wrapped number.
type Money int64

// fenPerYuan is the number of fen in a yuan.
const fenPerYuan = 100

// ParseMoney returns the amount that is written in yuan with at most two digits after the point and at
// most 15 before it, such as "1200.50"; false if it is not so written.
func ParseMoney(yuan string) (Money, bool) {
	m, fault := moneyOf(yuan)
	return m, fault == nil
}

func parseMoney(v any) (Value, *Fault) {
	m, fault := moneyOf(v)
	if fault != nil {
		return nil, fault
	}
	return m, nil
}

func moneyOf(v any) (Money, *Fault) {
	digits, fault := decimalDigits(v, 2)
	if fault != nil {
		return 0, fault
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	fen, err := strconv.ParseInt(whole+(fraction + "00")[:2], 10, 64)
	if err != nil { // not reached: 15 digits and two fit
		return 0, &Fault{Code: TooLarge, Text: "金额过大"}
	}
	return Money(fen), nil
}

// Kind returns KindMoney.
func (Money) Kind() Kind { return KindMoney }

// Equal reports whether v is the same amount.
func (m Money) Equal(v Value) bool { return v == m }

func (Money) isValue() {}

// String returns m in yuan with two digits after the point: "1200.50".
func (m Money) String() string {
	sign, yuan, fen := m.parts()
	return sign + yuan + "." + fen
}

// Format returns m as it stands in a Chinese text: "1,200.00 元".
func (m Money) Format() string {
	sign, yuan, fen := m.parts()
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range []byte(yuan) {
		if i > 0 && (len(yuan)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digit)
	}
	return b.String() + "." + fen + " 元"
}

func (m Money) parts() (sign, yuan, fen string) {
	magnitude := uint64(m)
	if m < 0 {
		sign, magnitude = "-", -magnitude
	}
	rest := strconv.FormatUint(magnitude%fenPerYuan, 10)
	if len(rest) == 1 {
		rest = "0" + rest
	}
	return sign, strconv.FormatUint(magnitude/fenPerYuan, 10), rest
}

// Add returns m + n.
func (m Money) Add(n Money) (Money, bool) {
	sum := m + n
	return sum, (sum > m) == (n > 0)
}

// Sub returns m − n.
func (m Money) Sub(n Money) (Money, bool) {
	difference := m - n
	return difference, (difference < m) == (n > 0)
}

// Mul returns m × n.
func (m Money) Mul(n int64) (Money, bool) {
	return moneyOfBig(new(big.Int).Mul(big.NewInt(int64(m)), big.NewInt(n)))
}

// Percent returns rate percent of m, half up to the fen; a negative amount is rounded as its magnitude is.
func (m Money) Percent(rate Decimal) (Money, bool) {
	// A rate that long comes from no field and no literal; multiplying it out could take for ever.
	if exponent := rate.Exponent(); exponent < -60 || exponent > 60 || rate.NumDigits() > 60 {
		return 0, false
	}
	return moneyOfBig(decimal.NewFromInt(int64(m)).Mul(rate.Decimal).Shift(-2).Round(0).BigInt())
}

// Share returns m × num / den, half up to the fen; a negative amount is rounded as its magnitude is. It is
// false for den 0.
func (m Money) Share(num, den int64) (Money, bool) {
	if den == 0 {
		return 0, false
	}
	return quotient(new(big.Int).Mul(big.NewInt(int64(m)), big.NewInt(num)), big.NewInt(den))
}

// RoundYuan returns m in whole yuan, half up; a negative amount is rounded as its magnitude is.
func (m Money) RoundYuan() (Money, bool) {
	yuan, _ := quotient(big.NewInt(int64(m)), big.NewInt(fenPerYuan))
	return yuan.Mul(fenPerYuan)
}

// FloorYuan returns m in whole yuan, rounded down.
func (m Money) FloorYuan() (Money, bool) {
	yuan := m / fenPerYuan
	if m%fenPerYuan < 0 {
		yuan--
	}
	return yuan.Mul(fenPerYuan)
}

// quotient returns a / b, half up by magnitude.
func quotient(a, b *big.Int) (Money, bool) {
	negative := a.Sign()*b.Sign() < 0
	a, b = new(big.Int).Abs(a), new(big.Int).Abs(b)
	q := a.Lsh(a, 1).Add(a, b)
	q.Quo(q, new(big.Int).Lsh(b, 1))
	if negative {
		q.Neg(q)
	}
	return moneyOfBig(q)
}

func moneyOfBig(n *big.Int) (Money, bool) {
	if !n.IsInt64() {
		return 0, false
	}
	return Money(n.Int64()), true
}
