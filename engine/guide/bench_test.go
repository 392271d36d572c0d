package guide_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
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

// What a changed answer costs where every bundle is asked about, by how many bundles have the question.
func BenchmarkReassess(b *testing.B) {
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
	matters := newMatters(b)
	some := forms.Record{}
	for _, m := range matters {
		some = some.Merge(m.tests[0].Record)
	}
	before := guide.Assess(selection, some, matters[0].tests[0].Setting)
	for _, bench := range []struct {
		path forms.Path
		to   kind.Value
	}{
		{"own.newborn.insured", kind.Bool(false)},
		{"form.newborn.birth_date", kind.MustDate("2025-01-02")},
		{"form.applicant.name", kind.Text("乙")},
		{"form.applicant.birth", kind.MustDate("1990-01-02")},
		{"form.applicant.hukou", kind.Choice("elsewhere")},
	} {
		after := some.With(bench.path, bench.to)
		b.Run(fmt.Sprintf("%s/%d", bench.path, len(selection.AskersOf(bench.path))), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a := guide.Reassess(before, after)
				if _, err := guide.Change(before, a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
