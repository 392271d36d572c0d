package sieve_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms/kind"
)

// writer writes bundles by chance: own questions that depend on each other, a person, items, and rules over them.
type writer struct {
	rnd *rand.Rand
	// other is which of the two libraries the bundle is written for.
	other bool
	// choices says that most questions can be tried: yes or no, or a choice.
	choices bool
	// facts may be named: not where it is decided what is asked.
	facts  bool
	inFold bool // loops in loops cost too much
	names  int
}

// question is what a condition can read.
type question struct {
	path    string // as rules write it; of a cell its column
	kind    kind.Kind
	filled  bool     // has to be answered where it is asked
	asked   []string // the conditions for that; of a cell, over `this.`
	options []string
	row     []question
}

// plain reports whether a question is always answered.
func (q question) plain() bool { return q.filled && len(q.asked) == 0 }

// scene is what a condition can read at its place: questions, and the cells of an element that is named this.
type scene struct {
	all   []question
	this  string // "" outside of a list
	cells []question
}

func (w *writer) chance(percent int) bool { return w.rnd.IntN(100) < percent }

func pick[T any](w *writer, all ...T) T { return all[w.rnd.IntN(len(all))] }

func (w *writer) upTo(n int) int { return w.rnd.IntN(n + 1) }

func (w *writer) compare(x, y string) string {
	return "(" + x + " " + pick(w, "==", "!=", "<", "<=", ">", ">=") + " " + y + ")"
}

// condition writes a rule.
func (w *writer) condition(depth int, s scene) string {
	if depth == 0 || w.chance(35) {
		return w.leaf(depth, s)
	}
	next := func() string { return w.condition(depth-1, s) }
	switch w.upTo(9) {
	case 0, 1, 2:
		return "(" + next() + " && " + next() + ")"
	case 3, 4, 5:
		return "(" + next() + " || " + next() + ")"
	case 6:
		return "!" + next()
	case 7, 8:
		return "(" + next() + " ? " + next() + " : " + next() + ")"
	default:
		return "(" + next() + pick(w, " == ", " != ") + next() + ")"
	}
}

// rule is what is required: now and then what holds for all answers, or for none, which only trying them tells.
func (w *writer) rule(s scene) string {
	r := w.condition(w.upTo(5), s)
	if len(r) > 1200 || w.chance(60) {
		return r
	}
	return pick(w, "("+r+" || !"+r+")", "("+r+" && !"+r+")", "("+r+" == "+r+")", "("+r+" ? "+r+" : !"+r+")")
}

func (w *writer) leaf(depth int, s scene) string {
	switch {
	case len(s.cells) > 0 && w.chance(70):
		c := pick(w, s.cells...)
		return w.atom(c, s.this+c.path, s)
	case w.facts && w.chance(8):
		return pick(w, "facts.p.listed", "(facts.p.points > 1)")
	case len(s.all) == 0, !w.choices && w.chance(3):
		return pick(w, "true", "false", "(params.line > yuan(1))", `place.within(region("3213"))`, `(today >= date("2026-03-16"))`)
	}
	q := pick(w, s.all...)
	for range 5 {
		if w.choices && q.kind != kind.KindBool && q.kind != kind.KindChoice && q.kind != kind.KindList {
			q = pick(w, s.all...)
		}
	}
	switch {
	case q.kind != kind.KindList:
		return w.atom(q, q.path, scene{all: s.all})
	case w.inFold:
		return "(size(" + q.path + ") > 1)"
	}
	w.inFold = true
	defer func() { w.inFold = false }()
	return w.fold(depth, q, s.all)
}

// atom is a condition on one question that is named x, behind what rules out that it is blank.
func (w *writer) atom(q question, x string, s scene) string {
	asked := strings.ReplaceAll(strings.Join(q.asked, " && "), "this.", s.this)
	p := w.about(q, x, s)
	other, isGiven := map[kind.Kind]string{kind.KindBool: "true", kind.KindInt: "1", kind.KindMoney: "yuan(1)", kind.KindDate: "today", kind.KindText: `"a"`}[q.kind]
	switch {
	case q.plain() && w.chance(85):
		return p
	case isGiven && w.chance(15):
		return w.about(q, "given("+x+", "+other+")", s)
	case !q.filled, len(q.asked) == 0, w.chance(40), w.inFold && strings.Contains(asked, "(x"): // a loop in a loop
		return pick(w, "(has("+x+") && "+p+")", "(!has("+x+") || "+p+")")
	default:
		return pick(w, "("+asked+" && "+p+")", "(!("+asked+") || "+p+")")
	}
}

