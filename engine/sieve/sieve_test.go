package sieve_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// matter is a bundle with the records of its tests, and the answers that are worth trying.
type matter struct {
	bundle    *catalog.Bundle
	selection *catalog.Selection
	tests     []bundletest.Test
	answers   map[forms.Path][]kind.Value // also of the columns of lists, as <list>.<column>
}

const (
	examples = "../../examples"
	language = "../bundletest/testdata/language"
)

// load returns the matters of a tree, in the order of their ids. A tree is loaded once for all tests.
func load(t testing.TB, tree string) []*matter {
	t.Helper()
	loading.Lock()
	defer loading.Unlock()
	if loading.trees[tree] == nil {
		loading.trees[tree] = read(t, tree)
	}
	return loading.trees[tree]
}

// loading keeps what was loaded: it is immutable.
var loading = struct {
	sync.Mutex
	trees map[string][]*matter
}{trees: map[string][]*matter{}}

func read(t testing.TB, tree string) []*matter {
	t.Helper()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	c, found := catalog.Load(os.DirFS(tree))
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	var all []*matter
	for _, id := range slices.Sorted(maps.Keys(c.Bundles)) {
		m := &matter{bundle: c.Bundles[id], answers: map[forms.Path][]kind.Value{}}
		text, err := os.ReadFile(tree + "/" + bundletest.File(id))
		if err != nil {
			t.Fatal(err)
		}
		if m.tests, found = bundletest.Read(m.bundle, bundletest.File(id), text, days); found.Err() != nil {
			t.Fatal(found.Err())
		}
		if m.selection, err = catalog.Select(m.bundle); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.bundle.Paths() {
			m.collect(p, m.bundle.Field(p))
		}
		all = append(all, m)
	}
	return all
}

// collect gathers the answers that the tests give to a question, those beside them, and all of a choice.
func (m *matter) collect(p forms.Path, f *catalog.Field) {
	if f.Field.Derived {
		return
	}
	var given []kind.Value
	for _, test := range m.tests {
		if v, _ := test.Record.Get(p); v != nil {
			given = append(given, v)
		}
	}
	m.answers[p] = pool(f.Field, given, m.tests[0].Setting.Today)
	for _, cell := range f.Row {
		var cells []kind.Value
		for _, v := range given {
			for _, row := range v.(kind.List) {
				if row[cell.ID] != nil {
					cells = append(cells, row[cell.ID])
				}
			}
		}
		m.answers[p+"."+forms.Path(cell.ID)] = pool(cell.Field, cells, m.tests[0].Setting.Today)
	}
}

// pool are the answers to one question that are worth trying.
func pool(f *forms.Field, given []kind.Value, today kind.Date) []kind.Value {
	var all []kind.Value
	add := func(values ...kind.Value) {
		for _, v := range values {
			if !slices.ContainsFunc(all, v.Equal) {
				all = append(all, v)
			}
		}
	}
	every := kind.Choices{}
	for _, o := range f.Options {
		every = append(every, o.ID)
	}
	switch f.Kind {
	case kind.KindBool:
		add(kind.Bool(true), kind.Bool(false))
	case kind.KindChoice:
		for _, o := range every {
			add(kind.Choice(o))
		}
	case kind.KindChoices:
		for _, o := range every {
			add(kind.Choices{o})
		}
		add(kind.Choices{}, every)
	case kind.KindDate:
		for _, months := range []int{0, -1, -12, -16 * 12, -60 * 12} {
			d, _ := today.AddMonths(months)
			given = append(given, d)
		}
	case kind.KindInt:
		add(kind.Int(0), kind.Int(1<<53-1))
	case kind.KindMoney:
		add(kind.Money(0), kind.Money(1<<53-1))
	case kind.KindDecimal:
		add(kind.Decimal{Decimal: decimal.New(6, -1)}, kind.Decimal{Decimal: decimal.New(999999, 0)})
	case kind.KindAddress:
		add(kind.Address{Region: "321323", Text: "众兴街道 1 号"}, kind.Address{Region: "320102", Text: "中山路 1 号"})
	case kind.KindText:
		add(kind.Text("甲"))
	case kind.KindList:
		add(kind.List{}, kind.List{{}}, kind.List{{}, {}})
	default:
	}
	for _, v := range given {
		switch v := v.(type) {
		case kind.Date:
			for _, n := range []int{0, -1, 1} {
				if d, ok := v.AddDays(n); ok {
					add(d)
				}
			}
		case kind.Int:
			add(v, v-1, v+1)
		case kind.Money:
			add(v, v-1, v+1)
		default:
			add(v)
		}
	}
	return all
}

