package application

import (
	"strings"

	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// complete ends a case when all its steps are settled, or at once when an essential one was rejected.
func (d *decision) complete(bundle string) {
	c := d.s.Case(bundle)
	if c == nil || c.State != Accepted {
		return
	}
	granted, refused, essential := 0, 0, false
	settled := true
	for _, step := range d.bundle(bundle).Steps {
		t, skipped := d.s.TaskOf(bundle, step.ID), c.Skip(step.ID)
		switch {
		case t != nil && t.State == TaskApproved:
			granted++
		case t != nil && t.State.Settled():
			refused++
			essential = essential || step.Essential
		case skipped == nil: // one that is not reached hangs on another that was rejected
			settled = false
		}
	}
	var outcome applicationv1.CaseEnded_Outcome
	switch {
	case essential:
		outcome = applicationv1.CaseEnded_OUTCOME_REJECTED
	case !settled:
		return
	case refused == 0:
		outcome = applicationv1.CaseEnded_OUTCOME_GRANTED
	case granted > 0:
		outcome = applicationv1.CaseEnded_OUTCOME_PARTLY_GRANTED
	default:
		outcome = applicationv1.CaseEnded_OUTCOME_REJECTED
	}
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_CaseEnded{CaseEnded: &applicationv1.CaseEnded{Bundle: bundle, Outcome: outcome}}})
}

func (s *State) caseEnded(e *applicationv1.CaseEnded) {
	c := s.touch(e.GetBundle())
	c.Outcome = strings.TrimPrefix(e.GetOutcome().String(), "OUTCOME_")
	c.State = Completed
	switch e.GetOutcome() {
	case applicationv1.CaseEnded_OUTCOME_EXPIRED, applicationv1.CaseEnded_OUTCOME_ENDED:
		c.State = Ended
	default:
	}
	s.endTasks(e.GetBundle())
}
