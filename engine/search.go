package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siyiban/onething/engine/catalog"
)

// maxDecisions is how many rules a bundle may have to be searched for a caller who waits. The largest matter of the county
// has 45.
const maxDecisions = 500

// searchLimit is how long a caller waits for a search: less than for an answer, so that it learns why there is none.
const searchLimit = 20 * time.Second

// Errors of searches, for errors.Is.
var (
	// ErrSearch is returned for a search that has not come to its end in time, or not begun because of others.
	ErrSearch = errors.New("engine: the search takes too long")
	// ErrTooManyRules is returned for a bundle with too many rules to be searched while a caller waits.
	ErrTooManyRules = errors.New("engine: the bundle has too many rules to be searched")
)

// search runs f, which may take long and cannot be interrupted, one at a time for all callers. A caller whose ctx ends
// first gets [ErrSearch]; f then comes to its end, and the next one waits for that.
func (e *Engine) search(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, searchLimit)
	defer cancel()
	select {
	case e.searching <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: another one is under way", ErrSearch)
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil { // here it would end the server
				done <- fmt.Errorf("search: panic: %v", fault)
			}
			<-e.searching
		}()
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ErrSearch
	}
}

// searchable refuses a bundle whose search has no bound that a caller would wait for.
func searchable(b *catalog.Bundle) error {
	if len(b.Decisions()) > maxDecisions {
		return ErrTooManyRules
	}
	return nil
}
