package application

import (
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// noticeDays are the working days within which an office has to say what is to be corrected (行政许可法 32).
const noticeDays = 5

// defaultCorrectionDays are the working days that an office gives for a correction if it has set none. The law
// leaves it to the office.
const defaultCorrectionDays = 10

// The units of a limit in an event.
const (
	unitWorkingDays = "working_days"
	unitDays        = "days"
	unitMonths      = "months"
)

// workingDays is a limit in working days.
func workingDays(n int) calendar.Limit { return calendar.Limit{Unit: calendar.WorkingDays, N: n} }

// clock returns the last day of a limit from a day that does not count, with its derivation.
func (d *decision) clock(from kind.Date, limit calendar.Limit, pauses []Pause) *applicationv1.Due {
	return d.reckon(calendar.Clock{Start: from, Limit: limit}, pauses)
}

func (d *decision) reckon(k calendar.Clock, pauses []Pause) *applicationv1.Due {
	for _, p := range pauses {
		if p.To.IsZero() || !p.To.Before(p.From) { // one that ended on the day on which it began holds no day
			k.Pauses = append(k.Pauses, calendar.Pause{From: p.From, To: p.To, Name: p.printed()})
		}
	}
	due := d.w.Calendar.Due(k)
	m := message(due)
	m.Limit, m.Extension, m.From, m.Near = int32(k.Limit.N), int32(k.Extension), k.Start.String(), d.near(due, k.Limit, k.Extension)
	switch k.Limit.Unit {
	case calendar.WorkingDays:
		m.Unit = unitWorkingDays
	case calendar.Days:
		m.Unit = unitDays
	case calendar.Months:
		m.Unit = unitMonths
	}
	return m
}

// near is the first day of the last fifth of a limit, at least its last day: from then on it is to be warned of (yellow).
// The share is ours; the law gives none. A limit of no days has none.
func (d *decision) near(due calendar.Due, limit calendar.Limit, extension int) string {
	const daysOfMonth = 30
	n := limit.N + extension
	if !due.Known || n <= 0 {
		return ""
	}
	if limit.Unit == calendar.Months {
		n *= daysOfMonth
	}
	back := (n+4)/5 - 1
	from, ok := kind.Date{}, false
	if limit.Unit == calendar.WorkingDays {
		from, _, ok = d.w.Calendar.AddWorkingDays(due.Date, -back)
	} else {
		from, ok = due.Date.AddDays(-back)
	}
	if !ok {
		return ""
	}
	return from.String()
}

// message is a date as an event holds it.
func message(due calendar.Due) *applicationv1.Due {
	m := &applicationv1.Due{Derivation: strings.Split(due.Explain(), "\n")}
	switch {
	case due.Known:
		m.Date = due.Date.String()
	case !due.Earliest.IsZero():
		m.Earliest = due.Earliest.String()
	}
	return m
}

// anew works a date out again: with other pauses, or with the calendar as it is published now. A date that was not
// counted by a limit stays as it is.
func (d *decision) anew(due *applicationv1.Due, pauses []Pause) *applicationv1.Due {
	return d.extendedBy(due, 0, pauses)
}

// extendedBy works a date out again, of a limit that is longer by further units.
func (d *decision) extendedBy(due *applicationv1.Due, n int, pauses []Pause) *applicationv1.Due {
	from, ok := kind.ParseDate(due.GetFrom())
	if !ok {
		return due
	}
	k := calendar.Clock{Start: from, Limit: calendar.Limit{N: int(due.GetLimit())}, Extension: int(due.GetExtension()) + n}
	switch due.GetUnit() {
	case unitDays:
		k.Limit.Unit = calendar.Days
	case unitMonths:
		k.Limit.Unit = calendar.Months
	}
	return d.reckon(k, pauses)
}

// caseDue is the promised date of a case that is accepted as of a day. Where every step is promised in working days
// (or the bundle has a limit of its own), it is one clock; else it is the end of the longest way as the guide works
// it out, step by step.
func (d *decision) caseDue(c *guide.Case, asOf kind.Date) *applicationv1.Due {
	if p := c.Bundle.Promised; p != nil {
		return d.clock(asOf, guide.Limit(*p), nil)
	}
	for _, s := range c.Steps {
		for _, limit := range s.Limit {
			if guide.Limit(limit).Unit != calendar.WorkingDays {
				return d.longestWay(c, asOf)
			}
		}
	}
	return d.clock(asOf, workingDays(int(c.Total.Max)), nil)
}

// longestWay is the date of the last step, with the derivation of each step on the way to it.
func (d *decision) longestWay(c *guide.Case, asOf kind.Date) *applicationv1.Due {
	due := message(c.Due.Due)
	due.Near = d.near(c.Due.Due, workingDays(int(c.Total.Max)), 0)
	due.Derivation = []string{"自受理之日 " + asOf.Format() + " 起，按办理环节逐一计算"}
	for _, s := range c.Steps {
		if len(s.Limit) > 0 {
			due.Derivation = append(due.Derivation, s.Name.ZH+"：")
			due.Derivation = append(due.Derivation, strings.Split(s.Due.Due.Explain(), "\n")...)
		}
	}
	return due
}

// nextDay is the day after; the last one that there is stays itself.
func nextDay(day kind.Date) kind.Date {
	if next, ok := day.AddDays(1); ok {
		return next
	}
	return day
}

// printed is what happens during a pause, in Chinese.
func (p Pause) printed() string {
	switch p.Procedure {
	case "HEARING":
		return "听证"
	case "TENDER":
		return "招标"
	case "AUCTION":
		return "拍卖"
	case "INSPECTION":
		return "检验"
	case "TESTING":
		return "检测"
	case "QUARANTINE":
		return "检疫"
	case "APPRAISAL":
		return "鉴定"
	case "EXPERT_REVIEW":
		return "专家评审"
	case "PUBLICITY":
		return "公示"
	case PauseSupply:
		return "等待补交容缺材料"
	case PauseCorrection:
		return "等待申请人补正"
	}
	return "中止"
}

// statutoryPauses are those that the law's limit knows: it runs on while a tolerated material is awaited.
func (t *Task) statutoryPauses() []Pause {
	var pauses []Pause
	for _, p := range t.Pauses {
		if p.Procedure != PauseSupply {
			pauses = append(pauses, p)
		}
	}
	return pauses
}

// dates works out both dates of a task with its pauses as they are now.
func (d *decision) dates(t *Task) (due, statutory *applicationv1.Due) {
	due = d.anew(t.Due, t.Pauses)
	if t.Statutory != nil {
		statutory = d.anew(t.Statutory, t.statutoryPauses())
	}
	return due, statutory
}

// end ends a case before its time.
func (d *decision) end(c *Case, outcome applicationv1.CaseEnded_Outcome) error {
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_CaseEnded{CaseEnded: &applicationv1.CaseEnded{Bundle: c.Bundle, Outcome: outcome}}})
	return nil
}

