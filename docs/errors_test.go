package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// The page of errors is what the schema says of each reason, with the codes of Connect under which the API answers it.
// `go test ./docs -update` writes it anew.
func TestErrors(t *testing.T) {
	t.Parallel()
	comments := reasonComments(t)
	codes := reasonCodes(t)
	var page strings.Builder
	page.WriteString("# Errors\n\n" +
		"Made from the comments of `Reason` in `proto/onething/api/v1/common.proto` by `go test ./docs -update`; a test fails when it\n" +
		"is stale. Every error of the API is a Connect code with a detail `onething.api.v1.ErrorInfo`: one of these reasons, a text\n" +
		"for the person in Chinese and English, violations with the paths of what is wrong, and where there is one, a remedy. What never\n" +
		"reaches a method (no such method, a body that cannot be read) is a bare code.\n\n" +
		"| reason | number | code | meaning | what to do |\n|---|---|---|---|---|\n")
	for _, number := range slices.Sorted(maps.Keys(apiv1.Reason_name)) {
		if number == 0 {
			continue
		}
		name := apiv1.Reason_name[number]
		meaning, advice, ok := strings.Cut(comments[name], " What to do: ")
		if !ok || meaning == "" || advice == "" {
			t.Errorf("%s: its comment does not say what it means and then `What to do: …`", name)
			continue
		}
		if len(codes[name]) == 0 {
			t.Errorf("%s: the API never answers it", name)
		}
		fmt.Fprintf(&page, "| `%s` | %d | %s | %s | %s |\n", name, number, strings.Join(codes[name], ", "), meaning, strings.ToUpper(advice[:1])+advice[1:])
	}
	const name = "errors.md"
	if *update {
		if err := os.WriteFile(name, []byte(page.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(page.String(), "\n")); diff != "" {
		t.Errorf("%s is stale, run go test ./docs -update (-committed +made):\n%s", name, diff)
	}
}

// reasonComments are the comments of the reasons in the schema: generated code does not carry them to where a program
// could read them.
func reasonComments(t *testing.T) map[string]string {
	t.Helper()
	schema, err := os.ReadFile("../proto/onething/api/v1/common.proto")
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)((?:^  // .*\n)+)  (REASON_[A-Z_]+) = \d+;`).FindAllStringSubmatch(string(schema), -1) {
		comments[m[2]] = strings.Join(strings.Fields(strings.ReplaceAll(m[1], "//", "")), " ")
	}
	return comments
}

// reasonCodes are the codes of Connect that the API's sources put beside each reason: in a call, in a row of a table, or
// as key and value.
func reasonCodes(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../engine/api/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of the API: %v", err)
	}
	codes := map[string][]string{}
	pair := func(near ...ast.Expr) {
		code := ""
		var reasons []string
		for _, e := range near {
			if s, ok := e.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Code") {
				code = strings.TrimPrefix(s.Sel.Name, "Code")
			}
			ast.Inspect(e, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Reason_REASON_") {
					reasons = append(reasons, strings.TrimPrefix(s.Sel.Name, "Reason_"))
				}
				return true
			})
		}
		for _, r := range reasons {
			if code != "" && !slices.Contains(codes[r], snake(code)) {
				codes[r] = append(codes[r], snake(code))
				slices.Sort(codes[r])
			}
		}
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(source, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				pair(n.Args...)
			case *ast.CompositeLit:
				pair(n.Elts...)
			case *ast.KeyValueExpr:
				pair(n.Key, n.Value)
			}
			return true
		})
	}
	return codes
}

// snake is a code as Connect writes it: `invalid_argument` for InvalidArgument.
func snake(code string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(code, "${1}_${2}"))
}
