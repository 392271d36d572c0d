package application_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/forms/kind"
)

// The printed numbers are part of what is stored and told on the telephone: these do not change.
func TestNumbers(t *testing.T) {
	t.Parallel()
	number, err := application.NewNumber("321323", kind.MustDate("2026-03-16"), 7)
	if err != nil {
		t.Fatal(err)
	}
	if number != "321323202603160000071" {
		t.Errorf("the number of an application is %s", number)
	}
	p := newPlay(t)
	for _, a := range []act{apply("shop badge"), checked("shop", "audit"), accept("badge"), accept("shop"), pause("shop", "licence", "HEARING"), pause("shop", "audit", "TESTING")} {
		a(p)
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	got := map[string]string{"application": p.state.Number, "first case": p.state.Cases[0].Number, "second case": p.state.Cases[1].Number,
		"task of the second case": p.task("badge", "print"), "first task": p.task("shop", "licence"), "second task": p.task("shop", "audit"),
		"notice": p.state.TaskOf("shop", "licence").Pauses[0].Notice, "second notice": p.state.TaskOf("shop", "audit").Pauses[0].Notice}
	want := map[string]string{
		"application": number, "first case": "32132320260316000007012", "second case": "32132320260316000007029",
		"first task": "32132320260316000007010013", "second task": "32132320260316000007010021", "task of the second case": "32132320260316000007020014",
		"notice": "3213232026031600000700013", "second notice": "3213232026031600000700021",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseNumber(t *testing.T) {
	t.Parallel()
	number, err := application.NewNumber("321323", kind.MustDate("2026-03-16"), 999_999)
	if err != nil {
		t.Fatal(err)
	}
	n, ok := application.ParseNumber(number)
	if want := (application.Number{Kind: application.NumberOfApplication, Application: number, Place: "321323", Date: kind.MustDate("2026-03-16"), Serial: 999_999}); !ok || n != want {
		t.Errorf("%s is %+v, want %+v", number, n, want)
	}
	for i := range number {
		for digit := range byte(10) {
			wrong := number[:i] + string('0'+digit) + number[i+1:]
			if _, ok := application.ParseNumber(wrong); ok != (wrong == number) {
				t.Errorf("%s passes", wrong)
			}
		}
	}
	for _, wrong := range []string{"", "1", number[:20], number + "1", strings.Replace(number, "9", "x", 1), "+" + number[1:], number + number} {
		if _, ok := application.ParseNumber(wrong); ok {
			t.Errorf("%q passes", wrong)
		}
	}
	for _, test := range []struct {
		place, day string
		serial     int
	}{{"32132", "2026-03-16", 1}, {"32132x", "2026-03-16", 1}, {"321323", "2026-03-16", 0}, {"321323", "2026-03-16", 1_000_000}} {
		if number, err := application.NewNumber(test.place, kind.MustDate(test.day), test.serial); err == nil {
			t.Errorf("%v makes %s", test, number)
		}
	}
	if number, err := application.NewNumber("321323", kind.Date{}, 1); err == nil {
		t.Errorf("no day makes %s", number)
	}
	// A date that does not exist: 30 February, with a check digit that fits.
	for check := range 10 {
		if _, ok := application.ParseNumber("32132320260230000001" + string(rune('0'+check))); ok {
			t.Error("30 February passes")
		}
	}
}
