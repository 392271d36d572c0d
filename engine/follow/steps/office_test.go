package steps_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/deadlines"
	"github.com/siyiban/onething/engine/follow/steps"
	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// matter has a step of a quick plugin, one of a slow plugin that reads its result, and needs neither the name nor the
// wish.
const matter = `bundle: matter
name: { zh: 事 }
level: COUNTY
lead: office
applicant: [me]
accept: %s
form:
  - { section: person, as: me }
own:
  - { field: claim, kind: MONEY, name: { zh: 金额 }, required: true }
  - { field: twice, kind: MONEY, derive: own.claim + own.claim }
  - { field: wish, kind: TEXT, name: { zh: 愿望 }, required: true }
materials:
  - { material: proof, name: { zh: 证明 }, source: [E_CERTIFICATE], promise: { verify: { by: office, working_days: 5 } } }
steps:
  - { id: grant, name: { zh: 审核 }, department: office, plugin: office/quick, needs: { fields: [me.id_no, own.claim, own.twice], materials: [proof] },
      promised: { working_days: 2 }, result: { fields: [{ field: granted, kind: MONEY, name: { zh: 金额 }, required: true }], document: notice } }
  - { id: pay, name: { zh: 发放 }, department: bank, plugin: bank/slow, after: [grant], needs: { fields: [me.name, own.wish], results: [grant.granted] },
      promised: { working_days: 1 }, result: { fields: [{ field: paid, kind: MONEY, name: { zh: 金额 }, required: true }] } }
`

const id = "0190a1c2-0000-4000-8000-000000000001"

// office is an engine in small: it decides and commits, with real parts, and seals nothing.
type office struct {
	t         testing.TB
	log       *badgerlog.Log
	clock     *follow.Clock
	selection *catalog.Selection
	calendar  *calendar.Calendar
	hooks     map[string][]string
	documents application.Documents // with which it is filed

	mu      sync.Mutex
	kept    map[string][]byte
	lookups []string
	changed int               // so many writes are refused, because what was read has changed
	full    bool              // writes are refused, because the store is full
	written map[string]string // what plugins have stored
}

// wrote takes what a plugin wrote, or refuses it.
func (o *office) wrote(writes *keyvalue.Changes) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case writes == nil:
		return nil
	case o.full:
		return keyvalue.ErrFull
	case o.changed > 0:
		o.changed--
		return fmt.Errorf("commit: %w", keyvalue.ErrChanged)
	}
	for key, value := range writes.Written {
		o.written[key] = string(value)
	}
	return nil
}

