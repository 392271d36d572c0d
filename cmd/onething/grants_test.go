package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/keyvalue"
	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/manifest"
)

func TestReadGrants(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, fault string }{
		"each capability":     {"bank/ledger: [shared_data, key_value, log, http, \"http:10.8.0.4:8080+plain+private\"]\n", ""},
		"a misspelt one":      {"bank/ledger: [shared-data]\n", "bank/ledger: \"shared-data\": a grant is `shared_data`"},
		"a misspelt option":   {"bank/ledger: [\"http:a.cn+plian\"]\n", "a host is granted with `+plain` or `+private`"},
		"what is no list":     {"bank/ledger: http\n", "grants.yaml"},
		"no host behind http": {"bank/ledger: [\"http:\"]\n", "needs a host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "grants.yaml")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			grants, err := readGrants(file)
			switch {
			case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
				t.Errorf("%v, want %q", err, tt.fault)
			case tt.fault == "" && (err != nil || len(grants["bank/ledger"]) != 5):
				t.Errorf("%v, %v", grants, err)
			}
		})
	}
}

// What engine and plugins each say of the same thing is the same: neither imports the other.
func TestCapabilities_AreTheSameOnBothSides(t *testing.T) {
	t.Parallel()
	if capability.MaxStoreBytes != keyvalue.MaxBytes {
		t.Errorf("a plugin may store %d bytes, the engine takes %d", capability.MaxStoreBytes, keyvalue.MaxBytes)
	}
	names := []string{manifest.CapabilitySharedData, manifest.CapabilityKeyValue, manifest.CapabilityHTTP, manifest.CapabilityLog}
	if diff := cmp.Diff(names, capability.Names()); diff != "" {
		t.Error(diff)
	}
}
