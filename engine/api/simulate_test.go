package api_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/siyiban/onething/engine/simulate"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// simulated is all that a simulation says.
func (h *house) simulated(t testing.TB, r *apiv1.SimulateVersionRequest) (items []*apiv1.SimulatedItem, progress []*apiv1.SimulationProgress, sum *apiv1.SimulationSummary, err error) {
	t.Helper()
	stream, err := apiv1connect.NewPublishServiceClient(h.as("author")).SimulateVersion(t.Context(), r)
	if err != nil {
		return nil, nil, nil, err
	}
	for {
		part, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			return items, progress, sum, nil
		}
		if err != nil {
			return nil, nil, nil, err
		}
		if sum != nil {
			t.Error("the sum is not the last")
		}
		if i := part.GetItem(); i != nil {
			items = append(items, i)
		}
		if p := part.GetProgress(); p != nil {
			progress = append(progress, p)
		}
		sum = part.GetSummary()
	}
}

// Every kind, way and reason of a simulation has its name in the schema, and the schema names no other.
func TestSimulateVersion_Words(t *testing.T) {
	t.Parallel()
	for _, kind := range simulate.Kinds() {
		if apiv1.SimulatedItem_Effect_value["EFFECT_"+string(kind)] == 0 {
			t.Errorf("the schema has no effect %s", kind)
		}
	}
	if got, want := len(apiv1.SimulatedItem_Effect_name)-1, len(simulate.Kinds()); got != want {
		t.Errorf("%d effects, want %d", got, want)
	}
	for _, move := range []simulate.Move{simulate.Moves, simulate.MovesWith, simulate.Stays} {
		if apiv1.SimulatedItem_Move_value["MOVE_"+string(move)] == 0 {
			t.Errorf("the schema has no way %s", move)
		}
	}
	codes := simulate.Codes()
	for _, code := range codes {
		if apiv1.SimulatedReason_Code_value["CODE_"+string(code)] == 0 {
			t.Errorf("the schema has no reason %s", code)
		}
	}
	if got, want := len(apiv1.SimulatedReason_Code_name)-1, len(codes); got != want {
		t.Errorf("%d reasons, want %d", got, want)
	}
}

