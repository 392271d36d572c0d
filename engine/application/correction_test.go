package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func TestDecide_Notice(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "the one notice has the whole list, over all cases and departments", given: []act{apply("shop badge"), checked("shop", "audit", "narrow", "!steep", "~old")},
			when: notify(item("badge", "own.badge.urgent"), item("shop", "materials.plan")),
			then: []string{"notified shop,badge by 03-30; shop own.shop.size narrow fire; badge own.badge.urgent asked_by_office; shop materials.plan asked_by_office"},
			check: func(p *play) {
				f := p.lastly[0].GetPersonal().GetFindings()
				if len(f) != 3 || f[0].GetText().GetZh() != "请看narrow" || f[1].GetText().GetZh() != "请补正" {
					p.Errorf("texts: %v", f)
				}
				if p.state.State() != application.ApplicationCorrect || p.state.Case("shop").State != application.ToBeCorrected {
					p.Errorf("the application is %s", p.state.State())
				}
				if n, ok := application.ParseNumber(p.lastly[0].GetCorrectionNotified().GetNumber()); !ok || n.Kind != application.NumberOfNotice || n.Ordinal != 1 {
					p.Errorf("the notice has the number %+v", n)
				}
			}},
		{name: "findings alone are a list", given: []act{apply("shop"), checked("shop", "audit", "narrow")}, when: notify(),
			then: []string{"notified shop by 03-30; shop own.shop.size narrow fire"}},
		{name: "a case of which nothing is asked stays in pre-review", given: []act{apply("shop badge"), checked("shop", "audit")}, when: notify(item("shop", "own.shop.size")),
			then: []string{"notified shop by 03-30; shop own.shop.size asked_by_office"},
			check: func(p *play) {
				if c := p.state.Case("badge"); c.State != application.PreReview {
					p.Errorf("the case is %s", c.State)
				}
			}},
		{name: "the office sets the days of a correction", given: []act{apply("badge"), correctionDays(3)}, when: notify(item("badge", "form.owner.id_no")),
			then: []string{"notified badge by 03-19; badge form.owner.id_no asked_by_office"}},
		{name: "on the last day it goes out, whatever is awaited", given: []act{apply("shop")}, at: "03-23", when: notify(item("shop", "own.shop.size")),
			then: []string{"notified shop by 04-07; shop own.shop.size asked_by_office"}},

		{name: "it waits for the checks until the last day", given: []act{apply("shop")}, at: "03-22", when: notify(item("shop", "own.shop.size")), but: refusal.WrongState},
		{name: "it waits for the checks while the last day is not known, until it may have come", given: []act{noNewYear, apply("shop")}, at: "03-20", when: notify(item("shop", "own.shop.size")), but: refusal.WrongState},
		{name: "and not longer", given: []act{noNewYear, apply("shop")}, at: "03-21", when: notify(item("shop", "own.shop.size")),
			then: []string{"notified shop by ?03-31; shop own.shop.size asked_by_office"}},
		{name: "there is one notice only", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent")), correct(answer("own.badge.urgent", true))}, when: notify(item("badge", "own.badge.urgent")), but: refusal.WrongState},
		{name: "an empty list", given: []act{apply("badge")}, when: notify(), but: refusal.Invalid},
		{name: "obstacles and notes are nothing to correct", given: []act{apply("shop"), checked("shop", "audit", "!steep", "~old")}, when: notify(), but: refusal.Invalid},
		{name: "what is not asked, said, or in pre-review cannot be corrected, all at once", given: []act{apply("badge fair"), correctionDays(3)},
			when: notify(item("badge", "own.badge.moon"), item("badge", "materials.moon"), application.Item{Bundle: "badge", Path: "own.badge.urgent"}, item("fair", "own.fair.big"), item("shop", "own.shop.size"), item("badge", "materials.card")), but: refusal.Invalid,
			wrong: []string{"unknown_item own.badge.moon", "unknown_item materials.moon", "unknown_item own.badge.urgent", "unknown_item own.fair.big", "unknown_item own.shop.size"}},
		{name: "what is computed cannot be corrected", given: []act{apply("shop"), checked("shop", "audit")}, when: notify(item("shop", "own.shop.large")), but: refusal.Invalid, wrong: []string{"unknown_item own.shop.large"}},
		{name: "no case is in pre-review", given: []act{apply("fair")}, when: notify(item("fair", "own.fair.big")), but: refusal.WrongState},
		{name: "what was shown has changed", given: []act{apply("shop"), checked("shop", "audit")}, when: as(clerk(), application.NotifyCorrection{Items: []application.Item{item("shop", "own.shop.size")}, Expected: 1}), but: refusal.Stale},

		{name: "a notice that is not answered expires", given: []act{apply("badge shop"), checked("shop", "audit"), notify(item("badge", "own.badge.urgent")), accept("shop")}, at: "03-31", when: lapse,
			then: []string{"ended badge EXPIRED"},
			check: func(p *play) {
				if c := p.state.Case("badge"); c.State != application.Ended || c.Outcome != "EXPIRED" {
					p.Errorf("the case is %s, %s", c.State, c.Outcome)
				}
			}},
		{name: "not before its last day is over", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent"))}, at: "03-30 23:59", when: lapse},
		{name: "an answer that comes after it is refused", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent"))}, at: "03-31", when: correct(answer("own.badge.urgent", true)), but: refusal.WrongState},
	})
}

