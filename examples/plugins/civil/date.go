// Package civil holds what several departments' plugins count with: dates as the Civil Code counts them, citizen
// numbers of GB 11643-1999, and exact shares of money. It is pure, and small enough for a sandboxed guest.
package civil

import (
	"strconv"

	plugin "github.com/siyiban/onething/sdk/go"
)

// AddMonths is the corresponding day n months after d (before it if n is negative), or that month's last day if it has
// no such day: article 202 of the Civil Code.
func AddMonths(d plugin.Date, n int) plugin.Date {
	months := d.Year*12 + d.Month - 1 + n
	to := plugin.Date{Year: months / 12, Month: months%12 + 1, Day: d.Day}
	to.Day = min(to.Day, daysIn(to.Year, to.Month))
	return to
}

// Months is the number of full months from one day to another: the greatest n for which AddMonths(from, n) is not
// after to; 0 if to is the earlier day.
func Months(from, to plugin.Date) int {
	n := (to.Year-from.Year)*12 + to.Month - from.Month
	if to.Before(AddMonths(from, n)) {
		n--
	}
	return max(n, 0)
}

// Age is the number of full years that somebody born on `born` has on a day, counted on the birthday itself (article
// 1259: 以上 and 届满 include the number). Who is born on 29 February has the birthday of a common year on 28 February.
// It is 0 before birth.
func Age(born, on plugin.Date) int { return Months(born, on) / 12 }

// Chinese is a date as it stands in a notice, for example 2026年3月2日, and empty for the zero Date.
func Chinese(d plugin.Date) string {
	if d.IsZero() {
		return ""
	}
	return strconv.Itoa(d.Year) + "年" + strconv.Itoa(d.Month) + "月" + strconv.Itoa(d.Day) + "日"
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
