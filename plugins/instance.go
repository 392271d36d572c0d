package plugins

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/siyiban/onething/plugins/snapshot"
	"github.com/siyiban/onething/plugins/wasm"
)

// instance is a guest that can be called. After each call it is set back to its image, or thrown away.
type instance struct {
	of     *loaded
	guest  api.Module
	memory *linearMemory
	// alloc and call are the interface's functions, fuel and depth the rewriter's globals, own the guest's.
	alloc, call api.Function
	fuel, depth api.MutableGlobal
	own         []api.MutableGlobal
	stack       [2]uint64
}

// linearMemory is the memory of one guest, in a region that is as large as its limit, so that it grows without moving.
type linearMemory struct {
	view    *snapshot.View
	size    uint64
	refused bool // the guest wanted more than its limit, which WebAssembly itself does not tell its host
}

// Reallocate implements experimental.LinearMemory.
func (m *linearMemory) Reallocate(size uint64) []byte {
	region := m.view.Bytes()
	if size > uint64(len(region)) {
		m.refused = true
		return nil
	}
	m.size = size
	return region[:size]
}

// Free implements experimental.LinearMemory.
func (m *linearMemory) Free() { _ = m.view.Close() }

func (m *linearMemory) bytes() []byte { return m.view.Bytes()[:m.size] }

// instantiate makes an instance in a region, without running anything of the guest.
func (h *Host) instantiate(ctx context.Context, l *loaded, view *snapshot.View) (*instance, error) {
	i := &instance{of: l, memory: &linearMemory{view: view}}
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(
		func(uint64, uint64) experimental.LinearMemory { return i.memory }))
	guest, err := h.runtime.InstantiateModule(ctx, l.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		i.memory.Free()
		return nil, errors.New(firstLine(err))
	}
	i.guest = guest
	i.alloc, i.call = guest.ExportedFunction(exportAlloc), guest.ExportedFunction(exportCall)
	for _, name := range slices.Concat(l.names, []string{wasm.FuelGlobal, wasm.DepthGlobal}) {
		global, ok := guest.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			i.close(ctx)
			return nil, fmt.Errorf("plugins: the rewritten module has no global %s", name)
		}
		i.own = append(i.own, global)
	}
	n := len(l.names)
	i.fuel, i.depth, i.own = i.own[n], i.own[n+1], i.own[:n]
	return i, nil
}

// another makes an instance from the module's image.
func (h *Host) another(ctx context.Context, l *loaded) (*instance, error) {
	view, err := l.image.View(l.limits.MemoryMiB<<20, l.way)
	if err != nil {
		return nil, err
	}
	i, err := h.instantiate(ctx, l, view)
	if err != nil {
		return nil, err
	}
	// A module begins with the memory that it declares; the image may have grown since.
	if more := (l.image.Size() - int(i.memory.size)) / pageSize; more > 0 {
		if _, ok := i.guest.Memory().Grow(uint32(more)); !ok {
			i.close(ctx)
			return nil, errors.New("plugins: the image does not fit into the memory")
		}
	}
	i.restore()
	return i, nil
}

// acquire returns an idle instance, or a new one.
func (h *Host) acquire(ctx context.Context, l *loaded) (*instance, error) {
	l.mu.Lock()
	if n := len(l.idle); n > 0 {
		i := l.idle[n-1]
		l.idle = l.idle[:n-1]
		l.mu.Unlock()
		return i, nil
	}
	l.mu.Unlock()
	return h.another(ctx, l)
}

// put sets an instance back and keeps it for the next call. One whose call failed in any way is thrown away, and so is
// one whose memory has grown, because a memory cannot shrink.
func (l *loaded) put(ctx context.Context, i *instance, clean bool) {
	if !clean || i.memory.size != uint64(l.image.Size()) || i.memory.view.Reset() != nil {
		i.close(ctx)
		return
	}
	i.restore()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		i.close(ctx)
		return
	}
	l.idle = append(l.idle, i)
}

// values are the guest's own globals.
func (i *instance) values() []uint64 {
	values := make([]uint64, len(i.own))
	for n, global := range i.own {
		values[n] = global.Get()
	}
	return values
}

// restore sets the guest's own globals back.
func (i *instance) restore() {
	for n, global := range i.own {
		global.Set(i.of.globals[n])
	}
}

func (i *instance) close(ctx context.Context) { _ = i.guest.Close(context.WithoutCancel(ctx)) }

// exchange hands a guest a message and returns its answer. The error wraps a Kind if the guest is to blame.
func (i *instance) exchange(ctx context.Context, s *sandbox, message []byte) (answer []byte, err error) {
	err = i.run(ctx, s, func(ctx context.Context) error {
		i.stack[0] = uint64(len(message))
		if err := i.alloc.CallWithStack(ctx, i.stack[:]); err != nil {
			return err
		}
		at := uint32(i.stack[0])
		if !i.guest.Memory().Write(at, message) {
			return &reason{MalformedAnswer, errors.New("onething_alloc returned an address outside the memory")}
		}
		i.stack[0], i.stack[1] = uint64(at), uint64(len(message))
		if err := i.call.CallWithStack(ctx, i.stack[:]); err != nil {
			return err
		}
		at, size := uint32(i.stack[0]>>32), uint32(i.stack[0])
		if uint64(size) > uint64(s.limits.OutputKiB)<<10 {
			return TooMuchOutput
		}
		view, ok := i.guest.Memory().Read(at, size)
		if !ok {
			return &reason{MalformedAnswer, errors.New("onething_call returned an answer outside the memory")}
		}
		answer = slices.Clone(view)
		return nil
	})
	return answer, err
}

// run runs a guest within the bounds of a sandbox, and says what ended it.
func (i *instance) run(parent context.Context, s *sandbox, guest func(context.Context) error) error {
	s.fuel = i.fuel
	i.depth.Set(uint64(s.limits.StackKiB) << 10)
	s.refill()
	i.memory.refused = false
	err := guest(context.WithValue(parent, sandboxKey{}, s))
	s.settle()
	switch {
	case parent.Err() != nil:
		return parent.Err()
	case s.exceeded != "":
		// Also if the guest answered: an answer beyond a bound would be an answer now and a failure next time.
		return s.exceeded
	case err == nil:
		return nil
	case i.memory.refused:
		return OutOfMemory
	case int64(i.depth.Get()) < 0:
		return StackOverflow
	}
	if _, ok := errors.AsType[Kind](err); ok {
		return err
	}
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return &reason{Exited, fmt.Errorf("code %d", exit.ExitCode())}
	}
	return &reason{Trapped, errors.New(firstLine(err))}
}
