package witness_test

import (
	"os"
	"strings"
	"testing"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms/kind"
)

func newSetting(t testing.TB) guide.Setting {
	t.Helper()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return guide.Setting{Today: kind.MustDate("2026-03-16"), Place: "321323", Calendar: days}
}

// No warning of the bundles that are right.
func TestCheck_Examples(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("../../examples")
	c, found := catalog.Load(tree)
	if len(found) > 0 {
		t.Fatal(found)
	}
	for id, b := range c.Bundles {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			if err := (diag.Printer{Files: tree, All: true}).Print(&text, witness.Check(b, newSetting(t))); err != nil {
				t.Fatal(err)
			}
			if text.Len() > 0 {
				t.Error(text.String())
			}
		})
	}
}
