package application

import (
	"strings"
	"time"

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
	k := calendar.Clock{Start: from, Limit: limit}
	for _, p := range pauses {
		if p.To.IsZero() || !p.To.Before(p.From) { // one that ended on the day on which it began holds no day
			k.Pauses = append(k.Pauses, calendar.Pause{From: p.From, To: p.To, Name: p.printed()})
		}
	}
	return message(d.w.Calendar.Due(k), from, limit)
}

// message is a date as an event holds it.
func message(due calendar.Due, from kind.Date, limit calendar.Limit) *applicationv1.Due {
	m := &applicationv1.Due{Derivation: strings.Split(due.Explain(), "\n"), Limit: int32(limit.N), From: from.String()}
	switch limit.Unit {
	case calendar.WorkingDays:
		m.Unit = unitWorkingDays
	case calendar.Days:
		m.Unit = unitDays
	case calendar.Months:
		m.Unit = unitMonths
	}
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
	from, ok := kind.ParseDate(due.GetFrom())
	if !ok {
		return due
	}
	limit := calendar.Limit{N: int(due.GetLimit())}
	switch due.GetUnit() {
	case unitDays:
		limit.Unit = calendar.Days
	case unitMonths:
		limit.Unit = calendar.Months
	}
	return d.clock(from, limit, pauses)
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
	due := message(c.Due.Due, asOf, calendar.Limit{})
	due.From, due.Unit, due.Limit, due.Derivation = "", "", 0, []string{"自受理之日 " + asOf.Format() + " 起，按办理环节逐一计算"}
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

// settle records what has lapsed by now, in the order of the moments at which it did, each as of its day: as if a
// follower had come in time, so that downtime changes no right.
func (d *decision) settle() error {
	d.settleDates(false)
	for {
		at, lapse := d.nextLapse()
		if lapse == nil {
			break
		}
		d.today = kind.DateOf(at)
		if err := lapse(); err != nil {
			return err
		}
	}
	d.today = kind.DateOf(d.w.Now)
	return nil
}

// nextLapse returns what has lapsed first by now, and when: the end of a claim, or the beginning of the day after a date;
// nil if nothing has. What lapses changes the state, so that it does not lapse again.
func (d *decision) nextLapse() (first time.Time, lapse func() error) {
	consider := func(at time.Time, f func() error) {
		if !d.w.Now.Before(at) && (lapse == nil || at.Before(first)) {
			first, lapse = at, f
		}
	}
	last := func(due *applicationv1.Due, f func() error) {
		if day, ok := kind.ParseDate(due.GetDate()); ok {
			consider(time.Date(day.Year, day.Month, day.Day+1, 0, 0, 0, 0, d.w.Now.Location()), f)
		}
	}
	for _, c := range d.s.Cases {
		switch c.State {
		case PreReview:
			last(c.NoticeDue, func() error { return d.lapseNotice(c) })
		case ToBeCorrected:
			last(c.CorrectionDue, func() error { return d.end(c, applicationv1.CaseEnded_OUTCOME_EXPIRED) })
		case Accepted:
			for _, t := range c.Tolerances {
				switch {
				case t.Supplied:
				case !t.Lapsed:
					last(t.Due, func() error { return d.lapseTolerance(c, t) })
				default:
					last(t.Until, func() error { return d.end(c, applicationv1.CaseEnded_OUTCOME_ENDED) })
				}
			}
		default: // over: nothing lapses any more
		}
	}
	for _, t := range d.s.Tasks {
		if t.Claim != nil {
			consider(t.Claim.Until, func() error { return d.lapseClaim(t) })
		}
		if t.State == TaskWaiting {
			last(t.CorrectionDue, func() error { return d.lapseCorrection(t) })
		}
		if t.Silent() {
			last(t.Statutory, func() error { return d.lapseTask(t) })
		}
	}
	return first, lapse
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
	for _, t := range d.s.Tasks {
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

func (s *State) dueSettled(e *applicationv1.DueSettled) {
	set := func(due **applicationv1.Due, to *applicationv1.Due) {
		if to != nil {
			*due = to
		}
	}
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

func (s *State) extended(e *applicationv1.Extended) {
	if e.GetTask() != "" {
		s.touchTask(e.GetTask()).Due = e.GetDue()
		return
	}
	s.touch(e.GetBundle()).Due = e.GetDue()
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
