package application_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func TestDecide_Submit(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "a case goes into pre-review, and its plugin is asked for a check",
			when: apply("shop"),
			then: []string{"submitted, notice by 03-23; shop ELIGIBLE; checks audit"},
			check: func(p *play) {
				c := p.state.Case("shop")
				if p.state.State() != application.ApplicationPreReview || c.State != application.PreReview || p.state.Revision != 1 || c.Revision != 1 {
					p.Errorf("the application is %s, the case %s, on revisions %d and %d", p.state.State(), c.State, p.state.Revision, c.Revision)
				}
				if diff := cmp.Diff([]string{"licence", "audit", "repair", "seal", "account", "file"}, c.Steps); diff != "" {
					p.Errorf("steps (-want +got):\n%s", diff)
				}
				if p.lastly[0].GetPersonal().GetPersons()["owner"] != "k1" || p.lastly[0].GetPersonal().GetFacts() == nil {
					p.Error("whose application it is, and what was known of them, is not kept")
				}
			}},
		{name: "a step that does not apply needs no check, and what only it needs is not asked",
			when: apply("shop", answer("own.shop.food", false), unanswered("own.shop.size")),
			then: []string{"submitted, notice by 03-23; shop ELIGIBLE"},
			check: func(p *play) {
				if _, asked := p.world.Record.Get("own.shop.size"); asked {
					p.Error("the size was asked, which only the audit needs")
				}
			}},
		{name: "a plugin without a check is not asked for one", given: []act{given(noPlugins)}, when: apply("shop"),
			then: []string{"submitted, notice by 03-23; shop ELIGIBLE"}},
		{name: "an answer that is not asked is dropped, one that may be left out is left blank",
			when: apply("shop", answer("own.shop.food", false)),
			then: []string{"submitted, notice by 03-23; shop ELIGIBLE"},
			check: func(p *play) {
				if _, asked := p.world.Record.Get("own.shop.size"); asked {
					p.Error("the size is on the record, though nothing asks for it")
				}
				if v, answered := p.world.Record.Get("own.shop.remark"); v != nil || !answered {
					p.Error("the remark is not blank")
				}
			}},
		{name: "a case that is not eligible is received nevertheless, for a clerk to answer",
			when: apply("shop", answer("own.shop.trained", false)),
			then: []string{"submitted, notice by 03-23; shop NOT_ELIGIBLE; failing trained; checks audit"},
			check: func(p *play) {
				f := p.lastly[0].GetPersonal().GetFindings()
				if len(f) != 1 || f[0].GetRule() != "trained" || f[0].GetText().GetZh() != "已培训" || f[0].GetRemedy().GetZh() != "先培训" || f[0].GetBasis() != "某法 第一条" || f[0].GetSeverity() != "OBSTACLE" || f[0].GetCode() != "rule_failed" {
					p.Errorf("findings: %v", f)
				}
			}},
		{name: "what a missing fact leaves open is a clerk's matter, never a refusal", given: []act{given(unknownCredit)},
			when: apply("shop", promise("own.shop.lease")),
			then: []string{"submitted, notice by 03-23; shop ELIGIBLE; undecided materials.lease; checks audit"}},
		{name: "the engine accepts a case without findings where the bundle lets it, at once", when: apply("fair"),
			then: []string{
				"submitted, notice by 03-23; fair ELIGIBLE",
				"accepted fair BY_ENGINE as of 03-16, due 03-26, statutory 04-28",
				"opened fair.permit on 03-16 by 03-26; statutory 04-16",
				"opened fair.noise on 03-16 by 03-18; statutory 03-19",
			}},
		{name: "the engine does not accept what a person has to look at", when: apply("fair", answer("own.fair.shown", true)),
			then: []string{"submitted, notice by 03-23; fair ELIGIBLE"}},
		{name: "a clerk's bundle is not accepted by the engine, beside one that is", when: apply("badge fair"),
			then: []string{
				"submitted, notice by 03-23; badge ELIGIBLE; fair ELIGIBLE",
				"accepted fair BY_ENGINE as of 03-16, due 03-26, statutory 04-28",
				"opened fair.permit on 03-16 by 03-26; statutory 04-16",
				"opened fair.noise on 03-16 by 03-18; statutory 03-19",
			}},
		{name: "every case has its number, and the person who acts is in the sealed part", given: []act{person("k1")}, when: apply("shop badge"),
			then: []string{"submitted, notice by 03-23; shop ELIGIBLE; checks audit; badge ELIGIBLE"},
			check: func(p *play) {
				for i, c := range p.state.Cases {
					if n, ok := application.ParseNumber(c.Number); !ok || n.Case != i+1 || n.Application != p.state.Number {
						p.Errorf("the number of case %d is %s", i+1, c.Number)
					}
				}
				if p.lastly[0].GetPersonal().GetActor() != "k1" {
					p.Error("who has acted is not kept")
				}
			}},
		{name: "in a year without a published calendar the notice date is not known, at the earliest, and everything goes on",
			given: []act{noNewYear}, when: apply("fair"),
			then: []string{
				"submitted, notice by ?03-21; fair ELIGIBLE",
				"accepted fair BY_ENGINE as of 03-16, due ?03-26, statutory ?04-15",
				"opened fair.permit on 03-16 by ?03-26; statutory ?04-16",
				"opened fair.noise on 03-16 by ?03-18; statutory ?03-19",
			}},

		{name: "an application is submitted once", given: []act{apply("badge")}, when: apply("badge"), but: refusal.WrongState},
		{name: "faults of the record and missing materials are told at once",
			when: apply("shop", unanswered("own.shop.sign"), unanswered("form.owner.id_no"), without("card.owner", "plan")),
			but:  refusal.RecordInvalid, wrong: []string{"required form.owner.id_no", "required own.shop.sign", "missing materials.card.owner", "missing materials.plan"}},
		{name: "a value beyond its bound", when: apply("shop", answer("own.shop.size", 2000)), but: refusal.RecordInvalid, wrong: []string{"too_large own.shop.size"}},
		{name: "a primary material is missing", when: apply("shop", without("card.owner")), but: refusal.MaterialMissing, wrong: []string{"missing materials.card.owner"}},
		{name: "a secondary material is missing, too", when: apply("shop", without("plan")), but: refusal.MaterialMissing, wrong: []string{"missing materials.plan"}},
		{name: "a document that two cases ask for is missing once", when: apply("shop badge", without("card.owner")), but: refusal.MaterialMissing, wrong: []string{"missing materials.card.owner"}},
		{name: "a primary material cannot follow", when: apply("shop", tolerate("card.owner")), but: refusal.ToleranceRefused, wrong: []string{"not_open materials.card.owner"}},
		{name: "nothing may follow while a primary material is missing", when: apply("shop", tolerate("plan"), without("card.owner")), but: refusal.MaterialMissing},
		{name: "a promise stands only in for what the bundle says", when: apply("shop", promise("card.owner")), but: refusal.PromiseRefused, wrong: []string{"not_open materials.card.owner"}},
		{name: "a material follows only with a signed promise", when: apply("shop", tolerate("plan"), unsigned), but: refusal.Invalid, wrong: []string{"promise_unsigned materials.plan"}},
		{name: "neither a promise nor a tolerance for persons on the credit list: the promise", given: []act{given(badCredit)}, when: apply("shop", promise("own.shop.lease")), but: refusal.PromiseRefused},
		{name: "neither a promise nor a tolerance for persons on the credit list: the tolerance", given: []act{given(badCredit)}, when: apply("shop", tolerate("plan")), but: refusal.ToleranceRefused},
		{name: "a material that no bundle has", when: apply("shop", bring("moon")), but: refusal.Invalid, wrong: []string{"unknown_material materials.moon"}},
	})
}

