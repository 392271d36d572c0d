package engine

import (
	"sync"

	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/forms/kind"
)

// remembered holds what was worked out of what is in force on a day, by a key, until something else is in force or the day
// ends. It holds nothing of anybody. The zero value is empty; it is safe for concurrent use.
type remembered[V any] struct {
	mu      sync.Mutex
	inForce *registry.InForce
	today   kind.Date
	held    int // weights of what is known
	known   map[string]V
}

// of returns what is held under a key, or what work comes to and its weight. When more than most is held, all is forgotten:
// whoever asks may name any key.
func (r *remembered[V]) of(f *registry.InForce, today kind.Date, key string, most int, work func() (V, int, error)) (V, error) {
	r.mu.Lock()
	if r.inForce != f || r.today != today || r.held > most {
		r.inForce, r.today, r.held, r.known = f, today, 0, map[string]V{}
	}
	v, ok := r.known[key]
	r.mu.Unlock()
	if ok {
		return v, nil
	}
	v, weight, err := work()
	if err != nil {
		return v, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inForce != f || r.today != today {
		return v, nil
	}
	if first, ok := r.known[key]; ok { // made at the same time
		return first, nil
	}
	r.known[key] = v
	r.held += weight
	return v, nil
}
