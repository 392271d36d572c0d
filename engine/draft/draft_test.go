package draft_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/seal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

const secret = "沭阳县人民路一号"

// office is a store of drafts with everything around it, so that a test can close and open it, move its clock, and
// say what the log has.
type office struct {
	t    testing.TB
	dir  string
	keys *seal.Store
	*draft.Store

	mu        sync.Mutex
	now       time.Time
	submitted map[string]bool
	free      atomic.Uint64 // bytes on the disk
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), submitted: map[string]bool{}}
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
	o.free.Store(durable.DefaultMinFree)
	o.open()
	t.Cleanup(func() { _ = errors.Join(o.Close(), o.keys.Close()) })
	return o
}

func (o *office) open() {
	o.t.Helper()
	s, err := draft.Open(o.t.Context(), draft.Config{
		Dir: filepath.Join(o.dir, "drafts"), Keys: o.keys, Now: o.clock, Logger: slog.New(slog.DiscardHandler),
		Space: durable.Space{Free: func(string) (uint64, error) { return o.free.Load(), nil }},
		Submitted: func(_ context.Context, id string) (bool, error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			return o.submitted[id], nil
		},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.Store = s
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *office) file(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.submitted[id] = true
}

func request(id string) draft.Request { return draft.Request{ID: id, Digest: []byte("asked " + id)} }

func (o *office) begin(owner, id string) *draft.Draft {
	o.t.Helper()
	d, err := o.Create(o.t.Context(), draft.Owner(owner), request(id), func(d *draft.Draft) error {
		d.Bundles = []string{"newborn"}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return d
}

func answer(text string) func(*draft.Draft) error {
	return func(d *draft.Draft) error {
		if d.Record.Answers == nil {
			d.Record.Answers = map[string]*structpb.Value{}
		}
		d.Record.Answers["form.mother.address"] = structpb.NewStringValue(text)
		return nil
	}
}

// hasKey reports whether the application's key is there.
func (o *office) hasKey(id string) bool {
	o.t.Helper()
	_, err := o.keys.Seal(o.t.Context(), seal.ForApplication(id), nil, nil)
	if err != nil && !errors.Is(err, seal.ErrNoKey) {
		o.t.Fatal(err)
	}
	return err == nil
}

func TestSave(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r1")
	o.pass(time.Hour)
	full := func(d *draft.Draft) error {
		d.Files = []*applicationv1.MaterialFile{{Material: "marriage_certificate", Name: "证.pdf", Blob: "ab", MediaType: "application/pdf", Size: 7}}
		d.Promises = []*applicationv1.SignedPromise{{Material: "birth_certificate", Text: "承诺"}}
		d.Tolerated = []string{"photo"}
		return answer(secret)(d)
	}
	saved, revision, err := o.Save(t.Context(), d.ID, 1, request("s1"), full)
	if err != nil || revision != 2 || saved.Revision != 2 {
		t.Fatalf("saved revision %d, %v", revision, err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.open() // on another day
	got, err := o.Load(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := &draft.Draft{
		ID: d.ID, Owner: "a", Revision: 2, Created: d.Created, Saved: o.clock(), Expires: o.clock().Add(draft.DefaultLifetime),
		Bundles:   []string{"newborn"},
		Record:    &formsv1.Record{Answers: map[string]*structpb.Value{"form.mother.address": structpb.NewStringValue(secret)}},
		Files:     saved.Files,
		Promises:  saved.Promises,
		Tolerated: []string{"photo"},
	}
	opts := cmp.Options{protocmp.Transform(), cmp.FilterPath(func(p cmp.Path) bool {
		return p.String() == "requests" || p.String() == "creation"
	}, cmp.Ignore())}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Error("loaded draft (-want +got):\n" + diff)
	}

	for _, tt := range []struct {
		name     string
		expected int64
		request  draft.Request
		change   func(*draft.Draft) error
		want     error
		revision int64
	}{
		{name: "a repeated request gets its revision and changes nothing", expected: 1, request: request("s1"), change: answer("else"), revision: 2},
		{name: "the same id with another body is refused", expected: 2, request: draft.Request{ID: "s1", Digest: []byte("other")}, change: answer("else"), want: draft.ErrRequestReused},
		{name: "a save on an older revision is refused", expected: 1, request: request("s2"), change: answer("else"), want: draft.ErrStale},
		{name: "an error of the change saves nothing", expected: 2, request: request("s3"), change: func(*draft.Draft) error { return context.Canceled }, want: context.Canceled},
		{name: "too much is refused", expected: 2, request: request("s4"), change: answer(strings.Repeat("x", draft.MaxContent)), want: draft.ErrTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, revision, err := o.Save(t.Context(), d.ID, tt.expected, tt.request, tt.change)
			if !errors.Is(err, tt.want) || revision != tt.revision {
				t.Errorf("got revision %d, error %v, want %d, %v", revision, err, tt.revision, tt.want)
			}
			if stale := (*draft.StaleError)(nil); errors.As(err, &stale) && stale.Current != 2 {
				t.Errorf("stale error says %d", stale.Current)
			}
			if after, err := o.Load(t.Context(), d.ID); err != nil || cmp.Diff(got, after, opts) != "" {
				t.Errorf("draft changed: %v", err)
			}
		})
	}
	if _, _, err := o.Save(t.Context(), "00000000-0000-4000-8000-000000000000", 1, request("s5"), answer("")); !errors.Is(err, draft.ErrNotFound) {
		t.Errorf("save of no draft: %v", err)
	}
}

func TestSave_RemembersTheLastRequests(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	for i := range int64(draft.Requests + 1) {
		if _, _, err := o.Save(t.Context(), d.ID, i+1, request(fmt.Sprint("s", i)), answer(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, revision, err := o.Save(t.Context(), d.ID, 1, request("s1"), answer("")); err != nil || revision != 3 {
		t.Errorf("the oldest request that is remembered made revision %d, %v", revision, err)
	}
	if _, _, err := o.Save(t.Context(), d.ID, 1, request("s0"), answer("")); !errors.Is(err, draft.ErrStale) {
		t.Errorf("a forgotten request: %v", err)
	}
}

func TestSave_OneOfManyWins(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, _, errs[i] = o.Save(t.Context(), d.ID, 1, request(fmt.Sprint(i)), answer(fmt.Sprint(i))) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, draft.ErrStale) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d saves of one revision won", won)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	if again := o.begin("a", "r"); again.ID != d.ID {
		t.Error("a repeated request began another draft")
	}
	if other := o.begin("b", "r"); other.ID == d.ID {
		t.Error("another owner's request found the draft")
	}
	_, err := o.Create(t.Context(), "a", draft.Request{ID: "r", Digest: []byte("other")}, func(*draft.Draft) error { return nil })
	if !errors.Is(err, draft.ErrRequestReused) {
		t.Errorf("the same request with another body: %v", err)
	}
	if _, err := o.Create(t.Context(), "", request("x"), func(*draft.Draft) error { return nil }); !errors.Is(err, draft.ErrInvalid) {
		t.Errorf("a draft of nobody: %v", err)
	}
	if err := o.Delete(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	if again := o.begin("a", "r"); again.ID == d.ID {
		t.Error("a deleted draft came back")
	}
	before := countKeys(t, o.dir)
	if _, err := o.Create(t.Context(), "a", request("large"), answer(strings.Repeat("x", draft.MaxContent))); !errors.Is(err, draft.ErrTooLarge) {
		t.Errorf("too large a draft: %v", err)
	}
	if after := countKeys(t, o.dir); after != before {
		t.Errorf("a draft that could not be saved left %d keys", after-before)
	}
}

func TestKeyLivesWithTheDraft(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, tt := range []struct {
		name string
		end  func(id string) error
		key  bool
	}{
		{name: "deleted", end: func(id string) error { return o.Delete(t.Context(), id) }},
		{name: "expired", end: func(string) error {
			o.pass(draft.DefaultLifetime)
			n, err := o.Sweep(t.Context())
			if n == 0 {
				t.Error("nothing was swept")
			}
			return err
		}},
		{name: "submitted", key: true, end: func(id string) error {
			_, err := o.Submit(t.Context(), id, 1, request("file"), func(d *draft.Draft) (bool, error) { o.file(d.ID); return false, nil })
			return err
		}},
		{name: "submitted, then a crash, then deleted", key: true, end: func(id string) error {
			o.file(id)
			if _, err := o.Load(t.Context(), id); !errors.Is(err, draft.ErrNotFound) {
				t.Errorf("a submitted draft can be read: %v", err)
			}
			return o.Delete(t.Context(), id)
		}},
		{name: "submitted, then a crash, then swept", key: true, end: func(id string) error {
			o.file(id)
			o.pass(draft.DefaultLifetime)
			_, err := o.Sweep(t.Context())
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := o.begin("a", tt.name)
			if !o.hasKey(d.ID) {
				t.Fatal("a draft without a key")
			}
			if err := tt.end(d.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := o.Load(t.Context(), d.ID); !errors.Is(err, draft.ErrNotFound) {
				t.Errorf("the draft is there: %v", err)
			}
			if got := o.hasKey(d.ID); got != tt.key {
				t.Errorf("key is there: %v, want %v", got, tt.key)
			}
			if drafts, _, err := o.List(t.Context(), "a", draft.Page{Size: 10}); err != nil || len(drafts) != 0 {
				t.Errorf("%d drafts are listed, %v", len(drafts), err)
			}
		})
	}
}

func TestSubmit_Refused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	never := func(*draft.Draft) (bool, error) { t.Error("submitted"); return false, nil }
	if _, err := o.Submit(t.Context(), d.ID, 7, request("f"), never); !errors.Is(err, draft.ErrStale) {
		t.Errorf("another revision: %v", err)
	}
	refused := errors.New("refused")
	if _, err := o.Submit(t.Context(), d.ID, 1, request("f"), func(*draft.Draft) (bool, error) { return false, refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if _, err := o.Load(t.Context(), d.ID); err != nil {
		t.Errorf("a refused draft is gone: %v", err)
	}
	o.pass(draft.DefaultLifetime)
	if _, err := o.Submit(t.Context(), d.ID, 1, request("f"), never); !errors.Is(err, draft.ErrNotFound) {
		t.Errorf("an expired draft: %v", err)
	}
}

func TestSweep_KeepsWhatWasSavedSince(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	kept, left := o.begin("a", "kept"), o.begin("a", "left")
	o.pass(draft.DefaultLifetime / 2)
	if _, _, err := o.Save(t.Context(), kept.ID, 1, request("s"), answer("x")); err != nil {
		t.Fatal(err)
	}
	o.pass(draft.DefaultLifetime / 2)
	if n, err := o.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if !o.hasKey(kept.ID) || o.hasKey(left.ID) {
		t.Error("the wrong draft was swept")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var want []string
	for i := range 5 {
		want = append([]string{o.begin("a", fmt.Sprint(i)).ID}, want...)
		o.begin("ab", fmt.Sprint(i))
		o.pass(time.Second)
	}
	oldest := want[4]
	if _, _, err := o.Save(t.Context(), oldest, 1, request("s"), answer("x")); err != nil {
		t.Fatal(err)
	}
	want = append([]string{oldest}, want[:4]...)
	var got []string
	token := ""
	for range 4 {
		drafts, next, err := o.List(t.Context(), "a", draft.Page{Size: 2, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range drafts {
			got = append(got, d.ID)
		}
		if token = next; token == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("listed (-want +got):\n" + diff)
	}
	for _, token := range []string{"?", "AAAA"} {
		if _, _, err := o.List(t.Context(), "a", draft.Page{Size: 2, Token: token}); !errors.Is(err, draft.ErrInvalid) {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

// A process that ends without closing the store has everything on disk that it acknowledged, and a copy of its folder
// taken meanwhile is what a crash would leave.
// All drafts that can be used are yielded once, also from a store that is opened to be read only.
func TestAll(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	over := o.begin("early", "over")
	o.pass(draft.DefaultLifetime - time.Hour)
	var want []string
	for i := range draft.Batch + 6 {
		want = append(want, o.begin(fmt.Sprintf("owner %d", i%7), fmt.Sprintf("request %d", i)).ID)
	}
	filed, deleted := want[3], want[draft.Batch+4]
	o.file(filed)
	o.pass(2 * time.Hour)
	if err := o.Delete(t.Context(), deleted); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Count(); n != len(want) || err != nil { // without the deleted one, with the one that is over
		t.Errorf("counted %d, %v, want %d", n, err, len(want))
	}
	want = slices.DeleteFunc(want, func(id string) bool { return id == filed || id == deleted })
	slices.Sort(want)
	all := func(s *draft.Store) (ids []string) {
		for d, err := range s.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Bundles) != 1 || d.ID == over.ID {
				t.Errorf("%+v", d)
			}
			ids = append(ids, d.ID)
		}
		slices.Sort(ids)
		return ids
	}
	if d := cmp.Diff(want, all(o.Store)); d != "" {
		t.Error(d)
	}
	for _, err := range o.All(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break // who has seen enough
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := draft.Open(t.Context(), draft.Config{Dir: filepath.Join(o.dir, "drafts"), ReadOnly: true, Keys: o.keys, Now: o.clock, Logger: slog.New(slog.DiscardHandler),
		Submitted: func(_ context.Context, id string) (bool, error) { return id == filed, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, all(s)); d != "" {
		t.Error(d)
	}
	if _, err := s.Create(t.Context(), "somebody", request("new"), func(*draft.Draft) error { return nil }); err == nil {
		t.Error("a draft was begun")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o.open()
}

func TestCrash(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	if _, _, err := o.Save(t.Context(), d.ID, 1, request("s"), answer(secret)); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "drafts")
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(o.dir, "drafts"))); err != nil {
		t.Fatal(err)
	}
	s, err := draft.Open(t.Context(), draft.Config{
		Dir: copied, Keys: o.keys, Now: o.clock, Logger: slog.New(slog.DiscardHandler),
		Submitted: func(context.Context, string) (bool, error) { return false, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	got, err := s.Load(t.Context(), d.ID)
	if err != nil || got.Revision != 2 || got.Record.GetAnswers()["form.mother.address"].GetStringValue() != secret {
		t.Errorf("after the crash: %v, %v", got, err)
	}
}

func TestOpen_DestroysOrphanedKeys(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	// A draft that was never saved, and one that was filed: of a backup the drafts are older than the log.
	const unsaved, filed = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	for _, id := range []string{unsaved, filed} {
		draft.MarkOrphan(t, filepath.Join(o.dir, "drafts"), id)
		if err := o.keys.Create(t.Context(), seal.ForApplication(id)); err != nil {
			t.Fatal(err)
		}
	}
	o.file(filed)
	o.open()
	if o.hasKey(unsaved) {
		t.Error("the key of a draft that was never saved is there")
	}
	if !o.hasKey(d.ID) || !o.hasKey(filed) {
		t.Error("the key of a draft, or of an application, is gone")
	}
	// The marks are gone: what is filed under the id later keeps its key, whatever the log says.
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if marks := draft.Marks(t, filepath.Join(o.dir, "drafts")); len(marks) > 0 {
		t.Errorf("marks that are left: %v", marks)
	}
	o.open()
}

func TestNothingInTheClear(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	if _, _, err := o.Save(t.Context(), d.ID, 1, request("s"), answer(secret)); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	seen := false
	err := fs.WalkDir(os.DirFS(o.dir), "drafts", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(o.dir, path))
		if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte("newborn")) {
			t.Errorf("%s holds an answer in the clear", path)
		}
		seen = seen || bytes.Contains(b, []byte(d.ID))
		return err
	})
	if err != nil || !seen {
		t.Errorf("the files of the store were not read: %v", err)
	}
	o.open()
}

func countKeys(t testing.TB, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(dir, "keys"), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// On a full disk a memory map is the end of the process, so nothing is written, and whoever asks for a draft gets it.
func TestStore_FullDisk(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	empty := func(*draft.Draft) error { return nil }
	d, err := o.Create(t.Context(), "a", draft.Request{ID: "1", Digest: []byte("1")}, empty)
	if err != nil {
		t.Fatal(err)
	}
	o.free.Store(durable.DefaultMinFree - 1)
	if _, err := o.Create(t.Context(), "a", draft.Request{ID: "2", Digest: []byte("2")}, empty); !errors.Is(err, draft.ErrNoSpace) {
		t.Errorf("create: %v", err)
	}
	if _, _, err := o.Save(t.Context(), d.ID, 1, draft.Request{ID: "3", Digest: []byte("3")}, empty); !errors.Is(err, draft.ErrNoSpace) {
		t.Errorf("save: %v", err)
	}
	if err := o.Delete(t.Context(), d.ID); !errors.Is(err, draft.ErrNoSpace) {
		t.Errorf("delete: %v", err)
	}
	if got, err := o.Load(t.Context(), d.ID); err != nil || got.Revision != 1 {
		t.Errorf("load: %v, %v", got, err)
	}
	if list, _, err := o.List(t.Context(), "a", draft.Page{Size: 10}); err != nil || len(list) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	o.free.Store(durable.DefaultMinFree)
	if _, _, err := o.Save(t.Context(), d.ID, 1, draft.Request{ID: "3", Digest: []byte("3")}, empty); err != nil {
		t.Errorf("save with room again: %v", err)
	}
	if err := o.Delete(t.Context(), d.ID); err != nil {
		t.Errorf("delete with room again: %v", err)
	}

	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.free.Store(0)
	if _, err := draft.Open(t.Context(), draft.Config{Dir: filepath.Join(o.dir, "drafts"), Keys: o.keys, Now: o.clock, Logger: slog.New(slog.DiscardHandler),
		Space: durable.Space{Free: func(string) (uint64, error) { return 0, nil }}, Submitted: func(context.Context, string) (bool, error) { return false, nil }}); !errors.Is(err, draft.ErrNoSpace) {
		t.Errorf("opened on a full disk: %v", err)
	}
	o.free.Store(durable.DefaultMinFree)
	o.open()
}
