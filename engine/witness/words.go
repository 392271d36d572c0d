package witness

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// words are what the rules and formulas say that read a path, also through values that are derived from it.
type words struct {
	numbers []string
	texts   []string
	dates   []kind.Date
	regions []string
	// options are the texts of the expressions, to see which options they name.
	read string
	// beside is what else these expressions read: an answer can lie at a bound that another one sets.
	beside []forms.Path
	// years, months, dayCounts and working say which units their functions count; sizes, that they count elements or
	// characters; sums and products, that they reckon with what they read; persons, that they read a citizen
	// number; matches, that their texts are patterns.
	years, months, dayCounts, working, sizes, sums, products, persons, matches bool
	// opaque says that their literals do not tell which answers they tell apart; equal, that they ask whether two are one.
	opaque, equal bool
}

// expression is a rule or a formula of a bundle.
type expression struct {
	text  string
	reads []forms.Path // cells as <list>.<field>
	of    forms.Path   // whose value it is; "" if it is no value
	says  words
}

var (
	quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)
	numberText = regexp.MustCompile(`\d+(?:\.\d+)?`)
	regionText = regexp.MustCompile(`region\(["'](\d+)["']\)`)
	// opaque are functions for which the literals of a rule do not say which answers it tells apart.
	opaque = regexp.MustCompile(`\b(matches|contains|startsWith|endsWith|birth_date|female|distinct|working_days|working_days_between|add_working_days|div|percent|share|age_late|year_of|month_of|day_of|first_of_month|last_of_month|round_yuan|floor_yuan)\b`)
)

// say takes the literals of one expression.
func say(text string) words {
	w := words{read: text + "\n", opaque: opaque.MatchString(text)}
	for _, m := range regionText.FindAllStringSubmatch(text, -1) {
		w.regions = append(w.regions, m[1])
	}
	bare := quotedText.ReplaceAllStringFunc(text, func(q string) string {
		inner := unquoted(q)
		if day, ok := kind.ParseDate(inner); ok {
			w.dates = append(w.dates, day)
		} else {
			w.texts = append(w.texts, inner)
		}
		return " "
	})
	w.numbers = numberText.FindAllString(bare, -1)
	w.years = strings.Contains(bare, "year") || strings.Contains(bare, "age")
	w.months = strings.Contains(bare, "month")
	w.dayCounts = strings.Contains(bare, "_days") || strings.Contains(bare, "days_")
	w.working = strings.Contains(bare, "working_days")
	w.sizes = strings.Contains(bare, "size(")
	w.sums = strings.ContainsAny(bare, "+-")
	w.products = strings.ContainsAny(bare, "*") || strings.Contains(bare, "percent(") || strings.Contains(bare, "share(") || strings.Contains(bare, "div(")
	w.persons = strings.Contains(bare, "birth_date(") || strings.Contains(bare, "female(")
	w.matches = strings.Contains(bare, "matches(")
	w.equal = strings.Contains(bare, "=")
	return w
}

// unquoted is the text of a literal in double or single quotes.
func unquoted(q string) string {
	inner := q[1 : len(q)-1]
	if q[0] == '\'' {
		inner = strings.ReplaceAll(strings.ReplaceAll(inner, `\'`, `'`), `"`, `\"`)
	}
	if text, err := strconv.Unquote(`"` + inner + `"`); err == nil {
		return text
	}
	return inner
}

// also adds what another expression says.
func (w *words) also(v words) {
	w.numbers, w.texts, w.dates, w.regions = append(w.numbers, v.numbers...), append(w.texts, v.texts...), append(w.dates, v.dates...), append(w.regions, v.regions...)
	w.read += v.read
	w.years, w.months, w.dayCounts, w.working = w.years || v.years, w.months || v.months, w.dayCounts || v.dayCounts, w.working || v.working
	w.sizes, w.sums, w.products, w.persons = w.sizes || v.sizes, w.sums || v.sums, w.products || v.products, w.persons || v.persons
	w.matches, w.opaque, w.equal = w.matches || v.matches, w.opaque || v.opaque, w.equal || v.equal
}

