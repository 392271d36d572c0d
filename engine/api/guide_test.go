package api_test

import (
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/guide"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Whoever names no matter asks of all of them: what could I apply for? Verdicts move with the answers, and what is
// asked next decides something.
func TestAssess_WhatCouldIApplyFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	service := apiv1connect.NewGuideServiceClient(h.as(""))
	answers := map[string]*structpb.Value{}
	whole := &apiv1.Assessment{}
	first, err := service.Assess(t.Context(), &apiv1.AssessRequest{Fresh: true})
	if err != nil {
		t.Fatal(explain(err))
	}
	whole = guide.Apply(whole, first.GetChange())
	if n, all := len(whole.GetCases()), len(h.engine.InForce().All(h.engine.Today(), h.engine.Place())); n != all || n < 4 {
		t.Fatalf("%d cases of %d bundles", n, all)
	}
	moved := 0
	for range 12 {
		next := whole.GetNextQuestion()
		if next == nil {
			break
		}
		if len(next.GetDecides()) == 0 {
			t.Errorf("%s is asked for nothing", next.GetPath())
		}
		answer := structpb.NewBoolValue(false)
		if options := whole.GetFields()[next.GetPath()].GetOptions(); len(options) > 0 {
			answer = structpb.NewStringValue(options[0])
		} else if field := h.field(t, next.GetPath()); field != "BOOL" {
			break // answered by somebody with more to say
		}
		before := whole
		step, err := service.Assess(t.Context(), &apiv1.AssessRequest{Record: &formsv1.Record{Answers: maps.Clone(answers)}, Changes: map[string]*structpb.Value{next.GetPath(): answer}})
		if err != nil {
			t.Fatal(explain(err))
		}
		answers[next.GetPath()] = answer
		whole = guide.Apply(whole, step.GetChange())
		if guide.Unchanged(step.GetChange()) {
			t.Errorf("an answer to %s changed nothing", next.GetPath())
		}
		for id, c := range whole.GetCases() {
			if before.GetCases()[id].GetVerdict() != c.GetVerdict() {
				moved++
			}
		}
	}
	if moved == 0 {
		t.Error("no verdict has moved")
	}
	if !slices.Contains([]apiv1.Verdict{apiv1.Verdict_VERDICT_UNDECIDED, apiv1.Verdict_VERDICT_NOT_ELIGIBLE, apiv1.Verdict_VERDICT_ELSEWHERE}, whole.GetCases()["newborn"].GetVerdict()) {
		t.Errorf("the newborn's case is %s", whole.GetCases()["newborn"].GetVerdict())
	}
}

// field is the kind of a question over all bundles.
func (h *house) field(t testing.TB, path string) string {
	t.Helper()
	for _, b := range h.engine.InForce().All(h.engine.Today(), h.engine.Place()) {
		for _, p := range b.Paths() {
			if string(p) == path {
				return b.Field(p).Kind.String()
			}
		}
	}
	t.Fatalf("nobody asks %s", path)
	return ""
}
