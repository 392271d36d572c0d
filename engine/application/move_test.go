package application_test

import (
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
)

// edit is what a new version says otherwise.
type edit struct{ old, new string }

// version is the last version of a bundle in a play, with edits.
func (p *play) version(bundle string, edits ...edit) *catalog.Bundle {
	p.Helper()
	if p.texts == nil {
		p.texts = map[string]string{}
	}
	text := p.texts[bundle]
	if text == "" {
		text = string(p.catalog.Files[bundle]["bundle.yaml"])
	}
	for _, e := range edits {
		if !strings.Contains(text, e.old) {
			p.Fatalf("%s has no %q", bundle, e.old)
		}
		text = strings.ReplaceAll(text, e.old, e.new)
	}
	p.texts[bundle] = text
	if b, ok := versions.Load(text); ok {
		return b.(*catalog.Bundle)
	}
	b, found := catalog.ParseBundle(p.catalog.Library, catalog.BundleFile(bundle), []byte(text))
	if found.Err() != nil {
		for _, f := range found {
			p.Errorf("the new version: %d:%d %s: %s", f.Span.Start.Line, f.Span.Start.Column, f.Severity, f.Message)
		}
		p.Fatal("the new version is none")
	}
	versions.Store(text, b)
	return b
}

// versions are those that a play has compiled, by text.
var versions sync.Map

// moving is the command that moves a case to a version.
func (p *play) moving(bundle string, to *catalog.Bundle, changes ...paper) application.Move {
	p.Helper()
	var bundles []*catalog.Bundle
	for _, b := range p.world.Selection.Bundles {
		if b.ID == bundle {
			b = to
		}
		bundles = append(bundles, b)
	}
	selection, err := catalog.Select(bundles...)
	if err != nil {
		p.Fatal(err)
	}
	brought := &papers{answers: map[string]any{}}
	for _, change := range changes {
		change(brought)
	}
	before := p.world.Selection
	p.world.Selection = selection
	command := application.Move{Bundle: bundle, To: selection, FromVersion: 1, ToVersion: 2, Reason: "新规", Changes: p.record(brought.answers), Documents: brought.Documents}
	p.world.Selection = before
	return command
}

// move moves a case to a version of its bundle that says something otherwise.
func move(bundle string, edits ...edit) func(changes ...paper) act {
	return func(changes ...paper) act {
		return func(p *play) {
			p.Helper()
			p.do(applicant(), p.moving(bundle, p.version(bundle, edits...), changes...))
		}
	}
}

// Edits of the shop.
var (
	wording   = edit{"zh: 已培训", "zh: 已参加培训"}
	staff     = edit{"  - { field: remark", "  - { field: staff, kind: INT, name: { zh: 人数 }, required: true }\n  - { field: remark"}
	forSeal   = edit{"needs: { fields: [own.remark], results: [licence.number]", "needs: { fields: [own.remark, own.staff], results: [licence.number]"}
	newStep   = "  - id: notice\n    name: { zh: 告知 }\n    department: police\n    after: [licence]\n    needs: { fields: [owner] }\n    promised: { working_days: 1 }\n  - id: file\n"
	lastStep  = edit{"  - id: file\n", newStep}
	firstStep = edit{"  - id: file\n", strings.Replace(newStep, "    after: [licence]\n", "", 1)}
	earlier   = edit{"    needs: { fields: [owner, own.remark], materials: [card, lease, deed, plan, photo, oath] }", "    after: [notice]\n    needs: { fields: [owner, own.remark], materials: [card, lease, deed, plan, photo, oath] }"}
)

// undertaken is a shop that was accepted: licence, audit and account are under way.
func undertaken(changes ...paper) []act {
	return []act{apply("shop", changes...), checked("shop", "audit"), accept("shop")}
}

