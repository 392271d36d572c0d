package wasm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// handmade puts a module together out of sections: parts of a section's body by its id.
func handmade(parts map[byte]string) []byte {
	b := []byte(Header)
	for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11, 13} {
		if body, ok := parts[id]; ok {
			b = append(appendUint32(append(b, id), uint32(len(body))), body...)
		}
	}
	return b
}

func vector(body string) string { return number(len(body)) + body }
func number(n int) string       { return string(appendUint32(nil, uint32(n))) }

// function is a module with a memory, a table, a mutable global and one function of type () → (), exported as f.
func function(code string) map[byte]string {
	return map[byte]string{
		1: "\x01\x60\x00\x00", 3: "\x01\x00", 4: "\x01\x70\x00\x02", 5: "\x01\x00\x01", 6: "\x01\x7f\x01\x41\x00\x0b",
		7: "\x01\x01f\x00\x00", 10: "\x01" + vector("\x00"+code+"\x0b"),
	}
}

func with(id byte, body string) []byte {
	parts := function("")
	parts[id] = body
	return handmade(parts)
}

// load is an i32 that no compiler knows.
const load = "\x41\x00\x28\x02\x00"

func TestRead_Refuses(t *testing.T) {
	t.Parallel()
	rep := strings.Repeat
	code := func(code string) []byte { return handmade(function(code)) }
	wide := "\x02\x60\x00\x00\x60\x00" + vector(rep("\x7f", 100))
	tests := []struct {
		name string
		wasm []byte
		kind error
		want string
	}{
		{"empty", nil, ErrMalformed, "byte 0: no magic number"},
		{"an overlong number", code("\x10\x80\x80\x80\x80\x80\x00"), ErrMalformed, "more than 32 bits"},
		{"bits beyond the 32nd", code("\x10\xff\xff\xff\xff\x1f"), ErrMalformed, "more than 32 bits"},
		{"bits beyond the 32nd of a constant", code("\x41\xff\xff\xff\xff\x4f\x1a"), ErrMalformed, "more than 32 bits"},
		{"bits beyond the 64th of a constant", code("\x42" + rep("\x80", 9) + "\x02\x1a"), ErrMalformed, "more than 64 bits"},
		{"a long sub-opcode", code("\xfc\x80\x00"), ErrNotAccepted, "0xfc 0x80"},
		{"vectors", code("\xfd\x0c" + rep("\x00", 16) + "\x1a"), ErrNotAccepted, "function 0 at byte"},
		{"threads", code("\xfe\x03\x00"), ErrNotAccepted, "0xfe"},
		{"a tail call", code("\x12\x00"), ErrNotAccepted, "0x12"},
		{"a vector in a local", with(10, "\x01"+vector("\x01\x01\x7b\x0b")), ErrNotAccepted, "value type 0x7b"},
		{"table.set", code("\x41\x00\xd0\x70\x26\x00"), ErrNotAccepted, "0x26"},
		{"table.init", code("\x41\x00\x41\x00\x41\x00\xfc\x0c\x00\x00"), ErrNotAccepted, "outlives a call"},
		{"elem.drop", code("\xfc\x0d\x00"), ErrNotAccepted, "outlives a call"},
		{"memory.init", code("\x41\x00\x41\x00\x41\x00\xfc\x08\x00\x00"), ErrNotAccepted, "outlives a call"},
		{"another memory", code("\x3f\x01\x1a"), ErrNotAccepted, "memory 1"},
		{"a mutable reference", with(6, "\x01\x70\x01\xd0\x70\x0b"), ErrNotAccepted, "reference"},
		{"a table of host's things", with(4, "\x01\x6f\x00\x01"), ErrNotAccepted, "host's things"},
		{"passive elements", with(9, "\x01\x01\x00\x01\x00"), ErrNotAccepted, "passive element"},
		{"passive data", with(11, "\x01\x01\x01a"), ErrNotAccepted, "passive data"},
		{"a start function", with(8, "\x00"), ErrNotAccepted, "start function"},
		{"an imported global", with(2, "\x01\x01a\x01b\x03\x7f\x00"), ErrNotAccepted, "no function"},
		{"a reserved import", with(2, "\x01"+vector("onething:host")+vector("refuel")+"\x00\x00"), ErrNotAccepted, "reserved"},
		{"a reserved export", with(7, "\x01"+vector("onething:fuel")+"\x03\x00"), ErrNotAccepted, "reserved"},
		{"a reserved section", append(with(7, "\x00"), "\x00"+vector(vector("onething:x"))...), ErrNotAccepted, "reserved"},
		{"data outside", with(11, "\x01\x00\x41\xff\xff\x03\x0b\x02ab"), ErrMalformed, "65535"},
		{"elements outside", with(9, "\x01\x00\x41\x02\x0b\x01\x00"), ErrMalformed, "table of 2"},
		{"an export that is not there", with(7, "\x01\x01f\x00\x01"), ErrMalformed, "number 1 of 1"},
		{"a label that is not there", code("\x0c\x01"), ErrMalformed, "label 1 of 1"},
		{"a local that is not there", code("\x20\x00\x1a"), ErrMalformed, "local 0 of 0"},
		{"a global that is not there", code("\x23\x01\x1a"), ErrMalformed, "global 1 of 1"},
		{"a function that is not there", code("\x10\x01"), ErrMalformed, "function 1 of 1"},
		{"a type that is not there", code("\x02\x01\x0b"), ErrMalformed, "type 1 of 1"},
		{"an operand that is not there", code("\x1a"), ErrMalformed, "more operands"},
		{"an operand too many", code("\x41\x00"), ErrMalformed, "leaves 1 operands"},
		{"a body that goes on", with(10, "\x01"+vector("\x00\x0b\x01\x0b")), ErrMalformed, "behind its end"},
		{"a body that does not end", with(10, "\x01"+vector("\x00\x01\x01")), ErrMalformed, "ends too early"},
		{"an else without an if", code("\x02\x40\x05\x0b"), ErrMalformed, "else without an if"},

		{"four billion locals", with(10, "\x01"+vector("\x01\xff\xff\xff\xff\x0f\x7f\x0b")), ErrBound, "locals"},
		{"many parameters", with(1, "\x01\x60"+vector(rep("\x7f", 101))+"\x00"), ErrBound, "parameters"},
		{"deep nesting", code(rep("\x02\x40", maxNesting+1) + rep("\x0b", maxNesting+1)), ErrBound, "nests"},
		{"many operands", code(rep("\x41\x00", maxHeight+1) + rep("\x1a", maxHeight+1)), ErrBound, "operands at once"},
		{"a long branch table", code(load + "\x0e" + number(maxBranches+1) + rep("\x00", maxBranches+2)), ErrBound, "branches of a table"},
		// What follows keeps wazero's compiler busy for seconds or minutes.
		{"branch tables", code(rep("\x02\x40"+load+"\x0e"+number(10_000)+rep("\x00", 10_001)+"\x0b", 51)), ErrBound, "branches in tables"},
		{"blocks in a row", code(rep("\x02\x40"+load+"\x0d\x00\x0b", 10_000)), ErrBound, "too long to compile"},
		{"loops in a row", code(rep("\x03\x40"+load+"\x0d\x00\x0b", 10_000)), ErrBound, "too long to compile"},
		{"nested ifs", code(rep(rep(load+"\x04\x40", 1000)+rep("\x0b", 1000), 10)), ErrBound, "too long to compile"},
		{"fills in a row", code(rep("\x41\x00\x41\x00\x41\x00\xfc\x0b\x00", 5_000)), ErrBound, "too long to compile"},
		{"locals in loops", with(10, "\x01"+vector("\x01"+number(2000)+"\x7f"+rep("\x03\x40", 500)+rep("\x0b", 500)+"\x0b")), ErrBound, "too long to compile"},
		{"operands over branches", code(rep(load, 4000) + rep("\x02\x40"+load+"\x0d\x00\x0b", 3000) + rep("\x1a", 4000)), ErrBound, "too long to compile"},
		{"many results", handmade(map[byte]string{
			1: wide, 3: "\x02\x00\x01",
			10: "\x02" + vector("\x00"+rep("\x10\x01"+rep("\x1a", 100), 9_000)+"\x0b") + vector("\x00"+rep("\x41\x00", 100)+"\x0b"),
		}), nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, err := Read(test.wasm)
			if test.kind == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var fault *Error
			if !errors.As(err, &fault) || !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) || m != nil {
				t.Fatalf("Read() = %v, want %v with %q", err, test.kind, test.want)
			}
			if fault.Offset < 0 || fault.Offset > len(test.wasm) {
				t.Errorf("at byte %d of %d", fault.Offset, len(test.wasm))
			}
		})
	}
}

