package calendar_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms/kind"
	"pgregory.net/rapid"
)

// published is the embedded calendar: 2024, 2025 and 2026.
func published(t testing.TB) *calendar.Calendar {
	t.Helper()
	return parse(t, string(holidays.Source()))
}

// without is the embedded calendar as if the notice of the year were not out.
func without(t testing.TB, year int) *calendar.Calendar {
	t.Helper()
	before, after, found := strings.Cut(string(holidays.Source()), "  - year: "+strconv.Itoa(year))
	if !found {
		t.Fatalf("%d is not in the file", year)
	}
	if _, later, found := strings.Cut(after, "  - year: "); found {
		before += "  - year: " + later
	}
	return parse(t, before)
}

func parse(t testing.TB, src string) *calendar.Calendar {
	t.Helper()
	c, found := calendar.Parse("holidays.yaml", []byte(src))
	if found != nil {
		t.Fatal(found)
	}
	return c
}

func day(s string) kind.Date { return kind.MustDate(s) }

// The dates were counted on the notices by another program (in another language), and in part by hand.
func TestAdd(t *testing.T) {
	t.Parallel()
	c := published(t)
	tests := []struct {
		from string
		n    int
		want string
	}{
		{"2024-01-31", 1, "2024-02-01"},
		{"2024-02-02", 3, "2024-02-06"},
		{"2024-02-03", 5, "2024-02-08"},
		{"2024-02-08", 2, "2024-02-18"},
		{"2024-02-09", 10, "2024-02-29"},
		{"2024-02-10", 1, "2024-02-18"},
		{"2024-02-17", 1, "2024-02-18"},
		{"2024-04-03", 1, "2024-04-07"},
		{"2024-04-04", 0, "2024-04-07"},
		{"2024-04-26", 3, "2024-04-30"},
		{"2024-04-30", 1, "2024-05-06"},
		{"2024-05-10", 2, "2024-05-13"},
		{"2024-06-07", 1, "2024-06-11"},
		{"2024-06-09", 0, "2024-06-11"},
		{"2024-09-13", 1, "2024-09-14"},
		{"2024-09-14", 4, "2024-09-23"},
		{"2024-09-27", 5, "2024-10-10"},
		{"2024-09-30", 1, "2024-10-08"},
		{"2024-10-11", 1, "2024-10-12"},
		{"2024-12-31", 1, "2025-01-02"},
		{"2025-01-01", 0, "2025-01-02"},
		{"2025-01-24", 5, "2025-02-07"},
		{"2025-01-27", 1, "2025-02-05"},
		{"2025-02-04", 0, "2025-02-05"},
		{"2025-02-07", 1, "2025-02-08"},
		{"2025-04-03", 1, "2025-04-07"},
		{"2025-04-25", 2, "2025-04-28"},
		{"2025-04-30", 1, "2025-05-06"},
		{"2025-05-30", 1, "2025-06-03"},
		{"2025-06-02", 0, "2025-06-03"},
		{"2025-09-26", 1, "2025-09-28"},
		{"2025-09-30", 8, "2025-10-17"},
		{"2025-10-10", 1, "2025-10-11"},
		{"2025-12-30", 2, "2026-01-04"},
		{"2025-12-31", 1, "2026-01-04"},
		{"2026-01-01", 0, "2026-01-04"},
		{"2026-01-02", 0, "2026-01-04"},
		{"2026-02-10", 5, "2026-02-24"},
		{"2026-02-13", 1, "2026-02-14"},
		{"2026-02-14", 20, "2026-03-20"},
		{"2026-02-16", 0, "2026-02-24"},
		{"2026-02-24", 4, "2026-02-28"},
		{"2026-02-27", 1, "2026-02-28"},
		{"2026-04-03", 2, "2026-04-08"},
		{"2026-04-30", 1, "2026-05-06"},
		{"2026-05-08", 1, "2026-05-09"},
		{"2026-06-18", 2, "2026-06-23"},
		{"2026-09-18", 11, "2026-10-10"},
		{"2026-09-20", 7, "2026-09-30"},
		{"2026-09-24", 1, "2026-09-28"},
		{"2026-09-30", 1, "2026-10-08"},
		{"2026-10-09", 1, "2026-10-10"},
		{"2026-11-24", 20, "2026-12-22"},
		{"2026-10-10", -11, "2026-09-18"},
		{"2026-03-02", -1, "2026-02-28"},
		{"2026-02-24", -2, "2026-02-13"},
		{"2026-01-04", -1, "2025-12-31"},
		{"2026-01-05", -2, "2025-12-31"},
		{"2025-10-09", -1, "2025-09-30"},
		{"2025-02-05", -3, "2025-01-24"},
		{"2024-10-08", -2, "2024-09-29"},
		{"2024-05-06", -2, "2024-04-29"},
		{"2024-02-18", -1, "2024-02-09"},
		{"2024-02-04", -1, "2024-02-02"},
		{"2026-05-09", -5, "2026-04-29"},
		{"2025-06-01", -1, "2025-05-30"},
		{"2025-01-02", -1, "2024-12-31"},
		{"2023-12-31", 1, "2024-01-02"}, // 2023 is not needed
		{"2026-12-31", 0, "2026-12-31"},
		{"2024-01-02", 0, "2024-01-02"},
		{"2024-01-03", -1, "2024-01-02"},
	}
	for _, test := range tests {
		due := c.Add(day(test.from), test.n)
		if !due.Known || due.Date.String() != test.want || due.Unpublished != 0 || due.Earliest != due.Date {
			t.Errorf("%s %+d: %+v, want %s", test.from, test.n, due, test.want)
		}
		if date, unpublished, ok := c.AddWorkingDays(day(test.from), test.n); !ok || date.String() != test.want || unpublished != 0 {
			t.Errorf("%s %+d without derivation: %s, %d, %v", test.from, test.n, date, unpublished, ok)
		}
	}
}

