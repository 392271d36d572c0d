package api_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// couple is the record of two who marry; nothing but the registration applies, and the health check.
const couple = `{
  "form.applicant.name": "周晓岚", "form.applicant.id_no": "321323199604120423", "form.applicant.birth": "1996-04-12", "form.applicant.phone": "13812345601",
  "form.spouse.name": "陈立新", "form.spouse.id_no": "321323199408030316", "form.spouse.birth": "1994-08-03",
  "form.marriage.status": "single", "own.marriage_birth.wed": false, "own.marriage_birth.partner_status": "single", "own.marriage_birth.groom": "other",
  "own.marriage_birth.exam_done": true, "own.marriage_birth.plans_child": false, "own.marriage_birth.move_hukou": false}`

// lease is a matter that owner and tenant submit together, or their agent for them, unless a court has decided.
const lease = `bundle: lease
name: { zh: 房屋租赁登记一件事, en: Lease }
level: COUNTY
lead: housing
applicant: [owner, tenant]
together: "!own.by_court"
form:
  - { section: person_identity, as: owner }
  - { section: person_identity, as: tenant, when: own.has_tenant }
  - { section: agent, as: agent }
own:
  - { field: by_court, kind: BOOL, name: { zh: 是否由法院判决 }, required: true }
  - { field: has_tenant, kind: BOOL, name: { zh: 是否已有承租人 }, required: true }
steps:
  - id: register
    name: { zh: 登记 }
    department: housing
    needs: { fields: [owner.name, owner.id_no, tenant.name, tenant.id_no, agent] }
    promised: { working_days: 1 }
`

// leased is a record of it: the mother lets to the father, and somebody may act for them.
const leased = `{"form.owner.name": "周晓岚", "form.owner.id_no": "321323199604120423", "form.tenant.name": "陈立新", "form.tenant.id_no": "321323199408030316",
  "own.lease.by_court": false, "own.lease.has_tenant": true, "form.agent.is_agent": false}`

// publish publishes a bundle, or a new version of it.
func (h *house) publish(t testing.TB, text string, before int32) {
	t.Helper()
	_, err := apiv1connect.NewPublishServiceClient(h.as("author")).PublishBundle(t.Context(),
		&apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: text, Reason: "a test", ExpectedVersion: before})
	if err != nil {
		t.Fatal(explain(err))
	}
}

// begin drafts an application with everything that is asked, and returns the draft and its revision.
func (h *house) begin(t testing.TB, who, answers string, bundles ...string) (id string, revision int64) {
	t.Helper()
	created, err := h.intake(who).CreateDraft(t.Context(), &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: bundles, Record: record(t, answers)})
	if err != nil {
		t.Fatal(explain(err))
	}
	id = created.GetDraft().GetDraft()
	for key, m := range created.GetChange().GetChanged().GetMaterials() {
		if m.GetAsked() == apiv1.Truth_TRUTH_YES && m.GetRequired() && slices.Contains(m.GetSources(), "APPLICANT") {
			if _, err := h.intake(who).PutMaterial(t.Context(), &apiv1.PutMaterialRequest{Header: header(id, key), Content: []byte("%PDF-1.7 scan")}); err != nil {
				t.Fatal(explain(err))
			}
		}
	}
	return id, h.draft(t, who, id).GetRevision()
}

func (h *house) draft(t testing.TB, who, id string) *apiv1.Draft {
	t.Helper()
	read, err := h.intake(who).GetDraft(t.Context(), &apiv1.GetDraftRequest{Draft: id})
	if err != nil {
		t.Fatal(explain(err))
	}
	return read.GetDraft()
}

// submit submits as somebody, for others too.
func (h *house) submit(t testing.TB, who, id string, revision int64, others ...string) (*apiv1.SubmitResponse, error) {
	t.Helper()
	return h.intake(who).Submit(t.Context(), &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision, OnBehalfOf: others})
}

// waits submits and expects the draft to wait for others.
func (h *house) waits(t testing.TB, who, id string, revision int64, want []string, others ...string) {
	t.Helper()
	got, err := h.submit(t, who, id, revision, others...)
	if err != nil {
		t.Fatal(explain(err))
	}
	if diff := cmp.Diff(want, got.GetWaitingFor()); diff != "" || got.GetNumber() != "" {
		t.Fatalf("%s has submitted; number %q, it waits for (-want +got):\n%s", who, got.GetNumber(), diff)
	}
}

