// Package logtest is the conformance suite of a commit log: every promise of package commitlog, as tests that a backend
// runs against itself with one call of [Run].
package logtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/commitlog"
)

// Log is a log that can be closed, and opened again.
type Log interface {
	commitlog.Log
	Close() error
}

// Open opens the log that lies in a folder, or an empty one. The suite closes it.
type Open func(tb testing.TB, dir string) Log

// Run runs the suite. Each test has a folder of its own.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"append and read", testAppendAndRead},
		{"expected version", testExpectedVersion},
		{"several streams are all or nothing", testSeveralStreams},
		{"request ids", testRequestIDs},
		{"a repeated request among concurrent ones", testConcurrentRepeats},
		{"lookup", testLookup},
		{"random histories", testModel},
		{"bounds", testBounds},
		{"largest commit", testLargestCommit},
		{"stream names do not overlap", testStreamNames},
		{"reopen", testReopen},
		{"concurrent writers", testConcurrentWriters},
		{"follow", testFollow},
		{"follow ends", testFollowEnds},
		{"closed", testClosed},
		{"a request id is for ever", testForEver},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open)
		})
	}
}

// Commit returns a commit of one event on a stream, whose content and digest follow from its request id.
func Commit(stream string, expected uint64, requestID string) commitlog.Commit {
	return commitlog.Commit{
		RequestID: requestID,
		Digest:    Digest(requestID),
		At:        time.Date(2026, 3, 2, 9, 30, 0, 123456789, time.FixedZone("CST", 8*3600)),
		Appends:   []commitlog.Append{{Stream: stream, Expected: expected, Events: []commitlog.Event{event(requestID)}}},
	}
}

// Digest returns what stands for the digest of a command.
func Digest(command string) []byte {
	sum := sha256.Sum256([]byte(command))
	return sum[:]
}

func event(name string) commitlog.Event {
	return commitlog.Event{
		Type:       "onething.test.v1.Event",
		Public:     []byte("public " + name),
		Metadata:   []byte("resident"),
		Key:        "application/" + name,
		Personal:   []byte("sealed " + name),
		Commitment: Digest("commitment " + name),
	}
}

// stored returns c as the log gives it back.
func stored(c commitlog.Commit, epoch, position uint64) commitlog.Commit {
	c.Epoch, c.Position, c.At = epoch, position, c.At.UTC()
	appends := make([]commitlog.Append, len(c.Appends))
	for i, a := range c.Appends {
		appends[i] = commitlog.Append{Stream: a.Stream, Expected: a.Expected}
		for j, e := range a.Events {
			e.Version = a.Expected + uint64(j) + 1
			appends[i].Events = append(appends[i].Events, e)
		}
	}
	c.Appends = appends
	return c
}

func mustAppend(tb testing.TB, l commitlog.Log, c commitlog.Commit) commitlog.Receipt {
	tb.Helper()
	r, err := l.Append(tb.Context(), c)
	if err != nil {
		tb.Fatalf("append %s: %v", c.RequestID, err)
	}
	return r
}

func refused(tb testing.TB, l commitlog.Log, c commitlog.Commit, want error) {
	tb.Helper()
	if r, err := l.Append(tb.Context(), c); !errors.Is(err, want) {
		tb.Fatalf("append %s: %+v, %v; want %v", c.RequestID, r, err, want)
	}
}

func collect[T any](tb testing.TB, seq iter.Seq2[T, error]) []T {
	tb.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			tb.Fatalf("after %d elements: %v", len(all), err)
		}
		all = append(all, v)
	}
	return all
}

// Commits returns the first n commits of a log.
func Commits(tb testing.TB, l commitlog.Log, n int) []commitlog.Commit {
	tb.Helper()
	if n == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	var all []commitlog.Commit
	for c, err := range l.Follow(ctx, 0) {
		if err != nil {
			tb.Fatalf("after %d of %d commits: %v", len(all), n, err)
		}
		if all = append(all, c); len(all) == n {
			break
		}
	}
	return all
}

