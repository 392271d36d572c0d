package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// MaxAttempts is how often a plugin is asked before a person is.
const MaxAttempts = 5

// Caller calls plugins. The answer is of the called hook. The error wraps a [Failure] if the plugin is to blame; any
// other is a failure of ours, which counts as well.
type Caller interface {
	Call(ctx context.Context, plugin string, request *pluginv1.Request) (Answer, error)
}

// Answer is what a plugin answered. All but the Response is there too if it failed.
type Answer struct {
	*pluginv1.Response
	Digest string // of the plugin that answered
	// Rewriter is the version of the host's rewriter under which it ran.
	Rewriter uint32
	// Trace is what it saw through its capabilities: an onething.plugin.v1.Transcript.
	Trace []byte
	// Writes are what it wrote into its department's store; nil: nothing.
	Writes *keyvalue.Changes
	// Lookups are the look-ups of shared data that it made, or wanted to make.
	Lookups []person.Lookup
	// Outside says that it reached a system outside which could act twice if the plugin was asked again.
	Outside bool
}

// Failure says why a plugin did not answer.
type Failure struct {
	Kind string // such as timed_out: public, no text of the plugin
	Err  error
}

// Error returns the kind and the cause.
func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Kind
	}
	return f.Kind + ": " + f.Err.Error()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Application is an application with its sealed parts opened.
type Application struct {
	State      application.State
	Selection  *catalog.Selection
	Record     forms.Record                         // the current revision
	Results    map[string]map[forms.Path]kind.Value // by bundle and results.<step>.<field>
	Assessment *guide.Assessment                    // of the record, for derived values
	Forgotten  bool                                 // its key was destroyed
}

// Engine knows the applications and takes commands.
type Engine interface {
	// Open returns an application as it is now.
	Open(ctx context.Context, id string) (*Application, error)
	// Record gives a command under a request id, and returns when it is committed, with what the plugin wrote into its
	// department's store in the same commit; the same id again changes nothing. A refused command is a [*refusal.Refusal]; the
	// error wraps [keyvalue.ErrChanged] if the plugin has to be asked again.
	Record(ctx context.Context, id, requestID string, actor *applicationv1.Actor, command application.Command, writes *keyvalue.Changes) error
	// RecordLookups records look-ups of shared data that a plugin made for an application.
	RecordLookups(ctx context.Context, a *Application, actor *applicationv1.Actor, hook string, lookups []person.Lookup) error
	// KeepDocument keeps an issued document, sealed, and returns its description with blob and size.
	KeepDocument(ctx context.Context, id string, description *applicationv1.MaterialFile, content []byte) (*applicationv1.MaterialFile, error)
}

// Config is what the follower stands on; everything has to be set.
type Config struct {
	Engine Engine
	Caller Caller
	// States folds the log that is followed.
	States *fold.States
	// Plugin returns the plugin that serves a step of a bundle as it was published; empty if officers do.
	Plugin func(bundleDigest, step string) string
	Logger *slog.Logger
}

// Handler implements [follow.Handler].
type Handler struct{ Config }

var _ follow.Handler = (*Handler)(nil)

// New returns the handler of a follower that runs plugins.
func New(c Config) (*Handler, error) {
	if c.Engine == nil || c.Caller == nil || c.States == nil || c.Plugin == nil || c.Logger == nil {
		return nil, errors.New("steps: engine, caller, states, plugins and logger have to be set")
	}
	return &Handler{c}, nil
}

// work is one call that is wanted: the payload of an item.
type work struct {
	Application string
	Bundle      string
	Step        string
	Task        string // empty: a check
	Hook        string
	Revision    int // of the record
	Attempt     int32
}

// key names the work, whatever the attempt.
func (w work) key() string {
	key := w.Application + "/" + w.Bundle + "/" + w.Step + "/" + w.Hook
	if w.Hook == application.HookRevoke { // of which a step can have several
		key += "/" + w.Task
	}
	return key
}

// request is the id of the command that the work ends in.
func (w work) request() string {
	if w.Task == "" {
		return fmt.Sprintf("%s/%s/%s/%d/%d", w.Hook, w.Bundle, w.Step, w.Revision, w.Attempt)
	}
	return fmt.Sprintf("%s/%s/%d", w.Hook, w.Task, w.Attempt)
}

