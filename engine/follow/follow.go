package follow

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
)

const (
	// DefaultConcurrency is how much work of one lane is done at a time.
	DefaultConcurrency = 4
	// DefaultAttempts is how often work is begun before its stream is parked. With the back-off the last one is about an
	// hour after the first.
	DefaultAttempts = 16

	maxBatch   = 256
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
	// parkedBackoff is when work of a parked stream is looked at again.
	parkedBackoff = 15 * time.Minute
)

// Item is a piece of work.
type Item struct {
	// Key names it within its follower: a later item of the same key takes its place. One with the same stream, lane and
	// payload is the same work, and changes nothing.
	Key string
	// Stream is the stream that it is about.
	Stream string
	// Lane is what it shares workers with.
	Lane string
	// Due is when it is to be done; zero: at once.
	Due time.Time
	// Payload is whatever the handler wants to know.
	Payload []byte
	// Attempt is which one this is, from 1; given by the follower.
	Attempt int
	// Position is that of the commit that made it; given by the follower.
	Position uint64
	// Cancel takes the item of the key from the list and adds none.
	Cancel bool
}

// Handler is what one follower does.
type Handler interface {
	// Digest returns the work that an append makes necessary. Appends of a stream come in order. An error parks the
	// stream, unless ctx has ended.
	Digest(ctx context.Context, a commitlog.Append) ([]Item, error)
	// Work does an item, and returns nil once its command is committed, or if nothing is left to do. Other items are
	// worked at the same time, also of the same stream, never two of one key.
	Work(ctx context.Context, item Item) error
}

// Later is the error of work that says itself when it is tried again, and gives up by itself: it is neither counted nor
// does it park a stream.
type Later struct {
	At  time.Time
	Err error
}

// Error says why.
func (l *Later) Error() string { return l.Err.Error() }

// Unwrap returns why.
func (l *Later) Unwrap() error { return l.Err }

// Config says what a follower reads, where it keeps its list, and what it does. Attempts and Concurrency may be zero.
type Config struct {
	// Name of the follower, for the operator.
	Name string
	// Dir is the folder of the list, made if it does not exist. It holds nothing else, and one process opens it at a time.
	Dir     string
	Log     commitlog.Log
	Handler Handler
	Clock   *Clock
	Logger  *slog.Logger
	// Attempts is how often work is begun before its stream is parked; zero is [DefaultAttempts].
	Attempts int
	// Concurrency is how much work of one lane is done at a time; zero is [DefaultConcurrency].
	Concurrency int
	// Space is how much room is left on the disk; the zero one keeps half of [durable.DefaultMinFree], so that the work of
	// what was accepted before the log refuses more is still done. Below that the follower waits.
	Space durable.Space
}

// Follower follows the log. It is safe for concurrent use.
type Follower struct {
	config Config
	db     *badgerdb.DB
	logger *slog.Logger
	run    sync.Mutex // held by Run

	// digesting is held by whoever digests commits: a stream that is taken up misses none that comes meanwhile.
	digesting sync.Mutex

	// store is held by whoever reads and writes the list, so that no two transactions see the same item.
	store sync.Mutex
	// due is signalled when the list has changed.
	due     chan struct{}
	running map[string]bool // keys, guarded by store
	busy    map[string]int  // by lane, guarded by store
	alarms  atomic.Int64

	mu       sync.Mutex
	digested uint64
	advanced chan struct{}
}

// Open opens a follower. It takes parked streams up again.
func Open(c Config) (*Follower, error) {
	switch {
	case c.Name == "", c.Log == nil, c.Handler == nil, c.Clock == nil, c.Logger == nil:
		return nil, errors.New("open follower: name, log, handler, clock and logger have to be set")
	case c.Attempts < 0, c.Concurrency < 0:
		return nil, fmt.Errorf("open follower %s: attempts and concurrency may not be negative", c.Name)
	}
	if c.Attempts == 0 {
		c.Attempts = DefaultAttempts
	}
	if c.Concurrency == 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.Space.MinFree == 0 {
		c.Space.MinFree = durable.DefaultMinFree / 2
	}
	logger := c.Logger.With("follower", c.Name)
	db, err := badgerdb.Open(badgerdb.Config{Dir: c.Dir, Sync: true, Logger: logger, Space: c.Space})
	if err != nil {
		return nil, fmt.Errorf("open follower %s: %w", c.Name, err)
	}
	f := &Follower{
		config: c, db: db, logger: logger, due: make(chan struct{}, 1), running: map[string]bool{}, busy: map[string]int{},
		advanced: make(chan struct{}),
	}
	at, err := f.Cursor()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open follower %s: %w", c.Name, err), db.Close())
	}
	f.digested = at.Position
	return f, nil
}

