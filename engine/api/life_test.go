package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/connect/v2/connectproto"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/api"
	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/holidays"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// The mother, the father and a stranger of the tests; made up, with valid check digits.
const (
	mother   = "321323199604120423"
	father   = "321323199408030316"
	stranger = "11010519491231002X"
)

// house is a whole engine on disk behind a real port. Plugins are installed by name but offer no hook, so officers do
// every step.
type house struct {
	engine *engine.Engine
	views  *view.Views
	url    string
	http   *http.Client
	log    commitlog.Log
	keys   *seal.Store
	blobs  string // folder of the files

	mu  sync.Mutex
	now time.Time
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// matters are the four matters, loaded once for all tests.
var matters = sync.OnceValues(func() (*catalog.Catalog, error) {
	c, found := catalog.Load(examples.Only(examples.Matters()...))
	return c, found.Err()
})

// compiled is what comes of their bundles, shared by all tests.
var compiled = sync.OnceValue(func() *catalog.Compiled {
	c, _ := matters()
	return c.Compiled()
})

func newHouse(t testing.TB, change ...func(*engine.Config)) *house {
	t.Helper()
	tree, err := matters()
	if err != nil {
		t.Fatal(err)
	}
	return newHouseWith(t, tree, compiled(), change...)
}

// newHouseOf is a house with the bundles of a tree.
func newHouseOf(t testing.TB, files fs.FS) *house {
	t.Helper()
	tree, found := catalog.Load(files)
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return newHouseWith(t, tree, tree.Compiled())
}

func newHouseWith(t testing.TB, tree *catalog.Catalog, compiled *catalog.Compiled, change ...func(*engine.Config)) *house {
	t.Helper()
	zone := time.FixedZone("CST", 8*60*60)
	h := &house{now: time.Date(2026, 3, 16, 9, 0, 0, 0, zone)}
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(dir, "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
	must(err)
	t.Cleanup(func() { must(log.Close()) })
	h.log = log
	keyset := filepath.Join(dir, "key.json")
	must(seal.GenerateKeyset(keyset))
	kek, err := seal.ReadKeyset(keyset)
	must(err)
	keys, err := seal.Open(seal.Config{Dir: filepath.Join(dir, "keys"), KeyEncryption: kek})
	must(err)
	t.Cleanup(func() { must(keys.Close()) })
	h.keys = keys
	h.blobs = filepath.Join(dir, "blobs")
	blobs, err := blob.Open(h.blobs)
	must(err)
	t.Cleanup(func() { must(blobs.Close()) })
	drafts, err := draft.Open(t.Context(), draft.Config{Dir: filepath.Join(dir, "drafts"), Keys: keys, Now: h.clock, Logger: slog.New(slog.DiscardHandler),
		Submitted: func(ctx context.Context, id string) (bool, error) {
			for _, err := range log.Read(ctx, engine.Stream(id), 0) {
				return err == nil, err
			}
			return false, nil
		}})
	must(err)
	t.Cleanup(func() { must(drafts.Close()) })
	bundleDrafts, err := bundledraft.Open(bundledraft.Config{Dir: filepath.Join(dir, "bundle-drafts"), Now: h.clock, Logger: slog.New(slog.DiscardHandler)})
	must(err)
	t.Cleanup(func() { must(bundleDrafts.Close()) })
	offered := map[string]bool{}
	for _, b := range tree.Bundles {
		for _, s := range b.Steps {
			offered[s.Plugin] = true
		}
	}
	config := engine.Config{Log: log, Keys: keys, Blobs: blobs, Drafts: drafts, BundleDrafts: bundleDrafts, Now: h.clock, Place: "321323", Offered: offered, Compiled: compiled, Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&config)
	}
	h.engine, err = engine.Open(t.Context(), config)
	must(err)
	must(h.engine.Seed(t.Context(), engine.Seed{Catalog: tree, CalendarName: holidays.File, Calendar: holidays.Source()}))
	h.views, err = view.Open(view.Config{Dir: filepath.Join(dir, "views"), Log: log, Keys: keys, Logger: slog.New(slog.DiscardHandler)})
	must(err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.views.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done; must(h.views.Close()) })

	digest := h.engine.PersonDigest
	identities := tokens{
		"mother":   {Subject: "r-1", Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: digest(mother)},
		"father":   {Subject: "r-2", Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: digest(father)},
		"both":     {Subject: "r-1", Roles: []accessv1.Role{accessv1.Role_ROLE_COMPANY, accessv1.Role_ROLE_RESIDENT}, Person: digest(mother), Enterprise: digest("91321323MA1EXAMPL0")},
		"stranger": {Subject: "r-3", Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: digest(stranger)},
		"author":   {Subject: "f-1", Roles: []accessv1.Role{accessv1.Role_ROLE_CONFIGURATOR}},
		"second":   {Subject: "f-2", Roles: []accessv1.Role{accessv1.Role_ROLE_CONFIGURATOR}},
		"operator": {Subject: "p-1", Roles: []accessv1.Role{accessv1.Role_ROLE_OPERATOR}},
		"clerk":    {Subject: "c-1", Roles: []accessv1.Role{accessv1.Role_ROLE_CLERK}},
	}
	for id := range tree.Library.Departments {
		identities[id] = access.Identity{Subject: "o-" + id, Roles: []accessv1.Role{accessv1.Role_ROLE_OFFICER}, Department: id}
	}
	server := httptest.NewUnstartedServer(api.New(api.Config{Engine: h.engine, Views: h.views, Tokens: identities, Logger: slog.New(slog.DiscardHandler), Clock: h.clock, Origins: []string{"https://front.example"}}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	h.url, h.http = server.URL, server.Client()
	return h
}

// as is a client that calls as somebody; "" has not signed in.
func (h *house) as(who string, options ...connecthttp.Option) *connect.Client {
	sign := func(next connect.ClientFunc) connect.ClientFunc {
		return func(ctx context.Context, spec connect.Spec) (connect.ClientStream, error) {
			if info, ok := connect.CallInfoForClientContext(ctx); ok && who != "" {
				info.RequestHeader().Set("Authorization", "Bearer "+who)
			}
			return next(ctx, spec)
		}
	}
	return connect.NewClient(connecthttp.NewTransport(h.http, h.url, options...), sign)
}

func (h *house) intake(who string) apiv1connect.IntakeServiceClient {
	return apiv1connect.NewIntakeServiceClient(h.as(who))
}

// record is a record as JSON would have it.
func record(t testing.TB, text string) *formsv1.Record {
	t.Helper()
	answers := map[string]any{}
	if err := json.Unmarshal([]byte(text), &answers); err != nil {
		t.Fatal(err)
	}
	r := &formsv1.Record{Answers: map[string]*structpb.Value{}}
	for p, v := range answers {
		value, err := structpb.NewValue(v)
		if err != nil {
			t.Fatal(err)
		}
		r.Answers[p] = value
	}
	return r
}

// newborn is a newborn's record for which no allowance is claimed; everything is there.
const newborn = `{
  "form.mother.name": "周晓岚", "form.mother.id_no": "321323199604120423", "form.mother.birth": "1996-04-12", "form.mother.phone": "13812345601", "form.mother.hukou": "here",
  "form.mother.live_addr": {"region": "321323", "text": "众兴街道桃源路 18 号"},
  "form.father.name": "陈立新", "form.father.id_no": "321323199408030316", "form.father.birth": "1994-08-03", "form.father.phone": "13812345602", "form.father.hukou": "here",
  "form.newborn.name": "陈予安", "form.newborn.gender": "female", "form.newborn.birth_date": "2026-03-02", "form.newborn.birth_place": "in_county", "form.newborn.hospital": "县妇幼保健院", "form.newborn.cert_no": null,
  "form.household_register.addr": {"region": "321323", "text": "众兴街道桃源路 18 号"}, "form.household_register.head_name": "陈国强", "form.household_register.head_id": "32132319660918035X", "form.household_register.kind": "family",
  "form.agent.is_agent": false, "form.delivery.method": "counter",
  "own.newborn.single_parent": false, "own.newborn.wedlock": "married", "own.newborn.agreed": true, "own.newborn.insured": false, "own.newborn.insure_year": 2026, "own.newborn.card_bank": "rural"}`

// file drafts and files a newborn's application as the mother; for some materials she promises.
func (h *house) file(t testing.TB, promised ...string) *apiv1.SubmitResponse {
	t.Helper()
	intake := h.intake("mother")
	created, err := intake.CreateDraft(t.Context(), &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, newborn)})
	if err != nil {
		t.Fatal(explain(err))
	}
	for key, m := range created.GetChange().GetChanged().GetMaterials() {
		if slices.Contains(promised, key) {
			if _, err := intake.Promise(t.Context(), &apiv1.PromiseRequest{RequestId: uuid.NewString(), Draft: created.GetDraft().GetDraft(), Material: key, Text: m.GetPromise().GetZh()}); err != nil {
				t.Fatal(explain(err))
			}
			continue
		}
		if m.GetAsked() == apiv1.Truth_TRUTH_YES && m.GetRequired() && slices.Contains(m.GetSources(), "APPLICANT") {
			if _, err := intake.PutMaterial(t.Context(), &apiv1.PutMaterialRequest{Header: &apiv1.UploadHeader{RequestId: uuid.NewString(), Application: created.GetDraft().GetDraft(),
				Material: key, Name: "扫描件.pdf", MediaType: "application/pdf"}, Content: []byte("%PDF-1.7 scan")}); err != nil {
				t.Fatal(explain(err))
			}
		}
	}
	d, err := intake.GetDraft(t.Context(), &apiv1.GetDraftRequest{Draft: created.GetDraft().GetDraft()})
	if err != nil {
		t.Fatal(explain(err))
	}
	filed, err := intake.Submit(t.Context(), &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: d.GetDraft().GetDraft(), ExpectedVersion: d.GetDraft().GetRevision()})
	if err != nil {
		t.Fatal(explain(err))
	}
	return filed
}

