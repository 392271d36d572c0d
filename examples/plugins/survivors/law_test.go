package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// 人社部发〔2021〕18号: the steps and their edges; the two retired people are those of a published commentary.
func TestLumpTwelfths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		paid     int
		retired  bool
		received int
		want     int
	}{
		{"no month", 0, false, 0, 36},
		{"a month short of five years", 59, false, 0, 36},
		{"five years", 60, false, 0, 72},
		{"a month short of ten years", 119, false, 0, 72},
		{"ten years", 120, false, 0, 108},
		{"fifteen years", 180, false, 0, 108},
		{"a month more", 181, false, 0, 109},
		{"275 months", 275, false, 0, 203},
		{"a month short of thirty years", 359, false, 0, 287},
		{"thirty years", 360, false, 0, 288},
		{"more than thirty years", 361, false, 0, 288},
		{"what the employed have received does not count", 361, false, 100, 288},
		{"retired, 345 months paid, 42 received", 345, true, 42, 231},
		{"retired, 345 months paid, 186 received", 345, true, 186, 108},
		{"retired, 372 months paid, 96 received", 372, true, 96, 192},
		{"retired, just above the least", 360, true, 179, 109},
		{"retired, the least", 360, true, 180, 108},
		{"retired, below the least", 360, true, 181, 108},
		{"retired with few years", 59, true, 0, 108},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := lumpTwelfths(tt.paid, tt.retired, tt.received); got != tt.want {
				t.Errorf("lumpTwelfths = %d, want %d", got, tt.want)
			}
		})
	}
}

// Figures of a published commentary (2818.50) and of a city's answer for 2022 (5015), worked by the rule.
func TestGrants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		base     int64
		paid     int
		retired  bool
		received int
		other    bool
		months   string
		want     grant
	}{
		{"retired for three and a half years", 281850, 345, true, 42, false, "19.25", grant{563700, 5425613, 5989313}},
		{"retired for fifteen and a half years", 281850, 345, true, 186, false, "9", grant{563700, 2536650, 3100350}},
		{"four years paid", 501500, 48, false, 0, false, "3", grant{1003000, 1504500, 2507500}},
		{"118 months paid", 501500, 118, false, 0, false, "6", grant{1003000, 3009000, 4012000}},
		{"fifteen years paid", 501500, 180, false, 0, false, "9", grant{1003000, 4513500, 5516500}},
		{"275 months paid", 501500, 275, false, 0, false, "16.92", grant{1003000, 8483708, 9486708}},
		{"retired for eight years", 501500, 372, true, 96, false, "16", grant{1003000, 8024000, 9027000}},
		{"least of a pensioner, a city's own figure", 501500, 180, true, 300, false, "9", grant{1003000, 4513500, 5516500}},
		{"the most", 501500, 480, false, 0, false, "24", grant{1003000, 12036000, 13039000}},
		{"another scheme pays the funeral", 501500, 180, false, 0, true, "9", grant{0, 4513500, 4513500}},
		{"half a fen goes up", 6, 181, false, 0, false, "9.08", grant{12, 55, 67}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := lumpTwelfths(tt.paid, tt.retired, tt.received)
			if got := monthsText(n); got != tt.months {
				t.Errorf("months %s, want %s", got, tt.months)
			}
			if diff := cmp.Diff(tt.want, grants(tt.base, n, tt.other)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := inForce().String(); got != "2021-09-01" {
		t.Errorf("in force from %s", got)
	}
}

// A further month paid never costs, a further month of pension never gains, and the bounds hold.
func TestLumpTwelfths_order(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		paid, received := rapid.IntRange(0, 700).Draw(t, "paid"), rapid.IntRange(0, 600).Draw(t, "received")
		retired := rapid.Bool().Draw(t, "retired")
		n := lumpTwelfths(paid, retired, received)
		if n > lumpTwelfths(paid+1, retired, received) || n < lumpTwelfths(paid, retired, received+1) || n < 36 || n > 288 {
			t.Fatalf("lumpTwelfths(%d, %t, %d) = %d", paid, retired, received, n)
		}
	})
}
