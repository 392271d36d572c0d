package wasm

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// counted is a guest of which each call says what it took.
type counted struct {
	api.Module
	refuels int
}

// run instantiates a rewritten module whose fuel is filled up by slice units whenever it is used up, as often as times.
func run(t *testing.T, wasm []byte, slice int64, times int) *counted {
	t.Helper()
	m, err := Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{}
	r := wazero.NewRuntimeWithConfig(t.Context(), coreFeatures())
	t.Cleanup(func() { _ = r.Close(t.Context()) })
	provideRefuel(t, r, func(m api.Module) {
		if c.refuels++; c.refuels > times {
			panic("out of fuel")
		}
		set(m, FuelGlobal, int64(m.ExportedGlobal(FuelGlobal).Get())+slice)
	})
	w := &world{runtime: r, rewrite: (*Module).Rewrite}
	if err := w.instantiate(t.Context(), wasm, m); err != nil {
		t.Fatal(err)
	}
	c.Module = w.last
	return c
}

func (c *counted) call(t *testing.T, name string, args ...uint64) (used int64, err error) {
	t.Helper()
	set(c, FuelGlobal, 1<<40)
	set(c, DepthGlobal, Room)
	_, err = c.ExportedFunction(name).Call(t.Context(), args...)
	return 1<<40 - int64(c.ExportedGlobal(FuelGlobal).Get()), err
}

// TestRewrite_Charges compares what calls take with what can be counted by hand: an instruction is a unit, a call 4, a
// division 8, eight bytes moved or a page's eight thousandth another one, and a call of a function one more.
func TestRewrite_Charges(t *testing.T) {
	t.Parallel()
	const div = "\x41\x01\x41\x01\x6d\x1a"
	tests := []struct {
		name, code string
		want       int64
	}{
		{"nothing", "", 2}, // the call and the end
		{"nops", "\x01\x01\x01", 5},
		{"a division", div, 2 + 2 + 8 + 1},
		{"a branch that is not taken", "\x02\x40\x41\x00\x0d\x00\x01\x0b", 2 + 1 + 1 + 1 + 1 + 1},
		{"a fill", "\x41\x00\x41\x00\x41\x80\x20\xfc\x0b\x00", 2 + 4 + 4096/8},
		{"growing by a page, which is too much", "\x41\x01\x40\x00\x1a", 2 + 3},
		{"growing by nothing", "\x41\x00\x40\x00\x1a", 2 + 3},
		// Three turns of seven: get, const, add, tee, const, ne, br_if; the loop itself is charged at each turn too.
		{"a loop of three turns", "\x03\x40\x23\x00\x41\x01\x6a\x24\x00\x23\x00\x41\x03\x47\x0d\x00\x0b", -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			parts := function(test.code)
			parts[5] = "\x01\x01\x01\x01" // one page, at most one
			used, err := run(t, handmade(parts), 0, 0).call(t, "f")
			if err != nil {
				t.Fatal(err)
			}
			if test.want >= 0 && used != test.want {
				t.Errorf("it takes %d units, want %d", used, test.want)
			}
			if test.want < 0 && (used < 3*8 || used > 3*13+10) {
				t.Errorf("it takes %d units", used)
			}
		})
	}
}

// TestRewrite_Grow charges for pages that were added.
func TestRewrite_Grow(t *testing.T) {
	t.Parallel()
	used, err := run(t, handmade(function("\x41\x03\x40\x00\x1a")), 0, 0).call(t, "f")
	if want := int64(2 + 3 + 3<<13); err != nil || used != want {
		t.Errorf("it takes %d units, want %d: %v", used, want, err)
	}
}

// TestRewrite_Refuel asks for fuel again and again in a loop that keeps it in a local, in one that calls, in a function
// that is called often, and before much is moved, and stops when the host does not give more.
func TestRewrite_Refuel(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, code string }{
		{"a loop", "\x03\x40\x0c\x00\x0b"},
		{"a loop that is left and entered", "\x03\x40\x02\x40\x03\x40" + load + "\x45\x0d\x01\x0c\x00\x0b\x0b\x0c\x00\x0b"},
		{"a loop that fills", "\x03\x40\x41\x00\x41\x00\x41\x80\x80\x02\xfc\x0b\x00\x0c\x00\x0b"},
		{"a branch table", "\x03\x40" + load + "\x0e\x01\x00\x00\x0b"},
		{"a conditional branch", "\x03\x40\x41\x01\x0d\x00\x0b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := run(t, handmade(function(test.code)), 100_000, 50)
			set(c, FuelGlobal, 1000)
			set(c, DepthGlobal, Room)
			if _, err := c.ExportedFunction("f").Call(t.Context()); err == nil || c.refuels != 51 {
				t.Errorf("it asked %d times, then: %v", c.refuels, err)
			}
		})
	}
}

