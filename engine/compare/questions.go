package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
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

// reading is what decides whether a question is asked.
func (a *asking) reading(p forms.Path, f *catalog.Field) *reading {
	r := read(a.bundle).rules(f.When...)
	if f.Section != nil {
		r.rules(f.Section.When)
	}
	because := ""
	if a.decisive[p] {
		because = "decides the verdict"
	} else {
		for i, s := range a.bundle.Steps {
			if a.byStep[i][p] {
				r.rules(s.When)
				because += s.ID + "\n" + canonical(s.When) + "\n"
			}
		}
	}
	r.from["asked because"] = because
	return r
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
		question{name: item + " shown", old: before.reading(p, a), new: after.reading(p, b), rewritten: whens(a) != whens(b), ask: shown(p)}, "asked", "not asked")
	if requires(a) != requires(b) {
		c.judged(Change{Topic: Questions, Item: item, Name: name, What: fmt.Sprintf("has to be answered: %s → %s", requires(a), requires(b))},
			question{name: item + " required", old: before.reading(p, a).rules(a.RequireRule), new: after.reading(p, b).rules(b.RequireRule), rewritten: true, ask: required(p)}, "has to be answered", "may be left blank")
	}
	c.options(item, p, a, b)
	if bound(a) != bound(b) {
		reading := func(b *catalog.Bundle, f *catalog.Field) *reading {
			r := read(b).formulas(f.Min, f.Max)
			r.visit([]forms.Path{p})
			return r
		}
		c.judged(Change{Topic: Questions, Item: item, Name: name, What: fmt.Sprintf("bounds: %s → %s", bound(a), bound(b))},
			question{name: item + " bounds", old: reading(c.old, a), new: reading(c.new, b), rewritten: true, ask: faultAt(p)}, "refused", "taken")
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

func (c *comparison) options(item string, p forms.Path, a, b *catalog.Field) {
	for _, o := range a.Options {
		now, ok := b.Option(o.ID)
		if !ok {
			c.add(Change{Topic: Questions, Kind: Removed, Item: item + "." + o.ID, Name: o.Name.ZH, What: "this option is gone",
				Breaks: fmt.Sprintf("an answer to `%s` may be `%s`", item, o.ID)})
			continue
		}
		c.text(item+"."+o.ID, "label", o.Name, now.Name)
		if p != "" {
			was, is := a.OptionWhen[o.ID], b.OptionWhen[o.ID]
			c.judged(Change{Topic: Questions, Item: item + "." + o.ID, Name: now.Name.ZH, What: fmt.Sprintf("offered: %s → %s", written(was), written(is))},
				question{name: item + "." + o.ID, old: read(c.old).rules(was), new: read(c.new).rules(is), rewritten: canonical(was) != canonical(is), ask: offered(p, o.ID)}, "not offered", "offered")
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
		c.options(item, "", cell, now)
	}
	for _, cell := range b.Row {
		if a.Cell(cell.ID) == nil && !cell.Field.Derived {
			c.add(Change{Topic: Questions, Kind: Added, Item: c.short(p) + "." + cell.ID, Name: cell.Name.ZH, What: "asked more of each element"})
		}
	}
}

func fieldOf(a *guide.Assessment, p forms.Path) *guide.Field {
	i := slices.IndexFunc(a.Fields, func(f *guide.Field) bool { return f.Path == p })
	if i < 0 {
		return nil
	}
	return a.Fields[i]
}

func shown(p forms.Path) func(*guide.Assessment) string {
	return func(a *guide.Assessment) string {
		if f := fieldOf(a, p); f != nil {
			return truth(f.Shown, "asked", "not asked")
		}
		return "not asked"
	}
}

func required(p forms.Path) func(*guide.Assessment) string {
	return func(a *guide.Assessment) string {
		f := fieldOf(a, p)
		if f == nil || f.Shown != rule.True {
			return ""
		}
		return truth(f.Required, "has to be answered", "may be left blank")
	}
}

func offered(p forms.Path, option string) func(*guide.Assessment) string {
	return func(a *guide.Assessment) string {
		f := fieldOf(a, p)
		if f == nil || f.Shown != rule.True {
			return ""
		}
		if slices.Contains(f.Options, option) {
			return "offered"
		}
		return "not offered"
	}
}

func faultAt(p forms.Path) func(*guide.Assessment) string {
	return func(a *guide.Assessment) string {
		if f := fieldOf(a, p); f == nil || f.Shown != rule.True {
			return ""
		}
		if slices.ContainsFunc(a.Faults, func(v forms.Violation) bool { return v.Path == p && v.Rule == "" }) {
			return "refused"
		}
		return "taken"
	}
}
