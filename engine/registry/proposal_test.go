package registry_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		words        []string
		level, place string
		want         bool
	}{
		{name: "none", level: "PROVINCIAL"},
		{name: "all", words: []string{"all"}, level: "COUNTY", want: true},
		{name: "a level", words: []string{"provincial", "municipal"}, level: "MUNICIPAL", want: true},
		{name: "another level", words: []string{"provincial"}, level: "COUNTY"},
		{name: "the region itself", words: []string{"321323"}, place: "321323", want: true},
		{name: "a part of the region", words: []string{"3213"}, place: "321323", want: true},
		{name: "a whole of which the region is a part", words: []string{"321323"}, place: "32", want: true},
		{name: "everywhere", words: []string{"321323"}, want: true},
		{name: "another region", words: []string{"3213"}, place: "3201"},
		{name: "a level or a region", words: []string{"provincial", "3201"}, level: "COUNTY", place: "3201", want: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := registry.ParsePolicy(tt.words)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Asks(&catalog.Bundle{Level: tt.level, Place: tt.place}); got != tt.want {
				t.Errorf("a second person is asked for: %t, want %t", got, tt.want)
			}
		})
	}
	_, err := registry.ParsePolicy([]string{"all", "321", "Provincial", "county", ""})
	if err == nil || strings.Count(err.Error(), "neither") != 3 || !strings.Contains(err.Error(), `"321"`) || !strings.Contains(err.Error(), `"Provincial"`) {
		t.Errorf("words that are none: %v", err)
	}
}

// catalogue is a registry in the hands of several configurators.
type catalogue struct {
	state registry.State
	world registry.World
}

func newCatalogue(t interface{ Fatal(...any) }, policy ...string) *catalogue {
	p, err := registry.ParsePolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	c := &catalogue{world: registry.World{Now: time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC), Compiled: &catalog.Compiled{}}}
	if err := c.give("seed", registry.PublishLibrary{Files: map[string][]byte{"departments.yaml": []byte(departments), "sections.yaml": []byte(person)}}); err != nil {
		t.Fatal(err)
	}
	if err := c.give("seed", registry.PublishBundle{Name: catalog.BundleFile("badge"), Text: []byte(badge)}); err != nil {
		t.Fatal(err)
	}
	c.world.SecondPerson = p
	return c
}

func (c *catalogue) give(actor string, command registry.Command) error {
	c.world.Actor = actor
	events, err := registry.Decide(c.state, command, c.world)
	for _, e := range events {
		c.state = registry.Evolve(c.state, proto.CloneOf(e))
	}
	return err
}

func publish(text string) registry.PublishBundle {
	return registry.PublishBundle{Name: catalog.BundleFile("badge"), Text: []byte(text), Reason: "why"}
}

func reason(err error) refusal.Reason {
	if r, ok := errors.AsType[*refusal.Refusal](err); ok {
		return r.Reason
	}
	return ""
}

