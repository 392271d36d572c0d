package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/siyiban/onething/engine/store"
	pluginstore "github.com/siyiban/onething/plugins/store"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// A retirement is decided by its plugin, with what it looked up. Replayed on the stopped store, whatever the sources say now,
// each answer is the same for the same fuel; another program under the same digest is found out, in words without values.
// And the retiree reads who has looked what up, and why.
func TestPluginReplay(t *testing.T) {
	t.Parallel()
	needPlugins(t)
	folder := t.TempDir()
	st := startStage(t, folder, "2026-03-16", "../../build/plugins", io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	filing, err := retirementScene().play(ctx, st)
	if err != nil {
		t.Fatal(err)
	}
	a, err := filing.Application(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lookups, err := st.as("retiree").Intake.ListLookups(ctx, &apiv1.ListLookupsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	hooks := map[string]bool{}
	for _, l := range lookups.GetLookups() {
		if l.GetDepartment() != "hrss" || l.GetPlugin() != "hrss/pension" || l.GetSource() == "" || l.GetPurpose() == "" || !l.GetAnswered() {
			t.Errorf("the retiree reads %v", l)
		}
		hooks[l.GetHook()] = true
	}
	if !hooks["prefill"] || !hooks["decide"] {
		t.Errorf("the retiree reads of look-ups in %v", hooks)
	}
	st.stop(t)

	data := filepath.Join(folder, "data")
	task := ""
	for _, c := range a.GetCases() {
		for _, k := range c.GetTasks() {
			if k.GetStep() == "pension" {
				task = k.GetTask()
			}
		}
	}
	say := func(args ...string) (int, string) {
		var out, progress bytes.Buffer
		code := run(t.Context(), append([]string{"plugin", "replay", "--data", data, "--plugins", "../../build/plugins"}, args...), &out, &progress)
		return code, out.String() + progress.String()
	}
	if err := verifyStore(t.Context(), store.Folder(data), "", io.Discard, io.Discard); err != nil { // which opens what is sealed of look-ups
		t.Error(err)
	}
	code, said := say()
	lines := strings.Split(strings.TrimSpace(said), "\n")
	same := regexp.MustCompile(`^\d+ (check|decide|issue), attempt 1, hrss/pension [0-9a-f]{12}: the same answer, fuel [1-9]\d*, \d+ host calls$`)
	for _, line := range lines[:len(lines)-1] {
		if !same.MatchString(line) {
			t.Errorf("it says %q", line)
		}
	}
	if code != 0 || len(lines) < 3 {
		t.Errorf("exit code %d: %s", code, said)
	}
	if code, said := say(task); code != 0 || !strings.Contains(said, task+" decide, attempt 1") || strings.Contains(said, " check,") {
		t.Errorf("of one task, exit code %d: %s", code, said)
	}
	if code, said := say(a.GetCases()[0].GetNumber()); code != 1 && !strings.Contains(said, "check") {
		t.Errorf("of the case, exit code %d: %s", code, said)
	}
	if code, said := say("321323202603160000010130018"); code == 0 || !strings.Contains(said, "is no number of a task or a case") {
		t.Errorf("of what is no number, exit code %d: %s", code, said)
	}

	// Whatever lies in the folder under another version is not asked; without the version that answered nothing is replayed.
	s, err := openStopped(t.Context(), simulateFlags{data: data, place: "321323"}, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	other, err := os.ReadFile(filepath.Join(packed(t, map[string]int{"hrss/pension": 1000}), "hrss_pension.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		modules modulesFunc
		want    []string
	}{
		{"another program", func(string) ([]byte, error) { return other, nil }, []string{"it answers otherwise; outcome: was APPROVED, is UNDETERMINED; finding no_birth_date: was not so; result account: is otherwise",
			"host call 1, shared_data, was recorded and is not made", "it takes fuel "}},
		{"no program", func(string) ([]byte, error) { return nil, fs.ErrNotExist }, []string{"the folder of plugins does not hold the version that answered"}},
	} {
		var out bytes.Buffer
		if err := replay(t.Context(), s, test.modules, []string{task}, &out); !errors.Is(err, errFindings) {
			t.Errorf("%s: %v", test.name, err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: it says %q, want %q", test.name, out.String(), want)
			}
		}
	}
	if modules, err := pluginstore.Open("../../build/plugins"); err != nil || replay(t.Context(), s, modules, []string{task}, io.Discard) != nil {
		t.Errorf("the right program: %v", err)
	}
}

// modulesFunc are modules by a function.
type modulesFunc func(digest string) ([]byte, error)

// Module implements [plugins.Modules].
func (f modulesFunc) Module(digest string) ([]byte, error) { return f(digest) }
