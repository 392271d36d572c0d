// Package engine ties the house together: one command in, one commit out. It looks a request id up before it
// decides, loads the state, opens what is sealed, asks the pure packages for a decision, seals, and appends.
package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/document"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/forms/kind"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Config is what an engine stands on. Everything is required unless it says otherwise.
type Config struct {
	Log    commitlog.Log
	Keys   *seal.Store
	Blobs  blob.Store
	Drafts *draft.Store
	// BundleDrafts are the versions of bundles that are being written; whoever serves PublishService sets them.
	BundleDrafts *bundledraft.Store
	// Now is the clock. Its location is the office's time zone.
	Now func() time.Time
	// Place is the region of the office, six digits of GB/T 2260.
	Place string
	// Office is the name of the office, as documents have it; empty: 政务服务中心.
	Office string
	// Facts is what is known of persons from elsewhere; nil knows nothing.
	Facts Facts
	// Hooks says which hooks the active plugin with an id offers, by name; nil: none has any.
	Hooks func(plugin string) []string
	// Prefiller asks departments' plugins for proposals; nil: there are none.
	Prefiller Prefiller
	// Plugins knows the files of plugins, and runs them; nil: no plugin can be changed.
	Plugins Plugins
	// Offered are the plugins that a bundle may name beside those that are active.
	Offered map[string]bool
	// Development takes plugins that nobody has signed, and a version again with another content.
	Development bool
	// Compiled is what is compiled already, so that it is not compiled again; nil: nothing is.
	Compiled *catalog.Compiled
	// SecondPerson says which versions of bundles need one before they are in force; zero: none.
	SecondPerson registry.Policy
	// CorrectionDays are the working days that the office gives for a correction; 0: the default of the decision.
	CorrectionDays int
	Logger         *slog.Logger
}

// Facts answers what a source knows about a person or an enterprise. A source that is silent is neither yes nor no.
type Facts interface {
	// Fact returns the value of a fact about whoever has the number, and as of which day it holds; the zero day is now.
	// What is older than the library lets the fact be is not known. known is false if the source is silent. An error
	// counts as silence and is logged, so it holds nothing of the person.
	Fact(ctx context.Context, source, fact, number string) (value kind.Value, asOf kind.Date, known bool, err error)
}

// Engine takes commands and answers with commits. It is safe for concurrent use.
type Engine struct {
	cfg     Config
	inForce atomic.Pointer[registry.InForce]

	// publishing serialises changes of what is in force within this process; the log's versions do it beyond.
	publishing sync.Mutex
	versions   map[string]uint64
	// deciding is held for reading from a decision to its commit, and for writing while a calendar is published.
	deciding sync.RWMutex

	// printer renders documents as PDF; it is made when the first one is.
	printer  func() (*document.Printer, error)
	numbers  serials
	offers   remembered[*offer]
	blanks   remembered[*Assessed]
	sessions sessions
	// departments are the stores that departments' plugins write.
	departments departments
	// searching holds the one search that is under way.
	searching chan struct{}
	// simulating is held while a version is simulated.
	simulating sync.Mutex
}

// Open reads what is in force from the log.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	switch {
	case cfg.Log == nil, cfg.Keys == nil, cfg.Blobs == nil, cfg.Drafts == nil, cfg.Now == nil, cfg.Logger == nil:
		return nil, errors.New("engine: log, keys, blobs, drafts, clock and logger are required")
	case len(cfg.Place) != 6:
		return nil, fmt.Errorf("engine: place %q is no region of six digits", cfg.Place)
	}
	if cfg.Compiled == nil {
		cfg.Compiled = &catalog.Compiled{}
	}
	e := &Engine{cfg: cfg, versions: map[string]uint64{}, searching: make(chan struct{}, 1), printer: sync.OnceValues(document.NewPrinter)}
	var state registry.State
	for _, stream := range registry.Streams() {
		for event, err := range cfg.Log.Read(ctx, stream, 0) {
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", stream, err)
			}
			message := &registryv1.Event{}
			if err := proto.Unmarshal(event.Public, message); err != nil {
				return nil, fmt.Errorf("read %s, version %d: %w", stream, event.Version, err)
			}
			state = registry.Evolve(state, message)
			e.versions[stream] = event.Version
		}
	}
	inForce, err := registry.Compile(state, nil, cfg.Compiled)
	if err != nil {
		return nil, err
	}
	e.inForce.Store(inForce)
	e.numbers.used, e.numbers.reserved = state.Numbers, state.Numbers
	return e, nil
}

// InForce returns what is in force now.
func (e *Engine) InForce() *registry.InForce { return e.inForce.Load() }

// Now returns the engine's time, in the office's time zone.
func (e *Engine) Now() time.Time { return e.cfg.Now() }

// Today returns the day on which something that happens now is received.
func (e *Engine) Today() kind.Date { return kind.DateOf(e.cfg.Now()) }

// Place returns the region of the office.
func (e *Engine) Place() string { return e.cfg.Place }

// Publication is what a change of what is in force came to.
type Publication struct {
	Position uint64 // of the commit; 0: nothing changed
	// Event is the last one of the commit on the stream of the last command; nil: nothing changed there.
	Event *registryv1.Event
}

