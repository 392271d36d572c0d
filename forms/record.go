package forms

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/forms/kind"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Record holds the answers of one form: what was answered, and what was left blank on purpose. A path that it
// does not hold is unanswered. It is immutable; the zero Record is empty.
type Record struct {
	answers map[Path]kind.Value // nil value: blank
}

// Get returns the answer to a path, also that of a cell. A blank answer is nil, with answered true.
func (r Record) Get(p Path) (value kind.Value, answered bool) {
	if list, row, field, ok := p.Cell(); ok {
		rows, _ := r.answers[list].(kind.List)
		if row >= len(rows) {
			return nil, false
		}
		value, answered = rows[row][field]
		return value, answered
	}
	value, answered = r.answers[p]
	return value, answered
}

// With returns the record with a changed answer, also to a cell of a row that is there; nil is blank.
func (r Record) With(p Path, value kind.Value) Record {
	if list, row, field, ok := p.Cell(); ok {
		return r.withRow(list, row, func(cells kind.Row) { cells[field] = value })
	}
	answers := maps.Clone(r.answers)
	if answers == nil {
		answers = map[Path]kind.Value{}
	}
	answers[p] = value
	return Record{answers}
}

// withRow returns the record with one row of a list changed; one that has no such row as it is.
func (r Record) withRow(list Path, row int, change func(kind.Row)) Record {
	rows, _ := r.answers[list].(kind.List)
	if row >= len(rows) {
		return r
	}
	rows = slices.Clone(rows)
	rows[row] = maps.Clone(rows[row])
	change(rows[row])
	return r.With(list, rows)
}

// Without returns the record with answers taken back, also those to cells.
func (r Record) Without(paths ...Path) Record {
	for _, p := range paths {
		if list, row, field, ok := p.Cell(); ok {
			r = r.withRow(list, row, func(cells kind.Row) { delete(cells, field) })
		}
	}
	answers := maps.Clone(r.answers)
	for _, p := range paths {
		delete(answers, p)
	}
	return Record{answers}
}

// Merge returns the record with the answers of changes over its own.
func (r Record) Merge(changes Record) Record {
	answers := maps.Clone(r.answers)
	if answers == nil {
		answers = map[Path]kind.Value{}
	}
	maps.Copy(answers, changes.answers)
	return Record{answers}
}

// Only returns the record restricted to the paths that keep accepts.
func (r Record) Only(keep func(Path) bool) Record {
	answers := map[Path]kind.Value{}
	for p, v := range r.answers {
		if keep(p) {
			answers[p] = v
		}
	}
	return Record{answers}
}

// All yields the answers in the order of their paths; a blank one is nil.
func (r Record) All() iter.Seq2[Path, kind.Value] {
	return func(yield func(Path, kind.Value) bool) {
		for _, p := range slices.Sorted(maps.Keys(r.answers)) {
			if !yield(p, r.answers[p]) {
				return
			}
		}
	}
}

// Each calls f with every answer, in no order; a blank one is nil.
func (r Record) Each(f func(Path, kind.Value)) {
	for p, v := range r.answers {
		f(p, v)
	}
}

// Len returns the number of answers, blank ones included.
func (r Record) Len() int { return len(r.answers) }

// Diff returns the paths whose answers differ between the two records, in order.
func (r Record) Diff(other Record) []Path {
	var paths []Path
	for p, v := range r.answers {
		w, ok := other.answers[p]
		if !ok || !same(v, w) {
			paths = append(paths, p)
		}
	}
	for p := range other.answers {
		if _, ok := r.answers[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

func same(a, b kind.Value) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Equal(b)
}

// Violation is one fault of a record. It never contains the value.
type Violation struct {
	Path   Path
	Code   string // for example check_digit, unknown_field, required
	Bundle string // of the rule that failed
	Rule   string
	Text   Text
}

// Proto returns the violation as the API shows it.
func (v Violation) Proto() *formsv1.Violation {
	return &formsv1.Violation{Path: string(v.Path), Code: v.Code, Rule: v.Rule, Bundle: v.Bundle, Text: v.Text.Proto()}
}

// Proto returns the text as a message.
func (t Text) Proto() *formsv1.Text { return &formsv1.Text{Zh: t.ZH, En: t.EN} }

// Fields finds the field behind a path of a form; nil if there is none that is asked.
type Fields func(Path) *Field

// Decode reads answers into a typed record. It rejects what the form does not know and tells every fault at
// once; the record holds what is right.
func Decode(answers map[string]*structpb.Value, fields Fields) (Record, []Violation) {
	record := Record{answers: make(map[Path]kind.Value, len(answers))}
	var faults []Violation
	for _, key := range slices.Sorted(maps.Keys(answers)) {
		p := Path(key)
		field := fields(p)
		if field == nil || field.Derived {
			faults = append(faults, Violation{Path: p, Code: "unknown_field",
				Text: Text{ZH: "本表单没有此项，或此项由系统计算", EN: "This form has no such field, or it is computed."}})
			continue
		}
		v := answers[key]
		if v == nil {
			v = structpb.NewNullValue()
		}
		given := v.AsInterface()
		if given == nil {
			record.answers[p] = nil
			continue
		}
		if field.Kind == kind.KindList {
			list, found := field.Spec().ParseRows(given)
			for _, fault := range found {
				faults = append(faults, Violation{Path: below(p, fault.Path), Code: string(fault.Code), Text: Text{ZH: fault.Text}})
			}
			if list != nil {
				record.answers[p] = list
			}
			continue
		}
		value, fault := field.Spec().Parse(given)
		if fault != nil {
			faults = append(faults, Violation{Path: below(p, fault.Path), Code: string(fault.Code), Text: Text{ZH: fault.Text}})
			continue
		}
		record.answers[p] = value
	}
	return record, faults
}

func below(p Path, inside string) Path {
	switch {
	case inside == "":
		return p
	case inside[0] == '[':
		return p + Path(inside)
	}
	return p + "." + Path(inside)
}

// Encode returns the record as a message, each value in its canonical form.
func (r Record) Encode() (*formsv1.Record, error) {
	message := &formsv1.Record{Answers: make(map[string]*structpb.Value, len(r.answers))}
	for p, v := range r.answers {
		value, err := EncodeValue(v)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", p, err)
		}
		message.Answers[string(p)] = value
	}
	return message, nil
}

// EncodeValue returns a value in its canonical form; nil is null.
func EncodeValue(v kind.Value) (*structpb.Value, error) {
	if v == nil {
		return structpb.NewNullValue(), nil
	}
	return structpb.NewValue(kind.Encode(v))
}