// A marriage is received when both have submitted. Meanwhile both see the draft and nobody else, whoever has confirmed can
// change nothing, a change by the other voids it, and it can be taken back.
func TestTogether_Marriage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	text, err := os.ReadFile("../../examples/bundles/marriage_birth/bundle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h.publish(t, string(text), 0)
	bride, groom := h.intake("mother"), h.intake("father")
	id, revision := h.begin(t, "mother", couple, "marriage_birth")
	read, err := bride.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id})
	if err != nil {
		t.Fatal(explain(err))
	}
	if diff := cmp.Diff([]string{"applicant", "spouse"}, read.GetChange().GetChanged().GetCases()["marriage_birth"].GetTogether()); diff != "" {
		t.Errorf("who has to submit (-want +got):\n%s", diff)
	}
	if _, err := groom.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("he sees the draft before she has submitted: %v", explain(err))
	}
	if _, err := h.submit(t, "father", id, revision); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("he submits what he cannot see: %v", explain(err))
	}

	h.waits(t, "mother", id, revision, []string{"spouse"})
	if _, err := bride.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: id}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("there is an application already: %v", explain(err))
	}
	listed, err := groom.ListDrafts(ctx, &apiv1.ListDraftsRequest{})
	if err != nil || len(listed.GetDrafts()) != 1 || listed.GetDrafts()[0].GetConfirmed() || len(listed.GetDrafts()[0].GetConfirmations()) != 1 {
		t.Fatalf("his drafts: %v, %v", listed, explain(err))
	}
	if k := listed.GetDrafts()[0].GetConfirmations()[0]; k.GetAlias() != "applicant" || k.GetBy() != apiv1.Confirmation_BY_APPLICANT || k.GetPerson() != "周晓岚" || k.GetAt() == nil {
		t.Errorf("she has confirmed as %v", k)
	}
	if !h.draft(t, "mother", id).GetConfirmed() {
		t.Error("she is not told that she has confirmed")
	}

	// What she has confirmed she cannot change.
	phone := map[string]*structpb.Value{"form.applicant.phone": structpb.NewStringValue("13812345677")}
	for name, call := range map[string]func() error{
		"save": func() error {
			_, err := bride.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision, Changes: phone})
			return err
		},
		"upload": func() error {
			_, err := bride.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(id, "own.marriage_birth.couple_photo"), Content: []byte("%PDF-1.7")})
			return err
		},
	} {
		if err := call(); err == nil || reasonOf(t, err) != apiv1.Reason_REASON_WRONG_STATE {
			t.Errorf("%s after she has confirmed: %v", name, explain(err))
		}
	}
	// He may look at it, not delete it; and where he changes something, she has to confirm again.
	if _, err := groom.DeleteDraft(ctx, &apiv1.DeleteDraftRequest{Draft: id}); err == nil || reasonOf(t, err) != apiv1.Reason_REASON_NOT_ALLOWED {
		t.Errorf("he deletes her draft: %v", explain(err))
	}
	saved, err := groom.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision, Changes: phone})
	if err != nil {
		t.Fatal(explain(err))
	}
	if d := h.draft(t, "mother", id); d.GetConfirmed() || len(d.GetConfirmations()) != 0 {
		t.Errorf("after his change it is confirmed: %v", d.GetConfirmations())
	}
	if _, err := h.submit(t, "mother", id, revision); err == nil || reasonOf(t, err) != apiv1.Reason_REASON_STALE {
		t.Errorf("she confirms what she has not seen: %v", explain(err))
	}
	revision = saved.GetRevision()

	// He confirms, takes it back, and confirms again.
	confirm := &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision}
	for range 2 { // a repeated request changes nothing
		if waits, err := groom.Submit(ctx, confirm); err != nil || !slices.Equal(waits.GetWaitingFor(), []string{"applicant"}) {
			t.Fatalf("%v, %v", waits, explain(err))
		}
	}
	if n := len(h.draft(t, "father", id).GetConfirmations()); n != 1 {
		t.Errorf("%d confirmations", n)
	}
	if _, err := groom.WithdrawConfirmation(ctx, &apiv1.WithdrawConfirmationRequest{RequestId: uuid.NewString(), Draft: id}); err != nil {
		t.Fatal(explain(err))
	}
	if d := h.draft(t, "father", id); d.GetConfirmed() || len(d.GetConfirmations()) != 0 || d.GetRevision() != revision {
		t.Errorf("he has taken it back: %v", d)
	}
	confirm = &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision}
	if waits, err := groom.Submit(ctx, confirm); err != nil || !slices.Equal(waits.GetWaitingFor(), []string{"applicant"}) {
		t.Fatalf("%v, %v", waits, explain(err))
	}

	// It is received on the day on which the last one confirms.
	h.mu.Lock()
	h.now = h.now.Add(3 * 24 * time.Hour)
	h.mu.Unlock()
	filed, err := h.submit(t, "mother", id, revision)
	if err != nil || !strings.HasPrefix(filed.GetNumber(), "32132320260319000001") || len(filed.GetWaitingFor()) != 0 {
		t.Fatalf("%v, %v; want the first number of the day: none is used up by a confirmation", filed, explain(err))
	}
	again, err := groom.Submit(ctx, confirm)
	if err != nil || !proto.Equal(filed, again) {
		t.Errorf("he asks again, and gets %v instead of %v, %v", again, filed, explain(err))
	}
	other := proto.CloneOf(confirm)
	other.ExpectedVersion++
	if _, err := groom.Submit(ctx, other); err == nil || reasonOf(t, err) != apiv1.Reason_REASON_REQUEST_REUSED {
		t.Errorf("the request id is used again: %v", explain(err))
	}
	for _, who := range []string{"mother", "father"} {
		got, err := h.intake(who).GetApplication(ctx, &apiv1.GetApplicationRequest{Application: id})
		if err != nil {
			t.Fatal(explain(err))
		}
		app := got.GetApplication()
		if app.GetReceived() != "2026-03-19" {
			t.Errorf("received on %s", app.GetReceived())
		}
		var by, told []string
		for _, k := range app.GetCases()[0].GetConfirmations() {
			by = append(by, k.GetAlias()+" "+k.GetAt().AsTime().Format("01-02"))
		}
		for _, e := range app.GetTimeline() {
			told = append(told, e.GetKind()+" "+e.GetText().GetZh())
		}
		if diff := cmp.Diff([]string{"spouse 03-16", "applicant 03-19"}, by); diff != "" {
			t.Errorf("confirmed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"confirmed 陈立新已确认共同申请", "confirmed 周晓岚已确认共同申请"}, told[:2]); diff != "" {
			t.Errorf("timeline (-want +got):\n%s", diff)
		}
		drafts, err := h.intake(who).ListDrafts(ctx, &apiv1.ListDraftsRequest{})
		if err != nil || len(drafts.GetDrafts()) != 0 {
			t.Errorf("%s still lists %v, %v", who, drafts, explain(err))
		}
		mine, err := h.intake(who).ListApplications(ctx, &apiv1.ListApplicationsRequest{AtLeastPosition: filed.GetPosition()})
		if err != nil || len(mine.GetApplications()) != 1 {
			t.Errorf("%s lists %v, %v", who, mine, explain(err))
		}
	}
	review, err := apiv1connect.NewReviewServiceClient(h.as("clerk")).GetCase(ctx, &apiv1.GetCaseRequest{Application: id, Bundle: "marriage_birth", AtLeastPosition: filed.GetPosition()})
	if err != nil || len(review.GetState().GetConfirmations()) != 2 {
		t.Errorf("the clerk sees %v, %v", review.GetState().GetConfirmations(), explain(err))
	}
	if _, err := groom.Withdraw(ctx, &apiv1.WithdrawRequest{RequestId: uuid.NewString(), Application: id}); err != nil {
		t.Errorf("one of them takes it back: %v", explain(err))
	}
}

