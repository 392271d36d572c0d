//go:build unix

package badgerlog

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/logtest"
)

// The test binary runs itself again as a child that writes to a log and says so; these variables tell it which child it
// is, and in which folder.
const (
	childVariable = "ONETHING_BADGERLOG_CHILD"
	dirVariable   = "ONETHING_BADGERLOG_DIR"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(dirVariable)
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "writers":
		writeUntilKilled(dir)
	case "one":
		writeOne(dir)
	case ".vlog", ".mem":
		if err := appendWithoutSync(dir, os.Getenv(childVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func startChild(t *testing.T, name, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childVariable+"="+name, dirVariable+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child, bufio.NewScanner(out)
}

func openInChild(dir string) *Log {
	l, err := Open(Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return l
}

const crashWriters = 8

// crashCommit is the i-th commit of a writer: two streams, and enough bytes that some go to Badger's value log and
// some do not.
func crashCommit(life string, writer int, i uint64) commitlog.Commit {
	stream := fmt.Sprintf("%s/%d", life, writer)
	c := logtest.Commit(stream+"/a", i, fmt.Sprint(i))
	c.Appends[0].Events[0].Public = []byte(strings.Repeat("x", int(i%7)*300))
	c.Appends = append(c.Appends, commitlog.Append{Stream: stream + "/b", Expected: 2 * i,
		Events: []commitlog.Event{{Type: "T"}, {Type: "T"}}})
	return c
}

// writeUntilKilled appends, and prints each commit after it was acknowledged.
func writeUntilKilled(dir string) {
	l := openInChild(dir)
	life := fmt.Sprint("life", os.Getpid())
	var out sync.Mutex
	var wg sync.WaitGroup
	for w := range crashWriters {
		wg.Go(func() {
			for i := uint64(0); ; i++ {
				r, err := l.Append(context.Background(), crashCommit(life, w, i))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Fprintf(os.Stdout, "%s %d %d %d\n", life, w, i, r.Position)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// ones are the commits of a child that appends one after the other.
const ones = 60

// writeOne appends commits one after the other, prints each after it was acknowledged, and ends.
func writeOne(dir string) {
	l := openInChild(dir)
	for i := range uint64(ones) {
		r, err := l.Append(context.Background(), crashCommit("one", 0, i))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Fprintf(os.Stdout, "one 0 %d %d\n", i, r.Position)
	}
	os.Exit(0) // without closing, which would sync
}

// made is a commit of a writer.
type made struct {
	life   string
	writer int
	i      uint64
}

// said reads what a writer says of a commit that was acknowledged; false for a line that was cut off.
func said(line string) (m made, position uint64, ok bool) {
	_, err := fmt.Sscanf(line, "%s %d %d %d", &m.life, &m.writer, &m.i, &position)
	return m, position, err == nil
}

// holdsAcknowledged fails unless a log holds every commit that was acknowledged, by position, none in half, and its streams
// without a gap; and unless a command that is repeated is known.
func holdsAcknowledged(t *testing.T, l *Log, acknowledged map[uint64]made) {
	t.Helper()
	_, head := l.Head()
	versions := map[string]uint64{}
	seen := 0
	for i, c := range logtest.Commits(t, l, int(head)) {
		if c.Position != uint64(i)+1 {
			t.Fatalf("commit %d has position %d", i+1, c.Position)
		}
		if len(c.Appends) != 2 {
			t.Fatalf("commit %d is half: %+v", c.Position, c)
		}
		for _, a := range c.Appends {
			if versions[a.Stream] != a.Expected {
				t.Fatalf("commit %d: stream %s has version %d, expected %d", c.Position, a.Stream, versions[a.Stream], a.Expected)
			}
			versions[a.Stream] = a.Last()
		}
		if m, ok := acknowledged[c.Position]; ok {
			seen++
			if want := fmt.Sprintf("%s/%d/a", m.life, m.writer); c.Appends[0].Stream != want || c.RequestID != fmt.Sprint(m.i) {
				t.Fatalf("position %d holds %s of %s, acknowledged was %d of %s", c.Position, c.RequestID, c.Appends[0].Stream, m.i, want)
			}
		}
	}
	if seen != len(acknowledged) {
		t.Fatalf("%d of %d acknowledged commits are there, the log ends at %d", seen, len(acknowledged), head)
	}
	for stream, version := range versions {
		n := uint64(0)
		for e, err := range l.Read(t.Context(), stream, 0) {
			if n++; err != nil || e.Version != n {
				t.Fatalf("stream %s: version %d is %d, %v", stream, n, e.Version, err)
			}
		}
		if n != version {
			t.Fatalf("stream %s has %d events, its commits have %d", stream, n, version)
		}
	}
	// An acknowledged command that is repeated is known.
	for position, m := range acknowledged {
		r, err := l.Append(t.Context(), crashCommit(m.life, m.writer, m.i))
		if err != nil || r.Position != position {
			t.Fatalf("repeated: %+v, %v; want position %d", r, err, position)
		}
		break
	}
}

// A process that is killed at any moment loses nothing that it acknowledged, and leaves no half commit.
func TestLog_Killed(t *testing.T) {
	// Not in parallel: between fork and exec a child holds the locks of all folders that are open here, and another
	// test that closes one and opens it again would find it taken.
	dir := t.TempDir()
	acknowledged := map[uint64]made{} // by position
	for range 3 {
		child, lines := startChild(t, "writers", dir)
		// The moment is random: some commits after the first one, between two lines.
		after := 1 + rand.IntN(3000)
		for n := 0; lines.Scan(); n++ {
			if n == after {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			m, position, ok := said(lines.Text())
			if !ok {
				break // the last line may be cut off
			}
			acknowledged[position] = m
		}
		if err := child.Wait(); child.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child was to be killed and ended: %v", err)
		}

		l := openLog(t, dir)
		holdsAcknowledged(t, l, acknowledged)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) < 3 {
		t.Fatalf("only %d commits were acknowledged", len(acknowledged))
	}
}
