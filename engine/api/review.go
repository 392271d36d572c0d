package api

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// requestMessage is the request of a call, of which a keyed digest is kept.
type requestMessage = proto.Message

// reviewService is the clerk's.
type reviewService struct {
	apiv1connect.UnimplementedReviewServiceHandler
	service
}

// ListCases implements ReviewService.
func (s reviewService) ListCases(ctx context.Context, r *apiv1.ListCasesRequest) (*apiv1.ListCasesResponse, error) {
	if err := s.views.Wait(ctx, r.GetAtLeastPosition()); err != nil {
		return nil, refused(err)
	}
	rows, next, err := s.views.Review(ctx, s.engine.Place(), view.Page{Size: pageSize(r.GetPage()), Token: r.GetPage().GetToken()})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.ListCasesResponse{NextToken: next}
	for _, row := range rows {
		if c := row.State.Case(row.Item); c != nil {
			answer.Cases = append(answer.Cases, s.reviewCase(row.State, c))
		}
	}
	return answer, nil
}

func (s reviewService) reviewCase(state application.State, c *application.Case) *apiv1.ReviewCase {
	message := &apiv1.ReviewCase{Application: state.ID, Number: c.Number, Bundle: c.Bundle, Version: c.Version, ApplicationVersion: state.Version, Received: state.Received.String(),
		NoticeDue: dueMessage(c.NoticeDue), Verdict: c.Verdict, Awaited: c.Awaited(), Findings: int32(len(c.Against()))}
	if b := s.engine.InForce().Bundle(c.Digest); b != nil {
		message.Name = b.Name.Proto()
	}
	return message
}

// GetCase implements ReviewService.
func (s reviewService) GetCase(ctx context.Context, r *apiv1.GetCaseRequest) (*apiv1.GetCaseResponse, error) {
	d, err := s.engine.Load(ctx, r.GetApplication())
	if err != nil {
		return nil, refused(err)
	}
	c := d.State.Case(r.GetBundle())
	if c == nil {
		return nil, refused(engine.ErrNotFound)
	}
	bundle := d.Selection.Bundle(c.Bundle)
	if err := s.engine.RecordSight(ctx, d, clerk(access.FromContext(ctx)), "review/"+c.Bundle); err != nil {
		return nil, refused(err)
	}
	record, err := d.Record.Only(func(p forms.Path) bool { return bundle.Field(p) != nil }).Encode()
	if err != nil {
		return nil, refused(err)
	}
	state, err := s.caseMessage(d, c)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.GetCaseResponse{Case: s.reviewCase(d.State, c), Record: record, Materials: materialMessages(d, func(bundle string) bool { return bundle == c.Bundle }),
		Findings: findingsOf(d, c), State: state}, nil
}

// DownloadFile implements ReviewService.
func (s reviewService) DownloadFile(ctx context.Context, r *apiv1.DownloadFileRequest, stream apiv1connect.ReviewServiceDownloadFileServerStream) error {
	d, err := s.engine.Load(ctx, r.GetApplication())
	if err != nil {
		return refused(err)
	}
	c := d.State.Case(r.GetBundle())
	if c == nil || !d.CaseFile(c, r.GetDigest()) && !d.HasDocumentFile(r.GetDigest(), engine.CaseDocument(c.Bundle)) {
		return refused(engine.ErrNotFound)
	}
	if err := s.engine.RecordSight(ctx, d, clerk(access.FromContext(ctx)), "file/"+c.Bundle); err != nil {
		return refused(err)
	}
	return s.send(ctx, r.GetApplication(), r.GetDigest(), func(file *apiv1.File, chunk []byte) error {
		return stream.Send(&apiv1.DownloadFileResponse{File: file, Chunk: chunk})
	})
}

func clerk(who access.Identity) *applicationv1.Actor {
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_CLERK, Id: who.Subject}
}

// do gives a command of a clerk.
func (s reviewService) do(ctx context.Context, id, requestID string, content requestMessage, command application.Command) (*engine.Answer, error) {
	who := access.FromContext(ctx)
	return s.engine.Do(ctx, engine.Call{Application: id, Request: engine.Request{ID: requestID, Subject: who.Subject, Content: content}, Actor: clerk(who),
		Command: func(context.Context, *engine.Dossier) (application.Command, error) { return command, nil }})
}

