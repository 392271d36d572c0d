package api_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// lines edits a text line by line: edit returns what stands in the place of a line.
func lines(text string, edit func(line string) []string) string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, edit(line)...)
	}
	return strings.Join(all, "\n")
}

// after puts a line, as far in as it stands there, behind the first one that begins with a text.
func after(text, begins, line string) string {
	done := false
	return lines(text, func(l string) []string {
		if done || !strings.HasPrefix(strings.TrimSpace(l), begins) {
			return []string{l}
		}
		done = true
		return []string{l, l[:len(l)-len(strings.TrimLeft(l, " "))] + line}
	})
}

// twin is the newborn's bundle with one more question, which the insurance needs.
func twin(t testing.TB) string {
	t.Helper()
	changed := after(after(newbornText(t), "- { field: insured,", "- { field: twin, kind: BOOL, name: { zh: 是否多胞胎 }, required: true }"), "- own.insure_year", "- own.twin")
	if strings.Count(changed, "twin") != 2 {
		t.Fatal("the bundle is written otherwise now")
	}
	return changed
}

// release publishes a version of a bundle that means something for applications under way.
func (h *house) release(t testing.TB, text string, moving registryv1.Moving) int32 {
	t.Helper()
	answer, err := apiv1connect.NewPublishServiceClient(h.as("author")).PublishBundle(t.Context(), &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: text, Reason: "多问一项", Moving: moving})
	if err != nil {
		t.Fatal(explain(err))
	}
	if got := answer.GetVersion().GetMoving(); got != max(moving, registryv1.Moving_MOVING_PIN) {
		t.Fatalf("it means %v", got)
	}
	return answer.GetVersion().GetNumber()
}

// started is a draft of the mother's with everything that is asked.
func (h *house) started(t testing.TB) *apiv1.Draft {
	t.Helper()
	created, err := h.intake("mother").CreateDraft(t.Context(), &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, newborn)})
	if err != nil {
		t.Fatal(explain(err))
	}
	for key, m := range created.GetChange().GetChanged().GetMaterials() {
		if m.GetAsked() == apiv1.Truth_TRUTH_YES && m.GetRequired() && slices.Contains(m.GetSources(), "APPLICANT") {
			h.upload(t, created.GetDraft().GetDraft(), key)
		}
	}
	return h.resumed(t, created.GetDraft().GetDraft()).GetDraft()
}

func (h *house) upload(t testing.TB, id, material string) string {
	t.Helper()
	put, err := h.intake("mother").PutMaterial(t.Context(), &apiv1.PutMaterialRequest{Header: header(id, material), Content: []byte("%PDF-1.7 scan")})
	if err != nil {
		t.Fatal(explain(err))
	}
	return put.GetFile().GetDigest()
}

func (h *house) resumed(t testing.TB, id string) *apiv1.GetDraftResponse {
	t.Helper()
	d, err := h.intake("mother").GetDraft(t.Context(), &apiv1.GetDraftRequest{Draft: id})
	if err != nil {
		t.Fatal(explain(err))
	}
	return d
}

// submitted submits a draft and returns the application, or why it was refused.
func (h *house) submitted(t testing.TB, d *apiv1.Draft) (*engine.Dossier, error) {
	t.Helper()
	answer, err := h.intake("mother").Submit(t.Context(), &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision()})
	if err != nil {
		return nil, err
	}
	filed, err := h.engine.Load(t.Context(), answer.GetApplication())
	if err != nil {
		t.Fatal(err)
	}
	return filed, nil
}

func reasonIs(t testing.TB, err error, want apiv1.Reason) {
	t.Helper()
	if err == nil || !strings.Contains(explain(err).Error(), want.String()) {
		t.Errorf("%s, want %v", explain(err), want)
	}
}

