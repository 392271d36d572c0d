package plugin

import (
	"cmp"
	"errors"
	"fmt"
)

// Date is a calendar date (GB/T 7408), years 1 to 9999. The zero Date is no date. Dates are comparable with ==. How to
// count with dates is a matter of law, hence of the department's own code; the fields are there for it.
type Date struct {
	Year, Month, Day int
}

// ParseDate returns the date that text names as `YYYY-MM-DD`.
func ParseDate(text string) (Date, error) {
	if len(text) != 10 || text[4] != '-' || text[7] != '-' {
		return Date{}, errors.New("not a date as YYYY-MM-DD")
	}
	n := [3]int{}
	for i, part := range [3]string{text[:4], text[5:7], text[8:]} {
		for _, c := range []byte(part) {
			if c < '0' || c > '9' {
				return Date{}, errors.New("not a date as YYYY-MM-DD")
			}
			n[i] = n[i]*10 + int(c-'0')
		}
	}
	d := Date{n[0], n[1], n[2]}
	if !d.valid() {
		return Date{}, errors.New("no such day in the calendar")
	}
	return d, nil
}

// MustDate is ParseDate for dates that are written in code; it panics if text is no date.
func MustDate(text string) Date {
	d, err := ParseDate(text)
	if err != nil {
		panic("plugin: " + text + ": " + err.Error())
	}
	return d
}

// String returns the date as `YYYY-MM-DD`, and the empty string for the zero Date.
func (d Date) String() string {
	if d == (Date{}) {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

func (d Date) valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && d.Month >= 1 && d.Month <= 12 && d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Compare returns -1, 0 or +1 as d is before, the same as, or after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// Before reports whether d is before e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After reports whether d is after e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year, month int) int {
	switch month {
	case 2:
		if leap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}
