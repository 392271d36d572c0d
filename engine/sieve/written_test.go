package sieve_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// record are answers to the questions of the bundle `b`; nil is blank.
type record map[forms.Path]kind.Value

// What a bundle may say and the examples do not: one condition each, over own questions or a person and items.
func TestJudge_AsWritten(t *testing.T) {
	t.Parallel()
	no := kind.Bool(false)
	letters := "options: [{ id: a, zh: 甲 }, { id: b, zh: 乙 }, { id: c, zh: 丙 }]"
	rows := func(rows ...kind.Row) kind.List { return rows }
	for _, test := range []struct {
		name    string
		form    string
		own     []string
		require string
		record  record
		want    guide.Verdict
		alone   bool // has no lowered form
	}{
		{name: "a question that is never asked is blank", own: []string{`{ field: x, kind: BOOL, when: "false", name: { zh: 问 }, required: true }`},
			require: "!has(own.x)", want: guide.Eligible},
		{name: "a blank that must be given as a rule says, which does not hold", own: []string{
			"{ field: x, kind: BOOL, name: { zh: 问 }, required: true }", "{ field: n, kind: INT, name: { zh: 问 }, required: own.x }"},
			require: "!has(own.n)", record: record{"own.b.x": no, "own.b.n": nil}, want: guide.Eligible},
		{name: "a blank cell that must be given as a rule says, which does not hold", form: "{ section: item, as: items, repeat: { max: 9 } }",
			require: "form.items.exists(i, !has(i.must))", record: record{"form.items": rows(kind.Row{"ok": no, "must": nil})}, want: guide.Eligible},
		{name: "a choice that is compared with the answer of each element", form: "{ section: item, as: items, repeat: { max: 9 } }",
			own:     []string{"{ field: x, kind: CHOICE, name: { zh: 问 }, required: true, " + letters + " }"},
			require: "own.x.a || form.items.exists(i, i.sort == own.x)", record: record{"form.items": rows(kind.Row{"sort": kind.Choice("b")})}, want: guide.Undecided},
		{name: "a condition of a cell that asks of another list", own: []string{
			"{ field: others, kind: LIST, name: { zh: 问 }, required: true, row: [{ field: n, kind: INT, name: { zh: 问 }, required: true }] }",
			`{ field: list, kind: LIST, name: { zh: 问 }, required: true, row: [{ field: n, kind: INT, name: { zh: 问 }, required: true }, { field: known, kind: BOOL, is: "own.others.exists(o, o.n == this.n)" }] }`},
			require: "own.list.exists(x, x.n == 2 && x.known) && !own.list.all(x, x.known)",
			record:  record{"own.b.others": rows(kind.Row{"n": kind.Int(2)}, kind.Row{"n": kind.Int(3)}), "own.b.list": rows(kind.Row{"n": kind.Int(1)}, kind.Row{"n": kind.Int(2)})}, want: guide.Eligible},
		{name: "two answers that are no options of the form", own: []string{"{ field: x, kind: CHOICE, name: { zh: 问 }, required: true, " + letters + " }",
			"{ field: y, kind: CHOICE, name: { zh: 问 }, required: true, " + letters + " }"},
			require: "own.x != own.y", record: record{"own.b.x": kind.Choice("y"), "own.b.y": kind.Choice("z")}, want: guide.Eligible},
		{name: "two addresses in one region", own: []string{"{ field: x, kind: ADDRESS, name: { zh: 问 }, required: true }", "{ field: y, kind: ADDRESS, name: { zh: 问 }, required: true }",
			"{ field: moved, kind: BOOL, derive: own.x != own.y }"},
			require: "own.moved", record: record{"own.b.x": kind.Address{Region: "321323", Text: "甲"}, "own.b.y": kind.Address{Region: "321323", Text: "乙"}}, want: guide.Eligible, alone: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := written(t, test.form, test.own, test.require)
			if alone := len(sieve.New(b).NotLowered("")) > 0; alone != test.alone {
				t.Errorf("left to the guide: %t", alone)
			}
			r, setting := forms.Record{}, settingOf(t)
			for p, v := range test.record {
				r = r.With(p, v)
			}
			row := sieve.New(b).Row()
			row.Load(r, &setting)
			selection, err := catalog.Select(b)
			if err != nil {
				t.Fatal(err)
			}
			if said := guide.Assess(selection, r, setting).Cases[0].Verdict; said != test.want {
				t.Fatalf("the guide says %s, want %s", said, test.want)
			}
			if got := row.Judge()[0]; got.Verdict != test.want {
				t.Errorf("%s, want %s", got.Verdict, test.want)
			}
		})
	}
}

// Named conditions that read each other twice are looked at once each: there are fifty, and as many ways through them as
// two to the fiftieth.
func TestJudge_ConditionsOfConditions(t *testing.T) {
	t.Parallel()
	own := []string{"{ field: q, kind: BOOL, name: { zh: 问 }, required: true }", "{ field: n, kind: INT, name: { zh: 问 }, required: true }", "{ field: f0, kind: BOOL, is: own.n > 0 }"}
	for i := range 50 {
		own = append(own, fmt.Sprintf("{ field: f%d, kind: BOOL, is: own.f%d && own.n > %d || !own.f%d && own.n < %d }", i+1, i, i, i, i))
	}
	b, setting := written(t, "", own, "own.q || own.f50"), settingOf(t)
	row := sieve.New(b).Row()
	row.Load(forms.Record{}.With("own.b.n", kind.Int(60)), &setting)
	if got := row.Judge()[0].Verdict; got != guide.Eligible {
		t.Errorf("%s", got)
	}
}

