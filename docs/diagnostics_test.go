package docs_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/docs"
	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/plugins/manifest"
)

var (
	codeLike  = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	codePlain = regexp.MustCompile(`^(yaml|rule|formula|calendar|test|plugin)(-[a-z]+)+$`)

	diffBlock   = regexp.MustCompile("(?s)```diff\n--- (\\S+)\n(.*?)```\n")
	textBlock   = regexp.MustCompile("(?s)```text\n.*?```\n")
	placeholder = regexp.MustCompile(`<U\+[0-9A-F]{4}>|<[0-9A-F]{2}>`)
)

// The page of diagnostics documents every code that a finding can have, with a wrong and a right example, and no other.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	emitted := map[string]bool{}
	for _, dir := range reporting(t) {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in %s: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(source, func(n ast.Node) bool { collect(n, dir == "../engine/catalog", emitted); return true })
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(emitted)), docs.Codes()); diff != "" {
		t.Errorf("codes (-in the sources +in diagnostics.md):\n%s", diff)
	}
}

// Each code is explained in Chinese, each on a line of its own, and no other.
func TestDiagnostics_Chinese(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("diagnostics.zh-CN.md")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*?)` \\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		codes = append(codes, row[1])
		if said := docs.Chinese(row[1]); said != row[2] || !regexp.MustCompile(`\p{Han}`).MatchString(said) {
			t.Errorf("%s: %q", row[1], said)
		}
	}
	slices.Sort(codes)
	if diff := cmp.Diff(docs.Codes(), codes); diff != "" {
		t.Errorf("codes (-in diagnostics.md +in diagnostics.zh-CN.md):\n%s", diff)
	}
	if said := docs.Chinese("no-such-code"); said != "" {
		t.Errorf("a code that is none: %q", said)
	}
}

// reporting are the folders whose sources make findings.
func reporting(t *testing.T) []string {
	t.Helper()
	dirs := map[string]bool{"../diag": true}
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "build" || entry.Name() == "gen" || strings.HasPrefix(entry.Name(), ".") && name != "..") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if strings.Contains(string(text), "diag.Diagnostic{") || strings.Contains(string(text), "diag.List{{") {
			dirs[filepath.Dir(name)] = true
		}
		return err
	})
	if err != nil || len(dirs) < 7 {
		t.Fatalf("%v report: %v", dirs, err)
	}
	return slices.Sorted(maps.Keys(dirs))
}

// Nothing is wrong with the tree in which the examples stand; with the wrong lines of an example in it, its code is found
// there and nothing else, in the words that the page shows. `-update` rewrites those.
func TestDiagnostics_Examples(t *testing.T) {
	t.Parallel()
	right := map[string]string{}
	err := fs.WalkDir(os.DirFS("diagnostics"), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join("diagnostics", name))
		right[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found := findings(newTree(right), true); len(found) > 0 {
		t.Fatalf("the tree of the examples is not right: %s", printed(t, found, newTree(right)))
	}
	page, err := os.ReadFile("diagnostics.md")
	if err != nil {
		t.Fatal(err)
	}
	updated := string(page)
	for _, code := range docs.Codes() {
		if slices.Contains([]string{"rule-scope", "formula-scope", "layout-unsure"}, code) {
			continue // no file is known to cause them
		}
		section, _ := docs.Diagnostic(code)
		tree, file, first, last := wrong(t, code, section, right)
		found := findings(tree, code == "test-uncovered")
		if code == "translation-missing" {
			found = slices.DeleteFunc(untranslated(t, tree, file), func(d diag.Diagnostic) bool { return d.Span.Start.Line > last })
		}
		if len(found) == 0 {
			t.Errorf("%s: nothing is found", code)
		}
		for _, d := range found {
			if d.Code != code {
				t.Errorf("%s: %s:%d:%d: %s is found too: %s", code, d.Span.File, d.Span.Start.Line, d.Span.Start.Column, d.Code, d.Message)
			}
			if first > 0 && (d.Span.File != file || d.Span.Start.Line < first || d.Span.Start.Line > last) {
				t.Errorf("%s: found at %s:%d, and the wrong lines are %s:%d-%d", code, d.Span.File, d.Span.Start.Line, file, first, last)
			}
		}
		shown := textBlock.FindString(section)
		if want := "```text\n" + printed(t, found, tree) + "```\n"; shown != want {
			if *update {
				updated = strings.Replace(updated, section[strings.IndexByte(section, '\n'):], strings.Replace(section, shown, want, 1)[len(code):], 1)
				continue
			}
			t.Errorf("%s: the page shows another finding (-page +found):\n%s", code, cmp.Diff(shown, want))
		}
	}
	if *update {
		if err := os.WriteFile("diagnostics.md", []byte(updated), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// wrong is the tree with the wrong lines of a section in it, and where they stand: their file, first and last line; 0 if
// the section shows none.
func wrong(t *testing.T, code, section string, right map[string]string) (tree fs.FS, file string, first, last int) {
	t.Helper()
	texts := maps.Clone(right)
	diff := diffBlock.FindStringSubmatch(section)
	switch code {
	case "library-missing":
		maps.DeleteFunc(texts, func(name, _ string) bool { return strings.HasPrefix(name, "library/") })
		return newTree(texts), "", 0, 0
	case "file-unreadable":
		return unreadable{newTree(texts)}, "", 0, 0
	case "yaml-size":
		texts["bundles/matter/bundle.yaml"] += strings.Repeat("#", diag.MaxFile)
		return newTree(texts), "", 0, 0
	case "bundle-file":
		texts["bundles/matter/bundle.yaml.txt"] = texts["bundles/matter/bundle.yaml"]
		delete(texts, "bundles/matter/bundle.yaml")
		return newTree(texts), "", 0, 0
	case "test-missing":
		delete(texts, "bundles/matter/tests.yaml")
		return newTree(texts), "", 0, 0
	}
	if diff == nil {
		t.Fatalf("%s has no example", code)
	}
	file = diff[1]
	for hunk := range strings.SplitSeq(diff[2], "@@\n") {
		var before, after strings.Builder
		for line := range strings.Lines(hunk) {
			if line[0] != '-' {
				before.WriteString(line[1:])
			}
			if line[0] != '+' {
				after.WriteString(hidden(line[1:]))
			}
		}
		if n := strings.Count(texts[file], before.String()); n != 1 {
			t.Fatalf("%s: the right lines stand %d times in %s:\n%s", code, n, file, before.String())
		}
		at := strings.Index(texts[file], before.String())
		texts[file] = texts[file][:at] + after.String() + texts[file][at+before.Len():]
		begin := strings.Count(texts[file][:at], "\n") + 1
		if first == 0 || begin < first {
			first = begin
		}
		last = max(last, begin+max(0, strings.Count(after.String(), "\n")-1))
	}
	if code == "test-unreached" || code == "test-uncovered" { // found by what is not there
		return newTree(texts), file, 0, 0
	}
	return newTree(texts), file, first, last
}

// hidden puts in the characters that a page cannot show.
func hidden(line string) string {
	return placeholder.ReplaceAllStringFunc(line, func(name string) string {
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.Trim(name, "<>"), "U+"), 16, 32)
		if err != nil {
			return name
		}
		if strings.HasPrefix(name, "<U+") {
			return string(rune(n))
		}
		return string([]byte{byte(n)})
	})
}

// findings are what the real readers say of a tree: libraries and bundles, then the calendar, the manifest and the tests;
// with cover also of which rules no test sees both ways.
func findings(tree fs.FS, cover bool) diag.List {
	loaded, found := catalog.Load(tree)
	read := func(name string) []byte {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil
		}
		return text
	}
	days, list := calendar.Parse("holidays.yaml", read("holidays.yaml"))
	found = append(found, list...)
	_, list = notices.LoadTemplates("notices.yaml", read("notices.yaml"))
	found = append(found, list...)
	if _, err := manifest.Load("manifest.yaml", read("manifest.yaml")); err != nil {
		list = nil
		if !errors.As(err, &list) {
			list = diag.List{{Code: err.Error()}}
		}
		found = append(found, list...)
	}
	for _, id := range slices.Sorted(maps.Keys(loaded.Bundles)) {
		if found.Err() == nil {
			found = append(found, witness.Check(loaded.Bundles[id], guide.Setting{Today: kind.MustDate("2026-03-16"), Calendar: days})...)
		}
	}
	if len(found) == 0 {
		for _, id := range slices.Sorted(maps.Keys(loaded.Bundles)) {
			report := bundletest.Run(tree, loaded.Bundles[id], days, nil)
			found = append(found, report.Found...)
			for _, result := range report.Results {
				found = append(found, result.Failures...)
			}
			if found.Err() == nil {
				found = append(found, report.Unreached...)
			}
			if cover {
				found = append(found, report.Uncovered...)
			}
		}
	}
	if found.Err() == nil { // what only publishing finds
		list = nil
		state := registry.State{Library: "l", Libraries: map[string]map[string][]byte{"l": loaded.Files[""]}}
		world := registry.World{Offered: map[string]bool{"market/licence": true}}
		const name = "bundles/matter/bundle.yaml"
		if _, err := registry.Decide(state, registry.PublishBundle{Name: name, Text: read(name)}, world); err != nil && !errors.As(err, &list) {
			list = diag.List{{Code: err.Error()}}
		}
		found = append(found, list...)
	}
	return found
}

// untranslated are the texts of a file without English; the tree of the examples has few with.
func untranslated(t *testing.T, tree fs.FS, file string) diag.List {
	t.Helper()
	text, err := fs.ReadFile(tree, file)
	if err != nil {
		t.Fatal(err)
	}
	return catalog.Untranslated(file, text)
}

func printed(t *testing.T, found diag.List, tree fs.FS) string {
	t.Helper()
	var b strings.Builder
	if err := (diag.Printer{Files: tree, All: true}).Print(&b, found); err != nil {
		t.Fatal(err)
	}
	// A page shows no control characters.
	return strings.NewReplacer("\r", "<U+000D>", "\t", "<U+0009>", "\xff", "<FF>").Replace(strings.ReplaceAll(b.String(), "\uFFFD", "<FF>"))
}

func newTree(texts map[string]string) fs.FS {
	tree := fstest.MapFS{}
	for name, text := range texts {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

// unreadable refuses to open one of the libraries.
type unreadable struct{ fs.FS }

// Open implements [fs.FS].
func (u unreadable) Open(name string) (fs.File, error) {
	if name == "library/facts.yaml" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.FS.Open(name)
}

// collect notes the code of a finding: the value of a member Code or of a constant of such a name, what the catalogue
// hands to its functions that report, and whatever is spelled like one.
func collect(n ast.Node, inCatalog bool, codes map[string]bool) {
	note := func(e ast.Expr, like *regexp.Regexp) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && like.MatchString(text) {
			codes[text] = true
		}
	}
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
			note(n.Value, codeLike)
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if strings.HasPrefix(name.Name, "Code") && i < len(n.Values) {
				note(n.Values[i], codeLike)
			}
		}
	case *ast.CallExpr:
		var name string
		switch f := n.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
		}
		if inCatalog && (name == "fault" || name == "unknown" || name == "warn") && len(n.Args) > 1 {
			note(n.Args[1], codeLike)
		}
	case *ast.BasicLit:
		note(n, codePlain)
	}
}
