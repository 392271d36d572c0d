package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
)

func TestDecide_Promise(t *testing.T) {
	t.Parallel()
	promised := func(more ...act) []act {
		return append([]act{apply("shop", promise("own.shop.lease")), checked("shop", "audit"), accept("shop")}, more...)
	}
	run(t, []scene{
		{name: "the promise is kept as signed, and nothing is verified before acceptance", when: apply("shop", promise("own.shop.lease")),
			then: []string{"submitted, notice by 03-23; shop ELIGIBLE; checks audit"},
			check: func(p *play) {
				s := p.lastly[0].GetPersonal().GetPromises()
				if len(s) != 1 || s[0].GetText() != "属实" || len(p.state.Case("shop").Promises) != 0 {
					p.Errorf("kept: %v", s)
				}
			}},
		{name: "it holds", given: promised(), when: verify("shop", "lease", true),
			then: []string{"verified shop.lease true"},
			check: func(p *play) {
				if x := p.state.Case("shop").Promises[0]; !x.Verified || !x.Holds || p.lastly[0].GetPersonal() != nil {
					p.Errorf("the promise is %+v", x)
				}
			}},
		{name: "it does not, with a reason", given: promised(), when: verify("shop", "lease", false),
			then: []string{"verified shop.lease false"},
			check: func(p *play) {
				if x := p.state.Case("shop").Promises[0]; !x.Verified || x.Holds || p.lastly[0].GetPersonal().GetReason() != "查无此约" {
					p.Errorf("the promise is %+v", x)
				}
			}},
		{name: "the verification outlives the case", given: promised(withdraw("shop")), when: verify("shop", "lease", false),
			then: []string{"verified shop.lease false"}},
		{name: "a promise that a missing fact left open is verified, too", given: []act{given(unknownCredit), apply("shop", promise("own.shop.lease")), checked("shop", "audit"), override("shop")}, when: verify("shop", "lease", true),
			then: []string{"verified shop.lease true"}},
		{name: "each case verifies its own", given: []act{apply("shop fair", promise("own.shop.lease", "own.fair.vow"), answer("own.fair.shown", true)), checked("shop", "audit"), accept("shop")}, when: accept("fair"),
			then: []string{
				"accepted fair BY_CLERK as of 03-16, due 03-26, statutory 04-28",
				"to verify fair.vow police by 03-23",
				"opened fair.permit on 03-16 by 03-26; statutory 04-16",
				"opened fair.noise on 03-16 by 03-18; statutory 03-19",
			}},
		{name: "false without a reason", given: promised(), when: as(officer("police"), application.VerifyPromise{Bundle: "shop", Material: "lease"}), but: refusal.Invalid},
		{name: "twice", given: promised(verify("shop", "lease", true)), when: verify("shop", "lease", false), but: refusal.WrongState},
		{name: "by another department", given: promised(), when: as(officer("market"), application.VerifyPromise{Bundle: "shop", Material: "lease", Holds: true}), but: refusal.NotFound},
		{name: "of a material that was there", given: promised(), when: verify("shop", "card", true), but: refusal.NotFound},
		{name: "of a case that is not there", given: promised(), when: verify("fair", "lease", true), but: refusal.NotFound},
		{name: "before acceptance", given: []act{apply("shop", promise("own.shop.lease"))}, when: verify("shop", "lease", true), but: refusal.NotFound},
	})
}
