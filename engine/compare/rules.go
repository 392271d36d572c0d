package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/rule"
)

func (c *comparison) rules() {
	c.conditions(c.old.Eligibility, c.new.Eligibility, "", judgedBy)
	c.conditions(c.old.Checks, c.new.Checks, "", checkedBy)
}

// conditions compares rules by id. of says whose they are, ask what is said of one; nil: they are judged when a step is
// ready, on what is settled by then, and are compared as they are written.
func (c *comparison) conditions(old, new []*catalog.Rule, of string, ask func(*catalog.Rule) func(guide.Trace) said) { //nolint:revive // old and new are the words for it
	find := func(list []*catalog.Rule, id string) *catalog.Rule {
		i := slices.IndexFunc(list, func(r *catalog.Rule) bool { return r.ID == id })
		if i < 0 {
			return nil
		}
		return list[i]
	}
	for _, b := range new {
		a := find(old, b.ID)
		item := of + b.ID
		if a == nil {
			c.lone(Change{Topic: Rules, Kind: Added, Item: item, Name: b.Because.ZH, What: "new: " + condition(b)}, nil, b, ask)
			continue
		}
		c.text(item, "reason", a.Because.Text, b.Because.Text)
		c.text(item, "remedy", a.Remedy.Text, b.Remedy.Text)
		c.words(item, "basis", a.Basis, b.Basis)
		for i, w := range b.AnyOf {
			if i < len(a.AnyOf) {
				c.text(item, fmt.Sprintf("reason of way %d", i+1), a.AnyOf[i].Because.Text, w.Because.Text)
			}
		}
		changed(c, Rules, item, b.Because.ZH, "a failing one means", a.Otherwise.String(), b.Otherwise.String())
		changed(c, Rules, item, b.Because.ZH, "gates", gated(a), gated(b))
		changed(c, Rules, item, b.Because.ZH, "judged by", examiner(a), examiner(b))
		if a.Examine != nil || b.Examine != nil {
			changed(c, Rules, item, b.Because.ZH, "concerns", show(canonical(a.When)), show(canonical(b.When)))
			continue
		}
		if ask == nil {
			changed(c, Rules, item, b.Because.ZH, "requires", key(a), key(b))
			continue
		}
		c.judged(Change{Topic: Rules, Item: item, Name: b.Because.ZH, What: fmt.Sprintf("%s → %s", condition(a), condition(b))},
			question{old: read(c.old, ask(a)).condition(a), new: read(c.new, ask(b)).condition(b), rewritten: key(a) != key(b)}, "fails", "fine")
	}
	for _, a := range old {
		if find(new, a.ID) == nil {
			c.lone(Change{Topic: Rules, Kind: Removed, Item: of + a.ID, Name: a.Because.ZH, What: "gone: " + condition(a)}, a, nil, ask)
		}
	}
}

// lone adds a rule that only one version has, with a record that fails it; in the other all is fine.
func (c *comparison) lone(change Change, a, b *catalog.Rule, ask func(*catalog.Rule) func(guide.Trace) said) {
	if r := cmp.Or(a, b); ask != nil && r.Examine == nil {
		q := question{old: read(c.old, fine).condition(r), new: read(c.new, fine).condition(r)}
		from, to := "fine", "fails"
		if a != nil {
			q.old.ask, from, to = ask(a), to, from
		} else {
			q.new.ask = ask(b)
		}
		if w := c.search.turned(q, from, to); w != nil {
			change.Witnesses = []Witness{*w}
		}
	}
	c.add(change)
}

// condition is a rule as it is written.
func condition(r *catalog.Rule) string { return spelt(r, plainly) }

// key is a rule without what says nothing.
func key(r *catalog.Rule) string { return spelt(r, canonical) }

func plainly(r *rule.Rule) string { return strings.Join(strings.Fields(r.Text()), " ") }

func spelt(r *catalog.Rule, spell func(*rule.Rule) string) string {
	var s strings.Builder
	if r.When != nil {
		s.WriteString("if `" + spell(r.When) + "`, then ")
	}
	switch {
	case r.Examine != nil:
		s.WriteString("an officer judges")
	case r.Require != nil:
		s.WriteString("`" + spell(r.Require) + "`")
	}
	for i, w := range r.AnyOf {
		if i > 0 {
			s.WriteString(" or ")
		}
		if w.When != nil {
			s.WriteString("(if `" + spell(w.When) + "`) ")
		}
		s.WriteString("`" + spell(w.Require) + "`")
	}
	return s.String()
}

func gated(r *catalog.Rule) string {
	if len(r.For) == 0 {
		return "the case"
	}
	return strings.Join(slices.Sorted(slices.Values(r.For)), ", ")
}

func examiner(r *catalog.Rule) string {
	if r.Examine == nil {
		return "the engine"
	}
	if r.Examine.Step == "" {
		return departmentID(r.Examine.By) + " at pre-review"
	}
	return departmentID(r.Examine.By) + " in " + r.Examine.Step
}

func fine(guide.Trace) said { return said{answer: "fine"} }

// judgedBy is what is said of a rule of eligibility: one that does not concern the record is fine.
func judgedBy(r *catalog.Rule) func(guide.Trace) said {
	return func(t guide.Trace) said { return outcome(t.Condition(r), "fine", "fails") }
}

// checkedBy is what is said of a check; one that only warns refuses nothing.
func checkedBy(r *catalog.Rule) func(guide.Trace) said {
	if r.Otherwise == catalog.Warn {
		return fine
	}
	return judgedBy(r)
}
