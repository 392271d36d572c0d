package guide

import (
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// Ready is what is judged of a step when it opens.
type Ready struct {
	// Open are the rules for its officer: conditions of the step that fail or are not known, and those of the
	// bundle that are examined in it.
	Open        []Rule
	AutoApprove rule.Outcome
	Statutory   []catalog.Days // limits of the law that may count; one when it is decided, none if there is none
}

// AssessReady judges a step whose earlier steps are settled.
func AssessReady(b *catalog.Bundle, s *catalog.Step, record forms.Record, setting Setting) Ready {
	e := newEvaluation(b, record, &setting)
	ready := Ready{AutoApprove: no(), Statutory: e.limits(s.Statutory)}
	for _, r := range slices.Concat(b.Eligibility, s.Conditions) {
		ofStep := slices.Contains(s.Conditions, r)
		examined := r.Examine != nil && (ofStep || r.Examine.Step == s.ID)
		if !ofStep && !examined || e.try(func(e *evaluation) rule.Outcome { return e.holds(r.When) }).Truth == rule.False {
			continue
		}
		o := e.try(func(e *evaluation) rule.Outcome { return e.condition(r) })
		if examined {
			o = rule.Outcome{}
		}
		if o.Truth != rule.True {
			ready.Open = append(ready.Open, Rule{Rule: r, Outcome: o, Because: r.Because.Render(e), Remedy: r.Remedy.Render(e)})
		}
	}
	if s.AutoApprove != nil {
		ready.AutoApprove = e.try(func(e *evaluation) rule.Outcome { return e.eval(e, s.AutoApprove) })
	}
	return ready
}

// CheckResult says what is wrong with the result of a step: bounds, and values that are required and missing. The
// setting holds the result among what is settled.
func CheckResult(b *catalog.Bundle, s *catalog.Step, record forms.Record, setting Setting) []forms.Violation {
	e := newEvaluation(b, record, &setting)
	var faults []forms.Violation
	for _, f := range s.Result {
		if f.Field.Derived || e.asks(e, f).Truth == rule.False {
			continue
		}
		var value kind.Value
		if settled, ok := setting.Settled[b.ID][s.ID]; ok {
			value = settled.Result[f.Path]
		}
		switch {
		case value != nil:
			if code, text := e.bounds(e, f, value); code != "" {
				faults = append(faults, forms.Violation{Path: f.Path, Code: code, Text: text})
			}
			rows, _ := value.(kind.List)
			for i, row := range rows {
				for _, cell := range f.Row {
					if cell.Required && cell.RequireRule == nil && len(cell.When) == 0 && row[cell.ID] == nil {
						faults = append(faults, forms.Violation{Path: f.Path.CellOf(i, cell.ID), Code: "required",
							Text: forms.Text{ZH: "请填写“" + cell.Name.ZH + "”", EN: "“" + cell.Name.In("en") + "” has to be given."}})
					}
				}
			}
		case e.isRequired(e, f).Truth == rule.True:
			faults = append(faults, forms.Violation{Path: f.Path, Code: "required",
				Text: forms.Text{ZH: "请填写“" + f.Name.ZH + "”", EN: "“" + f.Name.In("en") + "” has to be given."}})
		}
	}
	return faults
}
