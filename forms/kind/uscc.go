package kind

import "strings"

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
