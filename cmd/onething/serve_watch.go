package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/observe"
)

const (
	// lookEvery is how often the checks are looked at for the log, and the clock for jumps.
	lookEvery = 15 * time.Second
	// behindLimit is how old a commit may be that views or followers have not read.
	behindLimit = 10 * time.Second
	// diskNotice is how much room there has to be: twice what the log keeps, so that there is time before it refuses writes.
	diskNotice = 2 * durable.DefaultMinFree
	// calendarNotice is how many days before its end a calendar has to be followed by the next: notices come out in November.
	calendarNotice = 31
	// certificateNotice is how long a certificate has to last.
	certificateNotice = 7 * 24 * time.Hour
	// clockTolerance is by how much the clock may be behind the last commit.
	clockTolerance = time.Minute
)

// watched is what is shown to operators.
type watched struct {
	server *server
	log    *badgerlog.Log
	drafts *draft.Store
	checks observe.Checks
	jumps  observe.Jumps
	herald observe.Herald
	begun  time.Time

	mu   sync.Mutex
	late map[string]uint64 // where a reader was that was behind when it was looked at last
}

// watch makes what is shown to operators, and tells the log of what changes.
func (s *server) watch(log *badgerlog.Log, drafts *draft.Store) {
	w := &watched{server: s, log: log, drafts: drafts, herald: observe.Herald{Logger: s.cfg.logger}, begun: time.Now()}
	w.checks = observe.Checks{
		"log":      func(context.Context) error { return log.Err() },
		"disk":     func(context.Context) error { return s.space(diskNotice).Check(string(s.cfg.data)) },
		"calendar": func(context.Context) error { return s.calendarEnds() },
		"clock":    w.clockBehind,
		"views":    func(ctx context.Context) error { return w.behind(ctx, "views", s.views.Position()) },
	}
	for name, follower := range s.followers {
		w.checks["follow/"+name] = w.follows("follow/"+name, follower)
	}
	if s.cfg.certificates != nil {
		w.checks["certificate"] = func(context.Context) error { return s.cfg.certificates.ends(time.Now().Add(certificateNotice)) }
	}
	s.watched = w
	s.observer.Watch(w.state)
	s.start(func() error {
		again := time.NewTicker(lookEvery) // by the machine's clock: the office's may stand or be put forward
		defer again.Stop()
		for {
			w.look(s.running(), time.Now(), time.Since(w.begun))
			select {
			case <-again.C:
			case <-s.running().Done():
				return s.running().Err()
			}
		}
	})
}

// look tells the log what has changed.
func (w *watched) look(ctx context.Context, wall time.Time, running time.Duration) {
	if by := w.jumps.Look(wall, running); by != 0 {
		w.server.observer.ClockJumped(by)
		w.server.cfg.logger.Error("the clock was set", "by", by.Round(time.Second))
	}
	if causes := w.checks.Look(ctx); ctx.Err() == nil {
		w.herald.Tell(ctx, causes)
	}
}

// space measures the disk of the data folder.
func (s *server) space(want uint64) durable.Space {
	return durable.Space{MinFree: want, Free: s.cfg.free}
}

// behind says how far a reader of the log is behind, if that is too far and it has not come on since it was looked at last:
// where the office's clock is put forward, everybody is behind for a moment.
func (w *watched) behind(ctx context.Context, reader string, position uint64) error {
	_, head := w.log.Head()
	lag, err := observe.Lag(ctx, w.log, position, head, w.server.cfg.clock.Now())
	if err != nil {
		return err
	}
	w.mu.Lock()
	before, was := w.late[reader]
	if delete(w.late, reader); lag > behindLimit {
		if w.late == nil {
			w.late = map[string]uint64{}
		}
		w.late[reader] = position
	}
	w.mu.Unlock()
	if lag > behindLimit && was && before == position {
		return fmt.Errorf("behind by %d commits, the oldest is %s old", head-position, lag.Round(time.Second))
	}
	return nil
}

// follows says that work of a follower waits for an operator, or that it is behind.
func (w *watched) follows(name string, f *follow.Follower) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := f.Err(); err != nil {
			return err
		}
		return w.behind(ctx, name, f.Position())
	}
}

