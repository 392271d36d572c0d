package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// newborn is a newborn's record for which no allowance is claimed; everything is there.
const newborn = `{
  "form.mother.name": "周晓岚", "form.mother.id_no": "321323199604120423", "form.mother.birth": "1996-04-12", "form.mother.phone": "13812345601", "form.mother.hukou": "here",
  "form.mother.live_addr": {"region": "321323", "text": "众兴街道桃源路 18 号"},
  "form.father.name": "陈立新", "form.father.id_no": "321323199408030316", "form.father.birth": "1994-08-03", "form.father.phone": "13812345602", "form.father.hukou": "here",
  "form.newborn.name": "陈予安", "form.newborn.gender": "female", "form.newborn.birth_date": "2026-03-02", "form.newborn.birth_place": "in_county", "form.newborn.hospital": "县妇幼保健院", "form.newborn.cert_no": null,
  "form.household_register.addr": {"region": "321323", "text": "众兴街道桃源路 18 号"}, "form.household_register.head_name": "陈国强", "form.household_register.head_id": "32132319660918035X", "form.household_register.kind": "family",
  "form.agent.is_agent": false, "form.delivery.method": "counter",
  "own.newborn.single_parent": false, "own.newborn.wedlock": "married", "own.newborn.agreed": true, "own.newborn.insured": false, "own.newborn.insure_year": 2026, "own.newborn.card_bank": "rural"}`

const owner = draft.Owner("principal/mother")

// matters are the four matters, loaded once for all tests.
var matters = sync.OnceValues(func() (*catalog.Catalog, error) {
	c, found := catalog.Load(examples.Only(examples.Matters()...))
	return c, found.Err()
})

// compiled is what comes of their bundles, shared by all tests.
var compiled = sync.OnceValue(func() *catalog.Compiled {
	c, _ := matters()
	return c.Compiled()
})

// interrupted is a log whose appends come to another end than their callers': the commit is made first.
type interrupted struct {
	commitlog.Log
	after func(commitlog.Commit) error // called when the commit is on disk; its error is the caller's
	// late is called before the commit of an application, if it is set. A caller whose ctx has ended then gets its answer,
	// and the commit is made when the returned channel is closed.
	late func() <-chan struct{}
	done sync.WaitGroup
}

func (l *interrupted) Append(ctx context.Context, c commitlog.Commit) (commitlog.Receipt, error) {
	if l.late != nil && strings.HasPrefix(c.Appends[0].Stream, engine.Stream("")) {
		if wait := l.late(); ctx.Err() != nil {
			l.done.Go(func() { <-wait; _, _ = l.Log.Append(context.WithoutCancel(ctx), c) })
			return commitlog.Receipt{}, ctx.Err()
		}
	}
	r, err := l.Log.Append(context.WithoutCancel(ctx), c)
	if err == nil && l.after != nil {
		err = l.after(c)
	}
	if err == nil {
		err = ctx.Err()
	}
	return r, err
}

// house is an engine on stores on disk, which can be stopped and opened again.
type house struct {
	*engine.Engine
	log    *interrupted
	keys   *seal.Store
	drafts *draft.Store
	now    time.Time
	close  func()
}

// open opens the stores of a folder; change may change what the engine stands on.
func open(t testing.TB, dir string, change func(*engine.Config)) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 3, 16, 9, 0, 0, 0, time.FixedZone("UTC+8", 8*60*60))}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(dir, "log"), Logger: quiet, MinFree: 1})
	must(err)
	h.log = &interrupted{Log: log}
	keyset := filepath.Join(dir, "key.json")
	if _, err := os.Stat(keyset); err != nil {
		must(seal.GenerateKeyset(keyset))
	}
	kek, err := seal.ReadKeyset(keyset)
	must(err)
	h.keys, err = seal.Open(seal.Config{Dir: filepath.Join(dir, "keys"), KeyEncryption: kek})
	must(err)
	blobs, err := blob.Open(filepath.Join(dir, "blobs"))
	must(err)
	h.drafts, err = draft.Open(t.Context(), draft.Config{Dir: filepath.Join(dir, "drafts"), Keys: h.keys, Now: func() time.Time { return h.now }, Logger: quiet,
		Submitted: func(ctx context.Context, id string) (bool, error) {
			for _, err := range log.Read(ctx, engine.Stream(id), 0) {
				return err == nil, err
			}
			return false, nil
		}})
	must(err)
	tree, err := matters()
	must(err)
	offered := map[string]bool{}
	for _, b := range tree.Bundles {
		for _, s := range b.Steps {
			offered[s.Plugin] = true
		}
	}
	cfg := engine.Config{Log: h.log, Keys: h.keys, Blobs: blobs, Drafts: h.drafts, Now: func() time.Time { return h.now }, Place: "321323", Offered: offered, Compiled: compiled(), Logger: quiet}
	if change != nil {
		change(&cfg)
	}
	h.Engine, err = engine.Open(t.Context(), cfg)
	must(err)
	must(h.Seed(t.Context(), engine.Seed{Catalog: tree, CalendarName: holidays.File, Calendar: holidays.Source()}))
	var once sync.Once
	h.close = func() {
		once.Do(func() {
			must(h.drafts.Close())
			must(blobs.Close())
			must(h.keys.Close())
			must(log.Close())
		})
	}
	t.Cleanup(h.close)
	return h
}

