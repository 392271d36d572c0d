package api

import (
	"testing"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// Whatever a page token says, the part lies within the list; the parts that follow one another are the whole list.
func FuzzWindow(f *testing.F) {
	f.Add("", int32(0), 120)
	f.Add("NTA", int32(50), 120)
	f.Add("LTE", int32(1), 3)
	f.Add("OTk5OTk5OTk5OTk5OTk5OTk5OTk", int32(100), 3)
	f.Add("OTIyMzM3MjAzNjg1NDc3NTgwNw", int32(100), 3)
	f.Add("?", int32(100), 0)
	f.Fuzz(func(t *testing.T, token string, size int32, n int) {
		if size < 0 || size > 1000 || n < 0 || n > 100_000 { // the schema refuses such sizes
			return
		}
		page := &apiv1.Page{Token: token, Size: size}
		last := -1
		for {
			from, to, next, err := window(page, n)
			if err != nil {
				if last >= 0 {
					t.Fatalf("a token of our own is refused: %v", err)
				}
				return
			}
			if from < 0 || from > to || to > n || last >= 0 && from != last {
				t.Fatalf("of %d entries, after %d: from %d to %d", n, last, from, to)
			}
			if next == "" {
				if to != n {
					t.Fatalf("the list ends at %d of %d", to, n)
				}
				return
			}
			if from == to {
				t.Fatalf("an empty part at %d is followed by another", from)
			}
			last, page.Token = to, next
		}
	})
}
