package civil

// CitizenNumber is a citizen number of GB 11643-1999: six digits of the area that gave it, eight of the day of birth,
// three of the order (odd for a male), and the check character.
type CitizenNumber string

const (
	checkWeights    = "\x07\x09\x0a\x05\x08\x04\x02\x01\x06\x03\x07\x09\x0a\x05\x08\x04\x02"
	checkCharacters = "10X98765432"
)

// Valid is true if the number has eighteen characters, a day of birth that exists, and the right check character
// (ISO 7064 MOD 11-2). The area is not looked at: numbers keep the code of an area that was abolished since.
func (n CitizenNumber) Valid() bool {
	if len(n) != 18 {
		return false
	}
	sum := 0
	for i := range len(checkWeights) {
		if n[i] < '0' || n[i] > '9' {
			return false
		}
		sum += int(n[i]-'0') * int(checkWeights[i])
	}
	return n[17] == checkCharacters[sum%11] && !n.Birth().IsZero()
}

// Birth is the day of birth in the number, the zero Date if there is none.
func (n CitizenNumber) Birth() Date {
	if len(n) != 18 {
		return Date{}
	}
	born, err := parseDigits(string(n[6:14]))
	if err != nil {
		return Date{}
	}
	return born
}

// Male is the sex in a valid number. It proposes and compares; whoever was registered anew may differ from it.
func (n CitizenNumber) Male() bool { return (n[16]-'0')%2 == 1 }

// Area is the county that gave a valid number, six digits of GB/T 2260 as they were then.
func (n CitizenNumber) Area() string { return string(n[:6]) }
