package compare_test

import (
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/compare"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/kind"
)

// BenchmarkBundles compares every pair of the planted changes, from the tests of the bundle as `onething diff` does.
// "assess" assesses each of these tests once in both versions, to hold it against.
func BenchmarkBundles(b *testing.B) {
	days := published(b)
	type pair struct {
		old, after *catalog.Bundle
		seeds      []compare.Seed
	}
	var pairs []pair
	for _, p := range table() {
		old := version(b, p, false)
		pairs = append(pairs, pair{old, version(b, p, true), seeds(b, old, days)})
	}
	b.Run("assess", func(b *testing.B) {
		for b.Loop() {
			for _, p := range pairs {
				for _, v := range []*catalog.Bundle{p.old, p.after} {
					selection, err := catalog.Select(v)
					if err != nil {
						b.Fatal(err)
					}
					for _, s := range p.seeds {
						guide.Assess(selection, s.Record, s.Setting)
					}
				}
			}
		}
	})
	b.Run("diff", func(b *testing.B) {
		for b.Loop() {
			for _, p := range pairs {
				if _, err := compare.Bundles(p.old, p.after, p.seeds, guide.Setting{Today: kind.MustDate("2026-03-16"), Place: "321323", Calendar: days}); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(len(pairs)), "ms/pair")
	})
}
