package badgerlog

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/logtest"
	logv1 "github.com/siyiban/onething/proto/gen/onething/log/v1"
	"google.golang.org/protobuf/proto"
)

// quiet is for logs whose complaints a test expects.
var quiet = slog.New(slog.DiscardHandler)

func openLog(tb testing.TB, dir string) *Log {
	tb.Helper()
	l, err := Open(Config{Dir: dir, Logger: quiet})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

func TestLog(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(tb testing.TB, dir string) logtest.Log { return openLog(tb, dir) })
}

// change opens the store of a log that is closed, and writes one key: as a fault of ours would, not as one of the disk.
func change(t *testing.T, dir string, key, value []byte) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "CLOSED")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(txn *badger.Txn) error { return txn.Set(key, value) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	header := func(format uint32, epoch uint64) []byte {
		b, err := proto.Marshal(&logv1.Header{Format: format, Epoch: epoch})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	body, err := commitlog.Encode(logtest.Commit("a", 0, "id"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name       string
		key, value []byte
		want       error
	}{
		{"newer format", headerKey(), header(commitlog.Format+1, 1), commitlog.ErrFormat},
		{"header without epoch", headerKey(), header(1, 0), commitlog.ErrCorrupt},
		{"last commit that is none", commitKey(1), []byte("garbage"), commitlog.ErrCorrupt},
		{"last commit of another position", commitKey(1), body.Stored(1, 2), commitlog.ErrCorrupt},
		{"last commit of a newer format", commitKey(1), append([]byte{8, 2}, body.Stored(1, 1)[2:]...), commitlog.ErrFormat},
		{"key that is no position", []byte("c1"), nil, commitlog.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := openLog(t, dir).Close(); err != nil {
				t.Fatal(err)
			}
			change(t, dir, test.key, test.value)
			if _, err := Open(Config{Dir: dir, Logger: quiet}); !errors.Is(err, test.want) {
				t.Errorf("open: %v, want %v", err, test.want)
			}
		})
	}

	t.Run("a store that is no log", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		change(t, dir, []byte("key"), []byte("value"))
		if _, err := Open(Config{Dir: dir, Logger: quiet}); !errors.Is(err, commitlog.ErrFormat) {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("a log that is open", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		l := openLog(t, dir)
		if second, err := Open(Config{Dir: dir, Logger: quiet}); err == nil {
			t.Errorf("the log was opened twice; closing the second: %v", second.Close())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("no room", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "not", "yet")
		if _, err := Open(Config{Dir: dir, Logger: quiet, MinFree: 1 << 60}); !errors.Is(err, commitlog.ErrNoSpace) {
			t.Errorf("open: %v", err)
		}
	})
	for _, c := range []Config{{Logger: quiet}, {Dir: t.TempDir()}} {
		if _, err := Open(c); err == nil {
			t.Errorf("%+v was opened", c)
		}
	}
}

// A full disk refuses appends and stops nothing: when there is room again, the log goes on.
// A log that is opened to be read only is read while the disk is full, and never written; it is not made.
func TestOpen_ReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	full := func(string) (uint64, error) { return 0, nil }
	l := openLog(t, dir)
	if _, err := l.Append(t.Context(), logtest.Commit("a", 0, "id")); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Config{Dir: dir, ReadOnly: true, Logger: quiet, Free: full})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), logtest.Commit("a", 1, "other")); !errors.Is(err, commitlog.ErrReadOnly) {
		t.Errorf("an append: %v", err)
	}
	events := 0
	for _, err := range l.Read(t.Context(), "a", 0) {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	if _, upto := l.Head(); events != 1 || upto != 1 {
		t.Errorf("%d events, up to %d", events, upto)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}

	nowhere := filepath.Join(dir, "nowhere")
	if _, err := Open(Config{Dir: nowhere, ReadOnly: true, Logger: quiet}); err == nil || NotClosed(err) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := os.Stat(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	other := t.TempDir()
	change(t, other, []byte("other"), nil)
	if _, err := Open(Config{Dir: other, ReadOnly: true, Logger: quiet}); !errors.Is(err, commitlog.ErrFormat) {
		t.Errorf("a store that is no log: %v", err)
	}
}

func TestLog_NoSpace(t *testing.T) {
	t.Parallel()
	l := openLog(t, t.TempDir())
	l.space.MinFree = 1 << 60
	if _, err := l.Append(t.Context(), logtest.Commit("a", 0, "id")); !errors.Is(err, commitlog.ErrNoSpace) {
		t.Errorf("append: %v", err)
	}
	if err := l.Err(); !errors.Is(err, commitlog.ErrNoSpace) {
		t.Errorf("health: %v", err)
	}
	l.space.MinFree = 1
	if r, err := l.Append(t.Context(), logtest.Commit("a", 0, "id")); err != nil || r.Position != 1 {
		t.Errorf("append with room again: %+v, %v", r, err)
	}
	if err := l.Err(); err != nil {
		t.Errorf("health with room again: %v", err)
	}
}

// What a disk has spoilt is an error for those who read it, and nothing else.
func TestLog_Corrupt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLog(t, dir)
	for i := range uint64(3) {
		if _, err := l.Append(t.Context(), logtest.Commit("a", i, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, dir, commitKey(2), []byte("garbage"))
	l = openLog(t, dir)

	if _, _, _, err := l.Lookup(t.Context(), "a", "1"); !errors.Is(err, commitlog.ErrCorrupt) {
		t.Errorf("lookup: %v", err)
	}
	if _, err := l.Append(t.Context(), logtest.Commit("a", 1, "1")); !errors.Is(err, commitlog.ErrCorrupt) {
		t.Errorf("append again what is spoilt: %v", err)
	}
	var read, followed []error
	for _, err := range l.Read(t.Context(), "a", 0) {
		read = append(read, err)
	}
	for _, err := range l.Follow(t.Context(), 0) {
		followed = append(followed, err)
	}
	for _, got := range [][]error{read, followed} {
		if len(got) != 2 || got[0] != nil || !errors.Is(got[1], commitlog.ErrCorrupt) {
			t.Errorf("readers got %v, want the first commit and that the second is corrupt", got)
		}
	}
	for e, err := range l.Read(t.Context(), "a", 2) {
		if err != nil || e.Version != 3 {
			t.Errorf("read behind the spoilt commit: %+v, %v", e, err)
		}
	}
	if r, err := l.Append(t.Context(), logtest.Commit("a", 3, "3")); err != nil || r.Position != 4 {
		t.Errorf("append: %+v, %v", r, err)
	}
}

// What Badger could not write behind the back of a commit, as a table, ends the log as a failed sync does: what it then syncs
// without an error proves nothing. What it could not read does not.
func TestLog_FailedInTheBackground(t *testing.T) {
	t.Parallel()
	l := openLog(t, t.TempDir())
	l.badger.Errorf("Unable to read: Key: %v", "k")
	if _, err := l.Append(t.Context(), logtest.Commit("a", 0, "0")); err != nil {
		t.Fatal(err)
	}
	l.badger.Errorf("error flushing memtable to disk: %v, retrying", errors.New("input/output error"))
	if err := l.Err(); !errors.Is(err, commitlog.ErrStopped) {
		t.Errorf("the log says %v", err)
	}
	if r, err := l.Append(t.Context(), logtest.Commit("a", 1, "1")); !errors.Is(err, commitlog.ErrStopped) {
		t.Errorf("acknowledged: %+v, %v", r, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
