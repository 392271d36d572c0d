package api

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/forms"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// taskService is the departments'.
type taskService struct {
	apiv1connect.UnimplementedTaskServiceHandler
	service
}

// officer is the actor behind an officer's or a department's system's call.
func officer(who access.Identity) *applicationv1.Actor {
	role := applicationv1.Role_ROLE_OFFICER
	if who.Has(accessv1.Role_ROLE_DEPARTMENT_SYSTEM) {
		role = applicationv1.Role_ROLE_DEPARTMENT_SYSTEM
	}
	return &applicationv1.Actor{Role: role, Department: who.Department, Id: who.Subject}
}

// ListTasks implements TaskService.
func (s taskService) ListTasks(ctx context.Context, r *apiv1.ListTasksRequest) (*apiv1.ListTasksResponse, error) {
	if err := s.views.Wait(ctx, r.GetAtLeastPosition()); err != nil {
		return nil, refused(err)
	}
	filter := view.TaskFilter{Department: access.FromContext(ctx).Department, Step: r.GetStep(), Automatic: r.GetAutomatic()}
	rows, next, err := s.views.Tasks(ctx, filter, view.Page{Size: pageSize(r.GetPage()), Token: r.GetPage().GetToken()})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.ListTasksResponse{NextToken: next}
	for _, row := range rows {
		if task := row.State.Task(row.Item); task != nil {
			answer.Tasks = append(answer.Tasks, taskMessage(row.State, task, s.stepOf(row.State, task)))
		}
	}
	return answer, nil
}

// stepOf is the step behind a task.
func (s taskService) stepOf(state application.State, task *application.Task) *catalog.Step {
	if b := s.engine.InForce().Bundle(state.Case(task.Bundle).Digest); b != nil {
		return b.Step(task.Step)
	}
	return nil
}

func taskMessage(state application.State, task *application.Task, step *catalog.Step) *apiv1.Task {
	hook, _ := task.Hook()
	message := &apiv1.Task{Task: task.Number, Application: state.ID, Bundle: task.Bundle, Step: task.Step, Department: task.Department, State: string(task.State),
		Version: task.Version, Due: dueMessage(task.Due), Automatic: hook != "",
		Purpose: task.Purpose, Promise: task.Promise, About: task.About}
	if task.Statutory != nil {
		message.Statutory = dueMessage(task.Statutory)
	}
	message.Warning = state.WarningOf(task.Bundle, task.Number)
	if step != nil {
		message.Name = step.Name.Proto()
	}
	if task.Claim != nil {
		message.ClaimedBy, message.ClaimedUntil = task.Claim.By, timestamppb.New(task.Claim.Until)
	}
	return message
}

// find returns the application of a task, which is the caller's department's; else it is not there.
func (s taskService) find(ctx context.Context, number string, position uint64) (string, error) {
	if err := s.views.Wait(ctx, position); err != nil {
		return "", err
	}
	row, err := s.views.Find(ctx, number)
	if err != nil {
		if errors.Is(err, view.ErrNotFound) {
			return "", engine.ErrNotFound
		}
		return "", err
	}
	return row.Application, nil
}

// of returns the task in its application; a stranger's is not there.
func of(d *engine.Dossier, number string, who access.Identity) (*application.Task, error) {
	task := d.State.Task(number)
	if task == nil || task.Department != who.Department {
		return nil, engine.ErrNotFound
	}
	return task, nil
}

// GetTask implements TaskService.
func (s taskService) GetTask(ctx context.Context, r *apiv1.GetTaskRequest) (*apiv1.GetTaskResponse, error) {
	who := access.FromContext(ctx)
	id, err := s.find(ctx, r.GetTask(), r.GetAtLeastPosition())
	if err != nil {
		return nil, refused(err)
	}
	d, err := s.engine.Load(ctx, id)
	if err != nil {
		return nil, refused(err)
	}
	task, err := of(d, r.GetTask(), who)
	if err != nil {
		return nil, refused(err)
	}
	if err := s.engine.RecordSight(ctx, d, officer(who), "task/"+task.Number); err != nil {
		return nil, refused(err)
	}
	step := d.Selection.Bundle(task.Bundle).Step(task.Step)
	needs := s.engine.Needs(d, task)
	answer := &apiv1.GetTaskResponse{Task: taskMessage(d.State, task, step), Results: map[string]*structpb.Value{}}
	if answer.Record, err = needs.Record.Encode(); err != nil {
		return nil, refused(err)
	}
	for p, v := range needs.Results {
		segments := p.Segments()
		if answer.Results[segments[1]+"."+segments[2]], err = forms.EncodeValue(v); err != nil {
			return nil, refused(err)
		}
	}
	for _, m := range materialMessages(d, func(bundle string) bool { return bundle == task.Bundle }) {
		if slices.Contains(m.GetNeededBy(), task.Bundle+"."+task.Step) {
			answer.Materials = append(answer.Materials, m)
		}
	}
	answer.Findings = taskFindings(d, task)
	for _, f := range step.Result {
		if task.Purpose != "" {
			break // a follow-up gives no result
		}
		answer.Result = append(answer.Result, &apiv1.ResultField{Field: f.ID, Kind: f.Kind.String(), Name: f.Name.Proto(), Required: f.Required})
	}
	return answer, nil
}