// A cell of a list that nobody has begun answers nothing: it leaves the list as it was, not blank.
func TestSet_ACellOfNoRow(t *testing.T) {
	t.Parallel()
	b := written(t, "{ section: item, as: items, repeat: { max: 9 } }", nil, "form.items.all(i, i.ok)")
	setting := settingOf(t)
	row := sieve.New(b).Row()
	row.Load(forms.Record{}, &setting)
	row.Set("form.items[0].ok", kind.Bool(true))
	if got := row.Judge()[0].Verdict; got != guide.Undecided {
		t.Errorf("no list: %s", got)
	}
	row.Set("form.items", kind.List{kind.Row{}})
	row.Set("form.items[1].ok", kind.Bool(true)) // nor does one of a row that is not there
	row.Set("form.items[0].ok", kind.Bool(true))
	if got := row.Judge()[0].Verdict; got != guide.Eligible {
		t.Errorf("one row: %s", got)
	}
}

// written is a bundle `b` with a rule.
func written(t *testing.T, form string, own []string, require string) *catalog.Bundle {
	t.Helper()
	all, err := libraries()
	if err != nil {
		t.Fatal(err)
	}
	text := "bundle: b\nname: { zh: 一 }\nlevel: COUNTY\nlead: office\napplicant: [p]\nform:\n  - { section: person, as: p }\n"
	needs := []string{"p.id_no"}
	if form != "" {
		text += "  - " + form + "\n"
		needs = append(needs, "items")
	}
	if len(own) > 0 {
		text += "own:\n"
	}
	for _, f := range own {
		text += "  - " + f + "\n"
		id, _, _ := strings.Cut(strings.TrimPrefix(f, "{ field: "), ",")
		needs = append(needs, "own."+id)
	}
	text += "eligibility:\n  - { id: r, because: { zh: 因 }, remedy: { zh: 办 }, require: '" + require + "' }\n" +
		"steps:\n  - { id: act, name: { zh: 办 }, department: office, promised: { working_days: 1 }, needs: { fields: [" + strings.Join(needs, ", ") + "] } }\n"
	b, found := catalog.ParseBundle(all[0], catalog.BundleFile("b"), []byte(text))
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}

func settingOf(t testing.TB) guide.Setting {
	t.Helper()
	days, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return guide.Setting{Today: kind.MustDate("2026-03-16"), Place: "321323", Calendar: days}
}

// published is the calendar of the examples.
var published = sync.OnceValues(func() (*calendar.Calendar, error) {
	days, found := calendar.Parse(holidays.File, holidays.Source())
	return days, found.Err()
})

// library is what written and generated bundles are made over, with the values of its parameters and the kind of one
// field, in which the two differ.
func library(number, born string) map[string][]byte {
	return map[string][]byte{
		"departments.yaml": []byte("library: departments\ndepartments: [{ department: office, name: { zh: 局 } }]\n"),
		"facts.yaml": []byte(`library: facts
facts:
  - { fact: listed, of: PERSON, kind: BOOL, name: { zh: 名单 }, source: register, fresh: { working_days: 1 } }
  - { fact: points, of: PERSON, kind: INT, name: { zh: 分 }, source: register, fresh: { working_days: 1 } }
`),
		"parameters.yaml": []byte(`library: parameters
parameters:
  - { param: line, kind: MONEY, name: { zh: 线 }, values: [{ from: "2026-01-01", until: "2026-12-31", place: "32", value: ` + number + ` }, { from: "2026-03-01", until: "2026-12-31", place: "3213", value: 2 }] }
  - { param: least, kind: INT, name: { zh: 数 }, values: [{ from: "2026-01-01", value: ` + number + ` }] }
  - { param: ratio, kind: DECIMAL, name: { zh: 率 }, values: [{ from: "2026-01-01", place: "32", value: "1.25" }] }
`),
		"sections.yaml": []byte(`library: sections
sections:
  - section: person
    name: { zh: 人 }
    about: PERSON
    fields:
      - { field: id_no, kind: CITIZEN_NUMBER, name: { zh: 号 }, required: true }
      - { field: yes, kind: BOOL, name: { zh: 是 }, required: true }
      - { field: sort, kind: CHOICE, name: { zh: 类 }, required: true, options: [{ id: a, zh: 甲 }, { id: b, zh: 乙 }, { id: c, zh: 丙, when: this.yes }] }
      - { field: both, kind: BOOL, is: "this.yes && this.sort.b" }
      - { field: more, kind: BOOL, name: { zh: 又 }, required: true, when: this.sort.b }
      - { field: some, kind: BOOL, name: { zh: 可 }, required: this.yes }
      - { field: born, kind: ` + born + `, name: { zh: 生 }, required: true }
      - { field: addr, kind: ADDRESS, name: { zh: 址 }, required: true }
      - { field: home, kind: ADDRESS, name: { zh: 址 }, required: true }
  - section: item
    name: { zh: 项 }
    fields:
      - { field: ok, kind: BOOL, name: { zh: 好 }, required: true }
      - { field: n, kind: INT, name: { zh: 数 }, required: true }
      - { field: sort, kind: CHOICE, name: { zh: 类 }, required: true, options: [{ id: a, zh: 甲 }, { id: b, zh: 乙 }, { id: c, zh: 丙 }] }
      - { field: more, kind: BOOL, name: { zh: 又 }, required: true, when: this.ok }
      - { field: maybe, kind: BOOL, name: { zh: 可 } }
      - { field: must, kind: INT, name: { zh: 必 }, required: this.ok }
      - { field: paid, kind: MONEY, name: { zh: 款 }, required: true }
`),
	}
}

// libraries are the two.
var libraries = sync.OnceValues(func() ([]*catalog.Library, error) {
	var all []*catalog.Library
	for _, files := range []map[string][]byte{library("1", "DATE"), library("3", "TEXT")} {
		l, found := catalog.ParseLibrary(files)
		if err := found.Err(); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
})
