package plugins

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/tetratelabs/wazero/experimental/wazerotest"
	"github.com/tetratelabs/wazero/sys"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

const page = 1 << 16

// wasi calls a WASI function on a guest of one page of memory.
func wasi(t *testing.T, s *sandbox, guest *wazerotest.Module, name string, args ...uint64) uint64 {
	t.Helper()
	f, ok := hostFunctions()["wasi_snapshot_preview1"][name]
	if !ok || len(f.Params) != len(args) {
		t.Fatalf("%s of %d arguments: no such function", name, len(args))
	}
	return f.call(t.Context(), s, guest, args)
}

func newGuest() (*sandbox, *wazerotest.Module) {
	request := &pluginv1.Request{Today: "2026-03-02"}
	s := newSandbox(request, DefaultLimits())
	s.session = capability.New(capability.Config{}).Begin(&pluginv1.Manifest{}, nil, request)
	return s, wazerotest.NewModule(wazerotest.NewFixedMemory(page))
}

// subscribe is a subscription of poll_oneoff.
func subscribe(userdata uint64, kind byte, clock uint32, timeout uint64, flags uint16) []byte {
	b := make([]byte, subscriptionSize)
	binary.LittleEndian.PutUint64(b, userdata)
	b[8] = kind
	binary.LittleEndian.PutUint32(b[16:], clock)
	binary.LittleEndian.PutUint64(b[24:], timeout)
	binary.LittleEndian.PutUint16(b[40:], flags)
	return b
}

func TestPollOneoff(t *testing.T) {
	t.Parallel()
	const second = 1_000_000_000
	type event struct {
		userdata uint64
		errno    uint16
		kind     byte
	}
	tests := []struct {
		name          string
		subscriptions [][]byte
		want          []event
		moved         uint64
	}{
		{"sleeps", [][]byte{subscribe(7, 0, 1, second, 0)}, []event{{7, 0, 0}}, second},
		{"the earliest of two", [][]byte{subscribe(1, 0, 1, 2*second, 0), subscribe(2, 0, 0, second, 0)}, []event{{2, 0, 0}}, second},
		{"the earliest of two, first", [][]byte{subscribe(1, 0, 1, second, 0), subscribe(2, 0, 0, 2*second, 0)}, []event{{1, 0, 0}}, second},
		{"both at once", [][]byte{subscribe(1, 0, 1, second, 0), subscribe(2, 0, 1, second, 0)}, []event{{1, 0, 0}, {2, 0, 0}}, second},
		{"until a time that has passed", [][]byte{subscribe(1, 0, 1, 0, 1)}, []event{{1, 0, 0}}, 0},
		{"until a time to come", [][]byte{subscribe(1, 0, 1, 1+second, 1)}, []event{{1, 0, 0}}, second},
		{"for ever", [][]byte{subscribe(1, 0, 1, math.MaxUint64, 0)}, []event{{1, 0, 0}}, math.MaxInt64 - 1},
		{"for a file", [][]byte{subscribe(1, 0, 1, second, 0), subscribe(2, 1, 0, 0, 0)}, []event{{2, errnoBadf, 1}}, 0},
		{"a clock that is not there", [][]byte{subscribe(1, 0, 3, second, 0)}, []event{{1, errnoInval, 0}}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, guest := newGuest()
			for i, subscription := range test.subscriptions {
				guest.Memory().Write(uint32(i*subscriptionSize), subscription)
			}
			if errno := wasi(t, s, guest, "poll_oneoff", 0, 1000, uint64(len(test.subscriptions)), 4000); errno != 0 {
				t.Fatalf("errno %d", errno)
			}
			if n, _ := guest.Memory().ReadUint32Le(4000); int(n) != len(test.want) {
				t.Fatalf("%d events, want %d", n, len(test.want))
			}
			for i, want := range test.want {
				b, _ := guest.Memory().Read(uint32(1000+i*eventSize), eventSize)
				got := event{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint16(b[8:]), b[10]}
				if got != want {
					t.Errorf("event %d: got %+v, want %+v", i, got, want)
				}
			}
			if got := s.monotonic - 1; got != test.moved {
				t.Errorf("the clock moved on by %d, want %d", got, test.moved)
			}
		})
	}
}

