package bundletest_test

import (
	"os"
	"slices"
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

// The tests of all bundles pass, make every rule fail, offer every tolerance and promise, and see each rule of the
// bundle's file both ways. Those of testdata/language use what few matters do.
func TestRun_Examples(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"../../examples", "testdata/language"} {
		tree := os.DirFS(root)
		c, found := catalog.Load(tree)
		if len(found) > 0 {
			t.Fatal(found)
		}
		if levels := countLevels(c); root == "../../examples" && (levels["PROVINCIAL"] != 8 || levels["COUNTY"] != 122) {
			t.Errorf("a county's catalogue has 8 provincial and 122 matters of its own, here are %v", levels)
		}
		for id, b := range c.Bundles {
			t.Run(id, func(t *testing.T) {
				t.Parallel()
				report := bundletest.Run(tree, b, newCalendar(t), nil)
				all := slices.Concat(report.Found, report.Unreached, report.Uncovered)
				for _, result := range report.Results {
					all = append(all, result.Failures...)
				}
				var text strings.Builder
				if err := (diag.Printer{Files: tree, All: true}).Print(&text, all); err != nil {
					t.Fatal(err)
				}
				if len(all) > 0 {
					t.Errorf("%d findings:\n%s", len(all), text.String())
				}
				if len(report.Results) < 5 {
					t.Errorf("only %d tests", len(report.Results))
				}
			})
		}
	}
}

func countLevels(c *catalog.Catalog) map[string]int {
	levels := map[string]int{}
	for _, b := range c.Bundles {
		levels[b.Level]++
	}
	return levels
}
