package notices

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
)

// Keep is how long a notice stands on the list. It is longer than [MaxAge], so that nobody is told twice what is read
// again.
const Keep = 2 * MaxAge

// Keys of the store:
//
//	b        → when the list was begun
//	n <id>   → a notice, as JSON; ids sort by the time of what they tell
const (
	begunKey     = 'b'
	noticePrefix = 'n'
)

// Errors of the list.
var (
	ErrNotFound = errors.New("notices: there is no such notice")
	ErrSent     = errors.New("notices: it was sent")
	ErrToken    = errors.New("notices: this is no token of the list")
)

// State is what has become of a notice.
type State string

// The states of a notice.
const (
	Pending State = "PENDING" // waits for its first or next attempt
	Sent    State = "SENT"
	Failed  State = "FAILED" // until an operator repeats it
)

// Notice is a notice as it stands on the list. It holds nothing of a person.
type Notice struct {
	ID          string
	Kind        string
	To          Recipient
	Department  string `json:",omitempty"`
	Alias       string `json:",omitempty"` // of the applicant, where several have to apply together
	By          string // sender
	Application string
	Number      string
	Version     uint64 // of its event
	Bundle      string `json:",omitempty"`
	Task        string `json:",omitempty"`
	At          time.Time

	State      State
	Attempts   int
	Last, Next time.Time
	Failure    string `json:",omitempty"` // code of the last one
	RepeatedBy string `json:",omitempty"` // opaque id
	Repeats    int    `json:",omitempty"`
}

// List is the durable list of notices. It is safe for concurrent use.
type List struct {
	db    *badgerdb.DB
	begun time.Time

	mu sync.Mutex // held by whoever changes a notice
}

// ListConfig says where the list lies. Space may be zero, as that of a follower.
type ListConfig struct {
	Dir    string
	Now    func() time.Time
	Logger *slog.Logger
	Space  durable.Space
	// ReadOnly opens a list that has to be there and was closed, and changes nothing in it.
	ReadOnly bool
}

// OpenList opens a list, and makes it if there is none.
func OpenList(c ListConfig) (*List, error) {
	if c.Space.MinFree == 0 {
		c.Space.MinFree = durable.DefaultMinFree / 2
	}
	db, err := badgerdb.Open(badgerdb.Config{Dir: c.Dir, ReadOnly: c.ReadOnly, Sync: true, Logger: c.Logger, Space: c.Space})
	if err != nil {
		return nil, fmt.Errorf("open list of notices: %w", err)
	}
	l := &List{db: db}
	if c.ReadOnly {
		return l, nil
	}
	if err := l.begin(c.Now()); err != nil {
		return nil, errors.Join(fmt.Errorf("open list of notices: %w", err), db.Close())
	}
	return l, nil
}

// begin reads when the list was begun, or begins it.
func (l *List) begin(now time.Time) error {
	return l.db.Update(func(txn *badger.Txn) error {
		item, err := txn.Get([]byte{begunKey})
		if errors.Is(err, badger.ErrKeyNotFound) {
			l.begun = now
			text, err := now.MarshalText()
			if err != nil {
				return err
			}
			return txn.Set([]byte{begunKey}, text)
		}
		if err != nil {
			return err
		}
		return item.Value(l.begun.UnmarshalText)
	})
}

// Begun is when the list was made: what happened before is told to nobody.
func (l *List) Begun() time.Time { return l.begun }

// Close closes the list.
func (l *List) Close() error {
	if err := l.db.Close(); err != nil {
		return fmt.Errorf("close list of notices: %w", err)
	}
	return nil
}

func noticeKey(id string) []byte { return append([]byte{noticePrefix}, id...) }

func load(txn *badger.Txn, id string) (n Notice, ok bool, err error) {
	item, err := txn.Get(noticeKey(id))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return n, false, nil
	}
	if err != nil {
		return n, false, err
	}
	err = item.Value(func(b []byte) error { return json.Unmarshal(b, &n) })
	return n, err == nil, err
}

func store(txn *badger.Txn, n Notice) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return txn.Set(noticeKey(n.ID), b)
}

// Get returns a notice.
func (l *List) Get(id string) (n Notice, ok bool, err error) {
	err = l.db.View(func(txn *badger.Txn) error {
		n, ok, err = load(txn, id)
		return err
	})
	if err != nil {
		return n, false, fmt.Errorf("read notice: %w", err)
	}
	return n, ok, nil
}

