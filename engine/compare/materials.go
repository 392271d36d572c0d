package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

func (c *comparison) materials() {
	for _, b := range c.new.Materials {
		a := c.old.Material(b.ID)
		if a == nil {
			c.add(Change{Topic: Materials, Kind: Added, Item: b.ID, Name: b.Name.ZH, What: fmt.Sprintf("asked more: %s, %s", class(b), written(b.When))})
			continue
		}
		c.material(a, b)
	}
	for _, a := range c.old.Materials {
		if c.new.Material(a.ID) == nil {
			c.add(Change{Topic: Materials, Kind: Removed, Item: a.ID, Name: a.Name.ZH, What: "no longer asked",
				Breaks: "an application may hold, promise or owe the material `" + a.ID + "`"})
		}
	}
}

func class(m *catalog.Material) string {
	if m.Secondary {
		return "SECONDARY"
	}
	return "PRIMARY"
}

func (c *comparison) material(a, b *catalog.Material) {
	id, name := b.ID, b.Name.ZH
	c.text(id, "name", a.Name, b.Name)
	c.text(id, "title", a.Title.Text, b.Title.Text)
	c.words(id, "basis", a.Basis, b.Basis)
	if a.Key != b.Key {
		c.add(Change{Topic: Materials, Kind: Changed, Item: id, Name: name, What: fmt.Sprintf("another document: %s → %s", a.Key, b.Key),
			Breaks: fmt.Sprintf("what was uploaded as `%s` is not found under `%s`", a.Key, b.Key)})
	}
	if a.Per != b.Per {
		c.add(Change{Topic: Materials, Kind: Changed, Item: id, Name: name, What: fmt.Sprintf("one for each of: %s → %s", show(string(a.Per)), show(string(b.Per))),
			Breaks: "what was uploaded for `" + id + "` was counted otherwise"})
	}
	changed(c, Materials, id, name, "whose document", a.Of, b.Of)
	if a.Secondary != b.Secondary {
		kind := Tightened
		if b.Secondary {
			kind = Loosened
		}
		c.add(Change{Topic: Materials, Kind: kind, Item: id, Name: name, What: fmt.Sprintf("class: %s → %s", class(a), class(b))})
	}
	if a.Required != b.Required {
		kind := Loosened
		if b.Required {
			kind = Tightened
		}
		c.add(Change{Topic: Materials, Kind: kind, Item: id, Name: name, What: fmt.Sprintf("required: %s → %s", show(a.Required), show(b.Required))})
	}
	changed(c, Materials, id, name, "sources", strings.Join(a.Sources, ", "), strings.Join(b.Sources, ", "))
	changed(c, Materials, id, name, "certificates", strings.Join(a.Certificates, ", "), strings.Join(b.Certificates, ", "))
	changed(c, Materials, id, name, "formats", strings.Join(a.Formats, ", "), strings.Join(b.Formats, ", "))
	changed(c, Materials, id, name, "originals on paper", a.Originals, b.Originals)
	changed(c, Materials, id, name, "copies on paper", a.Copies, b.Copies)
	c.alternatives(a, b)
	c.judged(Change{Topic: Materials, Item: id, Name: name, What: fmt.Sprintf("asked: %s → %s", written(a.When), written(b.When))},
		question{old: asked(c.old, a), new: asked(c.new, b), rewritten: canonical(a.When) != canonical(b.When)}, "asked", "not asked")
	c.tolerance(a, b)
	c.promise(a, b)
}

// asked is what decides whether a material is asked: its `when`, and the steps that need it.
func asked(b *catalog.Bundle, m *catalog.Material) *reading {
	r := read(b, func(t guide.Trace) said { return material(t, m, isAsked, "asked", "not asked") }).rules(m.When)
	var steps []string
	for _, s := range b.Steps {
		if slices.ContainsFunc(s.Materials, func(n catalog.Need) bool { return n.Material.ID == m.ID }) {
			steps = append(steps, s.ID, canonical(s.When))
			r.applying(s)
		}
	}
	r.from["needed by"] = strings.Join(steps, "\n")
	if m.Per != "" {
		r.visit([]forms.Path{m.Per})
	}
	return r
}

