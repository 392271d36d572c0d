package docs_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Each package has a row in the import table that says what of ours it may import, so that a new one is not free to
// import everything because nobody thought of it.
func TestImportTable_Complete(t *testing.T) {
	t.Parallel()
	const ours = "github.com/siyiban/onething"
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files []string
						Deny  []struct{ Pkg string }
					}
				}
			}
		}
	}
	text, err := os.ReadFile("../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	rows := map[string][]*regexp.Regexp{}
	for name, rule := range config.Linters.Settings.Depguard.Rules {
		for _, deny := range rule.Deny {
			if deny.Pkg != ours {
				continue
			}
			for _, file := range rule.Files {
				rows[name] = append(rows[name], pattern(t, file))
			}
		}
	}
	governed := map[string]bool{}
	packages := 0
	err = fs.WalkDir(os.DirFS(".."), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (file == "tools" || file == "build" || d.Name() == "testdata" || file != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || governed[path.Dir(file)]:
			return nil
		}
		governed[path.Dir(file)] = true
		packages++
		governs := false
		for _, files := range rows {
			governs = governs || slices.ContainsFunc(files, func(p *regexp.Regexp) bool { return p.MatchString(file) })
		}
		if !governs {
			t.Errorf("%s has no row in the table of .golangci.yml that denies %s", path.Dir(file), ours)
		}
		return nil
	})
	if err != nil || packages < 40 {
		t.Errorf("%d packages, %v", packages, err)
	}
}

// pattern is a list of files as depguard takes it; one that only excludes has none.
func pattern(t *testing.T, glob string) *regexp.Regexp {
	t.Helper()
	inside, ok := strings.CutPrefix(glob, "${base-path}/")
	if !ok {
		return regexp.MustCompile(`^\z.`)
	}
	text := regexp.QuoteMeta(inside)
	for _, replace := range [][2]string{{`\*\*/`, `.*/`}, {`\*`, `[^/]*`}, {`\{`, `(`}, {`\}`, `)`}, {`,`, `|`}} {
		text = strings.ReplaceAll(text, replace[0], replace[1])
	}
	p, err := regexp.Compile(`^` + text + `$`)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