// A version that needs a second person is in force when another one has approved it, and the record says who both were.
func TestProposal(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t, "county")
	if err := c.give("ann", publish(badge+"# 2\n")); err != nil {
		t.Fatal(err)
	}
	if n := len(c.state.Bundles["badge"]); n != 1 || len(c.state.Proposals) != 1 {
		t.Fatalf("%d versions and %d proposals", n, len(c.state.Proposals))
	}
	if err := c.give("ann", publish(badge+"# 3\n")); reason(err) != refusal.WrongState {
		t.Errorf("a second proposal beside one that waits: %v", err)
	}
	if err := c.give("ann", registry.ApproveProposal{Proposal: 1}); reason(err) != refusal.SecondPerson {
		t.Errorf("approved by who had proposed it: %v", err)
	}
	if err := c.give("ben", registry.ApproveProposal{Proposal: 2}); reason(err) != refusal.NotFound {
		t.Errorf("a proposal that is not there: %v", err)
	}
	if err := c.give("ben", registry.ApproveProposal{Proposal: 1}); err != nil {
		t.Fatal(err)
	}
	v := c.state.Bundles["badge"][1]
	if v.By != "ann" || v.ApprovedBy != "ben" || v.Proposal != 1 || v.Reason != "why" || string(v.Text) != badge+"# 2\n" {
		t.Errorf("published as %+v", v)
	}
	if p := c.state.Proposals[0]; p.Version != 2 || p.ClosedBy != "ben" || p.Closed.IsZero() {
		t.Errorf("the proposal ended as %+v", p)
	}
	if err := c.give("ben", registry.RejectProposal{Proposal: 1, Reason: "late"}); reason(err) != refusal.WrongState {
		t.Errorf("rejected after it was approved: %v", err)
	}

	// So is going back to an earlier version.
	if err := c.give("ben", registry.RollBackBundle{Bundle: "badge", Number: 1, Reason: "back"}); err != nil {
		t.Fatal(err)
	}
	if err := c.give("ben", registry.RejectProposal{Proposal: 2, Reason: "not needed"}); err != nil {
		t.Errorf("taken back by who had proposed it: %v", err)
	}
	if p := c.state.Proposals[1]; p.RolledBackTo != 1 || p.Version != 0 || p.Rejection != "not needed" || p.ClosedBy != "ben" || len(c.state.Bundles["badge"]) != 2 {
		t.Errorf("the proposal ended as %+v", p)
	}
	if err := c.give("ann", registry.ApproveProposal{Proposal: 2}); reason(err) != refusal.WrongState {
		t.Errorf("approved after it was rejected: %v", err)
	}
}

// What its author did not see when he proposed it cannot be undone by approving it.
func TestProposal_Outdated(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		meanwhile registry.Command
	}{
		{name: "by another version", meanwhile: publish(badge + "# 3\n")},
		{name: "by another library", meanwhile: registry.PublishLibrary{Files: map[string][]byte{"departments.yaml": []byte(departments + "# 2\n"), "sections.yaml": []byte(person)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCatalogue(t, "all")
			if err := c.give("ann", publish(badge+"# 2\n")); err != nil {
				t.Fatal(err)
			}
			policy := c.world.SecondPerson
			c.world.SecondPerson = registry.Policy{} // the operator has changed it for a while
			if err := c.give("ben", tt.meanwhile); err != nil {
				t.Fatal(err)
			}
			c.world.SecondPerson = policy
			if err := c.give("ben", registry.ApproveProposal{Proposal: 1}); reason(err) != refusal.WrongState || !c.state.Outdated(c.state.Proposals[0]) {
				t.Errorf("approved: %v", err)
			}
			if err := c.give("ann", publish(badge+"# 4\n")); err != nil {
				t.Errorf("proposed again: %v", err)
			}
			if err := c.give("ben", registry.ApproveProposal{Proposal: 2}); err != nil || c.state.Outdated(c.state.Proposals[1]) {
				t.Errorf("the new proposal: %v", err)
			}
			if err := c.give("ann", registry.RejectProposal{Proposal: 1, Reason: "outdated"}); err != nil {
				t.Errorf("rejected: %v", err)
			}
		})
	}
}

// A version does not free itself from the policy by saying another level or place.
func TestProposal_ALevelThatChanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, policy, text string }{
		{"to a level that needs one", "provincial", strings.Replace(badge, "COUNTY", "PROVINCIAL", 1)},
		{"from a level that needs one", "county", strings.Replace(badge, "COUNTY", "PROVINCIAL", 1)},
		{"from a place that needs one", "32", strings.Replace(badge, "lead: market", "lead: market\nplace: \"11\"", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCatalogue(t, tt.policy)
			if err := c.give("ann", publish(tt.text)); err != nil {
				t.Fatal(err)
			}
			if len(c.state.Bundles["badge"]) != 1 || len(c.state.Proposals) != 1 {
				t.Errorf("%d versions, %d proposals", len(c.state.Bundles["badge"]), len(c.state.Proposals))
			}
		})
	}
	c := newCatalogue(t, "provincial")
	if err := c.give("ann", publish(badge+"# 2\n")); err != nil || len(c.state.Bundles["badge"]) != 2 {
		t.Errorf("a version that needs no second person: %v", err)
	}
}

