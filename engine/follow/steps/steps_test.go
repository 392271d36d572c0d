package steps_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/follow/steps"
	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/engine/person"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func allHooks() map[string][]string {
	return map[string][]string{"office/quick": {"check", "decide", "issue"}, "bank/slow": {"decide"}}
}

func equal[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// willing answers every hook so that the application is granted.
func willing(_ context.Context, _ string, r *pluginv1.Request) (*pluginv1.Response, error) {
	switch r.GetHook() {
	case pluginv1.Hook_HOOK_CHECK:
		return &pluginv1.Response{Check: &pluginv1.Check{}}, nil
	case pluginv1.Hook_HOOK_DECIDE:
		if r.GetStep() == "grant" {
			return approve("granted", money(85000)), nil
		}
		return approve("paid", r.GetAnswers()["results.grant.granted"]), nil
	case pluginv1.Hook_HOOK_ISSUE:
		return &pluginv1.Response{Issue: &pluginv1.Issue{MediaType: "text/html; charset=utf-8", Content: []byte("<p>通知</p>")}}, nil
	default:
		return nil, errors.New("no such hook")
	}
}

func TestSteps_FromCheckToResult(t *testing.T) {
	t.Parallel()
	o, p := newOffice(t, "ENGINE", allHooks()), &plugins{answer: willing}
	o.follow(p)
	o.submit()
	s := o.until(func(s application.State) bool { return s.State() == application.ApplicationCompleted })
	equal(t, "outcome", "GRANTED", s.Cases[0].Outcome)

	grant := s.TaskOf("matter", "grant")
	text := func(k pluginv1.ValueKind, v string) *pluginv1.Value { return &pluginv1.Value{Kind: k, Text: v} }
	want := &pluginv1.Request{
		Hook: pluginv1.Hook_HOOK_CHECK, Bundle: "matter", Step: "grant", Task: s.Cases[0].Number, Attempt: 1, Today: "2026-03-02", Place: "321322",
		Answers: map[string]*pluginv1.Value{
			"form.me.id_no": text(pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER, "321323199604120423"),
			"own.claim":     money(85000),
			"own.twice":     money(170000),
		},
		Parameters: map[string]*pluginv1.Value{"rate": text(pluginv1.ValueKind_VALUE_KIND_DECIMAL, "1.5")},
		Published: map[string]*pluginv1.Published{"rate": {Values: []*pluginv1.PublishedValue{ // another province's is none of this office's
			{From: "2026-01-01", Value: text(pluginv1.ValueKind_VALUE_KIND_DECIMAL, "1.5")},
			{From: "2025-01-01", Until: "2025-12-31", Place: "32", Value: text(pluginv1.ValueKind_VALUE_KIND_DECIMAL, "1.4")},
		}}},
		Materials: []*pluginv1.Material{{Id: "proof", Origin: "E_CERTIFICATE"}},
	}
	equal(t, "calls of check", []*pluginv1.Request{want}, p.seen(pluginv1.Hook_HOOK_CHECK, "grant"))
	want.Hook, want.Task = pluginv1.Hook_HOOK_DECIDE, grant.Number
	equal(t, "calls of decide", []*pluginv1.Request{want}, p.seen(pluginv1.Hook_HOOK_DECIDE, "grant"))
	want.Hook, want.Result = pluginv1.Hook_HOOK_ISSUE, map[string]*pluginv1.Value{"granted": money(85000)}
	equal(t, "calls of issue", []*pluginv1.Request{want}, p.seen(pluginv1.Hook_HOOK_ISSUE, "grant"))
	want = &pluginv1.Request{
		Hook: pluginv1.Hook_HOOK_DECIDE, Bundle: "matter", Step: "pay", Task: s.TaskOf("matter", "pay").Number, Attempt: 1, Today: "2026-03-02", Place: "321322",
		Answers: map[string]*pluginv1.Value{
			"form.me.name":          text(pluginv1.ValueKind_VALUE_KIND_TEXT, "甲"),
			"own.wish":              text(pluginv1.ValueKind_VALUE_KIND_TEXT, "快"),
			"results.grant.granted": money(85000),
		},
		Parameters: want.Parameters, Published: want.Published,
	}
	equal(t, "calls of the step that reads a result", []*pluginv1.Request{want}, p.seen(pluginv1.Hook_HOOK_DECIDE, "pay"))
	equal(t, "kept documents", map[string][]byte{"审核.html": []byte("<p>通知</p>")}, o.kept)
	equal(t, "who decided", &applicationv1.Actor{Role: applicationv1.Role_ROLE_PLUGIN, Department: "office", Id: "office/quick", Rewriter: 7}, grant.DecidedBy)
}

func TestSteps_FindingsAreAClerksMatter(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ENGINE", allHooks())
	o.follow(&plugins{answer: func(context.Context, string, *pluginv1.Request) (*pluginv1.Response, error) {
		return &pluginv1.Response{Check: &pluginv1.Check{Findings: []*pluginv1.Finding{{Code: "too_much", Path: "own.claim", TextZh: "金额过高"}}}}, nil
	}})
	o.submit()
	s := o.until(func(s application.State) bool { return len(s.Cases) > 0 && s.Cases[0].Checks[0].Answered })
	equal(t, "state", application.PreReview, s.Cases[0].State)
	equal(t, "found", []application.Found{{Code: "too_much", Severity: "CORRECT", Path: "own.matter.claim"}}, s.Cases[0].Checks[0].Found)
}

func TestSteps_NonsenseIsAFailureNeverConsent(t *testing.T) {
	t.Parallel()
	finding := []*pluginv1.Finding{{Code: "why", TextZh: "因为"}}
	decision := func(d *pluginv1.Decision) *pluginv1.Response { return &pluginv1.Response{Decision: d} }
	for _, tt := range []struct {
		name     string
		response *pluginv1.Response
		err      error
		kind     string
	}{
		{name: "no answer at all", response: nil, kind: "unfit_answer"},
		{name: "an answer of another hook", response: &pluginv1.Response{Check: &pluginv1.Check{}}, kind: "unfit_answer"},
		{name: "no outcome", response: decision(&pluginv1.Decision{Findings: finding}), kind: "unfit_answer"},
		{name: "an approval without its result", response: decision(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_APPROVED}), kind: "unfit_answer"},
		{name: "a result of another kind", response: approve("paid", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: "850"}), kind: "unfit_answer"},
		{name: "a result that the step does not have", response: approve("other", money(1)), kind: "unfit_answer"},
		{name: "a rejection without a reason", response: decision(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_REJECTED}), kind: "unfit_answer"},
		{name: "a rejection with a result", response: decision(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_REJECTED, Findings: finding,
			Result: map[string]*pluginv1.Value{"paid": money(1)}}), kind: "unfit_answer"},
		{name: "a trap", err: &steps.Failure{Kind: "trapped", Err: errors.New("unreachable")}, kind: "trapped"},
		{name: "an error of ours", err: errors.New("no host"), kind: "unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, "ENGINE", map[string][]string{"bank/slow": {"decide"}, "office/quick": {"decide"}})
			p := &plugins{answer: func(_ context.Context, plugin string, _ *pluginv1.Request) (*pluginv1.Response, error) {
				if plugin == "office/quick" {
					return approve("granted", money(1)), nil
				}
				return tt.response, tt.err
			}}
			o.follow(p)
			o.submit()
			for attempt := int32(1); attempt <= steps.MaxAttempts; attempt++ {
				s := o.until(func(s application.State) bool {
					task := s.TaskOf("matter", "pay")
					return task != nil && task.Attempts["decide"] == attempt
				})
				task := s.TaskOf("matter", "pay")
				equal(t, "state", application.TaskOpen, task.State)
				equal(t, "outcome", "", task.Outcome)
				hook, _ := task.Hook()
				if last := attempt == steps.MaxAttempts; (hook == "") != last {
					t.Errorf("after attempt %d the next hook is %q", attempt, hook)
				}
				o.clock.Advance(10 * time.Minute)
			}
			calls := p.seen(pluginv1.Hook_HOOK_DECIDE, "pay")
			equal(t, "calls", steps.MaxAttempts, len(calls))
			equal(t, "the last attempt", uint32(steps.MaxAttempts), calls[len(calls)-1].GetAttempt())
			equal(t, "kind of failure", tt.kind, o.failure())
		})
	}
}

