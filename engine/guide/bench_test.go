package guide_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
)

// What an assessment costs, per matter: of a whole record, of one in which half of the answers are missing, and of none.
func BenchmarkAssess(b *testing.B) {
	for _, m := range newMatters(b) {
		whole := m.tests[0].Record
		half := forms.Record{}
		i := 0
		for p, v := range whole.All() {
			if i++; i%2 == 0 {
				half = half.With(p, v)
			}
		}
		for _, bench := range []struct {
			name   string
			record forms.Record
		}{{"whole", whole}, {"half", half}, {"empty", forms.Record{}}} {
			b.Run(m.bundle.ID+"/"+bench.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					guide.Assess(m.selection, bench.record, m.tests[0].Setting)
				}
			})
		}
	}
}

// What "what could I apply for?" costs: every bundle of the examples at once, over a record that answers what they ask
// alike, and over none.
func BenchmarkAssessAll(b *testing.B) {
	c, found := catalog.Load(os.DirFS("../../examples"))
	if err := found.Err(); err != nil {
		b.Fatal(err)
	}
	var bundles []*catalog.Bundle
	for _, id := range slices.Sorted(maps.Keys(c.Bundles)) {
		bundles = append(bundles, c.Bundles[id])
	}
	selection, err := catalog.Select(bundles...)
	if err != nil {
		b.Fatal(err)
	}
	setting := newMatters(b)[0].tests[0].Setting
	some := forms.Record{}
	for _, m := range newMatters(b) {
		some = some.Merge(m.tests[0].Record)
	}
	for name, record := range map[string]forms.Record{"some": some, "empty": {}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				guide.Assess(selection, record, setting)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(bundles)), "µs/bundle")
		})
	}
}
