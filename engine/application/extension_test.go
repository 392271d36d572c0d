package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
)

func TestDecide_Extension(t *testing.T) {
	t.Parallel()
	badge := []act{apply("badge"), accept("badge")}
	byTask := func(a application.Approval, who string) act {
		return func(p *play) {
			actor := officer("police")
			actor.Id = who
			p.do(actor, application.ExtendTask{Task: p.task("badge", "print"), Approval: a})
		}
	}
	run(t, []scene{
		{name: "a task's dates move by the days that its head has approved", given: badge, at: "03-18", when: extend("badge", "print", 10),
			then: []string{"extended badge.print by 10, due 04-02, statutory 04-08, approved by head"},
			check: func(p *play) {
				e := p.lastly[0]
				if e.GetPersonal().GetReason() != "案情复杂" || e.GetExtended().GetNotice() == "" {
					p.Errorf("the reason or the number of the notice is missing: %v", e)
				}
				due := p.state.TaskOf("badge", "print").Due
				if due.GetLimit() != 3 || due.GetExtension() != 10 || !containsText(due.GetDerivation(), "延长") {
					p.Errorf("the derivation does not say that it was extended: %v", due)
				}
			}},
		{name: "also on the last day", given: badge, at: "03-19 23:59", when: extend("badge", "print", 1),
			then: []string{"extended badge.print by 1, due 03-20, statutory 03-25, approved by head"}},
		{name: "not after it", given: badge, at: "03-20", when: extend("badge", "print", 1), but: refusal.WrongState},
		{name: "once only", given: append(badge, extend("badge", "print", 1)), when: extend("badge", "print", 1), but: refusal.WrongState},
		{name: "by ten working days at most", given: badge, when: extend("badge", "print", 11), but: refusal.Invalid},
		{name: "by one at least", given: badge, when: extend("badge", "print", 0), but: refusal.Invalid},
		{name: "not without an approver", given: badge, when: byTask(application.Approval{Days: 1, Reason: "复杂"}, "o"), but: refusal.Invalid},
		{name: "not without a reason", given: badge, when: byTask(application.Approval{Days: 1, Approver: "head"}, "o"), but: refusal.Invalid},
		{name: "not by one's own approval", given: badge, when: byTask(byHead(1), "head"), but: refusal.Invalid},
		{name: "not while a special procedure stops the clock", given: append(badge, pause("badge", "print", "HEARING")), when: extend("badge", "print", 1), but: refusal.WrongState},
		{name: "another department's task is not there", given: badge, but: refusal.NotFound, when: func(p *play) {
			p.do(officer("market"), application.ExtendTask{Task: p.task("badge", "print"), Approval: byHead(1)})
		}},
		{name: "a pause afterwards keeps what was added", given: append(badge, extend("badge", "print", 2), pause("badge", "print", "HEARING")), at: "03-18", when: resume("badge", "print"),
			then: []string{"resumed badge.print after 03-18, due 03-25, statutory 03-30", "dates of badge; due 03-30; statutory 05-25"}},
		{name: "and so does a calendar that is corrected", given: append(badge, extend("badge", "print", 2), offWork("03-17", "03-17")), when: settleDates,
			then: []string{"dates of badge; due 03-27; statutory 05-22", "dates of badge.print; due 03-24; statutory 03-27"}},
		{name: "not a limit in days or months: that law is another one", given: []act{apply("fair")}, when: extend("fair", "permit", 5), but: refusal.Invalid},
		{name: "the promised date does not pass the law's, where only that counts otherwise", given: []act{apply("relay"), accept("relay"), approve("relay", "first")}, when: extend("relay", "grade", 3), but: refusal.Invalid},
		{name: "but may come up to it", given: []act{apply("relay"), accept("relay"), approve("relay", "first")}, when: extend("relay", "grade", 2),
			then: []string{"extended relay.grade by 2, due 03-19, statutory -, approved by head"}},
		{name: "a case, with the government head's approval", given: badge, when: extendCase("badge", 15),
			then: []string{"extended badge by 15, due 04-17, statutory 06-11, approved by head"}},
		{name: "of a case by fifteen at most", given: badge, when: extendCase("badge", 16), but: refusal.Invalid},
		{name: "of a case once only", given: append(badge, extendCase("badge", 1)), when: extendCase("badge", 1), but: refusal.WrongState},
		{name: "not of one that is not accepted", given: []act{apply("badge")}, when: extendCase("badge", 1), but: refusal.WrongState},
		{name: "nor of none", given: badge, when: extendCase("shop", 1), but: refusal.NotFound},
	})
}

func TestDecide_ExtendTolerance(t *testing.T) {
	t.Parallel()
	given := func(more ...act) []act {
		return append([]act{apply("shop", tolerate("plan", "own.shop.oath")), checked("shop", "audit"), accept("shop")}, more...)
	}
	run(t, []scene{
		{name: "a material may follow later", given: given(), when: extendTolerance("shop", "oath", 4),
			then: []string{"extended shop.oath by 4, due 03-26, statutory -, approved by head"}},
		{name: "and nothing lapses on the old date", given: given(extendTolerance("shop", "oath", 4), supply("plan")), at: "03-26", when: lapse},
		{name: "but on the new one", given: given(extendTolerance("shop", "oath", 4), supply("plan")), at: "03-27", when: lapse,
			then: []string{"lapsed shop.oath END", "ended shop ENDED"}},
		{name: "at most by as many days as the bundle gave", given: given(), when: extendTolerance("shop", "oath", 5), but: refusal.Invalid},
		{name: "once only", given: given(extendTolerance("shop", "oath", 1)), when: extendTolerance("shop", "oath", 1), but: refusal.WrongState},
		{name: "not after the date", given: given(), at: "03-19", when: extendTolerance("shop", "plan", 1), but: refusal.WrongState},
		{name: "not what was supplied", given: given(supply("plan")), when: extendTolerance("shop", "plan", 1), but: refusal.NotFound},
		{name: "nor what was not tolerated", given: given(), when: extendTolerance("shop", "lease", 1), but: refusal.NotFound},
		{name: "nor without a reason", given: given(), when: as(clerk(), application.ExtendTolerance{Bundle: "shop", Material: "oath", Approval: application.Approval{Days: 1, Approver: "head"}}), but: refusal.Invalid},
	})
}
