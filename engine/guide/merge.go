package guide

import (
	"cmp"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
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
	type ask struct {
		bundle string
		*Material
	}
	asks, order := map[string][]ask{}, []string(nil)
	for _, p := range parts {
		for _, m := range p.assessed.Materials {
			if m.Asked.Truth == rule.False {
				continue
			}
			if asks[m.Key] == nil {
				order = append(order, m.Key)
			}
			asks[m.Key] = append(asks[m.Key], ask{p.assessed.Bundle.ID, m})
		}
	}
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
	all := make([]*SharedMaterial, 0, len(order))
	for _, key := range order {
		s := kept[key]
		if s == nil {
			for _, m := range asks[key] {
				s = s.with(m.bundle, m.Material)
			}
		}
		all = append(all, s)
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

// effort is what it costs a person to answer, by kind: a tick, a look at a document, typing.
func effort(k kind.Kind) int {
	switch k {
	case kind.KindBool, kind.KindChoice:
		return 2
	case kind.KindChoices, kind.KindDate, kind.KindInt:
		return 3
	case kind.KindFile, kind.KindAddress, kind.KindList:
		return 6
	default:
		return 4
	}
}

// What an answer can decide, in points: the verdict of a case counts more than which steps apply, and those more
// than which materials are asked.
const (
	pointsVerdict  = 12
	pointsStep     = 4
	pointsMaterial = 2
)

// worth is what the answers to one question can decide of a case, in points, by what they decide.
type worth struct {
	path    forms.Path
	points  int
	decides []string // as bundle.rule, bundle.step or bundle.material
}

// worth returns the open questions of a case that can change something: where a verdict stands against it, nothing more
// is asked for it.
func (c *Case) worth() []worth {
	var all []worth
	count := func(o rule.Outcome, id string, points int) {
		if o.Truth != rule.Unknown {
			return
		}
		for _, cause := range o.Causes {
			if cause.Kind != forms.CauseAnswer {
				continue
			}
			i := slices.IndexFunc(all, func(w worth) bool { return w.path == cause.Path })
			if i < 0 {
				i = len(all)
				all = append(all, worth{path: cause.Path})
			}
			all[i].points += points
			all[i].decides = append(all[i].decides, c.Bundle.ID+"."+id)
		}
	}
	for _, r := range c.deciding() {
		count(r.Outcome, r.ID, pointsVerdict)
	}
	if c.Verdict != Eligible && c.Verdict != Undecided {
		return all
	}
	for _, s := range c.Steps {
		count(s.Applies, s.ID, pointsStep)
	}
	for _, m := range c.Materials {
		count(m.Asked, m.ID, pointsMaterial)
	}
	return all
}

// nextQuestion names the open question that can decide most for its effort, over all selected bundles; of equal
// ones the first of the form.
func nextQuestion(selection *catalog.Selection, parts []*part) *Question {
	points := map[forms.Path]int{}
	for _, p := range parts {
		for _, w := range p.worth {
			points[w.path] += w.points
		}
	}
	var best *Question
	var bestPoints, bestEffort int
	for _, p := range inOrder(selection, points) {
		worth := points[p]
		cost := effort(selection.Field(p).Kind)
		if worth == 0 || best != nil && worth*bestEffort <= bestPoints*cost {
			continue
		}
		best, bestPoints, bestEffort = &Question{Path: p}, worth, cost
	}
	if best == nil {
		return nil
	}
	for _, p := range parts {
		for _, w := range p.worth {
			if w.path == best.Path {
				best.Decides = append(best.Decides, w.decides...)
			}
		}
	}
	return best
}

// inOrder are the open questions in the order of the form, the cells of a list row by row in its place.
func inOrder(selection *catalog.Selection, points map[forms.Path]int) []forms.Path {
	cells := map[forms.Path][]forms.Path{}
	for p := range points {
		if list, _, _, ok := p.Cell(); ok && selection.Field(p) != nil {
			cells[list] = append(cells[list], p)
		}
	}
	var paths []forms.Path
	for _, p := range selection.Paths() {
		if points[p] > 0 {
			paths = append(paths, p)
		}
		if len(cells[p]) == 0 {
			continue
		}
		place := func(p forms.Path) (row, column int) {
			list, row, id, _ := p.Cell()
			return row, slices.IndexFunc(selection.Field(list).Row, func(f *forms.Field) bool { return f.ID == id })
		}
		slices.SortFunc(cells[p], func(a, b forms.Path) int {
			rowA, columnA := place(a)
			rowB, columnB := place(b)
			return cmp.Or(cmp.Compare(rowA, rowB), cmp.Compare(columnA, columnB))
		})
		paths = append(paths, cells[p]...)
	}
	return paths
}

// deciding returns the open rules that can still change the verdict: those of a higher rank than every failing one.
func (c *Case) deciding() []Rule {
	var failing catalog.Otherwise
	for _, r := range c.Failing() {
		failing = max(failing, r.Otherwise)
	}
	return slices.DeleteFunc(c.Open(), func(r Rule) bool { return r.Otherwise <= failing })
}
