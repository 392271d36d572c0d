package badgerlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
	logv1 "github.com/siyiban/onething/proto/gen/onething/log/v1"
	"google.golang.org/protobuf/proto"
)

// Config says where a log lies.
type Config struct {
	// Dir is the folder of the log, made if it does not exist. It holds nothing else, and one process opens it at a time.
	Dir string
	// Logger gets what Badger has to say. It may not be nil.
	Logger *slog.Logger
	// ReadOnly opens a log that has to be there and was closed, and changes nothing in it: appends are refused with
	// [commitlog.ErrReadOnly].
	ReadOnly bool
	// MinFree is how many bytes have to be free on the disk of Dir to open the log and to append; zero is
	// [durable.DefaultMinFree].
	MinFree uint64
	// Free measures the disk of Dir, as [durable.Space] says; nil asks the system.
	Free func(dir string) (uint64, error)
}

// Log is a commit log on Badger. It implements [commitlog.Log].
type Log struct {
	db     *badger.DB
	badger *badgerdb.Logger
	dir    string
	write  bool // not opened to be read only
	space  durable.Space
	epoch  uint64

	queue  chan *request
	quit   chan struct{} // closed by Close
	done   chan struct{} // closed by the writer when it has ended
	close  sync.Once
	failed error // of closing

	// open is held for reading by whoever uses db, so that Close waits for them.
	open   sync.RWMutex
	closed bool

	head    atomic.Uint64 // last acknowledged position
	stopped atomic.Bool
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when head or stopped change
}

var _ commitlog.Log = (*Log)(nil)

// Open opens the log in a folder, and makes it if there is none. Besides what Badger says, its error wraps
// [commitlog.ErrFormat], [commitlog.ErrCorrupt] or [commitlog.ErrNoSpace].
func Open(c Config) (*Log, error) { return open(c, 1) }

// open opens a log, and makes one that begins with an epoch if there is none.
func open(c Config, first uint64) (*Log, error) {
	if c.Dir == "" || c.Logger == nil {
		return nil, errors.New("open log: folder and logger have to be set")
	}
	l := &Log{
		badger:  &badgerdb.Logger{To: c.Logger},
		dir:     c.Dir,
		write:   !c.ReadOnly,
		space:   durable.Space{MinFree: c.MinFree, Free: c.Free},
		queue:   make(chan *request, maxGroup),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
		changed: make(chan struct{}),
	}
	if l.write {
		if err := l.enoughSpace(); err != nil {
			return nil, fmt.Errorf("open log %s: %w", c.Dir, err)
		}
		if err := durable.Mkdir(c.Dir); err != nil { // Badger would not sync the folder above it
			return nil, fmt.Errorf("open log: %w", err)
		}
	}
	if err := badgerdb.Begin(c.Dir, c.ReadOnly); err != nil {
		return nil, fmt.Errorf("open log %s: %w: %w", c.Dir, commitlog.ErrCorrupt, err)
	}
	db, err := badger.Open(badger.DefaultOptions(c.Dir).
		WithLogger(l.badger).
		WithSyncWrites(true).
		WithReadOnly(c.ReadOnly).
		WithDetectConflicts(false). // there is one writer
		WithNumVersionsToKeep(1).
		WithMemTableSize(memtable).
		WithValueThreshold(1 << 10). // commits go to the value log and are not moved by compactions
		WithValueLogFileSize(256 << 20).
		WithVerifyValueChecksum(true).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithBlockCacheSize(64 << 20).
		WithNumCompactors(2).
		WithMetricsEnabled(false)) // they are global
	if err != nil {
		return nil, fmt.Errorf("open log %s: %w", c.Dir, err)
	}
	l.db = db
	if err := l.load(first); err != nil {
		return nil, errors.Join(fmt.Errorf("open log %s: %w", c.Dir, err), db.Close())
	}
	if l.badger.Failed() {
		// Badger goes on without a table that it cannot read, and says so in a line only.
		return nil, errors.Join(fmt.Errorf("open log %s: %w: Badger reported errors", c.Dir, commitlog.ErrCorrupt), db.Close())
	}
	if l.write {
		go l.run()
	} else {
		close(l.done)
	}
	return l, nil
}

// NotClosed reports whether a store of Badger's could not be opened to be read only because whoever wrote it last did not
// close it: it has to be opened for writing first, which mends it.
func NotClosed(err error) bool {
	return err != nil && strings.Contains(err.Error(), badger.ErrTruncateNeeded.Error()) // Badger does not wrap it
}

// enoughSpace returns an error that wraps [commitlog.ErrNoSpace] if there is too little room.
func (l *Log) enoughSpace() error {
	err := l.space.Check(l.dir)
	if errors.Is(err, durable.ErrNoSpace) {
		return fmt.Errorf("%w: %w", commitlog.ErrNoSpace, err)
	}
	return err
}

