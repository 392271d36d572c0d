// Package bundledraft keeps versions of bundles while they are written: texts that several configurators may change, each
// save on the revision that its author saw. A text is kept as it was written, with whatever is wrong in it.
//
// Drafts are not history, so they are not in the log, and they hold nothing of a person, so they are not sealed. A save is
// on disk when it is acknowledged. A repeated request within the last [Requests] of a draft changes nothing and gets the
// revision that it made; a repeated creation finds its draft for as long as that exists.
//
// Keys of the store:
//
//	d <id>       → onething.registry.v1.StoredBundleDraft
//	t <id>       → the text
//	c <creation> → id and digest of what was asked
package bundledraft

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

const (
	// MaxText is the most bytes of a text: what is published goes into one event of the log, which has room for little more.
	MaxText = 900 << 10
	// MaxDrafts is how many drafts there are at most.
	MaxDrafts = 1000
	// Requests is how many of the last requests a draft remembers.
	Requests = 32
)

// Errors of a store, for [errors.Is].
var (
	// ErrNotFound is returned for a draft that is not there: never begun, published, or discarded.
	ErrNotFound = errors.New("bundle draft: not found")
	// ErrStale is returned for a save on another revision than the current one; it is a [StaleError], which says which.
	ErrStale = errors.New("bundle draft: saved in the meantime")
	// ErrRequestReused is returned for a request id under which something else was asked.
	ErrRequestReused = errors.New("bundle draft: request id used for another request")
	// ErrTooLarge is returned for a text with more than [MaxText] bytes.
	ErrTooLarge = errors.New("bundle draft: too large")
	// ErrTooMany is returned for a draft beyond [MaxDrafts].
	ErrTooMany = errors.New("bundle draft: too many")
	// ErrStopped is returned after a write failed: the store has to be opened again.
	ErrStopped = badgerdb.ErrStopped
	// ErrNoSpace is returned while the disk has too little room to write safely. Nothing was written.
	ErrNoSpace = durable.ErrNoSpace
)

// StaleError says which revision a draft has now.
type StaleError struct{ Current int64 }

// Error says it.
func (e *StaleError) Error() string { return fmt.Sprintf("%v: revision is %d", ErrStale, e.Current) }

// Unwrap returns [ErrStale].
func (e *StaleError) Unwrap() error { return ErrStale }

// Request is a caller's request that changes a draft.
type Request struct {
	// ID is the caller's id of the request.
	ID string
	// Actor is the opaque id of the caller.
	Actor string
	// Digest is the keyed digest of what is asked.
	Digest []byte
}

// Draft is a version of a bundle that is being written. Its text is read apart.
type Draft struct {
	ID       string
	Bundle   string
	Base     int // number of the last version when it was begun
	Revision int64
	Created  time.Time
	By       string // opaque id of who began it
	Saved    time.Time
	SavedBy  string
}

// Config says where drafts lie and what they depend on. All but ReadOnly and Space have to be set.
type Config struct {
	// Dir is the folder of the drafts, made if it does not exist. It holds nothing else, and one process opens it at a time.
	Dir string
	// ReadOnly opens a store that has to be there and was closed, and changes nothing in it.
	ReadOnly bool
	// Now is the clock.
	Now func() time.Time
	// Logger gets what the store has to say.
	Logger *slog.Logger
	// Space is how much room is left on the disk.
	Space durable.Space
}

// Store keeps drafts. It is safe for concurrent use.
type Store struct {
	now func() time.Time
	db  *badgerdb.DB
	mu  sync.Mutex // held while a draft is changed
}

// Open opens the drafts in a folder, and makes an empty store if there is none.
func Open(c Config) (*Store, error) {
	if c.Now == nil {
		return nil, errors.New("open bundle drafts: the clock has to be set")
	}
	db, err := badgerdb.Open(badgerdb.Config{Dir: c.Dir, ReadOnly: c.ReadOnly, Sync: true, Logger: c.Logger, Space: c.Space})
	if err != nil {
		return nil, fmt.Errorf("open bundle drafts %s: %w", c.Dir, err)
	}
	return &Store{now: c.Now, db: db}, nil
}

// Close closes the store. Whatever was acknowledged is on disk already.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close bundle drafts: %w", err)
	}
	return nil
}

func draftKey(id string) []byte { return append([]byte{'d'}, id...) }
func textKey(id string) []byte  { return append([]byte{'t'}, id...) }

func creationKey(r Request) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", len(r.Actor), r.Actor, r.ID))
	return append([]byte{'c'}, sum[:]...)
}

// idLen is the length of an id, a UUID as text.
const idLen = 36

// Create begins a draft of a bundle's version. The same request of the same actor gets the draft that it began, as it is
// now, for as long as that exists.
//
// Errors: [ErrRequestReused], [ErrTooLarge], [ErrTooMany], [ErrStopped], [ErrNoSpace].
func (s *Store) Create(r Request, bundle string, base int, text []byte) (*Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	creation := creationKey(r)
	var made []byte
	if err := s.get(creation, &made); err != nil {
		return nil, err
	}
	if len(made) >= idLen {
		if string(made[idLen:]) != string(r.Digest) {
			return nil, ErrRequestReused
		}
		m, err := s.stored(string(made[:idLen]))
		if err != nil {
			return nil, err
		}
		return header(string(made[:idLen]), m), nil
	}
	if len(text) > MaxText {
		return nil, ErrTooLarge
	}
	all, err := s.all()
	if err != nil {
		return nil, err
	}
	if len(all) >= MaxDrafts {
		return nil, ErrTooMany
	}
	random, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("begin bundle draft: %w", err)
	}
	id, now := random.String(), timestamppb.New(s.now())
	m := &registryv1.StoredBundleDraft{Bundle: bundle, Base: int32(base), Revision: 1, CreatedAt: now, CreatedBy: r.Actor, SavedAt: now, SavedBy: r.Actor, Creation: creation}
	return s.put(id, m, text, func(txn *badger.Txn) error { return txn.Set(creation, append([]byte(id), r.Digest...)) })
}

