package plugins

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/siyiban/onething/plugins/manifest"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

const four = "\xff\xff\xff\xff\x0f" // four billion

func TestInspect(t *testing.T) {
	t.Parallel()
	if _, err := Inspect(behave(t)); err != nil {
		t.Errorf("the Go guest: %v", err)
	}
	if _, err := Inspect(fit("\x12\x00", "").bytes(t)); err != nil {
		t.Errorf("the module put together by hand: %v", err)
	}
}

// TestInspect_Hostile hands the host files that would make a decoder or compiler fail, or that are no plugin. None of
// them reaches wazero; each is a typed error that says why.
func TestInspect_Hostile(t *testing.T) {
	t.Parallel()
	with := func(change func(*tiny)) func(testing.TB) []byte {
		return func(t testing.TB) []byte {
			m := fit("\x12\x00", "")
			change(&m)
			return m.bytes(t)
		}
	}
	raw := func(wasm string) func(testing.TB) []byte { return func(testing.TB) []byte { return []byte(wasm) } }
	tests := []struct {
		name string
		wasm func(testing.TB) []byte
		want string
	}{
		{"nothing", raw(""), "magic"},
		{"another magic", raw("\x7fELF\x01\x00\x00\x00"), "magic"},
		{"another version", raw("\x00asm\x0d\x00\x01\x00"), "magic"},
		{"no sections", raw("\x00asm\x01\x00\x00\x00"), "carries none"},
		{"a section longer than the file", raw("\x00asm\x01\x00\x00\x00\x01" + four), "longer than the file"},
		{"a section without a size", raw("\x00asm\x01\x00\x00\x00\x01"), "longer than the file"},
		{"a size of more than 32 bits", raw("\x00asm\x01\x00\x00\x00\x01\xff\xff\xff\xff\x1f"), "longer than the file"},
		{"no manifest", with(func(m *tiny) { m.manifest = nil }), "carries none"},
		{"a manifest that is none", with(func(m *tiny) { m.manifest, m.custom = nil, []byte(section(0, vector(manifest.SectionName)+"\xff")) }), "no message"},
		{"an empty manifest", with(func(m *tiny) { m.manifest, m.custom = nil, []byte(section(0, vector(manifest.SectionName))) }), "must"},
		{"announced types", with(func(m *tiny) { m.types = four }), "types"},
		{"announced types within the bound", with(func(m *tiny) { m.types = leb(4000) }), "in 0 bytes"},
		{"announced parameters", with(func(m *tiny) { m.types = "\x01\x60" + leb(400) }), "parameters"},
		{"announced imports", with(func(m *tiny) { m.imports = leb(150) }), "imports"},
		{"announced functions", with(func(m *tiny) { m.functions = four }), "functions"},
		{"announced tables", with(func(m *tiny) { m.tables = four }), "tables"},
		{"a huge table", with(func(m *tiny) { m.tables = "\x01\x70\x00" + four }), "table"},
		{"announced globals", with(func(m *tiny) { m.globals = leb(9000) }), "globals"},
		{"announced exports", with(func(m *tiny) { m.exports = leb(900) }), "exports"},
		{"an announced name", with(func(m *tiny) { m.exports = "\x01" + leb(900) + "ab" }), "name"},
		{"announced segments", with(func(m *tiny) { m.elements = leb(90000) }), "segments"},
		{"announced elements", with(func(m *tiny) { m.tables, m.elements = "\x01\x70\x00\x01", "\x01\x00\x41\x00\x0b"+leb(90000) }), "elements"},
		{"announced expressions", with(func(m *tiny) { m.tables, m.elements = "\x01\x70\x00\x01", "\x01\x04\x41\x00\x0b"+leb(90000) }), "elements"},
		{"announced bodies", with(func(m *tiny) { m.code = leb(40000) }), "bodies"},
		{"announced locals", with(func(m *tiny) { m.code = "\x02" + vector("\x01"+four+"\x7f\x0b") + vector("\x00\x0b") }), "locals"},
		{"locals in many groups", with(func(m *tiny) {
			m.code = "\x02" + vector("\x02"+leb(15000)+"\x7f"+leb(15000)+"\x7f\x0b") + vector("\x00\x0b")
		}), "locals"},
		{"announced data", with(func(m *tiny) { m.data = leb(90000) }), "segments"},
		{"an announced datum", with(func(m *tiny) { m.data = "\x01\x00\x41\x00\x0b" + leb(10000) }), "data"},
		{"a constant without end", with(func(m *tiny) {
			m.data = "\x01\x00" + strings.Repeat("\x41\x00", 100) + "\x0b\x00"
		}), "constant expression"},
		{"a constant that calls", with(func(m *tiny) { m.data = "\x01\x00\x10\x00\x0b\x00" }), "constant expression"},
		{"a section twice", with(func(m *tiny) { m.custom = []byte(section(11, "\x00")) }), "twice"},
		{"a section out of order", with(func(m *tiny) { m.custom = []byte(section(1, m.types)) }), "order"},
		{"an unknown section", with(func(m *tiny) { m.custom = []byte(section(13, "\x00")) }), "unknown kind"},
		{"bytes after a section", with(func(m *tiny) { m.data += "\x00" }), "too many"},
		{"no memory", with(func(m *tiny) { m.memory = "" }), "memory"},
		{"two memories", with(func(m *tiny) { m.memory = "\x02\x00\x01\x00\x01" }), "memories"},
		{"a shared memory", with(func(m *tiny) { m.memory = "\x01\x03\x01\x01" }), "shared"},
		{"a 64-bit memory", with(func(m *tiny) { m.memory = "\x01\x04\x01" }), "64-bit"},
		{"an impossible memory", with(func(m *tiny) { m.memory = "\x01\x00" + four }), "4 GiB"},
		{"vectors", with(func(m *tiny) { m.types = strings.Replace(m.types, "\x7f", "\x7b", 1) }), "value type"},
		{"a start function", with(func(m *tiny) { m.start = "\x00" }), "_initialize"},
		{"no exports", with(func(m *tiny) { m.exports = "" }), "memory"},
		{"no call", with(func(m *tiny) { m.exports = strings.Replace(m.exports, "onething_call", "onething_mall", 1) }), "onething_call"},
		{"call of another signature", with(func(m *tiny) {
			m.exports = strings.Replace(m.exports, "onething_call\x00\x01", "onething_call\x00\x00", 1)
		}), "onething_call"},
		{"alloc is a memory", with(func(m *tiny) {
			m.exports = strings.Replace(m.exports, "onething_alloc\x00\x00", "onething_alloc\x02\x00", 1)
		}), "onething_alloc"},
		{"call out of range", with(func(m *tiny) {
			m.exports = strings.Replace(m.exports, "onething_call\x00\x01", "onething_call\x00\x63", 1)
		}), "onething_call"},
		{"a function of no type", with(func(m *tiny) { m.functions = "\x02\x00\x63" }), "type 99"},
		{"an export twice", with(func(m *tiny) { m.exports = "\x02" + vector("memory") + "\x02\x00" + vector("memory") + "\x02\x00" }), "twice"},
		{"a command", with(func(m *tiny) {
			m.exports = "\x04" + m.exports[1:] + vector("_start") + "\x00\x00"
		}), "-buildmode=c-shared"},
		{"an initialiser with a result", with(func(m *tiny) {
			m.exports = "\x04" + m.exports[1:] + vector("_initialize") + "\x00\x00"
		}), "_initialize"},
		{"fewer bodies than functions", with(func(m *tiny) { m.code = "\x01" + vector("\x00\x0b") }), "bodies"},
		{"files", with(func(m *tiny) {
			m.imports = "\x01" + vector("wasi_snapshot_preview1") + vector("path_open") + "\x00\x00"
		}), "path_open"},
		{"another host", with(func(m *tiny) { m.imports = "\x01" + vector("env") + vector("abort") + "\x00\x00" }), "env"},
		{"an import of another signature", with(func(m *tiny) { m.imports = "\x01" + vector("onething") + vector("shared_data") + "\x00\x01" }), "signature"},
		{"an imported memory", with(func(m *tiny) { m.imports = "\x01" + vector("env") + vector("memory") + "\x02\x00\x01" }), "no function"},
		{"too large", func(testing.TB) []byte { return make([]byte, manifest.MaxModuleBytes+1) }, "more than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wasm := test.wasm(t)
			_, err := Inspect(wasm)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Inspect() = %v, want an error with %q", err, test.want)
			}
			host, refs := newHost(t, Config{}, wasm)
			if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); !errors.Is(err, Unfit) {
				t.Errorf("Call() = %v, want %s", err, Unfit)
			}
		})
	}
}

