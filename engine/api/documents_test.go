package api_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// downloaded is a file as its chunks come.
func downloaded[M interface{ GetChunk() []byte }](receive func() (M, error)) (string, error) {
	var content bytes.Buffer
	for {
		part, err := receive()
		if errors.Is(err, io.EOF) {
			return content.String(), nil
		}
		if err != nil {
			return "", err
		}
		content.Write(part.GetChunk())
	}
}

// makes has the documents of an application made, as the follower does.
func (h *house) makes(t testing.TB, application, requestID string) {
	t.Helper()
	if err := h.engine.MakeDocuments(t.Context(), application, requestID); err != nil {
		t.Fatal(explain(err))
	}
}

func summary(documents []*apiv1.Document) (all []string) {
	for _, d := range documents {
		all = append(all, strings.TrimSpace(d.GetKind()+" "+d.GetTitle().GetZh()+" "+d.GetOn()+" "+strings.TrimPrefix(d.GetServed().String(), "WAY_UNSPECIFIED")))
	}
	return all
}

// The applicant, the clerk and the department read the documents that concern them, as page and PDF, and nobody else does;
// each is made once, and that it was served is on a record of its own.
func TestDocuments(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	application, task, tasks := h.opened(t)
	mother, review := h.intake("mother"), apiv1connect.NewReviewServiceClient(h.as("clerk"))
	list := func() []*apiv1.Document {
		t.Helper()
		got, err := mother.GetDocuments(ctx, &apiv1.GetDocumentsRequest{Application: application})
		if err != nil {
			t.Fatal(explain(err))
		}
		return got.GetDocuments()
	}
	if got := list(); len(got) != 0 {
		t.Fatalf("before they are made there are %v", got)
	}
	h.makes(t, application, "documents/1")
	files := h.kept(t)
	first := list()
	if diff := cmp.Diff([]string{"ACCEPTANCE 受理通知书 2026-03-16"}, summary(first)); diff != "" {
		t.Fatal(diff)
	}
	h.makes(t, application, "documents/1") // again, as after a crash
	h.makes(t, application, "documents/2")
	if again := list(); len(again) != 1 || again[0].GetPdf().GetDigest() != first[0].GetPdf().GetDigest() || h.kept(t) != files {
		t.Errorf("made again: %v, and %d files more", summary(again), h.kept(t)-files)
	}

	number, page, sheet := first[0].GetNumber(), first[0].GetPage(), first[0].GetPdf()
	if !strings.HasPrefix(number, "受理〔2026〕") || page.GetName() != number+".html" || sheet.GetName() != number+".pdf" {
		t.Errorf("number %s, files %s and %s", number, page.GetName(), sheet.GetName())
	}
	for digest, want := range map[string]string{page.GetDigest(): "周晓岚", sheet.GetDigest(): "%PDF-"} {
		stream, err := mother.Download(ctx, &apiv1.DownloadRequest{Application: application, Digest: digest})
		if err != nil {
			t.Fatal(explain(err))
		}
		if content, err := downloaded(stream.Receive); err != nil || !strings.Contains(content, want) {
			t.Errorf("the mother reads %.60q, %v; want %q in it", content, explain(err), want)
		}
		file, err := review.DownloadFile(ctx, &apiv1.DownloadFileRequest{Application: application, Bundle: "newborn", Digest: digest})
		if err != nil {
			t.Fatal(explain(err))
		}
		if content, err := downloaded(file.Receive); err != nil || !strings.Contains(content, want) {
			t.Errorf("the clerk reads %.60q, %v", content, explain(err))
		}
		// The notice of acceptance is not about a task.
		material, err := tasks.DownloadMaterial(ctx, &apiv1.DownloadMaterialRequest{Task: task.GetTask(), Digest: digest})
		if err == nil {
			_, err = material.Receive()
		}
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("a department reads the notice of acceptance: %v", explain(err))
		}
	}

	// The department stops the clock, which is about its task.
	if _, err := tasks.PauseTask(ctx, &apiv1.PauseTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), ExpectedVersion: task.GetVersion(), Procedure: "APPRAISAL", Days: 5, Reason: "需要亲子鉴定"}); err != nil {
		t.Fatal(explain(err))
	}
	h.makes(t, application, "documents/3")
	of, err := tasks.GetTaskDocuments(ctx, &apiv1.GetTaskDocumentsRequest{Task: task.GetTask()})
	if err != nil {
		t.Fatal(explain(err))
	}
	if diff := cmp.Diff([]string{"PROCEDURE 特别程序告知书 2026-03-16"}, summary(of.GetDocuments())); diff != "" {
		t.Error(diff)
	}
	material, err := tasks.DownloadMaterial(ctx, &apiv1.DownloadMaterialRequest{Task: task.GetTask(), Digest: of.GetDocuments()[0].GetPage().GetDigest()})
	if err != nil {
		t.Fatal(explain(err))
	}
	if content, err := downloaded(material.Receive); err != nil || !strings.Contains(content, "需要亲子鉴定") {
		t.Errorf("the department reads %.60q, %v", content, explain(err))
	}

	// Served: by the applicant, at the counter, and each once.
	received, err := mother.ReceiveDocument(ctx, &apiv1.ReceiveDocumentRequest{RequestId: uuid.NewString(), Application: application, Number: number})
	if err != nil || received.GetPosition() == 0 {
		t.Fatal(received, explain(err))
	}
	serve := &apiv1.ServeDocumentRequest{RequestId: uuid.NewString(), Application: application, Number: of.GetDocuments()[0].GetNumber(), Way: apiv1.Document_WAY_DIRECT, Receiver: "周晓岚", On: "2026-03-16"}
	if _, err := review.ServeDocument(ctx, serve); err != nil {
		t.Fatal(explain(err))
	}
	if _, err := review.ServeDocument(ctx, serve); err != nil {
		t.Errorf("the same request again: %v", explain(err))
	}
	for name, r := range map[string]*apiv1.ServeDocumentRequest{
		"twice":                       {Number: number, Way: apiv1.Document_WAY_POST, Receiver: "周晓岚"},
		"on a day of no calendar":     {Number: serve.GetNumber(), Way: apiv1.Document_WAY_POST, Receiver: "周晓岚", On: "2026-02-30"},
		"for the applicant, unsigned": {Number: number, Way: apiv1.Document_WAY_ELECTRONIC, Receiver: "周晓岚"},
		"one that is not there":       {Number: "受理〔2026〕1号", Way: apiv1.Document_WAY_POST, Receiver: "周晓岚"},
	} {
		r.RequestId, r.Application = uuid.NewString(), application
		if _, err := review.ServeDocument(ctx, r); err == nil {
			t.Errorf("%s: served", name)
		}
	}
	h.makes(t, application, "documents/4")
	if diff := cmp.Diff([]string{"ACCEPTANCE 受理通知书 2026-03-16 WAY_ELECTRONIC", "PROCEDURE 特别程序告知书 2026-03-16 WAY_DIRECT", "SERVICE 送达回证 2026-03-16", "SERVICE 送达回证 2026-03-16"}, summary(list())); diff != "" {
		t.Error(diff)
	}
	seen, err := mother.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: application})
	if err != nil {
		t.Fatal(explain(err))
	}
	served := 0
	for _, entry := range seen.GetApplication().GetTimeline() {
		if entry.GetKind() == "document_served" {
			served++
		}
	}
	if served != 2 {
		t.Errorf("the timeline tells of %d documents that were served", served)
	}
	whole, err := review.GetCaseDocuments(ctx, &apiv1.GetCaseDocumentsRequest{Application: application, Bundle: "newborn"})
	if err != nil || len(whole.GetDocuments()) != 4 {
		t.Errorf("the clerk sees %v, %v", summary(whole.GetDocuments()), explain(err))
	}

	// Strangers: another resident, another department, a case that is not there.
	stranger, other := h.intake("stranger"), apiv1connect.NewTaskServiceClient(h.as("tax"))
	for name, try := range map[string]func() error{
		"list": func() error {
			_, err := stranger.GetDocuments(ctx, &apiv1.GetDocumentsRequest{Application: application})
			return err
		},
		"receive": func() error {
			_, err := stranger.ReceiveDocument(ctx, &apiv1.ReceiveDocumentRequest{RequestId: uuid.NewString(), Application: application, Number: number})
			return err
		},
		"download": func() error {
			stream, err := stranger.Download(ctx, &apiv1.DownloadRequest{Application: application, Digest: sheet.GetDigest()})
			if err == nil {
				_, err = stream.Receive()
			}
			return err
		},
		"list of a task": func() error {
			_, err := other.GetTaskDocuments(ctx, &apiv1.GetTaskDocumentsRequest{Task: task.GetTask()})
			return err
		},
		"list of a case": func() error {
			_, err := review.GetCaseDocuments(ctx, &apiv1.GetCaseDocumentsRequest{Application: application, Bundle: "retirement"})
			return err
		},
	} {
		if err := try(); connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("%s: %v, want not_found", name, explain(err))
		}
	}
}
