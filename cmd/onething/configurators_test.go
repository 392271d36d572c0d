//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/layout"
	"github.com/siyiban/onething/examples"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// The guide for configurators, in both languages.
const (
	guideEN = "docs/configurators.md"
	guideZH = "docs/configurators.zh-CN.md"
)

// Both languages run the same commands and write the same files; what is printed differs in the Chinese explanations only.
func TestConfigurators_BothLanguages(t *testing.T) {
	t.Parallel()
	explained := regexp.MustCompile(`(?m)^ 说明: .*\n`)
	plain := func(text string) string {
		return explained.ReplaceAllString(strings.ReplaceAll(text, "ONETHING_LANG=zh", "ONETHING_LANG=en"), "")
	}
	en, zh := blocksOf(t, guideEN), blocksOf(t, guideZH)
	if len(en) < 30 || len(en) != len(zh) {
		t.Fatalf("%d and %d blocks", len(en), len(zh))
	}
	for i := range en {
		if en[i].language != zh[i].language || en[i].text != plain(zh[i].text) {
			t.Errorf("%s:%d and %s:%d differ:\n%s", guideEN, en[i].line, guideZH, zh[i].line, cmp.Diff(en[i].text, plain(zh[i].text)))
		}
	}
	if said := explained.FindAllString(readPage(t, guideZH), -1); len(said) < 3 {
		t.Errorf("only %d findings are explained in Chinese", len(said))
	}
	headings := regexp.MustCompile(`(?m)^## (\d+)\. `)
	if diff := cmp.Diff(headings.FindAllString(readPage(t, guideEN), -1), headings.FindAllString(readPage(t, guideZH), -1)); diff != "" {
		t.Errorf("sections (-en +zh):\n%s", diff)
	}
}

func readPage(t testing.TB, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows are those of the first table in a section of a page, cell by cell.
func rows(t testing.TB, page, section string) [][]string {
	t.Helper()
	_, text, found := strings.Cut(readPage(t, page), "\n## "+section+". ")
	text, _, _ = strings.Cut(text, "\n## ")
	if !found {
		t.Fatalf("%s has no section %s", page, section)
	}
	var all [][]string
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "|") {
			if len(all) > 0 {
				break
			}
			continue
		}
		cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "| "), `\|`, "\x00"), " | ")
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "\x00", "|")
		}
		all = append(all, cells)
	}
	if len(all) < 3 {
		t.Fatalf("%s, section %s: %d rows", page, section, len(all))
	}
	return all[2:]
}

// code is what stands in the first code span of a cell.
func code(cell string) string {
	_, cell, _ = strings.Cut(cell, "`")
	cell, _, _ = strings.Cut(cell, "`")
	return cell
}

// tutorial is the tree that the guide ends with: the libraries of the examples and what is kept of the matter.
func tutorial(t testing.TB) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{}
	add := func(name string, text []byte) { tree[name] = &fstest.MapFile{Data: text} }
	names, err := filepath.Glob("../../examples/library/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "../../docs/tutorial/library/parameters_canteen.yaml") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		add("library/"+filepath.Base(name), text)
	}
	for _, name := range []string{catalog.BundleFile("senior_canteen"), bundletest.File("senior_canteen")} {
		text, err := os.ReadFile(filepath.Join("../../docs/tutorial", name))
		if err != nil {
			t.Fatal(err)
		}
		add(name, text)
	}
	return tree
}

// The matter of the guide is none of the examples, nothing is wrong with it, its tests reach everything, and it is in the
// one style.
func TestConfigurators_Tutorial(t *testing.T) {
	t.Parallel()
	if _, err := examples.Tree().ReadFile(catalog.BundleFile("senior_canteen")); err == nil {
		t.Error("the examples have it")
	}
	tree := tutorial(t)
	loaded, found := catalog.Load(tree)
	days, err := published()
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	report := bundletest.Run(tree, loaded.Bundles["senior_canteen"], days, nil)
	if all := slices.Concat(report.Found, report.Unreached, report.Uncovered); len(all) > 0 || report.Failed() > 0 || len(report.Results) < 15 {
		t.Errorf("%d tests, %d failed: %v", len(report.Results), report.Failed(), all)
	}
	for name, file := range tree {
		if got, found := layout.Format(name, file.Data); string(got) != string(file.Data) {
			t.Errorf("%s is not in the style: %v", name, found)
		}
	}
}