// A draft that waits is its applicants' and nobody else's; and not any more one's who is not among them any more.
func TestTogether_Strangers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.publish(t, lease, 0)
	id, revision := h.begin(t, "mother", leased, "lease")
	h.waits(t, "mother", id, revision, []string{"tenant"})
	denied := func(who string) {
		t.Helper()
		caller := h.intake(who)
		for name, call := range map[string]func() error{
			"get": func() error { _, err := caller.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id}); return err },
			"submit": func() error {
				_, err := caller.Submit(ctx, &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision, OnBehalfOf: []string{"tenant"}})
				return err
			},
			"take back": func() error {
				_, err := caller.WithdrawConfirmation(ctx, &apiv1.WithdrawConfirmationRequest{RequestId: uuid.NewString(), Draft: id})
				return err
			},
			"save": func() error {
				_, err := caller.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision, Cleared: []string{"form.tenant.name"}})
				return err
			},
		} {
			if err := call(); connect.CodeOf(err) != connect.CodeNotFound {
				t.Errorf("%s, %s: %v", who, name, explain(err))
			}
		}
		if listed, err := caller.ListDrafts(ctx, &apiv1.ListDraftsRequest{}); err != nil || len(listed.GetDrafts()) != 0 {
			t.Errorf("%s lists %v, %v", who, listed, explain(err))
		}
	}
	denied("stranger")
	denied("clerk")
	// She lets to somebody else: he is out, the other one is in, when she asks again.
	if _, err := h.intake("mother").WithdrawConfirmation(ctx, &apiv1.WithdrawConfirmationRequest{RequestId: uuid.NewString(), Draft: id}); err != nil {
		t.Fatal(explain(err))
	}
	saved, err := h.intake("mother").SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision,
		Changes: map[string]*structpb.Value{"form.tenant.id_no": structpb.NewStringValue(stranger)}})
	if err != nil {
		t.Fatal(explain(err))
	}
	revision = saved.GetRevision()
	denied("father")
	h.waits(t, "mother", id, revision, []string{"tenant"})
	if _, err := h.submit(t, "stranger", id, revision); err != nil {
		t.Errorf("the tenant submits: %v", explain(err))
	}
}

