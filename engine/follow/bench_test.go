package follow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/follow"
)

// BenchmarkLag appends to the log from 64 callers as fast as it takes it, while a follower puts work of each commit on its list
// and does it. It says how far it falls behind at most, and how long it takes, against the time of the load, until it has read all
// and nothing is left to do. One iteration is enough: -benchtime 1x.
func BenchmarkLag(b *testing.B) {
	const callers, commits = 64, 20_000
	for b.Loop() {
		log := newLog(b)
		var worked atomic.Int64
		f, err := follow.Open(follow.Config{Name: "test", Dir: b.TempDir(), Log: log, Clock: follow.NewStandingClock(start()), Logger: slog.New(slog.DiscardHandler),
			Handler: &handler{work: func(context.Context, follow.Item) error {
				worked.Add(1)
				return nil
			}}})
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()

		begin := time.Now()
		var callersDone sync.WaitGroup
		for c := range callers {
			callersDone.Go(func() {
				for v := range uint64(commits / callers) {
					_, err := log.Append(b.Context(), commitlog.Commit{RequestID: fmt.Sprint(v), Digest: bytes.Repeat([]byte{1}, 32), At: start(),
						Appends: []commitlog.Append{{Stream: fmt.Sprintf("a/%d", c), Expected: v, Events: []commitlog.Event{{Type: "test.Event", Public: fmt.Appendf(nil, "%d/%d", c, v)}}}}})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		loaded := make(chan struct{})
		go func() { callersDone.Wait(); close(loaded) }()
		most := uint64(0)
		for load := true; load; {
			select {
			case <-loaded:
				load = false
			case <-time.After(5 * time.Millisecond):
			}
			_, head := log.Head()
			most = max(most, head-min(head, f.Position()))
		}
		load := time.Since(begin)
		_, head := log.Head()
		if err := f.Wait(ctx, head); err != nil {
			b.Fatal(err)
		}
		read := time.Since(begin) - load
		for worked.Load() < int64(head) && b.Context().Err() == nil {
			<-time.After(time.Millisecond)
		}
		done := time.Since(begin) - load
		if due, err := f.Due(); err != nil || due > 1 { // the last one is just being written off
			b.Errorf("%d are due, %v", due, err)
		}
		b.ReportMetric(float64(head)/load.Seconds(), "commits/s")
		b.ReportMetric(float64(most), "most-behind")
		b.ReportMetric(read.Seconds()/load.Seconds(), "read-of-load")
		b.ReportMetric(done.Seconds()/load.Seconds(), "done-of-load")
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.Error(err)
		}
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	}
}
