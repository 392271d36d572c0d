package bundletest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// File is where the tests of a bundle stand in a tree.
func File(bundle string) string { return "bundles/" + bundle + "/tests.yaml" }

// Run runs the tests of all bundles of a tree and returns what differs from what they expect, with the place of the
// expectation. A bundle without tests is an error; a rule that no test makes fail and a step that applies in none are
// warnings.
func Run(tree fs.FS, bundles map[string]*catalog.Bundle, days *calendar.Calendar) diag.List {
	var found diag.List
	for _, id := range slices.Sorted(maps.Keys(bundles)) {
		file := File(id)
		text, err := fs.ReadFile(tree, file)
		if errors.Is(err, fs.ErrNotExist) {
			found = append(found, diag.Diagnostic{Span: diag.Span{File: file, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error,
				Code: CodeMissing, Message: fmt.Sprintf("the bundle `%s` has no tests", id), Hint: "add a record that is eligible, and one for each rule that fails"})
			continue
		}
		if err != nil {
			found = append(found, diag.Diagnostic{Span: diag.Span{File: file, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error,
				Code: CodeMissing, Message: fmt.Sprintf("the tests of the bundle `%s` cannot be read", id)})
			continue
		}
		tests, list := Read(bundles[id], file, text, days)
		found = append(found, list...)
		if list.Err() == nil { // else what is reached says nothing
			found = append(found, runAll(bundles[id], file, tests)...)
		}
	}
	return found.Sorted()
}

// runAll runs the tests of one bundle and looks what none of them reaches.
func runAll(b *catalog.Bundle, file string, tests []Test) diag.List {
	var found diag.List
	reached := map[string]bool{}
	for i := range tests {
		a := tests[i].Assess()
		found = append(found, tests[i].Compare(a)...)
		for _, c := range a.Cases {
			for _, r := range c.Rules {
				reached["rule "+r.ID] = reached["rule "+r.ID] || r.Outcome.Truth == rule.False
			}
			for _, s := range c.Steps {
				reached["step "+s.ID] = reached["step "+s.ID] || s.Applies.Truth == rule.True
			}
		}
		for _, v := range a.Faults {
			reached["rule "+v.Rule] = true
		}
	}
	warn := func(what, id, message string) {
		if !reached[what+" "+id] {
			found = append(found, diag.Diagnostic{Span: diag.Span{File: file, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Warning,
				Code: CodeUnreached, Message: fmt.Sprintf(message, id)})
		}
	}
	for _, r := range b.Eligibility {
		if r.Examine == nil {
			warn("rule", r.ID, "no test makes the rule `%s` fail")
		}
	}
	for _, s := range b.Steps {
		warn("step", s.ID, "the step `%s` applies in no test")
	}
	return found
}

// Assess assesses the test's record with its bundle alone.
func (t *Test) Assess() *guide.Assessment {
	selection, err := catalog.Select(t.Bundle)
	if err != nil { // one bundle is in conflict with nothing
		return &guide.Assessment{}
	}
	return guide.Assess(selection, t.Record, t.Setting)
}

// Compare returns what differs between an assessment of the test's record and what is expected, and nothing about what
// is not written.
func (t *Test) Compare(a *guide.Assessment) diag.List {
	c := &comparison{test: t}
	e := t.expect
	matter := a.Case(t.Bundle.ID)
	if e == nil || matter == nil {
		return nil
	}
	c.text("verdict", e.GetVerdict(), matter.Verdict.String())
	c.set("fails", e.GetFails(), rules(matter, rule.False, false))
	c.set("undecided", e.GetUndecided(), rules(matter, rule.Unknown, false))
	c.set("warns", e.GetWarns(), rules(matter, rule.False, true))
	c.set("faults", e.GetFaults(), t.faults(a))
	c.set("steps", e.GetSteps(), steps(matter, rule.True))
	c.set("undecided_steps", e.GetUndecidedSteps(), steps(matter, rule.Unknown))
	c.set("materials", e.GetMaterials(), materials(matter, func(*guide.Material) bool { return true }))
	c.set("tolerable", e.GetTolerable(), materials(matter, func(m *guide.Material) bool { return m.Tolerable.Truth == rule.True }))
	c.set("promisable", e.GetPromisable(), materials(matter, func(m *guide.Material) bool { return m.Promisable.Truth == rule.True }))
	c.set("shown", e.GetShown(), t.fields(a, func(f *guide.Field) rule.Truth { return f.Shown }))
	c.set("required", e.GetRequired(), t.fields(a, func(f *guide.Field) rule.Truth { return f.Required }))
	next := "nothing"
	if a.Next != nil {
		next = short(t.Bundle, a.Next.Path)
	}
	c.text("asks", e.GetAsks(), next)
	if e.GetTotal() != nil {
		if e.GetTotal().WorkingDays == nil {
			c.fault(t.source.At(e, "total"), CodeValue, "a total is in working days")
		} else {
			c.text("total", strconv.Itoa(int(e.GetTotal().GetWorkingDays())), span(matter.Total))
		}
	}
	for id, want := range e.GetDue() {
		c.due(id, want, matter.Step(id))
	}
	if e.GetFee() != "" {
		if fee, ok := kind.ParseMoney(e.GetFee()); ok {
			c.text("fee", strconv.FormatInt(int64(fee), 10)+" fen", span(matter.Fee)+" fen")
		} else {
			c.fault(t.source.At(e, "fee"), CodeValue, "this is no amount in yuan")
		}
	}
	return c.found
}

type comparison struct {
	test  *Test
	found diag.List
}

func (c *comparison) fault(at diag.Span, code, message string) {
	c.found = append(c.found, diag.Diagnostic{Span: at, Severity: diag.Error, Code: code, Message: fmt.Sprintf("test %s: %s", c.test.ID, message)})
}

// text compares one value; nothing is expected of one that is not written.
func (c *comparison) text(key, want, got string) {
	if want != "" && want != got {
		c.fault(c.test.source.At(c.test.expect, key), CodeFailed, fmt.Sprintf("%s is %s, expected %s", key, got, want))
	}
}

// set compares a list as a set; nothing is expected of one that is not written.
func (c *comparison) set(key string, want *structpb.ListValue, got []string) {
	if want == nil {
		return
	}
	var missing []string
	rest := slices.Clone(got)
	for _, v := range want.GetValues() {
		if i := slices.Index(rest, v.GetStringValue()); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			missing = append(missing, v.GetStringValue())
		}
	}
	if len(missing)+len(rest) == 0 {
		return
	}
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, "without "+strings.Join(missing, ", "))
	}
	if len(rest) > 0 {
		parts = append(parts, "with "+strings.Join(rest, ", "))
	}
	c.fault(c.test.source.At(c.test.expect, key), CodeFailed, fmt.Sprintf("%s came out %s", key, strings.Join(parts, " and ")))
}

