//go:build linux

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/examples/intake"
	"github.com/siyiban/onething/internal/testdisk"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// A server whose disk fills up refuses what has to be written, with a reason, goes on answering what is read, and raises an alarm;
// with room again it goes on by itself, and nothing that was acknowledged is lost.
func TestServer_FullDisk(t *testing.T) { // not in parallel: a test that starts a process meanwhile keeps the file system busy
	folder, _ := testdisk.Mount(t, 4000)
	logs := &lines{}
	st := newStage(t, folder, "2026-12-28", logs)
	stopped := false
	defer func() {
		if !stopped {
			st.stop(t)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at := watchStage(t, st)
	filing, err := st.file(ctx, birth())
	if err != nil {
		t.Fatal(err)
	}
	drafted, err := st.as("resident2").Begin(ctx, "newborn")
	if err != nil {
		t.Fatal(err)
	}
	// until waits until these checks fail and no other, but for that of the calendar: nobody has published 2027.
	until := func(red ...string) string {
		t.Helper()
		for {
			_, text := get(t, at, "/readyz")
			var failing []string
			for line := range strings.SplitSeq(text, "\n") {
				if name, _, ok := strings.Cut(line, ":"); ok && strings.HasPrefix(name, "[-]") && name != "[-]calendar" {
					failing = append(failing, strings.TrimPrefix(name, "[-]"))
				}
			}
			if slices.Equal(failing, red) {
				return text
			}
			if ctx.Err() != nil {
				t.Fatalf("red should be %v:\n%s", red, text)
			}
			<-time.After(5 * time.Millisecond) // views and followers come up to the log
		}
	}
	until()

	empty := testdisk.Fill(t, folder, 700)
	resident, clerk := st.as("resident"), st.as("clerk")
	writes := []struct {
		what string
		do   func() error
	}{
		{"a new draft", func() error { _, err := resident.Begin(ctx, "newborn"); return err }},
		{"a saved draft", func() error {
			_, err := st.as("resident2").Intake.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: drafted.ID, ExpectedVersion: 1})
			return err
		}},
		{"a file", func() error {
			_, err := st.as("resident2").Intake.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: &apiv1.UploadHeader{RequestId: uuid.NewString(), Application: drafted.ID, Material: "household_book", Name: "a.pdf", MediaType: "application/pdf"}, Content: []byte("%PDF-1.7\n")})
			return err
		}},
		{"a commit", func() error {
			_, err := resident.Intake.Withdraw(ctx, &apiv1.WithdrawRequest{RequestId: uuid.NewString(), Application: filing.ID, Bundle: "newborn"})
			return err
		}},
	}
	for _, write := range writes {
		err := write.do()
		if reason := intake.Why(err).GetReason(); connect.CodeOf(err) != connect.CodeUnavailable || reason != apiv1.Reason_REASON_STORE_STOPPED {
			t.Errorf("%s on a full disk: %v, %v", write.what, reason, err)
		}
	}
	described(t, until("disk", "log"))
	if _, metrics := get(t, at, "/metrics"); !strings.Contains(metrics, `onething_ready{check="log"} 0`) || !strings.Contains(metrics, `onething_ready{check="views"} 1`) {
		t.Error("the metrics raise no alarm, or a wrong one")
	}
	st.server.watched.herald.Tell(ctx, st.server.watched.checks.Look(ctx)) // as it does every 15 seconds
	if !strings.Contains(logs.String(), `msg="not ready" check=log cause=`) {
		t.Error("the log raises no alarm")
	}
	// Reads go on.
	if a, err := filing.Application(ctx); err != nil || a.GetNumber() != filing.Number {
		t.Errorf("reading an application: %v, %v", a.GetNumber(), err)
	}
	if _, err := st.as("resident2").Intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: drafted.ID}); err != nil {
		t.Errorf("reading a draft: %v", err)
	}
	if queue, err := clerk.Review.ListCases(ctx, &apiv1.ListCasesRequest{}); err != nil || len(queue.GetCases()) != 1 {
		t.Errorf("the clerk's queue: %v, %v", queue, err)
	}
	if _, err := intake.Dial(st.api, nil).Assess(ctx, []string{"newborn"}, nil); err != nil {
		t.Errorf("the guide: %v", err)
	}

	// There is room again, and nobody has to do anything more.
	empty()
	until()
	for _, write := range writes[:3] { // the fourth would end the case
		if err := write.do(); err != nil {
			t.Errorf("%s with room again: %v", write.what, err)
		}
	}
	if err := st.accept(ctx, filing, "newborn"); err != nil {
		t.Errorf("a commit with room again: %v", err)
	}
	stopped = true
	st.stop(t)
	if err := verifyStore(ctx, store.Folder(filepath.Join(folder, "data")), "", os.Stderr, io.Discard); err != nil {
		t.Error(err)
	}
}