// Publish changes what is in force: all of the commands in one commit, or none. What changes nothing commits nothing.
// A request id under which a change was committed before changes nothing and returns what it came to then; with other
// commands it is refused with [commitlog.ErrRequestReused]. Findings come back as a diag.List.
func (e *Engine) Publish(ctx context.Context, requestID, actor string, commands ...registry.Command) (*Publication, error) {
	digest, err := e.publishDigest(commands)
	if err != nil {
		return nil, err
	}
	return e.publish(ctx, requestID, actor, e.cfg.SecondPerson, digest, commands...)
}

// publish is Publish under a policy, for a request with a digest.
func (e *Engine) publish(ctx context.Context, requestID, actor string, policy registry.Policy, digest []byte, commands ...registry.Command) (*Publication, error) {
	e.publishing.Lock()
	defer e.publishing.Unlock()
	if before, err := e.publishedBefore(ctx, requestID, digest, commands...); before != nil || err != nil {
		return before, err
	}
	last := commands[len(commands)-1].Stream()
	before := e.InForce()
	state := before.State
	p := &Publication{}
	var appends []commitlog.Append
	for _, command := range commands {
		events, err := registry.Decide(state, command, e.world(actor, policy))
		if err != nil {
			return nil, err
		}
		for _, event := range events {
			stored, err := commitlog.Public(event)
			if err != nil {
				return nil, err
			}
			stream := command.Stream()
			i := slices.IndexFunc(appends, func(a commitlog.Append) bool { return a.Stream == stream })
			if i < 0 {
				appends = append(appends, commitlog.Append{Stream: stream, Expected: e.versions[stream]})
				i = len(appends) - 1
			}
			appends[i].Events = append(appends[i].Events, stored)
			state = registry.Evolve(state, event)
			if stream == last {
				p.Event = event
			}
		}
	}
	if len(appends) == 0 {
		return p, nil
	}
	inForce, err := registry.Compile(state, before, e.cfg.Compiled)
	if err != nil {
		return nil, err
	}
	if inForce.State.Calendar.Digest != before.State.Calendar.Digest {
		e.deciding.Lock()
		defer e.deciding.Unlock()
	}
	// With the caller's deadline a commit could be there that this process does not know of.
	receipt, err := e.cfg.Log.Append(context.WithoutCancel(ctx), commitlog.Commit{RequestID: requestID, Digest: digest, At: e.cfg.Now(), Appends: appends})
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	maps.Copy(e.versions, receipt.Versions)
	e.inForce.Store(inForce)
	p.Position = receipt.Position
	e.dropPublished(p.Event)
	return p, nil
}

// world is what a decision of the registry depends on.
func (e *Engine) world(actor string, policy registry.Policy) registry.World {
	return registry.World{Now: e.cfg.Now(), Actor: actor, Offered: e.cfg.Offered, Development: e.cfg.Development, SecondPerson: policy, Compiled: e.cfg.Compiled}
}

// publishedBefore is what the commands came to when they were committed under the request id before; nil if they were not.
func (e *Engine) publishedBefore(ctx context.Context, requestID string, digest []byte, commands ...registry.Command) (*Publication, error) {
	last := commands[len(commands)-1].Stream()
	// It was committed in the scope of the first stream that it changed, which may be that of any of the commands.
	for _, command := range commands {
		switch receipt, committed, found, err := e.cfg.Log.Lookup(ctx, command.Stream(), requestID); {
		case err != nil:
			return nil, fmt.Errorf("look up request: %w", err)
		case found && !bytes.Equal(committed, digest):
			return nil, commitlog.ErrRequestReused
		case found:
			event, err := e.published(ctx, last, receipt.Versions[last])
			return &Publication{Position: receipt.Position, Event: event}, err
		}
	}
	return nil, nil
}

// published reads an event of the registry; version 0: there is none.
func (e *Engine) published(ctx context.Context, stream string, version uint64) (*registryv1.Event, error) {
	if version == 0 {
		return nil, nil
	}
	for event, err := range e.cfg.Log.Read(ctx, stream, version-1) {
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		message := &registryv1.Event{}
		return message, proto.Unmarshal(event.Public, message)
	}
	return nil, fmt.Errorf("read %s: %w: it ends before version %d", stream, commitlog.ErrCorrupt, version)
}

// publishDigest is the keyed digest of commands.
func (e *Engine) publishDigest(commands []registry.Command) ([]byte, error) {
	var content bytes.Buffer
	for _, command := range commands {
		encoded, err := json.Marshal(command) // maps in the order of their keys
		if err != nil {
			return nil, fmt.Errorf("digest of request: %w", err)
		}
		fmt.Fprintf(&content, "%T %s\n", command, encoded)
	}
	return e.cfg.Keys.Digest("command", content.Bytes()), nil
}

// serials gives out serial numbers in blocks: one commit reserves many, and a block that a crash cuts off is a gap.
type serials struct {
	mu             sync.Mutex
	used, reserved uint64
}

// block is how many serial numbers one commit reserves.
const block = 1000

// serial returns a number that was never given out and never will be again.
func (e *Engine) serial(ctx context.Context) (uint64, error) {
	e.numbers.mu.Lock()
	defer e.numbers.mu.Unlock()
	if e.numbers.used == e.numbers.reserved {
		upto := e.numbers.reserved + block
		if _, err := e.Publish(ctx, fmt.Sprintf("numbers/%d", upto), "engine", registry.ReserveNumbers{N: block}); err != nil {
			return 0, err
		}
		e.numbers.reserved = upto
	}
	e.numbers.used++
	return e.numbers.used, nil
}
