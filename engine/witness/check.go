package witness

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// The codes of what a search finds.
const (
	CodeConstant      = "rule-constant"      // true, or false, whatever is answered
	CodeNever         = "step-never"         // a step that applies to nobody
	CodeContradiction = "rule-contradiction" // two conditions that nobody meets both
	CodeShadowed      = "rule-shadowed"      // whoever fails the one fails another anyway
	CodeHidden        = "need-hidden"        // a step needs what is never asked when it applies
	CodeOver          = "in-force-over"      // the bundle is no longer in force
)

// Budgets, in evaluations. What is not found within them is no finding.
const (
	forRule = 2000
	forPair = 1000
)

// Check finds what no single expression shows: rules that are always true or always false, that contradict or shadow
// one another, steps that apply to nobody, and needs that are never asked. All findings are warnings. The setting has
// the day on which it is asked and the calendar; a place that is not given is one where the bundle and what is published
// hold.
func Check(b *catalog.Bundle, setting guide.Setting) diag.List {
	c := &checker{bundle: b, domain: New(b)}
	if !b.Until.IsZero() && b.Until.Before(setting.Today) {
		c.warn(b.UntilAt(), CodeOver, fmt.Sprintf("the bundle was in force until %s", b.Until), "let it end later, or take it away")
		setting.Today = b.Until
	}
	if setting.Today.Before(b.From) {
		setting.Today = b.From
	}
	if setting.Place == "" {
		setting.Place = placeOf(b)
	}
	c.start = Start{Setting: setting}
	meant := fixed(b)
	for _, d := range b.Decisions() {
		switch {
		case d.Rule.Span().File != catalog.BundleFile(b.ID): // a library's rule is no bundle's to mend
		case len(d.Rule.Reads()) > 0:
			c.constant(d)
		case !meant[d.Rule]:
			t := guide.NewTrace(b, forms.Record{}, setting).Explain(d.Rule).Truth
			c.same(d, t != rule.True, t != rule.False)
		}
	}
	for i, r := range b.Eligibility {
		for _, s := range b.Eligibility[:i] {
			c.pair(s, r)
		}
	}
	for _, s := range b.Steps {
		c.needs(s)
	}
	return c.found
}

// placeOf is an office in the bundle's region; in one for which parameters are published, if there is one.
func placeOf(b *catalog.Bundle) string {
	region := b.Place
	for _, values := range b.Parameters() {
		for _, v := range values {
			if strings.HasPrefix(v.Place, b.Place) && (len(v.Place) > len(region) || len(v.Place) == len(region) && v.Place < region) {
				region = v.Place
			}
		}
	}
	return county(region, region)
}

type checker struct {
	bundle *catalog.Bundle
	domain *Domain
	start  Start
	found  diag.List
	// constants are rules that are reported: what follows from them is not told again.
	constants []*rule.Rule
}

func (c *checker) warn(at diag.Span, code, message, hint string, related ...diag.Related) {
	c.found = append(c.found, diag.Diagnostic{Span: at, Severity: diag.Warning, Code: code, Message: message, Hint: hint, Related: related})
}

// about are the rules on which a goal depends.
type about []*rule.Rule

func (a about) of(r *catalog.Rule) about { return append(a, r.Parts()...) }

// never reports whether there is no record of which a trace says what is wanted. Beside the rules it may depend on paths.
func (c *checker) never(budget int, a about, paths []forms.Path, goal func(guide.Trace, forms.Record) rule.Outcome) bool {
	var texts []string
	for _, r := range a {
		if r != nil {
			paths, texts = append(paths, r.Reads()...), append(texts, r.Text())
		}
	}
	_, result := c.domain.About(paths, texts...).Search(func(r forms.Record, s guide.Setting) rule.Outcome { return goal(guide.NewTrace(c.bundle, r, s), r) }, budget, c.start)
	return result == None
}

// constant reports a rule that has one outcome for all records.
func (c *checker) constant(d catalog.Decision) {
	is := func(want rule.Truth) func(guide.Trace, forms.Record) rule.Outcome {
		return func(t guide.Trace, r forms.Record) rule.Outcome { return c.decided(t, r, d, want) }
	}
	on := append(about{d.Rule}, d.Given...)
	list := slices.DeleteFunc([]forms.Path{d.Each}, func(p forms.Path) bool { return p == "" })
	c.same(d, c.never(forRule, on, list, is(rule.True)), c.never(forRule, on, list, is(rule.False)))
}

// fixed are rules that may say the same of every record and be meant so: what a matter does not ask of a section, what no
// officer need approve.
func fixed(b *catalog.Bundle) map[*rule.Rule]bool {
	meant := map[*rule.Rule]bool{}
	for _, p := range b.Paths() {
		for _, f := range append([]*catalog.Field{b.Field(p)}, b.Field(p).Row...) {
			meant[f.RequireRule] = true
			for _, r := range f.When {
				meant[r] = true
			}
		}
	}
	for _, s := range b.Steps {
		meant[s.AutoApprove] = true
	}
	return meant
}

