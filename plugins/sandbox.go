package plugins

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// sandbox is what the host knows of one call while it runs: the guest's clock and lots, what it has used up, and the
// answer that waits to be fetched. It is the guest's goroutine's alone.
type sandbox struct {
	limits Limits
	// turns and department are how the guest shares the processors with others; turns is nil while it is primed.
	turns      *turns
	department string
	// realtime and monotonic are the guest's clocks, in nanoseconds.
	realtime, monotonic uint64
	lots                *rand.ChaCha8
	session             capability.Session

	// fuel is the guest's global that counts down the slice; left is what remains behind it.
	fuel         api.MutableGlobal
	budget, left int64

	hostCalls, hostCallsLeft int
	hostBytesLeft            int
	hostTimeLeft             time.Duration
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
	s := &sandbox{
		limits:        limits,
		realtime:      uint64(noon(request.GetToday()).UnixNano()),
		monotonic:     1,
		lots:          rand.NewChaCha8(seed(request)),
		hostCallsLeft: limits.HostCalls,
		hostBytesLeft: limits.HostKiB << 10,
		hostTimeLeft:  limits.HostTime,
	}
	s.fill(limits.Fuel)
	return s
}

// fill gives the guest its fuel.
func (s *sandbox) fill(fuel int64) { s.budget, s.left = fuel, fuel }

// slice is how much fuel a guest gets at a time, one or two milliseconds' worth. Compiled code cannot be interrupted: a
// guest that spins keeps the garbage collector, and with it the whole process, waiting until it comes back for more.
const slice = 40 * million

// refill gives the guest its next slice.
func (s *sandbox) refill() {
	next := min(s.left, slice)
	s.left -= next
	s.fuel.Set(uint64(next))
}

// settle takes back what the guest has not used.
func (s *sandbox) settle() {
	s.left += int64(s.fuel.Get())
	s.fuel.Set(0)
}

// used is the fuel that the guest has taken, once it was settled.
func (s *sandbox) used() int64 { return s.budget - s.left }

// refuel is called by the guest whose slice is used up, which may owe some. It lets others have their turn.
func refuel(ctx context.Context, s *sandbox, _ api.Module, _ []uint64) uint64 {
	s.settle()
	if s.left < 0 {
		s.exceed(OutOfFuel)
	}
	if err := ctx.Err(); err != nil {
		panic(err)
	}
	runtime.Gosched()
	if s.turns != nil {
		s.turns.pass(s.department)
	}
	s.refill()
	return 0
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

// hostCall is `onething.<name>(request, size) → size of the answer`, for each capability.
func hostCall(name string) func(ctx context.Context, s *sandbox, guest api.Module, args []uint64) uint64 {
	return func(ctx context.Context, s *sandbox, guest api.Module, args []uint64) uint64 {
		s.hostCalls++
		if s.hostCallsLeft--; s.hostCallsLeft < 0 {
			s.exceed(TooManyHostCalls)
		}
		s.spend(int(uint32(args[1])))
		view, ok := guest.Memory().Read(uint32(args[0]), uint32(args[1]))
		if !ok {
			panic(errGuestMemory)
		}
		answer := s.outside(ctx, name, slices.Clone(view))
		s.spend(len(answer))
		s.waiting = answer
		return uint64(len(answer))
	}
}

// outside answers a host call. What it waits for costs the guest time, and nobody else a processor.
func (s *sandbox) outside(ctx context.Context, name string, request []byte) []byte {
	if s.session == nil {
		return nil // the guest is being primed: nothing is there, and nothing is reached
	}
	if s.turns != nil {
		s.turns.give()
		defer s.turns.retake(s.department)
	}
	begun := time.Now()
	limited, cancel := context.WithTimeout(ctx, s.hostTimeLeft)
	defer cancel()
	answer := s.session.Call(limited, name, request)
	s.hostTimeLeft -= time.Since(begun)
	if limited.Err() != nil && ctx.Err() == nil {
		s.exceed(TimedOut)
	}
	return answer
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
