package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/calendars"
	"github.com/siyiban/onething/engine/follow/deadlines"
	"github.com/siyiban/onething/engine/follow/documents"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/follow/steps"
	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/capability"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// follow runs what comes back with commands: plugins on their steps, dates that pass, and documents; tells those whom it
// concerns; and keeps the views up.
func (s *server) follow(ctx context.Context, log *badgerlog.Log, calls *caller) error {
	commands := commands{s.engine}
	plugged, err := steps.New(steps.Config{Engine: commands, Caller: calls, States: fold.New(log), Plugin: s.pluginOf, Logger: s.cfg.logger})
	if err != nil {
		return err
	}
	passing, err := deadlines.New(deadlines.Config{Engine: commands, States: fold.New(log), Location: officeZone()})
	if err != nil {
		return err
	}
	published, err := calendars.New(calendars.Config{Engine: commands, Applications: open{s.views}, Stream: registry.StreamCalendar})
	if err != nil {
		return err
	}
	written, err := documents.New(s.engine)
	if err != nil {
		return err
	}
	handlers := map[string]follow.Handler{"steps": plugged, "deadlines": passing, "calendars": published, "documents": written}
	var told *notices.Handler
	if s.cfg.notices != nil {
		if told, err = s.openNotices(log); err != nil {
			return err
		}
		handlers["notices"] = told
	}
	for _, name := range followers() {
		handler, ok := handlers[name]
		if !ok {
			continue // switched off
		}
		follower, err := follow.Open(follow.Config{Name: name, Dir: s.cfg.data.Follower(name), Log: log, Handler: observedWork{handler, name, s.observer}, Clock: s.cfg.clock, Logger: s.cfg.logger})
		if err != nil {
			return err
		}
		s.closing(follower.Close)
		s.followers[name] = follower
	}
	if told != nil {
		s.notices = &notices.Desk{Handler: told, Follower: s.followers["notices"]}
	}
	if err := s.nothingLost(ctx, log); err != nil {
		return err
	}
	for _, follower := range s.followers {
		s.start(func() error { return follower.Run(s.running()) })
	}
	s.start(func() error { return s.views.Run(s.running()) })
	return nil
}

// followers are the names of those who follow the log.
func followers() []string { return []string{"calendars", "deadlines", "documents", "notices", "steps"} }

// nothingLost refuses to go on with a log that has lost what views or followers have seen of it: what was acknowledged is
// gone then, and who files next would get the places of those who have filed.
func (s *server) nothingLost(ctx context.Context, log *badgerlog.Log) error {
	cursors := map[string]func() (commitlog.Cursor, error){s.cfg.data.Views(): s.views.Cursor}
	for name, follower := range s.followers {
		cursors[s.cfg.data.Follower(name)] = follower.Cursor
	}
	for _, folder := range slices.Sorted(maps.Keys(cursors)) {
		at, err := cursors[folder]()
		if err == nil {
			err = store.Seen(ctx, log, folder, at)
		}
		if err != nil {
			return fmt.Errorf("%w: restore the last backup (`onething restore`); or, to go on without what is lost, remove the folders views and follow", err)
		}
	}
	return nil
}

// pluginOf is the plugin that serves a step of a bundle as it was published.
func (s *server) pluginOf(bundleDigest, step string) string {
	b := s.engine.InForce().Bundle(bundleDigest)
	if b == nil || b.Step(step) == nil {
		return ""
	}
	return b.Step(step).Plugin
}

// open are the open applications, as the views know them.
type open struct{ views *view.Views }

// Open implements [calendars.Applications].
func (o open) Open(ctx context.Context, position uint64, token string, size int) ([]string, string, error) {
	for {
		err := o.views.Wait(ctx, position)
		if err == nil {
			break
		}
		if !errors.Is(err, view.ErrBehind) {
			return nil, "", err
		}
	}
	rows, next, err := o.views.Open(ctx, view.Page{Size: size, Token: token})
	if err != nil {
		return nil, "", err
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.Application
	}
	return ids, next, nil
}

// sweepEvery is how often drafts that have expired are removed. Until then they lie there, but nobody can read them.
const sweepEvery = time.Hour

// sweep removes drafts that have expired, with their keys. What fails is an alarm and tried the next time.
func (s *server) sweep(ctx context.Context, drafts *draft.Store) {
	n, err := drafts.Sweep(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.cfg.logger.Error("expired drafts not removed", "error", err)
	}
	if n > 0 {
		s.cfg.logger.Info("expired drafts removed", "drafts", n)
	}
}

// every does something now, and then at every interval of the office's clock, until ctx ends.
func (s *server) every(ctx context.Context, interval time.Duration, do func(context.Context)) error {
	for {
		do(ctx)
		reached, stop := s.cfg.clock.Reach(s.cfg.clock.Now().Add(interval))
		select {
		case <-reached:
			stop()
		case <-ctx.Done():
			stop()
			return ctx.Err()
		}
	}
}

