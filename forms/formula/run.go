package formula

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/builtin"
	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Values in the machine: bool, int64, string for all kinds of text, []any for lists with element for their
// rows, region, and the types of package kind for the rest. The checker sees to it that every routine
// gets what it takes; a record that is not of its form ends in a fault, because the machine recovers.

// region is the code of a region.
type region string

// frame is what one evaluation reads.
type frame struct {
	env    forms.Env
	slots  []slot
	values []any // by slot; nil is blank
}

// slot is a path that a formula reads.
type slot struct {
	path forms.Path
	kind kind.Kind
}

// cause is why a value is not known if it cannot be said better.
func (s slot) cause() forms.CauseKind {
	switch s.path.Root() {
	case "facts":
		return forms.CauseFact
	case "params":
		return forms.CauseParameter
	case "results":
		return forms.CauseResult
	default:
		return forms.CauseAnswer
	}
}

// load brings a value into the machine.
func (s slot) load(v kind.Value) any {
	switch v := v.(type) {
	case kind.Text:
		if s.kind == kindRegion {
			return region(v)
		}
	case kind.List:
		rows := make([]any, len(v))
		for i, row := range v {
			rows[i] = element{row, s.path, i}
		}
		return rows
	default:
	}
	return load(v)
}

// element is a row of a list. A cell that its row does not hold is not answered, one that is nil is blank.
type element struct {
	cells kind.Row
	list  forms.Path
	row   int
}

// cell returns what is known of a cell; nil is blank.
func (e element) cell(id string) (kind.Value, error) {
	v, answered := e.cells[id]
	if !answered {
		return nil, e.absent(id)
	}
	return v, nil
}

func (e element) absent(id string) error {
	return &absentError{forms.Cause{Kind: forms.CauseAnswer, Path: e.list.CellOf(e.row, id)}}
}

func load(v kind.Value) any {
	switch v := v.(type) {
	case kind.Text:
		return string(v)
	case kind.Phone:
		return string(v)
	case kind.Plate:
		return string(v)
	case kind.BankAccount:
		return string(v)
	case kind.USCC:
		return string(v)
	case kind.Bool:
		return bool(v)
	case kind.Int:
		return int64(v)
	default:
		return v
	}
}

// maxInt bounds an INT, so that every JSON reader keeps it (RFC 8259, section 6).
const maxInt = 1<<53 - 1

// valueOf takes a value out of the machine as one of the wanted kind; false if that kind cannot hold it.
func valueOf(v any, wanted kind.Kind) (kind.Value, bool) {
	switch v := v.(type) {
	case bool:
		return kind.Bool(v), true
	case int64:
		return kind.Int(v), v >= -maxInt && v <= maxInt
	case string:
		switch wanted {
		case kind.KindPhone:
			return kind.Phone(v), true
		case kind.KindPlate:
			return kind.Plate(v), true
		case kind.KindBankAccount:
			return kind.BankAccount(v), true
		case kind.KindUSCC:
			return kind.USCC(v), true
		}
		return kind.Text(v), true
	case kind.Value:
		return v, true
	}
	return nil, false
}

// absentError is a read of what is not there, although it should be.
type absentError struct{ cause forms.Cause }

func (e *absentError) Error() string { return "formula: no value at " + string(e.cause.Path) }

// errRange is a result that its kind cannot hold.
var errRange = errors.New("formula: the result is out of range")

func inRange[T any](v T, ok bool) (any, error) {
	if !ok {
		return nil, errRange
	}
	return v, nil
}

func compareCauses(a, b forms.Cause) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path))
}

// maxDigits bounds the digits and the exponent of a DECIMAL: without a bound, squaring a few times makes
// numbers that take minutes.
const maxDigits = 60

func bounded(d decimal.Decimal) bool {
	e := d.Exponent()
	return e >= -maxDigits && e <= maxDigits && d.NumDigits() <= maxDigits
}

func parseDecimal(text string) (kind.Decimal, bool) {
	d, err := decimal.NewFromString(text)
	return kind.Decimal{Decimal: d}, err == nil && bounded(d)
}

