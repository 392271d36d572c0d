package sdk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siyiban/onething/sdk"
)

// A new plugin takes the versions of this module.
func TestWrite_Versions(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "card")
	if err := sdk.Write(folder, sdk.Plugin{Language: "go", Department: "civil_affairs", Name: "card", NameZH: "证"}); err != nil {
		t.Fatal(err)
	}
	for file, own := range map[string]string{"go.sum": "../go.sum", "third_party/onething/go.mod": "../go.mod", "go.mod": "../go.mod"} {
		written, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := os.ReadFile(own)
		if err != nil {
			t.Fatal(err)
		}
		held := 0
		for line := range strings.Lines(string(written)) {
			line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "require "), " // indirect")
			if !strings.HasPrefix(line, "github.com/aperturerobotics/") && !strings.HasPrefix(line, "go ") {
				continue
			}
			held++
			if !strings.Contains(string(ours), line+"\n") {
				t.Errorf("%s says %q, which is not in %s", file, line, own)
			}
		}
		if held < 2 {
			t.Errorf("%s holds %d lines of versions", file, held)
		}
	}
}

// The template has everything, and nothing that is left to fill in; no test and no plugin of the SDK's own goes with it.
func TestWrite(t *testing.T) {
	t.Parallel()
	for language, files := range map[string][]string{
		"go":   {"main.go", "main_test.go", "third_party/onething/sdk/go/plugintest/plugintest.go", "third_party/onething/sdk/go/pluginv1/plugin.pb.go"},
		"rust": {"src/lib.rs", "tests/card.rs", "third_party/onething/sdk/rust/Cargo.toml", "third_party/onething/sdk/rust/src/proto/plugin.rs"},
	} {
		folder := filepath.Join(t.TempDir(), "card")
		p := sdk.Plugin{Language: language, Department: "civil_affairs", Name: "card", NameZH: "证"}
		if err := sdk.Write(folder, p); err != nil {
			t.Fatal(err)
		}
		if err := sdk.Write(folder, p); !os.IsExist(err) {
			t.Errorf("over a folder that is there: %v", err)
		}
		for _, file := range append(files, "manifest.yaml", "case.json", "README.md", ".gitignore") {
			content, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				t.Error(err)
			}
			if !strings.Contains(file, "third_party") && (strings.Contains(string(content), "{{") || strings.Contains(string(content), "<no value>")) {
				t.Errorf("%s: something is not filled in:\n%s", file, content)
			}
		}
		err := filepath.WalkDir(filepath.Join(folder, "third_party"), func(name string, _ os.DirEntry, err error) error {
			if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "conformance") || strings.HasSuffix(name, ".tmpl") {
				t.Errorf("%s is of no use to a plugin", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