// same reports a rule that holds for no record, or fails for none.
func (c *checker) same(d catalog.Decision, holds, fails bool) {
	step := slices.IndexFunc(c.bundle.Steps, func(s *catalog.Step) bool { return s.When == d.Rule })
	switch {
	case holds == fails: // it tells records apart, or concerns none for another reason
		return
	case holds && step >= 0:
		c.warn(d.Rule.Span(), CodeNever, fmt.Sprintf("the step `%s` applies to nobody: this holds for no record", c.bundle.Steps[step].ID), "correct the rule, or leave the step out")
	case holds:
		c.warn(d.Rule.Span(), CodeConstant, d.What+" holds for no record", "correct the rule, or leave out what depends on it")
	default:
		c.warn(d.Rule.Span(), CodeConstant, d.What+" holds for every record", "correct the rule, or leave it out")
	}
	c.constants = append(c.constants, d.Rule)
}

// decided says whether a decision has the wanted outcome for the form, or for an element of its list.
func (c *checker) decided(t guide.Trace, r forms.Record, d catalog.Decision, want rule.Truth) rule.Outcome {
	if d.Each != "" {
		if s := t.State(d.Each); s.Status == forms.Unknown {
			return rule.Outcome{Causes: s.Causes}
		}
		if list, _ := r.Get(d.Each); list == nil {
			return rule.Outcome{Truth: rule.False}
		}
	}
	var outcomes []rule.Outcome
	for _, o := range t.Outcomes(d) {
		outcomes = append(outcomes, Is(o, want))
	}
	return Any(outcomes...)
}

// pair reports two conditions of which nobody meets both, and one that is failed only by those who fail the other, so
// that it decides nothing.
func (c *checker) pair(r, s *catalog.Rule) {
	if !c.gates(r) || !c.gates(s) || !c.meet(r, s) {
		return
	}
	at := func(of *catalog.Rule) diag.Span {
		if of.Require != nil {
			return of.Require.Span()
		}
		return of.AnyOf[0].Require.Span()
	}
	is := func(wantR, wantS rule.Truth) func(guide.Trace, forms.Record) rule.Outcome {
		return func(t guide.Trace, _ forms.Record) rule.Outcome {
			return All(Is(t.Condition(r), wantR), Is(t.Condition(s), wantS))
		}
	}
	other := func(of *catalog.Rule) diag.Related {
		return diag.Related{Span: at(of), Message: "the other one"}
	}
	on := about{}.of(r).of(s)
	if c.never(forPair, on, nil, is(rule.True, rule.True)) {
		c.warn(at(s), CodeContradiction, fmt.Sprintf("nobody meets both `%s` and `%s`", r.ID, s.ID), "correct one of them", other(r))
		return
	}
	shadow := func(weak, strong *catalog.Rule) {
		c.warn(at(weak), CodeShadowed, fmt.Sprintf("whoever fails `%s` fails `%s` too", weak.ID, strong.ID), "correct one of them, or leave this one out", other(strong))
	}
	switch { // one of a lower rank decides nothing beside one of a higher
	case r.Otherwise <= s.Otherwise && c.never(forPair, on, nil, is(rule.False, rule.True)):
		shadow(r, s)
	case s.Otherwise <= r.Otherwise && c.never(forPair, on, nil, is(rule.True, rule.False)):
		shadow(s, r)
	}
}

// gates reports whether a rule decides the verdict, and is not reported for itself.
func (c *checker) gates(r *catalog.Rule) bool {
	if r.Otherwise == catalog.Warn || len(r.For) > 0 || r.Examine != nil || r.Each != "" || slices.Contains(c.constants, r.When) || slices.Contains(c.constants, r.Require) {
		return false
	}
	return !slices.ContainsFunc(r.AnyOf, func(w catalog.Way) bool { return slices.Contains(c.constants, w.Require) })
}

// meet reports whether two rules read an answer in common, perhaps through a derived value.
func (c *checker) meet(r, s *catalog.Rule) bool {
	of := c.bundle.Closure(s.Reads())
	for p := range c.bundle.Closure(r.Reads()) {
		if of[p] {
			return true
		}
	}
	return false
}

// needs reports fields that a step needs and that are never asked of whom it concerns.
func (c *checker) needs(step *catalog.Step) {
	if slices.Contains(c.constants, step.When) {
		return
	}
	told := map[diag.Span]bool{}
	for _, p := range step.Fields {
		f, at := c.bundle.Field(p), c.bundle.NeedOf(step, p)
		if told[at] || len(f.When) == 0 && (f.Section == nil || f.Section.When == nil) || f.Kind == kind.KindList && f.Field.Derived {
			continue
		}
		on := about(c.bundle.Applying(step))
		if c.never(forRule, on, []forms.Path{p}, func(t guide.Trace, _ forms.Record) rule.Outcome {
			return All(t.Applies(step), t.Shown(p))
		}) &&
			!c.never(forRule, on, nil, func(t guide.Trace, _ forms.Record) rule.Outcome { return t.Applies(step) }) {
			told[at] = true
			c.warn(at, CodeHidden, fmt.Sprintf("the step `%s` needs `%s`, which is never asked when the step applies", step.ID, strings.Replace(string(p), "own."+c.bundle.ID+".", "own.", 1)), "correct the `when` of one of them, or leave the need out")
		}
	}
}
