package application

import (
	"slices"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// When a step may follow another.
const (
	onSettled  = "SETTLED"  // however it ended
	onPromised = "PROMISED" // its department has taken it, with its promised date
)

// proceedAll goes on with every case.
func (d *decision) proceedAll() error {
	for _, c := range d.s.Cases {
		if err := d.proceed(c.Bundle); err != nil {
			return err
		}
	}
	return nil
}

// proceed goes on with an accepted case as far as it can: results go out that wait for nothing, steps open or are
// skipped in the order of the step graph, and the case ends when all are settled.
func (d *decision) proceed(bundle string) error {
	for {
		before := len(d.events)
		if c := d.s.Case(bundle); c == nil || c.State != Accepted {
			return nil
		}
		if err := d.issueDecided(bundle); err != nil {
			return err
		}
		d.complete(bundle)
		if err := d.route(bundle); err != nil {
			return err
		}
		if len(d.events) == before {
			return nil
		}
	}
}

// standing is what a step makes of those before it.
type standing struct{ ready, settled, lost bool }

// standingOf says whether a step may open: all before it are as it wants them; whether all are settled; and whether
// one is lost on which it depends.
func (d *decision) standingOf(c *Case, step *catalog.Step) standing {
	all := standing{ready: true, settled: true}
	for _, after := range step.After {
		t, skipped := d.s.TaskOf(c.Bundle, after.Step), c.Skip(after.Step)
		var met, settled, lost bool
		switch {
		case skipped != nil:
			met, settled, lost = !skipped.Ended, true, skipped.Ended
		case t != nil && t.State == TaskApproved:
			met, settled = true, true
		case t != nil && t.State.Settled():
			settled, lost = true, true
		case t != nil:
			met = after.On == onPromised
		}
		if after.On == onSettled {
			met, lost = settled, false
		}
		all.ready, all.settled, all.lost = all.ready && met, all.settled && settled, all.lost || lost
	}
	return all
}

// route opens the steps whose turn it is, and skips those that do not apply or are not reached.
func (d *decision) route(bundle string) error {
	var assessed *guide.Case // worked out when the first step needs it
	for _, step := range d.bundle(bundle).Steps {
		c := d.s.Case(bundle)
		if c.State != Accepted {
			return nil
		}
		if d.s.TaskOf(bundle, step.ID) != nil || c.Skip(step.ID) != nil {
			continue
		}
		at := d.standingOf(c, step)
		if at.lost {
			d.skip(bundle, step, true)
			assessed = nil // how a step ended may decide whether a later one applies
			continue
		}
		if !at.ready && !at.settled {
			continue
		}
		if assessed == nil {
			assessed = d.assess(c, c.AcceptedOn)
		}
		switch truth := applies(assessed, step.ID); {
		case truth == rule.False && at.settled:
			d.skip(bundle, step, false)
			assessed = nil
		case truth == rule.False || !at.ready || truth == rule.Unknown && !at.settled:
			// Its turn comes when those before it are settled.
		default:
			if err := d.open(c, step, assessed.Step(step.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *decision) skip(bundle string, step *catalog.Step, ended bool) {
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_StepSkipped{StepSkipped: &applicationv1.StepSkipped{Bundle: bundle, Step: step.ID, Ended: ended}}})
}

func (s *State) stepSkipped(e *applicationv1.StepSkipped) {
	c := s.touch(e.GetBundle())
	c.Skipped = append(c.Skipped, Skipped{Step: e.GetStep(), Ended: e.GetEnded()})
}

// conditionApplies stands among the conditions of a step of which it is not known whether it applies: a fact, a
// parameter or a calendar is missing. That is for the officer, never a refusal.
const conditionApplies = "applies"

// open gives a step to its department.
func (d *decision) open(c *Case, step *catalog.Step, assessed *guide.Step) error {
	b := d.bundle(c.Bundle)
	setting := d.setting(c.AcceptedOn)
	ready := guide.AssessReady(b, step, d.record, setting)
	e := &applicationv1.TaskOpened{Task: d.s.nextTask(c), Bundle: c.Bundle, Step: step.ID, Department: step.Department.ID, Findings: c.unjudged(step.ID)}
	if hooks := d.w.Plugins[step.Plugin]; step.Plugin != "" && len(hooks) > 0 {
		e.Plugin, e.Hooks = step.Plugin, slices.Clone(hooks)
	}
	if assessed.Applies.Truth == rule.Unknown {
		e.OpenConditions = append(e.OpenConditions, conditionApplies)
	}
	for _, r := range ready.Open {
		e.OpenConditions = append(e.OpenConditions, r.ID)
	}
	for _, p := range c.Promises {
		if p.False() && slices.ContainsFunc(step.Materials, needs(p.Material)) {
			e.OpenConditions = append(e.OpenConditions, conditionPromise(p.Material))
		}
	}
	for _, need := range step.Materials {
		for _, t := range c.Tolerances {
			switch {
			case t.Supplied || catalog.Unnumbered(t.Material) != need.Material.ID:
			case need.BeforeExamination || t.Lapsed && t.Then == thenSuspend:
				e.WaitsExamination = append(e.WaitsExamination, t.Material)
			default:
				e.WaitsResult = append(e.WaitsResult, t.Material)
			}
		}
	}
	// The clock of a first step starts with acceptance, or with the move to the version that has it; that of a later one
	// when it opens.
	opened := d.today
	first := !slices.ContainsFunc(b.Before(step), func(s *catalog.Step) bool { return d.s.TaskOf(c.Bundle, s.ID) != nil })
	if first {
		opened = c.started()
	}
	from := opened
	if step.AtOnce {
		from = c.AcceptedOn
	}
	e.Opened = opened.String()
	var pauses []Pause
	if len(e.WaitsExamination) > 0 {
		pauses = []Pause{{Procedure: PauseSupply, From: nextDay(opened)}}
	}
	e.Due = d.latest(from, assessed.Limit, pauses)
	if !step.Department.Partner {
		e.Statutory = d.latest(from, ready.Statutory, nil)
		e.Silence = step.Silence && e.Statutory != nil
	}
	e.AutoApprove = ready.AutoApprove.Truth == rule.True && len(e.OpenConditions)+len(e.Findings)+len(e.WaitsExamination) == 0 &&
		len(d.checkResult(b, step, nil)) == 0
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_TaskOpened{TaskOpened: e}})
	if e.AutoApprove {
		d.follows(&applicationv1.Event{Kind: &applicationv1.Event_TaskDecided{TaskDecided: &applicationv1.TaskDecided{Task: e.Task, Outcome: Approved, Revision: int32(d.s.Revision)}}})
	}
	return nil
}

// latest is the date of a limit; of several that may count, as it is not known which, the latest.
func (d *decision) latest(from kind.Date, limits []catalog.Days, pauses []Pause) *applicationv1.Due {
	var latest *applicationv1.Due
	for _, limit := range limits {
		due := d.clock(from, guide.Limit(limit), pauses)
		if latest == nil || due.GetDate()+due.GetEarliest() > latest.GetDate()+latest.GetEarliest() {
			latest = due
		}
	}
	return latest
}

func (s *State) taskOpened(e *applicationv1.TaskOpened) {
	if e.GetTask() == "" || s.Task(e.GetTask()) != nil {
		return
	}
	s.touch(e.GetBundle())
	t := &Task{Number: e.GetTask(), Bundle: e.GetBundle(), Step: e.GetStep(), Department: e.GetDepartment(), Version: 1, State: TaskOpen,
		Plugin: e.GetPlugin(), Hooks: e.GetHooks(), Due: e.GetDue(), Statutory: e.GetStatutory(), Conditions: e.GetOpenConditions(),
		WaitsExamination: slices.Clone(e.GetWaitsExamination()), WaitsResult: slices.Clone(e.GetWaitsResult()),
		Findings: e.GetFindings(), AutoApprove: e.GetAutoApprove(), Silence: e.GetSilence(), Attempts: map[string]int32{}}
	t.Opened, _ = kind.ParseDate(e.GetOpened())
	if len(t.WaitsExamination) > 0 {
		t.Pauses = append(t.Pauses, Pause{Procedure: PauseSupply, From: nextDay(t.Opened)})
	}
	if e.GetPurpose() != "" {
		t.Purpose, t.Promise, t.About, t.CorrectionDue = e.GetPurpose(), e.GetPromise(), e.GetAbout(), e.GetCorrection()
		t.rest()
		s.FollowUps = append(s.FollowUps, t)
		return
	}
	t.rest()
	s.Tasks = append(s.Tasks, t)
}

// rest is the state of a task that is not decided: a special procedure, a wait, or open.
func (t *Task) rest() {
	if t.State.Settled() || t.State == TaskDecided {
		return
	}
	t.State = TaskOpen
	if len(t.WaitsExamination) > 0 || t.CorrectionDue != nil {
		t.State = TaskWaiting
	}
	if slices.ContainsFunc(t.Pauses, func(p Pause) bool {
		return p.To.IsZero() && p.Procedure != PauseSupply && p.Procedure != PauseCorrection
	}) {
		t.State = TaskPaused
	}
}

// endPauses ends the open pauses that are meant.
func (t *Task) endPauses(last kind.Date, meant func(Pause) bool) {
	for i := range t.Pauses {
		if t.Pauses[i].To.IsZero() && meant(t.Pauses[i]) {
			t.Pauses[i].To = last
		}
	}
}

// issueDecided lets the results go out of which everything is there: no material is missing, no plugin makes the
// document, and no value is missing, as where the law took silence for approval.
func (d *decision) issueDecided(bundle string) error {
	for _, t := range d.s.Tasks {
		if t.Bundle != bundle || t.State != TaskDecided || len(t.WaitsResult) > 0 || slices.Contains(t.Hooks, HookIssue) {
			continue
		}
		if b := d.bundle(bundle); len(d.checkResult(b, b.Step(t.Step), d.results[bundle])) > 0 {
			continue
		}
		d.follows(&applicationv1.Event{Kind: &applicationv1.Event_ResultIssued{ResultIssued: d.issued(t, "")}})
	}
	return nil
}

// issued is the result of a task, out today.
func (d *decision) issued(t *Task, plugin string) *applicationv1.ResultIssued {
	step := d.bundle(t.Bundle).Step(t.Step)
	e := &applicationv1.ResultIssued{Task: t.Number, Document: step.Document, Plugin: plugin}
	if step.Valid != nil {
		if until, ok := validUntil(d.today, *step.Valid, d.w.Calendar); ok {
			e.ValidUntil = until.String()
		}
	}
	return e
}

// validUntil is the day before the one that bears the number of the day of issue after the time has passed: a paper
// of 2026-03-16 for five years is valid until 2031-03-15.
func validUntil(issued kind.Date, valid catalog.Days, c *calendar.Calendar) (kind.Date, bool) {
	var end kind.Date
	var ok bool
	switch valid.Unit {
	case catalog.Years:
		end, ok = issued.AddYears(valid.N)
	case catalog.Months:
		end, ok = issued.AddMonths(valid.N)
	case catalog.CalendarDays:
		end, ok = issued.AddDays(valid.N)
	default:
		end, _, ok = c.AddWorkingDays(issued, valid.N)
		return end, ok
	}
	if !ok {
		return kind.Date{}, false
	}
	return end.AddDays(-1)
}

// checkResult says what is wrong with the values of a step's result, beside their kinds.
func (d *decision) checkResult(b *catalog.Bundle, step *catalog.Step, values map[forms.Path]kind.Value) []forms.Violation {
	setting := d.setting(kind.Date{})
	if setting.Settled[b.ID] == nil {
		setting.Settled[b.ID] = map[string]guide.Settlement{}
	}
	setting.Settled[b.ID][step.ID] = guide.Settlement{Approved: true, Result: values}
	return guide.CheckResult(b, step, d.record, setting)
}