func equal(tb testing.TB, what string, want, got any) {
	tb.Helper()
	// Bytes are compared whole: a diff by elements takes minutes for an event of the largest size.
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		tb.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func opened(t *testing.T, open Open) Log {
	t.Helper()
	l := open(t, t.TempDir())
	t.Cleanup(func() { closed(t, l) })
	return l
}

func closed(tb testing.TB, l Log) {
	tb.Helper()
	if err := l.Close(); err != nil {
		tb.Errorf("close: %v", err)
	}
}

func testAppendAndRead(t *testing.T, open Open) {
	l := opened(t, open)
	first := Commit("application/a", 0, "first")
	first.Appends[0].Events = append(first.Appends[0].Events, commitlog.Event{Type: "onething.test.v1.Bare"})
	second := Commit("application/a", 2, "second")
	second.Appends[0].Events[0].Version = 3 // a caller that has sealed for this version may say so

	r := mustAppend(t, l, first)
	if r.Epoch == 0 {
		t.Fatal("epoch is 0, wants at least 1")
	}
	equal(t, "first receipt", commitlog.Receipt{Epoch: r.Epoch, Position: 1, Versions: map[string]uint64{"application/a": 2}}, r)
	equal(t, "second receipt", commitlog.Receipt{Epoch: r.Epoch, Position: 2, Versions: map[string]uint64{"application/a": 3}},
		mustAppend(t, l, second))

	want := []commitlog.Commit{stored(first, r.Epoch, 1), stored(second, r.Epoch, 2)}
	equal(t, "commits", want, Commits(t, l, 2))
	events := append(append([]commitlog.Event{}, want[0].Appends[0].Events...), want[1].Appends[0].Events...)
	for after := range uint64(3) {
		equal(t, fmt.Sprintf("events after %d", after), events[after:], collect(t, l.Read(t.Context(), "application/a", after)))
	}
	for _, after := range []uint64{3, 4, 1 << 63, ^uint64(0)} {
		if got := collect(t, l.Read(t.Context(), "application/a", after)); len(got) != 0 {
			t.Errorf("events after %d: %v", after, got)
		}
	}
	if got := collect(t, l.Read(t.Context(), "application/nobody", 0)); len(got) != 0 {
		t.Errorf("a stream that does not exist has events: %v", got)
	}
	for e, err := range l.Read(t.Context(), "application/a", 0) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "first of a reader that leaves early", events[0], e)
		break
	}
}

func testExpectedVersion(t *testing.T, open Open) {
	l := opened(t, open)
	refused(t, l, Commit("a", 1, "too early"), commitlog.ErrConflict)
	mustAppend(t, l, Commit("a", 0, "1"))
	refused(t, l, Commit("a", 0, "late"), commitlog.ErrConflict)
	refused(t, l, Commit("a", 2, "ahead"), commitlog.ErrConflict)
	// A refusal uses up neither a position nor a version nor the request id.
	if r := mustAppend(t, l, Commit("a", 1, "late")); r.Position != 2 || r.Versions["a"] != 2 {
		t.Errorf("receipt after refusals: %+v", r)
	}
}

func testSeveralStreams(t *testing.T, open Open) {
	l := opened(t, open)
	both := Commit("application/a", 0, "both")
	both.Appends = append(both.Appends, commitlog.Append{Stream: "person/p", Events: []commitlog.Event{event("x"), event("y")}})
	r := mustAppend(t, l, both)
	equal(t, "versions", map[string]uint64{"application/a": 1, "person/p": 2}, r.Versions)
	equal(t, "events of the second stream", stored(both, r.Epoch, 1).Appends[1].Events, collect(t, l.Read(t.Context(), "person/p", 0)))
	equal(t, "its second event", stored(both, r.Epoch, 1).Appends[1].Events[1:], collect(t, l.Read(t.Context(), "person/p", 1)))

	// The second stream is not where the commit expects it, so nothing happens to the first one either.
	half := Commit("application/a", 1, "half")
	half.Appends = append(half.Appends, commitlog.Append{Stream: "person/p", Expected: 1, Events: []commitlog.Event{event("z")}})
	refused(t, l, half, commitlog.ErrConflict)
	if got := collect(t, l.Read(t.Context(), "application/a", 1)); len(got) != 0 {
		t.Errorf("a refused commit left events: %v", got)
	}
	half.Appends[1].Expected = 2
	if r := mustAppend(t, l, half); r.Position != 2 {
		t.Errorf("position %d after a refusal, want 2", r.Position)
	}
}

