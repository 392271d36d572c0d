package document_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/document"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file, byte for byte.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case bytes.Equal(want, got):
	case strings.HasSuffix(name, ".pdf"):
		t.Errorf("%s: %d bytes that are not the %d stored ones; look at it before you run with -update", name, len(got), len(want))
	default:
		t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(string(want), string(got)))
	}
}

// Each kind of document as HTML and PDF, byte for byte: the same events give the same documents. To look at them: open
// testdata/*.html and testdata/*.pdf.
func TestGolden(t *testing.T) {
	t.Parallel()
	printer, err := document.NewPrinter()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[document.Kind]int{}
	for _, d := range slices.Concat(eventful(t).documents(), plain(t).documents()) {
		name := strings.ToLower(string(d.Kind))
		if seen[d.Kind]++; seen[d.Kind] > 1 {
			name += fmt.Sprint(seen[d.Kind])
		}
		page, err := document.HTML(d)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".html", page)
		sheet, err := printer.PDF(d)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".pdf", sheet)
	}
	for _, k := range document.Kinds() {
		if seen[k] == 0 {
			t.Errorf("no document is a %s", k)
		}
	}
}

// The numbers of an application's documents: kind, year, number of what it is about, and never one twice, however far the
// application has come.
func TestAll_NumbersStay(t *testing.T) {
	t.Parallel()
	o := eventful(t)
	numbers := func(documents []*document.Document) (all []string) {
		for _, d := range documents {
			all = append(all, fmt.Sprintf("%d %s", d.Event, d.Number))
		}
		return all
	}
	whole := numbers(o.documents())
	golden(t, "numbers.txt", []byte(strings.Join(whole, "\n")+"\n"))
	given := map[string]bool{}
	for _, d := range o.documents() {
		if given[d.Number] {
			t.Errorf("%s is given twice", d.Number)
		}
		given[d.Number] = true
	}
	for n := range o.events {
		part := numbers(document.All(o.events[:n], o.world.Selection, setting()))
		if diff := cmp.Diff(whole[:len(part)], part, cmp.Transformer("none", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
			t.Fatalf("after %d events (-whole +part):\n%s", n, diff)
		}
	}
}

// Only the events that GivesRise names make documents, and it can tell from their public parts.
func TestGivesRise(t *testing.T) {
	t.Parallel()
	o := eventful(t)
	made := map[int64]bool{}
	for _, d := range o.documents() {
		made[d.Event] = true
	}
	for i, e := range o.events {
		public := &applicationv1.Event{Kind: e.GetKind()}
		if made[int64(i+1)] && !document.GivesRise(public) {
			t.Errorf("a document is made of event %d, %T", i+1, e.GetKind())
		}
	}
	for _, kind := range []*applicationv1.Event{nil, {}, {Kind: &applicationv1.Event_TaskDecided{TaskDecided: &applicationv1.TaskDecided{Outcome: application.Approved}}},
		{Kind: &applicationv1.Event_DocumentMade{}}} {
		if document.GivesRise(kind) {
			t.Errorf("%v", kind)
		}
	}
}

// What depends on the case at hand, beside the golden files.
func TestAll_Says(t *testing.T) {
	t.Parallel()
	last := func(o *office) string {
		documents := o.documents()
		page, err := document.HTML(documents[len(documents)-1])
		if err != nil {
			t.Fatal(err)
		}
		return string(page)
	}
	for _, test := range []struct {
		name string
		do   func(*office)
		want []string
	}{
		{"accepted by silence", func(o *office) {
			o.on("2026-05-20 09:00")
			o.do(byClerk, "", application.Lapse{})
		}, []string{"自收到申请材料之日起即为受理", "2026年4月24日", "第三十二条第一款第四项"}},
		{"another office's", func(o *office) {
			o.do(byClerk, "", application.Refuse{Bundle: "sign", Elsewhere: true, Reason: "请到市城市管理局申请"})
		},
			[]string{"不属于本机关职权范围", "第三十二条第一款第二项", "请到市城市管理局申请", "行政复议"}},
		{"the whole case is extended", func(o *office) {
			o.do(byClerk, "", application.Accept{Bundle: "sign"})
			o.take(&applicationv1.Event{Kind: &applicationv1.Event_Extended{Extended: &applicationv1.Extended{Bundle: "sign", Days: 15, Due: &applicationv1.Due{Earliest: "2027-01-04"}}}})
		}, []string{"经本级人民政府负责人批准", "15个工作日", "尚未确定，最早为2027年1月4日"}},
		{"served over the API", func(o *office) {
			o.do(byClerk, "", application.Accept{Bundle: "sign"})
			o.serve(document.Acceptance, application.ServedElectronically, "")
		}, []string{"电子送达", "《受理通知书》受理〔2026〕", "受送达人登录系统确认收到"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, "sign")
			o.do(byApplicant, "", application.Submit{Record: o.record(map[string]any{"form.owner.id_no": "321323199001010014", "form.owner.name": "周某某", "own.sign.height": 3}),
				Documents: application.Documents{Files: []*applicationv1.MaterialFile{upload("own.sign.photo")}}})
			test.do(o)
			page := last(o)
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("says nothing of %q:\n%s", want, page)
				}
			}
		})
	}
}

// A task that looks after a false promise decides nothing about what was applied for.
func TestAll_FollowUp(t *testing.T) {
	t.Parallel()
	o := plain(t)
	before := len(o.documents())
	const number = "32132320260424000007010099"
	o.take(&applicationv1.Event{Kind: &applicationv1.Event_TaskOpened{TaskOpened: &applicationv1.TaskOpened{Task: number, Bundle: "sign", Step: "permit", Department: "market", Purpose: application.IfFalseCorrect}}},
		&applicationv1.Event{Kind: &applicationv1.Event_TaskDecided{TaskDecided: &applicationv1.TaskDecided{Task: number, Outcome: application.Rejected}}, Personal: &applicationv1.Personal{Reason: "未改正"}})
	if after := o.documents(); len(after) != before {
		t.Errorf("made a %s", after[before].Kind)
	}
}

// Where the key is gone there are no names, and events may lack whatever they are about; still nothing panics.
func TestAll_Forgotten(t *testing.T) {
	t.Parallel()
	o := eventful(t)
	var public []*applicationv1.Event
	for _, e := range o.events {
		public = append(public, &applicationv1.Event{At: e.GetAt(), Actor: e.GetActor(), Kind: e.GetKind()})
	}
	for _, events := range [][]*applicationv1.Event{public, public[3:], {{}, nil}} {
		for _, d := range document.All(events, o.world.Selection, setting()) {
			if page, err := document.HTML(d); err != nil || strings.Contains(string(page), "周某某") {
				t.Errorf("%s: %v", d.Number, err)
			}
		}
	}
}
