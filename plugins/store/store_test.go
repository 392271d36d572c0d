package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// plugin is a .wasm file of an id and version.
func plugin(t testing.TB, id, version string) []byte {
	t.Helper()
	wasm, err := manifest.Append([]byte("\x00asm\x01\x00\x00\x00"), &pluginv1.Manifest{
		Id: id, Version: version, Department: "test", NameZh: "测试", InterfaceVersion: 1, Hooks: []pluginv1.Hook{pluginv1.Hook_HOOK_CHECK},
	})
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// directory is a directory of files.
func directory(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpen(t *testing.T) {
	t.Parallel()
	one, two, other := plugin(t, "test/a", "1.0.0"), plugin(t, "test/a", "1.1.0"), plugin(t, "test/b", "1.0.0")
	dir := directory(t, map[string][]byte{"b.wasm": other, "a1.wasm": one, "a2.wasm": two, "README.md": []byte("x"), ".half.wasm": []byte("x")})
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, p := range s.Plugins() {
		files = append(files, p.File)
		wasm, err := s.Module(p.Digest)
		if err != nil || store.Digest(wasm) != p.Digest {
			t.Errorf("Module(%s) = %d bytes, %v", p.File, len(wasm), err)
		}
	}
	if got := strings.Join(files, " "); got != "a1.wasm a2.wasm b.wasm" {
		t.Errorf("Plugins() = %s", got)
	}
	if _, err := s.Module(store.Digest([]byte("none"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Module() = %v, want %v", err, fs.ErrNotExist)
	}
	// A file that is replaced is not run as what it was.
	if err := os.WriteFile(filepath.Join(dir, "b.wasm"), one, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Module(store.Digest(other)); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("Module() = %v, want that the file was changed", err)
	}
}

func TestOpen_Faults(t *testing.T) {
	t.Parallel()
	if _, err := store.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open() = %v, want %v", err, fs.ErrNotExist)
	}
	one := plugin(t, "test/a", "1.0.0")
	_, err := store.Open(directory(t, map[string][]byte{"a.wasm": one, "b.wasm": one, "c.wasm": []byte("x"), "d.wasm": []byte("\x00asm\x01\x00\x00\x00")}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"b.wasm: test/a 1.0.0 is in a.wasm already", "c.wasm: manifest: not a WebAssembly module", "d.wasm: manifest: the module carries none"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Open() = %v, want %q in it", err, want)
		}
	}
	if !errors.Is(err, manifest.ErrMissing) || !errors.Is(err, manifest.ErrNotWasm) {
		t.Errorf("Open() = %v wraps no cause", err)
	}
}

// TestOpen_Outside does not follow a link out of the directory.
func TestOpen_Outside(t *testing.T) {
	t.Parallel()
	outside := directory(t, map[string][]byte{"a.wasm": plugin(t, "test/a", "1.0.0")})
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(outside, "a.wasm"), filepath.Join(dir, "a.wasm")); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(dir); err == nil {
		t.Errorf("Open() = %v", s.Plugins())
	}
}
