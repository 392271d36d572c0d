package application_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/examples/holidays"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// world is a newborn's matter with the record of the bundle's first test, on the day of that test.
func world(t testing.TB) application.World {
	t.Helper()
	tree := os.DirFS("../../examples")
	c, found := catalog.Load(tree)
	if found.Err() != nil {
		t.Fatal(found)
	}
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if found.Err() != nil {
		t.Fatal(found)
	}
	text, err := os.ReadFile("../../examples/bundles/newborn/tests.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests, found := bundletest.Read(c.Bundles["newborn"], "tests.yaml", text, days)
	if found.Err() != nil {
		t.Fatal(found)
	}
	i := slices.IndexFunc(tests, func(x bundletest.Test) bool { return x.ID == "no_claim" })
	selection, err := catalog.Select(c.Bundles["newborn"])
	if err != nil {
		t.Fatal(err)
	}
	number, err := application.NewNumber("321323", tests[i].Setting.Today, 7)
	if err != nil {
		t.Fatal(err)
	}
	return application.World{Now: time.Date(2026, 3, 16, 9, 0, 0, 0, time.FixedZone("CST", 8*60*60)), Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT},
		Selection: selection, Calendar: days, Place: "321323", Number: number, Facts: tests[i].Setting.Facts, Record: tests[i].Record}
}

// play gives commands one after the other and returns every event.
func play(t testing.TB, w application.World, commands ...application.Command) (application.State, []*applicationv1.Event) {
	t.Helper()
	state := application.State{ID: "a"}
	var all []*applicationv1.Event
	for _, c := range commands {
		events, err := application.Decide(state, c, w)
		if err != nil {
			t.Fatalf("%T: %v", c, err)
		}
		for _, e := range events {
			state = application.Evolve(state, e)
		}
		all = append(all, events...)
	}
	return state, all
}

func submit(w application.World) application.Submit {
	return application.Submit{Record: w.Record, Documents: application.Documents{}}
}

// A case is filed, accepted by a clerk, and its first task opens; the same again gives the same bytes, and replaying the
// events gives the same state.
func TestDecide_SubmitAndAccept(t *testing.T) {
	t.Parallel()
	w := world(t)
	commands := []application.Command{submit(w), application.Accept{Bundle: "newborn", OverrideReason: "核验一致"}}
	state, events := play(t, w, commands...)
	_, again := play(t, w, commands...)
	for i, e := range events {
		one, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		two, err := proto.MarshalOptions{Deterministic: true}.Marshal(again[i])
		if err != nil || !slices.Equal(one, two) {
			t.Errorf("event %d differs when decided again", i)
		}
	}
	replayed := application.State{ID: "a"}
	for _, e := range events {
		stored := proto.CloneOf(e)
		stored.Personal = nil // Evolve needs no key
		replayed = application.Evolve(replayed, stored)
	}
	if diff := cmp.Diff(state, replayed, cmp.Comparer(func(a, b *applicationv1.Due) bool { return proto.Equal(a, b) }),
		cmp.Comparer(func(a, b *applicationv1.Actor) bool { return proto.Equal(a, b) })); diff != "" {
		t.Errorf("replayed without personal parts (-live +replayed):\n%s", diff)
	}
	if got := state.Case("newborn").State; got != application.Accepted {
		t.Errorf("the case is %s", got)
	}
	if state.TaskOf("newborn", "certificate") == nil || state.TaskOf("newborn", "household") != nil {
		t.Error("the certificate opens first, and the household waits for it")
	}
}

// No notice within five working days: the case is accepted as of receipt, whoever comes then with whatever.
func TestDecide_AcceptedBySilence(t *testing.T) {
	t.Parallel()
	w := world(t)
	state, _ := play(t, w, submit(w))
	w.Now = w.Now.AddDate(0, 0, 8) // 24 March; the fifth working day after 16 March is the 23rd
	events, err := application.Decide(state, application.Lapse{}, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		state = application.Evolve(state, e)
	}
	c := state.Case("newborn")
	if c.State != application.Accepted || c.AcceptedBy != applicationv1.Accepted_BY_SILENCE || c.AcceptedOn.String() != "2026-03-16" {
		t.Errorf("the case is %s by %v as of %s", c.State, c.AcceptedBy, c.AcceptedOn)
	}
}

// Evolve is total: any event on any state.
func FuzzEvolve(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(_ *testing.T, first, second []byte) {
		state := application.State{ID: "a"}
		for _, wire := range [][]byte{first, second, first} {
			e := &applicationv1.Event{}
			if proto.Unmarshal(wire, e) == nil {
				state = application.Evolve(state, e)
			}
		}
		_ = state.State()
	})
}
