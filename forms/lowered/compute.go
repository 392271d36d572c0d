package lowered

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/siyiban/onething/forms/kind"
)

func (f *Frame) compute(i int, n *inst) {
	a, b := f.st[n.a], f.st[n.b]
	if a != Known || b != Known {
		f.openLeft(i, a, f.num[n.a], b, f.num[n.b])
		return
	}
	x, y := f.num[n.a], f.num[n.b]
	var v int64
	var ok bool
	switch n.op {
	case opAdd:
		v, ok = plus(x, y)
	case opSubtract:
		v, ok = minus(x, y)
	default:
		v, ok = product(x, y)
	}
	if f.st[i], f.num[i] = Known, v; !ok {
		f.st[i] = Fault
		f.lost = f.lost || n.typ == Decimal // decimals have no end
	}
}

func dateOf(v int64) kind.Date {
	return kind.Date{Year: int(v >> 9), Month: month(v), Day: int(v & 31)}
}

// clamped is a number of days, months or years, out of range of all dates if it does not fit 32 bits.
func clamped(n int64) int { return int(min(max(n, math.MinInt32), math.MaxInt32)) }

func (f *Frame) call(i int, n *inst) {
	a := f.st[n.a]
	function := Function(n.flag)
	if n.b == 0 {
		if a != Known {
			f.st[i], f.num[i] = a, f.num[n.a]
			return
		}
	} else if b := f.st[n.b]; a != Known || b != Known {
		if function == AddWorkingDays || function == WorkingDaysBetween { // the calendar is an argument before them
			f.open2(i, a, f.num[n.a], b, f.num[n.b])
		} else {
			f.openLeft(i, a, f.num[n.a], b, f.num[n.b])
		}
		return
	}
	x, y := f.num[n.a], f.num[n.b]
	var d kind.Date
	var v int64
	ok := true
	switch function {
	case AddDays:
		d, ok = dateOf(x).AddDays(clamped(y))
		v = Day(d)
	case AddMonths:
		d, ok = dateOf(x).AddMonths(clamped(y))
		v = Day(d)
	case AddYears:
		d, ok = dateOf(x).AddYears(clamped(y))
		v = Day(d)
	case DaysBetween:
		v = int64(kind.DaysBetween(dateOf(x), dateOf(y)))
	case MonthsBetween:
		v = int64(kind.MonthsBetween(dateOf(x), dateOf(y)))
	case YearsBetween:
		v = int64(kind.YearsBetween(dateOf(x), dateOf(y)))
	case Age:
		v = int64(kind.Age(dateOf(x), dateOf(y)))
	case AgeLate:
		v = int64(kind.AgeLate(dateOf(x), dateOf(y)))
	case AddWorkingDays:
		var published bool
		if d, _, published = f.calendar.AddWorkingDays(dateOf(x), clamped(y)); !published {
			f.st[i], f.num[i] = Unknown, noCause
			return
		}
		v = Day(d)
	case WorkingDaysBetween:
		days, _, published := f.calendar.WorkingDaysBetween(dateOf(x), dateOf(y))
		if !published {
			f.st[i], f.num[i] = Unknown, noCause
			return
		}
		v = int64(days)
	case YearOf:
		v = x >> 9
	case MonthOf:
		v = x >> 5 & 15
	case DayOf:
		v = x & 31
	case FirstOfMonth:
		v = Day(dateOf(x).FirstOfMonth())
	case LastOfMonth:
		v = Day(dateOf(x).LastOfMonth())
	case BirthDate:
		d = birthDate(f.str[n.a])
		v, ok = Day(d), !d.IsZero()
	case Female:
		f.st[i] = truth(kind.CitizenNumber(f.str[n.a]).Female())
		return
	case Within, StartsWith:
		f.st[i] = truth(strings.HasPrefix(f.str[n.a], f.str[n.b]))
		return
	case EndsWith:
		f.st[i] = truth(strings.HasSuffix(f.str[n.a], f.str[n.b]))
		return
	case Contains:
		f.st[i] = truth(strings.Contains(f.str[n.a], f.str[n.b]))
		return
	case Runes:
		v = int64(utf8.RuneCountInString(f.str[n.a]))
	case Chosens:
		v = int64(onesCount(x))
	case Length:
		v = x
	case Div:
		v, ok = floorDiv(x, y)
	case Smaller:
		v = min(x, y)
	case Larger:
		v = max(x, y)
	}
	if f.st[i], f.num[i] = Known, v; !ok {
		f.st[i] = Fault
	}
}

// floorDiv returns the greatest whole number that is not above a / b.
func floorDiv(a, b int64) (int64, bool) {
	if b == 0 || a == math.MinInt64 && b == -1 {
		return 0, false
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q, true
}

// birthDate is [kind.CitizenNumber.BirthDate] without a text in between.
func birthDate(number string) kind.Date {
	if len(number) != 18 {
		return kind.Date{}
	}
	digits := func(from, to int) (n int) {
		for _, c := range []byte(number[from:to]) {
			if c < '0' || c > '9' {
				return 0
			}
			n = 10*n + int(c-'0')
		}
		return n
	}
	d, _ := kind.NewDate(digits(6, 10), month(int64(digits(10, 12))<<5), digits(12, 14))
	return d
}
