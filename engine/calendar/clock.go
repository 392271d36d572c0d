package calendar

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms/kind"
)

// Unit is what a limit counts.
type Unit uint8

// The units of a limit.
const (
	WorkingDays Unit = iota // days on which offices work (行政许可法 82)
	Days                    // calendar days
	Months                  // calendar months (民法典 202)
)

// Limit is a length of time. 0 is the same day, or the next working day if that is none. A negative N counts as 0.
type Limit struct {
	Unit Unit
	N    int
}

// Pause is a stretch of days that do not count, the first and the last included, such as a hearing (行政许可法 45).
type Pause struct {
	From kind.Date
	To   kind.Date // the zero Date if the pause has not ended yet
	Name string    // what happens meanwhile, in Chinese
}

// Clock is a deadline. Its last day is always a working day: a limit in calendar days or months whose last day is none
// ends on the next working day (民法典 203). Days in several pauses count once as paused, and no limit ends within a
// pause.
type Clock struct {
	Start     kind.Date // the day of the event; it does not count (民法典 201)
	Limit     Limit
	Extension int // further units of the limit, if it was extended (行政许可法 42)
	Pauses    []Pause
}

// Due is the last day of a clock.
type Due struct {
	// Date is the last day, the zero Date while it is not known.
	Date kind.Date
	// Known is false if the calendar of a year that is needed is not published, or if a pause has not ended.
	Known bool
	// Earliest is the date, or a true lower bound while it is not known: as if every day worked whose year is not
	// published, but for those that the law itself makes holidays (全国年节及纪念日放假办法 2: January 1, May 1 and 2,
	// October 1 to 3), and as if an open pause ended on the day when it begins. Any weekend may be made working and any
	// other day off by the notice, so no later bound is true. It is the zero Date for a count backwards, and where the
	// calendar ends (9999-12-31).
	Earliest kind.Date
	// Unpublished is the first year that is needed and whose calendar is not published, or 0.
	Unpublished int

	calendar *Calendar
	clock    Clock
	back     bool // the count goes backwards
}

// Add returns the n-th working day after d as AddWorkingDays does, with its derivation.
func (c *Calendar) Add(d kind.Date, n int) Due {
	if n < 0 {
		return c.due(Clock{Start: d, Limit: Limit{WorkingDays, -max(n, -math.MaxInt)}}, true)
	}
	return c.Due(Clock{Start: d, Limit: Limit{WorkingDays, n}})
}

// Due returns the last day of a clock.
func (c *Calendar) Due(k Clock) Due { return c.due(k, false) }

func (c *Calendar) due(k Clock, back bool) Due {
	due := c.walk(k, back, nil)
	k.Pauses = slices.Clone(k.Pauses)
	due.calendar, due.clock, due.back = c, k, back
	return due
}

// Reason says why a day counts or does not.
type Reason uint8

// The reasons.
const (
	Weekday        Reason = iota // Monday to Friday
	WorkingWeekend               // Saturday or Sunday, working by the notice (调休)
	Weekend                      // Saturday or Sunday, off
	Holiday                      // off by the notice or the law
	Paused                       // within a pause
	Unpublished                  // its year's calendar is not published: it may work
)

// Counted is a day of a derivation.
type Counted struct {
	Date   kind.Date
	Number int    // the day is the Number-th of the limit; 0: it does not count
	Reason Reason // what the day is
	Name   string // of the holiday or the pause, in Chinese
}

// Steps returns every day from the one after Start to the last, with what it is and whether it counts.
func (d Due) Steps() []Counted {
	if d.calendar == nil {
		return nil
	}
	var steps []Counted
	d.calendar.walk(d.clock, d.back, func(step Counted) { steps = append(steps, step) })
	return steps
}

// farAway is the number of days left from which on an unknown date's bound takes every day for a working one instead
// of looking at each.
const farAway = 5000

// walk counts from the clock's start, one day after the other, and shows each to visit.
func (c *Calendar) walk(k Clock, back bool, visit func(Counted)) Due {
	n, inRange := k.days()
	if !inRange {
		return Due{}
	}
	step := 1
	if back {
		step = -1
	}
	due, open := Due{}, false
	day, count := k.Start, 0
	for first := true; ; first = false {
		if !first || n != 0 { // a limit of 0 begins with the first day itself
			next, ok := day.AddDays(step)
			if !ok {
				return due
			}
			day = next
		}
		at := c.look(day)
		if pause, paused := k.paused(day); paused {
			at.Reason, at.Name = Paused, pause.Name
			open = open || pause.To.IsZero()
		}
		works := at.Reason == Weekday || at.Reason == WorkingWeekend || at.Reason == Unpublished
		if count < n && (works || k.Limit.Unit != WorkingDays && at.Reason != Paused) {
			count++
			at.Number = count
		}
		last := count >= n && works
		if at.Reason == Unpublished && due.Unpublished == 0 && (last || k.Limit.Unit == WorkingDays) {
			due.Unpublished = day.Year
		}
		if visit != nil {
			visit(at)
		}
		switch {
		case due.Unpublished != 0 && back:
			return due
		case last:
			due.Earliest = day
			if due.Unpublished == 0 && !open {
				due.Date, due.Known = day, true
			}
			return due
		case due.Unpublished != 0 && n-count > farAway:
			due.Earliest, _ = day.AddDays(n - count)
			return due
		}
	}
}

