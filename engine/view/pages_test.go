package view_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/siyiban/onething/engine/view"
)

// Whatever a page token says, it is refused, or the part is a piece of the list that is asked for, and the parts that
// follow are its rest.
func FuzzPages(f *testing.F) {
	o := newOffice(f)
	lists := []string{"ann", "anna", "bob", ""} // one begins as another does; one is empty
	var last uint64
	for i := range 9 {
		last = o.commit(fmt.Sprint("a", i), submitted(fmt.Sprint(100+i), lists[i%3], "2026-03-09", nil, "newborn"))
	}
	o.wait(last)
	whole := map[string][]string{}
	for _, person := range lists {
		rows, _, err := o.ByPerson(f.Context(), person, view.Page{Size: 100})
		if err != nil {
			f.Fatal(err)
		}
		whole[person] = names(rows)
		if _, token, err := o.ByPerson(f.Context(), person, view.Page{Size: 1}); err != nil {
			f.Fatal(err)
		} else {
			f.Add(uint8(0), token, 2)
			f.Add(uint8(1), token, 1)
		}
	}
	f.Add(uint8(0), "?", 1)
	f.Add(uint8(0), "AAA", 1)
	f.Add(uint8(2), "____AAA", -1)
	f.Fuzz(func(t *testing.T, list uint8, token string, size int) {
		person := lists[int(list)%len(lists)]
		want := whole[person]
		var got []string
		page := view.Page{Size: size, Token: token}
		for first := true; ; first = false {
			rows, next, err := o.ByPerson(t.Context(), person, page)
			if err != nil {
				if !first || !errors.Is(err, view.ErrInvalid) {
					t.Fatalf("after %d rows: %v", len(got), err)
				}
				return
			}
			if len(rows) > size || len(rows) == 0 && next != "" {
				t.Fatalf("%d rows for a part of %d", len(rows), size)
			}
			got = append(got, names(rows)...)
			if page.Token = next; next == "" || len(got) > len(want) {
				break
			}
		}
		if from := len(want) - len(got); from < 0 || !slices.Equal(got, want[from:]) {
			t.Fatalf("%v is no end of %v", got, want)
		}
	})
}
