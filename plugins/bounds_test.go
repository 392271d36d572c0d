package plugins

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/siyiban/onething/plugins/snapshot"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// named is a small guest of another plugin and department.
func named(t testing.TB, id, department, body string) []byte {
	m := fit("\x12\x00", body)
	m.manifest.Id, m.manifest.Department = id, department
	return m.bytes(t)
}

const (
	spin      = "\x03\x40\x0c\x00\x0b\x42\x00" // loop: br 0
	noFinding = ""
)

// TestCall_SlowDepartment fills one department's places with plugins that spin, on a host with a single processor:
// another department's plugin answers while they do.
func TestCall_SlowDepartment(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	limits.Fuel = 1600 * million
	host, refs := newHost(t, Config{Limits: limits, Processors: 1, DepartmentCalls: 3},
		named(t, "slow/one", "slow", spin), named(t, "slow/two", "slow", spin), named(t, "quick/one", "quick", noFinding))
	for _, ref := range refs {
		if _, err := host.Prepare(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	var spinning, answered atomic.Int64
	for n := range 6 {
		all.Go(func() {
			spinning.Add(1)
			defer spinning.Add(-1)
			if _, _, err := host.Call(t.Context(), refs[n%2], ask(checkHook, "")); !errors.Is(err, OutOfFuel) {
				t.Errorf("slow: %v, want %s", err, OutOfFuel)
			}
		})
	}
	all.Go(func() {
		for spinning.Load() < 6 {
			runtime.Gosched()
		}
		for spinning.Load() > 0 {
			if _, _, err := host.Call(t.Context(), refs[2], ask(checkHook, "")); err != nil {
				t.Errorf("quick: %v", err)
				return
			}
			answered.Add(1)
		}
	})
	all.Wait()
	// Two rounds of three that spin, each hundred slices long: the quick one has had many turns between them.
	if answered.Load() < 50 {
		t.Errorf("the quick plugin answered %d times while the others were spinning", answered.Load())
	}
}

// TestCall_GivenUpWhileSpinning ends a guest that spins when its caller gives up, long before its fuel is used up.
func TestCall_GivenUpWhileSpinning(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	limits.Fuel = 1 << 60 // centuries
	host, refs := newHost(t, Config{Limits: limits, Maximum: limits}, named(t, "test/tiny", "test", spin), named(t, "test/other", "test", noFinding))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := host.Call(ctx, refs[0], ask(checkHook, ""))
		done <- err
	}()
	if _, _, err := host.Call(t.Context(), refs[1], ask(checkHook, "")); err != nil {
		t.Error(err)
	}
	cancel()
	var failed *CallError
	if err := <-done; !errors.Is(err, context.Canceled) || errors.As(err, &failed) {
		t.Errorf("got %v, want the context's error alone", err)
	}
}

// TestCall_Suspended leaves a plugin alone that fails too often in a row, and its failures say so.
func TestCall_Suspended(t *testing.T) {
	t.Parallel()
	host, refs := newHost(t, Config{}, named(t, "test/bad", "test", "\x00"), named(t, "test/good", "test", noFinding))
	for n := range breakAfter {
		if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); !errors.Is(err, Trapped) {
			t.Fatalf("call %d: %v, want %s", n, err, Trapped)
		}
	}
	if _, trace, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); !errors.Is(err, Suspended) || trace.Fuel != 0 {
		t.Errorf("got %v with %d units of fuel, want %s", err, trace.Fuel, Suspended)
	}
	if _, _, err := host.Call(t.Context(), refs[1], ask(checkHook, "")); err != nil {
		t.Errorf("another plugin: %v", err)
	}
}

// TestCall_Deterministic takes the same fuel and gives the same answer each time, in a fresh instance and in one that was
// set back, and in another host.
func TestCall_Deterministic(t *testing.T) {
	t.Parallel()
	var want int64
	for range 2 {
		host, refs := newHost(t, Config{}, behave(t))
		for n := range 5 {
			response, trace, err := host.Call(t.Context(), refs[0], ask(checkHook, "goroutines"))
			if got := told(t, response, err); got != "45" {
				t.Fatalf("got %q", got)
			}
			if want == 0 {
				want = trace.Fuel
			}
			if trace.Fuel != want || trace.Fuel == 0 {
				t.Errorf("call %d took %d units of fuel, the first one %d", n, trace.Fuel, want)
			}
			if n == 2 { // an instance that grew is thrown away
				if _, _, err := host.Call(t.Context(), refs[0], ask(pluginv1.Hook_HOOK_ISSUE, "huge")); !errors.Is(err, TooMuchOutput) {
					t.Fatalf("got %v, want %s", err, TooMuchOutput)
				}
			}
		}
	}
}

