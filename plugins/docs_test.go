package plugins

import (
	"os"
	"strings"
	"testing"
)

// TestDocs finds every function that a guest may import, every kind of failure and the bounds in the interface's page.
func TestDocs(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../docs/plugin-interface.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(source)
	for _, functions := range hostFunctions() {
		for name := range functions {
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("the page does not name the import %s", name)
			}
		}
	}
	for _, kind := range []Kind{
		NotFound, Unfit, HookNotOffered, BadRequest, Trapped, Exited, TimedOut, OutOfMemory, TooMuchOutput, TooManyHostCalls,
		MalformedAnswer, MissingAnswer, GaveUp,
	} {
		if !strings.Contains(page, "`"+string(kind)+"`") {
			t.Errorf("the page does not name the kind %s", kind)
		}
	}
	for _, name := range []string{exportAlloc, exportCall, exportInitialize, "5 s | 30 s", "64 MiB | 256 MiB", "1 MiB | 8 MiB", "50 | 1,000", "20,000 members"} {
		if !strings.Contains(page, name) {
			t.Errorf("the page does not say %s", name)
		}
	}
}
