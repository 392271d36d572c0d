//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/engine/view"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// A backup that is made while applications are drafted, filed and accepted holds all that was acknowledged when it was begun:
// the views that are made of what was restored are those of the server at that position, entry by entry, and another server goes
// on with it.
func TestServer_BackupUnderLoad(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer gone.Close()
	folder := t.TempDir()
	tell := func(c *serverConfig) { c.notices = told(t, t.TempDir(), gone.URL) }
	st := newStage(t, folder, "2026-12-28", io.Discard, tell)
	stop := sync.OnceFunc(func() { st.stop(t) })
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	// What was acknowledged, by the id of the application.
	var mu sync.Mutex
	drafted, filed := map[string]bool{}, map[string]string{}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(filed)
	}
	working, rest := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() {
			for working.Err() == nil {
				begun, err := st.as("resident2").Begin(ctx, "newborn")
				if err == nil {
					mu.Lock()
					drafted[begun.ID] = true
					mu.Unlock()
				}
				filing, err2 := st.file(ctx, birth())
				if err2 == nil {
					mu.Lock()
					filed[filing.ID] = filing.Number
					mu.Unlock()
					err2 = st.accept(ctx, filing, "newborn")
				}
				if err != nil || err2 != nil {
					t.Error(err, err2)
					return
				}
			}
		})
	}
	more := func(n int) {
		for before := count(); count() < before+n && !t.Failed(); {
			<-time.After(time.Millisecond)
		}
	}
	more(3)
	failedBefore := failedNotices(t, st.server.notices.List)
	for len(failedBefore) == 0 && !t.Failed() {
		<-time.After(time.Millisecond)
		failedBefore = failedNotices(t, st.server.notices.List)
	}
	mu.Lock()
	draftsBefore, filedBefore := maps.Clone(drafted), maps.Clone(filed)
	mu.Unlock()
	data, backup := store.Folder(filepath.Join(folder, "data")), filepath.Join(folder, "backup")
	m, err := askForBackup(ctx, data, backup)
	if err != nil {
		t.Fatal(err)
	}
	more(2)
	rest()
	clients.Wait()
	mu.Lock()
	if len(drafted) == len(draftsBefore) || len(filed) == len(filedBefore) {
		t.Error("nothing was done after the backup")
	}
	mu.Unlock()

	// Restored, with the views that the server has at the position of the backup.
	wrap, err := seal.ReadKeyset(data.DevelopmentKey())
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(folder, "again")
	restored := store.Folder(filepath.Join(again, "data"))
	quiet := slog.New(slog.DiscardHandler)
	_, err = store.Restore(ctx, store.Restoring{From: backup, To: restored, KeyEncryption: wrap, Now: time.Now, Logger: quiet}, func(f store.Fault) { t.Error(f) })
	if err != nil {
		t.Fatal(err)
	}
	live, err := view.Open(view.Config{Dir: filepath.Join(folder, "views"), Log: st.server.watched.log, Keys: st.server.keys, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close() //nolint:errcheck // the test is over
	if err := live.Until(ctx, m.Position); err != nil {
		t.Fatal(err)
	}
	log, err := badgerlog.Open(badgerlog.Config{Dir: restored.Log(), ReadOnly: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	views, err := view.Open(view.Config{Dir: restored.Views(), Log: log, Keys: st.server.keys, ReadOnly: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := views.Differences(live, func(d view.Difference) { t.Errorf("restored: list %s of %s: %s", d.List, d.Application, d.Text) })
	if err != nil || entries == 0 {
		t.Errorf("%d entries were compared, %v", entries, err)
	}
	if err := views.Close(); err != nil {
		t.Error(err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	if n, err := notices.Verify(restored.Notices(), quiet); err != nil || n < len(failedBefore) {
		t.Errorf("%d notices are restored, %d had failed: %v", n, len(failedBefore), err)
	}
	stop()

	key, err := os.ReadFile(data.DevelopmentKey())
	if err == nil {
		err = os.WriteFile(restored.DevelopmentKey(), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	st2 := newStage(t, again, "2026-12-28", io.Discard, tell)
	stop2 := sync.OnceFunc(func() { st2.stop(t) })
	defer stop2()
	for id, number := range filedBefore {
		a, err := st2.as("resident").Intake.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: id})
		if err != nil || a.GetApplication().GetNumber() != number {
			t.Errorf("application %s: %v, %v", number, a.GetApplication().GetNumber(), err)
		}
	}
	for id := range draftsBefore {
		if _, err := st2.as("resident2").Intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id}); err != nil {
			t.Errorf("draft %s: %v", id, err)
		}
	}
	for id := range failedBefore {
		if n, ok, err := st2.server.notices.List.Get(id); err != nil || !ok || n.State != notices.Failed {
			t.Errorf("notice %s had failed, and is %q, %v", id, n.State, err)
		}
	}
	stop2()
	verify := func() (string, error) {
		var out bytes.Buffer
		err := verifyStore(ctx, restored, "", &out, io.Discard)
		return out.String(), err
	}
	if out, err := verify(); err != nil {
		t.Errorf("what was restored and served: %v\n%s", err, out)
	}
	if err := os.Remove(filepath.Join(restored.Notices(), "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	if out, err := verify(); !errors.Is(err, errFindings) || !strings.HasPrefix(out, "notices: ") {
		t.Errorf("a damaged list of notices: %v\n%s", err, out)
	}
}

// failedNotices are the ids of the notices that have failed.
func failedNotices(t testing.TB, list *notices.List) map[string]bool {
	t.Helper()
	page, _, err := list.List(notices.Failed, 1000, "")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, n := range page {
		ids[n.ID] = true
	}
	return ids
}
