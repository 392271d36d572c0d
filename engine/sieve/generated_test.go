package sieve_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// values are answers to a question that rules of a [writer] tell apart.
func values(f *forms.Field) []kind.Value {
	var all []kind.Value
	switch f.Kind {
	case kind.KindBool:
		return []kind.Value{kind.Bool(true), kind.Bool(false)}
	case kind.KindChoice:
		for _, o := range f.Options {
			all = append(all, kind.Choice(o.ID))
		}
		return all
	case kind.KindChoices:
		return []kind.Value{kind.Choices{f.Options[0].ID}, kind.Choices{}}
	case kind.KindInt:
		return []kind.Value{kind.Int(0), kind.Int(1), kind.Int(2), kind.Int(3), kind.Int(1<<53 - 1)}
	case kind.KindMoney:
		return []kind.Value{kind.Money(0), kind.Money(100), kind.Money(200), kind.Money(300), kind.Money(1<<53 - 1)}
	case kind.KindDecimal:
		for _, s := range []string{"1", "1.5", "0.12", "-1", "0.5", "1.25", "99999999.99", "123456789012345678901.5"} {
			all = append(all, kind.Decimal{Decimal: decimal.RequireFromString(s)})
		}
		return all
	case kind.KindDate:
		for _, s := range []string{"2026-03-16", "2026-03-14", "2025-01-31", "2024-02-29", "2031-01-01", "1999-12-31"} {
			all = append(all, kind.MustDate(s))
		}
		return all
	case kind.KindText:
		return []kind.Value{kind.Text("a"), kind.Text("b"), kind.Text("aa")}
	case kind.KindAddress:
		return []kind.Value{kind.Address{Region: "321323", Text: "甲"}, kind.Address{Region: "321323", Text: "乙"}, kind.Address{Region: "320102", Text: "甲"}}
	case kind.KindCitizenNumber:
		return []kind.Value{kind.CitizenNumber("321323199001010010"), kind.CitizenNumber("321323202601010029")}
	default:
		return []kind.Value{kind.File("sha256:a")}
	}
}

// answer is one to a question, nil if it is left blank; false if there is none.
func (w *writer) answer(f *forms.Field, missing int) (v kind.Value, answered bool) {
	switch n := w.rnd.IntN(100); {
	case n < missing:
		return nil, false
	case n < missing+8:
		return nil, true
	case f.Kind != kind.KindList:
		return pick(w, values(f)...), true
	}
	list := make(kind.List, pick(w, 0, 1, 1, 2, 2, 3, 12))
	for i := range list {
		list[i] = kind.Row{}
		for _, c := range f.Row {
			if v, answered := w.answer(c, missing); answered && !c.Derived {
				list[i][c.ID] = v
			}
		}
	}
	return list, true
}

// record answers the questions of bundles.
func (w *writer) record(bundles []*catalog.Bundle) forms.Record {
	r, missing := forms.Record{}, pick(w, 0, 5, 15, 30, 60, 90)
	for _, b := range bundles {
		for _, p := range b.Paths() {
			if v, answered := w.answer(b.Field(p).Field, missing); answered && !b.Field(p).Field.Derived {
				r = r.With(p, v)
			}
		}
	}
	return r
}

// change is another answer to a question of a bundle, or to that of a row, which need not be there.
func (w *writer) change(b *catalog.Bundle) (forms.Path, kind.Value) {
	p := pick(w, b.Paths()...)
	f := b.Field(p)
	if len(f.Row) > 0 && w.chance(60) {
		c := pick(w, f.Row...)
		p, f = p.CellOf(w.upTo(2), c.ID), c
	}
	if f.Field.Derived {
		return w.change(b)
	}
	v, _ := w.answer(f.Field, 0)
	return p, v
}

