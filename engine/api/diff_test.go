package api_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/compare"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// Every topic and kind of a change has its name in the schema, and the schema names no other.
func TestDiffVersions_Words(t *testing.T) {
	t.Parallel()
	for _, topic := range compare.Topics() {
		if apiv1.VersionChange_Topic_value["TOPIC_"+string(topic)] == 0 {
			t.Errorf("the schema has no topic %s", topic)
		}
	}
	if got, want := len(apiv1.VersionChange_Topic_name)-1, len(compare.Topics()); got != want {
		t.Errorf("%d topics, want %d", got, want)
	}
	kinds := []compare.Kind{compare.Added, compare.Removed, compare.Tightened, compare.Loosened, compare.Both, compare.Shorter, compare.Longer, compare.Changed, compare.Rewritten}
	for _, kind := range kinds {
		if apiv1.VersionChange_Kind_value["KIND_"+string(kind)] == 0 {
			t.Errorf("the schema has no kind %s", kind)
		}
	}
	if got, want := len(apiv1.VersionChange_Kind_name)-1, len(kinds); got != want {
		t.Errorf("%d kinds, want %d", got, want)
	}
}

// What a draft, a proposal or a version changes is told, with a record that gets another answer.
func TestDiffVersions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *engine.Config) { c.SecondPerson = registry.Policy{All: true} })
	ctx := t.Context()
	author, second := apiv1connect.NewPublishServiceClient(h.as("author")), apiv1connect.NewPublishServiceClient(h.as("second"))
	good := newbornText(t)
	changed := strings.NewReplacer("today) < 12", "today) < 6", "新生儿出生未满 12 个月", "未满 6 个月").Replace(good)
	tests, err := os.ReadFile("../../examples/bundles/newborn/tests.yaml")
	if err != nil {
		t.Fatal(err)
	}
	begun, err := author.CreateBundleDraft(ctx, &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: "newborn", Text: changed})
	if err != nil {
		t.Fatal(explain(err))
	}
	id := begun.GetDraft().GetDraft()
	draft := &apiv1.VersionRef{Version: &apiv1.VersionRef_Draft{Draft: id}}
	number := func(n int32) *apiv1.VersionRef {
		return &apiv1.VersionRef{Version: &apiv1.VersionRef_Number{Number: n}}
	}
	check := func(name string, r *apiv1.DiffVersionsRequest, kind apiv1.VersionChange_Kind, like string) {
		t.Helper()
		d, err := second.DiffVersions(ctx, r)
		if err != nil {
			t.Fatalf("%s: %s", name, explain(err))
		}
		var texts, rules int
		for _, c := range d.GetChanges() {
			switch c.GetTopic() {
			case apiv1.VersionChange_TOPIC_TEXTS:
				texts++
			case apiv1.VersionChange_TOPIC_RULES:
				rules++
				if c.GetItem() != "infant" || c.GetKind() != kind || len(c.GetExamples()) != 1 {
					t.Errorf("%s: %v", name, c)
					continue
				}
				e := c.GetExamples()[0]
				if e.GetOld() == e.GetNew() || e.GetBefore() == e.GetAfter() || len(e.GetRecord().GetAnswers()) == 0 || e.GetToday() == "" || like != "" && e.GetLike() != like {
					t.Errorf("%s: example like %q on %s: %s, now %s", name, e.GetLike(), e.GetToday(), e.GetOld(), e.GetNew())
				}
			default:
				t.Errorf("%s: %v", name, c)
			}
		}
		if texts != 1 || rules != 1 || d.GetBreaks() || d.GetOld() == d.GetNew() {
			t.Errorf("%s: %d texts, %d rules, breaks %t", name, texts, rules, d.GetBreaks())
		}
	}
	check("a draft", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: draft}, apiv1.VersionChange_KIND_TIGHTENED, "")
	check("a draft, with tests", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: draft, Tests: string(tests)}, apiv1.VersionChange_KIND_TIGHTENED, "one_year_tomorrow")
	p, err := author.PublishBundleDraft(ctx, &apiv1.PublishBundleDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: 1, Reason: "why"})
	if err != nil {
		t.Fatal(explain(err))
	}
	check("a proposal", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Proposal{Proposal: p.GetProposal().GetProposal()}}}, apiv1.VersionChange_KIND_TIGHTENED, "")
	if _, err := second.ApproveProposal(ctx, &apiv1.ApproveProposalRequest{RequestId: uuid.NewString(), Proposal: 1}); err != nil {
		t.Fatal(explain(err))
	}
	check("what is in force with an earlier one", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: number(1)}, apiv1.VersionChange_KIND_LOOSENED, "")
	check("two versions", &apiv1.DiffVersionsRequest{Bundle: "newborn", Old: number(1), New: number(2)}, apiv1.VersionChange_KIND_TIGHTENED, "")
	if same, err := second.DiffVersions(ctx, &apiv1.DiffVersionsRequest{Bundle: "newborn", New: number(2)}); err != nil || len(same.GetChanges()) != 0 || same.GetOld() != same.GetNew() {
		t.Errorf("a version with itself: %v, %s", same, explain(err))
	}
}

