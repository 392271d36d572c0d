package commitlog_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/commitlog"
)

// recorded is a log that has some commits and then waits; reading nothing else.
type recorded struct {
	commitlog.Log
	commits []commitlog.Commit
	read    chan struct{} // closed when all commits were read
}

func (r *recorded) Follow(ctx context.Context, after uint64) iter.Seq2[commitlog.Commit, error] {
	return func(yield func(commitlog.Commit, error) bool) {
		if after > uint64(len(r.commits)) {
			yield(commitlog.Commit{}, commitlog.ErrAhead)
			return
		}
		for _, c := range r.commits[after:] {
			if !yield(c, nil) {
				return
			}
		}
		close(r.read)
		<-ctx.Done()
		yield(commitlog.Commit{}, ctx.Err())
	}
}

func record(n int) *recorded {
	r := &recorded{read: make(chan struct{})}
	for i := range n {
		r.commits = append(r.commits, commitlog.Commit{Epoch: 1, Position: uint64(i + 1), RequestID: fmt.Sprint(i + 1)})
	}
	return r
}

func TestBatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		log  int
		at   commitlog.Cursor
		want []uint64 // positions
		err  error
	}{
		{name: "from the beginning", log: 5, want: []uint64{1, 2, 3, 4, 5}, err: context.Canceled},
		{name: "from a cursor", log: 5, at: commitlog.Cursor{Epoch: 1, Position: 3}, want: []uint64{4, 5}, err: context.Canceled},
		{name: "another epoch at the cursor", log: 5, at: commitlog.Cursor{Epoch: 2, Position: 3}, err: commitlog.ErrOtherLog},
		{name: "a log that ends before the cursor", log: 5, at: commitlog.Cursor{Epoch: 1, Position: 7}, err: commitlog.ErrAhead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var got []uint64
			var failed error
			for batch, err := range commitlog.Batches(ctx, record(tt.log), tt.at, 2) {
				if failed = err; err != nil {
					break
				}
				if len(batch) == 0 || len(batch) > 2 {
					t.Errorf("a batch of %d", len(batch))
				}
				for _, c := range batch {
					got = append(got, c.Position)
				}
				if len(got) == len(tt.want) {
					cancel()
				}
			}
			if !errors.Is(failed, tt.err) {
				t.Errorf("ended with %v, want %v", failed, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error("positions (-want +got):\n" + diff)
			}
		})
	}
}

// What has gathered while the consumer worked comes together, and a consumer that stops leaves nobody behind.
func TestBatches_Gather(t *testing.T) {
	t.Parallel()
	log := record(10)
	sizes := []int{}
	for batch, err := range commitlog.Batches(t.Context(), log, commitlog.Cursor{}, 100) {
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-log.read:
		case <-time.After(20 * time.Second):
			t.Fatal("the log was not read while the consumer worked")
		}
		if sizes = append(sizes, len(batch)); sum(sizes) == 10 {
			break
		}
	}
	if len(sizes) > 2 {
		t.Errorf("batches of %v", sizes)
	}
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}