// settleDates records dates that the calendar tells by now; with `all` also known dates of open clocks that a newly
// published calendar moves.
func (d *decision) settleDates(all bool) {
	renew := func(due *applicationv1.Due, pauses []Pause) *applicationv1.Due {
		if due == nil || due.GetDate() != "" && !all {
			return nil
		}
		if fresh := d.anew(due, pauses); fresh.GetDate() != "" && fresh.GetDate() != due.GetDate() {
			return fresh
		}
		return nil
	}
	for _, c := range d.s.Cases {
		e := &applicationv1.DueSettled{Bundle: c.Bundle, Suspensions: map[string]*applicationv1.Due{}, Verifications: map[string]*applicationv1.Due{}}
		for _, p := range c.Promises { // outlive the case
			if due := renew(p.Due, nil); due != nil && !p.Verified {
				e.Verifications[p.Material] = due
			}
		}
		switch c.State {
		case PreReview:
			e.NoticeDue = renew(c.NoticeDue, nil)
		case ToBeCorrected:
			e.Correction = renew(c.CorrectionDue, nil)
		case Accepted:
			pauses := d.casePauses(c.Bundle)
			e.Due, e.Statutory = renew(c.Due, pauses), renew(c.Statutory, pauses)
			if c.Due.GetFrom() == "" && (all || c.Due.GetDate() == "") {
				// Not one clock: the guide works it out step by step.
				if fresh := d.caseDue(d.assess(c, c.AcceptedOn), c.AcceptedOn); fresh.GetDate() != "" && fresh.GetDate() != c.Due.GetDate() {
					e.Due = fresh
				}
			}
			for _, t := range c.Tolerances {
				if due := renew(t.Due, nil); due != nil && !t.Supplied && !t.Lapsed {
					e.Tolerances = append(e.Tolerances, &applicationv1.Tolerance{Material: t.Material, Due: due, Then: t.Then, Suspended: t.Suspended})
				}
				if until := renew(t.Until, nil); until != nil && !t.Supplied {
					e.Suspensions[t.Material] = until
				}
			}
		default: // over
		}
		if e.Due != nil || e.Statutory != nil || e.NoticeDue != nil || e.Correction != nil || len(e.Tolerances)+len(e.Suspensions)+len(e.Verifications) > 0 {
			d.follows(&applicationv1.Event{Kind: &applicationv1.Event_DueSettled{DueSettled: e}})
		}
	}
	for _, t := range slices.Concat(d.s.Tasks, d.s.FollowUps) {
		if t.State.Settled() || t.State == TaskDecided {
			continue
		}
		e := &applicationv1.DueSettled{Bundle: t.Bundle, Task: t.Number, Due: renew(t.Due, t.Pauses),
			Statutory: renew(t.Statutory, t.statutoryPauses()), Correction: renew(t.CorrectionDue, nil)}
		if e.Due != nil || e.Statutory != nil || e.Correction != nil {
			d.follows(&applicationv1.Event{Kind: &applicationv1.Event_DueSettled{DueSettled: e}})
		}
	}
}