func (w *writer) about(q question, x string, s scene) string {
	n := fmt.Sprint(w.upTo(3))
	switch q.kind {
	case kind.KindBool:
		return pick(w, x, x, "(!"+x+")", "("+x+" == true)", "("+x+" != false)")
	case kind.KindChoice:
		for _, other := range s.all {
			if other.kind == kind.KindChoice && other.plain() && slices.Equal(other.options, q.options) && w.chance(30) {
				return "(" + x + pick(w, " == ", " != ") + other.path + ")"
			}
		}
		return x + "." + pick(w, q.options...)
	case kind.KindChoices:
		return pick(w, x+"."+pick(w, q.options...), w.compare("size("+x+")", n))
	case kind.KindInt:
		return pick(w, w.compare(x, n), w.compare(x+pick(w, " + ", " - ", " * ")+x, n), "("+x+" in [1, "+n+"])", w.compare(x, "params.least"),
			w.compare("(today > date(\"2026-03-01\") ? "+x+" : -"+x+")", n))
	case kind.KindMoney:
		return pick(w, w.compare(x, "yuan("+n+")"), w.compare(x, "params.line"), w.compare(x+" * 1000000 * 1000000", "yuan(1)"), w.compare("-"+x, x+" - yuan(1)"))
	case kind.KindDecimal:
		return pick(w, w.compare(x, pick(w, "1", "1.5", "0.125")), w.compare(x+" * params.ratio", "1.5"), w.compare(x+" * "+x, x), w.compare(x+" - "+n, "0.5"))
	case kind.KindDate:
		return pick(w, w.compare(x, "today"), w.compare("age("+x+", today)", n), w.compare("add_working_days("+x+", "+n+" - 1)", "today"),
			w.compare("working_days_between("+x+", today)", n), w.compare("add_years("+x+", 8000)", "today"))
	case kind.KindText:
		return pick(w, "("+x+` == "a")`, "("+x+` in ["a", "b"])`, x+`.startsWith("a")`, w.compare("size("+x+")", n), x+`.matches("^a+$")`)
	case kind.KindAddress:
		return pick(w, x+`.within(region("3213"))`, x+".within(place)")
	case kind.KindCitizenNumber:
		return pick(w, "female("+x+")", w.compare("birth_date("+x+")", "today"))
	default:
		return "has(" + x + ")"
	}
}

// fold is a condition on a list.
func (w *writer) fold(depth int, q question, all []question) string {
	name := func() string { w.names++; return fmt.Sprint("x", w.names) }
	x, list := name(), q.path
	inner := func(depth int) string { return w.condition(depth, scene{all, x + ".", q.row}) }
	for w.chance(30) {
		list += fmt.Sprintf(".filter(%s, %s)", x, inner(min(depth, 1)))
		x = name()
	}
	column := func(k kind.Kind) string {
		for _, c := range q.row {
			if c.kind == k && c.plain() {
				return x + "." + c.path
			}
		}
		return ""
	}
	n := fmt.Sprint(w.upTo(3))
	number, amount, day := column(kind.KindInt), column(kind.KindMoney), column(kind.KindDate)
	switch i := w.upTo(9); {
	case i == 0:
		return w.compare("size("+list+")", n)
	case i == 1:
		return fmt.Sprintf("%s.exists_one(%s, %s)", list, x, inner(depth))
	case i == 2 && number != "":
		return w.compare(fmt.Sprintf("sum(%s.map(%s, %s))", list, x, number), n)
	case i == 3 && number != "":
		return w.compare(fmt.Sprintf("sum(%s.map(%s, %s, %s ? %s : 1))", list, x, inner(1), inner(0), number), n)
	case i == 4 && amount != "":
		return fmt.Sprintf("(size(%s) > 0 && %s)", list, w.compare(fmt.Sprintf("%s(%s.map(%s, %s))", pick(w, "smallest", "largest", "sum"), list, x, amount), "yuan("+n+")"))
	case i == 5 && day != "":
		return fmt.Sprintf("(size(%s) > 0 && %s)", list, w.compare(fmt.Sprintf("%s(%s.map(%s, %s))", pick(w, "earliest", "latest"), list, x, day), "today"))
	case i < 8:
		return fmt.Sprintf("%s.exists(%s, %s)", list, x, inner(depth))
	default:
		return fmt.Sprintf("%s.all(%s, %s)", list, x, inner(depth))
	}
}

