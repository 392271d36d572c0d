package main

import (
	"errors"

	"github.com/siyiban/onething/examples/plugins/civil"
)

// Errors of an amount: each makes it an officer's matter, none is a refusal.
var (
	errAge    = errors.New("age outside the annex's 40 to 70 years")
	errIndex  = errors.New("average index outside 0.6 to 3")
	errBounds = errors.New("figure outside what a pension can hold")
)

// Units of the exact figures: an index of 1 and a rate of one per cent.
const (
	indexUnit   = 1_000_000
	percentUnit = 10_000
)

// Bounds under which no product below leaves its 63 bits (civil.Share takes 126).
const (
	mostBase   = 10_000_000_00    // fen a month
	mostFen    = 1_000_000_000_00 // fen in an account
	mostMonths = 70 * 12
	mostRate   = 100 * percentUnit
)

// local is what provinces settle for themselves; each is a published parameter.
type local struct {
	Base        int64 // 计发基数 of the year of retirement, fen a month
	Interpolate bool  // ages between whole years: between two rows, rounded to 0.1; else the row of the whole year below
	TwoDecimals bool  // years paid are rounded to two digits first (Beijing); else months/12 exactly
	UpToJiao    bool  // each item is rounded up to 0.1 yuan; else half up to the fen
	Rate        int64 // coefficient of the transition part, percentUnit
	DeemedIndex int64 // index of the deemed months, indexUnit
}

// insured is the person's own part.
type insured struct {
	Index   int64 // lifetime average of own base over average wage, indexUnit
	Months  int   // paid, actual and deemed
	Deemed  int   // of them deemed
	Balance int64 // account at retirement, fen
	Age     int   // full months at retirement
}

// amount is a pension a month, in fen.
type amount struct {
	Basic, Account, Transition, Total int64
	DivisorTenths                     int64
}

// monthly is the pension of 国发〔2005〕38号 art. 6: a basic part of the base times the mean of 1 and the index, one per
// cent for each year; the account over the divisor; and for deemed years the province's transition part. Each item is
// rounded once, the total adds the rounded items.
func monthly(l local, p insured) (amount, error) {
	if p.Index < indexUnit*6/10 || p.Index > 3*indexUnit {
		return amount{}, errIndex
	}
	if l.Base <= 0 || l.Base > mostBase || p.Months > mostMonths || p.Deemed < 0 || p.Deemed > p.Months ||
		p.Balance < 0 || p.Balance > mostFen {
		return amount{}, errBounds
	}
	tenths, err := divisor(p.Age, l.Interpolate)
	if err != nil {
		return amount{}, err
	}
	a := amount{DivisorTenths: tenths}
	years, whole := paidYears(p.Months, l.TwoDecimals)
	a.Basic = l.round(l.Base*(indexUnit+p.Index), years, 2*indexUnit*whole*100)
	a.Account = l.round(p.Balance, 10, tenths)
	if p.Deemed > 0 {
		if l.Rate <= 0 || l.Rate > mostRate || l.DeemedIndex <= 0 || l.DeemedIndex > 3*indexUnit {
			return amount{}, errBounds
		}
		years, whole := paidYears(p.Deemed, l.TwoDecimals)
		a.Transition = l.round(l.Base*l.DeemedIndex, years*l.Rate, indexUnit*whole*100*percentUnit)
	}
	a.Total = a.Basic + a.Account + a.Transition
	return a, nil
}

// round is a×b/of, rounded once by the province's rule.
func (l local) round(a, b, of int64) int64 {
	if !l.UpToJiao {
		return civil.Share(a, b, of)
	}
	return 10 * civil.ShareUp(a, b, 10*of)
}

// paidYears is the number of years as years/whole.
func paidYears(months int, twoDecimals bool) (years, whole int64) {
	if twoDecimals {
		return civil.Share(int64(months), 100, 12), 100
	}
	return int64(months), 12
}

// divisor is the 计发月数 for an age in months, in tenths: the annex of 国发〔2005〕38号 has a row for each whole year from
// 40 to 70. For ages between them no national text was found; the rule is the province's.
func divisor(age int, interpolate bool) (tenths int64, err error) {
	const youngest = 40
	annex := [...]int64{
		233, 230, 226, 223, 220, 216, 212, 208, 204, 199,
		195, 190, 185, 180, 175, 170, 164, 158, 152, 145,
		139, 132, 125, 117, 109, 101, 93, 84, 75, 65, 56,
	}
	row, rest := age/12-youngest, int64(age%12)
	last := len(annex) - 1
	if row < 0 || row > last || row == last && rest > 0 {
		return 0, errAge
	}
	if !interpolate {
		rest = 0
	}
	below, above := annex[row], annex[min(row+1, last)]
	return civil.Share(below*(12-rest)+above*rest, 10, 12), nil
}
