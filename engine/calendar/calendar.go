// Package calendar knows the working days of published years, and reckons the last day of a deadline clock with
// its pauses. It is pure, and it never guesses: what needs a year whose calendar is not published is not known.
package calendar

import (
	"time"

	"github.com/siyiban/onething/forms/kind"
)

// Calendar is the working days of the years whose notices are published. It is immutable; the zero Calendar has no
// published year.
type Calendar struct {
	years map[int]*year
	names map[kind.Date]string // of the holidays' days
}

// year is a published one.
type year struct {
	notice string           // title of the notice
	days   [12 * 31]dayKind // by place
}

// dayKind is what a day of a published year is.
type dayKind uint8

const (
	weekday        dayKind = iota // Monday to Friday, working
	weekend                       // Saturday or Sunday, off
	holiday                       // off by the notice
	workingWeekend                // Saturday or Sunday, working by the notice
)

func (k dayKind) works() bool { return k == weekday || k == workingWeekend }

// place is the index of a day in its year's table, which has 31 places for every month.
func place(d kind.Date) int { return (int(d.Month)-1)*31 + d.Day - 1 }

// Published reports whether the calendar of the year is published.
func (c *Calendar) Published(year int) bool {
	_, ok := c.years[year]
	return ok
}

// Until returns the last day of the last year, counted from a year without a gap, whose calendar is published; ok is false
// if that of the year itself is not.
func (c *Calendar) Until(year int) (last kind.Date, ok bool) {
	for c.Published(year) {
		last, ok = kind.NewDate(year, 12, 31)
		year++
	}
	return last, ok
}

// IsWorkingDay reports whether d is a working day; known is false if the calendar of its year is not published.
func (c *Calendar) IsWorkingDay(d kind.Date) (working, known bool) {
	y, ok := c.years[d.Year]
	return ok && y.days[place(d)].works(), ok
}

// AddWorkingDays returns the n-th working day after d, d not counted; for n = 0 it is d, or the next working day if d
// is none; for a negative n it is the n-th working day before d. If the calendar of a year that this needs is not
// published, ok is false and unpublished is that year.
func (c *Calendar) AddWorkingDays(d kind.Date, n int) (due kind.Date, unpublished int, ok bool) {
	added := c.Add(d, n)
	return added.Date, added.Unpublished, added.Known
}

// WorkingDaysBetween returns the number of working days after a, up to and with b; it is the negative of that from b
// to a if b is earlier. If the calendar of a year that this needs is not published, ok is false and unpublished is
// the first such year.
func (c *Calendar) WorkingDaysBetween(a, b kind.Date) (n, unpublished int, ok bool) {
	sign := 1
	if b.Before(a) {
		a, b, sign = b, a, -1
	}
	for a != b {
		a, _ = a.AddDays(1) // not after b, so it exists
		working, known := c.IsWorkingDay(a)
		if !known {
			return 0, a.Year, false
		}
		if working {
			n++
		}
	}
	return sign * n, 0, true
}

// isWeekend reports whether d is a Saturday or Sunday.
func isWeekend(d kind.Date) bool {
	day := d.Weekday()
	return day == time.Saturday || day == time.Sunday
}
