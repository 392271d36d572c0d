package api_test

import (
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// Whom an application names after a correction it is for: who was named by mistake does not see it any more.
func TestCorrect_NamesSomebodyElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	filed := h.file(t)
	sees := func(who string, position uint64) (alone, listed bool) {
		t.Helper()
		_, err := h.intake(who).GetApplication(ctx, &apiv1.GetApplicationRequest{Application: filed.GetApplication(), AtLeastPosition: position})
		if err != nil && connect.CodeOf(err) != connect.CodeNotFound {
			t.Fatal(explain(err))
		}
		list, listErr := h.intake(who).ListApplications(ctx, &apiv1.ListApplicationsRequest{AtLeastPosition: position})
		if listErr != nil {
			t.Fatal(explain(listErr))
		}
		return err == nil, len(list.GetApplications()) == 1
	}
	review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
	if _, err := review.NotifyCorrection(ctx, &apiv1.NotifyCorrectionRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(),
		Items: []*apiv1.CorrectionItem{{Bundle: "newborn", Path: "form.father.id_no", Text: "请核对"}}}); err != nil {
		t.Fatal(explain(err))
	}
	changed := record(t, `{"form.father.id_no": "`+stranger+`", "form.father.birth": "1949-12-31"}`).GetAnswers()
	corrected, err := h.intake("mother").Correct(ctx, &apiv1.CorrectRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Changes: changed})
	if err != nil {
		t.Fatal(explain(err))
	}
	for who, want := range map[string]bool{"mother": true, "father": false, "stranger": true} {
		if alone, listed := sees(who, corrected.GetPosition()); alone != want || listed != want {
			t.Errorf("%s sees it: %v, in the list: %v", who, alone, listed)
		}
	}
}
