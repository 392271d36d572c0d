package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siyiban/onething/examples"
)

// Tests run again when a file changes, until the command is interrupted.
func TestTest_Watch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, examples.Only("newborn")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // only so that a failure does not hang
	defer cancel()
	cmd := exec.CommandContext(ctx, "onething", "test", dir, "--watch")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	until := func(wanted string) {
		t.Helper()
		var seen []string
		for lines.Scan() {
			if seen = append(seen, lines.Text()); strings.Contains(lines.Text(), wanted) {
				return
			}
		}
		t.Fatalf("it never says %q, but\n%s", wanted, strings.Join(seen, "\n"))
	}
	until(", 0 failed")
	file := filepath.Join(dir, "bundles", "newborn", "bundle.yaml")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	change := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change(strings.Replace(string(whole), "birth_date, today) < 12", "birth_date, today) < 0", 1))
	until("error[test-failed]")
	change(string(whole))
	until(", 0 failed")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted it ends with %v", err)
	}
}
