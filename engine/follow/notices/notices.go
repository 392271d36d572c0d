// Package notices is the follower that tells applicants, clerks and officers what has happened to an application.
//
// A commit becomes notices, one for each of those who are to be told and each way by which they are; a notice has an id
// that is made of its event and never changes, so that sending at least once does no harm. What it says is made when it is
// sent, by a template over facts that are nobody's, and over name and telephone of the applicant only where the template
// names them. Neither a text nor an address is ever stored or logged.
//
// The list of notices is a store of its own beside the follower's list of work: it says what was sent, what waits, and
// what has failed until an operator repeats it. It begins with the moment at which it is made: nobody is told what
// happened before.
package notices

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// MaxAge is how old what happened may be to be told: after a log was restored it is read from its beginning.
const MaxAge = 30 * 24 * time.Hour

// backoff is how long to wait after each attempt, as the Standard Webhooks recommend: the last attempt is a little more
// than three days after the first.
var backoff = [...]time.Duration{ //nolint:gochecknoglobals // a constant table
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// Application is an application as it was after an event.
type Application struct {
	State     application.State
	Event     *applicationv1.Event
	Selection *catalog.Selection
	Record    forms.Record // the current revision
}

// Engine knows the applications.
type Engine interface {
	// Open returns an application as it was after its event of a version; nil if there is nothing to tell any more, as its
	// key was destroyed, or its log was restored without the event.
	Open(ctx context.Context, id string, version uint64) (*Application, error)
}

// Route says how somebody is told.
type Route struct {
	By []string // names of senders; empty: not told
	To []string // addresses of an office's mail
}

// Routes say how everybody is told.
type Routes struct {
	Applicants  Route            // addresses come from the record
	Clerks      Route            // of the office
	Departments map[string]Route // officers, by department
	Officers    Route            // of every other department
}

// officers is the route of a department's.
func (r Routes) officers(department string) Route {
	if own, ok := r.Departments[department]; ok {
		return own
	}
	return r.Officers
}

// Config is what the follower stands on; everything has to be set.
type Config struct {
	Engine    Engine
	States    *fold.States // of the log that is followed
	List      *List
	Templates *Templates
	Senders   map[string]Sender
	Routes    Routes
	Now       func() time.Time
	Logger    *slog.Logger
}

// Handler implements [follow.Handler].
type Handler struct{ Config }

var _ follow.Handler = (*Handler)(nil)

// New returns the handler of a follower that sends notices. A route by a sender that is not there is an error.
func New(c Config) (*Handler, error) {
	if c.Engine == nil || c.States == nil || c.List == nil || c.Templates == nil || c.Now == nil || c.Logger == nil {
		return nil, errors.New("notices: engine, states, list, templates, clock and logger have to be set")
	}
	for _, route := range c.Routes.all() {
		for _, by := range route.By {
			if c.Senders[by] == nil {
				return nil, fmt.Errorf("notices: nothing says how to send by %s", by)
			}
		}
	}
	return &Handler{c}, nil
}

func (r Routes) all() []Route {
	routes := []Route{r.Applicants, r.Clerks, r.Officers}
	for _, own := range r.Departments {
		routes = append(routes, own)
	}
	return routes
}

// Digest implements [follow.Handler]: it puts the notices of an append on the list, where they are seen, and the work of
// sending them on the follower's. What is on the list already stays as it is.
func (h *Handler) Digest(ctx context.Context, a commitlog.Append) ([]follow.Item, error) {
	id, ok := fold.ID(a.Stream)
	if !ok {
		return nil, nil
	}
	oldest := h.Now().Add(-MaxAge)
	if begun := h.List.Begun(); begun.After(oldest) {
		oldest = begun
	}
	events := make([]*applicationv1.Event, len(a.Events))
	recent := false
	for i := range a.Events {
		var err error
		if events[i], err = fold.Decode(&a.Events[i]); err != nil {
			return nil, err
		}
		recent = recent || !events[i].GetAt().AsTime().Before(oldest)
	}
	if !recent { // most of a log that is read again
		return nil, nil
	}
	before, err := h.States.At(ctx, id, a.Expected)
	if err != nil {
		return nil, err
	}
	told, after := occasions(before, events)
	h.States.Keep(after)
	var wanted []Notice
	for _, o := range told {
		wanted = append(wanted, h.notices(after, o)...)
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	kept, err := h.List.put(ctx, wanted)
	if err != nil {
		return nil, err
	}
	var items []follow.Item
	for _, n := range kept {
		if n.State == Pending {
			items = append(items, follow.Item{Key: n.ID, Stream: a.Stream, Lane: n.By})
		}
	}
	return items, nil
}

// notices are those of an occasion: one for each way, and each of those who have applied together.
func (h *Handler) notices(s application.State, o occasion) []Notice {
	if !h.Templates.sends(o.kind, o.to) {
		return nil
	}
	aliases, route := []string{""}, h.Routes.Applicants
	switch o.to {
	case Applicant:
		if len(s.Confirmed) > 0 {
			aliases = s.Confirmed
		}
	case Clerk:
		route = h.Routes.Clerks
	case Officer:
		route = h.Routes.officers(o.department)
	}
	var all []Notice
	for _, by := range route.By {
		for _, alias := range aliases {
			n := Notice{Kind: o.kind, To: o.to, Department: o.department, Alias: alias, By: by, Application: s.ID, Number: s.Number, Version: o.version,
				Bundle: o.bundle, Task: o.task, At: o.at, State: Pending, Next: h.Now()}
			n.ID = n.id()
			all = append(all, n)
		}
	}
	return all
}

// id is made of what the notice is about. The time stands in front, so that ids sort by it.
func (n *Notice) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %q %q %q %q %q %q %q", n.Application, n.Version, n.At.UnixNano(), n.Kind, n.To, n.Department, n.Alias, n.Bundle, n.Task, n.By))
	return fmt.Sprintf("%012x%s", max(n.At.UnixMilli(), 0), hex.EncodeToString(sum[:10]))
}

// Work implements [follow.Handler]: it sends a notice, and keeps what has become of it.
func (h *Handler) Work(ctx context.Context, item follow.Item) error {
	n, ok, err := h.List.Get(item.Key)
	if err != nil || !ok || n.State == Sent {
		return err
	}
	a, err := h.Engine.Open(ctx, n.Application, n.Version)
	if err != nil {
		return err
	}
	if a == nil || !a.Event.GetAt().AsTime().Equal(n.At) {
		return h.List.remove(ctx, n.ID)
	}
	failed := h.send(ctx, a, n)
	if err := ctx.Err(); err != nil {
		return err
	}
	var later *follow.Later
	err = h.List.change(ctx, n.ID, func(n *Notice) {
		now := h.Now()
		n.Attempts, n.Last, n.Next, n.Failure = n.Attempts+1, now, time.Time{}, ""
		switch {
		case failed == nil:
			n.State = Sent
			return
		case failed.Permanent || item.Attempt > len(backoff):
			n.State = Failed
		default:
			n.State = Pending
			n.Next = now.Add(max(backoff[max(item.Attempt, 1)-1], min(failed.After, backoff[len(backoff)-1])))
			later = &follow.Later{At: n.Next, Err: failed}
		}
		n.Failure = failed.Code
	})
	switch {
	case err != nil:
		return err
	case later != nil:
		return later
	case failed != nil:
		h.Logger.Error("notice failed, and waits for an operator to repeat it", "notice", n.ID, "kind", n.Kind, "by", n.By, "error", failed)
	}
	return nil
}

// send composes and sends a notice; nil: it was taken.
func (h *Handler) send(ctx context.Context, a *Application, n Notice) *Failure {
	m, failed := h.compose(a, n)
	if failed != nil {
		return failed
	}
	sender := h.Senders[n.By]
	if sender == nil { // of an earlier configuration
		return &Failure{Code: "no sender", Permanent: true}
	}
	err := sender.Send(ctx, m)
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*Failure](err); ok {
		return failed
	}
	return &Failure{Code: "unknown failure"} // its words may be somebody's
}

// Repeat lets a notice that has failed, or waits, be tried at once, on the list of a follower of this handler. by is who
// wants it. The error is [ErrNotFound] or [ErrSent], or that of the lists.
func (h *Handler) Repeat(ctx context.Context, again *follow.Follower, id, by string) (Notice, error) {
	return h.List.repeat(id, func(n *Notice) error {
		n.State, n.Next, n.RepeatedBy, n.Repeats = Pending, h.Now(), by, n.Repeats+1
		return again.Add(ctx, follow.Item{Key: n.ID, Stream: fold.Stream(n.Application), Lane: n.By, Payload: strconv.AppendInt(nil, int64(n.Repeats), 10)})
	})
}

// Desk is a handler with the follower that runs it: what an operator sees of notices, and can do.
type Desk struct {
	*Handler
	Follower *follow.Follower
}

// Repeat is as [Handler.Repeat].
func (d Desk) Repeat(ctx context.Context, id, by string) (Notice, error) {
	return d.Handler.Repeat(ctx, d.Follower, id, by)
}
