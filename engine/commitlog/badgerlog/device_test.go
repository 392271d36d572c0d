//go:build linux

package badgerlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/logtest"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/internal/testdisk"
)

// diskGone is what happens to a disk while eight callers append.
type diskGone struct {
	// stops has the program stand still before its disk goes, as in a power cut; else it goes on on a dead disk.
	stops bool
	// after so many acknowledgements.
	after int
}

// goes starts a program that appends, lets its disk go, and adds what it acknowledged before and after.
func (g diskGone) goes(t *testing.T, folder, dir string, acknowledged map[uint64]made) {
	t.Helper()
	child, lines := startChild(t, "writers", dir)
	child.Stderr = nil // it says that its disk is gone
	for n := 0; lines.Scan(); n++ {
		if n == g.after {
			if g.stops {
				var stopped syscall.WaitStatus
				if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				if _, err := syscall.Wait4(child.Process.Pid, &stopped, syscall.WUNTRACED, nil); err != nil || !stopped.Stopped() {
					t.Fatal(err, stopped)
				}
			}
			testdisk.CutPower(t, folder)
			if g.stops {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		m, position, ok := said(lines.Text())
		if !ok {
			break
		}
		acknowledged[position] = m
	}
	_ = child.Wait() // killed, or its log has stopped
}

// A disk that goes at any moment, and drops what was not synced, loses nothing that was acknowledged: neither in a power cut
// nor where the program lives on without it.
func TestLog_PowerCut(t *testing.T) { // not in parallel, as TestLog_Killed
	folder, again := testdisk.Mount(t, 3000)
	for _, stops := range []bool{true, false} {
		dir := filepath.Join(folder, fmt.Sprint("stops ", stops))
		acknowledged := map[uint64]made{}
		for range diskRounds(t) {
			diskGone{stops: stops, after: 300 + rand.IntN(300)}.goes(t, folder, dir, acknowledged)
			again()
			l := openLog(t, dir)
			holdsAcknowledged(t, l, acknowledged)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if len(acknowledged) < 900 {
			t.Errorf("only %d commits were acknowledged", len(acknowledged))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// diskRounds is how often the disk goes: ONETHING_DISK_ROUNDS, or a few times. Of a hundred times without [badgerdb.Alive] one
// to three lost a group of commits that was acknowledged.
func diskRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ONETHING_DISK_ROUNDS")
	if text == "" {
		return 3
	}
	rounds, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return rounds
}

// A sync that says that it succeeded on a disk that has gone is no acknowledgement. That it does is rare, so here it is the
// manifest that has gone: every sync succeeds, and the look at the disk after it does not.
func TestLog_SyncOnADeadDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLog(t, dir)
	if _, err := l.Append(t.Context(), logtest.Commit("a", 0, "0")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "MANIFEST")
	if err := os.Rename(name, name+".gone"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is not even tried
		if r, err := l.Append(t.Context(), logtest.Commit("a", 1, "1")); !errors.Is(err, commitlog.ErrStopped) {
			t.Errorf("acknowledged: %+v, %v", r, err)
		}
		if err := os.Rename(name+".gone", name); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := l.Err(); !errors.Is(err, commitlog.ErrStopped) {
		t.Errorf("the log says %v", err)
	}
	if _, head := l.Head(); head != 1 {
		t.Errorf("the log ends at %d", head)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// On a file system that was shut down nothing is alive, though what was read before can still be read.
func TestAlive(t *testing.T) {
	t.Parallel()
	folder, again := testdisk.Mount(t, 20)
	dir := filepath.Join(folder, "files")
	files, err := durable.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "file")
	if err := durable.WriteNew(name, []byte("content")); err != nil {
		t.Fatal(err)
	}
	if err := durable.Alive(name); err != nil {
		t.Errorf("before: %v", err)
	}
	testdisk.CutPower(t, folder)
	if err := durable.Alive(name); !errors.Is(err, syscall.EIO) {
		t.Errorf("on a dead disk: %v", err)
	}
	if err := files.Close(); err != nil {
		t.Error(err)
	}
	again()
	if err := durable.Alive(name); err != nil {
		t.Errorf("mounted again: %v", err)
	}
}

// A disk that fills up refuses commits, goes on reading, and takes commits again when there is room: nothing is killed by the
// memory map of a file without blocks.
func TestLog_FullDevice(t *testing.T) {
	folder, _ := testdisk.Mount(t, 700)
	l, err := Open(Config{Dir: filepath.Join(folder, "log"), Logger: quiet, MinFree: 300 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if _, err := l.Append(t.Context(), logtest.Commit("a", 0, "0")); err != nil {
		t.Fatal(err)
	}
	empty := testdisk.Fill(t, folder, 200)
	if _, err := l.Append(t.Context(), logtest.Commit("a", 1, "1")); !errors.Is(err, commitlog.ErrNoSpace) {
		t.Errorf("a full disk takes a commit: %v", err)
	}
	for e, err := range l.Read(t.Context(), "a", 0) {
		if err != nil || e.Version != 1 {
			t.Errorf("reading: %v, %v", e, err)
		}
	}
	if again, err := Open(Config{Dir: filepath.Join(folder, "other"), Logger: quiet, MinFree: 300 << 20}); !errors.Is(err, commitlog.ErrNoSpace) {
		t.Errorf("a log is opened on a full disk: %v, %v", again, err)
	}
	empty()
	if _, err := l.Append(t.Context(), logtest.Commit("a", 1, "1")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// Between two acknowledgements of a log with one caller there is a sync that succeeded: traced by strace.
func TestLog_SyncsBeforeItAcknowledges(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	child := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-e", "trace=msync,fsync,fdatasync,write", "-s", "40", "-o", trace, os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childVariable+"=one", dirVariable+"="+filepath.Join(dir, "log"))
	if out, err := child.CombinedOutput(); err != nil {
		t.Skipf("it cannot be traced here: %v: %s", err, out)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	synced := regexp.MustCompile(`(msync|fsync|fdatasync)(\(.*| resumed>.*)\) += 0$`)
	acknowledged, syncs := 0, 0
	for line := range strings.Lines(string(text)) {
		switch line = strings.TrimSpace(line); {
		case synced.MatchString(line):
			syncs++
		case strings.Contains(line, `write(1, "one 0 `):
			if acknowledged++; syncs == 0 {
				t.Errorf("nothing was synced before %s", line)
			}
			syncs = 0
		}
	}
	if acknowledged != ones {
		t.Errorf("%d acknowledgements in the trace, want %d", acknowledged, ones)
	}
}
