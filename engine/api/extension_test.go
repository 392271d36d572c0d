package api_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// A department's limit and a case's are extended with an approval, and the applicant reads why; a date that is near is said
// to the officer in colour.
func TestExtension(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	filed := h.file(t)
	review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
	accepted, err := review.Accept(ctx, &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", OverrideReason: "核验一致"})
	if err != nil {
		t.Fatal(explain(err))
	}
	tasks := apiv1connect.NewTaskServiceClient(h.as("health"))
	listed := func(position uint64) *apiv1.Task {
		t.Helper()
		open, err := tasks.ListTasks(ctx, &apiv1.ListTasksRequest{AtLeastPosition: position, Step: "certificate"})
		if err != nil || len(open.GetTasks()) != 1 {
			t.Fatalf("tasks: %v, %v", open, explain(err))
		}
		return open.GetTasks()[0]
	}
	task := listed(accepted.GetPosition())
	ask := &apiv1.ExtendTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), ExpectedVersion: task.GetVersion(), Approval: &apiv1.Approval{Days: 2, Approver: "head", Reason: "须函询外省"}}
	extended, err := tasks.ExtendTask(ctx, ask)
	if err != nil {
		t.Fatal(explain(err))
	}
	if extended.GetNumber() == "" || extended.GetDue().GetDate() <= task.GetDue().GetDate() {
		t.Errorf("the limit of %v became %v", task, extended)
	}
	again, err := tasks.ExtendTask(ctx, ask)
	if err != nil || again.GetPosition() != extended.GetPosition() {
		t.Errorf("the same request again: %v, %v", again, explain(err))
	}
	longer, err := review.ExtendCase(ctx, &apiv1.ExtendCaseRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", Approval: &apiv1.Approval{Days: 15, Approver: "mayor", Reason: "多部门会商"}})
	if err != nil {
		t.Fatal(explain(err))
	}
	if longer.GetDue().GetDate() <= accepted.GetDue().GetDate() || longer.GetStatutory().GetDate() == "" || longer.GetNumber() == extended.GetNumber() {
		t.Errorf("the case's limit %v became %v", accepted.GetDue(), longer)
	}
	for name, wrong := range map[string]error{
		"without a reason": func() error {
			_, err := review.ExtendCase(ctx, &apiv1.ExtendCaseRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", Approval: &apiv1.Approval{Days: 1, Approver: "mayor"}})
			return err
		}(),
		"without an approval": func() error {
			_, err := tasks.ExtendTask(ctx, &apiv1.ExtendTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask()})
			return err
		}(),
		"of a tolerance that there is not": func() error {
			_, err := review.ExtendTolerance(ctx, &apiv1.ExtendToleranceRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", Material: "marriage_certificate",
				Approval: &apiv1.Approval{Days: 1, Approver: "mayor", Reason: "在途"}})
			return err
		}(),
	} {
		if code := connect.CodeOf(wrong); code != connect.CodeInvalidArgument && code != connect.CodeNotFound {
			t.Errorf("%s: %v", name, explain(wrong))
		}
	}

	// The day after the promised date the task is late. What the follower of deadlines would do, the next command does.
	last, err := time.Parse(time.DateOnly, extended.GetDue().GetDate())
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.now = last.AddDate(0, 0, 1).Add(time.Hour)
	h.mu.Unlock()
	claimed, err := tasks.ClaimTask(ctx, &apiv1.ClaimTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask()})
	if err != nil {
		t.Fatal(explain(err))
	}
	if late := listed(claimed.GetPosition()); late.GetWarning() != "RED" {
		t.Errorf("a task that is late has the warning %q", late.GetWarning())
	}
	got, err := h.intake("mother").GetApplication(ctx, &apiv1.GetApplicationRequest{Application: filed.GetApplication()})
	if err != nil {
		t.Fatal(explain(err))
	}
	var said []string
	for _, entry := range got.GetApplication().GetTimeline() {
		if entry.GetKind() == "extended" {
			said = append(said, entry.GetText().GetZh())
		}
	}
	if all := strings.Join(said, "\n"); len(said) != 2 || !strings.Contains(all, "须函询外省") || !strings.Contains(all, "延长 15 个工作日") {
		t.Errorf("the applicant reads: %s", all)
	}
}
