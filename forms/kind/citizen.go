package kind

// CitizenNumber is a citizen number of 18 characters (GB 11643-1999): six digits of the region of first
// registration, eight of the day of birth, three of a sequence (odd for men), and a check character. The
// region is not compared with any list: regions are dissolved, the numbers of their people stay. The day of
// birth and the sex are good for proposals and comparisons only, because re-registered persons exist.
type CitizenNumber string

// Kind returns KindCitizenNumber.
func (CitizenNumber) Kind() Kind { return KindCitizenNumber }

// Equal reports whether v is the same number.
func (c CitizenNumber) Equal(v Value) bool { return v == c }

func (CitizenNumber) isValue() {}

// BirthDate returns the day of birth that c carries, the zero Date if c was not parsed.
func (c CitizenNumber) BirthDate() Date {
	if len(c) != 18 {
		return Date{}
	}
	d, _ := ParseDate(string(c[6:10] + "-" + c[10:12] + "-" + c[12:14]))
	return d
}

// Female reports whether c was given to a woman: its 17th digit is even.
func (c CitizenNumber) Female() bool {
	return len(c) == 18 && (c[16]-'0')%2 == 0
}

// Region returns the six digits of the region of first registration, in the code list of that time.
func (c CitizenNumber) Region() string {
	if len(c) != 18 {
		return ""
	}
	return string(c[:6])
}

func parseCitizenNumber(s string) (Value, *Fault) {
	s = compact(s)
	wrong := malformed("公民身份号码应为 18 位")
	switch {
	case len(s) == 15 && isDigits(s):
		// The numbers before 1999 have a year of two digits and no check character.
		s = s[:6] + "19" + s[6:]
		s += string(citizenCheck(s))
	case len(s) != 18 || !isDigits(s[:17]) || !isDigits(s[17:]) && s[17] != 'X':
		return nil, wrong
	}
	c := CitizenNumber(s)
	if c.BirthDate().IsZero() {
		return nil, &Fault{Code: NoSuchDate, Text: "公民身份号码中的出生日期不存在"}
	}
	if s[17] != citizenCheck(s[:17]) {
		return nil, &Fault{Code: CheckDigit, Text: "公民身份号码校验位不符，请核对"}
	}
	return c, nil
}

// citizenCheck returns the check character of 17 digits by ISO 7064 MOD 11-2.
func citizenCheck(digits string) byte {
	sum := 0
	for _, c := range []byte(digits) {
		sum = (sum + int(c-'0')) * 2 % 11
	}
	return "0123456789X"[(12-sum)%11]
}
