package view_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/view"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// fill commits whole lives of applications, ten commits each, from 64 callers: filed, accepted, four tasks opened and decided.
func fill(b *testing.B, log *badgerlog.Log, commits int) {
	b.Helper()
	marshal := func(e *applicationv1.Event) []byte {
		e.Personal = nil
		text, err := proto.Marshal(e)
		if err != nil {
			b.Error(err)
		}
		return text
	}
	const life = 10
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n*life >= commits || b.Failed() {
					return
				}
				id := fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)
				number := fmt.Sprintf("32132220260302%06d%d", n%1_000_000, n/1_000_000)
				events := []*applicationv1.Event{submitted(number, "", "2026-03-09", nil, "a"), accepted("a")}
				for t := range 4 {
					task := fmt.Sprintf("%s01%03d", number, t)
					events = append(events, opened(task, "a", fmt.Sprintf("d%d", t), "2026-03-20"), decided(task, "REJECTED"))
				}
				for v, e := range events {
					_, err := log.Append(b.Context(), commitlog.Commit{RequestID: strconv.Itoa(v), Digest: bytes.Repeat([]byte{1}, 32), At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
						Appends: []commitlog.Append{{Stream: "application/" + id, Expected: uint64(v), Events: []commitlog.Event{{Version: uint64(v) + 1, Type: eventType, Public: marshal(e)}}}}})
					if err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// heapDuring is the most heap in use while f runs, in MB, measured every few milliseconds.
func heapDuring(f func()) float64 {
	ended, most := make(chan struct{}), make(chan float64)
	go func() {
		var peak uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-tick.C:
			case <-ended:
				most <- float64(peak) / (1 << 20)
				return
			}
		}
	}()
	f()
	close(ended)
	return <-most
}

// BenchmarkRebuild makes the views anew from a log, which is what a start after a restore, or with another format of the
// views, costs; and opens the log and its views, which is what every start costs. A log of a million commits takes minutes
// to write: it is made where ONETHING_MILLION is set. One iteration is enough: -benchtime 1x.
func BenchmarkRebuild(b *testing.B) {
	sizes := []int{10_000, 100_000}
	if os.Getenv("ONETHING_MILLION") != "" {
		sizes = append(sizes, 1_000_000)
	}
	for _, commits := range sizes {
		b.Run(fmt.Sprintf("commits=%d", commits), func(b *testing.B) {
			o := newOffice(b)
			o.stop()
			fill(b, o.log, commits)
			var heap, opens float64
			var last *view.Views
			i := 0
			for b.Loop() {
				i++
				heap = max(heap, heapDuring(func() {
					last = o.open("views-" + strconv.Itoa(i))
					ctx, cancel := context.WithCancel(context.Background())
					ended := make(chan error, 1)
					go func() { ended <- last.Run(ctx) }()
					for last.Position() < uint64(commits) {
						if _, err := last.Changed(b.Context(), fmt.Sprintf("%08d-0000-4000-8000-000000000000", commits/10-1), 0); err != nil {
							b.Error(err)
						}
						runtime.Gosched()
					}
					cancel()
					if err := <-ended; !errors.Is(err, context.Canceled) {
						b.Error(err)
					}
				}))
				if err := last.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(commits*i)/b.Elapsed().Seconds(), "commits/s")
			b.ReportMetric(heap, "heap-MB")
			// Every start: the log and the views, as they were left.
			if err := o.log.Close(); err != nil {
				b.Fatal(err)
			}
			begin := time.Now()
			log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(o.dir, "log"), Logger: slog.New(slog.DiscardHandler), MinFree: 1})
			if err != nil {
				b.Fatal(err)
			}
			o.log = log
			v := o.open("views-" + strconv.Itoa(i))
			opens = time.Since(begin).Seconds()
			if got := v.Position(); got != uint64(commits) {
				b.Errorf("opened at position %d", got)
			}
			if err := v.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(opens, "open-s")
		})
	}
}
