package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A fresh clone has all that the command is compiled of: no file that only make generates, none that git ignores, no
// module from a folder beside. So `go install ./cmd/onething` needs nothing before it.
func TestClone_Compiles(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	git := exec.Command(lookPath(t, "git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	listed, err := git.Output()
	if err != nil {
		t.Skipf("this is no clone: %v", err)
	}
	inClone := map[string]bool{}
	for name := range strings.SplitSeq(string(listed), "\x00") {
		inClone[name] = true
	}
	list := exec.Command(lookPath(t, "go"), "list", "-deps", "-json=ImportPath,Dir,Module,GoFiles,CgoFiles,SFiles,EmbedFiles", "./cmd/onething")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	type module struct {
		Path    string
		Main    bool
		Replace *struct{ Path, Version string }
	}
	files := 0
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Dir                       string
			Module                                *module
			GoFiles, CgoFiles, SFiles, EmbedFiles []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module == nil {
			continue // of Go itself
		}
		if r := p.Module.Replace; r != nil && r.Version == "" {
			t.Errorf("%s is taken from the folder %s", p.Module.Path, r.Path)
		}
		if !p.Module.Main {
			continue
		}
		for _, names := range [][]string{p.GoFiles, p.CgoFiles, p.SFiles, p.EmbedFiles} {
			for _, name := range names {
				files++
				path, err := filepath.Rel(root, filepath.Join(p.Dir, name))
				if err != nil || !inClone[filepath.ToSlash(path)] {
					t.Errorf("%s needs %s, which is not in a clone", p.ImportPath, path)
				}
			}
		}
	}
	if files < 300 {
		t.Errorf("only %d files", files)
	}
}
