package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// shared are the bundles in the binary, compiled once for all tests.
var shared = sync.OnceValues(func() (*catalog.Catalog, error) { return readBundles("") })

// newStage is a whole server without plugins, on a day of its own, whose log goes to logs. Its folder stays for another
// one to be started on it.
func newStage(t testing.TB, folder, day string, logs io.Writer, change ...func(*serverConfig)) *stage {
	t.Helper()
	return startStage(t, folder, day, "", logs, change...)
}

// startStage is one with plugins, if there is a folder of them.
func startStage(t testing.TB, folder, day, plugins string, logs io.Writer, change ...func(*serverConfig)) *stage {
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
	bundles, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	cfg := serverConfig{
		data: store.Folder(filepath.Join(folder, "data")), development: true, clock: st.clock, place: "321323", bundles: bundles, plugins: plugins, withoutPlugins: plugins == "",
		issuerListener: listen(), logger: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&cfg)
	}
	st.server, err = openServer(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	st.server.listenAPI(api)
	st.api, st.issuer = "http://"+api.Addr().String(), st.server.issuerURL
	return st
}

// lines is a log that many write to.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
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
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
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

// What the guide holds of a session is gone though nobody asks it anything more.
func TestServer_GuideForgets(t *testing.T) {
	t.Parallel()
	st := newStage(t, t.TempDir(), "2026-03-16", io.Discard)
	service := apiv1connect.NewGuideServiceClient(connect.NewClient(connecthttp.NewTransport(http.DefaultClient, st.api)))
	for session, want := range map[string]int{"": 0, uuid.NewString(): 1} { // in any order: each ends with nothing held
		if _, err := service.Assess(t.Context(), &apiv1.AssessRequest{Bundles: []string{"newborn"}, Session: session}); err != nil {
			t.Fatal(err)
		}
		if n := st.server.engine.Sessions(); n != want {
			t.Errorf("under the session %q %d are held", session, n)
		}
		for deadline := time.Now().Add(4 * time.Second); st.server.engine.Sessions() > 0; {
			if time.Now().After(deadline) {
				t.Fatal("it is held while the server runs")
			}
			st.clock.Advance(engine.SessionAge)
			<-time.After(5 * time.Millisecond)
		}
	}
	if _, err := service.Assess(t.Context(), &apiv1.AssessRequest{Session: "me"}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("a session that anybody can guess: %v", err)
	}
	st.stop(t)
}

// personal collects the values of a record that are somebody's: whatever is no option, no flag and no small number.
func personal(into map[string]string, path string, v *structpb.Value) {
	switch v.GetKind().(type) {
	case *structpb.Value_StringValue:
		text := v.GetStringValue()
		long := 0
		foreign := false
		for _, r := range text {
			foreign = foreign || r > unicode.MaxASCII
			if unicode.IsDigit(r) {
				long++
			}
		}
		// A day of the demonstration's own year stands in logs for other reasons.
		if (foreign || long >= 8) && !strings.HasPrefix(text, "2026-") {
			into[text] = path
		}
	case *structpb.Value_StructValue:
		for name, field := range v.GetStructValue().GetFields() {
			personal(into, path+"."+name, field)
		}
	case *structpb.Value_ListValue:
		for _, row := range v.GetListValue().GetValues() {
			personal(into, path, row)
		}
	}
}

// listed are the lists of the views, for every clerk, department, resident and number.
func listed(t testing.TB, v *view.Views, numbers, people []string, departments []string) map[string][]view.Row {
	t.Helper()
	all := map[string][]view.Row{}
	page := view.Page{Size: 1000}
	add := func(name string, rows []view.Row, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = rows
	}
	rows, _, err := v.Open(t.Context(), page)
	add("open", rows, err)
	rows, _, err = v.Review(t.Context(), "321323", page)
	add("review", rows, err)
	for _, d := range departments {
		rows, _, err = v.Tasks(t.Context(), view.TaskFilter{Department: d, Automatic: true}, page)
		add("tasks of "+d, rows, err)
	}
	for _, p := range people {
		rows, _, err = v.ByPerson(t.Context(), p, page)
		add("applications of "+p, rows, err)
	}
	for _, n := range numbers {
		row, err := v.Find(t.Context(), n)
		add("number "+n, []view.Row{row}, err)
	}
	return all
}