// TestRead_GoGuest shows that nothing of what is refused is needed by what standard Go makes, and that the bounds leave
// room.
func TestRead_GoGuest(t *testing.T) {
	t.Parallel()
	m, err := Read(goGuest(t))
	if err != nil {
		t.Fatal(err)
	}
	work := 0
	for i := range m.bodies {
		work += m.bodies[i].work()
	}
	if work > maxAllWork/2 {
		t.Errorf("a Go guest takes %d of the %d that may be compiled", work, maxAllWork)
	}
	if f, ok := m.Function("json"); !ok || f != (Signature{"\x7f", "\x7e"}) {
		t.Errorf("json is %v, %v", f, ok)
	}
}

// TestRead_Everything reads every module that wazero's tests carry, also those with vectors, threads, exceptions and tail
// calls, and cuts them short: never a panic.
func TestRead_Everything(t *testing.T) {
	t.Parallel()
	read, accepted := 0, 0
	err := filepath.WalkDir(coreDirectory(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".wasm") {
			return err
		}
		wasm, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		m, err := Read(wasm)
		if err == nil {
			accepted++
			m.Rewrite()
			if len(wasm) > 8 {
				if _, err := Read(wasm[:len(wasm)-1]); err == nil {
					t.Errorf("%s passes without its last byte", entry.Name())
				}
			}
		}
		if strings.HasPrefix(entry.Name(), "simd_") && err == nil && strings.Contains(string(wasm), "\xfd\x0c") {
			t.Errorf("%s passes", entry.Name())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 5000 || accepted < 1000 {
		t.Errorf("%d modules read, %d of them accepted: that is not the suite", read, accepted)
	}
}

// FuzzRead reads anything: an error or a module, never a panic.
func FuzzRead(f *testing.F) {
	for _, code := range []string{"", "\x03\x40\x0c\x00\x0b", load + "\x04\x40\x10\x00\x05\x0b", "\x41\x00\x41\x00\x41\x00\xfc\x0b\x00", load + "\x0e\x01\x00\x00"} {
		f.Add(handmade(function(code)))
	}
	f.Add(with(9, "\x01\x00\x41\x00\x0b\x02\x00\x00"))
	f.Add(with(11, "\x01\x00\x41\x00\x0b\x02ab"))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := Read(wasm)
		var fault *Error
		if (m == nil) == (err == nil) || err != nil && !errors.As(err, &fault) {
			t.Fatalf("Read() = %v, %v", m, err)
		}
	})
}

