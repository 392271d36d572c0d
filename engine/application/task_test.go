package application_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// shopAccepted is a shop that was accepted on the first day, with everything there.
func shopAccepted(more ...act) []act {
	return append([]act{apply("shop"), checked("shop", "audit"), accept("shop")}, more...)
}

func TestDecide_Claim(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "a claim keeps others off for half an hour", given: shopAccepted(), when: claim("shop", "licence"),
			then: []string{"claimed shop.licence until 03-16 09:30"},
			check: func(p *play) {
				if c := p.state.TaskOf("shop", "licence").Claim; c == nil || c.By != "officer.market" {
					p.Errorf("claimed by %v", c)
				}
			}},
		{name: "or for as long as is asked", given: shopAccepted(), when: of("shop", "licence", func(task string) application.Command {
			return application.ClaimTask{Task: task, For: 2 * time.Hour}
		}),
			then: []string{"claimed shop.licence until 03-16 11:00"}},
		{name: "it is given back", given: shopAccepted(claim("shop", "licence")), when: release("shop", "licence"),
			then: []string{"released shop.licence"},
			check: func(p *play) {
				if p.state.TaskOf("shop", "licence").Claim != nil {
					p.Error("it is still claimed")
				}
			}},
		{name: "it ends by itself, before anything else is looked at", given: shopAccepted(claim("shop", "licence")), at: "03-16 09:30", when: byOther("market", "shop", "licence", func(task string) application.Command { return application.ClaimTask{Task: task} }),
			then: []string{
				"released shop.licence",
				"claimed shop.licence until 03-16 10:00",
			}},
		{name: "who has it may claim it longer", given: shopAccepted(claim("shop", "licence")), at: "03-16 09:20", when: claim("shop", "licence"),
			then: []string{"claimed shop.licence until 03-16 09:50"}},
		{name: "a decision ends it", given: shopAccepted(claim("shop", "licence")), when: reject("shop", "licence"),
			then: []string{
				"rejected shop.licence on revision 1",
				"not reached shop.seal",
			},
			check: func(p *play) {
				if p.state.TaskOf("shop", "licence").Claim != nil {
					p.Error("it is still claimed")
				}
			}},
		{name: "somebody else has it", given: shopAccepted(claim("shop", "licence")), at: "03-16 09:29", when: byOther("market", "shop", "licence", func(task string) application.Command { return application.ClaimTask{Task: task} }), but: refusal.Claimed},
		{name: "somebody else has it, and decides", given: shopAccepted(claim("shop", "licence")), when: byOther("market", "shop", "licence", func(task string) application.Command {
			return application.DecideTask{Task: task, Reason: "不"}
		}), but: refusal.Claimed},
		{name: "somebody else has it, and it is not theirs to give back", given: shopAccepted(claim("shop", "licence")), when: byOther("market", "shop", "licence", func(task string) application.Command { return application.ReleaseTask{Task: task} }), but: refusal.Claimed},
		{name: "nobody has it", given: shopAccepted(), when: release("shop", "licence"), but: refusal.WrongState},
		{name: "another department's task is not there", given: shopAccepted(), when: byOther("police", "shop", "licence", func(task string) application.Command { return application.ClaimTask{Task: task} }), but: refusal.NotFound},
		{name: "nor for another department's system", given: shopAccepted(), when: func(p *play) {
			p.do(&applicationv1.Actor{Role: applicationv1.Role_ROLE_DEPARTMENT_SYSTEM, Department: "police"}, application.ClaimTask{Task: p.task("shop", "licence")})
		}, but: refusal.NotFound},
		{name: "a task that nobody knows", given: shopAccepted(), when: as(officer("market"), application.ClaimTask{Task: "1"}), but: refusal.NotFound},
		{name: "a task that is over", given: shopAccepted(reject("shop", "licence")), when: claim("shop", "licence"), but: refusal.WrongState},
		{name: "what was shown has changed", given: shopAccepted(claim("shop", "licence"), release("shop", "licence")), when: of("shop", "licence", func(task string) application.Command {
			return application.ClaimTask{Task: task, Expected: 1}
		}), but: refusal.Stale},
	})
}

