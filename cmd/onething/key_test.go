package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siyiban/onething/engine/seal"
)

// A key is made once, and never over one that a store may need.
func TestRun_Key(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "kek.json")
	var out, progress bytes.Buffer
	if code := run(t.Context(), []string{"key", file}, &out, &progress); code != 0 || out.Len() > 0 || progress.Len() > 0 {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, out.String(), progress.String())
	}
	if _, err := seal.ReadKeyset(file); err != nil {
		t.Error(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"key", file}, &out, &progress); code != exitFindings || !strings.Contains(progress.String(), "exists already") {
		t.Errorf("the second time: exit code %d, stderr %q", code, progress.String())
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the key was changed: %v", err)
	}
}

// A grant to a plugin that is not there is a slip of the pen, and is not taken for one to nobody.
func TestOpenPlugins_GrantToNobody(t *testing.T) {
	t.Parallel()
	const folder = "../../build/plugins"
	needPlugins(t)
	bundles, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	_, err = openPlugins(serverConfig{bundles: bundles, plugins: folder, grants: map[string][]string{"hrss/pensoin": {"shared_data"}}})
	if err == nil || !strings.Contains(err.Error(), "hrss/pensoin") {
		t.Errorf("got %v", err)
	}
}
