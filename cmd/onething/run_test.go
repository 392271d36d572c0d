package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		args        []string
		code        int
		out, stderr string // out is whole, stderr is a part
	}{
		{name: "the date alone", args: []string{"days", "2026-02-09", "3"}, out: "2026-02-12\n"},
		{name: "a calendar that is not published", args: []string{"days", "2026-12-20", "30"}, code: exitFindings, stderr: "not published"},
		{name: "no date", args: []string{"days", "soon", "3"}, code: exitFailure, stderr: "is no date"},
		{name: "sound bundles", args: []string{"check", "../../examples"}},
		{name: "development with an issuer of production", args: []string{"serve", "--dev", "--issuer", "https://id.example.org"}, code: exitFailure, stderr: "goes with none of --issuer"},
		{name: "neither development nor production", args: []string{"serve"}, code: exitFailure, stderr: "or --dev for development"},
		{name: "a clock that moves in production", args: []string{"serve", "--today", "2026-03-16"}, code: exitFailure, stderr: "--dev only"},
		{name: "plugins that are not built", args: []string{"demo", "--plugins", "nowhere"}, code: exitFailure, stderr: "build them with `make plugins`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, progress bytes.Buffer
			if code := run(t.Context(), tt.args, &out, &progress); code != tt.code {
				t.Errorf("exit code %d, want %d; stderr: %s", code, tt.code, progress.String())
			}
			if out.String() != tt.out {
				t.Errorf("stdout %q, want %q", out.String(), tt.out)
			}
			if !strings.Contains(progress.String(), tt.stderr) {
				t.Errorf("stderr %q lacks %q", progress.String(), tt.stderr)
			}
		})
	}
}

// The whole demonstration, with every outcome held against the expected one.
func TestDemo(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../build/plugins"); err != nil {
		t.Skip("needs built plugins: run make plugins")
	}
	var out, progress bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--plugins", "../../build/plugins"}, &out, &progress); code != 0 {
		t.Errorf("exit code %d\n%s%s", code, out.String(), progress.String())
	}
}
