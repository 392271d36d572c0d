package application_test

import (
	"testing"
	"time"

	"github.com/siyiban/onething/engine/application"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func TestDecide_Warnings(t *testing.T) {
	t.Parallel()
	none := []string{}
	badge := []act{apply("badge"), accept("badge"), failed("badge", "print", "decide", 1, true)}
	run(t, []scene{
		{name: "nothing is near yet", given: badge, at: "03-18 23:59", when: lapse, warns: none},
		{name: "the last fifth of a limit is yellow, at least its last day", given: badge, at: "03-19", when: lapse, warns: []string{"YELLOW badge.print PROMISED by 03-19"},
			check: func(p *play) {
				if got := p.state.WarningOf("badge", p.task("badge", "print")); got != application.Yellow {
					p.Errorf("it says %q", got)
				}
			}},
		{name: "a missed date is red, and the law's is near", given: badge, at: "03-23", when: lapse,
			warns: []string{"YELLOW badge.print PROMISED by 03-19", "RED badge.print PROMISED by 03-19", "YELLOW badge.print STATUTORY by 03-24"},
			check: func(p *play) {
				if got := p.state.WarningOf("badge", p.task("badge", "print")); got != application.Red {
					p.Errorf("it says %q", got)
				}
			}},
		{name: "each is said once", given: append(badge, on("03-23"), lapse), when: lapse, warns: none},
		{name: "in the order of the moments, also after a downtime", given: badge, at: "03-27", when: lapse, warns: []string{
			"YELLOW badge.print PROMISED by 03-19", "RED badge.print PROMISED by 03-19", "YELLOW badge.print STATUTORY by 03-24", "RED badge.print STATUTORY by 03-24",
			"YELLOW badge PROMISED by 03-26", "RED badge PROMISED by 03-26"}},
		{name: "who has decided is not warned", given: []act{apply("relay"), accept("relay"), approve("relay", "first")}, at: "03-17", when: lapse,
			warns: []string{"YELLOW relay.second PROMISED by 03-17", "YELLOW relay.log PROMISED by 03-17", "YELLOW relay.grade PROMISED by 03-17"}},
		{name: "a date that moved is warned of anew", given: append(badge, on("03-19"), lapse, extend("badge", "print", 2)), at: "03-23", when: lapse,
			warns: []string{"YELLOW badge.print PROMISED by 03-23"}},
		{name: "and meanwhile nothing stands", given: append(badge, on("03-19"), lapse, extend("badge", "print", 2)), when: lapse, warns: none, check: func(p *play) {
			if got := p.state.WarningOf("badge", p.task("badge", "print")); got != "" {
				p.Errorf("it says %q", got)
			}
		}},
		{name: "while the clock stands there is no date to be near", given: append(badge, pause("badge", "print", "HEARING")), at: "03-20", when: lapse, warns: none},
		{name: "the office's answer is near on its last day", given: []act{apply("badge")}, at: "03-23", when: lapse, warns: []string{"YELLOW badge NOTICE by 03-23"}},
		{name: "an applicant is reminded of a correction", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent"))}, at: "03-27", when: lapse,
			warns: []string{"YELLOW badge CORRECTION by 03-30"}, check: func(p *play) {
				if got := p.state.WarningOf("badge", ""); got != "" {
					p.Errorf("the office is warned of the applicant's date: %q", got)
				}
			}},
		{name: "and of a material before its date, and before the suspension ends", given: []act{apply("shop", tolerate("plan")), checked("shop", "audit"), accept("shop")}, at: "03-23", when: lapse,
			then: []string{"lapsed shop.plan SUSPEND; until 03-23", "dates of shop.licence; due ?03-24; statutory 03-30"},
			warns: []string{"YELLOW shop.account PROMISED by 03-17", "RED shop.account PROMISED by 03-17", "YELLOW shop.plan TOLERANCE by 03-18",
				"YELLOW shop.plan SUSPENSION by 03-23"}},
		{name: "a promise that nobody verifies is yellow, then red, also where the case is over", given: []act{apply("shop", promise("own.shop.lease")), checked("shop", "audit"), accept("shop"), withdraw("shop")}, at: "04-15", when: lapse,
			warns: []string{"YELLOW shop.lease VERIFICATION by 04-14", "RED shop.lease VERIFICATION by 04-14"},
			check: func(p *play) {
				if got := p.state.WarningOf("shop", ""); got != application.Red {
					p.Errorf("it says %q", got)
				}
			}},
		{name: "one that was verified is not", given: []act{apply("shop", promise("own.shop.lease")), checked("shop", "audit"), accept("shop"), withdraw("shop"), verify("shop", "lease", true)}, at: "04-15", when: lapse, warns: none},
		{name: "a date that is not known is not near", given: []act{noNewYear, apply("badge"), accept("badge")}, at: "03-27", when: lapse, warns: none},
	})
}

func TestState_NextLapse(t *testing.T) {
	t.Parallel()
	office := time.FixedZone("UTC+8", 8*3600)
	due := func(date string) *applicationv1.Due { return &applicationv1.Due{Date: date, Earliest: "2026-01-01"} }
	near := func(date, near string) *applicationv1.Due { return &applicationv1.Due{Date: date, Near: near} }
	of := func(c application.Case, tasks ...*application.Task) application.State {
		return application.State{Cases: []*application.Case{&c}, Tasks: tasks}
	}
	warned := of(application.Case{Bundle: "a", State: application.PreReview, NoticeDue: near("2026-03-09", "2026-03-08")})
	warned.Warnings = []application.Warning{{Clock: application.Clock{Kind: application.ClockNotice, Bundle: "a"}, Colour: application.Yellow, Date: "2026-03-09"}}
	missed := of(application.Case{}, &application.Task{Number: "1", State: application.TaskOpen, Due: due("2026-03-09")})
	missed.Warnings = []application.Warning{{Clock: application.Clock{Kind: application.ClockPromised, Task: "1"}, Colour: application.Red, Date: "2026-03-09"}}
	tests := []struct {
		name  string
		state application.State
		want  string // beginning of that day; empty: never
	}{
		{name: "nothing was filed", state: application.State{}},
		{name: "a notice is due until the day is over", state: of(application.Case{State: application.PreReview, NoticeDue: due("2026-03-09")}), want: "2026-03-10"},
		{name: "also on the last day of a month", state: of(application.Case{State: application.PreReview, NoticeDue: due("2026-12-31")}), want: "2027-01-01"},
		{name: "a date that is not known is none", state: of(application.Case{State: application.PreReview, NoticeDue: due("")})},
		{name: "a correction", state: of(application.Case{State: application.ToBeCorrected, NoticeDue: due("2026-03-01"), CorrectionDue: due("2026-03-20")}), want: "2026-03-21"},
		{name: "the nearest tolerance that is open", want: "2026-03-13", state: of(application.Case{State: application.Accepted, NoticeDue: due("2026-03-01"), Tolerances: []application.Tolerance{
			{Due: due("2026-03-02"), Supplied: true}, {Due: due("2026-03-16")}, {Due: due("2026-03-12")},
		}})},
		{name: "the end of a suspension", want: "2026-04-02", state: of(application.Case{State: application.Accepted, Tolerances: []application.Tolerance{
			{Due: due("2026-03-12"), Lapsed: true, Until: due("2026-04-01")},
		}})},
		{name: "a lapsed tolerance that was only reminded of", state: of(application.Case{State: application.Accepted, Tolerances: []application.Tolerance{{Due: due("2026-03-12"), Lapsed: true}}})},
		{name: "a department's notice", want: "2026-03-21", state: of(application.Case{State: application.Accepted}, &application.Task{State: application.TaskWaiting, CorrectionDue: due("2026-03-20")})},
		{name: "the end of a claim", want: "2026-03-05", state: of(application.Case{State: application.Accepted}, &application.Task{State: application.TaskOpen,
			Claim: &application.Claim{Until: time.Date(2026, 3, 5, 0, 0, 0, 0, office)}})},
		{name: "a task that is over", state: of(application.Case{State: application.Accepted}, &application.Task{State: application.TaskApproved, CorrectionDue: due("2026-03-20"),
			Claim: &application.Claim{Until: time.Date(2026, 3, 5, 0, 0, 0, 0, office)}})},
		{name: "a case that is over", state: of(application.Case{State: application.Withdrawn, NoticeDue: due("2026-03-09"), Tolerances: []application.Tolerance{{Due: due("2026-03-12")}}})},
		{name: "a date that is near", state: of(application.Case{State: application.PreReview, NoticeDue: near("2026-03-09", "2026-03-08")}), want: "2026-03-08"},
		{name: "one that was warned of", state: warned, want: "2026-03-10"},
		{name: "a task's date", state: of(application.Case{}, &application.Task{State: application.TaskOpen, Due: due("2026-03-09")}), want: "2026-03-10"},
		{name: "one that was missed, and said", state: missed},
		{name: "one that waits for the applicant", state: of(application.Case{}, &application.Task{State: application.TaskDecided, Due: due("2026-03-09"), WaitsResult: []string{"plan"}})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next, ok := tt.state.NextLapse(office)
			got := ""
			if ok {
				got = next.Format("2006-01-02")
				if next.Hour() != 0 || next.Location() != office {
					t.Errorf("not the beginning of a day of the office: %v", next)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
