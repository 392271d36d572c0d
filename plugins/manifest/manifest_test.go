package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/plugins/manifest"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// empty is a module without sections.
const empty = "\x00asm\x01\x00\x00\x00"

func pension() *pluginv1.Manifest {
	return &pluginv1.Manifest{
		Id: "hrss/pension", Version: "1.2.0", Department: "hrss", NameZh: "退休核准", NameEn: "Pension", InterfaceVersion: 1,
		Hooks:        []pluginv1.Hook{pluginv1.Hook_HOOK_CHECK, pluginv1.Hook_HOOK_DECIDE},
		Capabilities: []string{"shared_data"}, SharedDataSources: []string{"pension_account"},
		Limits: &pluginv1.Limits{HostMillis: 2000}, Sdk: "sdk/go 1",
	}
}

const yaml = `id: hrss/pension
version: 1.2.0
department: hrss
name_zh: 退休核准
name_en: Pension
hooks: [HOOK_CHECK, HOOK_DECIDE]
capabilities: [shared_data]
shared_data_sources: [pension_account]
limits: { host_millis: 2000 }
interface_version: 1
sdk: sdk/go 1
`

func TestAppendRead(t *testing.T) {
	t.Parallel()
	wasm, err := manifest.Append([]byte(empty), pension())
	if err != nil {
		t.Fatal(err)
	}
	got, err := manifest.Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pension(), got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if _, err := manifest.Append(wasm, pension()); !errors.Is(err, manifest.ErrPresent) {
		t.Errorf("a second manifest: %v, want %v", err, manifest.ErrPresent)
	}
	twice := append(append([]byte{}, wasm...), wasm[len(empty):]...)
	if _, err := manifest.Read(twice); !errors.Is(err, manifest.ErrPresent) {
		t.Errorf("two manifests: %v, want %v", err, manifest.ErrPresent)
	}
	if _, err := manifest.Read([]byte(empty)); !errors.Is(err, manifest.ErrMissing) {
		t.Errorf("no manifest: %v, want %v", err, manifest.ErrMissing)
	}
	if _, err := manifest.Read([]byte("not wasm")); !errors.Is(err, manifest.ErrNotWasm) {
		t.Errorf("no module: %v, want %v", err, manifest.ErrNotWasm)
	}
	if _, err := manifest.Append([]byte("not wasm"), pension()); !errors.Is(err, manifest.ErrNotWasm) {
		t.Errorf("no module: %v, want %v", err, manifest.ErrNotWasm)
	}
}

// askHTTP makes a manifest ask for hosts.
func askHTTP(m *pluginv1.Manifest, hosts ...string) {
	m.Capabilities, m.HttpHosts = append(m.Capabilities, "http"), hosts
}

func TestCheck_Hosts(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"ledger.example.cn": true, "ledger.example.cn:8443": true, "localhost:8080": true, "10.8.0.4": true, "10.8.0.4:80": true, "[2001:db8::1]": true, "[2001:db8::1]:443": true,
		"xn--fiqs8s.cn": true, "": false, "*": false, "*.example.cn": false, "Ledger.example.cn": false, "ledger.example.cn.": false, "ledger..cn": false, "-a.cn": false,
		"a-.cn": false, "a_b.cn": false, "https://a.cn": false, "a.cn/": false, "a.cn:": false, "a.cn:0": false, "a.cn:065": false, "a.cn:65536": false, "a.cn:80:80": false,
		"user@a.cn": false, "127.1": false, "0x7f.1": false, "1.2.3.4.5": false, "010.8.0.4": false, "2001:db8::1": false, "[2001:db8:0::1]": false, "[::1%eth0]": false,
		"[10.8.0.4]": false, "[2001:db8::1": false, "[::1]x": false, "区.cn": false, strings.Repeat("a", 64) + ".cn": false, strings.Repeat("a.", 130) + "cn": false,
	}
	for host, valid := range tests {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			m := pension()
			askHTTP(m, host)
			if err := manifest.Check(m); (err == nil) != valid {
				t.Errorf("Check() = %v, want valid %t", err, valid)
			}
		})
	}
}

