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

// points are what an answer can decide. Verdicts come first, as what else is asked of somebody who is not eligible is
// asked for nothing; which steps apply and which materials are asked is compared only where they leave a choice.
type points struct{ verdict, rest int }

func (p points) add(other points) points {
	return points{p.verdict + other.verdict, p.rest + other.rest}
}

// more reports whether p for one effort is more than other points for another.
func (p points) more(effort int, other points, otherEffort int) bool {
	return cmp.Or(cmp.Compare(p.verdict*otherEffort, other.verdict*effort), cmp.Compare(p.rest*otherEffort, other.rest*effort)) > 0
}

// Whether a step applies counts twice as much as whether a material is asked.
const (
	pointsStep     = 2
	pointsMaterial = 1
)

// pointsVerdict is what each open question of a rule can decide of a verdict. An answer seldom decides a rule alone that
// hangs on others too: each further one halves it. And as a refusal decides nothing while it is open whether a rule of
// a higher rank fails, while what settles that is asked of everybody but those whom it decides for, a rule counts a quarter
// as long as one of a higher rank is open.
func pointsVerdict(questions int, outranked bool) int {
	worth := 1 << 12 >> min(questions-1, 10)
	if outranked {
		worth >>= 2
	}
	return worth
}

// worth is what the answers to one open question can decide of a case.
type worth struct {
	place  int        // of the field in the order of the bundle's form
	cell   forms.Path // "" unless a cell of the list at the place is asked
	points points
}

// undecided tells of each outcome of a case that answers can decide, and that can change something: where a verdict
// stands against the case, nothing more is asked for it. With it go the questions, and what an answer to each is worth.
func (c *Case) undecided(tell func(id string, questions []forms.Path, each points)) {
	var failing, highest catalog.Otherwise
	for i := range c.Rules {
		switch r := &c.Rules[i]; {
		case !r.gates():
		case r.Outcome.Truth == rule.False:
			failing = max(failing, r.Otherwise)
		case r.Outcome.Truth == rule.Unknown:
			highest = max(highest, r.Otherwise)
		}
	}
	for i := range c.Rules {
		if r := &c.Rules[i]; r.gates() && r.Outcome.Truth == rule.Unknown && r.Otherwise > failing {
			if questions := asked(&r.Outcome); len(questions) > 0 {
				tell(r.ID, questions, points{verdict: pointsVerdict(len(questions), r.Otherwise < highest)})
			}
		}
	}
	if c.Verdict != Eligible && c.Verdict != Undecided {
		return
	}
	for _, s := range c.Steps {
		if s.Applies.Truth == rule.Unknown {
			tell(s.ID, asked(&s.Applies), points{rest: pointsStep})
		}
	}
	for _, m := range c.Materials {
		if m.Asked.Truth == rule.Unknown {
			tell(m.ID, asked(&m.Asked), points{rest: pointsMaterial})
		}
	}
}

// asked are the questions whose answers leave an outcome open.
func asked(o *rule.Outcome) []forms.Path {
	var paths []forms.Path
	for _, cause := range o.Causes {
		if cause.Kind == forms.CauseAnswer {
			paths = append(paths, cause.Path)
		}
	}
	return paths
}

// worth returns what each open question can decide of a case.
func (c *Case) worth() []worth {
	var all []worth
	c.undecided(func(_ string, questions []forms.Path, each points) {
		for _, p := range questions {
			w := worth{place: c.Bundle.PlaceOf(p), points: each}
			if list, _, _, ok := p.Cell(); ok {
				w.place, w.cell = c.Bundle.PlaceOf(list), p
			}
			i := slices.IndexFunc(all, func(known worth) bool { return known.place == w.place && known.cell == w.cell })
			switch {
			case w.place < 0:
			case i < 0:
				all = append(all, w)
			default:
				all[i].points = all[i].points.add(each)
			}
		}
	})
	return all
}

// decides names what the answer to a question can decide of a case, as bundle.rule, bundle.step or bundle.material.
func (c *Case) decides(p forms.Path) []string {
	var all []string
	c.undecided(func(id string, questions []forms.Path, _ points) {
		if slices.Contains(questions, p) {
			all = append(all, c.Bundle.ID+"."+id)
		}
	})
	return all
}

// nextQuestion names the open question that can decide most for its effort, over all selected bundles; of equal
// ones the first of the form, the cells of a list row by row in its place.
func nextQuestion(selection *catalog.Selection, parts []*part, fields []*Field) *Question {
	all, cells := make([]points, len(fields)), map[int]map[forms.Path]points{}
	for i, p := range parts {
		places := selection.Places(i)
		for _, w := range p.worth {
			place := places[w.place]
			if w.cell == "" {
				all[place] = all[place].add(w.points)
				continue
			}
			if cells[place] == nil {
				cells[place] = map[forms.Path]points{}
			}
			cells[place][w.cell] = cells[place][w.cell].add(w.points)
		}
	}
	var best forms.Path
	var bestPoints points
	bestEffort := 1
	consider := func(p forms.Path, f *forms.Field, points points) {
		if e := effort(f.Kind); points.more(e, bestPoints, bestEffort) {
			best, bestPoints, bestEffort = p, points, e
		}
	}
	for place, f := range fields {
		consider(f.Path, f.Field, all[place])
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
func rowByRow(list *forms.Field, cells map[forms.Path]points) []forms.Path {
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
