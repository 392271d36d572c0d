package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"buf.build/go/protovalidate"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/diag"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// Catalog is a tree of bundles that was loaded with its libraries.
type Catalog struct {
	Library *Library
	Bundles map[string]*Bundle
	// Files are the bundles' original files by bundle id, and those of the libraries under "".
	Files map[string]map[string][]byte
	// Sources are the bundles' files with the places of everything in them, for tools.
	Sources map[string]*diag.Source
}

// Load reads a tree: every .yaml file under library/ is a library, every bundles/<id>/bundle.yaml a bundle. It
// returns all findings of all files; a bundle with an error is left out of the catalogue, and so is what only
// fails because of an earlier error.
func Load(tree fs.FS) (*Catalog, diag.List) {
	c, found := load(tree, BundleFile("*"))
	return c, append(found, strays(tree, "*")...).Sorted()
}

// LoadOnly reads the libraries of a tree, and of its bundles those in the named folders.
func LoadOnly(tree fs.FS, folders ...string) (*Catalog, diag.List) {
	var patterns []string
	var lost diag.List
	for _, folder := range folders {
		plain := strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(folder)
		patterns = append(patterns, BundleFile(plain))
		lost = append(lost, strays(tree, plain)...)
	}
	c, found := load(tree, patterns...)
	return c, append(found, lost...).Sorted()
}

// strays are the files of matters that nobody would read: a bundle under another name, or outside of a folder of its own.
func strays(tree fs.FS, pattern string) diag.List {
	var found diag.List
	stray := func(file, message, hint string) {
		found = append(found, diag.Diagnostic{Span: diag.Span{File: file, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error, Code: "bundle-file", Message: message, Hint: hint})
	}
	names, _ := fs.Glob(tree, "bundles/"+pattern) // the pattern is sound
	for _, name := range names {
		if info, err := fs.Stat(tree, name); err == nil && !info.IsDir() {
			if id := path.Base(name); strings.Contains(id, ".yaml") || strings.HasSuffix(id, ".yml") {
				id, _, _ = strings.Cut(id, ".")
				stray(name, "a matter has a folder of its own", fmt.Sprintf("move it to %s", BundleFile(id)))
			}
			continue
		}
		files, err := fs.ReadDir(tree, name)
		if err != nil || slices.ContainsFunc(files, func(f fs.DirEntry) bool { return f.Name() == "bundle.yaml" }) {
			continue
		}
		for _, f := range files {
			like := strings.ToLower(f.Name())
			if strings.HasPrefix(like, "bundle.") || strings.HasSuffix(like, ".yaml") || strings.HasSuffix(like, ".yml") {
				hint := "rename it to bundle.yaml"
				if strings.HasPrefix(like, "test") {
					hint = "write bundle.yaml beside it"
				}
				stray(path.Join(name, f.Name()), "there is no bundle.yaml in this folder", hint)
				break
			}
		}
	}
	return found
}

func load(tree fs.FS, patterns ...string) (*Catalog, diag.List) {
	c := &Catalog{Library: newLibrary(), Bundles: map[string]*Bundle{}, Files: map[string]map[string][]byte{"": {}}, Sources: map[string]*diag.Source{}}
	var found diag.List
	names, err := fs.Glob(tree, "library/*.yaml")
	if err != nil || len(names) == 0 {
		return c, diag.List{{Span: diag.Span{File: "library", Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error, Code: "library-missing",
			Message: "there is no library here", Hint: "expected library/*.yaml and bundles/<id>/bundle.yaml under the folder"}}
	}
	for _, name := range names {
		text, err := diag.ReadFile(tree, name)
		if err != nil {
			return c, append(found, unreadable(name, err))
		}
		c.Files[""][path.Base(name)] = text
		found = append(found, c.Library.read(name, text)...)
	}
	faulty := found.Err() != nil
	names = nil
	for _, pattern := range patterns {
		matched, err := fs.Glob(tree, pattern)
		if err != nil {
			return c, append(found, unreadable("bundles", err))
		}
		names = append(names, matched...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, f := range compileFiles(tree, c.Library, names, faulty) {
		found = append(found, f.found...)
		if f.bundle == nil {
			continue
		}
		c.Bundles[f.bundle.ID] = f.bundle
		c.Sources[f.bundle.ID] = f.source
		c.Files[f.bundle.ID] = map[string][]byte{"bundle.yaml": f.text}
	}
	return c, found.Sorted()
}

// file is a bundle's file, compiled; bundle is nil if it holds an error.
type file struct {
	text   []byte
	bundle *Bundle
	source *diag.Source
	found  diag.List
}

// compileFiles compiles bundles beside each other, as many at a time as there are processors; their order is that of
// the names. If the libraries are faulty the bundles are only read: what the libraries lack, they would miss.
func compileFiles(tree fs.FS, l *Library, names []string, faulty bool) []file {
	files := make([]file, len(names))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(names), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				files[i] = readFile(tree, l, names[i], faulty)
			}
		})
	}
	workers.Wait()
	return files
}

