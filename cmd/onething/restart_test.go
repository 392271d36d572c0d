package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/engine/access/devissuer"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// serveOn starts the command over a data folder, as `make run` does, and returns the addresses at which it answers. halt
// interrupts it, and holds that it ends well; kill ends it as a power cut does.
func serveOn(t *testing.T, data, tree string) (st *stage, halt, kill func()) {
	t.Helper()
	var progress bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "onething", "serve", "--dev", "--today", "2026-12-28", "--without-plugins",
		"--listen", "127.0.0.1:0", "--dev-issuer", "127.0.0.1:0", "--data", data, "--bundles", tree)
	cmd.Stderr = &progress
	at, end, err := untilReady(cmd)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	halt = func() {
		t.Helper()
		ended = true
		if err := end(); err != nil {
			t.Errorf("interrupted: %v\n%s", err, progress.String())
		}
	}
	kill = func() {
		t.Helper()
		ended = true
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
	return &stage{api: at["API"], issuer: at["issuer"]}, halt, kill
}

// kept is what somebody who comes back looks for.
type kept struct {
	Application *apiv1.Application
	Draft       *apiv1.Draft
	Queue       []*apiv1.ReviewCase
	Versions    []*apiv1.BundleVersion
	Files       map[string]string
}

func look(ctx context.Context, t *testing.T, st *stage, filing, begun *intake.Filing) kept {
	t.Helper()
	resident := st.as("resident")
	var k kept
	var err error
	if k.Application, err = resident.Filed(filing.ID).Application(ctx); err != nil {
		t.Fatal(err)
	}
	k.Files = map[string]string{}
	for _, m := range k.Application.GetMaterials() {
		if digest := m.GetFile().GetDigest(); digest != "" {
			content, err := resident.Filed(filing.ID).Document(ctx, digest)
			if err != nil {
				t.Fatal(err)
			}
			k.Files[m.GetMaterial()] = string(content)
		}
	}
	draft, err := resident.Intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: begun.ID})
	if err != nil {
		t.Fatal(err)
	}
	k.Draft = draft.GetDraft()
	if k.Queue, err = st.as("clerk").Queue(ctx, filing.Position); err != nil {
		t.Fatal(err)
	}
	versions, err := publisher(st).ListVersions(ctx, &apiv1.ListVersionsRequest{Bundle: "newborn"})
	if err != nil {
		t.Fatal(err)
	}
	k.Versions = versions.GetVersions()
	return k
}

func publisher(st *stage) apiv1connect.PublishServiceClient {
	return apiv1connect.NewPublishServiceClient(intake.Connect(st.api, intake.SignIn(st.issuer, devissuer.Configurator)))
}

// Who serves the same folder again has everything there: applications with their files, drafts, queues, and the versions
// that were published, whether the server was ended or its power cut; and the work goes on.
func TestServe_AgainOnTheSameFolder(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	data, tree := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if err := os.CopyFS(tree, examples.Only("newborn", "retirement")); err != nil { // all would only take longer to compile
		t.Fatal(err)
	}

	st, halt, _ := serveOn(t, data, tree)
	filing, err := st.file(ctx, birth())
	if err != nil {
		t.Fatal(err)
	}
	begun, err := st.as("resident").Begin(ctx, "retirement")
	if err != nil {
		t.Fatal(err)
	}
	if err := begun.Save(ctx, intake.Answers{"form.retiree.name": "周国强"}); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(tree, catalog.BundleFile("newborn")))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(written), "note: 示范数据", "note: 第二版，示范数据", 1)
	publish := &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: text, Reason: "第二版"}
	published, err := publisher(st).PublishBundle(ctx, publish)
	if err != nil || published.GetVersion().GetNumber() != 2 {
		t.Fatalf("published %v, %v", published, err)
	}
	before := look(ctx, t, st, filing, begun)
	if len(before.Files) < 4 || len(before.Versions) != 2 || len(before.Queue) != 1 {
		t.Fatalf("%d files, %d versions, %d cases in pre-review", len(before.Files), len(before.Versions), len(before.Queue))
	}
	halt()

	st, _, kill := serveOn(t, data, tree)
	if diff := cmp.Diff(before, look(ctx, t, st, filing, begun), protocmp.Transform()); diff != "" {
		t.Errorf("after an end and a start (-before +after):\n%s", diff)
	}
	if again, err := publisher(st).PublishBundle(ctx, publish); err != nil || again.GetVersion().GetNumber() != 2 || again.GetPosition() != published.GetPosition() {
		t.Errorf("what was published before is published again as %v, %v", again, err)
	}
	again := st.as("resident").Filed(filing.ID)
	if err := st.accept(ctx, again, "newborn"); err != nil {
		t.Fatal(err)
	}
	before = look(ctx, t, st, filing, begun)
	kill()

	st, halt, _ = serveOn(t, data, tree)
	defer halt()
	after := look(ctx, t, st, filing, begun)
	if diff := cmp.Diff(before, after, protocmp.Transform()); diff != "" {
		t.Errorf("after a power cut and a start (-before +after):\n%s", diff)
	}
	if c := after.Application.GetCases()[0]; c.GetState() != "ACCEPTED" || !slices.ContainsFunc(c.GetTasks(), func(t *apiv1.CaseTask) bool { return t.GetState() == "OPEN" }) {
		t.Errorf("the case is %s with %v", c.GetState(), c.GetTasks())
	}
}
