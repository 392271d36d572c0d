package bundletest

import (
	"errors"
	"fmt"
	"io/fs"
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

// Report is what became of the tests of one bundle.
type Report struct {
	Bundle string
	File   string
	// Found is what is wrong with the tests themselves: a file that is not there, a path that the bundle does not have.
	Found diag.List
	// Results are those of the tests that were run, in their order.
	Results []Result
	// Unreached are rules that no test makes fail, steps that apply in none, tolerances and promises that none offers.
	Unreached diag.List
	// Uncovered are the rules of the bundle's file of which no test sees both ways: a `when`, a condition, a case.
	Uncovered diag.List
}

// Result is what became of one test. It has passed if there are no failures.
type Result struct {
	Test     string
	Span     diag.Span
	Failures diag.List
}

// Failed counts the tests that have not passed.
func (r Report) Failed() int {
	n := 0
	for _, result := range r.Results {
		if len(result.Failures) > 0 {
			n++
		}
	}
	return n
}

// Run runs the tests of one bundle of a tree, those whose id keep accepts; nil accepts all. What no test reaches is
// looked at only if all are run.
func Run(tree fs.FS, b *catalog.Bundle, days *calendar.Calendar, keep func(test string) bool) Report {
	report := Report{Bundle: b.ID, File: File(b.ID)}
	top := diag.Span{File: report.File, Start: diag.Position{Line: 1, Column: 1}}
	text, err := diag.ReadFile(tree, report.File)
	if found, ok := errors.AsType[diag.List](err); ok {
		report.Found = found
		return report
	}
	if err != nil {
		message := fmt.Sprintf("the tests of the bundle `%s` cannot be read", b.ID)
		if errors.Is(err, fs.ErrNotExist) {
			message = fmt.Sprintf("the bundle `%s` has no tests", b.ID)
		}
		report.Found = diag.List{{Span: top, Severity: diag.Error, Code: CodeMissing, Message: message, Hint: "add a record that is eligible, and one for each rule that fails"}}
		return report
	}
	tests, found := Read(b, report.File, text, days)
	report.Found = found
	reached := newReach(b)
	skipped := false
	for i := range tests {
		if keep != nil && !keep(tests[i].ID) {
			skipped = true
			continue
		}
		a := tests[i].Assess()
		report.Results = append(report.Results, Result{Test: tests[i].ID, Span: tests[i].span, Failures: tests[i].Compare(a)})
		reached.add(&tests[i], a)
	}
	if !skipped && found.Err() == nil { // else what is reached says nothing
		report.Unreached, report.Uncovered = reached.unreached(top), reached.uncovered()
	}
	return report
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
	c.verdict(e.GetVerdict(), matter)
	c.rules("fails", e.GetFails(), rules(matter, rule.False, false))
	c.rules("undecided", e.GetUndecided(), rules(matter, rule.Unknown, false))
	c.rules("warns", e.GetWarns(), rules(matter, rule.False, true))
	c.set("faults", e.GetFaults(), t.faults(a))
	c.set("steps", e.GetSteps(), steps(matter, rule.True))
	c.set("undecided_steps", e.GetUndecidedSteps(), steps(matter, rule.Unknown))
	c.set("materials", e.GetMaterials(), materials(matter, func(*guide.Material) bool { return true }))
	c.set("tolerable", e.GetTolerable(), materials(matter, func(m *guide.Material) bool { return m.Tolerable.Truth == rule.True }))
	c.set("promisable", e.GetPromisable(), materials(matter, func(m *guide.Material) bool { return m.Promisable.Truth == rule.True }))
	c.set("together", e.GetTogether(), matter.Together)
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

// verdict compares the verdict; where it is another one, it says of each rule that fails or is not known what its parts
// come to.
func (c *comparison) verdict(want string, matter *guide.Case) {
	before := len(c.found)
	c.text("verdict", want, matter.Verdict.String())
	if c.test.expect.GetFails() == nil { // else that tells it
		c.see(before, slices.Concat(rules(matter, rule.False, false), rules(matter, rule.Unknown, false)))
	}
}

// rules compares rules as a set; of each that is different, it says what its parts come to.
func (c *comparison) rules(key string, want *structpb.ListValue, got []string) {
	before := len(c.found)
	different := c.set(key, want, got)
	c.see(before, different)
}

// see puts what rules come to under the last finding, if there is one since before.
func (c *comparison) see(before int, different []string) {
	if len(c.found) == before {
		return
	}
	trace := guide.NewTrace(c.test.Bundle, c.test.Record, c.test.Setting)
	d := &c.found[len(c.found)-1]
	for _, r := range c.test.Bundle.Eligibility {
		if slices.Contains(different, r.ID) {
			d.Related = append(d.Related, explained(trace, c.test.Bundle, r)...)
		}
	}
}

// explained says of a rule what it comes to, and which values it read.
func explained(trace guide.Trace, b *catalog.Bundle, r *catalog.Rule) []diag.Related {
	var all []diag.Related
	say := func(compiled *rule.Rule) {
		if compiled == nil {
			return
		}
		said := []string{part(trace.Explain(compiled))}
		for _, p := range compiled.Reads() {
			said = append(said, fmt.Sprintf("%s = %s", short(b, p), trace.Value(p)))
		}
		all = append(all, diag.Related{Span: compiled.Span(), Message: strings.Join(said, "; ")})
	}
	say(r.When)
	say(r.Require)
	for _, w := range r.AnyOf {
		say(w.When)
		say(w.Require)
	}
	return all
}

// part says what a rule comes to, and which of its parts make it so.
func part(p rule.Part) string {
	words := map[rule.Truth]string{rule.True: "holds", rule.False: "fails", rule.Unknown: "is not known"}
	said := []string{"`" + p.Text + "` " + words[p.Truth]}
	for _, inner := range p.Parts {
		if len(p.Parts) > 1 && inner.Truth == p.Truth && !inner.Blank {
			said = append(said, "as `"+inner.Text+"` "+words[inner.Truth])
		}
	}
	return strings.Join(said, ", ")
}

// set compares a list as a set and returns what is different; nothing is expected of one that is not written.
func (c *comparison) set(key string, want *structpb.ListValue, got []string) (different []string) {
	if want == nil {
		return nil
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
		return nil
	}
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, "without "+strings.Join(missing, ", "))
	}
	if len(rest) > 0 {
		parts = append(parts, "with "+strings.Join(rest, ", "))
	}
	c.fault(c.test.source.At(c.test.expect, key), CodeFailed, fmt.Sprintf("%s came out %s", key, strings.Join(parts, " and ")))
	return append(missing, rest...)
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
