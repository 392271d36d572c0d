package rule_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"cel.dev/expr"
	_ "cel.dev/expr/conformance/proto2" // messages in the values of tests that are left out
	_ "cel.dev/expr/conformance/proto3"
	"cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// The conformance tests of CEL, as far as they are rules, hold for cel-go with our environment and for the lowered form
// alike. What rules do not have (bytes, floating point, maps, indexing, protocol buffers) does not compile and is left
// out; the count says that enough remains.
func TestConformance(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/cel-spec/*.textproto")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conformance tests: %v", err)
	}
	env := environment(t, forms.Scope{Bundle: "spec"})
	ran, lowerable := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests := &test.SimpleTestFile{}
		if err := prototext.Unmarshal(text, tests); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, section := range tests.GetSection() {
			for _, tt := range section.GetTest() {
				text, want, ok := asRule(tt)
				if !ok {
					continue
				}
				r, found := env.Compile(diag.Inline("b.yaml", "require", text, diag.Position{Line: 1, Column: 1}), rule.Options{})
				if found.Err() != nil {
					continue
				}
				ran++
				name := filepath.Base(file) + " " + section.GetName() + " " + tt.GetName()
				if got := r.Eval(answers{}).Truth; got != want {
					t.Errorf("%s: %s is %s, want %s", name, text, got, want)
				}
				b := newReaderOf(nil)
				ref, err := r.Lower(b.builder, b)
				if err != nil {
					continue // a list or a text that is not read from a record
				}
				lowerable++
				root := b.builder.Root(ref, nil)
				b.same(t, name+": "+text, r, b.builder.Build(), root, answers{})
			}
		}
	}
	t.Logf("%d of the conformance tests are rules, %d of them have a lowered form", ran, lowerable)
	if ran < 150 || lowerable < 120 {
		t.Errorf("only %d of the conformance tests are rules, %d have a lowered form", ran, lowerable)
	}
}

// asRule returns a test as a rule, and what it has to come to; false if it cannot be one.
func asRule(tt *test.SimpleTest) (text string, want rule.Truth, ok bool) {
	if len(tt.GetBindings()) > 0 || tt.GetContainer() != "" || tt.GetDisableCheck() || tt.GetCheckOnly() || len(tt.GetTypeEnv()) > 0 {
		return "", 0, false
	}
	switch result := tt.GetResultMatcher().(type) {
	case *test.SimpleTest_Value:
		switch v := result.Value.GetKind().(type) {
		case *expr.Value_BoolValue:
			if v.BoolValue {
				return tt.GetExpr(), rule.True, true
			}
			return tt.GetExpr(), rule.False, true
		case *expr.Value_Int64Value:
			return "(" + tt.GetExpr() + ") == " + strconv.FormatInt(v.Int64Value, 10), rule.True, true
		case *expr.Value_StringValue:
			return "(" + tt.GetExpr() + ") == " + strconv.Quote(v.StringValue), rule.True, true
		}
	case *test.SimpleTest_EvalError:
		return tt.GetExpr(), rule.Unknown, true
	case nil: // no matcher: it has to be true
		return tt.GetExpr(), rule.True, true
	}
	return "", 0, false
}
