package catalog_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
)

// The example bundles load without a finding.
func TestLoad_Examples(t *testing.T) {
	t.Parallel()
	c, found := catalog.Load(os.DirFS("../../examples"))
	for _, d := range found {
		t.Errorf("%s:%d:%d %s[%s]: %s (%s)", d.Span.File, d.Span.Start.Line, d.Span.Start.Column, d.Severity, d.Code, d.Message, d.Hint)
	}
	for _, id := range []string{"newborn", "first_employment", "retirement", "after_death"} {
		if c.Bundles[id] == nil {
			t.Errorf("the bundle %s did not load", id)
		}
	}
}

// A bundle that would not be read is told: under another name, or in no folder of its own. Other files are nobody's.
func TestLoad_Strays(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"library/departments.yaml": {Data: []byte("library: departments\ndepartments: [{ department: market, name: { zh: 局 } }]\n")}}
	for _, name := range []string{"bundles/a/bundle.yaml.txt", "bundles/b/Bundle.yaml", "bundles/c/tests.yaml", "bundles/d.yaml", "bundles/e/notes.md", "bundles/README.md"} {
		tree[name] = &fstest.MapFile{Data: []byte("bundle: a\n")}
	}
	told := func(found diag.List) []string {
		var all []string
		for _, d := range found {
			all = append(all, d.Span.File+" "+d.Code+" "+d.Hint)
		}
		return all
	}
	_, found := catalog.Load(tree)
	want := []string{"bundles/a/bundle.yaml.txt bundle-file rename it to bundle.yaml", "bundles/b/Bundle.yaml bundle-file rename it to bundle.yaml",
		"bundles/c/tests.yaml bundle-file write bundle.yaml beside it", "bundles/d.yaml bundle-file move it to bundles/d/bundle.yaml"}
	if diff := cmp.Diff(want, told(found)); diff != "" {
		t.Errorf("of the tree (-want +got):\n%s", diff)
	}
	_, found = catalog.LoadOnly(tree, "b")
	if diff := cmp.Diff(want[1:2], told(found)); diff != "" {
		t.Errorf("of one folder (-want +got):\n%s", diff)
	}
}
