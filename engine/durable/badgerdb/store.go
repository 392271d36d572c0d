package badgerdb

import (
	"context"
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/durable"
)

// recheck is how often [DB.WaitForRoom] measures the disk.
const recheck = time.Second

// DB is a store that does not write where there is too little room. Of what it embeds only View, Close and iterators are
// used; every write goes through Update or Clear.
type DB struct {
	*badger.DB
	dir   string
	space durable.Space
}

// Update writes in one transaction, as Badger's does. The error wraps [durable.ErrNoSpace] if there is too little room;
// then f was not called.
func (db *DB) Update(f func(*badger.Txn) error) error {
	if err := db.space.Check(db.dir); err != nil {
		return err
	}
	return db.DB.Update(f)
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