// explain is an error with what its detail says.
func explain(err error) error {
	var refused *connect.Error
	if !errors.As(err, &refused) {
		return err
	}
	for _, detail := range refused.Details() {
		if message, unmarshalErr := connectproto.UnmarshalErrorDetail(detail); unmarshalErr == nil {
			err = errors.Join(err, errors.New(protojsonText(message)))
		}
	}
	return err
}

// grant approves every step of a newborn's case, as officers do, and returns the position of the last decision.
func (h *house) grant(t testing.TB, position uint64) uint64 {
	t.Helper()
	results := map[string]string{
		"certificate": `{"number": "X320101001"}`, "vaccination": `{"file_no": "321323202600001"}`, "household": `{"id_no": "32132320260302002X", "registered_on": "2026-03-16"}`,
		"insurance": `{"insured_no": "32132300001"}`, "premium": `{"amount": "400.00"}`, "card": `{"issued_on": "2026-03-16"}`,
	}
	for range 10 {
		done := true
		for _, department := range []string{"health", "public_security", "medical_insurance", "tax", "hrss"} {
			tasks := apiv1connect.NewTaskServiceClient(h.as(department))
			open, err := tasks.ListTasks(t.Context(), &apiv1.ListTasksRequest{AtLeastPosition: position})
			if err != nil {
				t.Fatal(explain(err))
			}
			for _, task := range open.GetTasks() {
				done = false
				seen, err := tasks.GetTask(t.Context(), &apiv1.GetTaskRequest{Task: task.GetTask()})
				if err != nil {
					t.Fatal(explain(err))
				}
				if department == "tax" {
					for p := range seen.GetRecord().GetAnswers() {
						if !slices.Contains([]string{"form.newborn.name", "own.newborn.insure_year", "form.mother.name", "form.mother.id_no", "form.mother.phone"}, p) {
							t.Errorf("the tax office sees %s, which its step does not need", p)
						}
					}
				}
				decided, err := tasks.DecideTask(t.Context(), &apiv1.DecideTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), ExpectedVersion: task.GetVersion(), Approve: true,
					Result: record(t, results[task.GetStep()]).GetAnswers()})
				if err != nil {
					t.Fatalf("decide %s: %v", task.GetStep(), explain(err))
				}
				position = decided.GetPosition()
			}
		}
		if done {
			break
		}
	}
	return position
}

