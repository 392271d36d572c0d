// Package fold folds the streams of applications: it says what an application was at a version, from the public parts of
// its events, and remembers what it folded last. Views and followers share it.
package fold

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// prefix is what the names of applications' streams begin with.
const prefix = "application/"

// maxHeld is how many states are held in memory.
const maxHeld = 4096

// Stream returns the stream of an application.
func Stream(id string) string { return prefix + id }

// ID returns the application whose stream it is; false if it is another kind of stream.
func ID(stream string) (string, bool) { return strings.CutPrefix(stream, prefix) }

// Decode returns the public part of an event. With an error it returns an event that says nothing, so that whoever folds
// can go on.
func Decode(e *commitlog.Event) (*applicationv1.Event, error) {
	event := &applicationv1.Event{}
	if err := proto.Unmarshal(e.Public, event); err != nil {
		return &applicationv1.Event{}, fmt.Errorf("decode event %d: %w", e.Version, err)
	}
	return event, nil
}

// States are the states of applications. They are safe for concurrent use.
type States struct {
	log commitlog.Log

	mu   sync.Mutex
	held map[string]application.State
}

// New returns the states of the applications of a log.
func New(log commitlog.Log) *States {
	return &States{log: log, held: map[string]application.State{}}
}

// At returns the state of an application at a version. An event that cannot be read counts and changes nothing. The error
// is that of the log, and wraps [commitlog.ErrCorrupt] if the stream ends before the version.
func (s *States) At(ctx context.Context, id string, version uint64) (application.State, error) {
	s.mu.Lock()
	state, ok := s.held[id]
	s.mu.Unlock()
	if !ok || uint64(state.Version) > version {
		state = application.State{ID: id}
	}
	if uint64(state.Version) == version {
		return state, nil
	}
	for e, err := range s.log.Read(ctx, Stream(id), uint64(state.Version)) {
		if err != nil {
			return application.State{}, fmt.Errorf("read application %s: %w", id, err)
		}
		if e.Version > version {
			break
		}
		event, _ := Decode(&e) // what cannot be read is reported by who folds the commit
		state = application.Evolve(state, event)
	}
	if uint64(state.Version) != version {
		return application.State{}, fmt.Errorf("read application %s: %w: it ends at version %d, not %d", id, commitlog.ErrCorrupt, state.Version, version)
	}
	s.Keep(state)
	return state, nil
}

// Keep remembers a state that somebody folded.
func (s *States) Keep(state application.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.held[state.ID]
	if ok && before.Version > state.Version {
		return
	}
	if !ok && len(s.held) >= maxHeld {
		for id := range s.held { // any
			delete(s.held, id)
			break
		}
	}
	s.held[state.ID] = state
}
