package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/rule"
)

// asking is which questions a version asks, and for what.
type asking struct {
	bundle   *catalog.Bundle
	decisive map[forms.Path]bool
	byStep   []map[forms.Path]bool
}

func newAsking(b *catalog.Bundle) *asking {
	a := &asking{bundle: b, decisive: b.Closure(b.Decisive())}
	for _, s := range b.Steps {
		a.byStep = append(a.byStep, b.Closure(s.Reads()))
	}
	return a
}

// asks reports whether anybody can be asked a question.
func (a *asking) asks(p forms.Path) bool {
	return a.decisive[p] || slices.ContainsFunc(a.byStep, func(m map[forms.Path]bool) bool { return m[p] })
}

// asked is whether a question is asked: its own conditions hold, and it decides the verdict or a step that applies needs
// it.
func (a *asking) asked(t guide.Trace, p forms.Path) rule.Outcome {
	shown := t.Shown(p)
	if a.decisive[p] || shown.Truth == rule.False {
		return shown
	}
	needed := rule.Outcome{Truth: rule.False}
	for i, s := range a.bundle.Steps {
		if a.byStep[i][p] {
			needed = witness.Any(needed, t.Applies(s))
		}
	}
	return witness.All(needed, shown)
}

// reading asks for something about a question, and reads what decides whether it is asked.
func (a *asking) reading(f *catalog.Field, ask func(guide.Trace) said) *reading {
	p := f.Path
	r := read(a.bundle, ask).rules(f.When...)
	if f.Section != nil {
		r.rules(f.Section.When)
	}
	because := ""
	if a.decisive[p] {
		because = "decides the verdict"
	} else {
		for i, s := range a.bundle.Steps {
			if a.byStep[i][p] {
				r.applying(s)
				because += s.ID + "\n" + canonical(s.When) + "\n"
			}
		}
	}
	r.from["asked because"] = because
	return r
}

// where asks for something about a question where it is asked.
func (a *asking) where(f *catalog.Field, ask func(guide.Trace) said) *reading {
	return a.reading(f, func(t guide.Trace) said {
		return where(a.asked(t, f.Path), func() said { return ask(t) })
	})
}

func (c *comparison) questions() {
	before, after := newAsking(c.old), newAsking(c.new)
	seen := map[forms.Path]bool{}
	for _, p := range slices.Concat(c.new.Paths(), c.old.Paths()) {
		if seen[p] {
			continue
		}
		seen[p] = true
		a, b := c.old.Field(p), c.new.Field(p)
		asked, asks := a != nil && before.asks(p), b != nil && after.asks(p)
		switch {
		case !asked && !asks:
			if a != nil && b != nil && a.Field.Derived && b.Field.Derived {
				c.derived(a, b)
			}
		case !asked:
			c.more(p, b, a != nil && a.Field.Derived)
		case !asks:
			c.less(p, a, b)
		case a.Field.Derived && b.Field.Derived:
			c.derived(a, b)
		case a.Field.Derived:
			c.more(p, b, true)
		case b.Field.Derived:
			c.add(Change{Topic: Questions, Kind: Removed, Item: c.short(p), Name: a.Name.ZH, What: "no longer asked: it is computed",
				Breaks: "an answer to `" + c.short(p) + "` is given up for what is computed"})
		default:
			c.question(p, a, b, before, after)
		}
	}
	c.sections()
}

func (c *comparison) more(p forms.Path, f *catalog.Field, computed bool) {
	if f.Field.Derived {
		if f.Is == nil { // a named condition shows where it is read
			c.add(Change{Topic: Questions, Kind: Added, Item: c.short(p), Name: f.Name.ZH, What: "computed"})
		}
		return
	}
	what := "asked more, may be left blank"
	if f.Field.Required {
		what = "asked more, has to be answered"
	}
	if f.RequireRule != nil {
		what = "asked more, has to be answered if " + written(f.RequireRule)
	}
	if computed {
		what += "; was computed"
	}
	c.add(Change{Topic: Questions, Kind: Added, Item: c.short(p), Name: f.Name.ZH, What: what})
}

func (c *comparison) less(p forms.Path, a, b *catalog.Field) {
	if a.Field.Derived {
		if a.Is == nil {
			c.add(Change{Topic: Questions, Kind: Removed, Item: short(c.old, p), Name: a.Name.ZH, What: "no longer computed"})
		}
		return
	}
	change := Change{Topic: Questions, Kind: Removed, Item: short(c.old, p), Name: a.Name.ZH, What: "no longer asked"}
	if b == nil {
		change.Breaks = "an answer to `" + short(c.old, p) + "` has no place any more"
	}
	c.add(change)
}

