package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
)

func TestDecide_Withdraw(t *testing.T) {
	t.Parallel()
	run(t, []scene{
		{name: "in pre-review", given: []act{apply("shop")}, when: withdraw("shop"),
			then: []string{"withdrawn shop"},
			check: func(p *play) {
				if p.state.State() != application.ApplicationEnded || p.lastly[0].GetPersonal().GetReason() != "不办了" {
					p.Errorf("the application is %s", p.state.State())
				}
			}},
		{name: "while a correction is awaited, which then is not", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent"))}, when: withdraw(""),
			then: []string{"withdrawn badge"}},
		{name: "after acceptance its tasks end; what was granted stays", given: shopAccepted(approve("shop", "licence", "number", "A1"), claim("shop", "audit")), when: withdraw("shop"),
			then: []string{"withdrawn shop"},
			check: func(p *play) {
				audit, licence := p.state.TaskOf("shop", "audit"), p.state.TaskOf("shop", "licence")
				if audit.State != application.TaskEnded || audit.Claim != nil || licence.State != application.TaskApproved {
					p.Errorf("the audit is %s, the licence %s", audit.State, licence.State)
				}
			}},
		{name: "one case alone, and the other goes on", given: []act{apply("shop badge"), accept("badge")}, when: withdraw("shop"),
			then: []string{"withdrawn shop"},
			check: func(p *play) {
				if p.state.State() != application.ApplicationProgress || p.state.TaskOf("badge", "print").State != application.TaskOpen {
					p.Errorf("the application is %s", p.state.State())
				}
			}},
		{name: "all that are not over", given: []act{apply("shop badge fair"), refuse("badge")}, when: withdraw(""),
			then: []string{
				"withdrawn shop",
				"withdrawn fair",
			}},
		{name: "without a reason", given: []act{apply("badge")}, when: as(applicant(), application.Withdraw{Bundle: "badge"}),
			then: []string{"withdrawn badge"},
			check: func(p *play) {
				if p.lastly[0].GetPersonal() != nil {
					p.Error("an empty reason is kept")
				}
			}},
		{name: "nothing lapses any more", given: []act{apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop"), withdraw("shop")}, at: "05-20", when: lapse},
		{name: "twice", given: []act{apply("badge"), withdraw("badge")}, when: withdraw("badge"), but: refusal.WrongState},
		{name: "all, when all are over", given: []act{apply("badge"), refuse("badge")}, when: withdraw(""), but: refusal.WrongState},
		{name: "a case that is not there", given: []act{apply("badge")}, when: withdraw("shop"), but: refusal.NotFound},
	})
}
