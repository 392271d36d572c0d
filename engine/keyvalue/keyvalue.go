// Package keyvalue is what a department's plugins have stored: the state of a stream for each department, of what each of
// their calls wrote. It is pure. Keys and values are sealed with a key of the department, because they can be personal.
//
// What a call wrote holds only if what it had read is still so. Then it becomes part of the commit of what the call
// answered; else the call is asked again. So two calls that both read a number and write it one higher never lose one,
// and two calls that have nothing to do with each other do not get in each other's way.
package keyvalue

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	keyvaluev1 "github.com/siyiban/onething/proto/gen/onething/keyvalue/v1"
)

var (
	// ErrChanged says that what a call had read was changed since: the call has to be asked again.
	ErrChanged = errors.New("keyvalue: what the call had read was changed since")
	// ErrFull says that the store would be larger than [MaxBytes].
	ErrFull = errors.New("keyvalue: the store is full")
)

// MaxBytes is the size of a department's whole store, keys and values.
const MaxBytes = 16 << 20

// EventType is the type of the events in their envelopes.
const EventType = "onething.keyvalue.v1.Event"

// Stream is the stream of a department's store.
func Stream(department string) string { return "keyvalue/" + department }

// Key is the id of the key that seals a department's store.
func Key(department string) seal.KeyID { return seal.KeyID("department/" + department) }

// State is a department's store as its events made it. It is immutable; the zero State is empty.
type State struct {
	tree    *iradix.Tree[entry] // nil: empty
	bytes   int
	version uint64
}

// entry is a value and the version of the store with which it was written.
type entry struct {
	value   []byte
	version uint64
}

// Version is the version of the stream that the state is of.
func (s State) Version() uint64 { return s.version }

// Bytes is the size of all keys and values.
func (s State) Bytes() int { return s.bytes }

// Get returns the value under a key and the version of the stream with which it was written; version 0: there is none. The
// value is not to be changed.
func (s State) Get(key string) ([]byte, uint64) {
	if s.tree == nil {
		return nil, 0
	}
	e, _ := s.tree.Get([]byte(key))
	return e.value, e.version
}

// Keys returns the keys that begin with a prefix, in order, after a key, at most limit.
func (s State) Keys(prefix, after string, limit int) []string {
	if s.tree == nil {
		return nil
	}
	var keys []string
	i := s.tree.Root().Iterator()
	i.SeekLowerBound([]byte(max(prefix, after)))
	for key, _, ok := i.Next(); ok && len(keys) < limit && strings.HasPrefix(string(key), prefix); key, _, ok = i.Next() {
		if string(key) > after {
			keys = append(keys, string(key))
		}
	}
	return keys
}

// Changes are what a call wrote, and what it had read before.
type Changes struct {
	// Department whose store it is.
	Department string
	// Read are the keys that were read, with the version of each value; 0: there was none.
	Read map[string]uint64
	// Listed are the lists that were read.
	Listed []Listed
	// Written are the new values by key; nil: the key was removed. There is at least one.
	Written map[string][]byte
}

// Listed is a list of keys that a call has read: what [State.Keys] had returned.
type Listed struct {
	Prefix, After string
	Limit         int
	Keys          []string
}

// World is everything outside the store that an event of it holds.
type World struct {
	Now         time.Time
	Actor       *applicationv1.Actor
	Application string
}

// Decide returns the event that changes are, with its personal part. The error is [ErrChanged] or [ErrFull].
func Decide(s State, c Changes, w World) (*keyvaluev1.Event, *keyvaluev1.Written, error) {
	for key, version := range c.Read {
		if _, now := s.Get(key); now != version {
			return nil, nil, ErrChanged
		}
	}
	for _, l := range c.Listed {
		if !slices.Equal(s.Keys(l.Prefix, l.After, l.Limit), l.Keys) {
			return nil, nil, ErrChanged
		}
	}
	written := &keyvaluev1.Written{}
	for _, key := range slices.Sorted(maps.Keys(c.Written)) {
		if value := c.Written[key]; value != nil {
			written.Put = append(written.Put, &keyvaluev1.Entry{Key: key, Value: value})
		} else {
			written.Removed = append(written.Removed, key)
		}
	}
	if after := Evolve(s, written); after.bytes > MaxBytes && after.bytes > s.bytes {
		return nil, nil, ErrFull
	}
	return &keyvaluev1.Event{At: timestamppb.New(w.Now), Actor: w.Actor, Application: w.Application,
		Put: uint32(len(written.Put)), Removed: uint32(len(written.Removed))}, written, nil
}

// Evolve returns the store after an event, of which it needs the personal part. It is total.
func Evolve(s State, w *keyvaluev1.Written) State {
	s.version++
	if s.tree == nil {
		s.tree = iradix.New[entry]()
	}
	txn := s.tree.Txn()
	for _, e := range w.GetPut() {
		if old, there := txn.Insert([]byte(e.GetKey()), entry{e.GetValue(), s.version}); there {
			s.bytes -= len(e.GetKey()) + len(old.value)
		}
		s.bytes += len(e.GetKey()) + len(e.GetValue())
	}
	for _, key := range w.GetRemoved() {
		if old, there := txn.Delete([]byte(key)); there {
			s.bytes -= len(key) + len(old.value)
		}
	}
	s.tree = txn.Commit()
	return s
}
