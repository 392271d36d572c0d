package draft

import (
	"log/slog"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/durable/badgerdb"
)

// Batch is how many drafts are found at a time.
const Batch = batch

// MarkOrphan leaves in a closed store what a crash leaves between making a key and saving the draft.
func MarkOrphan(t testing.TB, dir, id string) {
	t.Helper()
	db, err := badgerdb.Open(badgerdb.Config{Dir: dir, Sync: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Update(func(txn *badger.Txn) error { return txn.Set(orphanKey(id), nil) }); err != nil {
		t.Fatal(err)
	}
}

// Marks lists what [MarkOrphan] has left in a closed store.
func Marks(t testing.TB, dir string) []string {
	t.Helper()
	db, err := badgerdb.Open(badgerdb.Config{Dir: dir, Sync: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	marks, err := (&Store{db: db}).orphans()
	if err != nil {
		t.Fatal(err)
	}
	return marks
}
