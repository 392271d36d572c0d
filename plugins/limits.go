package plugins

import (
	"errors"
	"time"

	"github.com/siyiban/onething/plugins/wasm"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Limits bound one call.
type Limits struct {
	// Fuel is what the guest may execute, in units: some for each instruction. It counts the same on every machine. A
	// thousand million are 25 to 50 ms of a Go guest's work.
	Fuel int64
	// HostTime is what all host calls of one call may take together.
	HostTime time.Duration
	// MemoryMiB is the linear memory, in MiB.
	MemoryMiB int
	// StackKiB is what the functions that are under way inside each other may hold, in KiB.
	StackKiB int
	// OutputKiB is the size of the answer, in KiB.
	OutputKiB int
	// HostCalls is the number of host calls.
	HostCalls int
	// HostKiB is what all host calls together may move in and out, in KiB.
	HostKiB int
	// CallsInFlight is the number of calls of the plugin at the same time; others wait.
	CallsInFlight int
}

const million = 1_000_000

// DefaultLimits are what a plugin gets that asks for nothing.
func DefaultLimits() Limits {
	return Limits{
		Fuel: 20_000 * million, HostTime: 5 * time.Second, MemoryMiB: 64, StackKiB: 8 << 10, OutputKiB: 1024, HostCalls: 50, HostKiB: 1024,
		CallsInFlight: 4,
	}
}

// DefaultMaximum is the most that a plugin gets by asking.
func DefaultMaximum() Limits {
	return Limits{
		Fuel: 200_000 * million, HostTime: 30 * time.Second, MemoryMiB: 256, StackKiB: wasm.Room >> 10, OutputKiB: 8192, HostCalls: 1000, HostKiB: 8192,
		CallsInFlight: 16,
	}
}

// check refuses limits with which nothing could run.
func (l Limits) check() error {
	if l.Fuel <= 0 || l.HostTime < time.Millisecond || l.MemoryMiB <= 0 || l.MemoryMiB > 4095 || l.StackKiB <= 0 || l.OutputKiB <= 0 ||
		l.HostCalls < 0 || l.HostKiB < 0 || l.CallsInFlight <= 0 {
		return errors.New("plugins: limits need fuel, a millisecond, a MiB of memory below 4 GiB, a KiB of stack and of output, and a call in flight at least")
	}
	return nil
}

// within returns what a manifest asks for, within the operator's maximum.
func (l Limits) within(most Limits, asked *pluginv1.Limits) Limits {
	of := func(asked uint32, byDefault, most int) int {
		if asked == 0 {
			return byDefault
		}
		return int(min(int64(asked), int64(most)))
	}
	if asked.GetFuelMillions() != 0 {
		l.Fuel = min(int64(asked.GetFuelMillions())*million, most.Fuel)
	}
	if asked.GetHostMillis() != 0 {
		l.HostTime = min(time.Duration(asked.GetHostMillis())*time.Millisecond, most.HostTime)
	}
	l.MemoryMiB = of(asked.GetMemoryMib(), l.MemoryMiB, most.MemoryMiB)
	l.StackKiB = of(asked.GetStackKib(), l.StackKiB, most.StackKiB)
	l.OutputKiB = of(asked.GetOutputKib(), l.OutputKiB, most.OutputKiB)
	l.HostCalls = of(asked.GetHostCalls(), l.HostCalls, most.HostCalls)
	l.HostKiB = of(asked.GetHostKib(), l.HostKiB, most.HostKiB)
	l.CallsInFlight = of(asked.GetCallsInFlight(), l.CallsInFlight, most.CallsInFlight)
	return l
}