// Save replaces the text of a draft, which has to be at a revision. It returns the draft as it is now, and the revision
// that the request made: an earlier one if it was made before.
//
// Errors: [ErrNotFound], [ErrStale], [ErrRequestReused], [ErrTooLarge], [ErrStopped], [ErrNoSpace].
func (s *Store) Save(r Request, id string, expected int64, text []byte) (*Draft, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.stored(id)
	if err != nil {
		return nil, 0, err
	}
	for _, known := range m.GetRequests() {
		if known.GetId() != r.ID {
			continue
		}
		if string(known.GetDigest()) != string(r.Digest) {
			return nil, 0, ErrRequestReused
		}
		return header(id, m), known.GetRevision(), nil
	}
	if m.GetRevision() != expected {
		return nil, 0, &StaleError{Current: m.GetRevision()}
	}
	if len(text) > MaxText {
		return nil, 0, ErrTooLarge
	}
	m.Revision++
	m.SavedAt, m.SavedBy = timestamppb.New(s.now()), r.Actor
	if n := len(m.GetRequests()); n >= Requests {
		m.Requests = m.GetRequests()[n-Requests+1:]
	}
	m.Requests = append(m.Requests, &registryv1.StoredBundleDraft_Request{Id: r.ID, Digest: r.Digest, Revision: m.GetRevision()})
	d, err := s.put(id, m, text, nil)
	return d, m.GetRevision(), err
}

// Load returns a draft with its text. The error is [ErrNotFound] if there is none.
func (s *Store) Load(id string) (d *Draft, text []byte, err error) {
	err = s.db.View(func(txn *badger.Txn) error { // both of one revision
		m, err := storedIn(txn, id)
		if err != nil {
			return err
		}
		d = header(id, m)
		item, err := txn.Get(textKey(id))
		if err != nil {
			return err
		}
		text, err = item.ValueCopy(nil)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return d, text, nil
}

// List returns all drafts, the last saved first.
func (s *Store) List() ([]*Draft, error) {
	drafts, err := s.all()
	slices.SortFunc(drafts, func(a, b *Draft) int { return cmp.Or(b.Saved.Compare(a.Saved), cmp.Compare(a.ID, b.ID)) })
	return drafts, err
}

// Discard removes a draft, which has to be at a revision. It is no error if there is none.
func (s *Store) Discard(id string, expected int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.stored(id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case m.GetRevision() != expected:
		return &StaleError{Current: m.GetRevision()}
	}
	return s.db.Commit(func(txn *badger.Txn) error {
		return errors.Join(txn.Delete(draftKey(id)), txn.Delete(textKey(id)), txn.Delete(m.GetCreation()))
	})
}

// put stores a draft with its text, together with more.
func (s *Store) put(id string, m *registryv1.StoredBundleDraft, text []byte, more func(*badger.Txn) error) (*Draft, error) {
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode bundle draft: %w", err)
	}
	err = s.db.Commit(func(txn *badger.Txn) error {
		err := errors.Join(txn.Set(draftKey(id), b), txn.Set(textKey(id), text))
		if err == nil && more != nil {
			err = more(txn)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save bundle draft: %w", err)
	}
	return header(id, m), nil
}

// all returns every draft, in no order.
func (s *Store) all() ([]*Draft, error) {
	var drafts []*Draft
	err := s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{'d'}, PrefetchValues: true, PrefetchSize: 16})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			m := &registryv1.StoredBundleDraft{}
			if err := it.Item().Value(func(b []byte) error { return proto.Unmarshal(b, m) }); err != nil {
				return err
			}
			drafts = append(drafts, header(string(it.Item().Key()[1:]), m))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list bundle drafts: %w", err)
	}
	return drafts, nil
}

func (s *Store) stored(id string) (m *registryv1.StoredBundleDraft, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		m, err = storedIn(txn, id)
		return err
	})
	return m, err
}

func storedIn(txn *badger.Txn, id string) (*registryv1.StoredBundleDraft, error) {
	item, err := txn.Get(draftKey(id))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	m := &registryv1.StoredBundleDraft{}
	return m, item.Value(func(b []byte) error { return proto.Unmarshal(b, m) })
}

// get reads a value; it leaves what it is given as it is if there is none.
func (s *Store) get(key []byte, into *[]byte) error {
	return s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err == nil {
			*into, err = item.ValueCopy(nil)
		}
		return err
	})
}

func header(id string, m *registryv1.StoredBundleDraft) *Draft {
	return &Draft{ID: id, Bundle: m.GetBundle(), Base: int(m.GetBase()), Revision: m.GetRevision(), Created: m.GetCreatedAt().AsTime(), By: m.GetCreatedBy(),
		Saved: m.GetSavedAt().AsTime(), SavedBy: m.GetSavedBy()}
}
