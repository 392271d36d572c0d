package plugins

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

const hostileFolder = "testdata/hostile"

// hostile returns a module of the corpus, as `make generate` assembled it, as a plugin.
func hostile(t testing.TB, name, id string) []byte {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join(hostileFolder, name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	m := tinyManifest()
	m.Id = id
	if wasm, err = manifest.Append(wasm, m); err != nil {
		t.Fatal(err)
	}
	return wasm
}

// answers is the kind of a call that succeeds.
const answers Kind = ""

// hostileModules says how a call of each module of the corpus ends.
func hostileModules() map[string]Kind {
	return map[string]Kind{
		"good": answers,

		"loop": OutOfFuel, "loop_alloc": OutOfFuel, "loop_nested": OutOfFuel,
		"loop_initialize": Unfit, "loop_start": Unfit,
		"recursion": StackOverflow, "recursion_loop": StackOverflow, "recursion_table": StackOverflow, "recursion_mutual": StackOverflow,
		"calls_doubling": OutOfFuel, "fill_doubling": OutOfFuel, "copy_loop": OutOfFuel,
		"fill_outside": OutOfFuel, // it is charged before it is tried

		"grow_to_limit": answers, "grow_past_limit": OutOfMemory, "grow_and_write": OutOfMemory,
		"memory_4gib": Unfit, "memory_shared": Unfit, "memory_none": Unfit,
		"table_huge": Unfit, "table_grow": Unfit, "table_set": Unfit, "elements_outside": Unfit,
		"data_outside": Unfit, "data_negative": Unfit, "data_passive": Unfit,
		"vectors": Unfit, "global_reference": Unfit, "invalid_types": Unfit,

		"answer_outside": MalformedAnswer, "answer_negative": MalformedAnswer, "answer_edge": MalformedAnswer,
		"answer_endless": TooMuchOutput, "answer_long": TooMuchOutput,
		"answer_request": MalformedAnswer, "answer_garbage": MalformedAnswer, "answer_none": MissingAnswer,
		"answer_earlier": answers, // it finds nothing of an earlier call
		"alloc_outside":  MalformedAnswer, "alloc_edge": MalformedAnswer, "alloc_overlapping": MalformedAnswer,

		"host_outside": Trapped, "host_negative": TooManyHostCalls, "host_garbage": answers, "host_answer_outside": Trapped,
		"host_answer_never": answers, "host_endless": TooManyHostCalls, "host_reentering": answers,
		"import_file": Unfit, "import_unknown": Unfit, "import_signature": Unfit, "import_refuel": Unfit, "import_memory": Unfit,
		"export_fuel": Unfit, "export_signature": Unfit, "export_kind": Unfit, "export_missing": Unfit, "command": Unfit,

		"trap_unreachable": Trapped, "trap_divide": Trapped, "trap_memory": Trapped, "trap_table": Trapped, "exit": Exited,
	}
}

// hostileLimits are small, so that what runs without end ends soon.
func hostileLimits() Limits {
	limits := DefaultLimits()
	limits.Fuel, limits.MemoryMiB = 50*million, 8
	return limits
}

func TestHostile(t *testing.T) {
	t.Parallel()
	texts, err := filepath.Glob(filepath.Join(hostileFolder, "*.wat"))
	if err != nil {
		t.Fatal(err)
	}
	want := hostileModules()
	if len(texts) != len(want) {
		t.Errorf("the corpus has %d modules, the table %d", len(texts), len(want))
	}
	for _, text := range texts {
		name := strings.TrimSuffix(filepath.Base(text), ".wat")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, ok := want[name]
			if !ok {
				t.Fatal("it is not in the table")
			}
			host, refs := newHost(t, Config{Limits: hostileLimits()}, hostile(t, name, "test/"+name), fit("\x12\x00", "").bytes(t))
			for hook := range pluginv1.Hook_name {
				request := ask(pluginv1.Hook(hook), "")
				if request.GetHook() == pluginv1.Hook_HOOK_UNSPECIFIED {
					continue
				}
				_, _, err := host.Call(t.Context(), refs[0], request)
				wanted := kind
				if kind == answers && request.GetHook() != checkHook {
					wanted = MissingAnswer // its answer is a check
				}
				if wanted == answers && err != nil || wanted != answers && !errors.Is(err, wanted) {
					t.Errorf("%s: %v, want %q", request.GetHook(), err, wanted)
				}
			}
			if _, _, err := host.Call(t.Context(), refs[1], ask(checkHook, "")); err != nil {
				t.Errorf("another plugin: %v", err)
			}
		})
	}
}

