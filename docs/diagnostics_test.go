package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	codeLike  = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	codePlain = regexp.MustCompile(`^(yaml|rule|formula|calendar|test|plugin)(-[a-z]+)+$`)
	codeRow   = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$")
)

// The page of diagnostics documents every code that a finding can have, with a wrong and a right example, and no other.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	emitted := map[string]bool{}
	for _, dir := range []string{"diag", "engine/catalog", "engine/calendar", "engine/bundletest", "forms/rule", "forms/formula", "plugins/manifest"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
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
			ast.Inspect(source, func(n ast.Node) bool { collect(n, dir == "engine/catalog", emitted); return true })
		}
	}
	page, err := os.ReadFile("diagnostics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range codeRow.FindAllStringSubmatch(string(page), -1) {
		if documented[row[1]] {
			t.Errorf("%s is documented twice", row[1])
		}
		documented[row[1]] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(emitted)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("codes (-in the sources +in diagnostics.md):\n%s", diff)
	}
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
		if inCatalog && (name == "fault" || name == "unknown") && len(n.Args) > 1 {
			note(n.Args[1], codeLike)
		}
	case *ast.BasicLit:
		note(n, codePlain)
	}
}