// failure is the kind of the last failure that was recorded.
func (o *office) failure() (kind string) {
	for e, err := range o.log.Read(context.Background(), "application/"+id, 0) {
		if err != nil {
			o.t.Fatal(err)
		}
		if event := decode(o.t, e.Public); event.GetPluginFailed() != nil {
			kind = event.GetPluginFailed().GetFailure()
		}
	}
	return kind
}

// After a false promise, and when an officer has decided so, the plugin takes the result back; until it says that it has, it is
// asked again, and then it is the officer's.
func TestSteps_Revoke(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		revoked bool
		state   application.TaskState
	}{{"taken back", true, application.TaskRevoked}, {"not taken back", false, application.TaskApproved}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hooks := allHooks()
			hooks["bank/slow"] = append(hooks["bank/slow"], "revoke")
			o := newOffice(t, "ENGINE", hooks)
			o.documents.Promises = []*applicationv1.SignedPromise{{Material: "own.matter.proof", Text: "属实"}}
			p := &plugins{answer: func(ctx context.Context, plugin string, r *pluginv1.Request) (*pluginv1.Response, error) {
				if r.GetHook() == pluginv1.Hook_HOOK_REVOKE {
					return &pluginv1.Response{Revocation: &pluginv1.Revocation{Revoked: tt.revoked}}, nil
				}
				return willing(ctx, plugin, r)
			}}
			o.follow(p)
			o.submit()
			o.until(func(s application.State) bool { return s.State() == application.ApplicationCompleted })
			o.give("verify", application.VerifyPromise{Bundle: "matter", Material: "proof", Reason: "查无此证"})
			s := o.until(func(s application.State) bool { return len(s.FollowUps) == 2 })
			pay := s.FollowUps[1]
			equal(t, "the plugin is not asked before an officer has decided", 0, len(p.seen(pluginv1.Hook_HOOK_REVOKE, "pay")))
			o.give("decide", application.DecideTask{Task: pay.Number, Approve: true, Reason: "撤销"})
			for attempt := int32(1); attempt <= steps.MaxAttempts && !tt.revoked; attempt++ {
				o.until(func(s application.State) bool {
					t := s.Task(pay.Number)
					return t != nil && t.Attempts["revoke"] == attempt
				})
				o.clock.Advance(10 * time.Minute)
			}
			s = o.until(func(s application.State) bool {
				t := s.Task(pay.Number)
				if t == nil || t.Attempts["revoke"] == 0 {
					return false
				}
				hook, _ := t.Hook()
				return hook == ""
			})
			equal(t, "the step", tt.state, s.TaskOf("matter", "pay").State)
			equal(t, "what is to be taken back", map[string]*pluginv1.Value{"paid": money(85000)}, p.seen(pluginv1.Hook_HOOK_REVOKE, "pay")[0].GetResult())
			if !tt.revoked {
				o.give("by hand", application.DecideTask{Task: pay.Number, Approve: true, Reason: "人工撤销"})
				s = o.until(func(s application.State) bool {
					t := s.TaskOf("matter", "pay")
					return t != nil && t.State == application.TaskRevoked
				})
				equal(t, "the follow-up", application.TaskApproved, s.Task(pay.Number).State)
			}
		})
	}
}