func TestAddNotPublished(t *testing.T) {
	t.Parallel()
	const most = int(^uint(0) >> 1)
	c := published(t)
	tests := []struct {
		name     string
		from     string
		n        int
		year     int
		earliest string // "" if there is none
	}{
		{"over New Year", "2026-12-28", 5, 2027, "2027-01-03"},
		{"New Year itself never works", "2026-12-31", 1, 2027, "2027-01-02"},
		{"from a day that is not published", "2027-04-30", 1, 2027, "2027-05-03"},
		{"the day itself", "2027-03-01", 0, 2027, "2027-03-01"},
		{"National Day itself", "2027-10-01", 0, 2027, "2027-10-04"},
		{"years before", "2023-12-28", 2, 2023, "2023-12-30"},
		{"on Labour Day of a year in which the law had one day", "2023-04-30", 1, 2023, "2023-05-02"},
		{"back over New Year", "2024-01-02", -1, 2023, ""},
		{"ten thousand", "2026-12-31", 10000, 2027, "2054-05-19"},
		{"beyond the calendar", "2026-12-31", most, 2027, ""},
		{"beyond the calendar, back", "2024-01-02", -most - 1, 2023, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			due := c.Add(day(test.from), test.n)
			earliest := ""
			if !due.Earliest.IsZero() {
				earliest = due.Earliest.String()
			}
			if due.Known || !due.Date.IsZero() || due.Unpublished != test.year || earliest != test.earliest {
				t.Errorf("%+v, want %d, earliest %q", due, test.year, test.earliest)
			}
		})
	}
}

func TestWorkingDaysBetween(t *testing.T) {
	t.Parallel()
	c := published(t)
	tests := []struct {
		a, b string
		want int
	}{
		{"2026-09-18", "2026-10-10", 11},
		{"2026-10-10", "2026-09-18", -11},
		{"2026-09-18", "2026-09-18", 0},
		{"2026-09-19", "2026-09-19", 0}, // a Saturday
		{"2026-09-19", "2026-09-20", 1},
		{"2026-10-01", "2026-10-07", 0},
		{"2023-12-31", "2024-12-31", 251}, // the working days of the year, as the notices leave them
		{"2024-12-31", "2025-12-31", 248},
		{"2025-12-31", "2026-12-31", 248},
		{"2023-12-31", "2026-12-31", 747},
		{"2027-01-01", "2027-01-01", 0}, // nothing is needed
	}
	for _, test := range tests {
		if n, unpublished, ok := c.WorkingDaysBetween(day(test.a), day(test.b)); !ok || n != test.want || unpublished != 0 {
			t.Errorf("%s to %s: %d, %d, %v, want %d", test.a, test.b, n, unpublished, ok, test.want)
		}
	}
	for _, test := range []struct {
		a, b string
		year int
	}{{"2026-12-31", "2027-01-01", 2027}, {"2027-01-01", "2026-12-31", 2027}, {"2023-12-30", "2024-01-02", 2023}, {"0001-01-01", "9999-12-31", 1}} {
		if n, unpublished, ok := c.WorkingDaysBetween(day(test.a), day(test.b)); ok || unpublished != test.year {
			t.Errorf("%s to %s: %d, %d, %v, want %d not published", test.a, test.b, n, unpublished, ok, test.year)
		}
	}
}

func TestIsWorkingDay(t *testing.T) {
	t.Parallel()
	c := published(t)
	for date, want := range map[string]bool{
		"2024-02-09": true, // 除夕 of 2024: only "encouraged"
		"2025-01-28": false, "2026-02-14": true, "2026-02-15": false, "2026-09-20": true, "2026-10-10": true, "2026-10-11": false, "2026-11-24": true,
	} {
		if working, known := c.IsWorkingDay(day(date)); working != want || !known {
			t.Errorf("%s: %v, %v", date, working, known)
		}
	}
	if working, known := c.IsWorkingDay(day("2027-01-04")); working || known {
		t.Errorf("a day of 2027 is known")
	}
	if !c.Published(2026) || c.Published(2027) || (&calendar.Calendar{}).Published(2026) {
		t.Error("Published is wrong")
	}
}