func TestCheck_EveryCapability(t *testing.T) {
	t.Parallel()
	m := pension()
	m.Capabilities, m.HttpHosts, m.LogCodes = []string{"log", "http", "key_value", "shared_data"}, []string{"a.example.cn", "b.example.cn"}, []string{"counted"}
	m.Repeatable = []pluginv1.Hook{pluginv1.Hook_HOOK_DECIDE}
	if err := manifest.Check(m); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := manifest.Check(pension()); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		field  string
		change func(*pluginv1.Manifest)
	}{
		{"id", func(m *pluginv1.Manifest) { m.Id = "pension" }},
		{"id", func(m *pluginv1.Manifest) { m.Id = "../pension" }},
		{"id", func(m *pluginv1.Manifest) { m.Id = "hrss/Pension" }},
		{"version", func(m *pluginv1.Manifest) { m.Version = "v1" }},
		{"department", func(m *pluginv1.Manifest) { m.Department = "" }},
		{"name_zh", func(m *pluginv1.Manifest) { m.NameZh = "" }},
		{"name_zh", func(m *pluginv1.Manifest) { m.NameZh = "两\n行" }},
		{"name_en", func(m *pluginv1.Manifest) { m.NameEn = strings.Repeat("x", 401) }},
		{"sdk", func(m *pluginv1.Manifest) { m.Sdk = "\x1b" }},
		{"interface_version", func(m *pluginv1.Manifest) { m.InterfaceVersion = 2 }},
		{"hooks", func(m *pluginv1.Manifest) { m.Hooks = nil }},
		{"hooks", func(m *pluginv1.Manifest) { m.Hooks = []pluginv1.Hook{1, 1} }},
		{"hooks", func(m *pluginv1.Manifest) { m.Hooks = []pluginv1.Hook{0} }},
		{"hooks", func(m *pluginv1.Manifest) { m.Hooks = []pluginv1.Hook{9} }},
		{"capabilities", func(m *pluginv1.Manifest) { m.Capabilities = append(m.Capabilities, "files") }},
		{"http_hosts", func(m *pluginv1.Manifest) { m.Capabilities = append(m.Capabilities, "http") }},
		{"http_hosts", func(m *pluginv1.Manifest) { m.HttpHosts = []string{"ledger.example.cn"} }},
		{"http_hosts", func(m *pluginv1.Manifest) { askHTTP(m, "a.example.cn", "a.example.cn") }},
		{"http_hosts", func(m *pluginv1.Manifest) { askHTTP(m, strings.Split(strings.Repeat("a ", 21), " ")...) }},
		{"log_codes", func(m *pluginv1.Manifest) { m.Capabilities = append(m.Capabilities, "log") }},
		{"log_codes", func(m *pluginv1.Manifest) { m.LogCodes = []string{"counted"} }},
		{"log_codes", func(m *pluginv1.Manifest) {
			m.Capabilities, m.LogCodes = append(m.Capabilities, "log"), []string{"Counted"}
		}},
		{"log_codes", func(m *pluginv1.Manifest) {
			m.Capabilities, m.LogCodes = append(m.Capabilities, "log"), []string{"counted", "counted"}
		}},
		{"repeatable", func(m *pluginv1.Manifest) { m.Repeatable = []pluginv1.Hook{pluginv1.Hook_HOOK_CHECK} }},
		{"repeatable", func(m *pluginv1.Manifest) {
			askHTTP(m, "a.example.cn")
			m.Repeatable = []pluginv1.Hook{pluginv1.Hook_HOOK_ISSUE}
		}},
		{"repeatable", func(m *pluginv1.Manifest) {
			askHTTP(m, "a.example.cn")
			m.Repeatable = []pluginv1.Hook{pluginv1.Hook_HOOK_CHECK, pluginv1.Hook_HOOK_CHECK}
		}},
		{"capabilities", func(m *pluginv1.Manifest) { m.Capabilities = []string{"shared_data", "shared_data"} }},
		{"shared_data_sources", func(m *pluginv1.Manifest) { m.SharedDataSources = nil }},
		{"shared_data_sources", func(m *pluginv1.Manifest) { m.Capabilities = nil }},
		{"shared_data_sources", func(m *pluginv1.Manifest) { m.SharedDataSources = []string{"a", "a"} }},
		{"shared_data_sources", func(m *pluginv1.Manifest) { m.SharedDataSources = make([]string, 51) }},
	}
	for _, test := range tests {
		t.Run(test.field, func(t *testing.T) {
			t.Parallel()
			m := pension()
			test.change(m)
			var invalid *manifest.InvalidError
			if err := manifest.Check(m); !errors.As(err, &invalid) || invalid.Faults[0].Field != test.field {
				t.Errorf("Check() = %v, want a fault of %s", err, test.field)
			}
			if _, err := manifest.Append([]byte(empty), m); !errors.As(err, &invalid) {
				t.Errorf("Append() = %v, want a refusal", err)
			}
		})
	}
	var invalid *manifest.InvalidError
	if err := manifest.Check(&pluginv1.Manifest{}); !errors.As(err, &invalid) || len(invalid.Faults) != 6 {
		t.Errorf("an empty manifest: %v, want six faults at once", err)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	got, err := manifest.Load("manifest.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pension(), got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestLoad_Faults(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, want string }{
		{"unknown member", yaml + "colour: red\n", "manifest.yaml:12:1: error[plugin-manifest]: unknown field \"colour\""},
		{"unknown hook", strings.Replace(yaml, "HOOK_CHECK", "HOOK_CHEKC", 1), "manifest.yaml:6:9: error[plugin-manifest]: "},
		{"wrong kind", strings.Replace(yaml, "interface_version: 1", "interface_version: one", 1), "manifest.yaml:10:20: error[plugin-manifest]: "},
		{"bad id", strings.Replace(yaml, "hrss/pension", "pension", 1), "manifest.yaml:1:5: error[plugin-manifest]: id must be"},
		{"missing member", strings.Replace(yaml, "department: hrss\n", "", 1), "manifest.yaml:1:1: error[plugin-manifest]: department must be"},
		{"repeated key", yaml + "id: hrss/other\n", "manifest.yaml:12:1: error[plugin-manifest-yaml]: `id` is given twice"},
		{"lone carriage return", strings.Replace(yaml, "version: 1.2.0\n", "version: 1.2.0\r", 1), "manifest.yaml:2:1: error[plugin-manifest-yaml]: a carriage return"},
		{"alias", "a: &x 1\nb: *x\n", "manifest.yaml:1:4: error[plugin-manifest-yaml]: anchors"},
		{"second document", yaml + "---\nid: hrss/other\n", "error[plugin-manifest-yaml]: a second document"},
		{"broken second document", yaml + "---\n\"", "error[plugin-manifest-yaml]: the file is not YAML"},
		{"list", "- id\n", "manifest.yaml:1:1: error[plugin-manifest-yaml]: the file must hold names"},
		{"empty", "", "manifest.yaml:1:1: error[plugin-manifest-yaml]: the file is empty"},
		{"not YAML", "id: [\n", "error[plugin-manifest-yaml]: the file is not YAML"},
		{"not UTF-8", "id: \xff\n", "manifest.yaml:1:1: error[plugin-manifest-yaml]: the file is not UTF-8"},
		{"too long", strings.Repeat("#\n", 20_000), "the file has 40000 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, err := manifest.Load("manifest.yaml", []byte(test.source))
			var list diag.List
			if !errors.As(err, &list) || m != nil {
				t.Fatalf("Load() = %v, %v, want diagnostics", m, err)
			}
			if !strings.Contains(list.Error(), test.want) {
				t.Errorf("Load() = %v, want %s", list, test.want)
			}
		})
	}
	var list diag.List
	if _, err := manifest.Load("manifest.yaml", []byte("id: x\nversion: y\nhooks: [HOOK_CHECK]\n")); !errors.As(err, &list) || len(list) < 4 {
		t.Errorf("Load() = %v, want every fault at once", err)
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	module, good, bad, output := write("in.wasm", empty), write("manifest.yaml", yaml), write("bad.yaml", "id: x"), filepath.Join(directory, "out.wasm")
	var list diag.List
	if err := manifest.Pack(module, bad, output); !errors.As(err, &list) {
		t.Errorf("Pack() = %v, want diagnostics", err)
	}
	if err := manifest.Pack(good, good, output); !errors.Is(err, manifest.ErrNotWasm) {
		t.Errorf("Pack() = %v, want %v", err, manifest.ErrNotWasm)
	}
	if err := manifest.Pack(filepath.Join(directory, "none"), good, output); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Pack() = %v, want %v", err, os.ErrNotExist)
	}
	if _, err := os.Stat(output); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a failure left an output: %v", err)
	}
	if err := manifest.Pack(module, good, output); err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := manifest.Read(packed); err != nil || m.GetId() != "hrss/pension" {
		t.Errorf("Read() = %v, %v", m, err)
	}
	if left, _ := filepath.Glob(filepath.Join(directory, ".*")); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

func FuzzRead(f *testing.F) {
	wasm, err := manifest.Append([]byte(empty), pension())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wasm)
	f.Add([]byte(empty))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := manifest.Read(wasm)
		if err != nil {
			return
		}
		if err := manifest.Check(m); err != nil {
			t.Fatalf("Read() let %v pass", err)
		}
		// What was read can be packed again and reads the same.
		again, err := manifest.Append([]byte(empty), m)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := manifest.Read(again); err != nil || !proto.Equal(m, back) {
			t.Fatalf("Read() = %v, %v", back, err)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(yaml))
	f.Add([]byte("a: &x 1\nb: *x\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if m, err := manifest.Load("manifest.yaml", source); (m == nil) == (err == nil) {
			t.Fatalf("Load() = %v, %v", m, err)
		}
	})
}
