package api_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Where the policy asks for a second person, a version waits for one; the first cannot be the second.
func TestProposals(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *engine.Config) { c.SecondPerson = registry.Policy{All: true} })
	author, second := apiv1connect.NewPublishServiceClient(h.as("author")), apiv1connect.NewPublishServiceClient(h.as("second"))
	good := newbornText(t)
	changed := strings.Replace(good, "新生儿出生未满 12 个月", "新生儿未满 12 个月", 1)
	ctx := t.Context()
	publish := &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: changed, Reason: "clearer words", ExpectedVersion: 1}
	_, err := author.PublishBundle(ctx, &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: strings.Replace(good, "form.newborn.birth_date <= today", "form.newborn.birth_dat <= today", 1), Reason: "fault"})
	if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(explain(err).Error(), "rule-unknown-field") {
		t.Errorf("a faulty version was proposed: %s", explain(err))
	}
	proposed, err := author.PublishBundle(ctx, publish)
	if err != nil {
		t.Fatal(explain(err))
	}
	if p := proposed.GetProposal(); proposed.GetVersion() != nil || proposed.GetPosition() == 0 || p.GetProposal() != 1 || p.GetBundle() != "newborn" || p.GetAuthor() != "f-1" ||
		p.GetBase() != 1 || p.GetState() != apiv1.BundleProposal_STATE_OPEN || p.GetReason() != "clearer words" {
		t.Errorf("proposed as %v", proposed)
	}
	if again, err := author.PublishBundle(ctx, publish); err != nil || again.GetPosition() != proposed.GetPosition() || again.GetProposal().GetProposal() != 1 {
		t.Errorf("repeated: %v, %s", again, explain(err))
	}
	listed, err := second.ListProposals(ctx, &apiv1.ListProposalsRequest{Bundle: "newborn"})
	if err != nil || len(listed.GetProposals()) != 1 {
		t.Fatalf("%v, %s", listed, explain(err))
	}
	if got, err := second.GetProposal(ctx, &apiv1.GetProposalRequest{Proposal: 1}); err != nil || got.GetText() != changed {
		t.Errorf("the proposal: %v, %s", got.GetProposal(), explain(err))
	}
	if v := h.engine.InForce().On("newborn", h.engine.Today(), "321323"); v.Number != 1 {
		t.Errorf("version %d is in force, and nobody has approved it", v.Number)
	}

	_, err = author.ApproveProposal(ctx, &apiv1.ApproveProposalRequest{RequestId: uuid.NewString(), Proposal: 1})
	if connect.CodeOf(err) != connect.CodePermissionDenied || !strings.Contains(explain(err).Error(), "REASON_SECOND_PERSON") {
		t.Errorf("approved by who has proposed it: %s", explain(err))
	}
	approve := &apiv1.ApproveProposalRequest{RequestId: uuid.NewString(), Proposal: 1}
	approved, err := second.ApproveProposal(ctx, approve)
	if err != nil {
		t.Fatal(explain(err))
	}
	if v := approved.GetVersion(); v.GetNumber() != 2 || v.GetAuthor() != "f-1" || v.GetApprover() != "f-2" || v.GetProposal() != 1 || !v.GetInForce() {
		t.Errorf("approved as %v", v)
	}
	if again, err := second.ApproveProposal(ctx, approve); err != nil || again.GetPosition() != approved.GetPosition() || again.GetVersion().GetNumber() != 2 {
		t.Errorf("approved again: %v, %s", again, explain(err))
	}

	back, err := second.RollBackBundle(ctx, &apiv1.RollBackBundleRequest{RequestId: uuid.NewString(), Bundle: "newborn", Number: 1, Reason: "not so clear"})
	if err != nil || back.GetVersion() != nil || back.GetProposal().GetRolledBackTo() != 1 {
		t.Fatalf("rolled back at once: %v, %s", back, explain(err))
	}
	rejected, err := author.RejectProposal(ctx, &apiv1.RejectProposalRequest{RequestId: uuid.NewString(), Proposal: 2, Reason: "it is clearer"})
	if err != nil || rejected.GetProposal().GetState() != apiv1.BundleProposal_STATE_REJECTED || rejected.GetProposal().GetRejection() != "it is clearer" || rejected.GetProposal().GetClosedBy() != "f-1" {
		t.Errorf("rejected: %v, %s", rejected, explain(err))
	}
	closed, err := apiv1connect.NewPublishServiceClient(h.as("operator")).ListProposals(ctx, &apiv1.ListProposalsRequest{Closed: true, Page: &apiv1.Page{Size: 1}})
	if err != nil || len(closed.GetProposals()) != 1 || closed.GetProposals()[0].GetProposal() != 2 || closed.GetNextToken() == "" {
		t.Errorf("all proposals: %v, %s", closed, explain(err))
	}
	if open, err := author.ListProposals(ctx, &apiv1.ListProposalsRequest{}); err != nil || len(open.GetProposals()) != 0 {
		t.Errorf("open proposals: %v, %s", open, explain(err))
	}
	for name, err := range map[string]error{
		"read":     first2(author.GetProposal(ctx, &apiv1.GetProposalRequest{Proposal: 9})),
		"approved": first2(author.ApproveProposal(ctx, &apiv1.ApproveProposalRequest{RequestId: uuid.NewString(), Proposal: 9})),
		"rejected": first2(author.RejectProposal(ctx, &apiv1.RejectProposalRequest{RequestId: uuid.NewString(), Proposal: 9, Reason: "x"})),
	} {
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("a proposal that is not there, %s: %s", name, explain(err))
		}
	}
	bad := []error{
		first2(author.GetProposal(ctx, &apiv1.GetProposalRequest{})),
		first2(author.RejectProposal(ctx, &apiv1.RejectProposalRequest{RequestId: uuid.NewString(), Proposal: 1})),
		first2(author.ApproveProposal(ctx, &apiv1.ApproveProposalRequest{RequestId: "x", Proposal: 1})),
		first2(author.ListProposals(ctx, &apiv1.ListProposalsRequest{Bundle: "New-Born"})),
	}
	if i := slices.IndexFunc(bad, func(err error) bool { return connect.CodeOf(err) != connect.CodeInvalidArgument }); i >= 0 {
		t.Errorf("bad request %d: %s", i, explain(bad[i]))
	}
}