// commands gives the followers' commands to the engine.
type commands struct{ engine *engine.Engine }

// Open implements [steps.Engine].
func (c commands) Open(ctx context.Context, id string) (*steps.Application, error) {
	d, err := c.engine.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	return openedAs(c.engine, d), nil
}

// openedAs is an application as the follower of plugins has it.
func openedAs(e *engine.Engine, d *engine.Dossier) *steps.Application {
	return &steps.Application{State: d.State, Selection: d.Selection, Record: d.Record, Results: d.Results, Assessment: e.Assessment(d), Forgotten: d.Forgotten}
}

// Do implements [deadlines.Engine].
func (c commands) Do(ctx context.Context, id, requestID string, actor *applicationv1.Actor, command application.Command) error {
	return c.Record(ctx, id, requestID, actor, command, nil)
}

// Record implements [steps.Engine].
func (c commands) Record(ctx context.Context, id, requestID string, actor *applicationv1.Actor, command application.Command, writes *keyvalue.Changes) error {
	_, err := c.engine.Do(ctx, engine.Call{Application: id, Request: engine.Request{ID: requestID}, Actor: actor, Writes: writes,
		Command: func(context.Context, *engine.Dossier) (application.Command, error) { return command, nil }})
	return err
}

// RecordLookups implements [steps.Engine].
func (c commands) RecordLookups(ctx context.Context, a *steps.Application, actor *applicationv1.Actor, hook string, lookups []person.Lookup) error {
	return c.engine.RecordLookups(ctx, engine.Looking{Application: a.State.ID, Number: a.State.Number, Actor: actor, Hook: hook}, lookups)
}

// KeepDocument implements [steps.Engine].
func (c commands) KeepDocument(ctx context.Context, id string, description *applicationv1.MaterialFile, content []byte) (*applicationv1.MaterialFile, error) {
	return c.engine.PutFile(ctx, id, description, bytes.NewReader(content), int64(len(content)))
}

// caller calls the active version of a plugin on the host. Without a host every call fails, so the engine hands the step
// to officers.
type caller struct {
	server  *server
	host    *plugins.Host
	shadows chan shadowCall // that versions in shadow are to be asked
}

// Call implements [steps.Caller].
func (c *caller) Call(ctx context.Context, plugin string, request *pluginv1.Request) (steps.Answer, error) {
	if c.host == nil {
		return steps.Answer{}, &steps.Failure{Kind: string(plugins.NotFound), Err: errors.New("this server runs no plugins")}
	}
	active := c.server.engine.InForce().State.Plugins[plugin]
	if active.Digest == "" {
		return steps.Answer{}, &steps.Failure{Kind: string(plugins.NotFound), Err: errors.New("no version of the plugin is active")}
	}
	ctx, end := c.server.observer.Plugin(ctx, plugin, hookName(request.GetHook()))
	response, trace, err := c.host.Call(ctx, plugins.Ref{ID: plugin, Digest: active.Digest}, request)
	answer := steps.Answer{Response: response, Digest: active.Digest, Rewriter: trace.Rewriter, Writes: changesOf(trace.Writes), Outside: trace.ReachedOutside && !trace.Repeatable}
	for _, l := range trace.Lookups {
		answer.Lookups = append(answer.Lookups, person.Lookup(l))
	}
	called := callOf(plugin, active.Version, active.Digest, request, trace, outcomeOf(err))
	end(called)
	c.server.plugins.Called(called)
	if _, ok := errors.AsType[*plugins.CallError](err); ok {
		err = &steps.Failure{Kind: called.Outcome, Err: err}
	}
	if err != nil {
		return answer, err
	}
	c.shadow(plugin, active, request, response, trace.Transcript)
	transcript, err := trace.Record(request, response)
	if err != nil {
		return answer, err
	}
	if answer.Trace, err = proto.Marshal(transcript); err != nil {
		return answer, fmt.Errorf("encode transcript: %w", err)
	}
	return answer, nil
}

// hookName is a hook as operators read it, such as `decide`.
func hookName(h pluginv1.Hook) string {
	return strings.ToLower(strings.TrimPrefix(h.String(), "HOOK_"))
}

// changesOf is what a call wrote, as the engine takes it.
func changesOf(w *capability.Writes) *keyvalue.Changes {
	if w == nil {
		return nil
	}
	c := &keyvalue.Changes{Department: w.Department, Read: w.Read, Written: w.Written}
	for _, l := range w.Listed {
		c.Listed = append(c.Listed, keyvalue.Listed(l))
	}
	return c
}

// departmentStores are the stores of departments, as plugins read them.
type departmentStores struct{ server *server }

// Snapshot implements [capability.Stores].
func (s departmentStores) Snapshot(ctx context.Context, department string) (capability.Snapshot, error) {
	return s.server.engine.Store(ctx, department)
}
