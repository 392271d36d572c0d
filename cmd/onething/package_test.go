package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// The package's configuration file is one that serve reads, and names every key, those that are left out as comments.
func TestPackage_Configuration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../packaging/onething.yaml")
	if err != nil {
		t.Fatal(err)
	}
	flags := newServe().Flags()
	if err := fromFile(flags, "onething.yaml", text); err != nil {
		t.Error(err)
	}
	var named []string
	for _, m := range regexp.MustCompile(`(?m)^(?:# )?([a-z_]+): \S`).FindAllStringSubmatch(string(text), -1) {
		named = append(named, m[1])
	}
	var want []string
	for key := range configKeys(flags) {
		want = append(want, key)
	}
	slices.Sort(named)
	slices.Sort(want)
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("keys of the file (-want +got):\n%s", diff)
	}
	// What is commented out is right, too: each line by itself.
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "# "); ok && regexp.MustCompile(`^[a-z_]+: \S`).MatchString(rest) {
			if err := fromFile(newServe().Flags(), "onething.yaml", []byte(rest)); err != nil {
				t.Error(err)
			}
		}
	}
}

// systemd finds nothing wrong with the unit, and little that it leaves open.
func TestPackage_Unit(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("needs systemd-analyze")
	}
	unit, err := os.ReadFile("../../packaging/onething.service")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	at := filepath.Join(root, "onething.service")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(strings.ReplaceAll(string(unit), "/usr/bin/onething", self)), 0o600); err != nil { // verify looks whether it is there
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "--recursive-errors=no", at).CombinedOutput(); err != nil || strings.Contains(string(out), "onething.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// Of ten points of exposure; a service without any of it has 9.6.
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", at).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// The package holds what it should, by whom it may be read, and lets nothing of the operator's be written over.
func TestPackage_Debian(t *testing.T) {
	t.Parallel()
	needPlugins(t)
	dpkg, err := exec.LookPath("dpkg-deb")
	if err != nil {
		t.Skip("needs dpkg-deb")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	pack := exec.CommandContext(t.Context(), "go", "tool", "-modfile=tools/go.mod", "nfpm", "package", "--config", "packaging/nfpm.yaml", "--packager", "deb", "--target", folder)
	pack.Dir = "../.."
	pack.Env = append(os.Environ(), "DEB_VERSION=1.2.3", "DEB_ARCH=amd64", "DEB_BINARY="+self)
	if out, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	built, err := filepath.Glob(filepath.Join(folder, "*.deb"))
	if err != nil || len(built) != 1 {
		t.Fatalf("built %q, %v", built, err)
	}
	ask := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), dpkg, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg-deb %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for field, want := range map[string]string{"Package": "onething", "Version": "1.2.3", "Architecture": "amd64"} {
		if got := ask("--field", built[0], field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	var files []string
	for line := range strings.SplitSeq(ask("--contents", built[0]), "\n") {
		if f := strings.Fields(line); !strings.HasPrefix(line, "d") {
			files = append(files, f[0]+" "+f[1]+" "+strings.TrimPrefix(f[5], "."))
		}
	}
	slices.Sort(files)
	want := []string{
		"-rw-r--r-- root/root /etc/onething/onething.yaml",
		"-rw-r--r-- root/root /usr/lib/systemd/system/onething.service",
		"-rw-r--r-- root/root /usr/lib/sysusers.d/onething.conf",
		"-rw-r--r-- root/root /usr/share/doc/onething/copyright",
		"-rw-r--r-- root/root /usr/share/doc/onething/operators.md",
		"-rw-r--r-- root/root /usr/share/doc/onething/security.md",
		"-rwxr-xr-x root/root /usr/bin/onething",
	}
	plugins, err := filepath.Glob("../../build/plugins/*.wasm")
	if err != nil || len(plugins) < 4 {
		t.Fatalf("plugins %q, %v", plugins, err)
	}
	for _, p := range plugins {
		want = append(want, "-rw-r--r-- root/root /usr/lib/onething/plugins/"+filepath.Base(p))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	control := filepath.Join(folder, "control")
	ask("--control", built[0], control)
	conffiles, err := os.ReadFile(filepath.Join(control, "conffiles"))
	if err != nil || strings.TrimSpace(string(conffiles)) != "/etc/onething/onething.yaml" {
		t.Errorf("conffiles: %q, %v", conffiles, err)
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		if out, err := exec.CommandContext(t.Context(), "sh", "-n", filepath.Join(control, script)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
	// What is unpacked starts: the binary, with the file, of which only the addresses and what is not there is changed.
	ask("--extract", built[0], filepath.Join(folder, "root"))
	var keys map[string]any
	text, err := os.ReadFile(filepath.Join(folder, "root/etc/onething/onething.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &keys)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"issuer", "audience", "claims"} {
		delete(keys, key)
	}
	keys["dev"], keys["listen"], keys["dev_issuer"], keys["metrics"] = true, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	keys["data"], keys["plugins"] = filepath.Join(folder, "data"), filepath.Join(folder, "root/usr/lib/onething/plugins")
	if text, err = yaml.Marshal(keys); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "onething.yaml"), string(text))
	server := exec.CommandContext(t.Context(), filepath.Join(folder, "root/usr/bin/onething"), "serve", "--config", filepath.Join(folder, "onething.yaml"))
	server.Args[0] = "onething" // this binary is the command under its name
	at, end, err := untilReady(server)
	if err != nil {
		t.Fatal(err)
	}
	if status, text := get(t, strings.TrimSuffix(strings.TrimPrefix(at["metrics"], "http://"), "/metrics"), "/readyz"); !strings.Contains(text, "[+]log ok") {
		t.Errorf("%d %s", status, text)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}