// field writes a question, a derived value or a named condition; of the bundle's own, or if it stands in a row, of an
// element.
func (w *writer) field(id string, s scene) (string, question) {
	q := question{path: "own." + id, filled: true}
	kinds := []kind.Kind{kind.KindBool, kind.KindBool, kind.KindBool, kind.KindChoice, kind.KindChoice}
	if !w.choices {
		kinds = append(kinds, kind.KindChoices, kind.KindInt, kind.KindMoney, kind.KindDecimal, kind.KindDate, kind.KindText, kind.KindAddress, kind.KindFile)
	}
	if s.this == "" {
		kinds = append(kinds, kind.KindList, kind.KindList, kind.KindList)
	} else {
		q.path = id
	}
	q.kind = pick(w, kinds...)
	text := fmt.Sprintf("{ field: %s, kind: %s", id, q.kind)
	if w.chance(30) {
		when := w.condition(1, s)
		text, q.asked = text+fmt.Sprintf(", when: %q", when), append(q.asked, when)
	}
	if formula := w.formula(q.kind, s); formula != "" && w.chance(25) {
		return text + fmt.Sprintf(", derive: %q }", formula), q
	}
	if q.kind == kind.KindBool && w.chance(25) {
		return text + fmt.Sprintf(", is: %q }", w.condition(2, s)), q
	}
	text += ", name: { zh: 问 }"
	switch w.upTo(4) {
	case 0:
		q.filled = false
	case 1:
		required := w.condition(1, s)
		text, q.asked = text+fmt.Sprintf(", required: %q", required), append(q.asked, required)
	default:
		text += ", required: true"
	}
	switch q.kind {
	case kind.KindChoice, kind.KindChoices:
		q.options = letters(pick(w, 3, 3, 3, 2, 1, 5, 8, w.upTo(40)+4))
		var options []string
		for _, o := range q.options {
			options = append(options, "{ id: "+o+", zh: 甲 }")
			if w.chance(8) {
				options[len(options)-1] = fmt.Sprintf("{ id: %s, zh: 甲, when: %q }", o, w.condition(1, s))
			}
		}
		text += ", options: [" + strings.Join(options, ", ") + "]"
	case kind.KindList:
		var row []string
		for i := range w.upTo(3) + 1 {
			cell, c := w.field(fmt.Sprint("c", i), scene{s.all, "this.", q.row})
			row, q.row = append(row, cell), append(q.row, c)
		}
		text += ", row: [" + strings.Join(row, ", ") + "]"
	default:
	}
	return text + " }", q
}

// letters are the ids of options.
func letters(n int) []string {
	all := []string{"a", "b", "c"}
	for i := len(all); i < n; i++ {
		all = append(all, fmt.Sprint("o", i))
	}
	return all[:n]
}

// formula gives a value of a kind; "" if there is nothing of which it could be computed.
func (w *writer) formula(k kind.Kind, s scene) string {
	of := func(k kind.Kind) string {
		var names []string
		for _, q := range s.all {
			if q.kind == k && q.plain() {
				names = append(names, q.path)
			}
		}
		for _, q := range s.cells {
			if q.kind == k && q.plain() {
				names = append(names, s.this+q.path)
			}
		}
		if len(names) == 0 {
			return ""
		}
		return pick(w, names...)
	}
	n, yes, amount, day, address := of(kind.KindInt), of(kind.KindBool), of(kind.KindMoney), of(kind.KindDate), of(kind.KindAddress)
	if choice := of(kind.KindChoice); yes == "" && choice != "" {
		yes = choice + ".a"
	}
	if yes == "" {
		yes = "today > date(\"2026-03-01\")"
	}
	switch {
	case k == kind.KindInt && n != "":
		return pick(w, yes+" ? "+n+" : "+n+" + 1", "div("+n+", "+n+")", "max("+n+", 2) * "+n, n+" * 9007199254740991", "-"+n)
	case k == kind.KindInt && day != "":
		return pick(w, "days_between("+day+", today)", "year_of("+day+") - 2025")
	case k == kind.KindMoney && amount != "":
		return yes + " ? " + amount + " * 2 : " + amount + " - yuan(1)"
	case k == kind.KindDate && day != "":
		return pick(w, "add_months("+day+", 1)", "add_working_days("+day+", 3)", "add_years("+day+", 7990)", "last_of_month("+day+")")
	case k == kind.KindAddress && address != "":
		return yes + " ? " + address + " : " + of(kind.KindAddress)
	case k == kind.KindText:
		return yes + ` ? "a" : "b"`
	case k == kind.KindBool && n != "":
		return pick(w, "("+yes+") && "+n+" > 1", "("+yes+") || div(1, "+n+") == 1", "let v = "+n+"; v == 1 || ("+yes+")")
	case k == kind.KindBool && address != "" && w.chance(50):
		return address + pick(w, " == ", " != ") + of(kind.KindAddress)
	case k == kind.KindBool:
		return pick(w, "!("+yes+")", "("+yes+") && !("+yes+")", "("+yes+") == ("+yes+")")
	}
	return ""
}

