package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/examples"
)

var update = flag.Bool("update", false, "rewrite what scripts compare with")

// TestMain lets the test binary stand in for the command: started under the name `onething` it is the command, so what
// scripts, guides and examples run is this package as it is.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"onething": main}) }

// Each script is one behaviour, named verb first. `go test ./cmd/onething -run 'TestScripts/days_why'` runs one.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true, UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, toolchains()...)
			return prepare(env.WorkDir)
		},
		Condition: func(condition string) (bool, error) {
			if condition == "rust" {
				return exec.Command("../../sdk/rust/toolchain.sh", "--there").Run() == nil, nil
			}
			_, err := os.Stat("../../build/plugins")
			return condition == "plugins" && err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"occupy": occupy, "serving": serving, "make": construct, "exits": exits, "many": many, "filed": filed, "unchanged": unchanged},
	})
}

// prepare gives a script what a user has at hand: the examples in a folder, and the plugins if they are built.
func prepare(folder string) error {
	if err := os.Mkdir(filepath.Join(folder, "build"), 0o700); err != nil {
		return err
	}
	for _, name := range []string{"plugins", "conformance"} {
		built, err := filepath.Abs("../../build/" + name)
		if err != nil {
			return err
		}
		if _, err := os.Stat(built); err == nil {
			if err := os.Symlink(built, filepath.Join(folder, "build", name)); err != nil {
				return err
			}
		}
	}
	return os.CopyFS(filepath.Join(folder, "examples"), examples.Tree())
}

// toolchains is what compilers need to know of the machine, in whose caches the most is compiled already.
func toolchains() []string {
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOSUMDB").Output()
	if err != nil {
		return nil
	}
	vars := []string{}
	for i, value := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
		vars = append(vars, []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOSUMDB"}[i]+"="+value)
	}
	target, err := filepath.Abs("../../build/rust")
	if err != nil {
		return vars
	}
	return append(vars, "CARGO_TARGET_DIR="+target)
}

// occupy listens on a port until the script ends, and puts the address into $TAKEN.
func occupy(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv("TAKEN", l.Addr().String())
}

// serving starts a development server over a data folder, `serving FOLDER [FLAG…]`, and returns when it answers. Verbs that
// speak to a server speak to this one. It runs until the script ends.
func serving(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.CommandContext(context.Background(), "onething", append([]string{"serve", "--dev", "--without-plugins", "--listen", "127.0.0.1:0", "--dev-issuer", "127.0.0.1:0",
		"--data", ts.MkAbs(args[0])}, args[1:]...)...)
	cmd.Dir = ts.MkAbs(".")
	at, end, err := untilReady(cmd)
	ts.Check(err)
	ts.Defer(func() { _ = end() })
	ts.Setenv("ONETHING_SERVER", at["API"])
	ts.Setenv("ONETHING_DEV_ISSUER", strings.TrimSuffix(strings.TrimPrefix(at["issuer"], "http://"), "/issuer"))
}

// filed makes a data folder in which a birth was filed and another one is being drafted, `filed FOLDER [FLAG…]`, and leaves
// no server on it.
func filed(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.CommandContext(context.Background(), "onething", append([]string{"serve", "--dev", "--without-plugins", "--today", "2026-12-28", "--listen", "127.0.0.1:0",
		"--dev-issuer", "127.0.0.1:0", "--data", ts.MkAbs(args[0])}, args[1:]...)...)
	cmd.Dir = ts.MkAbs(".")
	at, end, err := untilReady(cmd)
	ts.Check(err)
	st := &stage{api: at["API"], issuer: at["issuer"]}
	filing, err := st.file(context.Background(), birth())
	if err == nil {
		_, err = st.as("resident2").Begin(context.Background(), "newborn")
	}
	ts.Check(errors.Join(err, end()))
	ts.Setenv("NUMBER", filing.Number[:20])
}

// unchanged runs a command and fails if a file in a folder is another one afterwards: `unchanged DIR COMMAND…`. How the command ends
// does not matter.
func unchanged(ts *testscript.TestScript, _ bool, args []string) {
	files := func() string {
		var all strings.Builder
		ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(&all, "%s %s %v\n", path, info.Mode(), info.ModTime().UnixNano())
			if entry.Type().IsRegular() {
				content, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				fmt.Fprintf(&all, "%x\n", sha256.Sum256(content))
			}
			return nil
		}))
		return all.String()
	}
	before := files()
	_ = ts.Exec(args[1], args[2:]...)
	if after := files(); after != before {
		ts.Fatalf("the folder has changed")
	}
}

// untilReady starts a server and returns when it has printed its addresses: they are in at. end interrupts it.
func untilReady(cmd *exec.Cmd) (at map[string]string, end func() error, err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	at = map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			at[name] = strings.TrimSpace(value)
		}
		if at["today"] != "" {
			return at, func() error { return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()) }, nil
		}
	}
	return nil, nil, errors.Join(errors.New("the server has ended"), cmd.Wait())
}

// exits runs a command and holds its exit code against the wanted one: `exits 2 onething days`. What it printed is there
// for `stdout` and `stderr`.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// many writes a library that names its one department a number of times too often: `many FILE 60`.
func many(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	ts.Check(os.WriteFile(file, []byte("library: departments\ndepartments:\n"+strings.Repeat("  - { department: market, name: { zh: 局 } }\n", n+1)), 0o600))
}

// construct makes a file that cannot stand in a script: `make key FILE`, `make large FILE`, `make bytes FILE TEXT`.
func construct(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	switch args[0] {
	case "key":
		ts.Check(seal.GenerateKeyset(file))
	case "large": // 50 MB of a list that YAML could read
		ts.Check(os.WriteFile(file, []byte("bundle: big\nname: { zh: 大 }\nown:\n"+strings.Repeat("  - { field: a }\n", 3<<20)), 0o600))
	case "bytes":
		text := strings.NewReplacer(`\xff`, "\xff", `\x01`, "\x01", `\r`, "\r", `\0`, "\x00", `\ufeff`, "\ufeff", `\n`, "\n").Replace(args[2])
		ts.Check(os.WriteFile(file, []byte(text), 0o600))
	default:
		ts.Fatalf("make %s?", args[0])
	}
}
