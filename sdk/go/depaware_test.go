package plugin_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite depaware.txt")

// TestDependencies compares what a department takes in when it imports the SDK with the list that was reviewed: each
// package from outside the standard library, with the licence of its module. The standard library is not listed; its
// packages change with Go, and those that no guest can use are named below.
func TestDependencies(t *testing.T) {
	t.Parallel()
	const own = "github.com/siyiban/onething"
	list := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"-f", "{{.ImportPath}}\t{{.Standard}}\t{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}", own+"/sdk/go")
	list.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}

	useless := []string{"crypto/tls", "database/sql", "encoding/gob", "html/template", "log/slog", "net", "net/http", "os/exec", "text/template"}
	var got strings.Builder
	for line := range strings.Lines(string(out)) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		path, standard := cells[0], cells[1] == "true"
		switch {
		case standard && slices.Contains(useless, path):
			t.Errorf("the SDK takes in %s, which no guest can use and every guest would carry", path)
		case !standard && !strings.HasPrefix(path, own+"/sdk/go"):
			fmt.Fprintf(&got, "%s %s\n", path, licence(t, cells[2], cells[3]))
		}
	}

	const file = "depaware.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s is not what the SDK imports; review the difference, then run with -update (-want +got):\n%s", file, diff)
	}
}

// licence returns the SPDX identifier of the module in dir, and fails on one that the list does not know: a new
// licence is read by a person first.
func licence(t *testing.T, module, dir string) string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(dir), "LICEN[CS]E*")
	if err != nil || len(files) == 0 {
		t.Fatalf("module %s has no licence file (%v)", module, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, files[0]))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(raw)), " ")
	switch {
	case strings.Contains(text, "Apache License Version 2.0"):
		return "Apache-2.0"
	case strings.Contains(text, "Redistribution and use in source and binary forms") && strings.Contains(text, "Neither the name"):
		return "BSD-3-Clause"
	case strings.Contains(text, "Permission is hereby granted, free of charge"):
		return "MIT"
	}
	t.Fatalf("module %s: %s is under a licence that nobody has looked at", module, files[0])
	return ""
}
