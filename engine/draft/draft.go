package draft

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

const (
	// DefaultLifetime is how long a draft is kept after it was last saved.
	DefaultLifetime = 30 * 24 * time.Hour
	// MaxContent is the most bytes of what a draft holds, encoded: a submission carries it in the personal part of one
	// event, which has room for little more.
	MaxContent = 900 << 10
	// MaxOwner is the most bytes of an owner.
	MaxOwner = 200
	// Requests is how many of the last requests a draft remembers.
	Requests = 32
)

// Errors of a store, for [errors.Is].
var (
	// ErrNotFound is returned for a draft that is not there: never begun, deleted, expired, or submitted.
	ErrNotFound = errors.New("draft: not found")
	// ErrStale is returned for a save on another revision than the current one; it is a [StaleError], which says which.
	ErrStale = errors.New("draft: saved in the meantime")
	// ErrRequestReused is returned for a request id under which something else was asked.
	ErrRequestReused = errors.New("draft: request id used for another request")
	// ErrTooLarge is returned for a draft with more than [MaxContent] bytes.
	ErrTooLarge = errors.New("draft: too large")
	// ErrInvalid is returned for an owner or a page token that cannot exist.
	ErrInvalid = errors.New("draft: invalid")
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

// Owner is whose a draft is: opaque to this package, made of keyed digests, never of a person's number or name.
type Owner string

// Request is a caller's request that changes a draft.
type Request struct {
	// ID is the caller's id of the request.
	ID string
	// Digest is the keyed digest of what is asked.
	Digest []byte
}

// Draft is an application before it is filed.
type Draft struct {
	ID    string
	Owner Owner
	// With are others among whose drafts it is: those with whom it is to be submitted.
	With []Owner
	// Revision is 1 for a new draft and grows by one with each save.
	Revision int64
	Created  time.Time
	Saved    time.Time
	Expires  time.Time

	Bundles []string
	// Record holds the answers as they were saved; whoever reads it decodes it against the bundles in force.
	Record    *formsv1.Record
	Files     []*applicationv1.MaterialFile
	Promises  []*applicationv1.SignedPromise
	Tolerated []string // materials that are to follow, as the form merges them

	// Versions are the digests of the published bundles on which it is, in the order of Bundles; none in a draft of before
	// there were such. Moves are the ones that it had before.
	Versions []string
	Moves    []*applicationv1.DraftMoved

	// Consents are the confirmations of this revision, the first one first.
	Consents []*applicationv1.DraftContent_Consent

	requests []*applicationv1.DraftContent_Request
	creation []byte
}

// Config says where drafts lie and what they depend on. All but ReadOnly, Lifetime and Space have to be set.
type Config struct {
	// Dir is the folder of the drafts, made if it does not exist. It holds nothing else, and one process opens it at a
	// time.
	Dir string
	// ReadOnly opens a store that has to be there and was closed, and changes nothing in it.
	ReadOnly bool
	// Keys seals what is stored.
	Keys *seal.Store
	// Submitted reports whether the log has a stream for an application of that id.
	Submitted func(ctx context.Context, id string) (bool, error)
	// Now is the clock.
	Now func() time.Time
	// Lifetime is how long a draft is kept after it was last saved; zero is [DefaultLifetime].
	Lifetime time.Duration
	// Logger gets what the store has to say.
	Logger *slog.Logger
	// Space is how much room is left on the disk.
	Space durable.Space
}

// Store keeps drafts. It is safe for concurrent use.
type Store struct {
	config Config
	db     *badgerdb.DB

	// locks are held while a draft is changed, by the hash of its id or of its creation.
	seed  maphash.Seed
	locks [64]sync.Mutex
}

// Open opens the drafts in a folder, and makes an empty store if there is none. It destroys the keys that a crash left
// without a draft.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Keys == nil || c.Submitted == nil || c.Now == nil || c.Lifetime < 0 {
		return nil, errors.New("open drafts: keys, log and clock have to be set")
	}
	if c.Lifetime == 0 {
		c.Lifetime = DefaultLifetime
	}
	db, err := badgerdb.Open(badgerdb.Config{Dir: c.Dir, ReadOnly: c.ReadOnly, Sync: true, Logger: c.Logger, Space: c.Space})
	if err != nil {
		return nil, fmt.Errorf("open drafts %s: %w", c.Dir, err)
	}
	s := &Store{config: c, db: db, seed: maphash.MakeSeed()}
	if c.ReadOnly {
		return s, nil
	}
	if err := s.destroyOrphans(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open drafts %s: %w", c.Dir, err), db.Close())
	}
	return s, nil
}

// Close closes the store. Whatever was acknowledged is on disk already.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close drafts: %w", err)
	}
	return nil
}

