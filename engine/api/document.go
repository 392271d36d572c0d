package api

import (
	"context"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/document"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms/kind"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// documentMessages are the documents of an application that are wanted.
func documentMessages(d *engine.Dossier, wanted func(application.Document) bool) []*apiv1.Document {
	var all []*apiv1.Document
	for _, x := range d.State.Documents {
		if !wanted(x) {
			continue
		}
		k := document.Kind(x.Kind)
		message := &apiv1.Document{Number: x.Number, Kind: x.Kind, Title: words(k.Title(), k.English()), On: x.On.String(), Bundle: x.Bundle, Task: x.Task, Material: x.Material,
			Served: apiv1.Document_Way(apiv1.Document_Way_value["WAY_"+x.Way])}
		if x.Way != "" {
			message.ServedOn = x.ServedOn.String()
		}
		if page, sheet := d.DocumentFiles(x.Number); page != nil && sheet != nil { // else the key is gone
			message.Page, message.Pdf = fileMessage(page), fileMessage(sheet)
		}
		all = append(all, message)
	}
	return all
}

// GetDocuments implements IntakeService. It reads the log itself, so it is never behind.
func (s intakeService) GetDocuments(ctx context.Context, r *apiv1.GetDocumentsRequest) (*apiv1.GetDocumentsResponse, error) {
	d, err := s.own(ctx, r.GetApplication())
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.GetDocumentsResponse{Documents: documentMessages(d, func(application.Document) bool { return true })}, nil
}

// ReceiveDocument implements IntakeService.
func (s intakeService) ReceiveDocument(ctx context.Context, r *apiv1.ReceiveDocumentRequest) (*apiv1.ReceiveDocumentResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, always(application.ServeDocument{Number: r.GetNumber(), Way: application.ServedElectronically}))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.ReceiveDocumentResponse{Position: answer.Position}, nil
}

// GetCaseDocuments implements ReviewService.
func (s reviewService) GetCaseDocuments(ctx context.Context, r *apiv1.GetCaseDocumentsRequest) (*apiv1.GetCaseDocumentsResponse, error) {
	d, err := s.engine.Load(ctx, r.GetApplication())
	if err != nil {
		return nil, refused(err)
	}
	if d.State.Case(r.GetBundle()) == nil {
		return nil, refused(engine.ErrNotFound)
	}
	return &apiv1.GetCaseDocumentsResponse{Documents: documentMessages(d, engine.CaseDocument(r.GetBundle()))}, nil
}

// ServeDocument implements ReviewService.
func (s reviewService) ServeDocument(ctx context.Context, r *apiv1.ServeDocumentRequest) (*apiv1.ServeDocumentResponse, error) {
	command := application.ServeDocument{Number: r.GetNumber(), Way: r.GetWay().String()[len("WAY_"):], Receiver: r.GetReceiver(), Note: r.GetNote()}
	if r.GetOn() != "" {
		var ok bool
		if command.On, ok = kind.ParseDate(r.GetOn()); !ok {
			return nil, refused(refusal.New(refusal.Invalid, "送达日期不是日历中的日期", "the day of service is none of the calendar"))
		}
	}
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, command)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.ServeDocumentResponse{Position: answer.Position}, nil
}

// GetTaskDocuments implements TaskService.
func (s taskService) GetTaskDocuments(ctx context.Context, r *apiv1.GetTaskDocumentsRequest) (*apiv1.GetTaskDocumentsResponse, error) {
	id, err := s.find(ctx, r.GetTask(), 0)
	if err != nil {
		return nil, refused(err)
	}
	d, err := s.engine.Load(ctx, id)
	if err != nil {
		return nil, refused(err)
	}
	task, err := of(d, r.GetTask(), access.FromContext(ctx))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.GetTaskDocumentsResponse{Documents: documentMessages(d, s.engine.TaskDocument(d, task))}, nil
}
