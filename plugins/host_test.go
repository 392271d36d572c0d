package plugins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/snapshot"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// ask is a call of the guest behave.
func ask(hook pluginv1.Hook, bundle string) *pluginv1.Request {
	return &pluginv1.Request{
		Hook: hook, Bundle: bundle, Step: "step", Task: "T-1", Attempt: 1, Today: "2026-03-02", Place: "320102",
		Answers: map[string]*pluginv1.Value{"form.person.name": {Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: "张三"}},
	}
}

const checkHook = pluginv1.Hook_HOOK_CHECK

// told returns the text of the one finding that behave answers.
func told(t testing.TB, r *pluginv1.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.GetCheck().GetFindings()) != 1 {
		t.Fatalf("answer %v, want one finding", r)
	}
	return r.GetCheck().GetFindings()[0].GetTextZh()
}

func TestCall(t *testing.T) {
	t.Parallel()
	host, refs := newHost(t, Config{Granted: grantAll, Capabilities: sharing(register{})}, behave(t))
	tests := []struct{ name, bundle, want string }{
		{"reads answers and answers", "echo", "张三"},
		{"prints to nowhere", "print", "printed"},
		{"sees no arguments, environment or input", "surroundings", "0 0 true"},
		{"reads a clock of the day of receipt that moves on", "clock", "2026-03-02 true"},
		{"runs goroutines", "goroutines", "45"},
		{"looks up shared data", "look up", "true true 张三"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			response, _, err := host.Call(t.Context(), refs[0], ask(checkHook, test.bundle))
			if got := told(t, response, err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	t.Run("decides", func(t *testing.T) {
		t.Parallel()
		request := ask(pluginv1.Hook_HOOK_DECIDE, "newborn")
		request.Answers["form.newborn.birth_date"] = &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_DATE, Text: "2026-02-20"}
		got, trace, err := host.Call(t.Context(), refs[0], request)
		if err != nil {
			t.Fatal(err)
		}
		want := &pluginv1.Response{Decision: &pluginv1.Decision{
			Outcome: pluginv1.Outcome_OUTCOME_APPROVED,
			Result:  map[string]*pluginv1.Value{"registered_on": {Kind: pluginv1.ValueKind_VALUE_KIND_DATE, Text: "2026-03-02"}},
		}}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		if trace.Version != "1.0.0" || trace.Plugin != "test/behave" || trace.OutputBytes == 0 || trace.MemoryBytes == 0 {
			t.Errorf("trace %+v says too little", trace)
		}
	})
}

// TestCall_Misbehaviour calls a guest that misbehaves, then the same host again: each time a typed error, and the host
// goes on.
func TestCall_Misbehaviour(t *testing.T) {
	t.Parallel()
	limits := Limits{Fuel: 200 * million, HostTime: 3 * time.Second, MemoryMiB: 24, StackKiB: 512, OutputKiB: 512, HostCalls: 10, HostKiB: 512, CallsInFlight: 4}
	host, refs := newHost(t, Config{Limits: limits, Granted: grantAll, Capabilities: sharing(register{})}, behave(t))
	if _, err := host.Prepare(t.Context(), refs[0]); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, bundle string
		hook         pluginv1.Hook
		want         Kind
	}{
		{"panic", "panic", checkHook, Trapped},
		{"exit with 0", "exit", checkHook, Exited},
		{"nil pointer", "nil", checkHook, Trapped},
		{"loop without end", "loop", checkHook, OutOfFuel},
		{"memory without end", "allocate", checkHook, OutOfMemory},
		{"recursion without end", "recurse", checkHook, StackOverflow},
		{"finding without text", "find", checkHook, MalformedAnswer},
		{"host calls without end", "look up often", checkHook, TooManyHostCalls},
		{"host calls of many bytes", "look up at length", checkHook, TooManyHostCalls},
		{"gives up", "give up", checkHook, GaveUp},
		{"huge document", "huge", pluginv1.Hook_HOOK_ISSUE, TooMuchOutput},
		{"hook that it does not offer", "echo", pluginv1.Hook_HOOK_REVOKE, HookNotOffered},
		{"no hook", "echo", pluginv1.Hook_HOOK_UNSPECIFIED, HookNotOffered},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { // one after the other: many failures in a row would suspend it
			response, trace, err := host.Call(t.Context(), refs[0], ask(test.hook, test.bundle))
			var failed *CallError
			if !errors.As(err, &failed) || !errors.Is(err, test.want) || failed.Kind != test.want {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if failed.Plugin != "test/behave" || failed.Hook != test.hook || response != nil {
				t.Errorf("error %+v, answer %v", failed, response)
			}
			if gaveUp := test.want == GaveUp; gaveUp != (trace.Failure != "") {
				t.Errorf("failure %q", trace.Failure)
			}
			if trace.MemoryBytes > limits.MemoryMiB<<20 {
				t.Errorf("%d bytes of memory, limit %d MiB", trace.MemoryBytes, limits.MemoryMiB)
			}
			if strings.Contains(err.Error(), "on purpose") || strings.Contains(err.Error(), "parameters") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q holds what the guest wrote", err)
			}
			response, _, err = host.Call(t.Context(), refs[0], ask(checkHook, "echo"))
			if got := told(t, response, err); got != "张三" {
				t.Errorf("afterwards: got %q", got)
			}
		})
	}
}

