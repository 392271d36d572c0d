package badgerlog

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/dgraph-io/badger/v4"
	"github.com/siyiban/onething/engine/commitlog"
)

// Stored returns the commits up to a position, in order, as the bytes that are stored of them: what evidence is made of.
// Each one was decoded, and is the one that stands there; the error is like that of [Log.Follow].
func (l *Log) Stored(ctx context.Context, upto uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if head := l.head.Load(); upto > head {
			yield(nil, fmt.Errorf("%w: asked for position %d, log is at %d", commitlog.ErrAhead, upto, head))
			return
		}
		for from := uint64(1); from <= upto; {
			var commits [][]byte
			size := 0
			err := l.view(ctx, func(txn *badger.Txn) error {
				for p := from; p <= upto && len(commits) < batch && size < batchBytes; p++ {
					if _, err := commitAt(txn, p); err != nil {
						return err
					}
					item, err := txn.Get(commitKey(p))
					if err != nil {
						return err
					}
					stored, err := item.ValueCopy(nil)
					if err != nil {
						return err
					}
					commits, size = append(commits, stored), size+len(stored)
				}
				return nil
			})
			if err != nil {
				yield(nil, fmt.Errorf("copy commits from position %d: %w", from, err))
				return
			}
			for _, stored := range commits {
				if !yield(stored, nil) {
					return
				}
				from++
			}
		}
	}
}

// Restore makes a log in a folder that has none, of the commits that [Log.Stored] gave, byte for byte; what is appended
// later belongs to an epoch. It checks each commit, that positions and versions follow one another, and that the epochs
// do not go beyond the new one. After an error the folder is of no use.
func Restore(c Config, epoch uint64, commits iter.Seq2[[]byte, error]) (err error) {
	l, err := open(c, epoch)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if l.epoch != epoch || l.head.Load() > 0 {
		return fmt.Errorf("restore log %s: the folder holds a log", c.Dir)
	}
	r := restoring{log: l}
	for stored, err := range commits {
		if err != nil {
			return err
		}
		if err := r.add(stored); err != nil {
			return fmt.Errorf("restore log, position %d: %w", r.position+1, err)
		}
	}
	return r.write()
}

// restoring gathers commits and writes them in groups, as large as those of the writer.
type restoring struct {
	log      *Log
	txn      *badger.Txn
	position uint64
	epoch    uint64 // of the last commit
	gathered int
	size     int
}

func (r *restoring) add(stored []byte) error {
	c, err := commitlog.Decode(stored)
	if err != nil {
		return err
	}
	if c.Position != r.position+1 || c.Epoch < r.epoch || c.Epoch >= r.log.epoch {
		return fmt.Errorf("%w: commit of position %d and epoch %d behind position %d and epoch %d, for a log of epoch %d",
			commitlog.ErrCorrupt, c.Position, c.Epoch, r.position, r.epoch, r.log.epoch)
	}
	if r.txn == nil {
		r.txn = r.log.db.NewTransaction(true)
	}
	for _, t := range targets(c) {
		have, err := getNumber(r.txn, versionKey(t.stream))
		if err != nil {
			return err
		}
		if have != t.expected {
			return fmt.Errorf("%w: stream %s is at version %d, and the commit follows on %d", commitlog.ErrCorrupt, t.stream, have, t.expected)
		}
	}
	if err := put(r.txn, c.Position, stored, requestKey(c.Appends[0].Stream, c.RequestID), targets(c)); err != nil {
		return err
	}
	r.position, r.epoch = c.Position, c.Epoch
	r.gathered, r.size = r.gathered+1, r.size+len(stored)
	if r.gathered >= maxGroup || r.size >= maxGroupBytes {
		return r.write()
	}
	return nil
}

func (r *restoring) write() error {
	if r.txn == nil {
		return nil
	}
	if err := r.log.enoughSpace(); err != nil {
		return err
	}
	err := r.log.written(r.txn.Commit())
	r.txn, r.gathered, r.size = nil, 0, 0
	return err
}
