package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/examples/plugins/civil"
	plugin "github.com/siyiban/onething/sdk/go"
)

func day(t testing.TB, text string) plugin.Date {
	t.Helper()
	d, err := plugin.ParseDate(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// month is a date without its day, as the annexes print them.
func month(d plugin.Date) string {
	if d.IsZero() {
		return "–"
	}
	return d.String()[:7]
}

// The figures are those of the annexes of 国务院关于渐进式延迟法定退休年龄的办法 (2024), with the flexible bounds of its art. 3.
// The three rows of full postponement stand with the month before, where a month is still missing.
func TestStatutoryAge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		category category
		born     string
		delay    int
		years    int
		months   int
		retire   string
		earliest string
		latest   string
	}{
		{"man before the reform", male, "1964-12-15", 0, 60, 0, "2024-12", "–", "–"},
		{"man, first month", male, "1965-01-15", 1, 60, 1, "2025-02", "2025-01", "2028-02"},
		{"man, fourth month", male, "1965-04-15", 1, 60, 1, "2025-05", "2025-04", "2028-05"},
		{"man, fifth month", male, "1965-05-15", 2, 60, 2, "2025-07", "2025-05", "2028-07"},
		{"man 1970", male, "1970-01-15", 16, 61, 4, "2031-05", "2030-01", "2034-05"},
		{"man 1973", male, "1973-06-15", 26, 62, 2, "2035-08", "2033-06", "2038-08"},
		{"man, one short of full", male, "1976-08-15", 35, 62, 11, "2039-07", "2036-08", "2042-07"},
		{"man, full", male, "1976-09-15", 36, 63, 0, "2039-09", "2036-09", "2042-09"},
		{"man, full for good", male, "1999-12-15", 36, 63, 0, "2062-12", "2059-12", "2065-12"},
		{"woman of 55 before the reform", female55, "1969-12-15", 0, 55, 0, "2024-12", "–", "–"},
		{"woman of 55, first month", female55, "1970-01-15", 1, 55, 1, "2025-02", "2025-01", "2028-02"},
		{"woman of 55, 1971", female55, "1971-04-15", 4, 55, 4, "2026-08", "2026-04", "2029-08"},
		{"woman of 55, 1975", female55, "1975-07-15", 17, 56, 5, "2031-12", "2030-07", "2034-12"},
		{"woman of 55, one short of full", female55, "1981-08-15", 35, 57, 11, "2039-07", "2036-08", "2042-07"},
		{"woman of 55, full", female55, "1981-09-15", 36, 58, 0, "2039-09", "2036-09", "2042-09"},
		{"woman of 55, full for good", female55, "1990-01-15", 36, 58, 0, "2048-01", "2045-01", "2051-01"},
		{"woman of 50 before the reform", female50, "1974-12-15", 0, 50, 0, "2024-12", "–", "–"},
		{"woman of 50, first month", female50, "1975-01-15", 1, 50, 1, "2025-02", "2025-01", "2028-02"},
		{"woman of 50, third month", female50, "1975-03-15", 2, 50, 2, "2025-05", "2025-03", "2028-05"},
		{"woman of 50, 1980", female50, "1980-01-15", 31, 52, 7, "2032-08", "2030-01", "2035-08"},
		{"woman of 50, three years bind", female50, "1982-04-15", 44, 53, 8, "2035-12", "2032-12", "2038-12"},
		{"woman of 50, one short of full", female50, "1984-10-15", 59, 54, 11, "2039-09", "2036-09", "2042-09"},
		{"woman of 50, full", female50, "1984-11-15", 60, 55, 0, "2039-11", "2036-11", "2042-11"},
		{"woman of 50, full in December", female50, "1984-12-15", 60, 55, 0, "2039-12", "2036-12", "2042-12"},
		{"woman of 50, full for good", female50, "1985-01-15", 60, 55, 0, "2040-01", "2037-01", "2043-01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := statutoryAge(tt.category, day(t, tt.born))
			got := []any{s.Delay, s.Age, month(s.Day), month(s.Earliest), month(s.Latest)}
			want := []any{tt.delay, tt.years*12 + tt.months, tt.retire, tt.earliest, tt.latest}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	// The same day of the month, or its last.
	if got := statutoryAge(male, day(t, "1965-01-31")).Day.String(); got != "2025-02-28" {
		t.Errorf("born on the 31st: %s", got)
	}
}

// Whoever is born later never retires earlier, and the choice spans at most three years each way.
func TestStatutoryAge_order(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := category(rapid.IntRange(int(male), int(female50)).Draw(rt, "category"))
		months := rapid.IntRange(0, 90*12).Draw(rt, "months")
		born := civil.AddMonths(plugin.Date{Year: 1930, Month: 1, Day: 1}, months)
		s, next := statutoryAge(c, born), statutoryAge(c, civil.AddMonths(born, 1))
		if next.Day.Before(s.Day) {
			t.Fatalf("born %v retires %v, a month later %v", born, s.Day, next.Day)
		}
		if s.Delay < 0 || s.Delay > c.row().most || s.Age != c.row().old+s.Delay {
			t.Fatalf("born %v: %+v", born, s)
		}
		if !s.Earliest.IsZero() && (s.Earliest.Before(civil.AddMonths(born, c.row().old)) || s.Earliest.Before(civil.AddMonths(s.Day, -36))) {
			t.Fatalf("born %v may leave as early as %v", born, s.Earliest)
		}
	})
}

