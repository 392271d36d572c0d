package capability_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
			capability.Lookup{Source: "register", Purpose: "核对", Answered: true, Found: true}},
		{"not found", "register", "2", "核对", &pluginv1.SharedDataResponse{Answered: true}, capability.Lookup{Source: "register", Purpose: "核对", Answered: true}},
		{"silent", "register", "silent", "核对", &pluginv1.SharedDataResponse{}, capability.Lookup{Source: "register", Purpose: "核对"}},
		{"not granted", "credit", "1", "核对", &pluginv1.SharedDataResponse{Refused: "not_granted"},
			capability.Lookup{Source: "credit", Purpose: "核对", Refused: "not_granted"}},
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
			s := capability.SharedData{
				Source: entries{"1": {Values: values}}, Granted: []string{"register"}, DigestKey: []byte("key"),
				Logger: slog.New(slog.NewTextHandler(&log, nil)),
			}
			got := s.LookUp(t.Context(), &pluginv1.SharedDataRequest{Source: test.source, Key: test.key, Purpose: test.purpose})
			if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			records := s.Lookups()
			if len(records) != 1 {
				t.Fatalf("%d records, want one", len(records))
			}
			if hasDigest := records[0].KeyDigest != ""; hasDigest != (test.record.Refused != "bad_request") {
				t.Errorf("digest %q", records[0].KeyDigest)
			}
			test.record.KeyDigest = records[0].KeyDigest
			if diff := cmp.Diff(test.record, records[0]); diff != "" {
				t.Error(diff)
			}
			if told := log.String() != ""; told != (test.key == "silent") || strings.Contains(log.String(), "key=") {
				t.Errorf("log %q", log.String())
			}
		})
	}
}

// TestLookUp_KeyDigest has the same digest for the same key only, and another under another digest key.
func TestLookUp_KeyDigest(t *testing.T) {
	t.Parallel()
	digest := func(digestKey, source, key string) string {
		s := capability.SharedData{Granted: []string{source}, DigestKey: []byte(digestKey), Logger: slog.New(slog.DiscardHandler)}
		s.LookUp(t.Context(), &pluginv1.SharedDataRequest{Source: source, Key: key, Purpose: "核对"})
		return s.Lookups()[0].KeyDigest
	}
	first := digest("k", "register", "1")
	if first != digest("k", "register", "1") {
		t.Error("the same look-up has two digests")
	}
	for _, other := range []string{digest("l", "register", "1"), digest("k", "register", "2"), digest("k", "credit", "1")} {
		if other == first {
			t.Error("two look-ups have the same digest")
		}
	}
}
