package main

import plugin "github.com/siyiban/onething/sdk/go"

// limit is how the law bounds a withdrawal.
type limit int

const (
	// unlisted: the law does not name the reason.
	unlisted limit = iota
	// byCost: at most what the home cost, or was repaid.
	byCost
	// byRent: at most the amount for rent that is published.
	byRent
	// whole: the whole balance, and the account is closed.
	whole
)

// limitOf is the table of art. 24: item 1 a home of one's own bought, built, rebuilt or repaired, items 2 to 4 retired,
// unable to work and without employment, settled abroad, item 5 a loan for a home, item 6 rent.
func limitOf(reason string) limit {
	switch reason {
	case "purchase", "build", "rebuild", "repay":
		return byCost
	case "rent":
		return byRent
	case "retired", "disabled", "abroad":
		return whole
	default:
		return unlisted
	}
}

// rentLimit is what may be withdrawn for rent in a year: the published amount for one person, twice for husband and wife.
func rentLimit(perPerson plugin.Money, joint bool) plugin.Money {
	if joint {
		return 2 * perPerson
	}
	return perPerson
}
