package badgerdb_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
)

var quiet = slog.New(slog.DiscardHandler)

func open(t testing.TB, dir string) *badgerdb.DB {
	t.Helper()
	db, err := badgerdb.Open(badgerdb.Config{Dir: dir, Sync: true, Logger: quiet, Space: durable.Space{MinFree: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func set(key string) func(*badger.Txn) error {
	return func(txn *badger.Txn) error { return txn.Set([]byte(key), []byte("value")) }
}

// What Badger says of something that it could not write counts, and what it says of something that it could not read does not.
func TestLogger(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		says func(*badgerdb.Logger)
		want bool
		read int64 // what could not be
	}{
		{name: "a value log that was not synced", says: func(l *badgerdb.Logger) { l.Errorf("Error while curlf sync: %v\n", os.ErrClosed) }, want: true},
		{name: "a table that was not written", says: func(l *badgerdb.Logger) { l.Errorf("error flushing memtable to disk: %v, retrying", os.ErrClosed) }, want: true},
		{name: "a compaction that failed", says: func(l *badgerdb.Logger) {
			l.Warningf("[Compactor: %d] LOG Compact FAILED with error: %+v: %+v", 1, os.ErrClosed, nil)
		}, want: true},
		{name: "a value that cannot be read", says: func(l *badgerdb.Logger) { l.Errorf("Unable to read: Key: %v, Version : %v", "k", 1) }, read: 1},
		{name: "what a backup leaves out", says: func(l *badgerdb.Logger) { l.Warningf("While reading key: %x, got error: %v", "k", os.ErrClosed) }, read: 1},
		{name: "another warning", says: func(l *badgerdb.Logger) { l.Warningf("Block cache might be too small.") }},
		{name: "news", says: func(l *badgerdb.Logger) { l.Infof("All %d tables opened", 3); l.Debugf("Writing to memtable") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &badgerdb.Logger{To: quiet}
			if tt.says(l); l.Failed() != tt.want || l.Unread() != tt.read {
				t.Errorf("failed: %t, unread: %d", l.Failed(), l.Unread())
			}
		})
	}
}

// After a commit on a disk that has gone nothing is acknowledged until the store is opened again, though every sync succeeds.
func TestDB_CommitOnADeadDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Commit(set("a")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "MANIFEST")
	if err := os.Rename(name, name+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(set("b")); !errors.Is(err, badgerdb.ErrStopped) {
		t.Errorf("acknowledged: %v", err)
	}
	if err := os.Rename(name+".gone", name); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(set("c")); !errors.Is(err, badgerdb.ErrStopped) {
		t.Errorf("acknowledged after a commit that failed: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir)
	if err := db.Commit(set("c")); err != nil {
		t.Errorf("opened again: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
