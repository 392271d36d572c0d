package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// answersOf are answers to the questions of a newborn's parents, and of a family with a list.
func answersOf(t testing.TB) map[string]*structpb.Value {
	t.Helper()
	answers := map[string]*structpb.Value{}
	for _, text := range []string{newborn, `{"form.family_members.list": [{"name": "石永贵", "relation": "self", "disabled": false}, {"relation": "child"}],
		"form.family_economy.members": 2, "own.identity": "illness", "own.charity": true}`} {
		var some map[string]any
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			t.Fatal(err)
		}
		for p, v := range some {
			value, err := structpb.NewValue(v)
			if err != nil {
				t.Fatal(err)
			}
			answers[p] = value
		}
	}
	return answers
}

// otherwise are other answers to the same questions, and wrong ones.
var otherwise = map[string]any{
	"form.mother.hukou": "nowhere", "form.newborn.birth_date": "2026-02-30", "form.mother.live_addr": map[string]any{"region": "32132"}, "form.father.id_no": nil,
	"own.newborn.single_parent": "yes", "own.newborn.insured": true, "form.father.hukou": "elsewhere", "form.family_members.list": []any{map[string]any{"disabled": true}, map[string]any{"birth": 1}},
	"form.family_economy.members": "two", "form.nobody.asks": true, "form.nobody.asks.more": true,
}

// houseWithLists is a house that serves a matter with lists too.
func houseWithLists(t testing.TB) *house {
	t.Helper()
	h := open(t, t.TempDir(), nil)
	h.publishMatter(t, "medical_aid", func(text string) string { return text })
	return h
}

func (h *house) publishMatter(t testing.TB, id string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile("../examples/" + catalog.BundleFile(id))
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(text))
	if _, err := h.Publish(t.Context(), fmt.Sprintf("%s %d", id, len(changed)), "author", registry.PublishBundle{Name: catalog.BundleFile(id), Text: []byte(changed), Reason: "test"}); err != nil {
		t.Fatal(err)
	}
}

// What the guide says follows from what it is asked, whatever it was asked before under the same session: of the same
// answers or of others, wrong ones, of a list or taken back; about other matters, at another place or on another day.
func TestAssess_Session(t *testing.T) {
	t.Parallel()
	h := houseWithLists(t)
	start, right := h.now, answersOf(t)
	wrong := map[string]*structpb.Value{}
	for p, v := range otherwise {
		value, err := structpb.NewValue(v)
		if err != nil {
			t.Fatal(err)
		}
		wrong[p] = value
	}
	paths := slices.Sorted(maps.Keys(right))
	wrongPaths := slices.Sorted(maps.Keys(wrong))
	held, runs := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		h.now = start
		runs++ // each begins with a session of which nothing is held
		draw := func(label string, most int) map[string]*structpb.Value {
			some := map[string]*structpb.Value{}
			for range rapid.IntRange(0, most).Draw(t, label) {
				if rapid.IntRange(0, 3).Draw(t, "wrong") == 0 {
					p := rapid.SampledFrom(wrongPaths).Draw(t, "path")
					some[p] = wrong[p]
				} else {
					p := rapid.SampledFrom(paths).Draw(t, "path")
					some[p] = right[p]
				}
			}
			return some
		}
		answers := draw("answers", 40)
		q := engine.Query{Bundles: []string{"newborn", "medical_aid"}, Session: fmt.Sprint(runs)}
		for range rapid.IntRange(1, 5).Draw(t, "calls") {
			switch rapid.IntRange(0, 12).Draw(t, "otherwise") {
			case 0:
				q.Bundles = rapid.SampledFrom([][]string{nil, {"newborn"}, {"medical_aid", "newborn"}}).Draw(t, "bundles")
			case 1:
				q.Place = rapid.SampledFrom([]string{"", "321302"}).Draw(t, "place")
			case 2:
				h.now = h.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, 3 * time.Minute, 400 * 24 * time.Hour, -time.Hour}).Draw(t, "later"))
			case 3:
				answers = draw("other answers", 10)
			}
			q.Answers, q.Changes = maps.Clone(answers), draw("changes", 2)
			q.Cleared = rapid.SliceOfNDistinct(rapid.SampledFrom(append(slices.Sorted(maps.Keys(answers)), wrongPaths...)), 0, 2, rapid.ID).Draw(t, "cleared")
			before, after, err := h.Assess(q)
			if err != nil {
				t.Fatal(err)
			}
			place := q.Place
			if place == "" {
				place = h.Place()
			}
			was := assessAnew(t, h, q.Bundles, place, answers)
			maps.Copy(answers, q.Changes)
			for _, p := range q.Cleared {
				delete(answers, p)
			}
			is := assessAnew(t, h, q.Bundles, place, answers)
			same(t, was, before)
			same(t, is, after)
			changeAnew, err := engine.Change(was, is)
			if err != nil {
				t.Fatal(err)
			}
			if change, err := engine.Change(before, after); err != nil || !proto.Equal(changeAnew, change) {
				t.Fatalf("another change (-anew +session), %v:\n%s", err, cmp.Diff(changeAnew, change, protocmp.Transform()))
			}
		}
		held = max(held, h.Sessions())
	})
	if held == 0 {
		t.Error("nothing was held")
	}
}

