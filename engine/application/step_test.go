package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func TestDecide_Steps(t *testing.T) {
	t.Parallel()
	withoutFood := func(more ...act) []act {
		return append([]act{apply("shop", answer("own.shop.food", false)), accept("shop")}, more...)
	}
	run(t, []scene{
		{name: "a step that does not apply is skipped when all before it are settled, and counts as approved", given: []act{apply("shop", answer("own.shop.food", false))}, when: accept("shop"),
			then: []string{
				"accepted shop BY_CLERK as of 03-16, due 03-25, statutory 05-21; fee 6000",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30",
				"skipped shop.audit",
				"skipped shop.repair",
				"opened shop.account on 03-16 by 03-17",
			}},
		{name: "a step waits for its result: it is not routed if that says no", given: shopAccepted(), when: approve("shop", "audit", "poor", false),
			then: []string{
				"approved shop.audit on revision 1",
				"issued shop.audit; report",
				"skipped shop.repair",
			}},
		{name: "and is if it says yes", given: shopAccepted(), when: approve("shop", "audit", "poor", true),
			then: []string{
				"approved shop.audit on revision 1",
				"issued shop.audit; report",
				"opened shop.repair on 03-16 by 03-18",
			}},
		{name: "a step that would not apply is not skipped before all before it are settled", given: shopAccepted(correct(answer("own.shop.sign", false))), when: approve("shop", "audit", "poor", false),
			then: []string{
				"approved shop.audit on revision 2",
				"issued shop.audit; report",
				"skipped shop.repair",
			}},
		{name: "but then", given: shopAccepted(correct(answer("own.shop.sign", false))), when: approve("shop", "licence", "number", "A1"),
			then: []string{
				"approved shop.licence on revision 2",
				"issued shop.licence; licence; until 2031-03-15",
				"skipped shop.seal",
			}},
		{name: "a later step's clock starts when it opens", given: withoutFood(), at: "03-19", when: approve("shop", "licence", "number", "A1"),
			then: []string{
				"approved shop.licence on revision 1",
				"issued shop.licence; licence; until 2031-03-18",
				"opened shop.seal on 03-19 by 03-20",
			}},
		{name: "what follows however the others ended, opens after a rejection, too", given: withoutFood(), when: reject("shop", "licence"),
			then: []string{
				"rejected shop.licence on revision 1",
				"not reached shop.seal",
				"opened shop.file on 03-16 by 03-17",
			}},
		{name: "a rejection ends what depends on it, and the case goes on with the rest", given: shopAccepted(), when: reject("shop", "audit"),
			then: []string{
				"rejected shop.audit on revision 1",
				"not reached shop.repair",
			}},
		{name: "what was opened on a promise goes on though the promise is not kept", given: withoutFood(reject("shop", "licence")), when: approve("shop", "account"),
			then: []string{
				"approved shop.account on revision 1",
				"issued shop.account",
			}},
		{name: "the last step opens when all before it are settled", given: withoutFood(approve("shop", "account"), approve("shop", "licence", "number", "A1")), when: approve("shop", "seal"),
			then: []string{
				"approved shop.seal on revision 1",
				"issued shop.seal",
				"opened shop.file on 03-16 by 03-17",
			}},
		{name: "a bank has no statutory clock, and what stands against a condition is put before the officer", given: []act{apply("shop", answer("own.shop.size", 5)), checked("shop", "audit")}, when: accept("shop"),
			then: []string{
				"accepted shop BY_CLERK as of 03-16, due 03-25, statutory 05-21; fee 6000",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30",
				"opened shop.audit on 03-16 by 03-19; plugin fire/audit; open roomy",
				"opened shop.account on 03-16 by 03-17",
			}},
		{name: "a step is approved without an officer where the bundle says so; its clock starts with acceptance", given: []act{apply("fair", answer("own.fair.big", false), answer("own.fair.loud", false)), on("03-18")}, when: approve("fair", "permit"),
			then: []string{
				"approved fair.permit on revision 1",
				"issued fair.permit",
				"opened fair.traffic on 03-18 by 03-20",
				"approved fair.traffic on revision 1",
				"issued fair.traffic",
				"ended fair GRANTED",
			}},
		{name: "and not where it does not", given: []act{apply("fair", answer("own.fair.loud", false)), on("03-18")}, when: approve("fair", "permit"),
			then: []string{
				"approved fair.permit on revision 1",
				"issued fair.permit",
				"opened fair.traffic on 03-18 by 03-20",
			}},
		{name: "its result waits for a material", given: []act{apply("fair", answer("own.fair.loud", false), tolerate("plan")), on("03-18"), approve("fair", "permit")}, when: approve("fair", "traffic"),
			then: []string{"approved fair.traffic on revision 1"}},
		{name: "on the promise of the one before it a step opens at once", given: []act{apply("relay")}, when: accept("relay"),
			then: []string{
				"accepted relay BY_CLERK as of 03-16, due 03-19, statutory 05-21",
				"opened relay.first on 03-16 by 03-17",
				"opened relay.second on 03-16 by 03-17",
				"opened relay.third on 03-16 by 03-17",
				"approved relay.third on revision 1",
				"issued relay.third",
			}},
		{name: "one that does not apply, or of which that is not known, waits until it is settled", given: []act{given(unknownCredit), apply("relay", answer("own.relay.fast", false))}, when: accept("relay"),
			then: []string{
				"accepted relay BY_CLERK as of 03-16, due 03-19, statutory 05-21",
				"opened relay.first on 03-16 by 03-17",
			}},
		{name: "and then is skipped, or an officer's", given: []act{given(unknownCredit), apply("relay", answer("own.relay.fast", false)), accept("relay")}, when: approve("relay", "first"),
			then: []string{
				"approved relay.first on revision 1",
				"issued relay.first",
				"skipped relay.second",
				"opened relay.third on 03-16 by 03-17; open applies",
				"opened relay.log on 03-16 by 03-17",
				"opened relay.grade on 03-16 by 03-17; statutory 03-19",
			}},
		{name: "what is put before an officer is not approved without one", given: []act{given(unknownCredit), apply("relay"), accept("relay")}, when: approve("relay", "first"),
			then: []string{
				"approved relay.first on revision 1",
				"issued relay.first",
				"opened relay.third on 03-16 by 03-17; open applies",
				"opened relay.log on 03-16 by 03-17",
				"opened relay.grade on 03-16 by 03-17; statutory 03-19",
			}},
		{name: "what a step that is not reached would have given, says no", given: []act{apply("relay"), accept("relay")}, when: reject("relay", "first"),
			then: []string{
				"rejected relay.first on revision 1",
				"opened relay.log on 03-16 by 03-17",
				"not reached relay.grade",
				"skipped relay.praise",
			}},
		{name: "a gated step that a missing parameter leaves open goes to its officer", given: []act{on("2025-12-29")}, when: apply("fair", answer("own.fair.big", false)),
			then: []string{
				"submitted, notice by 01-06; fair ELIGIBLE",
				"accepted fair BY_ENGINE as of 2025-12-29, due 01-08, statutory 02-10",
				"opened fair.permit on 2025-12-29 by 01-08; statutory 01-29",
				"opened fair.noise on 2025-12-29 by 2025-12-31; statutory 01-04; open applies",
			}},
	})
}