// wanted returns the calls that a state wants.
func wanted(s application.State) []work {
	var calls []work
	for _, c := range s.Cases {
		if c.State != application.PreReview {
			continue
		}
		for _, k := range c.Checks {
			if !k.Answered {
				calls = append(calls, work{Application: s.ID, Bundle: c.Bundle, Step: k.Step, Hook: application.HookCheck, Revision: c.Revision, Attempt: k.Attempt})
			}
		}
	}
	for _, t := range slices.Concat(s.Tasks, s.FollowUps) {
		if hook, attempt := t.Hook(); hook != "" {
			calls = append(calls, work{Application: s.ID, Bundle: t.Bundle, Step: t.Step, Task: t.Number, Hook: hook, Revision: s.Revision, Attempt: attempt})
		}
	}
	return calls
}

// Digest implements [follow.Handler]: whatever the state wants after the append. What is on the list already stays as it
// is; what is not wanted any more finds that out.
func (h *Handler) Digest(ctx context.Context, a commitlog.Append) ([]follow.Item, error) {
	id, ok := fold.ID(a.Stream)
	if !ok {
		return nil, nil
	}
	state, err := h.States.At(ctx, id, a.Last())
	if err != nil {
		return nil, err
	}
	failures := make([]*applicationv1.Event, 0, len(a.Events))
	for i := range a.Events {
		event, err := fold.Decode(&a.Events[i])
		if err != nil {
			return nil, err
		}
		if event.GetPluginFailed() != nil {
			failures = append(failures, event)
		}
	}
	var items []follow.Item
	for _, w := range wanted(state) {
		item := follow.Item{Key: w.key(), Stream: a.Stream}
		if c := state.Case(w.Bundle); c != nil {
			item.Lane = h.Plugin(c.Digest, w.Step)
		}
		for _, e := range failures {
			if failed := e.GetPluginFailed(); failed.GetHook() == w.Hook && (failed.GetTask() == w.Task) && (w.Task != "" || failed.GetBundle() == w.Bundle && failed.GetStep() == w.Step) {
				item.Due = e.GetAt().AsTime().Add(backoff(failed.GetAttempt()))
			}
		}
		if item.Payload, err = json.Marshal(w); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// backoff is how long to wait after an attempt that failed: 5 and 20 seconds, then 80 and 320.
func backoff(attempt int32) time.Duration {
	return 5 * time.Second << (2 * ((attempt - 1) % MaxAttempts))
}

// maxAsked is how often a plugin is asked again at once because somebody else changed what it had read in its department's
// store. Then the work rests, as after an error.
const maxAsked = 10

// Work implements [follow.Handler]: it calls the plugin, if that is still wanted, and gives the command.
func (h *Handler) Work(ctx context.Context, item follow.Item) error {
	var w work
	if err := json.Unmarshal(item.Payload, &w); err != nil {
		return fmt.Errorf("read work: %w", err)
	}
	for asked := 1; ; asked++ {
		if err := h.work(ctx, w); !errors.Is(err, keyvalue.ErrChanged) || asked == maxAsked {
			return err
		}
	}
}

// work asks the plugin once. The error wraps [keyvalue.ErrChanged] if it has to be asked again.
func (h *Handler) work(ctx context.Context, w work) error {
	a, err := h.Engine.Open(ctx, w.Application)
	if err != nil {
		return err
	}
	if a.Forgotten || !slices.Contains(wanted(a.State), w) {
		return nil
	}
	step, err := find(a, w)
	if err != nil {
		return err
	}
	actor := &applicationv1.Actor{Role: applicationv1.Role_ROLE_PLUGIN, Department: step.Department.ID, Id: step.Plugin}
	command, answer, failed, err := h.ask(ctx, a, w, step, actor)
	if err := errors.Join(ctx.Err(), err); err != nil {
		return err
	}
	actor.Rewriter = answer.Rewriter
	if failed == nil {
		err = h.Engine.Record(ctx, w.Application, w.request(), actor, command, answer.Writes)
		refused, ok := errors.AsType[*refusal.Refusal](err)
		switch {
		case errors.Is(err, keyvalue.ErrChanged) && answer.Outside:
			failed = &Failure{Kind: "store_changed", Err: err}
		case errors.Is(err, keyvalue.ErrFull):
			failed = &Failure{Kind: "store_full", Err: err}
		case !ok:
			return err
		case refused.Reason == refusal.Stale || refused.Reason == refusal.WrongState || refused.Reason == refusal.NotFound:
			return nil // overtaken: the commit that did it has made new work, if any
		default:
			failed = &Failure{Kind: "unfit_answer", Err: refused}
		}
	}
	h.Logger.Warn("plugin did not answer", "application", w.Application, "plugin", step.Plugin, "hook", w.Hook, "attempt", w.Attempt, "error", failed.Error())
	err = h.Engine.Record(ctx, w.Application, w.request(), actor, h.failure(w, failed, answer), nil)
	if _, ok := errors.AsType[*refusal.Refusal](err); ok {
		return nil // overtaken
	}
	return err
}

// failure returns the command that records a failure. A call that may have acted outside is not repeated.
func (h *Handler) failure(w work, f *Failure, answer Answer) application.Command {
	gaveUp := w.Attempt%MaxAttempts == 0 || answer.Outside
	if w.Task == "" {
		return application.RecordCheck{Bundle: w.Bundle, Step: w.Step, Revision: w.Revision, Attempt: w.Attempt, Plugin: answer.Digest, Failure: f.Kind, GaveUp: gaveUp, Outside: answer.Outside}
	}
	return application.RecordFailure{Task: w.Task, Hook: w.Hook, Attempt: w.Attempt, Kind: f.Kind, Plugin: answer.Digest, GaveUp: gaveUp, Outside: answer.Outside}
}

// maxTrace is how large a trace may be to stand in the event; a larger one is a file.
const maxTrace = 128 << 10

// ask calls the plugin and returns the command that its answer is, or why it is none. The error is that of recording
// look-ups, or of keeping a document.
func (h *Handler) ask(ctx context.Context, a *Application, w work, step *catalog.Step, actor *applicationv1.Actor) (application.Command, Answer, *Failure, error) {
	request, err := build(a, w, step)
	if err != nil {
		return nil, Answer{}, &Failure{Kind: "unfit_request", Err: err}, nil
	}
	answer, failed := h.Caller.Call(ctx, step.Plugin, request)
	if len(answer.Lookups) > 0 { // also if the plugin failed, or ctx has ended: the source was asked
		if err := h.Engine.RecordLookups(context.WithoutCancel(ctx), a, actor, w.Hook, answer.Lookups); err != nil {
			return nil, answer, nil, err
		}
	}
	if failed != nil {
		if f, ok := errors.AsType[*Failure](failed); ok {
			return nil, answer, f, nil
		}
		return nil, answer, &Failure{Kind: "unavailable", Err: failed}, nil
	}
	trace := application.Trace{Content: answer.Trace}
	if len(answer.Trace) > maxTrace {
		description := &applicationv1.MaterialFile{Material: "trace/" + w.request(), Name: "trace", MediaType: "application/octet-stream"}
		if trace.File, err = h.Engine.KeepDocument(ctx, w.Application, description, answer.Trace); err != nil {
			return nil, answer, nil, fmt.Errorf("keep trace: %w", err)
		}
		trace.Content = nil
	}
	command, err := read(w, step, answer, trace)
	if err != nil {
		return nil, answer, &Failure{Kind: "unfit_answer", Err: err}, nil
	}
	if issued, ok := command.(application.RecordIssue); ok {
		if issued.Document, err = h.Engine.KeepDocument(ctx, w.Application, issued.Document, answer.GetIssue().GetContent()); err != nil {
			return nil, answer, nil, fmt.Errorf("keep document: %w", err)
		}
		command = issued
	}
	return command, answer, nil, nil
}

// find returns the step of a piece of work, as it was published.
func find(a *Application, w work) (*catalog.Step, error) {
	b := a.Selection.Bundle(w.Bundle)
	if b == nil {
		return nil, fmt.Errorf("bundle %s is not at hand", w.Bundle)
	}
	step := b.Step(w.Step)
	if step == nil || step.Plugin == "" {
		return nil, fmt.Errorf("bundle %s has no step %s with a plugin", w.Bundle, w.Step)
	}
	return step, nil
}
