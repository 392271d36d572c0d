package plugins

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins/snapshot"
	"github.com/siyiban/onething/plugins/wasm"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// loaded is a module that is compiled, or being compiled, or found unfit.
type loaded struct {
	done chan struct{} // closed when the members down to err are settled

	*module
	compiled wazero.CompiledModule
	limits   Limits
	// image is the memory of a guest that was initialised and primed, and globals are its mutable globals' values by the
	// names in names. Every call begins with them.
	image   *snapshot.Image
	names   []string
	globals []uint64
	way     snapshot.Way
	weight  int // bytes that it holds, roughly
	err     error

	slots   chan struct{} // calls in flight
	breaker breaker

	// The following belong to Host.mu.
	holders int    // calls that use it
	used    uint64 // when it was last used, in calls of the host

	mu     sync.Mutex
	idle   []*instance
	closed bool
}

// load returns the module of a plugin, compiled; it waits for the compilation or for ctx, whichever ends first. Whoever
// gets one lets it go with [Host.release].
func (h *Host) load(ctx context.Context, ref Ref) (*loaded, error) {
	h.mu.Lock()
	l, ok := h.modules[ref.Digest]
	if !ok {
		l = &loaded{done: make(chan struct{})}
		h.modules[ref.Digest] = l
		h.under.Add(1)
		// A caller who gives up does not end the work: the next one will want it too.
		go h.compile(context.WithoutCancel(ctx), ref.Digest, l)
	}
	h.calls++
	l.holders, l.used = l.holders+1, h.calls
	h.mu.Unlock()
	select {
	case <-l.done:
	case <-ctx.Done():
		h.release(l)
		return nil, ctx.Err()
	}
	err := l.err
	if err == nil && l.manifest.GetId() != ref.ID {
		err = &reason{Unfit, fmt.Errorf("the module is plugin %s", l.manifest.GetId())}
	}
	if err != nil {
		h.release(l)
		return nil, err
	}
	return l, nil
}

// release lets a module go that load returned.
func (h *Host) release(l *loaded) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.holders--
}

// compile reads, checks, rewrites, compiles and primes a module, one at a time.
func (h *Host) compile(ctx context.Context, digest string, l *loaded) {
	defer h.under.Done()
	h.compiling <- struct{}{}
	defer func() { <-h.compiling }()
	if h.ended() { // nobody waits any more for what has not begun
		l.err = ErrClosed
		close(l.done)
		return
	}
	begun := time.Now()
	func() {
		// The compiler has panicked on modules before; one that does is unfit, and the host goes on.
		defer func() {
			if r := recover(); r != nil {
				l.err = &reason{Unfit, errors.New("the compiler cannot handle it")}
			}
		}()
		l.err = h.prepare(ctx, digest, l)
	}()
	if l.err != nil {
		l.close(ctx)
		h.config.Logger.WarnContext(ctx, "plugin cannot be used", "digest", digest, "error", l.err)
	} else {
		h.config.Logger.InfoContext(ctx, "plugin is ready", "plugin", l.manifest.GetId(), "version", l.manifest.GetVersion(),
			"digest", digest, "reset", l.way.String(), "took", time.Since(begun).Round(time.Millisecond).String())
	}
	h.mu.Lock()
	if _, unfit := errors.AsType[*reason](l.err); l.err != nil && !unfit {
		delete(h.modules, digest) // what is not there now may be there at the next call
	}
	h.weight += l.weight
	letGo := h.leastUsed()
	h.mu.Unlock()
	close(l.done)
	for _, old := range letGo {
		old.close(ctx)
	}
}

// leastUsed takes the modules off the list that have not been called for the longest time, until the others fit into what
// the host may hold. h.mu is held.
func (h *Host) leastUsed() []*loaded {
	var letGo []*loaded
	for h.weight > h.config.CompiledMiB<<20 {
		var oldest *loaded
		at := ""
		for digest, l := range h.modules {
			if l.weight > 0 && l.holders == 0 && (oldest == nil || l.used < oldest.used) {
				oldest, at = l, digest
			}
		}
		if oldest == nil {
			break // all are in use
		}
		delete(h.modules, at)
		h.weight -= oldest.weight
		letGo = append(letGo, oldest)
	}
	return letGo
}

// Weights of a compiled module, measured: native code and what the compiler keeps for a byte of the file, and what an
// instance writes.
const (
	weightOfByte     = 5
	weightOfInstance = 2 << 20
)

func (h *Host) prepare(ctx context.Context, digest string, l *loaded) error {
	file, err := h.config.Modules.Module(digest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return NotFound
	case err != nil:
		return fmt.Errorf("read module: %w", err)
	}
	if l.module, err = inspect(file); err != nil {
		return &reason{Unfit, err}
	}
	l.limits = h.config.Limits.within(h.config.Maximum, l.manifest.GetLimits())
	l.slots = make(chan struct{}, l.limits.CallsInFlight)
	if have, most := l.wasm.MemoryPages, l.limits.MemoryMiB*pagesPerMiB; have > most {
		return &reason{Unfit, fmt.Errorf("begins with %d pages of memory, its limit is %d", have, most)}
	}
	rewritten := l.wasm.Rewrite()
	l.wasm = nil // it holds the file
	if l.compiled, err = h.runtime.CompileModule(ctx, rewritten.Module); err != nil {
		return &reason{Unfit, errors.New(firstLine(err))}
	}
	l.names = rewritten.Globals
	if err := h.snapshot(ctx, l, rewritten.Data); err != nil {
		return err
	}
	l.weight = weightOfByte*len(file) + l.image.Size() + l.limits.CallsInFlight*weightOfInstance
	return nil
}

