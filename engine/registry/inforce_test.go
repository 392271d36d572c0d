package registry_test

import (
	"errors"
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/forms/kind"
)

// Of the versions of a bundle, the last published counts whose days and region fit; its first and its last day are its
// days. What it was filed with stays at hand.
func TestInForce_On(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	for _, head := range []string{
		"in_force: { from: 2026-01-01, until: 2026-06-30 }\n",
		"in_force: { from: 2026-07-01 }\n",
		"in_force: { from: 2026-03-01 }\nplace: \"3213\"\n",
	} {
		if err := c.give("ann", publish(badge+head)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := registry.Compile(c.state, nil, &catalog.Compiled{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, day, place string
		number           int
	}{
		{"before any of them begins, the one without days", "2025-12-31", "321323", 1},
		{"the first day", "2026-01-01", "321323", 2},
		{"the day before the region's own", "2026-02-28", "321323", 2},
		{"the region's own", "2026-03-01", "321323", 4},
		{"elsewhere", "2026-03-01", "320102", 2},
		{"the last day", "2026-06-30", "320102", 2},
		{"the day after", "2026-07-01", "320102", 3},
	} {
		if b := f.On("badge", kind.MustDate(tt.day), tt.place); b == nil || b.Number != tt.number {
			t.Errorf("%s: %+v, want version %d", tt.name, b, tt.number)
		}
	}
	var missing *registry.NotInForceError
	if _, err := f.Select([]string{"badge", "other"}, kind.MustDate("2026-03-01"), "321323"); !errors.As(err, &missing) || missing.Bundle != "other" {
		t.Errorf("selected with one that there is not: %v", err)
	}
	if all := f.All(kind.MustDate("2026-03-01"), "320102"); len(all) != 1 || all[0].Number != 2 {
		t.Errorf("all that are in force: %v", all)
	}
	filed := f.On("badge", kind.MustDate("2026-06-30"), "320102").Digest
	if s, err := f.SelectDigests([]string{filed}); err != nil || s.Bundles[0].Digest != filed {
		t.Errorf("what was filed with a version that is over: %v, %v", s, err)
	}
}
