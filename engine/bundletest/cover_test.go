package bundletest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/bundletest"
)

// What no test reaches is told with the place of the rule: nothing of it where the tests see both ways.
func TestRun_Coverage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, more string
		want       []string
	}{
		{name: "one test", want: []string{
			"12:31 the rule plausible fails in no test",
			"14:27 the rule adult fails in no test",
			"15:43 the rule hint fails in no test",
			"17:87 `when` of the material proof fails in no test",
			"21:78 `when` of the step second fails in no test",
			"22:77 `when` of the step third is decided by no test",
		}},
		{name: "both ways", more: `  - { test: young, like: usual, but: { form.me.age: 17, own.rich: false }, expect: {} }
  - { test: old, like: usual, but: { form.me.age: 100 }, expect: {} }
  - { test: unborn, like: usual, but: { form.me.age: -1 }, expect: {} }
  - { test: x, like: usual, but: { results.first.number: x }, expect: {} }
  - { test: y, like: usual, but: { results.first.number: y }, expect: {} }
`},
		{name: "a condition that nobody's answer makes false", more: `  - { test: young, like: usual, but: { form.me.age: 17 }, expect: {} }
  - { test: old, like: usual, but: { form.me.age: 100 }, expect: {} }
  - { test: unborn, like: usual, but: { form.me.age: -1 }, expect: {} }
  - { test: x, like: usual, but: { results.first.number: x }, expect: {} }
`, want: []string{"17:87 `when` of the material proof fails in no test", "21:78 `when` of the step second fails in no test", "22:77 `when` of the step third fails in no test"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree, bundles := newTree(t, strings.ReplaceAll(usual, "%s", "{}")+test.more)
			report := bundletest.Run(tree, bundles["matter"], newCalendar(t), nil)
			if err := report.Found.Err(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range report.Uncovered {
				got = append(got, fmt.Sprintf("%d:%d %s", d.Span.Start.Line, d.Span.Start.Column, d.Message))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			only := bundletest.Run(tree, bundles["matter"], newCalendar(t), func(id string) bool { return id == "usual" })
			if test.more != "" && (len(only.Results) != 1 || len(only.Uncovered)+len(only.Unreached) > 0) {
				t.Errorf("of one test alone: %d results, %d findings of what is not reached", len(only.Results), len(only.Uncovered)+len(only.Unreached))
			}
		})
	}
}

// A rule that came out otherwise says why: what it is made of, and what it has read.
func TestCompare_Explains(t *testing.T) {
	t.Parallel()
	tree, bundles := newTree(t, strings.ReplaceAll(usual, "%s", "{ fails: [adult] }"))
	report := bundletest.Run(tree, bundles["matter"], newCalendar(t), nil)
	if len(report.Results) != 1 || len(report.Results[0].Failures) != 1 {
		t.Fatalf("got %v", report.Results)
	}
	want := []diag.Related{{Message: "`form.me.age >= 18` holds; form.me.age = 30"}}
	got := report.Results[0].Failures[0].Related
	for i := range got {
		got[i].Span = diag.Span{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
