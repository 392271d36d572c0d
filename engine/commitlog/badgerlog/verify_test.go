package badgerlog

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/logtest"
)

// A fault of what is stored is told with its place, and only that.
func TestVerify(t *testing.T) {
	t.Parallel()
	stored := func(stream string, expected uint64, id string, epoch, position uint64) []byte {
		body, err := commitlog.Encode(logtest.Commit(stream, expected, id))
		if err != nil {
			t.Fatal(err)
		}
		return body.Stored(epoch, position)
	}
	whole := filepath.Join(t.TempDir(), "log")
	filledLog(t, whole)
	for _, test := range []struct {
		name  string
		set   map[string][]byte // nil removes
		want  []string          // beginnings, and what follows them somewhere
		reads uint64            // commits that can be read
	}{
		{name: "nothing", reads: 60},
		{name: "a commit is gone", set: map[string][]byte{string(commitKey(7)): nil}, reads: 59, want: []string{"position 7: commit 7: commitlog: corrupt: it is missing"}},
		{name: "a commit is another one", set: map[string][]byte{string(commitKey(7)): stored("a/1", 1, "6", 1, 8)}, reads: 59,
			want: []string{"position 7: commit 7: commitlog: corrupt: it says that it is commit 8"}},
		{name: "a version is left out", set: map[string][]byte{string(commitKey(7)): stored("a/1", 2, "6", 1, 7)}, reads: 60, want: []string{
			"position 7, stream a/1, version 3: commitlog: corrupt: the index of the stream leads to position 12",
			"position 7, stream a/1, version 2: commitlog: corrupt: the index of the stream leads to a commit that does not make this version"}},
		{name: "an epoch of the future", set: map[string][]byte{string(commitKey(60)): stored("a/4", 11, "59", 9, 60)}, reads: 60,
			want: []string{"position 60: commitlog: corrupt: commit of epoch 9 after one of epoch 1, in a log of epoch 1"}},
		{name: "a request id leads nowhere", set: map[string][]byte{string(requestKey("a/1", "6")): nil}, reads: 60, want: []string{
			"position 7, stream a/1: commitlog: corrupt: its request id leads to position 0",
			"commitlog: corrupt: the index of request ids has 59 entries, the log has 60"}},
		{name: "an append is not in the index", set: map[string][]byte{string(appendKey("a/1", 2)): nil}, reads: 60, want: []string{
			"position 7, stream a/1, version 2: commitlog: corrupt: the index of the stream leads to position 0",
			"position 12, stream a/1, version 3: commitlog: corrupt: it follows on version 2, and the one before is 1",
			"commitlog: corrupt: the index of streams has 59 entries, the commits make 60"}},
		{name: "a version is noted wrongly", set: map[string][]byte{string(versionKey("a/1")): number(3)}, reads: 60,
			want: []string{"stream a/1, version 12: commitlog: corrupt: its version is noted as 3"}},
		{name: "a stream without appends", set: map[string][]byte{string(versionKey("b")): number(3)}, reads: 60,
			want: []string{"commitlog: corrupt: the index of streams has 6 entries, the log has 5"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			l := openLog(t, dir)
			if err := l.db.Update(func(txn *badger.Txn) error {
				for key, value := range test.set {
					err := txn.Set([]byte(key), value)
					if value == nil {
						err = txn.Delete([]byte(key))
					}
					if err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			got, reads := verify(t, l)
			if len(got) != len(test.want) || reads != test.reads {
				t.Errorf("%d commits read, want %d; told:\n%s", reads, test.reads, strings.Join(got, "\n"))
			}
			for i := range min(len(got), len(test.want)) {
				if !strings.HasPrefix(got[i], test.want[i]) {
					t.Errorf("told %q, want %q", got[i], test.want[i])
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A restored log is the same byte for byte, remembers every request, and goes on in its own epoch.
func TestRestore(t *testing.T) {
	t.Parallel()
	want := filledLog(t, filepath.Join(t.TempDir(), "old"))
	dir := filepath.Join(t.TempDir(), "new")
	if err := Restore(Config{Dir: dir, Logger: quiet, MinFree: 1}, 7, sequence(want)); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, dir)
	if diff := cmp.Diff(want, storedIn(t, l)); diff != "" {
		t.Errorf("commits (-want +got):\n%s", diff)
	}
	if faults, n := verify(t, l); len(faults) > 0 || n != 60 {
		t.Errorf("%d commits, faults: %v", n, faults)
	}
	if r, err := l.Append(t.Context(), logtest.Commit("a/1", 1, "6")); !errors.Is(err, commitlog.ErrRequestReused) && (err != nil || r.Position != 7 || r.Epoch != 1) {
		t.Errorf("a request of before: %+v, %v", r, err)
	}
	if r, err := l.Append(t.Context(), logtest.Commit("new", 0, "new")); err != nil || r.Position != 61 || r.Epoch != 7 {
		t.Errorf("the next commit: %+v, %v", r, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := Restore(Config{Dir: dir, Logger: quiet, MinFree: 1}, 8, sequence(want)); err == nil {
		t.Error("a log was restored over another one")
	}
	for name, commits := range map[string][][]byte{
		"a commit left out": append(append([][]byte{}, want[:6]...), want[7:]...), "in another order": {want[1], want[0]}, "one twice": {want[0], want[0]},
		"garbage": {[]byte("garbage")}, "a version left out": {want[0], restamp(t, want[10], 2)},
	} {
		if err := Restore(Config{Dir: filepath.Join(t.TempDir(), "log"), Logger: quiet, MinFree: 1}, 7, sequence(commits)); !errors.Is(err, commitlog.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Restore(Config{Dir: filepath.Join(t.TempDir(), "log"), Logger: quiet, MinFree: 1}, 1, sequence(want)); !errors.Is(err, commitlog.ErrCorrupt) {
		t.Errorf("in the epoch of what was backed up: %v", err)
	}
}

// restamp gives a stored commit another position.
func restamp(t *testing.T, stored []byte, position byte) []byte {
	t.Helper()
	c, err := commitlog.Decode(stored)
	if err != nil || c.Position >= 128 {
		t.Fatal(fmt.Errorf("position %d: %w", c.Position, err))
	}
	out := append([]byte{}, stored...)
	out[5] = position // format, epoch and position are three fields of two bytes
	return out
}

func sequence(commits [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, c := range commits {
			if !yield(c, nil) {
				return
			}
		}
	}
}
