package observe

import (
	"sync"
	"time"
)

// jump is by how much a clock has to be set to be told of; less is what keeps clocks together.
const jump = 30 * time.Second

// Jumps finds out that a clock was set. It is safe for concurrent use.
type Jumps struct {
	mu      sync.Mutex
	begun   bool
	wall    time.Time
	running time.Duration
}

// Look compares what the wall clock shows with how long the process has run, and returns by how much the clock was set
// since it looked last; 0 if that is less than half a minute.
func (j *Jumps) Look(wall time.Time, running time.Duration) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	set := wall.Round(0).Sub(j.wall) - (running - j.running)
	first := !j.begun
	j.begun, j.wall, j.running = true, wall.Round(0), running
	if first || set.Abs() < jump {
		return 0
	}
	return set
}

// ClockJumped counts that the clock was set.
func (o *Observer) ClockJumped(by time.Duration) {
	direction := "forward"
	if by < 0 {
		direction = "back"
	}
	o.clockJumps.WithLabelValues(direction).Inc()
}
