package guide

import (
	"cmp"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// mergeFields makes the form of the selection: the union of what the steps that apply need, over all bundles.
// Each bundle has its own mask of what is visible; a field is shown if one of them shows and needs it.
func mergeFields(selection *catalog.Selection, evaluations []*evaluation) []*Field {
	var fields []*Field
	for _, p := range selection.Paths() {
		merged := &Field{Field: selection.Field(p), Shown: rule.False, Required: rule.False}
		shown, required := no(), no()
		first := true
		for _, e := range evaluations {
			f := e.bundle.Field(p)
			if f == nil {
				continue
			}
			asked := and(e.needed(p), e.try(func(e *evaluation) rule.Outcome { return e.isShown(f) }))
			if asked.Truth == rule.False {
				continue
			}
			shown = or(shown, asked)
			required = or(required, and(asked, e.try(func(e *evaluation) rule.Outcome { return e.isRequired(e, f) })))
			merged.NeededBy = append(merged.NeededBy, e.neededBy(p)...)
			e.propose(f, merged)
			merged.Rows = mergeRows(merged.Rows, e.assessRows(f))
			offered := e.options(e, f)
			if first {
				merged.Options, first = offered, false
			} else {
				merged.Options = slices.DeleteFunc(merged.Options, func(o string) bool { return !slices.Contains(offered, o) })
			}
		}
		merged.Shown, merged.Required = shown.Truth, required.Truth
		if merged.Field.Derived {
			merged.Required = rule.False
		}
		fields = append(fields, merged)
	}
	return fields
}

// mergeRows puts the cells of one list together over the bundles.
func mergeRows(rows, more [][]*Cell) [][]*Cell {
	if rows == nil {
		return more
	}
	for i := range more {
		for _, c := range more[i] {
			j := slices.IndexFunc(rows[i], func(known *Cell) bool { return known.ID == c.ID })
			if j < 0 {
				rows[i] = append(rows[i], c)
				continue
			}
			known := rows[i][j]
			known.Shown = or(rule.Outcome{Truth: known.Shown}, rule.Outcome{Truth: c.Shown}).Truth
			known.Required = or(rule.Outcome{Truth: known.Required}, rule.Outcome{Truth: c.Required}).Truth
			known.Options = slices.DeleteFunc(known.Options, func(o string) bool { return !slices.Contains(c.Options, o) })
			if known.Proposal == nil {
				known.Proposal = c.Proposal
			}
		}
	}
	return rows
}

// propose fills in the value of a derived field, and the proposal for one that is not answered.
func (e *evaluation) propose(f *catalog.Field, merged *Field) {
	if f.Field.Derived {
		if s := e.State(f.Path); s.Status == forms.Known {
			merged.Derived = s.Value
		}
		return
	}
	if _, answered := e.record.Get(f.Path); answered || f.Default == nil || merged.Proposal != nil {
		return
	}
	if s := e.compute(e, f.Default); s.Status == forms.Known {
		merged.Proposal = s.Value
	}
}

// needed says whether a field decides something, or a step that applies needs it.
func (e *evaluation) needed(p forms.Path) rule.Outcome {
	if e.decisive[p] {
		return yes()
	}
	o := no()
	for _, s := range e.assessment.Steps {
		if e.byStep[s.ID][p] {
			o = or(o, s.Applies)
		}
	}
	return o
}

func (e *evaluation) neededBy(p forms.Path) []string {
	var steps []string
	for _, s := range e.assessment.Steps {
		if s.Applies.Truth != rule.False && e.byStep[s.ID][p] {
			steps = append(steps, e.bundle.ID+"."+s.ID)
		}
	}
	return steps
}

// mergeMaterials puts together what is the same document in several bundles.
func mergeMaterials(cases []*Case) []*SharedMaterial {
	var shared []*SharedMaterial
	for _, c := range cases {
		for _, m := range c.Materials {
			if m.Asked.Truth == rule.False {
				continue
			}
			i := slices.IndexFunc(shared, func(s *SharedMaterial) bool { return s.Key == m.Key })
			if i < 0 {
				s := &SharedMaterial{Key: m.Key, Name: m.Name, Asked: m.Asked.Truth, Required: m.Required, Tolerable: m.Tolerable.Truth, Promisable: m.Promisable.Truth,
					Sources: slices.Clone(m.Sources), Formats: slices.Clone(m.Formats), OneOf: m.OneOf}
				shared = append(shared, s)
				i = len(shared) - 1
			} else {
				s := shared[i]
				s.Asked = or(rule.Outcome{Truth: s.Asked}, m.Asked).Truth
				s.Required = s.Required || m.Required
				s.Tolerable = and(rule.Outcome{Truth: s.Tolerable}, m.Tolerable).Truth
				s.Promisable = and(rule.Outcome{Truth: s.Promisable}, m.Promisable).Truth
				s.Sources = slices.DeleteFunc(s.Sources, func(x string) bool { return !slices.Contains(m.Sources, x) })
				s.Formats = slices.DeleteFunc(s.Formats, func(x string) bool { return !slices.Contains(m.Formats, x) })
			}
			if m.Promise != nil {
				shared[i].Promise = m.Promise.Text
				if m.Promise.Text.ZH == "" {
					shared[i].Promise = catalog.DefaultPromise(m.Name)
				}
			}
			for _, id := range m.NeededBy {
				shared[i].NeededBy = append(shared[i].NeededBy, c.Bundle.ID+"."+id)
			}
		}
	}
	return shared
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

// nextQuestion names the open question that can decide most for its effort, over all selected bundles; of equal
// ones the first of the form. Only questions that can change something are named: where a verdict stands against
// a case, nothing more is asked for it.
func nextQuestion(selection *catalog.Selection, evaluations []*evaluation) *Question {
	points := map[forms.Path]int{}
	decides := map[forms.Path][]string{}
	for _, e := range evaluations {
		c := e.assessment
		count := func(o rule.Outcome, id string, worth int) {
			if o.Truth != rule.Unknown {
				return
			}
			for _, cause := range o.Causes {
				if cause.Kind == forms.CauseAnswer {
					points[cause.Path] += worth
					decides[cause.Path] = append(decides[cause.Path], c.Bundle.ID+"."+id)
				}
			}
		}
		for _, r := range c.deciding() {
			count(r.Outcome, r.ID, pointsVerdict)
		}
		if c.Verdict != Eligible && c.Verdict != Undecided {
			continue
		}
		for _, s := range c.Steps {
			count(s.Applies, s.ID, pointsStep)
		}
		for _, m := range c.Materials {
			count(m.Asked, m.ID, pointsMaterial)
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
		best, bestPoints, bestEffort = &Question{Path: p, Decides: decides[p]}, worth, cost
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
