package application

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// move moves a case to another version of its bundle. It is a correction in all that it means, with the version as what is
// corrected: the record is read by the new version, what that lacks has to come with the command, and the case is judged
// anew. It never makes a case worse: no rule fails that did not, and nothing that was promised at acceptance becomes later
// or dearer. What a step has begun on stays as it is; where the new version would change that, the move is refused, and
// the refusal says all that stands in the way.
func (d *decision) move(cmd Move) error {
	c := d.s.Case(cmd.Bundle)
	if c == nil {
		return noCase()
	}
	to, err := d.fit(cmd)
	switch {
	case err != nil:
		return err
	case c.State.Over():
		return refusal.New(refusal.WrongState, "该事项已经结束，不能再换版本", "the case is over and cannot move")
	case to.Digest == c.Digest:
		return refusal.New(refusal.WrongState, "该事项已按此版本办理", "the case has this version already")
	case len(d.s.Confirmed) > 0:
		return refusal.New(refusal.WrongState, "共同申请的事项不能换版本", "what was submitted together cannot move: all would have to consent").
			Else("可以撤回该事项，由全体申请人重新申请", "withdraw the case and apply again, all of you")
	case d.s.WaitsForCorrection() && cmd.Changes.Len()+len(cmd.Files)+len(cmd.Promises) == 0:
		return refusal.New(refusal.WrongState, "请先补正，或在换版本的同时补正", "correct what the notice asks for first, or with the move")
	}
	old, was := d.w.Selection, d.assessAll(d.record)
	obstacles := d.begun(c, old.Bundle(c.Bundle), to)
	d.w.Selection = cmd.To
	record, err := Reread(d.record, cmd.To)
	if err != nil {
		return err
	}
	f, err := d.file(record.Merge(cmd.Changes), cmd.Documents)
	if len(obstacles) > 0 {
		return stands(obstacles)
	}
	if err != nil {
		return err
	}
	f.personal.Persons = cmd.Persons
	revision, err := d.revision(f, cmd.Documents, old, derived(f.assessment).Diff(derived(was)))
	if err != nil {
		return err
	}
	e := &applicationv1.Moved{Bundle: c.Bundle, From: c.Digest, To: to.Digest, FromVersion: int32(cmd.FromVersion), ToVersion: int32(cmd.ToVersion),
		Reason: cmd.Reason, On: d.today.String(), Revision: revision}
	assessed := f.assessment.Case(c.Bundle)
	if err := d.worse(c, was.Case(c.Bundle), assessed); err != nil {
		return err
	}
	if c.State == Accepted {
		if obstacles = d.promised(c, e, f, assessed); len(obstacles) > 0 {
			return stands(obstacles)
		}
	}
	return d.revise(&applicationv1.Event{Kind: &applicationv1.Event_Moved{Moved: e}}, f, cmd.Documents)
}

// fit returns the version to which a case shall move, of a selection that has the other cases as they are.
func (d *decision) fit(cmd Move) (*catalog.Bundle, error) {
	if cmd.To == nil || cmd.To.Bundle(cmd.Bundle) == nil {
		return nil, errors.New("move: the version is not at hand")
	}
	for _, c := range d.s.Cases {
		if b := cmd.To.Bundle(c.Bundle); c.Bundle != cmd.Bundle && (b == nil || b.Digest != c.Digest) {
			return nil, fmt.Errorf("move: the bundle %s would not stay as it is", c.Bundle)
		}
	}
	return cmd.To.Bundle(cmd.Bundle), nil
}

// stands says what of the new version stands in the way of a move.
func stands(obstacles []forms.Violation) error {
	return refusal.New(refusal.WrongState, "该事项已办理到此，不能换到新版本", "the case has gone too far to move to the new version").With(obstacles...).
		Else("该事项按原版本继续办理", "it goes on with the version that it has")
}