// decimalOf takes a DECIMAL, or an INT as one.
func decimalOf(v any) decimal.Decimal {
	if n, ok := v.(int64); ok {
		return decimal.NewFromInt(n)
	}
	return v.(kind.Decimal).Decimal
}

func boundedResult(d decimal.Decimal) (any, error) {
	return inRange(kind.Decimal{Decimal: d}, bounded(d))
}

func zeroOf(k kind.Kind) any {
	switch k {
	case kind.KindMoney:
		return kind.Money(0)
	case kind.KindDecimal:
		return kind.Decimal{}
	default:
		return int64(0)
	}
}

func add(a, b any) (any, error) {
	switch a := a.(type) {
	case int64:
		sum := a + b.(int64)
		return inRange(sum, (sum > a) == (b.(int64) > 0))
	case kind.Money:
		return inRange(a.Add(b.(kind.Money)))
	default:
		return boundedResult(decimalOf(a).Add(decimalOf(b)))
	}
}

func subtract(a, b any) (any, error) {
	switch a := a.(type) {
	case int64:
		difference := a - b.(int64)
		return inRange(difference, (difference < a) == (b.(int64) > 0))
	case kind.Money:
		return inRange(a.Sub(b.(kind.Money)))
	default:
		return boundedResult(decimalOf(a).Sub(decimalOf(b)))
	}
}

func multiply(a, b any) (any, error) {
	switch a := a.(type) {
	case int64:
		if m, ok := b.(kind.Money); ok {
			return inRange(m.Mul(a))
		}
		return inRange(product(a, b.(int64)))
	case kind.Money:
		return inRange(a.Mul(b.(int64)))
	default:
		return boundedResult(decimalOf(a).Mul(decimalOf(b)))
	}
}

// product returns a × b, false if that does not fit.
func product(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if (a < 0) != (b < 0) {
		return -int64(lo), hi == 0 && lo <= 1<<63 // -(1<<63) is itself
	}
	return int64(lo), hi == 0 && lo < 1<<63
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func negate(v any) (any, error) {
	switch v := v.(type) {
	case int64:
		return subtract(int64(0), v)
	case kind.Money:
		return subtract(kind.Money(0), v)
	default:
		return kind.Decimal{Decimal: decimalOf(v).Neg()}, nil
	}
}

// floorDiv returns the greatest whole number that is not above a / b.
func floorDiv(a, b int64) (int64, bool) {
	if b == 0 || a == -1<<63 && b == -1 {
		return 0, false
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q, true
}

// compare orders two values of one ordered kind, or a DECIMAL and an INT.
func compare(a, b any) int {
	switch a := a.(type) {
	case int64:
		if n, ok := b.(int64); ok {
			return cmp.Compare(a, n)
		}
	case kind.Money:
		return cmp.Compare(a, b.(kind.Money))
	case kind.Date:
		return a.Compare(b.(kind.Date))
	}
	return decimalOf(a).Cmp(decimalOf(b))
}

func equal(a, b any) bool {
	switch x := a.(type) {
	case kind.Decimal:
		return compare(a, b) == 0
	case kind.Choices:
		return x.Equal(b.(kind.Choices))
	}
	return a == b
}

func contains(items []any, v any) bool {
	return slices.ContainsFunc(items, func(item any) bool { return equal(v, item) })
}

// distinct keeps the first of equal values.
func distinct(items []any) []any {
	seen := make(map[any]bool, len(items))
	kept := make([]any, 0, len(items))
	for _, item := range items {
		key := item
		if d, ok := item.(kind.Decimal); ok {
			key = d.String() // 1.50 is 1.5
		}
		if !seen[key] {
			seen[key] = true
			kept = append(kept, item)
		}
	}
	return kept
}

// maxText is the most code points of a text, as in a record.
const maxText = 4000

func join(items []any, separator string) (any, error) {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(item.(string))
		if b.Len() > maxText*utf8.UTFMax {
			return nil, errRange
		}
	}
	return inRange(b.String(), utf8.RuneCountInString(b.String()) <= maxText)
}

func size(v any) int64 {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v))
	case kind.Choices:
		return int64(len(v))
	default:
		return int64(len(v.([]any)))
	}
}

