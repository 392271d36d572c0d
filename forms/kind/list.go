package kind

import (
	"fmt"
	"maps"
	"slices"
)

// List is a list of rows.
type List []Row

// Row holds the answers of one row by field. One that was left blank is nil; one that is absent is not answered yet.
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
			peer, found := b[name]
			if !found || (cell == nil) != (peer == nil) || cell != nil && !cell.Equal(peer) {
				return false
			}
		}
		return true
	})
}

func (List) isValue() {}

func parseList(v any, fields map[string]Spec) (Value, *Fault) {
	list, faults := parseRows(v, fields)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return list, nil
}

// ParseRows returns the list of v as [Spec.Parse] does, with every fault of its cells and what is right of them. The
// list is nil if v is none.
func (s Spec) ParseRows(v any) (List, []*Fault) { return parseRows(v, s.Row) }

func parseRows(v any, fields map[string]Spec) (List, []*Fault) {
	rows, ok := v.([]any)
	if !ok {
		return nil, []*Fault{{Code: WrongKind, Text: "应为列表"}}
	}
	if len(rows) > listLength {
		return nil, []*Fault{{Code: TooLong, Text: "列表过长"}}
	}
	var faults []*Fault
	list := make(List, len(rows))
	for i, row := range rows {
		list[i] = Row{}
		path := fmt.Sprintf("[%d]", i)
		cells, ok := row.(map[string]any)
		if !ok {
			faults = append(faults, &Fault{Code: WrongKind, Text: "应为一行内容", Path: path})
			continue
		}
		if fault := unknownKey(cells, func(key string) bool { _, known := fields[key]; return known }); fault != nil {
			faults = append(faults, fault.at(path))
		}
		for _, name := range slices.Sorted(maps.Keys(cells)) {
			spec, known := fields[name]
			if !known {
				continue
			}
			if cells[name] == nil {
				list[i][name] = nil // left blank
				continue
			}
			value, fault := spec.Parse(cells[name])
			if fault != nil {
				faults = append(faults, fault.at(name).at(path))
				continue
			}
			list[i][name] = value
		}
	}
	return list, faults
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