func testRequestIDs(t *testing.T, open Open) {
	l := opened(t, open)
	first := mustAppend(t, l, Commit("a", 0, "id"))
	mustAppend(t, l, Commit("a", 1, "next"))
	// The repeated command expects a version that the stream no longer has.
	equal(t, "receipt of a repeated request", first, mustAppend(t, l, Commit("a", 0, "id")))
	// A repeated command is known by its digest; what was decided again for it does not matter.
	again := Commit("a", 2, "id")
	again.Appends = append(again.Appends, commitlog.Append{Stream: "b", Events: []commitlog.Event{event("b")}})
	equal(t, "receipt of a request decided again", first, mustAppend(t, l, again))

	other := Commit("a", 2, "id")
	other.Digest = Digest("another command")
	refused(t, l, other, commitlog.ErrRequestReused)
	refused(t, l, func() commitlog.Commit { c := Commit("a", 2, "id"); c.Digest = c.Digest[:16]; return c }(), commitlog.ErrRequestReused)

	// The scope is the first stream alone.
	if r := mustAppend(t, l, Commit("b", 0, "id")); r.Position != 3 {
		t.Errorf("the same id in another stream: %+v", r)
	}
	second := Commit("c", 0, "id")
	second.Appends = append(second.Appends, commitlog.Append{Stream: "a", Expected: 2, Events: []commitlog.Event{event("a")}})
	if r := mustAppend(t, l, second); r.Position != 4 {
		t.Errorf("the same id with the stream in second place: %+v", r)
	}
	if got := Commits(t, l, 4); len(got) != 4 {
		t.Errorf("%d commits, want 4", len(got))
	}
}

func testConcurrentRepeats(t *testing.T, open Open) {
	l := opened(t, open)
	receipts := make([]commitlog.Receipt, 32)
	errs := make([]error, 32)
	var wg sync.WaitGroup
	for i := range receipts {
		wg.Go(func() {
			c := Commit("a", 0, "id")
			if i%4 == 3 {
				c.Digest = Digest("another command")
			}
			receipts[i], errs[i] = l.Append(t.Context(), c)
		})
	}
	wg.Wait()
	// Which of the two commands came first is open; all of one kind get its receipt, all of the other are refused.
	made, refusedOnes := 0, 0
	for i := range receipts {
		switch {
		case errs[i] == nil && receipts[i].Position == 1:
			made++
		case errors.Is(errs[i], commitlog.ErrRequestReused):
			refusedOnes++
		default:
			t.Errorf("append %d: %+v, %v", i, receipts[i], errs[i])
		}
	}
	if min(made, refusedOnes) != 8 || max(made, refusedOnes) != 24 {
		t.Errorf("%d were made and %d refused", made, refusedOnes)
	}
	if got := collect(t, l.Read(t.Context(), "a", 0)); len(got) != 1 {
		t.Errorf("%d events, want 1", len(got))
	}
}

func testLookup(t *testing.T, open Open) {
	l := opened(t, open)
	want := mustAppend(t, l, Commit("a", 0, "id"))
	refused(t, l, Commit("a", 0, "refused"), commitlog.ErrConflict)

	got, digest, ok, err := l.Lookup(t.Context(), "a", "id")
	if err != nil || !ok {
		t.Fatalf("lookup: %v, %v", ok, err)
	}
	equal(t, "receipt", want, got)
	equal(t, "digest", Digest("id"), digest)
	for _, q := range [][2]string{{"a", "refused"}, {"a", "i"}, {"a", "idx"}, {"b", "id"}, {"ai", "d"}} {
		if r, _, ok, err := l.Lookup(t.Context(), q[0], q[1]); ok || err != nil {
			t.Errorf("lookup %q in %q: %+v, %v, %v", q[1], q[0], r, ok, err)
		}
	}
	for _, q := range [][2]string{{"", "id"}, {"a", ""}, {"a", strings.Repeat("x", commitlog.MaxRequestID+1)}} {
		if _, _, _, err := l.Lookup(t.Context(), q[0], q[1]); !errors.Is(err, commitlog.ErrInvalid) {
			t.Errorf("lookup %q in %q: %v", q[1], q[0], err)
		}
	}
}

