package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

func newExplain() *cobra.Command {
	var tree, file, test string
	cmd := &cobra.Command{
		Use:   "explain BUNDLE",
		Short: "Show how a bundle judges a record: each rule and its parts, steps, questions, materials, dates",
		Long: "explain judges one record and says why: what each part of each rule comes to, which steps apply, what is asked and for\n" +
			"whom, which materials come from where, and how each date is derived. The record is a YAML file with the keys of a test\n" +
			"(today, place, facts, results, record), or a test of the bundle by its id.",
		Example: `  onething explain newborn --tree examples --test usual
  onething explain newborn --tree examples --test one_year_old`,
		Args: arguments("BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (file == "") == (test == "") {
				return fmt.Errorf("give the record with --record FILE, or a test of the bundle with --test ID")
			}
			bundles, root, err := bundlesOf(cmd.OutOrStdout(), tree, args[0])
			if err != nil {
				return err
			}
			b := bundles[0]
			t, err := recordOf(cmd.OutOrStdout(), b, root, file, test)
			if err != nil {
				return err
			}
			return explain(cmd.OutOrStdout(), b, t)
		},
	}
	cmd.Flags().StringVar(&tree, "tree", ".", "folder with library/ and bundles/")
	cmd.Flags().StringVar(&file, "record", "", "file with the record")
	cmd.Flags().StringVar(&test, "test", "", "id of a test of the bundle")
	return cmd
}

// bundlesOf loads bundles of the tree that a path belongs to, and none beside them. Findings are printed.
func bundlesOf(out io.Writer, path string, ids ...string) (bundles []*catalog.Bundle, root string, err error) {
	root, _, err = treeOf(path)
	if err != nil {
		return nil, "", err
	}
	tree := os.DirFS(root)
	loaded, found := catalog.LoadOnly(tree, ids...)
	if found.Err() != nil {
		return nil, "", printed(out, found, root)
	}
	for _, id := range ids {
		b := loaded.Bundles[id]
		if b == nil {
			text := fmt.Sprintf("there is no bundle %q in %s", id, root)
			names, _ := fs.Glob(tree, catalog.BundleFile("*")) // the pattern is sound
			for i := range names {
				names[i] = filepath.Base(filepath.Dir(names[i]))
			}
			if near := diag.Nearest(id, names); near != "" {
				text += fmt.Sprintf(": did you mean %s?", near)
			}
			return nil, "", &refusedError{text}
		}
		bundles = append(bundles, b)
	}
	return bundles, root, nil
}

// printed prints findings and says that it has.
func printed(out io.Writer, found diag.List, root string) error {
	locate(found, root)
	if err := printText(out, found, false); err != nil {
		return err
	}
	return errFindings
}

// published is the embedded calendar.
func published() (*calendar.Calendar, error) {
	days, found := calendar.Parse(holidays.File, holidays.Source())
	return days, found.Err()
}

func recordOf(out io.Writer, b *catalog.Bundle, root, file, id string) (bundletest.Test, error) {
	days, err := published()
	if err != nil {
		return bundletest.Test{}, err
	}
	if id == "" {
		text, err := os.ReadFile(file) //nolint:gosec // the user's own file
		if err != nil {
			return bundletest.Test{}, err
		}
		t, found := bundletest.ReadRecord(b, file, text, days, kind.DateOf(time.Now()))
		if found.Err() != nil {
			return t, printed(out, found, ".")
		}
		return t, nil
	}
	name := bundletest.File(b.ID)
	text, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // the user's own file
	if err != nil {
		return bundletest.Test{}, err
	}
	tests, found := bundletest.Read(b, name, text, days)
	var ids []string
	for _, t := range tests {
		if ids = append(ids, t.ID); t.ID == id {
			return t, nil
		}
	}
	if found.Err() != nil {
		return bundletest.Test{}, printed(out, found, root)
	}
	refused := fmt.Sprintf("the bundle %s has no test %q", b.ID, id)
	if near := diag.Nearest(id, ids); near != "" {
		refused += fmt.Sprintf(": did you mean %s?", near)
	}
	return bundletest.Test{}, &refusedError{refused}
}

