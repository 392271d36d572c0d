package follow

import (
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/durable/badgerdb"
)

// Listing is what the list of a follower holds.
type Listing struct {
	commitlog.Cursor     // how far it has come
	Items            int // of work, due or not
}

// Verify reads the whole list of a follower that is closed, and changes nothing.
func Verify(dir string, logger *slog.Logger) (l Listing, err error) {
	db, err := badgerdb.Open(badgerdb.Config{Dir: dir, ReadOnly: true, Logger: logger})
	if err != nil {
		return l, fmt.Errorf("open list of work: %w", err)
	}
	defer func() { _ = db.Close() }() // nothing was written
	if err := db.All(func(key, _ []byte) error {
		if key[0] == itemPrefix {
			l.Items++
		}
		return nil
	}); err != nil {
		return l, fmt.Errorf("read list of work: %w", err)
	}
	err = db.View(func(txn *badger.Txn) error {
		l.Cursor, err = loadCursor(txn)
		return err
	})
	return l, err
}