// What an essential step's rejection ends.
func TestDecide_Essential(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "an essential step's rejection ends the case at once, with what is under way", given: []act{apply("fair")}, when: reject("fair", "permit"),
			then: []string{
				"rejected fair.permit on revision 1",
				"ended fair REJECTED",
			},
			check: func(p *play) {
				c, noise := p.state.Case("fair"), p.state.TaskOf("fair", "noise")
				if c.State != application.Completed || c.Outcome != "REJECTED" || noise.State != application.TaskEnded || p.state.State() != application.ApplicationCompleted {
					p.Errorf("the case is %s, %s, the other task %s", c.State, c.Outcome, noise.State)
				}
			}},
		{name: "another's rejection does not", given: []act{apply("fair")}, when: reject("fair", "noise"),
			then: []string{"rejected fair.noise on revision 1"}},
		{name: "the other case goes on", given: []act{apply("fair badge"), accept("badge"), reject("fair", "permit")}, when: decided("badge", "print", application.Approved, 1),
			then: []string{"approved badge.print on revision 1"}},
	})
}

// What the law makes of a statutory limit that passes without a decision.
func TestDecide_StepSilence(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "the step is approved on the day after its statutory limit, and what follows is dated from then", given: []act{apply("fair", answer("own.fair.loud", false))}, at: "05-20", when: lapse,
			then: []string{
				"approved fair.permit on revision 1; because silence",
				"issued fair.permit",
				"opened fair.traffic on 04-17 by 03-20",
			}},
		{name: "not on its last day", given: []act{apply("fair", answer("own.fair.loud", false))}, at: "04-16 23:59", when: lapse},
		{name: "a decision that comes too late finds it approved", given: []act{apply("fair")}, at: "04-17", when: reject("fair", "permit"), but: refusal.WrongState},
		{name: "a result that has to be given is the department's to add", given: []act{apply("fair")}, at: "03-20", when: lapse,
			then: []string{"approved fair.noise on revision 1; because silence"},
			check: func(p *play) {
				if task := p.state.TaskOf("fair", "noise"); task.State != application.TaskDecided || task.Outcome != application.Approved || task.DecidedBy.GetRole() != applicationv1.Role_ROLE_ENGINE {
					p.Errorf("the task is %s, %s", task.State, task.Outcome)
				}
			}},
		{name: "which it cannot refuse", given: []act{apply("fair"), on("03-20"), lapse}, when: reject("fair", "noise"), but: refusal.WrongState},
		{name: "nor leave out", given: []act{apply("fair"), on("03-20"), lapse}, when: approve("fair", "noise"), but: refusal.RecordInvalid},
		{name: "but adds", given: []act{apply("fair"), on("03-20"), lapse}, when: approve("fair", "noise", "level", 3),
			then: []string{"issued fair.noise"}},
		{name: "while a special procedure is under way, the limit does not pass", given: []act{apply("fair"), pause("fair", "noise", "TESTING")}, at: "03-27", when: lapse},
		{name: "where the step waited for the applicant's material on that date, silence approves nothing", given: []act{apply("fair", tolerate("plan"))}, at: "03-20", when: lapse},
		{name: "not when the material comes either", given: []act{apply("fair", tolerate("plan")), on("03-20"), supply("plan")}, at: "03-23", when: lapse},
		{name: "but if it came before", given: []act{apply("fair", tolerate("plan")), on("03-18"), supply("plan")}, at: "03-20", when: lapse,
			then: []string{"approved fair.noise on revision 1; because silence"}},
		{name: "a step whose law says nothing of silence stays open", given: shopAccepted(), at: "04-20", when: lapse},
	})
}
