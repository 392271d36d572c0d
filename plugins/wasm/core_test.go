package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// The WebAssembly core test suite, as wazero's module carries it: for each file a list of modules and of what their
// functions return. Every module that Read accepts runs as it is, and rewritten, and must answer alike.

const (
	plentyFuel = int64(1) << 62
	plentyRoom = int64(32) << 20
)

// coreSuite is the folder of the suite in the module cache, where `go test` has put it for wazero anyway.
var coreSuite = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		return "", fmt.Errorf("find wazero's sources: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest"), nil
})

func coreDirectory(t testing.TB) string {
	t.Helper()
	directory, err := coreSuite()
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

type coreCommand struct {
	Type       string
	Line       int
	Name, As   string
	Filename   string
	ModuleType string `json:"module_type"`
	Text       string
	Action     struct {
		Type, Field, Module string
		Args                []coreValue
	}
	Expected []coreValue
}

type coreValue struct {
	Type  string
	Value string
}

// bits returns the value as wazero passes it.
func (v coreValue) bits(t testing.TB) uint64 {
	switch {
	case v.Value == "null":
		return 0
	case v.Type == "externref":
		n, err := strconv.ParseUint(v.Value, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n + 1 // 0 is null
	case strings.HasPrefix(v.Value, "-"):
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(v.Type, "32") {
			return uint64(uint32(n))
		}
		return uint64(n)
	}
	n, err := strconv.ParseUint(v.Value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// matches says whether got is the expected value. Of a not-a-number only that it is one is compared here.
func (v coreValue) matches(t testing.TB, got uint64) bool {
	switch {
	case !strings.HasPrefix(v.Value, "nan:"):
		return got == v.bits(t)
	case v.Type == "f32":
		return math.IsNaN(float64(math.Float32frombits(uint32(got))))
	default:
		return math.IsNaN(math.Float64frombits(got))
	}
}

// world is a run-time in which the modules of one file live, all treated by the same rewriter.
type world struct {
	runtime wazero.Runtime
	rewrite func(*Module) Rewritten // nil: as it is
	last    api.Module
	named   map[string]api.Module
	all     []api.Module
	// registered are the modules from which later ones may import.
	registered map[string]api.Module
}

// refill gives every module fuel and room, and returns a function that says what was used since.
func (w *world) refill() (used func() int64) {
	for _, m := range w.all {
		set(m, FuelGlobal, plentyFuel)
		set(m, DepthGlobal, plentyRoom)
	}
	return func() int64 {
		total := int64(0)
		for _, m := range w.all {
			if g := m.ExportedGlobal(FuelGlobal); g != nil {
				total += plentyFuel - int64(g.Get())
			}
		}
		return total
	}
}

func set(m api.Module, name string, v int64) {
	if g, ok := m.ExportedGlobal(name).(api.MutableGlobal); ok {
		g.Set(uint64(v))
	}
}

func (w *world) instantiate(ctx context.Context, wasm []byte, m *Module) error {
	var data []Segment
	if w.rewrite != nil {
		rewritten := w.rewrite(m)
		wasm, data = rewritten.Module, rewritten.Data
	}
	compiled, err := w.runtime.CompileModule(ctx, wasm)
	if err != nil {
		return err
	}
	ctx = experimental.WithImportResolver(ctx, func(name string) api.Module { return w.registered[name] })
	instance, err := w.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return err
	}
	for _, segment := range data {
		if !instance.Memory().Write(segment.Offset, segment.Bytes) {
			return errors.New("data outside the memory")
		}
	}
	w.last, w.all = instance, append(w.all, instance)
	return nil
}

func (w *world) invoke(ctx context.Context, c coreCommand, args []uint64) ([]uint64, int64, error) {
	m := w.last
	if c.Action.Module != "" {
		m = w.named[c.Action.Module]
	}
	if c.Action.Type == "get" {
		return []uint64{m.ExportedGlobal(c.Action.Field).Get()}, 0, nil
	}
	used := w.refill()
	f := m.ExportedFunction(c.Action.Field)
	results, err := f.Call(ctx, args...)
	if err != nil {
		return nil, used(), err
	}
	for i, t := range f.Definition().ResultTypes() {
		if t == api.ValueTypeI32 || t == api.ValueTypeF32 {
			results[i] = uint64(uint32(results[i])) // the upper half is anything
		}
	}
	return results, used(), nil
}

// trapText is what went wrong, without the stack, in which a rewritten module has other addresses.
func trapText(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

func coreFeatures() wazero.RuntimeConfig {
	return wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2.SetEnabled(api.CoreFeatureSIMD, false))
}

// coreTally counts what was compared, so that a suite that is skipped by mistake is seen.
type coreTally struct {
	mu                                      sync.Mutex
	modules, returns, traps, exhaust        int
	invalid, malformed, unlinkable, skipped int
	refused                                 map[string]int
	linking                                 bool
}

func TestCoreSuite(t *testing.T) {
	t.Parallel()
	directory := coreDirectory(t)
	files, err := filepath.Glob(filepath.Join(directory, "v2", "testdata", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no suite in %s: %v", directory, err)
	}
	tally := &coreTally{refused: map[string]int{}}
	t.Run("files", func(t *testing.T) {
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			if strings.HasPrefix(name, "simd_") {
				continue // vectors are not accepted: TestRead_Everything shows that they are refused
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				runCoreFile(t, file, filepath.Join(directory, "testdata", "spectest.wasm"), tally)
			})
		}
	})
	t.Logf("%d modules answered %d calls alike, %d traps and %d exhaustions; %d invalid, %d malformed and %d unlinkable ones refused; %d commands skipped",
		tally.modules, tally.returns, tally.traps, tally.exhaust, tally.invalid, tally.malformed, tally.unlinkable, tally.skipped)
	for _, reason := range slices.Sorted(maps.Keys(tally.refused)) {
		t.Logf("refused %3d: %s", tally.refused[reason], reason)
	}
	if tally.modules < 700 || tally.returns < 15_000 || tally.traps < 450 {
		t.Errorf("too little of the suite was run")
	}
}

func runCoreFile(t *testing.T, file, spectest string, tally *coreTally) {
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Commands []coreCommand }
	if err := json.Unmarshal(source, &suite); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	worlds := []*world{
		{}, // as it is
		{rewrite: (*Module).Rewrite},
		{rewrite: func(m *Module) Rewritten { return m.rewrite(exact()) }},
	}
	host, err := os.ReadFile(spectest)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range worlds {
		w.runtime, w.named, w.registered = wazero.NewRuntimeWithConfig(ctx, coreFeatures()), map[string]api.Module{}, map[string]api.Module{}
		defer func() { _ = w.runtime.Close(ctx) }()
		provideRefuel(t, w.runtime, func(api.Module) { panic("out of fuel") })
		if _, err := w.runtime.InstantiateWithConfig(ctx, host, wazero.NewModuleConfig().WithName("spectest")); err != nil {
			t.Fatal(err)
		}
	}
	tally.mu.Lock()
	defer tally.mu.Unlock()
	tally.linking = slices.Contains([]string{"linking.json", "elem.json"}, filepath.Base(file))
	there := false // the latest module runs in every world
	for _, c := range suite.Commands {
		if c.ModuleType == "text" {
			continue
		}
		var wasm []byte
		if c.Filename != "" {
			if wasm, err = os.ReadFile(filepath.Join(filepath.Dir(file), c.Filename)); err != nil {
				t.Fatal(err)
			}
		}
		switch c.Type {
		case "module":
			there = instantiateAll(t, worlds, c, wasm, tally)
		case "register":
			if there || c.Name != "" {
				register(worlds, c)
			}
		case "action", "assert_return", "assert_trap", "assert_exhaustion":
			if _, known := worlds[0].named[c.Action.Module]; c.Action.Module != "" && !known || c.Action.Module == "" && !there {
				tally.skipped++
				continue
			}
			compareCall(t, worlds, c, tally)
		case "assert_invalid", "assert_malformed", "assert_unlinkable", "assert_uninstantiable":
			refuseAll(t, worlds, c, wasm, tally)
		default:
			t.Errorf("line %d: unknown command %s", c.Line, c.Type)
		}
	}
}

// provideRefuel gives a run-time's guests the function that they call when no fuel is left.
func provideRefuel(t testing.TB, r wazero.Runtime, refuel func(api.Module)) {
	t.Helper()
	_, err := r.NewHostModuleBuilder(RefuelModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, m api.Module, _ []uint64) { refuel(m) }), nil, nil).
		Export(RefuelFunction).Instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
}

