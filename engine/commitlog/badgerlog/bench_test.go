package badgerlog

import (
	"fmt"
	"sync"
	"testing"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/logtest"
)

// benchCommit is a commit of about 1.6 KB, which is what a submission takes, as the first one of its stream or a later
// one.
func benchCommit(stream string, version uint64) commitlog.Commit {
	c := logtest.Commit(stream, version, fmt.Sprint(version))
	c.Appends[0].Events[0].Public = make([]byte, 400)
	c.Appends[0].Events[0].Personal = make([]byte, 1000)
	return c
}

// BenchmarkAppend appends durably, from one caller and from many; ns/op is per commit.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			l := openLog(b, b.TempDir())
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range clients {
				wg.Go(func() {
					// Each application has eight commits in its life, and there are many applications.
					for i := w; i < b.N; i += clients {
						n := uint64(i / clients)
						if _, err := l.Append(b.Context(), benchCommit(fmt.Sprintf("application/%d-%d", w, n/8), n%8)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkRead reads a stream of eight events in a log of 20,000 commits.
func BenchmarkRead(b *testing.B) {
	l := openLog(b, b.TempDir())
	var wg sync.WaitGroup
	for w := range 100 {
		wg.Go(func() {
			for n := range uint64(200) {
				if _, err := l.Append(b.Context(), benchCommit(fmt.Sprintf("application/%d-%d", w, n/8), n%8)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for i := 0; b.Loop(); i++ {
		n := 0
		for _, err := range l.Read(b.Context(), fmt.Sprintf("application/%d-%d", i%100, i%25), 0) {
			if n++; err != nil {
				b.Fatal(err)
			}
		}
		if n != 8 {
			b.Fatalf("%d events, want 8", n)
		}
	}
}
