package view

import (
	"context"
	"fmt"
	"sync"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
)

// streamPrefix is what the names of applications' streams begin with.
const streamPrefix = "application/"

// maxStates is how many states are held in memory.
const maxStates = 4096

// states folds applications' streams, and remembers what it folded last.
type states struct {
	log commitlog.Log

	mu   sync.Mutex
	held map[string]held
}

type held struct {
	version uint64
	state   application.State
}

func newStates(log commitlog.Log) *states { return &states{log: log, held: map[string]held{}} }

// at returns the state of an application at a version.
func (s *states) at(ctx context.Context, id string, version uint64) (application.State, error) {
	s.mu.Lock()
	from := s.held[id]
	s.mu.Unlock()
	if from.version == 0 || from.version > version {
		from = held{state: application.State{ID: id}}
	}
	if from.version == version {
		return from.state, nil
	}
	for e, err := range s.log.Read(ctx, streamPrefix+id, from.version) {
		if err != nil {
			return application.State{}, fmt.Errorf("read application %s: %w", id, err)
		}
		if e.Version > version {
			break
		}
		event, _ := decode(&e) // what cannot be read was reported when it was folded
		from.state = application.Evolve(from.state, event)
		from.version = e.Version
	}
	if from.version != version {
		return application.State{}, fmt.Errorf("read application %s: %w: it ends at version %d, not %d", id, commitlog.ErrCorrupt, from.version, version)
	}
	s.keep(id, version, from.state)
	return from.state, nil
}

// keep remembers a state.
func (s *states) keep(id string, version uint64, state application.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.held[id]; !ok && len(s.held) >= maxStates {
		for other := range s.held { // any
			delete(s.held, other)
			break
		}
	}
	if s.held[id].version <= version {
		s.held[id] = held{version: version, state: state}
	}
}
