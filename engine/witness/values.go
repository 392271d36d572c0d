package witness

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// words are the literals of the rules and formulas that read a path, also through values that are derived from it.
type words struct {
	numbers []string
	texts   []string
	dates   []kind.Date
	regions []string
	// read is what these rules and formulas say.
	read string
	said []string
	// years, months and days say which units their functions count.
	years, months, days bool
}

var (
	quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)
	numberText = regexp.MustCompile(`\d+(?:\.\d+)?`)
	regionText = regexp.MustCompile(`region\(["'](\d+)["']\)`)
	// opaque are functions for which the literals of a rule do not say which answers it tells apart.
	opaque = regexp.MustCompile(`\b(matches|contains|startsWith|endsWith|birth_date|female|distinct|working_days|working_days_between|add_working_days|div|percent|share|age_late|year_of|month_of|day_of|first_of_month|last_of_month|round_yuan|floor_yuan)\b`)
)

// collect notes what each expression of a bundle compares the paths with that it reads.
func (d *Domain) collect(b *catalog.Bundle) {
	type expression struct {
		text  string
		reads []forms.Path
		of    forms.Path // whose value it is; "" of a rule that is no value
	}
	var all []expression
	spelled := func(reads, columns []forms.Path, each forms.Path) []forms.Path {
		var paths []forms.Path
		for _, p := range reads {
			if id, ok := strings.CutPrefix(string(p), "this."); ok {
				p = each + "." + forms.Path(id)
			}
			paths = append(paths, p)
		}
		return append(paths, columns...)
	}
	of := map[*rule.Rule]forms.Path{}
	var fields func([]*catalog.Field, forms.Path)
	fields = func(list []*catalog.Field, each forms.Path) {
		for _, f := range list {
			p := f.Path
			if each != "" {
				p = each + "." + forms.Path(f.ID)
			}
			if f.Is != nil {
				of[f.Is] = p
			}
			if f.Derive != nil {
				all = append(all, expression{f.Derive.Text(), spelled(f.Derive.Reads(), f.Derive.Columns(), each), p})
			}
			for _, bound := range []*formula.Formula{f.Min, f.Max} {
				if bound != nil {
					all = append(all, expression{bound.Text(), append(spelled(bound.Reads(), nil, each), p), ""})
				}
			}
			fields(f.Row, f.Path)
		}
	}
	for _, s := range b.Sections {
		fields(s.Fields, "")
	}
	fields(b.Own, "")
	for _, x := range b.Decisions() {
		all = append(all, expression{x.Rule.Text(), spelled(x.Rule.Reads(), x.Rule.Columns(), x.Each), of[x.Rule]})
	}
	// A rule compares with the literals of the values that it reads, and what such a value is made of with the rule's.
	made, texts := map[forms.Path][]string{}, map[forms.Path][]string{}
	note := func(in map[forms.Path][]string, p forms.Path, said []string) (changed bool) {
		for _, text := range said {
			if !slices.Contains(in[p], text) {
				in[p], changed = append(in[p], text), true
			}
		}
		return changed
	}
	for changed := true; changed; {
		changed = false
		for _, e := range all {
			said := []string{e.text}
			for _, p := range e.reads {
				said = append(said, made[p]...)
			}
			if e.of != "" {
				changed = note(made, e.of, said) || changed
			}
			said = append(said, texts[e.of]...)
			for _, p := range e.reads {
				changed = note(texts, p, said) || changed
			}
		}
	}
	params := map[string][]string{}
	for id, values := range b.Parameters() {
		for _, v := range values {
			if n := numberOf(v.Value); n != "" && !slices.Contains(params[id], n) {
				params[id] = append(params[id], n)
			}
		}
	}
	for p, said := range texts {
		w := d.words[p]
		if w == nil {
			w = &words{}
			d.words[p] = w
		}
		for _, text := range said {
			w.said = append(w.said, text)
			w.add(text)
			for id, numbers := range params {
				if strings.Contains(text, "params."+id) {
					w.numbers = append(w.numbers, numbers...)
				}
			}
		}
		slices.Sort(w.numbers)
		w.numbers = slices.Compact(w.numbers)
	}
}

// plus is a number, as it is written, with a step added or taken away.
func plus(n, step string, sign int64) string {
	a, err := decimal.NewFromString(n)
	if err != nil {
		return n
	}
	b, err := decimal.NewFromString(step)
	if err != nil {
		return n
	}
	return a.Add(b.Mul(decimal.NewFromInt(sign))).String()
}

func numberOf(v kind.Value) string {
	switch v := v.(type) {
	case kind.Int:
		return strconv.FormatInt(int64(v), 10)
	case kind.Money:
		return strconv.FormatFloat(float64(v)/100, 'f', 2, 64)
	case kind.Decimal:
		return v.String()
	default:
		return ""
	}
}