// TestRewrite_Owes moves more than any counter of 32 bits holds: the host sees in the global how much is missing.
func TestRewrite_Owes(t *testing.T) {
	t.Parallel()
	c := run(t, handmade(function("\x41\x00\x41\x00\x41\x7f\xfc\x0b\x00")), 0, 0)
	set(c, FuelGlobal, 1000)
	set(c, DepthGlobal, Room)
	_, err := c.ExportedFunction("f").Call(t.Context())
	if owes := -int64(c.ExportedGlobal(FuelGlobal).Get()); err == nil || owes < math.MaxUint32/8-1000 || owes > math.MaxUint32/8 {
		t.Errorf("it owes %d units, and ends with %v", owes, err)
	}
}

// TestRewrite_Depth ends recursion while there is native stack, and sets the depth back where calls return in any way.
func TestRewrite_Depth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, code string }{
		{"direct", "\x10\x00"},
		{"within a loop", "\x03\x40\x10\x00\x0c\x00\x0b"},
		{"through the table", "\x41\x00\x11\x00\x00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			parts := function(test.code)
			parts[9] = "\x01\x00\x41\x00\x0b\x01\x00"
			c := run(t, handmade(parts), 0, 0)
			if _, err := c.call(t, "f"); err == nil || int64(c.ExportedGlobal(DepthGlobal).Get()) >= 0 {
				t.Errorf("the depth is %d, and it ends with %v", int64(c.ExportedGlobal(DepthGlobal).Get()), err)
			}
		})
	}
	// It calls itself until the global is 100, and returns by return, by a branch, and at its end.
	back := run(t, handmade(function("\x23\x00\x41\x01\x6a\x24\x00\x23\x00\x41\xe4\x00\x4f\x04\x40\x0f\x0b\x10\x00\x23\x00\x41\x01\x71\x0d\x00\x01")), 0, 0)
	if _, err := back.call(t, "f"); err != nil || back.ExportedGlobal(DepthGlobal).Get() != Room {
		t.Errorf("the depth is %d afterwards, want %d: %v", int64(back.ExportedGlobal(DepthGlobal).Get()), Room, err)
	}
}

// TestRewrite_Shape looks at what the rewritten module exports and imports, and that it is the same each time.
func TestRewrite_Shape(t *testing.T) {
	t.Parallel()
	parts := function("\x10\x00")
	parts[6] = "\x03\x7f\x01\x41\x00\x0b\x7e\x00\x42\x00\x0b\x7c\x01\x44" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x0b"
	parts[11] = "\x01\x00\x41\x08\x0b\x02ab"
	parts[12] = "\x01"
	wasm := append(handmade(parts), "\x00"+vector(vector("name")+"x")...)
	m, err := Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	rewritten := m.Rewrite()
	if diff := cmp.Diff([]Segment{{8, []byte("ab")}}, rewritten.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"onething:global:0", "onething:global:2"}, rewritten.Globals); diff != "" {
		t.Errorf("globals (-want +got):\n%s", diff)
	}
	if !bytes.Equal(rewritten.Module, m.Rewrite().Module) {
		t.Error("it is another one the second time")
	}
	if bytes.Contains(rewritten.Module, []byte("name")) {
		t.Error("it has a custom section")
	}
	if _, err := Read(rewritten.Module); err == nil {
		t.Error("what was rewritten can be read as a plugin's file")
	}
}

// TestRewrite_Locals: fuel that is kept in a local is the same fuel when a loop is left by a branch out of it, by a
// return, or by its end.
func TestRewrite_Locals(t *testing.T) {
	t.Parallel()
	turn := "\x23\x00\x41\x01\x6a\x24\x00\x23\x00\x41\x0a\x4f"
	for _, test := range []struct{ name, code string }{
		{"by its end", "\x03\x40" + turn + "\x45\x0d\x00\x0b"},
		{"by a branch", "\x02\x40\x03\x40" + turn + "\x0d\x01\x0c\x00\x0b\x0b"},
		{"by a return", "\x03\x40" + turn + "\x04\x40\x0f\x0b\x0c\x00\x0b"},
		{"by the function's label", "\x03\x40" + turn + "\x0d\x01\x0c\x00\x0b"},
		{"by a table", "\x02\x40\x03\x40" + turn + "\x0e\x01\x00\x01\x0b\x0b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			used, err := run(t, handmade(function(test.code)), 0, 0).call(t, "f")
			if err != nil || used < 10*8 || used > 10*16+10 {
				t.Errorf("ten turns take %d units: %v", used, err)
			}
		})
	}
}
