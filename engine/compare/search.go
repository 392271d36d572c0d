package compare

import (
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// How long a witness is looked for: seeds whose answers are changed one at a time, assessments of several changed at
// once, and how many of a list's rows are tried.
const (
	nearSeeds = 4
	farTries  = 400
	maxRows   = 12
)

// search finds records that two versions answer differently. It starts from seeds and moves what decides to the
// bounds that both versions name.
type search struct {
	old, new *catalog.Selection
	seeds    []*candidate
}

// candidate is a record on the way, with what each version says of it.
type candidate struct {
	seed    *Seed
	record  forms.Record
	setting guide.Setting
	changed []forms.Path

	old, new *guide.Assessment
}

func newSearch(old, new *catalog.Bundle, seeds []Seed, fallback guide.Setting) (*search, error) { //nolint:revive // old and new are the words for it
	s := &search{}
	var err error
	if s.old, err = catalog.Select(old); err != nil {
		return nil, err
	}
	if s.new, err = catalog.Select(new); err != nil {
		return nil, err
	}
	for _, b := range []*catalog.Selection{s.old, s.new} {
		seeds = append(slices.Clip(seeds), Seed{Record: fill(b, fallback), Setting: fallback})
	}
	for i := range seeds {
		c := s.before(&candidate{seed: &seeds[i], record: seeds[i].Record, setting: seeds[i].Setting})
		s.after(c)
		s.seeds = append(s.seeds, c)
	}
	slices.SortStableFunc(s.seeds, func(a, b *candidate) int { return rank(a) - rank(b) })
	return s, nil
}

// rank puts eligible records first, so that an example shows one thing.
func rank(c *candidate) int {
	n := 0
	for _, a := range []*guide.Assessment{c.old, c.new} {
		if a.Cases[0].Verdict != guide.Eligible {
			n++
		}
	}
	return n
}

// before lets the old version answer.
func (s *search) before(c *candidate) *candidate {
	c.old = guide.Assess(s.old, readable(s.old.Bundles[0], c.record), c.setting)
	return c
}

// after is what the new version answers; most records need not be shown to it.
func (s *search) after(c *candidate) *guide.Assessment {
	if c.new == nil {
		c.new = guide.Assess(s.new, readable(s.new.Bundles[0], c.record), c.setting)
	}
	return c.new
}

// readable is what a version can read of a record: answers to its own questions, of their kind.
func readable(b *catalog.Bundle, record forms.Record) forms.Record {
	return record.Only(func(p forms.Path) bool {
		f := b.Field(p)
		if f == nil || f.Field.Derived {
			return false
		}
		v, _ := record.Get(p)
		if v == nil {
			return true
		}
		_, fault := f.Spec().Parse(kind.Encode(v))
		return fault == nil
	})
}

// find returns records to which the old version answers from and the new one to, and the other way round; nil where
// none was met.
func (s *search) find(q question, from, to string) (there, back *Witness) {
	s.look(q, func(c *candidate) bool {
		switch was := q.ask(c.old); {
		case was == from && there == nil && q.ask(s.after(c)) == to:
			there = s.witness(s.smallest(c, func(c *candidate) bool { return q.ask(c.old) == from && q.ask(s.after(c)) == to }), q)
		case was == to && back == nil && q.ask(s.after(c)) == from:
			back = s.witness(s.smallest(c, func(c *candidate) bool { return q.ask(c.old) == to && q.ask(s.after(c)) == from }), q)
		}
		return there != nil && back != nil
	})
	return there, back
}

// findOther returns a record to which the versions give different answers.
func (s *search) findOther(q question) (w *Witness) {
	differ := func(c *candidate) bool {
		a := q.ask(c.old)
		if a == "" {
			return false
		}
		b := q.ask(s.after(c))
		return b != "" && a != b
	}
	s.look(q, func(c *candidate) bool {
		if differ(c) {
			w = s.witness(s.smallest(c, differ), q)
		}
		return w != nil
	})
	return w
}

// look shows records until enough says that it has seen enough: the seeds, the seeds with one of the answers that
// decide moved to a bound, then with several.
func (s *search) look(q question, enough func(*candidate) bool) {
	vars := q.vars()
	if slices.ContainsFunc(s.seeds, enough) || len(vars) == 0 {
		return
	}
	near := s.seeds[:min(nearSeeds, len(s.seeds))]
	for _, seed := range near {
		for _, p := range vars {
			for _, v := range s.values(seed, q, p) {
				if enough(s.before(s.change(seed, p, v))) {
					return
				}
			}
		}
	}
	lots := newLots(q.name)
	for range farTries {
		c := near[lots.next(len(near))]
		for range 2 + lots.next(3) {
			p := vars[lots.next(len(vars))]
			if values := s.values(c, q, p); len(values) > 0 {
				c = s.change(c, p, values[lots.next(len(values))])
			}
		}
		if enough(s.before(c)) {
			return
		}
	}
}

// smallest takes changes back that are not needed.
func (s *search) smallest(c *candidate, hit func(*candidate) bool) *candidate {
	for _, p := range slices.Clone(c.changed) {
		if without := s.before(s.restore(c, p)); hit(without) {
			c = without
		}
	}
	return c
}

// witness checks a record once more as a file would bring it, written out and read by each version, and says what
// each answers.
func (s *search) witness(c *candidate, q question) *Witness {
	written := map[string]*structpb.Value{}
	for p, v := range c.record.All() {
		encoded, err := structpb.NewValue(plain(kind.Encode(v)))
		if err != nil {
			return nil
		}
		written[string(p)] = encoded
	}
	assess := func(selection *catalog.Selection) *guide.Assessment {
		record, _ := forms.Decode(written, selection.Field)
		return guide.Assess(selection, record, c.setting)
	}
	old, after := assess(s.old), assess(s.new)
	w := &Witness{Like: c.seed.Name, Changed: slices.Sorted(slices.Values(c.changed)), Record: c.record, Setting: c.setting,
		Old: q.ask(old), New: q.ask(after), Before: old.Cases[0].Verdict, After: after.Cases[0].Verdict}
	if w.Old != q.ask(c.old) || w.New != q.ask(s.after(c)) {
		return nil
	}
	return w
}

// plain makes numbers what JSON has.
func plain(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return v
}

// absent takes an answer, a fact or a result away; nil leaves it blank.
type absent struct{}

// change returns the record with another answer, fact, result, day or place.
func (s *search) change(c *candidate, p forms.Path, v any) *candidate {
	next := &candidate{seed: c.seed, record: c.record, setting: c.setting, changed: slices.Clone(c.changed)}
	if !slices.Contains(next.changed, p) {
		next.changed = append(next.changed, p)
	}
	value, _ := v.(kind.Value)
	_, away := v.(absent)
	switch p.Root() {
	case "today":
		next.setting.Today, _ = v.(kind.Date)
	case "place":
		next.setting.Place, _ = v.(string)
	case "facts":
		next.setting.Facts = maps.Clone(c.setting.Facts)
		if next.setting.Facts == nil {
			next.setting.Facts = map[forms.Path]kind.Value{}
		}
		if delete(next.setting.Facts, p); !away {
			next.setting.Facts[p] = value
		}
	case "results":
		next.setting.Settled = s.settle(c.setting.Settled, p, value)
	default:
		if next.record = c.record.Without(p); !away {
			next.record = c.record.With(p, value)
		}
	}
	return next
}

// restore takes one change back.
func (s *search) restore(c *candidate, p forms.Path) *candidate {
	var next *candidate
	switch p.Root() {
	case "today":
		next = s.change(c, p, c.seed.Setting.Today)
	case "place":
		next = s.change(c, p, c.seed.Setting.Place)
	case "facts":
		if v, ok := c.seed.Setting.Facts[p]; ok {
			next = s.change(c, p, v)
		} else {
			next = s.change(c, p, absent{})
		}
	case "results":
		return c
	default:
		if v, ok := c.seed.Record.Get(p); ok {
			next = s.change(c, p, v)
		} else {
			next = s.change(c, p, absent{})
		}
	}
	next.changed = slices.DeleteFunc(next.changed, func(x forms.Path) bool { return x == p })
	return next
}

// settle returns the steps that have ended with one more result.
func (s *search) settle(settled map[string]map[string]guide.Settlement, p forms.Path, value kind.Value) map[string]map[string]guide.Settlement {
	bundle, step := s.new.Bundles[0].ID, p.Segments()[1]
	steps := maps.Clone(settled[bundle])
	if steps == nil {
		steps = map[string]guide.Settlement{}
	}
	result := maps.Clone(steps[step].Result)
	if result == nil {
		result = map[forms.Path]kind.Value{}
	}
	if delete(result, p); value != nil {
		result[p] = value
	}
	steps[step] = guide.Settlement{Approved: true, Result: result}
	return map[string]map[string]guide.Settlement{bundle: steps}
}

var (
	numbers = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?`)
	quoted  = regexp.MustCompile(`"([^"]*)"|'([^']*)'`)
)

