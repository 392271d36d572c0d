package kind

import "strings"

// Address is a place: the code of its region (GB/T 2260, with 9 digits down to the township and 12 to the
// village), and the rest in words. Whether the region exists at a day is a matter of the dated list.
type Address struct {
	Region string
	Text   string
}

// Kind returns KindAddress.
func (Address) Kind() Kind { return KindAddress }

// Equal reports whether v is the same address.
func (a Address) Equal(v Value) bool { return v == a }

func (Address) isValue() {}

// Within reports whether a lies in the region, whose code is a prefix of those of all regions in it.
func (a Address) Within(region string) bool { return strings.HasPrefix(a.Region, region) }

func parseAddress(v any) (Value, *Fault) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, &Fault{Code: WrongKind, Text: "应为地址，含地区和详细地址"}
	}
	if fault := unknownKey(object, func(key string) bool { return key == "region" || key == "text" }); fault != nil {
		return nil, fault
	}
	var parts [2]string
	for i, key := range []string{"region", "text"} {
		part, found := object[key]
		if !found || part == nil {
			return nil, &Fault{Code: MissingKey, Text: "地址须含地区和详细地址", Path: key}
		}
		if parts[i], ok = part.(string); !ok {
			return nil, &Fault{Code: WrongKind, Text: "应为文字", Path: key}
		}
	}
	region := parts[0]
	if n := len(region); !isDigits(region) || n != 6 && n != 9 && n != 12 {
		return nil, malformed("地区代码应为 6、9 或 12 位数字").at("region")
	}
	text, fault := cleanText(parts[1], addressLength)
	if fault != nil {
		return nil, fault.at("text")
	}
	return Address{Region: region, Text: text}, nil
}