func TestDiffVersions_BadInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	author := apiv1connect.NewPublishServiceClient(h.as("author"))
	draft := func(bundle, text string) *apiv1.VersionRef {
		t.Helper()
		begun, err := author.CreateBundleDraft(t.Context(), &apiv1.CreateBundleDraftRequest{RequestId: uuid.NewString(), Bundle: bundle, Text: text})
		if err != nil {
			t.Fatal(explain(err))
		}
		return &apiv1.VersionRef{Version: &apiv1.VersionRef_Draft{Draft: begun.GetDraft().GetDraft()}}
	}
	number := func(n int32) *apiv1.VersionRef {
		return &apiv1.VersionRef{Version: &apiv1.VersionRef_Number{Number: n}}
	}
	good := newbornText(t)
	var rules strings.Builder
	for i := range 60 {
		fmt.Fprintf(&rules, "  - { id: r%d, any_of: [", i)
		for range 10 {
			rules.WriteString("{ require: form.newborn.birth_date <= today, because: { zh: 已出生 } }, ")
		}
		rules.WriteString("], because: { zh: 已出生 }, remedy: { zh: 出生后申请 } }\n")
	}
	many := strings.Replace(good, "eligibility:\n", "eligibility:\n"+rules.String(), 1)
	tests := []struct {
		name   string
		r      *apiv1.DiffVersionsRequest
		code   connect.Code
		reason apiv1.Reason
	}{
		{"nothing to compare with", &apiv1.DiffVersionsRequest{Bundle: "newborn"}, connect.CodeInvalidArgument, apiv1.Reason_REASON_INVALID},
		{"a bundle that is not there", &apiv1.DiffVersionsRequest{Bundle: "nothing", New: number(1)}, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND},
		{"a version that is not there", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: number(9)}, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND},
		{"a proposal that is not there", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Proposal{Proposal: 1}}}, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND},
		{"a draft that is not there", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: &apiv1.VersionRef{Version: &apiv1.VersionRef_Draft{Draft: uuid.NewString()}}}, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND},
		{"another bundle's draft", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: draft("retirement", "")}, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND},
		{"a faulty draft", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: draft("newborn", "bundle: newborn\n")}, connect.CodeInvalidArgument, apiv1.Reason_REASON_INVALID},
		{"tests that are none", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: number(1), Tests: "{{{"}, 0, 0},
		{"too many rules", &apiv1.DiffVersionsRequest{Bundle: "newborn", New: draft("newborn", many)}, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT},
	}
	for _, tt := range tests {
		_, err := author.DiffVersions(t.Context(), tt.r)
		if err == nil != (tt.code == 0) || err != nil && (connect.CodeOf(err) != tt.code || !strings.Contains(explain(err).Error(), tt.reason.String())) {
			t.Errorf("%s: %.300s", tt.name, explain(err))
		}
	}
	if checked, err := author.CheckBundle(t.Context(), &apiv1.CheckBundleRequest{Text: many}); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("too many rules, checked: %v, %.300s", checked, explain(err))
	}

	// Whoever goes away while it is compared gets no answer, and the next one does.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := author.DiffVersions(ctx, &apiv1.DiffVersionsRequest{Bundle: "newborn", New: draft("newborn", strings.Replace(good, "today) < 12", "today) < 6", 1))}); err == nil {
		t.Error("compared in a millisecond")
	}
	if _, err := author.DiffVersions(t.Context(), &apiv1.DiffVersionsRequest{Bundle: "newborn", New: number(1)}); err != nil {
		t.Errorf("the next one: %s", explain(err))
	}
}