func newOffice(t testing.TB, accept string, hooks map[string][]string) *office {
	t.Helper()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	c, found := catalog.Load(fstest.MapFS{
		"library/sections.yaml": file(`library: sections
sections:
  - section: person
    name: { zh: 人 }
    about: PERSON
    fields:
      - { field: id_no, kind: CITIZEN_NUMBER, name: { zh: 号码 }, required: true }
      - { field: name, kind: TEXT, name: { zh: 姓名 }, required: true }
`),
		"library/departments.yaml":   file("library: departments\ndepartments: [{ department: office, name: { zh: 局 } }, { department: bank, name: { zh: 行 }, kind: PARTNER }]\n"),
		"library/parameters.yaml":    file("library: parameters\nparameters: [{ param: rate, kind: DECIMAL, name: { zh: 率 }, values: [{ from: \"2025-01-01\", until: \"2025-12-31\", place: \"32\", value: \"1.4\", basis: 例 }, { from: \"2026-01-01\", value: \"1.5\", basis: 例 }, { from: \"2025-01-01\", place: \"11\", value: \"9.9\", basis: 例 }] }]\n"),
		"bundles/matter/bundle.yaml": file(fmt.Sprintf(matter, accept)),
	})
	if err := found.Err(); err != nil {
		t.Fatal(found)
	}
	selection, err := catalog.Select(c.Bundles["matter"])
	if err != nil {
		t.Fatal(err)
	}
	days, found := calendar.Parse("holidays.yaml", holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(t.TempDir(), "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("UTC+8", 8*3600))
	return &office{t: t, log: log, clock: follow.NewStandingClock(start), selection: selection, calendar: days, hooks: hooks, kept: map[string][]byte{}, written: map[string]string{}}
}

// follow runs a follower of plugins and one of deadlines until the test ends.
func (o *office) follow(caller steps.Caller) {
	o.t.Helper()
	plugged, err := steps.New(steps.Config{Engine: o, Caller: caller, States: fold.New(o.log), Logger: slog.New(slog.DiscardHandler),
		Plugin: func(digest, step string) string {
			if b := o.selection.Bundle("matter"); b.Digest == digest && b.Step(step) != nil {
				return b.Step(step).Plugin
			}
			return ""
		}})
	if err != nil {
		o.t.Fatal(err)
	}
	passing, err := deadlines.New(deadlines.Config{Engine: o, States: fold.New(o.log), Location: o.clock.Now().Location()})
	if err != nil {
		o.t.Fatal(err)
	}
	for name, h := range map[string]follow.Handler{"steps": plugged, "deadlines": passing} {
		f, err := follow.Open(follow.Config{Name: name, Dir: filepath.Join(o.t.TempDir(), name), Log: o.log, Handler: h, Clock: o.clock, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			o.t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		o.t.Cleanup(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				o.t.Errorf("follower %s: %v", name, err)
			}
			if err := f.Close(); err != nil {
				o.t.Error(err)
			}
		})
	}
}

// load returns the application with what its events hold.
func (o *office) load(ctx context.Context) (application.State, application.World, error) {
	s := application.State{ID: id}
	w := application.World{Now: o.clock.Now(), Selection: o.selection, Calendar: o.calendar, Place: "321322", Plugins: o.hooks,
		Results: map[string]map[forms.Path]kind.Value{"matter": {}}}
	for e, err := range o.log.Read(ctx, fold.Stream(id), 0) {
		if err != nil {
			return s, w, err
		}
		event := &applicationv1.Event{}
		if err := proto.Unmarshal(e.Public, event); err != nil {
			return s, w, err
		}
		s = application.Evolve(s, event)
		if r := event.GetPersonal().GetRecord(); r != nil {
			w.Record, _ = forms.Decode(r.GetAnswers(), o.selection.Field)
		}
		for field, value := range event.GetPersonal().GetResult().GetAnswers() {
			for _, step := range o.selection.Bundles[0].Steps {
				for _, f := range step.Result {
					if parsed, fault := f.Spec().Parse(value.AsInterface()); f.ID == field && fault == nil {
						w.Results["matter"][f.Path] = parsed
					}
				}
			}
		}
	}
	return s, w, nil
}

// Do implements [deadlines.Engine].
func (o *office) Do(ctx context.Context, id, requestID string, actor *applicationv1.Actor, command application.Command) error {
	return o.Record(ctx, id, requestID, actor, command, nil)
}

// RecordLookups implements [steps.Engine].
func (o *office) RecordLookups(_ context.Context, a *steps.Application, actor *applicationv1.Actor, hook string, lookups []person.Lookup) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range lookups {
		o.lookups = append(o.lookups, fmt.Sprint(a.State.Number != "", " ", actor.GetDepartment(), " ", actor.GetId(), " ", hook, " ", l.Source, " ", l.Purpose))
	}
	return nil
}

// Record implements [steps.Engine].
func (o *office) Record(ctx context.Context, _, requestID string, actor *applicationv1.Actor, command application.Command, writes *keyvalue.Changes) error {
	if err := o.wrote(writes); err != nil {
		return err
	}
	for {
		if _, _, done, err := o.log.Lookup(ctx, fold.Stream(id), requestID); done || err != nil {
			return err
		}
		s, w, err := o.load(ctx)
		if err != nil {
			return err
		}
		w.Actor = actor
		if w.Number, err = application.NewNumber("321322", kind.DateOf(w.Now), 1); err != nil {
			return err
		}
		events, err := application.Decide(s, command, w)
		if err != nil || len(events) == 0 {
			return err
		}
		a := commitlog.Append{Stream: fold.Stream(id), Expected: uint64(s.Version)}
		for _, e := range events {
			b, err := proto.Marshal(e)
			if err != nil {
				return err
			}
			a.Events = append(a.Events, commitlog.Event{Type: "onething.application.v1.Event", Public: b})
		}
		_, err = o.log.Append(ctx, commitlog.Commit{RequestID: requestID, Digest: bytes.Repeat([]byte{1}, 32), At: w.Now, Appends: []commitlog.Append{a}})
		if !errors.Is(err, commitlog.ErrConflict) {
			return err
		}
	}
}

// Open implements [steps.Engine].
func (o *office) Open(ctx context.Context, _ string) (*steps.Application, error) {
	s, w, err := o.load(ctx)
	if err != nil {
		return nil, err
	}
	return &steps.Application{State: s, Selection: o.selection, Record: w.Record, Results: w.Results, Assessment: application.Assess(s, w)}, nil
}

// KeepDocument implements [steps.Engine].
func (o *office) KeepDocument(_ context.Context, _ string, d *applicationv1.MaterialFile, content []byte) (*applicationv1.MaterialFile, error) {
	sum := sha256.Sum256(content)
	d.Blob, d.Size = hex.EncodeToString(sum[:]), int64(len(content))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept[d.Name] = content
	return d, nil
}

// give gives a command, which has to be taken.
func (o *office) give(requestID string, command application.Command) {
	o.t.Helper()
	if err := o.Do(context.Background(), id, requestID, &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}, command); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) submit() {
	o.t.Helper()
	record, faults := forms.Decode(map[string]*structpb.Value{
		"form.me.id_no":    structpb.NewStringValue("321323199604120423"),
		"form.me.name":     structpb.NewStringValue("甲"),
		"own.matter.claim": structpb.NewStringValue("850.00"),
		"own.matter.wish":  structpb.NewStringValue("快"),
	}, o.selection.Field)
	if len(faults) > 0 {
		o.t.Fatal(faults)
	}
	o.give("submit", application.Submit{Record: record, Documents: o.documents})
}

