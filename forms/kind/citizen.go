package kind

import "strings"

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

// USCC is a unified social credit code of 18 characters (GB 32100-2015): registrar, kind of body, six digits
// of the region, nine characters of the body, and a check character.
type USCC string

// usccAlphabet holds the characters of a code in the order of their values: I, O, S, V and Z are left out.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// Kind returns KindUSCC.
func (USCC) Kind() Kind { return KindUSCC }

// Equal reports whether v is the same code.
func (u USCC) Equal(v Value) bool { return v == u }

func (USCC) isValue() {}

func parseUSCC(s string) (Value, *Fault) {
	s = compact(s)
	wrong := malformed("统一社会信用代码应为 18 位数字和大写字母（不含 I、O、S、V、Z）")
	if len(s) != 18 || !isDigits(s[2:8]) {
		return nil, wrong
	}
	sum, weight := 0, 1
	for _, c := range []byte(s[:17]) {
		value := strings.IndexByte(usccAlphabet, c)
		if value < 0 {
			return nil, wrong
		}
		sum += weight * value
		weight = weight * 3 % 31
	}
	check := strings.IndexByte(usccAlphabet, s[17])
	if check < 0 {
		return nil, wrong
	}
	if (sum+check)%31 != 0 {
		return nil, &Fault{Code: CheckDigit, Text: "统一社会信用代码校验位不符，请核对"}
	}
	return USCC(s), nil
}
