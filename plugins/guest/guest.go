// Package guest builds the WebAssembly file of a plugin from its source, in each language that has an SDK, so that the same
// source gives the same file wherever it lies: `go` and `cargo` run, nothing else.
package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/siyiban/onething/plugins/manifest"
)

// Language is a language that has an SDK.
type Language string

// The languages.
const (
	Go   Language = "go"
	Rust Language = "rust"
)

// Languages are the languages, in the order of the documentation.
func Languages() []Language { return []Language{Go, Rust} }

// ManifestFile is the name of the manifest beside a plugin's source.
const ManifestFile = "manifest.yaml"

// CasesVariable is the environment variable that names the folder into which test kits write their cases.
const CasesVariable = "ONETHING_CASES"

// ErrNoToolchain says that a language's compiler for WebAssembly is not installed.
var ErrNoToolchain = errors.New("the toolchain is not installed")

// Of returns the language of the plugin whose source lies in a folder.
func Of(folder string) (Language, error) {
	if _, err := os.Stat(filepath.Join(folder, "Cargo.toml")); err == nil {
		return Rust, nil
	}
	if files, err := filepath.Glob(filepath.Join(folder, "*.go")); err == nil && len(files) > 0 {
		return Go, nil
	}
	return "", fmt.Errorf("%s holds neither Go files nor a Cargo.toml: it is no plugin's source", folder)
}

// Build builds the plugin whose source lies in a folder and returns its file, with the manifest beside the source in it.
// What the compiler says goes to progress. What is wrong with the manifest comes back as a diag.List.
func Build(ctx context.Context, folder string, progress io.Writer) ([]byte, error) {
	language, err := Of(folder)
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile(filepath.Join(folder, ManifestFile)) //nolint:gosec // the user names the folder
	if err != nil {
		return nil, err
	}
	// Before the compiler, which takes longer.
	m, err := manifest.Load(filepath.Join(folder, ManifestFile), source)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "onething-plugin")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	build := buildGo
	if language == Rust {
		build = buildRust
	}
	file, err := build(ctx, folder, scratch, progress)
	if err != nil {
		return nil, err
	}
	module, err := os.ReadFile(file) //nolint:gosec // written by the compiler
	if err != nil {
		return nil, err
	}
	return manifest.Append(module, m)
}

// Test runs the native tests of the plugin whose source lies in a folder. Their test kit writes its cases into another folder.
func Test(ctx context.Context, folder, cases string, progress io.Writer) error {
	language, err := Of(folder)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "./...")
	if language == Rust {
		if cmd, err = cargo(ctx, folder, "test", "--quiet"); err != nil {
			return err
		}
	}
	cmd.Dir = folder
	cmd.Env = append(environment(cmd), CasesVariable+"="+cases)
	return run(cmd, progress)
}

func buildGo(ctx context.Context, folder, scratch string, progress io.Writer) (string, error) {
	file := filepath.Join(scratch, "module")
	// -trimpath and -buildvcs=false keep the folder and its history out of the file.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, ".") //nolint:gosec // our own folder
	cmd.Dir = folder
	cmd.Env = append(environment(cmd), "GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "GOEXPERIMENT=", "CGO_ENABLED=0")
	return file, run(cmd, progress)
}

// environment is the caller's without what would change the file that is built.
func environment(cmd *exec.Cmd) []string {
	return slices.DeleteFunc(cmd.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GOFLAGS", "GOWASM", "GOEXPERIMENT", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS"}, name)
	})
}

func run(cmd *exec.Cmd, progress io.Writer) error {
	cmd.Stdout, cmd.Stderr = progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args[:2], " "), err)
	}
	return nil
}
