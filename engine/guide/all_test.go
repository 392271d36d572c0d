package guide_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/examples/holidays"
)

// All bundles of the examples can be asked about together, and none is judged otherwise than alone: over records that
// were written for one of them, and for all others are mostly empty.
func TestAssess_AllTogether(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("../../examples")
	c, found := catalog.Load(tree)
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	ids := slices.Sorted(maps.Keys(c.Bundles))
	var bundles []*catalog.Bundle
	alone := make([]*catalog.Selection, len(ids))
	for i, id := range ids {
		bundles = append(bundles, c.Bundles[id])
		var err error
		if alone[i], err = catalog.Select(c.Bundles[id]); err != nil {
			t.Fatal(err)
		}
	}
	all, err := catalog.Select(bundles...)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(ids); i += 13 {
		text, err := os.ReadFile("../../examples/" + bundletest.File(ids[i]))
		if err != nil {
			t.Fatal(err)
		}
		tests, found := bundletest.Read(c.Bundles[ids[i]], bundletest.File(ids[i]), text, days)
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		test := tests[0]
		together := guide.Assess(all, test.Record, test.Setting)
		if got := together.Case(ids[i]).Verdict; got != guide.Eligible {
			t.Errorf("the usual record of %s is %s beside all others", ids[i], got)
		}
		for j, id := range ids {
			if one := guide.Assess(alone[j], test.Record, test.Setting); !reflect.DeepEqual(one.Cases[0], together.Cases[j]) {
				t.Errorf("over the record of %s, %s is %s alone and %s beside all others", ids[i], id, one.Cases[0].Verdict, together.Cases[j].Verdict)
			}
		}
	}
}