// After the whole demonstration: its log holds nothing of anybody, nor do the errors that it answers with; the views are
// those that a rebuild makes; and no stream is parked.
func TestServer_AfterAWholeDemonstration(t *testing.T) {
	t.Parallel()
	needPlugins(t)
	logs := &lines{}
	st := startStage(t, t.TempDir(), "2026-03-16", "../../build/plugins", logs)
	defer st.stop(t)
	ctx := t.Context()
	values, people := map[string]string{}, map[string]bool{}
	var numbers []string
	for _, s := range scenes() {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
		filing, err := s.play(ctx, st)
		if err != nil {
			t.Fatalf("%s: %v", s.title, err)
		}
		a, err := filing.Application(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, a.GetNumber())
		for path, v := range a.GetRecord().GetAnswers() {
			personal(values, path, v)
			if text := v.GetStringValue(); strings.HasSuffix(path, ".id_no") {
				people[st.server.engine.PersonDigest(text)] = true
			}
		}
		for _, c := range a.GetCases() {
			numbers = append(numbers, c.GetNumber())
			for _, task := range c.GetTasks() {
				if task.GetTask() != "" {
					numbers = append(numbers, task.GetTask())
				}
			}
		}
	}
	if len(values) < 50 || len(people) < 5 {
		t.Fatalf("only %d personal values of %d people", len(values), len(people))
	}

	// What a front end sends wrongly comes back as a path, never as a value.
	filing, err := st.as("resident").Begin(ctx, "newborn")
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{"form.mother.id_no": "321323199304180028", "form.mother.phone": "1381234560999", "form.newborn.birth_date": "二〇二六年三月"}
	answers := intake.Answers{}
	for path, text := range wrong {
		answers[path], values[text] = text, path
	}
	failed := filing.Save(ctx, answers)
	if failed == nil {
		failed = filing.Submit(ctx)
	}
	if failed == nil {
		t.Fatal("a record full of faults was filed")
	}
	said := fmt.Sprintf("%+v", failed)
	log := logs.String()
	if !strings.Contains(log, "IntakeService/Submit") {
		t.Fatal("the log has no calls")
	}
	for text, path := range values {
		if strings.Contains(log, text) {
			t.Errorf("the log holds the value of %s", path)
		}
		if strings.Contains(said, text) {
			t.Errorf("an error holds the value of %s", path)
		}
	}

	at := watchStage(t, st)
	forbidden := maps.Clone(values)
	for _, number := range numbers {
		forbidden[number] = "a number"
	}
	for digest := range people {
		forbidden[digest] = "a digest"
	}
	_, metrics := get(t, at, "/metrics")
	exposition(t, metrics, forbidden)

	for name, follower := range st.server.followers {
		if err := follower.Err(); err != nil {
			t.Errorf("follower %s: %v", name, err)
		}
	}

	// Nothing is written any more that the views could not have come to.
	var departments []string
	for id := range st.server.cfg.bundles.Library.Departments {
		departments = append(departments, id)
	}
	rebuilt, err := st.server.views.Rebuild(ctx, filepath.Join(t.TempDir(), "again"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rebuilt.Close(); err != nil {
			t.Error(err)
		}
	}()
	persons := slices.Collect(maps.Keys(people))
	if diff := cmp.Diff(listed(t, st.server.views, numbers, persons, departments), listed(t, rebuilt, numbers, persons, departments), protocmp.Transform(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the views differ from a rebuild (-in use +rebuilt):\n%s", diff)
	}
}

// needPlugins skips what runs on the built plugins where there are none: `make test` builds them first.
func needPlugins(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("../../build/plugins"); err != nil {
		t.Skip("needs built plugins: run make plugins")
	}
}
