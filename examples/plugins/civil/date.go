// Package civil holds what several departments' plugins count with: calendar dates as the Civil Code counts them,
// citizen numbers of GB 11643-1999, and exact shares of money. It is pure, and small enough for a sandboxed guest:
// neither the time package nor fmt is behind it.
package civil

import "errors"

// ErrDate says that a text is no calendar date of the form YYYY-MM-DD (GB/T 7408).
var ErrDate = errors.New("civil: no date of the form YYYY-MM-DD")

// Date is a day of the Gregorian calendar. The zero Date is no day; IsZero tells.
type Date struct {
	Year, Month, Day int
}

// ParseDate reads YYYY-MM-DD. The day must exist.
func ParseDate(text string) (Date, error) {
	if len(text) != 10 || text[4] != '-' || text[7] != '-' {
		return Date{}, ErrDate
	}
	return parseDigits(text[:4] + text[5:7] + text[8:])
}

// parseDigits reads YYYYMMDD.
func parseDigits(text string) (Date, error) {
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return Date{}, ErrDate
		}
		n = n*10 + int(text[i]-'0')
	}
	d := Date{Year: n / 10000, Month: n / 100 % 100, Day: n % 100}
	if d.Year < 1 || d.Month < 1 || d.Month > 12 || d.Day < 1 || d.Day > daysIn(d.Year, d.Month) {
		return Date{}, ErrDate
	}
	return d, nil
}

// IsZero is true for the Date that is no day.
func (d Date) IsZero() bool { return d == Date{} }

// String is the date as YYYY-MM-DD.
func (d Date) String() string {
	return pad(d.Year, 4) + "-" + pad(d.Month, 2) + "-" + pad(d.Day, 2)
}

// Chinese is the date as it stands in a notice, for example 2026年3月2日.
func (d Date) Chinese() string {
	return pad(d.Year, 1) + "年" + pad(d.Month, 1) + "月" + pad(d.Day, 1) + "日"
}

// Before is true if d is an earlier day than e.
func (d Date) Before(e Date) bool {
	if d.Year != e.Year {
		return d.Year < e.Year
	}
	if d.Month != e.Month {
		return d.Month < e.Month
	}
	return d.Day < e.Day
}

// AddMonths is the corresponding day n months later (earlier if n is negative), or that month's last day if it has no
// such day: article 202 of the Civil Code.
func (d Date) AddMonths(n int) Date {
	months := d.Year*12 + d.Month - 1 + n
	to := Date{Year: months / 12, Month: months%12 + 1, Day: d.Day}
	to.Day = min(to.Day, daysIn(to.Year, to.Month))
	return to
}

// Age is the number of full years that somebody born on d has on the day `on`, counted on the birthday itself
// (article 1259: 以上 and 届满 include the number). Who is born on 29 February has the birthday of a common year on 28
// February. It is 0 before birth.
func (d Date) Age(on Date) int {
	years := on.Year - d.Year
	if on.Before(d.AddMonths(12 * years)) {
		years--
	}
	return max(years, 0)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && year%100 != 0 || year%400 == 0 {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// pad writes a number that is not negative with at least the given number of digits.
func pad(n, digits int) string {
	var text []byte
	for n > 0 || digits > 0 {
		text = append([]byte{byte('0' + n%10)}, text...)
		n /= 10
		digits--
	}
	return string(text)
}