// add takes the literals of one expression.
func (w *words) add(text string) {
	w.read += text + "\n"
	for _, m := range regionText.FindAllStringSubmatch(text, -1) {
		w.regions = append(w.regions, m[1])
	}
	bare := quotedText.ReplaceAllStringFunc(text, func(q string) string {
		inner := q[1 : len(q)-1]
		if day, ok := kind.ParseDate(inner); ok {
			w.dates = append(w.dates, day)
		} else {
			w.texts = append(w.texts, inner)
		}
		return " "
	})
	w.numbers = append(w.numbers, numberText.FindAllString(bare, -1)...)
	w.years = w.years || strings.Contains(bare, "year") || strings.Contains(bare, "age(")
	w.months = w.months || strings.Contains(bare, "month")
	w.days = w.days || strings.Contains(bare, "day")
}

// About returns the domain for goals that depend on nothing but the paths, and on what decides these, as far as rules and
// formulas of a bundle go; texts are those of the goal's own rules. What others compare the same answers with is still
// tried, but cannot be in the way.
func (d *Domain) About(b *catalog.Bundle, paths []forms.Path, texts ...string) *Domain {
	focused := *d
	focused.only = map[string]bool{}
	for _, text := range texts {
		focused.only[text] = true
	}
	rules := func(list ...*rule.Rule) {
		for _, r := range list {
			if r != nil {
				focused.only[r.Text()] = true
			}
		}
	}
	var field func(*catalog.Field)
	field = func(f *catalog.Field) {
		rules(f.When...)
		rules(f.RequireRule, f.Is)
		for _, r := range f.OptionWhen {
			rules(r)
		}
		for _, x := range []*formula.Formula{f.Derive, f.Min, f.Max} {
			if x != nil {
				focused.only[x.Text()] = true
			}
		}
		if f.Section != nil {
			rules(f.Section.When)
		}
		for _, cell := range f.Row {
			field(cell)
		}
	}
	for p := range b.Closure(paths) {
		field(b.Field(p))
	}
	return &focused
}

// concerns reports whether an expression is among those that the goals depend on.
func (d *Domain) concerns(text string) bool { return d.only == nil || d.only[text] }

// vary are the settings that are worth trying: the given one, then other places and days that a rule names.
func (d *Domain) vary() []guide.Setting {
	all := []guide.Setting{d.setting}
	add := func(change func(*guide.Setting)) {
		setting := d.setting
		change(&setting)
		if !slices.ContainsFunc(all, func(s guide.Setting) bool { return s.Place == setting.Place && s.Today == setting.Today }) {
			all = append(all, setting)
		}
	}
	if w := d.words["place"]; w != nil {
		for _, r := range append(slices.Clone(w.regions), "110101", "460105") {
			if place := county(r, d.setting.Place); d.holdsAt(place) {
				add(func(s *guide.Setting) { s.Place = place })
			}
		}
	}
	if w := d.words["today"]; w != nil {
		for _, day := range w.dates {
			for _, n := range []int{-1, 0, 1} {
				if moved, ok := day.AddDays(n); ok && d.holdsOn(moved) {
					add(func(s *guide.Setting) { s.Today = moved })
				}
			}
		}
	}
	return all
}

func (d *Domain) holdsAt(place string) bool {
	return slices.ContainsFunc(d.bundles, func(b *catalog.Bundle) bool { return strings.HasPrefix(place, b.Place) })
}

func (d *Domain) holdsOn(day kind.Date) bool {
	return slices.ContainsFunc(d.bundles, func(b *catalog.Bundle) bool {
		return !day.Before(b.From) && (b.Until.IsZero() || !day.After(b.Until))
	})
}

// county is a county in a region: the office's own if it lies there.
func county(region, place string) string {
	if len(region) >= 6 {
		return region[:6]
	}
	if len(place) >= 6 && strings.HasPrefix(place, region) {
		return place
	}
	return (region + "110101"[len(region):])[:6]
}

// maxLength bounds the lists and texts that are made.
const maxLength = 12