func TestDecide_Task(t *testing.T) {
	t.Parallel()
	expecting := func(version int64) act {
		return of("shop", "licence", func(task string) application.Command {
			return application.DecideTask{Task: task, Approve: true, Result: values("number", "A1"), Expected: version}
		})
	}
	run(t, []scene{
		{name: "an approval issues the result, and what comes after it opens", given: shopAccepted(), at: "03-18", when: approve("shop", "licence", "number", "A1", "copies", 2),
			then: []string{
				"approved shop.licence on revision 1",
				"issued shop.licence; licence; until 2031-03-17",
				"opened shop.seal on 03-18 by 03-19",
			},
			check: func(p *play) {
				task := p.state.TaskOf("shop", "licence")
				if task.State != application.TaskApproved || task.DecidedBy.GetId() != "officer.market" || task.Document != "licence" || task.ValidUntil != "2031-03-17" {
					p.Errorf("the task is %+v", task)
				}
				if v := p.world.Results["shop"]["results.licence.number"]; v == nil {
					p.Error("the result cannot be read by later steps")
				}
			}},
		{name: "a rejection says why, and what depends on it is not reached", given: shopAccepted(), when: reject("shop", "licence"),
			then: []string{
				"rejected shop.licence on revision 1",
				"not reached shop.seal",
			},
			check: func(p *play) {
				if p.lastly[0].GetPersonal().GetReason() != "不合格" {
					p.Error("the reason is not kept")
				}
			}},
		{name: "the document that comes with it is kept", given: shopAccepted(), when: of("shop", "licence", func(task string) application.Command {
			return application.DecideTask{Task: task, Approve: true, Result: values("number", "A1"), Document: file(application.ResultFile(task))}
		}),
			then: []string{
				"approved shop.licence on revision 1",
				"issued shop.licence; licence; until 2031-03-15",
				"opened shop.seal on 03-16 by 03-17",
			},
			check: func(p *play) {
				if f := p.lastly[0].GetPersonal().GetFiles(); len(f) != 1 || f[0].GetMaterial() != application.ResultFile(p.task("shop", "licence")) {
					p.Errorf("kept: %v", f)
				}
			}},
		{name: "a department's own system decides like an officer", given: shopAccepted(), when: func(p *play) {
			p.do(&applicationv1.Actor{Role: applicationv1.Role_ROLE_DEPARTMENT_SYSTEM, Department: "bank", Id: "core"}, application.DecideTask{Task: p.task("shop", "account"), Approve: true})
		},
			then: []string{
				"approved shop.account on revision 1",
				"issued shop.account",
			}},
		{name: "what was shown is what is there", given: shopAccepted(), when: expecting(1),
			then: []string{
				"approved shop.licence on revision 1",
				"issued shop.licence; licence; until 2031-03-15",
				"opened shop.seal on 03-16 by 03-17",
			}},

		{name: "a result that is required and missing, and one that nobody asks for", given: shopAccepted(), when: approve("shop", "licence", "moon", 1), but: refusal.RecordInvalid, wrong: []string{"unknown_field results.licence.moon"}},
		{name: "a result that is required and missing", given: shopAccepted(), when: approve("shop", "licence"), but: refusal.RecordInvalid, wrong: []string{"required results.licence.number"}},
		{name: "a result that is required and blank", given: shopAccepted(), when: approve("shop", "licence", "number", nil), but: refusal.RecordInvalid, wrong: []string{"required results.licence.number"}},
		{name: "a result that is no such value", given: shopAccepted(), when: approve("shop", "licence", "number", "12", "copies", "two"), but: refusal.RecordInvalid, wrong: []string{"wrong_kind results.licence.copies", "pattern results.licence.number"}},
		{name: "a result beyond its bound", given: shopAccepted(), when: approve("shop", "licence", "number", "A1", "copies", 4), but: refusal.RecordInvalid, wrong: []string{"too_large results.licence.copies"}},
		{name: "a rejection without a reason", given: shopAccepted(), when: of("shop", "licence", func(task string) application.Command { return application.DecideTask{Task: task} }), but: refusal.Invalid},
		{name: "a task is decided once", given: shopAccepted(approve("shop", "licence", "number", "A1")), when: reject("shop", "licence"), but: refusal.WrongState},
		{name: "a task that was rejected is not approved", given: shopAccepted(reject("shop", "licence")), when: approve("shop", "licence", "number", "A1"), but: refusal.WrongState},
		{name: "a task whose case is over", given: shopAccepted(withdraw("shop")), when: approve("shop", "licence", "number", "A1"), but: refusal.WrongState},
		{name: "a task that waits for a material", given: []act{apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop")}, when: reject("shop", "audit"), but: refusal.WrongState,
			check: func(p *play) {
				if text := asRefusal(p.err).Text.ZH; text != "等待补交材料：plan" {
					p.Error(text)
				}
			}},
		{name: "another department's task", given: shopAccepted(), when: byOther("police", "shop", "licence", func(task string) application.Command {
			return application.DecideTask{Task: task, Reason: "不"}
		}), but: refusal.NotFound},
		{name: "what was shown has changed", given: shopAccepted(claim("shop", "licence")), when: expecting(1), but: refusal.Stale},
		{name: "the answers that were shown have changed", given: shopAccepted(correct(answer("own.shop.remark", "新"))), when: expecting(1), but: refusal.Stale},
	})
}

func TestDecide_Plugin(t *testing.T) {
	t.Parallel()
	badgeAccepted := func(more ...act) []act { return append([]act{apply("badge"), accept("badge")}, more...) }
	failure := func(bundle, step, hook string, attempt int32) act { return failed(bundle, step, hook, attempt, false) }
	hook := func(bundle, step, want string, attempt int32) func(*play) {
		return func(p *play) {
			if got, n := p.state.TaskOf(bundle, step).Hook(); got != want || n != attempt {
				p.Errorf("wanted is %q, attempt %d, not %q, attempt %d", got, n, want, attempt)
			}
		}
	}
	run(t, []scene{
		{name: "a plugin's approval with a result", given: shopAccepted(), when: decided("shop", "audit", application.Approved, 1, "poor", false),
			then: []string{
				"approved shop.audit on revision 1",
				"issued shop.audit; report",
				"skipped shop.repair",
			},
			check: func(p *play) {
				if string(p.lastly[0].GetPersonal().GetTrace()) != "saw" || p.lastly[0].GetTaskDecided().GetPlugin() != "sha" {
					p.Error("what the plugin saw is not kept")
				}
			}},
		{name: "a plugin's rejection with findings", given: shopAccepted(), when: decided("shop", "audit", application.Rejected, 1),
			then: []string{
				"rejected shop.audit on revision 1; because narrow",
				"not reached shop.repair",
			}},
		{name: "what it leaves undetermined is an officer's", given: shopAccepted(), when: decided("shop", "audit", application.Undetermined, 1),
			then: []string{"undetermined shop.audit on revision 1; because narrow"},
			check: func(p *play) {
				hook("shop", "audit", "", 0)(p)
				if task := p.state.TaskOf("shop", "audit"); task.State != application.TaskOpen {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "and decided by that", given: shopAccepted(decided("shop", "audit", application.Undetermined, 1)), when: approve("shop", "audit", "poor", false),
			then: []string{
				"approved shop.audit on revision 1",
				"issued shop.audit; report",
				"skipped shop.repair",
			}},
		{name: "a plugin that could not answer is asked again", given: shopAccepted(), when: failure("shop", "audit", "decide", 1), check: hook("shop", "audit", "decide", 2),
			then: []string{"failed decide attempt 1"}},
		{name: "until it gives up: then the task is an officer's", given: shopAccepted(failure("shop", "audit", "decide", 1)), when: failed("shop", "audit", "decide", 2, true), check: hook("shop", "audit", "", 0),
			then: []string{"failed decide attempt 2; gave up"}},
		{name: "a condition that fails is put before an officer, not before the plugin", given: []act{apply("shop", answer("own.shop.size", 5)), checked("shop", "audit"), accept("shop")}, when: decided("shop", "audit", application.Approved, 1, "poor", false), but: refusal.Stale,
			check: func(p *play) {
				hook("shop", "audit", "", 0)(p)
				if diff := cmp.Diff([]string{"roomy"}, p.state.TaskOf("shop", "audit").Conditions); diff != "" {
					p.Errorf("conditions (-want +got):\n%s", diff)
				}
			}},
		{name: "an approval without its result", given: shopAccepted(), when: decided("shop", "audit", application.Approved, 1), but: refusal.RecordInvalid},
		{name: "an answer of no kind", given: shopAccepted(), when: decided("shop", "audit", "PERHAPS", 1), but: refusal.Invalid},
		{name: "a rejection without a finding", given: shopAccepted(), when: func(p *play) {
			p.do(plugin(), application.RecordDecision{Task: p.task("shop", "audit"), Outcome: application.Rejected, Revision: 1, Attempt: 1})
		}, but: refusal.Invalid},
		{name: "an answer to an old attempt", given: shopAccepted(failure("shop", "audit", "decide", 1)), when: decided("shop", "audit", application.Approved, 1, "poor", false), but: refusal.Stale},
		{name: "an answer to an old revision is dropped", given: shopAccepted(correct(answer("own.shop.size", 50))), when: func(p *play) {
			p.do(plugin(), application.RecordDecision{Task: p.task("shop", "audit"), Outcome: application.Approved, Result: values("poor", false), Revision: 1, Attempt: 1})
		}, but: refusal.Stale},
		{name: "and asked again", given: shopAccepted(correct(answer("own.shop.size", 50))), when: decided("shop", "audit", application.Approved, 1, "poor", false),
			then: []string{
				"approved shop.audit on revision 2",
				"issued shop.audit; report",
				"skipped shop.repair",
			}},
		{name: "an answer after the decision", given: shopAccepted(reject("shop", "audit")), when: decided("shop", "audit", application.Approved, 1, "poor", false), but: refusal.Stale},
		{name: "an answer for a step without a plugin", given: shopAccepted(), when: decided("shop", "licence", application.Approved, 1, "number", "A1"), but: refusal.Stale},
		{name: "a failure of a step without a plugin", given: shopAccepted(), when: failure("shop", "licence", "", 0), but: refusal.Stale},
		{name: "a failure of another hook", given: shopAccepted(), when: failure("shop", "audit", "issue", 1), but: refusal.Stale},
		{name: "a failure of an old attempt", given: shopAccepted(failure("shop", "audit", "decide", 1)), when: failure("shop", "audit", "decide", 1), but: refusal.Stale},

		{name: "where a plugin makes the document, the decision waits for it", given: badgeAccepted(), when: decided("badge", "print", application.Approved, 1),
			then: []string{"approved badge.print on revision 1"},
			check: func(p *play) {
				hook("badge", "print", "issue", 1)(p)
				if task := p.state.TaskOf("badge", "print"); task.State != application.TaskDecided {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "so does an officer's", given: badgeAccepted(), when: approve("badge", "print", "number", "N1"), check: hook("badge", "print", "issue", 1),
			then: []string{"approved badge.print on revision 1"}},
		{name: "the document, with what is known only then", given: badgeAccepted(decided("badge", "print", application.Approved, 1)), at: "03-18", when: issued("badge", "print", 1, "number", "N1"),
			then: []string{
				"issued badge.print; badge; until 04-17",
				"ended badge GRANTED",
			},
			check: func(p *play) {
				if f := p.lastly[0].GetPersonal().GetFiles(); len(f) != 1 || p.state.TaskOf("badge", "print").ValidUntil != "2026-04-17" || p.world.Results["badge"]["results.print.number"] == nil {
					p.Errorf("the task is %+v", p.state.TaskOf("badge", "print"))
				}
			}},
		{name: "a value of the decision is not given again", given: badgeAccepted(decided("badge", "print", application.Approved, 1, "number", "N1")), when: issued("badge", "print", 1),
			then: []string{
				"issued badge.print; badge; until 04-15",
				"ended badge GRANTED",
			}},
		{name: "a document without what is required", given: badgeAccepted(decided("badge", "print", application.Approved, 1)), when: issued("badge", "print", 1), but: refusal.RecordInvalid, wrong: []string{"required results.print.number"}},
		{name: "a document of an old attempt", given: badgeAccepted(decided("badge", "print", application.Approved, 1), failure("badge", "print", "issue", 1)), when: issued("badge", "print", 1, "number", "N1"), but: refusal.Stale},
		{name: "a document before the decision", given: badgeAccepted(), when: issued("badge", "print", 1, "number", "N1"), but: refusal.Stale},
		{name: "a document while a material is missing", given: []act{apply("badge", tolerate("plan")), accept("badge"), decided("badge", "print", application.Approved, 1)}, when: issued("badge", "print", 1, "number", "N1"), but: refusal.Stale},
		{name: "a plugin that cannot make it leaves it to an officer", given: badgeAccepted(decided("badge", "print", application.Approved, 1), failed("badge", "print", "issue", 1, true)), when: approve("badge", "print", "number", "N1"),
			then: []string{
				"issued badge.print; badge; until 04-15",
				"ended badge GRANTED",
			}},
		{name: "who must not undo the decision", given: badgeAccepted(decided("badge", "print", application.Approved, 1), failed("badge", "print", "issue", 1, true)), when: reject("badge", "print"), but: refusal.WrongState},
		{name: "and has to give what is required", given: badgeAccepted(decided("badge", "print", application.Approved, 1), failed("badge", "print", "issue", 1, true)), when: approve("badge", "print"), but: refusal.RecordInvalid},
		{name: "while the plugin is asked, no officer makes it", given: badgeAccepted(decided("badge", "print", application.Approved, 1)), when: approve("badge", "print", "number", "N1"), but: refusal.WrongState},
	})
}

func TestDecide_Procedure(t *testing.T) {
	t.Parallel()
	with := func(change func(*application.PauseTask)) act {
		return of("shop", "licence", func(task string) application.Command {
			c := application.PauseTask{Task: task, Procedure: "HEARING", Days: 5, Reason: "须听证"}
			change(&c)
			return c
		})
	}
	scenes := []scene{
		{name: "a special procedure stops the clock from the next day on, with a written notice", given: shopAccepted(), at: "03-17", when: pause("shop", "licence", "HEARING"),
			then: []string{"paused shop.licence HEARING from 03-18, due ?03-24, statutory ?03-31"},
			check: func(p *play) {
				e := p.lastly[0].GetTaskPaused()
				if n, ok := application.ParseNumber(e.GetNotice()); !ok || n.Kind != application.NumberOfNotice || e.GetDays() != 5 || p.lastly[0].GetPersonal().GetReason() != "须听证" || p.state.TaskOf("shop", "licence").State != application.TaskPaused {
					p.Errorf("the pause is %v", e)
				}
			}},
		{name: "its end moves the dates of the task and of the case by the days that did not count", given: shopAccepted(on("03-17"), pause("shop", "licence", "HEARING")), at: "03-20", when: resume("shop", "licence"),
			then: []string{
				"resumed shop.licence after 03-20, due 03-26, statutory 04-02",
				"dates of shop; due 03-30; statutory 05-26",
			}},
		{name: "on the same day no day is lost", given: shopAccepted(on("03-17"), pause("shop", "licence", "HEARING")), when: resume("shop", "licence"),
			then: []string{"resumed shop.licence after 03-17, due 03-23, statutory 03-30"}},
		{name: "days in which two tasks stood count once for the case", given: shopAccepted(on("03-17"), pause("shop", "licence", "HEARING"), pause("shop", "audit", "TESTING"), on("03-20"), resume("shop", "licence")), when: resume("shop", "audit"),
			then: []string{"resumed shop.audit after 03-20, due 03-24, statutory -"}},
		{name: "another case's pauses move nothing", given: []act{apply("shop badge"), checked("shop", "audit"), accept("shop"), accept("badge"), pause("shop", "licence", "HEARING"), on("03-17"), resume("shop", "licence"), on("03-18"), pause("badge", "print", "TESTING")}, at: "03-19", when: resume("badge", "print"),
			then: []string{
				"resumed badge.print after 03-19, due 03-20, statutory 03-25",
				"dates of badge; due 03-27; statutory 05-22",
			}},
		{name: "a second procedure, with the next notice", given: shopAccepted(on("03-17"), pause("shop", "licence", "HEARING"), on("03-18"), resume("shop", "licence"), on("03-19")), when: pause("shop", "licence", "APPRAISAL"),
			then: []string{"paused shop.licence APPRAISAL from 03-20, due ?03-25, statutory ?04-01"}},
		{name: "the date is settled from all of them", given: shopAccepted(on("03-17"), pause("shop", "licence", "HEARING"), on("03-18"), resume("shop", "licence"), on("03-19"), pause("shop", "licence", "APPRAISAL")), at: "03-23", when: resume("shop", "licence"),
			then: []string{
				"resumed shop.licence after 03-23, due 03-26, statutory 04-02",
				"dates of shop; due 03-30; statutory 05-26",
			}},
		{name: "no special procedure of the law", given: shopAccepted(), when: pause("shop", "licence", "HOLIDAY"), but: refusal.Invalid},
		{name: "without the days that it takes", given: shopAccepted(), when: with(func(c *application.PauseTask) { c.Days = 0 }), but: refusal.Invalid},
		{name: "without a reason", given: shopAccepted(), when: with(func(c *application.PauseTask) { c.Reason = "" }), but: refusal.Invalid},
		{name: "while one is under way", given: shopAccepted(pause("shop", "licence", "HEARING")), when: pause("shop", "licence", "TENDER"), but: refusal.WrongState},
		{name: "a decision while one is under way", given: shopAccepted(pause("shop", "licence", "HEARING")), when: approve("shop", "licence", "number", "A1"), but: refusal.WrongState},
		{name: "a plugin's answer while one is under way", given: shopAccepted(pause("shop", "audit", "TESTING")), when: decided("shop", "audit", application.Approved, 1, "poor", false), but: refusal.Stale},
		{name: "of a task that somebody else has claimed", given: shopAccepted(claim("shop", "licence")), when: byOther("market", "shop", "licence", func(task string) application.Command {
			return application.PauseTask{Task: task, Procedure: "HEARING", Days: 5, Reason: "须听证"}
		}), but: refusal.Claimed},
		{name: "its end, of a task that somebody else has claimed", given: shopAccepted(pause("shop", "licence", "HEARING"), claim("shop", "licence")), when: byOther("market", "shop", "licence", func(task string) application.Command { return application.ResumeTask{Task: task} }), but: refusal.Claimed},
		{name: "of what has changed since", given: shopAccepted(claim("shop", "licence")), when: with(func(c *application.PauseTask) { c.Expected = 1 }), but: refusal.Stale},
		{name: "its end, of what has changed since", given: shopAccepted(pause("shop", "licence", "HEARING")), when: of("shop", "licence", func(task string) application.Command {
			return application.ResumeTask{Task: task, Expected: 1}
		}), but: refusal.Stale},
		{name: "of another department's task", given: shopAccepted(), when: byOther("police", "shop", "licence", func(task string) application.Command { return application.PauseTask{Task: task} }), but: refusal.NotFound},
		{name: "the end of none", given: shopAccepted(), when: resume("shop", "licence"), but: refusal.WrongState},
		{name: "the end of none in a task that nobody knows", given: shopAccepted(), when: as(officer("market"), application.ResumeTask{Task: "1"}), but: refusal.NotFound},
	}
	run(t, scenes)
	for procedure, name := range map[string]string{"HEARING": "听证", "TENDER": "招标", "AUCTION": "拍卖", "INSPECTION": "检验", "TESTING": "检测", "QUARANTINE": "检疫", "APPRAISAL": "鉴定", "EXPERT_REVIEW": "专家评审", "PUBLICITY": "公示"} {
		p := newPlay(t)
		for _, a := range shopAccepted(pause("shop", "licence", procedure), on("03-18"), resume("shop", "licence")) {
			a(p)
		}
		if text := p.state.TaskOf("shop", "licence").Due.GetDerivation(); p.err != nil || !containsText(text, name) {
			t.Errorf("%s: %v; the derivation does not name it: %v", procedure, p.err, text)
		}
	}
}
