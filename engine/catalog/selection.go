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
	index   map[forms.Path]int // place of a field in order
	askers  [][]Asker          // of each field in order
	global  [][]int            // by bundle: the places of its fields in the order of the selection
}

// Asker is a bundle of a selection that has a field, and the field's place in the order of its form.
type Asker struct{ Bundle, Place int }

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
	s := &Selection{Bundles: bundles, fields: map[forms.Path]*forms.Field{}, index: map[forms.Path]int{}, global: make([][]int, len(bundles))}
	owner := map[forms.Path]*Bundle{}
	sections, materials := map[string]*Bundle{}, map[string]*Bundle{} // the first with an alias, and with a pinned material
	for i, b := range bundles {
		for _, section := range b.Sections {
			first, ok := sections[section.Alias]
			if !ok {
				sections[section.Alias] = b
				continue
			}
			item := "section/" + section.ID
			if other := first.Section(section.Alias); other.ID != section.ID || first.Pins[item] != b.Pins[item] {
				return nil, &ConflictError{A: first.ID, B: b.ID, Item: item + " as " + section.Alias}
			}
		}
		for item, digest := range b.Pins {
			if !strings.HasPrefix(item, "material/") {
				continue
			}
			first, ok := materials[item]
			if !ok {
				materials[item] = b
			} else if first.Pins[item] != digest {
				return nil, &ConflictError{A: first.ID, B: b.ID, Item: item}
			}
		}
		for place, p := range b.order {
			f := b.fields[p].Field
			first, ok := s.fields[p]
			if !ok {
				s.fields[p], owner[p] = f, b
				s.index[p] = len(s.order)
				s.order, s.askers = append(s.order, p), append(s.askers, nil)
			}
			at := s.index[p]
			s.askers[at] = append(s.askers[at], Asker{i, place})
			s.global[i] = append(s.global[i], at)
			if !ok {
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

// Askers returns the bundles that have the field at a place of [Selection.Paths].
func (s *Selection) Askers(place int) []Asker { return s.askers[place] }

// AskersOf returns the bundles that have the field at a path, also that of a cell.
func (s *Selection) AskersOf(p forms.Path) []Asker {
	if list, _, _, ok := p.Cell(); ok {
		p = list
	}
	if place, ok := s.index[p]; ok {
		return s.askers[place]
	}
	return nil
}

// Places returns the places in [Selection.Paths] of the fields of a bundle, in the order of its form.
func (s *Selection) Places(bundle int) []int { return s.global[bundle] }

// Bundle returns the bundle with the id, nil if it is not selected.
func (s *Selection) Bundle(id string) *Bundle {
	for _, b := range s.Bundles {
		if b.ID == id {
			return b
		}
	}
	return nil
}