// A version that is not published is tried on what is under way: who is asked for more, whose verdict changes, and why; it
// changes nothing, and says no value of a person.
func TestSimulateVersion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	first, second := h.file(t), h.file(t)
	if _, err := apiv1connect.NewReviewServiceClient(h.as("clerk")).Accept(ctx, &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: second.GetApplication(), Bundle: "newborn", OverrideReason: "核验一致"}); err != nil {
		t.Fatal(explain(err))
	}
	over := h.file(t)
	withdrawn, err := h.intake("mother").Withdraw(ctx, &apiv1.WithdrawRequest{RequestId: uuid.NewString(), Application: over.GetApplication(), Reason: "不办了"})
	if err != nil {
		t.Fatal(explain(err))
	}
	drafted := h.started(t)
	if _, err := h.intake("mother").ListApplications(ctx, &apiv1.ListApplicationsRequest{AtLeastPosition: withdrawn.GetPosition()}); err != nil { // the views show it
		t.Fatal(explain(err))
	}
	author := apiv1connect.NewPublishServiceClient(h.as("author"))
	draft := func(text string) *apiv1.VersionRef {
		t.Helper()
		begun, err := author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "newborn", Text: text})
		if err != nil {
			t.Fatal(explain(err))
		}
		return &apiv1.VersionRef{Version: &apiv1.VersionRef_Draft{Draft: begun.GetDraft().GetDraft()}}
	}

	asking := draft(twin(t))
	position := h.views.Position()
	items, progress, sum, err := h.simulated(t, &apiv1.SimulateVersionRequest{Bundle: "newborn", New: asking})
	if err != nil {
		t.Fatal(explain(err))
	}
	if len(items) != 3 || len(progress) < 2 || progress[len(progress)-1].GetApplications() != 2 || progress[len(progress)-1].GetDrafts() != 1 {
		t.Fatalf("%v, %v", items, progress)
	}
	var numbers []string
	for _, i := range items {
		if numbers = append(numbers, i.GetNumber()+i.GetDraft()); i.GetEffect() != apiv1.SimulatedItem_EFFECT_ASKS || len(i.GetReasons()) != 1 || i.GetReasons()[0].GetCode() != apiv1.SimulatedReason_CODE_ANSWER_MISSING ||
			i.GetReasons()[0].GetItem() != "own.newborn.twin" || i.GetReasons()[0].GetName().GetZh() != "是否多胞胎" || i.GetBefore() != i.GetAfter() {
			t.Errorf("%v", i)
		}
		if want := map[bool]apiv1.SimulatedItem_Move{true: apiv1.SimulatedItem_MOVE_UNSPECIFIED, false: apiv1.SimulatedItem_MOVE_MOVES_WITH}[i.GetDraft() != ""]; i.GetMove() != want {
			t.Errorf("it could move: %v, want %v", i.GetMove(), want)
		}
	}
	slices.Sort(numbers)
	want := []string{first.GetCases()["newborn"], second.GetCases()["newborn"], drafted.GetDraft()}
	slices.Sort(want)
	if !slices.Equal(numbers, want) {
		t.Errorf("it names %v, want %v", numbers, want)
	}
	if sum.GetApplications().GetTotal() != 2 || sum.GetApplications().GetAsks() != 2 || sum.GetApplications().GetMovesWith() != 2 || sum.GetDrafts().GetAsks() != 1 || len(sum.GetReasons()) != 1 || sum.GetReasons()[0].GetCount() != 3 {
		t.Errorf("in all %v", sum)
	}
	if h.views.Position() != position {
		t.Error("something was committed")
	}
	for _, value := range []string{"周晓岚", mother, "13812345601", "1996-04-12"} {
		for _, i := range items {
			if text, _ := protojson.Marshal(i); strings.Contains(string(text), value) {
				t.Errorf("it says %s: %s", value, text)
			}
		}
	}

	items, _, sum, err = h.simulated(t, &apiv1.SimulateVersionRequest{Bundle: "newborn", New: draft(strings.Replace(newbornText(t), "birth_date, today) < 12", "birth_date, today) < 0", 1))})
	if err != nil || len(items) != 3 || sum.GetApplications().GetVerdict() != 2 || sum.GetApplications().GetStays() != 2 || sum.GetDrafts().GetVerdict() != 1 {
		t.Errorf("another verdict: %v, %v, %s", items, sum, explain(err))
	}
	items, _, sum, err = h.simulated(t, &apiv1.SimulateVersionRequest{Bundle: "newborn", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Number{Number: 1}}})
	if err != nil || len(items) != 0 || sum.GetApplications().GetUnchanged() != 2 || sum.GetDrafts().GetUnchanged() != 1 {
		t.Errorf("the version that they have: %v, %v, %s", items, sum, explain(err))
	}
	if items, _, _, err = h.simulated(t, &apiv1.SimulateVersionRequest{Bundle: "newborn", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Number{Number: 1}}, All: true}); err != nil || len(items) != 3 {
		t.Errorf("all of them: %v, %s", items, explain(err))
	}
	if _, _, sum, err = h.simulated(t, &apiv1.SimulateVersionRequest{Bundle: "retirement", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Number{Number: 1}}}); err != nil || sum.GetApplications().GetTotal() != 0 || sum.GetDrafts().GetTotal() != 0 {
		t.Errorf("another matter: %v, %s", sum, explain(err))
	}

	// One at a time.
	end, err := h.engine.BeginSimulation()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := h.simulated(t, &apiv1.SimulateVersionRequest{Bundle: "newborn", New: asking}); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("beside another one: %s", explain(err))
	}
	end()
	for name, r := range map[string]*apiv1.SimulateVersionRequest{
		"a faulty draft":               {Bundle: "newborn", New: draft("bundle: newborn\n")},
		"no version":                   {Bundle: "newborn"},
		"a bundle that is no id":       {Bundle: "../x", New: asking},
		"a version that is not there":  {Bundle: "newborn", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Number{Number: 9}}},
		"a draft of another bundle":    {Bundle: "retirement", New: asking},
		"a proposal that is not there": {Bundle: "newborn", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Proposal{Proposal: 1}}},
	} {
		_, _, _, err := h.simulated(t, r)
		if code := connect.CodeOf(err); err == nil || code != connect.CodeInvalidArgument && code != connect.CodeNotFound {
			t.Errorf("%s: %s", name, explain(err))
		}
	}
	if _, _, _, err := h.simulated(t, &apiv1.SimulateVersionRequest{Bundle: "newborn", New: asking}); err != nil {
		t.Errorf("afterwards: %s", explain(err))
	}
}