// TestHost_LeastUsed lets go what was not called for the longest time, and compiles it again when it is called.
func TestHost_LeastUsed(t *testing.T) {
	t.Parallel()
	var files [][]byte
	ids := []string{"test/a", "test/b", "test/c", "test/d"}
	for _, id := range ids {
		files = append(files, named(t, id, "test", noFinding))
	}
	limits := DefaultLimits()
	limits.CallsInFlight = 1
	// Room for two, each of an image of 64 KiB and an instance.
	host, refs := newHost(t, Config{Limits: limits, CompiledMiB: 5}, files...)
	held := func() (ids []string) {
		host.mu.Lock()
		defer host.mu.Unlock()
		for _, l := range host.modules {
			ids = append(ids, l.manifest.GetId())
		}
		return ids
	}
	for round := range 3 {
		for n, ref := range refs {
			if _, _, err := host.Call(t.Context(), ref, ask(checkHook, "")); err != nil {
				t.Fatalf("round %d, %s: %v", round, ids[n], err)
			}
			if got := held(); len(got) > 2 {
				t.Fatalf("the host holds %v, room is for two", got)
			}
		}
	}
	host.mu.Lock()
	weight := 0
	for _, l := range host.modules {
		weight += l.weight
	}
	if weight != host.weight {
		t.Errorf("the host counts %d bytes, its modules weigh %d", host.weight, weight)
	}
	host.mu.Unlock()
	// Under many callers none meets a module that is let go beneath it.
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for k := range 10 {
				if _, _, err := host.Call(t.Context(), refs[(n+k)%len(refs)], ask(checkHook, "")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestCall_MarksEverywhere lets a guest write every byte of its memory but the two of its answer, and every global, and
// compares all of them with the image after each call, for each way of resetting.
func TestCall_MarksEverywhere(t *testing.T) {
	t.Parallel()
	const size = 16 * pageSize
	const mark = "\x23\x00" // global.get 0, which is another one in each call, also in those that prime
	i32Const := func(v int64) string { return "\x41" + sleb(v) }
	fill := func(from, to int64) string { return i32Const(from) + mark + i32Const(to-from) + "\xfc\x0b\x00" }
	m := fit("\x12\x00", mark+i32Const(1)+"\x6a\x24\x00"+fill(0, answerAt)+fill(answerAt+2, size)+
		mark+"\xac\x24\x01"+mark+"\xb2\x24\x02"+mark+"\xb7\x24\x03"+ // as i64, f32 and f64
		"\x42"+sleb(answerAt<<32|2))
	m.memory = "\x01\x00" + leb(16)
	m.globals = "\x04" + "\x7f\x01\x41\x05\x0b" + "\x7e\x01\x42\x06\x0b" + "\x7d\x01\x43\x00\x00\x00\x40\x0b" + "\x7c\x01\x44\x00\x00\x00\x00\x00\x00\x00\x40\x0b"
	file := m.bytes(t)
	for _, way := range snapshot.Ways() {
		host, refs := newHost(t, Config{Reset: &way}, file)
		for range 70 {
			if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); err != nil {
				t.Fatalf("%s: %v", way, err)
			}
			if kept := same(t, host, refs[0]); kept != 1 {
				t.Fatalf("%s: %d instances are kept, want the one that was called", way, kept)
			}
		}
		l, err := host.load(t.Context(), refs[0])
		if err != nil {
			t.Fatal(err)
		}
		if l.way != way || len(l.globals) != 4 {
			t.Errorf("the way is %s, want %s; globals %v", l.way, way, l.globals)
		}
		host.release(l)
	}
}

// slowModules hands out its files one at a time, when it is told to, and counts them.
type slowModules struct {
	modules
	asked chan string
	hand  chan struct{}
}

func (m slowModules) Module(digest string) ([]byte, error) {
	m.asked <- digest
	<-m.hand
	return m.modules.Module(digest)
}

// TestClose_WhileMuchIsToBeCompiled ends a host while one module is being compiled and others wait for their turn: it waits
// for the one, and the others are not begun.
func TestClose_WhileMuchIsToBeCompiled(t *testing.T) {
	t.Parallel()
	held := slowModules{modules{}, make(chan string, 3), make(chan struct{})}
	host, err := Open(t.Context(), Config{Modules: held})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, id := range []string{"test/a", "test/b", "test/c"} {
		file := named(t, id, "test", noFinding)
		held.modules[store.Digest(file)] = file
		if _, err := host.Prepare(gone, Ref{ID: id, Digest: store.Digest(file)}); !errors.Is(err, context.Canceled) {
			t.Fatalf("Prepare() = %v, want %v", err, context.Canceled)
		}
	}
	<-held.asked
	closed := make(chan error)
	go func() { closed <- host.Close(context.Background()) }()
	for !host.ended() {
		runtime.Gosched()
	}
	close(held.hand)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if n := len(held.asked); n > 0 {
		t.Errorf("%d more modules were compiled for nobody", n)
	}
}