// A count of its own on package time, over the notices as the test has them.
type notices struct{ off, on map[string]bool }

func naive() notices {
	n := notices{map[string]bool{}, map[string]bool{}}
	for span := range strings.FieldsSeq(`
		20240101-20240101 20240210-20240217 20240404-20240406 20240501-20240505 20240610-20240610 20240915-20240917 20241001-20241007
		20250101-20250101 20250128-20250204 20250404-20250406 20250501-20250505 20250531-20250602 20251001-20251008
		20260101-20260103 20260215-20260223 20260404-20260406 20260501-20260505 20260619-20260621 20260925-20260927 20261001-20261007`) {
		from, to, _ := strings.Cut(span, "-")
		for ; from <= to; from = shift(from, 1) {
			n.off[from] = true
		}
	}
	for on := range strings.FieldsSeq(`20240204 20240218 20240407 20240428 20240511 20240914 20240929 20241012
		20250126 20250208 20250427 20250928 20251011 20260104 20260214 20260228 20260509 20260920 20261010`) {
		n.on[on] = true
	}
	return n
}

const compactDate = "20060102"

func shift(s string, days int) string {
	at, err := time.Parse(compactDate, s)
	if err != nil {
		panic(err)
	}
	return at.AddDate(0, 0, days).Format(compactDate)
}

func (n notices) works(s string) bool {
	at, err := time.Parse(compactDate, s)
	if err != nil {
		panic(err)
	}
	return n.on[s] || !n.off[s] && at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
}

func TestEveryPublishedDay(t *testing.T) {
	t.Parallel()
	c, plain := published(t), naive()
	for s := "20240101"; s < "20270101"; s = shift(s, 1) {
		if working, known := c.IsWorkingDay(day(s[:4] + "-" + s[4:6] + "-" + s[6:])); !known || working != plain.works(s) {
			t.Errorf("%s: %v, %v", s, working, known)
		}
	}
}

func days() *rapid.Generator[kind.Date] {
	return rapid.Custom(func(t *rapid.T) kind.Date {
		d, _ := kind.Date{Year: 2024, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 366+365+365-1).Draw(t, "day"))
		return d
	})
}

func TestAddProperties(t *testing.T) {
	t.Parallel()
	c := published(t)
	rapid.Check(t, func(t *rapid.T) {
		d, n := days().Draw(t, "from"), rapid.IntRange(-60, 60).Draw(t, "n")
		due := c.Add(d, n)
		if !due.Known {
			if due.Unpublished != 2023 && due.Unpublished != 2027 {
				t.Fatalf("%d is said not to be published", due.Unpublished)
			}
			return
		}
		if working, known := c.IsWorkingDay(due.Date); !working || !known {
			t.Fatalf("%s is no working day", due.Date)
		}
		between, _, _ := c.WorkingDaysBetween(d, due.Date)
		working, _ := c.IsWorkingDay(d)
		switch {
		case n > 0 && between != n, n <= 0 && working && between != n:
			t.Fatalf("%s %+d is %s, but %d days between", d, n, due.Date, between)
		case n == 0 && !working && between != 1, n < 0 && !working && between != n+1:
			t.Fatalf("%s %+d is %s from a day off, but %d days between", d, n, due.Date, between)
		}
		if later := c.Add(d, n+1); later.Known && !due.Date.Before(later.Date) && (n != 0 || working) {
			t.Fatalf("one more working day leads from %s to %s", due.Date, later.Date)
		}
		if tomorrow, ok := d.AddDays(1); ok {
			if later := c.Add(tomorrow, n); later.Known && later.Date.Before(due.Date) {
				t.Fatalf("a day later is due earlier: %s, %s", due.Date, later.Date)
			}
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	c := published(b)
	for _, n := range []int{1, 20, 200} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			from := day("2026-01-05")
			for b.Loop() {
				if due, _, ok := c.AddWorkingDays(from, n); !ok || !from.Before(due) {
					b.Fatal(due)
				}
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	c := published(b)
	b.ReportAllocs()
	for b.Loop() {
		if text := c.Add(day("2026-09-18"), 11).Explain(); text == "" {
			b.Fatal("no derivation")
		}
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	all, gap := published(t), without(t, 2025)
	for _, tt := range []struct {
		name     string
		calendar *calendar.Calendar
		year     int
		want     string // empty: none
	}{
		{"to the last one", all, 2025, "2026-12-31"},
		{"its own year", all, 2026, "2026-12-31"},
		{"up to a gap", gap, 2024, "2024-12-31"},
		{"from a gap", gap, 2025, ""},
		{"behind the last one", all, 2027, ""},
	} {
		if last, ok := tt.calendar.Until(tt.year); ok != (tt.want != "") || ok && last.String() != tt.want {
			t.Errorf("%s: %s, %t, want %s", tt.name, last, ok, tt.want)
		}
	}
}