func TestSteps_AnOldAnswerIsDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "CLERK", allHooks())
	begun, release := make(chan int), make(chan struct{})
	p := &plugins{answer: func(_ context.Context, _ string, r *pluginv1.Request) (*pluginv1.Response, error) {
		begun <- int(r.GetAttempt())
		<-release
		return &pluginv1.Response{Check: &pluginv1.Check{Findings: []*pluginv1.Finding{{Code: "claim_of_" + r.GetAnswers()["own.claim"].String(), TextZh: "x"}}}}, nil
	}}
	o.follow(p)
	o.submit()
	<-begun
	changed, err := o.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	before := changed.Record
	o.give("correct", application.Correct{Changes: before.With("own.matter.claim", claim(t, o, "1.00"))})
	close(release)
	<-begun // asked again
	s := o.until(func(s application.State) bool { return len(s.Cases) > 0 && s.Cases[0].Checks[0].Answered })
	equal(t, "revision", 2, s.Revision)
	found := s.Cases[0].Checks[0].Found
	if len(found) != 1 || found[0].Code != "claim_of_"+money(100).String() {
		t.Errorf("found %+v", found)
	}
}

func TestDeadlines_SilenceIsAcceptance(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "CLERK", map[string][]string{})
	o.follow(&plugins{answer: willing})
	o.submit()
	// Five working days from 2026-03-02 end on 2026-03-09.
	o.until(func(s application.State) bool { return s.State() == application.ApplicationPreReview })
	o.clock.Advance(8*24*time.Hour - 9*time.Hour - time.Second)
	if s, err := o.Open(t.Context(), id); err != nil || s.State.Cases[0].State != application.PreReview {
		t.Fatalf("accepted before the day was over: %v", err)
	}
	o.clock.Advance(time.Second)
	s := o.until(func(s application.State) bool { return len(s.Cases) > 0 && s.Cases[0].State == application.Accepted })
	equal(t, "accepted by", applicationv1.Accepted_BY_SILENCE, s.Cases[0].AcceptedBy)
	equal(t, "as of", "2026-03-02", s.Cases[0].AcceptedOn.String())
}