// person and items are the sections of the libraries as rules read them; when is where they are asked.
func (w *writer) person(when []string, sorts []string, optional bool) []question {
	at := func(id string, k kind.Kind, asked ...string) question {
		return question{path: "form.p." + id, kind: k, filled: true, asked: slices.Concat(when, asked)}
	}
	sort, some, born := at("sort", kind.KindChoice), at("some", kind.KindBool, "form.p.yes"), at("born", kind.KindDate)
	sort.options = sorts
	if some.filled = !optional; optional {
		some.asked = when
	}
	if w.other {
		born.kind = kind.KindText
	}
	return []question{at("id_no", kind.KindCitizenNumber), at("yes", kind.KindBool), sort, at("both", kind.KindBool), at("more", kind.KindBool, "form.p.sort.b"), some, born,
		at("addr", kind.KindAddress), at("home", kind.KindAddress)}
}

func (w *writer) items(when []string) question {
	cell := func(id string, k kind.Kind, asked ...string) question {
		return question{path: id, kind: k, filled: id != "maybe", asked: slices.Concat(when, asked)}
	}
	sort := cell("sort", kind.KindChoice)
	sort.options = letters(3)
	return question{path: "form.items", kind: kind.KindList, filled: true, asked: when, row: []question{cell("ok", kind.KindBool), cell("n", kind.KindInt), sort,
		cell("more", kind.KindBool, "this.ok"), cell("maybe", kind.KindBool), cell("must", kind.KindInt, "this.ok"), cell("paid", kind.KindMoney)}}
}

// bundle writes a bundle.
func (w *writer) bundle(id string) string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	w.choices, w.facts = w.chance(40), false
	line("bundle: %s\nname: { zh: 一 }\nlevel: COUNTY\nlead: office\napplicant: [p]", id)
	if place := pick(w, "", "", "", "32", "3213", "11"); place != "" {
		line("place: %q", place)
	}
	var own, needs []string
	var s scene
	for i := range w.upTo(5) + 1 {
		field, q := w.field(fmt.Sprint("f", i), s)
		own, needs, s.all = append(own, field), append(needs, q.path), append(s.all, q)
	}
	section := func(use string) (when []string) {
		if w.chance(30) {
			when = []string{w.condition(1, scene{all: s.all[:len(own)]})}
			use += fmt.Sprintf(", when: %q", when[0])
		}
		line("  - { %s }", use)
		return when
	}
	line("form:")
	use, sorts, optional := "section: person, as: p", letters(3), w.chance(20)
	set := []string{"yes: { help: { zh: 助 } }"}
	if w.chance(30) {
		sorts, set = sorts[:2], append(set, "sort: { options: [a, b] }")
	}
	if optional {
		set = append(set, "some: { required: false }")
	}
	s.all = append(s.all, w.person(section(use+", set: { "+strings.Join(set, ", ")+" }"), sorts, optional)...)
	if w.chance(60) {
		s.all = append(s.all, w.items(section("section: item, as: items, repeat: { max: 20 }")))
		needs = append(needs, "items")
	}
	line("own:\n  - %s\neligibility:", strings.Join(own, "\n  - "))
	w.facts = true
	for i := range w.upTo(3) + 1 {
		rule := fmt.Sprintf("id: r%d, because: { zh: 因 }, remedy: { zh: 办 }, otherwise: %s", i, pick(w, "REFUSE", "REFUSE", "REFUSE", "REFUSE", "ELSEWHERE", "NOT_NEEDED", "WARN"))
		if w.chance(30) {
			rule += fmt.Sprintf(", when: %q", w.condition(2, s))
		}
		if w.chance(85) {
			line("  - { %s, require: %q }", rule, w.rule(s))
			continue
		}
		var ways []string
		for range w.upTo(2) + 1 {
			ways = append(ways, fmt.Sprintf("{ because: { zh: 因 }, when: %q, require: %q }", w.condition(1, s), w.condition(2, s)))
		}
		line("  - { %s, any_of: [%s] }", rule, strings.Join(ways, ", "))
	}
	line("steps:\n  - { id: act, name: { zh: 办 }, department: office, promised: { working_days: 1 }, needs: { fields: [p.id_no, %s] } }", strings.Join(needs, ", "))
	return text.String()
}
