package needs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/examples/plugins/needs"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

func TestOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "matter"), 0o700); err != nil {
		t.Fatal(err)
	}
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
  - { id: other, plugin: office/another, needs: { fields: [person.birth] } }
`
	if err := os.WriteFile(filepath.Join(dir, "matter", "bundle.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, officers := needs.Of(t, dir, "office/step")
	ours := plugintest.Step{Bundle: "matter", Step: "ours"}
	if diff := cmp.Diff(plugintest.Needs{ours: {"form.person.name", "form.person.phone", "own.kind", "results.earlier.number"}}, all); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[plugintest.Step]map[string]string{ours: {"form.person.phone": "asks back"}}, officers); diff != "" {
		t.Error(diff)
	}
}
