package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/siyiban/onething/engine"
)

// Searches run one at a time; whoever gives up leaves the search to its end, and one that fails ends neither the server
// nor the next.
func TestSearch(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	ended, cancel := context.WithCancel(t.Context())
	begun, release := make(chan struct{}), make(chan struct{})
	first := make(chan error)
	go func() {
		first <- engine.Search(h.Engine, ended, func() error { close(begun); <-release; return nil })
	}()
	<-begun
	cancel()
	if err := <-first; !errors.Is(err, engine.ErrSearch) {
		t.Errorf("whoever gives up: %v", err)
	}
	if err := engine.Search(h.Engine, ended, func() error { t.Error("two run at once"); return nil }); !errors.Is(err, engine.ErrSearch) || !strings.Contains(err.Error(), "another") {
		t.Errorf("beside it: %v", err)
	}
	close(release)
	if err := engine.Search(h.Engine, t.Context(), func() error { panic("a fault") }); err == nil || !strings.Contains(err.Error(), "a fault") {
		t.Errorf("one that fails: %v", err)
	}
	want := errors.New("its own")
	if err := engine.Search(h.Engine, t.Context(), func() error { return want }); !errors.Is(err, want) {
		t.Errorf("the next one: %v", err)
	}
}
