package api_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/google/uuid"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/registry"
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

// A matter that does not go with the others, because it has another version of a section, is named and does not keep anybody
// from an answer.
func TestAssess_NamesWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	state := h.engine.InForce().State
	library := maps.Clone(state.Libraries[state.Library])
	for name, text := range library {
		library[name] = bytes.Replace(text, []byte("section: employer\n    name: { zh: "), []byte("section: employer\n    name: { zh: 新"), 1)
	}
	if _, err := h.engine.Publish(t.Context(), "again", "author", registry.PublishLibrary{Files: library},
		registry.PublishBundle{Name: catalog.BundleFile("retirement"), Text: state.Bundles["retirement"][0].Text, Reason: "library"}); err != nil {
		t.Fatal(err)
	}
	answer, err := apiv1connect.NewGuideServiceClient(h.as("")).Assess(t.Context(), &apiv1.AssessRequest{Fresh: true})
	if err != nil {
		t.Fatal(explain(err))
	}
	if cases := answer.GetChange().GetChanged().GetCases(); !slices.Equal(answer.GetLeftOut(), []string{"retirement"}) || cases["retirement"] != nil || cases["first_employment"] == nil {
		t.Errorf("left out: %v, of %v", answer.GetLeftOut(), slices.Sorted(maps.Keys(cases)))
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

// The verdicts alone are those of the assessment, of every matter in force, with the rules that fail; what cannot be
// read is a fault and counts as not given, and what is published is judged at once.
func TestVerdicts_AsAssessed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	service := apiv1connect.NewGuideServiceClient(h.as(""))
	answers := maps.Clone(record(t, newborn).GetAnswers())
	for _, change := range []map[string]*structpb.Value{
		{}, {"form.newborn.birth_date": structpb.NewStringValue("2020-01-01")}, {"form.mother.hukou": nil}, {"own.newborn.single_parent": structpb.NewBoolValue(true)},
	} {
		given := maps.Clone(answers)
		for p, v := range change {
			if given[p] = v; v == nil {
				delete(given, p)
			}
		}
		verdicts, err := service.Verdicts(t.Context(), &apiv1.VerdictsRequest{Record: &formsv1.Record{Answers: given}})
		if err != nil {
			t.Fatal(explain(err))
		}
		assessed, err := service.Assess(t.Context(), &apiv1.AssessRequest{Fresh: true, Record: &formsv1.Record{Answers: given}})
		if err != nil {
			t.Fatal(explain(err))
		}
		whole := assessed.GetChange().GetChanged()
		if len(verdicts.GetMatters()) != len(whole.GetCases()) || len(whole.GetCases()) < 4 {
			t.Fatalf("%d verdicts, %d cases", len(verdicts.GetMatters()), len(whole.GetCases()))
		}
		for id, c := range whole.GetCases() {
			if got := verdicts.GetMatters()[id]; got.GetVerdict() != c.GetVerdict() {
				t.Errorf("%v: %s is %s, assessed %s", change, id, got.GetVerdict(), c.GetVerdict())
			} else if fails := len(got.GetFailing()) > 0; fails != (c.GetVerdict() != apiv1.Verdict_VERDICT_ELIGIBLE) && c.GetVerdict() != apiv1.Verdict_VERDICT_UNDECIDED {
				t.Errorf("%v: %s is %s and fails %v", change, id, got.GetVerdict(), got.GetFailing())
			}
		}
	}

	late := maps.Clone(answers)
	late["form.newborn.birth_date"], late["form.nobody.asks"] = structpb.NewStringValue("2020-13-01"), structpb.NewBoolValue(true)
	verdicts, err := service.Verdicts(t.Context(), &apiv1.VerdictsRequest{Record: &formsv1.Record{Answers: late}})
	if err != nil {
		t.Fatal(explain(err))
	}
	if len(verdicts.GetFaults()) != 2 || verdicts.GetMatters()["newborn"].GetVerdict() != apiv1.Verdict_VERDICT_UNDECIDED {
		t.Errorf("faults %v, newborn %s", verdicts.GetFaults(), verdicts.GetMatters()["newborn"].GetVerdict())
	}

	if _, err := service.Verdicts(t.Context(), &apiv1.VerdictsRequest{Place: "3213"}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("a region of four digits: %v", err)
	}
	old := maps.Clone(answers)
	old["form.newborn.birth_date"] = structpb.NewStringValue("2020-01-01")
	for _, months := range []string{"12", "1200"} { // the version in force, then one that is published now
		text := strings.Replace(newbornText(t), "months_between(form.newborn.birth_date, today) < 12", "months_between(form.newborn.birth_date, today) < "+months, 1)
		if months != "12" {
			author := apiv1connect.NewPublishServiceClient(h.as("author"))
			if _, err := author.PublishBundle(t.Context(), &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: text, Reason: "longer"}); err != nil {
				t.Fatal(explain(err))
			}
		}
		verdicts, err := service.Verdicts(t.Context(), &apiv1.VerdictsRequest{Record: &formsv1.Record{Answers: old}})
		if err != nil {
			t.Fatal(explain(err))
		}
		if got := slices.Contains(verdicts.GetMatters()["newborn"].GetFailing(), "infant"); got != (months == "12") {
			t.Errorf("under %s months: %v fail", months, verdicts.GetMatters()["newborn"].GetFailing())
		}
	}

	empty, err := service.Verdicts(t.Context(), &apiv1.VerdictsRequest{})
	if err != nil {
		t.Fatal(explain(err))
	}
	for id, m := range empty.GetMatters() {
		if m.GetVerdict() != apiv1.Verdict_VERDICT_UNDECIDED {
			t.Errorf("of nobody, %s is %s", id, m.GetVerdict())
		}
	}
}
