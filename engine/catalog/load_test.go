package catalog_test

import (
	"os"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
)

// The example bundles load without a finding.
func TestLoad_Examples(t *testing.T) {
	t.Parallel()
	c, found := catalog.Load(os.DirFS("../../examples"))
	for _, d := range found {
		t.Errorf("%s:%d:%d %s[%s]: %s (%s)", d.Span.File, d.Span.Start.Line, d.Span.Start.Column, d.Severity, d.Code, d.Message, d.Hint)
	}
	for _, id := range []string{"newborn", "first_employment", "retirement", "after_death"} {
		if c.Bundles[id] == nil {
			t.Errorf("the bundle %s did not load", id)
		}
	}
}
