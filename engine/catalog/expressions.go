package catalog

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// fieldExpressions compiles what stands at sections and fields.
func (c *compiler) fieldExpressions() {
	for _, s := range c.bundle.Sections {
		use := c.uses[s]
		path := "form." + s.Alias
		if use.When != nil {
			s.When = c.rule(c.asking(), c.source, use, "when", path+".when", nil)
		}
		inForce := forms.Conjuncts(use.GetWhen(), "")
		fields := s.Fields
		if s.Repeated {
			list := s.Fields[0]
			fields = list.Row
			if r := use.GetRepeat(); r.Min != nil {
				list.Min = c.formula(c.asking(), c.source, r, "min", path+".repeat.min", kind.KindInt, inForce, nil)
			}
			if r := use.GetRepeat(); r.Max != nil {
				list.Max = c.formula(c.asking(), c.source, r, "max", path+".repeat.max", kind.KindInt, inForce, nil)
			}
		}
		for _, f := range fields {
			set := use.GetSet()[f.ID]
			c.expressions(c.within(s), f, set, path+"."+f.ID, s.this(), inForce)
			if set != nil {
				c.set(c.using(s), set, f, path+".set."+f.ID)
			}
			c.cells(f, path+"."+f.ID, false, inForce)
		}
	}
	for _, f := range c.bundle.Own {
		c.expressions(c.asking(), f, nil, "own."+f.ID, "", nil)
		c.cells(f, "own."+f.ID, true, nil)
	}
	for _, s := range c.bundle.Steps {
		for _, f := range s.Result {
			m := c.written[f].item
			if m.When != nil || m.Default != nil || m.Derive != nil || m.Is != nil {
				c.fault(c.source.At(m, ""), "result-field", "a field of a result is given by the department; it has no `when`, `default`, `derive` or `is`", "")
			}
			c.plain(c.source, m, "name", m.GetName())
			c.bounds(c.ready(s), located[*fieldMessage]{m, c.source}, f, "results."+s.ID+"."+f.ID, nil)
			c.cells(f, "results."+s.ID+"."+f.ID, false, nil)
		}
	}
}

// cells compiles what is written at the fields of an element. Those of an own list may name the bundle's answers too.
func (c *compiler) cells(list *Field, path string, outside bool, inForce []string) {
	if len(list.Row) == 0 {
		return
	}
	p := c.each(list, path, outside)
	inForce = append(slices.Clone(inForce), list.Conditions...)
	for _, cell := range list.Row {
		c.expressions(p, cell, nil, path+"."+cell.ID, "", inForce)
	}
}

// expressions compiles what is written at a field itself, but for what a use of its section replaces: that need not fit
// there. this is the path behind `this`, "" for an own field and for an element.
func (c *compiler) expressions(p *place, f *Field, set *bundlev1.FieldSet, path string, this forms.Path, inForce []string) {
	w := c.written[f]
	m := w.item
	if m.When != nil {
		c.addWhen(f, c.rule(p, w.source, m, "when", path+".when", inForce))
		inForce = append(slices.Clone(inForce), forms.Conjuncts(m.GetWhen(), this)...)
	}
	if required := m.GetRequired(); required != "" && !isTruth(required) && (set == nil || set.Required == nil) {
		f.RequireRule = c.rule(p, w.source, m, "required", path+".required", inForce)
	}
	c.bounds(p, w, f, path, inForce)
	if m.Default != nil && (set == nil || set.Default == nil) {
		f.Default = c.formula(p, w.source, m, "default", path+".default", f.Kind, inForce, f.Field)
	}
	if m.Derive != nil {
		at := p
		if f.Path.Root() == "own" {
			at = c.deriving()
		}
		f.Derive = c.formula(at, w.source, m, "derive", path+".derive", f.Kind, inForce, f.Field)
	}
	if m.Is != nil {
		f.Is = c.rule(p, w.source, m, "is", path+".is", inForce)
	}
	for _, o := range m.GetOptions() {
		if o.When == nil {
			continue
		}
		if f.OptionWhen == nil {
			f.OptionWhen = map[string]*rule.Rule{}
		}
		f.OptionWhen[o.GetId()] = c.rule(p, w.source, o, "when", path+".options."+o.GetId()+".when", inForce)
	}
	c.plain(w.source, m, "name", m.GetName())
	c.plain(w.source, m, "help", m.GetHelp())
}

// isTruth reports whether `required` says yes or no and is no rule. Other words for it are told where the field is made.
func isTruth(required string) bool {
	_, ok := diag.Truth(required)
	return ok
}

func (c *compiler) addWhen(f *Field, r *rule.Rule) {
	if r != nil {
		f.When = append(f.When, r)
	}
}

// bounds compiles `min` and `max`.
func (c *compiler) bounds(p *place, w located[*fieldMessage], f *Field, path string, inForce []string) {
	want := f.Kind
	switch f.Kind {
	case kind.KindText, kind.KindChoices, kind.KindList:
		want = kind.KindInt
	case kind.KindInt, kind.KindDecimal, kind.KindMoney, kind.KindDate:
	default:
		if w.item.Min != nil || w.item.Max != nil {
			c.fault(w.source.At(w.item, "min"), "field-bounds", fmt.Sprintf("`min` and `max` mean nothing for %s", f.Kind), "leave them out")
		}
		return
	}
	if w.item.Min != nil {
		f.Min = c.formula(p, w.source, w.item, "min", path+".min", want, inForce, nil)
	}
	if w.item.Max != nil {
		f.Max = c.formula(p, w.source, w.item, "max", path+".max", want, inForce, nil)
	}
}

