package civil_test

import (
	"testing"

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

// Article 202 of the Civil Code, and the examples of the bundle language.
func TestAddMonths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, from string
		months     int
		want       string
	}{
		{"corresponding day", "2026-03-15", 1, "2026-04-15"},
		{"no such day", "2026-01-31", 1, "2026-02-28"},
		{"no such day, leap year", "2024-01-31", 1, "2024-02-29"},
		{"the last day is not kept", "2026-02-28", 1, "2026-03-28"},
		{"over a year", "2026-12-10", 1, "2027-01-10"},
		{"a leap day in a common year", "2024-02-29", 12, "2025-02-28"},
		{"back over a year", "2026-01-15", -1, "2025-12-15"},
		{"short month", "2026-08-31", 1, "2026-09-30"},
		{"another short month", "2026-05-31", 1, "2026-06-30"},
		{"back into April", "2026-05-31", -1, "2026-04-30"},
		{"November", "2026-10-31", 1, "2026-11-30"},
		{"long month", "2026-07-31", 1, "2026-08-31"},
		{"none", "2026-07-31", 0, "2026-07-31"},
		{"a century is no leap year", "1900-01-31", 1, "1900-02-28"},
		{"nor is another", "2100-01-31", 1, "2100-02-28"},
		{"a fourth century is", "2000-01-31", 1, "2000-02-29"},
		{"a common year", "2026-01-30", 1, "2026-02-28"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := civil.AddMonths(day(t, tt.from), tt.months).String(); got != tt.want {
				t.Errorf("AddMonths(%d) = %s, want %s", tt.months, got, tt.want)
			}
		})
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, born, on string
		want           int
	}{
		{"the day before", "2010-05-05", "2026-05-04", 15},
		{"the birthday", "2010-05-05", "2026-05-05", 16},
		{"two days after a birthday", "1999-12-31", "2026-01-01", 26},
		{"a leap day's birthday in a common year", "2008-02-29", "2026-02-28", 18},
		{"the day before it", "2008-02-29", "2026-02-27", 17},
		{"not born", "2026-05-05", "2025-01-01", 0},
		{"the day of birth", "2026-05-05", "2026-05-05", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := civil.Age(day(t, tt.born), day(t, tt.on)); got != tt.want {
				t.Errorf("Age = %d, want %d", got, tt.want)
			}
		})
	}
}

// The valid numbers are the published examples of GB 11643-1999.
func TestCitizenNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, number string
		valid        bool
	}{
		{"the standard's example", "11010519491231002X", true},
		{"the standard's second example", "440524188001010014", true},
		{"small x", "11010519491231002x", false},
		{"wrong check character", "110105194912310021", false},
		{"two digits swapped", "11010519491213002X", false},
		{"fifteen digits", "110105491231002", false},
		{"empty", "", false},
		{"a letter inside", "1101051949123100AX", false},
		{"a day that does not exist", "110105194902310028", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, got := civil.ReadNumber(plugin.CitizenNumber(tt.number)); got != tt.valid {
				t.Errorf("valid = %t", got)
			}
		})
	}
	woman, _ := civil.ReadNumber("11010519491231002X")
	if want := (civil.Number{Area: "110105", Birth: day(t, "1949-12-31")}); woman != want {
		t.Errorf("got %+v, want %+v", woman, want)
	}
	man, _ := civil.ReadNumber("440524188001010014")
	if want := (civil.Number{Area: "440524", Birth: day(t, "1880-01-01"), Male: true}); man != want {
		t.Errorf("got %+v, want %+v", man, want)
	}
}

// The parity of the seventeenth digit is the sex.
func TestReadNumber_sex(t *testing.T) {
	t.Parallel()
	numbers := []plugin.CitizenNumber{"321323199303100007", "321323199303100015", "321323199303100023", "321323199303100031", "32132319930310004X",
		"321323199303100058", "321323199303100066", "321323199303100074", "321323199303100082", "321323199303100090"}
	for digit, number := range numbers {
		n, ok := civil.ReadNumber(number)
		if want := digit%2 == 1; !ok || n.Male != want {
			t.Errorf("%s: male %t, %t, want %t", number, n.Male, ok, want)
		}
	}
}