// So does what a version shall mean for applications under way: nobody lets it mean more alone.
func TestProposals_Moving(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *engine.Config) { c.SecondPerson = registry.Policy{All: true} })
	author, second := apiv1connect.NewPublishServiceClient(h.as("author")), apiv1connect.NewPublishServiceClient(h.as("second"))
	ctx := t.Context()
	choose := &apiv1.ChooseMovingRequest{RequestId: uuid.NewString(), Bundle: "newborn", ExpectedVersion: 1, Moving: registryv1.Moving_MOVING_CONSENT, Reason: "更宽"}
	chosen, err := author.ChooseMoving(ctx, choose)
	if err != nil {
		t.Fatal(explain(err))
	}
	if p := chosen.GetProposal(); p.GetProposal() != 1 || p.GetMoving() != registryv1.Moving_MOVING_CONSENT || p.GetRolledBackTo() != 1 || chosen.GetPosition() == 0 ||
		chosen.GetVersion().GetNumber() != 1 || chosen.GetVersion().GetMoving() != registryv1.Moving_MOVING_PIN {
		t.Errorf("chosen alone: %v", chosen)
	}
	if again, err := author.ChooseMoving(ctx, choose); err != nil || again.GetPosition() != chosen.GetPosition() || again.GetProposal().GetProposal() != 1 {
		t.Errorf("repeated: %v, %s", again, explain(err))
	}
	approved, err := second.ApproveProposal(ctx, &apiv1.ApproveProposalRequest{RequestId: uuid.NewString(), Proposal: 1})
	if err != nil || approved.GetVersion().GetNumber() != 2 || approved.GetVersion().GetMoving() != registryv1.Moving_MOVING_CONSENT || !approved.GetVersion().GetInForce() {
		t.Fatalf("approved: %v, %s", approved, explain(err))
	}
	less, err := author.ChooseMoving(ctx, &apiv1.ChooseMovingRequest{RequestId: uuid.NewString(), Bundle: "newborn", ExpectedVersion: 2, Moving: registryv1.Moving_MOVING_PIN, Reason: "先不动"})
	if err != nil || less.GetProposal() != nil || less.GetVersion().GetMoving() != registryv1.Moving_MOVING_PIN {
		t.Errorf("less: %v, %s", less, explain(err))
	}
}