// By default a draft stays on its version until its applicant takes it over, and is not submitted before that.
func TestTakeOver_Pinned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mother, ctx := h.intake("mother"), t.Context()
	d := h.started(t)
	if v := d.GetVersions(); len(v) != 1 || v[0].GetVersion() != 1 || v[0].GetInForce() != 0 {
		t.Fatalf("begun on %v", v)
	}
	if _, err := mother.TakeOverDraft(ctx, &apiv1.TakeOverDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision()}); err == nil {
		t.Error("taken over to what it is on")
	}
	h.release(t, twin(t), 0)
	read := h.resumed(t, d.GetDraft())
	if v := read.GetDraft().GetVersions()[0]; v.GetVersion() != 1 || v.GetInForce() != 2 || v.GetByItself() || v.GetReason() != "多问一项" || read.GetChange().GetChanged().GetFields()["own.newborn.twin"] != nil {
		t.Errorf("read by %v", v)
	}
	for version, want := range map[int32]bool{0: true, 1: false, 2: true} {
		form, err := apiv1connect.NewCatalogServiceClient(h.as("")).GetBundle(ctx, &apiv1.GetBundleRequest{Bundle: "newborn", Version: version})
		if err != nil {
			t.Fatal(explain(err))
		}
		has := slices.ContainsFunc(form.GetSections(), func(s *apiv1.FormSection) bool {
			return slices.ContainsFunc(s.GetFields(), func(f *apiv1.FormField) bool { return f.GetPath() == "own.newborn.twin" })
		})
		if has != want {
			t.Errorf("version %d asks it: %t", version, has)
		}
	}
	saved, err := mother.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision(), Changes: record(t, `{"form.mother.phone": "13812345699"}`).GetAnswers()})
	if err != nil || len(saved.GetVersions()) != 0 || saved.GetChange().GetChanged().GetFields()["own.newborn.twin"] != nil {
		t.Fatalf("saved: %v, %s", saved.GetVersions(), explain(err))
	}
	d.Revision = saved.GetRevision()
	_, err = h.submitted(t, d)
	if reasonIs(t, err, apiv1.Reason_REASON_VERSION_CHANGED); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("submitted on a version that is not in force: %s", explain(err))
	}
	if _, err := mother.TakeOverDraft(ctx, &apiv1.TakeOverDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: 1}); connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("taken over on a revision that was written over: %s", explain(err))
	}
	if _, err := h.intake("stranger").TakeOverDraft(ctx, &apiv1.TakeOverDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision()}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("taken over by a stranger: %s", explain(err))
	}
	take := &apiv1.TakeOverDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision()}
	taken, err := mother.TakeOverDraft(ctx, take)
	if err != nil {
		t.Fatal(explain(err))
	}
	if v := taken.GetVersions()[0]; v.GetVersion() != 2 || v.GetInForce() != 0 || taken.GetChange().GetChanged().GetFields()["own.newborn.twin"].GetRequired() != apiv1.Truth_TRUTH_YES {
		t.Errorf("taken over: %v", taken)
	}
	if again, err := mother.TakeOverDraft(ctx, take); err != nil || again.GetRevision() != taken.GetRevision() {
		t.Errorf("repeated: %v, %s", again, explain(err))
	}
	d.Revision = taken.GetRevision()
	_, err = h.submitted(t, d)
	reasonIs(t, err, apiv1.Reason_REASON_RECORD_INVALID)
	if saved, err = mother.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision(), Changes: record(t, `{"own.newborn.twin": false}`).GetAnswers()}); err != nil {
		t.Fatal(explain(err))
	}
	d.Revision = saved.GetRevision()
	filed, err := h.submitted(t, d)
	if err != nil {
		t.Fatal(explain(err))
	}
	moves := filed.Events[0].GetSubmitted().GetMoves()
	if len(moves) != 1 || !moves[0].GetByApplicant() || moves[0].GetFrom() == moves[0].GetTo() || moves[0].GetTo() != filed.State.Case("newborn").Digest || moves[0].GetAt() == nil {
		t.Errorf("recorded as %v", moves)
	}
}