// Accept implements ReviewService.
func (s reviewService) Accept(ctx context.Context, r *apiv1.AcceptRequest) (*apiv1.AcceptResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, application.Accept{Bundle: r.GetBundle(), OverrideReason: r.GetOverrideReason(), Expected: r.GetExpectedVersion()})
	if err != nil {
		return nil, refused(err)
	}
	response := &apiv1.AcceptResponse{Position: answer.Position}
	if c := answer.Dossier.State.Case(r.GetBundle()); c != nil {
		response.Due = dueMessage(c.Due)
	}
	return response, nil
}

// NotifyCorrection implements ReviewService.
func (s reviewService) NotifyCorrection(ctx context.Context, r *apiv1.NotifyCorrectionRequest) (*apiv1.NotifyCorrectionResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, application.NotifyCorrection{Items: items(r.GetItems()), Expected: r.GetExpectedVersion()})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.NotifyCorrectionResponse{Position: answer.Position, Number: lastNotice(answer.Dossier)}, nil
}

func items(list []*apiv1.CorrectionItem) []application.Item {
	var all []application.Item
	for _, i := range list {
		all = append(all, application.Item{Bundle: i.GetBundle(), Path: i.GetPath(), Text: i.GetText()})
	}
	return all
}

// lastNotice is the number of the last written notice.
func lastNotice(d *engine.Dossier) string {
	number := ""
	for _, event := range d.Events {
		switch k := event.GetKind().(type) {
		case *applicationv1.Event_CorrectionNotified:
			number = k.CorrectionNotified.GetNumber()
		case *applicationv1.Event_CorrectionAsked:
			number = k.CorrectionAsked.GetNotice()
		case *applicationv1.Event_TaskPaused:
			number = k.TaskPaused.GetNotice()
		case *applicationv1.Event_Extended:
			number = k.Extended.GetNotice()
		}
	}
	return number
}

// Refuse implements ReviewService.
func (s reviewService) Refuse(ctx context.Context, r *apiv1.RefuseRequest) (*apiv1.RefuseResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, application.Refuse{Bundle: r.GetBundle(), Elsewhere: r.GetElsewhere(), Reason: r.GetReason(), Expected: r.GetExpectedVersion()})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.RefuseResponse{Position: answer.Position}, nil
}

// ExtendCase implements ReviewService.
func (s reviewService) ExtendCase(ctx context.Context, r *apiv1.ExtendCaseRequest) (*apiv1.ExtendCaseResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, application.ExtendCase{Bundle: r.GetBundle(), Approval: approval(r.GetApproval()), Expected: r.GetExpectedVersion()})
	if err != nil {
		return nil, refused(err)
	}
	response := &apiv1.ExtendCaseResponse{Position: answer.Position, Number: lastNotice(answer.Dossier)}
	if c := answer.Dossier.State.Case(r.GetBundle()); c != nil {
		response.Due, response.Statutory = dueMessage(c.Due), dueMessage(c.Statutory)
	}
	return response, nil
}

// ExtendTolerance implements ReviewService.
func (s reviewService) ExtendTolerance(ctx context.Context, r *apiv1.ExtendToleranceRequest) (*apiv1.ExtendToleranceResponse, error) {
	answer, err := s.do(ctx, r.GetApplication(), r.GetRequestId(), r, application.ExtendTolerance{Bundle: r.GetBundle(), Material: r.GetMaterial(), Approval: approval(r.GetApproval()), Expected: r.GetExpectedVersion()})
	if err != nil {
		return nil, refused(err)
	}
	response := &apiv1.ExtendToleranceResponse{Position: answer.Position, Number: lastNotice(answer.Dossier)}
	if c := answer.Dossier.State.Case(r.GetBundle()); c != nil {
		for _, t := range c.Tolerances {
			if t.Material == r.GetMaterial() {
				response.Due = dueMessage(t.Due)
			}
		}
	}
	return response, nil
}