// WaitsForCorrection reports whether the applicant has been asked to correct something.
func (s State) WaitsForCorrection() bool {
	return slices.ContainsFunc(s.Cases, func(c *Case) bool { return c.State == ToBeCorrected }) ||
		slices.ContainsFunc(s.Tasks, func(t *Task) bool { return t.CorrectionDue != nil && !t.State.Settled() })
}

// Reread is what the bundles of a selection can read of a record: answers to their own questions, of their kinds.
func Reread(record forms.Record, selection *catalog.Selection) (forms.Record, error) {
	encoded, err := record.Encode()
	if err != nil {
		return forms.Record{}, err
	}
	read, _ := forms.Decode(encoded.GetAnswers(), selection.Field)
	return read, nil
}

// begun is what the new version would change of steps that have begun: a step that is under way is the same in both, a
// settled one is still there with what it has given, and none would have to come before it. One that was rejected ends
// nothing that would go on.
func (d *decision) begun(c *Case, old, to *catalog.Bundle) []forms.Violation {
	var obstacles []forms.Violation
	for _, t := range d.s.Tasks {
		if t.Bundle != c.Bundle {
			continue
		}
		before, after := old.Step(t.Step), to.Step(t.Step)
		stand := func(zh, en string) {
			obstacles = append(obstacles, forms.Violation{Code: "step", Bundle: c.Bundle, Rule: t.Step,
				Text: forms.Text{ZH: "“" + before.Name.ZH + "”" + zh, EN: "“" + before.Name.In("en") + "” " + en}})
		}
		switch {
		case after == nil:
			stand("已经开始，新版本没有此环节", "has begun, and the new version does not have it.")
			continue
		case !t.State.Settled() && t.State != TaskDecided && signature(before) != signature(after):
			stand("正在办理，新版本对此环节有改动", "is under way, and the new version changes it.")
		case after.Department.ID != t.Department:
			stand("已由原部门办理，新版本改由其他部门办理", "was another department's.")
		case t.State == TaskDecided && before.Plugin != after.Plugin:
			stand("已作决定、尚未出结果，新版本由其他程序办理", "is decided and its result not out, and in the new version another plugin serves it.")
		case !gives(before, after):
			stand("已有结果，新版本不再包含同样的结果", "has given a result that the new version does not have.")
		case t.State == TaskRejected && after.Essential && !before.Essential:
			stand("未予批准，新版本以此环节为必要环节", "was rejected, and in the new version the case ends with it.")
		}
		for _, p := range after.After {
			if d.s.TaskOf(c.Bundle, p.Step) == nil && c.Skip(p.Step) == nil {
				stand("已经开始，新版本要求先办理“"+to.Step(p.Step).Name.ZH+"”", "has begun, and in the new version “"+to.Step(p.Step).Name.In("en")+"” comes before it.")
			}
		}
	}
	for _, step := range to.Steps {
		if before := old.Step(step.ID); before != nil && d.s.TaskOf(c.Bundle, step.ID) == nil && c.Skip(step.ID) == nil && d.standingOf(c, step).lost {
			obstacles = append(obstacles, forms.Violation{Code: "step", Bundle: c.Bundle, Rule: step.ID,
				Text: forms.Text{ZH: "“" + before.Name.ZH + "”所依据的环节未予批准，按新版本不再办理", EN: "“" + before.Name.In("en") + "” would not be reached in the new version, because a step was rejected."}})
		}
	}
	return obstacles
}

// derived are the values that an assessment has worked out.
func derived(a *guide.Assessment) forms.Record {
	var record forms.Record
	for _, f := range a.Fields {
		if f.Derived != nil {
			record = record.With(f.Path, f.Derived)
		}
		rows, some := make(kind.List, len(f.Rows)), false
		for i, row := range f.Rows {
			rows[i] = kind.Row{}
			for _, c := range row {
				if c.Derived != nil {
					rows[i][c.ID], some = c.Derived, true
				}
			}
		}
		if some {
			record = record.With(f.Path, rows)
		}
	}
	return record
}

