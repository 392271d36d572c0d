package engine

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/engine/seal"
	keyvaluev1 "github.com/siyiban/onething/proto/gen/onething/keyvalue/v1"
)

// departments are the departments' stores, as far as this process has read them.
type departments struct {
	mu sync.Mutex
	by map[string]*department
}

type department struct {
	// writing is held from the decision over what a call wrote to its commit, so that the calls of one department wait for
	// each other here rather than find out at the log; the stream's version holds beyond this process.
	writing sync.Mutex
	mu      sync.Mutex // guards what follows
	state   keyvalue.State
}

func (d *departments) of(id string) *department {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by == nil {
		d.by = map[string]*department{}
	}
	if d.by[id] == nil {
		d.by[id] = &department{}
	}
	return d.by[id]
}

// Store returns what a department's plugins have stored, with everything that is committed now.
func (e *Engine) Store(ctx context.Context, departmentID string) (keyvalue.State, error) {
	d := e.departments.of(departmentID)
	d.mu.Lock()
	defer d.mu.Unlock()
	stream := keyvalue.Stream(departmentID)
	for event, err := range e.cfg.Log.Read(ctx, stream, d.state.Version()) {
		if err != nil {
			return keyvalue.State{}, fmt.Errorf("read %s: %w", stream, err)
		}
		content, err := e.cfg.Keys.OpenEvent(ctx, seal.KeyID(event.Key), seal.Place{Stream: stream, Version: event.Version, Type: event.Type}, event.Personal, event.Commitment)
		if err != nil {
			return keyvalue.State{}, fmt.Errorf("open %s, version %d: %w", stream, event.Version, err)
		}
		written := &keyvaluev1.Written{}
		if err := proto.Unmarshal(content, written); err != nil {
			return keyvalue.State{}, fmt.Errorf("read %s, version %d: %w", stream, event.Version, err)
		}
		d.state = keyvalue.Evolve(d.state, written)
	}
	return d.state, nil
}

// write returns the append of what a call wrote into its department's store, and holds the store until done is called, when
// the append is committed or given up. Nothing written is no append. The error wraps [keyvalue.ErrChanged] if the call has
// to be asked again.
func (e *Engine) write(ctx context.Context, c Call) (appends []commitlog.Append, done func(), err error) {
	if c.Writes == nil || len(c.Writes.Written) == 0 {
		return nil, func() {}, nil
	}
	d := e.departments.of(c.Writes.Department)
	d.writing.Lock()
	defer func() {
		if err != nil {
			d.writing.Unlock()
		}
	}()
	state, err := e.Store(ctx, c.Writes.Department)
	if err != nil {
		return nil, nil, err
	}
	public, personal, err := keyvalue.Decide(state, *c.Writes, keyvalue.World{Now: e.cfg.Now(), Actor: c.Actor, Application: c.Application})
	if err != nil {
		return nil, nil, err
	}
	key, stream := keyvalue.Key(c.Writes.Department), keyvalue.Stream(c.Writes.Department)
	if state.Version() == 0 {
		if err := e.cfg.Keys.Create(ctx, key); err != nil {
			return nil, nil, err
		}
	}
	stored, err := e.sealed(ctx, key, seal.Place{Stream: stream, Version: state.Version() + 1, Type: keyvalue.EventType}, public, personal)
	if err != nil {
		return nil, nil, err
	}
	return []commitlog.Append{{Stream: stream, Expected: state.Version(), Events: []commitlog.Event{stored}}}, d.writing.Unlock, nil
}

// sealed returns an event with its personal part sealed for its place.
func (e *Engine) sealed(ctx context.Context, key seal.KeyID, at seal.Place, public, personal proto.Message) (commitlog.Event, error) {
	stored, err := commitlog.Public(public)
	if err != nil {
		return stored, err
	}
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(personal)
	if err != nil {
		return stored, fmt.Errorf("marshal personal part: %w", err)
	}
	stored.Version, stored.Key = at.Version, string(key)
	stored.Personal, stored.Commitment, err = e.cfg.Keys.SealEvent(ctx, key, at, content)
	if err != nil {
		return stored, fmt.Errorf("seal event: %w", err)
	}
	return stored, nil
}
