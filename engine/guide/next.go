package guide

import (
	"cmp"
	"maps"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

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

// worth is what the answers to one open question can decide of a case, in points.
type worth struct {
	place  int        // of the field in the order of the bundle's form
	cell   forms.Path // "" unless a cell of the list at the place is asked
	points int
}

// undecided tells of each outcome of a case that a question can decide, and that can change something: where a verdict
// stands against the case, nothing more is asked for it.
func (c *Case) undecided(tell func(id string, points int, o *rule.Outcome)) {
	var failing catalog.Otherwise
	for i := range c.Rules {
		if r := &c.Rules[i]; r.gates() && r.Outcome.Truth == rule.False {
			failing = max(failing, r.Otherwise)
		}
	}
	for i := range c.Rules {
		if r := &c.Rules[i]; r.gates() && r.Outcome.Truth == rule.Unknown && r.Otherwise > failing {
			tell(r.ID, pointsVerdict, &r.Outcome)
		}
	}
	if c.Verdict != Eligible && c.Verdict != Undecided {
		return
	}
	for _, s := range c.Steps {
		if s.Applies.Truth == rule.Unknown {
			tell(s.ID, pointsStep, &s.Applies)
		}
	}
	for _, m := range c.Materials {
		if m.Asked.Truth == rule.Unknown {
			tell(m.ID, pointsMaterial, &m.Asked)
		}
	}
}

// worth returns what each open question can decide of a case.
func (c *Case) worth() []worth {
	var all []worth
	c.undecided(func(_ string, points int, o *rule.Outcome) {
		for _, cause := range o.Causes {
			if cause.Kind != forms.CauseAnswer {
				continue
			}
			w := worth{place: c.Bundle.PlaceOf(cause.Path), points: points}
			if list, _, _, ok := cause.Path.Cell(); ok {
				w.place, w.cell = c.Bundle.PlaceOf(list), cause.Path
			}
			i := slices.IndexFunc(all, func(known worth) bool { return known.place == w.place && known.cell == w.cell })
			switch {
			case w.place < 0:
			case i < 0:
				all = append(all, w)
			default:
				all[i].points += points
			}
		}
	})
	return all
}

// decides names what the answer to a question can decide of a case, as bundle.rule, bundle.step or bundle.material.
func (c *Case) decides(p forms.Path) []string {
	var all []string
	c.undecided(func(id string, _ int, o *rule.Outcome) {
		for _, cause := range o.Causes {
			if cause.Kind == forms.CauseAnswer && cause.Path == p {
				all = append(all, c.Bundle.ID+"."+id)
			}
		}
	})
	return all
}

// nextQuestion names the open question that can decide most for its effort, over all selected bundles; of equal
// ones the first of the form, the cells of a list row by row in its place.
func nextQuestion(selection *catalog.Selection, parts []*part, fields []*Field) *Question {
	points, cells := make([]int, len(fields)), map[int]map[forms.Path]int{}
	for i, p := range parts {
		places := selection.Places(i)
		for _, w := range p.worth {
			place := places[w.place]
			if w.cell == "" {
				points[place] += w.points
				continue
			}
			if cells[place] == nil {
				cells[place] = map[forms.Path]int{}
			}
			cells[place][w.cell] += w.points
		}
	}
	var best forms.Path
	var bestPoints, bestEffort int
	consider := func(p forms.Path, f *forms.Field, points int) {
		if points > 0 && (best == "" || points*bestEffort > bestPoints*effort(f.Kind)) {
			best, bestPoints, bestEffort = p, points, effort(f.Kind)
		}
	}
	for place, f := range fields {
		consider(f.Path, f.Field, points[place])
		if of := cells[place]; of != nil {
			for _, cell := range rowByRow(f.Field, of) {
				if column := selection.Field(cell); column != nil {
					consider(cell, column, of[cell])
				}
			}
		}
	}
	if best == "" {
		return nil
	}
	next := &Question{Path: best}
	for _, k := range selection.AskersOf(best) {
		next.Decides = append(next.Decides, parts[k.Bundle].assessed.decides(best)...)
	}
	return next
}

// rowByRow are cells of a list in the order of the form.
func rowByRow(list *forms.Field, cells map[forms.Path]int) []forms.Path {
	place := func(p forms.Path) (row, column int) {
		_, row, id, _ := p.Cell()
		return row, slices.IndexFunc(list.Row, func(f *forms.Field) bool { return f.ID == id })
	}
	return slices.SortedFunc(maps.Keys(cells), func(a, b forms.Path) int {
		rowA, columnA := place(a)
		rowB, columnB := place(b)
		return cmp.Or(cmp.Compare(rowA, rowB), cmp.Compare(columnA, columnB))
	})
}