// The annex of the 办法, year by year.
func TestRequiredMonths(t *testing.T) {
	t.Parallel()
	want := map[int]int{2024: 180, 2025: 180, 2029: 180, 2030: 186, 2031: 192, 2032: 198, 2033: 204, 2034: 210, 2035: 216, 2036: 222,
		2037: 228, 2038: 234, 2039: 240, 2040: 240, 2060: 240}
	for year, months := range want {
		if got := requiredMonths(year); got != months {
			t.Errorf("requiredMonths(%d) = %d, want %d", year, got, months)
		}
	}
}

// Years in special posts and ages for them: 国发〔1978〕104号, kept by the 办法.
func TestPost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		post          post
		years         int
		enough, known bool
	}{
		{"heavy work, nine", postHeavy, 9, false, true},
		{"heavy work, ten", postHeavy, 10, true, true},
		{"underground, eight", postHot, 8, false, true},
		{"underground, nine", postHot, 9, true, true},
		{"harmful, seven", postHarmful, 7, false, true},
		{"harmful, eight", postHarmful, 8, true, true},
		{"not said, seven is too few for each", postUnknown, 7, false, true},
		{"not said, eight is open", postUnknown, 8, false, false},
		{"not said, nine is open", postUnknown, 9, false, false},
		{"not said, ten is enough for each", postUnknown, 10, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enough, known := tt.post.enough(tt.years)
			if known != tt.known || known && enough != tt.enough {
				t.Errorf("enough(%d) = %t, %t", tt.years, enough, known)
			}
		})
	}
}

