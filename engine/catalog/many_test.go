package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
)

// A tree with a thousand mistakes is reported whole, each at its place, in one order whoever was compiled first.
func TestLoad_ThousandMistakes(t *testing.T) {
	t.Parallel()
	const bundles, each = 40, 25
	texts := files()
	matter := texts[matterFile]
	delete(texts, matterFile)
	var wrong strings.Builder
	for i := range each {
		fmt.Fprintf(&wrong, "  - { id: wrong_%d, require: own.opens_%d, because: { zh: 甲 }, remedy: { zh: 乙 } }\n", i, i)
	}
	tree := fstest.MapFS{}
	for i := range bundles {
		id := fmt.Sprintf("matter_%02d", i)
		text := strings.Replace(strings.Replace(matter, "bundle: matter", "bundle: "+id, 1), "eligibility:\n", "eligibility:\n"+wrong.String(), 1)
		texts["bundles/"+id+"/bundle.yaml"] = text
	}
	for name, text := range texts {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	_, found := catalog.Load(tree)
	if len(found) != bundles*each {
		t.Fatalf("%d findings of %d mistakes: %v", len(found), bundles*each, found.Err())
	}
	first := strings.Count(matter[:strings.Index(matter, "eligibility:\n")], "\n") + 2
	for i, d := range found {
		want := fmt.Sprintf("bundles/matter_%02d/bundle.yaml:%d: rule-unknown-field", i/each, first+i%each)
		if got := fmt.Sprintf("%s:%d: %s", d.Span.File, d.Span.Start.Line, d.Code); got != want {
			t.Fatalf("finding %d is %s, want %s", i, got, want)
		}
	}
	var out strings.Builder
	if err := (diag.Printer{Files: tree, All: true}).Print(&out, found); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "error[rule-unknown-field]"); n != len(found) {
		t.Errorf("%d of %d findings are printed", n, len(found))
	}
}