// explain prints everything about one record.
func explain(out io.Writer, b *catalog.Bundle, t bundletest.Test) error {
	selection, err := catalog.Select(b)
	if err != nil {
		return err
	}
	e := explanation{out: out, bundle: b, trace: guide.NewTrace(b, t.Record, t.Setting)}
	a := guide.Assess(selection, t.Record, t.Setting)
	c := a.Cases[0]
	e.line(0, "%s %s, on %s: %s", b.ID, b.Name.ZH, t.Setting.Today, c.Verdict)
	for _, v := range slices.Concat(t.Faults, a.Faults) {
		what := string(v.Path)
		if v.Rule != "" {
			what += " (" + v.Rule + ")"
		}
		e.line(1, "fault at %s: %s", what, v.Text.ZH)
	}
	e.rules(c)
	e.steps(c)
	e.fields(a)
	e.materials(c)
	if a.Next != nil {
		e.line(0, "next question: %s, which can decide %s", e.short(a.Next.Path), strings.Join(a.Next.Decides, ", "))
	} else {
		e.line(0, "next question: none")
	}
	return e.err
}

// explanation prints, and keeps the first error of it.
type explanation struct {
	out    io.Writer
	bundle *catalog.Bundle
	trace  guide.Trace
	err    error
}

func (e *explanation) line(depth int, format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.out, "%s%s\n", strings.Repeat("  ", depth), fmt.Sprintf(format, args...))
	}
}

// words are those for an outcome.
func words(t rule.Truth, yes, no string) string {
	return map[rule.Truth]string{rule.True: yes, rule.False: no, rule.Unknown: "not known"}[t]
}

func (e *explanation) rules(c *guide.Case) {
	e.line(0, "rules")
	for _, r := range e.bundle.Eligibility {
		i := slices.IndexFunc(c.Rules, func(x guide.Rule) bool { return x.ID == r.ID })
		if i < 0 {
			e.line(1, "%s: does not concern this record", r.ID)
			e.rule(2, "when", r.When)
			continue
		}
		said := words(c.Rules[i].Outcome.Truth, "holds", "fails")
		if r.Examine != nil {
			said = "an officer judges it"
		}
		e.line(1, "%s: %s — %s", r.ID, said, c.Rules[i].Because.ZH)
		if c.Rules[i].Outcome.Truth == rule.False && c.Rules[i].Remedy.ZH != "" {
			e.line(2, "%s: %s", r.Otherwise, c.Rules[i].Remedy.ZH)
		}
		e.rule(2, "when", r.When)
		e.rule(2, "require", r.Require)
		for i, w := range r.AnyOf {
			e.rule(2, fmt.Sprintf("way %d when", i+1), w.When)
			e.rule(2, fmt.Sprintf("way %d", i+1), w.Require)
		}
		e.causes(2, c.Rules[i].Outcome)
	}
}

// rule prints a rule with its parts, at most two levels of them, and what it has read.
func (e *explanation) rule(depth int, name string, r *rule.Rule) {
	if r == nil {
		return
	}
	p := e.trace.Explain(r)
	e.line(depth, "%s: %s: %s", name, oneLine(p.Text), said(p))
	for _, inner := range p.Parts {
		e.line(depth+1, "%s: %s", oneLine(inner.Text), said(inner))
		for _, part := range inner.Parts {
			e.line(depth+2, "%s: %s", oneLine(part.Text), said(part))
		}
	}
	for _, path := range r.Reads() {
		if path.Root() != "today" {
			e.line(depth+1, "%s = %s", e.short(path), e.trace.Value(path))
		}
	}
}

