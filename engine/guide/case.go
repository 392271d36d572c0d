package guide

import (
	"slices"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// together are the applicants who all have to submit: those whose section is asked, or may be.
func (e *evaluation) together() []string {
	if e.bundle.Together == nil || e.try(func(e *evaluation) rule.Outcome { return e.holds(e.bundle.Together.When) }).Truth == rule.False {
		return nil
	}
	var all []string
	for _, alias := range e.bundle.Applicants {
		if e.try(func(e *evaluation) rule.Outcome { return e.holds(e.bundle.Section(alias).When) }).Truth != rule.False {
			all = append(all, alias)
		}
	}
	return all
}

// verdict ranks the rules: ELSEWHERE before NOT_NEEDED before REFUSE. A failing one decides unless one of a
// higher rank is not known.
func verdict(rules []Rule) Verdict {
	open := false
	for _, rank := range []catalog.Otherwise{catalog.Elsewhere, catalog.NotNeeded, catalog.Refuse} {
		fails, unknown := false, false
		for _, r := range rules {
			if r.Otherwise == rank && r.gates() {
				fails = fails || r.Outcome.Truth == rule.False
				unknown = unknown || r.Outcome.Truth == rule.Unknown
			}
		}
		switch {
		case fails && open:
			return Undecided
		case fails:
			return map[catalog.Otherwise]Verdict{catalog.Elsewhere: Elsewhere, catalog.NotNeeded: NotNeeded, catalog.Refuse: NotEligible}[rank]
		}
		open = open || unknown
	}
	if open {
		return Undecided
	}
	return Eligible
}

func (e *evaluation) step(s *catalog.Step) *Step {
	step := &Step{Step: s, Applies: e.try(func(e *evaluation) rule.Outcome { return e.applies(s) })}
	if step.Applies.Truth == rule.False {
		return step
	}
	step.Limit = e.limits(s.Promised)
	step.Fee = e.fee(s)
	if step.Applies.Truth == rule.Unknown {
		step.Fee.Min = 0
	}
	return step
}

// limits returns the cases of a limit that count, or may: one when it is decided.
func (e *evaluation) limits(cases []catalog.Limit) []catalog.Days {
	var limits []catalog.Days
	for _, l := range cases {
		switch e.try(func(e *evaluation) rule.Outcome { return e.holds(l.When) }).Truth {
		case rule.True:
			return append(limits, l.Days)
		case rule.Unknown:
			limits = append(limits, l.Days)
		case rule.False:
		}
	}
	return limits
}

// fee is a range while its case, or an amount, is not known; Max is -1 while an amount is not.
func (e *evaluation) fee(s *catalog.Step) Range {
	var amounts []int64
	open := false
	for _, f := range s.Fee {
		concerns := e.try(func(e *evaluation) rule.Outcome { return e.holds(f.When) })
		if concerns.Truth == rule.False {
			continue
		}
		if amount, ok := e.compute(e, f.Amount).Value.(kind.Money); ok {
			amounts = append(amounts, int64(amount))
		} else {
			open = true
		}
		if concerns.Truth == rule.True {
			break
		}
	}
	r := Range{}
	if len(amounts) > 0 {
		r = Range{slices.Min(amounts), slices.Max(amounts)}
	}
	if open {
		r = Range{0, -1}
	}
	return r
}

// materials are a material as the bundle asks for it: once, or for each element of its list.
func (e *evaluation) materials(m *catalog.Material, steps []*Step) []*Material {
	form := func(e *evaluation) forms.Env { return e }
	if m.Per == "" {
		return []*Material{e.material(m, steps, form, m.ID, m.Key, m.Name)}
	}
	list := e.bundle.Field(m.Per)
	switch s := e.State(m.Per); s.Status {
	case forms.Blank:
		return nil
	case forms.Unknown: // how many there will be is not known
		once := e.material(m, steps, form, m.ID, m.Key, m.Name)
		if once.Asked.Truth != rule.False {
			once.Asked = and(once.Asked, rule.Outcome{Causes: s.Causes})
		}
		return []*Material{once}
	case forms.Known:
	}
	var all []*Material
	for i := range e.rows(list) {
		at := func(e *evaluation) forms.Env { return e.element(list, i) }
		name := m.Name
		if m.Title.ZH != "" {
			name = m.Title.Render(at(e))
		}
		all = append(all, e.material(m, steps, at, catalog.Numbered(m.ID, i), catalog.Numbered(m.Key, i), name))
	}
	return all
}

// material says whether a material is asked; at is where its rules read.
func (e *evaluation) material(m *catalog.Material, steps []*Step, at func(*evaluation) forms.Env, id, key string, name forms.Text) *Material {
	result := &Material{Material: m, ID: id, Key: key, Name: name, Tolerable: no(), Promisable: no()}
	needed := no()
	for _, s := range steps {
		if s.Applies.Truth != rule.False && needsMaterial(s.Step, m) {
			needed = or(needed, s.Applies)
			result.NeededBy = append(result.NeededBy, s.ID)
		}
	}
	result.Asked = needed
	if needed.Truth != rule.False {
		result.Asked = and(needed, e.try(func(e *evaluation) rule.Outcome { return e.holdsIn(at(e), m.When) }))
	}
	if result.Asked.Truth == rule.False {
		return result
	}
	if m.Tolerate != nil {
		result.Tolerable = e.try(func(e *evaluation) rule.Outcome { return and(e.holdsIn(at(e), m.Tolerate.When), not(e.restricted())) })
	}
	if m.Promise != nil {
		result.Promisable = e.try(func(e *evaluation) rule.Outcome { return and(e.holdsIn(at(e), m.Promise.When), not(e.restricted())) })
	}
	return result
}

// schedule works out the promised total and the dates along the step graph.
func (e *evaluation) schedule(c *Case) {
	least, most := map[string]int64{}, map[string]int64{}
	dates := map[string]Date{}
	start := Date{Due: e.setting.Calendar.Add(e.setting.start(), 0), Known: true}
	for _, s := range c.inOrder() {
		var before, beforeMost int64
		from, after := start, false
		for _, a := range s.After {
			before, beforeMost = max(before, least[a.Step]), max(beforeMost, most[a.Step])
			if d, ok := dates[a.Step]; ok && (!after || later(d, from)) {
				from, after = d, true
			}
		}
		if s.AtOnce {
			before, beforeMost, from, after = 0, 0, start, false
		}
		least[s.ID], most[s.ID] = before, beforeMost
		if s.Applies.Truth == rule.False {
			if after {
				dates[s.ID] = from
			}
			continue
		}
		var days []int64
		for _, d := range s.Limit {
			days = append(days, workingDays(d))
		}
		if len(days) > 0 {
			most[s.ID] = beforeMost + slices.Max(days)
			if s.Applies.Truth == rule.True {
				least[s.ID] = before + slices.Min(days)
			}
		}
		s.Due = e.due(from, after, s)
		dates[s.ID] = s.Due
		c.Fee.Min += s.Fee.Min
		if s.Fee.Max < 0 || c.Fee.Max < 0 {
			c.Fee.Max = -1
		} else {
			c.Fee.Max += s.Fee.Max
		}
	}
	c.Due = start
	for _, s := range c.Steps {
		c.Total.Min, c.Total.Max = max(c.Total.Min, least[s.ID]), max(c.Total.Max, most[s.ID])
		if d, ok := dates[s.ID]; ok && later(d, c.Due) {
			c.Due = d
		}
	}
	if p := c.Bundle.Promised; p != nil {
		c.Total = Range{workingDays(*p), workingDays(*p)}
		c.Due = Date{Due: e.setting.Calendar.Due(calendar.Clock{Start: e.setting.start(), Limit: Limit(*p)}), Known: true}
	}
}

// due is the promised date of a step that opens when all before it are done.
func (e *evaluation) due(from Date, after bool, s *Step) Date {
	start := e.setting.start()
	if after {
		start = from.Due.Date
		if !from.Due.Known {
			start = from.Due.Earliest
		}
	}
	var latest Date
	for i, limit := range s.Limit {
		d := Date{Due: e.setting.Calendar.Due(calendar.Clock{Start: start, Limit: Limit(limit)}), Known: len(s.Limit) == 1}
		if i == 0 || later(d, latest) {
			latest = d
		}
	}
	latest.Known = len(s.Limit) == 1 && s.Applies.Truth == rule.True && (!after || from.Known)
	if after && !from.Due.Known {
		latest.Due.Known = false
		latest.Due.Unpublished = from.Due.Unpublished
		latest.Due.Earliest = latest.Due.Date
		latest.Due.Date = kind.Date{}
	}
	return latest
}

func later(a, b Date) bool {
	at := func(d Date) kind.Date {
		if d.Due.Known {
			return d.Due.Date
		}
		return d.Due.Earliest
	}
	return at(a).After(at(b))
}

// inOrder returns the steps so that each comes after those before it.
func (c *Case) inOrder() []*Step {
	var ordered []*Step
	seen := map[string]bool{}
	var visit func(*Step)
	visit = func(s *Step) {
		if seen[s.ID] {
			return
		}
		seen[s.ID] = true
		for _, a := range s.After {
			visit(c.Step(a.Step))
		}
		ordered = append(ordered, s)
	}
	for _, s := range c.Steps {
		visit(s)
	}
	return ordered
}

// Limit is a length of time as the calendar counts it.
func Limit(d catalog.Days) calendar.Limit {
	switch d.Unit {
	case catalog.CalendarDays:
		return calendar.Limit{Unit: calendar.Days, N: d.N}
	case catalog.Months:
		return calendar.Limit{Unit: calendar.Months, N: d.N}
	case catalog.Years:
		return calendar.Limit{Unit: calendar.Months, N: 12 * d.N}
	default:
		return calendar.Limit{Unit: calendar.WorkingDays, N: d.N}
	}
}

// workingDays is a length of time in working days, for the total that is shown: calendar days and months are
// counted as five working days a week. Dates are never made of it.
func workingDays(d catalog.Days) int64 {
	switch d.Unit {
	case catalog.CalendarDays:
		return (int64(d.N)*5 + 6) / 7
	case catalog.Months:
		return int64(d.N) * 22
	default:
		return int64(d.N)
	}
}
