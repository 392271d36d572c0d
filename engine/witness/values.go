package witness

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
)

const (
	maxLength = 60  // of the lists that are made
	maxText   = 500 // of the texts
	// maxReckoned is for how many pairs of a literal and another answer it is reckoned where a bound may lie.
	maxReckoned = 24
)

// values are what is worth trying for what is not known, beside what is known so far, and whether they are all that the
// rules can tell apart. A nil is blank. Each is a value of the field of one of the bundles, and within its bounds as far
// as these are known.
func (d *Domain) values(p forms.Path, record forms.Record, setting guide.Setting) (values []kind.Value, all bool) {
	all = true
	seen := map[any]bool{}
	for _, b := range d.bundles {
		f := known(b, p)
		if f == nil {
			continue
		}
		t := guide.NewTrace(b, record, setting)
		proposed, whole := d.propose(p, f, t, record, setting)
		all = all && whole
		bounded := f.Min != nil || f.Max != nil || len(f.OptionWhen) > 0
		for _, v := range proposed {
			if k := key(v); !seen[k] && (v == nil || !bounded || len(t.FaultsOf(f, p, v)) == 0) {
				seen[k] = true
				values = append(values, v)
			}
		}
	}
	return values, all && len(values) > 0
}

// key is a value as a key of maps, the same for equal ones.
func key(v kind.Value) any {
	switch v := v.(type) {
	case kind.Decimal, kind.Choices, kind.List:
		return fmt.Sprint(v.Kind(), kind.Encode(v))
	default:
		return v
	}
}

// known is the field behind an answer, a fact or a result; nil if the bundle has none.
func known(b *catalog.Bundle, p forms.Path) *catalog.Field {
	parts := p.Segments()
	switch p.Root() {
	case "facts":
		if fact := b.Facts()[parts[2]]; fact != nil {
			return &catalog.Field{Field: fact.Field}
		}
		return nil
	case "results":
		step := b.Step(parts[1])
		if step == nil {
			return nil
		}
		i := slices.IndexFunc(step.Result, func(f *catalog.Field) bool { return f.ID == parts[2] })
		if i < 0 {
			return nil
		}
		return step.Result[i]
	default:
		return b.Field(p)
	}
}

// propose are the values of one field.
func (d *Domain) propose(p forms.Path, f *catalog.Field, t guide.Trace, record forms.Record, setting guide.Setting) (values []kind.Value, all bool) {
	at := p
	if list, _, id, ok := p.Cell(); ok {
		at = list + "." + forms.Path(id)
	}
	w := d.words[at]
	if w == nil {
		w = &words{}
	}
	all = !w.opaque
	switch f.Kind {
	case kind.KindBool:
		values, all = []kind.Value{kind.Bool(true), kind.Bool(false)}, true
	case kind.KindChoice:
		for _, o := range f.Options {
			values = append(values, kind.Choice(o.ID))
		}
		all = true
	case kind.KindChoices:
		var whole bool
		values, whole = w.subsets(f.Options)
		all = all && whole
	case kind.KindInt, kind.KindMoney, kind.KindDecimal:
		values = w.amounts(f.Field, append(w.others(p, t, record), bounds(p, f, t)...))
	case kind.KindDate:
		values = w.days(append(w.others(p, t, record), bounds(p, f, t)...), setting)
	case kind.KindAddress:
		for _, region := range append([]string{setting.Place}, append(slices.Clone(w.regions), elsewhere, elsewhereAgain)...) {
			if region != "" {
				values = append(values, kind.Address{Region: county(region, setting.Place), Text: "人民路 1 号"})
			}
		}
	case kind.KindList:
		values = []kind.Value{kind.List{{}}, kind.List{}, kind.List{{}, {}}}
		if w.sizes || f.Min != nil || f.Max != nil {
			for _, n := range w.lengths() {
				all = all && (n <= maxLength || !w.sizes)
				for _, n := range []int{n, n - 1, n + 1} {
					if n >= 0 && n <= maxLength+1 {
						values = append(values, kind.List(slices.Repeat([]kind.Row{{}}, n)))
					}
				}
			}
		}
	case kind.KindText:
		values = w.sayings(w.sizes || f.Min != nil || f.Max != nil)
		all = all && !w.sizes
	case kind.KindCitizenNumber:
		values = sample(f.Kind)
		if w.persons {
			for _, day := range w.days(w.others(p, t, record), setting) {
				values = append(values, person(day)...)
			}
		}
	default: // other numbers with a check digit, files: it is only tried whether there is one, or the other
		values = sample(f.Kind)
		all = all && (f.Kind == kind.KindFile || len(values) > 1 || !w.equal)
	}
	if f.Pattern != nil {
		if text, ok := matching(f.Pattern); ok {
			values = append(values, kind.Text(text))
		}
		values = slices.DeleteFunc(values, func(v kind.Value) bool {
			text, ok := v.(kind.Text)
			return ok && !f.Pattern.MatchString(string(text))
		})
		all = false
	}
	if p.Root() != "facts" && (!f.Field.Required || f.RequireRule != nil) {
		values = append(values, nil)
	}
	return values, all
}

