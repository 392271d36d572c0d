// Package needs holds the plugins against the bundles that name them, for the plugins' tests: the fields and results
// that a step declares that it needs, the parameters that are published, and the result that the step promises. A need
// that is removed from a bundle, and one that neither a plugin reads nor an officer is said to read, then fail.
package needs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

// bundle is the part of a bundle that says who needs what.
type bundle struct {
	Bundle string `yaml:"bundle"`
	Steps  []step `yaml:"steps"`
}

// step is the part of a step that concerns its plugin.
type step struct {
	ID     string `yaml:"id"`
	Plugin string `yaml:"plugin"`
	Needs  struct {
		Fields    []yaml.Node `yaml:"fields"`
		Results   []yaml.Node `yaml:"results"`
		Materials []yaml.Node `yaml:"materials"`
	} `yaml:"needs"`
	Result struct {
		Fields []resultField `yaml:"fields"`
	} `yaml:"result"`
}

// resultField is a field of a step's result.
type resultField struct {
	Field    string `yaml:"field"`
	Kind     string `yaml:"kind"`
	Required bool   `yaml:"required"`
}

// library is the part of a library file that publishes parameters.
type library struct {
	Parameters []struct {
		Param string `yaml:"param"`
		Kind  string `yaml:"kind"`
	} `yaml:"parameters"`
}

// Hold fails the test unless in the examples, which lie two directories above the plugin's,
//
//   - every path that a case reads is a need of its step, and every need is read by a case or has a line that says why
//     an officer needs it (`# officer: …`); a material always has such a line, as the example plugins read none;
//   - every parameter that a case gives the plugin is published by the library, of the same kind;
//   - every result of an approval is declared by its step, of the same kind, and every required one is there.
func Hold(t *testing.T, p plugin.Plugin, id string, cases []plugintest.Case) {
	t.Helper()
	steps := load(t, filepath.Join("..", "..", "bundles"), id)
	all, officers := declared(steps)
	plugintest.CheckNeeds(t, p, all, officers, cases)
	var lib library
	read(t, filepath.Join("..", "..", "library", "parameters.yaml"), &lib)
	for _, fault := range slices.Concat(checkMaterials(steps), checkResults(steps, cases), checkParameters(lib, cases)) {
		t.Error(fault)
	}
}

func read(t testing.TB, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a file of the examples
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// load returns the steps that name the plugin.
func load(t testing.TB, directory, id string) map[plugintest.Step]step {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(directory, "*", "bundle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	steps := map[plugintest.Step]step{}
	for _, file := range files {
		var b bundle
		read(t, file, &b)
		for _, s := range b.Steps {
			if s.Plugin == id {
				steps[plugintest.Step{Bundle: b.Bundle, Step: s.ID}] = s
			}
		}
	}
	if len(steps) == 0 {
		t.Fatalf("no step of a bundle in %s names the plugin %s", directory, id)
	}
	return steps
}

// declared are the needs of the steps as a call has their paths, and those of them that an officer has.
func declared(steps map[plugintest.Step]step) (plugintest.Needs, map[plugintest.Step]map[string]string) {
	all, officers := plugintest.Needs{}, map[plugintest.Step]map[string]string{}
	for name, s := range steps {
		officers[name] = map[string]string{}
		add := func(path string, node *yaml.Node) {
			all[name] = append(all[name], path)
			if why := reason(node); why != "" {
				officers[name][path] = why
			}
		}
		for i := range s.Needs.Fields {
			add(fieldPath(s.Needs.Fields[i].Value), &s.Needs.Fields[i])
		}
		for i := range s.Needs.Results {
			add("results."+s.Needs.Results[i].Value, &s.Needs.Results[i])
		}
	}
	return all, officers
}

func checkMaterials(steps map[plugintest.Step]step) (faults []string) {
	for name, s := range steps {
		for i := range s.Needs.Materials {
			if node := &s.Needs.Materials[i]; reason(node) == "" {
				faults = append(faults, fmt.Sprintf("step %s of bundle %s: line %d does not say why an officer needs the material", name.Step, name.Bundle, node.Line))
			}
		}
	}
	return faults
}

func checkResults(steps map[plugintest.Step]step, cases []plugintest.Case) (faults []string) {
	for _, c := range cases {
		s, ours := steps[plugintest.Step{Bundle: c.Bundle, Step: c.Step}]
		if !ours || c.Want.Outcome != plugin.Approved {
			continue
		}
		kinds := map[string]string{}
		for _, f := range s.Result.Fields {
			kinds[f.Field] = f.Kind
			if _, ok := c.Want.Result[f.Field]; f.Required && !ok {
				faults = append(faults, fmt.Sprintf("case %s: the required result %s is missing", c.Name, f.Field))
			}
		}
		for field, v := range c.Want.Result {
			if kinds[field] != kind(v) {
				faults = append(faults, fmt.Sprintf("case %s: result %s is %s, the bundle says %q", c.Name, field, kind(v), kinds[field]))
			}
		}
	}
	return faults
}

func checkParameters(lib library, cases []plugintest.Case) (faults []string) {
	kinds := map[string]string{}
	for _, p := range lib.Parameters {
		kinds[p.Param] = p.Kind
	}
	for _, c := range cases {
		for id, v := range c.Parameters {
			if kinds[id] != kind(v) {
				faults = append(faults, fmt.Sprintf("case %s: parameter %s is %s, the library says %q", c.Name, id, kind(v), kinds[id]))
			}
		}
		for id, values := range c.Published {
			for _, v := range values {
				if kinds[id] != kind(v.Value) {
					faults = append(faults, fmt.Sprintf("case %s: published parameter %s is %s, the library says %q", c.Name, id, kind(v.Value), kinds[id]))
				}
			}
		}
	}
	return faults
}

// kind is the kind of a value in the bundle language.
func kind(v plugin.Value) string {
	switch v.(type) {
	case plugin.Text:
		return "TEXT"
	case plugin.Bool:
		return "BOOL"
	case plugin.Int:
		return "INT"
	case plugin.Decimal:
		return "DECIMAL"
	case plugin.Money:
		return "MONEY"
	case plugin.Date:
		return "DATE"
	case plugin.CitizenNumber:
		return "CITIZEN_NUMBER"
	default:
		return fmt.Sprintf("%T", v)
	}
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