// Close closes the list. Run has to have returned.
func (f *Follower) Close() error {
	if err := f.db.Close(); err != nil {
		return fmt.Errorf("close follower %s: %w", f.config.Name, err)
	}
	return nil
}

// Add puts work on the list that no commit makes, because a person wants it done again: it takes the place of that of its
// key, with its attempts counted anew, unless that is being done right now. It returns when it is on disk.
func (f *Follower) Add(ctx context.Context, item Item) error {
	err := f.update(ctx, func(txn *badger.Txn) error {
		if f.running[item.Key] {
			return nil
		}
		at, err := loadCursor(txn)
		if err != nil {
			return err
		}
		before, ok, err := loadItem(txn, item.Key)
		if err != nil {
			return err
		}
		if ok {
			if err := remove(txn, &before); err != nil {
				return err
			}
		}
		item.Position = at.Position
		return save(txn, &stored{Item: item, Next: item.Due})
	})
	if err != nil {
		return fmt.Errorf("follower %s: %w", f.config.Name, err)
	}
	f.signal()
	return nil
}

// Position returns the position of the last commit that was digested.
func (f *Follower) Position() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.digested
}

// Due returns how much work is due and not done. What is under way counts, and so does what waits for another attempt once
// its time has come; work of parked streams does not.
func (f *Follower) Due() (int, error) {
	now := stamp(f.config.Clock.Now())
	n := 0
	f.store.Lock()
	n += len(f.running)
	running := maps.Clone(f.running)
	f.store.Unlock()
	err := f.db.View(func(txn *badger.Txn) error {
		lanes, err := f.lanes(txn)
		if err != nil {
			return err
		}
		for _, lane := range lanes {
			prefix := laneKey(lane)
			it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
			for it.Rewind(); it.Valid(); it.Next() {
				rest := it.Item().Key()[len(prefix):]
				if binary.BigEndian.Uint64(rest) > now {
					break
				}
				if !running[string(rest[8:])] {
					n++
				}
			}
			it.Close()
		}
		return nil
	})
	return n, err
}

