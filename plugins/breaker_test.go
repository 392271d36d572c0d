package plugins

import (
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	b := new(breaker)
	for i := range breakAfter {
		if !b.admit(now) {
			t.Fatalf("call %d was not let through", i)
		}
		if i == breakAfter/2 {
			b.ended(now, false, true) // given up: counts for nothing
		}
		b.ended(now, true, false)
	}
	if b.admit(now) || b.admit(now.Add(breakFor-1)) {
		t.Error("a plugin that failed too often was called")
	}
	later := now.Add(breakFor)
	if !b.admit(later) || b.admit(later) {
		t.Error("not exactly one call was let through")
	}
	b.ended(later, true, false)
	if b.admit(later.Add(2*breakFor - 1)) {
		t.Error("the second pause is not longer")
	}
	later = later.Add(2 * breakFor)
	if !b.admit(later) {
		t.Error("no call was let through after the second pause")
	}
	b.ended(later, false, true)
	if !b.admit(later) {
		t.Error("a call that was given up holds the place of the one that is tried")
	}
	b.ended(later, false, false)
	for range 2 {
		if !b.admit(later) {
			t.Error("a plugin that answers again is still left alone")
		}
	}
	for range 40 {
		b.ended(later, true, false)
	}
	if got := b.until.Sub(later); got != breakMost {
		t.Errorf("the pause is %s, at most %s are foreseen", got, breakMost)
	}
}