// others are the values that stand beside a question, as far as they are known. Of a list they are those of all rows, beside
// a cell those of its own row.
func (w *words) others(p forms.Path, t guide.Trace, record forms.Record) []kind.Value {
	var values []kind.Value
	here, row, _, inRow := p.Cell()
	for _, q := range w.beside {
		if s := t.State(q); s.Status == forms.Known {
			values = append(values, s.Value)
			continue
		}
		i := strings.LastIndexByte(string(q), '.')
		if i < 0 {
			continue
		}
		list, column := q[:i], string(q[i+1:])
		given, _ := record.Get(list)
		rows, _ := given.(kind.List)
		for n := range rows {
			if v, _ := record.Get(list.CellOf(n, column)); v != nil && (!inRow || here != list || n == row) {
				values = append(values, v)
			}
		}
	}
	return values
}

// bounds are those of a question of the form, as far as they are known.
func bounds(p forms.Path, f *catalog.Field, t guide.Trace) []kind.Value {
	var values []kind.Value
	if _, _, _, cell := p.Cell(); cell {
		return nil
	}
	for _, bound := range []*formula.Formula{f.Min, f.Max} {
		if bound != nil {
			if s := t.Compute(bound); s.Status == forms.Known {
				values = append(values, s.Value)
			}
		}
	}
	return values
}

// amounts are numbers at and beside those of the rules and those that stand beside, nothing, and a great one.
func (w *words) amounts(f *forms.Field, others []kind.Value) []kind.Value {
	step := decimal.New(1, 0)
	switch f.Kind {
	case kind.KindMoney:
		step = decimal.New(1, -2)
	case kind.KindDecimal:
		step = decimal.New(1, int32(-f.Scale))
	default:
	}
	spec := f.Spec()
	var all []kind.Value
	seen := map[string]bool{}
	try := func(d decimal.Decimal) {
		s := d.String()
		if seen[s] {
			return
		}
		seen[s] = true
		var given any = s
		if f.Kind == kind.KindInt {
			if !d.IsInteger() {
				return
			}
			given = d.IntPart()
		}
		if v, fault := spec.Parse(given); fault == nil {
			all = append(all, v)
		}
	}
	around := func(d decimal.Decimal) {
		try(d)
		try(d.Add(step))
		try(d.Sub(step))
	}
	var numbers []decimal.Decimal
	for _, n := range w.numbers {
		if d, err := decimal.NewFromString(n); err == nil && d.NumDigits() < 20 {
			numbers = append(numbers, d)
			around(d)
		}
	}
	down := func(d decimal.Decimal) decimal.Decimal { return d.Div(step).Floor().Mul(step) }
	for _, v := range others {
		n, ok := amount(v)
		if !ok {
			continue
		}
		around(n)
		for _, m := range numbers {
			if len(numbers)*len(others) > maxReckoned {
				break
			}
			if w.sums {
				around(n.Add(m))
				around(n.Sub(m))
				around(m.Sub(n))
			}
			if w.products && m.IsPositive() {
				around(down(n.Mul(m)))
				around(down(n.Div(m)))
				around(down(n.Mul(m).Shift(-2)))
			}
		}
	}
	around(decimal.Zero)
	try(decimal.New(9000000, 0))
	return all
}

