// Package badgerdb opens the small Badger stores that lie beside the log: drafts, views, and the work of followers. The
// log has settings of its own.
package badgerdb

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"
	"github.com/siyiban/onething/engine/durable"
)

// MaxValue is the most bytes of a value. Larger ones would go to Badger's value log, whose failed syncs are only logged;
// with all values in the tables and their write-ahead log a failed sync is a failed commit.
const MaxValue = 1<<20 - 1

// Config says where a store lies.
type Config struct {
	// Dir is the folder of the store, made if it does not exist. It holds nothing else, and one process opens it at a
	// time.
	Dir string
	// ReadOnly opens a store that has to be there and was closed, and changes nothing in it, however full the disk is.
	ReadOnly bool
	// Sync makes a commit return when it is on disk. A store that can be made again from the log does without.
	Sync bool
	// Logger gets what Badger has to say. It may not be nil.
	Logger *slog.Logger
	// Space is how much room is left on the disk. Below that the store is neither opened nor written.
	Space durable.Space
}

// Open opens a store, and makes it if there is none. Conflicts are not detected: whoever writes sees to it that no two
// transactions read and write the same key at the same time. The error wraps [durable.ErrNoSpace] if there is too little room, and
// [ErrDamaged] if a file is not what was written.
func Open(c Config) (*DB, error) {
	if c.Dir == "" || c.Logger == nil {
		return nil, errors.New("folder and logger have to be set")
	}
	if !c.ReadOnly {
		if err := c.Space.Check(c.Dir); err != nil {
			return nil, err
		}
		if err := durable.Mkdir(c.Dir); err != nil { // Badger would not sync the folder above it
			return nil, err
		}
	}
	if err := Begin(c.Dir, c.ReadOnly); err != nil {
		return nil, err
	}
	logger := &Logger{To: c.Logger}
	options := badger.DefaultOptions(c.Dir).
		WithLogger(logger).
		WithSyncWrites(c.Sync).
		WithReadOnly(c.ReadOnly).
		WithDetectConflicts(false).
		WithNumVersionsToKeep(1).
		WithMemTableSize(16 << 20).
		WithValueThreshold(MaxValue + 1).
		WithValueLogFileSize(16 << 20). // nothing goes there
		WithBlockCacheSize(16 << 20).
		WithNumCompactors(2).
		WithMetricsEnabled(false) // they are global
	// By default the tables of each level are twice as large as those above, and a compaction builds several in memory, which would
	// grow with the store.
	options.BaseTableSize, options.TableSizeMultiplier = 4<<20, 1
	db, err := badger.Open(options)
	if err != nil {
		return nil, err
	}
	if logger.Failed() {
		// Badger goes on without a table that it cannot read.
		return nil, errors.Join(fmt.Errorf("%w: %s: Badger reported errors while opening it", ErrDamaged, c.Dir), db.Close())
	}
	return &DB{DB: db, dir: c.Dir, readOnly: c.ReadOnly, space: c.Space, logger: logger}, nil
}
