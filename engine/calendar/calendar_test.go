package calendar_test

import (
	"testing"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms/kind"
)

// published is the embedded calendar: 2024, 2025 and 2026.
func published(t testing.TB) *calendar.Calendar {
	t.Helper()
	c, found := calendar.Parse(holidays.File, holidays.Source())
	if found != nil {
		t.Fatal(found)
	}
	return c
}

func TestSmoke(t *testing.T) {
	c := published(t)
	d := c.Add(kind.MustDate("2026-09-18"), 11)
	t.Log(d.Explain())
	d = c.Add(kind.MustDate("2026-12-25"), 8)
	t.Log(d.Explain())
	d = c.Due(calendar.Clock{Start: kind.MustDate("2026-09-11"), Limit: calendar.Limit{Unit: calendar.Days, N: 15}, Pauses: []calendar.Pause{{From: kind.MustDate("2026-09-15"), To: kind.MustDate("2026-09-17"), Name: "听证"}}})
	t.Log(d.Explain())
}
