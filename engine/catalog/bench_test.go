package catalog_test

import (
	"os"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
)

// Loading and compiling every bundle of the examples.
func BenchmarkLoad(b *testing.B) {
	tree := os.DirFS("../../examples")
	var n int
	for b.Loop() {
		c, found := catalog.Load(tree)
		if found.Err() != nil {
			b.Fatal(found)
		}
		n = len(c.Bundles)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(n), "ms/bundle")
}
