package api_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/siyiban/onething/examples/holidays"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// newbornText is the bundle as the examples have it.
func newbornText(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/bundles/newborn/bundle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A bundle is checked, published, compared with what was seen, and rolled back; a faulty one never replaces a good one;
// an application stays on the version with which it was filed.
func TestPublish_Versions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	service := apiv1connect.NewPublishServiceClient(h.as("author"))
	good := newbornText(t)
	faulty := strings.Replace(good, "form.newborn.birth_date <= today", "form.newborn.birth_dat <= today", 1)
	changed := strings.Replace(good, "新生儿出生未满 12 个月", "新生儿未满 12 个月", 1)
	if faulty == good || changed == good {
		t.Fatal("the bundle is written otherwise now")
	}
	filed := h.file(t)

	checked, err := service.CheckBundle(t.Context(), &apiv1.CheckBundleRequest{Text: faulty})
	if err != nil {
		t.Fatal(explain(err))
	}
	if n := len(checked.GetFindings()); n != 1 || checked.GetFindings()[0].GetCode() != "rule-unknown-field" {
		t.Fatalf("findings: %v", checked.GetFindings())
	}
	_, err = service.PublishBundle(t.Context(), &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: faulty, Reason: "fault"})
	if info := explain(err); connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(info.Error(), "text:") || !strings.Contains(info.Error(), "rule-unknown-field") {
		t.Errorf("a faulty bundle: %s", info)
	}

	first := &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: changed, Reason: "clearer words", ExpectedVersion: 1}
	published, err := service.PublishBundle(t.Context(), first)
	if err != nil {
		t.Fatal(explain(err))
	}
	if v := published.GetVersion(); v.GetBundle() != "newborn" || v.GetNumber() != 2 || v.GetAuthor() != "f-1" || v.GetReason() != "clearer words" || !v.GetInForce() {
		t.Errorf("published as %v", v)
	}
	again, err := service.PublishBundle(t.Context(), first)
	if err != nil || again.GetPosition() != published.GetPosition() || again.GetVersion().GetNumber() != 2 {
		t.Errorf("repeated: %v, %s", again, explain(err))
	}
	_, err = service.PublishBundle(t.Context(), &apiv1.PublishBundleRequest{RequestId: first.GetRequestId(), Text: good, Reason: "clearer words"})
	if connect.CodeOf(err) != connect.CodeAlreadyExists {
		t.Errorf("the same request with another text: %s", explain(err))
	}
	_, err = service.PublishBundle(t.Context(), &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: good, Reason: "late", ExpectedVersion: 1})
	if connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("on a version that is not the last: %s", explain(err))
	}

	review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
	if _, err := review.Accept(t.Context(), &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", OverrideReason: "核验一致"}); err != nil {
		t.Errorf("an application of the version before: %s", explain(err))
	}
	d, err := h.engine.Load(t.Context(), filed.GetApplication())
	if err != nil {
		t.Fatal(err)
	}
	if got := d.State.Case("newborn").Digest; got == published.GetVersion().GetDigest() {
		t.Error("the application has moved to another version")
	}

	back, err := service.RollBackBundle(t.Context(), &apiv1.RollBackBundleRequest{RequestId: uuid.NewString(), Bundle: "newborn", Number: 1, Reason: "not so clear", ExpectedVersion: 2})
	if err != nil {
		t.Fatal(explain(err))
	}
	if v := back.GetVersion(); v.GetNumber() != 3 || v.GetRolledBackTo() != 1 || v.GetDigest() != d.State.Case("newborn").Digest || !v.GetInForce() {
		t.Errorf("rolled back to %v", v)
	}
	listed, err := service.ListVersions(t.Context(), &apiv1.ListVersionsRequest{Bundle: "newborn", Page: &apiv1.Page{Size: 2}})
	if err != nil {
		t.Fatal(explain(err))
	}
	var numbers []int32
	for _, v := range listed.GetVersions() {
		numbers = append(numbers, v.GetNumber())
	}
	if diff := cmp.Diff([]int32{3, 2}, numbers); diff != "" || listed.GetNextToken() == "" {
		t.Errorf("%s\nnext %q", diff, listed.GetNextToken())
	}
	second, err := service.GetVersion(t.Context(), &apiv1.GetVersionRequest{Bundle: "newborn", Number: 2})
	if err != nil || second.GetText() != changed || second.GetVersion().GetInForce() {
		t.Errorf("version 2: %v, %s", second.GetVersion(), explain(err))
	}
	for name, err := range map[string]error{
		"a version that is not there": first2(service.RollBackBundle(t.Context(), &apiv1.RollBackBundleRequest{RequestId: uuid.NewString(), Bundle: "newborn", Number: 9, Reason: "x"})),
		"a bundle that is not there":  first2(service.ListVersions(t.Context(), &apiv1.ListVersionsRequest{Bundle: "nothing"})),
		"a text of no version":        first2(service.GetVersion(t.Context(), &apiv1.GetVersionRequest{Bundle: "newborn", Number: 9})),
	} {
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("%s: %s", name, explain(err))
		}
	}
}

