package view_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/view"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

const eventType = "onething.application.v1.Event"

// office is a log with keys, and views that follow it.
type office struct {
	t        testing.TB
	dir      string
	log      *badgerlog.Log
	keys     *seal.Store
	versions map[string]uint64
	commits  int
	*view.Views
	stop func()
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), versions: map[string]uint64{}}
	var err error
	o.log, err = badgerlog.Open(badgerlog.Config{Dir: filepath.Join(o.dir, "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	keyset := filepath.Join(o.dir, "keyset.json")
	if err := seal.GenerateKeyset(keyset); err != nil {
		t.Fatal(err)
	}
	aead, err := seal.ReadKeyset(keyset)
	if err != nil {
		t.Fatal(err)
	}
	if o.keys, err = seal.Open(seal.Config{Dir: filepath.Join(o.dir, "keys"), KeyEncryption: aead}); err != nil {
		t.Fatal(err)
	}
	o.start(o.open("views"))
	t.Cleanup(func() {
		o.stop()
		if err := errors.Join(o.Close(), o.log.Close(), o.keys.Close()); err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o *office) open(name string) *view.Views {
	o.t.Helper()
	v, err := view.Open(view.Config{Dir: filepath.Join(o.dir, name), Log: o.log, Keys: o.keys, Limit: 20 * time.Second, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

// start follows the log with views until stop.
func (o *office) start(v *view.Views) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	var once sync.Once
	o.Views, o.stop = v, func() {
		once.Do(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				o.t.Errorf("views ended with %v", err)
			}
		})
	}
}

// commit commits events of one application, each with its personal part sealed.
func (o *office) commit(id string, events ...*applicationv1.Event) uint64 {
	o.t.Helper()
	key := seal.ForApplication(id)
	stream := "application/" + id
	if o.versions[stream] == 0 {
		if err := o.keys.Create(context.Background(), key); err != nil {
			o.t.Fatal(err)
		}
	}
	a := commitlog.Append{Stream: stream, Expected: o.versions[stream]}
	for i, e := range events {
		public := proto.CloneOf(e)
		public.Personal = nil
		public.At = timestamppb.New(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
		b, err := proto.Marshal(public)
		if err != nil {
			o.t.Fatal(err)
		}
		stored := commitlog.Event{Version: a.Expected + uint64(i) + 1, Type: eventType, Public: b}
		if e.GetPersonal() != nil {
			content, err := proto.Marshal(e.GetPersonal())
			if err != nil {
				o.t.Fatal(err)
			}
			stored.Key = string(key)
			stored.Personal, stored.Commitment, err = o.keys.SealEvent(context.Background(), key, seal.Place{Stream: stream, Version: stored.Version, Type: eventType}, content)
			if err != nil {
				o.t.Fatal(err)
			}
		}
		a.Events = append(a.Events, stored)
	}
	return o.append(a)
}

func (o *office) append(a commitlog.Append) uint64 {
	o.t.Helper()
	o.commits++
	r, err := o.log.Append(context.Background(), commitlog.Commit{RequestID: fmt.Sprint(o.commits), Digest: bytes.Repeat([]byte{1}, 32),
		At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Appends: []commitlog.Append{a}})
	if err != nil {
		o.t.Fatal(err)
	}
	o.versions[a.Stream] = a.Last()
	return r.Position
}

func (o *office) wait(position uint64) {
	o.t.Helper()
	if err := o.Wait(context.Background(), position); err != nil {
		o.t.Fatal(err)
	}
}

func due(date string) *applicationv1.Due { return &applicationv1.Due{Date: date} }

// submitted is a submission by a person, with a case of each bundle, whose number is the application's and the bundle.
func submitted(number, filer, notice string, persons map[string]string, bundles ...string) *applicationv1.Event {
	s := &applicationv1.Submitted{Number: number, Received: "2026-03-02", Place: "321322", NoticeDue: due(notice)}
	for _, b := range bundles {
		s.Cases = append(s.Cases, &applicationv1.SubmittedCase{Bundle: b, Number: number + b})
	}
	return &applicationv1.Event{Kind: &applicationv1.Event_Submitted{Submitted: s}, Personal: &applicationv1.Personal{Actor: filer, Persons: persons}}
}

func accepted(bundle string) *applicationv1.Event {
	return &applicationv1.Event{Kind: &applicationv1.Event_Accepted{Accepted: &applicationv1.Accepted{Bundle: bundle}}}
}

func opened(task, bundle, department, date string, hooks ...string) *applicationv1.Event {
	return &applicationv1.Event{Kind: &applicationv1.Event_TaskOpened{TaskOpened: &applicationv1.TaskOpened{
		Task: task, Bundle: bundle, Step: "step_" + department, Department: department, Due: due(date), Plugin: "p", Hooks: hooks,
	}}}
}

func decided(task, outcome string) *applicationv1.Event {
	return &applicationv1.Event{Kind: &applicationv1.Event_TaskDecided{TaskDecided: &applicationv1.TaskDecided{Task: task, Outcome: outcome}}}
}

// names returns rows as `application` or `application:item`.
func names(rows []view.Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, strings.TrimSuffix(r.Application+":"+r.Item, ":"))
	}
	return out
}

func equal[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	o.commit("a1", submitted("100", "ann", "2026-03-09", map[string]string{"mother": "ann", "father": "bob"}, "newborn"))
	o.commit("a2", submitted("200", "agent", "2026-03-06", map[string]string{"retiree": "bob"}, "retirement", "first"))
	o.wait(o.commit("a3", submitted("300", "ann", "2026-03-07", nil, "newborn")))
	all := view.Page{Size: 50}

	check := func(what string, want []string) func([]view.Row, string, error) {
		return func(rows []view.Row, next string, err error) {
			t.Helper()
			if err != nil || next != "" {
				t.Errorf("%s: %q, %v", what, next, err)
			}
			equal(t, what, want, names(rows))
		}
	}
	check("of ann", []string{"a3", "a1"})(o.ByPerson(ctx, "ann", all))
	check("of bob", []string{"a2", "a1"})(o.ByPerson(ctx, "bob", all))
	check("of the agent", []string{"a2"})(o.ByPerson(ctx, "agent", all))
	check("of nobody", nil)(o.ByPerson(ctx, "", all))
	check("in review", []string{"a2:first", "a2:retirement", "a3:newborn", "a1:newborn"})(o.Review(ctx, "321322", all))
	check("in review elsewhere", nil)(o.Review(ctx, "321323", all))

	o.commit("a2", accepted("retirement"), opened("201", "retirement", "hrss", "2026-04-01"), opened("202", "retirement", "civil", "2026-03-20", "decide"))
	last := o.commit("a1", accepted("newborn"), opened("101", "newborn", "hrss", "2026-03-20"))
	o.wait(last)
	check("in review", []string{"a2:first", "a3:newborn"})(o.Review(ctx, "321322", all))
	check("of hrss", []string{"a1:101", "a2:201"})(o.Tasks(ctx, view.TaskFilter{Department: "hrss"}, all))
	check("of one step", []string{"a1:101", "a2:201"})(o.Tasks(ctx, view.TaskFilter{Department: "hrss", Step: "step_hrss"}, all))
	check("of another step", nil)(o.Tasks(ctx, view.TaskFilter{Department: "hrss", Step: "step"}, all))
	check("what its plugin is at", nil)(o.Tasks(ctx, view.TaskFilter{Department: "civil"}, all))
	check("with what its plugin is at", []string{"a2:202"})(o.Tasks(ctx, view.TaskFilter{Department: "civil", Automatic: true}, all))
	check("of bob after events without persons", []string{"a2", "a1"})(o.ByPerson(ctx, "bob", all))

	o.wait(o.commit("a2", decided("202", "UNDETERMINED"), decided("201", "REJECTED")))
	check("left to officers", []string{"a2:202"})(o.Tasks(ctx, view.TaskFilter{Department: "civil"}, all))
	check("after a rejection", []string{"a1:101"})(o.Tasks(ctx, view.TaskFilter{Department: "hrss"}, all))

	for number, want := range map[string]string{"200": "a2", "200first": "a2:first", "201": "a2:201", "101": "a1:101"} {
		row, err := o.Find(ctx, number)
		if err != nil {
			t.Error(err)
		}
		equal(t, "number "+number, []string{want}, names([]view.Row{row}))
	}
	row, err := o.Find(ctx, "201")
	if err != nil || row.State.Number != "200" || row.State.Version != 6 || string(row.State.Task("201").State) != "REJECTED" {
		t.Errorf("found %+v, %v", row.State, err)
	}
	if _, err := o.Find(ctx, "20"); !errors.Is(err, view.ErrNotFound) {
		t.Errorf("no such number: %v", err)
	}
	if _, err := o.Application(ctx, "a9"); !errors.Is(err, view.ErrNotFound) {
		t.Errorf("no such application: %v", err)
	}
	for digest, want := range map[string]bool{"ann": true, "bob": true, "agent": false, "": false} {
		if got, err := o.Concerns("a1", digest); err != nil || got != want {
			t.Errorf("a1 concerns %q: %v, %v", digest, got, err)
		}
	}
}

// What is counted is what the lists hold; a warning counts while it stands, the worst of each case and task.
func TestCount(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	count := func(position uint64, want view.Counts) {
		t.Helper()
		o.wait(position)
		got, err := o.Count(t.Context(), []string{"hrss", "civil"})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "counts", want, got)
	}
	warned := func(task, colour string) *applicationv1.Event {
		return &applicationv1.Event{Kind: &applicationv1.Event_Warned{Warned: &applicationv1.Warned{Bundle: "newborn", Task: task, Colour: colour, Clock: "PROMISED", Date: "2026-03-20"}}}
	}
	count(0, view.Counts{Tasks: map[string]int{"hrss": 0, "civil": 0}, Warned: map[string]int{"YELLOW": 0, "RED": 0}})
	o.commit("a2", submitted("200", "bob", "2026-03-09", nil, "newborn"))
	o.commit("a1", submitted("100", "ann", "2026-03-09", nil, "newborn"), accepted("newborn"),
		opened("101", "newborn", "hrss", "2026-03-20"), opened("102", "newborn", "civil", "2026-03-20", "decide"))
	count(o.commit("a1", warned("101", "YELLOW"), warned("102", "YELLOW")),
		view.Counts{Open: 2, Tasks: map[string]int{"hrss": 1, "civil": 1}, Warned: map[string]int{"YELLOW": 2, "RED": 0}})
	count(o.commit("a1", warned("101", "RED")),
		view.Counts{Open: 2, Tasks: map[string]int{"hrss": 1, "civil": 1}, Warned: map[string]int{"YELLOW": 1, "RED": 1}})
	count(o.commit("a1", decided("101", "REJECTED")),
		view.Counts{Open: 2, Tasks: map[string]int{"hrss": 0, "civil": 1}, Warned: map[string]int{"YELLOW": 1, "RED": 0}})
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := o.Count(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var want []string
	var last uint64
	for i := range 7 {
		id := fmt.Sprint("a", i)
		last = o.commit(id, submitted(fmt.Sprint(100+i), "ann", "2026-03-09", nil, "newborn"))
		want = append([]string{id}, want...)
	}
	o.wait(last)
	var got []string
	token, parts := "", 0
	for {
		rows, next, err := o.ByPerson(t.Context(), "ann", view.Page{Size: 3, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		got, parts = append(got, names(rows)...), parts+1
		if parts == 1 {
			// What comes in front meanwhile moves nothing.
			o.wait(o.commit("new", submitted("999", "ann", "2026-03-09", nil, "newborn")))
		}
		if token = next; token == "" {
			break
		}
	}
	equal(t, "applications in parts", want, got)
	equal(t, "parts", 3, parts)
	for _, p := range []view.Page{{}, {Size: -1}, {Size: 1, Token: "?"}, {Size: 1, Token: "AAAAAAAA"}} {
		if _, _, err := o.ByPerson(t.Context(), "ann", p); !errors.Is(err, view.ErrInvalid) {
			t.Errorf("page %+v: %v", p, err)
		}
	}
}

func TestWait_SaysWhereItStands(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	position := o.commit("a1", submitted("100", "ann", "2026-03-09", nil, "newborn"))
	o.wait(position)
	o.stop()
	v, err := view.Open(view.Config{Dir: filepath.Join(o.dir, "short"), Log: o.log, Keys: o.keys, Limit: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	err = v.Wait(t.Context(), 7)
	if behind := (*view.BehindError)(nil); !errors.As(err, &behind) || !errors.Is(err, view.ErrBehind) || *behind != (view.BehindError{Have: 0, Want: 7}) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Wait(ctx, 7); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first := o.commit("a1", submitted("100", "ann", "2026-03-09", nil, "newborn"))
	if got, err := o.Changed(t.Context(), "a1", 0); err != nil || got != first {
		t.Errorf("changed at %d, %v", got, err)
	}
	changed := make(chan uint64)
	for range 2 {
		go func() {
			got, err := o.Changed(t.Context(), "a1", first)
			if err != nil {
				t.Error(err)
			}
			changed <- got
		}()
	}
	o.wait(o.commit("a2", submitted("200", "ann", "2026-03-09", nil, "newborn")))
	select {
	case got := <-changed:
		t.Errorf("another application's commit is a change, at %d", got)
	default:
	}
	second := o.commit("a1", accepted("newborn"))
	equal(t, "both are told", []uint64{second, second}, []uint64{<-changed, <-changed})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Changed(ctx, "a1", second); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestForgottenAndUnreadable(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.commit("a1", submitted("100", "ann", "2026-03-09", nil, "newborn"))
	o.wait(o.commit("a2", submitted("200", "ann", "2026-03-09", nil, "newborn")))
	// An event that nobody understands stops nothing, and counts.
	o.append(commitlog.Append{Stream: "application/a2", Expected: 1, Events: []commitlog.Event{{Type: eventType, Public: []byte{0xff}}}})
	o.append(commitlog.Append{Stream: "registry/catalog", Events: []commitlog.Event{{Type: "x.Event", Public: []byte("x")}}})
	last := o.commit("a2", accepted("newborn"))
	o.wait(last)
	if row, err := o.Application(t.Context(), "a2"); err != nil || row.State.Version != 3 || string(row.State.Cases[0].State) != "ACCEPTED" {
		t.Errorf("a2 is %+v, %v", row.State, err)
	}
	if err := o.keys.Destroy(t.Context(), seal.ForApplication("a1")); err != nil {
		t.Fatal(err)
	}
	fresh, err := o.Rebuild(t.Context(), filepath.Join(o.dir, "fresh"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fresh.Close() }()
	rows, _, err := fresh.ByPerson(t.Context(), "ann", view.Page{Size: 9})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "of ann without what is forgotten", []string{"a2"}, names(rows))
	if _, err := fresh.Find(t.Context(), "100"); err != nil {
		t.Errorf("the number of a forgotten application: %v", err)
	}
}

func TestAnotherLog(t *testing.T) {
	t.Parallel()
	other, o := newOffice(t), newOffice(t)
	for range 3 {
		o.wait(o.commit("a1", submitted("100", "ann", "2026-03-09", nil, "newborn")))
	}
	last := other.commit("b1", submitted("200", "bob", "2026-03-09", nil, "newborn"))
	o.stop()
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := view.Open(view.Config{Dir: filepath.Join(o.dir, "views"), Log: other.log, Keys: other.keys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	o.start(v)
	if _, err := o.Changed(t.Context(), "b1", 0); err != nil {
		t.Fatal(err)
	}
	equal(t, "position", last, o.Position())
	if _, err := o.Find(t.Context(), "100"); !errors.Is(err, view.ErrNotFound) {
		t.Errorf("what the other log does not have: %v", err)
	}
}

// step is a commit of a random life.
type step struct {
	application string
	events      []*applicationv1.Event
	wait        bool // until the views show it
}

func life() *rapid.Generator[[]step] {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
		return step{
			application: rapid.SampledFrom([]string{"a1", "a2", "a3"}).Draw(r, "application"),
			events:      rapid.SliceOfN(rapid.Custom(event), 1, 4).Draw(r, "events"),
			wait:        rapid.Bool().Draw(r, "wait"),
		}
	}), 40, 80)
}

// Whatever happened, views that are made again are equal to those that followed, entry by entry; also those that go on
// from what a crash left on disk.
func TestRebuild_EqualsLive(t *testing.T) {
	t.Parallel()
	for seed := range 5 { // each life has its own office, whose folders cost more than the commits
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			steps := life().Example(seed)
			var last uint64
			for i, s := range steps {
				last = o.commit(s.application, s.events...)
				if s.wait {
					o.wait(last)
				}
				if i == len(steps)*(seed+1)/6 {
					o.wait(last)
					if err := os.CopyFS(filepath.Join(o.dir, "crashed"), os.DirFS(filepath.Join(o.dir, "views"))); err != nil {
						t.Fatal(err)
					}
				}
			}
			o.wait(last)
			live := o.Dump(t)
			fresh, err := o.Rebuild(t.Context(), filepath.Join(o.dir, "fresh"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = fresh.Close() }()
			equal(t, "rebuilt", live, fresh.Dump(t))
			o.stop()
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			o.start(o.open("crashed"))
			if at := o.Position(); at == 0 || at >= last {
				t.Errorf("after the crash at position %d of %d", at, last)
			}
			o.wait(last)
			equal(t, "after the crash", live, o.Dump(t))
			if len(live) < 10 {
				t.Errorf("a life of %d entries tests nothing", len(live))
			}
		})
	}
}

// event is any event that moves an application between lists.
func event(r *rapid.T) *applicationv1.Event {
	bundle := rapid.SampledFrom([]string{"newborn", "retirement"}).Draw(r, "bundle")
	task := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "task")
	person := rapid.SampledFrom([]string{"ann", "bob", "cyd"})
	day := rapid.SampledFrom([]string{"", "2026-03-09", "2026-03-10"}).Draw(r, "day")
	switch rapid.IntRange(0, 6).Draw(r, "kind") {
	case 0:
		return submitted("10", person.Draw(r, "filer"), day, map[string]string{"mother": person.Draw(r, "mother")}, "newborn", "retirement")
	case 1:
		return accepted(bundle)
	case 2:
		return opened(task, bundle, rapid.SampledFrom([]string{"hrss", "civil"}).Draw(r, "department"), day, rapid.SampledFrom([]string{"decide", "issue"}).Draw(r, "hook"))
	case 3:
		return decided(task, rapid.SampledFrom([]string{"APPROVED", "REJECTED", "UNDETERMINED"}).Draw(r, "outcome"))
	case 4:
		return &applicationv1.Event{Kind: &applicationv1.Event_ResultIssued{ResultIssued: &applicationv1.ResultIssued{Task: task}}}
	case 5:
		return &applicationv1.Event{Kind: &applicationv1.Event_CaseEnded{CaseEnded: &applicationv1.CaseEnded{Bundle: bundle, Outcome: applicationv1.CaseEnded_OUTCOME_GRANTED}}}
	default:
		return &applicationv1.Event{Kind: &applicationv1.Event_Corrected{Corrected: &applicationv1.Corrected{Revision: 2}},
			Personal: &applicationv1.Personal{Actor: "cyd", Persons: map[string]string{"mother": person.Draw(r, "mother")}}}
	}
}

// With too little room the views show what they hold, and go on when there is some.
func TestViews_WaitForRoomOnTheDisk(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.stop()
	var free atomic.Uint64
	free.Store(durable.DefaultMinFree / 2)
	v, err := view.Open(view.Config{Dir: filepath.Join(o.dir, "measured"), Log: o.log, Keys: o.keys, Limit: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Space: durable.Space{Free: func(string) (uint64, error) { return free.Load(), nil }}})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.start(v)
	first := o.commit("a", submitted("1", "", "2026-03-09", nil, "newborn"))
	if err := v.Wait(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	free.Store(durable.DefaultMinFree/2 - 1)
	second := o.commit("b", submitted("2", "", "2026-03-09", nil, "newborn"))
	if err := v.Wait(t.Context(), second); !errors.Is(err, view.ErrBehind) {
		t.Errorf("wait on a full disk: %v", err)
	}
	if row, err := v.Find(t.Context(), "1"); err != nil || row.Application != "a" {
		t.Errorf("read on a full disk: %v, %v", row, err)
	}
	free.Store(durable.DefaultMinFree / 2)
	for err = v.Wait(t.Context(), second); errors.Is(err, view.ErrBehind); err = v.Wait(t.Context(), second) {
	}
	if err != nil {
		t.Error(err)
	}
}