// call is a command of a department.
func (s taskService) call(number, requestID string, content requestMessage, who access.Identity, command func(context.Context, *engine.Dossier) (application.Command, error)) engine.Call {
	return engine.Call{Request: engine.Request{ID: requestID, Subject: who.Subject, Content: content}, Actor: officer(who),
		Allowed: func(d *engine.Dossier) error { _, err := of(d, number, who); return err }, Command: command}
}

// give gives it to the task's application.
func (s taskService) give(ctx context.Context, number string, call engine.Call) (*engine.Answer, error) {
	var err error
	if call.Application, err = s.find(ctx, number, 0); err != nil {
		return nil, err
	}
	return s.engine.Do(ctx, call)
}

func (s taskService) do(ctx context.Context, number, requestID string, content requestMessage, command func(context.Context, *engine.Dossier) (application.Command, error)) (*engine.Answer, error) {
	return s.give(ctx, number, s.call(number, requestID, content, access.FromContext(ctx), command))
}

// always makes the same command, whatever is there.
func always(c application.Command) func(context.Context, *engine.Dossier) (application.Command, error) {
	return func(context.Context, *engine.Dossier) (application.Command, error) { return c, nil }
}

// ClaimTask implements TaskService.
func (s taskService) ClaimTask(ctx context.Context, r *apiv1.ClaimTaskRequest) (*apiv1.ClaimTaskResponse, error) {
	answer, err := s.do(ctx, r.GetTask(), r.GetRequestId(), r, always(application.ClaimTask{Task: r.GetTask(), For: time.Duration(r.GetMinutes()) * time.Minute, Expected: r.GetExpectedVersion()}))
	if err != nil {
		return nil, refused(err)
	}
	response := &apiv1.ClaimTaskResponse{Position: answer.Position}
	if task := answer.Dossier.State.Task(r.GetTask()); task != nil {
		response.Version = task.Version
		if task.Claim != nil {
			response.Until = timestamppb.New(task.Claim.Until)
		}
	}
	return response, nil
}

// ReleaseTask implements TaskService.
func (s taskService) ReleaseTask(ctx context.Context, r *apiv1.ReleaseTaskRequest) (*apiv1.ReleaseTaskResponse, error) {
	answer, err := s.do(ctx, r.GetTask(), r.GetRequestId(), r, always(application.ReleaseTask{Task: r.GetTask()}))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.ReleaseTaskResponse{Position: answer.Position}, nil
}

// DecideTask implements TaskService. The document is kept only when the decision would be taken.
func (s taskService) DecideTask(ctx context.Context, r *apiv1.DecideTaskRequest) (*apiv1.DecideTaskResponse, error) {
	call := s.call(r.GetTask(), r.GetRequestId(), r, access.FromContext(ctx), always(application.DecideTask{Task: r.GetTask(), Approve: r.GetApprove(), Result: r.GetResult(),
		Reason: r.GetReason(), Expected: r.GetExpectedVersion()}))
	var document *applicationv1.MaterialFile // kept once, also where the command is decided again
	call.Keep = func(ctx context.Context, d *engine.Dossier, c application.Command) (application.Command, error) {
		decision, ok := c.(application.DecideTask)
		if !ok || !decision.Approve {
			return c, nil
		}
		var err error
		if document == nil && len(r.GetDocument()) > 0 {
			document, err = s.engine.PutMaterial(ctx, d.State.ID, &applicationv1.MaterialFile{Material: application.ResultFile(r.GetTask()), Name: r.GetTask(), MediaType: r.GetMediaType()}, bytes.NewReader(r.GetDocument()), MaxFile)
		}
		decision.Document = document
		return decision, err
	}
	answer, err := s.give(ctx, r.GetTask(), call)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.DecideTaskResponse{Position: answer.Position}, nil
}

