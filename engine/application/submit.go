package application

import (
	"errors"
	"fmt"
	"slices"

	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// submit files the draft. A case that is not eligible, not needed or another office's is received nevertheless
// (行政许可法 32: an office answers every application, with reasons): the guide has warned, a clerk decides.
func (d *decision) submit(c Submit) error {
	if d.s.Number != "" {
		return refusal.New(refusal.WrongState, "此申请已经提交", "the application was submitted already")
	}
	if len(d.w.Selection.Bundles) == 0 {
		return errors.New("submit: no bundle is selected")
	}
	d.s.Place, d.s.Received = d.w.Place, d.today
	f, err := d.file(c.Record, c.Documents)
	if err != nil {
		return err
	}
	confirmations, confirmed, err := d.confirmations(f.assessment, c.Confirmations, c.Confirmed)
	if err != nil {
		return err
	}
	if n, ok := ParseNumber(d.w.Number); !ok || n.Kind != NumberOfApplication || n.Place != d.w.Place || n.Date != d.today {
		return fmt.Errorf("submit: %q is no number of an application for this place and day", d.w.Number)
	}
	event := &applicationv1.Submitted{Number: d.w.Number, Received: d.today.String(), Place: d.w.Place,
		NoticeDue: d.clock(d.today, workingDays(noticeDays), nil), Confirmations: confirmations, Moves: c.Moves}
	for i, a := range f.assessment.Cases {
		m := f.cases[i]
		m.Number = caseNumber(d.w.Number, i+1)
		m.Checks = d.checks(a)
		event.Cases = append(event.Cases, m)
		f.personal.Findings = append(f.personal.Findings, ruleFindings(a)...)
	}
	f.personal.Persons, f.personal.Confirmed = c.Persons, confirmed
	d.record = f.record
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_Submitted{Submitted: event}, Personal: f.personal})
	return d.acceptWithoutFindings()
}

// checks are the steps that apply and whose plugin looks at the case before acceptance.
func (d *decision) checks(a *guide.Case) []string {
	var steps []string
	for _, s := range a.Steps {
		if s.Applies.Truth == rule.True && slices.Contains(d.w.Plugins[s.Plugin], HookCheck) {
			steps = append(steps, s.ID)
		}
	}
	return steps
}

// ruleFindings are the rules that fail or are not known, with their texts.
func ruleFindings(a *guide.Case) []*applicationv1.Finding {
	var found []*applicationv1.Finding
	for _, r := range slices.Concat(a.Failing(), a.Open()) {
		code := "rule_failed"
		if r.Outcome.Truth == rule.Unknown {
			code = "rule_undecided"
		}
		found = append(found, &applicationv1.Finding{Code: code, Severity: SeverityObstacle, Text: r.Because.Proto(), Remedy: r.Remedy.Proto(),
			Basis: r.Basis, Bundle: a.Bundle.ID, Rule: r.ID})
	}
	return found
}

func (s *State) submitted(e *applicationv1.Submitted) {
	s.Number, s.Place, s.Revision = e.GetNumber(), e.GetPlace(), 1
	s.Received, _ = kind.ParseDate(e.GetReceived())
	s.Cases, s.Confirmed = nil, nil
	for _, c := range e.GetConfirmations() {
		s.Confirmed = append(s.Confirmed, c.GetAlias())
	}
	for _, m := range e.GetCases() {
		c := &Case{Bundle: m.GetBundle(), Digest: m.GetDigest(), Number: m.GetNumber(), Version: 1, State: PreReview}
		c.judge(m, s.Revision, e.GetNoticeDue())
		s.Cases = append(s.Cases, c)
	}
}

// judge takes over what an assessment said of a case. Attempts of checks go on over revisions, because the id of an
// answer is made of them.
func (c *Case) judge(m *applicationv1.SubmittedCase, revision int, noticeDue *applicationv1.Due) {
	c.Revision, c.NoticeDue = revision, noticeDue
	c.Verdict, c.Failing, c.Undecided, c.Steps = m.GetVerdict(), m.GetFailing(), m.GetUndecided(), m.GetSteps()
	before := c.Checks
	c.Checks = nil
	for _, step := range m.GetChecks() {
		check := Check{Step: step, Attempt: 1}
		if i := slices.IndexFunc(before, func(k Check) bool { return k.Step == step }); i >= 0 {
			check.Attempt = before[i].Attempt
			if before[i].Answered {
				check.Attempt++
			}
		}
		c.Checks = append(c.Checks, check)
	}
	c.take(m.GetMaterials())
}

// take takes over the materials that are asked.
func (c *Case) take(states []*applicationv1.MaterialState) {
	c.Materials = nil
	for _, s := range states {
		c.Materials = append(c.Materials, Material{ID: s.GetMaterial(), Shared: s.GetShared(), Origin: s.GetOrigin(), Required: s.GetRequired(),
			Secondary: s.GetSecondary(), Tolerable: s.GetTolerable(), Promisable: s.GetPromisable()})
	}
}
