package plugins

import (
	"context"
	"encoding/binary"
	"maps"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/wasm"
)

// hostFunction is a function that a guest may import.
type hostFunction struct {
	signature
	call func(ctx context.Context, s *sandbox, guest api.Module, args []uint64) uint64
}

// Error numbers of WASI preview 1.
const (
	errnoSuccess = 0
	errnoBadf    = 8
	errnoFault   = 21
	errnoInval   = 28
)

// rewriterFunctions are what a rewritten module imports besides; no file can import it.
func rewriterFunctions() map[string]map[string]hostFunction {
	return map[string]map[string]hostFunction{wasm.RefuelModule: {wasm.RefuelFunction: {signature{"", ""}, refuel}}}
}

// hostFunctions are all that a guest may import, by module and name: our own, and what a Go, C or Rust guest wants of
// WASI preview 1 to start. Nothing of it keeps state beyond the call, and nothing of it tells a guest anything about
// the machine: there are no arguments, no environment and no files, what is printed is dropped, clock and lots are
// made of the request.
func hostFunctions() map[string]map[string]hostFunction {
	const errno = i32
	bad := func(params string) hostFunction {
		return hostFunction{signature{params, errno}, func(context.Context, *sandbox, api.Module, []uint64) uint64 { return errnoBadf }}
	}
	return map[string]map[string]hostFunction{
		"onething": {
			capability.SharedData: {signature{i32 + i32, i32}, hostCall(capability.SharedData)},
			capability.KeyValue:   {signature{i32 + i32, i32}, hostCall(capability.KeyValue)},
			capability.HTTP:       {signature{i32 + i32, i32}, hostCall(capability.HTTP)},
			capability.Log:        {signature{i32 + i32, i32}, hostCall(capability.Log)},
			"read_answer":         {signature{i32 + i32, i32}, readAnswer},
		},
		"wasi_snapshot_preview1": {
			"args_get":            {signature{i32 + i32, errno}, nothing},
			"args_sizes_get":      {signature{i32 + i32, errno}, noSizes},
			"environ_get":         {signature{i32 + i32, errno}, nothing},
			"environ_sizes_get":   {signature{i32 + i32, errno}, noSizes},
			"clock_time_get":      {signature{i32 + i64 + i32, errno}, clockTimeGet},
			"random_get":          {signature{i32 + i32, errno}, randomGet},
			"sched_yield":         {signature{"", errno}, nothing},
			"poll_oneoff":         {signature{i32 + i32 + i32 + i32, errno}, pollOneoff},
			"proc_exit":           {signature{i32, ""}, procExit},
			"fd_write":            {signature{i32 + i32 + i32 + i32, errno}, fdWrite},
			"fd_read":             bad(i32 + i32 + i32 + i32),
			"fd_close":            bad(i32),
			"fd_seek":             bad(i32 + i64 + i32 + i32),
			"fd_fdstat_get":       bad(i32 + i32),
			"fd_fdstat_set_flags": bad(i32 + i32),
			"fd_prestat_get":      bad(i32 + i32),
			"fd_prestat_dir_name": bad(i32 + i32 + i32),
		},
	}
}

