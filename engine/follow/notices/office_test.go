package notices_test

import (
	"bytes"
	"context"
	"encoding/json"
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
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

const (
	id = "0190a1c2-0000-4000-8000-000000000001"

	applicantName, applicantPhone, applicantMail = "钱一", "13812345678", "qian@example.org"
)

// tree has a matter that one applies for, with a material for each companion, whose name stands in the material's.
func tree() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"library/sections.yaml": file(`library: sections
sections:
  - section: person
    name: { zh: 人 }
    about: PERSON
    fields:
      - { field: id_no, kind: CITIZEN_NUMBER, name: { zh: 号码 }, required: true }
      - { field: name, kind: TEXT, name: { zh: 姓名 }, required: true }
      - { field: phone, kind: PHONE, name: { zh: 电话 } }
      - { field: email, kind: TEXT, name: { zh: 邮箱 } }
`),
		"library/departments.yaml": file("library: departments\ndepartments: [{ department: office, name: { zh: 审批局 } }, { department: water, name: { zh: 水利局 } }]\n"),
		"bundles/well/bundle.yaml": file(`bundle: well
name: { zh: 打井 }
level: COUNTY
lead: office
applicant: [me, you]
form:
  - { section: person, as: me }
  - { section: person, as: you }
own:
  - { field: companions, kind: LIST, name: { zh: 同行人 }, row: [{ field: who, kind: TEXT, name: { zh: 姓名 }, required: true }] }
materials:
  - { material: drawing, name: { zh: 图纸 }, source: [APPLICANT] }
  - { material: paper, name: { zh: "{this.who}的证件" }, per: own.companions, source: [APPLICANT] }
steps:
  - { id: permit, name: { zh: 取水许可 }, department: water, needs: { fields: [me, you, own.companions], materials: [drawing, paper] }, promised: { working_days: 5 } }
`),
	}
}

// office is what notices stand on, in small: a log, the record, and a follower that can be stopped.
type office struct {
	t         testing.TB
	log       *badgerlog.Log
	clock     *follow.Clock
	selection *catalog.Selection
	dir       string
	record    forms.Record
	forgotten bool

	config   notices.Config
	desk     notices.Desk
	list     *notices.List
	worked   chan error // of each attempt
	done     int        // attempts that have succeeded
	stop     func()
	versions map[string]uint64 // by application
	logs     *bytes.Buffer
}

func newOffice(t testing.TB, routes notices.Routes, senders map[string]notices.Sender) *office {
	t.Helper()
	c, found := catalog.Load(tree())
	if err := found.Err(); err != nil {
		t.Fatal(found)
	}
	selection, err := catalog.Select(c.Bundles["well"])
	if err != nil {
		t.Fatal(err)
	}
	log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(t.TempDir(), "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("UTC+8", 8*3600))
	o := &office{t: t, log: log, clock: follow.NewStandingClock(start), selection: selection, dir: t.TempDir(), worked: make(chan error, 1000), logs: &bytes.Buffer{}, versions: map[string]uint64{}}
	o.answer(map[string]string{"form.me.name": applicantName, "form.me.phone": applicantPhone, "form.me.email": applicantMail})
	templates, found := notices.LoadTemplates("", nil)
	if found != nil {
		t.Fatal(found)
	}
	o.config = notices.Config{Engine: o, Templates: templates, Routes: routes, Senders: senders}
	return o
}

// answer makes the record.
func (o *office) answer(answers map[string]string) {
	o.t.Helper()
	values := map[string]*structpb.Value{}
	for path, value := range answers {
		values[path] = structpb.NewStringValue(value)
	}
	var faults []forms.Violation
	if o.record, faults = forms.Decode(values, o.selection.Field); len(faults) > 0 {
		o.t.Fatal(faults)
	}
}

// lockedBuffer is a log that several write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// observed tells of each attempt when it is over.
type observed struct {
	*notices.Handler
	worked chan error
}

func (h observed) Work(ctx context.Context, item follow.Item) error {
	err := h.Handler.Work(ctx, item)
	h.worked <- err
	return err
}

// run runs the follower, until it is stopped; it goes on where an earlier one stood.
func (o *office) run() {
	o.t.Helper()
	logger := slog.New(slog.NewTextHandler(&lockedBuffer{b: o.logs}, nil))
	var err error
	if o.list, err = notices.OpenList(notices.ListConfig{Dir: filepath.Join(o.dir, "list"), Now: o.clock.Now, Logger: logger}); err != nil {
		o.t.Fatal(err)
	}
	c := o.config
	c.States, c.List, c.Now, c.Logger = fold.New(o.log), o.list, o.clock.Now, logger
	handler, err := notices.New(c)
	if err != nil {
		o.t.Fatal(err)
	}
	f, err := follow.Open(follow.Config{Name: "notices", Dir: filepath.Join(o.dir, "work"), Log: o.log, Handler: observed{handler, o.worked}, Clock: o.clock, Logger: logger})
	if err != nil {
		o.t.Fatal(err)
	}
	o.desk = notices.Desk{Handler: handler, Follower: f}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	var once sync.Once
	o.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				o.t.Errorf("follower: %v", err)
			}
			if err := errors.Join(f.Close(), o.list.Close()); err != nil {
				o.t.Error(err)
			}
		})
	}
	o.t.Cleanup(o.stop)
}