func assessAnew(t *rapid.T, h *house, bundles []string, place string, answers map[string]*structpb.Value) *engine.Assessed {
	a, err := engine.AssessAnew(h.Engine, bundles, place, maps.Clone(answers))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func same(t *rapid.T, want, got *engine.Assessed) {
	message := func(a *engine.Assessed) *apiv1.Assessment {
		m, err := a.Message()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if a, b := message(want), message(got); !proto.Equal(a, b) {
		t.Fatalf("another assessment (-anew +session):\n%s", cmp.Diff(a, b, protocmp.Transform()))
	}
	if !reflect.DeepEqual(want.Unreadable, got.Unreadable) {
		t.Fatalf("other answers cannot be read: %v, anew %v", got.Unreadable, want.Unreadable)
	}
}

// What is published is what the next call is answered by, under a session and without one; so is the next day.
func TestAssess_Published(t *testing.T) {
	t.Parallel()
	h := houseWithLists(t)
	old := answersOf(t)
	old["form.newborn.birth_date"] = structpb.NewStringValue("2020-01-01")
	infant := func() (texts []string) {
		t.Helper()
		for _, session := range []string{"", "s"} {
			_, after, err := h.Assess(engine.Query{Bundles: []string{"newborn"}, Answers: old, Session: session})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range after.Case("newborn").Rules {
				if r.ID == "infant" {
					texts = append(texts, r.Outcome.Truth.String())
				}
			}
		}
		return texts
	}
	if got := infant(); !slices.Equal(got, []string{"false", "false"}) {
		t.Errorf("of six years: %v", got)
	}
	h.publishMatter(t, "newborn", func(text string) string {
		return strings.Replace(text, "months_between(form.newborn.birth_date, today) < 12", "months_between(form.newborn.birth_date, today) < 120", 1)
	})
	if got := infant(); !slices.Equal(got, []string{"true", "true"}) {
		t.Errorf("of six years, where ten are enough: %v", got)
	}
	h.now = h.now.AddDate(5, 0, 0)
	if got := infant(); !slices.Equal(got, []string{"false", "false"}) {
		t.Errorf("five years later: %v", got)
	}
}

// Whoever asks of all matters is answered though one of them has another version of a section than the others: that one is
// named, and asked about alone. The verdict on it is told with the others'.
func TestAssess_AllThatGoTogether(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	tree, err := matters()
	if err != nil {
		t.Fatal(err)
	}
	_, after, err := h.Assess(engine.Query{})
	if err != nil || len(after.Cases) != len(tree.Bundles) || len(after.LeftOut) > 0 {
		t.Fatalf("%d of %d matters, without %v: %v", len(after.Cases), len(tree.Bundles), after.LeftOut, err)
	}
	library := maps.Clone(tree.Files[""])
	for name, text := range library {
		for _, shared := range []string{"agent", "household_register", "employer"} {
			text = bytes.Replace(text, []byte("section: "+shared+"\n    name: { zh: "), []byte("section: "+shared+"\n    name: { zh: 新"), 1)
		}
		library[name] = text
	}
	if _, err := h.Publish(t.Context(), "library", "author", registry.PublishLibrary{Files: library}); err != nil {
		t.Fatal(err)
	}
	publish := func(n int, id string) {
		t.Helper()
		if p, err := h.Publish(t.Context(), fmt.Sprint("again ", n), "author", registry.PublishBundle{Name: catalog.BundleFile(id), Text: tree.Files[id]["bundle.yaml"], Reason: "library"}); err != nil || p.Position == 0 {
			t.Fatal(id, p, err)
		}
	}
	publish(1, "retirement")
	for _, session := range []string{"", "s"} {
		var before *engine.Assessed
		before, after, err = h.Assess(engine.Query{Session: session, Changes: map[string]*structpb.Value{"form.mother.hukou": structpb.NewStringValue("here")}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(before.LeftOut, []string{"retirement"}) || !slices.Equal(after.LeftOut, before.LeftOut) || len(after.Cases) != len(tree.Bundles)-1 || after.Case("retirement") != nil {
			t.Errorf("without %v: %d matters", after.LeftOut, len(after.Cases))
		}
	}
	if _, alone, err := h.Assess(engine.Query{Bundles: after.LeftOut}); err != nil || len(alone.Cases) != 1 || len(alone.LeftOut) > 0 {
		t.Errorf("asked about alone: %v", err)
	}
	if verdicts, _ := h.Verdicts("", nil); len(verdicts) != len(tree.Bundles) {
		t.Errorf("%d verdicts", len(verdicts))
	}

	// When most have the new one, it is the rest that is left out.
	n := 1
	for _, id := range slices.Sorted(maps.Keys(tree.Bundles)) {
		if id != "newborn" && id != "retirement" {
			n++
			publish(n, id)
		}
	}
	if _, after, err = h.Assess(engine.Query{}); err != nil || !slices.Equal(after.LeftOut, []string{"newborn"}) {
		t.Errorf("without %v: %v", after.LeftOut, err)
	}
	_, _, err = h.Assess(engine.Query{Bundles: []string{"newborn", "after_death"}})
	if _, conflict := errors.AsType[*catalog.ConflictError](err); !conflict {
		t.Errorf("two that do not go together, by name: %v", err)
	}
}

// What the guide holds of a session is gone two minutes after its last call, and what it holds of all is bounded; without
// a session it holds nothing.
func TestAssess_Forgets(t *testing.T) {
	t.Parallel()
	h := houseWithLists(t)
	ask := func(session string, answers map[string]*structpb.Value) {
		t.Helper()
		if _, _, err := h.Assess(engine.Query{Bundles: []string{"newborn", "medical_aid"}, Answers: answers, Session: session}); err != nil {
			t.Fatal(err)
		}
	}
	held := func(want ...string) {
		t.Helper()
		if ids, weight := engine.HeldSessions(h.Engine); !slices.Equal(ids, want) || (weight == 0) != (len(want) == 0) || weight > engine.MaxSessions {
			t.Errorf("of %q %d bytes are held, not of %q", ids, weight, want)
		}
	}
	ask("", answersOf(t))
	held()
	ask("first", answersOf(t))
	ask("first", answersOf(t))
	h.now = h.now.Add(time.Minute)
	ask("second", answersOf(t))
	held("first", "second")
	h.now = h.now.Add(time.Minute)
	h.ForgetSessions()
	held("second")
	h.now = h.now.Add(time.Minute)
	h.ForgetSessions()
	held()

	large := answersOf(t)
	large["form.mother.name"] = structpb.NewStringValue(strings.Repeat("甲", engine.MaxSessions/4/3/3))
	for _, session := range []string{"1", "2", "1", "3"} {
		ask(session, large)
		h.now = h.now.Add(time.Second)
	}
	held("1", "3") // each takes a third of what may be held, and the matters something
	larger := maps.Clone(large)
	larger["form.father.name"], larger["form.newborn.name"] = large["form.mother.name"], large["form.mother.name"]
	ask("4", larger)
	held("1", "3")
	ask("3", larger)
	held("1")
}

// Whoever asks at the same time gets what they would get alone: calls of one session and of several, over one blank.
func TestAssess_AtTheSameTime(t *testing.T) {
	t.Parallel()
	h := houseWithLists(t)
	right := answersOf(t)
	paths := slices.Sorted(maps.Keys(right))
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			answers := map[string]*structpb.Value{}
			for k := range paths {
				p := paths[(k*7+i)%len(paths)]
				_, after, err := h.Assess(engine.Query{Session: fmt.Sprint(i / 2), Answers: maps.Clone(answers), Changes: map[string]*structpb.Value{p: right[p]}})
				if err != nil {
					t.Error(err)
					return
				}
				if answers[p] = right[p]; k%8 > 0 {
					continue
				}
				want, err := engine.AssessAnew(h.Engine, nil, h.Place(), maps.Clone(answers))
				if err != nil {
					t.Error(err)
					return
				}
				is, err := after.Message()
				if err != nil {
					t.Error(err)
				}
				if anew, err := want.Message(); err != nil || !proto.Equal(anew, is) {
					t.Errorf("%v: another assessment (-anew +session):\n%s", err, cmp.Diff(anew, is, protocmp.Transform()))
					return
				}
			}
		})
	}
	wait.Wait()
}
