package calendar_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/examples/holidays"
)

const newYear = `years:
  - year: 2026
    holidays:
      - { name: 元旦, from: 2026-01-01, to: 2026-01-03 }
`

func TestParseReportsEveryFault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		src  string
		want []string // line:column code
	}{
		{"no text", "", []string{"1:1 yaml-empty"}},
		{"no years", "years: []\n", []string{"1:8 calendar-no-years"}},
		{"an unknown key", "yearz: []\n", []string{"1:1 yaml-unknown-key"}},
		{"a lone carriage return", "years:\r  []\n", []string{"1:7 yaml-line-end"}},
		{"a key twice", "years: []\nyears: []\n", []string{"2:1 yaml-duplicate-key"}},
		{"a second document", newYear + "---\nyears: []\n", []string{"5:1 yaml-documents"}},
		{"an alias", "years: &a [*a]\n", []string{"1:8 yaml-alias"}},
		{"a year that is not out", "years:\n  - { year: 2027, holidays: [] }\n", []string{"2:5 calendar-not-published"}},
		{"no year at all", "years:\n  - { holidays: [{ name: 元旦, from: 2026-01-01, to: 2026-01-01 }] }\n", []string{"2:5 calendar-year"}},
		{"a year before the republic", "years:\n  - { year: 1948 }\n", []string{"2:13 calendar-year"}},
		{"a year twice", newYear + strings.TrimPrefix(newYear, "years:\n"), []string{"5:11 calendar-year-twice"}},
		{"a day that is none", strings.Replace(newYear, "2026-01-03", "2026-02-30", 1), []string{"4:43 calendar-date"}},
		{"a day of another year", strings.Replace(newYear, "2026-01-03", "2027-01-03", 1), []string{"4:43 calendar-date-year"}},
		{"a day of the November before", strings.Replace(newYear, "2026-01-01", "2025-11-30", 1), []string{"4:27 calendar-date-year"}},
		{"no name", strings.Replace(newYear, "name: 元旦, ", "", 1), []string{"4:9 calendar-name"}},
		{"the last day before the first", strings.Replace(newYear, "2026-01-01", "2026-01-04", 1), []string{"4:43 calendar-order"}},
		{"a day in two holidays", newYear + "      - { name: 春节, from: 2026-01-03, to: 2026-01-05 }\n", []string{"5:27 calendar-day-twice"}},
		{"a working weekend within a holiday", newYear + "    workdays: [2026-01-03]\n", []string{"5:16 calendar-day-twice"}},
		{"a working weekend on a Monday", newYear + "    workdays: [2026-01-05, 2026-01-04]\n", []string{"5:16 calendar-workday"}},
		{"a working weekend twice", newYear + "    workdays: [2026-01-04, 2026-01-04]\n", []string{"5:28 calendar-day-twice"}},
		{"too many holidays", "years:\n  - year: 2026\n    holidays:\n" + strings.Repeat("      - { name: 元旦, from: 2026-01-01, to: 2026-01-01 }\n", 41),
			[]string{"4:7 calendar-too-many"}},
		{"three faults in one file", `years:
  - year: 2026
    holidays:
      - { name: 元旦, from: 2026-01-1, to: 2026-01-03 }
      - { name: "", from: 2026-02-15, to: 2026-02-23 }
    workdays: [2026-02-13]
`, []string{"4:27 calendar-date", "5:9 calendar-name", "6:16 calendar-workday"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, found := calendar.Parse("holidays.yaml", []byte(test.src))
			if c != nil {
				t.Error("a calendar in spite of the faults")
			}
			var got []string
			for _, d := range found {
				got = append(got, fmt.Sprintf("%d:%d %s", d.Span.Start.Line, d.Span.Start.Column, d.Code))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, found)
			}
		})
	}
}

// The notice of a year may move days of the December before: that of 2019 made 2018-12-29 a working Saturday and
// 2018-12-31 a holiday.
func TestNoticeReachesBack(t *testing.T) {
	t.Parallel()
	const later = `  - year: 2019
    holidays:
      - { name: 元旦, from: 2018-12-30, to: 2019-01-01 }
    workdays: [2018-12-29]
`
	const earlier = `  - year: 2018
    holidays:
      - { name: 国庆节, from: 2018-10-01, to: 2018-10-07 }
`
	for name, src := range map[string]string{"earlier first": earlier + later, "later first": later + earlier} {
		c := parse(t, "years:\n"+src)
		if due := c.Add(day("2018-12-28"), 2); due.Date != day("2019-01-02") {
			t.Errorf("%s: %+v", name, due)
		}
	}
	alone := parse(t, "years:\n"+later)
	if alone.Published(2018) {
		t.Error("2018 is published by the notice of 2019")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(holidays.Source())
	f.Add([]byte(newYear))
	f.Add([]byte("years:\n  - { year: 9999, holidays: [{ name: a, from: 9998-12-01, to: 9999-12-31 }] }\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, found := calendar.Parse("holidays.yaml", src)
		if (c == nil) != (found.Err() != nil) {
			t.Fatalf("%v with %v", c, found)
		}
		if c == nil {
			return
		}
		if due := c.Add(day("2026-01-01"), 3); due.Known {
			if n, _, ok := c.WorkingDaysBetween(day("2026-01-01"), due.Date); !ok || n != 3 {
				t.Fatalf("%d working days to %s", n, due.Date)
			}
		}
	})
}
