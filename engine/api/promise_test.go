package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	"github.com/siyiban/onething/engine/commitlog"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// A promise to its end: it is verified by the department that the bundle names, found false after everything was granted,
// reaches whoever relied on it, bars who gave it, and is repaired.
func TestPromise_False(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	const material = "marriage_certificate"
	filed := h.file(t, material+".mother")
	review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
	accepted, err := review.Accept(ctx, &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", OverrideReason: "核验一致"})
	if err != nil {
		t.Fatal(explain(err))
	}
	position := h.grant(t, accepted.GetPosition())

	verifier := apiv1connect.NewTaskServiceClient(h.as("civil_affairs"))
	listed, err := verifier.ListVerifications(ctx, &apiv1.ListVerificationsRequest{AtLeastPosition: position})
	if err != nil || len(listed.GetVerifications()) != 1 {
		t.Fatalf("to verify: %v, %v", listed, explain(err))
	}
	if v := listed.GetVerifications()[0]; v.GetMaterial() != material || v.GetDue().GetDate() != "2026-04-14" || v.GetSample() != 100 || v.GetState() != "OPEN" {
		t.Errorf("to verify: %v", v)
	}
	if other, err := apiv1connect.NewTaskServiceClient(h.as("tax")).ListVerifications(ctx, &apiv1.ListVerificationsRequest{AtLeastPosition: position}); err != nil || len(other.GetVerifications()) != 0 {
		t.Errorf("another department has to verify: %v, %v", other, explain(err))
	}
	seen, err := verifier.GetVerification(ctx, &apiv1.GetVerificationRequest{Application: filed.GetApplication(), Bundle: "newborn", Material: material})
	if err != nil {
		t.Fatal(explain(err))
	}
	if seen.GetText() == "" || len(seen.GetDigest()) != 64 || seen.GetSignedAt() == nil || seen.GetByAgent() {
		t.Errorf("the promise as signed: %v", seen)
	}
	for p := range seen.GetRecord().GetAnswers() {
		if !slices.Contains([]string{"form.mother.id_no", "form.mother.name"}, p) {
			t.Errorf("who verifies sees %s", p)
		}
	}
	if len(seen.GetRecord().GetAnswers()) != 2 {
		t.Errorf("who verifies sees %v", seen.GetRecord())
	}

	ask := &apiv1.VerifyPromiseRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", Material: material, Reason: "登记系统无此登记"}
	found, err := verifier.VerifyPromise(ctx, ask)
	if err != nil {
		t.Fatal(explain(err))
	}
	if again, err := verifier.VerifyPromise(ctx, ask); err != nil || again.GetPosition() != found.GetPosition() {
		t.Errorf("the same request again: %v, %v", again, explain(err))
	}
	if len(found.GetOpened()) < 2 {
		t.Errorf("opened: %v", found.GetOpened())
	}
	// The application and the ledger are one commit, and the ledger's name says nothing of whose it is.
	for batch, err := range commitlog.Batches(ctx, h.log, commitlog.Cursor{Epoch: 1, Position: found.GetPosition() - 1}, 1) {
		if err != nil {
			t.Fatal(err)
		}
		var streams []string
		for _, a := range batch[0].Appends {
			streams = append(streams, a.Stream)
		}
		if len(streams) != 2 || !strings.HasPrefix(streams[0], "application/") || !strings.HasPrefix(streams[1], "ledger/") || strings.Contains(streams[1], h.engine.PersonDigest(mother)) {
			t.Errorf("the commit is of %v", streams)
		}
		break
	}
	// The household register relied on it, the insurance on the number that the register gave.
	revoked := map[string]bool{}
	for _, department := range []string{"public_security", "medical_insurance", "health", "tax", "hrss"} {
		tasks := apiv1connect.NewTaskServiceClient(h.as(department))
		open, err := tasks.ListTasks(ctx, &apiv1.ListTasksRequest{AtLeastPosition: found.GetPosition()})
		if err != nil {
			t.Fatal(explain(err))
		}
		for _, task := range open.GetTasks() {
			if task.GetPurpose() != "REVOKE" || task.GetPromise() != material || task.GetAbout() == "" {
				t.Errorf("%s has %v", department, task)
			}
			seen, err := tasks.GetTask(ctx, &apiv1.GetTaskRequest{Task: task.GetTask()})
			if err != nil || !slices.ContainsFunc(seen.GetFindings(), func(f *apiv1.Finding) bool {
				return f.GetCode() == "promise_false" && strings.Contains(f.GetText().GetZh(), "登记系统无此登记")
			}) {
				t.Errorf("%s is not told why: %v, %v", task.GetStep(), seen.GetFindings(), explain(err))
			}
			if _, err := tasks.DecideTask(ctx, &apiv1.DecideTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), ExpectedVersion: task.GetVersion(), Approve: true, Reason: "依据不实承诺取得"}); err != nil {
				t.Fatal(explain(err))
			}
			revoked[task.GetStep()] = true
		}
	}
	if !revoked["household"] || !revoked["insurance"] || revoked["certificate"] {
		t.Errorf("revoked: %v", revoked)
	}
	got, err := h.intake("mother").GetApplication(ctx, &apiv1.GetApplicationRequest{Application: filed.GetApplication()})
	if err != nil {
		t.Fatal(explain(err))
	}
	for _, task := range got.GetApplication().GetCases()[0].GetTasks() {
		if want := revoked[task.GetStep()]; want != (task.GetState() == "REVOKED") || want && len(task.GetResult()) > 0 {
			t.Errorf("%s is %s with %v", task.GetStep(), task.GetState(), task.GetResult())
		}
	}
	kinds := map[string]int{}
	for _, entry := range got.GetApplication().GetTimeline() {
		kinds[entry.GetKind()]++
	}
	if kinds["promise_false"] != 1 || kinds["result_revoked"] != len(revoked) {
		t.Errorf("the applicant reads %v", kinds)
	}

	// She is on the ledger: neither promise nor tolerance is open to her, for no matter; the father is not.
	promise := func(answers string) error {
		intake := h.intake("mother")
		created, err := intake.CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, answers)})
		if err != nil {
			t.Fatal(explain(err))
		}
		_, err = intake.Promise(ctx, &apiv1.PromiseRequest{RequestId: uuid.NewString(), Draft: created.GetDraft().GetDraft(), Material: material + ".mother",
			Text: created.GetChange().GetChanged().GetMaterials()[material+".mother"].GetPromise().GetZh()})
		return err
	}
	// Where she fills it in for somebody else, nothing is known against those who apply, but she may not sign for them.
	forAnother := strings.Replace(newborn, mother, stranger, 1)
	for name, answers := range map[string]string{"for herself": newborn, "for somebody else": forAnother} {
		if err := promise(answers); connect.CodeOf(err) != connect.CodeFailedPrecondition {
			t.Errorf("who is barred promises %s: %v", name, explain(err))
		}
	}
	if _, err := verifier.RepairPromise(ctx, &apiv1.RepairPromiseRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", Material: material, Reason: "已撤销并更正"}); err != nil {
		t.Fatal(explain(err))
	}
	for name, answers := range map[string]string{"for herself": newborn, "for somebody else": forAnother} {
		if err := promise(answers); err != nil {
			t.Errorf("after the repair, %s: %v", name, explain(err))
		}
	}
}

// What is signed is the text that was shown, word for word.
func TestPromise_OtherText(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	intake := h.intake("mother")
	created, err := intake.CreateDraft(t.Context(), &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, newborn)})
	if err != nil {
		t.Fatal(explain(err))
	}
	shown := created.GetChange().GetChanged().GetMaterials()["marriage_certificate.mother"].GetPromise().GetZh()
	for _, text := range []string{"我承诺", shown + "。", "x" + shown} {
		_, err := intake.Promise(t.Context(), &apiv1.PromiseRequest{RequestId: uuid.NewString(), Draft: created.GetDraft().GetDraft(), Material: "marriage_certificate.mother", Text: text})
		if connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("another text is signed: %v", explain(err))
		}
	}
	signed, err := intake.Promise(t.Context(), &apiv1.PromiseRequest{RequestId: uuid.NewString(), Draft: created.GetDraft().GetDraft(), Material: "marriage_certificate.mother", Text: shown})
	if err != nil {
		t.Fatal(explain(err))
	}
	if sum := sha256.Sum256([]byte(shown)); signed.GetDigest() != hex.EncodeToString(sum[:]) {
		t.Errorf("the digest is %s", signed.GetDigest())
	}
}