// exact is a tariff by which every stretch is charged by itself: what is executed, and no more.
func exact() tariff { return tariff{fold: -1} }

func instantiateAll(t *testing.T, worlds []*world, c coreCommand, wasm []byte, tally *coreTally) bool {
	m, err := Read(wasm)
	if err != nil {
		fault, ok := errors.AsType[*Error](err)
		if !ok || errors.Is(fault, ErrMalformed) {
			t.Errorf("line %d: %s is refused as malformed: %v", c.Line, c.Filename, err)
		} else {
			reason, _, _ := strings.Cut(fault.Reason, ",")
			if name, _, ok := strings.Cut(reason, "\""); ok {
				reason = name + "…"
			}
			tally.refused[reason]++
		}
		delete(worlds[0].named, c.Name)
		return false
	}
	var first error
	for i, w := range worlds {
		err := w.instantiate(t.Context(), wasm, m)
		switch {
		case i == 0:
			first = err
		case (err == nil) != (first == nil):
			t.Errorf("line %d: %s: as it is: %v, rewritten: %v", c.Line, c.Filename, first, err)
			return false
		}
		if err == nil && c.Name != "" {
			w.named[c.Name] = w.last
		}
	}
	if first != nil {
		// It links to a module that was refused.
		tally.refused["links to one that is refused"]++
		delete(worlds[0].named, c.Name)
		return false
	}
	tally.modules++
	return true
}

