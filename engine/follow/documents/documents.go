// Package documents has the documents (文书) of an application made when something was committed that gives rise to one.
//
// A document is made of events that are there, so that a command that is refused leaves none behind, and nobody waits for
// a PDF who accepts a case. One piece of work makes whatever an application lacks; the id of its command is the version of
// the application, and what was made before a crash is not made again.
package documents

import (
	"context"
	"errors"
	"strconv"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/document"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
)

// Engine makes documents.
type Engine interface {
	// MakeDocuments makes what an application lacks of its documents and returns when that is committed under a request id,
	// or if it lacks none; the same id again changes nothing.
	MakeDocuments(ctx context.Context, id, requestID string) error
}

// Handler implements [follow.Handler].
type Handler struct{ engine Engine }

var _ follow.Handler = (*Handler)(nil)

// New returns the handler of a follower that has documents made.
func New(engine Engine) (*Handler, error) {
	if engine == nil {
		return nil, errors.New("documents: the engine has to be set")
	}
	return &Handler{engine}, nil
}

// Digest implements [follow.Handler]: an application has one item, since the last one makes whatever there is to make.
func (h *Handler) Digest(_ context.Context, a commitlog.Append) ([]follow.Item, error) {
	id, ok := fold.ID(a.Stream)
	if !ok {
		return nil, nil
	}
	for i := range a.Events {
		event, err := fold.Decode(&a.Events[i])
		if err != nil {
			return nil, err
		}
		if document.GivesRise(event) {
			return []follow.Item{{Key: id, Stream: a.Stream, Payload: strconv.AppendUint(nil, a.Last(), 10)}}, nil
		}
	}
	return nil, nil
}

// Work implements [follow.Handler].
func (h *Handler) Work(ctx context.Context, item follow.Item) error {
	id, _ := fold.ID(item.Stream)
	return h.engine.MakeDocuments(ctx, id, "documents/"+string(item.Payload))
}
