package application_test

import (
	"slices"
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
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
			then: []string{"verified shop.lease false; before shop.licence"},
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

// A promise that was found false reaches everyone who relied on it.
func TestDecide_FalsePromise(t *testing.T) {
	t.Parallel()
	titled := func(more ...act) []act {
		return append([]act{apply("pledge", promise("own.pledge.title"), without("own.pledge.proof")), accept("pledge")}, more...)
	}
	all := titled(approve("pledge", "grant", "number", "G1"), approve("pledge", "enter", "page", 3), approve("pledge", "look"), approve("pledge", "keep"))
	// proven is promised and approved; the draw is that of a secret under which it is verified, or is not.
	proven := func(secret string, more ...act) []act {
		return append([]act{given(func(w *application.World) { w.Draw = []byte(secret) }), apply("pledge", promise("own.pledge.proof"), without("own.pledge.title")), accept("pledge"), approve("pledge", "look"), approve("pledge", "grant", "number", "G1"),
			approve("pledge", "enter"), approve("pledge", "keep")}, more...)
	}
	followUp := func(i int, approve bool, reason string) act {
		return func(p *play) {
			p.Helper()
			t := p.state.FollowUps[i]
			p.do(officer(t.Department), application.DecideTask{Task: t.Number, Approve: approve, Reason: reason})
		}
	}
	revoked := func(attempt int32) act {
		return func(p *play) {
			p.do(plugin(), application.RecordRevocation{Task: p.state.FollowUps[1].Number, Attempt: attempt, Plugin: "sha", Trace: application.Trace{Content: []byte("saw")}})
		}
	}
	fails := func(attempt int32, gaveUp bool) act {
		return func(p *play) {
			p.do(plugin(), application.RecordFailure{Task: p.state.FollowUps[1].Number, Hook: "revoke", Attempt: attempt, Kind: "trapped", Plugin: "sha", GaveUp: gaveUp})
		}
	}
	false1 := slices.Concat(all, []act{verify("pledge", "title", false)})
	run(t, []scene{
		{name: "what was approved on it, and through a result of that, is to be revoked, also where the case is over", given: all, when: verify("pledge", "title", false),
			then: []string{
				"verified pledge.title false",
				"opened pledge.grant on 03-16 by 04-14; to REVOKE pledge.grant for title",
				"opened pledge.enter on 03-16 by 04-14; plugin police/book; to REVOKE pledge.enter for title",
				"opened pledge.keep on 03-16 by 04-14; to REVOKE pledge.keep for title",
			},
			check: func(p *play) {
				if s := p.state.Case("pledge").State; s != application.Completed || len(p.state.FollowUps) != 3 {
					p.Errorf("the case is %s with %d follow-ups", s, len(p.state.FollowUps))
				}
			}},
		{name: "what is not decided is put before its officer, and no plugin decides it", given: titled(approve("pledge", "grant", "number", "G1")), when: verify("pledge", "title", false),
			then: []string{
				"verified pledge.title false; before pledge.enter",
				"opened pledge.grant on 03-16 by 04-14; to REVOKE pledge.grant for title",
			},
			check: func(p *play) {
				if task := p.state.TaskOf("pledge", "enter"); !containsText(task.Conditions, "promise.title") {
					p.Errorf("its conditions are %v", task.Conditions)
				}
			}},
		{name: "and of a step that opens later", given: titled(verify("pledge", "title", false)), when: approve("pledge", "look"),
			then: []string{"approved pledge.look on revision 1", "issued pledge.look", "opened pledge.keep on 03-16 by 03-19; open promise.title"}},
		{name: "a rejected step has nothing to revoke", given: titled(reject("pledge", "grant")), when: verify("pledge", "title", false),
			then: []string{"verified pledge.title false"}},
		{name: "revoked", given: false1, when: followUp(0, true, "承诺不实"),
			then: []string{"approved pledge.grant on revision 1", "revoked pledge.grant"},
			check: func(p *play) {
				if task := p.state.TaskOf("pledge", "grant"); task.State != application.TaskRevoked || p.state.FollowUps[0].State != application.TaskApproved {
					p.Errorf("the task is %s, the follow-up %s", task.State, p.state.FollowUps[0].State)
				}
			}},
		{name: "in a case that is under way, what depends on it is not reached", given: titled(approve("pledge", "look"), approve("pledge", "keep"), approve("pledge", "grant", "number", "G1"), verify("pledge", "title", false), reject("pledge", "enter")), when: followUp(0, true, "承诺不实"),
			then: []string{"approved pledge.grant on revision 1", "revoked pledge.grant"}},
		{name: "kept, with a reason", given: false1, when: followUp(0, false, "另有依据"), then: []string{"rejected pledge.grant on revision 1"},
			check: func(p *play) {
				if task := p.state.TaskOf("pledge", "grant"); task.State != application.TaskApproved {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "not without a reason", given: false1, when: followUp(0, true, ""), but: refusal.Invalid},
		{name: "once", given: slices.Concat(false1, []act{followUp(0, true, "承诺不实")}), when: followUp(0, true, "承诺不实"), but: refusal.WrongState},
		{name: "by its own department only", given: false1, but: refusal.NotFound, when: func(p *play) {
			p.do(officer("police"), application.DecideTask{Task: p.state.FollowUps[0].Number, Approve: true, Reason: "承诺不实"})
		}},
		{name: "a follow-up is not paused", given: false1, but: refusal.WrongState, when: func(p *play) {
			p.do(officer("market"), application.PauseTask{Task: p.state.FollowUps[0].Number, Procedure: "HEARING", Days: 3, Reason: "听证"})
		}},
		{name: "where the department has a plugin for it, that takes the result back", given: slices.Concat(false1, []act{followUp(1, true, "承诺不实")}), when: revoked(1),
			then: []string{"revoked pledge.enter"}, check: func(p *play) {
				if task := p.state.TaskOf("pledge", "enter"); task.State != application.TaskRevoked || len(p.lastly[0].GetPersonal().GetTrace()) == 0 {
					p.Errorf("the task is %s", task.State)
				}
			}},
		{name: "after the officer has decided", given: false1, when: revoked(1), but: refusal.Stale},
		{name: "and in its attempt", given: slices.Concat(false1, []act{followUp(1, true, "承诺不实"), fails(1, false)}), when: revoked(1), but: refusal.Stale},
		{name: "an officer does not do it beside it", given: slices.Concat(false1, []act{followUp(1, true, "承诺不实")}), when: followUp(1, true, "承诺不实"), but: refusal.WrongState},
		{name: "but where it has given up", given: slices.Concat(false1, []act{followUp(1, true, "承诺不实"), fails(1, true)}), when: followUp(1, true, "人工撤销"),
			then: []string{"revoked pledge.enter"}},
		{name: "a follow-up that nobody does is red", given: false1, at: "04-15", when: lapse,
			warns: []string{"YELLOW pledge.grant PROMISED by 04-14", "YELLOW pledge.enter PROMISED by 04-14", "YELLOW pledge.keep PROMISED by 04-14",
				"RED pledge.grant PROMISED by 04-14", "RED pledge.enter PROMISED by 04-14", "RED pledge.keep PROMISED by 04-14"}},

		{name: "a share is verified, by a draw that is on the record", given: proven("b")[:2], when: accept("pledge"),
			then: []string{
				"accepted pledge BY_CLERK as of 03-16, due 03-24, statutory 05-21",
				"to verify pledge.proof police by -",
				"opened pledge.grant on 03-16 by 03-19", "opened pledge.look on 03-16 by 03-19",
			},
			check: func(p *play) {
				v := p.lastly[1].GetVerificationOpened()
				if v.GetSample() != 30 || v.GetDrawn() < 30 || v.GetIfFalse() != "CORRECT" || v.GetDue() != nil {
					p.Errorf("drawn: %v", v)
				}
			}},
		{name: "with another secret it is verified", given: proven("c")[:2], when: accept("pledge"),
			then: []string{
				"accepted pledge BY_CLERK as of 03-16, due 03-24, statutory 05-21",
				"to verify pledge.proof police by 04-14",
				"opened pledge.grant on 03-16 by 03-19", "opened pledge.look on 03-16 by 03-19",
			}},
		{name: "one that the draw left out is not near, and not late", given: proven("b"), at: "07-01", when: lapse, warns: []string{}},
		{name: "but can be looked at, as after a complaint; the applicant is told to correct", given: proven("b"), when: verify("pledge", "proof", false),
			then: []string{"verified pledge.proof false", "opened pledge.look on 03-16 by 04-14; to CORRECT pledge.look for proof; correction 03-30"},
			check: func(p *play) {
				if f := p.state.FollowUps[0]; f.State != application.TaskWaiting {
					p.Errorf("the follow-up is %s", f.State)
				}
			}},
		{name: "who supplies corrects", given: proven("b", verify("pledge", "proof", false)), when: supply("own.pledge.proof"),
			then: []string{"supplied pledge.proof on 03-16"}, check: func(p *play) {
				if f, m := p.state.FollowUps[0], p.state.Case("pledge").Material("proof"); f.State != application.TaskOpen || m.Origin != applicationv1.Origin_ORIGIN_APPLICANT {
					p.Errorf("the follow-up is %s, the material from %s", f.State, m.Origin)
				}
			}},
		{name: "the department takes it", given: proven("b", verify("pledge", "proof", false), supply("own.pledge.proof")), when: followUp(0, true, "材料属实"),
			then: []string{"approved pledge.look on revision 1"}, check: func(p *play) {
				if f := p.state.FollowUps[0]; f.State != application.TaskApproved || p.state.TaskOf("pledge", "look").State != application.TaskApproved {
					p.Errorf("the follow-up is %s", f.State)
				}
			}},
		{name: "or does not, and revokes", given: proven("b", verify("pledge", "proof", false), supply("own.pledge.proof")), when: followUp(0, false, "仍不属实"),
			then: []string{"rejected pledge.look on revision 1", "opened pledge.look on 03-16 by 04-14; to REVOKE pledge.look for proof"}},
		{name: "not before the applicant's days are over", given: proven("b", verify("pledge", "proof", false)), when: followUp(0, false, "未补正"), but: refusal.WrongState},
		{name: "who does not correct in time", given: proven("b", verify("pledge", "proof", false), on("03-31")), when: followUp(0, false, "逾期未补正"),
			then: []string{"resumed pledge.look after 03-30, due 04-14, statutory -", "rejected pledge.look on revision 1", "opened pledge.look on 03-31 by 04-29; to REVOKE pledge.look for proof"}},
		{name: "what was promised is supplied only where it is to be corrected", given: false1, when: supply("own.pledge.title"), but: refusal.WrongState},

		{name: "repaired", given: slices.Concat(false1, []act{followUp(0, true, "承诺不实")}), when: as(officer("police"), application.RepairPromise{Bundle: "pledge", Material: "title", Reason: "已履行"}),
			then: []string{"repaired pledge.title"}},
		{name: "not by another department", given: false1, when: as(officer("market"), application.RepairPromise{Bundle: "pledge", Material: "title", Reason: "已履行"}), but: refusal.NotFound},
		{name: "not without a reason", given: false1, when: as(officer("police"), application.RepairPromise{Bundle: "pledge", Material: "title"}), but: refusal.Invalid},
		{name: "not one that holds", given: slices.Concat(all, []act{verify("pledge", "title", true)}), when: as(officer("police"), application.RepairPromise{Bundle: "pledge", Material: "title", Reason: "已履行"}), but: refusal.WrongState},
	})
}
