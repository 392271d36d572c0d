package plugin

import (
	"testing"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

func TestParametersOn(t *testing.T) {
	t.Parallel()
	day := MustDate
	published := Published{
		"base": {
			{From: day("2026-01-01"), Until: day("2026-12-31"), Place: "32", Value: Money(9000)},
			{From: day("2025-01-01"), Until: day("2025-12-31"), Place: "32", Value: Money(8800)},
			{From: day("2025-07-01"), Until: day("2025-12-31"), Place: "3213", Value: Money(8850)},
		},
		"ever":  {{Value: Int(10)}},
		"since": {{From: day("2025-03-01"), Value: Int(7)}},
	}
	request := &pluginv1.Request{Hook: HookDecide, Today: "2026-03-02", Parameters: Values{"base": Money(9000)}.Wire(), Published: published.Wire()}
	for _, tt := range []struct {
		day   string
		base  Money // 0: not published
		since bool
	}{
		{"2024-12-31", 0, false}, {"2025-01-01", 8800, false}, {"2025-03-01", 8800, true}, {"2025-06-30", 8800, true}, {"2025-07-01", 8850, true},
		{"2025-12-31", 8850, true}, {"2026-01-01", 9000, true}, {"2026-12-31", 9000, true}, {"2027-01-01", 0, true},
	} {
		t.Run(tt.day, func(t *testing.T) {
			t.Parallel()
			call, err := newCall(request, nil)
			if err != nil {
				t.Fatal(err)
			}
			on := call.ParametersOn(day(tt.day))
			if base, ok := on.Money("base"); base != tt.base || ok != (tt.base != 0) {
				t.Errorf("base %v, %t", base, ok)
			}
			if _, ok := on.Int("since"); ok != tt.since {
				t.Errorf("since %t", ok)
			}
			if n, ok := on.Int("ever"); !ok || n != 10 {
				t.Errorf("ever %d, %t", n, ok)
			}
			if got := call.trace().Parameters; len(got) != 3 {
				t.Errorf("the trace has %v", got)
			}
		})
	}
}

func TestParametersOn_Nonsense(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]*pluginv1.PublishedValue{
		"no value":       {From: "2025-01-01"},
		"no day":         {From: "2025-02-30", Value: Int(1).wire()},
		"no last day":    {Until: "soon", Value: Int(1).wire()},
		"no kind at all": {Value: &pluginv1.Value{Number: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := &pluginv1.Request{Today: "2026-03-02", Published: map[string]*pluginv1.Published{"base": {Values: []*pluginv1.PublishedValue{value}}}}
			if _, err := newCall(request, nil); err == nil {
				t.Error("read")
			}
		})
	}
}
