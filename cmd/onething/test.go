package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/cobra"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/bundletest"
)

// testRun is what the verb was asked for.
type testRun struct {
	paths  []string
	run    *regexp.Regexp // nil: every test
	format string
	cover  bool
	all    bool
}

func newTest() *cobra.Command {
	var t testRun
	var pattern string
	var watch bool
	cmd := &cobra.Command{
		Use:   "test [PATH…]",
		Short: "Run the tests beside bundles, and show what differs from what they expect",
		Long: "test runs the tests.yaml of each bundle of a tree (a folder with library/ and bundles/; a bundle in it stands for itself)\n" +
			"and prints each expectation that is not met, at its place, with the rules behind it. It exits with 1 if a test fails.",
		Example: `  onething test examples/bundles/newborn --cover
  onething test examples/bundles/newborn --run 'one_year|single_mother'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json", "junit"}, t.format) {
				return fmt.Errorf("--format is text, json or junit, not %q", t.format)
			}
			if pattern != "" {
				compiled, err := regexp.Compile(pattern)
				if err != nil {
					return fmt.Errorf("--run is a regular expression: %w", err)
				}
				t.run = compiled
			}
			if t.paths = args; len(args) == 0 {
				t.paths = []string{"."}
			}
			if watch {
				return t.watch(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return t.once(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&pattern, "run", "", "run the tests whose `bundle/test` matches this regular expression only")
	cmd.Flags().StringVar(&t.format, "format", "text", "text, json (one finding a line) or junit (XML)")
	cmd.Flags().BoolVar(&t.cover, "cover", false, "show the rules of which no test sees both ways; one is a failure")
	cmd.Flags().BoolVar(&t.all, "all", false, "print more than the first 50 findings")
	cmd.Flags().BoolVar(&watch, "watch", false, "run again whenever a file changes, until interrupted")
	return cmd
}

// once runs the tests and prints what became of them.
func (t *testRun) once(out io.Writer) error {
	begin := time.Now()
	var reports []bundletest.Report
	var found diag.List
	for _, path := range t.paths {
		more, list, err := t.tree(path)
		if err != nil {
			return err
		}
		reports, found = append(reports, more...), append(found, list...)
	}
	ran, failed := 0, 0
	for _, r := range reports {
		ran, failed = ran+len(r.Results), failed+r.Failed()
		found = append(found, r.Found...)
		for _, result := range r.Results {
			found = append(found, result.Failures...)
		}
		found = append(found, r.Unreached...)
		if t.cover {
			found = append(found, r.Uncovered...)
		}
	}
	var err error
	switch t.format {
	case "json":
		err = diag.PrintJSON(out, found)
	case "junit":
		err = printJUnit(out, reports, found)
	default:
		if err = printText(out, found, t.all); err == nil {
			_, err = fmt.Fprintf(out, "%d bundles, %d tests, %d failed (%s)\n", len(reports), ran, failed, time.Since(begin).Round(time.Millisecond))
		}
	}
	switch {
	case err != nil:
		return err
	case found.Err() != nil || t.cover && len(found) > 0:
		return errFindings
	case ran == 0:
		return errors.New("no test was run: look at the path and at --run")
	}
	return nil
}

// tree runs the tests of the tree that a path belongs to, narrowed to the path. Names of files can be opened from the
// current folder.
func (t *testRun) tree(path string) ([]bundletest.Report, diag.List, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, nil, err
	}
	root, inside, err := treeOf(path)
	if err != nil {
		return nil, nil, err
	}
	files := os.DirFS(root)
	loaded, found := loadInside(files, inside)
	found = within(found, inside)
	days, err := published()
	if err != nil {
		return nil, nil, err
	}
	ids := slices.Sorted(maps.Keys(loaded.Bundles))
	if inside != "" {
		ids = slices.DeleteFunc(ids, func(id string) bool {
			folder := "bundles/" + id
			return folder != inside && !strings.HasPrefix(inside, folder+"/") && !strings.HasPrefix(folder, inside+"/")
		})
	}
	reports := make([]bundletest.Report, len(ids))
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, id := range ids {
		var keep func(string) bool
		if t.run != nil {
			keep = func(test string) bool { return t.run.MatchString(id + "/" + test) }
		}
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			reports[i] = bundletest.Run(files, loaded.Bundles[id], days, keep)
		})
	}
	wait.Wait()
	if t.run != nil {
		reports = slices.DeleteFunc(reports, func(r bundletest.Report) bool { return len(r.Results) == 0 && len(r.Found) == 0 })
	}
	for i := range reports {
		r := &reports[i]
		r.File = filepath.Join(root, r.File)
		for _, list := range []diag.List{r.Found, r.Unreached, r.Uncovered} {
			locate(list, root)
		}
		for j := range r.Results {
			r.Results[j].Span.File = filepath.Join(root, r.Results[j].Span.File)
			locate(r.Results[j].Failures, root)
		}
	}
	locate(found, root)
	return reports, found, nil
}

// within are the findings that concern a path of a tree: those in it, and those of the libraries.
func within(found diag.List, inside string) diag.List {
	return slices.DeleteFunc(slices.Clone(found), func(d diag.Diagnostic) bool {
		name := filepath.ToSlash(d.Span.File)
		return inside != "" && name != inside && !strings.HasPrefix(name, inside+"/") && !strings.HasPrefix(name, "library")
	})
}

// locate names the files of findings as they can be opened from the current folder.
func locate(found diag.List, root string) {
	for i := range found {
		found[i].Span.File = relative(filepath.Join(root, found[i].Span.File))
		for j := range found[i].Related {
			found[i].Related[j].Span.File = relative(filepath.Join(root, found[i].Related[j].Span.File))
		}
	}
}

// settle is how long files rest before the tests run again: editors write a file in several steps.
const settle = 150 * time.Millisecond

// watch runs the tests again whenever a file of the trees changes.
func (t *testRun) watch(ctx context.Context, out, progress io.Writer) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer func() { _ = watcher.Close() }()
	for _, path := range t.paths {
		root, _, err := treeOf(path)
		if err != nil {
			return err
		}
		folders, err := filepath.Glob(filepath.Join(root, "bundles", "*"))
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		for _, folder := range append(folders, filepath.Join(root, "library"), filepath.Join(root, "bundles")) {
			if err := watcher.Add(folder); err != nil {
				return fmt.Errorf("watch %s: %w", folder, err)
			}
		}
	}
	for {
		if err := t.once(out); err != nil && !errors.Is(err, errFindings) {
			fmt.Fprintf(progress, "onething: %v\n", err)
		}
		fmt.Fprintln(progress, "waiting for a change …")
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			return fmt.Errorf("watch: %w", err)
		case <-watcher.Events:
		}
		for rest := time.NewTimer(settle); ; {
			select {
			case <-watcher.Events:
				rest.Reset(settle)
				continue
			case <-rest.C:
			case <-ctx.Done():
				return nil
			}
			break
		}
	}
}

// The form in which build servers read results of tests.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	File     string      `xml:"file,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// key is what makes a finding one.
func key(d diag.Diagnostic) string { return fmt.Sprint(d.Span, d.Code, d.Message) }

// printJUnit prints a suite for each bundle, and one for what is wrong with no bundle's tests.
func printJUnit(out io.Writer, reports []bundletest.Report, found diag.List) error {
	all := junitSuites{}
	told := map[string]bool{}
	problem := func(list diag.List) *junitProblem {
		var text strings.Builder
		_ = printText(&text, list, true) // a builder does not fail
		for _, d := range list {
			told[key(d)] = true
		}
		return &junitProblem{Message: list[0].Message, Text: text.String()}
	}
	for _, r := range reports {
		suite := junitSuite{Name: r.Bundle, File: r.File, Tests: len(r.Results), Failures: r.Failed()}
		for _, result := range r.Results {
			c := junitCase{Name: result.Test, Class: r.Bundle, Line: result.Span.Start.Line}
			if len(result.Failures) > 0 {
				c.Failure = problem(result.Failures)
			}
			suite.Cases = append(suite.Cases, c)
		}
		if len(r.Found) > 0 {
			suite.Errors, suite.Tests = 1, suite.Tests+1
			suite.Cases = append(suite.Cases, junitCase{Name: "tests.yaml", Class: r.Bundle, Error: problem(r.Found)})
		}
		all.Suites = append(all.Suites, suite)
	}
	rest := slices.DeleteFunc(slices.Clone(found), func(d diag.Diagnostic) bool { return told[key(d)] })
	if len(rest) > 0 {
		all.Suites = append(all.Suites, junitSuite{Name: "check", Tests: 1, Errors: 1, Cases: []junitCase{{Name: "check", Class: "check", Error: problem(rest)}}})
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("print JUnit: %w", err)
	}
	_, err := fmt.Fprintln(out)
	return err
}
