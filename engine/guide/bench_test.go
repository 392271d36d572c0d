package guide_test

import (
	"testing"

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