// TestInspect_AllLocals announces a few locals in each of very many functions.
func TestInspect_AllLocals(t *testing.T) {
	t.Parallel()
	const n = 1000
	m := fit("\x12\x00", "")
	m.functions, m.code = leb(n)+strings.Repeat("\x00", n), leb(n)+strings.Repeat(vector("\x01"+leb(20_000)+"\x7f\x00\x0b"), n)
	if _, err := Inspect(m.bytes(t)); err == nil || !strings.Contains(err.Error(), "locals") {
		t.Errorf("Inspect() = %v, want an error about locals", err)
	}
}

// TestPrepare_MemoryBeyondLimit refuses a module that begins with more memory than it may have.
func TestPrepare_MemoryBeyondLimit(t *testing.T) {
	t.Parallel()
	m := fit("\x12\x00", "")
	m.memory = "\x01\x00" + leb(17)
	m.manifest.Limits = &pluginv1.Limits{MemoryMib: 1}
	host, refs := newHost(t, Config{}, m.bytes(t))
	if _, err := host.Prepare(t.Context(), refs[0]); !errors.Is(err, Unfit) || !strings.Contains(err.Error(), "17 pages") {
		t.Errorf("Prepare() = %v, want %s", err, Unfit)
	}
}

// TestPrepare_InvalidBody hands the compiler a body that is no code: unfit, and the host goes on.
func TestPrepare_InvalidBody(t *testing.T) {
	t.Parallel()
	bad := fit("\x12\x00", "\x6a") // i32.add without operands
	host, refs := newHost(t, Config{}, bad.bytes(t), fit("\x12\x00", "").bytes(t))
	if _, err := host.Prepare(t.Context(), refs[0]); !errors.Is(err, Unfit) {
		t.Errorf("Prepare() = %v, want %s", err, Unfit)
	}
	if m, err := host.Prepare(t.Context(), refs[1]); err != nil || m.GetId() != "test/tiny" {
		t.Errorf("Prepare() = %v, %v", m, err)
	}
}

