// Package needs reads from the bundles what the steps of a plugin declare that they need, for the plugins' tests:
// a need that is removed from a bundle, and one that neither a plugin reads nor an officer is said to read, then fail.
package needs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/siyiban/onething/sdk/go/plugintest"
)

// bundle is the part of a bundle that says who needs what.
type bundle struct {
	Bundle string `yaml:"bundle"`
	Steps  []struct {
		ID     string `yaml:"id"`
		Plugin string `yaml:"plugin"`
		Needs  struct {
			Fields    []yaml.Node `yaml:"fields"`
			Results   []yaml.Node `yaml:"results"`
			Materials []yaml.Node `yaml:"materials"`
		} `yaml:"needs"`
	} `yaml:"steps"`
}

// Of returns the needs of every step that names the plugin, in the bundles of a directory, and those among them whose
// line says why an officer needs it (`# officer: …`). A material that no line explains is an error, as the example
// plugins read none.
func Of(t testing.TB, directory, plugin string) (plugintest.Needs, map[plugintest.Step]map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(directory, "*", "bundle.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no bundles in %s: %v", directory, err)
	}
	all, officers := plugintest.Needs{}, map[plugintest.Step]map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // found in the directory that the test names
		if err != nil {
			t.Fatal(err)
		}
		var b bundle
		if err := yaml.Unmarshal(text, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, s := range b.Steps {
			if s.Plugin != plugin {
				continue
			}
			step := plugintest.Step{Bundle: b.Bundle, Step: s.ID}
			officers[step] = map[string]string{}
			add := func(path string, node *yaml.Node) {
				all[step] = append(all[step], path)
				if why := reason(node); why != "" {
					officers[step][path] = why
				}
			}
			for i := range s.Needs.Fields {
				add(fieldPath(s.Needs.Fields[i].Value), &s.Needs.Fields[i])
			}
			for i := range s.Needs.Results {
				add("results."+s.Needs.Results[i].Value, &s.Needs.Results[i])
			}
			for i := range s.Needs.Materials {
				if reason(&s.Needs.Materials[i]) == "" {
					t.Errorf("%s:%d: step %s: the line does not say why an officer needs this material", file, s.Needs.Materials[i].Line, s.ID)
				}
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("no step of a bundle names the plugin %s", plugin)
	}
	return all, officers
}

// fieldPath is the path of an answer as a call has it: a bundle's own fields keep theirs.
func fieldPath(need string) string {
	if strings.HasPrefix(need, "own.") {
		return need
	}
	return "form." + need
}

// reason is what a line says behind `# officer:`.
func reason(node *yaml.Node) string {
	if _, why, ok := strings.Cut(node.LineComment, "# officer:"); ok {
		return strings.TrimSpace(why)
	}
	for _, child := range node.Content {
		if why := reason(child); why != "" {
			return why
		}
	}
	return ""
}
