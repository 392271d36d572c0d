package sandboxbench

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// request is about a kilobyte.
func request() *pluginv1.Request {
	answers := map[string]*pluginv1.Value{}
	for i := range 20 {
		answers[fmt.Sprintf("form.person.text%d", i)] = &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: fmt.Sprintf("第 %d 项的内容", i)}
	}
	return &pluginv1.Request{Hook: pluginv1.Hook_HOOK_CHECK, Bundle: "bench", Step: "step", Task: "T-1", Attempt: 1, Today: "2026-03-02", Place: "320102", Answers: answers}
}

func build(t testing.TB, dir string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	c := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./"+dir)
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

type modules map[string][]byte

func (m modules) Module(digest string) ([]byte, error) {
	if wasm, ok := m[digest]; ok {
		return wasm, nil
	}
	return nil, fs.ErrNotExist
}

// plain is wazero as it comes, with the host functions that the guest imports.
func plain(t testing.TB, wasm []byte) (wazero.Runtime, wazero.CompiledModule) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = r.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	b := r.NewHostModuleBuilder("onething")
	for _, name := range []string{"shared_data", "key_value", "http", "log", "read_answer"} {
		b.NewFunctionBuilder().WithFunc(func(uint32, uint32) uint32 { return 0 }).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	compiled, err := r.CompileModule(ctx, wasm)
	if err != nil {
		t.Fatal(err)
	}
	return r, compiled
}

// instance is a guest of plain wazero.
type instance struct {
	api.Module
	alloc, call api.Function
}

func start(t testing.TB, r wazero.Runtime, compiled wazero.CompiledModule) instance {
	guest, err := r.InstantiateModule(context.Background(), compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		t.Fatal(err)
	}
	return instance{guest, guest.ExportedFunction("onething_alloc"), guest.ExportedFunction("onething_call")}
}

func (i instance) answer(t testing.TB, message []byte) []byte {
	ctx := context.Background()
	at, err := i.alloc.Call(ctx, uint64(len(message)))
	if err != nil {
		t.Fatal(err)
	}
	i.Memory().Write(uint32(at[0]), message)
	result, err := i.call.Call(ctx, at[0], uint64(len(message)))
	if err != nil {
		t.Fatal(err)
	}
	out, _ := i.Memory().Read(uint32(result[0]>>32), uint32(result[0]))
	return out
}

func checked(t testing.TB, answer []byte) {
	response := new(pluginv1.Response)
	if err := proto.Unmarshal(answer, response); err != nil || len(response.GetCheck().GetFindings()) != 5 {
		t.Fatalf("answer %v, %v", response, err)
	}
}

// callers are the ways to give a call a sandbox. Each returns the answer.
func callers(t testing.TB) []struct {
	name string
	call func() []byte
} {
	ctx := context.Background()
	raw := build(t, "guest")
	m, err := os.ReadFile("guest/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := manifest.Load("manifest.yaml", m)
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := manifest.Append(raw, loaded)
	if err != nil {
		t.Fatal(err)
	}
	message, err := proto.Marshal(request())
	if err != nil {
		t.Fatal(err)
	}
	r, compiled := plain(t, wasm)
	warm := start(t, r, compiled)

	host, err := plugins.Open(ctx, plugins.Config{Modules: modules{store.Digest(wasm): wasm}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(ctx) })
	ref := plugins.Ref{ID: "test/bench", Digest: store.Digest(wasm)}
	asked := request()

	foreign, err := extism.NewCompiledPlugin(ctx, extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: build(t, "extismguest")}}},
		extism.PluginConfig{EnableWasi: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = foreign.Close(ctx) })
	return []struct {
		name string
		call func() []byte
	}{
		{"warm", func() []byte { return warm.answer(t, message) }},
		{"fresh", func() []byte {
			response, _, err := host.Call(ctx, ref, asked)
			if err != nil {
				t.Fatal(err)
			}
			out, _ := proto.Marshal(response)
			return out
		}},
		{"anew", func() []byte {
			i := start(t, r, compiled)
			defer func() { _ = i.Close(ctx) }()
			return append([]byte(nil), i.answer(t, message)...)
		}},
		{"extism", func() []byte {
			p, err := foreign.Instance(ctx, extism.PluginInstanceConfig{ModuleConfig: wazero.NewModuleConfig().WithSysWalltime()})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close(ctx) }()
			code, out, err := p.Call("answer", message)
			if err != nil || code != 0 {
				t.Fatalf("%d, %v", code, err)
			}
			return append([]byte(nil), out...)
		}},
	}
}

// BenchmarkSandbox measures a call of the standard Go guest for each way to give it a sandbox. `warm` reuses an instance:
// a later call can read what an earlier one left.
func BenchmarkSandbox(b *testing.B) {
	for _, way := range callers(b) {
		b.Run("way="+way.name, func(b *testing.B) {
			checked(b, way.call())
			for b.Loop() {
				way.call()
			}
		})
		if way.name == "fresh" {
			b.Run("way=fresh-parallel", func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						way.call()
					}
				})
			})
		}
	}
}
