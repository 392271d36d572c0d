package main

import "strings"

// ranks are the orders of admission, the first before the second: registered and at home, registered, at home, and
// children of people who came to work here.
func ranks() []string { return []string{"register_and_home", "register", "home", "migrant"} }

// within reports whether an address lies in a district: a code of GB/T 2260 holds those that begin with it (a county's
// six digits those of its townships, nine, and of its villages, twelve).
func within(address, district string) bool {
	return district != "" && strings.HasPrefix(address, district)
}

// standing is how an applicant of a rank stands, once everybody has applied.
type standing int

const (
	// sure: there is a place for everybody of this rank and of those before it.
	sure standing = iota
	// tight: there are places for some of this rank.
	tight
	// full: those before it take every place.
	full
)

// stand counts who applied for the places, by rank, the applicant among them.
func stand(rank int, applied []int64, places int64) standing {
	before := int64(0)
	for _, n := range applied[:rank] {
		before += n
	}
	switch {
	case before+applied[rank] <= places:
		return sure
	case before < places:
		return tight
	default:
		return full
	}
}
