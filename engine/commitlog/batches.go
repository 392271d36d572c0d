package commitlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// ErrOtherLog is returned to a follower if the log has another commit at its cursor than the one that it has dealt with:
// the log was restored, or is another one.
var ErrOtherLog = errors.New("commitlog: another commit at the cursor")

// Cursor is the place of the last commit that a follower has dealt with, in an epoch of the log; the zero Cursor is
// before the first.
type Cursor struct{ Epoch, Position uint64 }

// Batches follows the log from a cursor, like [Log.Follow], and returns what has gathered while the consumer worked: at
// least one commit, at most size. A consumer that stores each batch with its cursor in one transaction syncs once for
// all of it. Before the first batch the commit at the cursor is looked at; the error wraps [ErrOtherLog] or [ErrAhead] if
// it is another one or not there; a log that ends right before the cursor shows only with its next commit. The batch is
// valid until the next one.
func Batches(ctx context.Context, log Log, at Cursor, size int) iter.Seq2[[]Commit, error] {
	return func(yield func([]Commit, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		commits := make(chan Commit, size)
		ended := make(chan error, 1)
		go func() {
			defer close(commits)
			for c, err := range log.Follow(ctx, max(at.Position, 1)-1) {
				if err != nil {
					ended <- err
					return
				}
				select {
				case commits <- c:
				case <-ctx.Done():
					ended <- ctx.Err()
					return
				}
			}
			ended <- ctx.Err()
		}()
		defer func() {
			cancel()
			for range commits { // until the reader has left the log
			}
		}()
		batch := make([]Commit, 0, size)
		for c := range commits {
			if c.Position == at.Position {
				if c.Epoch != at.Epoch {
					yield(nil, fmt.Errorf("%w: commit %d is of epoch %d, not %d", ErrOtherLog, c.Position, c.Epoch, at.Epoch))
					return
				}
				continue
			}
			batch = append(batch[:0], c)
			for len(batch) < size {
				select {
				case c, ok := <-commits:
					if ok {
						batch = append(batch, c)
						continue
					}
				default:
				}
				break
			}
			if !yield(batch, nil) {
				return
			}
		}
		yield(nil, <-ended)
	}
}