// values are what is tried for a path: what both versions name, and their neighbours.
func (s *search) values(c *candidate, q question, p forms.Path) []any {
	b := newBounds(c, q)
	switch p.Root() {
	case "today":
		var days []any
		for _, d := range b.dates(kind.Date{}) {
			days = append(days, d)
		}
		return days
	case "place":
		places := []any{"110101"}
		for _, region := range b.regions() {
			places = append(places, region)
		}
		return places
	case "facts", "results":
		return append(b.field(s.typed(p)), absent{})
	}
	var fields []*forms.Field
	for _, selection := range []*catalog.Selection{s.old, s.new} {
		if f := selection.Field(p); f != nil {
			fields = append(fields, f)
		}
	}
	var values []any
	for _, f := range fields {
		values = append(values, b.field(f)...)
	}
	values = append(values, nil)
	current, answered := c.record.Get(p)
	return slices.DeleteFunc(values, func(v any) bool {
		value, _ := v.(kind.Value)
		return answered && (value == nil && current == nil || value != nil && current != nil && value.Equal(current))
	})
}

// typed is the field behind a fact or a result.
func (s *search) typed(p forms.Path) *forms.Field {
	parts := p.Segments()
	for _, selection := range []*catalog.Selection{s.new, s.old} {
		b := selection.Bundles[0]
		if len(parts) != 3 {
			break
		}
		if fact := b.Facts()[parts[2]]; parts[0] == "facts" && fact != nil {
			return fact.Field
		}
		if step := b.Step(parts[1]); parts[0] == "results" && step != nil {
			for _, f := range step.Result {
				if f.ID == parts[2] {
					return f.Field
				}
			}
		}
	}
	return nil
}

