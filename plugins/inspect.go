package plugins

import (
	"errors"
	"fmt"

	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/wasm"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Sizes of WebAssembly's pages.
const (
	pageSize    = 64 << 10
	pagesPerMiB = 1 << 20 / pageSize
)

// signature is a function type, as [wasm.Signature].
type signature struct{ Params, Results string }

const (
	i32 = "\x7f"
	i64 = "\x7e"
)

// Functions that a plugin exports. `_initialize` is optional: a language without a run-time has none.
const (
	exportAlloc      = "onething_alloc"
	exportCall       = "onething_call"
	exportInitialize = "_initialize"
)

// module is what Inspect found.
type module struct {
	manifest   *pluginv1.Manifest
	wasm       *wasm.Module
	initialise bool // it exports _initialize
}

// Inspect returns the manifest of a .wasm file; the error says what keeps it from being a plugin that this host runs,
// before any decoder or compiler sees it.
func Inspect(file []byte) (*pluginv1.Manifest, error) {
	found, err := inspect(file)
	if err != nil {
		return nil, err
	}
	return found.manifest, nil
}

// inspect holds a file against the interface of plugins: docs/plugin-interface.md.
func inspect(file []byte) (*module, error) {
	m, err := manifest.Read(file)
	if err != nil {
		return nil, err
	}
	read, err := wasm.Read(file)
	if err != nil {
		return nil, err
	}
	found := &module{manifest: m, wasm: read}
	host := hostFunctions()
	for _, i := range read.Imports {
		want, ok := host[i.From][i.Name]
		if !ok {
			return nil, fmt.Errorf("imports %q from %q, which no plugin gets (files, environment and network are not there)", i.Name, i.From)
		}
		if i.Signature != wasm.Signature(want.signature) {
			return nil, fmt.Errorf("imports %q from %q with another signature than the interface's", i.Name, i.From)
		}
	}
	if read.Memories != 1 {
		return nil, errors.New("has no memory of its own")
	}
	if e, ok := read.Export("memory"); !ok || e.Kind != wasm.Memory {
		return nil, errors.New("does not export its memory as \"memory\"")
	}
	for _, f := range []struct {
		name     string
		want     signature
		optional bool
	}{
		{name: exportAlloc, want: signature{i32, i32}},
		{name: exportCall, want: signature{i32 + i32, i64}},
		{name: exportInitialize, want: signature{}, optional: true},
	} {
		_, there := read.Export(f.name)
		got, ok := read.Function(f.name)
		switch {
		case !there && f.optional:
		case !there:
			return nil, fmt.Errorf("does not export the function %q", f.name)
		case !ok || got != wasm.Signature(f.want):
			return nil, fmt.Errorf("exports %q as something else than the interface's function", f.name)
		case f.optional:
			found.initialise = true
		}
	}
	// A Go guest that was built as a command, not as a reactor, has a _start that runs main and ends the module.
	if _, ok := read.Export("_start"); ok {
		return nil, errors.New("exports \"_start\": it is a command; build it as a reactor (Go: -buildmode=c-shared)")
	}
	return found, nil
}
