package catalog_test

import (
	"io/fs"
	"os"
	"path"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
)

// BenchmarkCheck is the whole tree of the examples, and one bundle of it as `onething check` reads a changed file.
func BenchmarkCheck(b *testing.B) {
	tree := os.DirFS("../../examples")
	names, err := fs.Glob(tree, "bundles/*/bundle.yaml")
	if err != nil || len(names) == 0 {
		b.Fatal(err)
	}
	b.Run("tree", func(b *testing.B) {
		for b.Loop() {
			if _, found := catalog.Load(tree); len(found) > 0 {
				b.Fatal(found)
			}
		}
		b.ReportMetric(float64(len(names)), "bundles")
	})
	b.Run("one", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			id := path.Base(path.Dir(names[i%len(names)]))
			if _, found := catalog.LoadOnly(tree, id); len(found) > 0 {
				b.Fatal(found)
			}
		}
	})
}

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
