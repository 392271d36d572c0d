// Package simulate says what a new version of a bundle means for one application or draft that is under way. It is pure,
// and what it says holds no value of a person: rules, steps, questions and materials by their ids and by their names as the
// bundle writes them.
package simulate

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// Kind is what a version means, the gravest thing that it does.
type Kind string

// The kinds, from the gravest on.
const (
	Verdict   Kind = "VERDICT"   // another verdict on the case
	Asks      Kind = "ASKS"      // an answer or a material more is needed, or an answer has to be mended
	Otherwise Kind = "OTHERWISE" // other steps, materials, limits, fees or questions, for which nobody has to do anything
	Unchanged Kind = "UNCHANGED"
	Unknown   Kind = "UNKNOWN" // it cannot be read, or does not go with another bundle of the application
)

// Kinds returns the kinds in the order of a report.
func Kinds() []Kind { return []Kind{Unchanged, Otherwise, Asks, Verdict, Unknown} }

// Code is a reason.
type Code string

// The reasons. Item is a rule, a path, a material or a step; the first ones change a verdict, the next ones ask.
const (
	RuleFails       Code = "RULE_FAILS"        // a rule fails that did not
	RuleHolds       Code = "RULE_HOLDS"        // a rule fails no more
	RuleOpen        Code = "RULE_OPEN"         // it is not known whether a rule holds
	AnswerMissing   Code = "ANSWER_MISSING"    // a question has to be answered
	AnswerFault     Code = "ANSWER_FAULT"      // an answer, or what belongs together, is not plausible any more
	MaterialMissing Code = "MATERIAL_MISSING"  // a material has to be brought
	AnswerGone      Code = "ANSWER_GONE"       // a question that was answered is not asked, or its answer cannot be read
	MaterialAsked   Code = "MATERIAL_ASKED"    // a material is asked for that is there, or comes by itself
	MaterialGone    Code = "MATERIAL_GONE"     // a material is not asked for any more
	StepApplies     Code = "STEP_APPLIES"      // a step applies that did not
	StepGone        Code = "STEP_GONE"         // a step does not apply any more
	LimitChanges    Code = "LIMIT_CHANGES"     // the promised time is another one
	FeeChanges      Code = "FEE_CHANGES"       // the fee is another one
	Conflict        Code = "CONFLICT"          // it does not go with another bundle of the application
	Unreadable      Code = "UNREADABLE"        // it cannot be read
	StepBegun       Code = "STEP_BEGUN"        // stands in the way of a move: a step that has begun would change
	AnswerUsed      Code = "ANSWER_USED"       // stands in the way: a decided step has used it
	PromiseWorse    Code = "PROMISE_WORSE"     // stands in the way: a date or a fee would be worse than it was promised
	ToleranceAsked  Code = "TOLERANCE_REFUSED" // stands in the way: a material may not follow any more
	Waits           Code = "WAITS"             // stands in the way: the applicant has to correct something first
	Joint           Code = "JOINT"             // stands in the way: what was submitted together does not move
)

// Codes returns all reasons.
func Codes() []Code {
	return []Code{RuleFails, RuleHolds, RuleOpen, AnswerMissing, AnswerFault, MaterialMissing, AnswerGone, MaterialAsked, MaterialGone, StepApplies, StepGone,
		LimitChanges, FeeChanges, Conflict, Unreadable, StepBegun, AnswerUsed, PromiseWorse, ToleranceAsked, Waits, Joint}
}

// Reason is why something changes.
type Reason struct {
	Code Code
	Item string
	Name forms.Text // of the item, as the bundle writes it
}

// Move says whether a case that was filed could move to the version.
type Move string

// The ways.
const (
	Moves     Move = "MOVES"      // as it is, if its applicant wants that
	MovesWith Move = "MOVES_WITH" // if its applicant adds what is missing
	Stays     Move = "STAYS"      // something stands in the way
)

// Effect is what a version means for one application or draft.
type Effect struct {
	Kind          Kind
	Before, After guide.Verdict
	Reasons       []Reason // sorted, each once
	Move          Move     // of a case that was filed and has another version
}

// none is an effect that cannot be told.
func none(code Code) Effect { return Effect{Kind: Unknown, Reasons: []Reason{{Code: code}}} }

// CannotRead is the effect on what cannot be read, as its key was destroyed.
func CannotRead() Effect { return none(Unreadable) }