// values are what is worth trying for a question, and whether they are all that its rules can tell apart. A nil is
// blank.
func (d *Domain) values(p forms.Path, f *catalog.Field, setting guide.Setting) (values []kind.Value, all bool) {
	at := p
	if list, _, id, ok := p.Cell(); ok {
		at = list + "." + forms.Path(id)
	}
	w := d.words[at]
	if w == nil {
		w = &words{}
	}
	add := func(list ...kind.Value) {
		for _, v := range list {
			if !slices.ContainsFunc(values, func(known kind.Value) bool { return known.Equal(v) }) {
				values = append(values, v)
			}
		}
	}
	all = !slices.ContainsFunc(w.said, func(text string) bool { return opaque.MatchString(text) && d.concerns(text) })
	switch f.Kind {
	case kind.KindBool:
		add(kind.Bool(true), kind.Bool(false))
		all = true
	case kind.KindChoice:
		for _, o := range f.Options {
			add(kind.Choice(o.ID))
		}
		all = true
	case kind.KindChoices:
		some, whole := w.subsets(f.Options)
		add(some...)
		all = all && whole
	case kind.KindInt, kind.KindMoney, kind.KindDecimal:
		add(w.amounts(f.Field)...)
	case kind.KindDate:
		add(w.near(setting.Today)...)
	case kind.KindAddress:
		for _, region := range append([]string{setting.Place}, append(slices.Clone(w.regions), "110101", "460105")...) {
			if region != "" {
				add(kind.Address{Region: county(region, setting.Place), Text: "人民路 1 号"})
			}
		}
	case kind.KindList:
		add(kind.List{{}}, kind.List{}, kind.List{{}, {}})
		if strings.Contains(w.read, "size(") {
			for _, n := range w.lengths() {
				all = all && n <= maxLength
				for _, n := range []int{n - 1, n, n + 1} {
					if n >= 0 && n <= maxLength+1 {
						add(slices.Repeat(kind.List{{}}, n))
					}
				}
			}
		}
	case kind.KindText:
		add(kind.Text("甲"))
		for _, text := range w.texts {
			if text != "" {
				add(kind.Text(text))
			}
		}
		all = all && !strings.Contains(w.read, "size(")
	default: // numbers with a check digit, files: it is only tried whether there is one
		one, distinct := sample(f.Kind)
		add(one...)
		all = all && (distinct || !strings.Contains(w.read, "="))
	}
	if f.Pattern != nil {
		values = slices.DeleteFunc(values, func(v kind.Value) bool {
			text, ok := v.(kind.Text)
			return ok && !f.Pattern.MatchString(string(text))
		})
		all = false
	}
	if !f.Field.Required || f.RequireRule != nil {
		values = append(values, nil)
	}
	return values, all && len(values) > 0
}

// amounts are numbers beside those of the rules, the least and a great one.
func (w *words) amounts(f *forms.Field) []kind.Value {
	step := map[kind.Kind]string{kind.KindInt: "1", kind.KindMoney: "0.01", kind.KindDecimal: "0.01"}[f.Kind]
	spec := f.Spec()
	var all []kind.Value
	parse := func(s string) {
		var given any = s
		if n, err := strconv.Atoi(s); err == nil && f.Kind == kind.KindInt {
			given = n
		}
		if v, fault := spec.Parse(given); fault == nil {
			all = append(all, v)
		}
	}
	for _, n := range append(slices.Clone(w.numbers), "0") {
		if f.Kind == kind.KindInt && strings.Contains(n, ".") {
			continue
		}
		parse(n)
		parse(plus(n, step, 1))
		parse(plus(n, step, -1))
	}
	parse("9000000")
	return all
}

// near are days beside those of the rules, and those as far from today as their numbers say.
func (w *words) near(today kind.Date) []kind.Value {
	var all []kind.Value
	around := func(d kind.Date, ok bool) {
		if !ok {
			return
		}
		all = append(all, d)
		for _, n := range []int{-1, 1} {
			if moved, ok := d.AddDays(n); ok {
				all = append(all, moved)
			}
		}
	}
	around(today, true)
	for _, d := range w.dates {
		around(d, true)
	}
	for _, n := range w.lengths() {
		for _, n := range []int{-n, n} {
			if w.years {
				around(today.AddYears(n))
			}
			if w.months {
				around(today.AddMonths(n))
			}
			if w.days {
				around(today.AddDays(n))
			}
		}
	}
	return append(all, kind.MustDate("1900-01-01"), kind.MustDate("2199-12-31"))
}

// lengths are the whole numbers of the rules.
func (w *words) lengths() []int {
	var all []int
	for _, n := range w.numbers {
		if i, err := strconv.Atoi(n); err == nil && i < 50000 {
			all = append(all, i)
		}
	}
	return all
}

// subsets are the choices of the options that rules name, and of one that none does.
func (w *words) subsets(options []forms.Option) (values []kind.Value, all bool) {
	var ids []string
	other := ""
	for _, o := range options {
		if strings.Contains(w.read, "."+o.ID) || strings.Contains(w.read, "size(") {
			ids = append(ids, o.ID)
		} else if other == "" {
			other = o.ID
		}
	}
	if other != "" {
		ids = append(ids, other)
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

// sample are made-up values of the kinds that rules do not compare with literals; distinct, if there are two.
func sample(k kind.Kind) (values []kind.Value, distinct bool) {
	switch k {
	case kind.KindCitizenNumber:
		return []kind.Value{kind.CitizenNumber("321323198802200171"), kind.CitizenNumber("321323196512200334")}, true
	case kind.KindPhone:
		return []kind.Value{kind.Phone("13812345601"), kind.Phone("13812345602")}, true
	case kind.KindPlate:
		return []kind.Value{kind.Plate("苏N12345"), kind.Plate("苏N54321")}, true
	case kind.KindUSCC:
		return []kind.Value{kind.USCC("91321323MA1X2Y3K4K")}, false
	case kind.KindBankAccount:
		return []kind.Value{kind.BankAccount("6230660000112233445"), kind.BankAccount("6230660000556677889")}, true
	case kind.KindFile:
		return []kind.Value{kind.File(strings.Repeat("0", 64))}, true
	default:
		return nil, false
	}
}