// first2 is the error of two values.
func first2[T any](_ T, err error) error { return err }

// Publishing needs no pause: whoever asks meanwhile is answered, by one version or the other.
func TestPublish_UnderLoad(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	author, guide := apiv1connect.NewPublishServiceClient(h.as("author")), apiv1connect.NewGuideServiceClient(h.as(""))
	good := newbornText(t)
	ctx, stop := context.WithCancel(t.Context())
	asked := make(chan int)
	for range 4 {
		go func() {
			n := 0
			for ; ctx.Err() == nil; n++ {
				if _, err := guide.Assess(ctx, &apiv1.AssessRequest{Bundles: []string{"newborn"}, Fresh: true}); err != nil && ctx.Err() == nil {
					t.Errorf("while a version was published: %s", explain(err))
					break
				}
			}
			asked <- n
		}()
	}
	for i, words := range []string{"新生儿未满 12 个月", "新生儿不满 12 个月", "新生儿应未满 12 个月"} {
		text := strings.Replace(good, "新生儿出生未满 12 个月", words, 1)
		answer, err := author.PublishBundle(t.Context(), &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: text, Reason: words})
		if err != nil || int(answer.GetVersion().GetNumber()) != i+2 {
			t.Errorf("version %d: %v, %s", i+2, answer.GetVersion(), explain(err))
		}
	}
	stop()
	for range 4 {
		if n := <-asked; n == 0 {
			t.Error("nobody has asked")
		}
	}
}

// The operator publishes the calendar; a faulty one is refused and the one in force stays.
func TestPublish_Calendar(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	service := apiv1connect.NewPublishServiceClient(h.as("operator"))
	before := h.engine.InForce().State.Calendar.Digest
	_, err := service.PublishCalendar(t.Context(), &apiv1.PublishCalendarRequest{RequestId: uuid.NewString(), Text: "years: [{ year: 2026, off: [2026-13-01] }]"})
	if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(explain(err).Error(), "text:") {
		t.Errorf("a faulty calendar: %s", explain(err))
	}
	if h.engine.InForce().State.Calendar.Digest != before {
		t.Error("a faulty calendar is in force")
	}
	published, err := service.PublishCalendar(t.Context(), &apiv1.PublishCalendarRequest{RequestId: uuid.NewString(), Text: string(holidays.Source()) + "# once more\n"})
	if err != nil || published.GetPosition() == 0 {
		t.Fatalf("%v, %s", published, explain(err))
	}
	same, err := service.PublishCalendar(t.Context(), &apiv1.PublishCalendarRequest{RequestId: uuid.NewString(), Text: string(holidays.Source()) + "# once more\n"})
	if err != nil || same.GetPosition() != 0 {
		t.Errorf("the same calendar again: %v, %s", same, explain(err))
	}
}
