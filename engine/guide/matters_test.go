package guide_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// trees are the four matters, and two that use lists.
func trees() map[string][]string {
	return map[string][]string{
		"../../examples":                  examples.Matters(),
		"../bundletest/testdata/language": {"company_setup", "inheritance", "ranks"},
	}
}

// matter is a matter with the records of its tests, and for every question the answers that the
// properties draw from: those of the tests, and what lies at the edges beside them.
type matter struct {
	tree      string
	bundle    *catalog.Bundle
	selection *catalog.Selection
	tests     []bundletest.Test
	answers   map[forms.Path][]kind.Value
	reads     map[forms.Path]bool // questions on which the verdict hangs
}

func newMatters(t testing.TB) []*matter {
	t.Helper()
	var matters []*matter
	for _, tree := range slices.Sorted(maps.Keys(trees())) {
		matters = append(matters, newMattersOf(t, tree, trees()[tree]...)...)
	}
	return matters
}

func newMattersOf(t testing.TB, tree string, ids ...string) []*matter {
	t.Helper()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	files := os.DirFS(tree)
	if tree == "../../examples" {
		files = examples.Only(ids...)
	}
	c, found := catalog.Load(files)
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	var matters []*matter
	for _, id := range ids {
		text, err := os.ReadFile(tree + "/" + bundletest.File(id))
		if err != nil {
			t.Fatal(err)
		}
		tests, found := bundletest.Read(c.Bundles[id], bundletest.File(id), text, days)
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		selection, err := catalog.Select(c.Bundles[id])
		if err != nil {
			t.Fatal(err)
		}
		m := &matter{tree: tree, bundle: c.Bundles[id], selection: selection, tests: tests, answers: map[forms.Path][]kind.Value{}}
		for _, p := range m.asked() {
			m.answers[p] = m.pool(m.bundle.Field(p).Field, m.given(p))
			for _, cell := range m.bundle.Field(p).Row {
				m.answers[column(p, cell.ID)] = m.pool(cell.Field, m.cells(p, cell.ID))
			}
		}
		m.reads = m.hangs()
		matters = append(matters, m)
	}
	return matters
}

// asked are the questions of the matter.
func (m *matter) asked() []forms.Path {
	return slices.DeleteFunc(slices.Clone(m.bundle.Paths()), func(p forms.Path) bool { return m.bundle.Field(p).Field.Derived })
}

// hangs are the questions that the rules read that decide the verdict, and those behind them.
func (m *matter) hangs() map[forms.Path]bool {
	reads := map[forms.Path]bool{}
	for i, r := range m.bundle.Eligibility {
		if r.Otherwise == catalog.Warn || len(r.For) > 0 || r.Examine != nil {
			continue
		}
		for place, p := range m.bundle.Paths() {
			if m.bundle.Influence().Rules[i].Has(place) {
				reads[p] = true
			}
		}
	}
	return reads
}

// column is under what the answers to the cells of a list stand.
func column(list forms.Path, id string) forms.Path { return list + "." + forms.Path(id) }

// choices are the answers that are worth trying for a question, also for that of a cell.
func (m *matter) choices(p forms.Path) []kind.Value {
	if list, _, id, ok := p.Cell(); ok {
		return m.answers[column(list, id)]
	}
	return m.answers[p]
}

// given are the answers of the tests to a question, and cells those to the cells of a list.
func (m *matter) given(p forms.Path) []kind.Value {
	var all []kind.Value
	for _, test := range m.tests {
		if v, _ := test.Record.Get(p); v != nil {
			all = append(all, v)
		}
	}
	return all
}

func (m *matter) cells(list forms.Path, id string) []kind.Value {
	var all []kind.Value
	for _, v := range m.given(list) {
		rows, _ := v.(kind.List)
		for _, row := range rows {
			if row[id] != nil {
				all = append(all, row[id])
			}
		}
	}
	return all
}

