package snapshot

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
)

func filled(pages int) []byte {
	content := make([]byte, pages*os.Getpagesize())
	lots := rand.NewChaCha8([32]byte{1})
	_, _ = lots.Read(content)
	return content
}

// TestReset writes at random, from single bytes to the whole view, and compares every byte after each time that the view
// was set back, for each way that this machine has.
func TestReset(t *testing.T) {
	t.Parallel()
	t.Logf("ways: %v", Ways())
	content := filled(2*512 + 100) // more regions than one scan returns
	for _, way := range Ways() {
		t.Run(way.String(), func(t *testing.T) {
			t.Parallel()
			image, err := New(content)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = image.Close() }()
			var all sync.WaitGroup
			for worker := range 2 {
				all.Go(func() { hammer(t, image, way, uint64(worker)) })
			}
			all.Wait()
			if !bytes.Equal(image.Bytes(), content) {
				t.Error("the image has changed")
			}
		})
	}
}

func hammer(t *testing.T, image *Image, way Way, seed uint64) {
	page := os.Getpagesize()
	view, err := image.View(image.Size()+4*page, way)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = view.Close() }()
	lots := rand.New(rand.NewPCG(seed, 0))
	for round := range 2 * protectEvery {
		memory := view.Bytes()[:image.Size()]
		switch kind := round % 20; min(kind, 4) % 4 {
		case 0: // nothing
		case 1: // here and there
			for range 1 + lots.IntN(50) {
				memory[lots.IntN(len(memory))] ^= 0xff
			}
		case 2: // every second page: as many regions as there can be
			for at := 0; at < len(memory); at += 2 * page {
				memory[at+lots.IntN(page)]++
			}
		case 3: // all of it, the first and the last byte too
			for at := range memory {
				memory[at] = 0xaa
			}
		}
		if err := view.Reset(); err != nil {
			t.Error(err)
			return
		}
		if !slices.Equal(memory, image.Bytes()) {
			t.Errorf("round %d: the view is not the image", round)
			return
		}
	}
}

func TestView_Zeros(t *testing.T) {
	t.Parallel()
	page := os.Getpagesize()
	image, err := New(filled(2))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = image.Close() }()
	view, err := image.View(8*page, CopyAll)
	if err != nil {
		t.Fatal(err)
	}
	if rest := view.Bytes()[2*page:]; !slices.Equal(rest, make([]byte, 6*page)) || len(rest) != 6*page {
		t.Error("behind the image are no zeros")
	}
	if err := view.Close(); err != nil {
		t.Error(err)
	}
	if err := view.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestNew_Size(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, os.Getpagesize() + 1} {
		if i, err := New(make([]byte, size)); err == nil || i != nil {
			t.Errorf("New(%d bytes) = %v, %v", size, i, err)
		}
	}
}

func TestBest(t *testing.T) {
	t.Parallel()
	if got := Best(small, WrittenPages); got != CopyAll {
		t.Errorf("a small image is set back by %s", got)
	}
	if got := Best(small+1, WrittenPages); got != WrittenPages {
		t.Errorf("a large image is set back by %s", got)
	}
	if fastest := Fastest(); !slices.Contains(Ways(), fastest) {
		t.Errorf("the fastest way %s is none of this machine's %v", fastest, Ways())
	}
}

func BenchmarkReset(b *testing.B) {
	image, err := New(filled(800))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = image.Close() }()
	for _, way := range Ways() {
		for _, pages := range []int{4, 40, 400} {
			b.Run(fmt.Sprintf("way=%s/pages=%d", way, pages), func(b *testing.B) {
				view, err := image.View(image.Size(), way)
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = view.Close() }()
				for b.Loop() {
					for p := range pages {
						view.Bytes()[p*2*os.Getpagesize()]++
					}
					if err := view.Reset(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
