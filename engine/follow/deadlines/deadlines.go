// Package deadlines gives the command [application.Lapse] when a date of an application has passed.
//
// The law does not wait for this follower: every decision settles first what has lapsed. It sees to it that what has
// lapsed is recorded, and what follows from it begins, also where nobody comes with a command. The id of its command is
// made of the time and the version of the application, so a repeat changes nothing.
package deadlines

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Engine takes commands.
type Engine interface {
	// Do gives a command under a request id, and returns when it is committed, or if it caused nothing; the same id again
	// changes nothing. A refused command is a [*refusal.Refusal].
	Do(ctx context.Context, id, requestID string, actor *applicationv1.Actor, command application.Command) error
}

// Config is what the follower stands on; everything has to be set.
type Config struct {
	Engine Engine
	// States folds the log that is followed.
	States *fold.States
	// Location is the office's time zone, in which days end.
	Location *time.Location
}

// Handler implements [follow.Handler].
type Handler struct{ Config }

var _ follow.Handler = (*Handler)(nil)

// New returns the handler of a follower that fires deadlines.
func New(c Config) (*Handler, error) {
	if c.Engine == nil || c.States == nil || c.Location == nil {
		return nil, errors.New("deadlines: engine, states and time zone have to be set")
	}
	return &Handler{c}, nil
}

// Digest implements [follow.Handler]: an application has one item, which is due when its next date has passed.
func (h *Handler) Digest(ctx context.Context, a commitlog.Append) ([]follow.Item, error) {
	id, ok := fold.ID(a.Stream)
	if !ok {
		return nil, nil
	}
	state, err := h.States.At(ctx, id, a.Last())
	if err != nil {
		return nil, err
	}
	due, ok := state.NextLapse(h.Location)
	if !ok {
		return []follow.Item{{Key: id, Cancel: true}}, nil
	}
	return []follow.Item{{Key: id, Stream: a.Stream, Due: due, Payload: fmt.Appendf(nil, "%d/%d", due.Unix(), state.Version)}}, nil
}

// Work implements [follow.Handler].
func (h *Handler) Work(ctx context.Context, item follow.Item) error {
	id, _ := fold.ID(item.Stream)
	actor := &applicationv1.Actor{Role: applicationv1.Role_ROLE_ENGINE, Id: "deadlines"}
	err := h.Engine.Do(ctx, id, "deadline/"+string(item.Payload), actor, application.Lapse{})
	if _, ok := errors.AsType[*refusal.Refusal](err); ok {
		return nil // nothing that could lapse
	}
	return err
}
