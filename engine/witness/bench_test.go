package witness_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/witness"
)

// BenchmarkCheck is what `onething check` adds to loading: every bundle of the examples searched for what its rules can
// never say. "load" is the loading, to hold it against.
func BenchmarkCheck(b *testing.B) {
	tree := os.DirFS("../../examples")
	c, found := catalog.Load(tree)
	if len(found) > 0 {
		b.Fatal(found)
	}
	setting := newSetting(b)
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, found := catalog.Load(tree); len(found) > 0 {
				b.Fatal(found)
			}
		}
	})
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			for _, id := range slices.Sorted(maps.Keys(c.Bundles)) {
				if found := witness.Check(c.Bundles[id], setting); len(found) > 0 {
					b.Fatal(found)
				}
			}
		}
	})
}
