package plugins

import (
	"sync"
	"time"
)

// When a plugin is left alone.
const (
	// breakAfter is how many calls in a row have to fail before the plugin is left alone.
	breakAfter = 10
	// breakFor is how long it is left alone at first; twice as long each time that it fails again, up to breakMost.
	breakFor  = 10 * time.Second
	breakMost = 5 * time.Minute
)

// breaker leaves a plugin alone that has failed too often in a row: its calls fail at once, until after a while one of
// them is let through and answers.
type breaker struct {
	mu       sync.Mutex
	failures int
	pause    time.Duration
	until    time.Time
	trying   bool // the one call that was let through is under way
}

// admit reports whether a call may be made now.
func (b *breaker) admit(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause == 0 {
		return true
	}
	if now.Before(b.until) || b.trying {
		return false
	}
	b.trying = true
	return true
}

// ended takes note of how an admitted call ended: failed says that the plugin is to blame. A call that its caller gave up
// says nothing of the plugin, and counts for nothing.
func (b *breaker) ended(now time.Time, failed, givenUp bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	switch {
	case givenUp:
	case !failed:
		b.failures, b.pause = 0, 0
	default:
		if b.failures++; b.failures >= breakAfter {
			b.pause = min(max(2*b.pause, breakFor), breakMost)
			b.until = now.Add(b.pause)
		}
	}
}
