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

// BankAccount is the number of a bank account or card: 8 to 30 digits. No check digit is asked for: only
// card numbers have one (ISO/IEC 7812-1), accounts of companies and passbooks have none, and no rule tells
// the two apart by their digits. The bank says whether an account exists.
type BankAccount string

// Kind returns KindBankAccount.
func (BankAccount) Kind() Kind { return KindBankAccount }

// Equal reports whether v is the same account.
func (b BankAccount) Equal(v Value) bool { return v == b }

func (BankAccount) isValue() {}

func parseBankAccount(s string) (Value, *Fault) {
	s = compact(s)
	if !isDigits(s) || len(s) < 8 || len(s) > 30 {
		return nil, malformed("银行账号应为 8 至 30 位数字")
	}
	return BankAccount(s), nil
}

// Plate is the number plate of a vehicle (GA 36-2018) without the dot: 苏N12345, 苏ND12345 for new energy.
type Plate string

// Kind returns KindPlate.
func (Plate) Kind() Kind { return KindPlate }

// Equal reports whether v is the same plate.
func (p Plate) Equal(v Value) bool { return v == p }

func (Plate) isValue() {}

const (
	plateProvince = `[京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新]`
	plateSign     = `[0-9A-HJ-NP-Z]` // no I and O, which look like digits
)

var plateNumber = regexp.MustCompile(`^(?:` +
	plateProvince + `[A-HJ-Z]` + plateSign + `{5}|` + // ordinary
	plateProvince + `[A-HJ-Z]` + plateSign + `{4}[挂学警港澳试超领]|` + // trailers, driving schools, police, …
	plateProvince + `[A-HJ-Z][A-HJK]` + plateSign + `\d{4}|` + // new energy, small
	plateProvince + `[A-HJ-Z]\d{5}[A-HJK]|` + // new energy, large
	`使\d{6})$`) // embassies

func parsePlate(s string) (Value, *Fault) {
	s = compact(s)
	if !plateNumber.MatchString(s) {
		return nil, malformed("号牌号码格式不正确，例如 苏N12345")
	}
	return Plate(s), nil
}
