// Package guest runs an example plugin as what it is shipped as, a packed WebAssembly file in the host's sandbox, for
// the plugins' tests: every case must get the answer that it gets natively.
package guest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/guest"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
	sdkv1 "github.com/siyiban/onething/sdk/go/pluginv1"
)

// Same builds and packs the plugin of the current directory, runs every case in a sandbox, with all granted that the
// manifest asks for, and compares each answer with the native one. A case that expects a failure is left to the native
// test: there the sandbox says why the host refused, not what the plugin answered.
func Same(t *testing.T, p plugin.Plugin, cases []plugintest.Case) {
	t.Helper()
	wasm := build(t)
	m, err := manifest.Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	var hooks []sdkv1.Hook
	for _, h := range m.GetHooks() {
		hooks = append(hooks, sdkv1.Hook(h))
	}
	if !slices.Equal(hooks, p.Hooks()) {
		t.Errorf("the manifest names the hooks %v, the plugin has %v", hooks, p.Hooks())
	}
	data := new(sources)
	host, err := plugins.Open(t.Context(), plugins.Config{
		Modules:      module(wasm),
		Granted:      func(string) []string { return m.GetCapabilities() },
		Capabilities: capability.New(capability.Config{SharedData: data, KeyValue: data, Outside: outside(t, m.GetHttpHosts(), data)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ref := plugins.Ref{ID: m.GetId(), Digest: store.Digest(wasm)}
	for _, c := range cases {
		if c.Want.Failure != "" {
			continue
		}
		message, err := request(c).MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		sent, want := new(pluginv1.Request), new(pluginv1.Response)
		if err := proto.Unmarshal(message, sent); err != nil {
			t.Fatal(err)
		}
		data.Case = c
		got, _, err := host.Call(t.Context(), ref, sent)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		response, _ := p.Answer(request(c), plugintest.NewHost(c))
		if message, err = response.MarshalVT(); err != nil {
			t.Fatal(err)
		}
		if err := proto.Unmarshal(message, want); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(want, got) {
			t.Errorf("%s: the sandbox answers otherwise than the native plugin:\n got %v\nwant %v", c.Name, got, want)
		}
	}
}

// build makes the packed file.
func build(t *testing.T) []byte {
	t.Helper()
	var progress bytes.Buffer
	wasm, err := guest.Build(t.Context(), ".", &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	return wasm
}

// request is the call of a case.
func request(c plugintest.Case) *sdkv1.Request {
	return &sdkv1.Request{
		Hook: c.Hook, Bundle: c.Bundle, Step: c.Step, Task: c.Task, Attempt: 1, Today: c.Today, Place: c.Place,
		Answers: c.Answers.Wire(), Parameters: c.Parameters.Wire(), Published: c.Published.Wire(), Result: c.Result.Wire(),
	}
}

// module is the one file of a test's host.
type module []byte

// Module returns the file.
func (m module) Module(digest string) ([]byte, error) {
	if digest != store.Digest(m) {
		return nil, fs.ErrNotExist
	}
	return m, nil
}

// sources answer the host from the case that is running.
type sources struct{ plugintest.Case }

// ServeHTTP answers as the outside world.
func (s *sources) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.HTTP.ServeHTTP(w, r) }

// Snapshot answers with what the department has stored.
func (s *sources) Snapshot(context.Context, string) (capability.Snapshot, error) {
	return stored(s.Store), nil
}

// stored is what a department has stored.
type stored map[string]string

// Get returns a value.
func (s stored) Get(key string) ([]byte, uint64) {
	value, ok := s[key]
	if !ok {
		return nil, 0
	}
	return []byte(value), 1
}

// Keys returns keys in order.
func (s stored) Keys(prefix, after string, limit int) []string {
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(s)), func(key string) bool { return !strings.HasPrefix(key, prefix) || key <= after })
	return keys[:min(len(keys), limit)]
}

// Bytes returns the size.
func (s stored) Bytes() (size int) {
	for key, value := range s {
		size += len(key) + len(value)
	}
	return size
}

// LookUp answers the host.
func (s *sources) LookUp(_ context.Context, source, key string) (*capability.Entry, error) {
	entries := s.Shared[source]
	if entries == nil {
		return nil, errors.New("silent")
	}
	values, ok := entries[key]
	if !ok {
		return nil, nil //nolint:nilnil // the interface says so: no entry is no error
	}
	message, err := (&sdkv1.SharedDataResponse{Values: values.Wire()}).MarshalVT()
	if err != nil {
		return nil, err
	}
	response := new(pluginv1.SharedDataResponse)
	if err := proto.Unmarshal(message, response); err != nil {
		return nil, err
	}
	return &capability.Entry{Values: response.GetValues()}, nil
}
