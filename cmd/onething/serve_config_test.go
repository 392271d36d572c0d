package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/siyiban/onething/diag"
)

// Flags go before the environment, that before the file, that before what a flag is by itself.
func TestConfigure_Precedence(t *testing.T) {
	// Not parallel: the environment is the process's.
	file := filepath.Join(t.TempDir(), "onething.yaml")
	writeFile(t, file, "listen: of-the-file\naudience: of-the-file\nissuer: of-the-file\norigin: [https://a.example, https://b.example]\nwithout_plugins: true\nplace: 320102\n")
	t.Setenv("ONETHING_CONFIG", file)
	t.Setenv("ONETHING_LISTEN", "of-the-environment")
	t.Setenv("ONETHING_AUDIENCE", "of-the-environment")
	flags := newServe().Flags()
	if err := flags.Parse([]string{"--listen", "of-the-flag"}); err != nil {
		t.Fatal(err)
	}
	if err := configure(flags); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{"listen", "audience", "issuer", "origin", "without-plugins", "place", "data"} {
		got[name] = flags.Lookup(name).Value.String()
	}
	want := map[string]string{
		"listen": "of-the-flag", "audience": "of-the-environment", "issuer": "of-the-file", "origin": "[https://a.example,https://b.example]",
		"without-plugins": "true", "place": "320102", "data": "var/onething",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	t.Setenv("ONETHING_CONFIG", filepath.Join(t.TempDir(), "none.yaml"))
	if err := configure(newServe().Flags()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Whatever is wrong in the file is found at once, with its place and what was probably meant.
func TestFromFile_Faults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, at, message, hint string }{
		{"a misspelt key", "data: here\nlisen: 127.0.0.1:1\n", "c.yaml:2:1", "there is no key `lisen` here", "did you mean `listen`?"},
		{"a flag for a key", "key-encryption-key: kek.json\n", "c.yaml:1:1", "there is no key", "write `key_encryption_key`"},
		{"capitals", "Listen: 127.0.0.1:1\n", "c.yaml:1:1", "there is no key", "write `listen`"},
		{"nothing like it", "colour: red\n", "c.yaml:1:1", "there is no key `colour`", "audience, bundles, claims, data"},
		{"no file in a file", "config: other.yaml\n", "c.yaml:1:1", "there is no key `config`", ""},
		{"twice", "data: here\ndata: there\n", "c.yaml:2:1", "stands here twice", "keep one"},
		{"no truth", "data: here\nwithout_plugins: yes\n", "c.yaml:2:18", "`yes` is none", "write `true`"},
		{"no truth at all", "without_plugins: perhaps\n", "c.yaml:1:18", "`perhaps` is none", "write `true` or `false`"},
		{"a list for one value", "data: [a, b]\n", "c.yaml:1:7", "`data` takes one value", ""},
		{"a mapping", "origin: { a: b }\n", "c.yaml:1:9", "`origin` takes one value", ""},
		{"no value", "data:\n", "c.yaml:1:6", "`data` has no value", ""},
		{"no mapping", "- data\n", "c.yaml:1:1", "", ""},
		{"empty", "", "c.yaml:1:1", "empty", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, ok := errors.AsType[diag.List](fromFile(newServe().Flags(), "c.yaml", []byte(tt.text)))
			if !ok || len(found) == 0 {
				t.Fatal("nothing was found")
			}
			text := found.Error()
			if !strings.Contains(text, tt.at) || !strings.Contains(text, tt.message) || !strings.Contains(found[0].Hint, tt.hint) {
				t.Errorf("it says %s\nhint: %s", text, found[0].Hint)
			}
		})
	}
	found, _ := errors.AsType[diag.List](fromFile(newServe().Flags(), "c.yaml", []byte("lisen: a\ndev: maybe\ncolour: red\n")))
	if len(found) != 3 {
		t.Errorf("of three faults are found: %v", found)
	}
}

// Every flag has its key: the file sets each of them, and none is left out because it has a kind of its own.
func TestFromFile_EveryFlag(t *testing.T) {
	t.Parallel()
	flags := newServe().Flags()
	var text strings.Builder
	var want []string
	flags.VisitAll(func(f *pflag.Flag) {
		value := "word"
		switch f.Value.Type() {
		case "bool":
			value = "true"
		case "stringSlice":
			value = "[one, two]"
		case "string":
		default:
			t.Fatalf("--%s is of a kind that the file has never read: %s", f.Name, f.Value.Type())
		}
		if f.Name != "help" && f.Name != configFlag {
			want = append(want, f.Name)
			text.WriteString(strings.ReplaceAll(f.Name, "-", "_") + ": " + value + "\n")
		}
	})
	if err := fromFile(flags, "c.yaml", []byte(text.String())); err != nil {
		t.Fatal(err)
	}
	var got []string
	flags.Visit(func(f *pflag.Flag) { got = append(got, f.Name) })
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed && !slices.Contains(got, f.Name) { // of lists, which are replaced as a whole
			got = append(got, f.Name)
		}
	})
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("set by the file (-want +got):\n%s", diff)
	}
}
