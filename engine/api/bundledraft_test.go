package api_test

import (
	"errors"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	diagv1 "github.com/siyiban/onething/proto/gen/onething/diag/v1"
)

// current is the version that an error tells to read.
func current(t testing.TB, err error) int64 {
	t.Helper()
	var refused *connect.Error
	if !errors.As(err, &refused) || len(refused.Details()) == 0 {
		t.Fatalf("no detail: %v", err)
	}
	return errorInfo(t, refused.Details()[0]).GetCurrentVersion()
}

// A version is written by two configurators, checked, mended and published; what fails the check replaces nothing.
func TestBundleDrafts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	author, second := apiv1connect.NewPublishServiceClient(h.as("author")), apiv1connect.NewPublishServiceClient(h.as("second"))
	good := newbornText(t)
	faulty := strings.Replace(good, "form.newborn.birth_date <= today", "form.newborn.birth_dat <= today", 1)
	changed := strings.Replace(good, "新生儿出生未满 12 个月", "新生儿未满 12 个月", 1)

	create := &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "newborn"}
	begun, err := author.CreateBundleDraft(ctx, create)
	if err != nil {
		t.Fatal(explain(err))
	}
	d := begun.GetDraft()
	if begun.GetText() != good || d.GetRevision() != 1 || d.GetBase() != 1 || d.GetAuthor() != "f-1" || d.GetOutdated() {
		t.Errorf("begun as %v", d)
	}
	if again, err := author.CreateBundleDraft(ctx, create); err != nil || again.GetDraft().GetDraft() != d.GetDraft() {
		t.Errorf("repeated: %v, %s", again, explain(err))
	}
	saved, err := second.SaveBundleDraft(ctx, &apiv1.SaveBundleDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: 1, Text: faulty})
	if err != nil || saved.GetRevision() != 2 || saved.GetDraft().GetSavedBy() != "f-2" {
		t.Fatalf("%v, %s", saved, explain(err))
	}
	_, err = author.SaveBundleDraft(ctx, &apiv1.SaveBundleDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: 1, Text: changed})
	if connect.CodeOf(err) != connect.CodeAborted || current(t, err) != 2 {
		t.Errorf("saved on a revision that was written over: %s", explain(err))
	}
	checked, err := author.CheckBundleDraft(ctx, &apiv1.CheckBundleDraftRequest{Draft: d.GetDraft()})
	if err != nil || checked.GetRevision() != 2 || len(checked.GetFindings()) != 1 {
		t.Fatalf("%v, %s", checked, explain(err))
	}
	at := strings.Count(faulty[:strings.Index(faulty, "birth_dat <=")], "\n") + 1
	if f := checked.GetFindings()[0]; f.GetFile() != "bundles/newborn/bundle.yaml" || int(f.GetStart().GetLine()) != at || f.GetStart().GetColumn() == 0 ||
		f.GetCode() != "rule-unknown-field" || f.GetSeverity() != diagv1.Diagnostic_ERROR || !strings.Contains(f.GetHint(), "birth_date") {
		t.Errorf("finding: %v", f)
	}
	publish := &apiv1.PublishBundleDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: 2, Reason: "clearer words"}
	_, err = author.PublishBundleDraft(ctx, publish)
	if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(explain(err).Error(), "rule-unknown-field") || h.engine.InForce().On("newborn", h.engine.Today(), "321323").Number != 1 {
		t.Errorf("a faulty draft was published: %s", explain(err))
	}
	if got, err := author.GetBundleDraft(ctx, &apiv1.GetBundleDraftRequest{Draft: d.GetDraft()}); err != nil || got.GetText() != faulty {
		t.Errorf("the faulty draft is not there any more: %s", explain(err))
	}
	if _, err := author.SaveBundleDraft(ctx, &apiv1.SaveBundleDraftRequest{RequestId: uuid.NewString(), Draft: d.GetDraft(), ExpectedVersion: 2, Text: changed}); err != nil {
		t.Fatal(explain(err))
	}
	publish.ExpectedVersion = 3 // nothing was committed under the id
	published, err := author.PublishBundleDraft(ctx, publish)
	if v := published.GetVersion(); err != nil || v.GetNumber() != 2 || v.GetAuthor() != "f-1" || !v.GetInForce() {
		t.Fatalf("published as %v, %s", published, explain(err))
	}
	if again, err := author.PublishBundleDraft(ctx, publish); err != nil || again.GetPosition() != published.GetPosition() || again.GetVersion().GetNumber() != 2 {
		t.Errorf("repeated when the draft was gone: %v, %s", again, explain(err))
	}
	publish.Reason = "another"
	if _, err := author.PublishBundleDraft(ctx, publish); connect.CodeOf(err) != connect.CodeAlreadyExists {
		t.Errorf("the same request with another reason: %s", explain(err))
	}
	if _, err := author.GetBundleDraft(ctx, &apiv1.GetBundleDraftRequest{Draft: d.GetDraft()}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("the draft is there though it was published: %s", explain(err))
	}
}