func testStreamNames(t *testing.T, open Open) {
	l := opened(t, open)
	names := []string{"a", "aa", "a/", "a/b", "a/bb", "b", strings.Repeat("a", commitlog.MaxStream)}
	for i, name := range names {
		c := Commit(name, 0, fmt.Sprint(i))
		c.Appends[0].Events = append(c.Appends[0].Events, event("second"))
		mustAppend(t, l, c)
	}
	for i, name := range names {
		want := stored(Commit(name, 0, fmt.Sprint(i)), 1, 0).Appends[0].Events[0]
		got := collect(t, l.Read(t.Context(), name, 0))
		if len(got) != 2 {
			t.Fatalf("stream %s has %d events, want 2", name, len(got))
		}
		equal(t, name, want, got[0])
	}
	for _, err := range l.Read(t.Context(), "", 0) {
		if !errors.Is(err, commitlog.ErrInvalid) {
			t.Errorf("read a stream without a name: %v", err)
		}
	}
}

func testReopen(t *testing.T, open Open) {
	dir := t.TempDir()
	var want []commitlog.Commit
	var epoch uint64
	for life := range uint64(3) {
		l := open(t, dir)
		for i := range uint64(5) {
			c := Commit("a", life*5+i, fmt.Sprint(life, i))
			r := mustAppend(t, l, c)
			if epoch == 0 {
				epoch = r.Epoch
			}
			want = append(want, stored(c, epoch, uint64(len(want))+1))
		}
		equal(t, "commits", want, Commits(t, l, len(want)))
		if got := mustAppend(t, l, Commit("a", 0, "0 0")); got.Position != 1 {
			t.Errorf("a request of the first life is repeated as %+v", got)
		}
		refused(t, l, Commit("a", 0, "conflict"), commitlog.ErrConflict)
		closed(t, l)
	}
}

