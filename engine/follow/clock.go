package follow

import (
	"sync"
	"time"
)

// Clock tells an office's time and wakes who waits for one. It may be put forward, by a demonstration or a test; whoever
// waits for a time that it passes then is woken. It is safe for concurrent use.
type Clock struct {
	mu       sync.Mutex
	location *time.Location
	offset   time.Duration // ahead of the machine's clock
	standing bool
	stood    time.Time // of a standing clock
	waiters  map[*waiter]struct{}
}

type waiter struct {
	until   time.Time
	reached chan struct{}
	timer   *time.Timer
}

// recheck is how long a waiter sleeps at most before it looks at the clock again: the machine's clock may be set.
const recheck = time.Minute

// NewClock returns a clock that shows start now and runs like the machine's. One that starts with time.Now() is the
// machine's.
func NewClock(start time.Time) *Clock {
	// Without its monotonic reading the difference is one of wall clocks.
	offset := start.Round(0).Sub(time.Now().Round(0))
	if -time.Second < offset && offset < time.Second {
		offset = 0
	}
	return &Clock{location: start.Location(), offset: offset, waiters: map[*waiter]struct{}{}}
}

// NewStandingClock returns a clock that shows start until it is put forward.
func NewStandingClock(start time.Time) *Clock {
	return &Clock{location: start.Location(), standing: true, stood: start, waiters: map[*waiter]struct{}{}}
}

// Now returns the time, in the location of the clock's start.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.standing {
		return c.stood
	}
	return time.Now().Add(c.offset).In(c.location)
}

// Advance puts the clock forward and returns the time that it shows then.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.offset += d
		c.stood = c.stood.Add(d)
	}
	for w := range c.waiters {
		c.wake(w)
	}
	return c.now()
}

// Reach returns a channel that is closed as soon as the clock shows a time, and a function that gives up waiting for it.
func (c *Clock) Reach(t time.Time) (reached <-chan struct{}, stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{until: t, reached: make(chan struct{})}
	c.waiters[w] = struct{}{}
	c.wake(w)
	return w.reached, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.forget(w)
	}
}

// wake wakes a waiter whose time has come, and sets the timer of one whose time has not.
func (c *Clock) wake(w *waiter) {
	if _, waits := c.waiters[w]; !waits {
		return
	}
	left := w.until.Sub(c.now())
	if left <= 0 {
		close(w.reached)
		c.forget(w)
		return
	}
	if c.standing {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer = time.AfterFunc(min(left, recheck), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wake(w)
	})
}

func (c *Clock) forget(w *waiter) {
	delete(c.waiters, w)
	if w.timer != nil {
		w.timer.Stop()
	}
}
