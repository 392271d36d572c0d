//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every command in the guides is run as a reader would run it, in the order in which it stands there, and must print
// what the guide says.
//
// The language of a fenced block says what it is:
//   - `sh` is run, all of a page in one shell. A command that fails ends it, and fails the test.
//   - `sh server` is run in the background, as in a terminal of its own; the page goes on when it has printed as many
//     lines as the `text` block below it.
//   - `text` below one of them is what it prints; `…` stands for anything.
//
// Any other block is only read.
func TestGuides(t *testing.T) {
	t.Parallel()
	needPlugins(t)
	for _, page := range []string{"README.md", "docs/front-end.md", "docs/departments.md", "docs/configurators.md", "docs/configurators.zh-CN.md", "docs/operators.md", "docs/security.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			blocks := blocksOf(t, page)
			env := freePorts(t, blocks)
			runPage(t, page, blocks, env)
		})
	}
}

// Both languages of the README have the same blocks, so whoever runs one has run both.
func TestGuides_ReadmeInBothLanguages(t *testing.T) {
	t.Parallel()
	en, zh := blocksOf(t, "README.md"), blocksOf(t, "README.zh-CN.md")
	if len(en) == 0 || len(en) != len(zh) {
		t.Fatalf("%d and %d blocks", len(en), len(zh))
	}
	for i := range en {
		if en[i].language != zh[i].language || en[i].text != zh[i].text {
			t.Errorf("README.md:%d and README.zh-CN.md:%d differ", en[i].line, zh[i].line)
		}
	}
}

// The plugin in the README is the one that `onething plugin new` writes, which the departments' guide builds, tests and runs.
func TestGuides_ReadmePlugin(t *testing.T) {
	t.Parallel()
	readme := blocksOf(t, "README.md")
	i := slices.IndexFunc(readme, func(b block) bool { return b.language == "go" })
	written, err := os.ReadFile("../../sdk/template/go/main.go.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	if i < 0 || readme[i].text != string(written) {
		t.Errorf("the block `go` of the README is not the main.go that `onething plugin new` writes")
	}
}

// Both languages of the departments' guide have the same commands, so whoever runs one has run both.
func TestGuides_DepartmentsInBothLanguages(t *testing.T) {
	t.Parallel()
	en, zh := blocksOf(t, "docs/departments.md"), blocksOf(t, "docs/departments.zh-CN.md")
	if len(en) == 0 || len(en) != len(zh) {
		t.Fatalf("%d and %d blocks", len(en), len(zh))
	}
	for i := range en {
		if en[i].language != zh[i].language || en[i].text != zh[i].text {
			t.Errorf("docs/departments.md:%d and docs/departments.zh-CN.md:%d differ", en[i].line, zh[i].line)
		}
	}
}

// block is a fenced block of a page.
type block struct {
	line           int // of its fence, from 1
	language, text string
}

// blocksOf reads the fenced blocks of a page of the repository.
func blocksOf(t testing.TB, page string) []block {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	open := false
	for i, line := range strings.Split(string(content), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			if open = !open; open {
				blocks = append(blocks, block{line: i + 1, language: strings.TrimPrefix(line, "```")})
			}
		case open:
			blocks[len(blocks)-1].text += line + "\n"
		}
	}
	if open {
		t.Fatalf("%s: its last block is not closed", page)
	}
	return blocks
}

// freePorts gives every address in the blocks a free port, because those of the guides may be taken where the test runs.
// It is all that a test changes in what a reader types. The environment that it returns moves what `onething serve`
// listens on by default, and where `onething publish` looks for it.
func freePorts(t testing.TB, blocks []block) (env []string) {
	t.Helper()
	address := regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`)
	free := map[string]string{}
	choose := func(at string) string {
		if free[at] == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			free[at] = l.Addr().String()
		}
		return free[at]
	}
	for i := range blocks {
		blocks[i].text = address.ReplaceAllStringFunc(blocks[i].text, choose)
	}
	api := choose("127.0.0.1:8080")
	return []string{"ONETHING_LISTEN=" + api, "ONETHING_SERVER=http://" + api, "ONETHING_DEV_ISSUER=" + choose("127.0.0.1:8081")}
}

// What stands before a page's own commands. Everything that the page has started ends with it.
const prelude = `set -euo pipefail
trap 'trap "" TERM; kill 0; wait' EXIT
await() { # await BLOCK LINES PROCESS
  for _ in $(seq 1800); do
    if [ "$(wc -l < "$PRINTED/$1")" -ge "$2" ]; then return; fi
    kill -0 "$3" || break
    sleep 0.1
  done
  echo "it has not printed what it must" >&2
  return 1
}
`

// In the test, make has made everything before: what it would make is held against its rules, and what it would start
// after that is started.
const makeInstead = `#!/bin/sh
recipe=$(%q --no-print-directory -n -C %q "$@") || exit
last=$(printf '%%s\n' "$recipe" | tail -n 1)
case $last in
  bin/onething*) eval "exec $last" ;;
