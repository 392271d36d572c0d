// Command mutants takes each mechanism of docs/guarantees.yaml away in turn, by an overlay that no build sees, and runs the
// test that guards it. It says which tests did not notice, and exits with 1 if there is one.
//
//	go run ./internal/mutants [TEXT]   only guarantees whose promise holds TEXT
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/siyiban/onething/internal/mutants/guarantee"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	survived, err := run(ctx, strings.Join(os.Args[1:], " "), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(2) //nolint:gocritic // nothing else is deferred
	}
	if survived > 0 {
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, out io.Writer) (survived int, err error) {
	chapters, err := guarantee.Read("docs/guarantees.yaml")
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tried := 0
	for _, c := range chapters {
		for _, g := range c.Guarantees {
			if !strings.Contains(g.Promise, only) {
				continue
			}
			tried++
			said, err := try(ctx, dir, g)
			if err != nil {
				return survived, fmt.Errorf("%s: %w", g.Promise, err)
			}
			mark := "red"
			if said != "" {
				survived++
				mark = said
			}
			if _, err := fmt.Fprintf(out, "%-8s %s: %s\n", mark, c.Chapter, g.Promise); err != nil {
				return survived, err
			}
		}
	}
	_, err = fmt.Fprintf(out, "%d guarantees, %d whose test does not notice\n", tried, survived)
	return survived, err
}

// try runs the test of a guarantee without its mechanism; it returns "" if the test fails, as it has to, and else what
// happened.
func try(ctx context.Context, dir string, g guarantee.Guarantee) (string, error) {
	text, err := os.ReadFile(g.File)
	if err != nil {
		return "", err
	}
	mutant := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(mutant, bytes.Replace(text, []byte(g.Code), []byte(g.Without), 1), 0o600); err != nil { //nolint:gosec // in a folder of our own
		return "", err
	}
	whole, err := filepath.Abs(g.File)
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {whole: mutant}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	test := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off", "-timeout=150s", "-overlay", list, "-run", g.Test, g.Package) //nolint:gosec // our own list
	output, err := test.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil:
		return "GREEN", nil
	case !errors.As(err, &failed):
		return "", err
	case bytes.Contains(output, []byte("[build failed]")):
		return "BROKEN: it does not compile: " + string(output), nil
	}
	return "", nil
}