// Wait returns when the follower has digested the commit at a position, or with the error of ctx. The work of it may
// still be under way.
func (f *Follower) Wait(ctx context.Context, position uint64) error {
	for {
		f.mu.Lock()
		have, advanced := f.digested, f.advanced
		f.mu.Unlock()
		if have >= position {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Run follows the log and does the work until ctx ends, and returns its error, or that of the log or the store. It
// returns when the work that was under way has ended.
func (f *Follower) Run(ctx context.Context) error {
	if !f.run.TryLock() {
		return fmt.Errorf("follower %s: already running", f.config.Name)
	}
	defer f.run.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := f.retryParked(ctx); err != nil {
		return fmt.Errorf("follower %s: %w", f.config.Name, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { cancel(f.read(ctx)) })
	wg.Go(func() { cancel(f.work(ctx)) })
	wg.Wait()
	return fmt.Errorf("follower %s: %w", f.config.Name, context.Cause(ctx))
}

// read digests the log. A log that is not the one that was digested is digested from its beginning: work that was done
// finds nothing left to do.
func (f *Follower) read(ctx context.Context) error {
	for {
		err := f.readFrom(ctx)
		if !errors.Is(err, commitlog.ErrOtherLog) && !errors.Is(err, commitlog.ErrAhead) {
			return err
		}
		f.logger.Warn("list of work is of another log, and is made again", "error", err)
		if err := f.empty(ctx); err != nil {
			return err
		}
	}
}

func (f *Follower) readFrom(ctx context.Context) error {
	at, err := f.Cursor()
	if err != nil {
		return err
	}
	for batch, err := range commitlog.Batches(ctx, f.config.Log, at, maxBatch) {
		if err != nil {
			return err
		}
		if err := f.digest(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// digest puts the work that commits make on the list, with the cursor.
func (f *Follower) digest(ctx context.Context, batch []commitlog.Commit) error {
	f.digesting.Lock()
	defer f.digesting.Unlock()
	return f.digestAll(ctx, batch)
}

func (f *Follower) digestAll(ctx context.Context, batch []commitlog.Commit) error {
	type change struct {
		append commitlog.Append
		items  []Item
		failed error
	}
	var changes []change
	var positions []uint64
	for _, c := range batch {
		for _, a := range c.Appends {
			items, err := f.config.Handler.Digest(ctx, a)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			changes, positions = append(changes, change{append: a, items: items, failed: err}), append(positions, c.Position)
		}
	}
	last := batch[len(batch)-1]
	err := f.update(ctx, func(txn *badger.Txn) error {
		for i, c := range changes {
			if p, _, err := loadParked(txn, c.append.Stream); err != nil {
				return err
			} else if p.Blocked {
				continue // it is digested when the stream is taken up again
			}
			if c.failed != nil {
				f.alarm(c.append.Stream, c.failed)
				if err := park(txn, c.append.Stream, parked{Reason: c.failed.Error(), Blocked: true, After: c.append.Expected}); err != nil {
					return err
				}
				continue
			}
			for _, item := range c.items {
				if err := put(txn, item, positions[i]); err != nil {
					return err
				}
			}
		}
		return saveCursor(txn, commitlog.Cursor{Epoch: last.Epoch, Position: last.Position})
	})
	if errors.Is(err, badger.ErrTxnTooBig) && len(batch) > 1 {
		half := len(batch) / 2
		if err := f.digestAll(ctx, batch[:half]); err != nil {
			return err
		}
		return f.digestAll(ctx, batch[half:])
	}
	if err != nil {
		return fmt.Errorf("digest commits %d to %d: %w", batch[0].Position, last.Position, err)
	}
	f.advance(last.Position)
	return nil
}

// work does what is due, as it becomes due.
func (f *Follower) work(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		items, next, err := f.take(ctx)
		if err != nil {
			return err
		}
		for _, item := range items {
			wg.Go(func() { f.do(ctx, item) })
		}
		reached, stop := f.config.Clock.Reach(next)
		select {
		case <-ctx.Done():
		case <-f.due:
		case <-reached:
		}
		stop()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// never is a time that no clock reaches.
func never() time.Time { return time.UnixMilli(math.MaxInt64 / 2) }

// take begins the work that is due and for which its lane has room, and says when there is more.
func (f *Follower) take(ctx context.Context) (taken []stored, next time.Time, err error) {
	now := f.config.Clock.Now()
	next = never()
	choose := func(txn *badger.Txn) error {
		taken = nil
		lanes, err := f.lanes(txn)
		if err != nil {
			return err
		}
		for _, lane := range lanes {
			keys, later := f.queue(txn, lane, now)
			if later.Before(next) {
				next = later
			}
			for _, key := range keys {
				s, ok, err := loadItem(txn, key)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
				if err := txn.Delete(s.queueKey()); err != nil {
					return err
				}
				if _, ok, err := loadParked(txn, s.Stream); err != nil {
					return err
				} else if ok {
					s.Next = now.Add(parkedBackoff)
					if s.Next.Before(next) {
						next = s.Next
					}
				} else {
					s.Tries++
					s.Attempt = s.Tries
					s.Next = now.Add(backoff(s.Tries))
					taken = append(taken, s)
				}
				if err := save(txn, &s); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err = f.withRoom(ctx, func() error {
		if err := f.db.Update(choose); err != nil {
			return err
		}
		for _, s := range taken {
			f.running[s.Key] = true
			f.busy[s.Lane]++
		}
		return nil
	})
	if err != nil {
		return nil, next, fmt.Errorf("take work: %w", err)
	}
	return taken, next, nil
}

// lanes returns the lanes that have work.
func (f *Follower) lanes(txn *badger.Txn) ([]string, error) {
	var lanes []string
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{queuePrefix}})
	defer it.Close()
	for it.Rewind(); it.Valid(); {
		key := it.Item().Key()
		if len(key) < 3 {
			return nil, errors.New("damaged list")
		}
		n := int(binary.BigEndian.Uint16(key[1:]))
		if len(key) < 3+n {
			return nil, errors.New("damaged list")
		}
		lane := string(key[3 : 3+n])
		lanes = append(lanes, lane)
		it.Seek(append(laneKey(lane), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	}
	return lanes, nil
}

// queue returns the work of a lane that is due, as much as there is room for, and when the next is due. The end of work
// under way is signalled, so that nobody waits for it by the clock.
func (f *Follower) queue(txn *badger.Txn, lane string, now time.Time) (keys []string, next time.Time) {
	prefix := laneKey(lane)
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		rest := it.Item().Key()[len(prefix):]
		at, key := binary.BigEndian.Uint64(rest), string(rest[8:])
		if f.running[key] {
			continue
		}
		if at > uint64(max(now.UnixMilli(), 0)) {
			return keys, time.UnixMilli(int64(at))
		}
		if f.busy[lane]+len(keys) == f.config.Concurrency {
			return keys, never()
		}
		keys = append(keys, key)
	}
	return keys, never()
}

// do does an item, and takes it from the list if that succeeded.
func (f *Follower) do(ctx context.Context, s stored) {
	failed := f.config.Handler.Work(ctx, s.Item)
	err := f.update(ctx, func(txn *badger.Txn) error {
		delete(f.running, s.Key)
		if f.busy[s.Lane]--; f.busy[s.Lane] == 0 {
			delete(f.busy, s.Lane)
		}
		current, ok, err := loadItem(txn, s.Key)
		switch {
		case err != nil || !ok || current.Position != s.Position:
			return err // taken away, or made anew, meanwhile
		case failed == nil:
			return remove(txn, &current)
		}
		if err := remove(txn, &current); err != nil {
			return err
		}
		later, postponed := errors.AsType[*Later](failed)
		switch {
		case ctx.Err() != nil: // stopped, not failed
			current.Tries, current.Next = current.Tries-1, current.Due
		case postponed:
			current.Next = later.At
			f.logger.Warn("work is tried again", "work", s.Key, "attempt", current.Tries, "next", current.Next, "error", failed)
		case current.Tries >= f.config.Attempts:
			f.alarm(s.Stream, failed)
			current.Tries = 0
			if err := f.parkWork(txn, s.Stream, failed); err != nil {
				return err
			}
		default:
			current.Next = f.config.Clock.Now().Add(backoff(current.Tries))
			f.logger.Warn("work is tried again", "work", s.Key, "attempt", current.Tries, "next", current.Next, "error", failed)
		}
		return save(txn, &current)
	})
	if err != nil && ctx.Err() == nil {
		f.logger.Error("list of work not written", "work", s.Key, "error", err)
	}
	f.signal()
}

// backoff is how long to wait after a number of attempts.
func backoff(tries int) time.Duration {
	d := minBackoff
	for range tries - 1 {
		if d *= 2; d > maxBackoff {
			return maxBackoff
		}
	}
	return d
}

func (f *Follower) signal() {
	select {
	case f.due <- struct{}{}:
	default:
	}
}

func (f *Follower) advance(position uint64) {
	f.mu.Lock()
	f.digested = position
	close(f.advanced)
	f.advanced = make(chan struct{})
	f.mu.Unlock()
	f.signal()
}

// Cursor says up to where the follower has digested the log, and in which epoch.
func (f *Follower) Cursor() (at commitlog.Cursor, err error) {
	err = f.db.View(func(txn *badger.Txn) error {
		at, err = loadCursor(txn)
		return err
	})
	return at, err
}

// update changes the list in one transaction. While there is too little room on the disk, it waits.
func (f *Follower) update(ctx context.Context, change func(*badger.Txn) error) error {
	return f.withRoom(ctx, func() error { return f.db.Update(change) })
}

// withRoom writes, and waits while there is too little room to.
func (f *Follower) withRoom(ctx context.Context, write func() error) error {
	for {
		f.store.Lock()
		err := write()
		f.store.Unlock()
		if !errors.Is(err, durable.ErrNoSpace) {
			return err
		}
		f.logger.Error("follower waits for room on the disk", "error", err)
		if err := f.db.WaitForRoom(ctx); err != nil {
			return err
		}
	}
}

func (f *Follower) empty(ctx context.Context) error {
	if err := f.withRoom(ctx, f.db.Clear); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.digested = 0
	return nil
}