// vary returns a record near another: some answers changed, blank, or taken back; one in five missing if sparse.
func (m *matter) vary(rnd *rand.Rand, record forms.Record, sparse bool) forms.Record {
	paths := slices.Sorted(maps.Keys(m.answers))
	for range rnd.IntN(5) {
		p := paths[rnd.IntN(len(paths))]
		if len(m.answers[p]) == 0 {
			continue
		}
		v := m.answers[p][rnd.IntN(len(m.answers[p]))]
		switch f := m.bundle.Field(p); {
		case f == nil: // a column
			record = m.varyCell(rnd, record, p, v)
		case rnd.IntN(6) == 0:
			record = record.With(p, nil)
		default:
			record = record.With(p, v)
		}
	}
	if !sparse {
		return record
	}
	for p, v := range record.All() {
		if rnd.IntN(5) == 0 {
			record = record.Without(p)
			continue
		}
		if rows, ok := v.(kind.List); ok {
			for i := range rows {
				for _, id := range slices.Sorted(maps.Keys(rows[i])) {
					if rnd.IntN(5) == 0 {
						record = record.Without(p.CellOf(i, id))
					}
				}
			}
		}
	}
	return record
}

func (m *matter) varyCell(rnd *rand.Rand, record forms.Record, column forms.Path, v kind.Value) forms.Record {
	for p := range m.answers {
		f := m.bundle.Field(p)
		if f == nil || f.Kind != kind.KindList {
			continue
		}
		for _, cell := range f.Row {
			if rows, _ := record.Get(p); p+"."+forms.Path(cell.ID) == column && rows != nil && len(rows.(kind.List)) > 0 {
				return record.With(p.CellOf(rnd.IntN(len(rows.(kind.List))), cell.ID), v)
			}
		}
	}
	return record
}

// judged is what is compared: the verdict, and the failing rules.
type judged struct {
	verdict guide.Verdict
	failing []string
}

func byGuide(c *guide.Case) judged {
	j := judged{verdict: c.Verdict}
	for _, r := range c.Failing() {
		j.failing = append(j.failing, r.ID)
	}
	return j
}

func bySieve(of sieve.Judgement) judged {
	j := judged{verdict: of.Verdict}
	for _, r := range of.Failing {
		j.failing = append(j.failing, r.ID)
	}
	return j
}

func (j judged) equal(other judged) bool {
	return j.verdict == other.verdict && slices.Equal(j.failing, other.failing)
}

// Every bundle of the examples has a lowered form, alone and beside all others: none needs the guide.
func TestNew_LowersEveryBundle(t *testing.T) {
	t.Parallel()
	var bundles []*catalog.Bundle
	for _, m := range load(t, examples) {
		bundles = append(bundles, m.bundle)
		if ids := sieve.New(m.bundle).NotLowered(""); len(ids) > 0 {
			t.Errorf("%v has no lowered form", ids)
		}
	}
	if ids := sieve.New(bundles...).NotLowered(""); len(ids) > 0 {
		t.Errorf("%v have no lowered form beside each other", ids)
	}
}

