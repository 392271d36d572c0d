package witness_test

import (
	"os"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// Of each condition of a matter a record is found that meets it and one that does not; what is found is so, and a search
// that is cut short says nothing.
func TestSearch(t *testing.T) {
	t.Parallel()
	c, found := catalog.LoadOnly(os.DirFS("../../examples"), "newborn")
	if len(found) > 0 {
		t.Fatal(found)
	}
	b, setting := c.Bundles["newborn"], newSetting(t)
	d, start := witness.New(b), witness.Start{Setting: setting}
	for _, r := range b.Eligibility {
		for _, want := range []rule.Truth{rule.True, rule.False} {
			t.Run(r.ID+" "+want.String(), func(t *testing.T) {
				t.Parallel()
				goal := func(record forms.Record, setting guide.Setting) rule.Outcome {
					o := guide.NewTrace(b, record, setting).Condition(r)
					switch o.Truth {
					case want:
						return rule.Outcome{Truth: rule.True}
					case rule.Unknown:
						return o
					default:
						return rule.Outcome{Truth: rule.False}
					}
				}
				w, result := d.Search(goal, 2000, start)
				if result != witness.Found {
					t.Fatalf("result %d", result)
				}
				if got := guide.NewTrace(b, w.Record, w.Setting).Condition(r).Truth; got != want {
					t.Errorf("the record makes it %s", got)
				}
				for _, v := range guide.NewTrace(b, w.Record, w.Setting).Faults() {
					if v.Code != "check" {
						t.Errorf("the record has a fault at %s: %s", v.Path, v.Code)
					}
				}
				if _, result := d.Search(goal, 1, start); result != witness.GaveUp {
					t.Errorf("with a budget of one the result is %d", result)
				}
			})
		}
	}
	t.Run("no record", func(t *testing.T) {
		t.Parallel()
		wedlock := forms.Path("own.newborn.wedlock")
		_, result := d.Search(func(r forms.Record, _ guide.Setting) rule.Outcome {
			if v, _ := r.Get(wedlock); v == nil {
				return rule.Outcome{Causes: []forms.Cause{{Kind: forms.CauseAnswer, Path: wedlock}}}
			}
			return rule.Outcome{Truth: rule.False}
		}, 100, start)
		if result != witness.None {
			t.Errorf("result %d", result)
		}
	})
	t.Run("what is not tried is no answer", func(t *testing.T) {
		t.Parallel()
		_, result := d.Search(func(forms.Record, guide.Setting) rule.Outcome {
			return rule.Outcome{Causes: []forms.Cause{{Kind: forms.CauseResult, Path: "results.certificate.number"}}}
		}, 100, start)
		if result != witness.GaveUp {
			t.Errorf("result %d", result)
		}
	})
}
