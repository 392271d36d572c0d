package plugin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// Value is one typed value, as it stands in a form, a result, the parameters or an entry of shared data. It is one of
// [Text], [Bool], [Int], [Decimal], [Money], [Date], [Choice], [Choices], [CitizenNumber], [Address] and [List].
type Value interface {
	wire() *pluginv1.Value
}

// Values are values by path or by id. A path that is missing was left blank or does not apply.
type Values map[string]Value

// Text is a value of kind TEXT, PHONE, PLATE, BANK_ACCOUNT or USCC, normalised.
type Text string

// Bool is a value of kind BOOL.
type Bool bool

// Int is a value of kind INT.
type Int int64

// Choice is the id of the chosen option of a CHOICE.
type Choice string

// Choices are the ids of the chosen options of a CHOICES.
type Choices []string

// CitizenNumber is a citizen number (GB 11643-1999) with 18 characters, upper case. The engine has checked it.
type CitizenNumber string

// Address is a value of kind ADDRESS.
type Address struct {
	// Region is a code of GB/T 2260, six digits or more.
	Region string
	// Text is the rest of the address.
	Text string
}

// List is a value of kind LIST: for each row the values by field id.
type List []Values

// Decimal is an exact decimal number in its decimal notation, for example `0.8` or `-12.50`. Make one of a text that
// is not known to be a number by [ParseDecimal].
type Decimal string

// ParseDecimal returns text as a Decimal: an optional minus sign, digits, and perhaps a point and digits; no exponent.
func ParseDecimal(text string) (Decimal, error) {
	digits := text
	if digits != "" && digits[0] == '-' {
		digits = digits[1:]
	}
	before, after, point := 0, 0, false
	for _, r := range []byte(digits) {
		switch {
		case r == '.' && !point:
			point = true
		case r < '0' || r > '9':
			return "", errors.New("not a decimal number")
		case point:
			after++
		default:
			before++
		}
	}
	// Forty digits are beyond any amount or ratio of a form, and keep exact arithmetic on it cheap.
	if before == 0 || point && after == 0 || before+after > 40 {
		return "", errors.New("not a decimal number")
	}
	return Decimal(text), nil
}

// Money is an amount in whole fen.
type Money int64

// String returns the amount in yuan with two decimals, for example `3792.50`.
func (m Money) String() string {
	sign, fen := "", uint64(m)
	if m < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

func (v Text) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: string(v)}
}

func (v Bool) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_BOOL, Flag: bool(v)}
}

func (v Int) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_INT, Number: int64(v)}
}

func (d Decimal) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_DECIMAL, Text: string(d)}
}

func (m Money) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_MONEY, Number: int64(m)}
}

func (d Date) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_DATE, Text: d.String()}
}

func (v Choice) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_CHOICE, Text: string(v)}
}

func (v Choices) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_CHOICES, Items: slices.Clone([]string(v))}
}

func (n CitizenNumber) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER, Text: string(n)}
}

func (v Address) wire() *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_ADDRESS, Region: v.Region, Text: v.Text}
}

func (v List) wire() *pluginv1.Value {
	rows := make([]*pluginv1.Row, 0, len(v))
	for _, row := range v {
		rows = append(rows, &pluginv1.Row{Cells: row.Wire()})
	}
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_LIST, Rows: rows}
}

// Wire returns the values as messages of the plugin interface. Handlers never need it; test kits do.
func (vs Values) Wire() map[string]*pluginv1.Value {
	if len(vs) == 0 {
		return nil
	}
	wire := make(map[string]*pluginv1.Value, len(vs))
	for name, v := range vs {
		if v != nil {
			wire[name] = v.wire()
		}
	}
	return wire
}

// ParseValues returns messages of the plugin interface as values. It fails on a value whose kind is not known or
// whose text is not of its kind, and names it, never its content.
func ParseValues(wire map[string]*pluginv1.Value) (Values, error) {
	values := make(Values, len(wire))
	for name, w := range wire {
		v, err := parseValue(w)
		if err != nil {
			return nil, fmt.Errorf("value %s: %w", name, err)
		}
		values[name] = v
	}
	return values, nil
}

func parseValue(w *pluginv1.Value) (Value, error) {
	switch w.GetKind() {
	case pluginv1.ValueKind_VALUE_KIND_TEXT:
		return Text(w.GetText()), nil
	case pluginv1.ValueKind_VALUE_KIND_BOOL:
		return Bool(w.GetFlag()), nil
	case pluginv1.ValueKind_VALUE_KIND_INT:
		return Int(w.GetNumber()), nil
	case pluginv1.ValueKind_VALUE_KIND_DECIMAL:
		return ParseDecimal(w.GetText())
	case pluginv1.ValueKind_VALUE_KIND_MONEY:
		return Money(w.GetNumber()), nil
	case pluginv1.ValueKind_VALUE_KIND_DATE:
		return ParseDate(w.GetText())
	case pluginv1.ValueKind_VALUE_KIND_CHOICE:
		return Choice(w.GetText()), nil
	case pluginv1.ValueKind_VALUE_KIND_CHOICES:
		return Choices(slices.Clone(w.GetItems())), nil
	case pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER:
		return CitizenNumber(w.GetText()), nil
	case pluginv1.ValueKind_VALUE_KIND_ADDRESS:
		return Address{Region: w.GetRegion(), Text: w.GetText()}, nil
	case pluginv1.ValueKind_VALUE_KIND_LIST:
		list := make(List, 0, len(w.GetRows()))
		for _, row := range w.GetRows() {
			cells, err := ParseValues(row.GetCells())
			if err != nil {
				return nil, err
			}
			list = append(list, cells)
		}
		return list, nil
	default:
		return nil, fmt.Errorf("no kind %d", w.GetKind())
	}
}
