package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func TestDecide_Tolerance(t *testing.T) {
	t.Parallel()
	// Accepted on the first day; the materials may follow.
	following := func(keys []string, more ...act) []act {
		return append([]act{apply("shop", tolerate(keys...)), checked("shop", "audit"), accept("shop")}, more...)
	}
	plan, photo, oath := []string{"plan"}, []string{"own.shop.photo"}, []string{"own.shop.oath"}
	mapped := []string{"own.shop.map"}
	run(t, []scene{
		{name: "what is needed before examination makes its step wait", given: following(plan), when: lapse,
			check: func(p *play) {
				audit, licence := p.state.TaskOf("shop", "audit"), p.state.TaskOf("shop", "licence")
				if audit.State != application.TaskWaiting || licence.State != application.TaskOpen {
					p.Errorf("the audit is %s, the licence %s", audit.State, licence.State)
				}
			}},
		{name: "the supply lets it go on, with its days from then; the law's limit has run", given: following(plan), at: "03-18", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-18",
				"dates of shop.audit; due 03-23",
			},
			check: func(p *play) {
				if m := p.state.Case("shop").Material("plan"); m.Origin != applicationv1.Origin_ORIGIN_APPLICANT || p.state.TaskOf("shop", "audit").State != application.TaskOpen || len(p.lastly[0].GetPersonal().GetFiles()) != 1 {
					p.Errorf("the plan comes from %s", m.Origin)
				}
			}},
		{name: "on the day of acceptance it costs no day", given: following(plan), when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-16",
				"dates of shop.audit; due 03-19",
			}},
		{name: "what is needed before the result lets examination go on, and the result wait", given: following(plan), when: approve("shop", "licence", "number", "A1"),
			then: []string{"approved shop.licence on revision 1"},
			check: func(p *play) {
				if task := p.state.TaskOf("shop", "licence"); task.State != application.TaskDecided {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "the supply issues it, and what comes after it opens", given: following(plan, approve("shop", "licence", "number", "A1")), at: "03-17", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-17",
				"dates of shop.audit; due 03-20",
				"issued shop.licence; licence; until 2031-03-16",
				"opened shop.seal on 03-17 by 03-18",
			}},
		{name: "one of two that are missing is not enough", given: following([]string{"plan", "own.shop.photo"}, approve("shop", "licence", "number", "A1")), at: "03-17", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-17",
				"dates of shop.audit; due 03-20",
			}},
		{name: "a rejection waits for nothing", given: following(plan), when: reject("shop", "licence"),
			then: []string{
				"rejected shop.licence on revision 1",
				"not reached shop.seal",
			}},
		{name: "a document that two cases wait for is brought once", given: []act{apply("shop badge", tolerate("plan")), checked("shop", "audit"), accept("shop"), accept("badge")}, at: "03-17", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-17",
				"dates of shop.audit; due 03-20",
				"supplied badge.plan on 03-17",
			}},
		{name: "also for a case that is not accepted yet, which then needs no tolerance", given: []act{apply("shop badge", tolerate("plan")), checked("shop", "audit"), accept("shop"), on("03-17"), supply("plan")}, when: accept("badge"),
			then: []string{
				"accepted badge BY_CLERK as of 03-17, due 03-27, statutory 05-22",
				"opened badge.print on 03-17 by 03-20; statutory 03-25; plugin police/print",
			}},
		{name: "even where a missing fact left the tolerance open", given: []act{given(unknownCredit), apply("shop badge", tolerate("plan")), checked("shop", "audit"), override("shop")}, at: "03-17", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-17",
				"dates of shop.audit; due 03-20",
				"supplied badge.plan on 03-17",
			},
			check: func(p *play) {
				if against := p.state.Case("badge").Against(); len(against) > 0 {
					p.Errorf("against the other case: %v", against)
				}
			}},

		{name: "its date passes: remind, and go on", given: following(photo), at: "03-26", when: lapse,
			then: []string{"lapsed shop.photo REMIND"}},
		{name: "it may come after that", given: following(photo, approve("shop", "licence", "number", "A1"), on("03-26"), lapse), at: "04-10", when: supply("own.shop.photo"),
			then: []string{
				"supplied shop.photo on 04-10",
				"issued shop.licence; licence; until 2031-04-09",
				"opened shop.seal on 04-10 by 04-13",
			}},
		{name: "its date passes: the steps that need it are suspended", given: following(plan), at: "03-19", when: lapse,
			then: []string{
				"lapsed shop.plan SUSPEND; until 03-23",
				"dates of shop.licence; due ?03-24; statutory 03-30",
			},
			check: func(p *play) {
				for _, step := range []string{"audit", "licence"} {
					if task := p.state.TaskOf("shop", step); task.State != application.TaskWaiting || len(task.WaitsResult) > 0 {
						p.Errorf("%s is %s", step, task.State)
					}
				}
			}},
		{name: "a decision that waits for it stays one", given: following(plan, approve("shop", "licence", "number", "A1")), at: "03-19", when: lapse,
			then: []string{"lapsed shop.plan SUSPEND; until 03-23"},
			check: func(p *play) {
				if task := p.state.TaskOf("shop", "licence"); task.State != application.TaskDecided || len(task.WaitsResult) != 1 || len(task.WaitsExamination) > 0 {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "not before its date is over", given: following(plan), at: "03-18 23:59", when: lapse},
		{name: "in the suspension the supply lets them go on", given: following(plan, on("03-19"), lapse), at: "03-20", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-20",
				"dates of shop.licence; due 03-25; statutory 03-30",
				"dates of shop.audit; due 03-25",
			}},
		{name: "the end of a special procedure does not end the wait", given: following(plan, pause("shop", "licence", "HEARING"), on("03-19"), lapse), at: "03-20", when: resume("shop", "licence"),
			then: []string{
				"resumed shop.licence after 03-20, due ?03-27, statutory 04-03",
				"dates of shop; due 03-31; statutory 05-27",
			},
			check: func(p *play) {
				if task := p.state.TaskOf("shop", "licence"); task.State != application.TaskWaiting {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "which then ends with the supply, and no day counts twice", given: following(plan, pause("shop", "licence", "HEARING"), on("03-19"), lapse, on("03-20"), resume("shop", "licence")), at: "03-23", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-23",
				"dates of shop.licence; due 03-30; statutory 04-03",
				"dates of shop.audit; due 03-26",
			}},
		{name: "a step that opens before the date does not wait, its result does", given: following(mapped), when: approve("shop", "audit", "poor", true),
			then: []string{
				"approved shop.audit on revision 1",
				"issued shop.audit; report",
				"opened shop.repair on 03-16 by 03-18; result waits map",
			}},
		{name: "a step that opens in the suspension waits from the beginning", given: following(mapped, on("03-20"), lapse), when: approve("shop", "audit", "poor", true),
			then: []string{
				"approved shop.audit on revision 1",
				"issued shop.audit; report",
				"opened shop.repair on 03-20 by ?03-24; waits map",
			}},
		{name: "until the supply", given: following(mapped, on("03-20"), lapse, approve("shop", "audit", "poor", true)), at: "03-23", when: supply("own.shop.map"),
			then: []string{
				"supplied shop.map on 03-23",
				"dates of shop.repair; due 03-25",
			}},
		{name: "a step that opens after the supply does not wait", given: following(plan, approve("shop", "licence", "number", "A1"), on("03-19"), lapse), at: "03-20", when: supply("plan"),
			then: []string{
				"supplied shop.plan on 03-20",
				"dates of shop.audit; due 03-25",
				"issued shop.licence; licence; until 2031-03-19",
				"opened shop.seal on 03-20 by 03-23",
			}},
		{name: "after the suspension the case ends", given: following(plan, on("03-19"), lapse), at: "03-24", when: lapse,
			then: []string{"ended shop ENDED"},
			check: func(p *play) {
				if c := p.state.Case("shop"); c.State != application.Ended || c.Outcome != "ENDED" || p.state.TaskOf("shop", "audit").State != application.TaskEnded {
					p.Errorf("the case is %s, %s", c.State, c.Outcome)
				}
			}},
		{name: "however late it is noticed, dates count from those that passed", given: following(plan), at: "05-20", when: lapse,
			then: []string{
				"lapsed shop.plan SUSPEND; until 03-23",
				"dates of shop.licence; due ?03-24; statutory 03-30",
				"ended shop ENDED",
			}},
		{name: "a supply that comes too late finds it ended", given: following(plan), at: "03-24", when: supply("plan"), but: refusal.WrongState},
		{name: "its date passes: the case ends", given: following(oath), at: "03-21", when: lapse,
			then: []string{
				"lapsed shop.oath END",
				"ended shop ENDED",
			}},
		{name: "what was supplied does not lapse", given: following([]string{"plan", "own.shop.photo", "own.shop.oath"}, supply("plan"), supply("own.shop.photo"), supply("own.shop.oath")), at: "05-20", when: lapse},
		{name: "several lapse in the order of their dates", given: following([]string{"plan", "own.shop.photo"}), at: "03-24", when: lapse,
			then: []string{
				"lapsed shop.plan SUSPEND; until 03-23",
				"dates of shop.licence; due ?03-24; statutory 03-30",
				"ended shop ENDED",
			}},
		{name: "a material that is not asked any more need not follow", given: following(photo), when: correct(answer("own.shop.sign", false)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.sign; shop "},
			check: func(p *play) {
				if c, task := p.state.Case("shop"), p.state.TaskOf("shop", "licence"); len(c.Tolerances) > 0 || len(task.WaitsResult) > 0 {
					p.Errorf("tolerances: %+v, the result waits for %v", c.Tolerances, task.WaitsResult)
				}
			}},
		{name: "but another case that asks for it still waits", given: []act{apply("shop fair", tolerate("plan")), checked("shop", "audit"), accept("shop"), on("03-18")}, when: correct(answer("own.fair.big", false)),
			then: []string{
				"corrected to 2, notice by 03-25; paths own.fair.big; shop ; fair ",
				"dates of fair.noise; due 03-20; statutory 03-19",
			},
			check: func(p *play) {
				if task := p.state.TaskOf("shop", "audit"); task.State != application.TaskWaiting {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "nor is it missed later", given: following(photo, correct(answer("own.shop.sign", false))), at: "05-20", when: lapse},
		{name: "the days count from acceptance, and are not more than the promised time", given: []act{apply("fair", answer("own.fair.shown", true), tolerate("plan")), on("03-17")}, when: accept("fair"),
			then: []string{
				"accepted fair BY_CLERK as of 03-17, due 03-27, statutory 04-29; plan by 03-27 REMIND",
				"opened fair.permit on 03-17 by 03-27; statutory 04-17",
				"opened fair.noise on 03-17 by ?03-20; statutory 03-20; waits plan",
			}},

		{name: "without a file", given: following(plan), when: as(applicant(), application.Supply{Material: "plan"}), but: refusal.Invalid},
		{name: "twice", given: following(plan, supply("plan")), when: supply("plan"), but: refusal.WrongState},
		{name: "what nobody waits for", given: following(plan), when: supply("own.shop.lease"), but: refusal.WrongState},
		{name: "before acceptance", given: []act{apply("shop", tolerate("plan"))}, when: supply("plan"), but: refusal.WrongState},
		{name: "after the case is over", given: following(plan, withdraw("shop")), when: supply("plan"), but: refusal.WrongState},
	})
}
