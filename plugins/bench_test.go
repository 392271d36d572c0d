package plugins

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
)

// BenchmarkFirstCall opens a host, calls the Go guest once and closes the host: with the compilation cache warm, as after
// a restart, and cold, as after a new version.
func BenchmarkFirstCall(b *testing.B) {
	file := behave(b)
	ref := Ref{ID: "test/behave", Digest: store.Digest(file)}
	warm := b.TempDir()
	once := func(b *testing.B, directory string) {
		host, err := Open(b.Context(), Config{Modules: modules{ref.Digest: file}, CompilationCacheDir: directory})
		if err != nil {
			b.Fatal(err)
		}
		response, _, err := host.Call(b.Context(), ref, ask(checkHook, "echo"))
		if got := told(b, response, err); got != "张三" {
			b.Fatalf("got %q", got)
		}
		if err := host.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	once(b, warm)
	b.Run("cache=warm", func(b *testing.B) {
		for b.Loop() {
			once(b, warm)
		}
	})
	b.Run("cache=cold", func(b *testing.B) {
		for b.Loop() {
			once(b, b.TempDir())
		}
	})
}

// variant is a guest whose code no other variant shares, as far as a compiler knows: its memory is exported under one
// more name.
func variant(b *testing.B, file []byte, n int) []byte {
	b.Helper()
	sections, err := manifest.Sections(file)
	if err != nil {
		b.Fatal(err)
	}
	out := bytes.Clone(file[:8])
	for _, s := range sections {
		if s.ID != 7 {
			out = append(out, file[s.Offset:s.End]...)
			continue
		}
		count, size := protowire.ConsumeVarint(s.Body)
		body := protowire.AppendVarint(nil, count+1)
		body = append(body, s.Body[size:]...)
		body = append(protowire.AppendString(body, "variant"+strconv.Itoa(n)), 2, 0)
		out = append(out, 7)
		out = append(protowire.AppendVarint(out, uint64(len(body))), body...)
	}
	return out
}

// BenchmarkThousandPlugins registers a thousand plugins, 60 of them Go guests of 2.6 MB with code of their own, and calls
// every one of them twice. It reports the most memory that the process ever had resident.
func BenchmarkThousandPlugins(b *testing.B) {
	const all, large = 1000, 60
	file, held, refs := behave(b), modules{}, []Ref{}
	for n := range all {
		wasm := variant(b, fit("\x12\x00", "").bytes(b), n)
		id := "test/tiny"
		if n < large {
			wasm, id = variant(b, file, n), "test/behave"
		}
		refs = append(refs, Ref{ID: id, Digest: store.Digest(wasm)})
		held[refs[n].Digest] = wasm
	}
	for b.Loop() {
		host, err := Open(context.Background(), Config{Modules: held, CompilationCacheDir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		for round := range 2 {
			for n, ref := range refs {
				if _, _, err := host.Call(b.Context(), ref, ask(checkHook, "echo")); err != nil {
					b.Fatalf("round %d, plugin %d: %v", round, n, err)
				}
			}
		}
		if err := host.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(peak(b), "MiB-peak")
}

// peak is the most memory that the process ever had resident, in MiB.
func peak(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("only Linux tells")
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kib float64
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
