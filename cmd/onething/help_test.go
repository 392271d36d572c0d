package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/signature"
)

// The help of each verb ends with two examples, and they do what they say, in a folder with what a user has at hand.
func TestHelp_Examples(t *testing.T) {
	t.Parallel()
	withPlugins := sync.OnceValue(func() *stage { // one for all of these examples: it compiles the plugins
		st := startStage(t, t.TempDir(), "2026-03-16", "../../build/plugins", io.Discard)
		t.Cleanup(func() { st.stop(t) })
		return st
	})
	var verbs func(cmd *cobra.Command)
	verbs = func(cmd *cobra.Command) {
		for _, verb := range cmd.Commands() {
			if verb.Name() != "help" {
				t.Run(strings.ReplaceAll(verb.CommandPath(), " ", "_"), func(t *testing.T) {
					t.Parallel()
					examples := examplesOf(t, strings.Fields(verb.CommandPath())[1:])
					if len(examples) != 2 {
						t.Fatalf("%d examples: %q", len(examples), examples)
					}
					for _, example := range examples {
						runExample(t, example, withPlugins)
					}
				})
			}
			verbs(verb)
		}
	}
	verbs(newRoot())
}

// examplesOf returns the examples with which the help of a verb ends.
func examplesOf(t *testing.T, verb []string) []string {
	t.Helper()
	var out, progress bytes.Buffer
	if code := run(t.Context(), append(verb, "--help"), &out, &progress); code != 0 || progress.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, progress.String())
	}
	_, examples, ok := strings.Cut(out.String(), "\nExamples:\n")
	if !ok || strings.Contains(examples, "\n\n") {
		t.Fatalf("the help does not end with examples:\n%s", out.String())
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(examples), "\\\n", ""), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

// signing lays out a key, a plugin that it may sign, and whose keys a server trusts: those that make has made for the
// examples.
func signing(t *testing.T, folder string) {
	t.Helper()
	public, err := signature.Generate(filepath.Join(folder, "hrss.pem"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "hrss.pub"), public.String()+"\n")
	if err := manifest.Pack(filepath.Join(folder, "module.wasm"), filepath.Join(folder, "manifest.yaml"), filepath.Join(folder, "pension.wasm")); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile("../../build/plugins/development.pub")
	if err != nil {
		return // plugins are not built
	}
	writeFile(t, filepath.Join(folder, "etc/onething/signers.yaml"), "keys: [{ key: \""+strings.TrimSpace(string(key))+"\", name: make, departments: [\"*\"] }]\n")
}

func runExample(t *testing.T, example string, withPlugins func() *stage) {
	t.Helper()
	if regexp.MustCompile(`onething (demo|serve|plugin (check|run|bench|conformance|push|list|stats|logs|trust|revoke-key|grant|activate|rollback|shadow|stop))`).MatchString(example) {
		needPlugins(t)
	}
	folder := t.TempDir()
	if err := prepare(folder); err != nil {
		t.Fatal(err)
	}
	const described = "id: office/tiny\nversion: 1.0.0\ndepartment: office\nname_zh: 小\ninterface_version: 1\nhooks: [HOOK_CHECK]\n"
	for name, text := range map[string]string{
		"manifest.yaml": described, "examples/plugins/household/manifest.yaml": described, "examples/plugins/pension/manifest.yaml": described,
		"module.wasm": "\x00asm\x01\x00\x00\x00", "household.unpacked": "\x00asm\x01\x00\x00\x00", "pension.unpacked": "\x00asm\x01\x00\x00\x00",
		"household.json":           `{"request": {"hook": "HOOK_CHECK", "bundle": "newborn", "step": "household", "today": "2026-03-16"}}`,
		"etc/onething/claims.yaml": "roles: roles\nrole_values: { clerk: clerk }\nperson: sub\n", "etc/onething/grants.yaml": "hrss/pension: [shared_data]\n",
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signing(t, folder)
	if err := seal.GenerateKeyset(filepath.Join(folder, "etc/onething/kek.json")); err != nil {
		t.Fatal(err)
	}

	serves := strings.HasPrefix(example, "onething serve")
	if serves { // the ports are the machine's, and others run tests on it
		example = "exec " + strings.ReplaceAll(example, ":8080", ":0")
		if !strings.Contains(example, "--listen") {
			example += " --listen 127.0.0.1:0 --dev-issuer 127.0.0.1:0"
		}
	}
	reads := regexp.MustCompile(`^onething (simulate|log verify|backup|restore|plugin replay) .*var`).MatchString(example)
	if strings.HasPrefix(example, "onething restore") {
		example = "onething backup var/onething --to var/backup > var/out && " + example
	}
	if strings.HasPrefix(example, "onething plugin revoke-key") { // of a key that is trusted
		example = "onething plugin trust hrss.pub --name 人社局 --department hrss --as operator > trusted && " + example
	}
	compiles := regexp.MustCompile(`^onething plugin (build|test)`).MatchString(example)
	if compiles { // in a folder with a plugin's source
		example = "onething plugin new civil_affairs/senior_card && cd senior_card && " + example
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", example)
	cmd.Dir = folder
	if strings.Contains(example, "--as ") || strings.Contains(example, "ONETHING_AS") {
		var st *stage
		if strings.Contains(example, "onething plugin ") {
			st = withPlugins()
		} else {
			st = newStage(t, t.TempDir(), "2026-03-16", io.Discard, func(c *serverConfig) { c.notices = told(t, folder, "http://127.0.0.1:1") })
			defer st.stop(t)
		}
		cmd.Env = append(os.Environ(), "ONETHING_SERVER="+st.api, "ONETHING_DEV_ISSUER="+strings.TrimSuffix(strings.TrimPrefix(st.issuer, "http://"), "/issuer"))
	}
	if reads { // a server has been there
		newStage(t, filepath.Join(folder, "var"), "2026-03-16", io.Discard).stop(t)
		if err := os.Rename(filepath.Join(folder, "var", "data"), filepath.Join(folder, "var", "onething")); err != nil {
			t.Fatal(err)
		}
	}
	var progress bytes.Buffer
	cmd.Stderr = &progress
	if serves {
		_, end, err := untilReady(cmd)
		if err == nil {
			err = end()
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", example, err, progress.String())
		}
		return
	}
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s%s", example, err, out, progress.String())
	}
	if progress.Len() > 0 && !reads && !compiles { // which says how far it has come
		t.Errorf("%s: it says on stderr: %s", example, progress.String())
	}
	// The demonstration's exit code says that every outcome is the expected one; the last line says it to a reader.
	if example == "onething demo" && !strings.HasSuffix(string(out), "5 份办件的结果均与预期一致\n") {
		t.Errorf("%s ends with: %s", example, out[max(0, len(out)-200):])
	}
	if bytes.ContainsRune(out, '\x1b') {
		t.Errorf("%s: control characters where there is no terminal: %s", example, out)
	}
}
