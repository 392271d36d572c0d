package api

import (
	"slices"
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

// Whatever a page token says, it is refused, or the part is a piece of the lists one after the other, and the parts that
// follow are the rest of them.
func FuzzAcross(f *testing.F) {
	f.Add("", int32(2), uint8(3), uint8(0), uint8(5))
	f.Add("1.", int32(2), uint8(3), uint8(4), uint8(5))
	f.Add("0.Mg", int32(50), uint8(3), uint8(4), uint8(0))
	f.Add("2.", int32(1), uint8(0), uint8(0), uint8(0))
	f.Add("-1.Mg", int32(1), uint8(1), uint8(1), uint8(1))
	f.Add("9223372036854775808", int32(1), uint8(1), uint8(1), uint8(1))
	f.Add("1", int32(0), uint8(60), uint8(60), uint8(0))
	f.Fuzz(func(t *testing.T, token string, size int32, a, b, c uint8) {
		if size < 0 || size > 1000 { // the schema refuses such sizes
			return
		}
		lists := []int{int(a), int(b), int(c)}
		at := func(list, i int) int { return list*1000 + i }
		var whole []int
		for list, n := range lists {
			for i := range n {
				whole = append(whole, at(list, i))
			}
		}
		page := &apiv1.Page{Token: token, Size: size}
		var got []int
		for first := true; ; first = false {
			part, next, err := across(len(lists), page, func(list, size int, token string) ([]int, string, error) {
				if size < 1 {
					t.Fatalf("a part of %d is read of list %d", size, list)
				}
				from, to, next, err := window(&apiv1.Page{Token: token, Size: int32(size)}, lists[list])
				var part []int
				for i := from; i < to; i++ {
					part = append(part, at(list, i))
				}
				return part, next, err
			})
			if err != nil {
				if !first {
					t.Fatalf("a token of our own is refused: %v", err)
				}
				return
			}
			if len(part) > pageSize(page) {
				t.Fatalf("%d entries for a part of %d", len(part), pageSize(page))
			}
			got = append(got, part...)
			if page.Token = next; next == "" || len(got) > len(whole) {
				break
			}
		}
		if from := len(whole) - len(got); from < 0 || !slices.Equal(got, whole[from:]) {
			t.Fatalf("%v is no end of %v", got, whole)
		}
	})
}
