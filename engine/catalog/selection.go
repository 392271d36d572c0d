package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms"
)

// Selection is one or several bundles that are applied for together.
type Selection struct {
	Bundles []*Bundle
	fields  map[forms.Path]*forms.Field
	order   []forms.Path
}

// ConflictError says that two bundles cannot be applied for together.
type ConflictError struct {
	A, B string     // bundles
	Item string     // library item that they pin in different versions, or ""
	Path forms.Path // field whose options exclude one another, or ""
}

// Error names both bundles and what they disagree about.
func (e *ConflictError) Error() string {
	if e.Item != "" {
		return fmt.Sprintf("the bundles %s and %s pin different versions of %s", e.A, e.B, e.Item)
	}
	return fmt.Sprintf("the bundles %s and %s leave no option for %s", e.A, e.B, e.Path)
}

// Select puts bundles together. Compiling happened when they were loaded; nothing is compiled here.
func Select(bundles ...*Bundle) (*Selection, error) {
	s := &Selection{Bundles: bundles, fields: map[forms.Path]*forms.Field{}}
	owner := map[forms.Path]*Bundle{}
	for i, b := range bundles {
		for _, other := range bundles[:i] {
			if item, ok := conflict(other, b); ok {
				return nil, &ConflictError{A: other.ID, B: b.ID, Item: item}
			}
		}
		for _, p := range b.order {
			f := b.fields[p].Field
			first, ok := s.fields[p]
			if !ok {
				s.fields[p], owner[p] = f, b
				s.order = append(s.order, p)
				continue
			}
			merged := *first
			for _, cell := range f.Row { // each bundle asks of an element what it needs
				if !slices.ContainsFunc(merged.Row, func(known *forms.Field) bool { return known.ID == cell.ID }) {
					merged.Row = append(slices.Clip(merged.Row), cell)
				}
			}
			merged.Options = nil
			for _, o := range first.Options {
				if _, ok := f.Option(o.ID); ok {
					merged.Options = append(merged.Options, o)
				}
			}
			if len(first.Options) > 0 && len(merged.Options) == 0 {
				return nil, &ConflictError{A: owner[p].ID, B: b.ID, Path: p}
			}
			s.fields[p] = &merged
		}
	}
	return s, nil
}

// conflict finds a section or material that both use under the same alias and pin differently.
func conflict(a, b *Bundle) (string, bool) {
	for _, section := range a.Sections {
		item := "section/" + section.ID
		if other := b.Section(section.Alias); other != nil && (other.ID != section.ID || a.Pins[item] != b.Pins[item]) {
			return item + " as " + section.Alias, true
		}
	}
	for item, digest := range a.Pins {
		if other, ok := b.Pins[item]; ok && other != digest && strings.HasPrefix(item, "material/") {
			return item, true
		}
	}
	return "", false
}

// Field returns the field at a path, merged over the bundles, also that of a cell; nil if no bundle has it.
func (s *Selection) Field(p forms.Path) *forms.Field {
	list, _, id, ok := p.Cell()
	if !ok {
		return s.fields[p]
	}
	if f := s.fields[list]; f != nil {
		for _, cell := range f.Row {
			if cell.ID == id {
				return cell
			}
		}
	}
	return nil
}

// Paths returns the paths of all fields: the order of the first bundle, then what the others add.
func (s *Selection) Paths() []forms.Path { return s.order }

// Bundle returns the bundle with the id, nil if it is not selected.
func (s *Selection) Bundle(id string) *Bundle {
	for _, b := range s.Bundles {
		if b.ID == id {
			return b
		}
	}
	return nil
}
