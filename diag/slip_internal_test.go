package diag

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSlips_NoneInExamples(t *testing.T) {
	t.Parallel()
	n := 0
	for _, pattern := range []string{"../examples/bundles/*/*.yaml", "../examples/library/*.yaml", "../examples/holidays/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range slips(file, text) {
				t.Errorf("%s:%d:%d: %s: %s", file, d.Span.Start.Line, d.Span.Start.Column, d.Code, d.Message)
			}
			n++
		}
	}
	if n < 200 {
		t.Errorf("only %d files", n)
	}
}
