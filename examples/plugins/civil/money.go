package civil

import (
	"errors"
	"math/bits"
)

// ErrDecimal says that a text is no plain decimal number of the wanted number of digits.
var ErrDecimal = errors.New("civil: no decimal number of this many digits")

// Share is a×b/of, rounded once, half up, to a whole number. The product may exceed 64 bits; a and b must not be
// negative, of must be positive, and the share must fit 63 bits: the callers' bounds see to it.
func Share(a, b, of int64) int64 {
	quotient, rest := divide(a, b, of)
	if rest >= uint64(of)-rest {
		quotient++
	}
	return quotient
}

// ShareUp is a×b/of, rounded up to a whole number, under the conditions of [Share].
func ShareUp(a, b, of int64) int64 {
	quotient, rest := divide(a, b, of)
	if rest > 0 {
		quotient++
	}
	return quotient
}

func divide(a, b, of int64) (quotient int64, rest uint64) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, rest := bits.Div64(hi, lo, uint64(of))
	return int64(q), rest
}

// Decimal reads a plain decimal number that is not negative into units of 10^-digits, exactly: with six digits 0.8 is
// 800000. More digits behind the point, a sign, or more than nine before it are ErrDecimal.
func Decimal(text string, digits int) (int64, error) {
	var n int64
	whole, behind, point := 0, 0, false
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '.' && !point:
			point = true
			continue
		case c < '0' || c > '9':
			return 0, ErrDecimal
		case point:
			behind++
		default:
			whole++
		}
		if whole > 9 || behind > digits {
			return 0, ErrDecimal
		}
		n = n*10 + int64(c-'0')
	}
	if whole == 0 || point && behind == 0 {
		return 0, ErrDecimal
	}
	for ; behind < digits; behind++ {
		n *= 10
	}
	return n, nil
}