// pick returns the first of the items that is not after any other in the given direction.
func pick(items []any, direction int) (any, error) {
	if len(items) == 0 { // a record with an empty list where the form demands an element
		return nil, errRange
	}
	return slices.MinFunc(items, func(a, b any) int { return direction * compare(a, b) }), nil
}

func within(v any, outer region) bool {
	if a, ok := v.(kind.Address); ok {
		return a.Within(string(outer))
	}
	return strings.HasPrefix(string(v.(region)), string(outer))
}

func (f *frame) read(i int) (any, error) {
	if v := f.values[i]; v != nil {
		return v, nil
	}
	switch s := f.slots[i]; s.kind {
	case kind.KindList:
		return []any{}, nil
	case kind.KindChoices:
		return kind.Choices{}, nil
	default:
		return nil, &absentError{forms.Cause{Kind: s.cause(), Path: s.path}}
	}
}

// calendarless is the error of a year whose calendar is not published.
func calendarless(year int) error {
	return &absentError{forms.Cause{Kind: forms.CauseCalendar, Path: forms.Path(fmt.Sprintf("calendar.%d", year))}}
}

func addWorkingDays(f *frame, d kind.Date, n int64) (any, error) {
	due, year, ok := f.env.AddWorkingDays(d, int(n))
	if !ok {
		return nil, calendarless(year)
	}
	return due, nil
}

func workingDaysBetween(f *frame, a, b kind.Date) (any, error) {
	n, year, ok := f.env.WorkingDaysBetween(a, b)
	if !ok {
		return nil, calendarless(year)
	}
	return int64(n), nil
}

