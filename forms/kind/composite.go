package kind

import (
	"fmt"
	"slices"
	"strings"
)

// Choice is the id of the option that was chosen.
type Choice string

// Kind returns KindChoice.
func (Choice) Kind() Kind { return KindChoice }

// Equal reports whether v is the same choice.
func (c Choice) Equal(v Value) bool { return v == c }

func (Choice) isValue() {}

func parseChoice(s string, options []string) (Value, *Fault) {
	if !slices.Contains(options, s) {
		return nil, &Fault{Code: NoSuchOption, Text: "没有这个选项"}
	}
	return Choice(s), nil
}

// Choices are the ids of the options that were chosen, in the order of the options, each once. None
// chosen is an answer, too.
type Choices []string

// Kind returns KindChoices.
func (Choices) Kind() Kind { return KindChoices }

// Equal reports whether v has the same options chosen.
func (c Choices) Equal(v Value) bool {
	other, ok := v.(Choices)
	return ok && slices.Equal(c, other)
}

func (Choices) isValue() {}

func parseChoices(v any, options []string) (Value, *Fault) {
	list, ok := v.([]any)
	if !ok {
		return nil, &Fault{Code: WrongKind, Text: "应为选项的列表"}
	}
	if len(list) > listLength {
		return nil, &Fault{Code: TooLong, Text: "选项过多"}
	}
	chosen := make([]bool, len(options))
	for i, item := range list {
		path := fmt.Sprintf("[%d]", i)
		id, ok := item.(string)
		if !ok {
			return nil, &Fault{Code: WrongKind, Text: "应为选项", Path: path}
		}
		n := slices.Index(options, id)
		if n < 0 {
			return nil, &Fault{Code: NoSuchOption, Text: "没有这个选项", Path: path}
		}
		chosen[n] = true
	}
	ids := Choices{}
	for i, id := range options {
		if chosen[i] {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

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

// List is a list of rows.
type List []Row

// Row holds the answers of one row by field; a blank one is absent.
type Row = map[string]Value

// listLength bounds the number of elements of a list.
const listLength = 500

// Kind returns KindList.
func (List) Kind() Kind { return KindList }

// Equal reports whether v has equal rows in the same order.
func (l List) Equal(v Value) bool {
	other, ok := v.(List)
	return ok && slices.EqualFunc(l, other, func(a, b Row) bool {
		if len(a) != len(b) {
			return false
		}
		for name, cell := range a {
			if peer, found := b[name]; !found || !cell.Equal(peer) {
				return false
			}
		}
		return true
	})
}

func (List) isValue() {}

func parseList(v any, fields map[string]Spec) (Value, *Fault) {
	rows, ok := v.([]any)
	if !ok {
		return nil, &Fault{Code: WrongKind, Text: "应为列表"}
	}
	if len(rows) > listLength {
		return nil, &Fault{Code: TooLong, Text: "列表过长"}
	}
	list := make(List, len(rows))
	for i, row := range rows {
		path := fmt.Sprintf("[%d]", i)
		cells, ok := row.(map[string]any)
		if !ok {
			return nil, &Fault{Code: WrongKind, Text: "应为一行内容", Path: path}
		}
		if fault := unknownKey(cells, func(key string) bool { _, known := fields[key]; return known }); fault != nil {
			return nil, fault.at(path)
		}
		list[i] = Row{}
		for name, cell := range cells {
			if cell == nil {
				continue
			}
			value, fault := fields[name].Parse(cell)
			if fault != nil {
				return nil, fault.at(name).at(path)
			}
			list[i][name] = value
		}
	}
	return list, nil
}

// unknownKey returns a fault if object has a key that is not known. It does not say which: the key comes
// from outside, as the value does.
func unknownKey(object map[string]any, known func(string) bool) *Fault {
	for key := range object {
		if !known(key) {
			return &Fault{Code: UnknownKey, Text: "含有未定义的项"}
		}
	}
	return nil
}