// Create begins a draft; fill sets its content. The same request of the same owner gets the draft that it began, as it
// is now, for as long as that draft exists.
func (s *Store) Create(ctx context.Context, owner Owner, request Request, fill func(*Draft) error) (*Draft, error) {
	if owner == "" || len(owner) > MaxOwner {
		return nil, fmt.Errorf("%w: owner of %d bytes", ErrInvalid, len(owner))
	}
	creation := creationKey(s.config.Keys.Digest("draft creation", seal.AssociatedData(string(owner), request.ID)))
	defer s.lock(string(creation))()
	switch id, digest, err := s.creation(creation); {
	case err != nil:
		return nil, err
	case id != "" && string(digest) != string(request.Digest):
		return nil, ErrRequestReused
	case id != "":
		d, err := s.Load(ctx, id)
		if !errors.Is(err, ErrNotFound) {
			return d, err
		}
	}
	random, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("create draft: %w", err)
	}
	now := s.config.Now()
	d := &Draft{ID: random.String(), Owner: owner, Revision: 1, Created: now, Record: &formsv1.Record{}, creation: creation}
	if err := fill(d); err != nil {
		return nil, err
	}
	// A crash from here on leaves the mark, and the next Open destroys the key.
	key := seal.ForApplication(d.ID)
	if err := s.db.Commit(func(txn *badger.Txn) error { return txn.Set(orphanKey(d.ID), nil) }); err != nil {
		return nil, fmt.Errorf("create draft: %w", err)
	}
	if err := s.config.Keys.Create(ctx, key); err != nil {
		return nil, fmt.Errorf("create draft: %w", err)
	}
	err = s.put(ctx, nil, d, now, func(txn *badger.Txn) error {
		return errors.Join(txn.Delete(orphanKey(d.ID)), txn.Set(creation, append([]byte(d.ID), request.Digest...)))
	})
	if err != nil {
		err = fmt.Errorf("create draft: %w", err)
		if !errors.Is(err, ErrStopped) {
			err = errors.Join(err, s.destroy(ctx, d.ID))
		}
		return nil, err
	}
	return d, nil
}

// Load returns a draft. The error wraps [ErrNotFound] if there is none.
func (s *Store) Load(ctx context.Context, id string) (*Draft, error) {
	d, err := s.load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load draft %s: %w", id, err)
	}
	return d, nil
}

// Save changes a draft, which has to be at a revision, and keeps it for another lifetime. What was confirmed of it is
// void. It returns the draft as it is
// now, and the revision that the request made: an earlier one if it was made before, when change is not called.
//
// Errors: [ErrNotFound], [ErrStale], [ErrRequestReused], [ErrTooLarge], [ErrStopped], and those of change, after which
// nothing was saved.
func (s *Store) Save(ctx context.Context, id string, expected int64, request Request, change func(*Draft) error) (*Draft, int64, error) {
	defer s.lock(id)()
	before, err := s.load(ctx, id)
	if err != nil {
		return nil, 0, fmt.Errorf("save draft %s: %w", id, err)
	}
	switch made, err := before.made(request); {
	case err != nil:
		return nil, 0, fmt.Errorf("save draft %s: %w", id, err)
	case made > 0:
		return before, made, nil
	case before.Revision != expected:
		return nil, 0, fmt.Errorf("save draft %s: %w", id, &StaleError{Current: before.Revision})
	}
	d := before.clone()
	if err := change(d); err != nil {
		return nil, 0, err
	}
	d.Consents = nil // they were of what it was
	d.Revision++
	d.remember(request)
	if err := s.put(ctx, before, d, s.config.Now(), nil); err != nil {
		return nil, 0, fmt.Errorf("save draft %s: %w", id, err)
	}
	return d, d.Revision, nil
}

// made returns the revision that a request made or saw, if it is one of those that are remembered; else 0.
func (d *Draft) made(request Request) (int64, error) {
	for _, r := range d.requests {
		if r.GetId() != request.ID {
			continue
		}
		if string(r.GetDigest()) != string(request.Digest) {
			return 0, ErrRequestReused
		}
		return r.GetRevision(), nil
	}
	return 0, nil
}

// remember notes the request that made the revision, or saw it.
func (d *Draft) remember(request Request) {
	if len(d.requests) >= Requests {
		d.requests = d.requests[len(d.requests)-Requests+1:]
	}
	d.requests = append(d.requests, &applicationv1.DraftContent_Request{Id: request.ID, Digest: request.Digest, Revision: d.Revision})
}