func TestDecide_MoveBeforeAcceptance(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "what is the same is judged anew", given: []act{apply("shop"), checked("shop", "audit", "narrow")}, at: "03-17", when: move("shop", wording)(),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-24; shop ELIGIBLE; checks audit"},
			check: func(p *play) {
				c := p.state.Case("shop")
				if c.State != application.PreReview || c.Digest != p.world.Selection.Bundle("shop").Digest || len(c.Awaited()) != 1 {
					p.Errorf("the case is %+v", c)
				}
				if e := p.lastly[0]; e.GetActor().GetRole() != applicant().GetRole() || e.GetMoved().GetReason() != "新规" || e.GetMoved().GetFrom() != p.catalog.Bundles["shop"].Digest || e.GetPersonal().GetRecord() == nil {
					p.Errorf("recorded as %v", e)
				}
			}},
		{name: "a new question is answered with it", given: []act{apply("shop"), checked("shop", "audit")}, when: move("shop", staff, forSeal)(answer("own.shop.staff", 3)),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-23; paths own.shop.staff; shop ELIGIBLE; checks audit"}},
		{name: "a new question without an answer is asked", given: []act{apply("shop")}, when: move("shop", staff, forSeal)(), but: refusal.RecordInvalid, wrong: []string{"required own.shop.staff"}},
		{name: "one that may be left blank is blank", given: []act{apply("shop")}, when: move("shop", edit{staff.old, strings.Replace(staff.new, ", required: true }\n", " }\n", 1)}, forSeal)(),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-23; paths own.shop.staff; shop ELIGIBLE; checks audit"}},
		{name: "an answer of another kind is asked again", given: []act{apply("shop", answer("own.shop.remark", "三人"))}, when: move("shop", edit{"field: remark, kind: TEXT, name: { zh: 备注 }", "field: remark, kind: INT, name: { zh: 备注 }, required: true"})(),
			but: refusal.RecordInvalid, wrong: []string{"required own.shop.remark"}},
		{name: "an answer to a question that is gone goes", given: []act{apply("shop", answer("own.shop.remark", "三人"))},
			when: move("shop", edit{"  - { field: remark, kind: TEXT, name: { zh: 备注 } }\n", ""}, edit{"fields: [owner, own.remark]", "fields: [owner]"}, edit{"fields: [own.remark]", "fields: [owner]"})(),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-23; paths own.shop.remark; shop ELIGIBLE; checks audit"},
			check: func(p *play) {
				if _, there := p.world.Record.Get("own.shop.remark"); there {
					p.Error("the answer is still there")
				}
			}},
		{name: "a new material is missing", given: []act{apply("shop")}, when: move("shop", edit{"  - { use: card, of: owner }\n", "  - { use: card, of: owner }\n  - { material: fire_plan, name: { zh: 消防图 }, source: [APPLICANT] }\n"}, edit{"materials: [card, lease", "materials: [card, fire_plan, lease"})(),
			but: refusal.MaterialMissing, wrong: []string{"missing materials.own.shop.fire_plan"}},
		{name: "or brought with it", given: []act{apply("shop")}, when: move("shop", edit{"  - { use: card, of: owner }\n", "  - { use: card, of: owner }\n  - { material: fire_plan, name: { zh: 消防图 }, source: [APPLICANT] }\n"}, edit{"materials: [card, lease", "materials: [card, fire_plan, lease"})(bring("own.shop.fire_plan")),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-23; materials own.shop.fire_plan; shop ELIGIBLE; checks audit"}},
		{name: "a rule that would fail", given: []act{apply("shop")}, when: move("shop", edit{"require: own.size < 900", "require: own.size < 100"})(), but: refusal.NotEligible, wrong: []string{"rule lucky"}},
		{name: "one that fails anyway", given: []act{apply("shop", answer("own.shop.size", 950))}, when: move("shop", edit{"require: own.size < 900", "require: own.size < 800"})(),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-23; shop NOT_ELIGIBLE; failing lucky; checks audit"}},
		{name: "one that fails no more", given: []act{apply("shop", answer("own.shop.size", 950))}, when: move("shop", edit{"require: own.size < 900", "require: own.size < 960"})(),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-23; shop ELIGIBLE; checks audit"}},
		{name: "a case beside it stays on its version", given: []act{apply("shop badge"), checked("shop", "audit")}, when: move("shop", wording)(),
			then: []string{"moved shop from 1 to 2, revision 2, notice by 03-23; shop ELIGIBLE; checks audit; badge ELIGIBLE"},
			check: func(p *play) {
				if c := p.state.Case("badge"); c.Digest != p.catalog.Bundles["badge"].Digest || c.State != application.PreReview {
					p.Errorf("the other case is %+v", c)
				}
			}},
		{name: "accepted by the engine where it does so", given: []act{apply("fair", answer("own.fair.shown", true))}, when: move("fair", edit{"examine: { by: police }, because: { zh: 已看样 }", "require: own.shown, because: { zh: 已看样 }, remedy: { zh: 看样 }"})(),
			then: []string{"moved fair from 1 to 2, revision 2, notice by 03-23; fair ELIGIBLE", "accepted fair BY_ENGINE as of 03-16, due 03-26, statutory 04-28",
				"opened fair.permit on 03-16 by 03-26; statutory 04-16", "opened fair.noise on 03-16 by 03-18; statutory 03-19"}},

		{name: "asked to correct, nothing corrected", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent"))}, when: move("badge", edit{"zh: 加急", "zh: 急"})(), but: refusal.WrongState},
		{name: "asked to correct, corrected with it", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent"))}, when: move("badge", edit{"zh: 加急", "zh: 急"})(answer("own.badge.urgent", true)),
			then: []string{"moved badge from 1 to 2, revision 2, notice by 03-23; paths own.badge.urgent; badge ELIGIBLE"},
			check: func(p *play) {
				if c := p.state.Case("badge"); c.State != application.PreReview || c.CorrectionDue != nil {
					p.Errorf("the case is %s", c.State)
				}
			}},
		{name: "the version that it has", given: []act{apply("shop")}, when: move("shop")(), but: refusal.WrongState},
		{name: "a case that is over", given: []act{apply("shop badge"), withdraw("shop")}, when: move("shop", wording)(), but: refusal.WrongState},
		{name: "a case that is not there", given: []act{apply("badge")}, when: func(p *play) {
			c := p.moving("badge", p.version("badge", edit{"zh: 加急", "zh: 急"}))
			c.Bundle = "shop"
			p.do(applicant(), c)
		}, but: refusal.NotFound},
		{name: "what was shown has changed", given: []act{apply("shop"), checked("shop", "audit")}, when: func(p *play) {
			c := p.moving("shop", p.version("shop", wording))
			c.Expected = 1
			p.do(applicant(), c)
		}, but: refusal.Stale},
		{name: "submitted together", given: []act{apply("lease", confirmed("tenant", "owner"))}, when: move("lease", edit{"zh: 法院判决", "zh: 法院已判决"})(), but: refusal.WrongState},
		{name: "to be submitted together by the new version", given: []act{apply("lease", answer("own.lease.by_court", true))}, when: move("lease", edit{`together: "!own.by_court"`, `together: own.by_court || !own.by_court`})(), but: refusal.WrongState},
		{name: "a check that saw the version before is not awaited any more", given: []act{apply("shop"), move("shop", wording)()},
			when: as(plugin(), application.RecordCheck{Bundle: "shop", Step: "audit", Revision: 1, Attempt: 1}), but: refusal.Stale},
	})
}

func TestDecide_MoveAfterAcceptance(t *testing.T) {
	t.Parallel()
	same := "moved shop from 1 to 2, revision 2, notice by 03-23; shop ; due 03-25, statutory 05-21, fee 6000; steps licence,audit,repair,seal,account,file"
	run(t, []scene{
		{name: "other wording changes nothing of what was promised", given: undertaken(), when: move("shop", wording)(), then: []string{same},
			check: func(p *play) {
				for _, task := range p.state.Tasks {
					if task.State != application.TaskOpen || task.Version != 2 {
						p.Errorf("%s is %s, version %d", task.Step, task.State, task.Version)
					}
				}
			}},
		{name: "a step that has not begun may be another one", given: append(undertaken(), move("shop", edit{"id: seal\n    name: { zh: 刻章 }\n    department: police", "id: seal\n    name: { zh: 刻章 }\n    department: fire"})()), when: approve("shop", "licence", "number", "A1"),
			then: []string{"approved shop.licence on revision 2", "issued shop.licence; licence; until 2031-03-15", "opened shop.seal on 03-16 by 03-17"},
			check: func(p *play) {
				if task := p.state.TaskOf("shop", "seal"); task.Department != "fire" {
					p.Errorf("the new version's step went to %s", task.Department)
				}
			}},
		{name: "and one that has not begun may be gone", given: append(undertaken(), move("shop", edit{"  - id: seal\n", "  - id: seals\n"}, edit{"step: seal,", "step: seals,"})()), when: approve("shop", "licence", "number", "A1"),
			then: []string{"approved shop.licence on revision 2", "issued shop.licence; licence; until 2031-03-15", "opened shop.seals on 03-16 by 03-17"}},
		{name: "a new step opens in its turn", given: append(undertaken(), move("shop", lastStep)()), when: approve("shop", "licence", "number", "A1"),
			then: []string{"approved shop.licence on revision 2", "issued shop.licence; licence; until 2031-03-15", "opened shop.seal on 03-16 by 03-17", "opened shop.notice on 03-16 by 03-17"}},
		{name: "a new step that waits for none opens now, and its clock starts now", given: undertaken(), at: "03-18", when: move("shop", firstStep)(),
			then: []string{strings.NewReplacer("03-23", "03-25", ",file", ",notice,file").Replace(same), "opened shop.notice on 03-18 by 03-19"}},
		{name: "a new question of a later step is asked", given: undertaken(), when: move("shop", staff, forSeal)(), but: refusal.RecordInvalid, wrong: []string{"required own.shop.staff"}},
		{name: "and answered with it", given: undertaken(), when: move("shop", staff, forSeal)(answer("own.shop.staff", 3)),
			then: []string{strings.Replace(same, "; shop ;", "; paths own.shop.staff; shop ;", 1)}},
		{name: "a limit that was extended stays so", given: append(undertaken(), extendCase("shop", 3)), when: move("shop", wording)(),
			then: []string{strings.NewReplacer("due 03-25", "due 03-30", "statutory 05-21", "statutory 05-26").Replace(same)}},
		{name: "also by a promise that becomes shorter", given: append(undertaken(), extendCase("shop", 3)), when: move("shop", edit{"needs: { fields: [own.remark] }\n    promised: { working_days: 1 }\n", "needs: { fields: [own.remark] }\n    promised: { working_days: 0 }\n"})(),
			then: []string{strings.NewReplacer("due 03-25", "due 03-27", "statutory 05-21", "statutory 05-26").Replace(same)}},
		{name: "a promise that becomes shorter", given: undertaken(), when: move("shop", edit{"needs: { fields: [own.remark] }\n    promised: { working_days: 1 }\n", "needs: { fields: [own.remark] }\n    promised: { working_days: 0 }\n"})(),
			then: []string{strings.Replace(same, "due 03-25", "due 03-24", 1)}},

		{name: "a step that is under way would change", given: undertaken(), when: move("shop", edit{"    promised: { working_days: 5 }\n    statutory: { working_days: 10 }", "    promised: { working_days: 4 }\n    statutory: { working_days: 10 }"})(), but: refusal.WrongState, wrong: []string{"step licence"}},
		{name: "needs of one that is under way would change", given: undertaken(), when: move("shop", staff, edit{"fields: [owner, own.remark], materials", "fields: [owner, own.remark, own.staff], materials"})(answer("own.shop.staff", 3)), but: refusal.WrongState, wrong: []string{"step licence"}},
		{name: "a step that is under way would be gone, and another one is changed: all is told", given: undertaken(),
			when: move("shop", edit{"  - id: account\n", "  - id: bank_account\n"}, edit{"require: own.size >= 20", "require: own.size >= 10"})(), but: refusal.WrongState, wrong: []string{"step audit", "step account"}},
		{name: "a step would come before one that has begun", given: undertaken(), when: move("shop", firstStep, earlier)(), but: refusal.WrongState, wrong: []string{"step licence", "step licence"}},
		{name: "a decided step may be promised otherwise", given: append(undertaken(), approve("shop", "licence", "number", "A1")), when: move("shop", edit{"    promised: { working_days: 5 }\n    statutory: { working_days: 10 }", "    promised: { working_days: 4 }\n    statutory: { working_days: 10 }"})(),
			then: []string{strings.Replace(same, "due 03-25", "due 03-24", 1)}},
		{name: "but has to give what it gave", given: append(undertaken(), approve("shop", "licence", "number", "A1")), when: move("shop", edit{"field: number, kind: TEXT, name: { zh: 编号 }, required: true, pattern: '[A-Z]\\d+'", "field: number, kind: TEXT, name: { zh: 编号 }, required: true"})(), but: refusal.WrongState, wrong: []string{"step licence"}},
		{name: "and be the same department's", given: append(undertaken(), approve("shop", "licence", "number", "A1")), when: move("shop", edit{"name: { zh: 执照 }\n    department: market", "name: { zh: 执照 }\n    department: police"})(), but: refusal.WrongState, wrong: []string{"step licence"}},
		{name: "and be there", given: append(undertaken(), approve("shop", "audit", "poor", false), on("03-17")), when: move("shop", edit{"  - id: audit\n", "  - id: inspect\n"}, edit{"after: [audit]", "after: [inspect]"}, edit{"results.audit", "results.inspect"})(), but: refusal.WrongState, wrong: []string{"step audit"}},
		{name: "a step that was left out would apply", given: []act{apply("shop", answer("own.shop.sign", false)), checked("shop", "audit"), accept("shop"), approve("shop", "licence", "number", "A1")},
			when: move("shop", edit{"    when: own.sign\n    needs", "    when: own.sign || own.trained\n    needs"})(), but: refusal.WrongState, wrong: []string{"step seal"}},
		{name: "what a decided step has used would be gone", given: append(undertaken(), approve("shop", "licence", "number", "A1")),
			when: move("shop", edit{"  - { field: rented, kind: BOOL, name: { zh: 租用 }, required: true }\n", ""}, edit{"when: own.rented, ", ""})(), but: refusal.FieldUsed, wrong: []string{"field_used own.shop.rented"}},
		{name: "what a decided step has used would be worked out otherwise", given: append(undertaken(), approve("shop", "audit", "poor", false)),
			when: move("shop", edit{"own.food && own.size >= 500", "own.food && own.size >= 5"})(), but: refusal.FieldUsed, wrong: []string{"field_used own.shop.large"}},
		{name: "of a step that is under way it may be worked out otherwise", given: undertaken(), when: move("shop", edit{"own.food && own.size >= 500", "own.food && own.size >= 5"})(), then: []string{same}},
		{name: "a step that was rejected would become essential", given: append(undertaken(), reject("shop", "audit")), when: move("shop", edit{"    when: own.food\n    plugin: fire/audit", "    when: own.food\n    essential: true\n    plugin: fire/audit"})(),
			but: refusal.WrongState, wrong: []string{"step audit"}},
		{name: "another plugin would issue what one has decided", given: []act{apply("badge"), accept("badge"), decided("badge", "print", application.Approved, 1)},
			when: move("badge", edit{"    plugin: police/print\n", ""})(), but: refusal.WrongState, wrong: []string{"step print"}},
		{name: "a step would hang on one that was rejected", given: append(undertaken(), reject("shop", "audit")), when: move("shop", edit{"{ step: repair, on: SETTLED }", "{ step: repair, on: APPROVED }"})(),
			but: refusal.WrongState, wrong: []string{"step file"}},
		{name: "a new step may hang on one that was rejected", given: append(undertaken(), reject("shop", "audit")), when: move("shop", edit{lastStep.old, strings.Replace(newStep, "after: [licence]", "after: [audit]", 1)})(),
			then: []string{strings.NewReplacer(",repair", "", ",file", ",notice,file").Replace(same), "not reached shop.notice"}},
		{name: "a person would have to look at it before acceptance", given: undertaken(), when: move("shop", edit{"  - { id: solvent", "  - { id: seen, examine: { by: market }, because: { zh: 已看过 } }\n  - { id: solvent"})(),
			but: refusal.NotEligible, wrong: []string{"rule_undecided seen"}},
		{name: "or in a step that has begun", given: undertaken(), when: move("shop", edit{"  - { id: solvent", "  - { id: seen, examine: { by: market, step: licence }, because: { zh: 已看过 } }\n  - { id: solvent"})(),
			but: refusal.NotEligible, wrong: []string{"rule_undecided seen"}},
		{name: "not in one that has not begun", given: undertaken(), when: move("shop", edit{"  - { id: solvent", "  - { id: seen, examine: { by: police, step: seal }, because: { zh: 已看过 } }\n  - { id: solvent"})(), then: []string{same}},
		{name: "a rule would fail", given: undertaken(), when: move("shop", edit{"require: own.size < 900", "require: own.size < 100"})(), but: refusal.NotEligible, wrong: []string{"rule lucky"}},
		{name: "nobody would judge a rule that is not known", given: append([]act{given(unknownCredit)}, undertaken()...), when: move("shop", edit{"otherwise: WARN, because: { zh: 信用良好 }", "because: { zh: 信用良好 }"})(), but: refusal.NotEligible, wrong: []string{"rule_undecided solvent"}},
		{name: "one that only warns may be not known", given: append([]act{given(unknownCredit)}, undertaken()...), when: move("shop", wording)(), then: []string{same}},
		{name: "the promised date would be later", given: undertaken(), when: move("shop", edit{"needs: { fields: [own.remark] }\n    promised: { working_days: 1 }\n", "needs: { fields: [own.remark] }\n    promised: { working_days: 2 }\n"})(), but: refusal.WrongState, wrong: []string{"due"}},
		{name: "the fee would be higher", given: undertaken(), when: move("shop", edit{"yuan(60)", "yuan(61)"})(), but: refusal.WrongState, wrong: []string{"fee"}},
		{name: "the law's date would be later, beside everything else", given: append([]act{apply("badge"), accept("badge")}, on("03-17")), when: move("badge", edit{"promised: { working_days: 8 }\napplicant", "promised: { working_days: 9 }\nstatutory: { working_days: 50 }\napplicant"})(), but: refusal.WrongState, wrong: []string{"due", "due"}},

		{name: "a material that follows is not asked any more", given: undertaken(tolerate("plan")), at: "03-17", when: move("shop", edit{"  - { use: plan, class: SECONDARY,", "  - { use: plan, when: own.food && own.size > 500, class: SECONDARY,"})(),
			then: []string{strings.Replace(same, "03-23", "03-24", 1), "dates of shop.audit; due 03-20"},
			check: func(p *play) {
				if task := p.state.TaskOf("shop", "audit"); task.State != application.TaskOpen || len(p.state.Case("shop").Tolerances) != 0 {
					p.Errorf("the step that has waited is %s", task.State)
				}
			}},
		{name: "a material that follows may not follow any more", given: undertaken(tolerate("own.shop.map")), when: move("shop", edit{"required: false, tolerate: { working_days: 3, then: SUSPEND, suspended: { working_days: 2 } } }", "required: false }"})(),
			but: refusal.ToleranceRefused, wrong: []string{"not_open materials.own.shop.map"}},
		{name: "a department's question waits", given: append(undertaken(), ask("shop", "licence", "own.shop.remark")), when: move("shop", wording)(), but: refusal.WrongState},
		{name: "and is answered with it", given: append(undertaken(), ask("shop", "licence", "own.shop.remark")), when: move("shop", wording)(answer("own.shop.remark", "乙")),
			then: []string{strings.Replace(same, "; shop ;", "; paths own.shop.remark; shop ;", 1), "resumed shop.licence after 03-16, due 03-23, statutory 03-30"}},
		{name: "an answer of a plugin that saw the version before is dropped", given: append(undertaken(), move("shop", wording)()),
			when: func(p *play) {
				p.do(plugin(), application.RecordDecision{Task: p.task("shop", "audit"), Outcome: application.Approved, Result: values("poor", false), Revision: 1, Attempt: 1})
			}, but: refusal.Stale},
		{name: "it moves once more", given: append(undertaken(), move("shop", wording)()), at: "03-17", when: move("shop", edit{"zh: 已参加培训", "zh: 已培训"}, lastStep)(),
			then: []string{strings.NewReplacer("revision 2", "revision 3", "03-23", "03-24", ",file", ",notice,file").Replace(same)}},
	})
}

// A selection that is not the application's is the engine's fault, and no refusal.
func TestDecide_MoveWithAnotherSelection(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	apply("shop badge")(p)
	for name, change := range map[string]func(*application.Move){
		"none":             func(c *application.Move) { c.To = nil },
		"without the case": func(c *application.Move) { c.To, _ = catalog.Select(p.catalog.Bundles["badge"]) },
		"another case changed": func(c *application.Move) {
			c.To, _ = catalog.Select(c.To.Bundle("shop"), p.version("badge", edit{"zh: 加急", "zh: 急"}))
		},
		"another case gone": func(c *application.Move) { c.To, _ = catalog.Select(c.To.Bundle("shop")) },
	} {
		c := p.moving("shop", p.version("shop"))
		change(&c)
		w := p.world
		w.Actor = applicant()
		if events, err := application.Decide(p.state, c, w); err == nil || refusedFor(err, "") || len(events) > 0 {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
}

// A move is the whole difference: what happened before it is in the stream as it was.
func TestDecide_MoveChangesNoEvent(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	for _, a := range append(undertaken(), approve("shop", "licence", "number", "A1")) {
		if a(p); p.err != nil {
			t.Fatal(p.err)
		}
	}
	var before [][]byte
	for _, e := range p.events {
		wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, wire)
	}
	if move("shop", wording)()(p); p.err != nil || len(p.lastly) != 1 {
		t.Fatal(p.err, p.says(p.lastly))
	}
	for i, wire := range before {
		now, err := proto.MarshalOptions{Deterministic: true}.Marshal(p.events[i])
		if err != nil || string(now) != string(wire) {
			t.Errorf("event %d has changed: %v", i, err)
		}
	}
	if task := p.state.TaskOf("shop", "licence"); task.State != application.TaskApproved || task.Revision != 1 {
		t.Errorf("the decided step is %s, on revision %d", task.State, task.Revision)
	}
}
