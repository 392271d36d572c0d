// Package docs_test keeps the documentation true: pages that are made from the bundles, and pages that must name all
// of something.
package docs_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
)

var update = flag.Bool("update", false, "rewrite the pages that are made by tests")

// The pages of needs, one a bundle, are what the bundles say. `go test ./docs -update` writes them anew.
func TestNeeds(t *testing.T) {
	t.Parallel()
	c, found := catalog.Load(os.DirFS("../examples"))
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	pages, err := os.ReadDir("needs")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if c.Bundles[strings.TrimSuffix(page.Name(), ".md")] == nil {
			t.Errorf("needs/%s is the page of no bundle", page.Name())
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Bundles)) {
		page := needsOf(t, c.Bundles[id], c.Files[id]["bundle.yaml"])
		name := "needs/" + id + ".md"
		if *update {
			if err := os.WriteFile(name, []byte(page), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		committed, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(page, "\n")); diff != "" {
			t.Errorf("%s is stale, run go test ./docs -update (-committed +made):\n%s", name, diff)
		}
	}
}

// need is one line of a step's needs: what, in the order of the form, and why.
type need struct{ path, name, why string }

func needsOf(t *testing.T, b *catalog.Bundle, text []byte) string {
	t.Helper()
	why := reasons(t, text)
	byStep := map[string][]need{}
	for _, s := range b.Steps {
		for _, p := range s.Fields {
			f := b.Field(p)
			name := f.Name.ZH
			if f.Section != nil {
				name = f.Section.Name.ZH + "：" + name
			}
			if name == "" {
				name = "—"
			}
			columns, partly := s.Columns[p]
			if !partly {
				byStep[s.ID] = append(byStep[s.ID], need{spelled(b, p), name, why.of(s, spelled(b, p))})
			}
			for _, column := range columns {
				path := spelled(b, p) + "." + column
				byStep[s.ID] = append(byStep[s.ID], need{path, name + "：" + f.Cell(column).Name.ZH, why.of(s, path)})
			}
		}
		for _, p := range s.Results {
			parts := p.Segments()
			earlier := b.Step(parts[1])
			i := slices.IndexFunc(earlier.Result, func(f *catalog.Field) bool { return f.ID == parts[2] })
			byStep[s.ID] = append(byStep[s.ID], need{string(p), earlier.Name.ZH + "：" + earlier.Result[i].Name.ZH, why.of(s, strings.TrimPrefix(string(p), "results."))})
		}
		for _, n := range s.Materials {
			byStep[s.ID] = append(byStep[s.ID], need{"material " + n.Material.ID, n.Material.Name.ZH, why.of(s, n.Material.ID)})
		}
		for _, n := range byStep[s.ID] {
			if n.why == "" {
				t.Errorf("%s: nobody says why the step %s needs %s", b.ID, s.ID, n.path)
			}
		}
	}
	return matrix(b, byStep) + steps(b, byStep)
}

// spelled is a path as a need writes it.
func spelled(b *catalog.Bundle, p forms.Path) string {
	if field, own := strings.CutPrefix(string(p), "own."+b.ID+"."); own {
		return "own." + field
	}
	return strings.TrimPrefix(string(p), "form.")
}

// matrix has a line for each need and a column for each department; a cell names the steps.
func matrix(b *catalog.Bundle, byStep map[string][]need) string {
	departments := b.Departments()
	var page strings.Builder
	fmt.Fprintf(&page, "# %s — %s\n\n| | ", b.ID, b.Name.ZH)
	for _, d := range departments {
		fmt.Fprintf(&page, "| %s ", d.Name.ZH)
	}
	page.WriteString("|\n|---|---" + strings.Repeat("|---", len(departments)) + "|\n")
	var order []need
	cells := map[string]map[*catalog.Department][]string{}
	for _, s := range b.Steps {
		for _, n := range byStep[s.ID] {
			if cells[n.path] == nil {
				cells[n.path] = map[*catalog.Department][]string{}
				order = append(order, n)
			}
			cells[n.path][s.Department] = append(cells[n.path][s.Department], s.ID)
		}
	}
	slices.SortStableFunc(order, func(x, y need) int { return strings.Compare(x.path, y.path) })
	for _, n := range order {
		fmt.Fprintf(&page, "| `%s` | %s ", n.path, n.name)
		for _, d := range departments {
			fmt.Fprintf(&page, "| %s ", strings.Join(cells[n.path][d], ", "))
		}
		page.WriteString("|\n")
	}
	return page.String()
}

// steps has a table for each step: what it needs, and why.
func steps(b *catalog.Bundle, byStep map[string][]need) string {
	var page strings.Builder
	for _, s := range b.Steps {
		fmt.Fprintf(&page, "\n**`%s` %s** (%s)\n\n| need | why |\n|---|---|\n", s.ID, s.Name.ZH, s.Department.Name.ZH)
		for _, n := range byStep[s.ID] {
			fmt.Fprintf(&page, "| `%s` | %s |\n", n.path, n.why)
		}
	}
	return page.String()
}

// why says, by step and need as it is written, what an officer needs it for.
type why map[string]map[string]string

// of is the reason of one need; of a whole section's, if the section is what the step names.
func (w why) of(s *catalog.Step, name string) string {
	alias, _, _ := strings.Cut(name, ".")
	for _, written := range []string{name, alias} {
		if reason := w[s.ID][written]; reason != "" {
			return "an officer: " + reason
		}
	}
	if s.Plugin != "" {
		return "the plugin `" + s.Plugin + "`"
	}
	return ""
}

// reasons reads what stands behind `# officer:` on the lines of a bundle's needs.
func reasons(t *testing.T, text []byte) why {
	t.Helper()
	var b struct {
		Steps []struct {
			ID    string               `yaml:"id"`
			Needs map[string]yaml.Node `yaml:"needs"`
		} `yaml:"steps"`
	}
	if err := yaml.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	all := why{}
	for _, s := range b.Steps {
		all[s.ID] = map[string]string{}
		for _, list := range s.Needs {
			for _, n := range list.Content {
				name := n.Value
				for i := 0; i+1 < len(n.Content); i += 2 {
					if n.Content[i].Value == "use" {
						name = n.Content[i+1].Value
					}
				}
				all[s.ID][name] = officer(n)
			}
		}
	}
	return all
}

func officer(n *yaml.Node) string {
	if _, reason, ok := strings.Cut(n.LineComment, "# officer:"); ok {
		return strings.TrimSpace(reason)
	}
	for _, child := range n.Content {
		if reason := officer(child); reason != "" {
			return reason
		}
	}
	return ""
}
