package catalog_test

import (
	"os"
	"path"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
)

// Whatever stands in a file, it is either a bundle or a list of errors; both are told apart, and nothing panics.
func FuzzParseBundle(f *testing.F) {
	texts := files()
	library, found := catalog.ParseLibrary(libraryFiles(texts))
	if err := found.Err(); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(texts[matterFile]))
	for _, id := range []string{"newborn", "first_employment", "retirement", "after_death"} {
		text, err := os.ReadFile("../../examples/bundles/" + id + "/bundle.yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{"", "bundle: a", "- a", "a: &a [*a]", "? {a: b}\n: c", "\"\\\n", "a: |\n", "form: [{}]\nown: [{}]\nsteps: [{ needs: {} }]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, found := catalog.ParseBundle(library, matterFile, text)
		if (b == nil) != (found.Err() != nil) {
			t.Errorf("a bundle (%t) and errors (%v)", b != nil, found.Err())
		}
		for _, d := range found {
			if d.Span.Start.Line < 1 || d.Span.Start.Column < 1 || d.Message == "" || d.Code == "" {
				t.Errorf("a finding without place, code or message: %+v", d)
			}
		}
	})
}

func FuzzParseLibrary(f *testing.F) {
	for _, text := range libraryFiles(files()) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if l, _ := catalog.ParseLibrary(map[string][]byte{"x.yaml": text}); l == nil {
			t.Error("no library")
		}
	})
}

func libraryFiles(texts map[string]string) map[string][]byte {
	library := map[string][]byte{}
	for name, text := range texts {
		if path.Dir(name) == "library" {
			library[path.Base(name)] = []byte(text)
		}
	}
	return library
}
