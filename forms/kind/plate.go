package kind

import "regexp"

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
