package badgerlog

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/dgraph-io/badger/v4"
	"github.com/siyiban/onething/engine/commitlog"
)

// batch is how many commits are read in one transaction, and batchBytes how many bytes of events end one early. No
// transaction is open while a consumer works.
const (
	batch      = 128
	batchBytes = 1 << 20
)

// Lookup implements [commitlog.Log].
func (l *Log) Lookup(ctx context.Context, stream, requestID string) (commitlog.Receipt, []byte, bool, error) {
	if err := commitlog.CheckStream(stream); err != nil {
		return commitlog.Receipt{}, nil, false, err
	}
	if err := commitlog.CheckRequestID(requestID); err != nil {
		return commitlog.Receipt{}, nil, false, err
	}
	head := l.head.Load() // before the snapshot, which therefore holds all of it
	var c commitlog.Commit
	err := l.view(ctx, func(txn *badger.Txn) error {
		position, err := getNumber(txn, requestKey(stream, requestID))
		if err != nil || position == 0 || position > head {
			return err
		}
		c, err = commitAt(txn, position)
		return err
	})
	if err != nil {
		return commitlog.Receipt{}, nil, false, fmt.Errorf("look up request in stream %s: %w", stream, err)
	}
	if c.Position == 0 {
		return commitlog.Receipt{}, nil, false, nil
	}
	return c.Receipt(), c.Digest, true, nil
}

// Read implements [commitlog.Log].
func (l *Log) Read(ctx context.Context, stream string, after uint64) iter.Seq2[commitlog.Event, error] {
	return func(yield func(commitlog.Event, error) bool) {
		if err := commitlog.CheckStream(stream); err != nil {
			yield(commitlog.Event{}, err)
			return
		}
		for after < math.MaxUint64 {
			events, err := l.eventsAfter(ctx, stream, after)
			if err != nil {
				yield(commitlog.Event{}, fmt.Errorf("read stream %s: %w", stream, err))
				return
			}
			if len(events) == 0 {
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				after = e.Version
			}
		}
	}
}

// eventsAfter returns the next events of a stream, none at its end.
func (l *Log) eventsAfter(ctx context.Context, stream string, after uint64) ([]commitlog.Event, error) {
	head := l.head.Load() // before the snapshot, which therefore holds all of it
	var events []commitlog.Event
	err := l.view(ctx, func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: appendsKey(stream)})
		defer it.Close()
		size := 0
		for it.Seek(appendKey(stream, after+1)); it.Valid() && len(events) < batch && size < batchBytes; it.Next() {
			var position uint64
			if err := it.Item().Value(func(b []byte) (err error) {
				position, err = parseNumber(b)
				return err
			}); err != nil {
				return err
			}
			if position > head {
				return nil
			}
			c, err := commitAt(txn, position)
			if err != nil {
				return err
			}
			for _, a := range c.Appends {
				if a.Stream != stream {
					continue
				}
				for _, e := range a.Events {
					if e.Version > after {
						events = append(events, e)
						size += len(e.Public) + len(e.Metadata) + len(e.Personal)
					}
				}
			}
		}
		return nil
	})
	if err != nil && len(events) == 0 {
		return nil, err // else it comes again, after what can be read
	}
	for i, e := range events {
		if e.Version != after+uint64(i)+1 {
			return nil, fmt.Errorf("%w: version %d stands where %d should", commitlog.ErrCorrupt, e.Version, after+uint64(i)+1)
		}
	}
	return events, nil
}

// Follow implements [commitlog.Log].
func (l *Log) Follow(ctx context.Context, after uint64) iter.Seq2[commitlog.Commit, error] {
	return func(yield func(commitlog.Commit, error) bool) {
		if head := l.head.Load(); after > head {
			yield(commitlog.Commit{}, fmt.Errorf("%w: follower is at %d, log at %d", commitlog.ErrAhead, after, head))
			return
		}
		for {
			commits, err := l.commitsAfter(ctx, after)
			if err != nil {
				yield(commitlog.Commit{}, fmt.Errorf("follow from position %d: %w", after, err))
				return
			}
			for _, c := range commits {
				if !yield(c, nil) {
					return
				}
				after = c.Position
			}
		}
	}
}

// commitsAfter returns the next commits, at least one, which it waits for.
func (l *Log) commitsAfter(ctx context.Context, after uint64) ([]commitlog.Commit, error) {
	head, err := l.waitFor(ctx, after+1)
	if err != nil {
		return nil, err
	}
	var commits []commitlog.Commit
	size := 0
	err = l.view(ctx, func(txn *badger.Txn) error {
		for p := after + 1; p <= head && len(commits) < batch && size < batchBytes; p++ {
			c, err := commitAt(txn, p)
			if err != nil {
				return err
			}
			commits = append(commits, c)
			for _, a := range c.Appends {
				for _, e := range a.Events {
					size += len(e.Public) + len(e.Metadata) + len(e.Personal)
				}
			}
		}
		return nil
	})
	if err != nil && len(commits) == 0 {
		return nil, err // else it comes again, after what can be read
	}
	return commits, nil
}

// waitFor waits until a position is acknowledged and returns the last one that is.
func (l *Log) waitFor(ctx context.Context, position uint64) (uint64, error) {
	for {
		l.mu.Lock()
		changed := l.changed
		l.mu.Unlock()
		if head := l.head.Load(); head >= position {
			return head, nil
		}
		if l.stopped.Load() {
			return 0, commitlog.ErrStopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-l.quit:
			return 0, commitlog.ErrClosed
		}
	}
}
