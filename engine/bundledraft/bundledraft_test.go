package bundledraft_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/durable"
)

// clock ticks with each look, so that times differ.
type clock struct{ n atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2026, 3, 16, 9, 0, int(c.n.Add(1)), 0, time.UTC)
}

type fataler interface{ Fatal(...any) }

func open(t fataler, dir string, c *clock) *bundledraft.Store {
	s, err := bundledraft.Open(bundledraft.Config{Dir: dir, Now: c.now, Logger: slog.New(slog.DiscardHandler), Space: durable.Space{MinFree: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(id, actor, what string) bundledraft.Request {
	return bundledraft.Request{ID: id, Actor: actor, Digest: []byte(what)}
}

// A draft is kept as it was written, whatever stands in it, and is there after the store was opened again.
func TestStore(t *testing.T) {
	t.Parallel()
	dir, ticks := t.TempDir(), &clock{}
	s := open(t, dir, ticks)
	text := []byte("bundle: badge\r\n\tname: {{ # 胸牌\n\xff")
	d, err := s.Create(request("1", "ann", "a"), "badge", 3, text)
	if err != nil {
		t.Fatal(err)
	}
	want := &bundledraft.Draft{ID: d.ID, Bundle: "badge", Base: 3, Revision: 1, Created: d.Created, By: "ann", Saved: d.Created, SavedBy: "ann"}
	if diff := cmp.Diff(want, d); diff != "" || len(d.ID) != 36 {
		t.Errorf("begun as (-want +got):\n%s", diff)
	}
	if again, err := s.Create(request("1", "ann", "a"), "badge", 3, text); err != nil || again.ID != d.ID {
		t.Errorf("the same request began another draft: %v, %v", again, err)
	}
	if _, err := s.Create(request("1", "ann", "b"), "other", 3, text); !errors.Is(err, bundledraft.ErrRequestReused) {
		t.Errorf("the same id for something else: %v", err)
	}
	other, err := s.Create(request("1", "ben", "a"), "badge", 3, nil)
	if err != nil || other.ID == d.ID {
		t.Errorf("another one's request of the same id: %v, %v", other, err)
	}
	saved, revision, err := s.Save(request("2", "ben", "s"), d.ID, 1, []byte("second"))
	if err != nil || revision != 2 || saved.SavedBy != "ben" || saved.By != "ann" || !saved.Saved.After(d.Saved) {
		t.Errorf("saved as %+v, %v", saved, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, ticks)
	defer func() { _ = s.Close() }()
	got, kept, err := s.Load(d.ID)
	if err != nil || string(kept) != "second" || got.Revision != 2 {
		t.Errorf("after a restart: %+v, %q, %v", got, kept, err)
	}
	if all, err := s.List(); err != nil || len(all) != 2 || all[0].ID != d.ID || all[1].ID != other.ID {
		t.Errorf("listed: %v, %v", all, err)
	}
	var stale *bundledraft.StaleError
	if _, _, err := s.Save(request("3", "ann", "s"), d.ID, 1, []byte("lost")); !errors.Is(err, bundledraft.ErrStale) || !errors.As(err, &stale) || stale.Current != 2 {
		t.Errorf("saved on a revision that was written over: %v", err)
	}
	if _, revision, err := s.Save(request("2", "ben", "s"), d.ID, 1, []byte("second")); err != nil || revision != 2 {
		t.Errorf("a request that was lost on its way back: revision %d, %v", revision, err)
	}
	if _, _, err := s.Save(request("2", "ben", "other"), d.ID, 2, []byte("third")); !errors.Is(err, bundledraft.ErrRequestReused) {
		t.Errorf("the same id for something else: %v", err)
	}
	if err := s.Discard(d.ID, 1); !errors.Is(err, bundledraft.ErrStale) {
		t.Errorf("discarded on a revision that was written over: %v", err)
	}
	for range 2 {
		if err := s.Discard(d.ID, 2); err != nil {
			t.Errorf("discarded: %v", err)
		}
	}
	if _, _, err := s.Load(d.ID); !errors.Is(err, bundledraft.ErrNotFound) {
		t.Errorf("read after it was discarded: %v", err)
	}
	if fresh, err := s.Create(request("1", "ann", "a"), "badge", 3, text); err != nil || fresh.ID == d.ID {
		t.Errorf("begun again after it was discarded: %v, %v", fresh, err)
	}
}

func TestStore_Bounds(t *testing.T) {
	t.Parallel()
	free := uint64(1 << 40)
	s, err := bundledraft.Open(bundledraft.Config{Dir: t.TempDir(), Now: (&clock{}).now, Logger: slog.New(slog.DiscardHandler),
		Space: durable.Space{MinFree: 1 << 20, Free: func(string) (uint64, error) { return free, nil }}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	large := []byte(strings.Repeat("a", bundledraft.MaxText))
	d, err := s.Create(request("1", "ann", "a"), "badge", 0, large)
	if err != nil {
		t.Fatalf("the largest text: %v", err)
	}
	if _, _, err := s.Save(request("2", "ann", "a"), d.ID, 1, append(large, 'a')); !errors.Is(err, bundledraft.ErrTooLarge) {
		t.Errorf("a larger one: %v", err)
	}
	if _, err := s.Create(request("3", "ann", "a"), "badge", 0, append(large, 'a')); !errors.Is(err, bundledraft.ErrTooLarge) {
		t.Errorf("begun with a larger one: %v", err)
	}
	free = 0
	if _, _, err := s.Save(request("4", "ann", "a"), d.ID, 1, nil); !errors.Is(err, bundledraft.ErrNoSpace) {
		t.Errorf("on a full disk: %v", err)
	}
	free = 1 << 40
	if _, revision, err := s.Save(request("4", "ann", "a"), d.ID, 1, nil); err != nil || revision != 2 {
		t.Errorf("when there is room again: %d, %v", revision, err)
	}
	for i := range bundledraft.MaxDrafts - 1 {
		if _, err := s.Create(request(fmt.Sprint("many", i), "ann", "a"), "badge", 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Create(request("one more", "ann", "a"), "badge", 0, nil); !errors.Is(err, bundledraft.ErrTooMany) {
		t.Errorf("one draft too many: %v", err)
	}
	if again, err := s.Create(request("1", "ann", "a"), "badge", 0, large); err != nil || again.ID != d.ID {
		t.Errorf("a repeated request when there are too many: %v", err)
	}
}

// Of those who save on the same revision one is taken, and the others are told.
func TestStore_TogetherOnOneRevision(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), &clock{})
	defer func() { _ = s.Close() }()
	d, err := s.Create(request("1", "ann", "a"), "badge", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	const writers, rounds = 8, 5
	for round := range rounds {
		var taken, stale atomic.Int64
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				_, _, err := s.Save(request(fmt.Sprint(round, w), "ann", "s"), d.ID, int64(round+1), fmt.Append(nil, w))
				switch {
				case err == nil:
					taken.Add(1)
				case errors.Is(err, bundledraft.ErrStale):
					stale.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 || stale.Load() != writers-1 {
			t.Errorf("round %d: %d were taken, %d told", round, taken.Load(), stale.Load())
		}
	}
}

// Whatever is done, the store says what a plain map says, also after it was opened again.
func TestStore_LikeAMap(t *testing.T) {
	t.Parallel()
	dir, ticks, begun := t.TempDir(), &clock{}, 0
	s := open(t, dir, ticks)
	defer func() { _ = s.Close() }()
	rapid.Check(t, func(t *rapid.T) {
		before, err := s.List()
		for _, d := range before {
			err = errors.Join(err, s.Discard(d.ID, d.Revision))
		}
		if err != nil {
			t.Fatal(err)
		}
		type draft struct {
			revision int64
			text     string
		}
		model := map[string]draft{}
		var ids []string
		for n := range rapid.IntRange(1, 12).Draw(t, "steps") {
			text := rapid.StringN(0, 20, -1).Draw(t, "text")
			id := "none"
			if len(ids) > 0 {
				id = rapid.SampledFrom(ids).Draw(t, "id")
			}
			known, there := model[id]
			expected := known.revision - rapid.Int64Range(0, 1).Draw(t, "behind")
			switch rapid.IntRange(0, 12).Draw(t, "what") {
			case 0, 1, 2:
				begun++
				d, err := s.Create(request(fmt.Sprint(begun), "ann", "a"), "badge", 0, []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				ids, model[d.ID] = append(ids, d.ID), draft{1, text}
			case 3, 4, 5, 6, 7, 8:
				_, revision, err := s.Save(request(fmt.Sprint(n), "ann", "a"), id, expected, []byte(text))
				switch {
				case !there && errors.Is(err, bundledraft.ErrNotFound), there && expected != known.revision && errors.Is(err, bundledraft.ErrStale):
				case there && err == nil && expected == known.revision && revision == expected+1:
					model[id] = draft{revision, text}
				default:
					t.Fatalf("save of %v on %d: %d, %v", known, expected, revision, err)
				}
			case 9, 10, 11:
				err := s.Discard(id, expected)
				switch {
				case !there && err == nil, there && expected != known.revision && errors.Is(err, bundledraft.ErrStale):
				case there && err == nil && expected == known.revision:
					delete(model, id)
				default:
					t.Fatalf("discard of %v on %d: %v", known, expected, err)
				}
			default:
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir, ticks)
			}
		}
		all, err := s.List()
		if err != nil || len(all) != len(model) || !slices.IsSortedFunc(all, func(a, b *bundledraft.Draft) int { return b.Saved.Compare(a.Saved) }) {
			t.Fatalf("%d drafts, want %d, %v", len(all), len(model), err)
		}
		for id, want := range model {
			if d, text, err := s.Load(id); err != nil || d.Revision != want.revision || string(text) != want.text {
				t.Fatalf("%+v, %q, %v, want %+v", d, text, err, want)
			}
		}
	})
}
