package api

import (
	"context"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// TakeOverDraft implements IntakeService.
func (s intakeService) TakeOverDraft(ctx context.Context, r *apiv1.TakeOverDraftRequest) (*apiv1.TakeOverDraftResponse, error) {
	before, after, err := s.engine.TakeOverDraft(ctx, owners(access.FromContext(ctx)), r.GetDraft(), r.GetExpectedVersion(), requestOf(ctx, r))
	if err != nil {
		return nil, refused(err)
	}
	change, err := engine.Change(before.Assessed, after.Assessed)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.TakeOverDraftResponse{Revision: after.Revision, Change: change, Versions: s.draftVersions(after.Reading)}, nil
}

// draftVersions are the versions on which a draft is.
func (s intakeService) draftVersions(r *engine.Reading) []*apiv1.DraftVersion {
	var versions []*apiv1.DraftVersion
	for _, b := range r.Selection.Bundles {
		message := &apiv1.DraftVersion{Bundle: b.ID}
		if v := s.engine.InForce().Numbered(b.ID, b.Digest); v != nil {
			message.Version = int32(v.Number)
		}
		for _, behind := range r.Behind {
			if behind.Bundle != b.ID {
				continue
			}
			if message.ByItself = r.ByItself; behind.Has != nil {
				message.Version = int32(behind.Has.Number)
			}
			if behind.InForce != nil {
				message.InForce, message.Reason = int32(behind.InForce.Number), behind.InForce.Why
			}
		}
		versions = append(versions, message)
	}
	return versions
}

// PreviewMove implements IntakeService.
func (s intakeService) PreviewMove(ctx context.Context, r *apiv1.PreviewMoveRequest) (*apiv1.PreviewMoveResponse, error) {
	d, err := s.own(ctx, r.GetApplication())
	if err != nil {
		return nil, refused(err)
	}
	who := access.FromContext(ctx)
	p, err := s.engine.PreviewMove(ctx, d, engine.Moving{Application: r.GetApplication(), Bundle: r.GetBundle(), Changes: r.GetChanges(), Materials: r.GetMaterials()},
		engine.Call{Actor: applicant(who), Person: who.Person})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.PreviewMoveResponse{Offer: offerMessage(p.Offer)}
	if answer.Assessment, err = p.Assessment.Message(); err != nil {
		return nil, refused(err)
	}
	if p.Refusal != nil {
		answer.Refusal = infoOf(p.Refusal)
	}
	return answer, nil
}

// MoveCase implements IntakeService.
func (s intakeService) MoveCase(ctx context.Context, r *apiv1.MoveCaseRequest) (*apiv1.MoveCaseResponse, error) {
	who := access.FromContext(ctx)
	answer, err := s.engine.Move(ctx, engine.Moving{Application: r.GetApplication(), Bundle: r.GetBundle(), Version: int(r.GetVersion()), Changes: r.GetChanges(),
		Materials: r.GetMaterials(), Expected: r.GetExpectedVersion()},
		engine.Call{Request: requestOf(ctx, r), Actor: applicant(who), Person: who.Person, Allowed: mine(who)})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.MoveCaseResponse{Position: answer.Position, Revision: int32(answer.Dossier.State.Revision)}, nil
}

func offerMessage(o *engine.Offer) *apiv1.MoveOffer {
	return &apiv1.MoveOffer{Version: int32(o.From.Number), Offered: int32(o.To.Number), Reason: o.To.Why}
}
