package logtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/commitlog"
	"pgregory.net/rapid"
)

// model is what a log promises, for a few streams and request ids.
type model struct {
	events map[string][]commitlog.Event
	made   map[[2]string]modelCommit // by scope and request id
}

type modelCommit struct {
	receipt commitlog.Receipt
	digest  []byte
}

// append does what a log has to do, without waiting for a disk.
func (m *model) append(c commitlog.Commit, epoch, position uint64) (commitlog.Receipt, error) {
	key := [2]string{c.Appends[0].Stream, c.RequestID}
	if earlier, ok := m.made[key]; ok {
		if !cmp.Equal(earlier.digest, c.Digest) {
			return commitlog.Receipt{}, commitlog.ErrRequestReused
		}
		return earlier.receipt, nil
	}
	for _, a := range c.Appends {
		if uint64(len(m.events[a.Stream])) != a.Expected {
			return commitlog.Receipt{}, commitlog.ErrConflict
		}
	}
	c = stored(c, epoch, position)
	for _, a := range c.Appends {
		m.events[a.Stream] = append(m.events[a.Stream], a.Events...)
	}
	m.made[key] = modelCommit{receipt: c.Receipt(), digest: c.Digest}
	return c.Receipt(), nil
}

// testModel compares random histories with the model. All of them go into one log, each with streams of its own.
func testModel(t *testing.T, open Open) {
	l := opened(t, open)
	var history int
	var position uint64
	epoch := mustAppend(t, l, Commit("first", 0, "first")).Epoch
	position++
	rapid.Check(t, func(t *rapid.T) {
		history++
		m := model{events: map[string][]commitlog.Event{}, made: map[[2]string]modelCommit{}}
		streams := rapid.SampledFrom([]string{fmt.Sprintf("%d/a", history), fmt.Sprintf("%d/b", history), fmt.Sprintf("%d/ab", history)})
		ids := rapid.SampledFrom([]string{"1", "2", "3", "12"})
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				c := Commit("", 0, ids.Draw(t, "id"))
				c.Digest = Digest(rapid.SampledFrom([]string{"one command", "another"}).Draw(t, "command"))
				c.Appends = nil
				for _, stream := range rapid.SliceOfNDistinct(streams, 1, 3, rapid.ID).Draw(t, "streams") {
					// Most expect the right version, some the one before or after.
					expected := uint64(max(0, len(m.events[stream])+rapid.SampledFrom([]int{0, 0, 0, 0, -1, 1}).Draw(t, "off")))
					a := commitlog.Append{Stream: stream, Expected: expected}
					for i := range rapid.IntRange(1, 3).Draw(t, "events") {
						a.Events = append(a.Events, event(fmt.Sprint(position, stream, i)))
					}
					c.Appends = append(c.Appends, a)
				}
				want, refusal := m.append(c, epoch, position+1)
				got, err := l.Append(t.Context(), c)
				if !errors.Is(err, refusal) {
					t.Fatalf("append %+v: %v, want %v", c, err, refusal)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("receipt (-want +got):\n%s", diff)
				}
				position = max(position, got.Position)
			},
			"look up": func(t *rapid.T) {
				stream, id := streams.Draw(t, "stream"), ids.Draw(t, "id")
				want, found := m.made[[2]string{stream, id}]
				receipt, digest, ok, err := l.Lookup(t.Context(), stream, id)
				if err != nil || ok != found {
					t.Fatalf("look up %s in %s: %t, %v; want %t", id, stream, ok, err, found)
				}
				if diff := cmp.Diff(want, modelCommit{receipt, digest}, cmp.AllowUnexported(modelCommit{})); diff != "" {
					t.Fatalf("look up %s in %s (-want +got):\n%s", id, stream, diff)
				}
			},
			"read": func(t *rapid.T) {
				stream := streams.Draw(t, "stream")
				after := rapid.IntRange(0, len(m.events[stream])).Draw(t, "after")
				var got []commitlog.Event
				for e, err := range l.Read(t.Context(), stream, uint64(after)) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, e)
				}
				if want := m.events[stream][after:]; len(want)+len(got) > 0 && !cmp.Equal(want, got) {
					t.Fatalf("read %s after %d (-want +got):\n%s", stream, after, cmp.Diff(want, got))
				}
			},
		})
	})
	// And the log as a whole is dense, and holds what the streams hold.
	versions := map[string]uint64{}
	for i, c := range Commits(t, l, int(position)) {
		if c.Position != uint64(i)+1 || c.Epoch != epoch {
			t.Fatalf("commit %d has position %d and epoch %d", i+1, c.Position, c.Epoch)
		}
		for _, a := range c.Appends {
			if a.Expected != versions[a.Stream] {
				t.Fatalf("commit %d: stream %s has version %d, expected was %d", c.Position, a.Stream, versions[a.Stream], a.Expected)
			}
			versions[a.Stream] = a.Last()
		}
	}
}
