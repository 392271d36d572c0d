// Package calendars gives the command [application.SettleDates] to every open application when a calendar of working
// days was published, so that dates that were not yet known become known, and those that it moves are moved, also where
// nobody comes with a command.
//
// One commit of the calendar is one piece of work: it asks for the applications that are open at that commit and goes
// through them page by page. The id of a command is made of the version of the calendar, so an application that was done
// before a crash is not done again. An application that is decided after the commit is decided with the calendar
// (the engine sees to that), so it need not be among them.
package calendars

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// pageSize is how many applications are asked for at once.
const pageSize = 500

// Engine takes commands.
type Engine interface {
	// Do gives a command under a request id, and returns when it is committed, or if it caused nothing; the same id again
	// changes nothing. A refused command is a [*refusal.Refusal].
	Do(ctx context.Context, id, requestID string, actor *applicationv1.Actor, command application.Command) error
}

// Applications knows which applications are open.
type Applications interface {
	// Open returns the ids of open applications, at least of those that were open at a position of the log, which it waits
	// for: a page of at most size from a token on, empty for the first one, and the token of the next page, empty if there
	// is none.
	Open(ctx context.Context, position uint64, token string, size int) (ids []string, next string, err error)
}

// Config is what the follower stands on; everything has to be set.
type Config struct {
	Engine       Engine
	Applications Applications
	// Stream is the stream of the calendar.
	Stream string
}

// Handler implements [follow.Handler].
type Handler struct{ Config }

var _ follow.Handler = (*Handler)(nil)

// New returns the handler of a follower that settles dates.
func New(c Config) (*Handler, error) {
	if c.Engine == nil || c.Applications == nil || c.Stream == "" {
		return nil, errors.New("calendars: engine, applications and stream have to be set")
	}
	return &Handler{c}, nil
}

// Digest implements [follow.Handler]: a commit of the calendar is one item. A later one takes the place of one that has
// not been worked yet, since it is the last calendar that counts.
func (h *Handler) Digest(_ context.Context, a commitlog.Append) ([]follow.Item, error) {
	if a.Stream != h.Stream {
		return nil, nil
	}
	return []follow.Item{{Key: a.Stream, Stream: a.Stream, Payload: strconv.AppendUint(nil, a.Last(), 10)}}, nil
}

// Work implements [follow.Handler]. An application for which it fails keeps no other from its dates; the item is then
// tried again as a whole, which changes nothing where it succeeded.
func (h *Handler) Work(ctx context.Context, item follow.Item) error {
	actor := &applicationv1.Actor{Role: applicationv1.Role_ROLE_ENGINE, Id: "calendars"}
	request := "calendar/" + string(item.Payload)
	failed, first := 0, error(nil)
	for token, more := "", true; more; more = token != "" {
		ids, next, err := h.Applications.Open(ctx, item.Position, token, pageSize)
		if err != nil {
			return fmt.Errorf("open applications: %w", err)
		}
		for _, id := range ids {
			err := h.Engine.Do(ctx, id, request, actor, application.SettleDates{})
			if ended := ctx.Err(); ended != nil {
				return ended
			}
			if _, refused := errors.AsType[*refusal.Refusal](err); err == nil || refused {
				continue
			}
			if failed++; first == nil {
				first = fmt.Errorf("application %s: %w", id, err)
			}
		}
		token = next
	}
	if failed > 0 {
		return fmt.Errorf("%d applications keep their dates, the first because of: %w", failed, first)
	}
	return nil
}
