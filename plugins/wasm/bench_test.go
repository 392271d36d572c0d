package wasm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// goGuest is testdata/guests/work, built once for all tests.
func goGuest(t testing.TB) []byte {
	t.Helper()
	wasm, err := buildGoGuest()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

var buildGoGuest = sync.OnceValues(func() ([]byte, error) {
	directory, err := os.MkdirTemp("", "guest")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	built := filepath.Join(directory, "work.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", built, "./testdata/guests/work")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build guest: %w\n%s", err, out)
	}
	return os.ReadFile(built)
})

// start instantiates a module as it is, if rewrite is nil, or rewritten, with plenty of fuel.
func start(t testing.TB, wasm []byte, rewrite func(*Module) Rewritten) api.Module {
	t.Helper()
	ctx := context.Background()
	w := &world{runtime: wazero.NewRuntimeWithConfig(ctx, coreFeatures()), rewrite: rewrite}
	t.Cleanup(func() { _ = w.runtime.Close(ctx) })
	provideRefuel(t, w.runtime, func(api.Module) { panic("out of fuel") })
	wasi_snapshot_preview1.MustInstantiate(ctx, w.runtime)
	m, err := Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.instantiate(ctx, wasm, m); err != nil {
		t.Fatal(err)
	}
	w.refill()
	if f := w.last.ExportedFunction("_initialize"); f != nil {
		if _, err := f.Call(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return w.last
}

// BenchmarkFuel runs the same work as it is, rewritten, and rewritten so that each stretch is charged by itself. The
// units are what a round takes in fuel.
func BenchmarkFuel(b *testing.B) {
	ways := []struct {
		name    string
		rewrite func(*Module) Rewritten
	}{
		{"plain", nil},
		{"counted", (*Module).Rewrite},
		{"exact", func(m *Module) Rewritten { return m.rewrite(exact()) }},
	}
	instances := map[string]api.Module{}
	for _, way := range ways {
		instances[way.name] = start(b, goGuest(b), way.rewrite)
	}
	for _, work := range []string{"json", "tags", "hash", "sort", "sieve", "fib", "sum"} {
		for _, way := range ways {
			b.Run(work+"/"+way.name, func(b *testing.B) {
				m, units := instances[way.name], int64(0)
				f := m.ExportedFunction(work)
				for b.Loop() {
					set(m, FuelGlobal, plentyFuel)
					set(m, DepthGlobal, plentyRoom)
					if _, err := f.Call(context.Background(), 10); err != nil {
						b.Fatal(err)
					}
					if g := m.ExportedGlobal(FuelGlobal); g != nil {
						units = plentyFuel - int64(g.Get())
					}
				}
				if units > 0 {
					b.ReportMetric(float64(units), "units/op")
				}
			})
		}
	}
}