// TestHostile_Assembled finds a module that was not assembled again after its text was changed: run make generate.
func TestHostile_Assembled(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile(filepath.Join(hostileFolder, "wat.sum"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	if len(lines) != len(hostileModules()) {
		t.Errorf("wat.sum has %d lines, want %d", len(lines), len(hostileModules()))
	}
	for _, line := range lines {
		field := strings.Fields(line)
		for n, extension := range []string{".wat", ".wasm"} {
			file, err := os.ReadFile(filepath.Join(hostileFolder, field[2]+extension))
			if err != nil {
				t.Fatal(err)
			}
			if digest := sha256.Sum256(file); hex.EncodeToString(digest[:]) != field[n] {
				t.Errorf("%s%s is not what was assembled", field[2], extension)
			}
		}
	}
}

// TestHostile_Manifests hands the host modules whose manifest is false, or that have two.
func TestHostile_Manifests(t *testing.T) {
	t.Parallel()
	other := tinyManifest()
	other.Id = "test/other"
	with := func(change func(*pluginv1.Manifest)) []byte {
		m := fit("\x12\x00", "")
		change(m.manifest)
		message, err := proto.Marshal(m.manifest)
		if err != nil {
			t.Fatal(err)
		}
		m.manifest, m.custom = nil, []byte(section(0, vector(manifest.SectionName)+string(message)))
		return m.bytes(t)
	}
	// Another module's manifest, behind this one's.
	second := fit("\x12\x00", "")
	bare := second
	bare.manifest, second.manifest = nil, other
	two := append(fit("\x12\x00", "").bytes(t), second.bytes(t)[len(bare.bytes(t)):]...)
	for _, test := range []struct {
		name string
		wasm []byte
		id   string
		want Kind
	}{
		{"two manifests", two, "test/tiny", Unfit},
		{"another plugin's", with(func(m *pluginv1.Manifest) { m.Id = "other/plugin" }), "test/tiny", Unfit},
		{"of another interface", with(func(m *pluginv1.Manifest) { m.InterfaceVersion = 2 }), "test/tiny", Unfit},
		{"a hook that nobody knows", with(func(m *pluginv1.Manifest) { m.Hooks = []pluginv1.Hook{99} }), "test/tiny", Unfit},
		{"a capability that nobody knows", with(func(m *pluginv1.Manifest) { m.Capabilities = []string{"everything"} }), "test/tiny", Unfit},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host, _ := newHost(t, Config{Modules: modules{store.Digest(test.wasm): test.wasm}})
			if _, _, err := host.Call(t.Context(), Ref{ID: test.id, Digest: store.Digest(test.wasm)}, ask(checkHook, "")); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestHostile_Thousand calls the worst a thousand times at once. Each call ends in its own way, another department's
// plugin answers meanwhile, and afterwards the host holds no more memory than before.
func TestHostile_Thousand(t *testing.T) { //nolint:paralleltest // it looks at the memory of the process
	limits := hostileLimits()
	limits.Fuel = 2 * million
	worst := []string{"loop", "recursion", "recursion_table", "grow_and_write", "fill_doubling", "calls_doubling", "answer_outside", "host_endless"}
	// Of each as many plugins as it takes for none to be suspended before all calls are made.
	const copies, rounds = 14, breakAfter - 1
	var files [][]byte
	for n := range copies {
		for _, name := range worst {
			files = append(files, hostile(t, name, fmt.Sprintf("test/%s_%d", name, n)))
		}
	}
	host, refs := newHost(t, Config{Limits: limits}, append(files, named(t, "good/one", "good", noFinding))...)
	bad, good := refs[:len(files)], refs[len(files)]
	call := func(n int) {
		want := hostileModules()[worst[n%len(worst)]]
		if _, _, err := host.Call(t.Context(), bad[n%len(bad)], ask(checkHook, "")); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %s", worst[n%len(worst)], err, want)
		}
	}
	answer := func() {
		if _, _, err := host.Call(t.Context(), good, ask(checkHook, "")); err != nil {
			t.Errorf("another department's plugin: %v", err)
		}
	}
	memory := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	for n := range bad {
		call(n) // now all are compiled
	}
	answer()
	before := memory()
	var all sync.WaitGroup
	for n := range (rounds - 1) * len(bad) {
		all.Go(func() { call(n) })
		if n%50 == 0 {
			answer()
		}
	}
	all.Wait()
	answer()
	if after := memory(); after > before+16<<20 {
		t.Errorf("the host holds %d bytes, %d before", after, before)
	}
}