// provide makes the host functions importable in a runtime.
func provide(ctx context.Context, runtime wazero.Runtime) error {
	types := func(of string) []api.ValueType { return []byte(of) } // wazero uses the binary format's bytes too
	modules := hostFunctions()
	maps.Copy(modules, rewriterFunctions())
	for name, functions := range modules {
		builder := runtime.NewHostModuleBuilder(name)
		for function, f := range functions {
			builder.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(
				func(ctx context.Context, guest api.Module, stack []uint64) {
					result := f.call(ctx, sandboxOf(ctx), guest, stack)
					if f.Results != "" {
						stack[0] = result
					}
				}), types(f.Params), types(f.Results)).Export(function)
		}
		if _, err := builder.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

func nothing(context.Context, *sandbox, api.Module, []uint64) uint64 { return errnoSuccess }

// noSizes says that there are no arguments or variables: two zeros at two addresses.
func noSizes(_ context.Context, _ *sandbox, guest api.Module, args []uint64) uint64 {
	if !guest.Memory().WriteUint32Le(uint32(args[0]), 0) || !guest.Memory().WriteUint32Le(uint32(args[1]), 0) {
		return errnoFault
	}
	return errnoSuccess
}

// clockTimeGet reads a clock. Each reading moves both clocks on by a microsecond: a guest that waits for its clock
// would wait for ever with one that stands still.
func clockTimeGet(_ context.Context, s *sandbox, guest api.Module, args []uint64) uint64 {
	now, ok := s.clock(uint32(args[0]))
	if !ok {
		return errnoInval
	}
	s.advance(1000)
	if !guest.Memory().WriteUint64Le(uint32(args[2]), now) {
		return errnoFault
	}
	return errnoSuccess
}

// clock returns the time of a clock: 0 is real time, 1 monotonic. The clocks of used processor time are not there.
func (s *sandbox) clock(id uint32) (uint64, bool) {
	switch id {
	case 0:
		return s.realtime, true
	case 1:
		return s.monotonic, true
	default:
		return 0, false
	}
}

func (s *sandbox) advance(by uint64) {
	s.realtime = saturate(s.realtime, by)
	s.monotonic = saturate(s.monotonic, by)
}

// saturate adds, and stays at the end of time.
func saturate(a, b uint64) uint64 {
	if a > math.MaxInt64-min(b, math.MaxInt64) {
		return math.MaxInt64
	}
	return a + b
}

func randomGet(_ context.Context, s *sandbox, guest api.Module, args []uint64) uint64 {
	buffer, ok := guest.Memory().Read(uint32(args[0]), uint32(args[1]))
	if !ok {
		return errnoFault
	}
	_, _ = s.lots.Read(buffer) // it never fails
	return errnoSuccess
}

// fdWrite drops what a guest prints, because it can hold personal data, and says that it was written.
func fdWrite(_ context.Context, _ *sandbox, guest api.Module, args []uint64) uint64 {
	fd, vectors, count, written := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	if fd != 1 && fd != 2 {
		return errnoBadf
	}
	if count > 1024 { // IOV_MAX
		return errnoInval
	}
	list, ok := guest.Memory().Read(vectors, count*8)
	if !ok {
		return errnoFault
	}
	total := uint32(0)
	for ; len(list) > 0; list = list[8:] {
		total += binary.LittleEndian.Uint32(list[4:])
	}
	if !guest.Memory().WriteUint32Le(written, total) {
		return errnoFault
	}
	return errnoSuccess
}

// Layout of WASI's subscriptions and events.
const (
	subscriptionSize = 48
	eventSize        = 32
	maxSubscriptions = 64
)

// pollOneoff waits for clocks: it moves them on to the earliest time that is waited for, and returns at once. Waiting
// for a file is answered with an error, since there is none.
func pollOneoff(_ context.Context, s *sandbox, guest api.Module, args []uint64) uint64 {
	in, out, count, stored := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	if count == 0 || count > maxSubscriptions {
		return errnoInval
	}
	memory := guest.Memory()
	list, ok := memory.Read(in, count*subscriptionSize)
	if !ok {
		return errnoFault
	}
	// First how long to wait, then what has happened by then.
	wait := uint64(math.MaxUint64)
	for at := 0; at < len(list); at += subscriptionSize {
		wait = min(wait, s.waits(list[at:at+subscriptionSize]))
	}
	var events []byte
	for at := 0; at < len(list); at += subscriptionSize {
		subscription := list[at : at+subscriptionSize]
		if s.waits(subscription) > wait {
			continue
		}
		event := make([]byte, eventSize)
		copy(event, subscription[:8]) // userdata
		event[10] = subscription[8]   // type
		if _, known := s.clock(binary.LittleEndian.Uint32(subscription[16:])); subscription[8] != 0 {
			event[8] = errnoBadf
		} else if !known {
			event[8] = errnoInval
		}
		events = append(events, event...)
	}
	s.advance(wait)
	if !memory.Write(out, events) || !memory.WriteUint32Le(stored, uint32(len(events)/eventSize)) {
		return errnoFault
	}
	return errnoSuccess
}

// waits returns how long a subscription waits: 0 for what is answered with an error.
func (s *sandbox) waits(subscription []byte) uint64 {
	now, known := s.clock(binary.LittleEndian.Uint32(subscription[16:]))
	if subscription[8] != 0 || !known {
		return 0
	}
	timeout, absolute := binary.LittleEndian.Uint64(subscription[24:]), subscription[40]&1 != 0
	if !absolute {
		return timeout
	}
	return timeout - min(timeout, now)
}

// procExit ends the guest; the call fails, whatever the code.
func procExit(_ context.Context, _ *sandbox, _ api.Module, args []uint64) uint64 {
	panic(sys.NewExitError(uint32(args[0])))
}
