package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/internal/mutants/guarantee"
)

// The page of guarantees is made of the list that `make mutants` works through; each mechanism stands where the list says,
// once, and its test exists. `go test ./docs -update` writes the page anew.
func TestGuarantees(t *testing.T) {
	t.Parallel()
	chapters, err := guarantee.Read("guarantees.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	page.WriteString("# What the engine guarantees\n\n" +
		"Made from [guarantees.yaml](guarantees.yaml) by `go test ./docs -update`; a test fails when it is stale. `make mutants` takes\n" +
		"each mechanism away in turn and expects its test to turn red.\n")
	for _, c := range chapters {
		fmt.Fprintf(&page, "\n## %s\n\n| promise | mechanism | test |\n|---|---|---|\n", c.Chapter)
		for _, g := range c.Guarantees {
			text, err := os.ReadFile(filepath.Join("..", g.File))
			if err != nil {
				t.Error(err)
				continue
			}
			if n := strings.Count(string(text), g.Code); n != 1 {
				t.Errorf("%s: its mechanism stands %d times in %s: %s", g.Promise, n, g.File, g.Code)
			}
			if !testExists(t, g) {
				t.Errorf("%s: %s has no test %s", g.Promise, g.Package, g.Test)
			}
			fmt.Fprintf(&page, "| %s | %s ([%s](../%s)) | `%s` in `%s` |\n", g.Promise, g.Mechanism, filepath.Base(g.File), g.File, strings.ReplaceAll(g.Test, "|", "\\|"), strings.TrimPrefix(g.Package, "./"))
		}
	}
	const name = "guarantees.md"
	if *update {
		if err := os.WriteFile(name, []byte(page.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(page.String(), "\n")); diff != "" {
		t.Errorf("%s is stale, run go test ./docs -update (-committed +made):\n%s", name, diff)
	}
}

func testExists(t *testing.T, g guarantee.Guarantee) bool {
	t.Helper()
	name, _, _ := strings.Cut(g.Test, "/") // a script is a file
	pattern, err := regexp.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("..", g.Package, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			if pattern.MatchString(found[1]) {
				return true
			}
		}
	}
	return false
}
