package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
)

func TestDecide_Completion(t *testing.T) {
	t.Parallel()
	plain := func(more ...act) []act {
		return append([]act{apply("shop", answer("own.shop.food", false), answer("own.shop.sign", false)), accept("shop")}, more...)
	}
	outcome := func(bundle, want string, state application.ApplicationState) func(*play) {
		return func(p *play) {
			if c := p.state.Case(bundle); c.State != application.Completed || c.Outcome != want || p.state.State() != state {
				p.Errorf("the case is %s, %s, the application %s", c.State, c.Outcome, p.state.State())
			}
		}
	}
	run(t, []scene{
		{name: "every step that applies was granted", given: plain(approve("shop", "licence", "number", "A1"), approve("shop", "account")), when: approve("shop", "file"), check: outcome("shop", "GRANTED", application.ApplicationCompleted),
			then: []string{
				"approved shop.file on revision 1",
				"issued shop.file",
				"ended shop GRANTED",
			}},
		{name: "some were", given: plain(approve("shop", "licence", "number", "A1"), reject("shop", "account")), when: approve("shop", "file"), check: outcome("shop", "PARTLY_GRANTED", application.ApplicationCompleted),
			then: []string{
				"approved shop.file on revision 1",
				"issued shop.file",
				"ended shop PARTLY_GRANTED",
			}},
		{name: "some were, one was not reached", given: []act{apply("shop", answer("own.shop.food", false)), accept("shop"), reject("shop", "licence"), approve("shop", "account")}, when: approve("shop", "file"), check: outcome("shop", "PARTLY_GRANTED", application.ApplicationCompleted),
			then: []string{
				"approved shop.file on revision 1",
				"issued shop.file",
				"ended shop PARTLY_GRANTED",
			}},
		{name: "none was", given: plain(reject("shop", "licence"), reject("shop", "account")), when: reject("shop", "file"), check: outcome("shop", "REJECTED", application.ApplicationCompleted),
			then: []string{
				"rejected shop.file on revision 1",
				"ended shop REJECTED",
			}},
		{name: "an essential one was rejected, though another was granted", given: []act{apply("fair"), approve("fair", "noise", "level", 1)}, when: reject("fair", "permit"), check: outcome("fair", "REJECTED", application.ApplicationCompleted),
			then: []string{
				"rejected fair.permit on revision 1",
				"ended fair REJECTED",
			}},
		{name: "a decision whose result waits keeps the case open", given: []act{apply("badge", tolerate("plan")), accept("badge")}, when: decided("badge", "print", application.Approved, 1),
			then: []string{"approved badge.print on revision 1"},
			check: func(p *play) {
				if c := p.state.Case("badge"); c.State != application.Accepted {
					p.Errorf("the case is %s", c.State)
				}
			}},
		{name: "one case is complete, the other goes on", given: []act{apply("badge fair"), accept("badge"), decided("badge", "print", application.Approved, 1)}, when: issued("badge", "print", 1, "number", "N1"), check: outcome("badge", "GRANTED", application.ApplicationProgress),
			then: []string{
				"issued badge.print; badge; until 04-15",
				"ended badge GRANTED",
			}},
		{name: "a complete case is not accepted again", given: plain(approve("shop", "licence", "number", "A1"), approve("shop", "account"), approve("shop", "file")), when: override("shop"), but: refusal.WrongState},
		{name: "a complete case is not corrected", given: plain(approve("shop", "licence", "number", "A1"), approve("shop", "account"), approve("shop", "file")), when: correct(answer("own.shop.size", 1)), but: refusal.WrongState},
		{name: "a complete case is not withdrawn", given: plain(approve("shop", "licence", "number", "A1"), approve("shop", "account"), approve("shop", "file")), when: withdraw("shop"), but: refusal.WrongState},
		{name: "nothing lapses any more", given: plain(approve("shop", "licence", "number", "A1"), approve("shop", "account"), approve("shop", "file")), at: "12-01", when: lapse},
	})
}

// What waits for the applicant comes first, then what waits for the office, then what is under way.
func TestState_State(t *testing.T) {
	t.Parallel()
	of := func(states ...application.CaseState) application.State {
		s := application.State{Number: "1"}
		for _, state := range states {
			s.Cases = append(s.Cases, &application.Case{State: state})
		}
		return s
	}
	for _, test := range []struct {
		state application.State
		want  application.ApplicationState
	}{
		{application.State{}, application.Draft},
		{of(application.PreReview), application.ApplicationPreReview},
		{of(application.Accepted, application.PreReview, application.ToBeCorrected), application.ApplicationCorrect},
		{of(application.Completed, application.Accepted, application.PreReview), application.ApplicationPreReview},
		{of(application.Completed, application.Accepted), application.ApplicationProgress},
		{of(application.Withdrawn, application.Completed, application.NotAccepted), application.ApplicationCompleted},
		{of(application.Withdrawn, application.NotAccepted, application.Elsewhere, application.Ended), application.ApplicationEnded},
	} {
		if got := test.state.State(); got != test.want {
			t.Errorf("%v make %s, want %s", test.state.Cases, got, test.want)
		}
	}
}
