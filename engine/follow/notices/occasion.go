package notices

import (
	"slices"
	"time"

	"github.com/siyiban/onething/engine/application"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Recipient says whom a notice is for.
type Recipient string

// The recipients.
const (
	Applicant Recipient = "applicant"
	Clerk     Recipient = "clerk"   // intake clerks of the office
	Officer   Recipient = "officer" // officers of a department
)

// occasion is something that somebody is told.
type occasion struct {
	kind         string
	to           Recipient
	department   string // of officers
	bundle, task string // that it is about; empty: the application
	version      uint64 // of the event
	at           time.Time
}

// occasions returns what an append gives to tell, and the state after it.
func occasions(before application.State, events []*applicationv1.Event) ([]occasion, application.State) {
	var all []occasion
	var last occasion
	opened := map[string]occasion{} // tasks that may wait for an officer, by number
	after := before
	for _, event := range events {
		after = application.Evolve(after, event)
		last = occasion{version: uint64(after.Version), at: event.GetAt().AsTime()}
		for _, o := range told(after, event) {
			o.version, o.at = last.version, last.at
			if o.kind == "task_opened" {
				opened[o.task] = o
				continue
			}
			all = append(all, o)
		}
	}
	for _, t := range slices.Concat(after.Tasks, after.FollowUps) {
		if o, ok := opened[t.Number]; ok && forOfficers(t) { // not one that was decided in the same commit
			all = append(all, o)
		}
	}
	for _, c := range after.Cases {
		if waits(c) && !waited(before, c) {
			last.kind, last.to, last.bundle = "case_waiting", Clerk, c.Bundle
			all = append(all, last)
		}
	}
	return all, after
}

// forOfficers says whether a task is the officers' now.
func forOfficers(t *application.Task) bool {
	hook, _ := t.Hook()
	return !t.State.Settled() && t.State != application.TaskDecided && hook == ""
}

// waits says whether a case is a clerk's to decide: every check has answered, and the engine has not accepted it.
func waits(c *application.Case) bool {
	return c.State == application.PreReview && len(c.Awaited()) == 0
}

// waited says whether a case was the clerks' before, on the same revision.
func waited(before application.State, c *application.Case) bool {
	earlier := before.Case(c.Bundle)
	return earlier != nil && waits(earlier) && earlier.Revision == c.Revision
}

// told returns what an event gives to tell; s is the state after it. What opens a task is told only if it still is open
// after the whole commit.
func told(s application.State, event *applicationv1.Event) []occasion {
	applicant := func(kind, bundle, task string) []occasion {
		if t := s.Task(task); t != nil {
			bundle = t.Bundle
		}
		return []occasion{{kind: kind, to: Applicant, bundle: bundle, task: task}}
	}
	officers := func(kind, task string) []occasion {
		t := s.Task(task)
		if t == nil {
			return nil
		}
		return []occasion{{kind: kind, to: Officer, department: t.Department, bundle: t.Bundle, task: task}}
	}
	switch k := event.GetKind().(type) {
	case *applicationv1.Event_Accepted:
		return applicant("accepted", k.Accepted.GetBundle(), "")
	case *applicationv1.Event_NotAccepted:
		return applicant("not_accepted", k.NotAccepted.GetBundle(), "")
	case *applicationv1.Event_CorrectionNotified:
		return applicant("correction", "", "")
	case *applicationv1.Event_CorrectionAsked:
		return applicant("correction", "", k.CorrectionAsked.GetTask())
	case *applicationv1.Event_TaskPaused:
		return applicant("paused", "", k.TaskPaused.GetTask())
	case *applicationv1.Event_TaskResumed:
		return applicant("resumed", "", k.TaskResumed.GetTask())
	case *applicationv1.Event_Extended:
		return applicant("extended", k.Extended.GetBundle(), k.Extended.GetTask())
	case *applicationv1.Event_ToleranceLapsed:
		return applicant("tolerance_lapsed", k.ToleranceLapsed.GetBundle(), "")
	case *applicationv1.Event_ResultIssued:
		return applicant("result_issued", "", k.ResultIssued.GetTask())
	case *applicationv1.Event_ResultRevoked:
		return applicant("revoked", "", k.ResultRevoked.GetTask())
	case *applicationv1.Event_CaseEnded:
		return applicant("case_ended", k.CaseEnded.GetBundle(), "")
	case *applicationv1.Event_Warned:
		return warned(s, k.Warned)
	case *applicationv1.Event_PromiseVerified:
		if k.PromiseVerified.GetHolds() {
			return nil
		}
		all := applicant("promise_false", k.PromiseVerified.GetBundle(), "")
		for _, task := range k.PromiseVerified.GetTasks() { // undecided: it is put before their officers
			all = append(all, officers("promise_false", task)...)
		}
		return all
	case *applicationv1.Event_TaskOpened:
		return officers("task_opened", k.TaskOpened.GetTask())
	case *applicationv1.Event_TaskDecided:
		if k.TaskDecided.GetOutcome() == application.Undetermined {
			return officers("task_opened", k.TaskDecided.GetTask())
		}
	case *applicationv1.Event_PluginFailed:
		if k.PluginFailed.GetGaveUp() {
			return officers("task_opened", k.PluginFailed.GetTask())
		}
	}
	return nil
}

// warned is who is told of a warning: applicants of what is theirs to do, offices of what is theirs.
func warned(s application.State, w *applicationv1.Warned) []occasion {
	o := occasion{kind: "warning", to: Clerk, bundle: w.GetBundle(), task: w.GetTask()}
	switch application.ClockKind(w.GetClock()) {
	case application.ClockCorrection, application.ClockTolerance, application.ClockSuspension:
		o.kind, o.to = "reminder", Applicant
	case application.ClockVerification:
		p := s.Promise(w.GetBundle(), w.GetMaterial())
		if p == nil {
			return nil
		}
		o.to, o.department = Officer, p.Department
	default:
		if t := s.Task(w.GetTask()); t != nil {
			o.to, o.department = Officer, t.Department
		}
	}
	return []occasion{o}
}
