package badgerlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/durable/badgerdb"
)

const (
	// memtable is Badger's default. A transaction may take 15 % of it; the two bounds of a group below stay under that
	// with the one commit that exceeds the second.
	memtable = 64 << 20
	// maxGroup is the most commits in one transaction. More of them gain nothing over the cost of one sync.
	maxGroup = 256
	// maxGroupBytes is how many bytes a group has before it takes no further commit.
	maxGroupBytes = 4 << 20
)

// request is an append on its way through the writer.
type request struct {
	id        string
	digest    []byte
	targets   []target
	body      commitlog.Body
	abandoned atomic.Bool // its caller has gone
	result    chan result // holds one, so that the writer never waits
}

// target is what an append does to a stream's version.
type target struct {
	stream         string
	expected, last uint64
}

// targets are what a commit does to the streams' versions.
func targets(c commitlog.Commit) []target {
	all := make([]target, len(c.Appends))
	for i, a := range c.Appends {
		all[i] = target{stream: a.Stream, expected: a.Expected, last: a.Last()}
	}
	return all
}

type result struct {
	receipt commitlog.Receipt
	err     error
}

// Append implements [commitlog.Log].
func (l *Log) Append(ctx context.Context, c commitlog.Commit) (commitlog.Receipt, error) {
	if !l.write {
		return commitlog.Receipt{}, commitlog.ErrReadOnly
	}
	body, err := commitlog.Encode(c)
	if err != nil {
		return commitlog.Receipt{}, err
	}
	if err := ctx.Err(); err != nil {
		return commitlog.Receipt{}, err
	}
	r := &request{id: c.RequestID, digest: bytes.Clone(c.Digest), targets: targets(c), body: body, result: make(chan result, 1)}
	select {
	case l.queue <- r:
	case <-ctx.Done():
		return commitlog.Receipt{}, ctx.Err()
	case <-l.quit:
		return commitlog.Receipt{}, commitlog.ErrClosed
	}
	select {
	case res := <-r.result:
		return res.receipt, res.err
	case <-ctx.Done():
		r.abandoned.Store(true)
		return commitlog.Receipt{}, ctx.Err()
	case <-l.done:
	}
	select {
	case res := <-r.result: // of the last group
		return res.receipt, res.err
	default:
		return commitlog.Receipt{}, commitlog.ErrClosed
	}
}

// run is the one writer. It ends when the log is closed.
func (l *Log) run() {
	defer close(l.done)
	var next *request // gathered, but too large for its group
	for {
		select {
		case <-l.quit:
			return
		default:
		}
		first := next
		if first == nil {
			select {
			case first = <-l.queue:
			case <-l.quit:
				return
			}
		}
		var group []*request
		group, next = l.gather(first)
		for i, res := range l.commit(group) {
			group[i].result <- res
		}
	}
}

// gather takes what waits in the queue, without waiting for more. The second result did not fit any more.
func (l *Log) gather(first *request) (group []*request, next *request) {
	group = append(group, first)
	size := len(first.body)
	for len(group) < maxGroup {
		select {
		case r := <-l.queue:
			if size += len(r.body); size > maxGroupBytes {
				return group, r
			}
			group = append(group, r)
		default:
			return group, nil
		}
	}
	return group, nil
}

// commit writes a group in one transaction and returns a result for each member, after all of it is on disk: a refusal,
// too, may rest on a commit of the same group.
func (l *Log) commit(group []*request) []result {
	results := make([]result, len(group))
	all := func(err error) []result {
		for i := range results {
			results[i] = result{err: err}
		}
		return results
	}
	if l.stopped.Load() || l.badger.Failed() {
		return all(commitlog.ErrStopped)
	}
	if err := l.enoughSpace(); err != nil {
		return all(err)
	}
	txn := l.db.NewTransaction(true)
	defer txn.Discard()
	s := staging{txn: txn, epoch: l.epoch, position: l.head.Load()}
	for i, r := range group {
		if r.abandoned.Load() {
			results[i] = result{err: context.Canceled}
			continue
		}
		receipt, err := s.stage(r)
		if _, half := errors.AsType[*setError](err); half {
			return all(err) // the transaction may hold a part of this commit, so nothing of it is written
		}
		results[i] = result{receipt: receipt, err: err}
	}
	if s.position == l.head.Load() {
		return results
	}
	if err := l.written(txn.Commit()); err != nil {
		l.stopped.Store(true)
		l.announce()
		return all(fmt.Errorf("%w: %w", commitlog.ErrStopped, err))
	}
	l.head.Store(s.position)
	l.announce()
	return results
}

