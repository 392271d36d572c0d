package main

import (
	"strconv"

	"github.com/siyiban/onething/examples/plugins/civil"
	plugin "github.com/siyiban/onething/sdk/go"
)

// inForce is the day from which the national rules of 人社部发〔2021〕18号 hold.
func inForce() plugin.Date { return plugin.Date{Year: 2021, Month: 9, Day: 1} }

// lumpTwelfths is the number of months' income that the survivors receive, in twelfths of a month: both the years paid
// and the years of pension received count to the month.
//
// In work: 3 for fewer than five years paid, 6 for fewer than ten, 9 up to and with fifteen, and one more for each
// further year, 24 at most, which is reached with thirty years. In retirement: the same, less one for each year of
// pension received, but at least 9.
func lumpTwelfths(paid int, retired bool, received int) int {
	const (
		year            = 12 // months paid or received, and also the twelfths that one month of income has
		least           = 9 * year
		most            = 24 * year
		five, ten, full = 5 * year, 10 * year, 15 * year
	)
	var n int
	switch {
	case paid < five:
		n = 3 * year
	case paid < ten:
		n = 6 * year
	default:
		n = min(least+max(0, paid-full), most)
	}
	if retired {
		n = max(n-received, least)
	}
	return n
}

// grant is what the survivors receive, in fen.
type grant struct {
	Funeral, LumpSum, Total int64
}

// grants are the funeral grant, twice the base, and the lump sum, both rounded once, half up. The base is the
// province's urban disposable income per head and month of the year before the death, as published. If another scheme
// pays a funeral grant the family takes one (社会保险法 49).
func grants(base int64, twelfths int, otherFuneral bool) grant {
	g := grant{LumpSum: civil.Share(base, int64(twelfths), 12)}
	if !otherFuneral {
		g.Funeral = 2 * base
	}
	g.Total = g.Funeral + g.LumpSum
	return g
}

// monthsText writes twelfths of a month as months with two digits, half up, for example 19.25.
func monthsText(twelfths int) string {
	hundredths := civil.Share(int64(twelfths), 100, 12)
	text := strconv.FormatInt(hundredths/100, 10)
	rest := strconv.FormatInt(hundredths%100+100, 10)[1:]
	if rest == "00" {
		return text
	}
	return text + "." + rest
}