// Whatever configurators do under a policy for all, nothing comes into force that one person alone has wanted.
func TestProposal_NobodyAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCatalogue(t, "all")
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			actor := rapid.SampledFrom([]string{"ann", "ben", "eve"}).Draw(t, "actor")
			proposal := rapid.IntRange(0, len(c.state.Proposals)+1).Draw(t, "proposal")
			before := c.state
			err := c.give(actor, rapid.SampledFrom([]registry.Command{
				publish(badge + rapid.SampledFrom([]string{"# 1\n", "# 2\n", "# 3\n"}).Draw(t, "text")),
				registry.RollBackBundle{Bundle: "badge", Number: rapid.IntRange(0, 4).Draw(t, "number"), Reason: "back"},
				registry.ApproveProposal{Proposal: proposal}, registry.RejectProposal{Proposal: proposal, Reason: "no"},
				registry.ChooseMoving{Bundle: "badge", Number: len(c.state.Bundles["badge"]), Moving: registryv1.Moving(rapid.IntRange(1, 3).Draw(t, "moving")), Reason: "moves"},
			}).Draw(t, "command"))
			if err != nil && cmp.Diff(before, c.state) != "" {
				t.Fatalf("refused with %v, and changed", err)
			}
		}
		waiting := 0
		for _, p := range c.state.Proposals {
			if p.Closed.IsZero() && !c.state.Outdated(p) {
				waiting++
			}
		}
		if waiting > 1 {
			t.Fatalf("%d proposals of one bundle wait", waiting)
		}
		if v := c.state.Bundles["badge"][0]; v.Moving != registryv1.Moving_MOVING_PIN {
			t.Fatalf("the first version means %v", v.Moving)
		}
		for i, v := range c.state.Bundles["badge"][1:] {
			if v.By == v.ApprovedBy || v.ApprovedBy == "" || v.Number != i+2 {
				t.Fatalf("version %d: proposed by %q, approved by %q", v.Number, v.By, v.ApprovedBy)
			}
			p := c.state.Proposals[v.Proposal-1]
			if p.By != v.By || p.Digest != v.Digest || !slices.Equal(p.Text, v.Text) || p.Version != v.Number {
				t.Fatalf("version %d is not what was proposed: %+v", v.Number, p)
			}
			if v.Moving > p.Moving {
				t.Fatalf("version %d means %v, and %v was approved", v.Number, v.Moving, p.Moving)
			}
		}
	})
}