// Case tries a version on the case of its bundle of an application.
func Case(s application.State, w application.World, to *catalog.Bundle) Effect {
	c := s.Case(to.ID)
	if c.Digest == to.Digest {
		a := application.Assess(s, w).Case(to.ID)
		return Effect{Kind: Unchanged, Before: a.Verdict, After: a.Verdict}
	}
	selection, err := Replaced(w.Selection, to)
	if err != nil {
		return none(Conflict)
	}
	move := application.Move{Bundle: to.ID, To: selection}
	after, err := application.AssessMove(s, move, w)
	if err != nil {
		return none(Unreadable)
	}
	now, err := application.Reread(w.Record, selection)
	if err != nil {
		return none(Unreadable)
	}
	has := func(key string) bool {
		return slices.ContainsFunc(c.Materials, func(m application.Material) bool { return m.Shared == key && m.Origin != 0 })
	}
	e := compared(to.ID, application.Assess(s, w), after, w.Record, now, has)
	e.Move = Moves
	_, err = application.Decide(s, move, w)
	if refused, ok := errors.AsType[*refusal.Refusal](err); ok {
		e.stays(s, refused, to)
	} else if err != nil {
		return none(Unreadable)
	}
	return e.sorted()
}

// Draft tries a version on a draft that is read by a selection of bundles. has says which materials are there.
func Draft(old *catalog.Selection, to *catalog.Bundle, answers func(*catalog.Selection) forms.Record, setting guide.Setting, has func(key string) bool) Effect {
	selection, err := Replaced(old, to)
	if err != nil {
		return none(Conflict)
	}
	was, now := answers(old), answers(selection)
	return compared(to.ID, guide.Assess(old, was, setting), guide.Assess(selection, now, setting), was, now, has).sorted()
}

// Replaced is a selection with one bundle in another version.
func Replaced(selection *catalog.Selection, to *catalog.Bundle) (*catalog.Selection, error) {
	var bundles []*catalog.Bundle
	for _, b := range selection.Bundles {
		if b.ID == to.ID {
			b = to
		}
		bundles = append(bundles, b)
	}
	return catalog.Select(bundles...)
}

// compared compares what two versions say of one bundle of a record.
func compared(bundle string, before, after *guide.Assessment, was, now forms.Record, has func(key string) bool) Effect {
	b, a := before.Case(bundle), after.Case(bundle)
	e := Effect{Kind: Unchanged, Before: b.Verdict, After: a.Verdict}
	e.rules(b, a)
	asks := e.answers(bundle, before, after, was, now)
	asks = e.materials(b, a, has) || asks
	e.steps(b, a)
	if a.Total != b.Total {
		e.because(LimitChanges, bundle, a.Bundle.Name)
	}
	if a.Fee != b.Fee {
		e.because(FeeChanges, bundle, a.Bundle.Name)
	}
	switch {
	case e.Before != e.After && !(e.After == guide.Undecided && asks): // until it is answered nothing is said against it
		e.Kind = Verdict
	case asks:
		e.Kind = Asks
	case len(e.Reasons) > 0:
		e.Kind = Otherwise
	}
	return e
}

func (e *Effect) because(code Code, item string, name forms.Text) {
	e.Reasons = append(e.Reasons, Reason{Code: code, Item: item, Name: name})
}

// rules are those that the versions answer otherwise.
func (e *Effect) rules(b, a *guide.Case) {
	is := func(rules []guide.Rule, id string) bool {
		return slices.ContainsFunc(rules, func(r guide.Rule) bool { return r.ID == id })
	}
	for _, r := range a.Failing() {
		if !is(b.Failing(), r.ID) {
			e.because(RuleFails, r.ID, r.Rule.Because.Text)
		}
	}
	for _, r := range b.Failing() {
		if !is(a.Failing(), r.ID) && !is(a.Open(), r.ID) {
			e.because(RuleHolds, r.ID, r.Rule.Because.Text)
		}
	}
	for _, r := range a.Open() {
		if !is(b.Open(), r.ID) {
			e.because(RuleOpen, r.ID, r.Rule.Because.Text)
		}
	}
}

// answers are what the new version lacks, or cannot read, of a record; it reports whether somebody has to answer.
func (e *Effect) answers(bundle string, before, after *guide.Assessment, was, now forms.Record) (asks bool) {
	_, lacked := guide.Close(was, before)
	_, lacks := guide.Close(now, after)
	fields := map[forms.Path]forms.Text{}
	for _, f := range after.Fields {
		fields[f.Path] = f.Name
	}
	for _, v := range lacks {
		if slices.ContainsFunc(lacked, func(known forms.Violation) bool {
			return known.Path == v.Path && known.Code == v.Code && known.Rule == v.Rule
		}) {
			continue
		}
		asks = true
		list, _, _, cell := v.Path.Cell()
		path := v.Path
		if cell {
			path = list // an element's number says nothing of the version
		}
		switch {
		case v.Code == "required":
			e.because(AnswerMissing, string(path), fields[path])
		case v.Rule != "":
			e.because(AnswerFault, v.Rule, check(after.Case(bundle).Bundle, v.Rule))
		default:
			e.because(AnswerFault, string(path), fields[path])
		}
	}
	for p, v := range was.All() {
		if v == nil {
			continue
		}
		if value, _ := now.Get(p); value == nil {
			name := forms.Text{}
			for _, f := range before.Fields {
				if f.Path == p {
					name = f.Name
				}
			}
			e.because(AnswerGone, string(p), name)
		}
	}
	return asks
}

