package view

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/seal"
)

const (
	// DefaultLimit is how long [Views.Wait] waits.
	DefaultLimit = 2 * time.Second
	// maxBatch is how many commits are folded in one transaction, if so many have gathered.
	maxBatch = 256
)

var (
	// ErrBehind is returned by [Views.Wait] if the view has not come so far in time; it is a [BehindError].
	ErrBehind = errors.New("view: behind")
	// ErrNotFound is returned for a number or an application that does not exist.
	ErrNotFound = errors.New("view: not found")
	// ErrInvalid is returned for a page that cannot be asked for.
	ErrInvalid = errors.New("view: invalid page")
)

// BehindError says where a view stands.
type BehindError struct{ Have, Want uint64 }

// Error says it.
func (e *BehindError) Error() string {
	return fmt.Sprintf("%v: at position %d, asked for %d", ErrBehind, e.Have, e.Want)
}

// Unwrap returns [ErrBehind].
func (e *BehindError) Unwrap() error { return ErrBehind }

// Config says what a view reads and where it lies. Dir, Log, Keys and Logger have to be set.
type Config struct {
	// Dir is the folder of the view, made if it does not exist. It holds nothing else, and one process opens it at a time.
	Dir string
	// Log is what is projected.
	Log commitlog.Log
	// Keys opens the personal part of submissions, for the digests of persons.
	Keys *seal.Store
	// Limit is how long Wait waits; zero is [DefaultLimit].
	Limit time.Duration
	// ReadOnly opens views that have to be there and were closed, and changes nothing in them; they are not run.
	ReadOnly bool
	// Logger is told what operators should know.
	Logger *slog.Logger
	// Space is how much room is left on the disk; the zero one keeps half of [durable.DefaultMinFree], so that what was
	// committed before the log refuses more is still shown. Below that the views wait.
	Space durable.Space
}

// Views are the read models. They are safe for concurrent use.
type Views struct {
	config Config
	db     *badgerdb.DB
	states *fold.States
	run    sync.Mutex // held by Run

	mu       sync.Mutex
	position uint64
	advanced chan struct{} // closed and replaced when position grows
	watched  map[string]*watch
}

// watch is who waits for changes of one application.
type watch struct {
	changed chan struct{}
	waiting int
}

// Open opens the views in a folder. They answer what they hold; [Views.Run] keeps them up with the log.
func Open(c Config) (*Views, error) {
	if c.Log == nil || c.Keys == nil || c.Limit < 0 {
		return nil, errors.New("open views: log and keys have to be set")
	}
	if c.Limit == 0 {
		c.Limit = DefaultLimit
	}
	if c.Space.MinFree == 0 {
		c.Space.MinFree = durable.DefaultMinFree / 2
	}
	db, err := badgerdb.Open(badgerdb.Config{Dir: c.Dir, ReadOnly: c.ReadOnly, Sync: true, Logger: c.Logger, Space: c.Space})
	if err != nil {
		return nil, fmt.Errorf("open views %s: %w", c.Dir, err)
	}
	v := &Views{config: c, db: db, states: fold.New(c.Log), advanced: make(chan struct{}), watched: map[string]*watch{}}
	at, err := v.cursor()
	if err == nil && at.format != 0 && at.format != format && !c.ReadOnly {
		// Made by another version of the program: it is made again.
		at, err = cursor{}, db.Clear()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open views %s: %w", c.Dir, err), db.Close())
	}
	v.position = at.Position
	return v, nil
}

// Close closes the store. Run has to have returned.
func (v *Views) Close() error {
	if err := v.db.Close(); err != nil {
		return fmt.Errorf("close views: %w", err)
	}
	return nil
}

// Run follows the log until ctx ends, and returns its error, or that of the log or the store. A view that is of another
// log, or of one that was restored since, is emptied and made again.
func (v *Views) Run(ctx context.Context) error {
	err := v.follow(ctx, math.MaxUint64)
	return fmt.Errorf("views: %w", err)
}

// Rebuild makes the views anew in another folder, which is emptied, up to where these stand, and returns them; these
// answer meanwhile. The caller runs the new ones and closes the old ones.
func (v *Views) Rebuild(ctx context.Context, dir string) (*Views, error) {
	c := v.config
	c.Dir, c.ReadOnly = dir, false
	fresh, err := Open(c)
	if err != nil {
		return nil, fmt.Errorf("rebuild: %w", err)
	}
	err = fresh.reset(ctx)
	if err == nil {
		err = fresh.Until(ctx, v.Position())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rebuild views in %s: %w", dir, err), fresh.Close())
	}
	return fresh, nil
}