// update changes the list. While there is too little room on the disk, it waits.
func (l *List) update(ctx context.Context, f func(*badger.Txn) error) error {
	for {
		l.mu.Lock()
		err := l.db.Update(f)
		l.mu.Unlock()
		if !errors.Is(err, durable.ErrNoSpace) {
			return err
		}
		if err := l.db.WaitForRoom(ctx); err != nil {
			return err
		}
	}
}

// put adds those notices that are not there, and returns all as they are then.
func (l *List) put(ctx context.Context, notices []Notice) ([]Notice, error) {
	kept := make([]Notice, len(notices))
	err := l.update(ctx, func(txn *badger.Txn) error {
		for i, n := range notices {
			there, ok, err := load(txn, n.ID)
			if err != nil {
				return err
			}
			if kept[i] = there; ok {
				continue
			}
			kept[i] = n
			if err := store(txn, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keep notices: %w", err)
	}
	return kept, nil
}

// change changes a notice. One that is gone stays so.
func (l *List) change(ctx context.Context, id string, f func(*Notice)) error {
	err := l.update(ctx, func(txn *badger.Txn) error {
		n, ok, err := load(txn, id)
		if err != nil || !ok {
			return err
		}
		f(&n)
		return store(txn, n)
	})
	if err != nil {
		return fmt.Errorf("keep notice: %w", err)
	}
	return nil
}

// repeat changes a notice that was not sent, with f, which puts its work on the follower's list. Nobody changes it
// meanwhile, so that what becomes of the work comes after.
func (l *List) repeat(id string, f func(*Notice) error) (Notice, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n Notice
	err := l.db.Update(func(txn *badger.Txn) error {
		var ok bool
		var err error
		switch n, ok, err = load(txn, id); {
		case err != nil:
			return err
		case !ok:
			return ErrNotFound
		case n.State == Sent:
			return ErrSent
		}
		if err := f(&n); err != nil {
			return err
		}
		return store(txn, n)
	})
	if err != nil {
		return n, fmt.Errorf("repeat notice: %w", err)
	}
	return n, nil
}

// remove takes a notice from the list, of which there is nothing to tell any more.
func (l *List) remove(ctx context.Context, id string) error {
	if err := l.update(ctx, func(txn *badger.Txn) error { return txn.Delete(noticeKey(id)) }); err != nil {
		return fmt.Errorf("remove notice: %w", err)
	}
	return nil
}

// List returns a page of at most size notices, the newest first, and the token of the next; an empty state is every one.
// The error wraps [ErrToken] for a token that is none.
func (l *List) List(state State, size int, token string) (page []Notice, next string, err error) {
	from := []byte{noticePrefix, 0xff}
	if token != "" {
		id, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", fmt.Errorf("%w: %w", ErrToken, err)
		}
		from = noticeKey(string(id))
	}
	err = l.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Reverse: true, PrefetchValues: true, PrefetchSize: 100})
		defer it.Close()
		for it.Seek(from); it.ValidForPrefix([]byte{noticePrefix}); it.Next() {
			var n Notice
			if err := it.Item().Value(func(b []byte) error { return json.Unmarshal(b, &n) }); err != nil {
				return err
			}
			if state != "" && n.State != state {
				continue
			}
			if len(page) == size {
				next = base64.RawURLEncoding.EncodeToString([]byte(n.ID))
				return nil
			}
			page = append(page, n)
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list notices: %w", err)
	}
	return page, next, nil
}

// Count says how many notices are in each state.
func (l *List) Count() (map[State]int, error) {
	counts := map[State]int{}
	err := l.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{noticePrefix}, PrefetchValues: true, PrefetchSize: 100})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			var n Notice
			if err := it.Item().Value(func(b []byte) error { return json.Unmarshal(b, &n) }); err != nil {
				return err
			}
			counts[n.State]++
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count notices: %w", err)
	}
	return counts, nil
}

// sweepBatch is how many notices are removed in one transaction.
const sweepBatch = 1000

// Sweep removes notices of what happened longer ago than [Keep], and says how many.
func (l *List) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	until := noticeKey(fmt.Sprintf("%012x", max(now.Add(-Keep).UnixMilli(), 0)))
	for {
		var old [][]byte
		err := l.db.View(func(txn *badger.Txn) error {
			it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{noticePrefix}})
			defer it.Close()
			for it.Rewind(); it.Valid() && len(old) < sweepBatch && string(it.Item().Key()) < string(until); it.Next() {
				old = append(old, it.Item().KeyCopy(nil))
			}
			return nil
		})
		if err != nil || len(old) == 0 {
			return removed, err
		}
		err = l.update(ctx, func(txn *badger.Txn) error {
			for _, key := range old {
				if err := txn.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return removed, fmt.Errorf("sweep notices: %w", err)
		}
		removed += len(old)
	}
}