// gives reports whether a step gives all that it gave in another version.
func gives(before, after *catalog.Step) bool {
	if before.Document != "" && before.Document != after.Document {
		return false
	}
	for _, f := range before.Result {
		if !slices.ContainsFunc(after.Result, func(g *catalog.Field) bool { return g.ID == f.ID && field(g) == field(f) }) {
			return false
		}
	}
	return true
}

// signature is all that a step says, but for its wording.
func signature(s *catalog.Step) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %t %v %v %v %v %t %t %s %s %v\n", s.ID, s.Department.ID, s.Plugin, s.Essential, s.After, s.Fields, s.Columns, s.Results, s.Silence, s.AtOnce,
		s.Document, text(s.When), s.NotCounted)
	if s.AutoApprove != nil {
		fmt.Fprintln(&b, text(s.AutoApprove))
	}
	for _, r := range s.Conditions {
		fmt.Fprintln(&b, r.ID, text(r.When), text(r.Require), r.Otherwise, r.Each)
		for _, w := range r.AnyOf {
			fmt.Fprintln(&b, text(w.When), text(w.Require))
		}
		if r.Examine != nil {
			fmt.Fprintln(&b, r.Examine.By.ID, r.Examine.Step)
		}
	}
	for _, n := range s.Materials {
		fmt.Fprintln(&b, n.Material.ID, n.BeforeExamination)
	}
	for _, f := range s.Result {
		fmt.Fprintln(&b, field(f))
	}
	if s.Valid != nil {
		fmt.Fprintln(&b, *s.Valid)
	}
	for _, limits := range [][]catalog.Limit{s.Promised, s.Statutory} {
		for _, l := range limits {
			fmt.Fprintln(&b, text(l.When), l.Days)
		}
		fmt.Fprintln(&b)
	}
	for _, f := range s.Fee {
		fmt.Fprintln(&b, text(f.When), f.Amount.Text())
	}
	return b.String()
}

// field is all that a field says of the values that it takes.
func field(f *catalog.Field) string {
	spec := f.Spec()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v %v %d %t %t", f.ID, spec.Kind, spec.Options, spec.Scale, f.Required, f.Derived)
	if spec.Pattern != nil {
		fmt.Fprintf(&b, " %v", spec.Pattern)
	}
	for _, r := range slices.Concat(f.When, []*rule.Rule{f.RequireRule, f.Is}) {
		fmt.Fprintf(&b, " %s;", text(r))
	}
	for _, x := range []*formula.Formula{f.Min, f.Max, f.Derive} {
		if x != nil {
			b.WriteString(x.Text())
		}
		b.WriteString(";")
	}
	for _, cell := range f.Row {
		fmt.Fprintf(&b, "\n\t%s", field(cell))
	}
	return b.String()
}

func text(r *rule.Rule) string {
	if r == nil {
		return ""
	}
	return r.Text()
}

