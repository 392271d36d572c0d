package api

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/bundledraft"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	diagv1 "github.com/siyiban/onething/proto/gen/onething/diag/v1"
)

// requestOf is a request of the caller, with its content.
func requestOf(ctx context.Context, r interface {
	requestMessage
	GetRequestId() string
}) engine.Request {
	return engine.Request{ID: r.GetRequestId(), Subject: access.FromContext(ctx).Subject, Content: r}
}

// CreateBundleDraft implements PublishService.
func (s publishService) CreateBundleDraft(ctx context.Context, r *apiv1.CreateBundleDraftRequest) (*apiv1.CreateBundleDraftResponse, error) {
	d, text, err := s.engine.CreateBundleDraft(requestOf(ctx, r), r.GetBundle(), []byte(r.GetText()))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.CreateBundleDraftResponse{Draft: s.bundleDraft(d), Text: string(text)}, nil
}

// SaveBundleDraft implements PublishService.
func (s publishService) SaveBundleDraft(ctx context.Context, r *apiv1.SaveBundleDraftRequest) (*apiv1.SaveBundleDraftResponse, error) {
	revision, d, err := s.engine.SaveBundleDraft(requestOf(ctx, r), r.GetDraft(), r.GetExpectedVersion(), []byte(r.GetText()))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.SaveBundleDraftResponse{Revision: revision, Draft: s.bundleDraft(d)}, nil
}

// GetBundleDraft implements PublishService.
func (s publishService) GetBundleDraft(_ context.Context, r *apiv1.GetBundleDraftRequest) (*apiv1.GetBundleDraftResponse, error) {
	d, text, err := s.engine.BundleDraft(r.GetDraft())
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.GetBundleDraftResponse{Draft: s.bundleDraft(d), Text: string(text)}, nil
}

// ListBundleDrafts implements PublishService.
func (s publishService) ListBundleDrafts(_ context.Context, r *apiv1.ListBundleDraftsRequest) (*apiv1.ListBundleDraftsResponse, error) {
	all, err := s.engine.BundleDrafts()
	if err != nil {
		return nil, refused(err)
	}
	var wanted []*bundledraft.Draft
	for _, d := range all {
		if r.GetBundle() == "" || r.GetBundle() == d.Bundle {
			wanted = append(wanted, d)
		}
	}
	from, to, next, err := window(r.GetPage(), len(wanted))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.ListBundleDraftsResponse{NextToken: next}
	for _, d := range wanted[from:to] {
		answer.Drafts = append(answer.Drafts, s.bundleDraft(d))
	}
	return answer, nil
}

// CheckBundleDraft implements PublishService.
func (s publishService) CheckBundleDraft(ctx context.Context, r *apiv1.CheckBundleDraftRequest) (*apiv1.CheckBundleDraftResponse, error) {
	found, revision, err := s.engine.CheckBundleDraft(ctx, r.GetDraft())
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.CheckBundleDraftResponse{Revision: revision}
	answer.Findings, answer.More = findings(found)
	return answer, nil
}

// PublishBundleDraft implements PublishService.
func (s publishService) PublishBundleDraft(ctx context.Context, r *apiv1.PublishBundleDraftRequest) (*apiv1.PublishBundleDraftResponse, error) {
	p, err := s.engine.PublishBundleDraft(ctx, requestOf(ctx, r), r.GetDraft(), r.GetExpectedVersion(), r.GetReason(), int(r.GetNumber()), r.GetMoving())
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.PublishBundleDraftResponse{Position: p.Position}
	if answer.Version, answer.Proposal = s.came(p.Event); p.Position == 0 {
		d, _, err := s.engine.BundleDraft(r.GetDraft())
		if err != nil {
			return nil, refused(err)
		}
		answer.Version = s.last(d.Bundle)
	}
	return answer, nil
}

// DiscardBundleDraft implements PublishService.
func (s publishService) DiscardBundleDraft(_ context.Context, r *apiv1.DiscardBundleDraftRequest) (*apiv1.DiscardBundleDraftResponse, error) {
	if err := s.engine.DiscardBundleDraft(r.GetDraft(), r.GetExpectedVersion()); err != nil {
		return nil, refused(err)
	}
	return &apiv1.DiscardBundleDraftResponse{}, nil
}

func (s publishService) bundleDraft(d *bundledraft.Draft) *apiv1.BundleDraft {
	return &apiv1.BundleDraft{Draft: d.ID, Bundle: d.Bundle, Revision: d.Revision, Base: int32(d.Base), Outdated: d.Base != len(s.engine.InForce().State.Bundles[d.Bundle]),
		Created: timestamppb.New(d.Created), Author: d.By, Saved: timestamppb.New(d.Saved), SavedBy: d.SavedBy}
}

// maxFindings is how many findings one answer has room for.
const maxFindings = 2000

// findings are what is wrong with a text, in its order, and how many more there are than an answer has room for.
func findings(found diag.List) (messages []*diagv1.Diagnostic, more int32) {
	found = found.Sorted()
	for _, d := range found[:min(maxFindings, len(found))] {
		messages = append(messages, d.Proto())
	}
	return messages, int32(len(found) - len(messages))
}