// days returns how many days the clock counts, false if its last day is out of range.
func (k Clock) days() (n int, ok bool) {
	n = max(0, k.Limit.N) + max(0, k.Extension)
	if k.Limit.Unit != Months {
		return n, true
	}
	end, ok := k.Start.AddMonths(n)
	return kind.DaysBetween(k.Start, end), ok
}

// paused returns the pause that holds the day: one that has not ended, else the first. One that has not ended holds only
// the day when it begins.
func (k Clock) paused(day kind.Date) (held Pause, paused bool) {
	for _, p := range k.Pauses {
		if day != p.From && (!day.After(p.From) || day.After(p.To)) {
			continue
		}
		if !paused || p.To.IsZero() {
			held, paused = p, true
		}
	}
	return held, paused
}

// look returns what a day is, before pauses and counting.
func (c *Calendar) look(day kind.Date) Counted {
	at := Counted{Date: day}
	y, published := c.years[day.Year]
	if !published {
		at.Reason = Unpublished
		if name := fixedHoliday(day); name != "" {
			at.Reason, at.Name = Holiday, name
		}
		return at
	}
	switch y.days[place(day)] {
	case weekday:
		at.Reason = Weekday
	case workingWeekend:
		at.Reason = WorkingWeekend
	case weekend:
		at.Reason = Weekend
	case holiday:
		at.Reason, at.Name = Holiday, c.names[day]
	}
	return at
}

// fixedHoliday returns the name of the holiday that the law itself puts on this day of the solar calendar
// (全国年节及纪念日放假办法 2, as in force since 2025-01-01), or "".
func fixedHoliday(d kind.Date) string {
	switch {
	case d.Month == 1 && d.Day == 1:
		return "元旦"
	case d.Month == 5 && d.Day <= 2 && (d.Day == 1 || d.Year >= 2025):
		return "劳动节"
	case d.Month == 10 && d.Day <= 3:
		return "国庆节"
	}
	return ""
}

// Explain returns the derivation in Chinese, line by line: how the limit was counted, each day, and the outcome.
func (d Due) Explain() string {
	if d.calendar == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "自 %s起，%s", printed(d.clock.Start), d.clock.limit(d.back))
	if d.clock.Limit.N > 0 {
		b.WriteString("，当日不计")
	}
	b.WriteByte('\n')
	steps := d.Steps()
	for i, step := range steps {
		text := step.explain(d.clock.Limit.Unit)
		switch {
		case step.Number != 0:
		case i < len(steps)-1 || step.Date != d.Earliest:
			text += "，不计"
		case step.Date != d.clock.Start:
			text += "，期限顺延至此日"
		}
		fmt.Fprintf(&b, "%s：%s\n", printed(step.Date), text)
	}
	for _, notice := range d.notices(steps) {
		fmt.Fprintf(&b, "依据：%s\n", notice)
	}
	b.WriteString(d.outcome())
	return b.String()
}

func (d Due) outcome() string {
	switch {
	case d.Known:
		return "到期日：" + printed(d.Date)
	case d.Earliest.IsZero() && d.Unpublished != 0:
		return fmt.Sprintf("日期尚不能确定：%d 年放假安排尚未公布", d.Unpublished)
	case d.Unpublished != 0:
		return fmt.Sprintf("日期尚不能确定：%d 年放假安排尚未公布，最早为 %s", d.Unpublished, printed(d.Earliest))
	case d.Earliest.IsZero():
		return "日期超出历法范围"
	default:
		return fmt.Sprintf("日期尚不能确定：计时中止尚未结束，最早为 %s", printed(d.Earliest))
	}
}

// notices returns the titles of the notices of the years that were counted in.
func (d Due) notices(steps []Counted) []string {
	var titles []string
	for _, step := range steps {
		if y, ok := d.calendar.years[step.Date.Year]; ok && y.notice != "" && !slices.Contains(titles, y.notice) {
			titles = append(titles, y.notice)
		}
	}
	return titles
}

func (k Clock) limit(back bool) string {
	text := fmt.Sprintf("%d %s", max(0, k.Limit.N), k.Limit.Unit.printed())
	if back {
		return "往前 " + text
	}
	if k.Extension > 0 {
		text += fmt.Sprintf("，延长 %d %s", k.Extension, k.Limit.Unit.printed())
	}
	return text
}

func (u Unit) printed() string {
	switch u {
	case Days:
		return "日"
	case Months:
		return "个月"
	default:
		return "个工作日"
	}
}

func (s Counted) explain(unit Unit) string {
	var what string
	switch s.Reason {
	case Weekday:
		what = "工作日"
	case WorkingWeekend:
		what = "调休上班"
	case Weekend:
		what = "周末"
	case Holiday:
		what = s.Name + "放假"
	case Paused:
		what = s.Name + "期间"
	case Unpublished:
		what = "放假安排尚未公布，或许上班"
	}
	switch {
	case s.Number == 0:
		return what
	case unit == WorkingDays:
		return fmt.Sprintf("%s，第 %d 个工作日", what, s.Number)
	default:
		return fmt.Sprintf("%s，第 %d 日", what, s.Number)
	}
}

// printed returns a day with its day of the week: 2026年10月10日（周六）.
func printed(d kind.Date) string {
	return d.Format() + "（周" + string([]rune("日一二三四五六")[d.Weekday()]) + "）"
}
