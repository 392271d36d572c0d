package bundletest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/examples/holidays"
)

func newCalendar(t testing.TB) *calendar.Calendar {
	t.Helper()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return days
}

// The tests of the example bundles pass, and reach every rule and step.
func TestRun_Examples(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("../../examples")
	c, found := catalog.Load(tree)
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	list := bundletest.Run(tree, c.Bundles, newCalendar(t))
	var text strings.Builder
	if err := diag.PrintText(&text, list, tree, true); err != nil {
		t.Fatal(err)
	}
	if len(list) > 0 {
		t.Errorf("%d findings:\n%s", len(list), text.String())
	}
	for id, b := range c.Bundles {
		file, err := os.ReadFile("../../examples/" + bundletest.File(id))
		if err != nil {
			t.Fatal(err)
		}
		tests, _ := bundletest.Read(b, bundletest.File(id), file, newCalendar(t))
		if len(tests) < 20 {
			t.Errorf("%s has only %d tests", id, len(tests))
		}
	}
}

// The bundles of testdata/language use what the four matters do not: lists, repeated sections, materials for each
// element, either-or materials. Their tests pass and reach every rule and step.
func TestRun_Language(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("testdata/language")
	c, found := catalog.Load(tree)
	var text strings.Builder
	if err := diag.PrintText(&text, append(found, bundletest.Run(tree, c.Bundles, newCalendar(t))...), tree, true); err != nil {
		t.Fatal(err)
	}
	if text.Len() > 0 {
		t.Error(text.String())
	}
}
