package diag_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/siyiban/onething/diag"
)

// sized is a tree that says how large its files are, and counts what is opened.
type sized struct {
	fstest.MapFS
	size   int64
	opened int
}

func (s *sized) Open(name string) (fs.File, error) { s.opened++; return s.MapFS.Open(name) }

// Stat implements [fs.StatFS].
func (s *sized) Stat(name string) (fs.FileInfo, error) {
	info, err := s.MapFS.Stat(name)
	if err != nil {
		return nil, err
	}
	return large{info, s.size}, nil
}

type large struct {
	fs.FileInfo
	size int64
}

func (l large) Size() int64 { return l.size }

// A huge file is refused by its size; it is not opened.
func TestReadFile(t *testing.T) {
	t.Parallel()
	tree := &sized{MapFS: fstest.MapFS{"a.yaml": {Data: []byte("a: 1\n")}}, size: diag.MaxFile}
	if text, err := diag.ReadFile(tree, "a.yaml"); err != nil || string(text) != "a: 1\n" {
		t.Errorf("as large as may be: %q, %v", text, err)
	}
	tree.size, tree.opened = 1<<40, 0
	_, err := diag.ReadFile(tree, "a.yaml")
	if found, ok := errors.AsType[diag.List](err); !ok || found[0].Code != "yaml-size" || found[0].Span.File != "a.yaml" {
		t.Errorf("a huge file: %v", err)
	}
	if tree.opened > 0 {
		t.Error("a huge file was opened")
	}
	if _, err := diag.ReadFile(tree, "b.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
