package logtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/siyiban/onething/engine/commitlog"
)

func testBounds(t *testing.T, open Open) {
	l := opened(t, open)
	change := func(f func(*commitlog.Commit)) commitlog.Commit {
		c := Commit("a", 0, "id")
		f(&c)
		return c
	}
	inEvent := func(f func(*commitlog.Event)) commitlog.Commit {
		return change(func(c *commitlog.Commit) { f(&c.Appends[0].Events[0]) })
	}
	for _, test := range []struct {
		name   string
		commit commitlog.Commit
		want   error
	}{
		{"nothing", commitlog.Commit{}, commitlog.ErrInvalid},
		{"no request id", change(func(c *commitlog.Commit) { c.RequestID = "" }), commitlog.ErrInvalid},
		{"long request id", change(func(c *commitlog.Commit) { c.RequestID = strings.Repeat("x", 129) }), commitlog.ErrInvalid},
		{"request id of no text", change(func(c *commitlog.Commit) { c.RequestID = "\xff" }), commitlog.ErrInvalid},
		{"no digest", change(func(c *commitlog.Commit) { c.Digest = nil }), commitlog.ErrInvalid},
		{"long digest", change(func(c *commitlog.Commit) { c.Digest = make([]byte, 65) }), commitlog.ErrInvalid},
		{"no time", change(func(c *commitlog.Commit) { c.At = time.Time{} }), commitlog.ErrInvalid},
		{"a time that cannot be stored", change(func(c *commitlog.Commit) { c.At = time.Unix(1<<40, 0) }), commitlog.ErrInvalid},
		{"a position of its own", change(func(c *commitlog.Commit) { c.Position = 1 }), commitlog.ErrInvalid},
		{"an epoch of its own", change(func(c *commitlog.Commit) { c.Epoch = 1 }), commitlog.ErrInvalid},
		{"no appends", change(func(c *commitlog.Commit) { c.Appends = nil }), commitlog.ErrInvalid},
		{"too many appends", change(func(c *commitlog.Commit) {
			for i := range commitlog.MaxAppends {
				c.Appends = append(c.Appends, commitlog.Append{Stream: fmt.Sprint(i), Events: c.Appends[0].Events})
			}
		}), commitlog.ErrInvalid},
		{"a stream twice", change(func(c *commitlog.Commit) {
			c.Appends = append(c.Appends, commitlog.Append{Stream: "a", Expected: 1, Events: c.Appends[0].Events})
		}), commitlog.ErrInvalid},
		{"no events", change(func(c *commitlog.Commit) { c.Appends[0].Events = nil }), commitlog.ErrInvalid},
		{"too many events", change(func(c *commitlog.Commit) {
			c.Appends[0].Events = make([]commitlog.Event, commitlog.MaxEvents+1)
		}), commitlog.ErrInvalid},
		{"no stream name", change(func(c *commitlog.Commit) { c.Appends[0].Stream = "" }), commitlog.ErrInvalid},
		{"long stream name", change(func(c *commitlog.Commit) { c.Appends[0].Stream = strings.Repeat("x", 201) }), commitlog.ErrInvalid},
		{"stream name with a space", change(func(c *commitlog.Commit) { c.Appends[0].Stream = "a b" }), commitlog.ErrInvalid},
		{"stream name with a zero byte", change(func(c *commitlog.Commit) { c.Appends[0].Stream = "a\x00" }), commitlog.ErrInvalid},
		{"a version that cannot be expected", change(func(c *commitlog.Commit) { c.Appends[0].Expected = ^uint64(0) }), commitlog.ErrInvalid},
		{"another version in the event", inEvent(func(e *commitlog.Event) { e.Version = 2 }), commitlog.ErrInvalid},
		{"no type", inEvent(func(e *commitlog.Event) { e.Type = "" }), commitlog.ErrInvalid},
		{"type of no name", inEvent(func(e *commitlog.Event) { e.Type = "出生" }), commitlog.ErrInvalid},
		{"huge public part", inEvent(func(e *commitlog.Event) { e.Public = make([]byte, commitlog.MaxPublic+1) }), commitlog.ErrTooLarge},
		{"huge personal part", inEvent(func(e *commitlog.Event) { e.Personal = make([]byte, commitlog.MaxPersonal+1) }), commitlog.ErrTooLarge},
		{"huge metadata", inEvent(func(e *commitlog.Event) { e.Metadata = make([]byte, commitlog.MaxMetadata+1) }), commitlog.ErrTooLarge},
		{"long key id", inEvent(func(e *commitlog.Event) { e.Key = strings.Repeat("x", 201) }), commitlog.ErrInvalid},
		{"personal part without key", inEvent(func(e *commitlog.Event) { e.Key = "" }), commitlog.ErrInvalid},
		{"personal part without commitment", inEvent(func(e *commitlog.Event) { e.Commitment = nil }), commitlog.ErrInvalid},
		{"key without personal part", inEvent(func(e *commitlog.Event) { e.Personal = nil }), commitlog.ErrInvalid},
		{"short commitment", inEvent(func(e *commitlog.Event) { e.Commitment = e.Commitment[1:] }), commitlog.ErrInvalid},
		{"huge commit", change(func(c *commitlog.Commit) {
			large := commitlog.Event{Type: "T", Public: make([]byte, commitlog.MaxPublic)}
			c.Appends[0].Events = []commitlog.Event{large, large, large, large}
		}), commitlog.ErrTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) { refused(t, l, test.commit, test.want) })
	}
	// None of them left anything behind.
	if r := mustAppend(t, l, Commit("a", 0, "id")); r.Position != 1 {
		t.Errorf("first commit after refusals: %+v", r)
	}
}

// testLargestCommit appends, at the same time, several of the largest commits that the bounds allow, with as many
// streams as they allow.
func testLargestCommit(t *testing.T, open Open) {
	l := opened(t, open)
	large := func(name string) commitlog.Commit {
		c := Commit(name, 0, strings.Repeat("x", commitlog.MaxRequestID))
		c.Digest = make([]byte, commitlog.MaxDigest)
		for range 3 {
			c.Appends[0].Events = append(c.Appends[0].Events, commitlog.Event{Type: "T", Public: make([]byte, commitlog.MaxPublic)})
		}
		c.Appends[0].Events[0].Personal = make([]byte, commitlog.MaxPersonal-200_000)
		for i := range commitlog.MaxAppends - 1 {
			stream := fmt.Sprintf("%s/%d/", name, i)
			c.Appends = append(c.Appends, commitlog.Append{
				Stream: stream + strings.Repeat("s", commitlog.MaxStream-len(stream)),
				Events: make([]commitlog.Event, 16),
			})
			for j := range 16 {
				c.Appends[i+1].Events[j].Type = strings.Repeat("T", 100)
			}
		}
		return c
	}
	const n = 4
	done := make(chan error, n)
	for i := range n {
		go func() {
			_, err := l.Append(t.Context(), large(fmt.Sprint(i)))
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Fatalf("largest commit: %v", err)
		}
	}
	for _, c := range Commits(t, l, n) {
		name := c.Appends[0].Stream
		equal(t, "commit", stored(large(name), c.Epoch, c.Position), c)
		if got := collect(t, l.Read(t.Context(), name, 1)); len(got) != 3 {
			t.Errorf("stream %s has %d further events, want 3", name, len(got))
		}
	}
}