// pool are the answers to one question that are worth trying.
func (m *matter) pool(f *forms.Field, given []kind.Value) []kind.Value {
	var all []kind.Value
	add := func(values ...kind.Value) {
		for _, v := range values {
			if !slices.ContainsFunc(all, v.Equal) {
				all = append(all, v)
			}
		}
	}
	switch f.Kind {
	case kind.KindBool:
		add(kind.Bool(true), kind.Bool(false))
		return all
	case kind.KindChoice:
		for _, o := range f.Options {
			add(kind.Choice(o.ID))
		}
		return all
	case kind.KindChoices:
		every := kind.Choices{}
		for _, o := range f.Options {
			add(kind.Choices{o.ID})
			every = append(every, o.ID)
		}
		add(kind.Choices{}, every)
		return all
	case kind.KindAddress:
		add(kind.Address{Region: "321323", Text: "众兴街道 1 号"}, kind.Address{Region: "320102", Text: "中山路 1 号"})
	case kind.KindPhone:
		add(kind.Phone("13812345601"))
	case kind.KindCitizenNumber:
		add(kind.CitizenNumber("321323198802200171"))
	case kind.KindBankAccount:
		add(kind.BankAccount("6230660000112233445"))
	case kind.KindUSCC:
		add(kind.USCC("91321323MA1X2Y3K4K"))
	default:
	}
	today := m.tests[0].Setting.Today
	edge := func(d kind.Date) {
		for _, n := range []int{0, -1, 1} {
			if moved, ok := d.AddDays(n); ok {
				add(moved)
			}
		}
	}
	for _, v := range given {
		switch v := v.(type) {
		case kind.Date:
			edge(v)
		case kind.Int:
			add(v, v-1, v+1)
		case kind.Money:
			add(v, v-1, v+1)
		default:
			add(v)
		}
	}
	switch f.Kind {
	case kind.KindDate:
		edge(today)
		for _, months := range []int{-12, -16 * 12, -60 * 12, 600} {
			d, _ := today.AddMonths(months)
			edge(d)
		}
		add(kind.MustDate("1900-01-01"), kind.MustDate("2199-12-31"))
	case kind.KindInt:
		add(kind.Int(0), kind.Int(1), kind.Int(2), kind.Int(1<<53-1))
	case kind.KindMoney:
		add(kind.Money(0), kind.Money(1<<53-1))
	case kind.KindDecimal:
		add(decimal("0.6"), decimal("3"), decimal("999999"))
	case kind.KindText:
		add(kind.Text("甲"))
	case kind.KindPlate:
		add(kind.Plate("苏N12345"), kind.Plate("苏N54321"))
	case kind.KindList:
		add(kind.List{}, kind.List{{}}, kind.List{{}, {}})
	case kind.KindFile:
		add(kind.File(strings.Repeat("0", 64)))
	default:
	}
	return all
}

func decimal(s string) kind.Value {
	v, fault := kind.Spec{Kind: kind.KindDecimal, Scale: 4}.Parse(s)
	if fault != nil {
		panic(fault.Text)
	}
	return v
}

// draw is a record near one of the tests', with its setting: some answers changed, blank, or not given.
func (m *matter) draw(t *rapid.T) (forms.Record, guide.Setting) {
	test := m.tests[rapid.IntRange(0, len(m.tests)-1).Draw(t, "test")]
	record := test.Record
	for range rapid.IntRange(0, 8).Draw(t, "changes") {
		record = m.edit(t, record)
	}
	return record, test.Setting
}

// edit changes one answer.
func (m *matter) edit(t *rapid.T, record forms.Record) forms.Record {
	p := rapid.SampledFrom(m.asked()).Draw(t, "path")
	if v, _ := record.Get(p); v != nil && v.Kind() == kind.KindList && len(v.(kind.List)) > 0 && rapid.Bool().Draw(t, "in the list") {
		row := rapid.IntRange(0, len(v.(kind.List))-1).Draw(t, "row")
		p = p.CellOf(row, rapid.SampledFrom(m.bundle.Field(p).Row).Draw(t, "cell").ID)
		if m.bundle.Field(p).Field.Derived {
			return record
		}
	}
	switch rapid.IntRange(0, 5).Draw(t, "edit") {
	case 0:
		return record.With(p, nil)
	case 1:
		return record.Without(p)
	default:
		return record.With(p, rapid.SampledFrom(m.choices(p)).Draw(t, "answer"))
	}
}

// every runs a property over each matter.
func every(t *testing.T, property func(*rapid.T, *matter)) {
	t.Helper()
	for _, m := range newMatters(t) {
		t.Run(m.bundle.ID, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { property(t, m) })
		})
	}
}

// complete are the facts that may be known, all of them.
func (m *matter) facts(t *rapid.T) map[forms.Path]kind.Value {
	facts := map[forms.Path]kind.Value{}
	for _, s := range m.bundle.Sections {
		if s.About == forms.AboutPerson {
			facts[forms.Path("facts."+s.Alias+".credit_restricted")] = kind.Bool(rapid.Bool().Draw(t, s.Alias+" on the credit list"))
		}
	}
	return facts
}