// bounds are the constants of a question, and what stands beside them in a record.
type bounds struct {
	candidate *candidate
	question  question
	numbers   []int64
	decimals  []decimal.Decimal
	texts     []string
}

func newBounds(c *candidate, q question) *bounds {
	b := &bounds{candidate: c, question: q}
	seen := map[string]bool{}
	for _, text := range slices.Concat(q.old.texts, q.new.texts) {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if t := m[1] + m[2]; !seen[`"`+t] {
				seen[`"`+t] = true
				b.texts = append(b.texts, t)
			}
		}
		for _, n := range numbers.FindAllString(text, -1) {
			d, err := decimal.NewFromString(n)
			if err != nil || seen[n] {
				continue
			}
			seen[n] = true
			b.decimals = append(b.decimals, d)
			if d.IsInteger() && d.LessThan(decimal.New(1, 12)) {
				b.numbers = append(b.numbers, d.IntPart())
			}
		}
	}
	return b
}

// others are the values that the record, facts and parameters give beside.
func (b *bounds) others() []kind.Value {
	values := slices.Concat(b.question.old.values, b.question.new.values)
	for _, p := range b.question.vars() {
		if v, _ := b.candidate.record.Get(p); v != nil {
			values = append(values, v)
		}
	}
	return values
}

func (b *bounds) regions() []string {
	var regions []string
	for _, t := range b.texts {
		if len(t) >= 2 && len(t) <= 12 && strings.Trim(t, "0123456789") == "" {
			regions = append(regions, (t + "0000")[:max(6, len(t))])
		}
	}
	return regions
}

// dates are days at the distances that are named, from the day of receipt and from every other day in the record.
func (b *bounds) dates(self kind.Date) []kind.Date {
	bases := []kind.Date{b.candidate.setting.Today}
	for _, v := range b.others() {
		if d, ok := v.(kind.Date); ok && d != self {
			bases = append(bases, d)
		}
		if n, ok := v.(kind.CitizenNumber); ok {
			bases = append(bases, n.BirthDate())
		}
	}
	bases = append(bases, slices.Concat(b.question.old.days, b.question.new.days)...)
	for _, t := range b.texts {
		if d, ok := kind.ParseDate(t); ok {
			bases = append(bases, d)
		}
	}
	lengths := []int{0}
	for _, n := range b.numbers {
		if n > 0 && n <= 3000 {
			lengths = append(lengths, int(n), -int(n))
		}
	}
	for _, v := range b.others() {
		if n, ok := v.(kind.Int); ok && n > 0 && n <= 3000 {
			lengths = append(lengths, int(n), -int(n))
		}
	}
	seen := map[kind.Date]bool{}
	var days []kind.Date
	add := func(d kind.Date, ok bool) {
		for _, n := range []int{0, -1, 1} {
			if e, fits := d.AddDays(n); ok && fits && e.Year > 1900 && e.Year < 2200 && !seen[e] {
				seen[e] = true
				days = append(days, e)
			}
		}
	}
	for _, base := range bases {
		if base.IsZero() {
			continue
		}
		for _, n := range lengths {
			add(base.AddDays(n))
			if n >= -1200 && n <= 1200 {
				add(base.AddMonths(n))
			}
			if n >= -120 && n <= 120 {
				add(base.AddYears(n))
			}
			if n != 0 && n >= -200 && n <= 200 && b.candidate.setting.Calendar != nil {
				if due, _, ok := b.candidate.setting.Calendar.AddWorkingDays(base, n); ok {
					add(due, true)
				}
			}
		}
	}
	return days
}