// The sieve says of every bundle what the guide says, which asks cel-go: over the records of its tests and over records
// near them, with answers missing and blank, lists with cells missing, and unknown choices tried.
func TestJudge_SaysWhatTheGuideSays(t *testing.T) {
	t.Parallel()
	for _, tree := range []string{examples, language} {
		for i, m := range load(t, tree) {
			t.Run(m.bundle.ID, func(t *testing.T) {
				t.Parallel()
				row, rnd := sieve.New(m.bundle).Row(), rand.New(rand.NewPCG(1, uint64(i)))
				seen := map[guide.Verdict]int{}
				for n, test := range m.tests {
					record := test.Record
					switch {
					case n > 2 && n%3 > 0: // the guide takes a millisecond for each
						continue
					case n > 0:
						record = m.vary(rnd, record, n%2 == 1)
					}
					want := byGuide(guide.Assess(m.selection, record, test.Setting).Cases[0])
					seen[want.verdict]++
					row.Load(record, &test.Setting)
					if got := bySieve(row.Judge()[0]); !got.equal(want) {
						t.Errorf("over the record of %s (%d): %s %v, the guide says %s %v", test.ID, n, got.verdict, got.failing, want.verdict, want.failing)
					}
					if got := row.Verdicts()[0].Verdict; got != want.verdict {
						t.Errorf("over the record of %s (%d): verdict alone %s, the guide says %s", test.ID, n, got, want.verdict)
					}
					if got := bySieve(row.Judge()[0]); !got.equal(want) {
						t.Errorf("over the record of %s (%d), asked again: %s %v", test.ID, n, got.verdict, got.failing)
					}
				}
				if len(seen) < 2 {
					t.Errorf("only %v", seen)
				}
			})
		}
	}
}

// Beside all other bundles each is judged as alone, over records that were written for any of them.
func TestJudge_AllTogether(t *testing.T) {
	t.Parallel()
	all := load(t, examples)
	var bundles []*catalog.Bundle
	for _, m := range all {
		bundles = append(bundles, m.bundle)
	}
	row, rnd := sieve.New(bundles...).Row(), rand.New(rand.NewPCG(2, 2))
	for i := 0; i < len(all); i += 33 {
		record, setting := mixed(rnd, all, i)
		row.Load(record, &setting)
		judgements := row.Judge()
		for j, m := range all {
			want := byGuide(guide.Assess(m.selection, record, setting).Cases[0])
			if got := bySieve(judgements[j]); !got.equal(want) {
				t.Errorf("record %d: %s is %s %v, the guide says %s %v", i, m.bundle.ID, got.verdict, got.failing, want.verdict, want.failing)
			}
		}
	}
}

// mixed is a record that answers what all matters ask, as their tests do, where one came before in the list.
func mixed(rnd *rand.Rand, all []*matter, first int) (forms.Record, guide.Setting) {
	record := forms.Record{}
	for i := range all {
		m := all[(first+i)%len(all)]
		test := m.tests[rnd.IntN(len(m.tests))]
		for p, v := range test.Record.All() {
			if _, answered := record.Get(p); !answered {
				record = record.With(p, v)
			}
		}
	}
	return record, all[first].tests[0].Setting
}

// A record that does not fit its form (a decimal of many digits, a value of another kind) is judged by the guide.
func TestJudge_AsksTheGuide(t *testing.T) {
	t.Parallel()
	digits := kind.Decimal{Decimal: decimal.New(1, 18)}
	asked := 0
	for _, m := range load(t, examples) {
		for _, p := range m.bundle.Paths() {
			f := m.bundle.Field(p)
			if f.Field.Derived || f.Kind != kind.KindDecimal {
				continue
			}
			asked++
			test := m.tests[0]
			row := sieve.New(m.bundle).Row()
			for _, v := range []kind.Value{digits, kind.Text("十")} {
				record := test.Record.With(p, v)
				row.Load(record, &test.Setting)
				want := byGuide(guide.Assess(m.selection, record, test.Setting).Cases[0])
				if got := bySieve(row.Judge()[0]); !got.equal(want) {
					t.Errorf("%s with %s of %d digits: %s %v, the guide says %s %v", m.bundle.ID, p, 19, got.verdict, got.failing, want.verdict, want.failing)
				}
			}
			row.Load(test.Record, &test.Setting) // and the next record is judged as ever
			want := byGuide(guide.Assess(m.selection, test.Record, test.Setting).Cases[0])
			if got := bySieve(row.Judge()[0]); !got.equal(want) {
				t.Errorf("%s afterwards: %s %v, want %s %v", m.bundle.ID, got.verdict, got.failing, want.verdict, want.failing)
			}
			break
		}
	}
	if asked < 10 {
		t.Errorf("only %d bundles ask for a decimal", asked)
	}
}