// TestInspect_Truncated cuts a plugin at every byte, and flips every byte: never a panic, and never more than a little
// memory, whatever the damage announces.
func TestInspect_Truncated(t *testing.T) {
	m := fit("\x12\x00", "")
	m.tables, m.elements, m.globals = "\x01\x70\x00\x01", "\x01\x00\x41\x00\x0b\x01\x00", "\x01\x7f\x01\x41\x00\x0b"
	whole := m.bytes(t)
	if _, err := Inspect(whole); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range whole {
		if _, err := Inspect(whole[:i]); err == nil {
			t.Errorf("the first %d bytes of %d pass", i, len(whole))
		}
		for _, b := range []byte{0x00, 0x7f, 0xff, whole[i] + 1} {
			damaged := append([]byte{}, whole...)
			damaged[i] = b
			_, _ = Inspect(damaged)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / uint64(5*len(whole)); each > 200_000 {
		t.Errorf("%d bytes for each look", each)
	}
}

func FuzzInspect(f *testing.F) {
	m := fit("\x12\x00", "")
	f.Add(m.bytes(f))
	m.tables, m.elements, m.globals = "\x01\x70\x00\x01", "\x01\x00\x41\x00\x0b\x01\x00", "\x01\x7f\x01\x41\x00\x0b"
	f.Add(m.bytes(f))
	m.imports = "\x01" + vector("onething") + vector("shared_data") + "\x00\x01"
	f.Add(m.bytes(f))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		found, err := inspect(wasm)
		if (found == nil) == (err == nil) {
			t.Fatalf("inspect() = %v, %v", found, err)
		}
		if err != nil {
			return
		}
		// What passes is safe to hand to wazero, which may refuse it but must not end the process.
		host, refs := newHost(t, Config{}, wasm)
		_, _ = host.Prepare(t.Context(), refs[0])
	})
}

func BenchmarkInspect(b *testing.B) {
	wasm := behave(b)
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		if _, err := Inspect(wasm); err != nil {
			b.Fatal(err)
		}
	}
}

// TestGuestImports shows what a Go guest imports, so that a new Go version's wishes are seen by a test and not by a
// department.
func TestGuestImports(t *testing.T) {
	t.Parallel()
	found, err := inspect(behave(t))
	if err != nil {
		t.Fatal(err)
	}
	imported := map[string]bool{}
	for _, i := range found.wasm.Imports {
		imported[i.From+"."+i.Name] = true
	}
	for _, name := range []string{"onething.shared_data", "onething.read_answer", "wasi_snapshot_preview1.clock_time_get", "wasi_snapshot_preview1.random_get"} {
		if !imported[name] {
			t.Errorf("the guest does not import %s: %v", name, imported)
		}
	}
	if len(imported) > len(hostFunctions()["onething"])+len(hostFunctions()["wasi_snapshot_preview1"]) {
		t.Errorf("the guest imports more than the host has: %v", imported)
	}
}