// integers are the numbers that are named, in a unit, and their neighbours, also as multiples of what stands beside.
func (b *bounds) integers(unit int64) []int64 {
	ns := []int64{0, 1}
	for _, d := range b.decimals {
		n := d.Mul(decimal.NewFromInt(unit)).IntPart()
		ns = append(ns, n-1, n, n+1, d.IntPart())
	}
	for _, v := range b.others() {
		var n int64
		switch v := v.(type) {
		case kind.Int:
			n = int64(v)
		case kind.Money:
			n = int64(v)
		default:
			continue
		}
		ns = append(ns, n-1, n, n+1)
		for _, m := range b.numbers {
			if m > 0 && m < 1_000_000 && n < 1_000_000_000_000 {
				ns = append(ns, n*m-1, n*m, n*m+1, n/m-1, n/m, n/m+1, n*m/100, n*m/100+1)
			}
		}
	}
	ns = slices.DeleteFunc(ns, func(n int64) bool { return n < 0 })
	slices.Sort(ns)
	return slices.Compact(ns)
}

// field are values of a field's kind.
func (b *bounds) field(f *forms.Field) []any {
	if f == nil {
		return nil
	}
	var values []any
	switch f.Kind {
	case kind.KindBool:
		values = append(values, kind.Bool(true), kind.Bool(false))
	case kind.KindChoice:
		for _, o := range f.Options {
			values = append(values, kind.Choice(o.ID))
		}
	case kind.KindChoices:
		all := kind.Choices{}
		values = append(values, kind.Choices{})
		for _, o := range f.Options {
			values, all = append(values, kind.Choices{o.ID}), append(all, o.ID)
		}
		values = append(values, all)
	case kind.KindInt:
		for _, n := range b.integers(1) {
			values = append(values, kind.Int(n))
		}
	case kind.KindMoney:
		for _, n := range b.integers(100) {
			values = append(values, kind.Money(n))
		}
	case kind.KindDecimal:
		step := decimal.New(1, int32(-f.Scale))
		for _, d := range append(b.decimals, decimal.Zero) {
			for _, x := range []decimal.Decimal{d, d.Sub(step), d.Add(step)} {
				if !x.IsNegative() {
					values = append(values, kind.Decimal{Decimal: x})
				}
			}
		}
		for _, v := range b.others() {
			if d, ok := v.(kind.Decimal); ok {
				values = append(values, d, kind.Decimal{Decimal: d.Add(step)}, kind.Decimal{Decimal: d.Sub(step)})
			}
		}
	case kind.KindDate:
		for _, d := range b.dates(kind.Date{}) {
			values = append(values, d)
		}
	case kind.KindText:
		for _, t := range append([]string{"甲"}, b.texts...) {
			values = append(values, kind.Text(t))
		}
		for _, n := range b.numbers {
			if n > 0 && n <= 500 {
				values = append(values, kind.Text(strings.Repeat("甲", int(n))), kind.Text(strings.Repeat("甲", int(n)+1)))
			}
		}
	case kind.KindAddress:
		for _, region := range append(b.regions(), b.candidate.setting.Place, "110101") {
			if len(region) >= 6 {
				values = append(values, kind.Address{Region: region, Text: "甲路 1 号"})
			}
		}
	case kind.KindList:
		values = b.lists(f)
	default:
		values = append(values, sample(f))
	}
	spec := f.Spec()
	return slices.DeleteFunc(values, func(v any) bool {
		value, ok := v.(kind.Value)
		if !ok || value == nil {
			return true
		}
		_, fault := spec.Parse(kind.Encode(value))
		return fault != nil
	})
}