// Until follows the log up to a position, exactly, and returns.
func (v *Views) Until(ctx context.Context, position uint64) error {
	if v.Position() >= position {
		return nil
	}
	return v.follow(ctx, position)
}

// follow folds what the log holds, as it comes, up to a position.
func (v *Views) follow(ctx context.Context, upto uint64) error {
	if !v.run.TryLock() {
		return errors.New("already running")
	}
	defer v.run.Unlock()
	for {
		err := v.batches(ctx, upto)
		if !errors.Is(err, commitlog.ErrOtherLog) && !errors.Is(err, commitlog.ErrAhead) {
			return err
		}
		v.config.Logger.Warn("views are of another log, and are made again", "position", v.Position())
		if err := v.reset(ctx); err != nil {
			return err
		}
	}
}

func (v *Views) batches(ctx context.Context, upto uint64) error {
	at, err := v.cursor()
	if err != nil {
		return err
	}
	for batch, err := range commitlog.Batches(ctx, v.config.Log, at.Cursor, maxBatch) {
		if err != nil {
			return err
		}
		if over := batch[len(batch)-1].Position; over > upto {
			batch = batch[:len(batch)-int(over-upto)] // positions are dense
		}
		if err := v.project(ctx, batch); err != nil {
			return err
		}
		if batch[len(batch)-1].Position == upto {
			return nil
		}
	}
	return nil
}

// withRoom writes, and waits while there is too little room to.
func (v *Views) withRoom(ctx context.Context, write func() error) error {
	for {
		err := write()
		if !errors.Is(err, durable.ErrNoSpace) {
			return err
		}
		v.config.Logger.Error("views wait for room on the disk", "error", err)
		if err := v.db.WaitForRoom(ctx); err != nil {
			return err
		}
	}
}

// reset empties the store.
func (v *Views) reset(ctx context.Context) error {
	if err := v.withRoom(ctx, v.db.Clear); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.position = 0
	return nil
}

// Position returns the position of the last commit that the views show.
func (v *Views) Position() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.position
}

// Wait returns when the views show the commit at a position. The error is a [BehindError] if that takes longer than the
// limit, and that of ctx if it ends first.
func (v *Views) Wait(ctx context.Context, position uint64) error {
	limit, cancel := context.WithTimeout(ctx, v.config.Limit)
	defer cancel()
	for {
		v.mu.Lock()
		have, advanced := v.position, v.advanced
		v.mu.Unlock()
		if have >= position {
			return nil
		}
		select {
		case <-advanced:
		case <-limit.Done():
			if err := ctx.Err(); err != nil {
				return err
			}
			return &BehindError{Have: have, Want: position}
		}
	}
}

// Changed returns the position of the last commit of an application as soon as that is later than a position. The error
// is that of ctx, or of the store.
func (v *Views) Changed(ctx context.Context, application string, after uint64) (uint64, error) {
	w := v.watch(application)
	defer func() { v.unwatch(application, w) }()
	for {
		e, err := v.entry(application)
		if err != nil {
			return 0, fmt.Errorf("watch %s: %w", application, err)
		}
		if e.Last > after {
			return e.Last, nil
		}
		select {
		case <-w.changed:
			v.unwatch(application, w)
			w = v.watch(application)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (v *Views) watch(application string) *watch {
	v.mu.Lock()
	defer v.mu.Unlock()
	w := v.watched[application]
	if w == nil {
		w = &watch{changed: make(chan struct{})}
		v.watched[application] = w
	}
	w.waiting++
	return w
}

func (v *Views) unwatch(application string, w *watch) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w.waiting--; w.waiting == 0 && v.watched[application] == w {
		delete(v.watched, application)
	}
}

// publish tells everyone who waits that the views have come to a position, and which applications changed.
func (v *Views) publish(position uint64, changed map[string]*folded) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.position = position
	close(v.advanced)
	v.advanced = make(chan struct{})
	for application := range changed {
		if w := v.watched[application]; w != nil {
			close(w.changed)
			delete(v.watched, application)
		}
	}
}