// snapshot starts a guest and keeps what it is then. It primes it with calls that are made up, so that what a guest does
// on its first call only is done; a guest that does not survive them is kept as it is after its start.
func (h *Host) snapshot(ctx context.Context, l *loaded, data []wasm.Segment) error {
	primed := true
	for {
		first, err := h.first(ctx, l, data)
		if err != nil {
			return &reason{Unfit, fmt.Errorf("it does not start: %w", err)}
		}
		if primed && h.prime(ctx, first) != nil {
			primed = false
			first.close(ctx)
			continue
		}
		l.globals = first.values()
		l.image, err = snapshot.New(first.memory.bytes())
		first.close(ctx)
		if err != nil {
			return err
		}
		l.way = snapshot.Best(l.image.Size(), h.fastest())
		return nil
	}
}

// first starts a guest in memory of its own.
func (h *Host) first(ctx context.Context, l *loaded, data []wasm.Segment) (*instance, error) {
	view, err := snapshot.Reserve(l.limits.MemoryMiB << 20)
	if err != nil {
		return nil, err
	}
	i, err := h.instantiate(ctx, l, view)
	if err != nil {
		return nil, err
	}
	for _, s := range data {
		if !i.guest.Memory().Write(s.Offset, s.Bytes) {
			err = errors.New("a data segment lies outside the memory")
		}
	}
	if err == nil && l.initialise {
		s := newSandbox(&pluginv1.Request{}, l.limits)
		s.fill(min(l.limits.Fuel, startFuel))
		err = i.run(ctx, s, func(ctx context.Context) error {
			_, err := i.guest.ExportedFunction(exportInitialize).Call(ctx)
			return err
		})
	}
	if err != nil {
		i.close(ctx)
		return nil, err
	}
	return i, nil
}

// What a guest may execute when it starts, a hundred times what a Go guest needs, and in each call that primes it. Other
// modules that are still to be compiled wait meanwhile.
const (
	startFuel = 5000 * million
	primeFuel = 1000 * million
)

// primings is how often a guest is called for each of its hooks. A Go guest fills its caches of types at the first call,
// and grows its heap at the second.
const primings = 2

// prime calls a guest with what nobody has asked. Its answers, and that it finds none, do not matter; if it traps, or
// exceeds a bound, the error says so.
func (h *Host) prime(ctx context.Context, i *instance) error {
	for range primings {
		for _, hook := range i.of.manifest.GetHooks() {
			request := madeUp(hook)
			message, err := proto.MarshalOptions{Deterministic: true}.Marshal(request) // every image of a module is the same
			if err != nil {
				return err
			}
			s := newSandbox(request, i.of.limits)
			s.fill(min(i.of.limits.Fuel, primeFuel))
			if _, err := i.exchange(ctx, s, message); err != nil {
				return err
			}
		}
	}
	return nil
}

// madeUp is a request with a value of every kind, of a bundle, a step and a person that do not exist.
func madeUp(hook pluginv1.Hook) *pluginv1.Request {
	values := map[string]*pluginv1.Value{}
	for kind := range pluginv1.ValueKind_name {
		v := &pluginv1.Value{Kind: pluginv1.ValueKind(kind)}
		switch v.GetKind() {
		case pluginv1.ValueKind_VALUE_KIND_UNSPECIFIED:
			continue
		case pluginv1.ValueKind_VALUE_KIND_DECIMAL:
			v.Text = "0.5"
		case pluginv1.ValueKind_VALUE_KIND_DATE:
			v.Text = "2000-01-01"
		case pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER:
			v.Text = "110105194912310021"
		case pluginv1.ValueKind_VALUE_KIND_CHOICES:
			v.Items = []string{"none"}
		case pluginv1.ValueKind_VALUE_KIND_LIST:
			v.Rows = []*pluginv1.Row{{Cells: map[string]*pluginv1.Value{"none": {Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: "无"}}}}
		default:
			v.Text = "none"
		}
		values[fmt.Sprintf("form.none.kind%d", kind)] = v
	}
	return &pluginv1.Request{
		Hook: hook, Bundle: "none", Step: "none", Task: "none", Attempt: 1, Today: "2000-01-03", Place: "000000",
		Answers: values, Parameters: values, Result: values,
		Materials: []*pluginv1.Material{{Id: "none", Origin: "APPLICANT"}},
		Published: map[string]*pluginv1.Published{"none": {Values: []*pluginv1.PublishedValue{{From: "2000-01-01", Value: values["form.none.kind6"]}}}},
	}
}

// close releases a module; nothing may use it any more.
func (l *loaded) close(ctx context.Context) {
	l.mu.Lock()
	idle := l.idle
	l.idle, l.closed = nil, true
	l.mu.Unlock()
	for _, i := range idle {
		i.close(ctx)
	}
	if l.compiled != nil {
		_ = l.compiled.Close(ctx)
	}
	if l.image != nil {
		_ = l.image.Close()
		l.image = nil
	}
}
