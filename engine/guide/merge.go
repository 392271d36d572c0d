package guide

import (
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms/rule"
)

// mergeField makes the field at a place of the form of the selection: the form is the union of what the steps that apply
// need, over all bundles. Each bundle has its own mask of what is visible; a field is shown if one of them shows and needs it.
func mergeField(selection *catalog.Selection, place int, parts []*part) *Field {
	merged := &Field{Field: selection.Field(selection.Paths()[place]), Shown: rule.False, Required: rule.False}
	first := true
	for _, k := range selection.Askers(place) {
		a := parts[k.Bundle].fields[k.Place]
		if a.asked == rule.False {
			continue
		}
		merged.Shown, merged.Required = either(merged.Shown, a.asked), either(merged.Required, a.required)
		if first { // what is shared with the part is not changed
			merged.NeededBy, merged.Options, merged.Rows, first = slices.Clip(a.neededBy), a.options, a.rows, false
		} else {
			merged.NeededBy = slices.Clip(append(merged.NeededBy, a.neededBy...))
			merged.Options = common(merged.Options, a.options)
			merged.Rows = mergeRows(merged.Rows, a.rows)
		}
		if merged.Proposal == nil {
			merged.Proposal = a.proposal
		}
		if a.derived != nil {
			merged.Derived = a.derived
		}
	}
	if merged.Field.Derived {
		merged.Required = rule.False
	}
	return merged
}

// either is three-valued or.
func either(a, b rule.Truth) rule.Truth {
	return or(rule.Outcome{Truth: a}, rule.Outcome{Truth: b}).Truth
}

// common are the options that both offer.
func common(a, b []string) []string {
	var both []string
	for _, o := range a {
		if slices.Contains(b, o) {
			both = append(both, o)
		}
	}
	return both
}

// mergeRows puts the cells of one list together over two bundles.
func mergeRows(rows, more [][]*Cell) [][]*Cell {
	if rows == nil {
		return more
	}
	merged := make([][]*Cell, len(rows))
	for i := range rows {
		merged[i] = slices.Clone(rows[i])
		if i >= len(more) {
			continue
		}
		for _, c := range more[i] {
			j := slices.IndexFunc(merged[i], func(known *Cell) bool { return known.ID == c.ID })
			if j < 0 {
				merged[i] = append(merged[i], c)
				continue
			}
			both := *merged[i][j]
			both.Shown, both.Required, both.Options = either(both.Shown, c.Shown), either(both.Required, c.Required), common(both.Options, c.Options)
			if both.Proposal == nil {
				both.Proposal = c.Proposal
			}
			merged[i][j] = &both
		}
	}
	return merged
}

// mergeMaterials puts together what is the same document in several bundles, in the order in which they ask for it. Of
// before, nil if there is none, documents are taken over that no bundle asks for otherwise now.
func mergeMaterials(parts []*part, before *Assessment) []*SharedMaterial {
	kept := map[string]*SharedMaterial{}
	if before != nil {
		for _, s := range before.Materials {
			kept[s.Key] = s
		}
		for i, p := range parts {
			if p == before.parts[i] {
				continue
			}
			for k, now := range p.materials {
				if was := before.parts[i].materials[k]; !shared(was, now) {
					for _, m := range slices.Concat(was, now) {
						delete(kept, m.Key)
					}
				}
			}
		}
	}
	places := make(map[string]int, len(kept))
	all := make([]*SharedMaterial, 0, len(kept))
	for _, p := range parts {
		for _, m := range p.assessed.Materials {
			if m.Asked.Truth == rule.False {
				continue
			}
			place, known := places[m.Key]
			if !known {
				place = len(all)
				places[m.Key], all = place, append(all, kept[m.Key])
			}
			if kept[m.Key] == nil {
				all[place] = all[place].with(p.assessed.Bundle.ID, m)
			}
		}
	}
	return all
}

// shared reports whether a part has taken materials over from the part before.
func shared(was, now []*Material) bool {
	return len(was) == len(now) && (len(now) == 0 || &was[0] == &now[0])
}

// with is a document that one more bundle asks for; s is nil if it is the first one.
func (s *SharedMaterial) with(bundle string, m *Material) *SharedMaterial {
	if s == nil {
		s = &SharedMaterial{Key: m.Key, Name: m.Name, Asked: m.Asked.Truth, Required: m.Required, Tolerable: m.Tolerable.Truth, Promisable: m.Promisable.Truth,
			Sources: slices.Clone(m.Sources), Formats: slices.Clone(m.Formats), OneOf: m.OneOf}
	} else {
		s.Asked = either(s.Asked, m.Asked.Truth)
		s.Required = s.Required || m.Required
		s.Tolerable = and(rule.Outcome{Truth: s.Tolerable}, rule.Outcome{Truth: m.Tolerable.Truth}).Truth
		s.Promisable = and(rule.Outcome{Truth: s.Promisable}, rule.Outcome{Truth: m.Promisable.Truth}).Truth
		s.Sources = slices.DeleteFunc(s.Sources, func(x string) bool { return !slices.Contains(m.Sources, x) })
		s.Formats = slices.DeleteFunc(s.Formats, func(x string) bool { return !slices.Contains(m.Formats, x) })
	}
	if m.Promise != nil {
		s.Promise = m.Promise.Text
		if m.Promise.Text.ZH == "" {
			s.Promise = catalog.DefaultPromise(m.Name)
		}
	}
	for _, id := range m.NeededBy {
		s.NeededBy = append(s.NeededBy, bundle+"."+id)
	}
	return s
}