// One digit changed, or two neighbours swapped, is always found: what ISO 7064 MOD 11-2 is for.
func TestCitizenNumber_everyDigitCounts(t *testing.T) {
	t.Parallel()
	const number = "11010519491231002X"
	for i := range 17 {
		for digit := byte('0'); digit <= '9'; digit++ {
			changed := []byte(number)
			if changed[i] == digit {
				continue
			}
			changed[i] = digit
			if _, valid := civil.ReadNumber(plugin.CitizenNumber(changed)); valid {
				t.Errorf("digit %d changed to %c is not found", i+1, digit)
			}
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		a, b, of, r int64
	}{
		{"exact", 300, 4, 12, 100},
		{"half goes up", 1, 1, 2, 1},
		{"just under half", 1, 333, 667, 0},
		{"an odd divisor", 2, 1, 3, 1},
		{"a third", 1, 1, 3, 0},
		{"beyond 64 bits", 1 << 62, 1 << 20, 1 << 21, 1 << 61},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := civil.Share(tt.a, tt.b, tt.of); got != tt.r {
				t.Errorf("Share(%d, %d, %d) = %d, want %d", tt.a, tt.b, tt.of, got, tt.r)
			}
		})
	}
	for _, tt := range [][4]int64{{300, 4, 12, 100}, {1, 1, 1000, 1}, {1001, 1, 1000, 2}, {0, 5, 3, 0}} {
		if got := civil.ShareUp(tt[0], tt[1], tt[2]); got != tt[3] {
			t.Errorf("ShareUp(%d, %d, %d) = %d, want %d", tt[0], tt[1], tt[2], got, tt[3])
		}
	}
}

func TestShare_isNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(0, 1<<30).Draw(t, "a"), rapid.Int64Range(0, 1<<30).Draw(t, "b")
		of := rapid.Int64Range(1, 1<<30).Draw(t, "of")
		got := civil.Share(a, b, of)
		// got−½ <= a·b/of < got+½, without division.
		if twice := 2 * a * b; twice < (2*got-1)*of && got > 0 || twice >= (2*got+1)*of {
			t.Fatalf("Share(%d, %d, %d) = %d is not the nearest", a, b, of, got)
		}
	})
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1": 1000000, "0.8": 800000, "1.5": 1500000, "0.123456": 123456, "0": 0, "999999999": 999999999000000} {
		if got, err := civil.Decimal(text, 6); err != nil || got != want {
			t.Errorf("Decimal(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".5", "1.", "-1", "+1", "1e3", "1.2.3", "0.1234567", "1000000000", "１", " 1"} {
		if got, err := civil.Decimal(text, 6); err == nil {
			t.Errorf("Decimal(%q) = %d, want an error", text, got)
		}
	}
}

func TestMonths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, from, to string
		want           int
	}{
		{"the last day of a shorter month", "2026-01-31", "2026-02-28", 1},
		{"a day short of a year", "2025-03-16", "2026-03-15", 11},
		{"a year", "2025-03-16", "2026-03-16", 12},
		{"the same day", "2026-03-16", "2026-03-16", 0},
		{"the wrong way round", "2026-03-16", "2025-03-16", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := civil.Months(day(t, tt.from), day(t, tt.to)); got != tt.want {
				t.Errorf("Months = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestChinese(t *testing.T) {
	t.Parallel()
	if got := civil.Chinese(day(t, "2026-03-02")); got != "2026年3月2日" {
		t.Errorf("Chinese = %q", got)
	}
	if got := civil.Chinese(plugin.Date{}); got != "" {
		t.Errorf("Chinese of no date = %q", got)
	}
}
