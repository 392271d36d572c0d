package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// newStage is a whole server without plugins, on a day of its own, whose log goes to logs. Its folder stays for another
// one to be started on it.
func newStage(t testing.TB, folder, day string, logs io.Writer) *stage {
	t.Helper()
	st := &stage{clock: officeClock(day)}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	api := listen()
	var err error
	st.server, err = openServer(t.Context(), serverConfig{
		data: filepath.Join(folder, "data"), development: true, clock: st.clock, place: "321323", tree: examples.Tree(), withoutPlugins: true,
		issuerListener: listen(), logger: slog.New(slog.NewTextHandler(logs, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	st.server.listenAPI(api)
	st.api, st.issuer = "http://"+api.Addr().String(), st.server.issuerURL
	return st
}

// stop closes a server, once.
func (st *stage) stop(t testing.TB) {
	t.Helper()
	if err := st.server.close(); err != nil {
		t.Error(err)
	}
}

// birth is a birth in the county, with everything that is asked for.
func birth() brief {
	return brief{
		who: "resident", bundles: []string{"newborn"},
		answers: intake.Answers{
			"form.mother.name": "周雨桐", "form.mother.id_no": "321323199304180029", "form.mother.birth": "1993-04-18",
			"form.mother.phone": "13812345601", "form.mother.hukou": "here",
			"form.mother.live_addr": map[string]any{"region": "321323", "text": "众兴街道桃源路 18 号"},
			"form.father.name":      "许文博", "form.father.id_no": "321323199205160030", "form.father.birth": "1992-05-16",
			"form.father.phone": "13812345602", "form.father.hukou": "here", "form.father.live_addr": nil,
			"form.newborn.name": "许安然", "form.newborn.gender": "female", "form.newborn.birth_date": "2026-12-14",
			"form.newborn.birth_place": "in_county", "form.newborn.hospital": "县妇幼保健院", "form.newborn.cert_no": nil,
			"form.household_register.addr":      map[string]any{"region": "321323", "text": "众兴街道桃源路 18 号"},
			"form.household_register.head_name": "周国强", "form.household_register.head_id": "32132319660918035X",
			"form.household_register.kind": "family", "form.household_register.station": nil,
			"form.agent.is_agent": false, "form.delivery.method": "counter",
			"own.newborn.single_parent": false, "own.newborn.wedlock": "married", "own.newborn.agreed": true,
			"own.newborn.insured": false, "own.newborn.insure_year": 2026, "own.newborn.card_bank": "rural",
		},
		uploads: []string{"id_card.mother", "id_card.father", "household_book", "marriage_certificate.mother"},
	}
}

// dates are the entries of a timeline that say a date, by kind.
func dates(a *apiv1.Application, kind string) []string {
	var texts []string
	for _, entry := range a.GetTimeline() {
		if entry.GetKind() == kind {
			texts = append(texts, entry.GetText().GetZh())
		}
	}
	return texts
}

// calendar2027 is the calendar in force with a year that nobody has published; its only holiday is made up.
const calendar2027 = `
  - year: 2027
    source: { title: 测试用 2027 年安排, address: "https://example.org/2027" }
    holidays:
      - { name: 元旦, from: 2027-01-01, to: 2027-01-03 }
    workdays: []
`

func TestServer_APublishedCalendarSettlesDates(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	st := newStage(t, folder, "2026-12-28", io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	filing, err := st.file(ctx, birth())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.accept(ctx, filing, "newborn"); err != nil {
		t.Fatal(err)
	}
	before, err := filing.Application(ctx)
	if err != nil {
		t.Fatal(err)
	}
	accepted := dates(before, "accepted")
	if len(accepted) != 1 || !strings.Contains(accepted[0], "日期待定，最早 2027-01-") {
		t.Fatalf("before 2027 is published: %v", accepted)
	}
	if due := before.GetCases()[0].GetDue(); due.GetDate() != "" || due.GetEarliest() == "" {
		t.Fatalf("before 2027 is published the date is %v", due)
	}

	// The operator publishes it, and the server is stopped before its follower may have come to it.
	text := append(slices.Clone(holidays.Source()), calendar2027...)
	if _, err := st.server.engine.Publish(ctx, "calendar-2027", "operator", registry.PublishCalendar{Name: holidays.File, Text: text}); err != nil {
		t.Fatal(err)
	}
	st.stop(t)
	st = newStage(t, folder, "2026-12-28", io.Discard)
	defer st.stop(t)
	number := filing.Number
	var after *apiv1.Application
	_, err = st.as("resident").Filed(filing.ID).Until(ctx, func(a *apiv1.Application) (bool, error) {
		after = a
		return a.GetCases()[0].GetDue().GetDate() != "", nil
	})
	if err != nil {
		t.Fatalf("application %s: %v", number, err)
	}
	if settled := dates(after, "due_settled"); !slices.ContainsFunc(settled, func(s string) bool {
		return strings.Contains(s, "“新生儿出生一件事”") && strings.Contains(s, "2027-01-")
	}) {
		t.Errorf("the timeline says %v", settled)
	}
	for _, entry := range dates(after, "due_settled") {
		if strings.Contains(entry, "待定") {
			t.Errorf("the timeline says %q", entry)
		}
	}
}

func TestServer_ExpiredDraftsGoWithTheirKeys(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	st := newStage(t, folder, "2026-03-16", io.Discard)
	filing, err := st.as("resident").Begin(t.Context(), "newborn")
	if err != nil {
		t.Fatal(err)
	}
	// Of what is sealed with a key nothing is left once the key is gone.
	keyLives := func() bool {
		_, err := st.server.keys.Seal(t.Context(), seal.ForApplication(filing.ID), []byte("x"), nil)
		return err == nil
	}
	if !keyLives() {
		t.Fatal("a draft without a key")
	}
	st.clock.Advance(draft.DefaultLifetime - time.Minute)
	if !keyLives() {
		t.Error("gone before its time")
	}
	st.clock.Advance(2 * time.Hour) // the server runs on
	for deadline := time.Now().Add(4 * time.Second); keyLives(); {
		if time.Now().After(deadline) {
			t.Fatal("an expired draft keeps its key while the server runs")
		}
		st.clock.Advance(time.Hour)
		<-time.After(5 * time.Millisecond)
	}
	st.stop(t)
}
