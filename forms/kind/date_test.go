package kind

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Worked dates of the language's reference and of 民法典 202.
func TestDateArithmetic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		from  string
		years int
		month int
		days  int
		want  string // "" if out of range
	}{
		{"the month's last day if it has no such day", "2026-01-31", 0, 1, 0, "2026-02-28"},
		{"the same in a leap year", "2028-01-31", 0, 1, 0, "2028-02-29"},
		{"a leap day and a year", "2024-02-29", 1, 0, 0, "2025-02-28"},
		{"a leap day and four years", "2024-02-29", 4, 0, 0, "2028-02-29"},
		{"the last day is not remembered", "2026-02-28", 0, 1, 0, "2026-03-28"},
		{"back by a month", "2026-03-31", 0, -1, 0, "2026-02-28"},
		{"back over New Year", "2026-01-15", 0, -1, 0, "2025-12-15"},
		{"back from a leap day", "2024-02-29", -1, 0, 0, "2023-02-28"},
		{"forward over New Year", "2026-11-30", 0, 3, 0, "2027-02-28"},
		{"three months", "2026-11-30", 0, 3, 1, "2027-03-01"},
		{"thirty days", "2026-01-31", 0, 0, 30, "2026-03-02"},
		{"back by days over a leap day", "2024-03-01", 0, 0, -1, "2024-02-29"},
		{"a century without leap day", "1900-02-28", 0, 0, 1, "1900-03-01"},
		{"a birth is registered within a month", "2026-03-15", 0, 1, 0, "2026-04-15"},
		{"a window of 90 days", "2026-03-20", 0, 0, 90, "2026-06-18"},
		{"a licence of ten years", "1999-12-31", 10, 0, 0, "2009-12-31"},
		{"the last day there is", "9999-12-30", 0, 0, 1, "9999-12-31"},
		{"beyond the last day", "9999-12-31", 0, 0, 1, ""},
		{"beyond the last month", "9999-12-01", 0, 1, 0, ""},
		{"beyond the last year", "9998-01-01", 2, 0, 0, ""},
		{"before the first day", "0001-01-01", 0, 0, -1, ""},
		{"before the first month", "0001-01-31", 0, -1, 0, ""},
		{"far beyond", "2026-01-01", 1 << 62, 0, 0, ""}, // whose months are 0 in 64 bits
		{"far before", "2026-01-01", -1 << 63, 0, 0, ""},
		{"far beyond in months, up", "2026-01-01", 0, 1<<63 - 1, 0, ""},
		{"far beyond in months", "2026-01-01", 0, -1 << 63, 0, ""},
		{"far beyond in days", "2026-01-01", 0, 0, -1 << 63, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, ok := MustDate(test.from).AddYears(test.years)
			if ok {
				d, ok = d.AddMonths(test.month)
			}
			if ok && test.days != 0 {
				d, ok = d.AddDays(test.days)
			}
			if got := d.String(); ok != (test.want != "") || ok && got != test.want {
				t.Errorf("got %s, %v, want %q", got, ok, test.want)
			}
		})
	}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b                string
		days, months, years int
	}{
		{"2026-01-31", "2026-02-28", 28, 1, 0},
		{"2025-03-16", "2026-03-15", 364, 11, 0},
		{"2025-03-16", "2026-03-16", 365, 12, 1},
		{"2026-03-15", "2025-03-16", -364, -11, 0},
		{"2024-02-29", "2025-02-28", 365, 12, 1},
		{"2024-02-29", "2025-02-27", 364, 11, 0},
		{"2025-02-28", "2024-02-29", -365, -12, -1},
		{"2025-02-28", "2024-02-28", -366, -12, -1},
		{"2026-02-28", "2026-03-31", 31, 1, 0},
		{"2026-08-31", "2026-09-30", 30, 1, 0},
		{"2026-08-30", "2026-09-29", 30, 0, 0},
		{"2026-05-05", "2026-05-05", 0, 0, 0},
		{"0001-01-01", "9999-12-31", 3652058, 119987, 9998},
	}
	for _, test := range tests {
		a, b := MustDate(test.a), MustDate(test.b)
		if days, months, years := DaysBetween(a, b), MonthsBetween(a, b), YearsBetween(a, b); days != test.days || months != test.months || years != test.years {
			t.Errorf("%s to %s: %d days, %d months, %d years; want %d, %d, %d", a, b, days, months, years, test.days, test.months, test.years)
		}
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		born, on  string
		age, late int
	}{
		{"2008-02-29", "2026-02-27", 17, 17},
		{"2008-02-29", "2026-02-28", 18, 17},
		{"2008-02-29", "2026-03-01", 18, 18},
		{"2008-02-29", "2028-02-28", 19, 19},
		{"2008-02-29", "2028-02-29", 20, 20},
		{"1966-03-15", "2026-03-14", 59, 59},
		{"1966-03-15", "2026-03-15", 60, 60},
		{"2010-05-05", "2026-05-04", 15, 15},
		{"2026-12-31", "2027-01-01", 0, 0},
		{"2030-01-01", "2026-01-01", 0, 0},
	}
	for _, test := range tests {
		born, on := MustDate(test.born), MustDate(test.on)
		if age, late := Age(born, on), AgeLate(born, on); age != test.age || late != test.late {
			t.Errorf("born %s, on %s: %d and %d, want %d and %d", born, on, age, late, test.age, test.late)
		}
	}
}

