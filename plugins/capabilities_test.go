package plugins

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// ledger is an outside system, and all else that a plugin can reach.
type ledger struct {
	*httptest.Server
	mu    sync.Mutex
	keys  []string // idempotency keys of what it was asked
	lines strings.Builder
	held  map[string]string
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{held: map[string]string{"count": "+"}}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.keys = append(l.keys, r.Header.Get("Idempotency-Key"))
		_, _ = io.WriteString(w, "took "+string(body))
	}))
	t.Cleanup(l.Close)
	return l
}

// config is a host that grants everything.
func (l *ledger) config() Config {
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}
	return Config{
		Granted: func(string) []string {
			return []string{"shared_data", "key_value", "log", "http:ledger.example.cn+plain"}
		},
		Capabilities: capability.New(capability.Config{
			SharedData: register{}, KeyValue: l, Logger: slog.New(slog.NewTextHandler(&l.lines, &slog.HandlerOptions{ReplaceAttr: drop})),
			Outside: capability.Outside{Secret: []byte("secret"), Resolver: l, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, l.Listener.Addr().String())
			}},
		}),
	}
}

func (l *ledger) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
}

func (l *ledger) Snapshot(context.Context, string) (capability.Snapshot, error) { return l, nil }

func (l *ledger) Get(key string) ([]byte, uint64) {
	value, ok := l.held[key]
	if !ok {
		return nil, 0
	}
	return []byte(value), 3
}

func (l *ledger) Keys(string, string, int) []string { return []string{"count"} }
func (l *ledger) Bytes() int                        { return 0 }

// A guest uses every capability, and what it saw and did is in the trace.
func TestCall_Capabilities(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	host, refs := newHost(t, l.config(), behave(t))
	response, trace, err := host.Call(t.Context(), refs[0], ask(checkHook, "count"))
	if got := told(t, response, err); got != "+[count]" {
		t.Errorf("told %q", got)
	}
	want := &capability.Writes{Department: "test", Read: map[string]uint64{"count": 3}, Listed: []capability.Listed{{Limit: 100, Keys: []string{"count"}}}, Written: map[string][]byte{"count": []byte("++")}}
	if diff := cmp.Diff(want, trace.Writes); diff != "" {
		t.Error(diff)
	}
	if got, want := l.lines.String(), "plugin=test/behave version=1.0.0 hook=check application=T-1 code=counted numbers.digits=1\n"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
	if _, trace, err = host.Call(t.Context(), refs[0], ask(checkHook, "count and panic")); !errors.Is(err, Trapped) || trace.Writes != nil || trace.ReachedOutside {
		t.Errorf("a call that failed left %+v, %v", trace, err)
	}
	response, trace, err = host.Call(t.Context(), refs[0], ask(checkHook, "ask outside"))
	if got := told(t, response, err); got != "true 200 took row" || !trace.ReachedOutside || trace.Repeatable {
		t.Errorf("told %q, trace %+v", got, trace)
	}
	if _, trace, err = host.Call(t.Context(), refs[0], ask(checkHook, "ask outside and panic")); !errors.Is(err, Trapped) || !trace.ReachedOutside {
		t.Errorf("a call that failed after it reached outside: %+v, %v", trace, err)
	}
	if _, _, err = host.Call(t.Context(), refs[0], ask(checkHook, "ask outside")); err != nil {
		t.Error(err)
	}
	if len(l.keys) != 3 || l.keys[0] != l.keys[2] || l.keys[0] == l.keys[1] {
		t.Errorf("idempotency keys %q: the same call has the same one, another call another one", l.keys)
	}
}

// A call is replayed from what is kept of it, when nothing of what it saw is there any more: the same answer for the same
// fuel, and nothing is reached, written or logged.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, bundle := range []string{"echo", "look up", "count", "ask outside", "clock"} {
		t.Run(bundle, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			host, refs := newHost(t, l.config(), behave(t))
			request := ask(checkHook, bundle)
			response, trace, err := host.Call(t.Context(), refs[0], request)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := trace.Record(request, response)
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			lines := l.lines.Len()
			elsewhere, _ := newHost(t, Config{}, behave(t))
			again, replayed, diverged, err := elsewhere.Replay(t.Context(), refs[0], request, kept.GetCalls())
			if err != nil || diverged != "" {
				t.Fatalf("%v, diverged: %s", err, diverged)
			}
			if diff := cmp.Diff(response, again, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			record, err := replayed.Record(request, again)
			if err != nil {
				t.Fatal(err)
			}
			if record.Calls = kept.GetCalls(); !cmp.Equal(kept, record, protocmp.Transform()) {
				t.Errorf("kept %v\nreplayed %v", kept, record)
			}
			if replayed.Writes != nil || replayed.ReachedOutside || l.lines.Len() != lines {
				t.Errorf("the replay did something: %+v", replayed)
			}
			if len(kept.GetCalls()) == 0 {
				return
			}
			// With another answer the plugin answers otherwise, or asks for something else.
			other := slices.Clone(kept.GetCalls())
			other[0] = &pluginv1.HostCall{Function: other[0].GetFunction(), Request: other[0].GetRequest()}
			changed, _, diverged, err := elsewhere.Replay(t.Context(), refs[0], request, other)
			if err == nil && diverged == "" && cmp.Equal(response, changed, protocmp.Transform()) {
				t.Error("another transcript comes to the same")
			}
		})
	}
}
