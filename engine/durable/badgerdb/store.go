package badgerdb

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/durable"
)

// recheck is how often [DB.WaitForRoom] measures the disk.
const recheck = time.Second

// DB is a store that does not write where there is too little room. Of what it embeds only View, Close and iterators are
// used; every write goes through Update, Commit or Clear.
type DB struct {
	*badger.DB
	dir     string
	space   durable.Space
	stopped atomic.Bool
}

// ErrStopped is returned by [DB.Commit] after a write failed: the store has to be opened again.
var ErrStopped = errors.New("stopped after a failed write")

// Update writes in one transaction, as Badger's does. The error wraps [durable.ErrNoSpace] if there is too little room;
// then f was not called.
func (db *DB) Update(f func(*badger.Txn) error) error {
	if err := db.space.Check(db.dir); err != nil {
		return err
	}
	return db.DB.Update(f)
}

// Commit is Update for a store that cannot be made again from the log: after a failed commit nobody knows what is on disk,
// and a second sync proves nothing, so it then refuses with [ErrStopped] until the store is opened again. With too little
// room it refuses with [durable.ErrNoSpace], and goes on when there is some.
func (db *DB) Commit(f func(*badger.Txn) error) error {
	if db.stopped.Load() {
		return ErrStopped
	}
	staged := false
	err := db.Update(func(txn *badger.Txn) error {
		err := f(txn)
		staged = err == nil
		return err
	})
	if err != nil && staged {
		db.stopped.Store(true)
		return fmt.Errorf("%w: %w", ErrStopped, err)
	}
	return err
}

// Clear removes everything. Its error is like that of Update.
func (db *DB) Clear() error {
	if err := db.space.Check(db.dir); err != nil {
		return err
	}
	return db.DropAll()
}

// WaitForRoom returns when there is room to write, or with the error of ctx or of the measure.
func (db *DB) WaitForRoom(ctx context.Context) error {
	for {
		if err := db.space.Check(db.dir); !errors.Is(err, durable.ErrNoSpace) {
			return err
		}
		pause, cancel := context.WithTimeout(ctx, recheck)
		<-pause.Done()
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