// AskCorrection implements TaskService.
func (s taskService) AskCorrection(ctx context.Context, r *apiv1.AskCorrectionRequest) (*apiv1.AskCorrectionResponse, error) {
	answer, err := s.do(ctx, r.GetTask(), r.GetRequestId(), r, always(application.AskCorrection{Task: r.GetTask(), Items: items(r.GetItems()), Reason: r.GetReason(), Expected: r.GetExpectedVersion()}))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.AskCorrectionResponse{Position: answer.Position, Number: lastNotice(answer.Dossier)}, nil
}

// PauseTask implements TaskService.
func (s taskService) PauseTask(ctx context.Context, r *apiv1.PauseTaskRequest) (*apiv1.PauseTaskResponse, error) {
	answer, err := s.do(ctx, r.GetTask(), r.GetRequestId(), r, always(application.PauseTask{Task: r.GetTask(), Procedure: r.GetProcedure(), Days: r.GetDays(), Reason: r.GetReason(), Expected: r.GetExpectedVersion()}))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.PauseTaskResponse{Position: answer.Position, Number: lastNotice(answer.Dossier)}, nil
}

// ResumeTask implements TaskService.
func (s taskService) ResumeTask(ctx context.Context, r *apiv1.ResumeTaskRequest) (*apiv1.ResumeTaskResponse, error) {
	answer, err := s.do(ctx, r.GetTask(), r.GetRequestId(), r, always(application.ResumeTask{Task: r.GetTask(), Expected: r.GetExpectedVersion()}))
	if err != nil {
		return nil, refused(err)
	}
	response := &apiv1.ResumeTaskResponse{Position: answer.Position}
	if task := answer.Dossier.State.Task(r.GetTask()); task != nil {
		response.Due = dueMessage(task.Due)
	}
	return response, nil
}

// ExtendTask implements TaskService.
func (s taskService) ExtendTask(ctx context.Context, r *apiv1.ExtendTaskRequest) (*apiv1.ExtendTaskResponse, error) {
	answer, err := s.do(ctx, r.GetTask(), r.GetRequestId(), r, always(application.ExtendTask{Task: r.GetTask(), Approval: approval(r.GetApproval()), Expected: r.GetExpectedVersion()}))
	if err != nil {
		return nil, refused(err)
	}
	response := &apiv1.ExtendTaskResponse{Position: answer.Position, Number: lastNotice(answer.Dossier)}
	if task := answer.Dossier.State.Task(r.GetTask()); task != nil {
		response.Due = dueMessage(task.Due)
		if task.Statutory != nil {
			response.Statutory = dueMessage(task.Statutory)
		}
	}
	return response, nil
}

func approval(a *apiv1.Approval) application.Approval {
	return application.Approval{Days: int(a.GetDays()), Approver: a.GetApprover(), Reason: a.GetReason()}
}

// DownloadMaterial implements TaskService.
func (s taskService) DownloadMaterial(ctx context.Context, r *apiv1.DownloadMaterialRequest, stream apiv1connect.TaskServiceDownloadMaterialServerStream) error {
	who := access.FromContext(ctx)
	id, err := s.find(ctx, r.GetTask(), 0)
	if err != nil {
		return refused(err)
	}
	d, err := s.engine.Load(ctx, id)
	if err != nil {
		return refused(err)
	}
	task, err := of(d, r.GetTask(), who)
	if err != nil {
		return refused(err)
	}
	if !s.engine.Needs(d, task).File(r.GetDigest()) && !d.HasDocumentFile(r.GetDigest(), s.engine.TaskDocument(d, task)) {
		return refused(engine.ErrNotFound)
	}
	if err := s.engine.RecordSight(ctx, d, officer(who), "material/"+task.Number); err != nil {
		return refused(err)
	}
	return s.send(ctx, id, r.GetDigest(), func(file *apiv1.File, chunk []byte) error {
		return stream.Send(&apiv1.DownloadMaterialResponse{File: file, Chunk: chunk})
	})
}