// A draft does not silently undo what somebody else has published since it was begun.
func TestBundleDrafts_AnotherVersionMeanwhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	author := apiv1connect.NewPublishServiceClient(h.as("author"))
	good := newbornText(t)
	begun, err := author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "newborn", Text: strings.Replace(good, "新生儿出生未满 12 个月", "未满 12 个月", 1)})
	if err != nil {
		t.Fatal(explain(err))
	}
	if _, err := author.PublishBundle(ctx, &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: good + "# 2\n", Reason: "meanwhile"}); err != nil {
		t.Fatal(explain(err))
	}
	publish := &apiv1.PublishBundleDraftRequest{RequestId: uuid.NewString(), Draft: begun.GetDraft().GetDraft(), ExpectedVersion: 1, Reason: "clearer words"}
	if _, err := author.PublishBundleDraft(ctx, publish); connect.CodeOf(err) != connect.CodeAborted || current(t, err) != 2 {
		t.Errorf("published over a version that its author has not seen: %s", explain(err))
	}
	listed, err := author.ListBundleDrafts(ctx, &apiv1.ListBundleDraftsRequest{Bundle: "newborn"})
	if err != nil || len(listed.GetDrafts()) != 1 || !listed.GetDrafts()[0].GetOutdated() {
		t.Errorf("%v, %s", listed, explain(err))
	}
	publish.Number = 2 // compared
	if published, err := author.PublishBundleDraft(ctx, publish); err != nil || published.GetVersion().GetNumber() != 3 {
		t.Errorf("published after it was compared: %v, %s", published, explain(err))
	}

	// Nor does the first version of a new matter take the place of another's.
	badge := strings.NewReplacer("bundle: newborn", "bundle: badge").Replace(good)
	fresh, err := author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "badge", Text: badge})
	if err != nil {
		t.Fatal(explain(err))
	}
	if _, err := author.PublishBundle(ctx, &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: badge + "# mine\n", Reason: "meanwhile"}); err != nil {
		t.Fatal(explain(err))
	}
	_, err = author.PublishBundleDraft(ctx, &apiv1.PublishBundleDraftRequest{RequestId: uuid.NewString(), Draft: fresh.GetDraft().GetDraft(), ExpectedVersion: 1, Reason: "new"})
	if connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("a second first version: %s", explain(err))
	}
}

// A draft that waits for a second person stays until that has approved it, so that its author can go on when it is rejected.
func TestBundleDrafts_SecondPerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *engine.Config) { c.SecondPerson = registry.Policy{Levels: []string{"PROVINCIAL"}} })
	ctx := t.Context()
	author, second := apiv1connect.NewPublishServiceClient(h.as("author")), apiv1connect.NewPublishServiceClient(h.as("second"))
	begun, err := author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "newborn", Text: newbornText(t) + "# 2\n"})
	if err != nil {
		t.Fatal(explain(err))
	}
	id := begun.GetDraft().GetDraft()
	there := func() bool {
		_, err := author.GetBundleDraft(ctx, &apiv1.GetBundleDraftRequest{Draft: id})
		return err == nil
	}
	publish := func() int32 {
		t.Helper()
		p, err := author.PublishBundleDraft(ctx, &apiv1.PublishBundleDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: 1, Reason: "why"})
		if err != nil || p.GetVersion() != nil || p.GetProposal().GetDraft() != id || !there() {
			t.Fatalf("%v, %s", p, explain(err))
		}
		return p.GetProposal().GetProposal()
	}
	if _, err := second.RejectProposal(ctx, &apiv1.RejectProposalRequest{RequestId: uuid.NewString(), Proposal: publish(), Reason: "unclear"}); err != nil || !there() {
		t.Errorf("the draft after it was rejected: %t, %s", there(), explain(err))
	}
	if _, err := second.ApproveProposal(ctx, &apiv1.ApproveProposalRequest{RequestId: uuid.NewString(), Proposal: publish()}); err != nil || there() {
		t.Errorf("the draft after it was approved: %t, %s", there(), explain(err))
	}
}