// FuzzRewrite rewrites whatever the compiler accepts: it accepts what comes out as well.
func FuzzRewrite(f *testing.F) {
	for _, code := range []string{
		"", "\x03\x40\x0c\x00\x0b", load + "\x04\x40\x10\x00\x05\x0f\x0b", "\x41\x00\x41\x00\x41\x00\xfc\x0b\x00\x41\x01\x40\x00\x1a",
		"\x03\x40" + load + "\x0e\x02\x00\x01\x00\x0b", "\x03\x40\x03\x40" + load + "\x0d\x01\x0c\x00\x0b\x0b", "\x03\x40" + load + "\x0d\x01\x10\x00\x0c\x00\x0b",
		"\xd2\x00\x1a\x41\x00\x11\x00\x00",
	} {
		parts := function(code)
		parts[9] = "\x01\x00\x41\x00\x0b\x01\x00"
		f.Add(handmade(parts))
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := Read(wasm)
		if err != nil {
			return
		}
		ctx := context.Background()
		r := wazero.NewRuntimeWithConfig(ctx, coreFeatures())
		defer func() { _ = r.Close(ctx) }()
		if _, err := r.CompileModule(ctx, wasm); err != nil {
			return
		}
		if _, err := r.CompileModule(ctx, m.Rewrite().Module); err != nil {
			t.Fatalf("the compiler accepts it as it is, and not rewritten: %v", err)
		}
	})
}
