package observe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/observe"
)

// at is a clock that goes on by 30 ms each time it is read.
func at() func() time.Time {
	now := time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(30 * time.Millisecond)
		return now
	}
}

// lines are the metrics whose name begins so, one a line, without the buckets.
func lines(t testing.TB, o *observe.Observer, prefix string) []string {
	t.Helper()
	answer := httptest.NewRecorder()
	o.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	var found []string
	for line := range strings.SplitSeq(answer.Body.String(), "\n") {
		if strings.HasPrefix(line, prefix) && !strings.Contains(line, "_bucket") {
			found = append(found, strings.TrimPrefix(line, "onething_"))
		}
	}
	return found
}

// What is observed is counted, timed and traced, spans within each other, and holds nothing but names and outcomes.
func TestObserver(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	o := observe.New(observe.Config{Now: at(), Tracer: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("test")})
	stored, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(t.TempDir(), "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	log := o.Log(stored)
	commit := commitlog.Commit{RequestID: "r", Digest: make([]byte, 32), At: at()(),
		Appends: []commitlog.Append{{Stream: "application/7f2f0d3e", Events: []commitlog.Event{{Type: "onething.test.Event", Public: []byte("value")}}}}}

	ctx, end := o.Call(t.Context(), connect.Spec{Procedure: "/s/Submit"})
	if _, err := log.Append(ctx, commit); err != nil {
		t.Fatal(err)
	}
	commit.RequestID = "another"
	if _, err := log.Append(ctx, commit); !errors.Is(err, commitlog.ErrConflict) {
		t.Fatal(err)
	}
	end("failed_precondition")
	_, end = o.Call(t.Context(), connect.Spec{Procedure: "/s/Watch", StreamType: connect.StreamTypeServer})
	end("ok")
	ctx, done := o.Work(t.Context(), "steps")
	_, called := o.Plugin(ctx, "hrss/pension", "check")
	called(observe.PluginCall{Outcome: "timed_out", Fuel: 7, HostCalls: 2, MemoryBytes: 3 << 20})
	o.PluginShadow("hrss/pension", "same")
	done(errors.New("value"))
	for _, err := range []error{nil, fmt.Errorf("stopped: %w", context.Canceled)} {
		_, done = o.Work(t.Context(), "steps")
		done(err)
	}

	for prefix, want := range map[string][]string{
		"onething_append": {"append_seconds_sum 0.03", "append_seconds_count 1", `appends_total{outcome="conflict"} 1`, `appends_total{outcome="ok"} 1`},
		"onething_request": {`request_seconds_sum{method="/s/Submit"} 0.12`, `request_seconds_count{method="/s/Submit"} 1`,
			`requests_total{code="failed_precondition",method="/s/Submit"} 1`, `requests_total{code="ok",method="/s/Watch"} 1`},
		"onething_plugin": {`plugin_call_seconds_sum{plugin="hrss/pension"} 0.03`, `plugin_call_seconds_count{plugin="hrss/pension"} 1`,
			`plugin_calls_total{hook="check",outcome="timed_out",plugin="hrss/pension"} 1`, `plugin_fuel_total{plugin="hrss/pension"} 7`,
			`plugin_host_calls_total{plugin="hrss/pension"} 2`, `plugin_memory_bytes_sum{plugin="hrss/pension"} 3.145728e+06`, `plugin_memory_bytes_count{plugin="hrss/pension"} 1`,
			`plugin_shadow_calls_total{plugin="hrss/pension",result="same"} 1`},
		"onething_follower": {`follower_work_total{follower="steps",outcome="failed"} 1`, `follower_work_total{follower="steps",outcome="ok"} 1`,
			`follower_work_total{follower="steps",outcome="stopped"} 1`},
	} {
		if diff := cmp.Diff(want, lines(t, o, prefix)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}

	var told []string
	byID := map[string]string{}
	for _, s := range spans.GetSpans() {
		byID[s.SpanContext.SpanID().String()] = s.Name
	}
	for _, s := range spans.GetSpans() {
		line := s.Name
		if s.Parent.IsValid() {
			line = byID[s.Parent.SpanID().String()] + " > " + line
		}
		for _, a := range s.Attributes {
			line += fmt.Sprintf(" %s=%s", a.Key, a.Value.String())
		}
		if len(s.Events) > 0 {
			t.Errorf("%s has events", s.Name)
		}
		told = append(told, line)
	}
	want := []string{"/s/Submit > append outcome=ok", "/s/Submit > append outcome=conflict", "/s/Submit outcome=failed_precondition", "/s/Watch outcome=ok",
		"work steps > plugin hrss/pension hook=check outcome=timed_out", "work steps outcome=failed", "work steps outcome=ok", "work steps outcome=stopped"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}

	// How far a reader is behind is the age of the first commit that it has not read.
	now := commit.At.Add(time.Hour)
	if lag, err := observe.Lag(t.Context(), stored, 0, 1, now); lag != time.Hour || err != nil {
		t.Errorf("behind by %s, %v", lag, err)
	}
	if lag, err := observe.Lag(t.Context(), stored, 1, 1, now); lag != 0 || err != nil {
		t.Errorf("not behind, but by %s, %v", lag, err)
	}
	if err := stored.Close(); err != nil {
		t.Error(err)
	}
	if _, err := log.Append(t.Context(), commit); !errors.Is(err, commitlog.ErrClosed) {
		t.Error(err)
	}
	if got := lines(t, o, `onething_appends_total{outcome="closed"}`); len(got) != 1 {
		t.Errorf("a closed log is not counted: %q", got)
	}
}

// A state that cannot be had makes the scrape an error instead of leaving figures out.
func TestWatch(t *testing.T) {
	t.Parallel()
	var broken error
	o := observe.New(observe.Config{Now: at()})
	o.Watch(func(context.Context) (observe.State, error) {
		return observe.State{Head: 7, Readers: map[string]observe.Reader{"views": {Position: 5, Lag: time.Minute}}, Drafts: 3,
			Causes: map[string]error{"disk": errors.New("full"), "log": nil}}, broken
	})
	scrape := func() (int, string) {
		answer := httptest.NewRecorder()
		o.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		return answer.Code, answer.Body.String()
	}
	code, text := scrape()
	for _, want := range []string{"onething_log_position 7", `onething_reader_lag_commits{reader="views"} 2`, `onething_reader_lag_seconds{reader="views"} 60`, "onething_drafts 3",
		`onething_ready{check="disk"} 0`, `onething_ready{check="log"} 1`} {
		if code != http.StatusOK || !strings.Contains(text, want+"\n") {
			t.Errorf("%d without %s", code, want)
		}
	}
	if strings.Contains(text, "onething_calendar_until") {
		t.Error("a calendar that is not published has an end")
	}
	broken = errors.New("store is closed")
	if code, _ := scrape(); code != http.StatusInternalServerError {
		t.Errorf("without a state it answers %d", code)
	}
}

func TestJumps(t *testing.T) {
	t.Parallel()
	var j observe.Jumps
	begun := time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC)
	for i, tt := range []struct{ wall, running, want time.Duration }{
		{0, 0, 0}, {15 * time.Second, 15 * time.Second, 0},
		{time.Hour, 30 * time.Second, time.Hour - 30*time.Second},
		{time.Hour + 15*time.Second, 45 * time.Second, 0},
		{time.Hour + 59*time.Second, time.Minute, 0}, // 29 s: what keeps clocks together
		{time.Minute, 75 * time.Second, -(time.Hour + 14*time.Second)},
		{2 * time.Hour, 2*time.Hour + 15*time.Second, 0}, // nobody has looked for long
	} {
		if got := j.Look(begun.Add(tt.wall), tt.running); got != tt.want {
			t.Errorf("look %d: set by %s, want %s", i, got, tt.want)
		}
	}
}

// A line that is written in a trace names it; others are as they were.
func TestTraced(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(observe.Traced(slog.NewTextHandler(&log, nil))).With("a", 1)
	ctx, span := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "call")
	logger.InfoContext(ctx, "in")
	logger.InfoContext(t.Context(), "out")
	in, out, _ := strings.Cut(log.String(), "\n")
	if !strings.Contains(in, "msg=in a=1 trace_id="+span.SpanContext().TraceID().String()) || strings.Contains(out, "trace_id") {
		t.Errorf("the log says\n%s", log.String())
	}
}