func TestBundleDrafts_BadInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	author := apiv1connect.NewPublishServiceClient(h.as("author"))
	begun, err := author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "newborn", Text: "bundle: badge\nname: { zh: 胸牌 }\n"})
	if err != nil {
		t.Fatal(explain(err))
	}
	id := begun.GetDraft().GetDraft()
	save := func(text string) error {
		t.Helper()
		now, err := author.GetBundleDraft(ctx, &apiv1.GetBundleDraftRequest{Draft: id})
		if err != nil {
			t.Fatal(explain(err))
		}
		_, err = author.SaveBundleDraft(ctx, &apiv1.SaveBundleDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: now.GetDraft().GetRevision(), Text: text})
		return err
	}
	large := func(n int) string { return "# " + strings.Repeat("a", n-2) }
	tests := []struct {
		name string
		err  error
		code connect.Code
	}{
		{"a text that is too large", save(large(900<<10 + 1)), connect.CodeInvalidArgument},
		{"the largest text", save(large(900 << 10)), 0},
		{"a draft that is not there", first2(author.GetBundleDraft(ctx, &apiv1.GetBundleDraftRequest{Draft: uuid.NewString()})), connect.CodeNotFound},
		{"no id", first2(author.GetBundleDraft(ctx, &apiv1.GetBundleDraftRequest{})), connect.CodeInvalidArgument},
		{"no revision", first2(author.DiscardBundleDraft(ctx, &apiv1.DiscardBundleDraftRequest{Draft: id})), connect.CodeInvalidArgument},
		{"another revision", first2(author.DiscardBundleDraft(ctx, &apiv1.DiscardBundleDraftRequest{Draft: id, ExpectedVersion: 9})), connect.CodeAborted},
		{"a matter that is not there, without a text", first2(author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "badge"})), connect.CodeInvalidArgument},
		{"a bundle that is no id", first2(author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "../x", Text: "a"})), connect.CodeInvalidArgument},
		{"a page that is none", first2(author.ListBundleDrafts(ctx, &apiv1.ListBundleDraftsRequest{Page: &apiv1.Page{Token: "x"}})), connect.CodeInvalidArgument},
	}
	for _, tt := range tests {
		if tt.err == nil != (tt.code == 0) || tt.err != nil && connect.CodeOf(tt.err) != tt.code {
			t.Errorf("%s: %s", tt.name, explain(tt.err))
		}
	}

	// Whatever stands in it, a draft is checked in bounded time and says where.
	texts := map[string]string{
		"empty": "", "no YAML": "{{{", "another bundle": strings.Replace(newbornText(t), "bundle: newborn", "bundle: retirement", 1),
		"nested":  "bundle: newborn\nown: " + strings.Repeat("[", 50000),
		"aliases": "bundle: newborn\nown: &a [x]\nsteps: [*a, *a]\n",
		"many":    "bundle: newborn\nown:\n" + strings.Repeat("  - { field: a, kind: BOOL }\n", 20000),
	}
	for name, text := range texts {
		if err := save(text); err != nil {
			t.Fatal(explain(err))
		}
		checked, err := author.CheckBundleDraft(ctx, &apiv1.CheckBundleDraftRequest{Draft: id})
		if err != nil || len(checked.GetFindings()) == 0 || checked.GetFindings()[0].GetStart().GetLine() == 0 {
			t.Errorf("%s: %.300v, %s", name, checked, explain(err))
		}
		_, err = author.PublishBundleDraft(ctx, &apiv1.PublishBundleDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: checked.GetRevision(), Reason: "why"})
		if connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%s: published: %.300s", name, explain(err))
		}
		if all := int(checked.GetMore()) + len(checked.GetFindings()); name == "many" && all < 20000 {
			t.Errorf("%d findings in a text with 20,000 mistakes", all)
		}
	}
	if n := len(h.engine.InForce().State.Bundles["newborn"]) + len(h.engine.InForce().State.Bundles["retirement"]); n != 2 {
		t.Errorf("%d versions of two bundles", n)
	}
}