// until follows the log until the application is as wanted.
func (o *office) until(wanted func(application.State) bool) application.State {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s := application.State{ID: id}
	for c, err := range o.log.Follow(ctx, 0) {
		if err != nil {
			o.t.Fatalf("waiting: %v; cases %+v, tasks %+v", err, deref(s.Cases), deref(s.Tasks))
		}
		for i := range c.Appends[0].Events {
			event, err := fold.Decode(&c.Appends[0].Events[i])
			if err != nil {
				o.t.Fatal(err)
			}
			s = application.Evolve(s, event)
		}
		if wanted(s) {
			return s
		}
	}
	return s
}

func deref[T any](pointers []*T) (values []T) {
	for _, p := range pointers {
		values = append(values, *p)
	}
	return values
}

// plugins answers calls as a test says, and keeps the requests.
type plugins struct {
	mu       sync.Mutex
	requests []*pluginv1.Request
	answer   func(ctx context.Context, plugin string, r *pluginv1.Request) (*pluginv1.Response, error)
	beside   func(plugin string, r *pluginv1.Request, a *steps.Answer) // what else the answer holds; nil: nothing
}

// Call implements [steps.Caller].
func (p *plugins) Call(ctx context.Context, plugin string, r *pluginv1.Request) (steps.Answer, error) {
	p.mu.Lock()
	p.requests = append(p.requests, r)
	p.mu.Unlock()
	response, err := p.answer(ctx, plugin, r)
	a := steps.Answer{Response: response, Digest: "digest of " + plugin, Rewriter: 7, Trace: []byte("saw nothing")}
	if p.beside != nil {
		p.beside(plugin, r, &a)
	}
	return a, err
}

func (p *plugins) seen(hook pluginv1.Hook, step string) []*pluginv1.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []*pluginv1.Request
	for _, r := range p.requests {
		if r.GetHook() == hook && r.GetStep() == step {
			found = append(found, r)
		}
	}
	return found
}

func money(fen int64) *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_MONEY, Number: fen}
}

func approve(field string, v *pluginv1.Value) *pluginv1.Response {
	return &pluginv1.Response{Decision: &pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_APPROVED, Result: map[string]*pluginv1.Value{field: v}}}
}

func decode(t testing.TB, public []byte) *applicationv1.Event {
	t.Helper()
	event := &applicationv1.Event{}
	if err := proto.Unmarshal(public, event); err != nil {
		t.Fatal(err)
	}
	return event
}

// claim is an amount as an answer.
func claim(t testing.TB, o *office, yuan string) kind.Value {
	t.Helper()
	value, fault := o.selection.Field("own.matter.claim").Spec().Parse(yuan)
	if fault != nil {
		t.Fatal(fault)
	}
	return value
}
