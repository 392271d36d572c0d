package needs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

const text = `bundle: matter
steps:
  - id: ours
    plugin: office/step
    needs:
      fields:
        - person.name
        - person.phone   # officer: asks back
        - own.kind
      results: [earlier.number]
      materials:
        - { use: proof, before: RESULT }   # officer: reads it
        - other_proof
    result: { fields: [{ field: on, kind: DATE, required: true }, { field: sum, kind: MONEY }] }
  - { id: other, plugin: office/another, needs: { fields: [person.birth] } }
`

var ours = plugintest.Step{Bundle: "matter", Step: "ours"}

func steps(t *testing.T) map[plugintest.Step]step {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "matter"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "matter", "bundle.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return load(t, dir, "office/step")
}

func TestDeclared(t *testing.T) {
	t.Parallel()
	all, officers := declared(steps(t))
	if diff := cmp.Diff(plugintest.Needs{ours: {"form.person.name", "form.person.phone", "own.kind", "results.earlier.number"}}, all); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[plugintest.Step]map[string]string{ours: {"form.person.phone": "asks back"}}, officers); diff != "" {
		t.Error(diff)
	}
}

func TestCheckMaterials(t *testing.T) {
	t.Parallel()
	if got := checkMaterials(steps(t)); len(got) != 1 {
		t.Errorf("faults %q, want one, for other_proof", got)
	}
}

func TestCheckResults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		result plugin.Values
		want   int
	}{
		{"fits", plugin.Values{"on": plugin.MustDate("2026-03-02"), "sum": plugin.Money(1)}, 0},
		{"the required one is enough", plugin.Values{"on": plugin.MustDate("2026-03-02")}, 0},
		{"the required one is missing", plugin.Values{"sum": plugin.Money(1)}, 1},
		{"another kind", plugin.Values{"on": plugin.MustDate("2026-03-02"), "sum": plugin.Int(1)}, 1},
		{"not declared", plugin.Values{"on": plugin.MustDate("2026-03-02"), "by": plugin.Text("x")}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := plugintest.Case{Name: "c", Bundle: "matter", Step: "ours", Want: plugintest.Want{Outcome: plugin.Approved, Result: tt.result}}
			if got := checkResults(steps(t), []plugintest.Case{c}); len(got) != tt.want {
				t.Errorf("faults %q, want %d", got, tt.want)
			}
		})
	}
}

func TestCheckParameters(t *testing.T) {
	t.Parallel()
	var lib library
	file := filepath.Join(t.TempDir(), "parameters.yaml")
	if err := os.WriteFile(file, []byte("parameters: [{ param: line, kind: MONEY }]"), 0o600); err != nil {
		t.Fatal(err)
	}
	read(t, file, &lib)
	for want, given := range []plugin.Values{{"line": plugin.Money(1)}, {"line": plugin.Int(1)}, {"line": plugin.Text("1"), "other": plugin.Money(1)}} {
		if got := checkParameters(lib, []plugintest.Case{{Name: "c", Parameters: given}}); len(got) != want {
			t.Errorf("faults %q, want %d", got, want)
		}
	}
}