// set compiles what a bundle changes in its use of a section.
func (c *compiler) set(p *place, set *bundlev1.FieldSet, f *Field, path string) {
	inForce := f.Conditions
	if set.When != nil {
		c.addWhen(f, c.rule(p, c.source, set, "when", path+".when", nil))
	}
	if set.Required != nil {
		f.RequireRule = nil
		if r := set.GetRequired(); !isTruth(r) {
			f.RequireRule = c.rule(p, c.source, set, "required", path+".required", inForce)
		}
	}
	if set.Min != nil || set.Max != nil {
		narrowed := proto.CloneOf(c.written[f].item)
		narrowed.Min, narrowed.Max = set.Min, set.Max
		want := f.Kind
		if f.Kind == kind.KindText || f.Kind == kind.KindChoices {
			want = kind.KindInt
		}
		if set.Min != nil {
			f.Min = c.formula(p, c.source, set, "min", path+".min", want, inForce, nil)
		}
		if set.Max != nil {
			f.Max = c.formula(p, c.source, set, "max", path+".max", want, inForce, nil)
		}
	}
	if set.Default != nil {
		f.Default = c.formula(p, c.source, set, "default", path+".default", f.Kind, inForce, f.Field)
	}
}

// rules compiles plausibility and eligibility.
func (c *compiler) rules() {
	for _, s := range c.bundle.Sections {
		shared := c.library.sections[s.ID]
		inForce := forms.Conjuncts(c.uses[s].GetWhen(), "")
		for i, m := range shared.item.GetChecks() {
			r := c.condition(c.within(s), shared.source, m, fmt.Sprintf("sections.%s.checks[%d]", s.ID, i), s.this(), inForce)
			r.ID = s.Alias + "." + r.ID
			if s.Repeated {
				r.Each = forms.Path("form." + s.Alias)
			}
			c.bundle.Checks = append(c.bundle.Checks, r)
		}
	}
	seen := map[string]bool{}
	once := func(m *bundlev1.Rule) {
		if seen[m.GetId()] {
			c.fault(c.source.At(m, "id"), "id-duplicate", fmt.Sprintf("the rule `%s` stands here twice", m.GetId()), "")
		}
		seen[m.GetId()] = true
	}
	for i, m := range c.message.GetChecks() {
		once(m)
		c.bundle.Checks = append(c.bundle.Checks, c.condition(c.deciding(), c.source, m, fmt.Sprintf("checks[%d]", i), "", nil))
	}
	for i, m := range c.message.GetEligibility() {
		once(m)
		c.bundle.Eligibility = append(c.bundle.Eligibility, c.condition(c.deciding(), c.source, m, fmt.Sprintf("eligibility[%d]", i), "", nil))
	}
}

// condition compiles one rule with its reason.
func (c *compiler) condition(p *place, w *diag.Source, m *bundlev1.Rule, path string, this forms.Path, inForce []string) *Rule {
	c.reservedID(w.At(m, "id"), m.GetId())
	r := &Rule{ID: m.GetId(), For: m.GetFor(), Basis: m.GetBasis(),
		Because: c.text(p, w, m.GetBecause(), path+".because"), Remedy: c.text(p, w, m.GetRemedy(), path+".remedy")}
	switch m.GetOtherwise() {
	case bundlev1.Rule_NOT_NEEDED:
		r.Otherwise = NotNeeded
	case bundlev1.Rule_ELSEWHERE:
		r.Otherwise = Elsewhere
		if m.GetRemedy() == nil {
			c.fault(w.At(m, "otherwise"), "remedy-missing", "a rule that sends people elsewhere has to say where", "add `remedy`")
		}
	case bundlev1.Rule_WARN:
		r.Otherwise = Warn
	default:
		r.Otherwise = Refuse
	}
	if m.When != nil {
		r.When = c.rule(p, w, m, "when", path+".when", inForce)
		inForce = append(slices.Clone(inForce), forms.Conjuncts(m.GetWhen(), this)...)
	}
	if m.Require != nil {
		r.Require = c.rule(p, w, m, "require", path+".require", inForce)
	}
	for i, way := range m.GetAnyOf() {
		at := fmt.Sprintf("%s.any_of[%d]", path, i)
		force := inForce
		compiled := Way{Because: c.text(p, w, way.GetBecause(), at+".because")}
		if way.When != nil {
			compiled.When = c.rule(p, w, way, "when", at+".when", inForce)
			force = append(slices.Clone(inForce), forms.Conjuncts(way.GetWhen(), this)...)
		}
		compiled.Require = c.rule(p, w, way, "require", at+".require", force)
		r.AnyOf = append(r.AnyOf, compiled)
	}
	if m.GetExamine() != nil {
		r.Examine = &Examine{By: c.department(m.GetExamine(), "by", m.GetExamine().GetBy()), Step: m.GetExamine().GetStep()}
		if s := r.Examine.Step; s != "" && c.bundle.Step(s) == nil {
			c.unknown(w.At(m.GetExamine(), "step"), "step-unknown", "step", s, stepIDs(c.bundle))
		}
	}
	for i, id := range m.GetFor() {
		if c.bundle.Step(id) == nil {
			c.unknown(w.Element(m, "for", i), "step-unknown", "step", id, stepIDs(c.bundle))
		}
	}
	return r
}