// request is a request with a content.
func request(id, content string) engine.Request {
	return engine.Request{ID: id, Subject: "r-1", Content: wrapperspb.String(content)}
}

// draft begins a newborn's draft with everything that is asked for.
func (h *house) draft(t testing.TB) *engine.Drafted {
	t.Helper()
	return h.draftOf(t, owner)
}

// draftOf begins it for one of many owners.
func (h *house) draftOf(t testing.TB, owner draft.Owner) *engine.Drafted {
	t.Helper()
	answers := map[string]any{}
	if err := json.Unmarshal([]byte(newborn), &answers); err != nil {
		t.Fatal(err)
	}
	record := &formsv1.Record{Answers: map[string]*structpb.Value{}}
	for p, v := range answers {
		value, err := structpb.NewValue(v)
		if err != nil {
			t.Fatal(err)
		}
		record.Answers[p] = value
	}
	d, err := h.CreateDraft(t.Context(), owner, request("begin", "newborn"), []string{"newborn"}, record)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range d.Assessed.Materials {
		file := h.upload(t, d.ID, m.Key)
		if _, err := h.AddFile(t.Context(), []draft.Owner{owner}, d.ID, request("file/"+m.Key, m.Key), file); err != nil {
			t.Fatal(err)
		}
	}
	if d, err = h.Draft(t.Context(), []draft.Owner{owner}, d.ID); err != nil {
		t.Fatal(err)
	}
	return d
}

func (h *house) upload(t testing.TB, id, material string) *applicationv1.MaterialFile {
	t.Helper()
	file, err := h.PutMaterial(t.Context(), id, &applicationv1.MaterialFile{Material: material, Name: "a.pdf", MediaType: "application/pdf"},
		stringReader("%PDF-1.7 "+material), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// submit files a draft under one request id.
func (h *house) submit(ctx context.Context, d *engine.Drafted) (*engine.Answer, error) {
	answer, _, err := h.Submit(ctx, engine.Filing{Draft: d.ID, Expected: d.Revision, Owners: []draft.Owner{owner}},
		engine.Call{Request: request("submit", "it"), Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}})
	return answer, err
}

// A crash, or a caller that goes away, between the commit of a submission and the end of its draft.
func TestSubmit_InterruptedAfterTheCommit(t *testing.T) {
	t.Parallel()
	crashed := errors.New("crashed")
	for _, tt := range []struct {
		name string
		ends func(cancel func()) error // what happens when the submission is on disk
		want error
	}{
		{"a crash", func(func()) error { return crashed }, crashed},
		{"a caller that goes away", func(cancel func()) error { cancel(); return nil }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			h := open(t, dir, nil)
			d := h.draft(t)
			if _, err := h.submit(t.Context(), &engine.Drafted{Draft: &draft.Draft{ID: d.ID, Revision: 99}}); !errors.Is(err, draft.ErrStale) {
				t.Fatalf("a stale revision: %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			h.log.after = func(c commitlog.Commit) error {
				if c.Appends[0].Stream != engine.Stream(d.ID) {
					return nil
				}
				return tt.ends(cancel)
			}
			if _, err := h.submit(ctx, d); tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("submission ended with %v", err)
			}
			h.close()

			h = open(t, dir, nil)
			if _, err := h.Draft(t.Context(), []draft.Owner{owner}, d.ID); !errors.Is(err, draft.ErrNotFound) {
				t.Errorf("the draft of a filed application: %v", err)
			}
			if err := h.drafts.Delete(t.Context(), d.ID); err != nil {
				t.Error(err)
			}
			h.now = h.now.Add(draft.DefaultLifetime + time.Hour)
			if _, err := h.drafts.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			loaded, err := h.Load(t.Context(), d.ID)
			if err != nil {
				t.Fatal(err)
			}
			if loaded.Forgotten || loaded.State.Number == "" {
				t.Error("the key of a filed application went with its draft")
			}
			if name, _ := loaded.Record.Get("form.mother.name"); name != kind.Text("周晓岚") {
				t.Error("the record is not there")
			}
			again, err := h.submit(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			if again.Dossier.State.Number != loaded.State.Number || again.Version != loaded.State.Version {
				t.Errorf("the same request once more: number %s, version %d", again.Dossier.State.Number, again.Version)
			}
			if _, content, err := h.OpenFile(t.Context(), d.ID, loaded.Files["household_book"].GetBlob()); err != nil {
				t.Errorf("an uploaded material: %v", err)
			} else {
				content.Close()
			}
		})
	}
}

// A caller that goes away while the commit is on its way, and a draft that is deleted before it arrives: the application
// keeps its key, or there is none.
func TestSubmit_DeletedWhileItsCommitIsOnItsWay(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	d := h.draft(t)
	ctx, cancel := context.WithCancel(t.Context())
	arrive := make(chan struct{})
	h.log.late = func() <-chan struct{} { cancel(); return arrive }
	_, _ = h.submit(ctx, d)
	h.log.late = nil
	if err := h.DeleteDraft(t.Context(), []draft.Owner{owner}, d.ID); err != nil && !errors.Is(err, draft.ErrNotFound) {
		t.Fatal(err)
	}
	close(arrive)
	h.log.done.Wait()
	switch loaded, err := h.Load(t.Context(), d.ID); {
	case errors.Is(err, engine.ErrNotFound):
	case err != nil:
		t.Fatal(err)
	case loaded.Forgotten:
		t.Error("a filed application whose key was destroyed with its draft")
	}
}

// A crash between the write of a file and the commit that names it: the file is nobody's, and the upload is made again.
func TestUpload_InterruptedBeforeItIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, nil)
	d, err := h.CreateDraft(t.Context(), owner, request("begin", "newborn"), []string{"newborn"}, &formsv1.Record{})
	if err != nil {
		t.Fatal(err)
	}
	lost := h.upload(t, d.ID, "household_book")
	h.close()

	h = open(t, dir, nil)
	again, err := h.Draft(t.Context(), []draft.Owner{owner}, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Files) != 0 || again.Revision != d.Revision {
		t.Errorf("%d files, revision %d", len(again.Files), again.Revision)
	}
	file := h.upload(t, d.ID, "household_book")
	saved, err := h.AddFile(t.Context(), []draft.Owner{owner}, d.ID, request("file", "it"), file)
	if err != nil {
		t.Fatal(err)
	}
	if len(saved.Files) != 1 || saved.Files[0].GetBlob() != file.GetBlob() || lost.GetBlob() == file.GetBlob() {
		t.Errorf("files %v", saved.Files)
	}
	// What was lost is still sealed with the draft's key, so it ends with it.
	if err := h.DeleteDraft(t.Context(), []draft.Owner{owner}, d.ID); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*applicationv1.MaterialFile{lost, file} {
		if _, _, err := h.OpenFile(t.Context(), d.ID, f.GetBlob()); !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("a file of a deleted draft: %v", err)
		}
	}
}

