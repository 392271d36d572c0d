package civil

import plugin "github.com/siyiban/onething/sdk/go"

const (
	checkWeights    = "\x07\x09\x0a\x05\x08\x04\x02\x01\x06\x03\x07\x09\x0a\x05\x08\x04\x02"
	checkCharacters = "10X98765432"
)

// Number is what a citizen number of GB 11643-1999 says: six digits of the area that gave it, eight of the day of
// birth, three of the order (odd for a male), and a check character. It proposes and compares; whoever was registered
// anew may have another day of birth, or sex, than the number.
type Number struct {
	Area  string // of GB/T 2260 as it was then; numbers keep the code of an area that was abolished since
	Birth plugin.Date
	Male  bool
}

// ReadNumber returns what a number says. It is false unless the number has eighteen characters, a day of birth that
// exists, and the right check character (ISO 7064 MOD 11-2).
func ReadNumber(number plugin.CitizenNumber) (Number, bool) {
	if len(number) != 18 {
		return Number{}, false
	}
	sum := 0
	for i := range len(checkWeights) {
		if number[i] < '0' || number[i] > '9' {
			return Number{}, false
		}
		sum += int(number[i]-'0') * int(checkWeights[i])
	}
	text := string(number)
	born, err := plugin.ParseDate(text[6:10] + "-" + text[10:12] + "-" + text[12:14])
	if err != nil || text[17] != checkCharacters[sum%11] {
		return Number{}, false
	}
	return Number{Area: text[:6], Birth: born, Male: (text[16]-'0')%2 == 1}, true
}