// written is the error of a transaction, or why it is none that proves anything: Badger only logs that it could not sync its
// value log, and the disk may have gone away during a sync that says nothing of it.
func (l *Log) written(err error) error {
	if err == nil && l.badger.Failed() {
		err = errors.New("badger reported an error while writing")
	}
	if err == nil {
		err = badgerdb.Alive(l.dir)
	}
	return err
}

// announce wakes the followers.
func (l *Log) announce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// staging is a group on its way into a transaction. The transaction reads what it has been given, so a commit meets the
// ones staged before it as if they were in the store.
type staging struct {
	txn      *badger.Txn
	epoch    uint64
	position uint64
}

// setError is a failure to put something into the transaction.
type setError struct{ err error }

func (e *setError) Error() string { return "stage commit: " + e.err.Error() }
func (e *setError) Unwrap() error { return e.err }

// stage puts a commit into the transaction, or says why not.
func (s *staging) stage(r *request) (commitlog.Receipt, error) {
	versions := make([]uint64, len(r.targets))
	for i, t := range r.targets {
		v, err := getNumber(s.txn, versionKey(t.stream))
		if err != nil {
			return commitlog.Receipt{}, fmt.Errorf("version of stream %s: %w", t.stream, err)
		}
		versions[i] = v
	}
	scope := r.targets[0].stream
	key := requestKey(scope, r.id)
	// A stream that does not exist has seen no request: the usual case of a new application costs one read less.
	if versions[0] > 0 {
		switch earlier, err := s.earlier(key); {
		case err != nil:
			return commitlog.Receipt{}, fmt.Errorf("request in stream %s: %w", scope, err)
		case earlier.Position == 0:
		case !bytes.Equal(earlier.Digest, r.digest):
			return commitlog.Receipt{}, fmt.Errorf("%w: id %q in stream %s", commitlog.ErrRequestReused, r.id, scope)
		default:
			return earlier.Receipt(), nil
		}
	}
	for i, t := range r.targets {
		if versions[i] != t.expected {
			return commitlog.Receipt{}, fmt.Errorf("%w: stream %s is at version %d, expected was %d",
				commitlog.ErrConflict, t.stream, versions[i], t.expected)
		}
	}

	s.position++
	if err := put(s.txn, s.position, r.body.Stored(s.epoch, s.position), key, r.targets); err != nil {
		return commitlog.Receipt{}, err
	}
	receipt := commitlog.Receipt{Epoch: s.epoch, Position: s.position, Versions: make(map[string]uint64, len(r.targets))}
	for _, t := range r.targets {
		receipt.Versions[t.stream] = t.last
	}
	return receipt, nil
}

// put puts a commit and what leads to it into a transaction. The error is a [setError].
func put(txn *badger.Txn, position uint64, stored, request []byte, targets []target) error {
	var err error
	set := func(key, value []byte) {
		if err == nil {
			err = txn.Set(key, value)
		}
	}
	set(commitKey(position), stored)
	set(request, number(position))
	for _, t := range targets {
		set(appendKey(t.stream, t.last), number(position))
		set(versionKey(t.stream), number(t.last))
	}
	if err != nil {
		return &setError{err}
	}
	return nil
}

// earlier returns the commit that was made, or staged, under a request key, and one without position if there is none.
func (s *staging) earlier(key []byte) (commitlog.Commit, error) {
	position, err := getNumber(s.txn, key)
	if err != nil || position == 0 {
		return commitlog.Commit{}, err
	}
	return commitAt(s.txn, position)
}
