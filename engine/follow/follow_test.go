package follow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/follow"
)

func start() time.Time {
	return time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("UTC+8", 8*3600))
}

func newLog(t testing.TB) *badgerlog.Log {
	t.Helper()
	log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(t.TempDir(), "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// appendTo appends an event with a text to a stream.
func appendTo(t testing.TB, log commitlog.Log, stream string, expected uint64, text string) uint64 {
	t.Helper()
	r, err := log.Append(t.Context(), commitlog.Commit{
		RequestID: fmt.Sprint(expected), Digest: bytes.Repeat([]byte{1}, 32), At: start(),
		Appends: []commitlog.Append{{Stream: stream, Expected: expected, Events: []commitlog.Event{{Type: "test.Event", Public: []byte(text)}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Position
}

// handler makes an item of each event, under the event's text, and does what the test says.
type handler struct {
	digest func(stream, text string) ([]follow.Item, error) // nil: an item of the text, in the lane of the stream
	work   func(context.Context, follow.Item) error
}

func (h *handler) Digest(_ context.Context, a commitlog.Append) ([]follow.Item, error) {
	var items []follow.Item
	for _, e := range a.Events {
		if h.digest == nil {
			items = append(items, follow.Item{Key: string(e.Public), Stream: a.Stream, Lane: a.Stream})
			continue
		}
		more, err := h.digest(a.Stream, string(e.Public))
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
	}
	return items, nil
}

func (h *handler) Work(ctx context.Context, item follow.Item) error { return h.work(ctx, item) }

// running is a follower that runs until the test stops it.
type running struct {
	*follow.Follower
	t    testing.TB
	stop func()
}

func run(t testing.TB, c follow.Config) *running {
	t.Helper()
	c.Name = "test"
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	f, err := follow.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	var once sync.Once
	r := &running{Follower: f, t: t, stop: func() {
		once.Do(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("follower ended with %v", err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}}
	t.Cleanup(r.stop)
	return r
}

// recorder collects what was worked.
type recorder struct {
	worked chan follow.Item
}

func newRecorder() *recorder { return &recorder{worked: make(chan follow.Item, 1000)} }

func (r *recorder) work(_ context.Context, item follow.Item) error {
	r.worked <- item
	return nil
}

// next returns the keys of the next n items, sorted.
func (r *recorder) next(t testing.TB, n int) []string {
	t.Helper()
	var keys []string
	for range n {
		select {
		case item := <-r.worked:
			keys = append(keys, item.Key)
		case <-t.Context().Done():
			t.Fatal("the test ended")
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d of %d items were worked", len(keys), n)
		}
	}
	slices.Sort(keys)
	return keys
}

func (r *recorder) none(t testing.TB) {
	t.Helper()
	select {
	case item := <-r.worked:
		t.Errorf("%s was worked", item.Key)
	default:
	}
}

func equal[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestFollower_WorksOnce(t *testing.T) {
	t.Parallel()
	log, dir, r := newLog(t), t.TempDir(), newRecorder()
	c := follow.Config{Dir: dir, Log: log, Clock: follow.NewStandingClock(start()), Handler: &handler{work: r.work}}
	appendTo(t, log, "a", 0, "1")
	f := run(t, c)
	equal(t, "worked", []string{"1"}, r.next(t, 1))
	appendTo(t, log, "b", 0, "2")
	appendTo(t, log, "a", 1, "3")
	equal(t, "worked", []string{"2", "3"}, r.next(t, 2))
	f.stop()
	f = run(t, c) // goes on where it stood
	last := appendTo(t, log, "b", 1, "4")
	equal(t, "worked", []string{"4"}, r.next(t, 1))
	if err := f.Wait(t.Context(), last); err != nil {
		t.Error(err)
	}
	f.stop()
	r.none(t)
}

func TestFollower_WorksAgainAfterACrash(t *testing.T) {
	t.Parallel()
	log, dir, r := newLog(t), t.TempDir(), newRecorder()
	begun := make(chan int, 10)
	c := follow.Config{Dir: dir, Log: log, Clock: follow.NewClock(start()), Handler: &handler{work: func(ctx context.Context, item follow.Item) error {
		begun <- item.Attempt
		<-ctx.Done()
		return ctx.Err()
	}}}
	appendTo(t, log, "a", 0, "1")
	f := run(t, c)
	equal(t, "attempt", 1, <-begun)
	// What a crash now would leave on disk.
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	f.stop()
	c.Dir, c.Handler = copied, &handler{work: r.work}
	run(t, c)
	item := <-r.worked
	equal(t, "attempt after the crash", 2, item.Attempt)

	// Stopping in good order is no attempt.
	c.Dir = dir
	run(t, c)
	item = <-r.worked
	equal(t, "attempt after a stop", 1, item.Attempt)
}

func TestFollower_TriesAgainAfterABackoff(t *testing.T) {
	t.Parallel()
	log, clock := newLog(t), follow.NewStandingClock(start())
	begun := make(chan int)
	run(t, follow.Config{Dir: t.TempDir(), Log: log, Clock: clock, Handler: &handler{work: func(_ context.Context, item follow.Item) error {
		begun <- item.Attempt
		if item.Attempt < 4 {
			return errors.New("not yet")
		}
		return nil
	}}})
	appendTo(t, log, "a", 0, "1")
	equal(t, "first attempt", 1, <-begun)
	for i := 2; i <= 4; i++ {
		select {
		case <-begun:
			t.Fatalf("attempt %d without waiting", i)
		default:
		}
		// The failure may not be on the list yet when the clock moves, so it is moved until the next attempt begins.
		for waiting := true; waiting; {
			clock.Advance(time.Second)
			select {
			case n := <-begun:
				equal(t, "attempt", i, n)
				waiting = false
			case <-time.After(time.Millisecond):
			}
		}
	}
	if passed := clock.Now().Sub(start()); passed < 7*time.Second {
		t.Errorf("four attempts within %v", passed)
	}
}

func TestFollower_WaitsUntilItIsDue(t *testing.T) {
	t.Parallel()
	log, clock, r := newLog(t), follow.NewStandingClock(start()), newRecorder()
	due := map[string]time.Duration{"soon": time.Hour, "later": 48 * time.Hour}
	f := run(t, follow.Config{Dir: t.TempDir(), Log: log, Clock: clock, Handler: &handler{
		digest: func(stream, text string) ([]follow.Item, error) {
			if text == "cancel" {
				return []follow.Item{{Key: "later", Cancel: true}}, nil
			}
			return []follow.Item{{Key: text, Stream: stream, Due: start().Add(due[text])}}, nil
		},
		work: r.work,
	}})
	appendTo(t, log, "a", 0, "later")
	position := appendTo(t, log, "a", 1, "soon")
	if err := f.Wait(t.Context(), position); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Due(); n != 0 || err != nil || f.Position() != position {
		t.Errorf("%d are due at %d, %v", n, f.Position(), err)
	}
	clock.Advance(time.Hour - time.Second)
	r.none(t)
	clock.Advance(time.Second)
	equal(t, "worked", []string{"soon"}, r.next(t, 1))
	position = appendTo(t, log, "a", 2, "cancel")
	if err := f.Wait(t.Context(), position); err != nil {
		t.Fatal(err)
	}
	clock.Advance(100 * time.Hour) // a jump
	appendTo(t, log, "a", 3, "now")
	equal(t, "worked", []string{"now"}, r.next(t, 1))
	r.none(t)
}

// What is due and what is under way is due; what is done is not.
func TestFollower_Due(t *testing.T) {
	t.Parallel()
	log, begun, end := newLog(t), make(chan struct{}, 10), make(chan struct{})
	f := run(t, follow.Config{Dir: t.TempDir(), Log: log, Clock: follow.NewStandingClock(start()), Concurrency: 1, Handler: &handler{work: func(context.Context, follow.Item) error {
		begun <- struct{}{}
		<-end
		return nil
	}}})
	for i := range uint64(3) {
		appendTo(t, log, fmt.Sprint("stream", i), 0, fmt.Sprint("now ", i))
	}
	<-begun
	if err := f.Wait(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Due(); n != 3 || err != nil {
		t.Errorf("%d are due, %v", n, err)
	}
	close(end)
	for deadline := time.Now().Add(10 * time.Second); ; <-time.After(time.Millisecond) {
		if n, err := f.Due(); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d are due, %v", n, err)
		} else if n == 0 {
			break
		}
	}
}

func TestFollower_ASlowLaneDelaysNoOther(t *testing.T) {
	t.Parallel()
	log, r := newLog(t), newRecorder()
	release, most := make(chan struct{}), make(chan struct{}, 100)
	run(t, follow.Config{Dir: t.TempDir(), Log: log, Clock: follow.NewStandingClock(start()), Concurrency: 2, Handler: &handler{
		work: func(ctx context.Context, item follow.Item) error {
			if item.Lane == "slow" {
				most <- struct{}{}
				<-release
			}
			return r.work(ctx, item)
		},
	}})
	for i := range uint64(5) {
		appendTo(t, log, "slow", i, fmt.Sprint("slow ", i))
	}
	for i := range uint64(3) {
		appendTo(t, log, "quick", i, fmt.Sprint("quick ", i))
	}
	equal(t, "worked", []string{"quick 0", "quick 1", "quick 2"}, r.next(t, 3))
	if len(most) != 2 {
		t.Errorf("%d of a lane are worked at a time, want 2", len(most))
	}
	close(release)
	equal(t, "worked", []string{"slow 0", "slow 1", "slow 2", "slow 3", "slow 4"}, r.next(t, 5))
}

func TestFollower_ParksWhatItCannotDigest(t *testing.T) {
	t.Parallel()
	log, dir, r := newLog(t), t.TempDir(), newRecorder()
	var logged bytes.Buffer
	broken := true
	h := &handler{work: r.work, digest: func(stream, text string) ([]follow.Item, error) {
		if broken && text == "bad" {
			return nil, errors.New("what is this")
		}
		return []follow.Item{{Key: stream + text, Stream: stream}}, nil
	}}
	c := follow.Config{Dir: dir, Log: log, Clock: follow.NewStandingClock(start()), Handler: h, Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	f := run(t, c)
	appendTo(t, log, "a", 0, "1")
	equal(t, "worked", []string{"a1"}, r.next(t, 1))
	appendTo(t, log, "a", 1, "bad")
	appendTo(t, log, "a", 2, "3")
	appendTo(t, log, "b", 0, "1")
	equal(t, "worked", []string{"b1"}, r.next(t, 1))
	parked, err := f.Parked()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "parked", map[string]string{"a": "what is this"}, parked)
	equal(t, "alarms", 1, f.Alarms())
	if err := f.Err(); !errors.Is(err, follow.ErrParked) {
		t.Errorf("with a parked stream: %v", err)
	}
	f.stop()
	if !bytes.Contains(logged.Bytes(), []byte("level=ERROR")) {
		t.Error("nobody was told")
	}
	broken = false // mended, and started again
	f = run(t, c)
	equal(t, "worked", []string{"a3", "abad"}, r.next(t, 2))
	if err := f.Err(); err != nil {
		t.Errorf("without one: %v", err)
	}
	f.stop()
	r.none(t)
}

// A parked stream is taken up while the follower runs, whatever is committed meanwhile; one that still cannot be digested stays
// parked.
func TestFollower_TakeUp(t *testing.T) {
	t.Parallel()
	log, r := newLog(t), newRecorder()
	var broken atomic.Bool
	broken.Store(true)
	var meanwhile func()
	h := &handler{work: r.work, digest: func(stream, text string) ([]follow.Item, error) {
		if broken.Load() && text == "bad" {
			return nil, errors.New("what is this")
		}
		if text == "bad" {
			meanwhile()
		}
		return []follow.Item{{Key: stream + text, Stream: stream}}, nil
	}}
	f := run(t, follow.Config{Dir: t.TempDir(), Log: log, Clock: follow.NewStandingClock(start()), Handler: h})
	if err := f.TakeUp(t.Context(), "a"); !errors.Is(err, follow.ErrNotParked) {
		t.Errorf("a stream that is not parked: %v", err)
	}
	appendTo(t, log, "a", 0, "bad")
	appendTo(t, log, "b", 0, "1")
	equal(t, "worked", []string{"b1"}, r.next(t, 1))
	if err := f.TakeUp(t.Context(), "a"); !errors.Is(err, follow.ErrParked) || !strings.Contains(err.Error(), "what is this") {
		t.Errorf("what still cannot be digested: %v", err)
	}
	if err := f.Err(); !errors.Is(err, follow.ErrParked) {
		t.Errorf("it stays parked: %v", err)
	}
	// While it is digested anew, more comes in the same stream: it may not pass the follower by.
	meanwhile = func() {
		at := appendTo(t, log, "a", 1, "2")
		for patience := 20; patience > 0 && f.Position() < at; patience-- { // it waits, so that all of them pass
			<-time.After(time.Millisecond)
		}
	}
	broken.Store(false)
	if err := f.TakeUp(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	equal(t, "worked", []string{"a2", "abad"}, r.next(t, 2))
	if err := f.Err(); err != nil {
		t.Errorf("nothing is parked: %v", err)
	}
	f.stop()
	r.none(t)
}

func TestFollower_ParksWhatFailsTooOften(t *testing.T) {
	t.Parallel()
	log, dir, r, clock := newLog(t), t.TempDir(), newRecorder(), follow.NewClock(start())
	c := follow.Config{Dir: dir, Log: log, Clock: clock, Attempts: 2, Handler: &handler{work: func(ctx context.Context, item follow.Item) error {
		if item.Stream == "bad" {
			return errors.New("never")
		}
		return r.work(ctx, item)
	}}}
	f := run(t, c)
	appendTo(t, log, "bad", 0, "1")
	for n := uint64(0); f.Alarms() == 0; n++ {
		appendTo(t, log, "good", n, fmt.Sprint("good ", n))
		r.next(t, 1)
		clock.Advance(time.Minute)
	}
	parked, err := f.Parked()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "parked", map[string]string{"bad": "never"}, parked)
	for deadline := time.Now().Add(10 * time.Second); ; <-time.After(time.Millisecond) { // it is put off when it is looked at
		if n, err := f.Due(); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d of a parked stream are due, %v", n, err)
		} else if n == 0 {
			break
		}
	}
	f.stop()
	c.Handler = &handler{work: r.work}
	run(t, c)
	equal(t, "worked", []string{"1"}, r.next(t, 1))
}

func TestFollower_WorkThatIsMadeAnewMeanwhileStays(t *testing.T) {
	t.Parallel()
	log, r := newLog(t), newRecorder()
	release := make(chan struct{})
	f := run(t, follow.Config{Dir: t.TempDir(), Log: log, Clock: follow.NewStandingClock(start()), Handler: &handler{
		digest: func(stream, text string) ([]follow.Item, error) {
			return []follow.Item{{Key: "one", Stream: stream, Payload: []byte(text)}}, nil
		},
		work: func(ctx context.Context, item follow.Item) error {
			if err := r.work(ctx, item); err != nil {
				return err
			}
			<-release
			return nil
		},
	}})
	appendTo(t, log, "a", 0, "first")
	equal(t, "payload", "first", string((<-r.worked).Payload))
	position := appendTo(t, log, "a", 1, "second")
	if err := f.Wait(t.Context(), position); err != nil {
		t.Fatal(err)
	}
	close(release)
	equal(t, "payload", "second", string((<-r.worked).Payload))
}

func TestFollower_BeginsAnewOnAnotherLog(t *testing.T) {
	t.Parallel()
	dir, r := t.TempDir(), newRecorder()
	c := follow.Config{Dir: dir, Log: newLog(t), Clock: follow.NewStandingClock(start()), Handler: &handler{work: r.work}}
	appendTo(t, c.Log, "a", 0, "1")
	appendTo(t, c.Log, "a", 1, "2")
	appendTo(t, c.Log, "a", 2, "3")
	f := run(t, c)
	r.next(t, 3)
	f.stop()
	c.Log = newLog(t) // restored from before its second commit
	appendTo(t, c.Log, "a", 0, "1")
	run(t, c)
	equal(t, "worked", []string{"1"}, r.next(t, 1))
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	whole := follow.Config{Name: "x", Dir: t.TempDir(), Log: newLog(t), Handler: &handler{}, Clock: follow.NewStandingClock(start()), Logger: slog.New(slog.DiscardHandler)}
	for _, tt := range []struct {
		name string
		lose func(*follow.Config)
	}{
		{"no name", func(c *follow.Config) { c.Name = "" }},
		{"no folder", func(c *follow.Config) { c.Dir = "" }},
		{"no log", func(c *follow.Config) { c.Log = nil }},
		{"no handler", func(c *follow.Config) { c.Handler = nil }},
		{"no clock", func(c *follow.Config) { c.Clock = nil }},
		{"no logger", func(c *follow.Config) { c.Logger = nil }},
		{"negative", func(c *follow.Config) { c.Attempts = -1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := whole
			tt.lose(&c)
			if f, err := follow.Open(c); err == nil {
				t.Error("opened", f.Close())
			}
		})
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	clock := follow.NewStandingClock(start())
	soon, _ := clock.Reach(start().Add(time.Hour))
	never, stop := clock.Reach(start().Add(time.Hour))
	stop()
	later, stop := clock.Reach(start().Add(2 * time.Hour))
	defer stop()
	open := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return false
		default:
			return true
		}
	}
	if !open(soon) {
		t.Error("woken before its time")
	}
	equal(t, "time", start().Add(time.Hour), clock.Advance(time.Hour))
	if open(soon) || !open(never) || !open(later) {
		t.Error("woken the wrong ones")
	}
	if past, _ := clock.Reach(start()); open(past) {
		t.Error("waits for what has passed")
	}

	running := follow.NewClock(start())
	if d := running.Now().Sub(start()); d < 0 || d > time.Minute || running.Now().Location().String() != "UTC+8" {
		t.Errorf("a clock that was just started is %v ahead, in %v", d, running.Now().Location())
	}
	tick, _ := running.Reach(running.Now().Add(time.Millisecond))
	<-tick
	far, _ := running.Reach(start().AddDate(0, 1, 0))
	running.Advance(40 * 24 * time.Hour)
	<-far
}

// With too little room the follower waits, with what it has begun too, and goes on when there is some.
func TestFollower_WaitsForRoomOnTheDisk(t *testing.T) {
	t.Parallel()
	log, r := newLog(t), newRecorder()
	var free atomic.Uint64
	free.Store(durable.DefaultMinFree / 2)
	begun, finish := make(chan struct{}), make(chan struct{})
	f := run(t, follow.Config{Dir: t.TempDir(), Log: log, Clock: follow.NewStandingClock(start()),
		Space: durable.Space{Free: func(string) (uint64, error) { return free.Load(), nil }},
		Handler: &handler{work: func(ctx context.Context, item follow.Item) error {
			if item.Key == "1" {
				close(begun)
				<-finish
			}
			return r.work(ctx, item)
		}}})
	appendTo(t, log, "a", 0, "1")
	<-begun
	free.Store(0)
	close(finish)
	equal(t, "worked", []string{"1"}, r.next(t, 1)) // its end is not on the list yet
	position := appendTo(t, log, "a", 1, "2")
	waiting, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := f.Wait(waiting, position); err == nil {
		t.Error("digested on a full disk")
	}
	free.Store(durable.DefaultMinFree / 2)
	equal(t, "worked", []string{"2"}, r.next(t, 1))
	if err := f.Wait(t.Context(), position); err != nil {
		t.Error(err)
	}
	f.stop()
	r.none(t) // and "1" was not worked again
}

// Work that says when it is tried again is, however often, and its stream is not parked.
func TestFollower_Later(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	clock := follow.NewStandingClock(start())
	attempts := make(chan int, 10)
	c := follow.Config{Dir: t.TempDir(), Log: log, Clock: clock, Attempts: 2, Handler: &handler{work: func(_ context.Context, item follow.Item) error {
		at := clock.Now().Add(24 * time.Hour)
		attempts <- item.Attempt // the test puts the clock forward
		if item.Attempt == 5 {
			return nil
		}
		return fmt.Errorf("not now: %w", &follow.Later{At: at, Err: errors.New("busy")})
	}}}
	appendTo(t, log, "a", 0, "1")
	f := run(t, c)
	for want := 1; want <= 5; want++ {
		equal(t, "attempt", want, <-attempts)
		clock.Advance(24 * time.Hour)
	}
	parked, err := f.Parked()
	if err != nil || len(parked) > 0 || f.Alarms() > 0 {
		t.Errorf("parked %v, %v, with %d alarms", parked, err, f.Alarms())
	}
}

// Work that a person wants again is done at once, in place of that which waits, with its attempts counted anew; also work
// that had left the list.
func TestFollower_Add(t *testing.T) {
	t.Parallel()
	log, dir := newLog(t), t.TempDir()
	clock := follow.NewStandingClock(start())
	type did struct {
		Payload string
		Attempt int
	}
	worked := make(chan did, 10)
	release := make(chan error, 10)
	c := follow.Config{Dir: dir, Log: log, Clock: clock, Handler: &handler{work: func(_ context.Context, item follow.Item) error {
		worked <- did{string(item.Payload), item.Attempt}
		return <-release
	}}}
	appendTo(t, log, "a", 0, "1")
	f := run(t, c)
	again := func(payload string) {
		t.Helper()
		if err := f.Add(t.Context(), follow.Item{Key: "1", Stream: "a", Lane: "a", Payload: []byte(payload)}); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "first", did{"", 1}, <-worked)
	again("while it is done") // it is not disturbed
	release <- &follow.Later{At: clock.Now().Add(time.Hour), Err: errors.New("busy")}
	for done := false; !done; { // until the list has it that it waits
		select {
		case d := <-worked:
			done = true
			equal(t, "again", did{"while it waits", 1}, d)
		default:
			again("while it waits")
		}
	}
	release <- nil
	for done := false; !done; {
		select {
		case d := <-worked:
			done = true
			equal(t, "after it was done", did{"after", 1}, d)
		default:
			again("after")
		}
	}
	release <- nil
	f.stop()
}