// Each mistake in the guide's table, made in its matter, is found at its line under its code, and nothing else is.
func TestConfigurators_Mistakes(t *testing.T) {
	t.Parallel()
	seen := strings.NewReplacer("·", " ", "⇥", "\t", "⏎", "\n")
	zh, en := rows(t, guideZH, "3"), rows(t, guideEN, "3")
	if diff := cmp.Diff(zh, en); diff != "" {
		t.Errorf("the tables (-zh +en):\n%s", diff)
	}
	for _, row := range zh {
		wrong, right, want := seen.Replace(code(row[0])), seen.Replace(code(row[1])), code(row[2])
		t.Run(code(row[0]), func(t *testing.T) {
			t.Parallel()
			tree := tutorial(t)
			name := catalog.BundleFile("senior_canteen")
			before := string(tree[name].Data)
			if !strings.Contains(before, right) {
				t.Fatalf("the matter has no %q", right)
			}
			line := strings.Count(before[:strings.Index(before, right)], "\n") + 1 + strings.Count(wrong, "\n")
			tree[name].Data = []byte(strings.Replace(before, right, wrong, 1))
			_, found := catalog.Load(tree)
			if len(found) == 0 {
				t.Fatal("nothing is found")
			}
			for _, d := range found {
				if d.Code != want || d.Span.File != name || d.Span.Start.Line != line || d.Hint == "" {
					t.Errorf("line %d: %s:%d: %s: %s | %s", line, d.Span.File, d.Span.Start.Line, d.Code, d.Message, d.Hint)
				}
			}
		})
	}
}

// The reference has every key and every word of the language, in both languages.
func TestConfigurators_Reference(t *testing.T) {
	t.Parallel()
	words := map[string]bool{}
	var walk func(protoreflect.MessageDescriptor, map[protoreflect.FullName]bool)
	walk = func(m protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) {
		if seen[m.FullName()] || strings.HasPrefix(string(m.FullName()), "google.") {
			return
		}
		seen[m.FullName()] = true
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			words[string(f.Name())] = true
			if f.IsMap() {
				f = f.MapValue()
			}
			if e := f.Enum(); e != nil {
				for j := 1; j < e.Values().Len(); j++ {
					words[string(e.Values().Get(j).Name())] = true
				}
			}
			if f.Message() != nil {
				walk(f.Message(), seen)
			}
		}
	}
	seen := map[protoreflect.FullName]bool{}
	for _, m := range []protoreflect.ProtoMessage{&bundlev1.Bundle{}, &bundlev1.Library{}, &bundlev1.Tests{}} {
		walk(m.ProtoReflect().Descriptor(), seen)
	}
	for _, file := range []string{"../../forms/rule/functions.go", "../../forms/formula/call.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range functionNames.FindAllStringSubmatch(string(source), -1) {
			words[m[1]+m[2]] = true
		}
	}
	if len(words) < 200 {
		t.Fatalf("only %d words", len(words))
	}
	for _, page := range []string{guideZH, guideEN} {
		_, reference, _ := strings.Cut(readPage(t, page), "\n---\n")
		spans := map[string]bool{}
		for _, span := range regexp.MustCompile("`[^`]+`").FindAllString(reference, -1) {
			for _, word := range regexp.MustCompile(`\w+`).FindAllString(span, -1) {
				spans[word] = true
			}
		}
		for word := range words {
			if !spans[word] {
				t.Errorf("%s does not have `%s`", page, word)
			}
		}
	}
}

// functionNames finds the functions where rules and formulas declare them.
var functionNames = regexp.MustCompile(`(?m)^\t+"([a-z_]+)": +\{parameters|\b(?:add\(|name: )"([a-zA-Z_]+)"`)
