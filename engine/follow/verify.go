package follow

import (
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/durable/badgerdb"
)

// Verify reads the whole list of a follower that is closed, changes nothing, and returns how far it has come.
func Verify(dir string, logger *slog.Logger) (at commitlog.Cursor, err error) {
	db, err := badgerdb.Open(badgerdb.Config{Dir: dir, ReadOnly: true, Logger: logger})
	if err != nil {
		return at, fmt.Errorf("open list of work: %w", err)
	}
	defer func() { _ = db.Close() }() // nothing was written
	if err := db.All(func(_, _ []byte) error { return nil }); err != nil {
		return at, fmt.Errorf("read list of work: %w", err)
	}
	err = db.View(func(txn *badger.Txn) error {
		at, err = loadCursor(txn)
		return err
	})
	return at, err
}