// sections reports other wording of sections.
func (c *comparison) sections() {
	for _, s := range c.new.Sections {
		if before := c.old.Section(s.Alias); before != nil {
			c.text(s.Alias, "name of the section", before.Name, s.Name)
		}
	}
}

// derived compares a value that is computed in both versions.
func (c *comparison) derived(a, b *catalog.Field) {
	c.text(c.short(b.Path), "name", a.Name, b.Name)
	if a.Kind != b.Kind {
		c.add(Change{Topic: Questions, Kind: Changed, Item: c.short(b.Path), Name: b.Name.ZH, What: fmt.Sprintf("computed as %s, was %s", b.Kind, a.Kind)})
		return
	}
	was, is := computed(a), computed(b)
	if was == is {
		return // what it reads is told where it stands
	}
	c.add(Change{Topic: Questions, Kind: Changed, Item: c.short(b.Path), Name: b.Name.ZH, What: fmt.Sprintf("computed by `%s` → `%s`", was, is)})
}

func computed(f *catalog.Field) string {
	if f.Is != nil {
		return canonical(f.Is)
	}
	return formulaText(f.Derive)
}

func formulaText(f *formula.Formula) string {
	if f == nil {
		return ""
	}
	return strings.Join(strings.Fields(f.Text()), " ")
}

// question compares one that both versions ask.
func (c *comparison) question(p forms.Path, a, b *catalog.Field, before, after *asking) {
	item, name := c.short(p), b.Name.ZH
	c.text(item, "name", a.Name, b.Name)
	c.text(item, "help", a.Help, b.Help)
	c.words(item, "unit", a.Unit, b.Unit)
	c.words(item, "basis", a.Basis, b.Basis)
	if !c.kind(item, a, b) {
		return
	}
	c.judged(Change{Topic: Questions, Item: item, Name: name, What: "who is asked"},
		question{old: shown(before, a), new: shown(after, b), rewritten: whens(a) != whens(b)}, "asked", "not asked")
	if requires(a) != requires(b) {
		c.judged(Change{Topic: Questions, Item: item, Name: name, What: fmt.Sprintf("has to be answered: %s → %s", requires(a), requires(b))},
			question{old: required(before, a), new: required(after, b), rewritten: true}, "has to be answered", "may be left blank")
	}
	c.options(item, a, b, func(was, is *rule.Rule) question {
		return question{old: offered(before, a, was), new: offered(after, b, is), rewritten: canonical(was) != canonical(is)}
	})
	if bound(a) != bound(b) {
		c.judged(Change{Topic: Questions, Item: item, Name: name, What: fmt.Sprintf("bounds: %s → %s", bound(a), bound(b))},
			question{old: taken(before, a), new: taken(after, b), rewritten: true}, "refused", "taken")
	}
	changed(c, Questions, item, name, "proposal", formulaText(a.Default), formulaText(b.Default))
	c.cells(p, a, b)
}

// kind compares of what kind an answer is, and reports whether an old one can still be read.
func (c *comparison) kind(item string, a, b *catalog.Field) bool {
	if a.Kind != b.Kind {
		c.add(Change{Topic: Questions, Kind: Changed, Item: item, Name: b.Name.ZH, What: fmt.Sprintf("answered by %s, was %s", b.Kind, a.Kind),
			Breaks: fmt.Sprintf("an answer to `%s` is %s and cannot be read as %s", item, a.Kind, b.Kind)})
		return false
	}
	if was, is := fmt.Sprint(a.Pattern), fmt.Sprint(b.Pattern); was != is {
		c.add(Change{Topic: Questions, Kind: Changed, Item: item, Name: b.Name.ZH, What: fmt.Sprintf("pattern: %s → %s", was, is)})
	}
	if a.Scale != b.Scale {
		change := Change{Topic: Questions, Kind: Changed, Item: item, Name: b.Name.ZH, What: fmt.Sprintf("digits after the point: %d → %d", a.Scale, b.Scale)}
		if b.Scale < a.Scale {
			change.Breaks = fmt.Sprintf("an answer to `%s` may have %d digits after the point", item, a.Scale)
		}
		c.add(change)
	}
	return true
}

func whens(f *catalog.Field) string {
	var all []string
	for _, r := range f.When {
		all = append(all, canonical(r))
	}
	if f.Section != nil {
		all = append(all, canonical(f.Section.When))
	}
	return strings.Join(all, "\n")
}