// load reads the header, or writes it into an empty store with its first epoch, and the last position.
func (l *Log) load(first uint64) error {
	err := l.db.View(func(txn *badger.Txn) error {
		var header logv1.Header
		switch err := get(txn, headerKey(), func(b []byte) error { return proto.Unmarshal(b, &header) }); {
		case err != nil:
			return fmt.Errorf("header: %w", err)
		case header.GetFormat() == 0 || header.GetEpoch() == 0:
			return fmt.Errorf("%w: header without format or epoch", commitlog.ErrCorrupt)
		case header.GetFormat() > commitlog.Format:
			return fmt.Errorf("%w: store has format %d, this program knows %d", commitlog.ErrFormat, header.GetFormat(), commitlog.Format)
		}
		l.epoch = header.GetEpoch()
		last, err := lastCommit(txn)
		if err != nil {
			return err
		}
		l.head.Store(last)
		return nil
	})
	if !l.write && errors.Is(err, badger.ErrKeyNotFound) {
		return fmt.Errorf("%w: the folder holds no log", commitlog.ErrFormat)
	}
	if !errors.Is(err, badger.ErrKeyNotFound) {
		return err
	}
	return l.db.Update(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{})
		it.Rewind()
		empty := !it.Valid()
		it.Close()
		if !empty {
			return fmt.Errorf("%w: the folder holds a store that is no log", commitlog.ErrFormat)
		}
		header, err := proto.Marshal(&logv1.Header{Format: commitlog.Format, Epoch: first})
		if err != nil {
			return err
		}
		l.epoch = first
		return txn.Set(headerKey(), header)
	})
}

// lastCommit returns the position of the last commit, 0 if there is none, after a look at the commit itself.
func lastCommit(txn *badger.Txn) (uint64, error) {
	it := txn.NewIterator(badger.IteratorOptions{Reverse: true, Prefix: []byte{commitPrefix}})
	defer it.Close()
	it.Seek([]byte{commitPrefix, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	if !it.Valid() {
		return 0, nil
	}
	position, err := parseNumber(it.Item().Key()[1:])
	if err == nil {
		_, err = commitAt(txn, position)
	}
	return position, err
}

// Close waits for the group that is being written and for running reads, refuses what is queued with
// [commitlog.ErrClosed], and closes the store. Whatever was acknowledged is on disk already.
func (l *Log) Close() error {
	l.close.Do(func() {
		close(l.quit)
		<-l.done
		l.open.Lock()
		defer l.open.Unlock()
		l.closed = true
		err := l.db.Close()
		if err == nil && l.write && !l.stopped.Load() && !l.badger.Failed() {
			err = badgerdb.End(l.dir)
		}
		if err != nil {
			l.failed = fmt.Errorf("close log %s: %w", l.dir, err)
		}
	})
	return l.failed
}

// Head returns epoch and position of the last acknowledged commit, and position 0 for an empty log.
func (l *Log) Head() (epoch, position uint64) { return l.epoch, l.head.Load() }

// Err says why the log takes no appends at the moment: an error that wraps [commitlog.ErrStopped], [commitlog.ErrNoSpace]
// or [commitlog.ErrClosed]; nil if it takes them.
func (l *Log) Err() error {
	select {
	case <-l.quit:
		return commitlog.ErrClosed
	default:
	}
	if l.stopped.Load() || l.badger.Failed() {
		return commitlog.ErrStopped
	}
	return l.enoughSpace()
}

// view runs f over a snapshot of the store, unless the log is closed or ctx has ended.
func (l *Log) view(ctx context.Context, f func(*badger.Txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.open.RLock()
	defer l.open.RUnlock()
	if l.closed {
		return commitlog.ErrClosed
	}
	return l.db.View(f)
}

// get calls f with the value of a key, which is valid until f returns.
func get(txn *badger.Txn, key []byte, f func([]byte) error) error {
	item, err := txn.Get(key)
	if err != nil {
		return err
	}
	return item.Value(f)
}

// getNumber returns the number under a key, and 0 if there is none.
func getNumber(txn *badger.Txn, key []byte) (uint64, error) {
	var n uint64
	err := get(txn, key, func(b []byte) (err error) {
		n, err = parseNumber(b)
		return err
	})
	if errors.Is(err, badger.ErrKeyNotFound) {
		return 0, nil
	}
	return n, err
}

// commitAt returns the commit at a position, which has to be there.
func commitAt(txn *badger.Txn, position uint64) (commitlog.Commit, error) {
	var c commitlog.Commit
	err := get(txn, commitKey(position), func(b []byte) error {
		var err error
		if c, err = commitlog.Decode(b); err == nil && c.Position != position {
			err = fmt.Errorf("%w: it says that it is commit %d", commitlog.ErrCorrupt, c.Position)
		}
		return err
	})
	if errors.Is(err, badger.ErrKeyNotFound) {
		err = fmt.Errorf("%w: it is missing", commitlog.ErrCorrupt)
	}
	if err != nil {
		return commitlog.Commit{}, fmt.Errorf("commit %d: %w", position, err)
	}
	return c, nil
}
