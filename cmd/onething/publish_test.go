package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/simulate"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/forms/kind"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	diagv1 "github.com/siyiban/onething/proto/gen/onething/diag/v1"
)

// Over the API a text is checked and compared as on the command line.
func TestServer_LikeTheCommand(t *testing.T) {
	t.Parallel()
	st := newStage(t, t.TempDir(), "2026-03-16", io.Discard)
	defer st.stop(t)
	t.Run("check", func(t *testing.T) { checksLikeTheCommand(t, st) })
	t.Run("diff", func(t *testing.T) { comparesLikeTheCommand(t, st) })
}

// checksLikeTheCommand: a text has the findings that `onething check` has of its file: place, code, message and hint.
func checksLikeTheCommand(t *testing.T, st *stage) {
	tree := t.TempDir()
	if err := os.CopyFS(tree, examples.Only("newborn", "nursery", "retirement")); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, bundle, old, new string }{
		{"nothing", "newborn", "", ""},
		{"an unknown field", "newborn", "form.newborn.birth_date <= today", "form.newborn.birth_dat <= today"},
		{"YAML", "newborn", "eligibility:", "eligibility: {"},
		{"a condition that always holds", "newborn", "form.mother.hukou.here, because", "form.mother.hukou.here || own.insured || !own.insured, because"},
		{"a condition that never holds", "newborn", "require: own.agreed\n", "require: own.agreed && !own.agreed\n"},
		{"another bundle's folder", "newborn", "bundle: newborn", "bundle: nursery"},
		{"another matter's text", "retirement", "age(", "agee("},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { // one after the other: they change one file
			file := filepath.Join(tree, catalog.BundleFile(tt.bundle))
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(string(before), tt.old, tt.new, 1)
			if tt.old != "" && text == string(before) {
				t.Fatalf("the bundle has no %q", tt.old)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = os.WriteFile(file, before, 0o600) }()
			want, err := check(filepath.Dir(file), kind.Date{Year: 2026, Month: 3, Day: 16}, false)
			if err != nil {
				t.Fatal(err)
			}
			got, err := st.server.engine.CheckBundle(t.Context(), catalog.BundleFile(tt.bundle), []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			inTree := func(list diag.List) []*diagv1.Diagnostic {
				var messages []*diagv1.Diagnostic
				for _, d := range list.Sorted() {
					if d.Code == "plugin-missing" {
						continue // which plugins are installed only a server knows
					}
					m := d.Proto()
					_, m.File, _ = strings.Cut(m.GetFile(), "bundles/")
					for _, r := range m.GetRelated() {
						_, r.File, _ = strings.Cut(r.GetFile(), "bundles/")
					}
					messages = append(messages, m)
				}
				return messages
			}
			if diff := cmp.Diff(inTree(want), inTree(got), protocmp.Transform()); diff != "" {
				t.Errorf("findings (-command +API):\n%s", diff)
			}
			if tt.old != "" && len(want) == 0 {
				t.Error("the command finds nothing")
			}
		})
	}
}

// comparesLikeTheCommand: a comparison says what `onething diff` says, with the same records.
func comparesLikeTheCommand(t *testing.T, st *stage) {
	old, next := t.TempDir(), t.TempDir()
	for _, tree := range []string{old, next} {
		if err := os.CopyFS(tree, examples.Only("newborn")); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(next, catalog.BundleFile("newborn"))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.NewReplacer("today) < 12", "today) < 6", "父母双方已就新生儿姓名", "双方已就孩子姓名", "form.mother.hukou.here, because", "form.mother.hukou.here && own.insured, because").Replace(string(text)))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	want, err := diff(io.Discard, old, next, "newborn")
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := st.server.engine.CreateBundleDraft(engine.Request{ID: "draft", Subject: "author", Content: &apiv1.CreateBundleDraftRequest{}}, "newborn", text)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join(old, bundletest.File("newborn")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := st.server.engine.Compare(t.Context(), "newborn", engine.VersionRef{}, engine.VersionRef{Draft: d.ID}, tests)
	if err != nil {
		t.Fatal(err)
	}
	var command, api strings.Builder
	if err := errors.Join(printDiff(&command, want), printDiff(&api, got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(command.String(), api.String()); diff != "" || strings.Count(command.String(), "example:") < 2 {
		t.Errorf("changes (-command +API):\n%s\n%s", diff, command.String())
	}
}

// Every reason of a simulation has words.
func TestSimulate_Words(t *testing.T) {
	t.Parallel()
	for _, code := range simulate.Codes() {
		if text := reasonText(simulate.Reason{Code: code, Item: "ITEM"}); len(text) < 10 || strings.Contains(text, "%!") && code != simulate.Conflict && code != simulate.Unreadable {
			t.Errorf("%s: %q", code, text)
		}
	}
}