// Submit calls submit with a draft, which has to be at a revision. Where submit files it, the draft is removed, not its
// key, and Submit returns nil. Where it waits for others, what submit has noted in it is saved under the same revision,
// since what was shown is the same, and Submit returns the draft; so it does for a request that was remembered, without
// calling submit. Meanwhile nobody saves or deletes it. Submit must not return an error while the log may still come to
// hold the application: it appends without the caller's deadline.
func (s *Store) Submit(ctx context.Context, id string, expected int64, request Request, submit func(*Draft) (waits bool, err error)) (*Draft, error) {
	defer s.lock(id)()
	before, err := s.load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("submit draft %s: %w", id, err)
	}
	switch made, err := before.made(request); {
	case err != nil:
		return nil, fmt.Errorf("submit draft %s: %w", id, err)
	case made > 0:
		return before, nil
	case before.Revision != expected:
		return nil, fmt.Errorf("submit draft %s: %w", id, &StaleError{Current: before.Revision})
	}
	d := before.clone()
	waits, err := submit(d)
	if err != nil {
		return nil, err
	}
	if waits {
		d.remember(request)
		if err := s.put(ctx, before, d, s.config.Now(), nil); err != nil {
			return nil, fmt.Errorf("submit draft %s: %w", id, err)
		}
		return d, nil
	}
	// The application is filed whatever happens now; what is left of the draft goes with the next sweep.
	if err := s.db.Commit(func(txn *badger.Txn) error { return remove(txn, before) }); err != nil {
		s.config.Logger.Error("submitted draft not removed", "draft", id, "error", err)
	}
	return nil, nil
}

// Amend changes what is noted of a draft beside its content, and its revision stays. A remembered request changes nothing.
func (s *Store) Amend(ctx context.Context, id string, request Request, change func(*Draft)) error {
	defer s.lock(id)()
	before, err := s.load(ctx, id)
	if err != nil {
		return fmt.Errorf("amend draft %s: %w", id, err)
	}
	if made, err := before.made(request); err != nil || made > 0 {
		if err != nil {
			err = fmt.Errorf("amend draft %s: %w", id, err)
		}
		return err
	}
	d := before.clone()
	change(d)
	d.remember(request)
	if err := s.put(ctx, before, d, s.config.Now(), nil); err != nil {
		return fmt.Errorf("amend draft %s: %w", id, err)
	}
	return nil
}

// Delete removes a draft, and destroys its key unless it was submitted. It is no error if there is none.
func (s *Store) Delete(ctx context.Context, id string) error {
	defer s.lock(id)()
	if err := s.delete(ctx, id); err != nil {
		return fmt.Errorf("delete draft %s: %w", id, err)
	}
	return nil
}

// Sweep removes the drafts that have expired, with their keys, and says how many. It goes on after an error and returns
// all of them.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	now := s.config.Now()
	ids, err := s.expired(now)
	if err != nil {
		return 0, fmt.Errorf("sweep drafts: %w", err)
	}
	n := 0
	var failed []error
	for _, id := range ids {
		gone, err := s.sweep(ctx, id, now)
		if err != nil {
			failed = append(failed, fmt.Errorf("sweep draft %s: %w", id, err))
		} else if gone {
			n++
		}
	}
	return n, errors.Join(failed...)
}