// Who may confirm for whom: everybody for themselves, an agent with a mandate for those whom they name, a clerk for those
// who have signed.
func TestTogether_OnBehalf(t *testing.T) {
	t.Parallel()
	agency := map[string]any{"form.agent.is_agent": true, "form.agent.name": "王代办", "form.agent.id_no": stranger, "form.agent.phone": "13812345699"}
	h := newHouse(t)
	h.publish(t, lease, 0)
	h.publish(t, strings.NewReplacer("bundle: lease", "bundle: personal", "together:", "agent: FORBIDDEN\ntogether:").Replace(lease), 0)
	type call struct {
		who    string
		others []string
		want   apiv1.Reason // of a refusal
		waits  []string
	}
	for _, tt := range []struct {
		name   string
		bundle string
		begins string
		agent  bool
		calls  []call
		by     []string // how the case is confirmed in the end
	}{
		{"nobody confirms for the other", "lease", "mother", false, []call{{who: "mother", others: []string{"tenant"}, want: apiv1.Reason_REASON_NOT_ALLOWED}}, nil},
		{"an agent says for whom", "lease", "stranger", true, []call{{who: "stranger", want: apiv1.Reason_REASON_INVALID}}, nil},
		{"an agent for both", "lease", "stranger", true, []call{{who: "stranger", others: []string{"tenant", "owner"}}}, []string{"owner BY_AGENT", "tenant BY_AGENT"}},
		{"an agent for one, the other in person", "lease", "stranger", true, []call{{who: "stranger", others: []string{"tenant"}, waits: []string{"owner"}}, {who: "mother"}},
			[]string{"tenant BY_AGENT", "owner BY_APPLICANT"}},
		{"in person, what an agent had confirmed", "lease", "stranger", true, []call{{who: "stranger", others: []string{"tenant"}, waits: []string{"owner"}},
			{who: "father", waits: []string{"owner"}}, {who: "mother"}}, []string{"tenant BY_APPLICANT", "owner BY_APPLICANT"}},
		{"one of them as the agent of the other", "lease", "father", true, []call{{who: "father", waits: []string{"owner"}}, {who: "father", others: []string{"owner"}}},
			[]string{"owner BY_AGENT", "tenant BY_APPLICANT"}},
		{"nor where none may file", "personal", "father", true, []call{{who: "father", others: []string{"owner"}, want: apiv1.Reason_REASON_NOT_ALLOWED}}, nil},
		{"no agent where none may file", "personal", "stranger", true,
			[]call{{who: "stranger", others: []string{"tenant", "owner"}, want: apiv1.Reason_REASON_NOT_ALLOWED}}, nil},
		{"one who is no agent", "lease", "stranger", false, []call{{who: "stranger", others: []string{"tenant", "owner"}, want: apiv1.Reason_REASON_NOT_ALLOWED}}, nil},
		{"somebody who need not submit", "lease", "stranger", true, []call{{who: "stranger", others: []string{"owner", "agent"}, want: apiv1.Reason_REASON_NOT_ALLOWED}}, nil},
		{"a clerk says who has signed", "lease", "clerk", false, []call{{who: "clerk", want: apiv1.Reason_REASON_INVALID}}, nil},
		{"a clerk for both, before whom they have signed", "lease", "clerk", false, []call{{who: "clerk", others: []string{"owner", "tenant"}}}, []string{"owner BY_CLERK", "tenant BY_CLERK"}},
		{"a clerk for one, the other at home", "lease", "clerk", false, []call{{who: "clerk", others: []string{"owner"}, waits: []string{"tenant"}}, {who: "father"}},
			[]string{"owner BY_CLERK", "tenant BY_APPLICANT"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			id, revision := h.begin(t, tt.begins, strings.ReplaceAll(leased, "own.lease.", "own."+tt.bundle+"."), tt.bundle)
			if tt.agent {
				who := h.intake(tt.begins)
				proxy, err := who.PutMaterial(t.Context(), &apiv1.PutMaterialRequest{Header: header(id, "form.agent.proxy"), Content: []byte("%PDF-1.7 mandate")})
				if err != nil {
					t.Fatal(explain(err))
				}
				answers := maps.Clone(agency)
				if tt.begins == "father" {
					answers["form.agent.id_no"] = father
				}
				answers["form.agent.proxy"] = proxy.GetFile().GetDigest()
				changes, err := structpb.NewStruct(answers)
				if err != nil {
					t.Fatal(err)
				}
				saved, err := who.SaveDraft(t.Context(), &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision, Changes: changes.GetFields()})
				if err != nil {
					t.Fatal(explain(err))
				}
				revision = saved.GetRevision()
			}
			for _, c := range tt.calls {
				got, err := h.submit(t, c.who, id, revision, c.others...)
				switch {
				case c.want != 0 && (err == nil || reasonOf(t, err) != c.want):
					t.Fatalf("%s: %v, %v, want %s", c.who, got, explain(err), c.want)
				case c.want != 0:
					if n := len(h.draft(t, tt.begins, id).GetConfirmations()); n != 0 {
						t.Errorf("%d confirmations after a refusal", n)
					}
				case err != nil:
					t.Fatalf("%s: %v", c.who, explain(err))
				case !slices.Equal(got.GetWaitingFor(), c.waits):
					t.Fatalf("%s: waits for %v, want %v", c.who, got.GetWaitingFor(), c.waits)
				}
			}
			if tt.by == nil {
				return
			}
			app, err := h.intake("mother").GetApplication(t.Context(), &apiv1.GetApplicationRequest{Application: id})
			if err != nil {
				t.Fatal(explain(err))
			}
			var by []string
			for _, k := range app.GetApplication().GetCases()[0].GetConfirmations() {
				by = append(by, k.GetAlias()+" "+k.GetBy().String())
			}
			if diff := cmp.Diff(tt.by, by); diff != "" {
				t.Errorf("confirmed (-want +got):\n%s", diff)
			}
		})
	}
}