func requires(f *catalog.Field) string {
	if f.RequireRule != nil {
		return "if `" + canonical(f.RequireRule) + "`"
	}
	return show(f.Field.Required)
}

func bound(f *catalog.Field) string {
	least, most := formulaText(f.Min), formulaText(f.Max)
	switch {
	case least == "" && most == "":
		return "none"
	case least == "":
		return "at most " + most
	case most == "":
		return "at least " + least
	default:
		return least + " to " + most
	}
}

// options compares the options of a question; ask asks for one of its own condition, nil: that is not searched for.
func (c *comparison) options(item string, a, b *catalog.Field, ask func(was, is *rule.Rule) question) {
	for _, o := range a.Options {
		now, ok := b.Option(o.ID)
		if !ok {
			c.add(Change{Topic: Questions, Kind: Removed, Item: item + "." + o.ID, Name: o.Name.ZH, What: "this option is gone",
				Breaks: fmt.Sprintf("an answer to `%s` may be `%s`", item, o.ID)})
			continue
		}
		c.text(item+"."+o.ID, "label", o.Name, now.Name)
		if ask != nil {
			was, is := a.OptionWhen[o.ID], b.OptionWhen[o.ID]
			c.judged(Change{Topic: Questions, Item: item + "." + o.ID, Name: now.Name.ZH, What: fmt.Sprintf("offered: %s → %s", written(was), written(is))}, ask(was, is), "not offered", "offered")
		}
	}
	for _, o := range b.Options {
		if _, ok := a.Option(o.ID); !ok {
			c.add(Change{Topic: Questions, Kind: Added, Item: item + "." + o.ID, Name: o.Name.ZH, What: "this option is new"})
		}
	}
}

// cells compares the questions on an element of a list.
func (c *comparison) cells(p forms.Path, a, b *catalog.Field) {
	for _, cell := range a.Row {
		item := c.short(p) + "." + cell.ID
		now := b.Cell(cell.ID)
		if now == nil {
			if !cell.Field.Derived {
				c.add(Change{Topic: Questions, Kind: Removed, Item: item, Name: cell.Name.ZH, What: "no longer asked of each element", Breaks: "an answer to `" + item + "` has no place any more"})
			}
			continue
		}
		c.text(item, "name", cell.Name, now.Name)
		c.text(item, "help", cell.Help, now.Help)
		if !c.kind(item, cell, now) {
			continue
		}
		changed(c, Questions, item, now.Name.ZH, "computed", computed(cell), computed(now))
		changed(c, Questions, item, now.Name.ZH, "asked if", whens(cell), whens(now))
		changed(c, Questions, item, now.Name.ZH, "has to be answered", requires(cell), requires(now))
		changed(c, Questions, item, now.Name.ZH, "bounds", bound(cell), bound(now))
		c.options(item, cell, now, nil)
	}
	for _, cell := range b.Row {
		if a.Cell(cell.ID) == nil && !cell.Field.Derived {
			c.add(Change{Topic: Questions, Kind: Added, Item: c.short(p) + "." + cell.ID, Name: cell.Name.ZH, What: "asked more of each element"})
		}
	}
}

func shown(a *asking, f *catalog.Field) *reading {
	return a.reading(f, func(t guide.Trace) said { return outcome(a.asked(t, f.Path), "asked", "not asked") })
}

func required(a *asking, f *catalog.Field) *reading {
	return a.where(f, func(t guide.Trace) said {
		return outcome(t.Required(f.Path), "has to be answered", "may be left blank")
	}).rules(f.RequireRule)
}

func offered(a *asking, f *catalog.Field, when *rule.Rule) *reading {
	asked := a.where(f, func(t guide.Trace) said { return outcome(t.Holds(when), "offered", "not offered") })
	return read(a.bundle, asked.ask).rules(when).among(asked)
}

// taken is whether an answer lies within its bounds.
func taken(a *asking, f *catalog.Field) *reading {
	r := a.where(f, func(t guide.Trace) said {
		answer := t.State(f.Path)
		if answer.Status == forms.Unknown {
			return said{open: true, causes: answer.Causes}
		}
		for _, bound := range []*formula.Formula{f.Min, f.Max} {
			if bound == nil {
				continue
			}
			if s := t.Compute(bound); s.Status == forms.Unknown {
				return said{open: true, causes: s.Causes}
			}
		}
		if answer.Status == forms.Known && len(t.FaultsOf(f, f.Path, answer.Value)) > 0 {
			return said{answer: "refused"}
		}
		return said{answer: "taken"}
	}).formulas(f.Min, f.Max)
	r.visit([]forms.Path{f.Path})
	return r
}
