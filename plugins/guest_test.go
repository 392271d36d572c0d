package plugins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// behave returns the guest that behaves as a request's bundle says, built once for all tests.
func behave(t testing.TB) []byte {
	t.Helper()
	wasm, err := buildBehave()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

var buildBehave = sync.OnceValues(func() ([]byte, error) {
	directory, err := os.MkdirTemp("", "guest")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	built, packed := filepath.Join(directory, "built"), filepath.Join(directory, "packed")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", built, "./testdata/guests/behave")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build guest: %w\n%s", err, out)
	}
	if err := manifest.Pack(built, "testdata/guests/behave/manifest.yaml", packed); err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(packed)
	if err != nil {
		return nil, err
	}
	return wasm, warm(wasm)
})

// warm compiles a guest into the cache that the tests share, so that their hosts do not all do it at once.
func warm(wasm []byte) error {
	directory, err := cacheDir()
	if err != nil {
		return err
	}
	ctx, digest := context.Background(), store.Digest(wasm)
	host, err := Open(ctx, Config{Modules: modules{digest: wasm}, CompilationCacheDir: directory})
	if err != nil {
		return err
	}
	_, err = host.Prepare(ctx, Ref{ID: "test/behave", Digest: digest})
	return errors.Join(err, host.Close(ctx))
}

// modules are Modules in memory.
type modules map[string][]byte

func (m modules) Module(digest string) ([]byte, error) {
	if wasm, ok := m[digest]; ok {
		return wasm, nil
	}
	return nil, fs.ErrNotExist
}

// register is a source of shared data with one person.
type register struct{}

func (register) LookUp(_ context.Context, source, key string) (*capability.Entry, error) {
	switch {
	case source != "register":
		return nil, fmt.Errorf("no source %s", source)
	case key == "320101199003071234":
		return &capability.Entry{Values: map[string]*pluginv1.Value{"name": {Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: "张三"}}}, nil
	default:
		return nil, nil
	}
}

// sharing are capabilities with a source of shared data; nil: every source is silent.
func sharing(source capability.Source) *capability.Set {
	return capability.New(capability.Config{SharedData: source})
}

func grantAll(string) []string { return []string{manifest.CapabilitySharedData} }

// cacheDir is where the tests of one run keep what they compiled, so that the Go guest is compiled once.
var cacheDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "compiled") })

func TestMain(m *testing.M) {
	code := m.Run()
	if directory, err := cacheDir(); err == nil {
		_ = os.RemoveAll(directory)
	}
	os.Exit(code)
}

// newHost returns a host that holds the modules, and a reference to each.
func newHost(t testing.TB, config Config, wasm ...[]byte) (*Host, []Ref) {
	t.Helper()
	held, refs := modules{}, []Ref{}
	for _, w := range wasm {
		held[store.Digest(w)] = w
		ref := Ref{ID: "test/tiny", Digest: store.Digest(w)}
		if m, err := manifest.Read(w); err == nil {
			ref.ID = m.GetId()
		}
		refs = append(refs, ref)
	}
	if config.Modules == nil {
		config.Modules = held
	}
	directory, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	config.CompilationCacheDir = directory
	host, err := Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return host, refs
}

// tiny puts a module together by hand: what a compiler of another language could make, or nobody in good faith.
type tiny struct {
	types     string // bodies of sections, with their counts; empty ones are left out
	imports   string
	functions string
	tables    string
	memory    string
	globals   string
	exports   string
	start     string
	elements  string
	code      string
	data      string
	custom    []byte // appended as it is
	manifest  *pluginv1.Manifest
}

// section is a section with its id and size.
func section(id byte, body string) string {
	if body == "" {
		return ""
	}
	return string(id) + vector(body)
}

// vector is bytes with their length, which tests keep below 16384.
func vector(body string) string { return leb(len(body)) + body }

func leb(n int) string {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n)))
}

// sleb is a signed LEB128 number.
func sleb(n int64) string {
	var b []byte
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return string(append(b, c))
		}
		b = append(b, c|0x80)
	}
}

func (m tiny) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id   byte
		body string
	}{
		{1, m.types}, {2, m.imports}, {3, m.functions}, {4, m.tables}, {5, m.memory}, {6, m.globals}, {7, m.exports},
		{8, m.start}, {9, m.elements}, {10, m.code}, {11, m.data},
	} {
		b.WriteString(section(s.id, s.body))
	}
	b.Write(m.custom)
	if m.manifest == nil {
		return b.Bytes()
	}
	wasm, err := manifest.Append(b.Bytes(), m.manifest)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func tinyManifest() *pluginv1.Manifest {
	return &pluginv1.Manifest{
		Id: "test/tiny", Version: "1.0.0", Department: "test", NameZh: "测试", InterfaceVersion: 1,
		Hooks: []pluginv1.Hook{
			pluginv1.Hook_HOOK_PREFILL, pluginv1.Hook_HOOK_CHECK, pluginv1.Hook_HOOK_DECIDE, pluginv1.Hook_HOOK_ISSUE, pluginv1.Hook_HOOK_REVOKE,
		},
		Capabilities: []string{manifest.CapabilitySharedData}, SharedDataSources: []string{"register"},
	}
}

const (
	answerAt = 4096  // where tiny modules hold their answer
	inputAt  = 32768 // where they take their input
)

// fit is a module that answers every call with the same bytes; body, if given, is what onething_call does instead.
func fit(answer, body string) tiny {
	if body == "" {
		body = "\x42" + sleb(answerAt<<32|int64(len(answer))) // i64.const
	}
	function := func(code string) string { return vector("\x00" + code + "\x0b") }
	m := tiny{
		types:     "\x02" + "\x60\x01\x7f\x01\x7f" + "\x60\x02\x7f\x7f\x01\x7e",
		functions: "\x02\x00\x01",
		memory:    "\x01\x00\x01",
		exports:   "\x03" + vector("memory") + "\x02\x00" + vector("onething_alloc") + "\x00\x00" + vector("onething_call") + "\x00\x01",
		code:      "\x02" + function("\x41"+sleb(inputAt)) + function(body),
		manifest:  tinyManifest(),
	}
	if answer != "" {
		m.data = "\x01\x00\x41" + sleb(answerAt) + "\x0b" + vector(answer)
	}
	return m
}