func readFile(tree fs.FS, l *Library, name string, faulty bool) file {
	text, err := diag.ReadFile(tree, name)
	if err != nil {
		return file{found: diag.List{unreadable(name, err)}}
	}
	if faulty {
		_, found := readYAML(name, text, &bundlev1.Bundle{})
		return file{found: found}
	}
	f := file{text: text}
	f.bundle, f.source, f.found = compileFile(l, name, text)
	if f.bundle != nil {
		if misplaced := Misplaced(name, f.bundle.ID); misplaced != nil {
			f.found, f.bundle = append(f.found, misplaced...), nil
		}
	}
	return f
}

// Misplaced is the finding of a bundle whose file stands in the folder of another one; a name without a folder says nothing.
func Misplaced(name, id string) diag.List {
	folder := path.Base(path.Dir(name))
	if folder == id || folder == "." {
		return nil
	}
	return diag.List{{Span: diag.Span{File: name, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error,
		Code: "bundle-folder", Message: fmt.Sprintf("the bundle `%s` stands in the folder `%s`", id, folder), Hint: "give both the same name"}}
}

func unreadable(name string, err error) diag.Diagnostic {
	if found, ok := errors.AsType[diag.List](err); ok {
		return found[0]
	}
	return diag.Diagnostic{Span: diag.Span{File: name, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error, Code: "file-unreadable",
		Message: fmt.Sprintf("the file cannot be read: %v", errors.Unwrap(err))}
}

// ParseLibrary reads library files by name, as they were published.
func ParseLibrary(files map[string][]byte) (*Library, diag.List) {
	l := newLibrary()
	var found diag.List
	for _, name := range slices.Sorted(maps.Keys(files)) {
		found = append(found, l.read("library/"+name, files[name])...)
	}
	return l, found
}

// ParseBundle reads one bundle against a library, as they were published.
func ParseBundle(l *Library, name string, text []byte) (*Bundle, diag.List) {
	b, _, found := compileFile(l, name, text)
	return b, found
}

func (l *Library) read(name string, text []byte) diag.List {
	message := &bundlev1.Library{}
	source, found := readYAML(name, text, message)
	if found.Err() != nil {
		return found
	}
	lists := map[string]int{"sections": len(message.GetSections()), "materials": len(message.GetMaterials()), "departments": len(message.GetDepartments()),
		"facts": len(message.GetFacts()), "parameters": len(message.GetParameters())}
	for list, n := range lists {
		if n > 0 && list != message.GetLibrary() {
			found = append(found, diag.Diagnostic{Span: source.At(message, list), Severity: diag.Error, Code: "library-list",
				Message: fmt.Sprintf("the library `%s` holds a list `%s`", message.GetLibrary(), list), Hint: "one list a file, under the library's name"})
		}
	}
	return append(found, l.add(message, source)...)
}

// ReadTests reads the tests of a bundle as they are written, with the places of everything in them.
func ReadTests(name string, text []byte) (*bundlev1.Tests, *diag.Source, diag.List) {
	message := &bundlev1.Tests{}
	source, found := readYAML(name, text, message)
	return message, source, found
}

// ReadRecord reads one record with its day, place, facts and results, written as a test of tests.yaml writes them but
// without its name and expectation.
func ReadRecord(name string, text []byte) (*bundlev1.Test, *diag.Source, diag.List) {
	message := &bundlev1.Test{}
	source, found := diag.ReadYAML(name, text, message, shorthands)
	return message, source, found
}

// readYAML reads and validates a file of the bundle language.
func readYAML(name string, text []byte, message proto.Message) (*diag.Source, diag.List) {
	source, found := diag.ReadYAML(name, text, message, shorthands)
	if found.Err() != nil {
		return source, found
	}
	return source, append(found, validate(source, message)...)
}

// validate reports what the schema's own rules say of the message.
func validate(source *diag.Source, message proto.Message) diag.List {
	err := protovalidate.Validate(message)
	if err == nil {
		return nil
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		return diag.List{{Span: source.At(message, ""), Severity: diag.Error, Code: "schema", Message: err.Error()}}
	}
	var found diag.List
	for _, v := range invalid.Violations {
		path := protovalidate.FieldPathString(v.Proto.GetField())
		span, written := source.Find(message, path)
		text, hint := schemaMessage(v.Proto.GetRuleId(), v.Proto.GetMessage())
		if !written {
			text, hint = fmt.Sprintf("the key `%s` is required", path[strings.LastIndexByte(path, '.')+1:]), ""
		}
		found = append(found, diag.Diagnostic{Span: span, Severity: diag.Error, Code: "schema", Path: path, Message: text, Hint: hint})
	}
	return found
}

// schemaMessage puts the schema's commonest rules into the words of a configurator.
func schemaMessage(id, message string) (text, hint string) {
	if words, ok := strings.CutPrefix(message, "must be in list ["); ok && id == "string.in" {
		return "this is none of the words that may stand here", "write one of " + strings.TrimPrefix(strings.TrimSuffix(words, "]"), ", ")
	}
	if id != "string.pattern" {
		return message, ""
	}
	pattern := strings.TrimPrefix(message, "does not match regex pattern ")
	switch {
	case strings.Contains(pattern, "/[a-z]"):
		return "this is no name of a plugin", "write `department/name`"
	case strings.Contains(pattern, "[a-z]"):
		return "this is no id", "an id begins with a small letter and holds small letters, digits and `_` only"
	case strings.Contains(pattern, "{4}-"):
		return "this is no day", "write year, month and day with all their digits: 2026-03-16"
	case strings.Contains(pattern, "[0-9]"):
		return "this is no region", "write its code of GB/T 2260 in quotes: \"321323\""
	}
	return "this is not written as it must be: " + message, ""
}

// shorthands are the bundle language's: an id for a message, one value for a list of cases.
func shorthands(node *yaml.Node, message proto.Message) bool {
	wrap := func(key string) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if v := node.Content[i+1]; node.Content[i].Value == key && v.Kind == yaml.MappingNode {
				node.Content[i+1] = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{v}, Line: v.Line, Column: v.Column}
			}
		}
	}
	switch m := message.(type) {
	case *bundlev1.Step:
		if node.Kind == yaml.MappingNode {
			wrap("promised")
			wrap("statutory")
			wrap("fee")
		}
	case *bundlev1.After:
		if node.Kind == yaml.ScalarNode {
			m.Step = node.Value
			return true
		}
	case *bundlev1.MaterialNeed:
		if node.Kind == yaml.ScalarNode {
			m.Use = node.Value
			return true
		}
	}
	return false
}

// digestOf is a SHA-256, in hex, over what an item says.
func digestOf(m proto.Message) string {
	wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		// Only text that is not UTF-8 cannot be marshalled, and none gets so far.
		return ""
	}
	sum := sha256.Sum256(wire)
	return hex.EncodeToString(sum[:])
}

// digestBundle is a SHA-256, in hex, over a bundle's file and the library items that it pins.
func digestBundle(file []byte, pins map[string]string) string {
	h := sha256.New()
	sum := sha256.Sum256(file)
	fmt.Fprintf(h, "onething bundle 1\n%x\n", sum)
	for _, item := range slices.Sorted(maps.Keys(pins)) {
		fmt.Fprintf(h, "%s %s\n", item, pins[item])
	}
	return hex.EncodeToString(h.Sum(nil))
}