// What a plugin wrote is recorded with its answer; where somebody else has changed what it had read, it is asked again, under
// the same attempt.
func TestSteps_Writes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changed int  // so many writes are refused
		full    bool // all are
		outside bool // the call has reached a system outside
		calls   int
		attempt int32
		gaveUp  bool
		kind    string
		written map[string]string
	}{
		{name: "taken", calls: 1, attempt: 1, written: map[string]string{"count": "1"}},
		{name: "changed since", changed: 3, calls: 4, attempt: 1, written: map[string]string{"count": "4"}},
		{name: "changed since it reached outside", changed: 3, outside: true, calls: 1, attempt: 1, gaveUp: true, kind: "store_changed", written: map[string]string{}},
		{name: "taken, with what it reached outside", outside: true, calls: 1, attempt: 1, written: map[string]string{"count": "1"}},
		{name: "full", full: true, calls: 1, attempt: 1, kind: "store_full", written: map[string]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, "ENGINE", map[string][]string{"office/quick": {"decide"}})
			o.changed, o.full = tt.changed, tt.full
			calls := 0
			o.follow(&plugins{answer: willing, beside: func(_ string, _ *pluginv1.Request, a *steps.Answer) {
				calls++
				a.Outside = tt.outside
				a.Writes = &keyvalue.Changes{Department: "office", Written: map[string][]byte{"count": []byte(fmt.Sprint(calls))}}
			}})
			o.submit()
			s := o.until(func(s application.State) bool {
				grant := s.TaskOf("matter", "grant")
				return grant != nil && grant.Attempts["decide"] == tt.attempt
			})
			equal(t, "gave up", tt.gaveUp, len(s.TaskOf("matter", "grant").GaveUp) > 0)
			equal(t, "kind of failure", tt.kind, o.failure())
			o.mu.Lock()
			defer o.mu.Unlock()
			equal(t, "calls", tt.calls, calls)
			equal(t, "written", tt.written, o.written)
		})
	}
}

