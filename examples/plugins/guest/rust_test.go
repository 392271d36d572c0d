package guest_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/conformance"
	"github.com/siyiban/onething/plugins/guest"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// The example plugins in Rust pass their own tests, and answer the same cases alike in the sandbox.
func TestRust(t *testing.T) {
	t.Parallel()
	for folder, least := range map[string]int{"inspection": 25, "disability": 24} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			var progress bytes.Buffer
			recorded, source := t.TempDir(), filepath.Join("..", folder)
			err := guest.Test(t.Context(), source, recorded, &progress)
			if errors.Is(err, guest.ErrNoToolchain) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, progress.String())
			}
			wasm, err := guest.Build(t.Context(), source, &progress)
			if err != nil {
				t.Fatalf("%v\n%s", err, progress.String())
			}
			m, err := manifest.Read(wasm)
			if err != nil {
				t.Fatal(err)
			}
			host, err := plugins.Open(t.Context(), plugins.Config{Modules: module(wasm)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = host.Close(context.Background()) })
			files, err := filepath.Glob(filepath.Join(recorded, "*.case"))
			if err != nil || len(files) < least {
				t.Fatalf("%d cases, want %d: %v", len(files), least, err)
			}
			for _, file := range files {
				message, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				c := new(pluginv1.Case)
				if err := proto.Unmarshal(message, c); err != nil {
					t.Fatal(err)
				}
				differs, err := conformance.Ask(t.Context(), host, plugins.Ref{ID: m.GetId(), Digest: store.Digest(wasm)}, c)
				if err != nil || differs != "" {
					t.Errorf("%s: %v\n%s", c.GetName(), err, differs)
				}
			}
		})
	}
}

type module []byte

func (m module) Module(digest string) ([]byte, error) {
	if digest != store.Digest(m) {
		return nil, fs.ErrNotExist
	}
	return m, nil
}
