package deadlines_test

import (
	"testing"
	"time"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/follow/deadlines"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

func TestNext(t *testing.T) {
	t.Parallel()
	office := time.FixedZone("UTC+8", 8*3600)
	due := func(date string) *applicationv1.Due { return &applicationv1.Due{Date: date, Earliest: "2026-01-01"} }
	of := func(c application.Case, tasks ...*application.Task) application.State {
		return application.State{Cases: []*application.Case{&c}, Tasks: tasks}
	}
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next, ok := deadlines.Next(tt.state, office)
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

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	if _, err := deadlines.New(deadlines.Config{}); err == nil {
		t.Error("a follower that stands on nothing")
	}
}
