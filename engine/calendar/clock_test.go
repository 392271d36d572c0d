package calendar_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/forms/kind"
	"pgregory.net/rapid"
)

func pause(from, to string) calendar.Pause {
	p := calendar.Pause{From: day(from), Name: "听证"}
	if to != "" {
		p.To = day(to)
	}
	return p
}

func TestDue(t *testing.T) {
	t.Parallel()
	c := published(t)
	working, days, months := calendar.WorkingDays, calendar.Days, calendar.Months
	tests := []struct {
		name      string
		start     string
		unit      calendar.Unit
		n         int
		extension int
		pauses    []calendar.Pause
		want      string
	}{
		{"thirty days that end in a holiday", "2026-09-01", days, 30, 0, nil, "2026-10-08"},
		{"days that end on a working Saturday", "2026-09-10", days, 30, 0, nil, "2026-10-10"},
		{"days that end on a plain Saturday", "2026-11-02", days, 5, 0, nil, "2026-11-09"},
		{"no days, on a Sunday", "2026-11-22", days, 0, 0, nil, "2026-11-23"},
		{"no working days, on a working day", "2026-11-24", working, 0, 0, nil, "2026-11-24"},
		{"no months, on a holiday", "2026-10-01", months, 0, 0, nil, "2026-10-08"},
		{"a negative limit counts as none", "2026-11-24", working, -3, 0, nil, "2026-11-24"},
		{"a month to the month's last day", "2026-08-31", months, 1, 0, nil, "2026-09-30"},
		{"a month to a working Saturday", "2026-01-31", months, 1, 0, nil, "2026-02-28"},
		{"two months from the last day of the year", "2025-12-31", months, 2, 0, nil, "2026-02-28"},
		{"a month to a Sunday within a holiday", "2026-03-05", months, 1, 0, nil, "2026-04-07"},
		{"a birth is registered within a month", "2026-03-15", months, 1, 0, nil, "2026-04-15"},
		{"months over a year that is not needed", "2023-02-10", months, 12, 0, nil, "2024-02-18"},
		{"a pause", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-11-04", "2026-11-06")}, "2026-11-12"},
		{"overlapping pauses count once", "2026-11-02", working, 5, 0,
			[]calendar.Pause{pause("2026-11-04", "2026-11-06"), pause("2026-11-05", "2026-11-09")}, "2026-11-13"},
		{"pauses in any order", "2026-11-02", working, 5, 0,
			[]calendar.Pause{pause("2026-11-05", "2026-11-09"), pause("2026-11-04", "2026-11-06")}, "2026-11-13"},
		{"a pause over a weekend", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-11-07", "2026-11-08")}, "2026-11-09"},
		{"a pause from the first day on", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-11-02", "2026-11-03")}, "2026-11-10"},
		{"a pause that is over before", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-10-12", "2026-11-02")}, "2026-11-09"},
		{"a pause after the last day", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-11-10", "2026-11-30")}, "2026-11-09"},
		{"an open pause after the last day", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-11-10", "")}, "2026-11-09"},
		{"a pause of one day", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-11-09", "2026-11-09")}, "2026-11-10"},
		{"a pause that ends before it begins", "2026-11-02", working, 5, 0, []calendar.Pause{pause("2026-11-06", "2026-11-03")}, "2026-11-10"},
		{"a pause on the day of a limit of none", "2026-11-02", working, 0, 0, []calendar.Pause{pause("2026-11-02", "2026-11-03")}, "2026-11-04"},
		{"twenty working days and ten more", "2026-09-01", working, 20, 10, nil, "2026-10-19"},
		{"a month and one more", "2026-01-31", months, 1, 1, nil, "2026-03-31"},
		{"days with a pause on the last", "2026-11-02", days, 10, 0, []calendar.Pause{pause("2026-11-12", "2026-11-13")}, "2026-11-16"},
		{"days moved into a pause", "2026-11-02", days, 5, 0, []calendar.Pause{pause("2026-11-09", "2026-11-10")}, "2026-11-11"},
		{"a month with a pause of three days", "2026-10-12", months, 1, 0, []calendar.Pause{pause("2026-10-20", "2026-10-22")}, "2026-11-16"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			due := c.Due(calendar.Clock{
				Start: day(test.start), Limit: calendar.Limit{Unit: test.unit, N: test.n}, Extension: test.extension, Pauses: test.pauses,
			})
			if !due.Known || due.Date.String() != test.want || due.Earliest != due.Date || due.Unpublished != 0 {
				t.Errorf("%+v, want %s", due, test.want)
			}
		})
	}
}

// Dates by another implementation over the same notices: testdata/dates.py says how.
func TestDue_ByPython(t *testing.T) {
	t.Parallel()
	c := published(t)
	table, err := os.ReadFile("testdata/dates.txt")
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]calendar.Unit{"working_days": calendar.WorkingDays, "days": calendar.Days, "months": calendar.Months}
	rows, paused, overlapping := 0, 0, 0
	for line := range strings.Lines(string(table)) {
		cell := strings.Fields(line)
		if cell[0] == "#" {
			continue
		}
		n, err := strconv.Atoi(cell[2])
		if err != nil {
			t.Fatal(err)
		}
		k := calendar.Clock{Start: day(cell[0]), Limit: calendar.Limit{Unit: units[cell[1]], N: n}}
		if cell[3] != "-" {
			for stretch := range strings.SplitSeq(cell[3], ",") {
				from, to, _ := strings.Cut(stretch, "/")
				k.Pauses = append(k.Pauses, pause(from, to))
			}
			paused++
		}
		if len(k.Pauses) == 2 && !k.Pauses[1].From.After(k.Pauses[0].To) && !k.Pauses[0].From.After(k.Pauses[1].To) {
			overlapping++
		}
		if due := c.Due(k); due.Date.String() != cell[4] {
			t.Errorf("%s: %s", strings.TrimSpace(line), due.Date)
		}
		rows++
	}
	if rows < 400 || paused < 50 || overlapping < 10 {
		t.Errorf("%d dates, %d with a pause, %d with two that overlap", rows, paused, overlapping)
	}
}

func TestDueNotKnown(t *testing.T) {
	t.Parallel()
	working, days, months := calendar.WorkingDays, calendar.Days, calendar.Months
	all, gap := published(t), without(t, 2025)
	tests := []struct {
		name     string
		calendar *calendar.Calendar
		clock    calendar.Clock
		year     int
		earliest string
	}{
		{"an open pause", all,
			calendar.Clock{Start: day("2026-11-02"), Limit: calendar.Limit{Unit: working, N: 5}, Pauses: []calendar.Pause{pause("2026-11-04", "")}},
			0, "2026-11-10"},
		{"an open pause that begins within one that has ended", all,
			calendar.Clock{Start: day("2026-11-02"), Limit: calendar.Limit{Unit: working, N: 5}, Pauses: []calendar.Pause{pause("2026-11-04", "2026-11-06"), pause("2026-11-05", "")}},
			0, "2026-11-12"},
		{"an open pause, and a year not published", all,
			calendar.Clock{Start: day("2026-12-28"), Limit: calendar.Limit{Unit: working, N: 3}, Pauses: []calendar.Pause{pause("2026-12-30", "")}},
			2027, "2027-01-02"},
		{"a pause into the year", all,
			calendar.Clock{Start: day("2026-12-28"), Limit: calendar.Limit{Unit: working, N: 2}, Pauses: []calendar.Pause{pause("2026-12-30", "2027-01-05")}},
			2027, "2027-01-06"},
		{"days end in the year", all, calendar.Clock{Start: day("2026-12-25"), Limit: calendar.Limit{Unit: days, N: 10}}, 2027, "2027-01-04"},
		{"days end on New Year", all, calendar.Clock{Start: day("2026-12-25"), Limit: calendar.Limit{Unit: days, N: 7}}, 2027, "2027-01-02"},
		{"months end in the year", all, calendar.Clock{Start: day("2026-12-25"), Limit: calendar.Limit{Unit: months, N: 3}}, 2027, "2027-03-25"},
		{"a year between", gap, calendar.Clock{Start: day("2024-12-30"), Limit: calendar.Limit{Unit: working, N: 400}}, 2025, "2026-03-04"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			due := test.calendar.Due(test.clock)
			if due.Known || !due.Date.IsZero() || due.Unpublished != test.year || due.Earliest.String() != test.earliest {
				t.Errorf("%+v, want %d, earliest %s", due, test.year, test.earliest)
			}
		})
	}
	// Days that only pass through a year do not need it.
	through := gap.Due(calendar.Clock{Start: day("2024-12-01"), Limit: calendar.Limit{Unit: days, N: 400}})
	if !through.Known || through.Date != day("2026-01-05") {
		t.Errorf("through 2025: %+v", through)
	}
	if last := all.Due(calendar.Clock{Start: day("9999-12-01"), Limit: calendar.Limit{Unit: months, N: 1}}); last.Known || !last.Earliest.IsZero() {
		t.Errorf("beyond the calendar: %+v", last)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	c := published(t)
	tests := []struct {
		name string
		due  calendar.Due
		want string
	}{
		{"holiday, working weekend, pause", c.Due(calendar.Clock{
			Start: day("2026-09-18"), Limit: calendar.Limit{N: 3}, Pauses: []calendar.Pause{pause("2026-09-21", "2026-09-22")},
		}), `自 2026年9月18日（周五）起，3 个工作日，当日不计
2026年9月19日（周六）：周末，不计
2026年9月20日（周日）：调休上班，第 1 个工作日
2026年9月21日（周一）：听证期间，不计
2026年9月22日（周二）：听证期间，不计
2026年9月23日（周三）：工作日，第 2 个工作日
2026年9月24日（周四）：工作日，第 3 个工作日
依据：国务院办公厅关于2026年部分节假日安排的通知
到期日：2026年9月24日（周四）`},
		{"days, moved", c.Due(calendar.Clock{Start: day("2026-04-03"), Limit: calendar.Limit{Unit: calendar.Days, N: 2}}),
			`自 2026年4月3日（周五）起，2 日，当日不计
2026年4月4日（周六）：清明节放假，第 1 日
2026年4月5日（周日）：清明节放假，第 2 日
2026年4月6日（周一）：清明节放假，不计
2026年4月7日（周二）：工作日，期限顺延至此日
依据：国务院办公厅关于2026年部分节假日安排的通知
到期日：2026年4月7日（周二）`},
		{"the same day", c.Add(day("2026-11-24"), 0), `自 2026年11月24日（周二）起，0 个工作日
2026年11月24日（周二）：工作日
依据：国务院办公厅关于2026年部分节假日安排的通知
到期日：2026年11月24日（周二）`},
		{"extended, over two years", c.Due(calendar.Clock{Start: day("2025-12-30"), Limit: calendar.Limit{N: 1}, Extension: 1}),
			`自 2025年12月30日（周二）起，1 个工作日，延长 1 个工作日，当日不计
2025年12月31日（周三）：工作日，第 1 个工作日
2026年1月1日（周四）：元旦放假，不计
2026年1月2日（周五）：元旦放假，不计
2026年1月3日（周六）：元旦放假，不计
2026年1月4日（周日）：调休上班，第 2 个工作日
依据：国务院办公厅关于2025年部分节假日安排的通知
依据：国务院办公厅关于2026年部分节假日安排的通知
到期日：2026年1月4日（周日）`},
		{"back", c.Add(day("2026-10-09"), -2), `自 2026年10月9日（周五）起，往前 2 个工作日，当日不计
2026年10月8日（周四）：工作日，第 1 个工作日
2026年10月7日（周三）：国庆节放假，不计
2026年10月6日（周二）：国庆节放假，不计
2026年10月5日（周一）：国庆节放假，不计
2026年10月4日（周日）：国庆节放假，不计
2026年10月3日（周六）：国庆节放假，不计
2026年10月2日（周五）：国庆节放假，不计
2026年10月1日（周四）：国庆节放假，不计
2026年9月30日（周三）：工作日，第 2 个工作日
依据：国务院办公厅关于2026年部分节假日安排的通知
到期日：2026年9月30日（周三）`},
		{"not published", c.Add(day("2026-12-30"), 2), `自 2026年12月30日（周三）起，2 个工作日，当日不计
2026年12月31日（周四）：工作日，第 1 个工作日
2027年1月1日（周五）：元旦放假，不计
2027年1月2日（周六）：放假安排尚未公布，或许上班，第 2 个工作日
依据：国务院办公厅关于2026年部分节假日安排的通知
日期尚不能确定：2027 年放假安排尚未公布，最早为 2027年1月2日（周六）`},
		{"back, not published", c.Add(day("2024-01-01"), -1), `自 2024年1月1日（周一）起，往前 1 个工作日，当日不计
2023年12月31日（周日）：放假安排尚未公布，或许上班，第 1 个工作日
日期尚不能确定：2023 年放假安排尚未公布`},
		{"an open pause", c.Due(calendar.Clock{Start: day("2026-11-24"), Limit: calendar.Limit{N: 1}, Pauses: []calendar.Pause{pause("2026-11-25", "")}}),
			`自 2026年11月24日（周二）起，1 个工作日，当日不计
2026年11月25日（周三）：听证期间，不计
2026年11月26日（周四）：工作日，第 1 个工作日
依据：国务院办公厅关于2026年部分节假日安排的通知
日期尚不能确定：计时中止尚未结束，最早为 2026年11月26日（周四）`},
		{"beyond the calendar", c.Due(calendar.Clock{Start: day("9999-12-31"), Limit: calendar.Limit{Unit: calendar.Months, N: 1}}),
			"自 9999年12月31日（周五）起，1 个月，当日不计\n日期超出历法范围"},
		{"nothing", calendar.Due{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.due.Explain()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A Due keeps what it was counted from, whatever becomes of the caller's slice.
func TestDueKeepsItsPauses(t *testing.T) {
	t.Parallel()
	pauses := []calendar.Pause{pause("2026-11-04", "2026-11-06")}
	due := published(t).Due(calendar.Clock{Start: day("2026-11-02"), Limit: calendar.Limit{N: 5}, Pauses: pauses})
	before := due.Explain()
	pauses[0] = pause("2026-11-05", "2026-11-20")
	if diff := cmp.Diff(before, due.Explain()); diff != "" {
		t.Error(diff)
	}
}

func clocks() *rapid.Generator[calendar.Clock] {
	return rapid.Custom(func(t *rapid.T) calendar.Clock {
		k := calendar.Clock{
			Start: days().Draw(t, "start"),
			Limit: calendar.Limit{
				Unit: rapid.SampledFrom([]calendar.Unit{calendar.WorkingDays, calendar.Days, calendar.Months}).Draw(t, "unit"),
				N:    rapid.IntRange(0, 40).Draw(t, "limit"),
			},
			Extension: rapid.IntRange(0, 5).Draw(t, "extension"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "pauses") {
			from, _ := k.Start.AddDays(rapid.IntRange(-3, 60).Draw(t, "from"))
			to, _ := from.AddDays(rapid.IntRange(0, 20).Draw(t, "days"))
			k.Pauses = append(k.Pauses, calendar.Pause{From: from, To: to, Name: "检验"})
		}
		return k
	})
}

// count is what the clock means, in other words: strike the days of pauses off the calendar, then take the n-th
// working day that is left, or the n-th day and from there the next working day.
func (n notices) count(k calendar.Clock) (string, bool) {
	compact := func(d kind.Date) string { return strings.ReplaceAll(d.String(), "-", "") }
	struck := map[string]bool{}
	for _, p := range k.Pauses {
		for s := compact(p.From); s <= compact(p.To); s = shift(s, 1) {
			struck[s] = true
		}
	}
	end, limit := compact(k.Start), k.Limit.N+k.Extension
	if k.Limit.Unit == calendar.Months {
		last, _ := k.Start.AddMonths(limit)
		limit = 0
		for s := end; s != compact(last); s = shift(s, 1) {
			limit++
		}
	}
	for left := limit; left > 0; {
		end = shift(end, 1)
		if !struck[end] && (k.Limit.Unit != calendar.WorkingDays || end >= "20270101" || n.works(end)) {
			left--
		}
	}
	for end < "20270101" && (struck[end] || !n.works(end)) {
		end = shift(end, 1)
	}
	return end, end < "20270101"
}

func TestDueProperties(t *testing.T) {
	t.Parallel()
	c, plain := published(t), naive()
	hidden := []*calendar.Calendar{without(t, 2024), without(t, 2025), without(t, 2026), {}}
	rapid.Check(t, func(t *rapid.T) {
		k := clocks().Draw(t, "clock")
		due := c.Due(k)
		want, known := plain.count(k)
		if got := strings.ReplaceAll(due.Date.String(), "-", ""); due.Known != known || known && got != want {
			t.Fatalf("%+v, want %s", due, want)
		}
		// What is said while a year is not published stays true when it is.
		for _, h := range hidden {
			early := h.Due(k)
			if early.Known && (!due.Known || early.Date != due.Date) || due.Known && early.Earliest.After(due.Date) {
				t.Fatalf("%+v before, %+v after publication", early, due)
			}
		}
		// A further pause or a longer limit never brings the day forward.
		longer := k
		longer.Limit.N++
		if later := c.Due(longer); later.Earliest.Before(due.Earliest) {
			t.Fatalf("a longer limit: %s before %s", later.Earliest, due.Earliest)
		}
		if n := len(k.Pauses); n > 0 {
			fewer := k
			fewer.Pauses = k.Pauses[:n-1]
			if sooner := c.Due(fewer); sooner.Earliest.After(due.Earliest) {
				t.Fatalf("without a pause: %s after %s", sooner.Earliest, due.Earliest)
			}
		}
		// The derivation shows each day once and ends with the day that is due.
		steps, number := due.Steps(), 0
		for i, step := range steps {
			if step.Number != 0 {
				if number++; step.Number != number {
					t.Fatalf("step %d has number %d", i, step.Number)
				}
			}
			if i > 0 && kind.DaysBetween(steps[i-1].Date, step.Date) != 1 {
				t.Fatalf("%s follows %s", step.Date, steps[i-1].Date)
			}
		}
		if last := steps[len(steps)-1].Date; last != due.Earliest || due.Known && last != due.Date {
			t.Fatalf("the derivation ends on %s: %+v", last, due)
		}
	})
}
