package engine

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/seal"
)

// Search runs what is searched for callers.
func Search(e *Engine, ctx context.Context, f func() error) error { //nolint:revive // as the method has them
	return e.search(ctx, f)
}

// RequestDigest is the digest that is kept of a request.
func RequestDigest(keys *seal.Store, r Request) ([]byte, error) {
	return (&Engine{cfg: Config{Keys: keys}}).requestDigest(r)
}

// AssessAnew is what [Engine.Assess] comes to of answers, worked out from nothing.
func AssessAnew(e *Engine, ids []string, place string, answers map[string]*structpb.Value) (*Assessed, error) {
	if len(ids) == 0 {
		for _, p := range e.InForce().All(e.Today(), place) {
			ids = append(ids, p.ID)
		}
	}
	selection, err := e.InForce().Select(ids, e.Today(), place)
	if err != nil {
		return nil, err
	}
	return e.assess(selection, answers, e.setting(place, nil)), nil
}

// HeldSessions are the sessions of which the guide holds something, and their weight.
func HeldSessions(e *Engine) (ids []string, weight int) {
	e.sessions.mu.Lock()
	defer e.sessions.mu.Unlock()
	return slices.Sorted(maps.Keys(e.sessions.known)), e.sessions.held
}

// MaxSessions bounds the weight of sessions.
const MaxSessions = maxSessions