// TestCall_FreshSandbox looks for what an earlier call left in globals, on the heap and in free memory, and compares the
// whole memory and every global with the image, for each way of resetting that this machine has.
func TestCall_FreshSandbox(t *testing.T) {
	t.Parallel()
	for _, way := range snapshot.Ways() {
		t.Run(way.String(), func(t *testing.T) {
			t.Parallel()
			limits := DefaultLimits()
			limits.CallsInFlight = 1
			host, refs := newHost(t, Config{Limits: limits, Reset: &way}, behave(t))
			for round := range 70 { // more than the calls after which written pages are protected anew
				response, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "mark"))
				if got := told(t, response, err); got != "marked" {
					t.Fatalf("got %q", got)
				}
				same(t, host, refs[0])
				if round%10 > 0 {
					continue
				}
				response, _, err = host.Call(t.Context(), refs[0], ask(checkHook, "look for marks"))
				if err != nil {
					t.Fatal(err)
				}
				if findings := response.GetCheck().GetFindings(); len(findings) != 0 {
					t.Fatalf("the sandbox is not fresh: %v", findings)
				}
				same(t, host, refs[0])
			}
		})
	}
}

// same compares every idle instance of a plugin with its image, and returns how many there are.
func same(t *testing.T, h *Host, ref Ref) (kept int) {
	t.Helper()
	l, err := h.load(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	defer h.release(l)
	if l.image.Size() <= 256<<10 {
		t.Error("the image is so small that it is always copied whole")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.idle {
		if !bytes.Equal(i.memory.bytes(), l.image.Bytes()) {
			t.Error("the memory is not the image")
		}
		for n, v := range i.values() {
			if v != l.globals[n] {
				t.Errorf("the global %s is %d, was %d", l.names[n], v, l.globals[n])
			}
		}
	}
	return len(l.idle)
}

// TestCall_Lots draws the same lots for the same task and hook, also in another host, and others for another task.
func TestCall_Lots(t *testing.T) {
	t.Parallel()
	draw := func(task string) string {
		host, refs := newHost(t, Config{}, behave(t))
		request := ask(checkHook, "lots")
		request.Task = task
		response, _, err := host.Call(t.Context(), refs[0], request)
		return told(t, response, err)
	}
	first, again, other := draw("T-1"), draw("T-1"), draw("T-2")
	if first != again || first == other || first == strings.Repeat("0", 32) {
		t.Errorf("lots %s, %s, %s", first, again, other)
	}
}

func TestCall_SharedData(t *testing.T) {
	t.Parallel()
	nobody := func(string) []string { return nil }
	tests := []struct {
		name, bundle string
		granted      func(string) []string
		source       capability.Source
		want         string
		failure      string
		lookup       capability.Lookup
	}{
		{"granted", "look up", grantAll, register{}, "true true 张三", "", capability.Lookup{Source: "register", Purpose: "核对户籍", Answered: true, Found: true}},
		{"not granted", "look up", nobody, register{}, "", "not_granted", capability.Lookup{Source: "register", Purpose: "核对户籍", Refused: "not_granted"}},
		{"not asked for in the manifest", "look up elsewhere", grantAll, register{}, "", "not_granted", capability.Lookup{Source: "credit", Purpose: "核对户籍", Refused: "not_granted"}},
		{"silent", "look up", grantAll, nil, "false false ", "", capability.Lookup{Source: "register", Purpose: "核对户籍"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host, refs := newHost(t, Config{Granted: test.granted, Capabilities: sharing(test.source)}, behave(t))
			response, trace, err := host.Call(t.Context(), refs[0], ask(checkHook, test.bundle))
			if test.failure != "" {
				if !errors.Is(err, GaveUp) || !strings.Contains(trace.Failure, test.failure) {
					t.Errorf("got %v, failure %q", err, trace.Failure)
				}
			} else if got := told(t, response, err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if len(trace.Lookups) != 1 || trace.HostCalls != 1 {
				t.Fatalf("trace %+v, want one look-up", trace)
			}
			got := trace.Lookups[0]
			if got.Key != "320101199003071234" || len(trace.Transcript) != 1 || trace.Transcript[0].GetFunction() != capability.SharedData {
				t.Errorf("look-up %+v, transcript %v", got, trace.Transcript)
			}
			got.Key = ""
			if diff := cmp.Diff(test.lookup, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// blocked is a source that answers when it is told to, or when the call is over.
type blocked struct{ asked chan struct{} }

func (b blocked) LookUp(ctx context.Context, _, _ string) (*capability.Entry, error) {
	b.asked <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestCall_GivenUp ends a call whose caller no longer waits: the plugin is not to blame.
func TestCall_GivenUp(t *testing.T) {
	t.Parallel()
	source := blocked{make(chan struct{})}
	one := DefaultLimits()
	one.CallsInFlight = 1
	host, refs := newHost(t, Config{Limits: one, Granted: grantAll, Capabilities: sharing(source)}, behave(t))
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	waiting.Go(func() {
		<-source.asked
		// The one slot is taken: a caller who waits for it can give up too.
		late, cancelLate := context.WithCancel(t.Context())
		cancelLate()
		var failed *CallError
		if _, _, err := host.Call(late, refs[0], ask(checkHook, "echo")); !errors.Is(err, context.Canceled) || errors.As(err, &failed) {
			t.Errorf("waiting: got %v, want the context's error alone", err)
		}
		cancel()
	})
	_, _, err := host.Call(ctx, refs[0], ask(checkHook, "look up"))
	waiting.Wait()
	var failed *CallError
	if !errors.Is(err, context.Canceled) || errors.As(err, &failed) {
		t.Errorf("got %v, want the context's error alone", err)
	}
}

// TestCall_SlowSource ends a call whose source does not answer within the call's time.
func TestCall_SlowSource(t *testing.T) {
	t.Parallel()
	source := blocked{make(chan struct{}, 1)}
	limits := DefaultLimits()
	limits.HostTime = 500 * time.Millisecond
	host, refs := newHost(t, Config{Limits: limits, Granted: grantAll, Capabilities: sharing(source)}, behave(t))
	if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "look up")); !errors.Is(err, TimedOut) {
		t.Errorf("got %v, want %s", err, TimedOut)
	}
}

func TestCall_NotFound(t *testing.T) {
	t.Parallel()
	held := modules{}
	host, _ := newHost(t, Config{Modules: held})
	wasm := fit("\x12\x00", "").bytes(t)
	_, refs := newHost(t, Config{}, wasm)
	if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); !errors.Is(err, NotFound) {
		t.Fatalf("got %v, want %s", err, NotFound)
	}
	// It is not remembered: the file may be there next time.
	held[refs[0].Digest] = wasm
	if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); err != nil {
		t.Error(err)
	}
	if _, _, err := host.Call(t.Context(), Ref{ID: "test/other", Digest: refs[0].Digest}, ask(checkHook, "")); !errors.Is(err, Unfit) {
		t.Errorf("another id: got %v, want %s", err, Unfit)
	}
}

func TestCall_Closed(t *testing.T) {
	t.Parallel()
	host, refs := newHost(t, Config{}, fit("\x12\x00", "").bytes(t))
	if err := host.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
}

// TestCall_Hammer calls from many goroutines at once.
func TestCall_Hammer(t *testing.T) {
	t.Parallel()
	host, refs := newHost(t, Config{}, behave(t), fit("\x12\x00", "").bytes(t))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				request := ask(checkHook, "echo")
				name := fmt.Sprint("person ", i)
				request.Answers["form.person.name"].Text = name
				response, _, err := host.Call(t.Context(), refs[0], request)
				if got := response.GetCheck().GetFindings(); err != nil || len(got) != 1 || got[0].GetTextZh() != name {
					t.Errorf("got %v, %v", response, err)
				}
				if _, _, err := host.Call(t.Context(), refs[1], request); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func TestOpen_Config(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config Config
	}{
		{"no modules", Config{}},
		{"no fuel", Config{Modules: modules{}, Limits: Limits{HostTime: time.Second, MemoryMiB: 1, StackKiB: 1, OutputKiB: 1, CallsInFlight: 1}}},
		{"no memory", Config{Modules: modules{}, Maximum: Limits{Fuel: 1, HostTime: time.Second, StackKiB: 1, OutputKiB: 1, CallsInFlight: 1}}},
		{"too much memory", Config{Modules: modules{}, Maximum: Limits{Fuel: 1, HostTime: time.Second, MemoryMiB: 4096, StackKiB: 1, OutputKiB: 1, CallsInFlight: 1}}},
		{"negative number", Config{Modules: modules{}, DepartmentCalls: -1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if host, err := Open(t.Context(), test.config); err == nil || host != nil {
				t.Errorf("Open() = %v, %v", host, err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	byDefault := Limits{Fuel: 10 * million, HostTime: time.Second, MemoryMiB: 32, StackKiB: 64, OutputKiB: 100, HostCalls: 5, HostKiB: 64, CallsInFlight: 2}
	most := Limits{Fuel: 20 * million, HostTime: 2 * time.Second, MemoryMiB: 64, StackKiB: 128, OutputKiB: 200, HostCalls: 10, HostKiB: 128, CallsInFlight: 4}
	if got := byDefault.within(most, nil); got != byDefault {
		t.Errorf("asks for nothing: got %+v", got)
	}
	const much = 4_000_000_000
	everything := &pluginv1.Limits{FuelMillions: much, HostMillis: much, MemoryMib: much, StackKib: much, OutputKib: much, HostCalls: much, HostKib: much, CallsInFlight: much}
	if got := byDefault.within(most, everything); got != most {
		t.Errorf("asks for everything: got %+v", got)
	}
	got := byDefault.within(most, &pluginv1.Limits{FuelMillions: 5, HostMillis: 1500, MemoryMib: 16, StackKib: 1, OutputKib: 1, HostCalls: 7, HostKib: 1, CallsInFlight: 1})
	want := Limits{Fuel: 5 * million, HostTime: 1500 * time.Millisecond, MemoryMiB: 16, StackKiB: 1, OutputKiB: 1, HostCalls: 7, HostKiB: 1, CallsInFlight: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func BenchmarkCall(b *testing.B) {
	host, refs := newHost(b, Config{Granted: grantAll, Capabilities: sharing(register{})}, behave(b), fit("\x12\x00", "").bytes(b))
	for i, name := range []string{"guest=go", "guest=bytes"} {
		b.Run(name, func(b *testing.B) {
			request := ask(checkHook, "look up")
			if _, _, err := host.Call(b.Context(), refs[i], request); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := host.Call(b.Context(), refs[i], request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