func testConcurrentWriters(t *testing.T, open Open) {
	l := opened(t, open)
	const writers, each = 8, 40
	follower := make(chan []commitlog.Commit, 1)
	go func() {
		var got []commitlog.Commit
		for c, err := range l.Follow(t.Context(), 0) {
			if err != nil {
				t.Errorf("follow: %v", err)
				break
			}
			if got = append(got, c); len(got) == writers*each*2 {
				break
			}
		}
		follower <- got
	}()

	// Half of the commits go to a stream of the writer's, half to one that all share, where a writer tries until the
	// version it has seen is the right one.
	receipts := make([]map[string]commitlog.Receipt, writers)
	var wg sync.WaitGroup
	for w := range writers {
		receipts[w] = map[string]commitlog.Receipt{}
		wg.Go(func() {
			for i := range uint64(each) {
				id := fmt.Sprintf("%d-%d", w, i)
				r, err := l.Append(t.Context(), Commit(fmt.Sprintf("own/%d", w), i, id))
				if err != nil {
					t.Errorf("append %s: %v", id, err)
					return
				}
				receipts[w][fmt.Sprintf("own/%d", w)+id] = r
				for version := uint64(0); ; {
					r, err := l.Append(t.Context(), Commit("shared", version, id))
					if err == nil {
						receipts[w]["shared"+id] = r
						break
					}
					if !errors.Is(err, commitlog.ErrConflict) {
						t.Errorf("append %s: %v", id, err)
						return
					}
					// Read your own refusal: the stream has moved on.
					before := version
					for e, err := range l.Read(t.Context(), "shared", version) {
						if err != nil {
							t.Errorf("read: %v", err)
							return
						}
						version = e.Version
					}
					if version == before {
						t.Errorf("conflict at version %d, which is still the last one", version)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	got := <-follower
	versions := map[string]uint64{}
	for i, c := range got {
		a := c.Appends[0]
		if c.Position != uint64(i)+1 {
			t.Fatalf("commit %d has position %d", i+1, c.Position)
		}
		if a.Expected != versions[a.Stream] {
			t.Fatalf("commit %d expects version %d of %s, which has %d", c.Position, a.Expected, a.Stream, versions[a.Stream])
		}
		versions[a.Stream] = a.Last()
		var w int
		if _, err := fmt.Sscanf(c.RequestID, "%d-", &w); err != nil {
			t.Fatal(err)
		}
		equal(t, "receipt of "+c.RequestID, receipts[w][a.Stream+c.RequestID], c.Receipt())
	}
	if versions["shared"] != writers*each {
		t.Errorf("the shared stream has version %d, want %d", versions["shared"], writers*each)
	}
}

func testFollow(t *testing.T, open Open) {
	l := opened(t, open)
	const n = 300
	seen := make(chan uint64)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		for c, err := range l.Follow(ctx, 0) {
			if err != nil {
				ended <- err
				return
			}
			seen <- c.Position
		}
	}()
	// One at a time: each commit wakes a follower that waits.
	for i := range uint64(n / 2) {
		mustAppend(t, l, Commit("a", i, fmt.Sprint(i)))
		if got := <-seen; got != i+1 {
			t.Fatalf("follower saw %d, want %d", got, i+1)
		}
	}
	// And all the rest behind its back.
	for i := uint64(n / 2); i < n; i++ {
		mustAppend(t, l, Commit("a", i, fmt.Sprint(i)))
	}
	for i := uint64(n / 2); i < n; i++ {
		if got := <-seen; got != i+1 {
			t.Fatalf("follower saw %d, want %d", got, i+1)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("follower ended with %v", err)
	}

	// A cursor in the middle goes on there, within the batch of a backend and at its edges.
	for _, after := range []uint64{1, 127, 128, 129, n - 1} {
		position := after
		for c, err := range l.Follow(t.Context(), after) {
			if err != nil {
				t.Fatal(err)
			}
			if position++; c.Position != position {
				t.Fatalf("follower from %d saw %d, want %d", after, c.Position, position)
			}
			if position == n {
				break
			}
		}
	}
}

func testFollowEnds(t *testing.T, open Open) {
	l := open(t, t.TempDir())
	mustAppend(t, l, Commit("a", 0, "1"))
	for _, err := range l.Follow(t.Context(), 2) {
		if !errors.Is(err, commitlog.ErrAhead) {
			t.Errorf("follow beyond the end: %v", err)
		}
	}
	ended := make(chan error, 1)
	waiting := make(chan struct{})
	go func() {
		var last error
		for _, err := range l.Follow(t.Context(), 0) {
			if last = err; err == nil {
				close(waiting)
			}
		}
		ended <- last
	}()
	<-waiting
	// A consumer may close the log that it follows.
	for _, err := range l.Follow(t.Context(), 0) {
		if err != nil && !errors.Is(err, commitlog.ErrClosed) {
			t.Errorf("follow a closed log: %v", err)
		}
		closed(t, l)
	}
	if err := <-ended; !errors.Is(err, commitlog.ErrClosed) {
		t.Errorf("follower ended with %v", err)
	}
}

func testClosed(t *testing.T, open Open) {
	l := open(t, t.TempDir())
	mustAppend(t, l, Commit("a", 0, "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ctx, Commit("a", 1, "2")); !errors.Is(err, context.Canceled) {
		t.Errorf("append without waiting: %v", err)
	}
	closed(t, l)
	closed(t, l) // closing twice is closing once
	refused(t, l, Commit("a", 1, "2"), commitlog.ErrClosed)
	if _, _, _, err := l.Lookup(t.Context(), "a", "1"); !errors.Is(err, commitlog.ErrClosed) {
		t.Errorf("lookup: %v", err)
	}
	for _, err := range l.Read(t.Context(), "a", 0) {
		if !errors.Is(err, commitlog.ErrClosed) {
			t.Errorf("read: %v", err)
		}
	}
}

// testForEver writes so many commits that no cache holds them, starts again, and repeats the first.
func testForEver(t *testing.T, open Open) {
	if testing.Short() {
		t.Skip("writes 100,000 commits")
	}
	const writers, each = 200, 500
	dir := t.TempDir()
	l := open(t, dir)
	first := mustAppend(t, l, Commit("writer/0", 0, "0"))
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range uint64(each) {
				// The first commit of writer 0 is there and is repeated at once.
				if _, err := l.Append(t.Context(), Commit(fmt.Sprintf("writer/%d", w), i, fmt.Sprint(i))); err != nil {
					t.Errorf("append %d of writer %d: %v", i, w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	closed(t, l)
	if t.Failed() {
		return
	}
	l = open(t, dir)
	defer closed(t, l)
	equal(t, "receipt of the first commit", first, mustAppend(t, l, Commit("writer/0", 0, "0")))
	other := Commit("writer/0", each, "0")
	other.Digest = Digest("another command")
	refused(t, l, other, commitlog.ErrRequestReused)
	if r := mustAppend(t, l, Commit("writer/0", each, "the last")); r.Position != writers*each+1 {
		t.Errorf("the next commit has position %d, want %d", r.Position, writers*each+1)
	}
	if got := collect(t, l.Read(t.Context(), "writer/7", 0)); len(got) != each {
		t.Errorf("a writer's stream has %d events, want %d", len(got), each)
	}
}
