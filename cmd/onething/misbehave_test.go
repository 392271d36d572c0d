package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/examples/intake"
	"github.com/siyiban/onething/plugins/manifest"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// misbehaving are matters of one step each, named after what the guest does in it.
func misbehaving(plugins map[string]string) fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tree := fstest.MapFS{
		"library/departments.yaml": file("library: departments\ndepartments: [{ department: test, name: { zh: 测试局 } }]\n"),
		"library/sections.yaml": file(`library: sections
sections:
  - section: person
    name: { zh: 人 }
    about: PERSON
    fields: [{ field: id_no, kind: CITIZEN_NUMBER, name: { zh: 公民身份号码 }, required: true }]
  - section: child
    name: { zh: 孩子 }
    about: PERSON
    fields: [{ field: birth_date, kind: DATE, name: { zh: 出生日期 }, required: true }]
`),
	}
	for id, plugin := range plugins {
		tree[catalog.BundleFile(id)] = file(fmt.Sprintf(`bundle: %s
name: { zh: 事 }
level: COUNTY
lead: test
applicant: [me]
accept: ENGINE
form:
  - { section: person, as: me }
  - { section: child, as: newborn }
steps:
  - { id: register, name: { zh: 登记 }, department: test, plugin: %s, needs: { fields: [me.id_no, newborn.birth_date] },
      promised: { working_days: 5 }, result: { fields: [{ field: registered_on, kind: DATE, name: { zh: 登记日期 }, required: true }] } }
`, id, plugin))
	}
	return tree
}

// packed builds the guest that behaves as its bundle says, and packs it for each id with what it may execute, in
// millions of units of fuel.
func packed(t testing.TB, fuel map[string]int) (folder string) {
	t.Helper()
	folder = t.TempDir()
	built := filepath.Join(folder, "behave.unpacked")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", built, "../../plugins/testdata/guests/behave")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the guest: %v\n%s", err, out)
	}
	for id, millions := range fuel {
		name := filepath.Join(folder, strings.ReplaceAll(id, "/", "_"))
		text := fmt.Sprintf("id: %s\nversion: 1.0.0\ndepartment: test\nname_zh: 测试用插件\nhooks: [HOOK_DECIDE]\ninterface_version: 1\nsdk: sdk/go\nlimits: { fuel_millions: %d }\n", id, millions)
		if err := os.WriteFile(name+".yaml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := manifest.Pack(built, name+".yaml", name+".wasm"); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// A plugin that traps, ends itself, loops, allocates without end or answers nonsense does nobody else any harm: its task
// goes to an officer, who is told why; nothing of it is applied; the case beside it, whose plugin answers, is done
// meanwhile; and the officer does the rest.
func TestServer_PluginsThatMisbehave(t *testing.T) {
	t.Parallel()
	why := map[string]string{"panic": "trapped", "exit": "exited", "spin": "out_of_fuel", "allocate": "out_of_memory", "nonsense": "unfit_answer"}
	// A plugin each: one that fails for many would be left alone.
	serves, fuel := map[string]string{"fine": "test/fine"}, map[string]int{"test/fine": 1000}
	for bundle := range why {
		serves[bundle] = "test/" + bundle
		fuel[serves[bundle]] = 500
	}
	folder := packed(t, fuel)
	bundles, found := catalog.Load(misbehaving(serves))
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	st := &stage{clock: officeClock("2026-03-16")}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	api := listen()
	var err error
	st.server, err = openServer(t.Context(), serverConfig{data: store.Folder(filepath.Join(t.TempDir(), "data")), development: true, clock: st.clock, place: "321323", bundles: bundles,
		plugins: folder, issuerListener: listen(), logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.stop(t)
	st.server.listenAPI(api)
	st.api, st.issuer = "http://"+api.Addr().String(), st.server.issuerURL
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	filing, err := st.as("resident").Begin(ctx, "fine", "panic", "exit", "spin", "allocate", "nonsense")
	if err != nil {
		t.Fatal(err)
	}
	if err := filing.Save(ctx, intake.Answers{"form.me.id_no": "321323199304180029", "form.newborn.birth_date": "2026-03-02"}); err != nil {
		t.Fatal(err)
	}
	if err := filing.Submit(ctx); err != nil {
		t.Fatal(err)
	}
	officer := st.as("officer-test")
	var queue []*apiv1.Task
	a, err := filing.Until(ctx, func(a *apiv1.Application) (bool, error) {
		st.clock.Advance(6 * time.Minute) // longer than any pause between attempts
		var err error
		queue, err = officer.Tasks(ctx, 0)
		return len(queue) == len(why) && slices.ContainsFunc(a.GetCases(), func(c *apiv1.Case) bool { return c.GetBundle() == "fine" && c.GetState() == "COMPLETED" }), err
	})
	if err != nil {
		t.Fatalf("waiting for officers' work: %v; in the queue %v", err, queue)
	}
	for _, c := range a.GetCases() {
		task := c.GetTasks()[0]
		if given := len(task.GetResult()); c.GetBundle() != "fine" && (c.GetState() != "ACCEPTED" || task.GetState() != "OPEN" || given > 0 || task.GetDocument() != nil) {
			t.Errorf("%s is %s, its task %s with %d values", c.GetBundle(), c.GetState(), task.GetState(), given)
		}
	}
	for _, task := range queue {
		shown, err := officer.Task.GetTask(ctx, &apiv1.GetTaskRequest{Task: task.GetTask()})
		if err != nil {
			t.Fatal(err)
		}
		said := shown.GetFindings()
		if len(said) != 1 || said[0].GetCode() != "plugin_failed" || !strings.Contains(said[0].GetText().GetZh(), "（"+why[task.GetBundle()]+"）") {
			t.Errorf("%s: the officer is told %v", task.GetBundle(), said)
		}
		if _, err := officer.Approve(ctx, task, intake.Answers{"registered_on": "2026-03-16"}); err != nil {
			t.Error(err)
		}
	}
	if _, err := filing.Until(ctx, func(a *apiv1.Application) (bool, error) { return over(a), nil }); err != nil {
		t.Errorf("the officer cannot bring it to its end: %v", err)
	}
	for name, follower := range st.server.followers {
		if err := follower.Err(); err != nil {
			t.Errorf("follower %s: %v", name, err)
		}
	}
}
