package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// but is the newborn's record with some answers changed; nil leaves one blank.
func but(t testing.TB, changes map[string]any) *formsv1.Record {
	t.Helper()
	r := record(t, newborn)
	text, err := json.Marshal(changes)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.GetAnswers(), record(t, string(text)).GetAnswers())
	return r
}

func header(id, material string) *apiv1.UploadHeader {
	return &apiv1.UploadHeader{RequestId: uuid.NewString(), Application: id, Material: material, Name: "扫描件.pdf", MediaType: "application/pdf"}
}

// A resident reaches no draft and no application of another one, by whatever method: they are not there.
func TestStranger_OfTheIntake(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	filed := h.file(t)
	application := filed.GetApplication()
	whole, err := h.intake("mother").GetApplication(ctx, &apiv1.GetApplicationRequest{Application: application})
	if err != nil {
		t.Fatal(explain(err))
	}
	digest := ""
	for _, m := range whole.GetApplication().GetMaterials() {
		if d := m.GetFile().GetDigest(); d != "" {
			digest = d
		}
	}
	if digest == "" {
		t.Fatal("no material has a file")
	}
	created, err := h.intake("mother").CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, newborn)})
	if err != nil {
		t.Fatal(explain(err))
	}
	draft := created.GetDraft().GetDraft()
	uploaded, err := h.intake("mother").PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(draft, "household_book"), Content: []byte("%PDF-1.7 scan")})
	if err != nil {
		t.Fatal(explain(err))
	}

	for _, name := range []string{"stranger", "father"} { // the father has no part in the mother's draft, but in the application
		who := h.intake(name)
		received := func(stream interface {
			Receive() (*apiv1.DownloadResponse, error)
		}, err error) error {
			if err != nil {
				return err
			}
			_, err = stream.Receive()
			return err
		}
		calls := map[string]func() error{
			"get draft": func() error {
				_, err := who.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: draft})
				return err
			},
			"save draft": func() error {
				_, err := who.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: draft, ExpectedVersion: 1, Cleared: []string{"form.mother.name"}})
				return err
			},
			"delete draft": func() error {
				_, err := who.DeleteDraft(ctx, &apiv1.DeleteDraftRequest{Draft: draft})
				return err
			},
			"prefill": func() error {
				_, err := who.Prefill(ctx, &apiv1.PrefillRequest{RequestId: uuid.NewString(), Draft: draft})
				return err
			},
			"promise": func() error {
				_, err := who.Promise(ctx, &apiv1.PromiseRequest{RequestId: uuid.NewString(), Draft: draft, Material: "marriage_certificate.mother", Text: "承诺"})
				return err
			},
			"upload to a draft": func() error {
				_, err := who.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(draft, "household_book"), Content: []byte("%PDF-1.7")})
				return err
			},
			"take over": func() error {
				_, err := who.TakeOverDraft(ctx, &apiv1.TakeOverDraftRequest{RequestId: uuid.NewString(), Draft: draft, ExpectedVersion: 1})
				return err
			},
			"submit": func() error {
				_, err := who.Submit(ctx, &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: draft, ExpectedVersion: 1})
				return err
			},
			"download from a draft": func() error {
				return received(who.Download(ctx, &apiv1.DownloadRequest{Application: draft, Digest: uploaded.GetFile().GetDigest()}))
			},
		}
		if name == "stranger" {
			calls["get application"] = func() error {
				_, err := who.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: application})
				return err
			}
			calls["list look-ups"] = func() error {
				_, err := who.ListLookups(ctx, &apiv1.ListLookupsRequest{Application: application})
				return err
			}
			calls["download from an application"] = func() error {
				return received(who.Download(ctx, &apiv1.DownloadRequest{Application: application, Digest: digest}))
			}
			calls["upload to an application"] = func() error {
				_, err := who.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(application, "household_book"), Content: []byte("%PDF-1.7")})
				return err
			}
			calls["preview a move"] = func() error {
				_, err := who.PreviewMove(ctx, &apiv1.PreviewMoveRequest{Application: application, Bundle: "newborn"})
				return err
			}
			calls["move"] = func() error {
				_, err := who.MoveCase(ctx, &apiv1.MoveCaseRequest{RequestId: uuid.NewString(), Application: application, Bundle: "newborn", Version: 2, Consent: true})
				return err
			}
			calls["supply"] = func() error {
				_, err := who.Supply(ctx, &apiv1.SupplyRequest{RequestId: uuid.NewString(), Application: application, Material: "household_book", Digest: digest})
				return err
			}
			calls["correct"] = func() error {
				_, err := who.Correct(ctx, &apiv1.CorrectRequest{RequestId: uuid.NewString(), Application: application, ExpectedVersion: 1, Changes: record(t, newborn).GetAnswers()})
				return err
			}
		}
		for call, try := range calls {
			if err := try(); connect.CodeOf(err) != connect.CodeNotFound {
				t.Errorf("%s, %s: %v, want not_found", name, call, explain(err))
			}
		}
		drafts, err := who.ListDrafts(ctx, &apiv1.ListDraftsRequest{})
		if err != nil || len(drafts.GetDrafts()) != 0 {
			t.Errorf("%s lists drafts %v, %v", name, drafts.GetDrafts(), explain(err))
		}
		listed, err := who.ListApplications(ctx, &apiv1.ListApplicationsRequest{AtLeastPosition: filed.GetPosition()})
		if want := map[string]int{"father": 1}[name]; err != nil || len(listed.GetApplications()) != want {
			t.Errorf("%s lists %d applications, want %d, %v", name, len(listed.GetApplications()), want, explain(err))
		}
	}
	// Nor does another resident's file open under one's own draft.
	own, err := h.intake("stranger").CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}})
	if err != nil {
		t.Fatal(explain(err))
	}
	stream, err := h.intake("stranger").Download(ctx, &apiv1.DownloadRequest{Application: own.GetDraft().GetDraft(), Digest: digest})
	if err == nil {
		_, err = stream.Receive()
	}
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("another one's file under one's own draft: %v", explain(err))
	}
}