func TestDecide_NotSubmitted(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.choose("shop")
	for _, c := range commands("shop", "licence", "1") {
		if _, first := c.(application.Submit); first {
			continue
		}
		if p.do(clerk(), c); !refusedFor(p.err, refusal.NotFound) {
			t.Errorf("%T before submission: %v", c, p.err)
		}
	}
}

// What the world lacks is an error of the program, not a refusal.
func TestDecide_World(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		world func(*play)
	}{
		{"no selection", func(p *play) { p.world.Selection = nil }},
		{"no calendar", func(p *play) { p.world.Calendar = nil }},
		{"another bundle", func(p *play) { p.choose("fair") }},
		{"the same bundle as published later", func(p *play) {
			later := *p.world.Selection.Bundles[0]
			later.Digest = "later"
			p.world.Selection.Bundles[0] = &later
		}},
	} {
		p := newPlay(t)
		apply("shop")(p)
		test.world(p)
		if p.do(clerk(), application.Accept{Bundle: "shop", OverrideReason: "已核实"}); p.err == nil || refusedFor(p.err, "") {
			t.Errorf("%s: %v", test.name, p.err)
		}
	}
	for _, test := range []struct{ name, number string }{{"no number", ""}, {"a number of another day", "321323202603170000075"}, {"a case's number", ""}} {
		p := newPlay(t)
		p.choose("badge")
		p.world.Number = test.number
		if test.name == "a case's number" {
			other := newPlay(t)
			apply("badge")(other)
			p.world.Number = other.state.Cases[0].Number
		}
		documents := application.Documents{Files: []*applicationv1.MaterialFile{file("card.owner"), file("plan")}}
		if p.do(applicant(), application.Submit{Record: p.record(own()), Documents: documents}); p.err == nil || refusedFor(p.err, "") {
			t.Errorf("%s: %v", test.name, p.err)
		}
	}
	p := newPlay(t)
	apply("badge")(p)
	if p.do(nil, application.Lapse{}); p.err == nil {
		t.Error("nobody gives a command")
	}
}

// Where a material comes from: what the applicant brings first, then what asks nothing of them.
func TestDecide_Origins(t *testing.T) {
	t.Parallel()
	origin := func(p *play, id string) applicationv1.Origin { return p.state.Case("shop").Material(id).Origin }
	p := newPlay(t)
	apply("shop", tolerate("plan"), promise("own.shop.lease"))(p)
	for id, want := range map[string]applicationv1.Origin{"card": applicationv1.Origin_ORIGIN_APPLICANT, "deed": applicationv1.Origin_ORIGIN_SHARED_DATA,
		"plan": applicationv1.Origin_ORIGIN_TOLERATED, "lease": applicationv1.Origin_ORIGIN_PROMISE, "map": applicationv1.Origin_ORIGIN_UNSPECIFIED} {
		if got := origin(p, id); got != want {
			t.Errorf("%s comes from %s, want %s", id, got, want)
		}
	}
	p = newPlay(t)
	apply("shop", bring("own.shop.deed"), answer("own.shop.rented", false), without("own.shop.lease"))(p)
	if got := origin(p, "deed"); got != applicationv1.Origin_ORIGIN_APPLICANT {
		t.Errorf("the deed that was brought comes from %s", got)
	}
	if p.state.Case("shop").Material("lease") != nil {
		t.Error("a lease is asked of somebody who has not rented")
	}
}
