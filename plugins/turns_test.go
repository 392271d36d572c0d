package plugins

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestTurns_Fair queues many calls of one department before one of another each: the departments take turns, and within
// one it is first come first served.
func TestTurns_Fair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		if err := turns.take(t.Context(), "busy"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, call := range []struct{ department, name string }{
			{"busy", "busy 1"}, {"busy", "busy 2"}, {"busy", "busy 3"}, {"calm", "calm 1"}, {"other", "other 1"}, {"calm", "calm 2"},
		} {
			go func() {
				if err := turns.take(t.Context(), call.department); err != nil {
					t.Error(err)
				}
				got = append(got, call.name)
				turns.give()
			}()
			synctest.Wait() // so that they queue in this order
		}
		turns.give()
		synctest.Wait()
		want := []string{"busy 1", "calm 1", "other 1", "busy 2", "calm 2", "busy 3"}
		if !slices.Equal(got, want) {
			t.Errorf("turns %v, want %v", got, want)
		}
		if turns.free != 1 || len(turns.waiting) != 0 || len(turns.order) != 0 {
			t.Errorf("afterwards %+v", turns)
		}
	})
}

// TestTurns_Pass lets a long call hand its turn on after a slice, and get it back.
func TestTurns_Pass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		_ = turns.take(t.Context(), "slow")
		turns.pass("slow") // nobody waits: it goes on
		done := false
		go func() {
			_ = turns.take(t.Context(), "quick")
			done = true
			turns.give()
		}()
		synctest.Wait()
		if done {
			t.Fatal("two calls have the one turn")
		}
		turns.pass("slow")
		if !done {
			t.Error("the quick call did not get a turn")
		}
		turns.give()
	})
}

// TestTurns_GivenUp leaves the queue, also when the turn is given at the same moment.
func TestTurns_GivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		_ = turns.take(t.Context(), "a")
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() { err = turns.take(ctx, "b") }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		turns.give()
		if turns.free != 1 || len(turns.order) != 0 {
			t.Errorf("afterwards %+v", turns)
		}
		for range 100 { // the turn and the end of the wait race
			_ = turns.take(t.Context(), "a")
			ctx, cancel := context.WithCancel(t.Context())
			var err error
			go func() {
				if err = turns.take(ctx, "b"); err == nil {
					turns.give()
				}
			}()
			synctest.Wait()
			go cancel()
			go turns.give()
			synctest.Wait()
			if turns.free != 1 || len(turns.order) != 0 || len(turns.waiting) != 0 {
				t.Fatalf("afterwards %+v", turns)
			}
		}
	})
}
