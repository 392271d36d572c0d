package application

import (
	"slices"

	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// recordCheck takes what a plugin found. It never refuses a case: findings are for the clerk.
func (d *decision) recordCheck(c RecordCheck) error {
	k := d.s.Case(c.Bundle)
	if k == nil {
		return noCase()
	}
	if k.State != PreReview {
		return refusal.New(refusal.WrongState, "该事项已不在预审中", "the case is not in pre-review any more")
	}
	i := slices.IndexFunc(k.Checks, func(check Check) bool { return check.Step == c.Step })
	if i < 0 || k.Checks[i].Answered || k.Checks[i].Attempt != c.Attempt || k.Revision != c.Revision {
		return stale("预审核验的结果已过时", "this answer is not awaited: it is to an old revision or attempt")
	}
	if c.Failure != "" && !c.GaveUp {
		d.by(&applicationv1.Event{Kind: &applicationv1.Event_PluginFailed{PluginFailed: &applicationv1.PluginFailed{Bundle: c.Bundle, Step: c.Step,
			Hook: HookCheck, Attempt: c.Attempt, Failure: c.Failure, Plugin: c.Plugin}}})
		return nil
	}
	e := &applicationv1.Checked{Bundle: c.Bundle, Step: c.Step, Revision: int32(c.Revision), Attempt: c.Attempt, Plugin: c.Plugin, Failed: c.Failure != "", Outside: c.Outside}
	var personal *applicationv1.Personal
	if c.Failure == "" && len(c.Findings) > 0 {
		personal = &applicationv1.Personal{Findings: c.Findings}
		for _, f := range c.Findings {
			found := Found{f.GetCode(), f.GetSeverity(), f.GetPath()}
			if found.Severity != SeverityNote && found.Severity != SeverityObstacle {
				found.Severity = SeverityCorrect
			}
			e.Found = append(e.Found, &applicationv1.Found{Code: found.Code, Severity: found.Severity, Path: found.Path})
			if found.Against() {
				e.Findings = append(e.Findings, found.Code)
			}
		}
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_Checked{Checked: e}, Personal: c.Trace.in(personal)})
	return d.acceptWithoutFindings()
}

func (s *State) checked(e *applicationv1.Checked) {
	c := s.touch(e.GetBundle())
	for i := range c.Checks {
		k := &c.Checks[i]
		if k.Step != e.GetStep() {
			continue
		}
		k.Attempt, k.Answered, k.Failed, k.Plugin, k.Found = e.GetAttempt(), true, e.GetFailed(), e.GetPlugin(), nil
		for _, f := range e.GetFound() {
			k.Found = append(k.Found, Found{f.GetCode(), f.GetSeverity(), f.GetPath()})
		}
	}
}

// acceptWithoutFindings accepts cases against which nothing stands, where the bundle lets the engine do so.
func (d *decision) acceptWithoutFindings() error {
	for _, c := range d.s.Cases {
		b := d.bundle(c.Bundle)
		if c.State != PreReview || !b.ByEngine || len(c.Against()) > 0 {
			continue
		}
		a := d.assess(c, d.today)
		if slices.ContainsFunc(a.Rules, func(r guide.Rule) bool { return r.Examine != nil && r.Examine.Step == "" }) {
			continue // a person has to look at it at pre-review
		}
		e := d.acceptance(c, a, applicationv1.Accepted_BY_ENGINE, d.today, d.today)
		d.follows(&applicationv1.Event{Kind: &applicationv1.Event_Accepted{Accepted: e}})
		if err := d.opened(c.Bundle); err != nil {
			return err
		}
	}
	return nil
}

// accept is a clerk's. What stands against the case, or is open, is overridden with a reason, and both are recorded.
func (d *decision) accept(cmd Accept) error {
	c := d.s.Case(cmd.Bundle)
	switch {
	case c == nil:
		return noCase()
	case c.State != PreReview:
		return notInPreReview(c)
	case len(c.Against()) > 0 && cmd.OverrideReason == "":
		return refusal.New(refusal.Invalid, "存在未通过或尚未核实的事项，受理须说明理由", "something stands against the case or is open; accepting it needs a reason")
	}
	e := d.acceptance(c, d.assess(c, d.today), applicationv1.Accepted_BY_CLERK, d.today, d.today)
	event := &applicationv1.Event{Kind: &applicationv1.Event_Accepted{Accepted: e}}
	if e.Overridden = c.Against(); len(e.Overridden) > 0 {
		event.Personal = &applicationv1.Personal{Reason: cmd.OverrideReason}
	}
	d.by(event)
	return d.opened(c.Bundle)
}

// lapseNotice accepts a case that got no notice in time (行政许可法 32): as of receipt, clocks included. No check and no
// rule counts as passed; what nobody has judged goes to the tasks.
func (d *decision) lapseNotice(c *Case) error {
	asOf, _ := kind.ParseDate(c.NoticeDue.GetFrom())
	notice, _ := kind.ParseDate(c.NoticeDue.GetDate())
	// Nobody has sent a notice of acceptance from which tolerances would count: they count from the day on which
	// silence became acceptance.
	e := d.acceptance(c, d.assess(c, asOf), applicationv1.Accepted_BY_SILENCE, asOf, notice)
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_Accepted{Accepted: e}})
	return d.opened(c.Bundle)
}