func (c *comparison) alternatives(a, b *catalog.Material) {
	keys := func(m *catalog.Material) []string {
		var all []string
		for _, o := range m.OneOf {
			all = append(all, o.Key)
		}
		return all
	}
	gone, come := differ(keys(a), keys(b))
	for _, key := range gone {
		c.add(Change{Topic: Materials, Kind: Tightened, Item: b.ID, Name: b.Name.ZH, What: "`" + key + "` will no longer do", Breaks: "an application may hold `" + key + "` for `" + b.ID + "`"})
	}
	for _, key := range come {
		c.add(Change{Topic: Materials, Kind: Loosened, Item: b.ID, Name: b.Name.ZH, What: "`" + key + "` will do, too"})
	}
}

func (c *comparison) tolerance(a, b *catalog.Material) {
	id, name := b.ID, b.Name.ZH
	switch was, is := a.Tolerate, b.Tolerate; {
	case was == nil && is == nil:
	case was == nil:
		c.add(Change{Topic: Materials, Kind: Loosened, Item: id, Name: name, What: fmt.Sprintf("may be supplied later, within %d working days", is.WorkingDays)})
	case is == nil:
		c.add(Change{Topic: Materials, Kind: Tightened, Item: id, Name: name, What: "may no longer be supplied later"})
	default:
		if was.WorkingDays != is.WorkingDays {
			kind := Longer
			if is.WorkingDays < was.WorkingDays {
				kind = Shorter
			}
			c.add(Change{Topic: Materials, Kind: kind, Item: id, Name: name, What: fmt.Sprintf("may be supplied later: %d → %d working days", was.WorkingDays, is.WorkingDays)})
		}
		changed(c, Materials, id, name, "if it is not supplied", was.Then, is.Then)
		changed(c, Materials, id, name, "working days of suspension", was.Suspended, is.Suspended)
		c.judged(Change{Topic: Materials, Item: id, Name: name, What: fmt.Sprintf("may be supplied later: %s → %s", written(was.When), written(is.When))},
			question{old: offer(c.old, a, was.When, isTolerable, "may be supplied later", "has to be there"), new: offer(c.new, b, is.When, isTolerable, "may be supplied later", "has to be there"),
				rewritten: canonical(was.When) != canonical(is.When)}, "has to be there", "may be supplied later")
	}
}

func (c *comparison) promise(a, b *catalog.Material) {
	id, name := b.ID, b.Name.ZH
	switch was, is := a.Promise, b.Promise; {
	case was == nil && is == nil:
	case was == nil:
		c.add(Change{Topic: Materials, Kind: Loosened, Item: id, Name: name, What: "a promise may stand in for it"})
	case is == nil:
		c.add(Change{Topic: Materials, Kind: Tightened, Item: id, Name: name, What: "a promise may no longer stand in for it"})
	default:
		changed(c, Materials, id, name, "a promise is verified by", departmentID(was.By), departmentID(is.By))
		changed(c, Materials, id, name, "working days to verify a promise", was.WorkingDays, is.WorkingDays)
		changed(c, Materials, id, name, "percent of the promises that are verified", was.Sample, is.Sample)
		changed(c, Materials, id, name, "a false promise leads to", was.IfFalse, is.IfFalse)
		c.text(id, "text of the promise", was.Text, is.Text)
		c.judged(Change{Topic: Materials, Item: id, Name: name, What: fmt.Sprintf("a promise may stand in for it: %s → %s", written(was.When), written(is.When))},
			question{old: offer(c.old, a, was.When, isPromisable, "a promise will do", "no promise"), new: offer(c.new, b, is.When, isPromisable, "a promise will do", "no promise"),
				rewritten: canonical(was.When) != canonical(is.When)}, "no promise", "a promise will do")
	}
}

func isAsked(m *guide.Material) rule.Outcome      { return m.Asked }
func isTolerable(m *guide.Material) rule.Outcome  { return m.Tolerable }
func isPromisable(m *guide.Material) rule.Outcome { return m.Promisable }

// material is what is said of a material; of one for each element, if it is said of one of them.
func material(t guide.Trace, m *catalog.Material, of func(*guide.Material) rule.Outcome, yes, no string) said {
	var outcomes []rule.Outcome
	for _, one := range t.Materials(m) {
		outcomes = append(outcomes, of(one))
	}
	return outcome(witness.Any(outcomes...), yes, no)
}

// offer is what is offered for a material where it is asked.
func offer(b *catalog.Bundle, m *catalog.Material, when *rule.Rule, of func(*guide.Material) rule.Outcome, yes, no string) *reading {
	r := asked(b, m).rules(when)
	ask := r.ask
	r.ask = func(t guide.Trace) said {
		if s := ask(t); s.open || s.answer != "asked" {
			return said{open: s.open, causes: s.causes}
		}
		return material(t, m, of, yes, no)
	}
	return r
}
