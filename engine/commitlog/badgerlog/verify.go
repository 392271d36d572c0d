package badgerlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/siyiban/onething/engine/commitlog"
)

// Verify walks everything that the log holds and tells report what is wrong: values with another checksum than when they
// were written (those of tables were held against theirs when the log was opened), positions or versions that are missing, commits that cannot be decoded or stand in a wrong
// place, and indexes that lead elsewhere. Each commit that can be read is handed to each, in order. It goes on behind a
// fault, holds a few commits in memory at a time, and returns an error only if it could not go on: that of ctx, of each,
// or [commitlog.ErrClosed].
func (l *Log) Verify(ctx context.Context, each func(commitlog.Commit) error, report func(commitlog.Fault)) error {
	v := verifying{log: l, report: report, unread: map[uint64]bool{}}
	if err := v.commits(ctx, each); err != nil {
		return err
	}
	if err := v.streams(ctx); err != nil {
		return err
	}
	return v.counts(ctx)
}

// verifying is one walk.
type verifying struct {
	log    *Log
	report func(commitlog.Fault)

	unread            map[uint64]bool // positions of commits that cannot be read
	appends           uint64          // that the commits make, as far as they can be read
	indexed, inStream uint64          // entries of the index of appends, and streams in it
	epoch             uint64          // of the commit before
}

func (v *verifying) fault(position uint64, stream string, version uint64, format string, args ...any) {
	v.report(commitlog.Fault{Position: position, Stream: stream, Version: version, Err: fmt.Errorf("%w: "+format, append([]any{commitlog.ErrCorrupt}, args...)...)})
}

// commits walks the commits by position.
func (v *verifying) commits(ctx context.Context, each func(commitlog.Commit) error) error {
	head := v.log.head.Load()
	for from := uint64(1); from <= head; from += batch {
		var commits []commitlog.Commit
		err := v.log.view(ctx, func(txn *badger.Txn) error {
			for p := from; p < from+batch && p <= head; p++ {
				c, err := commitAt(txn, p)
				if err != nil {
					v.unread[p] = true
					v.report(commitlog.Fault{Position: p, Err: err})
					continue
				}
				v.commit(txn, c)
				commits = append(commits, c)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, c := range commits {
			if err := each(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// commit looks at one commit and what leads to it.
func (v *verifying) commit(txn *badger.Txn, c commitlog.Commit) {
	if c.Epoch < v.epoch || c.Epoch > v.log.epoch {
		v.fault(c.Position, "", 0, "commit of epoch %d after one of epoch %d, in a log of epoch %d", c.Epoch, v.epoch, v.log.epoch)
	}
	v.epoch = c.Epoch
	scope := c.Appends[0].Stream
	if at, err := getNumber(txn, requestKey(scope, c.RequestID)); err != nil || at != c.Position {
		v.fault(c.Position, scope, 0, "its request id leads to position %d (%w)", at, orNone(err))
	}
	for _, a := range c.Appends {
		v.appends++
		if at, err := getNumber(txn, appendKey(a.Stream, a.Last())); err != nil || at != c.Position {
			v.fault(c.Position, a.Stream, a.Last(), "the index of the stream leads to position %d (%w)", at, orNone(err))
		}
	}
}

// errNone stands for no error where one is printed.
var errNone = errors.New("it can be read")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// streams walks the index of appends, in which a stream's appends follow one another.
func (v *verifying) streams(ctx context.Context) error {
	seek := []byte{streamPrefix}
	stream, last := "", uint64(0)
	end := func(txn *badger.Txn) {
		if stream == "" {
			return
		}
		v.inStream++
		if at, err := getNumber(txn, versionKey(stream)); err != nil || at != last {
			v.fault(0, stream, last, "its version is noted as %d (%w)", at, orNone(err))
		}
	}
	for done := false; !done; {
		err := v.log.view(ctx, func(txn *badger.Txn) error {
			it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{streamPrefix}})
			defer it.Close()
			n := 0
			for it.Seek(seek); it.Valid() && n < batch; it.Next() {
				n++
				key := it.Item().KeyCopy(nil)
				seek = append(key, 0)
				length := 0
				if len(key) > 1 {
					length = int(key[1])
				}
				if len(key) != 2+length+8 {
					v.fault(0, "", 0, "the index of streams has a key of %d bytes", len(key))
					continue
				}
				name := string(key[2 : 2+length])
				if name != stream {
					end(txn)
					stream, last = name, 0
				}
				v.indexed++
				upto, _ := parseNumber(key[2+length:]) // it has 8 bytes
				v.entry(txn, it.Item(), stream, last, upto)
				last = upto
			}
			if done = !it.Valid(); done {
				end(txn)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entry looks at the append that brought a stream from a version to another.
func (v *verifying) entry(txn *badger.Txn, item *badger.Item, stream string, last, upto uint64) {
	var position uint64
	if err := item.Value(func(b []byte) (err error) {
		position, err = parseNumber(b)
		return err
	}); err != nil {
		v.fault(0, stream, upto, "the index of the stream cannot be read: %w", err)
		return
	}
	if v.unread[position] {
		return // it was reported
	}
	c, err := commitAt(txn, position)
	if err != nil {
		v.fault(position, stream, upto, "the index of the stream leads to what cannot be read: %w", err)
		return
	}
	for _, a := range c.Appends {
		if a.Stream == stream && a.Last() == upto {
			if a.Expected != last {
				v.fault(position, stream, upto, "it follows on version %d, and the one before is %d", a.Expected, last)
			}
			return
		}
	}
	v.fault(position, stream, upto, "the index of the stream leads to a commit that does not make this version")
}

// counts holds the sizes of the indexes against what was walked, so that none has an entry of something that is not there.
func (v *verifying) counts(ctx context.Context) error {
	for _, index := range []struct {
		prefix byte
		name   string
		want   uint64
	}{
		{requestPrefix, "request ids", v.log.head.Load()},
		{versionPrefix, "streams", v.inStream},
	} {
		n := uint64(0)
		err := v.log.view(ctx, func(txn *badger.Txn) error {
			it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{index.prefix}})
			defer it.Close()
			for it.Rewind(); it.Valid(); it.Next() {
				if n++; n%4096 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if n != index.want {
			v.fault(0, "", 0, "the index of %s has %d entries, the log has %d", index.name, n, index.want)
		}
	}
	if len(v.unread) == 0 && v.indexed != v.appends {
		v.fault(0, "", 0, "the index of streams has %d entries, the commits make %d", v.indexed, v.appends)
	}
	return nil
}
