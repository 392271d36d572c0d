package guide_test

import (
	"reflect"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
)

// All bundles of the examples can be asked about together, and none is judged otherwise than alone: over records that
// were written for one of them, and for all others are mostly empty.
func TestAssess_AllTogether(t *testing.T) {
	t.Parallel()
	matters := every130(t)
	var bundles []*catalog.Bundle
	for _, m := range matters {
		bundles = append(bundles, m.bundle)
	}
	all, err := catalog.Select(bundles...)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(matters); i += 13 {
		m := matters[i]
		test := m.tests[0]
		together := guide.Assess(all, test.Record, test.Setting)
		if got := together.Cases[i].Verdict; got != guide.Eligible {
			t.Errorf("the usual record of %s is %s beside all others", m.bundle.ID, got)
		}
		for j, other := range matters {
			if one := guide.Assess(other.selection, test.Record, test.Setting); !reflect.DeepEqual(one.Cases[0], together.Cases[j]) {
				t.Errorf("over the record of %s, %s is %s alone and %s beside all others", m.bundle.ID, other.bundle.ID, one.Cases[0].Verdict, together.Cases[j].Verdict)
			}
		}
	}
}
