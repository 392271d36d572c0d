package view

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// format is that of the store. It changes with what is stored and with what is projected, and then the views are made
// again.
const format = 4

// Prefixes of the keys; the package comment says what stands under each.
const (
	cursorPrefix = 'z'
	entryPrefix  = 'a'
	listPrefix   = 'l'
)

// cursor is how far the views have come.
type cursor struct {
	format byte
	commitlog.Cursor
}

// entry is what the store holds of an application beside its places in lists.
type entry struct {
	Version     uint64   // of the stream
	First, Last uint64   // positions of its first and last commit
	Filer       string   // digest of who filed it
	Persons     []string // digests of whose application it is
	Keys        [][]byte // of its places in lists
}

// folded is an application in the course of a batch.
type folded struct {
	entry
	state application.State
}

// project folds commits, which follow on what was folded before.
func (v *Views) project(ctx context.Context, batch []commitlog.Commit) error {
	changed := map[string]*folded{}
	for _, c := range batch {
		for _, a := range c.Appends {
			id, ok := fold.ID(a.Stream)
			if !ok {
				continue
			}
			f := changed[id]
			if f == nil {
				var err error
				if f, err = v.folded(ctx, id, a.Expected); err != nil {
					return err
				}
				changed[id] = f
			}
			if f.First == 0 {
				f.First = c.Position
			}
			f.Last = c.Position
			for i := range a.Events {
				if err := v.evolve(ctx, f, a.Stream, &a.Events[i]); err != nil {
					return err
				}
			}
		}
	}
	last := batch[len(batch)-1]
	at := cursor{format: format, Cursor: commitlog.Cursor{Epoch: last.Epoch, Position: last.Position}}
	err := v.withRoom(ctx, func() error {
		return v.db.Update(func(txn *badger.Txn) error { return store(txn, changed, at) })
	})
	if errors.Is(err, badger.ErrTxnTooBig) && len(batch) > 1 {
		half := len(batch) / 2
		if err := v.project(ctx, batch[:half]); err != nil {
			return err
		}
		return v.project(ctx, batch[half:])
	}
	if err != nil {
		return fmt.Errorf("fold commits %d to %d: %w", batch[0].Position, last.Position, err)
	}
	for _, f := range changed {
		v.states.Keep(f.state)
	}
	v.publish(last.Position, changed)
	return nil
}

// folded returns an application as it was at a version.
func (v *Views) folded(ctx context.Context, id string, version uint64) (*folded, error) {
	e, err := v.entry(id)
	if err != nil {
		return nil, err
	}
	state, err := v.states.At(ctx, id, version)
	if err != nil {
		return nil, err
	}
	return &folded{entry: e, state: state}, nil
}

// evolve adds an event. One that cannot be read changes nothing but the version: a view does not stop.
func (v *Views) evolve(ctx context.Context, f *folded, stream string, e *commitlog.Event) error {
	f.Version = e.Version
	event, err := fold.Decode(e)
	if err != nil {
		v.config.Logger.Error("event cannot be read", "stream", stream, "version", e.Version, "error", err)
	}
	f.state = application.Evolve(f.state, event)
	if event.GetSubmitted() == nil && event.GetCorrected() == nil && event.GetMoved() == nil || e.Key == "" {
		return nil
	}
	content, err := v.config.Keys.OpenEvent(ctx, seal.KeyID(e.Key), seal.Place{Stream: stream, Version: e.Version, Type: e.Type}, e.Personal, e.Commitment)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var personal applicationv1.Personal
	if err == nil && proto.Unmarshal(content, &personal) != nil {
		err = errors.New("no personal part") // the cause may quote it
	}
	if err != nil {
		if !errors.Is(err, seal.ErrNoKey) { // else it is forgotten
			v.config.Logger.Error("personal part cannot be read", "stream", stream, "version", e.Version, "error", err)
		}
		return nil // a view does not stop
	}
	if event.GetSubmitted() != nil {
		f.Filer = personal.GetActor()
	}
	if len(personal.GetPersons()) > 0 {
		f.Persons = slices.Compact(slices.Sorted(maps.Values(personal.GetPersons())))
	}
	return nil
}

// store replaces the entries of applications.
func store(txn *badger.Txn, changed map[string]*folded, at cursor) error {
	for id, f := range changed {
		keys := f.keys(id)
		for _, key := range f.Keys {
			if !slices.ContainsFunc(keys, func(k []byte) bool { return string(k) == string(key) }) {
				if err := txn.Delete(key); err != nil {
					return err
				}
			}
		}
		f.Keys = keys
		for _, key := range keys {
			if err := txn.Set(key, nil); err != nil {
				return err
			}
		}
		value, err := json.Marshal(f.entry)
		if err != nil {
			return err
		}
		if err := txn.Set(entryKey(id), value); err != nil {
			return err
		}
	}
	b := binary.BigEndian.AppendUint64([]byte{at.format}, at.Epoch)
	return txn.Set([]byte{cursorPrefix}, binary.BigEndian.AppendUint64(b, at.Position))
}

// keys returns the keys of an application's places, sorted.
func (f *folded) keys(id string) [][]byte {
	var keys [][]byte
	for _, p := range places(f.entry, f.state) {
		key := append(listKey(p.list), p.order...)
		keys = append(keys, append(append(append(append(key, 0), id...), 0), p.item...))
	}
	slices.SortFunc(keys, slices.Compare)
	return slices.CompactFunc(keys, slices.Equal)
}

func (v *Views) cursor() (at cursor, err error) {
	err = v.get([]byte{cursorPrefix}, func(b []byte) error {
		at, err = parseCursor(b)
		return err
	})
	return at, err
}

func parseCursor(b []byte) (cursor, error) {
	if len(b) != 17 {
		return cursor{}, errors.New("damaged cursor")
	}
	return cursor{format: b[0], Cursor: commitlog.Cursor{Epoch: binary.BigEndian.Uint64(b[1:]), Position: binary.BigEndian.Uint64(b[9:])}}, nil
}

// Cursor says up to where the views have come, and in which epoch of the log.
func (v *Views) Cursor() (commitlog.Cursor, error) {
	at, err := v.cursor()
	return at.Cursor, err
}

// entry returns what is held of an application, nothing if it is not known.
func (v *Views) entry(id string) (e entry, err error) {
	err = v.get(entryKey(id), func(b []byte) error { return json.Unmarshal(b, &e) })
	return e, err
}

// get calls f with the value of a key, if there is one.
func (v *Views) get(key []byte, f func([]byte) error) error {
	return v.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return item.Value(f)
	})
}

func entryKey(id string) []byte { return append([]byte{entryPrefix}, id...) }

// listKey is what the keys of a list begin with.
func listKey(list string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{listPrefix}, uint16(len(list))), list...)
}
