package catalog

import (
	"fmt"
	"slices"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// Decision is one rule of a bundle, and what it decides.
type Decision struct {
	// What names it as a configurator would: `when of the step household`.
	What string
	Rule *rule.Rule
	// Each is the path of the list for whose elements it is evaluated; empty: for the form.
	Each forms.Path
	// Given are the rules that must hold for it to be asked at all: of a `require`, its `when`.
	Given []*rule.Rule
}

// Decisions returns every rule of the bundle, in the order in which they stand.
func (b *Bundle) Decisions() []Decision {
	var all []Decision
	add := func(r *rule.Rule, each forms.Path, given []*rule.Rule, what string, args ...any) {
		if r != nil {
			all = append(all, Decision{What: fmt.Sprintf(what, args...), Rule: r, Each: each, Given: given})
		}
	}
	fields := func(list []*Field, each forms.Path, of string) {
		for _, f := range list {
			for _, r := range f.When {
				add(r, each, nil, "`when` of the field %s%s", of, f.ID)
			}
			add(f.RequireRule, each, f.When, "`required` of the field %s%s", of, f.ID)
			add(f.Is, each, f.When, "the condition %s%s", of, f.ID)
			for _, o := range f.Options {
				add(f.OptionWhen[o.ID], each, f.When, "`when` of the option %s%s.%s", of, f.ID, o.ID)
			}
		}
	}
	if b.Together != nil {
		add(b.Together.When, "", nil, "`together` of the bundle")
	}
	for _, s := range b.Sections {
		add(s.When, "", nil, "`when` of the section %s", s.Alias)
		for _, f := range s.Fields {
			if !s.Repeated {
				fields([]*Field{f}, "", "form."+s.Alias+".")
			}
			fields(f.Row, f.Path, "form."+s.Alias+".")
		}
	}
	for _, f := range b.Own {
		fields([]*Field{f}, "", "own.")
		fields(f.Row, f.Path, "own."+f.ID+".")
	}
	conditions := func(list []*Rule, of string) {
		for _, r := range list {
			add(r.When, r.Each, nil, "`when` of the rule %s%s", r.ID, of)
			given := []*rule.Rule{}
			if r.When != nil {
				given = append(given, r.When)
			}
			add(r.Require, r.Each, given, "the rule %s%s", r.ID, of)
			for i, w := range r.AnyOf {
				add(w.When, r.Each, given, "`when` of way %d of the rule %s%s", i+1, r.ID, of)
				way := given
				if w.When != nil {
					way = append(slices.Clip(way), w.When)
				}
				add(w.Require, r.Each, way, "way %d of the rule %s%s", i+1, r.ID, of)
			}
		}
	}
	conditions(b.Checks, "")
	conditions(b.Eligibility, "")
	for _, m := range b.Materials {
		add(m.When, m.Per, nil, "`when` of the material %s", m.ID)
		given := []*rule.Rule{}
		if m.When != nil {
			given = append(given, m.When)
		}
		if m.Tolerate != nil {
			add(m.Tolerate.When, m.Per, given, "`when` of the tolerance of %s", m.ID)
		}
		if m.Promise != nil {
			add(m.Promise.When, m.Per, given, "`when` of the promise of %s", m.ID)
		}
	}
	for _, s := range b.Steps {
		add(s.When, "", nil, "`when` of the step %s", s.ID)
		given := []*rule.Rule{}
		if s.When != nil {
			given = append(given, s.When)
		}
		conditions(s.Conditions, " of the step "+s.ID)
		add(s.AutoApprove, "", given, "`auto_approve` of the step %s", s.ID)
		for i, l := range s.Promised {
			add(l.When, "", given, "case %d of `promised` of the step %s", i+1, s.ID)
		}
		for i, l := range s.Statutory {
			add(l.When, "", given, "case %d of `statutory` of the step %s", i+1, s.ID)
		}
		for i, f := range s.Fee {
			add(f.When, "", given, "case %d of `fee` of the step %s", i+1, s.ID)
		}
	}
	return all
}

// Parts returns the rules of which a rule of the bundle is made.
func (r *Rule) Parts() []*rule.Rule {
	parts := []*rule.Rule{r.When, r.Require}
	for _, w := range r.AnyOf {
		parts = append(parts, w.When, w.Require)
	}
	return slices.DeleteFunc(parts, func(part *rule.Rule) bool { return part == nil })
}

// Applying returns the rules that decide whether a step applies: its `when`, and those that gate it.
func (b *Bundle) Applying(s *Step) []*rule.Rule {
	var all []*rule.Rule
	if s.When != nil {
		all = append(all, s.When)
	}
	for _, r := range b.Eligibility {
		if slices.Contains(r.For, s.ID) {
			all = append(all, r.Parts()...)
		}
	}
	return all
}