// Where any one may submit, it is as ever; beside a joint matter, another one is filed with it if one of those who submit
// together may file it, and else they are filed apart.
func TestTogether_BesideOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish(t, lease, 0)
	sign := strings.NewReplacer("bundle: lease", "bundle: sign", "applicant: [owner, tenant]", "applicant: [tenant]", "together: \"!own.by_court\"\n", "", "tenant.id_no, agent]", "tenant.id_no, agent, own.by_court]").Replace(lease)
	h.publish(t, sign, 0)
	h.publish(t, strings.NewReplacer("bundle: sign", "bundle: notice", "applicant: [tenant]", "applicant: [guest]", "  - { section: agent, as: agent }\n", "  - { section: person_identity, as: guest }\n",
		"tenant.id_no, agent,", "tenant.id_no, guest,").Replace(sign), 0)
	both := strings.Replace(leased, `"own.lease.by_court"`, `"own.sign.by_court": false, "own.sign.has_tenant": true, "own.lease.by_court"`, 1)

	id, revision := h.begin(t, "mother", strings.Replace(leased, `"own.lease.by_court": false`, `"own.lease.by_court": true`, 1), "lease")
	if got, err := h.submit(t, "mother", id, revision); err != nil || got.GetNumber() == "" {
		t.Errorf("a court has decided: %v, %v", got, explain(err))
	}
	id, revision = h.begin(t, "mother", both, "lease", "sign")
	h.waits(t, "mother", id, revision, []string{"tenant"})
	if got, err := h.submit(t, "father", id, revision); err != nil || len(got.GetCases()) != 2 {
		t.Errorf("both matters: %v, %v", got, explain(err))
	}
	guest := strings.Replace(leased, `"own.lease.by_court"`, `"form.guest.name": "王五", "form.guest.birth": "1949-12-31", "form.guest.phone": "13812345699", "form.guest.hukou": "here", "form.guest.id_no": "11010519491231002X",
		"own.notice.by_court": false, "own.notice.has_tenant": true, "own.lease.by_court"`, 1)
	id, revision = h.begin(t, "mother", guest, "lease", "notice")
	if got, err := h.submit(t, "mother", id, revision); err == nil || reasonOf(t, err) != apiv1.Reason_REASON_NOT_ALLOWED {
		t.Errorf("a matter of somebody else beside it: %v, %v", got, explain(err))
	}
}

