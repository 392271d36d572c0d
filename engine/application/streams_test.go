package application_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// streams are lives from submission to the end; together they hold every kind of event.
func streams() map[string][]act {
	return map[string][]act{
		// Two cases: one is corrected and ends with a tolerance that nobody supplied, the other is granted.
		"correction": {apply("shop badge", tolerate("own.shop.oath", "plan"), promise("own.shop.lease")), checked("shop", "audit", "narrow", "~old"), notify(item("badge", "own.badge.urgent")),
			on("03-18"), correct(answer("own.shop.size", 50)), as(plugin(), application.RecordCheck{Bundle: "shop", Step: "audit", Revision: 2, Attempt: 2, Failure: "timed_out"}),
			as(plugin(), application.RecordCheck{Bundle: "shop", Step: "audit", Revision: 2, Attempt: 3, Failure: "timed_out", GaveUp: true}), override("shop"), accept("badge"),
			supply("plan"), failed("badge", "print", "decide", 1, false), decided("badge", "print", application.Undetermined, 2), claim("badge", "print"), release("badge", "print"),
			pause("badge", "print", "TESTING"), on("03-19"), resume("badge", "print"), ask("badge", "print", "own.badge.urgent"), on("03-20"), correct(answer("own.badge.urgent", true)),
			approve("badge", "print"), issued("badge", "print", 1, "number", "N1"), approve("shop", "audit", "poor", true), verify("shop", "lease", false), on("03-30"), lapse},
		// The law's silence: at acceptance and of a step; a step that does not apply; a document that may be late.
		"silence": {noNewYear, apply("fair", answer("own.fair.shown", true), answer("own.fair.loud", false), tolerate("plan")), published, on("04-20"), lapse, approve("fair", "traffic"), supply("plan")},
		// Other ends.
		"ends": {apply("shop fair badge", answer("own.shop.trained", false), answer("own.fair.shown", true)), refuse("shop"), as(clerk(), application.Refuse{Bundle: "fair", Elsewhere: true, Reason: "请到邻县"}), withdraw("badge")},
		// Two who have submitted together; one of them takes the case back.
		"together": {apply("lease", confirmed("tenant", "owner")), accept("lease"), withdraw("lease")},
		// One case moves to another version before it is accepted, and another one afterwards.
		"moved": {apply("shop badge"), move("shop", edit{"- { field: remark", "- { field: staff, kind: INT, name: { zh: 人数 }, required: true }\n  - { field: remark"}, edit{"fields: [owner, own.remark]", "fields: [owner, own.remark, own.staff]"})(answer("own.shop.staff", 3)),
			checked("shop", "audit"), accept("shop"), accept("badge"), approve("shop", "licence", "number", "A1"), on("03-17"),
			move("shop", edit{"name: { zh: 归档 }\n    department: market", "name: { zh: 归档 }\n    department: police"})()},
		// A false promise: what was approved on it is revoked, by an officer and by a plugin, and it is repaired.
		"revoked": {apply("pledge", promise("own.pledge.title"), without("own.pledge.proof")), accept("pledge"), approve("pledge", "grant", "number", "G1"), verify("pledge", "title", false),
			func(p *play) {
				p.do(officer("market"), application.DecideTask{Task: p.state.FollowUps[0].Number, Approve: true, Reason: "承诺不实"})
			}, as(officer("police"), application.RepairPromise{Bundle: "pledge", Material: "title", Reason: "已履行"})},
		// Limits that come near, are extended and are missed.
		"limits": {apply("shop badge", tolerate("own.shop.oath"), promise("own.shop.lease")), checked("shop", "audit"), accept("badge"), accept("shop"), on("03-18"), extend("badge", "print", 2), extendCase("badge", 5),
			extendTolerance("shop", "oath", 2), on("04-20"), lapse},
		// Documents that are made of what happened, and served.
		"documents": {apply("badge"), accept("badge"), makeDocuments("受理〔2026〕1号"), on("03-17"), serve("受理〔2026〕1号", application.ServedDirectly)},
	}
}