// expressions are the rules and formulas of a bundle that decide something or give a value.
func expressions(b *catalog.Bundle) []expression {
	var all []expression
	add := func(text string, reads, columns []forms.Path, each, of forms.Path) {
		x := expression{text: text, of: of, says: say(text)}
		for _, p := range reads {
			if id, ok := strings.CutPrefix(string(p), "this."); ok {
				p = each + "." + forms.Path(id)
			}
			x.reads = append(x.reads, p)
		}
		x.reads = append(x.reads, columns...)
		all = append(all, x)
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
				add(f.Derive.Text(), f.Derive.Reads(), f.Derive.Columns(), each, p)
			}
			for _, bound := range []*formula.Formula{f.Min, f.Max} {
				if bound != nil {
					add(bound.Text(), append(slices.Clone(bound.Reads()), p), nil, each, "")
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
		add(x.Rule.Text(), x.Rule.Reads(), x.Rule.Columns(), x.Each, of[x.Rule])
	}
	for _, s := range b.Steps {
		for _, f := range s.Fee {
			if f.Amount != nil {
				add(f.Amount.Text(), f.Amount.Reads(), f.Amount.Columns(), "", "")
			}
		}
	}
	return all
}

// collect returns what the expressions say of each path that they read. A rule compares with the literals of the values
// that it reads, and what such a value is made of is compared with the rule's.
func collect(all []expression) map[forms.Path]*words {
	made, said := map[forms.Path][]int{}, map[forms.Path][]int{} // as places in all
	note := func(in map[forms.Path][]int, p forms.Path, what []int) (changed bool) {
		for _, i := range what {
			if !slices.Contains(in[p], i) {
				in[p], changed = append(in[p], i), true
			}
		}
		return changed
	}
	for changed := true; changed; {
		changed = false
		for i, x := range all {
			what := []int{i}
			for _, p := range x.reads {
				what = append(what, made[p]...)
			}
			if x.of != "" {
				changed = note(made, x.of, what) || changed
			}
			what = append(what, said[x.of]...)
			for _, p := range x.reads {
				changed = note(said, p, what) || changed
			}
		}
	}
	paths := map[forms.Path]*words{}
	for p, which := range said {
		w := &words{}
		slices.Sort(which)
		for _, i := range which {
			w.also(all[i].says)
			w.beside = append(w.beside, all[i].reads...)
		}
		slices.Sort(w.numbers)
		w.numbers = slices.Compact(w.numbers)
		slices.Sort(w.beside)
		w.beside = slices.DeleteFunc(slices.Compact(w.beside), func(q forms.Path) bool { return q == p })
		paths[p] = w
	}
	return paths
}

// About returns the domain for goals that depend on nothing but the paths, and on what decides these, as far as rules and
// formulas of the bundles go; texts are those of the goal's own rules. With what others compare the same answers says
// nothing about such a goal, and is not tried.
func (d *Domain) About(paths []forms.Path, texts ...string) *Domain {
	concerned := map[string]bool{}
	for _, text := range texts {
		concerned[text] = true
	}
	for _, b := range d.bundles {
		concern(concerned, b, paths)
	}
	focused := &Domain{bundles: d.bundles, expressions: slices.DeleteFunc(slices.Clone(d.expressions), func(x expression) bool { return !concerned[x.text] })}
	focused.words = collect(focused.expressions)
	return focused
}

// concern adds the texts of the rules and formulas of a bundle that decide paths.
func concern(concerned map[string]bool, b *catalog.Bundle, paths []forms.Path) {
	seen, steps := map[forms.Path]bool{}, map[string]bool{}
	var visit func([]forms.Path)
	rules := func(list ...*rule.Rule) {
		for _, r := range list {
			if r != nil {
				concerned[r.Text()] = true
			}
		}
	}
	// A result is there only if its step applies.
	results := func(reads []forms.Path) {
		for _, p := range reads {
			if p.Root() != "results" {
				continue
			}
			step := b.Step(p.Segments()[1])
			if step == nil || steps[step.ID] {
				continue
			}
			steps[step.ID] = true
			for _, r := range b.Applying(step) {
				rules(r)
				visit(r.Reads())
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
				concerned[x.Text()] = true
				results(x.Reads())
			}
		}
		if f.Section != nil {
			rules(f.Section.When)
		}
		for _, cell := range f.Row {
			field(cell)
		}
	}
	visit = func(paths []forms.Path) {
		results(paths)
		for p := range b.Closure(paths) {
			if !seen[p] {
				seen[p] = true
				field(b.Field(p))
			}
		}
	}
	visit(paths)
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
