package observe_test

import (
	"testing"
	"time"

	"github.com/siyiban/onething/engine/observe"
)

// What is remembered of a plugin is counted by version, the newest first, and bounded.
func TestPlugins(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC)
	p := observe.NewPlugins(func() time.Time { now = now.Add(time.Second); return now })
	const id = "hrss/pension"
	call := func(version, outcome string, took time.Duration) observe.PluginCall {
		return observe.PluginCall{Plugin: id, Version: version, Digest: "d" + version, Hook: "check", Outcome: outcome, Duration: took, Application: "32132320260316000001", HostCalls: 2, Fuel: 5, MemoryBytes: 1 << 20}
	}
	p.Called(call("1.0.0", observe.OK, time.Millisecond))
	p.Called(call("1.0.0", "timed_out", time.Minute))
	shadowed := call("1.1.0", "trapped", time.Millisecond)
	shadowed.Shadow = true
	p.Called(shadowed)
	p.Compared(observe.Difference{Plugin: id, Shadow: "1.1.0", ShadowDigest: "d1.1.0"})
	p.Compared(observe.Difference{Plugin: id, Shadow: "1.1.0", ShadowDigest: "d1.1.0", Paths: []string{"check"}})
	p.Skipped(id, "1.1.0", "d1.1.0")
	stats := p.Stats(id)
	if len(stats) != 2 || stats[0].Version != "1.1.0" || !stats[0].Shadow || stats[0].Compared != 2 || stats[0].Different != 1 || stats[0].Skipped != 1 {
		t.Fatalf("stats %+v", stats)
	}
	first := stats[1]
	if first.Outcomes[[2]string{"check", "timed_out"}] != 1 || first.HostCalls != 4 || first.Fuel != 10 || first.MostMemory != 1<<20 ||
		first.Latency[0] != 1 || first.Latency[len(first.Latency)-1] != 1 {
		t.Errorf("stats %+v", first)
	}
	if lines := p.Lines(id); len(lines) != 1 || lines[0].Failure != "timed_out" || lines[0].Application != "32132320260316000001" {
		t.Errorf("lines %+v", lines) // of a failure in shadow there is a difference, no line
	}
	if d := p.Differences(id); len(d) != 1 || d[0].At.IsZero() {
		t.Errorf("differences %+v", d)
	}
	for i := range 1500 {
		p.Logged(observe.Line{Plugin: id, Code: "counted", Numbers: map[string]int64{"n": int64(i)}})
		p.Called(call(time.Duration(i).String(), observe.OK, 0))
	}
	lines := p.Lines(id)
	if len(lines) != 1000 || lines[0].Numbers["n"] != 1499 || lines[999].Numbers["n"] != 500 {
		t.Errorf("%d lines, from %v to %v", len(lines), lines[0], lines[len(lines)-1])
	}
	if stats := p.Stats(id); len(stats) != 20 || stats[0].Version != "1.499µs" {
		t.Errorf("%d versions, the last one %s", len(stats), stats[0].Version)
	}
	if p.Stats("none") != nil || p.Lines("none") != nil || p.Differences("none") != nil {
		t.Error("something is known of a plugin that was never called")
	}
}