func TestAssess(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		plan     plan
		born     string
		retire   string
		required int
		age      int
		faults   []fault
	}{
		// Worked by the 办法 and 94号 art. 7.
		{name: "early, enough", plan: plan{Category: male, Way: early, Months: 180}, born: "1966-03-15", retire: "2026-03-01", required: 180, age: 720},
		{name: "early, before sixty", plan: plan{Category: male, Way: early, Months: 400}, born: "1966-03-15", retire: "2026-02-28", required: 180, age: 719,
			faults: []fault{tooEarly}},
		{name: "early, the chosen year counts", plan: plan{Category: male, Way: early, Months: 209}, born: "1973-06-15", retire: "2034-01-15", required: 210, age: 727,
			faults: []fault{monthsShort}},
		{name: "late, the statutory year counts", plan: plan{Category: male, Way: late, Months: 213}, born: "1973-06-15", retire: "2038-01-15", required: 216, age: 775,
			faults: []fault{monthsShort}},
		{name: "early, three years bind", plan: plan{Category: female50, Way: early, Months: 204}, born: "1982-04-15", retire: "2033-01-15", required: 204, age: 609},
		{name: "early, exactly three years", plan: plan{Category: female50, Way: early, Months: 198}, born: "1982-04-15", retire: "2032-12-01", required: 198, age: 608},
		{name: "early, three years exceeded", plan: plan{Category: female50, Way: early, Months: 204}, born: "1982-04-15", retire: "2032-11-30", required: 198, age: 607,
			faults: []fault{tooEarly}},
		{name: "early, the month before the statutory one", plan: plan{Category: male, Way: early, Months: 300}, born: "1973-06-15", retire: "2035-07-31", required: 216, age: 745},
		{name: "early in the statutory month", plan: plan{Category: male, Way: early, Months: 300}, born: "1973-06-15", retire: "2035-08-01", required: 216, age: 746,
			faults: []fault{notEarly}},
		{name: "early without the reform", plan: plan{Category: male, Way: early, Months: 300}, born: "1964-12-15", retire: "2024-12-15", required: 180, age: 720,
			faults: []fault{noChoice}},
		{name: "late without the reform", plan: plan{Category: male, Way: late, Months: 300}, born: "1964-12-15", retire: "2026-12-15", required: 180, age: 744,
			faults: []fault{noChoice}},
		{name: "late in the statutory month", plan: plan{Category: male, Way: late, Months: 300}, born: "1973-06-15", retire: "2035-08-31", required: 216, age: 746,
			faults: []fault{notLate}},
		{name: "late, the month after the statutory one", plan: plan{Category: male, Way: late, Months: 216}, born: "1973-06-15", retire: "2035-09-01", required: 216, age: 747},
		{name: "late in the last month", plan: plan{Category: male, Way: late, Months: 216}, born: "1973-06-15", retire: "2038-08-31", required: 216, age: 782},
		{name: "late, a month too late", plan: plan{Category: male, Way: late, Months: 216}, born: "1973-06-15", retire: "2038-09-01", required: 216, age: 783,
			faults: []fault{tooLate}},
		{name: "at the age", plan: plan{Category: female55, Way: atAge, Months: 180}, born: "1971-04-15", retire: "2026-08-01", required: 180, age: 664},
		{name: "at the age, a month early", plan: plan{Category: female55, Way: atAge, Months: 180}, born: "1971-04-15", retire: "2026-07-31", required: 180, age: 663,
			faults: []fault{tooEarly}},
		{name: "at the age, filed later: its own year counts", plan: plan{Category: male, Way: atAge, Months: 180}, born: "1967-04-20", retire: "2030-03-20", required: 180, age: 755},
		{name: "special post, man of 55", plan: plan{Category: male, Way: special, Months: 180, Post: postHot, Years: 9}, born: "1971-03-15", retire: "2026-03-01", required: 180, age: 660},
		{name: "special post, man under 55", plan: plan{Category: male, Way: special, Months: 180, Post: postHot, Years: 9}, born: "1971-03-15", retire: "2026-02-28", required: 180, age: 659,
			faults: []fault{tooEarly}},
		{name: "special post, woman of 45", plan: plan{Category: female50, Way: special, Months: 180, Post: postHarmful, Years: 8}, born: "1981-03-15", retire: "2026-03-01", required: 180, age: 540},
		{name: "special post, woman under 45", plan: plan{Category: female55, Way: special, Months: 180, Post: postHarmful, Years: 8}, born: "1981-03-15", retire: "2026-02-28", required: 180, age: 539,
			faults: []fault{tooEarly}},
		{name: "special post, too few years", plan: plan{Category: male, Way: special, Months: 180, Post: postHeavy, Years: 9}, born: "1970-03-15", retire: "2026-03-15", required: 180, age: 672,
			faults: []fault{yearsShort}},
		{name: "special post, kind not said", plan: plan{Category: male, Way: special, Months: 180, Years: 9}, born: "1970-03-15", retire: "2026-03-15", required: 180, age: 672,
			faults: []fault{kindUnclear}},
		{name: "special post, the year of retirement counts", plan: plan{Category: male, Way: special, Months: 190, Post: postHeavy, Years: 12}, born: "1976-03-15", retire: "2031-03-15", required: 192, age: 660,
			faults: []fault{monthsShort}},
		{name: "several faults at once", plan: plan{Category: male, Way: early, Months: 90}, born: "1973-06-15", retire: "2026-03-15", required: 180, age: 633,
			faults: []fault{tooEarly, monthsShort}},
		{name: "illness is an officer's", plan: plan{Category: male, Way: illness, Months: 90}, born: "1973-06-15", retire: "2026-03-15", age: 633,
			faults: []fault{byIllness}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := tt.plan
			p.Born, p.Retire = day(t, tt.born), day(t, tt.retire)
			got := assess(p)
			if got.Required != tt.required || got.Age != tt.age {
				t.Errorf("required %d, age %d; want %d, %d", got.Required, got.Age, tt.required, tt.age)
			}
			if diff := cmp.Diff(tt.faults, got.Faults); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// 94号 art. 9.
func TestPaidFrom(t *testing.T) {
	t.Parallel()
	for retire, want := range map[string]string{"2026-03-15": "2026-04-01", "2026-12-01": "2027-01-01", "2026-01-31": "2026-02-01"} {
		if got := paidFrom(day(t, retire)).String(); got != want {
			t.Errorf("retired %s: paid from %s, want %s", retire, got, want)
		}
	}
}

// The annex of 国发〔2005〕38号, whole, and Jinan's published answer of 2025 for ages between its rows.
func TestDivisor(t *testing.T) {
	t.Parallel()
	annex := []int64{233, 230, 226, 223, 220, 216, 212, 208, 204, 199, 195, 190, 185, 180, 175, 170, 164, 158, 152, 145, 139, 132, 125, 117, 109, 101, 93, 84, 75, 65, 56}
	for i, want := range annex {
		if got, err := divisor((40+i)*12, true); err != nil || got != want*10 {
			t.Errorf("divisor at %d = %d, %v, want %d", 40+i, got, err, want*10)
		}
	}
	tests := []struct {
		name        string
		age         int
		interpolate bool
		want        int64
		err         error
	}{
		{"60y1m", 60*12 + 1, true, 1384, nil},
		{"50y1m", 50*12 + 1, true, 1946, nil},
		{"60y3m, half goes up", 60*12 + 3, true, 1373, nil},
		{"61y4m", 61*12 + 4, true, 1297, nil},
		{"55y7m", 55*12 + 7, true, 1665, nil},
		{"61y4m by the whole year below", 61*12 + 4, false, 1320, nil},
		{"39y11m", 40*12 - 1, true, 0, errAge},
		{"70y1m", 70*12 + 1, true, 0, errAge},
		{"70y1m by the whole year below", 70*12 + 1, false, 0, errAge},
		{"71y", 71 * 12, true, 0, errAge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := divisor(tt.age, tt.interpolate)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("divisor = %d, %v, want %d, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestMonthly(t *testing.T) {
	t.Parallel()
	province := local{Base: 900000, Interpolate: true}
	beijing := local{Base: 1204900, Interpolate: true}
	transition := local{Base: 900000, Interpolate: true, Rate: 13000, DeemedIndex: indexUnit}
	tests := []struct {
		name   string
		local  local
		person insured
		want   amount
		err    error
	}{
		// Worked by the annex's formula.
		{name: "30 years at 60y3m", local: province, person: insured{Index: 1000000, Months: 360, Balance: 15000000, Age: 723},
			want: amount{Basic: 270000, Account: 109250, Total: 379250, DivisorTenths: 1373}},
		{name: "below the average at 50y1m", local: province, person: insured{Index: 800000, Months: 190, Balance: 6000000, Age: 601},
			want: amount{Basic: 128250, Account: 30832, Total: 159082, DivisorTenths: 1946}},
		{name: "Beijing's base of 2025", local: beijing, person: insured{Index: 1000000, Months: 240, Balance: 13900000, Age: 720},
			want: amount{Basic: 240980, Account: 100000, Total: 340980, DivisorTenths: 1390}},
		{name: "with deemed years", local: transition, person: insured{Index: 1500000, Months: 402, Deemed: 72, Balance: 26000000, Age: 736},
			want: amount{Basic: 376875, Account: 200463, Transition: 70200, Total: 647538, DivisorTenths: 1297}},
		// 197 months are 16.41666… years exactly, 16.42 by Beijing's rule.
		{name: "years exactly", local: province, person: insured{Index: 1000000, Months: 197, Age: 720},
			want: amount{Basic: 147750, Total: 147750, DivisorTenths: 1390}},
		{name: "years to two digits", local: local{Base: 900000, TwoDecimals: true}, person: insured{Index: 1000000, Months: 197, Age: 720},
			want: amount{Basic: 147780, Total: 147780, DivisorTenths: 1390}},
		{name: "each item up to a jiao", local: local{Base: 900000, UpToJiao: true, Rate: 10000, DeemedIndex: 1000001}, person: insured{Index: 800001, Months: 190, Deemed: 1, Balance: 6000000, Age: 600},
			want: amount{Basic: 128260, Account: 30770, Transition: 760, Total: 159790, DivisorTenths: 1950}},
		{name: "the whole year below", local: local{Base: 900000}, person: insured{Index: 1000000, Months: 180, Balance: 13900000, Age: 731},
			want: amount{Basic: 135000, Account: 100000, Total: 235000, DivisorTenths: 1390}},
		{name: "lowest index", local: province, person: insured{Index: 600000, Months: 180, Age: 720}, want: amount{Basic: 108000, Total: 108000, DivisorTenths: 1390}},
		{name: "highest index", local: province, person: insured{Index: 3000000, Months: 180, Age: 720}, want: amount{Basic: 270000, Total: 270000, DivisorTenths: 1390}},
		{name: "index below 0.6", local: province, person: insured{Index: 599999, Months: 180, Age: 720}, err: errIndex},
		{name: "index above 3", local: province, person: insured{Index: 3000001, Months: 180, Age: 720}, err: errIndex},
		{name: "too young for the annex", local: province, person: insured{Index: 1000000, Months: 180, Age: 479}, err: errAge},
		{name: "no base", local: local{}, person: insured{Index: 1000000, Months: 180, Age: 720}, err: errBounds},
		{name: "more deemed than paid", local: transition, person: insured{Index: 1000000, Months: 180, Deemed: 181, Age: 720}, err: errBounds},
		{name: "deemed months without a coefficient", local: province, person: insured{Index: 1000000, Months: 180, Deemed: 1, Age: 720}, err: errBounds},
		{name: "a negative balance", local: province, person: insured{Index: 1000000, Months: 180, Balance: -1, Age: 720}, err: errBounds},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := monthly(tt.local, tt.person)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Figures that no pension can have are errors of a record; the bounds themselves are in order.
func TestMonthly_figures(t *testing.T) {
	t.Parallel()
	l := local{Base: 900000, Interpolate: true, Rate: 13000, DeemedIndex: 1000000}
	p := insured{Index: 1000000, Months: 402, Deemed: 72, Balance: 26000000, Age: 736}
	tests := []struct {
		name   string
		change func(*local, *insured)
		want   error
	}{
		{"as it is", func(*local, *insured) {}, nil},
		{"highest base", func(l *local, _ *insured) { l.Base = 1_000_000_000 }, nil},
		{"higher base", func(l *local, _ *insured) { l.Base = 1_000_000_001 }, errBounds},
		{"lowest base", func(l *local, _ *insured) { l.Base = 1 }, nil},
		{"no base", func(l *local, _ *insured) { l.Base = 0 }, errBounds},
		{"most months", func(_ *local, p *insured) { p.Months = 840 }, nil},
		{"more months", func(_ *local, p *insured) { p.Months = 841 }, errBounds},
		{"no months", func(_ *local, p *insured) { p.Months, p.Deemed = 0, 0 }, nil},
		{"fewer than none", func(_ *local, p *insured) { p.Months, p.Deemed = -1, -1 }, errBounds},
		{"all months deemed", func(_ *local, p *insured) { p.Deemed = 402 }, nil},
		{"fewer than no deemed months", func(_ *local, p *insured) { p.Deemed = -1 }, errBounds},
		{"highest balance", func(_ *local, p *insured) { p.Balance = 100_000_000_000 }, nil},
		{"higher balance", func(_ *local, p *insured) { p.Balance = 100_000_000_001 }, errBounds},
		{"no balance", func(_ *local, p *insured) { p.Balance = 0 }, nil},
		{"highest rate", func(l *local, _ *insured) { l.Rate = 1_000_000 }, nil},
		{"higher rate", func(l *local, _ *insured) { l.Rate = 1_000_001 }, errBounds},
		{"lowest rate", func(l *local, _ *insured) { l.Rate = 1 }, nil},
		{"no rate", func(l *local, _ *insured) { l.Rate = 0 }, errBounds},
		{"highest index of deemed months", func(l *local, _ *insured) { l.DeemedIndex = 3_000_000 }, nil},
		{"higher index of deemed months", func(l *local, _ *insured) { l.DeemedIndex = 3_000_001 }, errBounds},
		{"lowest index of deemed months", func(l *local, _ *insured) { l.DeemedIndex = 1 }, nil},
		{"no index of deemed months", func(l *local, _ *insured) { l.DeemedIndex = 0 }, errBounds},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, p := l, p
			tt.change(&l, &p)
			if _, err := monthly(l, p); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// Within its bounds no figure overflows, and a longer life of work never pays less.
func TestMonthly_bounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := local{
			Base:        rapid.Int64Range(1, mostBase).Draw(rt, "base"),
			Interpolate: rapid.Bool().Draw(rt, "interpolate"),
			TwoDecimals: rapid.Bool().Draw(rt, "two decimals"),
			UpToJiao:    rapid.Bool().Draw(rt, "jiao"),
			Rate:        rapid.Int64Range(1, mostRate).Draw(rt, "rate"),
			DeemedIndex: rapid.Int64Range(1, 3*indexUnit).Draw(rt, "deemed index"),
		}
		months := rapid.IntRange(0, mostMonths-1).Draw(rt, "months")
		p := insured{
			Index:   rapid.Int64Range(600000, 3*indexUnit).Draw(rt, "index"),
			Months:  months,
			Deemed:  rapid.IntRange(0, months).Draw(rt, "deemed"),
			Balance: rapid.Int64Range(0, mostFen).Draw(rt, "balance"),
			Age:     rapid.IntRange(480, 840).Draw(rt, "age"),
		}
		less, err := monthly(l, p)
		if err != nil {
			t.Fatal(err)
		}
		p.Months++
		more, err := monthly(l, p)
		if err != nil {
			t.Fatal(err)
		}
		if less.Basic < 0 || less.Account < 0 || less.Transition < 0 || more.Total < less.Total {
			t.Fatalf("%+v then %+v", less, more)
		}
	})
}
