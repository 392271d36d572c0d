package main

import (
	"testing"

	plugin "github.com/siyiban/onething/sdk/go"
)

// Articles 17, 18 and 27 of the Civil Code; ages by article 202, and by article 1259 the birthday counts.
func TestCapacityOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, born, on string
		want           capacity
	}{
		{"born today", "2026-03-20", "2026-03-20", needsGuardian},
		{"the day before sixteen", "2010-03-21", "2026-03-20", needsGuardian},
		{"sixteen", "2010-03-20", "2026-03-20", mayNeedGuardian},
		{"the day before eighteen", "2008-03-21", "2026-03-20", mayNeedGuardian},
		{"eighteen", "2008-03-20", "2026-03-20", actsAlone},
		{"a leap day's child is eighteen on 28 February", "2008-02-29", "2026-02-28", actsAlone},
		{"and not before", "2008-02-29", "2026-02-27", mayNeedGuardian},
		{"an old person", "1949-12-31", "2026-03-20", actsAlone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := capacityOf(plugin.MustDate(tt.born), plugin.MustDate(tt.on)); got != tt.want {
				t.Errorf("capacityOf = %d, want %d", got, tt.want)
			}
		})
	}
}

// Articles 201 and 202 of the Civil Code.
func TestValidUntil(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, issued string
		years        int
		want         string
	}{
		{"ten years", "2026-03-20", 10, "2036-03-20"},
		{"one year", "2026-03-20", 1, "2027-03-20"},
		{"twenty years", "2026-12-31", 20, "2046-12-31"},
		{"a leap day has no corresponding day", "2028-02-29", 10, "2038-02-28"},
		{"a leap day has one", "2028-02-29", 20, "2048-02-29"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := validUntil(plugin.MustDate(tt.issued), tt.years).String(); got != tt.want {
				t.Errorf("validUntil = %s, want %s", got, tt.want)
			}
		})
	}
}
