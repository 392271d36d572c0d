package api_test

import (
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// A save that is sent again is answered with the revision that it made: whoever goes on from it is told what was saved
// since, and writes over nothing that was not seen.
func TestSaveDraft_SentAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	intake := h.intake("mother")
	created, err := intake.CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, newborn)})
	if err != nil {
		t.Fatal(explain(err))
	}
	draft := created.GetDraft().GetDraft()
	save := func(expected int64, head string) *apiv1.SaveDraftRequest {
		return &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: draft, ExpectedVersion: expected, Changes: record(t, `{"form.household_register.head_name": "`+head+`"}`).GetAnswers()}
	}
	first := save(created.GetDraft().GetRevision(), "陈国")
	made, err := intake.SaveDraft(ctx, first)
	if err != nil {
		t.Fatal(explain(err))
	}
	other, err := intake.SaveDraft(ctx, save(made.GetRevision(), "陈立"))
	if err != nil {
		t.Fatal(explain(err))
	}
	again, err := intake.SaveDraft(ctx, first)
	if err != nil || again.GetRevision() != made.GetRevision() || other.GetRevision() <= made.GetRevision() {
		t.Errorf("sent again it is answered with revision %d, it made %d: %v", again.GetRevision(), made.GetRevision(), explain(err))
	}
	if _, err := intake.SaveDraft(ctx, save(again.GetRevision(), "陈强")); connect.CodeOf(err) != connect.CodeAborted && connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("who has not seen what was saved since writes over it: %v", explain(err))
	}
	d, err := intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: draft})
	if err != nil || d.GetDraft().GetRecord().GetAnswers()["form.household_register.head_name"].GetStringValue() != "陈立" {
		t.Errorf("it holds %v, %v", d.GetDraft().GetRecord().GetAnswers()["form.household_register.head_name"], explain(err))
	}
}