// routines are what lowered formulas call: a function of the language under its name, an operator under its
// sign, and the reads.
var routines = table(map[string]func(args []any) (any, error){ //nolint:gochecknoglobals // a constant table
	"read": func(a []any) (any, error) { return a[0].(*frame).read(a[1].(int)) },
	"has":  func(a []any) (any, error) { return a[0].(*frame).values[a[1].(int)] != nil, nil },
	"cell": func(a []any) (any, error) {
		e, id := a[0].(element), a[1].(string)
		v, err := e.cell(id)
		if err == nil && v == nil {
			err = e.absent(id)
		}
		return load(v), err
	},
	"choices": func(a []any) (any, error) {
		v, err := a[0].(element).cell(a[1].(string))
		chosen, _ := v.(kind.Choices)
		return chosen, err
	},
	"filled": func(a []any) (any, error) {
		v, err := a[0].(element).cell(a[1].(string))
		return v != nil, err
	},
	"is": func(a []any) (any, error) {
		if one, ok := a[0].(kind.Choice); ok {
			return string(one) == a[1].(string), nil
		}
		return slices.Contains(a[0].(kind.Choices), a[1].(string)), nil
	},

	"+":      func(a []any) (any, error) { return add(a[0], a[1]) },
	"-":      func(a []any) (any, error) { return subtract(a[0], a[1]) },
	"*":      func(a []any) (any, error) { return multiply(a[0], a[1]) },
	"negate": func(a []any) (any, error) { return negate(a[0]) },
	"==":     func(a []any) (any, error) { return equal(a[0], a[1]), nil },
	"!=":     func(a []any) (any, error) { return !equal(a[0], a[1]), nil },
	"<":      func(a []any) (any, error) { return compare(a[0], a[1]) < 0, nil },
	"<=":     func(a []any) (any, error) { return compare(a[0], a[1]) <= 0, nil },
	">":      func(a []any) (any, error) { return compare(a[0], a[1]) > 0, nil },
	">=":     func(a []any) (any, error) { return compare(a[0], a[1]) >= 0, nil },
	"in":     func(a []any) (any, error) { return contains(a[1].([]any), a[0]), nil },

	"add_days":         func(a []any) (any, error) { return inRange(a[0].(kind.Date).AddDays(int(a[1].(int64)))) },
	"add_months":       func(a []any) (any, error) { return inRange(a[0].(kind.Date).AddMonths(int(a[1].(int64)))) },
	"add_years":        func(a []any) (any, error) { return inRange(a[0].(kind.Date).AddYears(int(a[1].(int64)))) },
	"days_between":     between(kind.DaysBetween),
	"months_between":   between(kind.MonthsBetween),
	"years_between":    between(kind.YearsBetween),
	"age":              between(kind.Age),
	"age_late":         between(kind.AgeLate),
	"add_working_days": func(a []any) (any, error) { return addWorkingDays(a[0].(*frame), a[1].(kind.Date), a[2].(int64)) },
	"working_days_between": func(a []any) (any, error) {
		return workingDaysBetween(a[0].(*frame), a[1].(kind.Date), a[2].(kind.Date))
	},
	"year_of":        func(a []any) (any, error) { return int64(a[0].(kind.Date).Year), nil },
	"month_of":       func(a []any) (any, error) { return int64(a[0].(kind.Date).Month), nil },
	"day_of":         func(a []any) (any, error) { return int64(a[0].(kind.Date).Day), nil },
	"first_of_month": func(a []any) (any, error) { return a[0].(kind.Date).FirstOfMonth(), nil },
	"last_of_month":  func(a []any) (any, error) { return a[0].(kind.Date).LastOfMonth(), nil },
	"birth_date": func(a []any) (any, error) {
		born := a[0].(kind.CitizenNumber).BirthDate()
		return inRange(born, !born.IsZero())
	},
	"female": func(a []any) (any, error) { return a[0].(kind.CitizenNumber).Female(), nil },

	"div": func(a []any) (any, error) { return inRange(floorDiv(a[0].(int64), a[1].(int64))) },
	"percent": func(a []any) (any, error) {
		return inRange(a[0].(kind.Money).Percent(kind.Decimal{Decimal: decimalOf(a[1])}))
	},
	"share":      func(a []any) (any, error) { return inRange(a[0].(kind.Money).Share(a[1].(int64), a[2].(int64))) },
	"round_yuan": func(a []any) (any, error) { return inRange(a[0].(kind.Money).RoundYuan()) },
	"floor_yuan": func(a []any) (any, error) { return inRange(a[0].(kind.Money).FloorYuan()) },

	"sum": func(a []any) (any, error) {
		total := a[1]
		for _, item := range a[0].([]any) {
			var err error
			if total, err = add(total, item); err != nil {
				return nil, err
			}
		}
		return total, nil
	},
	"smallest": func(a []any) (any, error) { return pick(a[0].([]any), 1) },
	"earliest": func(a []any) (any, error) { return pick(a[0].([]any), 1) },
	"largest":  func(a []any) (any, error) { return pick(a[0].([]any), -1) },
	"latest":   func(a []any) (any, error) { return pick(a[0].([]any), -1) },
	"min":      func(a []any) (any, error) { return pick(a, 1) },
	"max":      func(a []any) (any, error) { return pick(a, -1) },
	"distinct": func(a []any) (any, error) { return distinct(a[0].([]any)), nil },
	"size":     func(a []any) (any, error) { return size(a[0]), nil },
	"join":     func(a []any) (any, error) { return join(a[0].([]any), a[1].(string)) },

	"within":     func(a []any) (any, error) { return within(a[0], a[1].(region)), nil },
	"startsWith": func(a []any) (any, error) { return strings.HasPrefix(a[0].(string), a[1].(string)), nil },
	"endsWith":   func(a []any) (any, error) { return strings.HasSuffix(a[0].(string), a[1].(string)), nil },
	"contains":   func(a []any) (any, error) { return strings.Contains(a[0].(string), a[1].(string)), nil },
	"matches":    func(a []any) (any, error) { return a[1].(*regexp.Regexp).MatchString(a[0].(string)), nil },
})

// between is a routine that counts from one day to another.
func between(count func(a, b kind.Date) int) func(args []any) (any, error) {
	return func(a []any) (any, error) { return int64(count(a[0].(kind.Date), a[1].(kind.Date))), nil }
}

func table(routines map[string]func(args []any) (any, error)) map[string]*builtin.Function {
	functions := make(map[string]*builtin.Function, len(routines))
	for name, routine := range routines {
		functions[name] = &builtin.Function{
			Name: name,
			Func: func(args ...any) (any, error) { return routine(args) },
		}
	}
	return functions
}