// A plugin that fails after it has reached a system outside is not asked again: that system could act twice.
func TestSteps_NoRepetitionOutside(t *testing.T) {
	t.Parallel()
	for _, hook := range []string{"check", "decide"} {
		t.Run(hook, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, "CLERK", map[string][]string{"office/quick": {hook}})
			if hook == "decide" {
				o = newOffice(t, "ENGINE", map[string][]string{"office/quick": {hook}})
			}
			p := &plugins{
				answer: func(context.Context, string, *pluginv1.Request) (*pluginv1.Response, error) {
					return nil, &steps.Failure{Kind: "trapped"}
				},
				beside: func(_ string, _ *pluginv1.Request, a *steps.Answer) { a.Outside = true },
			}
			o.follow(p)
			o.submit()
			if hook == "check" {
				s := o.until(func(s application.State) bool { return len(s.Cases) > 0 && s.Cases[0].Checks[0].Answered })
				equal(t, "check", application.Check{Step: "grant", Attempt: 1, Answered: true, Failed: true, Plugin: "digest of office/quick"}, s.Cases[0].Checks[0])
				equal(t, "outside", true, o.last().GetChecked().GetOutside())
			} else {
				s := o.until(func(s application.State) bool {
					grant := s.TaskOf("matter", "grant")
					return grant != nil && len(grant.GaveUp) > 0
				})
				equal(t, "attempts", int32(1), s.TaskOf("matter", "grant").Attempts["decide"])
				equal(t, "outside", true, o.last().GetPluginFailed().GetOutside())
			}
			equal(t, "calls", 1, len(p.seen(pluginv1.Hook_HOOK_CHECK, "grant"))+len(p.seen(pluginv1.Hook_HOOK_DECIDE, "grant")))
		})
	}
}

// last is the last event that there is.
func (o *office) last() (event *applicationv1.Event) {
	for e, err := range o.log.Read(context.Background(), "application/"+id, 0) {
		if err != nil {
			o.t.Fatal(err)
		}
		event = decode(o.t, e.Public)
	}
	return event
}

// Look-ups are recorded whether the plugin answers or not; a large trace is a file.
func TestSteps_LookupsAndTraces(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ENGINE", map[string][]string{"office/quick": {"decide"}, "bank/slow": {"decide"}})
	large := bytes.Repeat([]byte("t"), 200<<10)
	o.follow(&plugins{
		answer: func(ctx context.Context, plugin string, r *pluginv1.Request) (*pluginv1.Response, error) {
			if r.GetAttempt() == 1 && plugin == "office/quick" {
				return nil, &steps.Failure{Kind: "trapped"}
			}
			return willing(ctx, plugin, r)
		},
		beside: func(plugin string, r *pluginv1.Request, a *steps.Answer) {
			if plugin == "office/quick" {
				a.Trace, a.Lookups = large, []person.Lookup{{Source: "register", Key: "1", Purpose: fmt.Sprint("核对", r.GetAttempt())}}
			}
		},
	})
	o.submit()
	o.until(func(s application.State) bool {
		grant := s.TaskOf("matter", "grant")
		return grant != nil && grant.Attempts["decide"] == 1
	})
	o.clock.Advance(time.Minute)
	o.until(func(s application.State) bool { return s.State() == application.ApplicationCompleted })
	traces := map[string]string{}
	for e, err := range o.log.Read(t.Context(), "application/"+id, 0) {
		if err != nil {
			t.Fatal(err)
		}
		event := decode(t, e.Public)
		if kind := event.GetKind(); event.GetActor().GetRole() == applicationv1.Role_ROLE_PLUGIN {
			equal(t, fmt.Sprintf("rewriter of %T", kind), 7, event.GetActor().GetRewriter())
		}
		if event.GetTaskDecided() != nil {
			traces[event.GetActor().GetId()] = string(event.GetPersonal().GetTrace()) + event.GetPersonal().GetTraceFile().GetName()
		}
	}
	equal(t, "traces", map[string]string{"office/quick": "trace", "bank/slow": "saw nothing"}, traces)
	o.mu.Lock()
	defer o.mu.Unlock()
	equal(t, "look-ups", []string{"true office office/quick decide register 核对1", "true office office/quick decide register 核对2"}, o.lookups)
	equal(t, "kept", map[string][]byte{"trace": large}, o.kept)
}