// A newborn's application, from the draft to every result, with officers at every step, over a real port.
func TestLife_Newborn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	filed := h.file(t)
	review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
	queue, err := review.ListCases(t.Context(), &apiv1.ListCasesRequest{AtLeastPosition: filed.GetPosition()})
	if err != nil || len(queue.GetCases()) != 1 {
		t.Fatalf("review queue: %v, %v", queue, explain(err))
	}
	accepted, err := review.Accept(t.Context(), &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", ExpectedVersion: queue.GetCases()[0].GetVersion(),
		OverrideReason: "户籍系统核验一致"})
	if err != nil {
		t.Fatal(explain(err))
	}
	position := h.grant(t, accepted.GetPosition())
	got, err := h.intake("father").GetApplication(t.Context(), &apiv1.GetApplicationRequest{Application: filed.GetApplication()})
	if err != nil {
		t.Fatal(explain(err))
	}
	app := got.GetApplication()
	if app.GetState() != "COMPLETED" || app.GetCases()[0].GetOutcome() != "GRANTED" {
		t.Errorf("the application is %s, its case %s", app.GetState(), app.GetCases()[0].GetOutcome())
	}
	if n := len(app.GetTimeline()); n < 10 {
		t.Errorf("the timeline has %d entries", n)
	}
	mine, err := h.intake("mother").ListApplications(t.Context(), &apiv1.ListApplicationsRequest{AtLeastPosition: position})
	if err != nil || len(mine.GetApplications()) != 1 {
		t.Errorf("the mother's applications: %v, %v", mine, explain(err))
	}
}