// clockBehind says that the clock shows a time before the last commit's: then it was set back, or was wrong when it was
// made.
func (w *watched) clockBehind(ctx context.Context) error {
	_, head := w.log.Head()
	if head == 0 {
		return nil
	}
	at, err := observe.CommittedAt(ctx, w.log, head)
	if err != nil {
		return err
	}
	now := w.server.cfg.clock.Now()
	if by := at.Sub(now); by > clockTolerance {
		return fmt.Errorf("the clock shows %s, %s before the last commit: it was set back, or was ahead", now.Format(time.RFC3339), by.Round(time.Second))
	}
	return nil
}

// calendarEnds says that there is no calendar for dates that are near.
func (s *server) calendarEnds() error {
	today := s.engine.Today()
	last, ok := s.engine.InForce().Calendar.Until(today.Year)
	if !ok {
		return fmt.Errorf("the calendar of %d is not published: dates are not known", today.Year)
	}
	if near, ok := today.AddDays(calendarNotice); ok && last.Before(near) {
		return fmt.Errorf("the calendar of %d is not published: dates after %s are not known", last.Year+1, last)
	}
	return nil
}

// state is how the server stands.
func (w *watched) state(ctx context.Context) (observe.State, error) {
	s := w.server
	_, head := w.log.Head()
	now := s.cfg.clock.Now()
	state := observe.State{Head: head, Readers: map[string]observe.Reader{}, Work: map[string]observe.Work{}, Reserve: durable.DefaultMinFree, Causes: w.checks.Look(ctx)}
	var faults []error
	fault := func(err error) { faults = append(faults, err) }
	read := func(name string, position uint64) {
		lag, err := observe.Lag(ctx, w.log, position, head, now)
		fault(err)
		state.Readers[name] = observe.Reader{Position: position, Lag: lag}
	}
	read("views", s.views.Position())
	for name, follower := range s.followers {
		due, err := follower.Due()
		fault(err)
		parked, err := follower.Parked()
		fault(err)
		state.Work["follow/"+name] = observe.Work{Due: due, Parked: len(parked)}
		read("follow/"+name, follower.Position())
	}
	counts, err := s.views.Count(ctx, slices.Collect(maps.Keys(s.cfg.bundles.Library.Departments)))
	fault(err)
	state.Open, state.Tasks, state.Warned = counts.Open, counts.Tasks, counts.Warned
	if s.notices != nil {
		state.Notices, err = countNotices(s.notices.List)
		fault(err)
	}
	state.Drafts, err = w.drafts.Count()
	fault(err)
	state.Free, err = s.space(0).Left(string(s.cfg.data))
	fault(err)
	if last, ok := s.engine.InForce().Calendar.Until(s.engine.Today().Year); ok {
		state.CalendarUntil = time.Date(last.Year, last.Month, last.Day, 0, 0, 0, 0, officeZone())
	}
	if s.cfg.certificates != nil {
		state.CertificateUntil = s.cfg.certificates.until()
	}
	return state, errors.Join(faults...)
}

// countNotices counts by state, also those of which there is none.
func countNotices(list *notices.List) (map[string]int, error) {
	counts, err := list.Count()
	words := map[string]int{}
	for _, state := range []notices.State{notices.Pending, notices.Sent, notices.Failed} {
		words[strings.ToLower(string(state))] = counts[state]
	}
	return words, err
}

// parts are the checks that are asked one by one: whether the log takes writes is the health of the whole.
func (w *watched) parts() map[string]func(context.Context) error {
	parts := maps.Clone(w.checks)
	delete(parts, "log")
	return parts
}

// listenMetrics serves what operators watch, on an address of its own: whoever reaches it may read it.
func (s *server) listenMetrics(at net.Listener) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.observer.Metrics())
	mux.Handle("GET /readyz", s.watched.checks)
	s.listen(mux, at)
}

// observedWork is what a follower does, observed.
type observedWork struct {
	follow.Handler
	name     string
	observer *observe.Observer
}

// Work implements [follow.Handler].
func (o observedWork) Work(ctx context.Context, item follow.Item) error {
	ctx, end := o.observer.Work(ctx, o.name)
	err := o.Handler.Work(ctx, item)
	end(err)
	return err
}
