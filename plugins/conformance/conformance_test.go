package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/conformance"
	"github.com/siyiban/onething/plugins/guest"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Every SDK passes the table, with the plugin that stands beside it.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, language := range guest.Languages() {
		t.Run(string(language), func(t *testing.T) {
			t.Parallel()
			host, ref := open(t, language)
			for _, c := range cases(t) {
				differs, err := conformance.Ask(t.Context(), host, ref, c)
				if err != nil {
					t.Fatal(err)
				}
				if differs != "" {
					t.Errorf("%s:\n%s", c.GetName(), differs)
				}
			}
		})
	}
}

// What differs is found: an answer that is another one, a failure that is none and the other way round, a host call that is
// not made or is another one.
func TestAsk_Differs(t *testing.T) {
	t.Parallel()
	host, ref := open(t, guest.Go)
	byName := map[string]*pluginv1.Case{}
	for _, c := range cases(t) {
		byName[c.GetName()] = c
	}
	for _, tt := range []struct {
		name   string
		change func(*pluginv1.Case)
		says   string
	}{
		{"every kind", func(c *pluginv1.Case) { delete(c.GetResponse().GetDecision().GetResult(), "int") }, "number:42"},
		{"every kind", func(c *pluginv1.Case) { c.Response = &pluginv1.Response{Failure: "…"} }, `want failure:"…"`},
		{"failure", func(c *pluginv1.Case) {
			c.Response = &pluginv1.Response{Decision: &pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_APPROVED}}
		}, "got  failure"},
		{"shared data: found", func(c *pluginv1.Case) { c.Calls = nil }, "should make none"},
		{"shared data: found", func(c *pluginv1.Case) { c.GetCalls()[0].Request = nil }, "shared_data"},
		{"shared data: found", func(c *pluginv1.Case) { c.Calls = append(c.Calls, c.Calls[0]) }, "is not made"},
		{"every kind", func(c *pluginv1.Case) { c.GetRequest().Hook = 99 }, "hook_not_offered"},
	} {
		c := proto.CloneOf(byName[tt.name])
		tt.change(c)
		differs, err := conformance.Ask(t.Context(), host, ref, c)
		if err != nil || !strings.Contains(differs, tt.says) {
			t.Errorf("%s: %q, %v; want %q", tt.name, differs, err, tt.says)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := conformance.Ask(ctx, host, ref, byName["every kind"]); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who gave up: %v", err)
	}
}

func cases(t *testing.T) []*pluginv1.Case {
	t.Helper()
	all, err := conformance.Table()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range all {
		if names[c.GetName()] || c.GetName() == "" {
			t.Errorf("case %q has no name of its own", c.GetName())
		}
		names[c.GetName()] = true
	}
	return all
}

// open builds an SDK's plugin and returns a host with it.
func open(t *testing.T, language guest.Language) (*plugins.Host, plugins.Ref) {
	t.Helper()
	var progress bytes.Buffer
	wasm, err := guest.Build(t.Context(), "../../sdk/"+string(language)+"/conformance", &progress)
	if errors.Is(err, guest.ErrNoToolchain) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	m, err := manifest.Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	host, err := plugins.Open(t.Context(), plugins.Config{Modules: module(wasm)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return host, plugins.Ref{ID: m.GetId(), Digest: store.Digest(wasm)}
}

// module is the one file of a host.
type module []byte

func (m module) Module(digest string) ([]byte, error) {
	if digest != store.Digest(m) {
		return nil, fs.ErrNotExist
	}
	return m, nil
}
