package badgerlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/logtest"
)

// filledLog makes a log that was closed, with small commits and some that go to Badger's value log, and returns what is
// stored of each.
func filledLog(t testing.TB, dir string) [][]byte {
	t.Helper()
	l := openLog(t, dir)
	for i := range uint64(60) {
		if i == 40 { // a store that is opened again begins new files
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = openLog(t, dir)
		}
		c := logtest.Commit(fmt.Sprint("a/", i%5), i/5, fmt.Sprint(i))
		c.Appends[0].Events[0].Public = bytes.Repeat([]byte{byte(i)}, int(i%7)*400)
		if _, err := l.Append(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	all := storedIn(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

func storedIn(t testing.TB, l *Log) [][]byte {
	t.Helper()
	_, head := l.Head()
	var all [][]byte
	for stored, err := range l.Stored(t.Context(), head) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stored)
	}
	return all
}

// verify returns what is wrong in a log, line by line.
func verify(t testing.TB, l *Log) (faults []string, commits uint64) {
	t.Helper()
	err := l.Verify(t.Context(), func(commitlog.Commit) error { commits++; return nil }, func(f commitlog.Fault) { faults = append(faults, f.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return faults, commits
}

// data lists the files that hold what was committed, with their sizes.
func data(t testing.TB, dir string) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	for _, pattern := range []string{"*.sst", "*.vlog"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			sizes[filepath.Base(name)] = info.Size()
		}
	}
	return sizes
}

// Whatever happens to a file of a log, nothing is skipped in silence: the log is refused when it is opened, or the walk
// finds it, or all is there all the same.
func TestLog_DamagedFiles(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	want := filledLog(t, whole)
	names, err := os.ReadDir(whole)
	if err != nil {
		t.Fatal(err)
	}
	damages := map[string]func(name string, content []byte) error{
		"missing":   func(name string, _ []byte) error { return os.Remove(name) },
		"empty":     func(name string, _ []byte) error { return os.Truncate(name, 0) },
		"cut off":   func(name string, b []byte) error { return os.Truncate(name, int64(len(b))*2/3) },
		"one short": func(name string, b []byte) error { return os.Truncate(name, max(int64(len(b))-1, 0)) },
	}
	for _, part := range []int{10, 50, 97} {
		damages[fmt.Sprintf("a bit at %d%%", part)] = func(name string, b []byte) error {
			b = bytes.Clone(b)
			if len(b) > 0 {
				b[len(b)*part/100] ^= 4
			}
			return os.WriteFile(name, b, 0o600)
		}
	}
	refused, found := 0, 0
	for _, file := range names {
		content, err := os.ReadFile(filepath.Join(whole, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for damage, do := range damages {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := do(filepath.Join(dir, file.Name()), content); err != nil {
				t.Fatal(err)
			}
			before := data(t, dir)
			l, err := Open(Config{Dir: dir, Logger: quiet, MinFree: 1})
			if err != nil {
				refused++
				if diff := cmp.Diff(before, data(t, dir)); diff != "" {
					t.Errorf("%s of %s: refused (%v), and more was lost:\n%s", damage, file.Name(), err, diff)
				}
				continue
			}
			faults, _ := verify(t, l)
			if len(faults) > 0 {
				found++
			} else if diff := cmp.Diff(want, storedIn(t, l)); diff != "" {
				t.Errorf("%s of %s is skipped in silence: %d of %d commits are there", damage, file.Name(), len(storedIn(t, l)), len(want))
			}
			if err := l.Close(); err != nil {
				t.Logf("%s of %s: close: %v", damage, file.Name(), err)
			}
		}
	}
	t.Logf("%d refused, %d found", refused, found)
	if refused == 0 || found == 0 {
		t.Error("nothing was damaged")
	}
}

// A process that is killed while Badger writes a table leaves an empty or half one behind, which no manifest names. The log
// opens all the same.
func TestLog_TableThatWasBeingWritten(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{"empty": nil, "half": bytes.Repeat([]byte{0}, 5000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed, dir := t.TempDir(), t.TempDir()
			want := filledLog(t, closed)
			if err := os.CopyFS(dir, os.DirFS(closed)); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, "CLOSED")); err != nil { // it was killed
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "000099.sst"), content, 0o600); err != nil {
				t.Fatal(err)
			}
			l := openLog(t, dir)
			if diff := cmp.Diff(want, storedIn(t, l)); diff != "" {
				t.Errorf("commits (-want +got):\n%s", diff)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
