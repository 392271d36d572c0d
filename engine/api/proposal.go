package api

import (
	"context"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// ListProposals implements PublishService.
func (s publishService) ListProposals(_ context.Context, r *apiv1.ListProposalsRequest) (*apiv1.ListProposalsResponse, error) {
	state := s.engine.InForce().State
	var wanted []registry.Proposal
	for _, p := range slices.Backward(state.Proposals) {
		if (r.GetBundle() == "" || r.GetBundle() == p.Bundle) && (r.GetClosed() || p.Closed.IsZero()) {
			wanted = append(wanted, p)
		}
	}
	from, to, next, err := window(r.GetPage(), len(wanted))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.ListProposalsResponse{NextToken: next}
	for _, p := range wanted[from:to] {
		answer.Proposals = append(answer.Proposals, proposalMessage(state, p))
	}
	return answer, nil
}

// GetProposal implements PublishService.
func (s publishService) GetProposal(_ context.Context, r *apiv1.GetProposalRequest) (*apiv1.GetProposalResponse, error) {
	state := s.engine.InForce().State
	if int(r.GetProposal()) > len(state.Proposals) {
		return nil, refused(refusal.New(refusal.NotFound, "没有这份待复核的版本", "there is no such proposal"))
	}
	p := state.Proposals[r.GetProposal()-1]
	return &apiv1.GetProposalResponse{Proposal: proposalMessage(state, p), Text: string(p.Text)}, nil
}

// ApproveProposal implements PublishService.
func (s publishService) ApproveProposal(ctx context.Context, r *apiv1.ApproveProposalRequest) (*apiv1.ApproveProposalResponse, error) {
	p, err := s.publish(ctx, r.GetRequestId(), registry.ApproveProposal{Proposal: int(r.GetProposal())})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.ApproveProposalResponse{Position: p.Position}
	answer.Version, _ = s.came(p.Event)
	return answer, nil
}

// RejectProposal implements PublishService.
func (s publishService) RejectProposal(ctx context.Context, r *apiv1.RejectProposalRequest) (*apiv1.RejectProposalResponse, error) {
	p, err := s.publish(ctx, r.GetRequestId(), registry.RejectProposal{Proposal: int(r.GetProposal()), Reason: r.GetReason()})
	if err != nil {
		return nil, refused(err)
	}
	state := s.engine.InForce().State
	return &apiv1.RejectProposalResponse{Position: p.Position, Proposal: proposalMessage(state, state.Proposals[r.GetProposal()-1])}, nil
}

func proposalMessage(state registry.State, p registry.Proposal) *apiv1.BundleProposal {
	message := &apiv1.BundleProposal{Proposal: int32(p.Number), Bundle: p.Bundle, Base: int32(p.Base), Digest: p.Digest, Proposed: timestamppb.New(p.At), Author: p.By,
		Reason: p.Reason, RolledBackTo: int32(p.RolledBackTo), Draft: p.Draft, Moving: p.Moving, ClosedBy: p.ClosedBy, Rejection: p.Rejection, Version: int32(p.Version)}
	switch {
	case state.Outdated(p):
		message.State = apiv1.BundleProposal_STATE_OUTDATED
	case p.Closed.IsZero():
		message.State = apiv1.BundleProposal_STATE_OPEN
	case p.Version > 0:
		message.State = apiv1.BundleProposal_STATE_APPROVED
	default:
		message.State = apiv1.BundleProposal_STATE_REJECTED
	}
	if !p.Closed.IsZero() {
		message.Closed = timestamppb.New(p.Closed)
	}
	return message
}