// One changed answer gives what the changed record gives.
func TestSet_AsIfLoaded(t *testing.T) {
	t.Parallel()
	for i, m := range load(t, language) {
		s, rnd := sieve.New(m.bundle), rand.New(rand.NewPCG(3, uint64(i)))
		changed, loaded := s.Row(), s.Row()
		record, setting := m.tests[0].Record, m.tests[0].Setting
		changed.Load(record, &setting)
		paths := slices.Sorted(maps.Keys(m.answers))
		for range 200 {
			p := paths[rnd.IntN(len(paths))]
			if m.bundle.Field(p) == nil || len(m.answers[p]) == 0 {
				continue
			}
			v := m.answers[p][rnd.IntN(len(m.answers[p]))]
			record = record.With(p, v)
			changed.Set(p, v)
			loaded.Load(record, &setting)
			if got, want := bySieve(changed.Judge()[0]), bySieve(loaded.Judge()[0]); !got.equal(want) {
				t.Fatalf("%s after %s: %s %v, loaded %s %v", m.bundle.ID, p, got.verdict, got.failing, want.verdict, want.failing)
			}
		}
	}
}

// At a place, what holds there is judged, and nothing else: a county's own bundles beside those that hold everywhere.
func TestJudge_AtAPlace(t *testing.T) {
	t.Parallel()
	m := load(t, language)[0]
	at := func(place string) *catalog.Bundle {
		b := *m.bundle
		b.ID, b.Place = b.ID+"_"+place, place
		return &b
	}
	s := sieve.New(at(""), at("32"), at("3213"), at("321323"), at("321324"), at("11"))
	row := s.Row()
	for place, want := range map[string][]string{
		"321323": {"", "32", "3213", "321323"},
		"321324": {"", "32", "3213", "321324"},
		"110101": {"", "11"},
		"440101": {""},
	} {
		setting := m.tests[0].Setting
		setting.Place = place
		row.Load(m.tests[0].Record, &setting)
		var got []string
		for _, j := range row.Judge() {
			got = append(got, j.Bundle.Place)
		}
		if !slices.Equal(got, want) {
			t.Errorf("at %s: %q, want %q", place, got, want)
		}
	}
}

// Rows of several goroutines do not disturb each other, also while the first of them prepares the rules.
func TestJudge_Concurrently(t *testing.T) {
	t.Parallel()
	all := load(t, language)
	var bundles []*catalog.Bundle
	for _, m := range all {
		bundles = append(bundles, m.bundle)
	}
	s := sieve.New(bundles...)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			row, rnd := s.Row(), rand.New(rand.NewPCG(4, uint64(g)))
			for range 20 {
				m := all[rnd.IntN(len(all))]
				test := m.tests[rnd.IntN(len(m.tests))]
				row.Load(test.Record, &test.Setting)
				want := byGuide(guide.Assess(m.selection, test.Record, test.Setting).Cases[0])
				for _, j := range row.Judge() {
					if j.Bundle == m.bundle && !bySieve(j).equal(want) {
						t.Errorf("%s over %s: %s, want %s", m.bundle.ID, test.ID, j.Verdict, want.verdict)
					}
				}
			}
		})
	}
	group.Wait()
}

// A record costs no memory once the row has seen one like it.
func TestJudge_AllocatesNothing(t *testing.T) {
	m := load(t, language)[0]
	row := sieve.New(m.bundle).Row()
	test := m.tests[0]
	once := func() {
		row.Load(test.Record, &test.Setting)
		row.Judge()
		row.Verdicts()
	}
	once()
	if n := testing.AllocsPerRun(100, once); n > 0 {
		t.Errorf("%v allocations for a record", n)
	}
}