func (c *comparison) due(id, want string, step *guide.Step) {
	at := c.test.source.Path(c.test.expect, "due."+id)
	switch {
	case step == nil:
		c.fault(at, CodePath, fmt.Sprintf("the bundle has no step `%s`", id))
	case step.Applies.Truth == rule.False:
		c.fault(at, CodeFailed, fmt.Sprintf("the step %s does not apply, expected it to be due %s", id, want))
	case !step.Due.Due.Known:
		c.fault(at, CodeFailed, fmt.Sprintf("when the step %s is due is not known, expected %s", id, want))
	case step.Due.Due.Date.String() != want:
		c.fault(at, CodeFailed, fmt.Sprintf("the step %s is due %s, expected %s", id, step.Due.Due.Date, want))
	}
}

// span prints a range of numbers.
func span(r guide.Range) string {
	switch {
	case r.Max < 0:
		return fmt.Sprintf("at least %d", r.Min)
	case r.Min == r.Max:
		return strconv.FormatInt(r.Min, 10)
	}
	return fmt.Sprintf("%d to %d", r.Min, r.Max)
}

// rules are those with an outcome; hints apart from all others.
func rules(c *guide.Case, outcome rule.Truth, hints bool) []string {
	var ids []string
	for _, r := range c.Rules {
		if r.Outcome.Truth == outcome && (r.Otherwise == catalog.Warn) == hints {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func steps(c *guide.Case, applies rule.Truth) []string {
	var ids []string
	for _, s := range c.Steps {
		if s.Applies.Truth == applies {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func materials(c *guide.Case, keep func(*guide.Material) bool) []string {
	var ids []string
	for _, m := range c.Materials {
		if m.Asked.Truth == rule.True && keep(m) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// faults are those of reading the answers and of the assessment: the id of a check, else the path.
func (t *Test) faults(a *guide.Assessment) []string {
	var names []string
	for _, v := range slices.Concat(t.Faults, a.Faults) {
		name := v.Rule
		if name == "" {
			name = short(t.Bundle, v.Path)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// fields are the paths of questions of which something holds.
func (t *Test) fields(a *guide.Assessment, holds func(*guide.Field) rule.Truth) []string {
	var paths []string
	for _, f := range a.Fields {
		if !f.Field.Derived && holds(f) == rule.True {
			paths = append(paths, short(t.Bundle, f.Path))
		}
	}
	return paths
}