// A matter that was published anew has to be confirmed anew: what was confirmed is not what would be filed.
func TestTogether_PublishedAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish(t, lease, 0)
	id, revision := h.begin(t, "mother", leased, "lease")
	h.waits(t, "mother", id, revision, []string{"tenant"})
	h.publish(t, strings.Replace(lease, "房屋租赁登记", "房屋出租登记", 1), 1)
	if _, err := h.submit(t, "father", id, revision); err == nil || reasonOf(t, err) != apiv1.Reason_REASON_VERSION_CHANGED {
		t.Errorf("submitted unseen: %v", explain(err))
	}
	taken, err := h.intake("father").TakeOverDraft(t.Context(), &apiv1.TakeOverDraftRequest{RequestId: uuid.NewString(), Draft: id, ExpectedVersion: revision})
	if err != nil {
		t.Fatal(explain(err))
	}
	revision = taken.GetRevision()
	h.waits(t, "father", id, revision, []string{"owner"})
	if got, err := h.submit(t, "mother", id, revision); err != nil || got.GetNumber() == "" {
		t.Errorf("%v, %v", got, explain(err))
	}
}

// Somebody whose section is not asked has no part in the application, whatever was written there before.
func TestSubmit_OfNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish(t, lease, 0)
	alone := strings.Replace(leased, `"own.lease.has_tenant": true`, `"own.lease.has_tenant": false`, 1)
	id, revision := h.begin(t, "mother", strings.Replace(alone, `"form.agent.is_agent": false`, `"form.agent.is_agent": false, "form.agent.id_no": "`+stranger+`"`, 1), "lease")
	if got, err := h.submit(t, "mother", id, revision); err != nil || got.GetNumber() == "" {
		t.Fatalf("%v, %v", got, explain(err))
	}
	for _, who := range []string{"father", "stranger"} {
		if _, err := h.intake(who).GetApplication(t.Context(), &apiv1.GetApplicationRequest{Application: id}); connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("%s sees it: %v", who, explain(err))
		}
	}
}
