package guest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// rustTarget needs nothing of the host but what a plugin imports itself.
const rustTarget = "wasm32-unknown-unknown"

// Debian's compiler, and its folder of crates.
const (
	debianBin    = "/usr/bin"
	debianCrates = "/usr/share/cargo/registry"
	// DebianPackages are the packages of Debian that build and test a plugin in Rust.
	DebianPackages = "rustc cargo libstd-rust-dev-wasm32 lld-14 librust-prost-dev"
)

// toolchain is a Rust compiler that can build a plugin.
type toolchain struct {
	bin     string // folder of cargo and rustc
	library string // folder of the compiler's libraries
	crates  string // Debian's folder of crates; empty: crates come from where cargo is set to take them from
}

// findRust looks for a compiler with the libraries of the target: first the one in PATH, then Debian's, which a toolchain of
// rustup hides.
func findRust(ctx context.Context) (toolchain, error) {
	var bins []string
	if path, err := exec.LookPath("cargo"); err == nil {
		bins = append(bins, filepath.Dir(path))
	}
	for _, bin := range append(bins, debianBin) {
		cmd := exec.CommandContext(ctx, filepath.Join(bin, "rustc"), "--print", "target-libdir", "--target", rustTarget) //nolint:gosec // the user's PATH
		out, err := cmd.Output()
		library := strings.TrimSpace(string(out))
		if err != nil || library == "" {
			continue
		}
		if _, err := os.Stat(library); err != nil {
			continue
		}
		t := toolchain{bin: bin, library: library}
		if found, err := filepath.Glob(debianCrates + "/prost-0.11*"); bin == debianBin && err == nil && len(found) > 0 {
			t.crates = debianCrates
		}
		return t, nil
	}
	return toolchain{}, fmt.Errorf("%w: no Rust compiler with the target %s; on Debian: apt-get install %s", ErrNoToolchain, rustTarget, DebianPackages)
}

// cargo is a command of cargo in a folder.
func cargo(ctx context.Context, folder string, arguments ...string) (*exec.Cmd, error) {
	t, err := findRust(ctx)
	if err != nil {
		return nil, err
	}
	args := arguments[:1:1]
	if t.crates != "" {
		// On the command line, because a plugin's repository is for machines without Debian too.
		args = append(args, "--offline", "--config", `source.crates-io.replace-with="debian"`, "--config", `source.debian.directory="`+t.crates+`"`)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(t.bin, "cargo"), append(args, arguments[1:]...)...) //nolint:gosec // found above
	cmd.Dir = folder
	cmd.Env = append(environment(cmd), "RUSTC="+filepath.Join(t.bin, "rustc"), "RUSTDOC="+filepath.Join(t.bin, "rustdoc"))
	return cmd, nil
}

func buildRust(ctx context.Context, folder, _ string, progress io.Writer) (string, error) {
	cmd, err := cargo(ctx, folder, "rustc", "--release", "--quiet", "--lib", "--target", rustTarget, "--message-format=json-render-diagnostics")
	if err != nil {
		return "", err
	}
	// Names of source files stand in the module, for panics. Cargo names those of the workspace by where they are in it; those of
	// crates are where this machine keeps them.
	remap := func(folder, as string) string { return "--remap-path-prefix=" + folder + "=" + as }
	cmd.Env = append(cmd.Env, "CARGO_ENCODED_RUSTFLAGS="+strings.Join([]string{
		remap(debianCrates, "crates"), remap(home(), "cargo"),
	}, "\x1f"))
	var messages strings.Builder
	cmd.Stdout, cmd.Stderr = &messages, progress
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("cargo: %w", err)
	}
	return made(messages.String())
}

// home is where cargo keeps the crates that it has fetched.
func home() string {
	if folder := os.Getenv("CARGO_HOME"); folder != "" {
		return folder
	}
	folder, err := os.UserHomeDir()
	if err != nil {
		return "/"
	}
	return filepath.Join(folder, ".cargo")
}

// reasonMade marks the messages of cargo that name a file that was made.
const reasonMade = "compiler-artifact" //nolint:misspell // cargo writes it so

// made returns the file that cargo says it has made, of the messages that it prints for programs.
func made(messages string) (string, error) {
	file := ""
	for line := range strings.Lines(messages) {
		var message struct {
			Reason    string   `json:"reason"`
			Filenames []string `json:"filenames"`
		}
		if err := json.Unmarshal([]byte(line), &message); err != nil || message.Reason != reasonMade {
			continue
		}
		for _, name := range message.Filenames {
			if strings.HasSuffix(name, ".wasm") {
				file = name
			}
		}
	}
	if file == "" {
		return "", fmt.Errorf("cargo made no .wasm file: Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\", \"rlib\"]`")
	}
	return file, nil
}