// lists are the list of the record with fewer and more rows, and with one cell changed in one row or in all.
func (b *bounds) lists(f *forms.Field) []any {
	current, _ := b.candidate.record.Get(f.Path)
	rows, _ := current.(kind.List)
	if len(rows) == 0 {
		row := kind.Row{}
		for _, cell := range f.Row {
			if values := b.field(cell); len(values) > 0 && !cell.Derived {
				row[cell.ID], _ = values[0].(kind.Value)
			}
		}
		rows = kind.List{row}
	}
	sizes := []int64{0, 1, 2}
	for _, n := range b.numbers {
		sizes = append(sizes, n-1, n, n+1)
	}
	values := []any{rows}
	for _, n := range sizes {
		if n < 0 || n > max(maxRows, 60) {
			continue
		}
		list := kind.List{}
		for i := range n {
			list = append(list, rows[min(int(i), len(rows)-1)])
		}
		values = append(values, list)
	}
	for _, cell := range f.Row {
		if cell.Derived {
			continue
		}
		for _, v := range append(b.field(cell), nil) {
			value, _ := v.(kind.Value)
			all := kind.List{}
			for _, row := range rows {
				changed := maps.Clone(row)
				changed[cell.ID] = value
				all = append(all, changed)
			}
			one := append(kind.List{all[0]}, rows[1:]...)
			values = append(values, one)
			if len(rows) > 1 {
				values = append(values, all)
			}
		}
	}
	return values
}

// sample is an answer of a kind that rules seldom look into.
func sample(f *forms.Field) any {
	given := map[kind.Kind]any{
		kind.KindCitizenNumber: "321323199604120423", kind.KindUSCC: "91321323MA1000001X", kind.KindPhone: "13800138000",
		kind.KindBankAccount: "6230660000112233445", kind.KindPlate: "苏N12345", kind.KindFile: strings.Repeat("0", 64),
	}[f.Kind]
	if given == nil {
		return nil
	}
	v, fault := f.Spec().Parse(given)
	if fault != nil && f.Kind == kind.KindUSCC {
		for _, check := range "0123456789ABCDEFGHJKLMNPQRTUWXY" {
			if v, fault = f.Spec().Parse("91321323MA1000001" + string(check)); fault == nil {
				break
			}
		}
	}
	if fault != nil {
		return nil
	}
	return v
}

// fill answers what is asked until nothing is left, for a bundle that has no records yet.
func fill(selection *catalog.Selection, setting guide.Setting) forms.Record {
	var record forms.Record
	for range 60 {
		a := guide.Assess(selection, record, setting)
		changed := false
		for _, f := range a.Fields {
			if _, answered := record.Get(f.Path); answered || f.Field.Derived || f.Shown == rule.False {
				continue
			}
			b := &bounds{candidate: &candidate{record: record, setting: setting}, question: question{old: read(selection.Bundles[0]), new: read(selection.Bundles[0])}, numbers: []int64{1}}
			if f.Kind == kind.KindDate {
				before, _ := setting.Today.AddDays(-30)
				record, changed = record.With(f.Path, before), true
				continue
			}
			values := b.field(f.Field)
			if f.Proposal != nil {
				values = []any{f.Proposal}
			}
			if len(values) == 0 {
				continue
			}
			v, _ := values[0].(kind.Value)
			record, changed = record.With(f.Path, v), true
		}
		if !changed {
			break
		}
	}
	return record
}

// lots draws the same numbers for the same question every time.
type lots struct{ state uint64 }

func newLots(name string) *lots {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash does not fail
	return &lots{h.Sum64() | 1}
}

func (l *lots) next(n int) int {
	l.state ^= l.state << 13
	l.state ^= l.state >> 7
	l.state ^= l.state << 17
	return int(l.state % uint64(n))
}

// Words for what a witness changes.

// Given is the value of a path of the witness as tests.yaml writes it; nil is blank, and ok is false if it is taken
// away.
func (w *Witness) Given(p forms.Path) (value any, ok bool) {
	switch p.Root() {
	case "today":
		return w.Setting.Today.String(), true
	case "place":
		return w.Setting.Place, true
	case "facts":
		v, ok := w.Setting.Facts[p]
		return kind.Encode(v), ok
	case "results":
		for _, steps := range w.Setting.Settled {
			if v, ok := steps[p.Segments()[1]].Result[p]; ok {
				return kind.Encode(v), true
			}
		}
		return nil, false
	}
	v, ok := w.Record.Get(p)
	return kind.Encode(v), ok
}

func span(r guide.Range) string {
	if r.Min != r.Max {
		return ""
	}
	return strconv.FormatInt(r.Min, 10)
}

func truth(t rule.Truth, yes, no string) string {
	switch t {
	case rule.True:
		return yes
	case rule.False:
		return no
	default:
		return ""
	}
}

func days(d catalog.Days) string {
	unit := map[catalog.Unit]string{catalog.WorkingDays: "working days", catalog.CalendarDays: "days", catalog.Months: "months", catalog.Years: "years"}[d.Unit]
	if d.N == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%d %s", d.N, unit)
}