func TestDecide_Correct(t *testing.T) {
	t.Parallel()
	accepted := []act{apply("shop", promise("own.shop.lease")), checked("shop", "audit"), accept("shop")}
	after := func(more ...act) []act { return append(append([]act{}, accepted...), more...) }
	run(t, []scene{
		{name: "a correction makes a revision, and the cases are looked at anew with a new notice period", given: []act{apply("shop"), checked("shop", "audit", "narrow"), notify(), on("03-25")}, when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 2, notice by 04-01; paths own.shop.size; shop ELIGIBLE; checks audit"},
			check: func(p *play) {
				c := p.state.Case("shop")
				if c.State != application.PreReview || c.Revision != 2 || p.state.Revision != 2 || c.CorrectionDue != nil || c.Checks[0].Attempt != 2 || c.Checks[0].Answered {
					p.Errorf("the case is %+v", c)
				}
			}},
		{name: "it is possible before anybody asked", given: []act{apply("badge")}, when: correct(answer("own.badge.urgent", true)),
			then: []string{"corrected to 2, notice by 03-23; paths own.badge.urgent; badge ELIGIBLE"}},
		{name: "a check that is still awaited keeps its attempt", given: []act{apply("shop")}, when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.size; shop ELIGIBLE; checks audit"},
			check: func(p *play) {
				if k := p.state.Case("shop").Checks[0]; k.Attempt != 1 {
					p.Errorf("the check is %+v", k)
				}
			}},
		{name: "it changes what applies", given: []act{apply("shop")}, when: correct(answer("own.shop.food", false)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.food,own.shop.size; shop ELIGIBLE"}},
		{name: "it makes a case eligible", given: []act{apply("shop", answer("own.shop.trained", false))}, when: correct(answer("own.shop.trained", true)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.trained; shop ELIGIBLE; checks audit"}},
		{name: "the engine accepts what nothing stands against any more", given: []act{apply("fair", answer("own.fair.shown", true))}, when: correct(answer("own.fair.shown", false)),
			then: []string{
				"corrected to 2, notice by 03-23; paths own.fair.shown; fair ELIGIBLE",
				"accepted fair BY_ENGINE as of 03-16, due 03-26, statutory 04-28",
				"opened fair.permit on 03-16 by 03-26; statutory 04-16",
				"opened fair.noise on 03-16 by 03-18; statutory 03-19",
			}},
		{name: "it may bring a document alone", given: []act{apply("shop")}, when: correct(bring("plan")),
			then: []string{"corrected to 2, notice by 03-23; materials plan; shop ELIGIBLE; checks audit"}},
		{name: "what was brought before need not be brought again, what is new must", given: []act{apply("fair badge", answer("own.fair.big", false), answer("own.fair.shown", true), without("own.fair.vow", "plan"), tolerate("plan"))},
			when: correct(answer("own.fair.big", true)), but: refusal.MaterialMissing, wrong: []string{"missing materials.own.fair.vow"}},
		{name: "what shall follow may now be there", given: []act{apply("badge", tolerate("plan"))}, when: correct(bring("plan")),
			then: []string{"corrected to 2, notice by 03-23; materials plan; badge ELIGIBLE"},
			check: func(p *play) {
				if m := p.state.Case("badge").Material("plan"); m.Origin != applicationv1.Origin_ORIGIN_APPLICANT {
					p.Errorf("the plan comes from %s", m.Origin)
				}
			}},
		{name: "what was there may follow, with a signed promise", given: []act{apply("badge")}, when: correct(tolerate("plan")),
			then: []string{"corrected to 2, notice by 03-23; materials plan; badge ELIGIBLE"}},
		{name: "a case that was refused keeps its revision", given: []act{apply("shop badge"), refuse("shop")}, when: correct(answer("form.owner.id_no", "321323199001010030")),
			then: []string{"corrected to 2, notice by 03-23; paths form.owner.id_no; badge ELIGIBLE"},
			check: func(p *play) {
				if p.state.Case("shop").Revision != 1 || p.state.Case("badge").Revision != 2 {
					p.Errorf("revisions %d and %d", p.state.Case("shop").Revision, p.state.Case("badge").Revision)
				}
			}},
		{name: "nothing is changed", given: []act{apply("badge")}, when: correct(answer("own.badge.urgent", false)), but: refusal.Invalid},
		{name: "a promise to supply alone changes nothing", given: []act{apply("badge")}, when: correct(func(p *papers) { p.Promises = []*applicationv1.SignedPromise{{Text: "按期补交"}} }), but: refusal.Invalid},
		{name: "a fault of the record", given: []act{apply("shop")}, when: correct(answer("own.shop.size", 5000)), but: refusal.RecordInvalid},
		{name: "all cases are over", given: []act{apply("badge"), withdraw("")}, when: correct(answer("own.badge.urgent", true)), but: refusal.WrongState},
		{name: "what was shown has changed", given: []act{apply("badge"), correct(answer("own.badge.urgent", true))}, when: correctAt(1, answer("own.badge.urgent", false)), but: refusal.Stale},

		{name: "after acceptance a correction leaves the case accepted, and outdates what officers were shown", given: after(), when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.size; shop "},
			check: func(p *play) {
				if c, task := p.state.Case("shop"), p.state.TaskOf("shop", "audit"); c.State != application.Accepted || c.Revision != 2 || task.Version != 2 {
					p.Errorf("the case is %s on revision %d, the task has version %d", c.State, c.Revision, task.Version)
				}
			}},
		{name: "an answer that a decided step has used is refused, naming the department", given: after(approve("shop", "licence", "number", "A1")), when: correct(answer("own.shop.remark", "新")), but: refusal.FieldUsed, wrong: []string{"field_used own.shop.remark"},
			check: func(p *play) {
				if text := asRefusal(p.err).Text.ZH; text != "市场局已据此作出决定，不能修改" {
					p.Error(text)
				}
			}},
		{name: "so is one that a rejection has used", given: after(reject("shop", "licence")), when: correct(answer("own.shop.remark", "新")), but: refusal.FieldUsed},
		{name: "a document that a decided step has used is not replaced, naming the department", given: after(approve("shop", "licence", "number", "A1")), when: correct(bring("plan", "own.shop.oath")), but: refusal.FieldUsed,
			wrong: []string{"material_used materials.plan", "material_used materials.own.shop.oath"},
			check: func(p *play) {
				if text := asRefusal(p.err).Text.ZH; text != "市场局已据此作出决定，不能修改" {
					p.Error(text)
				}
			}},
		{name: "nor by a promise", given: []act{apply("shop"), checked("shop", "audit"), accept("shop"), approve("shop", "licence", "number", "A1")}, when: correct(promise("own.shop.lease")), but: refusal.FieldUsed, wrong: []string{"material_used materials.own.shop.lease"}},
		{name: "one that only an open step needs may be", given: after(decided("shop", "audit", application.Approved, 1, "poor", true)), when: correct(bring("own.shop.photo")),
			then: []string{"corrected to 2, notice by 03-23; materials own.shop.photo; shop "}},
		{name: "one that a decided step still waits for is brought", given: []act{apply("badge", tolerate("plan")), accept("badge"), decided("badge", "print", application.Approved, 1, "number", "7")}, when: correct(bring("plan")),
			then: []string{"corrected to 2, notice by 03-23; materials plan; badge ", "supplied badge.plan on 03-16"}},
		{name: "and not replaced once it is there", given: []act{apply("badge", tolerate("plan")), accept("badge"), decided("badge", "print", application.Approved, 1, "number", "7"), supply("plan")}, when: correct(bring("plan")), but: refusal.FieldUsed, wrong: []string{"material_used materials.plan"}},
		{name: "a document in place of a promise that a decided step has relied on", given: after(approve("shop", "licence", "number", "A1")), when: correct(bring("own.shop.lease")),
			then: []string{"corrected to 2, notice by 03-23; materials own.shop.lease; shop "}},
		{name: "another answer may change", given: after(approve("shop", "licence", "number", "A1")), when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.size; shop "}},
		{name: "what a plugin leaves undetermined is not decided", given: after(decided("shop", "audit", application.Undetermined, 1)), when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.size; shop "}},
		{name: "answers under which the case would not have been accepted", given: after(), when: correct(answer("own.shop.trained", false)), but: refusal.NotEligible, wrong: []string{"rule trained"}},
		{name: "a rule that failed before is no new reason", given: []act{apply("shop", answer("own.shop.trained", false)), checked("shop", "audit"), override("shop")}, when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.size; shop "}},
		{name: "answers under which a step would not apply that is under way", given: after(), when: correct(answer("own.shop.food", false)), but: refusal.WrongState, wrong: []string{"step audit"}},
		{name: "answers under which a step would apply that was left out", given: []act{apply("shop", answer("own.shop.food", false)), accept("shop")}, when: correct(answer("own.shop.food", true), answer("own.shop.size", 50)), but: refusal.WrongState, wrong: []string{"step audit"}},
		{name: "a step that is not reached holds nothing up", given: after(reject("shop", "licence")), when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.size; shop "}},
		{name: "a step that has waited for what is not asked any more goes on, with its days from then", given: []act{apply("fair", tolerate("plan")), on("03-18")}, when: correct(answer("own.fair.big", false)),
			then: []string{
				"corrected to 2, notice by 03-25; paths own.fair.big; fair ",
				"dates of fair.noise; due 03-20; statutory 03-19",
			}},
		{name: "answers about a step whose turn has not come", given: after(), when: correct(answer("own.shop.sign", false)),
			then: []string{"corrected to 2, notice by 03-23; paths own.shop.sign; shop "}},
		{name: "a material that is asked now has to be there", given: []act{apply("shop", answer("own.shop.rented", false), without("own.shop.lease")), checked("shop", "audit"), accept("shop")}, when: correct(answer("own.shop.rented", true)), but: refusal.MaterialMissing},
		{name: "and is on the record", given: []act{apply("shop", answer("own.shop.rented", false), without("own.shop.lease")), checked("shop", "audit"), accept("shop"), correct(answer("own.shop.rented", true), bring("own.shop.lease"))}, when: correct(answer("own.shop.size", 50)),
			then: []string{"corrected to 3, notice by 03-23; paths own.shop.size; shop "},
			check: func(p *play) {
				if m := p.state.Case("shop").Material("lease"); m == nil || m.Origin != applicationv1.Origin_ORIGIN_APPLICANT {
					p.Errorf("the lease is %+v", m)
				}
			}},
		{name: "a promise in place of it is to be verified", given: []act{apply("shop", answer("own.shop.rented", false), without("own.shop.lease")), checked("shop", "audit"), accept("shop"), on("03-18")}, when: correct(answer("own.shop.rented", true), promise("own.shop.lease")),
			then: []string{
				"corrected to 2, notice by 03-25; paths own.shop.rented; materials own.shop.lease; shop ",
				"to verify shop.lease police by 04-16",
			}},
		{name: "after acceptance nothing more may follow", given: after(), when: correct(tolerate("plan")), but: refusal.ToleranceRefused, wrong: []string{"not_open materials.plan"}},
		{name: "a material that follows is brought with a correction", given: []act{apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop"), on("03-17")}, when: correct(bring("plan")),
			then: []string{
				"corrected to 2, notice by 03-24; materials plan; shop ",
				"supplied shop.plan on 03-17",
				"dates of shop.audit; due 03-20",
			}},
	})
}

func TestDecide_AskCorrection(t *testing.T) {
	t.Parallel()
	accepted := []act{apply("shop"), checked("shop", "audit"), accept("shop"), on("03-17")}
	after := func(more ...act) []act { return append(append([]act{}, accepted...), more...) }
	run(t, []scene{
		{name: "a department asks for what could not have been known, and its clock stands", given: after(), when: ask("shop", "licence", "own.shop.remark", "materials.plan"),
			then: []string{"asked shop.licence by 03-31, due ?03-24, statutory ?03-31; own.shop.remark; materials.plan"},
			check: func(p *play) {
				task := p.state.TaskOf("shop", "licence")
				if task.State != application.TaskWaiting || p.lastly[0].GetPersonal().GetReason() != "受理前不能知道" || p.lastly[0].GetPersonal().GetFindings()[0].GetDepartment() != "market" {
					p.Errorf("the task is %s", task.State)
				}
				if hook, _ := p.state.TaskOf("shop", "audit").Hook(); hook != "decide" {
					p.Error("the other department does not go on")
				}
			}},
		{name: "the correction lets it go on; the days between do not count, for the case neither", given: after(ask("shop", "licence", "own.shop.remark")), at: "03-19", when: correct(answer("own.shop.remark", "新")),
			then: []string{
				"corrected to 2, notice by 03-26; paths own.shop.remark; shop ",
				"resumed shop.licence after 03-19, due 03-25, statutory 04-01",
				"dates of shop; due 03-27; statutory 05-25",
			}},
		{name: "a correction on the same day costs no day", given: after(ask("shop", "licence", "own.shop.remark")), when: correct(answer("own.shop.remark", "新")),
			then: []string{
				"corrected to 2, notice by 03-24; paths own.shop.remark; shop ",
				"resumed shop.licence after 03-17, due 03-23, statutory 03-30",
			}},
		{name: "a correction that is not made ends nothing: the department decides on what there is", given: after(ask("shop", "licence", "own.shop.remark")), at: "04-20", when: lapse,
			then: []string{
				"resumed shop.licence after 03-31, due 04-07, statutory 04-14",
				"dates of shop; due 04-09; statutory 06-04",
			},
			check: func(p *play) {
				if task := p.state.TaskOf("shop", "licence"); task.State != application.TaskOpen || task.CorrectionDue != nil {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "not before its last day is over", given: after(ask("shop", "licence", "own.shop.remark")), at: "03-31 23:59", when: lapse},
		{name: "each notice has its number", given: after(ask("shop", "licence", "own.shop.remark")), when: ask("shop", "account", "form.owner.id_no"),
			then: []string{"asked shop.account by 03-31, due 03-17, statutory -; form.owner.id_no"},
			check: func(p *play) {
				if n, ok := application.ParseNumber(p.lastly[0].GetCorrectionAsked().GetNotice()); !ok || n.Ordinal != 2 || n.Kind != application.NumberOfNotice {
					p.Errorf("the number is %+v", n)
				}
			}},
		{name: "what the step does not need", given: after(), when: ask("shop", "licence", "own.shop.size", "materials.map", "own.shop.food"), but: refusal.Invalid, wrong: []string{"unknown_item own.shop.size", "unknown_item materials.map", "unknown_item own.shop.food"}},
		{name: "what is computed", given: after(), when: ask("shop", "audit", "own.shop.large"), but: refusal.Invalid, wrong: []string{"unknown_item own.shop.large"}},
		{name: "without a list", given: after(), when: ask("shop", "licence"), but: refusal.Invalid},
		{name: "without a reason", given: after(), when: of("shop", "licence", func(task string) application.Command {
			return application.AskCorrection{Task: task, Items: []application.Item{item("", "own.shop.remark")}}
		}), but: refusal.Invalid},
		{name: "while one is under way", given: after(ask("shop", "licence", "own.shop.remark")), when: ask("shop", "licence", "own.shop.remark"), but: refusal.WrongState},
		{name: "after the decision", given: after(approve("shop", "licence", "number", "A1")), when: ask("shop", "licence", "own.shop.remark"), but: refusal.WrongState},
		{name: "of a task that somebody else has claimed", given: after(claim("shop", "licence")), when: byOther("market", "shop", "licence", func(task string) application.Command {
			return application.AskCorrection{Task: task, Reason: "不", Items: []application.Item{item("", "own.shop.remark")}}
		}), but: refusal.Claimed},
		{name: "of what has changed since", given: after(claim("shop", "licence")), when: of("shop", "licence", func(task string) application.Command {
			return application.AskCorrection{Task: task, Reason: "不", Expected: 1, Items: []application.Item{item("", "own.shop.remark")}}
		}), but: refusal.Stale},
		{name: "of another department's task", given: after(), when: byOther("police", "shop", "licence", func(task string) application.Command { return application.AskCorrection{Task: task} }), but: refusal.NotFound},
	})
}
