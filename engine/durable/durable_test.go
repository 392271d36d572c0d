package durable_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/durable"
)

func open(t *testing.T, dir string) *durable.Folder {
	t.Helper()
	f, err := durable.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func write(t *testing.T, f *durable.Folder, content string) *durable.File {
	t.Helper()
	w, err := f.Create()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	return w
}

func content(t *testing.T, f *durable.Folder, name string) string {
	t.Helper()
	r, err := f.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// files are the files in a folder, temporary ones too.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	if err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			p, err = filepath.Rel(dir, p)
			all = append(all, p)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	f := open(t, dir)
	if empty, err := f.Empty(); !empty || err != nil {
		t.Errorf("empty: %t, %v", empty, err)
	}
	if err := write(t, f, "first").Keep("ff01"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, f, "ff01"); got != "first" {
		t.Errorf("content %q", got)
	}
	if err := write(t, f, "second").Keep("ff01"); err != nil {
		t.Fatal(err)
	}
	kept := write(t, f, "third")
	if err := kept.Keep("ff02"); err != nil {
		t.Fatal(err)
	}
	kept.Discard() // as a deferred one does
	write(t, f, "discarded").Discard()
	if diff := cmp.Diff([]string{"ff/ff01", "ff/ff02"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got := content(t, f, "ff01") + content(t, f, "ff02"); got != "secondthird" {
		t.Errorf("contents %q", got)
	}
	if empty, err := f.Empty(); empty || err != nil {
		t.Errorf("empty: %t, %v", empty, err)
	}
	if err := f.Confirm("ff01"); err != nil {
		t.Errorf("confirm: %v", err)
	}
	for range 2 { // the second time there is nothing to remove
		if err := f.Remove("ff01"); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	if _, err := f.Open("ff01"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open what was removed: %v", err)
	}
	if err := f.Confirm("ff01"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("confirm what was removed: %v", err)
	}
}

func TestFolder_Names(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir)
	for _, name := range []string{"", "ff", "FF01", "ff/01", "../ff01", "ff0g", "ff\x00"} {
		if err := write(t, f, "x").Keep(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("keep %q: %v", name, err)
		}
		if _, err := f.Open(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("open %q: %v", name, err)
		}
		if err := f.Remove(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("remove %q: %v", name, err)
		}
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

// What a process left half written when it was killed is gone when the folder is opened again; what it kept is not.
func TestOpen_SweepsTemporaryFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir)
	if err := write(t, f, "kept").Keep("abcd"); err != nil {
		t.Fatal(err)
	}
	write(t, f, "half")
	if got := files(t, dir); len(got) != 2 {
		t.Fatalf("files before: %v", got)
	}
	f = open(t, dir)
	if diff := cmp.Diff([]string{"ab/abcd"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if err := write(t, f, "new").Keep("abce"); err != nil {
		t.Errorf("keep: %v", err)
	}
}

func TestFolder_StaysInside(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	f := open(t, dir)
	if err := os.WriteFile(filepath.Join(outside, "abcd"), []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "abcd"), filepath.Join(dir, "ab", "abcd")); err != nil {
		t.Skip(err)
	}
	if r, err := f.Open("abcd"); err == nil {
		t.Errorf("a link led outside; closing: %v", r.Close())
	}
}

func TestFolder_OwnersOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	f := open(t, dir)
	if err := write(t, f, "x").Keep("abcd"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{".", "ab", "ab/abcd"} {
		info, err := os.Stat(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, info.Mode())
		}
	}
}

func TestWriteNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "key")
	if err := durable.WriteNew(name, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteNew(name, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over: %v", err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "first" {
		t.Errorf("content %q, %v", b, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if diff := cmp.Diff([]string{"key"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if err := durable.WriteNew(filepath.Join(dir, "none", "key"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

// A folder that is opened to be read only is neither made nor changed.
func TestOpenReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, dir)
	f := write(t, w, "content")
	if err := f.Keep("abc"); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	r, err := durable.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, r, "abc"); got != "content" {
		t.Errorf("it reads %q", got)
	}
	if err := r.Confirm("abc"); err != nil {
		t.Error(err)
	}
	if _, err := r.Create(); !errors.Is(err, durable.ErrReadOnly) {
		t.Errorf("a new file: %v", err)
	}
	if err := r.Remove("abc"); !errors.Is(err, durable.ErrReadOnly) {
		t.Errorf("a removal: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Error(d)
	}
	nowhere := filepath.Join(dir, "nowhere")
	if _, err := durable.OpenReadOnly(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := os.Stat(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
}
