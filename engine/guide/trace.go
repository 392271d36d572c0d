package guide

import (
	"strconv"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
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

// Condition returns what a rule of the bundle comes to: `!when || require`, or one of its ways.
func (t Trace) Condition(r *catalog.Rule) rule.Outcome { return t.e.condition(r) }

// Applies returns whether a step applies.
func (t Trace) Applies(s *catalog.Step) rule.Outcome { return t.e.applies(s) }

// Shown returns whether a field of the form is asked; path is no cell's.
func (t Trace) Shown(p forms.Path) rule.Outcome { return t.e.isShown(t.e.bundle.Field(p)) }

// Faults returns what is wrong with the answers that were given.
func (t Trace) Faults() []forms.Violation { return t.e.faults() }
