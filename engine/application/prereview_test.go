package application_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func recordCheck(c application.RecordCheck) act { return as(plugin(), c) }

func TestDecide_PreReview(t *testing.T) {
	t.Parallel()
	answer1 := application.RecordCheck{Bundle: "shop", Step: "audit", Revision: 1, Attempt: 1, Plugin: "sha"}
	with := func(change func(*application.RecordCheck)) act {
		c := answer1
		change(&c)
		return recordCheck(c)
	}
	run(t, []scene{
		{name: "a check that finds nothing leaves nothing against the case", given: []act{apply("shop")}, when: checked("shop", "audit"),
			then: []string{"checked shop.audit"},
			check: func(p *play) {
				if against := p.state.Case("shop").Against(); len(against) > 0 {
					p.Errorf("against it: %v", against)
				}
				if string(p.lastly[0].GetPersonal().GetTrace()) != "saw" {
					p.Error("what the check saw is not kept")
				}
			}},
		{name: "a check finds, it never refuses", given: []act{apply("shop")}, when: checked("shop", "audit", "narrow", "!steep", "~old"),
			then: []string{"checked shop.audit; found narrow,steep"},
			check: func(p *play) {
				c := p.state.Case("shop")
				if diff := cmp.Diff([]string{"audit.narrow", "audit.steep"}, c.Against()); diff != "" || c.State != application.PreReview {
					p.Errorf("the case is %s, against it (-want +got):\n%s", c.State, diff)
				}
				if diff := cmp.Diff([]application.Found{{Code: "narrow", Severity: "CORRECT", Path: "own.shop.size"}, {Code: "steep", Severity: "OBSTACLE", Path: "own.shop.size"}, {Code: "old", Severity: "NOTE", Path: "own.shop.size"}}, c.Checks[0].Found); diff != "" {
					p.Errorf("found (-want +got):\n%s", diff)
				}
			}},
		{name: "a severity that nobody knows is something to correct", given: []act{apply("shop")},
			when: with(func(c *application.RecordCheck) {
				c.Findings = []*applicationv1.Finding{{Code: "odd", Severity: "PURPLE"}}
			}),
			then: []string{"checked shop.audit; found odd"}},
		{name: "a check that failed is tried again", given: []act{apply("shop")}, when: with(func(c *application.RecordCheck) { c.Failure = "timed_out" }),
			then: []string{"failed check attempt 1"},
			check: func(p *play) {
				if k := p.state.Case("shop").Checks[0]; k.Answered || k.Attempt != 2 {
					p.Errorf("the check is %+v", k)
				}
			}},
		{name: "a check that failed for good is a clerk's matter, neither consent nor refusal", given: []act{apply("shop"), with(func(c *application.RecordCheck) { c.Failure = "timed_out" })},
			when: with(func(c *application.RecordCheck) { c.Failure, c.GaveUp, c.Attempt = "timed_out", true, 2 }),
			then: []string{"checked shop.audit; failed"},
			check: func(p *play) {
				if diff := cmp.Diff([]string{"check.audit"}, p.state.Case("shop").Against()); diff != "" || p.state.Case("shop").Awaited() != nil {
					p.Errorf("against it (-want +got):\n%s", diff)
				}
			}},
		{name: "a check of an old attempt", given: []act{apply("shop"), with(func(c *application.RecordCheck) { c.Failure = "timed_out" })}, when: recordCheck(answer1), but: refusal.Stale},
		{name: "a check of an old revision", given: []act{apply("shop"), correct(answer("own.shop.size", 50))}, when: recordCheck(answer1), but: refusal.Stale},
		{name: "a check that has answered", given: []act{apply("shop"), checked("shop", "audit")}, when: recordCheck(answer1), but: refusal.Stale},
		{name: "a check of a step that has none", given: []act{apply("shop")}, when: with(func(c *application.RecordCheck) { c.Step = "licence" }), but: refusal.Stale},
		{name: "a check of a case that is not there", given: []act{apply("shop")}, when: with(func(c *application.RecordCheck) { c.Bundle = "fair" }), but: refusal.NotFound},
		{name: "a check after pre-review", given: []act{apply("shop"), override("shop")}, when: recordCheck(answer1), but: refusal.WrongState},

		{name: "a clerk accepts: the clocks begin, the first steps open in parallel, the bank's on the licence's promise", given: []act{apply("shop"), checked("shop", "audit")}, when: accept("shop"), at: "03-17",
			then: []string{
				"accepted shop BY_CLERK as of 03-17, due 03-26, statutory 05-22; fee 6000",
				"opened shop.licence on 03-17 by 03-24; statutory 03-31",
				"opened shop.audit on 03-17 by 03-20; plugin fire/audit",
				"opened shop.account on 03-17 by 03-18",
			},
			check: func(p *play) {
				if p.state.State() != application.ApplicationProgress || p.state.Case("shop").AcceptedOn.String() != "2026-03-17" {
					p.Errorf("the application is %s", p.state.State())
				}
			}},
		{name: "a clerk accepts with tolerances and a promise, each with its date",
			given: []act{apply("shop", tolerate("plan", "own.shop.photo", "own.shop.oath"), promise("own.shop.lease")), checked("shop", "audit")}, when: accept("shop"),
			then: []string{
				"accepted shop BY_CLERK as of 03-16, due 03-25, statutory 05-21; plan by 03-18 SUSPEND; photo by 03-25 REMIND; oath by 03-20 END; fee 6000",
				"to verify shop.lease police by 04-14",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30; result waits plan,photo,oath",
				"opened shop.audit on 03-16 by ?03-20; plugin fire/audit; waits plan",
				"opened shop.account on 03-16 by 03-17",
			}},
		{name: "a clerk overrides what stands against the case, with a reason that is on the record", given: []act{apply("shop", answer("own.shop.trained", false)), checked("shop", "audit", "narrow")}, when: override("shop"),
			then: []string{
				"accepted shop BY_CLERK as of 03-16, due 03-25, statutory 05-21; over trained,audit.narrow; fee 6000",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30",
				"opened shop.audit on 03-16 by 03-19; plugin fire/audit",
				"opened shop.account on 03-16 by 03-17",
			},
			check: func(p *play) {
				if p.lastly[0].GetPersonal().GetReason() != "已核实" {
					p.Error("the reason is not kept")
				}
			}},
		{name: "a reason that nothing needs is not kept", given: []act{apply("badge")}, when: override("badge"),
			then: []string{
				"accepted badge BY_CLERK as of 03-16, due 03-26, statutory 05-21",
				"opened badge.print on 03-16 by 03-19; statutory 03-24; plugin police/print",
			},
			check: func(p *play) {
				if p.lastly[0].GetPersonal() != nil {
					p.Error("a reason is kept, though nothing was overridden")
				}
			}},
		{name: "against what stands against it only with a reason: a rule", given: []act{apply("shop", answer("own.shop.trained", false)), checked("shop", "audit")}, when: accept("shop"), but: refusal.Invalid},
		{name: "against what stands against it only with a reason: a finding", given: []act{apply("shop"), checked("shop", "audit", "narrow")}, when: accept("shop"), but: refusal.Invalid},
		{name: "against what stands against it only with a reason: a check that is awaited", given: []act{apply("shop")}, when: accept("shop"), but: refusal.Invalid},
		{name: "against what stands against it only with a reason: a promise that a missing fact leaves open", given: []act{given(unknownCredit), apply("shop", promise("own.shop.lease")), checked("shop", "audit")}, when: accept("shop"), but: refusal.Invalid},
		{name: "a note stands against nothing", given: []act{apply("shop", answer("own.shop.food", false))}, when: accept("shop"),
			then: []string{
				"accepted shop BY_CLERK as of 03-16, due 03-25, statutory 05-21; fee 6000",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30",
				"skipped shop.audit",
				"skipped shop.repair",
				"opened shop.account on 03-16 by 03-17",
			}},
		{name: "a case is accepted once", given: []act{apply("badge"), accept("badge")}, when: accept("badge"), but: refusal.WrongState},
		{name: "a case that waits for the applicant is not accepted", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent"))}, when: override("badge"), but: refusal.WrongState},
		{name: "a case that was refused is not accepted", given: []act{apply("badge"), refuse("badge")}, when: override("badge"), but: refusal.WrongState},
		{name: "a case that is not there is not accepted", given: []act{apply("badge")}, when: accept("shop"), but: refusal.NotFound},
		{name: "what was shown has changed", given: []act{apply("shop"), checked("shop", "audit")}, when: as(clerk(), application.Accept{Bundle: "shop", Expected: 1}), but: refusal.Stale,
			check: func(p *play) {
				if r := asRefusal(p.err); r.CurrentVersion != 2 {
					p.Errorf("the current version is %d", r.CurrentVersion)
				}
			}},
		{name: "what was shown is what is there", given: []act{apply("shop"), checked("shop", "audit"), withdraw("")}, when: as(clerk(), application.Accept{Bundle: "shop", Expected: 3}), but: refusal.WrongState},

		{name: "a case is not accepted, with the rules and findings that are the reasons", given: []act{apply("shop", answer("own.shop.trained", false)), checked("shop", "audit", "!steep", "~old")}, when: refuse("shop"),
			then: []string{"not accepted shop; reasons trained,audit.steep"},
			check: func(p *play) {
				personal := p.lastly[0].GetPersonal()
				if personal.GetReason() != "不符合条件" || len(personal.GetFindings()) != 2 || personal.GetFindings()[1].GetText().GetZh() != "请看!steep" || personal.GetFindings()[1].GetDepartment() != "fire" {
					p.Errorf("reasons: %v", personal)
				}
				if c := p.state.Case("shop"); c.State != application.NotAccepted || p.state.State() != application.ApplicationEnded {
					p.Errorf("the case is %s, the application %s", c.State, p.state.State())
				}
			}},
		{name: "a case is not within competence", given: []act{apply("badge")}, when: as(clerk(), application.Refuse{Bundle: "badge", Elsewhere: true, Reason: "请到邻县"}),
			then: []string{"not accepted badge; elsewhere"},
			check: func(p *play) {
				if c := p.state.Case("badge"); c.State != application.Elsewhere {
					p.Errorf("the case is %s", c.State)
				}
			}},
		{name: "one case is refused, the other goes on", given: []act{apply("badge fair")}, when: refuse("badge"),
			then: []string{"not accepted badge"},
			check: func(p *play) {
				if p.state.State() != application.ApplicationProgress {
					p.Errorf("the application is %s", p.state.State())
				}
			}},
		{name: "a refusal needs a reason", given: []act{apply("badge")}, when: as(clerk(), application.Refuse{Bundle: "badge"}), but: refusal.Invalid},
		{name: "a refusal comes too late after acceptance", given: []act{apply("badge"), accept("badge")}, when: refuse("badge"), but: refusal.WrongState},
		{name: "a refusal of a case that is not there", given: []act{apply("badge")}, when: refuse("shop"), but: refusal.NotFound},
		{name: "a refusal of what has changed since", given: []act{apply("shop"), checked("shop", "audit")}, when: as(clerk(), application.Refuse{Bundle: "shop", Reason: "不", Expected: 1}), but: refusal.Stale},
	})
}

// No notice within five working days: the case is accepted as of receipt, whoever comes then with whatever.
func TestDecide_Silence(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "on the fifth working day nothing has lapsed yet", given: []act{apply("badge")}, at: "03-23 23:59", when: lapse},
		{name: "on the day after it the case is accepted as of receipt, clocks included", given: []act{apply("badge")}, at: "03-24 00:00", when: lapse,
			then: []string{
				"accepted badge BY_SILENCE as of 03-16, due 03-26, statutory 05-21",
				"opened badge.print on 03-16 by 03-19; statutory 03-24; plugin police/print",
			}},
		{name: "tolerances count from the day on which silence became acceptance", given: []act{apply("badge", tolerate("plan"))}, at: "03-24", when: lapse,
			then: []string{
				"accepted badge BY_SILENCE as of 03-16, due 03-26, statutory 05-21; plan by 03-30 END",
				"opened badge.print on 03-16 by 03-19; statutory 03-24; plugin police/print; result waits plan",
			}},
		{name: "no check and no rule counts as passed: they go to the tasks, and to an officer", given: []act{apply("shop", answer("own.shop.trained", false))}, at: "03-24", when: lapse,
			then: []string{
				"accepted shop BY_SILENCE as of 03-16, due 03-25, statutory 05-21; fee 6000",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30; unjudged trained",
				"opened shop.audit on 03-16 by 03-19; plugin fire/audit; unjudged trained,check.audit",
				"opened shop.account on 03-24 by 03-25; unjudged trained",
			},
			check: func(p *play) {
				if hook, _ := p.state.TaskOf("shop", "audit").Hook(); hook != "" {
					p.Errorf("the plugin is asked to %s what nobody has judged", hook)
				}
			}},
		{name: "the findings of a step's own check go to its task", given: []act{apply("shop"), checked("shop", "audit", "narrow", "~old")}, at: "03-24", when: lapse,
			then: []string{
				"accepted shop BY_SILENCE as of 03-16, due 03-25, statutory 05-21; fee 6000",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30",
				"opened shop.audit on 03-16 by 03-19; plugin fire/audit; unjudged audit.narrow",
				"opened shop.account on 03-24 by 03-25",
			}},
		{name: "a clerk who comes too late finds it accepted", given: []act{apply("badge")}, at: "03-24", when: refuse("badge"), but: refusal.WrongState},
		{name: "a notice that comes too late finds it accepted", given: []act{apply("badge")}, at: "03-24", when: notify(item("badge", "own.badge.urgent")), but: refusal.WrongState},
		{name: "a notice is in time on the last day", given: []act{apply("badge")}, at: "03-23 23:59", when: notify(item("badge", "own.badge.urgent")),
			then: []string{"notified badge by 04-07; badge own.badge.urgent asked_by_office"}},
		{name: "what follows is dated as if somebody had come in time: a promise is verified from then", given: []act{apply("shop", promise("own.shop.lease"))}, at: "05-20", when: lapse,
			then: []string{
				"accepted shop BY_SILENCE as of 03-16, due 03-25, statutory 05-21; fee 6000",
				"to verify shop.lease police by 04-22",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30",
				"opened shop.audit on 03-16 by 03-19; plugin fire/audit; unjudged check.audit",
				"opened shop.account on 03-24 by 03-25",
			}},
		{name: "and a step that opens by it", given: []act{apply("fair", answer("own.fair.big", false), answer("own.fair.shown", true), answer("own.fair.loud", false))}, at: "05-20", when: lapse,
			then: []string{
				"accepted fair BY_SILENCE as of 03-16, due 03-26, statutory 04-28",
				"opened fair.permit on 03-16 by 03-26; statutory 04-16",
				"skipped fair.noise",
				"approved fair.permit on revision 1; because silence",
				"issued fair.permit",
				"opened fair.traffic on 04-17 by 03-20",
				"approved fair.traffic on revision 1",
				"issued fair.traffic",
				"ended fair GRANTED",
			}},
		{name: "while the calendar of the year is not published, silence accepts nothing", given: []act{noNewYear, apply("badge")}, at: "05-20", when: lapse},
		{name: "and when it is, silence has accepted", given: []act{noNewYear, apply("badge"), published}, at: "05-20", when: lapse,
			then: []string{
				"dates of badge; notice 03-23",
				"accepted badge BY_SILENCE as of 03-16, due 03-26, statutory 05-21",
				"opened badge.print on 03-16 by 03-19; statutory 03-24; plugin police/print",
			}},
		{name: "only the case that got no notice is accepted", given: []act{apply("badge shop"), checked("shop", "audit"), notify(item("badge", "own.badge.urgent"))}, at: "03-24", when: lapse,
			then: []string{
				"accepted shop BY_SILENCE as of 03-16, due 03-25, statutory 05-21; fee 6000",
				"opened shop.licence on 03-16 by 03-23; statutory 03-30",
				"opened shop.audit on 03-16 by 03-19; plugin fire/audit",
				"opened shop.account on 03-24 by 03-25",
			}},
	})
}
