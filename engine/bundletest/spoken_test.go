package bundletest_test

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// spoken is an idiom, loaded, with its tests.
type spoken struct {
	bundle, second *catalog.Bundle // the same twice, under the ids line and second
	tests          map[string]bundletest.Test
}

// speak loads an idiom and runs its tests, which have to see every rule both ways.
func speak(t *testing.T, line idiom) *spoken {
	t.Helper()
	tree := fstest.MapFS{}
	files, err := fs.Glob(os.DirFS("testdata/language"), "library/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile("testdata/language/" + name)
		if err != nil {
			t.Fatal(err)
		}
		tree[name] = &fstest.MapFile{Data: text}
	}
	text := "name: { zh: 说法一件事 }\nlevel: COUNTY\nlead: approval\napplicant: [me]\n" + strings.TrimPrefix(line.bundle, "\n") + "\n"
	for key, usual := range map[string]string{"form:": "[{ section: person, as: me }]", "steps:": "[{ id: do, name: { zh: 办 }, department: approval, promised: { working_days: 1 }, needs: { fields: [me.name] } }]"} {
		if !strings.Contains(text, "\n"+key) {
			text += key + " " + usual + "\n"
		}
	}
	tests := `tests:
  - { test: base, today: 2026-03-16, place: "321323", record: { form: { me: { name: 甲 } } }, expect: {} }` + line.tests + "\n"
	for _, id := range []string{"line", "second"} {
		tree[catalog.BundleFile(id)] = &fstest.MapFile{Data: []byte("bundle: " + id + "\n" + text)}
		tree[bundletest.File(id)] = &fstest.MapFile{Data: []byte(tests)}
	}
	c, found := catalog.Load(tree)
	if len(found) > 0 {
		t.Fatalf("it cannot be said: %s", told(t, tree, found))
	}
	report := bundletest.Run(tree, c.Bundles["line"], newCalendar(t), nil)
	all := slices.Concat(report.Found, report.Unreached, report.Uncovered)
	for _, result := range report.Results {
		all = append(all, result.Failures...)
	}
	if len(all) > 0 {
		t.Fatal(told(t, tree, all))
	}
	s := &spoken{bundle: c.Bundles["line"], second: c.Bundles["second"], tests: map[string]bundletest.Test{}}
	read, _ := bundletest.Read(s.bundle, bundletest.File("line"), []byte(tests), newCalendar(t))
	for _, test := range read {
		s.tests[test.ID] = test
	}
	return s
}

func told(t *testing.T, tree fs.FS, found diag.List) string {
	t.Helper()
	var text strings.Builder
	if err := (diag.Printer{Files: tree, All: true}).Print(&text, found); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func (s *spoken) assess(t *testing.T, test string) *guide.Assessment {
	t.Helper()
	given, ok := s.tests[test]
	if !ok {
		t.Fatalf("there is no test %s", test)
	}
	return given.Assess()
}

func (s *spoken) field(t *testing.T, test string, p forms.Path) *guide.Field {
	t.Helper()
	for _, f := range s.assess(t, test).Fields {
		if f.Path == p {
			return f
		}
	}
	t.Fatalf("%s is not among the fields", p)
	return nil
}

func (s *spoken) ready(t *testing.T, test, step string) guide.Ready {
	t.Helper()
	given := s.tests[test]
	return guide.AssessReady(s.bundle, s.bundle.Step(step), given.Record, given.Setting)
}

// life is an application that was filed and accepted.
type life struct {
	world application.World
	state application.State
}

// file files the record of a test, with files for materials, and accepts it.
func (s *spoken) file(t *testing.T, test string, materials ...string) *life {
	t.Helper()
	given := s.tests[test]
	selection, err := catalog.Select(s.bundle)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 16, 9, 0, 0, 0, time.FixedZone("CST", 8*60*60))
	l := &life{world: application.World{Now: now, Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}, Selection: selection, Calendar: newCalendar(t), Place: given.Setting.Place},
		state: application.State{ID: "a"}}
	if l.world.Number, err = application.NewNumber(l.world.Place, kind.DateOf(now), 1); err != nil {
		t.Fatal(err)
	}
	submit := application.Submit{Record: given.Record}
	for _, key := range materials {
		submit.Files = append(submit.Files, &applicationv1.MaterialFile{Material: key, Name: key + ".pdf", Blob: "b"})
	}
	l.do(t, submit)
	l.world.Record, _ = application.Closed(given.Record, l.world)
	l.world.Actor = &applicationv1.Actor{Role: applicationv1.Role_ROLE_CLERK, Id: "c"}
	l.do(t, application.Accept{Bundle: "line", OverrideReason: "已核实"})
	return l
}

// do gives a command, as whoever may give it.
func (l *life) do(t *testing.T, command application.Command) {
	t.Helper()
	events, err := application.Decide(l.state, command, l.world)
	if err != nil {
		t.Fatalf("%T: %v", command, err)
	}
	for _, e := range events {
		l.state = application.Evolve(l.state, e)
	}
}

func (l *life) pass(days int) { l.world.Now = l.world.Now.AddDate(0, 0, days) }

// task is the number of a step's task, of which whoever acts next is an officer.
func (l *life) task(t *testing.T, step string) string {
	t.Helper()
	task := l.state.TaskOf("line", step)
	if task == nil {
		t.Fatalf("%s has no task", step)
	}
	l.world.Actor = &applicationv1.Actor{Role: applicationv1.Role_ROLE_OFFICER, Id: "o", Department: task.Department}
	return task.Number
}

func (l *life) approve(t *testing.T, step string) {
	t.Helper()
	l.do(t, application.DecideTask{Task: l.task(t, step), Approve: true})
}

func (l *life) reject(t *testing.T, step string) {
	t.Helper()
	l.do(t, application.DecideTask{Task: l.task(t, step), Reason: "不合格"})
}

// open are the steps that somebody is working on.
func (l *life) open() []string {
	steps := map[string]bool{}
	for _, task := range l.state.Tasks {
		if !task.State.Settled() {
			steps[task.Step] = true
		}
	}
	return slices.Sorted(maps.Keys(steps))
}