func (w *writer) setting(t testing.TB) guide.Setting {
	s := settingOf(t)
	s.Today, s.Place = kind.MustDate(pick(w, "2026-03-16", "2026-03-16", "2026-02-16", "2025-12-31")), pick(w, "321323", "321323", "321323", "110101")
	s.Facts = map[forms.Path]kind.Value{}
	if w.chance(10) {
		s.Calendar = &calendar.Calendar{}
	}
	if w.chance(60) {
		s.Facts["facts.p.listed"] = kind.Bool(w.chance(50))
		s.Facts["facts.p.points"] = kind.Int(w.upTo(3))
	}
	return s
}

// generated are two bundles at most, of one library or of two.
type generated struct {
	bundles    []*catalog.Bundle
	selections []*catalog.Selection
	texts      []string
	seen       map[string]int // how often what was met, over all
}

func (w *writer) bundles(t *rapid.T, all []*catalog.Library, seen map[string]int) generated {
	g := generated{seen: seen}
	for i := range pick(w, 1, 1, 2) {
		w.other = w.chance(30)
		library := all[0]
		if w.other {
			library = all[1]
		}
		id := fmt.Sprint("b", i)
		text := w.bundle(id)
		b, found := catalog.ParseBundle(library, catalog.BundleFile(id), []byte(text))
		if found.Err() != nil { // some few guard too little or cost too much
			seen["refused"]++
			continue
		}
		seen["accepted"]++
		s, err := catalog.Select(b)
		if err != nil {
			t.Fatal(err)
		}
		g.bundles, g.selections, g.texts = append(g.bundles, b), append(g.selections, s), append(g.texts, text)
	}
	return g
}

// Whatever a bundle says and a record answers, the sieve says what the guide says: over records with answers missing and
// blank, whole and after single changes, at several places and days, alone and beside another bundle that asks the same.
func TestJudge_GeneratedBundles(t *testing.T) {
	t.Parallel()
	all, err := libraries()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := &writer{rnd: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))}
		g := w.bundles(rt, all, seen)
		s := sieve.New(g.bundles...)
		seen["left to the guide"] += len(s.NotLowered("321323"))
		row := s.Row()
		for range 6 {
			record, setting := w.record(g.bundles), w.setting(t)
			row.Load(record, &setting)
			g.same(rt, row, record, setting, "loaded")
			for range w.upTo(2) {
				if len(g.bundles) > 0 {
					p, v := w.change(pick(w, g.bundles...))
					record = record.With(p, v)
					row.Set(p, v)
					g.same(rt, row, record, setting, "after "+string(p))
				}
			}
		}
	})
	if seen["refused"]*5 > seen["accepted"] || seen["left to the guide"]*5 > seen["accepted"] {
		t.Errorf("few bundles are worth it: %v", seen)
	}
	for v := range guide.Elsewhere + 1 {
		if seen[v.String()] < 10 {
			t.Errorf("%s is seldom: %v", v, seen)
		}
	}
}

// same fails unless a row says of each bundle what the guide says.
func (g generated) same(t *rapid.T, row *sieve.Row, record forms.Record, setting guide.Setting, what string) {
	all, alone := map[*catalog.Bundle]judged{}, map[*catalog.Bundle]guide.Verdict{}
	for _, j := range row.Judge() {
		all[j.Bundle] = bySieve(j)
	}
	for _, j := range row.Verdicts() {
		alone[j.Bundle] = j.Verdict
	}
	for i, b := range g.bundles {
		got, holds := all[b]
		if holds != strings.HasPrefix(setting.Place, b.Place) {
			t.Fatalf("%s is judged at %s: %t", b.Place, setting.Place, holds)
		}
		if !holds {
			continue
		}
		want := byGuide(guide.Assess(g.selections[i], record, setting).Cases[0])
		g.seen[want.verdict.String()]++
		if !got.equal(want) || alone[b] != want.verdict {
			t.Fatalf("%s: %s %v, verdict alone %s; the guide says %s %v\n%s\nat %s on %s with %v, over\n%v",
				what, got.verdict, got.failing, alone[b], want.verdict, want.failing, g.texts[i], setting.Place, setting.Today, setting.Facts, record)
		}
	}
}