// acceptance is a case accepted as of a day, with the tolerances whose days count from another one.
func (d *decision) acceptance(c *Case, a *guide.Case, by applicationv1.Accepted_By, asOf, tolerances kind.Date) *applicationv1.Accepted {
	return &applicationv1.Accepted{Bundle: c.Bundle, By: by, AsOf: asOf.String(), Tolerances: d.tolerances(c, a, tolerances),
		Due: d.caseDue(a, asOf), Statutory: d.clock(asOf, guide.Limit(a.Bundle.Statutory), nil), FeeFen: a.Fee.Min}
}

// opened goes on with a case that was accepted: its promises are to be verified, its first steps open.
func (d *decision) opened(bundle string) error {
	d.openVerifications(d.s.Case(bundle))
	return d.proceed(bundle)
}

func (s *State) accepted(e *applicationv1.Accepted) {
	c := s.touch(e.GetBundle())
	c.State, c.AcceptedBy = Accepted, e.GetBy()
	c.AcceptedOn, _ = kind.ParseDate(e.GetAsOf())
	c.Overridden, c.Due, c.Statutory, c.FeeFen = e.GetOverridden(), e.GetDue(), e.GetStatutory(), e.GetFeeFen()
	c.Tolerances = nil
	for _, t := range e.GetTolerances() {
		c.Tolerances = append(c.Tolerances, Tolerance{Material: t.GetMaterial(), Due: t.GetDue(), Then: t.GetThen(), Suspended: t.GetSuspended()})
	}
}

// refuse does not accept a case (不予受理), or says that it is another office's (不受理).
func (d *decision) refuse(cmd Refuse) error {
	c := d.s.Case(cmd.Bundle)
	switch {
	case c == nil:
		return noCase()
	case c.State != PreReview:
		return notInPreReview(c)
	case cmd.Reason == "":
		return refusal.New(refusal.Invalid, "不予受理须说明理由", "a case is not accepted only with a reason")
	}
	a := d.assess(c, kind.Date{})
	reasons := slices.Clone(c.Failing)
	personal := &applicationv1.Personal{Reason: cmd.Reason}
	for _, f := range ruleFindings(a) {
		if slices.Contains(c.Failing, f.GetRule()) {
			personal.Findings = append(personal.Findings, f)
		}
	}
	for _, k := range c.Checks {
		for _, f := range k.Found {
			if f.Against() {
				reasons = append(reasons, k.Step+"."+f.Code)
				personal.Findings = append(personal.Findings, d.finding(c.Bundle, k.Step, f))
			}
		}
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_NotAccepted{NotAccepted: &applicationv1.NotAccepted{Bundle: c.Bundle, Elsewhere: cmd.Elsewhere, Reasons: reasons}},
		Personal: personal})
	return nil
}

// finding is a finding of a check with its text, as far as the world has it.
func (d *decision) finding(bundle, step string, f Found) *applicationv1.Finding {
	department := ""
	if s := d.bundle(bundle).Step(step); s != nil {
		department = s.Department.ID
	}
	for _, known := range d.w.Findings {
		if known.GetBundle() == bundle && known.GetCode() == f.Code && known.GetPath() == f.Path && known.GetDepartment() == department {
			return known
		}
	}
	return &applicationv1.Finding{Code: f.Code, Severity: f.Severity, Path: f.Path, Bundle: bundle, Department: department}
}

func (s *State) notAccepted(e *applicationv1.NotAccepted) {
	c := s.touch(e.GetBundle())
	c.State, c.Reasons = NotAccepted, e.GetReasons()
	if e.GetElsewhere() {
		c.State = Elsewhere
	}
}

func noCase() error {
	return refusal.New(refusal.NotFound, "此申请没有这件联办事项", "the application has no such case")
}

func notInPreReview(c *Case) error {
	if c.State == ToBeCorrected {
		return refusal.New(refusal.WrongState, "正在等待申请人补正", "the applicant has been asked to correct the case")
	}
	return refusal.New(refusal.WrongState, "该事项的预审已经结束", "pre-review of the case is over")
}

// unjudged is what nobody has judged of a case that was accepted by silence, for the task of a step: rules, and what
// the step's own check has found or has not answered.
func (c *Case) unjudged(step string) []string {
	if c.AcceptedBy != applicationv1.Accepted_BY_SILENCE {
		return nil
	}
	open := slices.Concat(c.Failing, c.Undecided)
	for _, k := range c.Checks {
		if k.Step != step {
			continue
		}
		if !k.Answered || k.Failed {
			open = append(open, HookCheck+"."+k.Step)
		}
		for _, f := range k.Found {
			if f.Against() {
				open = append(open, k.Step+"."+f.Code)
			}
		}
	}
	return open
}

// applies says whether a step of an assessed case applies.
func applies(a *guide.Case, step string) rule.Truth {
	if s := a.Step(step); s != nil {
		return s.Applies.Truth
	}
	return rule.False
}
