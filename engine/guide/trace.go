package guide

import (
	"strconv"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// Trace is a bundle over one record, for tools that show how an assessment came about. It evaluates as [Assess] does,
// but for the trying of open answers: what is said here of a rule is what its parts say.
type Trace struct{ e *evaluation }

// NewTrace looks at a bundle over a record.
func NewTrace(b *catalog.Bundle, record forms.Record, setting Setting) Trace {
	return Trace{newEvaluation(b, record, &setting)}
}

// Outcomes returns what a decision comes to: once, or for each element of its list. What is not asked, because
// something that it rests on does not hold, has no outcome.
func (t Trace) Outcomes(d catalog.Decision) []rule.Outcome {
	var outcomes []rule.Outcome
	for _, in := range t.places(d) {
		given := yes()
		for _, r := range d.Given {
			if given.Truth != rule.False {
				given = and(given, t.e.eval(in, r))
			}
		}
		switch given.Truth {
		case rule.True:
			outcomes = append(outcomes, t.e.eval(in, d.Rule))
		case rule.Unknown:
			outcomes = append(outcomes, given)
		case rule.False:
		}
	}
	return outcomes
}

func (t Trace) places(d catalog.Decision) []forms.Env {
	if d.Each == "" {
		return []forms.Env{t.e}
	}
	var all []forms.Env
	list := t.e.bundle.Field(d.Each)
	for i := range t.e.rows(list) {
		all = append(all, t.e.element(list, i))
	}
	return all
}

// Explain returns a rule with what its parts come to.
func (t Trace) Explain(r *rule.Rule) rule.Part { return r.Explain(t.e) }

// State returns what is known of a path.
func (t Trace) State(p forms.Path) forms.State { return t.e.State(p) }

// Value prints what is known of a path, as a configurator writes it; what is not known is —, what was left blank (blank).
func (t Trace) Value(p forms.Path) string {
	switch s := t.State(p); s.Status {
	case forms.Known:
		switch v := s.Value.(type) {
		case kind.List:
			if len(v) == 1 {
				return "1 row"
			}
			return strconv.Itoa(len(v)) + " rows"
		case kind.Address:
			return v.Region + " " + v.Text
		case kind.Date:
			return v.String()
		default:
			return printed(v)
		}
	case forms.Blank:
		return "(blank)"
	default:
		return "—"
	}
}

// Holds returns what a rule at the form comes to; one that is not written, nil, holds.
func (t Trace) Holds(r *rule.Rule) rule.Outcome { return t.e.holds(r) }

// Compute returns what a formula at the form comes to.
func (t Trace) Compute(f *formula.Formula) forms.State { return t.e.compute(t.e, f) }

// Condition returns what a rule of the bundle comes to: `!when || require`, or one of its ways; of one that stands at the
// elements of a list, whether all of them meet it.
func (t Trace) Condition(r *catalog.Rule) rule.Outcome {
	if r.Each == "" {
		return t.e.condition(r)
	}
	if s := t.State(r.Each); s.Status == forms.Unknown {
		return rule.Outcome{Causes: s.Causes}
	}
	list, all := t.e.bundle.Field(r.Each), yes()
	for i := range t.e.rows(list) {
		all = and(all, t.e.conditionIn(t.e.element(list, i), r))
	}
	return all
}

// Applies returns whether a step applies.
func (t Trace) Applies(s *catalog.Step) rule.Outcome { return t.e.applies(s) }

// Shown returns whether a field of the form is asked; path is no cell's.
func (t Trace) Shown(p forms.Path) rule.Outcome { return t.e.isShown(t.e.bundle.Field(p)) }

// Required returns whether a field of the form has to be answered where it is asked; path is no cell's.
func (t Trace) Required(p forms.Path) rule.Outcome { return t.e.isRequired(t.e, t.e.bundle.Field(p)) }

// Materials returns what is said of a material: once, or for each element of its list.
func (t Trace) Materials(m *catalog.Material) []*Material {
	var steps []*Step
	for _, s := range t.e.bundle.Steps {
		steps = append(steps, &Step{Step: s, Applies: t.e.applies(s)})
	}
	return t.e.materials(m, steps)
}

// FaultsOf returns what would be wrong with a value of a field, a cell or a result at a path: its bounds, and the options
// that are offered.
func (t Trace) FaultsOf(f *catalog.Field, p forms.Path, v kind.Value) []forms.Violation {
	return t.e.faultsOf(t.e.at(p), f, p, v)
}

// Faults returns what is wrong with the answers that were given.
func (t Trace) Faults() []forms.Violation { return t.e.faults() }

// Values is what the rules of a bundle read over a record: what is hidden is blank, what is derived is there, and what is
// not known says why.
func Values(b *catalog.Bundle, record forms.Record, setting Setting) forms.Env {
	return newEvaluation(b, record, &setting)
}