func TestDateForms(t *testing.T) {
	t.Parallel()
	d := MustDate("2026-03-02")
	if d.String() != "2026-03-02" || d.Format() != "2026年3月2日" {
		t.Errorf("%s, %s", d, d.Format())
	}
	if first, last := d.FirstOfMonth(), MustDate("2028-02-02").LastOfMonth(); first.String() != "2026-03-01" || last.String() != "2028-02-29" {
		t.Errorf("first %s, last %s", first, last)
	}
	shanghai := time.FixedZone("CST", 8*60*60)
	if got := DateOf(time.Date(2026, 3, 1, 17, 0, 0, 0, time.UTC).In(shanghai)); got != d {
		t.Errorf("01:00 of March 2 in China is %s", got)
	}
	if got := DateOf(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); !got.IsZero() {
		t.Errorf("year 10000 is %v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustDate accepts February 30")
		}
	}()
	MustDate("2026-02-30")
}

func dates() *rapid.Generator[Date] {
	return rapid.Custom(func(t *rapid.T) Date {
		return dateOfNumber(rapid.IntRange(0, lastNumber).Draw(t, "number"))
	})
}

func standard(d Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Every day of the calendar against package time.
func TestEveryDay(t *testing.T) {
	t.Parallel()
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range lastNumber + 1 {
		d := dateOfNumber(n)
		if y, m, dd := day.Date(); d != (Date{y, m, dd}) || d.number() != n || d.Weekday() != day.Weekday() {
			t.Fatalf("day %d: %s, %s, number %d; want %s", n, d, d.Weekday(), d.number(), day)
		}
		day = day.AddDate(0, 0, 1)
	}
	if day.Year() != 10000 {
		t.Errorf("the calendar ends before %s", day)
	}
}

func TestDateProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := dates().Draw(t, "a"), dates().Draw(t, "b")
		if parsed, ok := ParseDate(a.String()); !ok || parsed != a {
			t.Fatalf("%s is read as %s", a, parsed)
		}
		if want := int(standard(b).Sub(standard(a)).Hours() / 24); b.Year-a.Year < 200 && a.Year-b.Year < 200 && DaysBetween(a, b) != want {
			t.Fatalf("%d days, want %d", DaysBetween(a, b), want)
		}
		if c, ok := a.AddDays(DaysBetween(a, b)); !ok || c != b {
			t.Fatalf("%s and the days to %s is %s", a, b, c)
		}
		if a.Compare(b) != standard(a).Compare(standard(b)) || a.Before(b) != (a.Compare(b) < 0) || a.After(b) != (a.Compare(b) > 0) {
			t.Fatalf("compare %d", a.Compare(b))
		}
		if a.After(b) {
			a, b = b, a
		}
		// The definition: the greatest n whose sum is not after b, found here by counting from below.
		months := MonthsBetween(a, b)
		if at, ok := a.AddMonths(months); !ok || at.After(b) {
			t.Fatalf("%d months lead to %s, after %s", months, at, b)
		}
		if next, ok := a.AddMonths(months + 1); ok && !next.After(b) {
			t.Fatalf("%d months lead to %s, not after %s", months+1, next, b)
		}
		years := YearsBetween(a, b)
		if at, ok := a.AddYears(years); !ok || at.After(b) {
			t.Fatalf("%d years lead to %s, after %s", years, at, b)
		}
		if next, ok := a.AddYears(years + 1); ok && !next.After(b) {
			t.Fatalf("%d years lead to %s, not after %s", years+1, next, b)
		}
		if MonthsBetween(b, a) != -months || YearsBetween(b, a) != -years {
			t.Fatal("the other direction is not the negative")
		}
		if late := AgeLate(a, b); late != years && (late != years-1 || a.Month != 2 || a.Day != 29) {
			t.Fatalf("late age %d, age %d", late, years)
		}
	})
}

func TestAddMonthsAgainstTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, n := dates().Draw(t, "date"), rapid.IntRange(-130000, 130000).Draw(t, "months")
		// Package time carries what is over into the next month; the month itself is that of its first day.
		month := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		got, ok := d.AddMonths(n)
		if inRange := month.Year() >= 1 && month.Year() <= 9999; ok != inRange {
			t.Fatalf("ok is %v for %s", ok, month)
		}
		if !ok {
			return
		}
		last := month.AddDate(0, 1, -1).Day()
		if want := (Date{month.Year(), month.Month(), min(d.Day, last)}); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
