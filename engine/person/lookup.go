package person

import "regexp"

// Lookup is one look-up of shared data that a plugin made, or wanted to make.
type Lookup struct {
	// Source is the id of the source; empty: the look-up was no proper one, and nothing of it is kept.
	Source string
	// Key is what was looked up. It is personal data.
	Key string
	// Purpose is what the person whose data it is is shown.
	Purpose string
	// Answered is false if the source was silent, Found if it had an entry.
	Answered, Found bool
	// Refused says why the look-up was not made; empty: it was.
	Refused string
}

// number is the form of a citizen number (GB 11643) or a unified social credit code (GB 32100).
var number = regexp.MustCompile(`^([0-9]{17}[0-9X]|[0-9A-HJ-NPQRTUWXY]{18})$`)

// Subject is the number of the person or the enterprise that was looked up; empty if the key is something else.
func (l Lookup) Subject() string {
	if number.MatchString(l.Key) {
		return l.Key
	}
	return ""
}