// TestWASI_BadArguments hands every function addresses outside the memory: an error number, never a panic.
func TestWASI_BadArguments(t *testing.T) {
	t.Parallel()
	const far = math.MaxUint32
	tests := []struct {
		name string
		args []uint64
		want uint64
	}{
		{"args_sizes_get", []uint64{far, 0}, errnoFault},
		{"environ_sizes_get", []uint64{0, far}, errnoFault},
		{"clock_time_get", []uint64{0, 0, far}, errnoFault},
		{"clock_time_get", []uint64{2, 0, 0}, errnoInval},
		{"random_get", []uint64{8, page}, errnoFault},
		{"fd_write", []uint64{1, far, 1, 0}, errnoFault},
		{"fd_write", []uint64{1, 0, far, 0}, errnoInval},
		{"fd_write", []uint64{1, 0, 1, far}, errnoFault},
		{"fd_write", []uint64{3, 0, 1, 0}, errnoBadf},
		{"fd_read", []uint64{0, 0, 0, 0}, errnoBadf},
		{"fd_close", []uint64{0}, errnoBadf},
		{"fd_prestat_get", []uint64{3, 0}, errnoBadf},
		{"poll_oneoff", []uint64{0, 0, 0, 0}, errnoInval},
		{"poll_oneoff", []uint64{0, 0, far, 0}, errnoInval},
		{"poll_oneoff", []uint64{far, 0, 1, 0}, errnoFault},
		{"poll_oneoff", []uint64{0, far, 1, 0}, errnoFault},
		{"poll_oneoff", []uint64{0, 0, 1, far}, errnoFault},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, guest := newGuest()
			if got := wasi(t, s, guest, test.name, test.args...); got != test.want {
				t.Errorf("%v: errno %d, want %d", test.args, got, test.want)
			}
		})
	}
}

func TestFdWrite(t *testing.T) {
	t.Parallel()
	s, guest := newGuest()
	guest.Memory().WriteUint32Le(4, 30)
	guest.Memory().WriteUint32Le(12, 12)
	if errno := wasi(t, s, guest, "fd_write", 2, 0, 2, 100); errno != 0 {
		t.Fatalf("errno %d", errno)
	}
	if n, _ := guest.Memory().ReadUint32Le(100); n != 42 {
		t.Errorf("%d bytes written, want 42", n)
	}
}

func TestProcExit(t *testing.T) {
	t.Parallel()
	s, guest := newGuest()
	defer func() {
		err, _ := recover().(error)
		var exit *sys.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 3 {
			t.Errorf("got %v, want exit code 3", err)
		}
	}()
	wasi(t, s, guest, "proc_exit", 3)
}

func TestNoon(t *testing.T) {
	t.Parallel()
	for today, want := range map[string]int64{"2026-03-02": 1772424000, "": 0, "9999-01-01": 0, "0001-01-01": 0} {
		if got := noon(today).Unix(); got != want {
			t.Errorf("noon(%q) = %d, want %d", today, got, want)
		}
	}
}

// TestSharedData_BadArguments hands the host's own functions what a guest of good faith would not.
func TestSharedData_BadArguments(t *testing.T) {
	t.Parallel()
	call := func(s *sandbox, guest *wazerotest.Module, name string, args ...uint64) (result uint64, panicked error) {
		defer func() { panicked, _ = recover().(error) }()
		return hostFunctions()["onething"][name].call(t.Context(), s, guest, args), nil
	}
	s, guest := newGuest()
	if _, panicked := call(s, guest, "shared_data", math.MaxUint32, 10); !errors.Is(panicked, errGuestMemory) {
		t.Errorf("request outside the memory: %v", panicked)
	}
	guest.Memory().Write(0, []byte{0xff})
	size, _ := call(s, guest, "shared_data", 0, 1)
	if size == 0 {
		t.Fatal("a request that is none gets no answer")
	}
	if n, _ := call(s, guest, "read_answer", 0, size-1); n != 0 {
		t.Errorf("%d bytes into a buffer that is too small", n)
	}
	if _, panicked := call(s, guest, "read_answer", page-1, size); !errors.Is(panicked, errGuestMemory) {
		t.Errorf("buffer outside the memory: %v", panicked)
	}
	_, _ = call(s, guest, "shared_data", 0, 1)
	if n, _ := call(s, guest, "read_answer", 100, page-200); n != size {
		t.Errorf("read %d bytes, want %d", n, size)
	}
	if n, _ := call(s, guest, "read_answer", 100, page-200); n != 0 {
		t.Errorf("the answer can be read twice")
	}
	if _, panicked := call(s, guest, "shared_data", 0, math.MaxUint32); !errors.Is(panicked, errBound) || s.exceeded != TooManyHostCalls {
		t.Errorf("a request of 4 GiB: %v, %q", panicked, s.exceeded)
	}
}