// attempt waits for the end of the next attempt.
func (o *office) attempt() error {
	o.t.Helper()
	select {
	case err := <-o.worked:
		if err == nil {
			o.done++
		}
		return err
	case <-time.After(20 * time.Second):
		o.t.Fatal("nothing was attempted")
		return nil
	}
}

// quiet waits until the follower has read the log, and holds that there is no notice but those that were attempted.
func (o *office) quiet(position uint64) {
	o.t.Helper()
	if err := o.desk.Follower.Wait(o.t.Context(), position); err != nil {
		o.t.Fatal(err)
	}
	if list := o.listed(); len(list) != o.done {
		o.t.Errorf("after %d attempts the list says %s", o.done, jsonOf(o.t, list))
	}
}

// commit commits events of the application at the clock's time, and returns the position.
func (o *office) commit(events ...*applicationv1.Event) uint64 { return o.commitTo(id, events...) }

func (o *office) commitTo(id string, events ...*applicationv1.Event) uint64 {
	o.t.Helper()
	a := commitlog.Append{Stream: fold.Stream(id), Expected: o.versions[id]}
	for _, e := range events {
		e = proto.CloneOf(e)
		e.At = timestamppb.New(o.clock.Now())
		b, err := proto.Marshal(e)
		if err != nil {
			o.t.Fatal(err)
		}
		a.Events = append(a.Events, commitlog.Event{Type: "onething.application.v1.Event", Public: b})
	}
	r, err := o.log.Append(o.t.Context(), commitlog.Commit{RequestID: fmt.Sprint(o.versions[id]), Digest: bytes.Repeat([]byte{1}, 32), At: o.clock.Now(), Appends: []commitlog.Append{a}})
	if err != nil {
		o.t.Fatal(err)
	}
	o.versions[id] += uint64(len(events))
	return r.Position
}

// submitted is an application that waits for no check, and accepted one with it.
func (o *office) submitted() *applicationv1.Event {
	return &applicationv1.Event{Kind: &applicationv1.Event_Submitted{Submitted: &applicationv1.Submitted{
		Number: "A100", Received: "2026-03-02", Place: "321322", NoticeDue: due("2026-03-09"),
		Cases: []*applicationv1.SubmittedCase{{Bundle: "well", Digest: o.selection.Bundle("well").Digest, Number: "C100", Verdict: "ELIGIBLE", Steps: []string{"permit"}}},
	}}}
}

func accepted() *applicationv1.Event {
	return &applicationv1.Event{Kind: &applicationv1.Event_Accepted{Accepted: &applicationv1.Accepted{Bundle: "well", By: applicationv1.Accepted_BY_CLERK, AsOf: "2026-03-02", Due: due("2026-03-16")}}}
}

func due(date string) *applicationv1.Due { return &applicationv1.Due{Date: date} }

// Open implements [notices.Engine].
func (o *office) Open(ctx context.Context, id string, version uint64) (*notices.Application, error) {
	if o.forgotten {
		return nil, nil
	}
	a := &notices.Application{State: application.State{ID: id}, Selection: o.selection, Record: o.record}
	for e, err := range o.log.Read(ctx, fold.Stream(id), 0) {
		if err != nil {
			return nil, err
		}
		if e.Version > version {
			break
		}
		if a.Event, err = fold.Decode(&e); err != nil {
			return nil, err
		}
		a.State = application.Evolve(a.State, a.Event)
	}
	return a, nil
}

// listed returns the whole list, the newest first.
func (o *office) listed() []notices.Notice {
	o.t.Helper()
	list, next, err := o.list.List("", 1000, "")
	if err != nil || next != "" {
		o.t.Fatal(err, next)
	}
	return list
}

// recorder is a sender that keeps what it is given, and fails as the test says.
type recorder struct {
	mu   sync.Mutex
	sent []notices.Message
	fail func(attempt int) error
}

func (r *recorder) Send(_ context.Context, m notices.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, m)
	if r.fail != nil {
		return r.fail(len(r.sent))
	}
	return nil
}

func (r *recorder) all() []notices.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]notices.Message(nil), r.sent...)
}

// everybody is told by one way.
func everybody(by string) notices.Routes {
	office := notices.Route{By: []string{by}, To: []string{"hall@example.org"}}
	return notices.Routes{Applicants: notices.Route{By: []string{by}}, Clerks: office, Officers: office}
}

// applicants are told by one way, and nobody else.
func applicants(by string) notices.Routes {
	return notices.Routes{Applicants: notices.Route{By: []string{by}}}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