// check is what a plausibility check of a bundle, or of a section of it, says.
func check(b *catalog.Bundle, id string) forms.Text {
	for _, r := range b.Checks {
		if r.ID == id {
			return r.Because.Text
		}
	}
	return forms.Text{}
}

// materials are those that only one version asks for; it reports whether somebody has to bring one.
func (e *Effect) materials(b, a *guide.Case, has func(key string) bool) (asks bool) {
	asked := func(c *guide.Case, id string) bool {
		return slices.ContainsFunc(c.Materials, func(m *guide.Material) bool {
			return catalog.Unnumbered(m.ID) == id && m.Asked.Truth == rule.True && m.Required
		})
	}
	for _, m := range a.Materials {
		id := catalog.Unnumbered(m.ID)
		if m.Asked.Truth != rule.True || !m.Required || asked(b, id) {
			continue
		}
		there := has(m.Key) || slices.ContainsFunc(m.OneOf, func(o catalog.Alternative) bool { return has(o.Key) })
		if there || slices.ContainsFunc(m.Sources, func(source string) bool { return source != "APPLICANT" }) {
			e.because(MaterialAsked, id, m.Material.Name)
		} else {
			asks = true
			e.because(MaterialMissing, id, m.Material.Name)
		}
	}
	for _, m := range b.Materials {
		if id := catalog.Unnumbered(m.ID); m.Asked.Truth == rule.True && m.Required && !asked(a, id) {
			e.because(MaterialGone, id, m.Material.Name)
		}
	}
	return asks
}

// steps are those that apply in only one version.
func (e *Effect) steps(b, a *guide.Case) {
	applies := func(c *guide.Case, id string) bool { s := c.Step(id); return s != nil && s.Applies.Truth == rule.True }
	for _, s := range a.Steps {
		if s.Applies.Truth == rule.True && !applies(b, s.ID) {
			e.because(StepApplies, s.ID, s.Name)
		}
	}
	for _, s := range b.Steps {
		if s.Applies.Truth == rule.True && !applies(a, s.ID) {
			e.because(StepGone, s.ID, s.Name)
		}
	}
}

// stays is what a refused move says: what is missing of it can be added, the rest stands in the way. Its texts may hold
// values, so they are left out.
func (e *Effect) stays(s application.State, refused *refusal.Refusal, to *catalog.Bundle) {
	if slices.Contains([]refusal.Reason{refusal.RecordInvalid, refusal.MaterialMissing, refusal.Invalid}, refused.Reason) {
		e.Move = MovesWith
		return
	}
	e.Move = Stays
	name := func(step string) forms.Text {
		if s := to.Step(step); s != nil {
			return s.Name
		}
		return forms.Text{}
	}
	for _, v := range refused.Violations {
		switch v.Code {
		case "step":
			e.because(StepBegun, v.Rule, name(v.Rule))
		case "field_used", "material_used":
			e.because(AnswerUsed, catalog.Unnumbered(strings.TrimPrefix(string(v.Path), "materials.")), forms.Text{})
		case "due", "fee":
			e.because(PromiseWorse, v.Code, forms.Text{})
		case "not_open":
			e.because(ToleranceAsked, catalog.Unnumbered(strings.TrimPrefix(string(v.Path), "materials.")), forms.Text{})
		}
	}
	switch {
	case len(refused.Violations) > 0 || refused.Reason != refusal.WrongState:
	case s.WaitsForCorrection():
		e.because(Waits, to.ID, to.Name)
	default:
		e.because(Joint, to.ID, to.Name)
	}
}

// sorted is the effect with each reason once.
func (e Effect) sorted() Effect {
	slices.SortFunc(e.Reasons, func(x, y Reason) int { return cmp.Or(cmp.Compare(x.Code, y.Code), cmp.Compare(x.Item, y.Item)) })
	e.Reasons = slices.CompactFunc(e.Reasons, func(x, y Reason) bool { return x.Code == y.Code && x.Item == y.Item })
	return e
}
