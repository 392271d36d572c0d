package plugins

import (
	"context"
	"slices"
	"sync"
)

// turns are the processors that guests run on. Who waits for one waits in its department's queue, and the departments
// take turns: a department with many slow calls delays its own, and no other's by more than a slice.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting map[string][]chan struct{} // by department, first come first served
	order   []string                   // the departments that wait, the next one first
}

func newTurns(n int) *turns { return &turns{free: n, waiting: map[string][]chan struct{}{}} }

// take waits for a turn or for ctx, whichever ends first.
func (t *turns) take(ctx context.Context, department string) error {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	mine := t.queue(department)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := slices.Index(t.waiting[department], mine); at >= 0 {
		t.waiting[department] = slices.Delete(t.waiting[department], at, at+1)
		if len(t.waiting[department]) == 0 {
			delete(t.waiting, department)
			t.order = slices.DeleteFunc(t.order, func(d string) bool { return d == department })
		}
		return ctx.Err()
	}
	t.next() // it was given to us meanwhile
	return ctx.Err()
}

// give hands the turn on.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

// pass gives the turn to whoever waits, and waits for the next one; if nobody waits it keeps it.
func (t *turns) pass(department string) {
	t.mu.Lock()
	if len(t.order) == 0 {
		t.mu.Unlock()
		return
	}
	mine := t.queue(department)
	t.next()
	t.mu.Unlock()
	<-mine
}

// retake waits for the turn that a call gave while it waited for something else.
func (t *turns) retake(department string) { _ = t.take(context.Background(), department) }

// queue puts a new turn into the queue of a department. t.mu is held.
func (t *turns) queue(department string) chan struct{} {
	if len(t.waiting[department]) == 0 {
		t.order = append(t.order, department)
	}
	mine := make(chan struct{})
	t.waiting[department] = append(t.waiting[department], mine)
	return mine
}

// next gives a turn to the first call of the department whose turn it is. t.mu is held.
func (t *turns) next() {
	if len(t.order) == 0 {
		t.free++
		return
	}
	department := t.order[0]
	t.order = t.order[1:]
	first := t.waiting[department][0]
	if rest := t.waiting[department][1:]; len(rest) > 0 {
		t.waiting[department] = rest
		t.order = append(t.order, department)
	} else {
		delete(t.waiting, department)
	}
	close(first)
}
