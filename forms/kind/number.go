package kind

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Int is a whole number of magnitude below 2^53, so that every JSON reader keeps it (RFC 8259, section 6).
type Int int64

const maxInt = 1<<53 - 1

// Kind returns KindInt.
func (Int) Kind() Kind { return KindInt }

// Equal reports whether v is the same number.
func (i Int) Equal(v Value) bool { return v == i }

func (Int) isValue() {}

// Decimal is an exact decimal number. One that Spec.Parse returned has at most 15 digits before the point.
type Decimal struct{ decimal.Decimal }

// Kind returns KindDecimal.
func (Decimal) Kind() Kind { return KindDecimal }

// Equal reports whether v is a DECIMAL of the same size: 1.50 equals 1.5.
func (d Decimal) Equal(v Value) bool {
	other, ok := v.(Decimal)
	return ok && d.Cmp(other.Decimal) == 0
}

func (Decimal) isValue() {}

const (
	// numberDigits is how many significant decimal digits a float64 keeps, whatever they are.
	numberDigits = 15
	// wholeDigits bounds what a DECIMAL or MONEY has before the point.
	wholeDigits = 15
)

func parseInt(v any) (Value, *Fault) {
	tooLarge := &Fault{Code: TooLarge, Text: "数字过大"}
	var n int64
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) || v != math.Trunc(v) {
			return nil, malformed("应为整数")
		}
		if math.Abs(v) > maxInt {
			return nil, tooLarge
		}
		n = int64(v)
	default:
		return nil, &Fault{Code: WrongKind, Text: "应为整数"}
	}
	if n < -maxInt || n > maxInt {
		return nil, tooLarge
	}
	return Int(n), nil
}

func parseDecimal(v any, scale int) (Value, *Fault) {
	digits, fault := decimalDigits(v, scale)
	if fault != nil {
		return nil, fault
	}
	d, err := decimal.NewFromString(digits)
	if err != nil {
		return nil, malformed("应为数字")
	}
	return Decimal{d}, nil
}

// decimalDigits returns the number v as it was written, without superfluous zeros, and with at most scale
// digits after the point.
func decimalDigits(v any, scale int) (string, *Fault) {
	var written string
	switch v := v.(type) {
	case string:
		written = v
	case int:
		written = strconv.Itoa(v)
	case int64:
		written = strconv.FormatInt(v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", malformed("应为数字")
		}
		// The shortest digits that give v back are those that were written, if these were few enough.
		shortest := strconv.FormatFloat(math.Abs(v), 'e', -1, 64) // 1.25e+02
		mantissa, _, _ := strings.Cut(shortest, "e")
		if len(strings.Replace(mantissa, ".", "", 1)) > numberDigits {
			return "", &Fault{Code: TooManyDigits, Text: "数字位数过多，请用文字形式填写"}
		}
		written = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return "", &Fault{Code: WrongKind, Text: "应为数字"}
	}
	unsigned, negative := strings.CutPrefix(written, "-")
	whole, fraction, point := strings.Cut(unsigned, ".")
	if !isDigits(whole) || point && !isDigits(fraction) {
		return "", malformed("应为数字")
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if len(whole) > wholeDigits {
		return "", &Fault{Code: TooLarge, Text: "数字过大"}
	}
	if len(fraction) > scale {
		return "", &Fault{Code: TooManyDigits, Text: "小数位数不得超过 " + strconv.Itoa(scale) + " 位"}
	}
	digits := cmp.Or(whole, "0")
	if fraction != "" {
		digits += "." + fraction
	}
	if negative {
		digits = "-" + digits
	}
	return digits, nil
}

// isDigits reports whether s consists of ASCII digits, at least one.
func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
