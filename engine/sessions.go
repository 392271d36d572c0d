package engine

import (
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// sessions holds what the guide last came to for those who ask under a session of theirs, so that the next answer works
// out only what it makes a difference to. It is in memory only. What is held makes no difference to an answer, which
// follows from the request alone; so it may be forgotten at any time. The zero value is empty; it is safe for concurrent
// use.
type sessions struct {
	mu    sync.Mutex
	held  int // weights
	known map[string]*session
}

type session struct {
	blank  *Assessed // what it was made of: of the same bundles, day and place, and the same in force
	last   *Assessed
	weight int
	used   time.Time
}

const (
	// SessionAge is how long the guide holds a session after its last call.
	SessionAge = 2 * time.Minute
	// maxSessions bounds the weight of all sessions, in bytes.
	maxSessions = 128 << 20
)

// of returns what is held of a session, nil if there is nothing that was made of the same blank.
func (s *sessions) of(id string, blank *Assessed, now time.Time) *Assessed {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	if known := s.known[id]; known != nil && known.blank == blank {
		return known.last
	}
	return nil
}

// hold holds what a session has come to, in place of what it came to before. The sessions that were not used for longest
// make room.
func (s *sessions) hold(id string, blank, last *Assessed, now time.Time) {
	weight := last.weight()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(id)
	if weight > maxSessions {
		return
	}
	for s.held+weight > maxSessions {
		oldest := ""
		for id, k := range s.known {
			if oldest == "" || k.used.Before(s.known[oldest].used) {
				oldest = id
			}
		}
		s.drop(oldest)
	}
	if s.known == nil {
		s.known = map[string]*session{}
	}
	s.known[id] = &session{blank, last, weight, now}
	s.held += weight
}

// forget drops the sessions whose last call was too long ago.
func (s *sessions) forget(now time.Time) {
	for id, k := range s.known {
		if age := now.Sub(k.used); age >= SessionAge || age < 0 {
			s.drop(id)
		}
	}
}

func (s *sessions) drop(id string) {
	if k := s.known[id]; k != nil {
		s.held -= k.weight
		delete(s.known, id)
	}
}

// ForgetSessions forgets what the guide holds of sessions whose last call was [SessionAge] ago or longer. Whoever serves
// the guide calls it from time to time: calls forget too, but there may be none.
func (e *Engine) ForgetSessions() {
	e.sessions.mu.Lock()
	defer e.sessions.mu.Unlock()
	e.sessions.forget(e.cfg.Now())
}

// Sessions returns of how many sessions the guide holds something.
func (e *Engine) Sessions() int {
	e.sessions.mu.Lock()
	defer e.sessions.mu.Unlock()
	return len(e.sessions.known)
}

// What an assessment takes in memory, in bytes, beyond what it shares with that of no answers: measured over all matters,
// and rounded up.
const (
	weightOfBundle = 16 << 10
	weightOfCell   = 512 // and asker
	weightOfAnswer = 4   // for each byte of its message
)

// weight is about how many bytes an assessment takes.
func (a *Assessed) weight() int {
	weight := weightOfBundle * len(a.Selection.Bundles)
	for place, f := range a.Fields {
		for _, row := range f.Rows {
			weight += weightOfCell * (1 + len(row)) * (1 + len(a.Selection.Askers(place)))
		}
	}
	for p, v := range a.answers {
		weight += weightOfAnswer * (len(p) + proto.Size(v))
	}
	return weight
}