// A department sees of an application what its own step needs, and of another department's task nothing.
func TestStranger_OfTheDepartments(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	filed := h.file(t)
	accepted, err := apiv1connect.NewReviewServiceClient(h.as("clerk")).Accept(ctx, &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", OverrideReason: "核验一致"})
	if err != nil {
		t.Fatal(explain(err))
	}
	whole, err := h.intake("mother").GetApplication(ctx, &apiv1.GetApplicationRequest{Application: filed.GetApplication()})
	if err != nil {
		t.Fatal(explain(err))
	}
	tree, err := matters()
	if err != nil {
		t.Fatal(err)
	}
	bundle := tree.Bundles["newborn"]
	looked := 0
	for department := range tree.Library.Departments {
		tasks := apiv1connect.NewTaskServiceClient(h.as(department))
		open, err := tasks.ListTasks(ctx, &apiv1.ListTasksRequest{AtLeastPosition: accepted.GetPosition()})
		if err != nil {
			t.Fatal(explain(err))
		}
		for _, task := range open.GetTasks() {
			if task.GetDepartment() != department {
				t.Errorf("%s lists a task of %s", department, task.GetDepartment())
			}
			seen, err := tasks.GetTask(ctx, &apiv1.GetTaskRequest{Task: task.GetTask()})
			if err != nil {
				t.Fatal(explain(err))
			}
			step := bundle.Step(task.GetStep())
			for p := range seen.GetRecord().GetAnswers() {
				if !slices.Contains(step.Fields, forms.Path(p)) {
					t.Errorf("%s sees %s, which %s does not need", department, p, step.ID)
				}
			}
			name := "newborn." + step.ID
			for _, m := range whole.GetApplication().GetMaterials() {
				needed, digest := slices.Contains(m.GetNeededBy(), name), m.GetFile().GetDigest()
				if shown := slices.ContainsFunc(seen.GetMaterials(), func(s *apiv1.Material) bool { return s.GetMaterial() == m.GetMaterial() }); shown != needed {
					t.Errorf("%s is shown %s: %t, needs it: %t", department, m.GetMaterial(), shown, needed)
				}
				if digest == "" {
					continue
				}
				looked++
				stream, err := tasks.DownloadMaterial(ctx, &apiv1.DownloadMaterialRequest{Task: task.GetTask(), Digest: digest})
				var content bytes.Buffer
				for err == nil {
					var chunk *apiv1.DownloadMaterialResponse
					if chunk, err = stream.Receive(); err == nil {
						content.Write(chunk.GetChunk())
					}
				}
				switch {
				case needed && (!errors.Is(err, io.EOF) || content.String() != "%PDF-1.7 scan"):
					t.Errorf("%s reads %s: %q, %v", department, m.GetMaterial(), content.String(), explain(err))
				case !needed && connect.CodeOf(err) != connect.CodeNotFound:
					t.Errorf("%s reads %s, which it does not need: %v", department, m.GetMaterial(), explain(err))
				}
			}
			// Everybody else's calls for this task find nothing.
			for other := range tree.Library.Departments {
				if other == department {
					continue
				}
				who, number := apiv1connect.NewTaskServiceClient(h.as(other)), task.GetTask()
				for call, try := range map[string]func() error{
					"get": func() error { _, err := who.GetTask(ctx, &apiv1.GetTaskRequest{Task: number}); return err },
					"claim": func() error {
						_, err := who.ClaimTask(ctx, &apiv1.ClaimTaskRequest{RequestId: uuid.NewString(), Task: number})
						return err
					},
					"release": func() error {
						_, err := who.ReleaseTask(ctx, &apiv1.ReleaseTaskRequest{RequestId: uuid.NewString(), Task: number})
						return err
					},
					"decide": func() error {
						_, err := who.DecideTask(ctx, &apiv1.DecideTaskRequest{RequestId: uuid.NewString(), Task: number, ExpectedVersion: task.GetVersion(), Reason: "不符"})
						return err
					},
					"ask": func() error {
						_, err := who.AskCorrection(ctx, &apiv1.AskCorrectionRequest{RequestId: uuid.NewString(), Task: number, ExpectedVersion: task.GetVersion(), Reason: "不清",
							Items: []*apiv1.CorrectionItem{{Bundle: "newborn", Path: "form.newborn.name", Text: "请核对"}}})
						return err
					},
					"pause": func() error {
						_, err := who.PauseTask(ctx, &apiv1.PauseTaskRequest{RequestId: uuid.NewString(), Task: number, ExpectedVersion: task.GetVersion(), Procedure: "HEARING", Days: 3, Reason: "听证"})
						return err
					},
					"resume": func() error {
						_, err := who.ResumeTask(ctx, &apiv1.ResumeTaskRequest{RequestId: uuid.NewString(), Task: number, ExpectedVersion: task.GetVersion()})
						return err
					},
					"verification": func() error {
						_, err := who.GetVerification(ctx, &apiv1.GetVerificationRequest{Application: task.GetApplication(), Bundle: "newborn", Material: "marriage_certificate"})
						return err
					},
					"verify": func() error {
						_, err := who.VerifyPromise(ctx, &apiv1.VerifyPromiseRequest{RequestId: uuid.NewString(), Application: task.GetApplication(), Bundle: "newborn", Material: "marriage_certificate", Holds: true})
						return err
					},
					"repair": func() error {
						_, err := who.RepairPromise(ctx, &apiv1.RepairPromiseRequest{RequestId: uuid.NewString(), Application: task.GetApplication(), Bundle: "newborn", Material: "marriage_certificate", Reason: "修复"})
						return err
					},
					"extend": func() error {
						_, err := who.ExtendTask(ctx, &apiv1.ExtendTaskRequest{RequestId: uuid.NewString(), Task: number, ExpectedVersion: task.GetVersion(), Approval: &apiv1.Approval{Days: 1, Approver: "head", Reason: "复杂"}})
						return err
					},
					"material": func() error {
						stream, err := who.DownloadMaterial(ctx, &apiv1.DownloadMaterialRequest{Task: number, Digest: strings.Repeat("0", 64)})
						if err == nil {
							_, err = stream.Receive()
						}
						return err
					},
				} {
					if err := try(); connect.CodeOf(err) != connect.CodeNotFound {
						t.Errorf("%s, %s for a task of %s: %v, want not_found", other, call, department, explain(err))
					}
				}
				break // one stranger will do
			}
		}
	}
	if looked == 0 {
		t.Error("no material was looked at")
	}
}

// Who files for somebody as their agent sees the application, and so do those for whom it was filed; nobody else.
func TestAgent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	agent := h.intake("stranger")
	created, err := agent.CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: but(t, map[string]any{
		"form.agent.is_agent": true, "form.agent.name": "王代办", "form.agent.id_no": stranger, "form.agent.phone": "13812345699"})})
	if err != nil {
		t.Fatal(explain(err))
	}
	id := created.GetDraft().GetDraft()
	for key, m := range created.GetChange().GetChanged().GetMaterials() {
		if m.GetAsked() == apiv1.Truth_TRUTH_YES && m.GetRequired() && slices.Contains(m.GetSources(), "APPLICANT") {
			if _, err := agent.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(id, key), Content: []byte("%PDF-1.7 scan")}); err != nil {
				t.Fatal(explain(err))
			}
		}
	}
	proxy, err := agent.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(id, "form.agent.proxy"), Content: []byte("%PDF-1.7 mandate")})
	if err != nil {
		t.Fatal(explain(err))
	}
	read, err := agent.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id})
	if err != nil {
		t.Fatal(explain(err))
	}
	answer := func(digest string) map[string]*structpb.Value {
		return map[string]*structpb.Value{"form.agent.proxy": structpb.NewStringValue(digest)}
	}
	// An answer names a file that was uploaded for this application.
	saved, err := agent.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: read.GetDraft().GetRevision(), Changes: answer(strings.Repeat("ab", 32))})
	if err != nil {
		t.Fatal(explain(err))
	}
	_, err = agent.Submit(ctx, &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: saved.GetRevision()})
	if reasonOf(t, err) != apiv1.Reason_REASON_RECORD_INVALID || !strings.Contains(explain(err).Error(), "unknown_file") || !strings.Contains(explain(err).Error(), "form.agent.proxy") {
		t.Fatalf("filed with a file that nobody has uploaded: %v", explain(err))
	}
	saved, err = agent.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: saved.GetRevision(), Changes: answer(proxy.GetFile().GetDigest())})
	if err != nil {
		t.Fatal(explain(err))
	}
	filed, err := agent.Submit(ctx, &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: saved.GetRevision()})
	if err != nil {
		t.Fatal(explain(err))
	}
	for _, who := range []string{"stranger", "mother", "father"} {
		if got, err := h.intake(who).GetApplication(ctx, &apiv1.GetApplicationRequest{Application: id}); err != nil || len(got.GetApplication().GetTimeline()) == 0 {
			t.Errorf("%s: %v, %v", who, got, explain(err))
		}
		listed, err := h.intake(who).ListApplications(ctx, &apiv1.ListApplicationsRequest{AtLeastPosition: filed.GetPosition()})
		if err != nil || len(listed.GetApplications()) != 1 {
			t.Errorf("%s lists %v, %v", who, listed, explain(err))
		}
	}
	if _, err := h.intake("mother").GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("the mother reads her agent's draft: %v", explain(err))
	}

	// A mandate that is not right is sent again with a correction.
	again, err := agent.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(id, "form.agent.proxy"), Content: []byte("%PDF-1.7 better mandate")})
	if err != nil {
		t.Fatal(explain(err))
	}
	correct := func(digest string) error {
		now, err := agent.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: id})
		if err != nil {
			t.Fatal(explain(err))
		}
		_, err = agent.Correct(ctx, &apiv1.CorrectRequest{RequestId: uuid.NewString(), Application: id, ExpectedVersion: now.GetApplication().GetVersion(), Changes: answer(digest)})
		return err
	}
	if err := correct(strings.Repeat("ab", 32)); reasonOf(t, err) != apiv1.Reason_REASON_RECORD_INVALID {
		t.Errorf("corrected to a file that nobody has uploaded: %v", explain(err))
	}
	if err := correct(again.GetFile().GetDigest()); err != nil {
		t.Errorf("corrected: %v", explain(err))
	}

	// The clerk reads the mandate and the materials before accepting, and nothing else.
	review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
	download := func(digest string) (string, error) {
		stream, err := review.DownloadFile(ctx, &apiv1.DownloadFileRequest{Application: id, Bundle: "newborn", Digest: digest})
		var content strings.Builder
		for err == nil {
			var part *apiv1.DownloadFileResponse
			if part, err = stream.Receive(); err == nil {
				content.Write(part.GetChunk())
			}
		}
		return content.String(), err
	}
	shown, err := review.GetCase(ctx, &apiv1.GetCaseRequest{Application: id, Bundle: "newborn"})
	if err != nil {
		t.Fatal(explain(err))
	}
	digests := map[string]string{again.GetFile().GetDigest(): "%PDF-1.7 better mandate"}
	for _, m := range shown.GetMaterials() {
		if digest := m.GetFile().GetDigest(); digest != "" {
			digests[digest] = "%PDF-1.7 scan"
		}
	}
	if len(digests) < 2 {
		t.Error("the clerk is shown no material with a file")
	}
	for digest, want := range digests {
		if got, err := download(digest); !errors.Is(err, io.EOF) || got != want {
			t.Errorf("the clerk reads %q, %v, want %q", got, explain(err), want)
		}
	}
	if got, err := download(proxy.GetFile().GetDigest()); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("the clerk reads a file that is no part of the case any more: %q, %v", got, explain(err))
	}
}