// calendar is a calendar that differs from another one.
func calendar(comment string) registry.PublishCalendar {
	return registry.PublishCalendar{Name: holidays.File, Text: append([]byte("# "+comment+"\n"), holidays.Source()...)}
}

func TestPublish_RepeatedRequest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, nil)
	first, err := h.Publish(t.Context(), "one", "operator", calendar("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Publish(t.Context(), "two", "operator", calendar("two")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h.now = h.now.Add(time.Minute)
		if again, err := h.Publish(t.Context(), "one", "operator", calendar("one")); err != nil || again.Position != first.Position || !proto.Equal(again.Event, first.Event) {
			t.Errorf("the same request once more: %v, want %v, error %v", again, first, err)
		}
		if got := string(h.InForce().State.Calendar.Content); got != string(calendar("two").Text) {
			t.Error("a repeated request undid a later one")
		}
		if _, err := h.Publish(t.Context(), "one", "operator", calendar("three")); !errors.Is(err, commitlog.ErrRequestReused) {
			t.Errorf("the same id for something else: %v", err)
		}
		h.close()
		h = open(t, dir, nil)
	}
}

// A caller that goes away while numbers are reserved leaves an engine that files on.
func TestSubmit_AfterAnInterruptedReservation(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	d := h.draft(t)
	ctx, cancel := context.WithCancel(t.Context())
	h.log.after = func(commitlog.Commit) error { cancel(); return nil }
	_, _ = h.submit(ctx, d)
	h.log.after = nil
	if _, err := h.submit(t.Context(), d); err != nil {
		t.Errorf("the next submission: %v", err)
	}
	if _, err := h.Publish(t.Context(), "reserve", "test", registry.ReserveNumbers{N: 1}); err != nil {
		t.Errorf("the next reservation: %v", err)
	}
}

