package application

import (
	"slices"
	"time"

	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// ClockKind is what a date is for.
type ClockKind string

// The kinds of a clock.
const (
	ClockNotice       ClockKind = "NOTICE"       // the office has to answer (行政许可法 32)
	ClockCorrection   ClockKind = "CORRECTION"   // the applicant has to correct
	ClockPromised     ClockKind = "PROMISED"     // the office has promised to be ready
	ClockStatutory    ClockKind = "STATUTORY"    // the law has it be ready
	ClockTolerance    ClockKind = "TOLERANCE"    // a material may follow
	ClockSuspension   ClockKind = "SUSPENSION"   // a material may still follow, while its steps stand
	ClockVerification ClockKind = "VERIFICATION" // a promise is to be verified
)

// Clock is a date by which somebody has to do something.
type Clock struct {
	Kind     ClockKind
	Bundle   string
	Task     string // empty: the case's
	Material string // of a tolerance, a suspension or a verification
	Due      *applicationv1.Due
}

// Clocks returns every clock that runs: not those of cases and tasks that are over, or of what was done.
func (s State) Clocks() []Clock {
	var clocks []Clock
	run := func(c Clock) {
		if c.Due != nil {
			clocks = append(clocks, c)
		}
	}
	for _, c := range s.Cases {
		switch c.State {
		case PreReview:
			run(Clock{Kind: ClockNotice, Bundle: c.Bundle, Due: c.NoticeDue})
		case ToBeCorrected:
			run(Clock{Kind: ClockCorrection, Bundle: c.Bundle, Due: c.CorrectionDue})
		case Accepted:
			for _, t := range c.Tolerances {
				switch {
				case t.Supplied:
				case !t.Lapsed:
					run(Clock{Kind: ClockTolerance, Bundle: c.Bundle, Material: t.Material, Due: t.Due})
				default:
					run(Clock{Kind: ClockSuspension, Bundle: c.Bundle, Material: t.Material, Due: t.Until})
				}
			}
			run(Clock{Kind: ClockPromised, Bundle: c.Bundle, Due: c.Due})
			run(Clock{Kind: ClockStatutory, Bundle: c.Bundle, Due: c.Statutory})
		default: // over
		}
	}
	for _, t := range slices.Concat(s.Tasks, s.FollowUps) {
		if t.State.Settled() {
			continue
		}
		run(Clock{Kind: ClockCorrection, Bundle: t.Bundle, Task: t.Number, Due: t.CorrectionDue})
		if t.State == TaskDecided && len(t.WaitsResult) > 0 {
			continue // it waits for the applicant
		}
		run(Clock{Kind: ClockPromised, Bundle: t.Bundle, Task: t.Number, Due: t.Due})
		run(Clock{Kind: ClockStatutory, Bundle: t.Bundle, Task: t.Number, Due: t.Statutory})
	}
	for _, c := range s.Cases {
		for _, p := range c.Promises { // outlive the case
			if !p.Verified {
				run(Clock{Kind: ClockVerification, Bundle: c.Bundle, Material: p.Material, Due: p.Due})
			}
		}
	}
	return clocks
}

// The colours of a warning.
const (
	Yellow = "YELLOW" // the date is near
	Red    = "RED"    // the office has missed it
)

// Warning is a warning that was given of a clock.
type Warning struct {
	Clock  Clock // without its Due
	Colour string
	Date   string // that it was about
}

// Warning returns the colour of the warning that stands for a clock; "" if none does. One that was about another date does
// not stand any more.
func (s State) Warning(c Clock) string {
	date := c.Due.GetDate()
	c.Due = nil
	for _, w := range s.Warnings {
		if w.Clock == c && w.Date == date {
			return w.Colour
		}
	}
	return ""
}

// WarningOf returns the worst warning that stands for a task, or for a case where the task is empty: of what its office has
// to do.
func (s State) WarningOf(bundle, task string) string {
	worst := ""
	for _, c := range s.Clocks() {
		if c.Bundle != bundle || c.Task != task || !c.offices() {
			continue
		}
		switch s.Warning(c) {
		case Red:
			return Red
		case Yellow:
			worst = Yellow
		}
	}
	return worst
}

// offices says whether a clock is the office's to keep.
func (c Clock) offices() bool {
	switch c.Kind {
	case ClockCorrection, ClockTolerance, ClockSuspension:
		return false
	default:
		return true
	}
}

// lapse is something that the passing of time does.
type lapse struct {
	at time.Time
	do func(*decision) error
}

// lapses returns what the passing of time does to an application as it is, each with its moment: the end of a claim, the
// beginning of a day on which a date is near, or of the day after it.
func (s State) lapses(office *time.Location) []lapse {
	var all []lapse
	for _, t := range slices.Concat(s.Tasks, s.FollowUps) {
		if t.Claim != nil && !t.State.Settled() {
			all = append(all, lapse{t.Claim.Until, func(d *decision) error { return d.lapseClaim(d.s.Task(t.Number)) }})
		}
	}
	clocks := s.Clocks()
	for _, c := range clocks {
		if last, ok := kind.ParseDate(c.Due.GetDate()); ok {
			if do := s.passed(c); do != nil {
				all = append(all, lapse{time.Date(last.Year, last.Month, last.Day+1, 0, 0, 0, 0, office), do})
			}
		}
	}
	for _, c := range clocks {
		if near, ok := kind.ParseDate(c.Due.GetNear()); ok && s.Warning(c) == "" {
			all = append(all, lapse{time.Date(near.Year, near.Month, near.Day, 0, 0, 0, 0, office), func(d *decision) error { return d.warn(c, Yellow) }})
		}
	}
	return all
}

// passed returns what happens when the date of a clock has passed; nil: nothing.
func (s State) passed(c Clock) func(*decision) error {
	switch c.Kind {
	case ClockNotice:
		return func(d *decision) error { return d.lapseNotice(d.s.Case(c.Bundle)) }
	case ClockCorrection:
		if c.Task != "" {
			return func(d *decision) error { return d.lapseCorrection(d.s.Task(c.Task)) }
		}
		return func(d *decision) error { return d.end(d.s.Case(c.Bundle), applicationv1.CaseEnded_OUTCOME_EXPIRED) }
	case ClockTolerance:
		return func(d *decision) error { return d.lapseTolerance(d.s.Case(c.Bundle), c.Material) }
	case ClockSuspension:
		return func(d *decision) error { return d.end(d.s.Case(c.Bundle), applicationv1.CaseEnded_OUTCOME_ENDED) }
	case ClockStatutory:
		if c.Task != "" && s.Task(c.Task).Silent() {
			return func(d *decision) error { return d.lapseTask(d.s.Task(c.Task)) }
		}
	case ClockPromised, ClockVerification:
	}
	if s.Warning(c) == Red {
		return nil
	}
	return func(d *decision) error { return d.warn(c, Red) }
}

// NextLapse returns when time next does something to an application; false: never. A date that is not yet known is none:
// the publication of its calendar makes it one.
func (s State) NextLapse(office *time.Location) (time.Time, bool) {
	l, ok := s.first(office)
	return l.at, ok
}

func (s State) first(office *time.Location) (lapse, bool) {
	all := s.lapses(office)
	if len(all) == 0 {
		return lapse{}, false
	}
	return slices.MinFunc(all, func(a, b lapse) int { return a.at.Compare(b.at) }), true
}

// settle records what has lapsed by now, in the order of the moments at which it did, each as of its day: as if a
// follower had come in time, so that downtime changes no right. What lapses changes the state, so that it does not lapse
// again.
func (d *decision) settle() error {
	d.settleDates(false)
	for {
		l, ok := d.s.first(d.w.Now.Location())
		if !ok || d.w.Now.Before(l.at) {
			break
		}
		d.today = kind.DateOf(l.at)
		if err := l.do(d); err != nil {
			return err
		}
	}
	d.today = kind.DateOf(d.w.Now)
	return nil
}

// warn records that a date is near, or was missed.
func (d *decision) warn(c Clock, colour string) error {
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_Warned{Warned: &applicationv1.Warned{Bundle: c.Bundle, Task: c.Task, Material: c.Material,
		Clock: string(c.Kind), Colour: colour, Date: c.Due.GetDate()}}})
	return nil
}

// warned keeps the last warning of a clock. It is a message: nothing that was shown changes by it.
func (s *State) warned(e *applicationv1.Warned) {
	w := Warning{Clock: Clock{Kind: ClockKind(e.GetClock()), Bundle: e.GetBundle(), Task: e.GetTask(), Material: e.GetMaterial()}, Colour: e.GetColour(), Date: e.GetDate()}
	s.Warnings = slices.DeleteFunc(slices.Clone(s.Warnings), func(old Warning) bool { return old.Clock == w.Clock })
	s.Warnings = append(s.Warnings, w)
}
