package capability_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// entries is a source with entries by key; the key "silent" gets an error.
type entries map[string]*capability.Entry

func (e entries) LookUp(_ context.Context, _, key string) (*capability.Entry, error) {
	if key == "silent" {
		return nil, errors.New("no connection")
	}
	return e[key], nil
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	values := map[string]*pluginv1.Value{"state": {Kind: pluginv1.ValueKind_VALUE_KIND_CHOICE, Text: "active"}}
	tests := []struct {
		name, source, key, purpose string
		want                       *pluginv1.SharedDataResponse
		record                     capability.Lookup
	}{
		{"found", "register", "1", "核对", &pluginv1.SharedDataResponse{Answered: true, Found: true, Values: values},
			capability.Lookup{Source: "register", Key: "1", Purpose: "核对", Answered: true, Found: true}},
		{"not found", "register", "2", "核对", &pluginv1.SharedDataResponse{Answered: true}, capability.Lookup{Source: "register", Key: "2", Purpose: "核对", Answered: true}},
		{"silent", "register", "silent", "核对", &pluginv1.SharedDataResponse{}, capability.Lookup{Source: "register", Key: "silent", Purpose: "核对"}},
		{"not granted", "credit", "1", "核对", &pluginv1.SharedDataResponse{Refused: "not_granted"},
			capability.Lookup{Source: "credit", Key: "1", Purpose: "核对", Refused: "not_granted"}},
		{"what is no text", "register", "ill", "核对", &pluginv1.SharedDataResponse{},
			capability.Lookup{Source: "register", Key: "ill", Purpose: "核对", Answered: true, Found: true}},
		{"no purpose", "register", "1", " ", &pluginv1.SharedDataResponse{Refused: "bad_request"}, capability.Lookup{Refused: "bad_request"}},
		{"no key", "register", "", "核对", &pluginv1.SharedDataResponse{Refused: "bad_request"}, capability.Lookup{Refused: "bad_request"}},
		{"a long key", "register", strings.Repeat("1", 201), "核对", &pluginv1.SharedDataResponse{Refused: "bad_request"}, capability.Lookup{Refused: "bad_request"}},
		{"a long purpose", "register", "1", strings.Repeat("核", 101), &pluginv1.SharedDataResponse{Refused: "bad_request"}, capability.Lookup{Refused: "bad_request"}},
		{"a key of two lines", "register", "1\n2", "核对", &pluginv1.SharedDataResponse{Refused: "bad_request"}, capability.Lookup{Refused: "bad_request"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			c := capability.New(capability.Config{
				SharedData: entries{"1": {Values: values}, "ill": {Values: map[string]*pluginv1.Value{"x": {Text: "\xff"}}}},
				Logger:     slog.New(slog.NewTextHandler(&log, nil)),
			}).Begin(manifestOf(capability.SharedData), []string{capability.SharedData}, &pluginv1.Request{})
			got := call(t, c, capability.SharedData, &pluginv1.SharedDataRequest{Source: test.source, Key: test.key, Purpose: test.purpose}, new(pluginv1.SharedDataResponse))
			if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]capability.Lookup{test.record}, c.Lookups()); diff != "" {
				t.Error(diff)
			}
			if told := log.String() != ""; told != (test.key == "silent") || strings.Contains(log.String(), "key=") {
				t.Errorf("log %q", log.String())
			}
		})
	}
}

// TestCapabilities_NotGranted asks for each capability without the manifest or without the operator.
func TestCapabilities_NotGranted(t *testing.T) {
	t.Parallel()
	requests := map[string]proto.Message{
		capability.SharedData: &pluginv1.SharedDataRequest{Source: "register", Key: "1", Purpose: "核对"},
		capability.KeyValue:   &pluginv1.KeyValueRequest{Operation: pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_GET, Key: "k"},
		capability.HTTP:       &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn/"},
		capability.Log:        &pluginv1.LogRequest{Code: "counted"},
	}
	for _, name := range capability.Names() {
		for _, test := range []struct {
			name    string
			asked   []string
			granted []string
			set     *capability.Set
		}{
			{"not asked for", nil, capability.Names(), capability.New(capability.Config{})},
			{"not granted", capability.Names(), nil, capability.New(capability.Config{})},
			{"nothing there", capability.Names(), capability.Names(), nil},
		} {
			t.Run(name+" "+test.name, func(t *testing.T) {
				t.Parallel()
				c := test.set.Begin(manifestOf(test.asked...), test.granted, &pluginv1.Request{})
				message, err := proto.Marshal(requests[name])
				if err != nil {
					t.Fatal(err)
				}
				if got := string(c.Call(t.Context(), name, message)); !strings.Contains(got, capability.RefusedNotGranted) {
					t.Errorf("answer %q", got)
				}
				if got := string(c.Call(t.Context(), name, []byte("\xff"))); !strings.Contains(got, capability.RefusedBadRequest) {
					t.Errorf("answer to no message %q", got)
				}
				if got := string(c.Call(t.Context(), name, append(message, 0xfa, 0x01, 0))); !strings.Contains(got, capability.RefusedBadRequest) {
					t.Errorf("answer to a member that the schema does not have %q", got)
				}
			})
		}
	}
}

// manifestOf is a manifest that asks for capabilities.
func manifestOf(capabilities ...string) *pluginv1.Manifest {
	return &pluginv1.Manifest{
		Id: "bank/ledger", Version: "1.2.0", Department: "bank", Capabilities: capabilities, SharedDataSources: []string{"register"},
		HttpHosts: []string{"ledger.example.cn"}, LogCodes: []string{"counted"},
	}
}

// call makes a host call with messages.
func call[A proto.Message](t testing.TB, s capability.Session, function string, request proto.Message, answer A) A {
	t.Helper()
	return callWith(t.Context(), t, s, function, request, answer)
}

func callWith[A proto.Message](ctx context.Context, t testing.TB, s capability.Session, function string, request proto.Message, answer A) A {
	t.Helper()
	message, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(s.Call(ctx, function, message), answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
