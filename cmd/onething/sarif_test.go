package main

import (
	"testing"

	"github.com/siyiban/onething/diag"
)

// The report is what the standard's schema asks for, whatever a finding lacks.
func TestSARIF_Valid(t *testing.T) {
	t.Parallel()
	at := diag.Span{File: "tree/bundles/a b/bundle.yaml", Start: diag.Position{Line: 3, Column: 7}, End: diag.Position{Line: 3, Column: 9}}
	tests := []struct {
		name string
		list diag.List
	}{
		{"nothing found", nil},
		{"an error with all that it may have", diag.List{{Span: at, Severity: diag.Error, Code: "id-duplicate", Message: "twice", Hint: "keep one",
			Related: []diag.Related{{Span: at, Message: "the other one"}}}}},
		{"a warning at one character", diag.List{{Span: diag.Span{File: at.File, Start: at.Start}, Severity: diag.Warning, Code: "test-missing", Message: "no tests"}}},
		{"a code twice", diag.List{{Span: at, Severity: diag.Error, Code: "schema", Message: "a"}, {Span: at, Severity: diag.Error, Code: "schema", Message: "b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newSARIF(tt.list)
			if err := r.Validate(); err != nil {
				t.Error(err)
			}
			if n := len(r.Runs[0].Results); n != len(tt.list) {
				t.Errorf("%d results for %d findings", n, len(tt.list))
			}
		})
	}
}
