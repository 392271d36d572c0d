package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// Work that has failed too often is parked; when the operator has mended the cause, it is taken up while the server runs.
func TestServer_Parked(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	st := newStage(t, folder, "2026-12-16", io.Discard)
	defer st.stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := func(args ...string) (string, int) {
		var out bytes.Buffer
		code := run(ctx, append([]string{"parked", "--as", "operator", "--server", st.api, "--dev-issuer", strings.TrimSuffix(strings.TrimPrefix(st.issuer, "http://"), "/issuer")}, args...), &out, &out)
		return out.String(), code
	}
	if said, code := command(); said != "" || code != 0 {
		t.Errorf("nothing is parked: %d, %s", code, said)
	}
	filing, err := st.file(ctx, birth())
	if err != nil {
		t.Fatal(err)
	}
	// No file can be written, so no document can be kept.
	files := filepath.Join(folder, "data", "blobs", "tmp")
	if err := os.Rename(files, files+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := st.accept(ctx, filing, "newborn"); err != nil {
		t.Fatal(err)
	}
	documents := st.server.followers["documents"]
	for documents.Err() == nil {
		if ctx.Err() != nil {
			t.Fatal("no work is parked")
		}
		st.clock.Advance(time.Minute)
		<-time.After(time.Millisecond)
	}
	stream := "application/" + filing.ID
	listed, code := command()
	if !strings.HasPrefix(listed, fmt.Sprintf("documents %s: ", stream)) || strings.Count(listed, "\n") != 1 || code != 0 {
		t.Errorf("listed: %d, %s", code, listed)
	}
	if said, code := command("--take-up", "application/none"); code != 1 || !strings.Contains(said, "no follower has parked application/none") {
		t.Errorf("a stream that is not parked: %d, %s", code, said)
	}
	if err := os.Rename(files+".gone", files); err != nil {
		t.Fatal(err)
	}
	if said, code := command("--take-up", "all"); code != 0 || said != fmt.Sprintf("documents %s: taken up\n", stream) {
		t.Errorf("taken up: %d, %s", code, said)
	}
	if said, code := command(); said != "" || code != 0 {
		t.Errorf("nothing is parked any more: %d, %s", code, said)
	}
	for {
		made, err := st.as("resident").Intake.GetDocuments(ctx, &apiv1.GetDocumentsRequest{Application: filing.ID})
		if err != nil {
			t.Fatal(err)
		}
		if len(made.GetDocuments()) > 0 {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}

// What cannot be read stays parked, and the operator is told.
func TestServer_StaysParked(t *testing.T) {
	t.Parallel()
	st := newStage(t, t.TempDir(), "2026-12-16", io.Discard)
	defer st.stop(t)
	spoilt := "application/" + "6f1dc6a6-5d2a-4b0e-9d0f-3a1f3c1f6a11"
	appendUnreadable(t, st.server.watched.log, spoilt)
	for st.server.followers["documents"].Err() == nil && t.Context().Err() == nil {
		<-time.After(time.Millisecond)
	}
	var out bytes.Buffer
	code := run(t.Context(), []string{"parked", "--take-up", spoilt, "--as", "operator", "--server", st.api, "--dev-issuer", strings.TrimSuffix(strings.TrimPrefix(st.issuer, "http://"), "/issuer")}, &out, &out)
	if code != 1 || !strings.Contains(out.String(), "documents "+spoilt+": still parked\n") || !strings.Contains(out.String(), "streams are parked") {
		t.Errorf("%d, %s", code, out.String())
	}
}
