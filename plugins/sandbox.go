package plugins

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// sandbox is what the host knows of one call while it runs: the guest's clock and lots, what it has used up, and the
// answer that waits to be fetched. It is the guest's goroutine's alone.
type sandbox struct {
	// realtime and monotonic are the guest's clocks, in nanoseconds.
	realtime, monotonic uint64
	lots                *rand.ChaCha8
	memory              *linearMemory
	session             capability.Session

	hostCalls, hostCallsLeft int
	hostBytesLeft            int
	// waiting is the answer to the latest host call, until the guest fetches it.
	waiting []byte
	// exceeded is the bound that ended the call from inside a host function, if one did.
	exceeded Kind
}

// sandboxKey is the context's key of a call's sandbox. wazero hands a host function the context of the call and
// nothing else that tells one call from another.
type sandboxKey struct{}

func sandboxOf(ctx context.Context) *sandbox {
	s, _ := ctx.Value(sandboxKey{}).(*sandbox)
	return s
}

func newSandbox(request *pluginv1.Request, limits Limits) *sandbox {
	return &sandbox{
		realtime:      uint64(noon(request.GetToday()).UnixNano()),
		monotonic:     1,
		lots:          rand.NewChaCha8(seed(request)),
		memory:        &linearMemory{limit: uint64(limits.MemoryMiB) << 20},
		hostCallsLeft: limits.HostCalls,
		hostBytesLeft: limits.HostKiB << 10,
	}
}

// noon is when a guest's clock begins: at noon of the day of receipt in China's time, which is the same day in UTC, so
// that a guest that reads the clock against all advice at least sees the day that the call says.
func noon(today string) time.Time {
	day, err := time.Parse(time.DateOnly, today)
	if err != nil || day.Year() < 1970 || day.Year() > 2200 {
		return time.Unix(0, 0)
	}
	return day.Add(4 * time.Hour)
}

// seed makes the guest's lots out of what the call is for, so that a repeated call draws the same ones and two tasks
// draw different ones.
func seed(request *pluginv1.Request) [32]byte {
	return sha256.Sum256([]byte(strings.Join([]string{
		"onething.plugin.v1", request.GetHook().String(), request.GetBundle(), request.GetStep(), request.GetTask(),
	}, "\x00")))
}

// errBound ends a guest from inside a host function; the sandbox says which bound it was.
var errBound = errors.New("a bound was exceeded")

// errGuestMemory ends a guest that hands a host function an address outside its memory.
var errGuestMemory = errors.New("an address outside the guest's memory")

// exceed ends the call. wazero turns the panic of a host function into the error of the guest's call; its own WASI
// ends a guest the same way.
func (s *sandbox) exceed(kind Kind) {
	s.exceeded = kind
	panic(errBound)
}

// spend takes a host call's bytes off the call's account.
func (s *sandbox) spend(bytes int) {
	if s.hostBytesLeft -= bytes; s.hostBytesLeft < 0 {
		s.exceed(TooManyHostCalls)
	}
}

// hostCall is `onething.<function>(request, size) → size of the answer`.
func hostCall(function string) func(context.Context, *sandbox, api.Module, []uint64) uint64 {
	return func(ctx context.Context, s *sandbox, guest api.Module, args []uint64) uint64 {
		s.hostCalls++
		if s.hostCallsLeft--; s.hostCallsLeft < 0 {
			s.exceed(TooManyHostCalls)
		}
		s.spend(int(uint32(args[1])))
		message, ok := guest.Memory().Read(uint32(args[0]), uint32(args[1]))
		if !ok {
			panic(errGuestMemory)
		}
		answer := s.session.Call(ctx, function, message)
		s.spend(len(answer))
		s.waiting = answer
		return uint64(len(answer))
	}
}

// readAnswer is `onething.read_answer(buffer, size) → bytes written`: 0 if the buffer is smaller than the answer.
func readAnswer(_ context.Context, s *sandbox, guest api.Module, args []uint64) uint64 {
	answer := s.waiting
	if uint64(len(answer)) > uint64(uint32(args[1])) {
		return 0
	}
	s.waiting = nil
	if !guest.Memory().Write(uint32(args[0]), answer) {
		panic(errGuestMemory)
	}
	return uint64(len(answer))
}

// linearMemory is the memory of one call: made for it, zero, and dropped after it. It grows up to its limit and
// remembers whether the guest wanted more, which WebAssembly itself does not tell its host.
type linearMemory struct {
	limit   uint64
	buffer  []byte
	most    int // the size that it reached
	refused bool
}

// Reallocate implements experimental.LinearMemory.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > m.limit {
		m.refused = true
		return nil
	}
	if size > uint64(cap(m.buffer)) {
		// Twice as much, so that a guest that grows page by page is not copied each time.
		grown := make([]byte, size, max(size, min(m.limit, 2*uint64(cap(m.buffer)))))
		copy(grown, m.buffer)
		m.buffer = grown
	}
	m.buffer, m.most = m.buffer[:size], int(size)
	return m.buffer
}

// Free implements experimental.LinearMemory.
func (m *linearMemory) Free() { m.buffer = nil }
