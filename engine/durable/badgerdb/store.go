package badgerdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/durable"
)

// recheck is how often [DB.WaitForRoom] measures the disk.
const recheck = time.Second

// DB is a store that does not write where there is too little room. Of what it embeds only View and iterators are
// used; every write goes through Update, Commit or Clear.
type DB struct {
	*badger.DB
	dir      string
	readOnly bool
	space    durable.Space
	logger   *Logger
	stopped  atomic.Bool
	close    sync.Once
	failed   error // of closing
}

// Close closes the store and notes what it consists of.
func (db *DB) Close() error {
	db.close.Do(func() {
		db.failed = db.DB.Close()
		if db.failed == nil && !db.readOnly && !db.stopped.Load() && !db.logger.Failed() {
			db.failed = End(db.dir)
		}
	})
	return db.failed
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
	if db.stopped.Load() || db.logger.Failed() {
		return ErrStopped
	}
	staged := false
	err := db.Update(func(txn *badger.Txn) error {
		err := f(txn)
		staged = err == nil
		return err
	})
	if err == nil {
		err = Alive(db.dir)
	}
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

// All hands everything in the store to each, as it is at one moment.
func (db *DB) All(each func(key, value []byte) error) error {
	return db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := it.Item().Value(func(value []byte) error { return each(it.Item().Key(), value) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// Backup writes everything in the store, as it is at one moment, while it is used. [Restore] reads it. The error wraps
// [ErrDamaged] if something of it cannot be read.
func (db *DB) Backup(w io.Writer) error {
	before := db.logger.Unread()
	_, err := db.DB.Backup(w, 0)
	if err == nil && db.logger.Unread() != before {
		err = fmt.Errorf("%w: not everything in %s can be read", ErrDamaged, db.dir)
	}
	return err
}

// Restore makes a store in a folder that has none, of what [DB.Backup] has written.
func Restore(c Config, r io.Reader) (err error) {
	db, err := Open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Load(r, 16)
}
