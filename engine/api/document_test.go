package api_test

import (
	"io/fs"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// kept is the number of files that the house keeps.
func (h *house) kept(t testing.TB) int {
	t.Helper()
	n := 0
	err := fs.WalkDir(os.DirFS(h.blobs), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// opened files a newborn's application and has it accepted, and returns it with its first task.
func (h *house) opened(t testing.TB) (application string, task *apiv1.Task, tasks apiv1connect.TaskServiceClient) {
	t.Helper()
	filed := h.file(t)
	review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
	accepted, err := review.Accept(t.Context(), &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", OverrideReason: "户籍系统核验一致"})
	if err != nil {
		t.Fatal(explain(err))
	}
	tasks = apiv1connect.NewTaskServiceClient(h.as("health"))
	open, err := tasks.ListTasks(t.Context(), &apiv1.ListTasksRequest{AtLeastPosition: accepted.GetPosition()})
	if err != nil || len(open.GetTasks()) == 0 {
		t.Fatal(open, explain(err))
	}
	return filed.GetApplication(), open.GetTasks()[0], tasks
}

// A decision that is refused leaves no document behind that nothing refers to.
func TestDecideTask_RefusedKeepsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, task, tasks := h.opened(t)
	before := h.kept(t)
	good := record(t, `{"number": "X320101001"}`).GetAnswers()
	pdf := []byte("%PDF-1.7 certificate")
	for name, r := range map[string]*apiv1.DecideTaskRequest{
		"stale":                              {Approve: true, ExpectedVersion: task.GetVersion() + 1, Result: good},
		"stale, with a document":             {Approve: true, ExpectedVersion: task.GetVersion() + 1, Result: good, Document: pdf, MediaType: "application/pdf"},
		"without its result":                 {Approve: true, Document: pdf, MediaType: "application/pdf"},
		"a result that does not fit":         {Approve: true, Result: record(t, `{"number": "1"}`).GetAnswers()},
		"a document that is none":            {Approve: true, Result: good, Document: []byte("text"), MediaType: "application/pdf"},
		"a rejection without a reason":       {Document: pdf, MediaType: "application/pdf"},
		"a result that nobody has asked for": {Approve: true, Result: record(t, `{"number": "X320101001", "moon": 1}`).GetAnswers()},
	} {
		r.RequestId, r.Task = uuid.NewString(), task.GetTask()
		if _, err := tasks.DecideTask(t.Context(), r); err == nil {
			t.Fatalf("%s: the decision was taken", name)
		}
		if n := h.kept(t); n != before {
			t.Errorf("%s: %d files were kept", name, n-before)
			before = n
		}
	}
	if _, err := tasks.DecideTask(t.Context(), &apiv1.DecideTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), Approve: true, Result: good, Document: pdf, MediaType: "application/pdf"}); err != nil {
		t.Fatal(explain(err))
	}
	if n := h.kept(t); n != before+1 {
		t.Errorf("%d files were kept of a decision that was taken", n-before)
	}
}

// A result has a document where its step yields one, also if the officer has brought none.
func TestDecideTask_EveryResultHasADocument(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	filed, task, tasks := h.opened(t)
	decided, err := tasks.DecideTask(t.Context(), &apiv1.DecideTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), Approve: true,
		Result: record(t, `{"number": "X320101001"}`).GetAnswers()})
	if err != nil {
		t.Fatal(explain(err))
	}
	intake := apiv1connect.NewIntakeServiceClient(h.as("mother"))
	seen, err := intake.GetApplication(t.Context(), &apiv1.GetApplicationRequest{Application: filed, AtLeastPosition: decided.GetPosition()})
	if err != nil {
		t.Fatal(explain(err))
	}
	var got []string
	for _, c := range seen.GetApplication().GetCases() {
		for _, task := range c.GetTasks() {
			if document := task.GetDocument(); document != nil {
				got = append(got, task.GetStep()+" "+document.GetName())
			}
		}
	}
	if diff := cmp.Diff([]string{"certificate birth_certificate.html"}, got); diff != "" {
		t.Error(diff)
	}
}