// amount is a value as a number, money in yuan.
func amount(v kind.Value) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case kind.Int:
		return decimal.NewFromInt(int64(v)), true
	case kind.Money:
		return decimal.New(int64(v), -2), true
	case kind.Decimal:
		return v.Decimal, true
	default:
		return decimal.Decimal{}, false
	}
}

// days are those of the rules and those that stand beside, at the distances that the rules name, each with its neighbours,
// and days long past and long to come.
func (w *words) days(others []kind.Value, setting guide.Setting) []kind.Value {
	bases, lengths := slices.Clone(w.dates), w.lengths()
	for _, v := range others {
		switch v := v.(type) {
		case kind.Date:
			bases = append(bases, v)
		case kind.CitizenNumber:
			bases = append(bases, v.BirthDate())
		case kind.Int:
			if v > 0 && v <= 3000 {
				lengths = append(lengths, int(v))
			}
		default:
		}
	}
	for _, n := range lengths { // a year that is named
		if first, ok := kind.NewDate(n, time.January, 1); ok && w.years && n >= 1900 && n < 2200 {
			bases = append(bases, first)
		}
	}
	var all []kind.Value
	seen := map[kind.Date]bool{}
	around := func(d kind.Date, ok bool) {
		for _, n := range []int{0, -1, 1} {
			if moved, fits := d.AddDays(n); ok && fits && !seen[moved] {
				seen[moved] = true
				all = append(all, moved)
			}
		}
	}
	for _, base := range bases {
		around(base, true)
		for _, n := range lengths {
			for _, n := range []int{-n, n} {
				if w.years {
					around(base.AddYears(n))
				}
				if w.months {
					around(base.AddMonths(n))
				}
				if w.dayCounts {
					around(base.AddDays(n))
				}
				if w.working && setting.Calendar != nil {
					due, _, ok := setting.Calendar.AddWorkingDays(base, n)
					around(due, ok)
				}
			}
		}
	}
	for _, d := range []kind.Date{setting.Today, kind.MustDate("1900-01-01"), kind.MustDate("2199-12-31")} {
		if !seen[d] && !d.IsZero() {
			seen[d] = true
			all = append(all, d)
		}
	}
	return all
}

// sayings are the texts of the rules and one that none names; if their length counts, texts as long as the rules say.
func (w *words) sayings(long bool) []kind.Value {
	all := []kind.Value{kind.Text("甲")}
	for _, text := range w.texts {
		if text != "" {
			all = append(all, kind.Text(text))
		}
		if pattern, err := regexp.Compile(text); err == nil && w.matches {
			if text, ok := matching(pattern); ok {
				all = append(all, kind.Text(text))
			}
		}
	}
	if !long {
		return all
	}
	for _, n := range w.lengths() {
		for _, n := range []int{n, n - 1, n + 1} {
			if n > 0 && n <= maxText {
				all = append(all, kind.Text(strings.Repeat("甲", n)))
			}
		}
	}
	return all
}

// subsets are the choices of the options that rules name, and of one that none does.
func (w *words) subsets(options []forms.Option) (values []kind.Value, all bool) {
	var ids []string
	other := false
	for _, o := range options {
		named := strings.Contains(w.read, "."+o.ID) || w.sizes
		if named || !other {
			ids = append(ids, o.ID)
		}
		other = other || !named
	}
	all = len(ids) <= 6
	ids = ids[:min(len(ids), 6)]
	for mask := range 1 << len(ids) {
		chosen := kind.Choices{}
		for i, id := range ids {
			if mask&(1<<i) != 0 {
				chosen = append(chosen, id)
			}
		}
		values = append(values, chosen)
	}
	return values, all
}
