package notices_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/follow/notices"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// The list comes in pages, the newest first, and forgets what is old.
func TestList(t *testing.T) {
	t.Parallel()
	r := &recorder{fail: func(attempt int) error {
		if attempt%2 == 0 {
			return &notices.Failure{Code: "http 410", Permanent: true}
		}
		return nil
	}}
	o := newOffice(t, applicants("test"), map[string]notices.Sender{"test": r})
	o.run()
	o.commit(o.submitted(), accepted())
	if err := o.attempt(); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		o.clock.Advance(24 * time.Hour)
		o.commit(&applicationv1.Event{Kind: &applicationv1.Event_Extended{Extended: &applicationv1.Extended{Bundle: "well", Days: 1, Due: due("2026-04-07"), Notice: "N"}}})
		if err := o.attempt(); err != nil {
			t.Fatal(err)
		}
	}
	pages := func(state notices.State, size int) (days []int, lengths []int) {
		for token, more := "", true; more; more = token != "" {
			page, next, err := o.list.List(state, size, token)
			if err != nil {
				t.Fatal(err)
			}
			lengths = append(lengths, len(page))
			for _, n := range page {
				days = append(days, n.At.In(o.clock.Now().Location()).Day())
			}
			token = next
		}
		return days, lengths
	}
	for _, tt := range []struct {
		state   notices.State
		size    int
		days    []int
		lengths []int
	}{
		{"", 2, []int{6, 5, 4, 3, 2}, []int{2, 2, 1}},
		{"", 5, []int{6, 5, 4, 3, 2}, []int{5}},
		{notices.Failed, 1, []int{5, 3}, []int{1, 1}},
		{notices.Sent, 10, []int{6, 4, 2}, []int{3}},
		{notices.Pending, 10, nil, []int{0}},
	} {
		days, lengths := pages(tt.state, tt.size)
		if !slices.Equal(days, tt.days) || !slices.Equal(lengths, tt.lengths) {
			t.Errorf("%q by %d: days %v in pages of %v, want %v in %v", tt.state, tt.size, days, lengths, tt.days, tt.lengths)
		}
	}
	counts, err := o.list.Count()
	if diff := cmp.Diff(map[notices.State]int{notices.Sent: 3, notices.Failed: 2}, counts); err != nil || diff != "" {
		t.Errorf("counted, %v (-want +got):\n%s", err, diff)
	}
	if _, _, err := o.list.List("", 1, "?"); !errors.Is(err, notices.ErrToken) {
		t.Errorf("a token that is none: %v", err)
	}

	// Two months after the third of them.
	removed, err := o.list.Sweep(t.Context(), time.Date(2026, 3, 5, 8, 0, 0, 0, o.clock.Now().Location()).Add(notices.Keep))
	if err != nil || removed != 3 {
		t.Errorf("removed %d, %v", removed, err)
	}
	if days, _ := pages("", 10); !slices.Equal(days, []int{6, 5}) {
		t.Errorf("of days %v are left", days)
	}
}