// Who acts for an enterprise and has matters of their own sees both, page by page, each once.
func TestLists_OfEnterpriseAndPerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, both := t.Context(), h.intake("both")
	filed := h.file(t)
	want := map[string]bool{}
	for _, who := range []string{"mother", "both", "both"} {
		created, err := h.intake(who).CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}})
		if err != nil {
			t.Fatal(explain(err))
		}
		want[created.GetDraft().GetDraft()] = true
	}
	for _, size := range []int32{1, 2, 50} {
		got, page := map[string]bool{}, &apiv1.Page{Size: size}
		for {
			listed, err := both.ListDrafts(ctx, &apiv1.ListDraftsRequest{Page: page})
			if err != nil {
				t.Fatal(explain(err))
			}
			if len(listed.GetDrafts()) > int(size) {
				t.Errorf("%d drafts on a page of %d", len(listed.GetDrafts()), size)
			}
			for _, d := range listed.GetDrafts() {
				if got[d.GetDraft()] {
					t.Errorf("pages of %d show a draft twice", size)
				}
				got[d.GetDraft()] = true
			}
			if page.Token = listed.GetNextToken(); page.Token == "" {
				break
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("pages of %d show %v, want %v", size, got, want)
		}
	}
	listed, err := both.ListApplications(ctx, &apiv1.ListApplicationsRequest{AtLeastPosition: filed.GetPosition()})
	if err != nil || len(listed.GetApplications()) != 1 || listed.GetApplications()[0].GetApplication() != filed.GetApplication() {
		t.Errorf("applications: %v, %v", listed, explain(err))
	}

	// A token that is of no list is the caller's fault.
	for _, token := range []string{"x", "2.", "-1.", "0.x", "1.AAAA"} {
		page := &apiv1.Page{Token: token}
		_, drafts := both.ListDrafts(ctx, &apiv1.ListDraftsRequest{Page: page})
		_, applications := both.ListApplications(ctx, &apiv1.ListApplicationsRequest{Page: page})
		_, tasks := apiv1connect.NewTaskServiceClient(h.as("health")).ListTasks(ctx, &apiv1.ListTasksRequest{Page: page})
		_, cases := apiv1connect.NewReviewServiceClient(h.as("clerk")).ListCases(ctx, &apiv1.ListCasesRequest{Page: page})
		_, found := apiv1connect.NewCatalogServiceClient(h.as("")).SearchBundles(ctx, &apiv1.SearchBundlesRequest{Page: page})
		for name, err := range map[string]error{"drafts": drafts, "applications": applications, "tasks": tasks, "cases": cases, "bundles": found} {
			if connect.CodeOf(err) != connect.CodeInvalidArgument {
				t.Errorf("%s, token %q: %v, want invalid_argument", name, token, explain(err))
			}
		}
	}

	// So is an upload with a second header.
	stream, err := both.UploadMaterial(ctx)
	if err != nil {
		t.Fatal(explain(err))
	}
	for id := range want {
		message := &apiv1.UploadMaterialRequest{Part: &apiv1.UploadMaterialRequest_Header{Header: header(id, "household_book")}}
		for range 2 {
			_ = stream.Send(message) // the answer says what is wrong
		}
		break
	}
	if _, err := stream.CloseAndReceive(); connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), "one header") {
		t.Errorf("an upload with two headers: %v", explain(err))
	}
}

// An upload that is sent again under its request id changes nothing; with another content it is refused.
func TestUpload_SentAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, mother := t.Context(), h.intake("mother")
	created, err := mother.CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, newborn)})
	if err != nil {
		t.Fatal(explain(err))
	}
	id := created.GetDraft().GetDraft()
	request := &apiv1.PutMaterialRequest{Header: header(id, "household_book"), Content: []byte("%PDF-1.7 scan")}
	first, err := mother.PutMaterial(ctx, request)
	if err != nil {
		t.Fatal(explain(err))
	}
	again, err := mother.PutMaterial(ctx, request)
	if err != nil {
		t.Fatal(explain(err))
	}
	if first.GetFile().GetDigest() != again.GetFile().GetDigest() || first.GetRevision() != again.GetRevision() {
		t.Errorf("sent again: %v, want %v", again, first)
	}
	request.Content = []byte("%PDF-1.7 another")
	if _, err := mother.PutMaterial(ctx, request); connect.CodeOf(err) != connect.CodeAlreadyExists {
		t.Errorf("another content under the same id: %v", explain(err))
	}
}