// What is committed behind a calendar was decided with it.
func TestDo_NoDecisionOverlapsACalendar(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	d := h.draft(t)
	if _, err := h.submit(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	published := make(chan uint64, 1)
	var position uint64
	h.log.after = func(commitlog.Commit) error { // a decision has just been committed; its answer is not there yet
		h.log.after = nil
		go func() {
			p, err := h.Publish(t.Context(), "calendar", "operator", calendar("new"))
			if err != nil {
				t.Error(err)
				p = &engine.Publication{}
			}
			published <- p.Position
		}()
		select {
		case p := <-published:
			t.Error("a calendar was published while a decision was under way")
			published <- p
		case <-time.After(200 * time.Millisecond):
		}
		return nil
	}
	answer, err := h.Do(t.Context(), engine.Call{Application: d.ID, Request: engine.Request{ID: "withdraw"}, Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT},
		Command: func(context.Context, *engine.Dossier) (application.Command, error) {
			return application.Withdraw{}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if position = <-published; position <= answer.Position {
		t.Errorf("calendar at %d, decision at %d", position, answer.Position)
	}
}

// Facts that a source cannot give are unknown: neither a refusal nor a failure.
type silentFacts struct{}

func (silentFacts) Fact(context.Context, string, string, string) (kind.Value, kind.Date, bool, error) {
	return nil, kind.Date{}, false, errors.New("the credit list does not answer")
}

// datedFacts know that nobody is on the credit list, as of a day.
type datedFacts struct{ asOf kind.Date }

func (f datedFacts) Fact(context.Context, string, string, string) (kind.Value, kind.Date, bool, error) {
	return kind.Bool(false), f.asOf, true, nil
}

// What a source says is known as long as it is fresh: of the credit list, for a working day. It is Monday.
func TestFacts_AreFreshOrNotKnown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, asOf string
		want       rule.Truth
	}{
		{"now", "", rule.True},
		{"as of today", "2026-03-16", rule.True},
		{"a working day old, over a weekend", "2026-03-13", rule.True},
		{"two working days old", "2026-03-12", rule.Unknown},
		{"of a year whose calendar nobody has", "1999-03-12", rule.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asOf, _ := kind.ParseDate(tt.asOf)
			h := open(t, t.TempDir(), func(c *engine.Config) { c.Facts = datedFacts{asOf} })
			for _, m := range h.draft(t).Assessed.Cases[0].Materials {
				if m.Promise != nil && m.Promisable.Truth != tt.want {
					t.Errorf("a promise for %s is open: %s, want %s", m.ID, m.Promisable.Truth, tt.want)
				}
			}
		})
	}
}

func TestFacts_ASourceThatFailsIsSilent(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), func(c *engine.Config) { c.Facts = silentFacts{} })
	d := h.draft(t)
	if _, err := h.submit(t.Context(), d); err != nil {
		t.Errorf("a submission while a source fails: %v", err)
	}
}

// A rule that cannot be computed is a clerk's matter, and an alarm that names it and nothing of the applicant.
func TestSubmit_ARuleThatCannotBeComputed(t *testing.T) {
	t.Parallel()
	var told bytes.Buffer
	h := open(t, t.TempDir(), func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&told, nil)) })
	const text = `bundle: sums
name: { zh: 计算一件事 }
level: COUNTY
lead: health
applicant: [me]
form: [{ section: person_identity, as: me }]
own: [{ field: n, kind: INT, name: { zh: 数 }, required: true }, { field: square, kind: INT, derive: "own.n * own.n" }]
eligibility:
  - { id: large, require: own.square > 1, because: { zh: 够大 }, remedy: { zh: 再来 } }
  - { id: some, require: own.n > 1, because: { zh: 不止一个 }, remedy: { zh: 再来 } }
steps: [{ id: do, name: { zh: 办 }, department: health, promised: { working_days: 1 }, needs: { fields: [me.name] } }]
`
	if _, err := h.Publish(t.Context(), "sums", "f-1", registry.PublishBundle{Name: catalog.BundleFile("sums"), Text: []byte(text), Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
	const n = 7_654_321_987_654
	record := &formsv1.Record{Answers: map[string]*structpb.Value{"form.me.name": structpb.NewStringValue("周晓岚"), "own.sums.n": structpb.NewNumberValue(n)}}
	d, err := h.CreateDraft(t.Context(), owner, request("begin", "sums"), []string{"sums"}, record)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.submit(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	c := answer.Dossier.State.Cases[0]
	if diff := cmp.Diff([]string{"large"}, c.Undecided); diff != "" || len(c.Failing) > 0 {
		t.Errorf("failing %v, undecided (-want +got):\n%s", c.Failing, diff)
	}
	if log := told.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "bundle=sums") || !strings.Contains(log, "rule=large") || strings.Contains(log, "rule=some") || strings.Contains(log, strconv.Itoa(n)) {
		t.Errorf("the operator is told:\n%s", log)
	}
}

func stringReader(s string) *strings.Reader { return strings.NewReader(s) }