// What is not one's own is not there.
func TestLife_Stranger(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	filed := h.file(t)
	who := h.intake("stranger")
	for name, call := range map[string]func() error{
		"get": func() error {
			_, err := who.GetApplication(t.Context(), &apiv1.GetApplicationRequest{Application: filed.GetApplication()})
			return err
		},
		"withdraw": func() error {
			_, err := who.Withdraw(t.Context(), &apiv1.WithdrawRequest{RequestId: uuid.NewString(), Application: filed.GetApplication()})
			return err
		},
		"watch": func() error {
			stream, err := who.Watch(t.Context(), &apiv1.WatchRequest{Application: filed.GetApplication()})
			if err != nil {
				return err
			}
			_, err = stream.Receive()
			return err
		},
		"task": func() error {
			review := apiv1connect.NewReviewServiceClient(h.as("clerk"))
			accepted, err := review.Accept(t.Context(), &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: filed.GetApplication(), Bundle: "newborn", OverrideReason: "核验一致"})
			if err != nil {
				t.Fatal(explain(err))
			}
			open, err := apiv1connect.NewTaskServiceClient(h.as("health")).ListTasks(t.Context(), &apiv1.ListTasksRequest{AtLeastPosition: accepted.GetPosition()})
			if err != nil || len(open.GetTasks()) == 0 {
				t.Fatalf("tasks of health: %v, %v", open, explain(err))
			}
			_, err = apiv1connect.NewTaskServiceClient(h.as("tax")).GetTask(t.Context(), &apiv1.GetTaskRequest{Task: open.GetTasks()[0].GetTask()})
			return err
		},
	} {
		if err := call(); connect.CodeOf(err) != connect.CodeNotFound && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want not_found", name, explain(err))
		}
	}
}
