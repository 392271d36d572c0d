package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// checking lets the household plugin check.
func checking(cfg *engine.Config) {
	cfg.Hooks = func(plugin string) []string {
		if plugin == "public_security/household" {
			return []string{"check"}
		}
		return nil
	}
}

// checked files an application whose household step is being checked, and returns its id.
func (h *house) checked(t testing.TB, who draft.Owner) string {
	t.Helper()
	d := h.draftOf(t, who)
	_, _, err := h.Submit(t.Context(), engine.Filing{Draft: d.ID, Expected: d.Revision, Owners: []draft.Owner{who}},
		engine.Call{Request: request("submit", "it"), Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}})
	if err != nil {
		t.Fatal(err)
	}
	return d.ID
}

// attempt records that an attempt of the check failed, with what the plugin wrote: a commit that can be repeated.
func (h *house) attempt(ctx context.Context, id string, attempt int32, writes *keyvalue.Changes) error {
	_, err := h.Do(ctx, engine.Call{Application: id, Request: engine.Request{ID: fmt.Sprint("check/", attempt)}, Writes: writes,
		Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_PLUGIN, Department: "public_security", Id: "public_security/household"},
		Command: func(context.Context, *engine.Dossier) (application.Command, error) {
			return application.RecordCheck{Bundle: "newborn", Step: "household", Revision: 1, Attempt: attempt, Failure: "trapped"}, nil
		}})
	return err
}

// increment is what a plugin does that counts in its department's store.
func increment(s keyvalue.State) *keyvalue.Changes {
	value, version := s.Get("count")
	n, _ := strconv.Atoi(string(value))
	return &keyvalue.Changes{Department: "public_security", Read: map[string]uint64{"count": version}, Written: map[string][]byte{"count": []byte(strconv.Itoa(n + 1))}}
}

func (h *house) count(t testing.TB) string {
	t.Helper()
	s, err := h.Store(t.Context(), "public_security")
	if err != nil {
		t.Fatal(err)
	}
	value, _ := s.Get("count")
	return string(value)
}

// Calls that count at the same time never lose one, and what they counted is there after a restart.
func TestDo_ConcurrentWritesLoseNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, checking)
	const applications, attempts = 3, 5
	var ids []string
	for i := range applications {
		ids = append(ids, h.checked(t, draft.Owner(fmt.Sprint("principal/", i))))
	}
	var group sync.WaitGroup
	for _, id := range ids {
		group.Go(func() {
			for attempt := int32(1); attempt <= attempts; {
				s, err := h.Store(t.Context(), "public_security")
				if err != nil {
					t.Error(err)
					return
				}
				switch err := h.attempt(t.Context(), id, attempt, increment(s)); {
				case err == nil:
					attempt++
				case !errors.Is(err, keyvalue.ErrChanged):
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if got := h.count(t); got != strconv.Itoa(applications*attempts) {
		t.Errorf("counted %s, want %d", got, applications*attempts)
	}
	events := 0
	for event, err := range h.log.Read(t.Context(), keyvalue.Stream("public_security"), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if events++; bytes.Contains(event.Public, []byte("count")) || event.Key != "department/public_security" {
			t.Errorf("event %d: key %s, public %q", events, event.Key, event.Public)
		}
	}
	if events != applications*attempts {
		t.Errorf("%d events, want %d", events, applications*attempts)
	}
	h.close()
	if got := open(t, dir, checking).count(t); got != strconv.Itoa(applications*attempts) {
		t.Errorf("after a restart %s are counted", got)
	}
}

func TestDo_WritesAreOneCommitWithTheAnswer(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), checking)
	id := h.checked(t, owner)
	position := func() (at uint64) {
		d, err := h.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return uint64(d.State.Version)
	}
	expect := func(what, want string) {
		t.Helper()
		if got := h.count(t); got != want {
			t.Errorf("after %s %q is counted, want %q", what, got, want)
		}
	}
	empty, err := h.Store(t.Context(), "public_security")
	if err != nil {
		t.Fatal(err)
	}
	// A command that is refused leaves nothing.
	if _, refused := errors.AsType[*refusal.Refusal](h.attempt(t.Context(), id, 7, increment(empty))); !refused {
		t.Error("an attempt that is not awaited is taken")
	}
	expect("a refused command", "")
	// The commit is on disk when the caller's process fails: asked again, it writes nothing twice.
	h.log.after = func(c commitlog.Commit) error {
		h.log.after = nil
		if len(c.Appends) != 2 || c.Appends[1].Stream != keyvalue.Stream("public_security") {
			t.Errorf("the commit has %d appends", len(c.Appends))
		}
		return errors.New("the process ends")
	}
	if err := h.attempt(t.Context(), id, 1, increment(empty)); err == nil {
		t.Fatal("the process did not end")
	}
	expect("an interrupted call", "1")
	if err := h.attempt(t.Context(), id, 1, increment(empty)); err != nil {
		t.Fatal(err)
	}
	expect("the same call again", "1")
	// What was read has changed since: neither the answer nor the write is committed.
	before := position()
	if err := h.attempt(t.Context(), id, 2, increment(empty)); !errors.Is(err, keyvalue.ErrChanged) {
		t.Errorf("a write over what was not read: %v", err)
	}
	expect("a write over what was not read", "1")
	if position() != before {
		t.Error("the answer of a call that has to be asked again was committed")
	}
	now, err := h.Store(t.Context(), "public_security")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.attempt(t.Context(), id, 2, increment(now)); err != nil {
		t.Fatal(err)
	}
	expect("the next call", "2")
	if value, _ := now.Get("count"); string(value) != "1" {
		t.Errorf("what a call reads has changed under it: %s", value)
	}
}
