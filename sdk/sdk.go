// Package sdk holds the SDKs and the template of a plugin as files, so that the command can make a repository that builds
// wherever it is run, without a checkout of this one.
package sdk

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed go rust/Cargo.toml rust/src template
var files embed.FS

// Module is the version of the one module outside the standard library that the Go SDK needs, with its lines of go.sum.
// A test holds it against this module's own.
const (
	LiteVersion = "v0.14.0"
	liteSums    = "github.com/aperturerobotics/protobuf-go-lite v0.14.0 h1:6YhovtoUZtXgXLHZ2VV2GCYUzFfi8UN6172Vl2flNlE=\n" +
		"github.com/aperturerobotics/protobuf-go-lite v0.14.0/go.mod h1:lGH3s5ArCTXKI4wJdlNpaybUtwSjfAG0vdWjxOfMcF8=\n"
)

// Plugin is a plugin that does not exist yet.
type Plugin struct {
	// Language is `go` or `rust`.
	Language string
	// Department and Name are the two parts of the plugin's id.
	Department, Name string
	// NameZH says in Chinese what it does.
	NameZH string
}

// Lite is the version of the module that the Go SDK needs.
func (Plugin) Lite() string { return LiteVersion }

// Write makes a folder with a plugin that builds, tests and runs: the template, and the SDK in third_party. The folder must
// not be there.
func Write(folder string, p Plugin) error {
	if err := os.Mkdir(folder, 0o755); err != nil { //nolint:gosec // a repository that others read
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	write := func(name string, content []byte) error {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		return root.WriteFile(name, content, 0o644)
	}
	if err := walk("template", func(name string, content []byte) error {
		name, language := strings.TrimSuffix(name, ".tmpl"), ""
		if before, after, ok := strings.Cut(name, "/"); ok && slices.Contains([]string{"go", "rust"}, before) {
			name, language = after, before
		}
		if language != "" && language != p.Language {
			return nil
		}
		if name == "gitignore" {
			name = ".gitignore"
		}
		t, err := template.New(name).Option("missingkey=error").Parse(string(content))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, p); err != nil {
			return err
		}
		return write(name, b.Bytes())
	}); err != nil {
		return err
	}
	const third = "third_party/onething"
	if p.Language == "go" {
		if err := write("go.sum", []byte(liteSums)); err != nil {
			return err
		}
		gomod := fmt.Sprintf("module github.com/siyiban/onething\n\ngo 1.26.0\n\nrequire github.com/aperturerobotics/protobuf-go-lite %s\n", LiteVersion)
		if err := write(third+"/go.mod", []byte(gomod)); err != nil {
			return err
		}
	}
	return walk(p.Language, func(name string, content []byte) error {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "conformance/") || filepath.Ext(name) == ".txt" {
			return nil
		}
		return write(path.Join(third, "sdk", p.Language, name), content)
	})
}

// walk hands out every file below a folder of the embedded ones, by its name there.
func walk(folder string, each func(name string, content []byte) error) error {
	return fs.WalkDir(files, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return each(strings.TrimPrefix(name, folder+"/"), content)
	})
}
