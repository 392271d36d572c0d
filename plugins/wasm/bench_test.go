package wasm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

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

// BenchmarkFuel runs the same work as it is and rewritten, in turns, and compares the tenth of the turns that took
// least: what counting costs, and the units that a turn takes beside those of what was executed.
func BenchmarkFuel(b *testing.B) {
	guest := goGuest(b)
	instances := []api.Module{
		start(b, guest, nil),
		start(b, guest, (*Module).Rewrite),
		start(b, guest, func(m *Module) Rewritten { return m.rewrite(exact()) }),
	}
	for _, work := range []string{"json", "tags", "hash", "sort", "sieve", "fib", "sum"} {
		b.Run(work, func(b *testing.B) {
			var took [3][]time.Duration
			var units [3]int64
			for b.Loop() {
				for i, m := range instances {
					set(m, FuelGlobal, plentyFuel)
					set(m, DepthGlobal, Room)
					before := b.Elapsed()
					if _, err := m.ExportedFunction(work).Call(b.Context(), 1); err != nil {
						b.Fatal(err)
					}
					took[i] = append(took[i], b.Elapsed()-before)
					if i > 0 {
						units[i] = plentyFuel - int64(m.ExportedGlobal(FuelGlobal).Get())
					}
				}
			}
			for i := range took {
				slices.Sort(took[i])
			}
			least := func(i int) float64 { return float64(took[i][len(took[i])/10]) }
			b.ReportMetric(least(0), "plain-ns")
			b.ReportMetric(least(1)/least(0), "counted/plain")
			b.ReportMetric(least(2)/least(0), "exact/plain")
			b.ReportMetric(float64(units[1])/least(0), "units/ns")
			b.ReportMetric(float64(units[1])/float64(units[2]), "units/executed")
		})
	}
}