// short is a path as the bundle writes it.
func (e *explanation) short(p forms.Path) string {
	if field, own := strings.CutPrefix(string(p), "own."+e.bundle.ID+"."); own {
		return "own." + field
	}
	return string(p)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func said(p rule.Part) string {
	if p.Blank {
		return "left blank"
	}
	return words(p.Truth, "true", "false")
}

func (e *explanation) causes(depth int, o rule.Outcome) {
	if o.Truth != rule.Unknown {
		return
	}
	for _, cause := range o.Causes {
		e.line(depth, "not known: %s", guide.CauseText(cause))
	}
}

func (e *explanation) steps(c *guide.Case) {
	e.line(0, "steps")
	for _, s := range c.Steps {
		e.line(1, "%s %s, %s: %s", s.ID, s.Name.ZH, s.Department.Name.ZH, words(s.Applies.Truth, "applies", "does not apply"))
		e.rule(2, "when", s.When)
		for _, r := range e.bundle.Eligibility {
			if slices.Contains(r.For, s.ID) {
				e.line(2, "only if the rule %s holds", r.ID)
			}
		}
		e.causes(2, s.Applies)
		if s.Applies.Truth == rule.False {
			continue
		}
		for _, n := range s.NotCounted {
			e.line(2, "%s, about %d days, does not count", n.Kind, n.Days)
		}
		for line := range strings.SplitSeq(s.Due.Due.Explain(), "\n") {
			e.line(2, "%s", line)
		}
	}
	total := fmt.Sprint(c.Total.Min)
	if c.Total.Max != c.Total.Min {
		total += fmt.Sprintf(" to %d", c.Total.Max)
	}
	e.line(1, "in all: %s working days", total)
}

func (e *explanation) fields(a *guide.Assessment) {
	e.line(0, "questions")
	for _, f := range a.Fields {
		if f.Field.Derived || f.Shown == rule.False {
			continue
		}
		asked := words(f.Required, "must be answered", "may be left blank")
		if f.Required == rule.Unknown {
			asked = "perhaps must be answered"
		}
		if f.Shown == rule.Unknown {
			asked = "perhaps asked"
		}
		e.line(1, "%s %s: %s, = %s", e.short(f.Path), f.Name.ZH, asked, e.trace.Value(f.Path))
		if by := e.askedBy(f.Path, f.NeededBy); by != "" {
			e.line(2, "asked %s", by)
		}
	}
}

// askedBy says for whom a question is asked: the steps that need it, and the rules that read it.
func (e *explanation) askedBy(p forms.Path, steps []string) string {
	var by []string
	for _, id := range steps {
		step := e.bundle.Step(strings.TrimPrefix(id, e.bundle.ID+"."))
		by = append(by, fmt.Sprintf("for %s of %s", step.ID, step.Department.Name.ZH))
	}
	for _, r := range e.bundle.Eligibility {
		if slices.Contains(r.Reads(), p) {
			by = append(by, "by the rule "+r.ID)
		}
	}
	return strings.Join(by, ", ")
}

func (e *explanation) materials(c *guide.Case) {
	e.line(0, "materials")
	for _, m := range c.Materials {
		if m.Asked.Truth == rule.False {
			continue
		}
		var may []string
		if m.Tolerable.Truth == rule.True {
			may = append(may, fmt.Sprintf("may follow within %d working days", m.Tolerate.WorkingDays))
		}
		if m.Promisable.Truth == rule.True {
			may = append(may, "a promise may stand in for it")
		}
		if !m.Required {
			may = append(may, "need not be there")
		}
		text := fmt.Sprintf("%s %s: %s, from %s", m.ID, m.Name.ZH, words(m.Asked.Truth, "asked", ""), strings.Join(m.Sources, ", "))
		e.line(1, "%s", strings.Join(append([]string{text}, may...), "; "))
		e.line(2, "for %s", strings.Join(m.NeededBy, ", "))
		e.causes(2, m.Asked)
	}
}
