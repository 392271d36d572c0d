package api

import (
	"context"
	"errors"
	"io"
	"slices"

	"connectrpc.com/connect/v2"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/forms"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// applicant is the actor behind an applicant's call. A clerk files at the window for somebody.
func applicant(who access.Identity) *applicationv1.Actor {
	if who.Has(accessv1.Role_ROLE_CLERK) && len(who.Principals()) == 0 {
		return &applicationv1.Actor{Role: applicationv1.Role_ROLE_CLERK, Id: who.Subject}
	}
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}
}

// mine refuses whoever did not file the application and for whom it was not filed: for them it is not there. It stays
// that of who filed it whatever a correction says.
func mine(who access.Identity) func(*engine.Dossier) error {
	return func(d *engine.Dossier) error {
		filer := d.Events[0].GetPersonal().GetActor()
		if filer != "" && slices.Contains(who.Principals(), filer) {
			return nil
		}
		for _, own := range who.Principals() {
			for _, person := range d.Persons {
				if person == own {
					return nil
				}
			}
		}
		if by := d.Events[0].GetActor(); by.GetRole() == applicationv1.Role_ROLE_CLERK && by.GetId() == who.Subject {
			return nil
		}
		return engine.ErrNotFound
	}
}

// Submit implements IntakeService.
func (s intakeService) Submit(ctx context.Context, r *apiv1.SubmitRequest) (*apiv1.SubmitResponse, error) {
	who := access.FromContext(ctx)
	call := engine.Call{Request: engine.Request{ID: r.GetRequestId(), Subject: who.Subject, Content: r}, Actor: applicant(who), Person: who.Person, Allowed: mine(who)}
	filing := engine.Filing{Draft: r.GetDraft(), Expected: r.GetExpectedVersion(), Owners: owners(who), Principals: who.Principals(), OnBehalfOf: r.GetOnBehalfOf()}
	answer, waiting, err := s.engine.Submit(ctx, filing, call)
	if err != nil {
		return nil, refused(err)
	}
	if answer == nil {
		return &apiv1.SubmitResponse{Application: r.GetDraft(), WaitingFor: waiting}, nil
	}
	response := &apiv1.SubmitResponse{Application: r.GetDraft(), Number: answer.Dossier.State.Number, Cases: map[string]string{}, Position: answer.Position, Version: answer.Version}
	for _, c := range answer.Dossier.State.Cases {
		response.Cases[c.Bundle] = c.Number
	}
	return response, nil
}

// WithdrawConfirmation implements IntakeService.
func (s intakeService) WithdrawConfirmation(ctx context.Context, r *apiv1.WithdrawConfirmationRequest) (*apiv1.WithdrawConfirmationResponse, error) {
	who := access.FromContext(ctx)
	err := s.engine.WithdrawConfirmation(ctx, owners(who), r.GetDraft(), engine.Request{ID: r.GetRequestId(), Subject: who.Subject, Content: r})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.WithdrawConfirmationResponse{}, nil
}

// Supply implements IntakeService.
func (s intakeService) Supply(ctx context.Context, r *apiv1.SupplyRequest) (*apiv1.SupplyResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, func(ctx context.Context, _ *engine.Dossier) (application.Command, error) {
		file, err := s.engine.Uploaded(ctx, r.GetApplication(), r.GetMaterial(), r.GetDigest())
		return application.Supply{Material: r.GetMaterial(), File: file}, err
	})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.SupplyResponse{Position: answer.Position}, nil
}

// Correct implements IntakeService.
func (s intakeService) Correct(ctx context.Context, r *apiv1.CorrectRequest) (*apiv1.CorrectResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, func(ctx context.Context, d *engine.Dossier) (application.Command, error) {
		changes, unreadable := forms.Decode(r.GetChanges(), d.Selection.Field)
		unknown, err := s.engine.UnknownFiles(ctx, r.GetApplication(), changes)
		if err != nil {
			return nil, err
		}
		if unreadable = append(unreadable, unknown...); len(unreadable) > 0 {
			return nil, refusal.New(refusal.RecordInvalid, "表单中有填写不正确的内容", "the form has answers that are not right").With(unreadable...)
		}
		command := application.Correct{Changes: changes, Expected: r.GetExpectedVersion()}
		if command.Files, err = s.engine.UploadedAll(ctx, r.GetApplication(), r.GetMaterials()); err != nil {
			return nil, err
		}
		command.Persons, err = s.engine.Named(ctx, d, d.Selection, changes)
		return command, err
	})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.CorrectResponse{Position: answer.Position, Revision: int32(answer.Dossier.State.Revision)}, nil
}

// Withdraw implements IntakeService.
func (s intakeService) Withdraw(ctx context.Context, r *apiv1.WithdrawRequest) (*apiv1.WithdrawResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, func(context.Context, *engine.Dossier) (application.Command, error) {
		return application.Withdraw{Bundle: r.GetBundle(), Reason: r.GetReason()}, nil
	})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.WithdrawResponse{Position: answer.Position}, nil
}

// do gives a command of the applicant.
func (s intakeService) do(ctx context.Context, id, requestID string, content requestMessage, command func(context.Context, *engine.Dossier) (application.Command, error)) (*engine.Answer, error) {
	who := access.FromContext(ctx)
	return s.engine.Do(ctx, engine.Call{Application: id, Request: engine.Request{ID: requestID, Subject: who.Subject, Content: content},
		Actor: applicant(who), Person: who.Person, Allowed: mine(who), Command: command})
}

