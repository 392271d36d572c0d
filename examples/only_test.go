package examples_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/examples"
)

// The narrowed tree holds the libraries, the bundles asked for whole, and nothing of any other.
func TestOnly(t *testing.T) {
	t.Parallel()
	tree := examples.Only("newborn", "retirement")
	names := func(tree fs.FS, pattern string) []string {
		names, err := fs.Glob(tree, pattern)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	want := []string{"bundles/newborn/bundle.yaml", "bundles/newborn/tests.yaml", "bundles/retirement/bundle.yaml", "bundles/retirement/tests.yaml"}
	if diff := cmp.Diff(want, names(tree, "bundles/*/*")); diff != "" {
		t.Errorf("bundles (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(names(examples.Tree(), "library/*"), names(tree, "library/*")); diff != "" {
		t.Errorf("libraries (-want +got):\n%s", diff)
	}
	if _, err := fs.ReadFile(tree, "bundles/newborn/bundle.yaml"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"bundles/after_death", "bundles/after_death/bundle.yaml"} {
		if _, err := fs.Stat(tree, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fs.ReadDir(tree, "bundles/after_death"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder: %v", err)
	}
}
