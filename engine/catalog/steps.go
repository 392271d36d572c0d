package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// outline takes the ids of steps and their results, so that rules may name them before they are compiled.
func (c *compiler) outline() {
	b := c.bundle
	aliases := slices.Collect(func(yield func(string) bool) {
		for _, s := range b.Sections {
			if !yield(s.Alias) {
				return
			}
		}
	})
	repeated := false
	for i, alias := range b.Applicants {
		if !c.broken && !slices.Contains(aliases, alias) {
			c.unknown(c.source.Element(c.message, "applicant", i), "alias-unknown", "alias", alias, slices.Clone(aliases))
		}
		if s := b.Section(alias); s != nil && s.Repeated {
			c.fault(c.source.Element(c.message, "applicant", i), "alias-repeated", fmt.Sprintf("`%s` is asked for several persons, so it is not clear who applies", alias),
				"use the section once more, under an alias of the applicant's own")
			repeated = true
		}
	}
	if c.message.GetSubject() != "" && !c.broken && !slices.Contains(aliases, b.Subject) {
		c.unknown(c.source.At(c.message, "subject"), "alias-unknown", "alias", b.Subject, slices.Clone(aliases))
	}
	c.broken = c.broken || repeated // what reads the section as one person's would only repeat it
	for _, m := range c.message.GetSteps() {
		c.reservedID(c.source.At(m, "id"), m.GetId())
		if b.Step(m.GetId()) != nil {
			c.fault(c.source.At(m, "id"), "id-duplicate", fmt.Sprintf("the step `%s` stands here twice", m.GetId()), "")
			continue
		}
		step := &Step{ID: m.GetId(), Name: text(m.GetName()), Department: c.department(m, "department", m.GetDepartment()), Plugin: m.GetPlugin(),
			Essential: m.GetEssential(), Silence: m.GetSilence() == bundlev1.Step_APPROVED, AtOnce: m.GetStarts() == bundlev1.Step_ACCEPTANCE,
			Document: m.GetResult().GetDocument(), Basis: m.GetBasis()}
		if v := m.GetResult().GetValid(); v != nil {
			d := days(v)
			step.Valid = &d
		}
		for _, f := range m.GetResult().GetFields() {
			field := c.field(located[*formsv1.Field]{f, c.source}, "", nil, nil) // no part of the form
			field.Path = forms.Path("results." + step.ID + "." + f.GetField())
			step.Result = append(step.Result, field)
		}
		for _, n := range m.GetNotCounted() {
			step.NotCounted = append(step.NotCounted, NotCounted{n.GetKind().String(), int(n.GetDays())})
		}
		b.Steps = append(b.Steps, step)
	}
	for _, m := range c.message.GetSteps() {
		if c.stepMessage(m.GetId()) != m {
			continue // a second one of its id
		}
		step := b.Step(m.GetId())
		for _, a := range m.GetAfter() {
			if b.Step(a.GetStep()) == nil {
				c.broken = true
				c.unknown(c.source.At(a, ""), "step-unknown", "step", a.GetStep(), stepIDs(b))
				continue
			}
			on := a.GetOn().String()
			if a.GetOn() == bundlev1.After_ON_UNSPECIFIED {
				on = "APPROVED"
			}
			step.After = append(step.After, After{a.GetStep(), on})
		}
	}
	c.stepCycle()
}

func stepIDs(b *Bundle) []string {
	var ids []string
	for _, s := range b.Steps {
		ids = append(ids, s.ID)
	}
	return ids
}

// stepCycle reports steps that wait for one another.
func (c *compiler) stepCycle() {
	const visiting, done = 1, 2
	state := map[string]int{}
	var stack []string
	var visit func(*Step) bool
	visit = func(s *Step) bool {
		state[s.ID] = visiting
		stack = append(stack, s.ID)
		for _, a := range s.After {
			switch state[a.Step] {
			case visiting:
				c.broken = true
				ring := append(slices.Clone(stack[slices.Index(stack, a.Step):]), a.Step)
				c.fault(c.source.At(c.stepMessage(s.ID), "after"), "step-cycle", "these steps wait for one another: "+strings.Join(ring, " → "), "take one `after` away")
				return true
			case 0:
				if visit(c.bundle.Step(a.Step)) {
					return true
				}
			}
		}
		stack = stack[:len(stack)-1]
		state[s.ID] = done
		return false
	}
	for _, s := range c.bundle.Steps {
		if state[s.ID] == 0 && visit(s) {
			return
		}
	}
}

func (c *compiler) stepMessage(id string) *bundlev1.Step {
	for _, m := range c.message.GetSteps() {
		if m.GetId() == id {
			return m
		}
	}
	return nil
}

// steps compiles the steps.
func (c *compiler) steps() {
	for i, m := range c.message.GetSteps() {
		if c.stepMessage(m.GetId()) != m {
			continue // a second one of its id
		}
		step := c.bundle.Step(m.GetId())
		path := fmt.Sprintf("steps[%d]", i)
		p := c.ready(step)
		if m.When != nil {
			step.When = c.rule(p, c.source, m, "when", path+".when", nil)
		}
		inForce := forms.Conjuncts(m.GetWhen(), "")
		for j, r := range m.GetConditions() {
			step.Conditions = append(step.Conditions, c.condition(p, c.source, r, fmt.Sprintf("%s.conditions[%d]", path, j), "", inForce))
		}
		if m.AutoApprove != nil {
			step.AutoApprove = c.rule(p, c.source, m, "auto_approve", path+".auto_approve", inForce)
		}
		step.Promised = c.limits(p, m, m.GetPromised(), "promised", path, inForce)
		step.Statutory = c.limits(p, m, m.GetStatutory(), "statutory", path, inForce)
		for j, f := range m.GetFee() {
			fee := Fee{}
			at := fmt.Sprintf("%s.fee[%d]", path, j)
			force := inForce
			if f.When != nil {
				fee.When = c.rule(p, c.source, f, "when", at+".when", inForce)
				force = append(slices.Clone(inForce), forms.Conjuncts(f.GetWhen(), "")...)
			}
			c.lastCase(m, "fee", j == len(m.GetFee())-1, f.When != nil)
			fee.Amount = c.formula(p, c.source, f, "amount", at+".amount", kind.KindMoney, force, nil)
			step.Fee = append(step.Fee, fee)
		}
		c.plain(c.source, m, "name", m.GetName())
		c.limitKeys(step, m)
		c.needs(step, m)
	}
}

func (c *compiler) limits(p *place, m *bundlev1.Step, cases []*bundlev1.Limit, key, path string, inForce []string) []Limit {
	var limits []Limit
	for i, l := range cases {
		limit := Limit{}
		switch {
		case l.WorkingDays != nil:
			limit.Days = Days{int(l.GetWorkingDays()), WorkingDays}
		case l.Days != nil:
			limit.Days = Days{int(l.GetDays()), CalendarDays}
		case l.Months != nil:
			limit.Days = Days{int(l.GetMonths()), Months}
		default:
			c.fault(c.source.At(l, ""), "limit", "a limit has working_days, days or months", "")
		}
		if l.When != nil {
			limit.When = c.rule(p, c.source, l, "when", fmt.Sprintf("%s.%s[%d].when", path, key, i), inForce)
		}
		c.lastCase(m, key, i == len(cases)-1, l.When != nil)
		limits = append(limits, limit)
	}
	return limits
}

func (c *compiler) lastCase(m *bundlev1.Step, key string, last, conditional bool) {
	if last == conditional {
		c.fault(c.source.At(m, key), "cases", "of several cases each has a `when`, and the last one has none", "")
	}
}