esac
`

// In the test, the clone is a folder of links. Go is asked in the repository, whose packages it has compiled before.
const goInstead = `#!/bin/sh
if [ "$PWD" = %q ]; then cd %q || exit; fi
exec %q "$@"
`

// runPage runs the commands of a page in a folder that looks like a clone, and compares what they print.
func runPage(t *testing.T, page string, blocks []block, env []string) {
	t.Helper()
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	clone, printed, instead := filepath.Join(home, "onething"), filepath.Join(home, "printed"), filepath.Join(home, "instead")
	layOut(t, repository, clone)
	for _, dir := range []string{printed, instead} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(instead, "make"), fmt.Sprintf(makeInstead, lookPath(t, "make"), repository))
	writeFile(t, filepath.Join(instead, "go"), fmt.Sprintf(goInstead, clone, repository, lookPath(t, "go")))

	var script strings.Builder
	script.WriteString(prelude)
	for i, b := range blocks {
		switch b.language {
		case "sh":
			fmt.Fprintf(&script, "echo %d > \"$PRINTED/at\"\n{\n%s} > \"$PRINTED/%d\"\n", b.line, b.text, i)
		case "sh server":
			fmt.Fprintf(&script, "echo %d > \"$PRINTED/at\"\n{\n%s} > \"$PRINTED/%d\" &\nawait %d %d $!\n", b.line, b.text, i, i, strings.Count(printedBelow(blocks, i), "\n"))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var stderr bytes.Buffer
	shell := exec.CommandContext(ctx, lookPath(t, "bash"), "-c", script.String())
	shell.Dir, shell.Stderr = clone, &stderr
	shell.Env = append(append(os.Environ(), env...), "ONETHING_LANG=en", "PRINTED="+printed, "PATH="+instead+":"+os.Getenv("PATH"))
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	shell.WaitDelay = 20 * time.Second
	if err := shell.Run(); err != nil {
		at, _ := os.ReadFile(filepath.Join(printed, "at"))
		t.Errorf("%s:%s: a command of this block has failed: %v\n%s", page, strings.TrimSpace(string(at)), err, stderr.String())
	}
	for i, b := range blocks {
		want := printedBelow(blocks, i)
		if !strings.HasPrefix(b.language, "sh") || want == "" {
			continue
		}
		got, err := os.ReadFile(filepath.Join(printed, fmt.Sprint(i)))
		if err != nil {
			t.Errorf("%s:%d: it was not run", page, b.line)
			continue
		}
		if !prints(want, string(got)) {
			t.Errorf("%s:%d: prints\n%s\nand not, as the page says,\n%s", page, b.line, got, want)
		}
	}
}

// printedBelow is what the page says that a block prints; empty if it says nothing.
func printedBelow(blocks []block, i int) string {
	if i+1 < len(blocks) && blocks[i+1].language == "text" {
		return blocks[i+1].text
	}
	return ""
}

// prints holds what was printed against what the page says, where `…` stands for anything. Blanks behind a colon or a
// comma do not count: encoders of JSON differ in them.
func prints(want, got string) bool {
	plain := func(text string) string {
		return strings.TrimSpace(regexp.MustCompile(`([:,]) `).ReplaceAllString(text, "$1"))
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(plain(want)), "…", "(?s:.*)")
	return regexp.MustCompile("^" + pattern + "$").MatchString(plain(got))
}

// layOut makes a folder that looks like a clone in which make has built everything: links to the repository, and this
// binary as bin/onething. What the page writes stays in it.
func layOut(t testing.TB, repository, clone string) {
	t.Helper()
	entries, err := os.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(clone, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"bin/onething": self}
	for _, e := range entries {
		if !slices.Contains([]string{".git", "bin", "var"}, e.Name()) {
			links[e.Name()] = filepath.Join(repository, e.Name())
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(clone, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func writeFile(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
}

// lookPath finds a program that the guides take for granted.
func lookPath(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("the guides need %s: %v", name, err)
	}
	return path
}