// worse refuses a version by which a rule fails that did not; of a case that was accepted also one by which a rule is not
// known, or is a person's to examine, because nobody would judge it any more.
func (d *decision) worse(c *Case, was, a *guide.Case) error {
	var faults []forms.Violation
	for _, r := range a.Failing() {
		if !slices.Contains(c.Failing, r.ID) {
			faults = append(faults, forms.Violation{Code: "rule", Bundle: c.Bundle, Rule: r.ID, Text: r.Because})
		}
	}
	open := slices.DeleteFunc(a.Open(), func(r guide.Rule) bool { return slices.Contains(c.Failing, r.ID) || slices.Contains(c.Undecided, r.ID) })
	for _, r := range a.Rules {
		before := func(b guide.Rule) bool { return b.ID == r.ID && d.examined(c, b) }
		if d.examined(c, r) && !slices.ContainsFunc(was.Rules, before) {
			open = append(open, r)
		}
	}
	for _, r := range open {
		if c.State == Accepted {
			faults = append(faults, forms.Violation{Code: "rule_undecided", Bundle: c.Bundle, Rule: r.ID, Text: r.Because})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return refusal.New(refusal.NotEligible, "按新版本不符合条件", "by the new version the case does not meet its conditions").With(faults...).
		Else("该事项按原版本继续办理", "it goes on with the version that it has")
}

// examined reports whether a rule is a person's to examine before acceptance, or in a step that has begun.
func (d *decision) examined(c *Case, r guide.Rule) bool {
	return r.Examine != nil && (r.Examine.Step == "" || d.s.TaskOf(c.Bundle, r.Examine.Step) != nil)
}

// promised puts into a move what was promised at acceptance, by the new version; it returns what would be worse than it was.
func (d *decision) promised(c *Case, e *applicationv1.Moved, f *filing, assessed *guide.Case) []forms.Violation {
	var obstacles []forms.Violation
	stand := func(code, zh, en string) {
		obstacles = append(obstacles, forms.Violation{Code: code, Bundle: c.Bundle, Text: forms.Text{ZH: zh, EN: en}})
	}
	a := guide.Assess(d.w.Selection, f.record, d.setting(c.AcceptedOn)).Case(c.Bundle)
	pauses := d.casePauses(c.Bundle)
	as := func(due, before *applicationv1.Due) *applicationv1.Due { // with the pauses and the extension that there were
		extension := 0
		if due.GetUnit() == before.GetUnit() {
			extension = int(before.GetExtension())
		}
		return d.extendedBy(due, extension, pauses)
	}
	e.Due = as(d.caseDue(a, c.AcceptedOn), c.Due)
	e.Statutory = as(d.clock(c.AcceptedOn, guide.Limit(a.Bundle.Statutory), nil), c.Statutory)
	e.FeeFen = a.Fee.Min
	for _, s := range assessed.Steps {
		if s.Applies.Truth != rule.False {
			e.Steps = append(e.Steps, s.ID)
		}
	}
	if later(e.Due, c.Due) {
		stand("due", "按新版本，承诺办结日期会推迟", "By the new version the promised date would be later.")
	}
	if later(e.Statutory, c.Statutory) {
		stand("due", "按新版本，法定办结日期会推迟", "By the new version the statutory date would be later.")
	}
	if e.FeeFen > c.FeeFen {
		stand("fee", "按新版本，收费会增加", "By the new version the fee would be higher.")
	}
	return obstacles
}

// later reports whether a date is, or may be, later than another one. One that is not known is not earlier than it can be.
func later(a, b *applicationv1.Due) bool {
	return a.GetDate()+a.GetEarliest() > b.GetDate()+b.GetEarliest() || a.GetDate() == "" && b.GetDate() != ""
}

func (s *State) moved(e *applicationv1.Moved) {
	c := s.Case(e.GetBundle())
	if c == nil {
		c = &Case{} // as [State.touch] has it
	}
	c.Digest = e.GetTo()
	s.corrected(e.GetRevision())
	if c.State == Accepted {
		c.MovedOn, _ = kind.ParseDate(e.GetOn())
		c.Due, c.Statutory, c.FeeFen, c.Steps = e.GetDue(), e.GetStatutory(), e.GetFeeFen(), e.GetSteps()
	}
}

// started is the day from which the clocks of a case's first steps count: of its acceptance, or of its move to the version
// that has them.
func (c *Case) started() kind.Date {
	if c.AcceptedOn.Before(c.MovedOn) {
		return c.MovedOn
	}
	return c.AcceptedOn
}

// AssessMove assesses the record of an application by the version to which a case shall move, with what shall be added.
func AssessMove(s State, cmd Move, w World) (*guide.Assessment, error) {
	record, err := Reread(w.Record, cmd.To)
	if err != nil {
		return nil, err
	}
	w.Selection = cmd.To
	w.Record = record.Merge(cmd.Changes)
	return Assess(s, w), nil
}