// Where the version says so, a draft is taken over with the next save, and whoever saves it is told; it is not submitted
// unseen.
func TestTakeOver_ByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mother, ctx := h.intake("mother"), t.Context()
	d := h.started(t)
	number := h.release(t, twin(t), 0)
	author := apiv1connect.NewPublishServiceClient(h.as("author"))
	choose := &apiv1.ChooseMovingRequest{RequestId: uuid.NewString(), Bundle: "newborn", ExpectedVersion: number, Moving: registryv1.Moving_MOVING_DRAFTS, Reason: "请补充一项"}
	chosen, err := author.ChooseMoving(ctx, choose)
	if err != nil || chosen.GetVersion().GetMoving() != registryv1.Moving_MOVING_DRAFTS || chosen.GetPosition() == 0 {
		t.Fatalf("%v, %s", chosen, explain(err))
	}
	choose.RequestId = uuid.NewString()
	if again, err := author.ChooseMoving(ctx, choose); err != nil || again.GetPosition() != 0 {
		t.Errorf("chosen again: %v, %s", again, explain(err))
	}
	choose.ExpectedVersion = 1
	if _, err := author.ChooseMoving(ctx, choose); connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("chosen for a version that is over: %s", explain(err))
	}
	choose.ExpectedVersion = 9
	if _, err := author.ChooseMoving(ctx, choose); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("chosen for a version that is not there: %s", explain(err))
	}

	read := h.resumed(t, d.GetDraft())
	if v := read.GetDraft().GetVersions()[0]; v.GetVersion() != 1 || v.GetInForce() != 2 || !v.GetByItself() || v.GetReason() != "请补充一项" || read.GetChange().GetChanged().GetFields()["own.newborn.twin"] == nil {
		t.Errorf("read by %v", v)
	}
	_, err = h.submitted(t, d)
	reasonIs(t, err, apiv1.Reason_REASON_VERSION_CHANGED)
	saved, err := mother.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision(), Changes: record(t, `{"own.newborn.twin": false}`).GetAnswers()})
	if err != nil || len(saved.GetVersions()) != 1 || saved.GetVersions()[0].GetVersion() != 2 || saved.GetChange().GetChanged().GetFields()["own.newborn.twin"] == nil {
		t.Fatalf("saved: %v, %s", saved, explain(err))
	}
	d.Revision = saved.GetRevision()
	filed, err := h.submitted(t, d)
	if err != nil {
		t.Fatal(explain(err))
	}
	if moves := filed.Events[0].GetSubmitted().GetMoves(); len(moves) != 1 || moves[0].GetByApplicant() {
		t.Errorf("recorded as %v", moves)
	}
}

// What a version does not ask for goes when a draft is taken over; the assessment says what.
func TestTakeOver_WhatIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := h.started(t)
	field := false
	text := lines(newbornText(t), func(line string) []string {
		switch word := strings.TrimSpace(line); {
		case word == "- field: insure_year": // up to the next field
			field = true
		case strings.HasPrefix(word, "- field:"):
			field = false
		case strings.HasPrefix(word, "- own.insure_year"), strings.HasPrefix(word, "- household_book"), strings.HasPrefix(word, "- { use: household_book"):
			return nil
		}
		if field {
			return nil
		}
		return []string{line}
	})
	h.release(t, text, registryv1.Moving_MOVING_DRAFTS)
	taken, err := h.intake("mother").TakeOverDraft(t.Context(), &apiv1.TakeOverDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: d.GetRevision()})
	if err != nil {
		t.Fatal(explain(err))
	}
	if gone := taken.GetChange().GetGone(); !slices.Contains(gone, "fields/own.newborn.insure_year") || !slices.Contains(gone, "materials/household_book") {
		t.Errorf("gone: %v", gone)
	}
	now := h.resumed(t, d.GetDraft()).GetDraft()
	if now.GetRecord().GetAnswers()["own.newborn.insure_year"] != nil || slices.ContainsFunc(now.GetMaterials(), func(m *apiv1.DraftMaterial) bool { return m.GetMaterial() == "household_book" }) {
		t.Errorf("still there: %v", now)
	}
	if _, err := h.submitted(t, now); err != nil {
		t.Errorf("submitted: %s", explain(err))
	}
}