// What a version means for applications under way is chosen with it or later, for the last version only.
func TestMoving(t *testing.T) {
	t.Parallel()
	const pin, drafts, consent = registryv1.Moving_MOVING_PIN, registryv1.Moving_MOVING_DRAFTS, registryv1.Moving_MOVING_CONSENT
	c := newCatalogue(t)
	if m := c.state.Bundles["badge"][0].Moving; m != pin {
		t.Errorf("nothing chosen means %v", m)
	}
	second := publish(badge + "# 2\n")
	second.Moving = drafts
	if err := c.give("ann", second); err != nil || c.state.Bundles["badge"][1].Moving != drafts || c.state.Bundles["badge"][1].MovingReason != "why" {
		t.Errorf("chosen with it: %+v, %v", c.state.Bundles["badge"][1], err)
	}
	before := c.state
	tests := []struct {
		name   string
		choose registry.ChooseMoving
		want   refusal.Reason
	}{
		{"a version that is over", registry.ChooseMoving{Bundle: "badge", Number: 1, Moving: consent}, refusal.Stale},
		{"a version that is not there", registry.ChooseMoving{Bundle: "badge", Number: 3, Moving: consent}, refusal.NotFound},
		{"no version", registry.ChooseMoving{Bundle: "badge", Moving: consent}, refusal.NotFound},
		{"a bundle that is not there", registry.ChooseMoving{Bundle: "other", Number: 1, Moving: consent}, refusal.NotFound},
		{"what it means already", registry.ChooseMoving{Bundle: "badge", Number: 2, Moving: drafts, Reason: "again"}, ""},
	}
	for _, tt := range tests {
		if err := c.give("ann", tt.choose); reason(err) != tt.want || cmp.Diff(before, c.state) != "" {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := c.give("ben", registry.ChooseMoving{Bundle: "badge", Number: 2, Moving: consent, Reason: "better"}); err != nil {
		t.Fatal(err)
	}
	if v := c.state.Bundles["badge"][1]; v.Moving != consent || v.MovingReason != "better" || v.Reason != "why" || v.By != "ann" {
		t.Errorf("chosen later: %+v", v)
	}
	if v := before.Bundles["badge"][1]; v.Moving != drafts {
		t.Error("the state before has changed")
	}
	f, err := registry.Compile(c.state, nil, c.world.Compiled)
	if err != nil || f.Version("badge", 2).Moving != consent || f.Version("badge", 2).Why != "better" || f.Version("badge", 1).Why != "" || f.Numbered("badge", f.Version("badge", 1).Digest).Number != 1 {
		t.Errorf("in force: %+v, %v", f.Version("badge", 2), err)
	}

	// A proposal keeps what was chosen until it is approved.
	c = newCatalogue(t, "all")
	second.Moving = consent
	if err := errors.Join(c.give("ann", second), c.give("ben", registry.ApproveProposal{Proposal: 1})); err != nil || c.state.Bundles["badge"][1].Moving != consent {
		t.Errorf("approved: %+v, %v", c.state.Bundles["badge"][1], err)
	}
}

// Where a version needs a second person, so does what it shall mean beyond what was approved; less may be chosen alone.
func TestMoving_SecondPerson(t *testing.T) {
	t.Parallel()
	const pin, drafts, consent = registryv1.Moving_MOVING_PIN, registryv1.Moving_MOVING_DRAFTS, registryv1.Moving_MOVING_CONSENT
	c := newCatalogue(t, "all")
	choose := func(number int, moving registryv1.Moving) registry.ChooseMoving {
		return registry.ChooseMoving{Bundle: "badge", Number: number, Moving: moving, Reason: "wider"}
	}
	if err := c.give("ann", choose(1, consent)); err != nil || c.state.Bundles["badge"][0].Moving != pin || len(c.state.Proposals) != 1 {
		t.Fatalf("chosen alone: %+v, %v", c.state.Bundles["badge"][0], err)
	}
	if p := c.state.Proposals[0]; p.Moving != consent || p.RolledBackTo != 1 || p.Base != 1 || p.Digest != c.state.Bundles["badge"][0].Digest || p.Reason != "wider" {
		t.Errorf("proposed as %+v", p)
	}
	if err := c.give("ann", choose(1, drafts)); reason(err) != refusal.WrongState {
		t.Errorf("beside a proposal that waits: %v", err)
	}
	if err := c.give("ann", registry.ApproveProposal{Proposal: 1}); reason(err) != refusal.SecondPerson {
		t.Errorf("approved by who had proposed it: %v", err)
	}
	if err := c.give("ben", registry.ApproveProposal{Proposal: 1}); err != nil {
		t.Fatal(err)
	}
	if v := c.state.Bundles["badge"][1]; v.Moving != consent || v.MovingReason != "wider" || v.RolledBackTo != 1 || v.By != "ann" || v.ApprovedBy != "ben" || v.Digest != c.state.Bundles["badge"][0].Digest {
		t.Errorf("approved as %+v", v)
	}
	if err := c.give("ann", choose(2, pin)); err != nil || c.state.Bundles["badge"][1].Moving != pin || len(c.state.Proposals) != 1 {
		t.Errorf("less, alone: %+v, %v", c.state.Bundles["badge"][1], err)
	}
	if err := c.give("ann", choose(2, consent)); err != nil || len(c.state.Proposals) != 2 {
		t.Errorf("what was taken back is not approved any more: %v", err)
	}
}