// set replaces a date, where there is another one.
func set(due **applicationv1.Due, to *applicationv1.Due) {
	if to != nil {
		*due = to
	}
}

func (s *State) dueSettled(e *applicationv1.DueSettled) {
	if e.GetTask() != "" {
		t := s.touchTask(e.GetTask())
		set(&t.Due, e.GetDue())
		set(&t.Statutory, e.GetStatutory())
		set(&t.CorrectionDue, e.GetCorrection())
		return
	}
	c := s.touch(e.GetBundle())
	set(&c.Due, e.GetDue())
	set(&c.Statutory, e.GetStatutory())
	set(&c.NoticeDue, e.GetNoticeDue())
	set(&c.CorrectionDue, e.GetCorrection())
	for i := range c.Tolerances {
		for _, fresh := range e.GetTolerances() {
			if fresh.GetMaterial() == c.Tolerances[i].Material {
				set(&c.Tolerances[i].Due, fresh.GetDue())
			}
		}
		set(&c.Tolerances[i].Until, e.GetSuspensions()[c.Tolerances[i].Material])
	}
	for i := range c.Promises {
		set(&c.Promises[i].Due, e.GetVerifications()[c.Promises[i].Material])
	}
}

// casePauses are the days that do not count for a case: those of its tasks' special procedures and corrections that
// are over.
func (d *decision) casePauses(bundle string) []Pause {
	var pauses []Pause
	for _, t := range d.s.Tasks {
		if t.Bundle != bundle {
			continue
		}
		for _, p := range t.statutoryPauses() {
			if !p.To.IsZero() {
				pauses = append(pauses, p)
			}
		}
	}
	return pauses
}

// moveCase records the dates of a case after one of its tasks has paused.
func (d *decision) moveCase(bundle string) {
	c := d.s.Case(bundle)
	pauses := d.casePauses(bundle)
	e := &applicationv1.DueSettled{Bundle: bundle, Due: d.anew(c.Due, pauses), Statutory: d.anew(c.Statutory, pauses)}
	if e.Due.GetDate() != c.Due.GetDate() || e.Statutory.GetDate() != c.Statutory.GetDate() {
		d.follows(&applicationv1.Event{Kind: &applicationv1.Event_DueSettled{DueSettled: e}})
	}
}
