package follow

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/commitlog"
)

// ErrParked is returned by [Follower.Err] if streams are parked, and ErrNotParked by [Follower.TakeUp] for one that is not.
var (
	ErrParked    = errors.New("follow: streams are parked")
	ErrNotParked = errors.New("follow: the stream is not parked")
)

// Alarms returns how often a stream was parked since the follower was opened.
func (f *Follower) Alarms() int64 { return f.alarms.Load() }

// Parked returns the streams that are parked, with the reasons.
func (f *Follower) Parked() (map[string]string, error) {
	streams := map[string]string{}
	err := f.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{parkedPrefix}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			stream := string(it.Item().Key()[1:])
			p, _, err := loadParked(txn, stream)
			if err != nil {
				return err
			}
			streams[stream] = p.Reason
		}
		return nil
	})
	return streams, err
}

// Err says whether work waits for an operator: an error that wraps [ErrParked] and counts the parked streams, or that of
// the store; nil if none does.
func (f *Follower) Err() error {
	streams, err := f.Parked()
	if err != nil {
		return fmt.Errorf("follower %s: %w", f.config.Name, err)
	}
	if len(streams) > 0 {
		return fmt.Errorf("follower %s: %w: %d", f.config.Name, ErrParked, len(streams))
	}
	return nil
}

// TakeUp takes a parked stream up again: it digests what could not be digested, and lets all its work begin at once, with its
// attempts counted anew. The error wraps [ErrNotParked], or [ErrParked] with the reason if a commit still cannot be digested; the
// stream stays parked then.
func (f *Follower) TakeUp(ctx context.Context, stream string) error {
	f.digesting.Lock()
	defer f.digesting.Unlock()
	var p parked
	var at commitlog.Cursor
	err := f.db.View(func(txn *badger.Txn) error {
		var ok bool
		var err error
		if p, ok, err = loadParked(txn, stream); err == nil && !ok {
			err = fmt.Errorf("follower %s: %w: %s", f.config.Name, ErrNotParked, stream)
		}
		if err == nil {
			at, err = loadCursor(txn)
		}
		return err
	})
	if err != nil {
		return err
	}
	items, err := f.digestParked(ctx, stream, p)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err != nil {
		f.alarm(stream, err)
		return fmt.Errorf("follower %s: %w: %s: %w", f.config.Name, ErrParked, stream, err)
	}
	err = f.update(ctx, func(txn *badger.Txn) error {
		for _, item := range items {
			if err := put(txn, item, at.Position); err != nil {
				return err
			}
		}
		return errors.Join(release(txn, stream), txn.Delete(parkedKey(stream)))
	})
	if err != nil {
		return fmt.Errorf("follower %s: %w", f.config.Name, err)
	}
	f.logger.Info("stream is taken up again", "stream", stream)
	f.signal()
	return nil
}

// retryParked takes all parked streams up again.
func (f *Follower) retryParked(ctx context.Context) error {
	streams, err := f.Parked()
	if err != nil {
		return err
	}
	for stream := range streams {
		if err := f.TakeUp(ctx, stream); err != nil && !errors.Is(err, ErrParked) && !errors.Is(err, ErrNotParked) {
			return err
		}
	}
	return nil
}

// digestParked digests what could not be digested of a stream.
func (f *Follower) digestParked(ctx context.Context, stream string, p parked) ([]Item, error) {
	if !p.Blocked {
		return nil, nil
	}
	a := commitlog.Append{Stream: stream, Expected: p.After}
	for e, err := range f.config.Log.Read(ctx, stream, p.After) {
		if err != nil {
			return nil, err
		}
		a.Events = append(a.Events, e)
	}
	if len(a.Events) == 0 {
		return nil, nil
	}
	return f.config.Handler.Digest(ctx, a)
}

// parkWork parks a stream whose work failed, unless it is parked already.
func (f *Follower) parkWork(txn *badger.Txn, stream string, failed error) error {
	_, already, err := loadParked(txn, stream)
	if err != nil || already {
		return err
	}
	return park(txn, stream, parked{Reason: failed.Error()})
}

// alarm tells the operator that a stream is parked.
func (f *Follower) alarm(stream string, err error) {
	f.alarms.Add(1)
	f.logger.Error("stream is parked", "stream", stream, "error", err)
}
