package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

func (c *comparison) steps() {
	var before, after []string
	for _, b := range c.new.Steps {
		a := c.old.Step(b.ID)
		if a == nil {
			c.add(Change{Topic: Routing, Kind: Added, Item: b.ID, Name: b.Name.ZH, What: fmt.Sprintf("new step of %s, after %s", b.Department.Name.ZH, show(order(b)))})
			continue
		}
		after = append(after, b.ID)
		c.step(a, b)
	}
	for _, a := range c.old.Steps {
		if c.new.Step(a.ID) == nil {
			c.add(Change{Topic: Routing, Kind: Removed, Item: a.ID, Name: a.Name.ZH, What: "this step is gone", Breaks: "a case may have a task or a result of the step `" + a.ID + "`"})
			continue
		}
		before = append(before, a.ID)
	}
	if !slices.Equal(before, after) {
		c.add(Change{Topic: Texts, Kind: Changed, Item: c.new.ID, What: "the steps stand in another order, which shows only where they are listed"})
	}
}

func order(s *catalog.Step) string {
	var all []string
	for _, a := range s.After {
		name := a.Step
		if a.On != "" && a.On != "APPROVED" {
			name += " (" + a.On + ")"
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (c *comparison) step(a, b *catalog.Step) {
	id, name := b.ID, b.Name.ZH
	c.text(id, "name", a.Name, b.Name)
	c.words(id, "basis", a.Basis, b.Basis)
	changed(c, Routing, id, name, "department", a.Department.ID, b.Department.ID)
	changed(c, Routing, id, name, "plugin", a.Plugin, b.Plugin)
	changed(c, Routing, id, name, "after", order(a), order(b))
	changed(c, Routing, id, name, "its rejection ends the case", a.Essential, b.Essential)
	changed(c, Routing, id, name, "approved without an officer", canonical(a.AutoApprove), canonical(b.AutoApprove))
	c.judged(Change{Topic: Routing, Item: id, Name: name, What: fmt.Sprintf("applies: %s → %s", written(a.When), written(b.When))},
		question{old: read(c.old, applies(a)).applying(a), new: read(c.new, applies(b)).applying(b), rewritten: canonical(a.When) != canonical(b.When)}, "applies", "does not apply")
	c.conditions(a.Conditions, b.Conditions, id+".", nil)
	c.needs(a, b)

	changed(c, Dates, id, name, "silence counts as approval", a.Silence, b.Silence)
	changed(c, Dates, id, name, "its clock starts with acceptance", a.AtOnce, b.AtOnce)
	c.limits(id, name, "promised", a.Promised, b.Promised, a, b)
	c.limits(id, name, "statutory", a.Statutory, b.Statutory, nil, nil)
	pauses := func(s *catalog.Step) string {
		var all []string
		for _, n := range s.NotCounted {
			all = append(all, fmt.Sprintf("%s %d days", n.Kind, n.Days))
		}
		return strings.Join(all, ", ")
	}
	changed(c, Dates, id, name, "not counted", pauses(a), pauses(b))
	c.fees(a, b)
	c.results(a, b)
}

func (c *comparison) needs(a, b *catalog.Step) {
	paths := func(bundle *catalog.Bundle, s *catalog.Step) []string {
		var all []string
		for _, p := range s.Fields {
			columns, partly := s.Columns[p]
			if !partly {
				all = append(all, short(bundle, p))
			}
			for _, column := range columns {
				all = append(all, short(bundle, p)+"."+column)
			}
		}
		for _, p := range s.Results {
			all = append(all, string(p))
		}
		for _, n := range s.Materials {
			before := " before the result"
			if n.BeforeExamination {
				before = " before examination"
			}
			all = append(all, n.Material.ID+before)
		}
		return all
	}
	gone, come := differ(paths(c.old, a), paths(c.new, b))
	if len(come) > 0 {
		c.add(Change{Topic: Routing, Kind: Added, Item: b.ID, Name: b.Name.ZH, What: "needs more: " + strings.Join(come, ", ")})
	}
	if len(gone) > 0 {
		c.add(Change{Topic: Routing, Kind: Removed, Item: b.ID, Name: b.Name.ZH, What: "needs no longer: " + strings.Join(gone, ", ")})
	}
}

func optional(d *catalog.Days) []catalog.Limit {
	if d == nil {
		return nil
	}
	return []catalog.Limit{{Days: *d}}
}

func (c *comparison) days(item, name, what string, a, b []catalog.Limit) {
	c.limits(item, name, what, a, b, nil, nil)
}

// limits compares the cases of a limit. was and is are the steps whose promised limits they are; nil: nothing is said of
// them before the step is ready.
func (c *comparison) limits(item, name, what string, a, b []catalog.Limit, was, is *catalog.Step) {
	if cases(a) == cases(b) {
		return
	}
	change := Change{Topic: Dates, Kind: Changed, Item: item, Name: name, What: fmt.Sprintf("%s: %s → %s", what, show(cases(a)), show(cases(b)))}
	if len(a) == 1 && len(b) == 1 && a[0].When == nil && b[0].When == nil && a[0].Days.Unit == b[0].Days.Unit {
		change.Kind = Longer
		if b[0].Days.N < a[0].Days.N {
			change.Kind = Shorter
		}
	}
	if was != nil {
		q := question{old: promised(c.old, was), new: promised(c.new, is)}
		if w := c.search.differing(q); w != nil {
			change.Witnesses = []Witness{*w}
		} else {
			change.Kind = Rewritten
		}
	}
	c.add(change)
}

func cases(limits []catalog.Limit) string {
	var all []string
	for _, l := range limits {
		said := days(l.Days)
		if l.When != nil {
			said += " if `" + canonical(l.When) + "`"
		}
		all = append(all, said)
	}
	return strings.Join(all, ", else ")
}

func (c *comparison) fees(a, b *catalog.Step) {
	spelt := func(s *catalog.Step) string {
		var all []string
		for _, f := range s.Fee {
			text := "`" + formulaText(f.Amount) + "`"
			if f.When != nil {
				text += " if `" + canonical(f.When) + "`"
			}
			all = append(all, text)
		}
		return strings.Join(all, ", else ")
	}
	was, is := spelt(a), spelt(b)
	q := question{old: charged(c.old, a), new: charged(c.new, b), rewritten: was != is}
	if !q.changed() {
		return
	}
	change := Change{Topic: Fees, Kind: Rewritten, Item: b.ID, Name: b.Name.ZH, What: fmt.Sprintf("%s → %s", show(was), show(is))}
	if w := c.search.differing(q); w != nil {
		change.Kind, change.Witnesses = Changed, []Witness{*w}
	} else if was == is {
		return
	}
	c.add(change)
}

func (c *comparison) results(a, b *catalog.Step) {
	id := b.ID
	find := func(s *catalog.Step, id string) *catalog.Field {
		i := slices.IndexFunc(s.Result, func(f *catalog.Field) bool { return f.ID == id })
		if i < 0 {
			return nil
		}
		return s.Result[i]
	}
	for _, f := range a.Result {
		item := id + "." + f.ID
		now := find(b, f.ID)
		if now == nil {
			c.add(Change{Topic: Results, Kind: Removed, Item: item, Name: f.Name.ZH, What: "this result is gone", Breaks: "a step that is done may have given `" + item + "`"})
			continue
		}
		c.text(item, "name", f.Name, now.Name)
		if f.Kind != now.Kind {
			c.add(Change{Topic: Results, Kind: Changed, Item: item, Name: now.Name.ZH, What: fmt.Sprintf("%s, was %s", now.Kind, f.Kind),
				Breaks: fmt.Sprintf("a step that is done may have given `%s` as %s", item, f.Kind)})
			continue
		}
		for _, o := range f.Options {
			if _, ok := now.Option(o.ID); !ok {
				c.add(Change{Topic: Results, Kind: Removed, Item: item + "." + o.ID, Name: o.Name.ZH, What: "this option is gone", Breaks: fmt.Sprintf("a step that is done may have given `%s` as `%s`", item, o.ID)})
			}
		}
		for _, o := range now.Options {
			if _, ok := f.Option(o.ID); !ok {
				c.add(Change{Topic: Results, Kind: Added, Item: item + "." + o.ID, Name: o.Name.ZH, What: "this option is new"})
			}
		}
		changed(c, Results, item, now.Name.ZH, "has to be given", requires(f), requires(now))
		changed(c, Results, item, now.Name.ZH, "bounds", bound(f), bound(now))
		changed(c, Results, item, now.Name.ZH, "pattern", fmt.Sprint(f.Pattern), fmt.Sprint(now.Pattern))
	}
	for _, f := range b.Result {
		if find(a, f.ID) == nil {
			c.add(Change{Topic: Results, Kind: Added, Item: id + "." + f.ID, Name: f.Name.ZH, What: "new result, " + f.Kind.String()})
		}
	}
	changed(c, Results, id, b.Name.ZH, "document", a.Document, b.Document)
	valid := func(d *catalog.Days) string {
		if d == nil {
			return "without end"
		}
		return days(*d)
	}
	changed(c, Results, id, b.Name.ZH, "valid for", valid(a.Valid), valid(b.Valid))
}

// totals shows on the seeds what the changes come to: the promised total of a case.
func (c *comparison) totals() {
	for _, seed := range c.search.seeds {
		before, after := seed.old.Cases[0], seed.new.Cases[0]
		was, is := before.Total, after.Total
		if was == is || was.Min != was.Max || is.Min != is.Max || seed.Name == "" {
			continue
		}
		w := Witness{Like: seed.Name, Record: seed.Record, Setting: seed.Setting, Old: fmt.Sprintf("%d working days", was.Max), New: fmt.Sprintf("%d working days", is.Max),
			Before: before.Verdict, After: after.Verdict}
		way := Longer
		if is.Max < was.Max {
			way = Shorter
		}
		c.add(Change{Topic: Dates, Kind: way, Item: c.new.ID, Name: c.new.Name.ZH, What: fmt.Sprintf("promised total of some cases: %s → %s", w.Old, w.New), Witnesses: []Witness{w}})
		return
	}
}

func applies(s *catalog.Step) func(guide.Trace) said {
	return func(t guide.Trace) said { return outcome(t.Applies(s), "applies", "does not apply") }
}

// promised is the limit of a step where it applies.
func promised(b *catalog.Bundle, s *catalog.Step) *reading {
	r := read(b, func(t guide.Trace) said {
		return where(t.Applies(s), func() said {
			for _, l := range s.Promised {
				if o := t.Holds(l.When); o.Truth != rule.False {
					return outcome(o, days(l.Days), "")
				}
			}
			return said{}
		})
	}).applying(s)
	for _, l := range s.Promised {
		r.rules(l.When)
	}
	return r
}

// charged is the fee of a step where it applies.
func charged(b *catalog.Bundle, s *catalog.Step) *reading {
	r := read(b, func(t guide.Trace) said {
		return where(t.Applies(s), func() said {
			for _, f := range s.Fee {
				switch o := t.Holds(f.When); o.Truth {
				case rule.Unknown:
					return outcome(o, "", "")
				case rule.True:
					amount := t.Compute(f.Amount)
					fen, known := amount.Value.(kind.Money)
					return said{answer: fen.String() + " yuan", open: !known, causes: amount.Causes}
				case rule.False:
				}
			}
			return said{answer: kind.Money(0).String() + " yuan"}
		})
	}).applying(s)
	for _, f := range s.Fee {
		r.rules(f.When).formulas(f.Amount)
	}
	return r
}