// sweep removes a draft if it has still expired, now that nobody else changes it.
func (s *Store) sweep(ctx context.Context, id string, now time.Time) (bool, error) {
	defer s.lock(id)()
	stored, err := s.stored(id)
	if errors.Is(err, ErrNotFound) || err == nil && now.Before(stored.GetExpiresAt().AsTime()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, s.delete(ctx, id)
}

// delete removes a draft whose lock is held. The key goes after the draft, and the mark after the key, so that a crash
// in between leaves the mark.
func (s *Store) delete(ctx context.Context, id string) error {
	stored, err := s.stored(id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	submitted, err := s.config.Submitted(ctx, id)
	if err != nil {
		return err
	}
	d := header(id, stored)
	if submitted {
		return s.db.Commit(func(txn *badger.Txn) error { return remove(txn, d) })
	}
	err = s.db.Commit(func(txn *badger.Txn) error {
		return errors.Join(remove(txn, d), txn.Set(orphanKey(id), nil))
	})
	if err != nil {
		return err
	}
	return s.destroy(ctx, id)
}

// destroy destroys the key of a marked draft and removes the mark.
func (s *Store) destroy(ctx context.Context, id string) error {
	if err := s.config.Keys.Destroy(ctx, seal.ForApplication(id)); err != nil {
		return err
	}
	return s.db.Commit(func(txn *badger.Txn) error { return txn.Delete(orphanKey(id)) })
}

func (s *Store) destroyOrphans(ctx context.Context) error {
	ids, err := s.orphans()
	if err != nil {
		return err
	}
	for _, id := range ids {
		// A backup takes the drafts first: what was a mark then may have been filed before the log was taken.
		submitted, err := s.config.Submitted(ctx, id)
		if err != nil {
			return err
		}
		if submitted {
			err = s.db.Commit(func(txn *badger.Txn) error { return txn.Delete(orphanKey(id)) })
		} else {
			err = s.destroy(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// load returns a draft that can be used: it has neither expired nor been submitted.
func (s *Store) load(ctx context.Context, id string) (*Draft, error) {
	stored, err := s.stored(id)
	if err != nil {
		return nil, err
	}
	if !s.config.Now().Before(stored.GetExpiresAt().AsTime()) {
		return nil, ErrNotFound
	}
	switch submitted, err := s.config.Submitted(ctx, id); {
	case err != nil:
		return nil, err
	case submitted:
		return nil, ErrNotFound
	}
	return s.open(ctx, id, stored)
}

// open opens what is stored.
func (s *Store) open(ctx context.Context, id string, stored *applicationv1.StoredDraft) (*Draft, error) {
	d := header(id, stored)
	plain, err := s.config.Keys.Open(ctx, seal.ForApplication(id), stored.GetSealed(), d.associated())
	if errors.Is(err, seal.ErrNoKey) {
		return nil, ErrNotFound // it is being deleted
	}
	if err != nil {
		return nil, err
	}
	var content applicationv1.DraftContent
	if err := proto.Unmarshal(plain, &content); err != nil {
		return nil, errors.New("content is no draft") // the cause may quote it
	}
	d.Bundles, d.Files, d.Promises = content.GetBundles(), content.GetFiles(), content.GetPromises()
	d.Tolerated, d.requests = content.GetTolerated(), content.GetRequests()
	d.Consents = content.GetConsents()
	d.Versions, d.Moves = content.GetVersions(), content.GetMoves()
	if d.Record = content.GetRecord(); d.Record == nil {
		d.Record = &formsv1.Record{}
	}
	return d, nil
}

// put stores a draft in place of the one before, nil if it is new, together with more.
func (s *Store) put(ctx context.Context, before, d *Draft, now time.Time, more func(*badger.Txn) error) error {
	d.Saved, d.Expires = now.UTC(), now.Add(s.config.Lifetime).UTC()
	plain, err := proto.MarshalOptions{Deterministic: true}.Marshal(&applicationv1.DraftContent{
		Bundles: d.Bundles, Record: d.Record, Files: d.Files, Promises: d.Promises, Tolerated: d.Tolerated, Requests: d.requests,
		Consents: d.Consents, Versions: d.Versions, Moves: d.Moves,
	})
	if err != nil {
		return errors.New("content cannot be encoded")
	}
	if len(plain) > MaxContent {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(plain), MaxContent)
	}
	sealed, err := s.config.Keys.Seal(ctx, seal.ForApplication(d.ID), plain, d.associated())
	if err != nil {
		return err
	}
	stored, err := d.message(sealed)
	if err != nil {
		return err
	}
	return s.db.Commit(func(txn *badger.Txn) error {
		if before != nil {
			if err := errors.Join(deleteAll(txn, ownerKeys(before)), txn.Delete(expiryKey(before))); err != nil {
				return err
			}
		}
		err := errors.Join(txn.Set(draftKey(d.ID), stored), txn.Set(expiryKey(d), nil))
		for _, key := range ownerKeys(d) {
			err = errors.Join(err, txn.Set(key, nil))
		}
		if err == nil && more != nil {
			err = more(txn)
		}
		return err
	})
}

// remove removes a draft and what leads to it.
func remove(txn *badger.Txn, d *Draft) error {
	return errors.Join(txn.Delete(draftKey(d.ID)), deleteAll(txn, ownerKeys(d)), txn.Delete(expiryKey(d)), txn.Delete(d.creation))
}

func deleteAll(txn *badger.Txn, keys [][]byte) (err error) {
	for _, key := range keys {
		err = errors.Join(err, txn.Delete(key))
	}
	return err
}

// lock takes the lock of a name and returns what gives it back.
func (s *Store) lock(name string) func() {
	mu := &s.locks[maphash.String(s.seed, name)%uint64(len(s.locks))]
	mu.Lock()
	return mu.Unlock
}

// clone returns a copy that can be changed.
func (d *Draft) clone() *Draft {
	c := *d
	c.Bundles, c.Tolerated, c.requests = slices.Clone(d.Bundles), slices.Clone(d.Tolerated), slices.Clone(d.requests)
	c.Files, c.Promises = slices.Clone(d.Files), slices.Clone(d.Promises)
	c.Versions, c.Moves = slices.Clone(d.Versions), slices.Clone(d.Moves)
	c.With, c.Consents = slices.Clone(d.With), slices.Clone(d.Consents)
	c.Record = proto.CloneOf(d.Record)
	return &c
}
