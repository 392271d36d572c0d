package kind

import (
	"cmp"
	"fmt"
	"time"
)

// Date is a day of the Gregorian calendar from 0001-01-01 to 9999-12-31, without time and zone. The
// zero Date is none; NewDate, ParseDate and DateOf give only days that exist.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

const maxYear = 9999

// NewDate returns the day, or false if the calendar does not have it.
func NewDate(year int, month time.Month, day int) (Date, bool) {
	if year < 1 || year > maxYear || month < time.January || month > time.December || day < 1 || day > daysIn(year, month) {
		return Date{}, false
	}
	return Date{year, month, day}, true
}

// ParseDate returns the day that is written YYYY-MM-DD (GB/T 7408), or false if s is not so written or the
// calendar does not have it.
func ParseDate(s string) (Date, bool) {
	year, month, day, ok := splitDate(s)
	if !ok {
		return Date{}, false
	}
	return NewDate(year, month, day)
}

// MustDate is ParseDate for days written in a program; it panics where ParseDate says false.
func MustDate(s string) Date {
	d, ok := ParseDate(s)
	if !ok {
		panic("kind: no such date: " + s)
	}
	return d
}

// DateOf returns the day of t in the time zone that t carries, or the zero Date for a year out of range.
func DateOf(t time.Time) Date {
	d, _ := NewDate(t.Date())
	return d
}

func splitDate(s string) (year int, month time.Month, day int, ok bool) {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	number := func(digits string) (n int) {
		for _, c := range []byte(digits) {
			if c < '0' || c > '9' {
				ok = false
			}
			n = 10*n + int(c-'0')
		}
		return n
	}
	ok = true
	year, month, day = number(s[:4]), time.Month(number(s[5:7])), number(s[8:])
	return year, month, day, ok
}

func parseDate(s string) (Value, *Fault) {
	year, month, day, ok := splitDate(s)
	if !ok {
		return nil, malformed("日期应写作 2026-03-15 的形式")
	}
	d, ok := NewDate(year, month, day)
	if !ok {
		return nil, &Fault{Code: NoSuchDate, Text: "没有这一天"}
	}
	return d, nil
}

// Kind returns KindDate.
func (Date) Kind() Kind { return KindDate }

// Equal reports whether v is the same day.
func (d Date) Equal(v Value) bool { return v == d }

func (Date) isValue() {}

// IsZero reports whether d is none.
func (d Date) IsZero() bool { return d == Date{} }

// String returns d as YYYY-MM-DD.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// Format returns d as it stands in a Chinese text: 2026年3月2日.
func (d Date) Format() string { return fmt.Sprintf("%d年%d月%d日", d.Year, int(d.Month), d.Day) }

// Compare returns -1, 0 or 1 as d is before, at or after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After reports whether d is later than e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Weekday((d.number() + 1) % 7) // day 0, 0001-01-01, is a Monday
}

// AddDays returns the day n days after d, or before it if n is negative; false if that is out of range.
func (d Date) AddDays(n int) (Date, bool) {
	number := d.number()
	if n < -number || n > lastNumber-number {
		return Date{}, false
	}
	return dateOfNumber(number + n), true
}

// AddMonths returns the same day of the month n months later, or the month's last day if it has no such
// day (民法典 202): 01-31 and one month is 02-28, 02-28 and one month is 03-28. It is never moved to a
// working day. A negative n goes back. It returns false if the result is out of range.
func (d Date) AddMonths(n int) (Date, bool) {
	months := 12*(d.Year-1) + int(d.Month) - 1 + n
	if months < 0 || months >= 12*maxYear {
		return Date{}, false
	}
	year, month := months/12+1, time.Month(months%12+1)
	return Date{year, month, min(d.Day, daysIn(year, month))}, true
}

// AddYears is AddMonths by 12 n months: 02-29 and one year is 02-28.
func (d Date) AddYears(n int) (Date, bool) {
	if n < -maxYear || n > maxYear {
		return Date{}, false
	}
	return d.AddMonths(12 * n)
}

// DaysBetween returns b − a in days; it is negative if b is earlier.
func DaysBetween(a, b Date) int { return b.number() - a.number() }

// MonthsBetween returns the greatest n with a.AddMonths(n) not after b, and the negative of
// MonthsBetween(b, a) if b is earlier: from 01-31 to 02-28 it is 1.
func MonthsBetween(a, b Date) int {
	if b.Before(a) {
		return -MonthsBetween(b, a)
	}
	months := 12*(b.Year-a.Year) + int(b.Month) - int(a.Month)
	if min(a.Day, daysIn(b.Year, b.Month)) > b.Day {
		months--
	}
	return months
}

// YearsBetween returns the greatest n with a.AddYears(n) not after b, and the negative of
// YearsBetween(b, a) if b is earlier.
func YearsBetween(a, b Date) int { return MonthsBetween(a, b) / 12 }

// Age returns the full years of age on a day. Who was born on 02-29 completes a year of age on 02-28 of a
// common year (民法典 202). Before birth it is 0.
func Age(born, on Date) int { return max(0, YearsBetween(born, on)) }

// AgeLate is Age for laws and offices that let who was born on 02-29 complete a year of age on 03-01 of a
// common year.
func AgeLate(born, on Date) int {
	years := on.Year - born.Year
	if on.Month < born.Month || on.Month == born.Month && on.Day < born.Day {
		years--
	}
	return max(0, years)
}

// FirstOfMonth returns the first day of d's month.
func (d Date) FirstOfMonth() Date { return Date{d.Year, d.Month, 1} }

// LastOfMonth returns the last day of d's month.
func (d Date) LastOfMonth() Date { return Date{d.Year, d.Month, daysIn(d.Year, d.Month)} }

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year int, month time.Month) int {
	switch month {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if isLeap(year) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

const (
	daysPer400Years = 146097
	lastNumber      = 3652058 // the number of 9999-12-31
)

// number returns the days from 0001-01-01 to d. It counts in years that begin in March, so that the
// leap day is the last day of its year (E. G. Richards, "Mapping Time", 1998).
func (d Date) number() int {
	year, month := d.Year, int(d.Month)-3
	if month < 0 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + d.Day - 1 - 306
}

// dateOfNumber is the inverse of number, for numbers from 0 to lastNumber.
func dateOfNumber(number int) Date {
	n := number + 306
	cycle, n := n/daysPer400Years, n%daysPer400Years
	year := (n - n/1460 + n/36524 - n/146096) / 365
	n -= 365*year + year/4 - year/100
	month := (5*n + 2) / 153
	day := n - (153*month+2)/5 + 1
	year += 400 * cycle
	if month >= 10 {
		return Date{year + 1, time.Month(month - 9), day}
	}
	return Date{year, time.Month(month + 3), day}
}