// An application moves only where the version is offered and the applicant wants it; what is missing is asked for, and the
// move is on the record.
func TestMoveCase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mother, ctx := h.intake("mother"), t.Context()
	filed := h.file(t)
	id := filed.GetApplication()
	text := after(after(twin(t), "- { use: household_book", "- { material: photo, name: { zh: 新生儿照片 }, source: [APPLICANT] }"), "- birth_register ", "- photo")
	get := func() *apiv1.Application {
		t.Helper()
		a, err := mother.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: id})
		if err != nil {
			t.Fatal(explain(err))
		}
		return a.GetApplication()
	}
	number := h.release(t, text, registryv1.Moving_MOVING_DRAFTS)
	if c := get().GetCases()[0]; c.GetVersion() != 1 || c.GetOffer() != nil {
		t.Errorf("offered though it is for drafts only: %v", c)
	}
	_, err := mother.MoveCase(ctx, &apiv1.MoveCaseRequest{RequestId: uuid.NewString(), Application: id, Bundle: "newborn", Version: number, Consent: true})
	reasonIs(t, err, apiv1.Reason_REASON_WRONG_STATE)
	if _, err := mother.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(id, "own.newborn.photo"), Content: []byte("%PDF-1.7")}); err == nil {
		t.Error("a file for a material that nobody asks for was taken")
	}
	if _, err := apiv1connect.NewPublishServiceClient(h.as("author")).ChooseMoving(ctx, &apiv1.ChooseMovingRequest{RequestId: uuid.NewString(), Bundle: "newborn", ExpectedVersion: number,
		Moving: registryv1.Moving_MOVING_CONSENT, Reason: "新版流程更短"}); err != nil {
		t.Fatal(explain(err))
	}
	a := get()
	if o := a.GetCases()[0].GetOffer(); o.GetVersion() != 1 || o.GetOffered() != number || o.GetReason() != "新版流程更短" {
		t.Fatalf("offered: %v", o)
	}

	preview := &apiv1.PreviewMoveRequest{Application: id, Bundle: "newborn"}
	shown, err := mother.PreviewMove(ctx, preview)
	if err != nil {
		t.Fatal(explain(err))
	}
	var missing []string
	for _, v := range shown.GetRefusal().GetViolations() {
		missing = append(missing, v.GetCode()+" "+v.GetPath())
	}
	slices.Sort(missing)
	if !slices.Equal(missing, []string{"missing materials.own.newborn.photo", "required own.newborn.twin"}) || shown.GetAssessment().GetFields()["own.newborn.twin"].GetRequired() != apiv1.Truth_TRUTH_YES {
		t.Errorf("missing: %v", missing)
	}
	move := &apiv1.MoveCaseRequest{RequestId: uuid.NewString(), Application: id, Bundle: "newborn", ExpectedVersion: a.GetVersion(), Version: number, Consent: true}
	_, err = mother.MoveCase(ctx, move)
	reasonIs(t, err, apiv1.Reason_REASON_RECORD_INVALID)
	move.Changes = map[string]*structpb.Value{"own.newborn.twin": structpb.NewBoolValue(false)}
	move.Materials = map[string]string{"own.newborn.photo": h.upload(t, id, "own.newborn.photo")}
	if shown, err = mother.PreviewMove(ctx, &apiv1.PreviewMoveRequest{Application: id, Bundle: "newborn", Changes: move.GetChanges(), Materials: move.GetMaterials()}); err != nil || shown.GetRefusal() != nil {
		t.Errorf("with all that is missing: %v, %s", shown.GetRefusal(), explain(err))
	}
	if v := get().GetVersion(); v != a.GetVersion() {
		t.Errorf("a preview has changed the application: version %d, was %d", v, a.GetVersion())
	}
	for name, try := range map[string]struct {
		who    string
		change func(*apiv1.MoveCaseRequest)
		code   connect.Code
	}{
		"a stranger":         {"stranger", func(*apiv1.MoveCaseRequest) {}, connect.CodeNotFound},
		"a clerk":            {"clerk", func(*apiv1.MoveCaseRequest) {}, connect.CodePermissionDenied},
		"without consent":    {"mother", func(r *apiv1.MoveCaseRequest) { r.Consent = false }, connect.CodeInvalidArgument},
		"another version":    {"mother", func(r *apiv1.MoveCaseRequest) { r.Version = 7 }, connect.CodeAborted},
		"an old application": {"mother", func(r *apiv1.MoveCaseRequest) { r.ExpectedVersion = 99 }, connect.CodeAborted},
		"another case":       {"mother", func(r *apiv1.MoveCaseRequest) { r.Bundle = "retirement" }, connect.CodeFailedPrecondition},
		"a wrong answer": {"mother", func(r *apiv1.MoveCaseRequest) {
			r.Changes = map[string]*structpb.Value{"own.newborn.twin": structpb.NewStringValue("no")}
		}, connect.CodeInvalidArgument},
		"a file of nobody": {"mother", func(r *apiv1.MoveCaseRequest) {
			r.Materials = map[string]string{"own.newborn.photo": strings.Repeat("0", 64)}
		}, connect.CodeNotFound},
	} {
		r := &apiv1.MoveCaseRequest{RequestId: uuid.NewString(), Application: id, Bundle: "newborn", ExpectedVersion: a.GetVersion(), Version: number, Consent: true, Changes: move.GetChanges(), Materials: move.GetMaterials()}
		try.change(r)
		if _, err := h.intake(try.who).MoveCase(ctx, r); connect.CodeOf(err) != try.code {
			t.Errorf("%s: %s, want %v", name, explain(err), try.code)
		}
	}
	moved, err := mother.MoveCase(ctx, move) // a refusal has not used its id up
	if err != nil || moved.GetRevision() != 2 || moved.GetPosition() == 0 {
		t.Fatalf("%v, %s", moved, explain(err))
	}
	if again, err := mother.MoveCase(ctx, move); err != nil || again.GetPosition() != moved.GetPosition() {
		t.Errorf("repeated: %v, %s", again, explain(err))
	}
	after := get()
	if c := after.GetCases()[0]; c.GetVersion() != number || c.GetOffer() != nil || c.GetState() != "PRE_REVIEW" || after.GetRecord().GetAnswers()["own.newborn.twin"] == nil {
		t.Errorf("moved to %v", c)
	}
	timeline := after.GetTimeline()
	if last := timeline[len(timeline)-1]; last.GetKind() != "moved" || !strings.Contains(last.GetText().GetZh(), "经您同意") || !strings.Contains(last.GetText().GetZh(), "新版流程更短") {
		t.Errorf("the timeline ends with %v", last)
	}
	d, err := h.engine.Load(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	e := d.Events[len(d.Events)-1]
	if m := e.GetMoved(); m.GetFromVersion() != 1 || m.GetToVersion() != number || m.GetReason() != "新版流程更短" || e.GetActor().GetRole() != applicationv1.Role_ROLE_APPLICANT || e.GetPersonal().GetActor() == "" {
		t.Errorf("recorded as %v", e)
	}

	// Accepted, it goes on by the new version; a step that has begun is not changed under it.
	if _, err := apiv1connect.NewReviewServiceClient(h.as("clerk")).Accept(ctx, &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: id, Bundle: "newborn", OverrideReason: "核验一致"}); err != nil {
		t.Fatal(explain(err))
	}
	third := lines(text, func(line string) []string {
		if strings.HasPrefix(strings.TrimSpace(line), "- newborn.hospital ") {
			return nil
		}
		return []string{line}
	})
	h.release(t, third, registryv1.Moving_MOVING_CONSENT)
	shown, err = mother.PreviewMove(ctx, preview)
	if err != nil || shown.GetOffer().GetOffered() != number+1 || shown.GetRefusal().GetReason() != apiv1.Reason_REASON_WRONG_STATE || len(shown.GetRefusal().GetViolations()) != 1 || shown.GetRefusal().GetViolations()[0].GetRule() != "certificate" {
		t.Errorf("a step that is under way would change: %v, %s", shown.GetRefusal(), explain(err))
	}
	h.release(t, strings.Replace(text, "新生儿出生未满 12 个月", "新生儿未满 12 个月", 1), registryv1.Moving_MOVING_CONSENT)
	if shown, err = mother.PreviewMove(ctx, preview); err != nil || shown.GetRefusal() != nil {
		t.Errorf("other words only: %v, %s", shown.GetRefusal(), explain(err))
	}
	if _, err := mother.MoveCase(ctx, &apiv1.MoveCaseRequest{RequestId: uuid.NewString(), Application: id, Bundle: "newborn", Version: number + 2, Consent: true}); err != nil {
		t.Fatal(explain(err))
	}
	if c := get().GetCases()[0]; c.GetVersion() != number+2 || c.GetState() != "ACCEPTED" {
		t.Errorf("moved to %v", c)
	}
}
