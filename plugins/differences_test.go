package plugins_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/plugins"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	text := func(s string) *pluginv1.Value {
		return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: s}
	}
	decided := func(o pluginv1.Outcome, result map[string]*pluginv1.Value, findings ...string) *pluginv1.Response {
		d := &pluginv1.Decision{Outcome: o, Result: result}
		for _, f := range findings {
			d.Findings = append(d.Findings, &pluginv1.Finding{Code: f})
		}
		return &pluginv1.Response{Decision: d}
	}
	approved := decided(pluginv1.Outcome_OUTCOME_APPROVED, map[string]*pluginv1.Value{"name": text("周雨桐"), "date": text("2026-03-16")})
	many := map[string]*pluginv1.Value{}
	for c := 'a'; c < 'a'+60; c++ {
		many[string(c)] = text("x")
	}
	for _, test := range []struct {
		name string
		a, b *pluginv1.Response
		want []string
	}{
		{name: "alike", a: approved, b: decided(pluginv1.Outcome_OUTCOME_APPROVED, map[string]*pluginv1.Value{"date": text("2026-03-16"), "name": text("周雨桐")})},
		{name: "outcome and result", a: approved, b: decided(pluginv1.Outcome_OUTCOME_UNDETERMINED, nil, "missing"),
			want: []string{"decision.outcome", "decision.result.date", "decision.result.name", "decision.findings"}},
		{name: "a value", a: approved, b: decided(pluginv1.Outcome_OUTCOME_APPROVED, map[string]*pluginv1.Value{"name": text("陈志远"), "date": text("2026-03-16")}), want: []string{"decision.result.name.text"}},
		{name: "a finding", a: decided(pluginv1.Outcome_OUTCOME_REJECTED, nil, "a", "b"), b: decided(pluginv1.Outcome_OUTCOME_REJECTED, nil, "a", "c"), want: []string{"decision.findings[1].code"}},
		{name: "another member", a: approved, b: &pluginv1.Response{Check: &pluginv1.Check{}}, want: []string{"check", "decision"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := plugins.Differences(test.a, test.b)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			if text := strings.Join(got, " "); strings.Contains(text, "周雨桐") || strings.Contains(text, "陈志远") {
				t.Errorf("they name a value: %s", text)
			}
		})
	}
	if got := plugins.Differences(approved, decided(pluginv1.Outcome_OUTCOME_APPROVED, many)); len(got) != plugins.MaxDifferences {
		t.Errorf("%d paths, want %d", len(got), plugins.MaxDifferences)
	}
}