// A stream that was stored is replayed for ever: its events, as bytes, make the state that is written beside it, and
// are what the same commands come to. What differs breaks what is stored.
func TestStreams(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for name, acts := range streams() {
		p := newPlay(t)
		for i, a := range acts {
			if a(p); p.err != nil {
				t.Fatalf("%s, %d: %v %v", name, i, p.err, wrong(p.err))
			}
		}
		var wire bytes.Buffer
		for _, e := range p.events {
			stored := proto.CloneOf(e)
			stored.Personal = nil
			if _, err := (protodelim.MarshalOptions{MarshalOptions: proto.MarshalOptions{Deterministic: true}}).MarshalTo(&wire, stored); err != nil {
				t.Fatal(err)
			}
		}
		if *update {
			write(t, name+".events", wire.Bytes())
			write(t, name+".txt", []byte(strings.Join(p.says(p.events), "\n")+"\n\n"+fingerprint(t, p.state)))
		}
		if stored := read(t, name+".events"); !bytes.Equal(stored, wire.Bytes()) {
			t.Errorf("%s: the commands come to other bytes than are stored", name)
		}
	}
	files, err := filepath.Glob("testdata/streams/*.events")
	if err != nil || len(files) < len(streams()) {
		t.Fatal(err, files)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".events")
		p := newPlay(t)
		p.choose("shop", "fair", "badge", "pledge", "lease")
		stored := bytes.NewReader(read(t, name+".events"))
		for {
			e := &applicationv1.Event{}
			if err := protodelim.UnmarshalFrom(stored, e); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if len(e.ProtoReflect().GetUnknown()) > 0 {
				t.Errorf("%s: there is something in an event that the schema does not know", name)
			}
			p.take([]*applicationv1.Event{e})
			seen[string(e.ProtoReflect().WhichOneof(e.ProtoReflect().Descriptor().Oneofs().ByName("kind")).Name())] = true
		}
		got := strings.Join(p.says(p.events), "\n") + "\n\n" + fingerprint(t, p.state)
		if diff := cmp.Diff(string(read(t, name+".txt")), got); diff != "" {
			t.Errorf("%s (-stored +replayed):\n%s", name, diff)
		}
	}
	for i := range kinds().Len() {
		if kind := string(kinds().Get(i).Name()); !seen[kind] {
			t.Errorf("no stream holds %s", kind)
		}
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "streams", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join("testdata", "streams"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", "streams", name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The four matters as they stand in the examples, on the records of their own tests: every step that applies is routed
// in its turn, and all of them are granted.
func TestMatters(t *testing.T) {
	t.Parallel()
	for _, bundle := range []string{"newborn", "first_employment", "retirement", "after_death"} {
		o := newOffice(t)
		text, err := os.ReadFile("../../examples/" + bundletest.File(bundle))
		if err != nil {
			t.Fatal(err)
		}
		tests, found := bundletest.Read(o.catalog.Bundles[bundle], bundletest.File(bundle), text, o.days)
		if found.Err() != nil {
			t.Fatal(found)
		}
		played := 0
		for _, test := range tests {
			p := newPlay(t)
			p.choose(bundle)
			today := test.Setting.Today
			p.on(today.String())
			p.world.Facts, p.world.Record, p.world.Plugins = test.Setting.Facts, test.Record, nil
			if p.world.Number, err = application.NewNumber("321323", today, 7); err != nil {
				t.Fatal(err)
			}
			var brought application.Documents
			for _, m := range o.catalog.Bundles[bundle].Materials {
				if slices.Contains(m.Sources, "APPLICANT") {
					brought.Files = append(brought.Files, file(m.Key))
				}
			}
			p.do(applicant(), application.Submit{Record: test.Record, Documents: brought})
			if p.err != nil || p.state.Cases[0].Verdict != "ELIGIBLE" {
				continue // the tests of the bundle say why
			}
			p.do(clerk(), application.Accept{Bundle: bundle, OverrideReason: "核验一致"})
			for p.err == nil && p.state.Cases[0].State == application.Accepted {
				i := slices.IndexFunc(p.state.Tasks, func(t *application.Task) bool { return !t.State.Settled() })
				if i < 0 {
					t.Fatalf("%s %s: no task is open", bundle, test.ID)
				}
				task := p.state.Tasks[i]
				p.do(officer(task.Department), application.DecideTask{Task: task.Number, Approve: true, Result: p.anyResult(bundle, task.Step)})
			}
			if c := p.state.Cases[0]; p.err != nil || c.Outcome != "GRANTED" {
				t.Fatalf("%s %s: %v %v, %s", bundle, test.ID, p.err, wrong(p.err), c.Outcome)
			}
			for _, step := range o.catalog.Bundles[bundle].Steps {
				task, skip := p.state.TaskOf(bundle, step.ID), p.state.Cases[0].Skip(step.ID)
				if applied := slices.Contains(p.state.Cases[0].Steps, step.ID); (task != nil) == (skip != nil) || task != nil && !applied {
					t.Errorf("%s %s: %s was routed %v, skipped %v, and applies %v", bundle, test.ID, step.ID, task != nil, skip != nil, applied)
				}
			}
			replays(p)
			played++
		}
		if played < 3 {
			t.Errorf("%s: only %d lives", bundle, played)
		}
	}
}

// anyResult is a result of a step that passes: a value of its kind for each field.
func (p *play) anyResult(bundle, step string) map[string]*structpb.Value {
	p.Helper()
	given := map[string]*structpb.Value{}
	for _, f := range p.world.Selection.Bundle(bundle).Step(step).Result {
		var v any
		switch f.Kind {
		case kind.KindText:
			v = "A123456789"
		case kind.KindBool:
			v = true
		case kind.KindInt:
			v = 6
		case kind.KindDecimal:
			v = "1.5"
		case kind.KindMoney:
			v = "100"
		case kind.KindDate:
			v = "2026-03-16"
		case kind.KindChoice:
			v = f.Options[0].ID
		case kind.KindCitizenNumber:
			v = "321323199001010014"
		default:
			p.Fatalf("%s.%s has a result of the kind %s", bundle, step, f.Kind)
		}
		given[f.ID], _ = structpb.NewValue(v)
	}
	return given
}