// own loads an application that is the caller's.
func (s intakeService) own(ctx context.Context, id string) (*engine.Dossier, error) {
	d, err := s.engine.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	return d, mine(access.FromContext(ctx))(d)
}

// GetApplication implements IntakeService. It reads the log itself, so it is never behind.
func (s intakeService) GetApplication(ctx context.Context, r *apiv1.GetApplicationRequest) (*apiv1.GetApplicationResponse, error) {
	d, err := s.own(ctx, r.GetApplication())
	if err != nil {
		return nil, refused(err)
	}
	message, err := s.applicationMessage(d, true)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.GetApplicationResponse{Application: message}, nil
}

// ListApplications implements IntakeService.
func (s intakeService) ListApplications(ctx context.Context, r *apiv1.ListApplicationsRequest) (*apiv1.ListApplicationsResponse, error) {
	if err := s.views.Wait(ctx, r.GetAtLeastPosition()); err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.ListApplicationsResponse{}
	own := access.FromContext(ctx).Principals()
	if len(own) == 0 {
		return answer, nil
	}
	rows, next, err := across(len(own), r.GetPage(), func(list, size int, token string) ([]view.Row, string, error) {
		rows, next, err := s.views.ByPerson(ctx, own[list], view.Page{Size: size, Token: token})
		if err != nil {
			return nil, "", err
		}
		// What stands in an earlier list was there already.
		return slices.DeleteFunc(rows, func(row view.Row) bool {
			return slices.ContainsFunc(own[:list], func(other string) bool {
				twice, concernsErr := s.views.Concerns(row.Application, other)
				err = errors.Join(err, concernsErr)
				return twice
			})
		}), next, err
	})
	if err != nil {
		return nil, refused(err)
	}
	answer.NextToken = next
	for _, row := range rows {
		d, err := s.engine.Load(ctx, row.Application)
		if err != nil {
			return nil, refused(err)
		}
		message, err := s.applicationMessage(d, false)
		if err != nil {
			return nil, refused(err)
		}
		answer.Applications = append(answer.Applications, message)
	}
	return answer, nil
}

// Watch implements IntakeService.
func (s intakeService) Watch(ctx context.Context, r *apiv1.WatchRequest, stream apiv1connect.IntakeServiceWatchServerStream) error {
	position := uint64(0)
	for {
		seen := s.views.Position()
		d, err := s.own(ctx, r.GetApplication())
		if err != nil {
			return refused(err)
		}
		message, err := s.applicationMessage(d, true)
		if err != nil {
			return refused(err)
		}
		if err := stream.Send(&apiv1.WatchResponse{Application: message, Position: position}); err != nil {
			return err
		}
		if position, err = s.views.Changed(ctx, r.GetApplication(), max(position, seen)); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the caller has ended it
			}
			return refused(err)
		}
	}
}

// Download implements IntakeService.
func (s intakeService) Download(ctx context.Context, r *apiv1.DownloadRequest, stream apiv1connect.IntakeServiceDownloadServerStream) error {
	who := access.FromContext(ctx)
	if _, err := s.own(ctx, r.GetApplication()); errors.Is(err, engine.ErrNotFound) {
		if _, err := s.engine.Draft(ctx, owners(who), r.GetApplication()); err != nil {
			return refused(err)
		}
	} else if err != nil {
		return refused(err)
	}
	return s.send(ctx, r.GetApplication(), r.GetDigest(), func(file *apiv1.File, chunk []byte) error {
		return stream.Send(&apiv1.DownloadResponse{File: file, Chunk: chunk})
	})
}

// chunk is how many bytes of a file go into one message.
const chunk = 256 << 10

// send sends a file in chunks; the first one with its description.
func (s service) send(ctx context.Context, id, digest string, send func(*apiv1.File, []byte) error) error {
	description, content, err := s.engine.OpenFile(ctx, id, digest)
	if err != nil {
		return refused(err)
	}
	defer content.Close()
	file := fileMessage(description)
	buffer := make([]byte, chunk)
	for {
		n, err := io.ReadFull(content, buffer)
		if n > 0 || file != nil {
			if sendErr := send(file, buffer[:n]); sendErr != nil {
				return sendErr
			}
			file = nil
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return refused(err)
		}
	}
}

// Prefill implements IntakeService.
func (s intakeService) Prefill(ctx context.Context, r *apiv1.PrefillRequest) (*apiv1.PrefillResponse, error) {
	who := access.FromContext(ctx)
	if len(who.Principals()) == 0 {
		return nil, fail(connect.CodePermissionDenied, nil, apiv1.Reason_REASON_NOT_ALLOWED, "预填须由申请人本人登录后使用", "prefilling is for the applicant who has signed in")
	}
	proposals, silent, err := s.engine.Prefill(ctx, owners(who), r.GetDraft(), engine.Request{ID: r.GetRequestId(), Subject: who.Subject, Content: r})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.PrefillResponse{Proposals: map[string]*apiv1.Proposal{}, Silent: silent}
	for _, p := range proposals {
		value, err := forms.EncodeValue(p.Value)
		if err != nil {
			return nil, refused(err)
		}
		answer.Proposals[string(p.Path)] = &apiv1.Proposal{Value: value, Department: p.Department}
	}
	return answer, nil
}