// register makes a module known to the imports of later ones.
func register(worlds []*world, c coreCommand) {
	for _, w := range worlds {
		m := w.last
		if c.Name != "" {
			m = w.named[c.Name]
		}
		if m != nil {
			w.registered[c.As] = m
		}
	}
}

func compareCall(t *testing.T, worlds []*world, c coreCommand, tally *coreTally) {
	args := make([]uint64, 0, len(c.Action.Args))
	for _, a := range c.Action.Args {
		args = append(args, a.bits(t))
	}
	if c.Type == "assert_exhaustion" {
		// Without the rewriter it takes 400 MB of stack, so only the rewritten ones run.
		for _, w := range worlds[1:] {
			_, _, err := w.invoke(t.Context(), c, args)
			if err == nil || !slices.ContainsFunc(w.all, func(m api.Module) bool { return int64(m.ExportedGlobal(DepthGlobal).Get()) < 0 }) {
				t.Errorf("line %d: %s = %v, and no module's stack is used up", c.Line, c.Action.Field, err)
			}
		}
		tally.exhaust++
		return
	}
	var fuel [3]int64
	var results [3][]uint64
	var errs [3]error
	for i, w := range worlds {
		results[i], fuel[i], errs[i] = w.invoke(t.Context(), c, args)
	}
	for i := 1; i < len(worlds); i++ {
		if diff := cmp.Diff(results[0], results[i]); diff != "" {
			t.Errorf("line %d: %s: rewritten (-as it is +rewritten):\n%s", c.Line, c.Action.Field, diff)
		}
		if (errs[i] == nil) != (errs[0] == nil) || errs[0] != nil && trapText(errs[i]) != trapText(errs[0]) {
			t.Errorf("line %d: %s: as it is: %v, rewritten: %v", c.Line, c.Action.Field, errs[0], errs[i])
		}
	}
	if errs[0] == nil && fuel[1] < fuel[2] {
		t.Errorf("line %d: %s takes %d units, less than the %d that are executed", c.Line, c.Action.Field, fuel[1], fuel[2])
	}
	if c.Action.Type == "invoke" && errs[0] == nil && (fuel[2] <= 0 || fuel[2] > 1<<40) {
		t.Errorf("line %d: %s takes %d units", c.Line, c.Action.Field, fuel[2])
	}
	if tally.linking {
		// These modules share tables and memories with ones that are refused, so they only have to answer alike.
		return
	}
	if (errs[0] != nil) != (c.Type == "assert_trap") {
		t.Errorf("line %d: %s: %v", c.Line, c.Action.Field, errs[0])
		return
	}
	if c.Type == "assert_trap" {
		tally.traps++
		return
	}
	if c.Type == "action" {
		return
	}
	for i, want := range c.Expected {
		if !want.matches(t, results[0][i]) {
			t.Errorf("line %d: %s = %v, want %v", c.Line, c.Action.Field, results[0], c.Expected)
		}
	}
	tally.returns++
}

// refuseAll expects that Read or the compiler refuses a module, or that it cannot be instantiated, alike in all worlds.
func refuseAll(t *testing.T, worlds []*world, c coreCommand, wasm []byte, tally *coreTally) {
	m, err := Read(wasm)
	if err == nil {
		for _, w := range worlds {
			before := w.last
			// wazero ignores element segments beyond the table.
			if err := w.instantiate(t.Context(), wasm, m); err == nil && c.Text != "out of bounds table access" {
				t.Errorf("line %d: %s passes: %s", c.Line, c.Filename, c.Text)
			}
			w.last = before
		}
	}
	switch c.Type {
	case "assert_invalid":
		tally.invalid++
	case "assert_malformed":
		tally.malformed++
	default:
		tally.unlinkable++
	}
}
