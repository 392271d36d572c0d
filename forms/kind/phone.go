package kind

import (
	"regexp"
	"strings"
)

// Phone is a telephone number of the mainland: a mobile number of 11 digits such as 13800138000, or a
// landline with its area code such as 0527-84221234.
type Phone string

// Kind returns KindPhone.
func (Phone) Kind() Kind { return KindPhone }

// Equal reports whether v is the same number.
func (p Phone) Equal(v Value) bool { return v == p }

func (Phone) isValue() {}

var (
	mobileNumber = regexp.MustCompile(`^1[3-9]\d{9}$`)
	// Area codes have three digits (010, 02x) or four; numbers within an area begin with 2 to 9.
	landlineNumber = regexp.MustCompile(`^(010|02\d|0[3-9]\d\d)([2-9]\d{6,7})$`)
)

func parsePhone(s string) (Value, *Fault) {
	s = strings.NewReplacer("(", "", ")", "").Replace(compact(s))
	for _, prefix := range []string{"+86", "0086", "86"} {
		if national, found := strings.CutPrefix(s, prefix); found {
			s = national
			if !mobileNumber.MatchString(s) {
				s = "0" + strings.TrimPrefix(s, "0") // from abroad the area code is dialled without its 0
			}
			break
		}
	}
	if mobileNumber.MatchString(s) {
		return Phone(s), nil
	}
	if parts := landlineNumber.FindStringSubmatch(s); parts != nil {
		return Phone(parts[1] + "-" + parts[2]), nil
	}
	return nil, malformed("请填写 11 位手机号码，或带区号的固定电话号码")
}
