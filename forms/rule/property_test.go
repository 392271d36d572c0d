package rule_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// condition draws a rule over the scope of the tests. Elements are named after their depth.
func condition(t *rapid.T, depth int, element string) string {
	leaves := []string{
		"own.single_parent", "own.insured", "own.wedlock.married", "own.kind.b", "own.items.x", "form.mother.hukou == form.mother.status",
		"(own.single_parent || own.agreed)", "(own.insured && own.claim)", "has(own.remark)", "given(own.remark, 'a') == 'b'",
		"(has(own.remark) ? own.remark.startsWith('b') : own.insured)", "size(own.items) > 1", "facts.mother.credit_restricted",
		"has(results.certificate.number)", "own.name in ['a', 'b']", "form.household_register.addr.within(place)",
		"form.event.start >= add_working_days(today, 3)", "own.income * 2 <= params.dibao_line + yuan(1.5)",
		"size(form.heirs) > 1", "sum(form.heirs.map(h, h.share)) > 3",
		"sum(form.heirs.map(h, h.agreed, h.adult ? h.share : 1)) > 2", "form.heirs.filter(h, h.agreed).filter(h, h.share > own.m).exists(h, h.adult)",
	}
	most := 8
	if element != "" { // no list inside of a list: that costs too much
		leaves, most = leaves[:len(leaves)-3], 6
		cell := []string{element + ".agreed", element + ".share > own.m", "(" + element + ".adult || " + element + ".proxy == 'b')"}
		leaves = append(leaves, slices.Repeat(cell, 7)...) // as likely as all others
	}
	if depth == 0 {
		return rapid.SampledFrom(leaves).Draw(t, "leaf")
	}
	next := func() string { return condition(t, depth-1, element) }
	switch rapid.IntRange(0, most).Draw(t, "form") {
	case 0, 1:
		return "(" + next() + " && " + next() + ")"
	case 2, 3:
		return "(" + next() + " || " + next() + ")"
	case 4:
		return "!(" + next() + ")"
	case 5:
		return "(" + next() + " ? " + next() + " : " + next() + ")"
	case 6:
		return number(t, 2) + rapid.SampledFrom([]string{" < ", " <= ", " == ", " != ", " > "}).Draw(t, "operator") + number(t, 2)
	case 7:
		name := fmt.Sprintf("e%d", depth)
		inner := condition(t, min(depth-1, 1), name)
		return rapid.SampledFrom([]string{"form.heirs.all(", "form.heirs.exists(", "form.heirs.exists_one("}).Draw(t, "fold") + name + ", " + inner + ")"
	default:
		name := fmt.Sprintf("e%d", depth)
		return "size(form.heirs.filter(" + name + ", " + condition(t, min(depth-1, 1), name) + ")) == " + number(t, 0)
	}
}

func number(t *rapid.T, depth int) string {
	leaves := []string{"own.n", "own.m", "0", "1", "2", "size(form.heirs)", "months_between(form.a.birth, today)", "age(form.a.birth, own.end)"}
	if depth == 0 {
		return rapid.SampledFrom(leaves).Draw(t, "number")
	}
	if rapid.Bool().Draw(t, "deeper") {
		return "(" + number(t, depth-1) + rapid.SampledFrom([]string{" + ", " - ", " * "}).Draw(t, "operator") + number(t, depth-1) + ")"
	}
	return number(t, 0)
}

// complete draws a record in which nothing is missing.
func complete(t *rapid.T) answers {
	a := values{}.answers()
	truth := func(path forms.Path) kind.Bool {
		v := kind.Bool(rapid.Bool().Draw(t, string(path)))
		a[path] = v
		return v
	}
	pick := func(path forms.Path, all ...kind.Value) { a[path] = rapid.SampledFrom(all).Draw(t, string(path)) }
	if !truth("own.newborn.single_parent") {
		truth("own.newborn.agreed")
	} else {
		a["own.newborn.agreed"] = nil
	}
	if truth("own.newborn.insured") {
		truth("own.newborn.claim")
	} else {
		a["own.newborn.claim"] = nil
	}
	truth("facts.mother.credit_restricted")
	pick("own.newborn.wedlock", kind.Choice("married"), kind.Choice("unmarried"))
	pick("own.newborn.kind", kind.Choice("a"), kind.Choice("b"))
	pick("own.newborn.items", nil, kind.Choices{"x"}, kind.Choices{"x", "y"})
	pick("form.mother.hukou", kind.Choice("here"), kind.Choice("elsewhere"))
	pick("form.mother.status", kind.Choice("here"), kind.Choice("elsewhere"))
	pick("own.newborn.remark", nil, kind.Text("a"), kind.Text("b"))
	pick("own.newborn.name", kind.Text("a"), kind.Text("c"))
	pick("results.certificate.number", nil, kind.Text("1"))
	pick("form.household_register.addr", kind.Address{Region: "321323001"}, kind.Address{Region: "110101"})
	pick("form.event.start", day("2026-03-18"), day("2026-03-19"))
	pick("own.newborn.income", kind.Money(0), kind.Money(50))
	pick("params.dibao_line", kind.Money(0), kind.Money(85_000))
	pick("own.newborn.n", kind.Int(0), kind.Int(1), kind.Int(2))
	pick("own.newborn.m", kind.Int(-1), kind.Int(1), kind.Int(3))
	pick("form.a.birth", day("2026-01-31"), day("2020-02-29"))
	pick("own.newborn.end", day("2026-02-28"), day("2030-01-01"))
	heirs := kind.List{}
	for i := range rapid.IntRange(0, 3).Draw(t, "heirs") {
		row := kind.Row{
			"agreed": kind.Bool(rapid.Bool().Draw(t, fmt.Sprint("agreed", i))),
			"adult":  kind.Bool(rapid.Bool().Draw(t, fmt.Sprint("adult", i))),
			"share":  kind.Int(rapid.IntRange(0, 3).Draw(t, fmt.Sprint("share", i))),
			"proxy":  nil,
		}
		if row["adult"] == kind.Bool(false) {
			row["proxy"] = rapid.SampledFrom([]kind.Value{kind.Text("a"), kind.Text("b")}).Draw(t, fmt.Sprint("proxy", i))
		}
		heirs = append(heirs, row)
	}
	a["form.heirs"] = heirs
	return a
}

// without takes answers and cells away and returns what was taken.
func without(t *rapid.T, a answers) (answers, map[forms.Path]bool) {
	rest, gone := maps.Clone(a), map[forms.Path]bool{}
	take := func(p forms.Path) {
		delete(rest, p)
		gone[p] = true
	}
	for _, p := range slices.Sorted(maps.Keys(a)) {
		if p != "today" && p != "place" && rapid.IntRange(0, 2).Draw(t, "take "+string(p)) == 0 {
			take(p)
		}
	}
	// Whether a question is asked is open while that which decides it is.
	if gone["own.newborn.single_parent"] {
		take("own.newborn.agreed")
	}
	if gone["own.newborn.insured"] {
		take("own.newborn.claim")
	}
	heirs, ok := rest["form.heirs"].(kind.List)
	if !ok {
		return rest, gone
	}
	left := make(kind.List, len(heirs))
	for i, row := range heirs {
		left[i] = maps.Clone(row)
		for _, cell := range slices.Sorted(maps.Keys(row)) {
			if _, taken := left[i]["adult"]; cell == "proxy" && !taken || rapid.IntRange(0, 3).Draw(t, fmt.Sprint("take ", cell, i)) == 0 {
				delete(left[i], cell)
				gone[forms.Path(fmt.Sprintf("form.heirs[%d].%s", i, cell))] = true
			}
		}
	}
	rest["form.heirs"] = left
	return rest, gone
}

// Missing answers never change an outcome, they only leave it open; and what is said to leave it open is
// missing.
func TestMissingAnswersOnlyLeaveOpen(t *testing.T) {
	t.Parallel()
	env := environment(t, scope())
	rapid.Check(t, func(t *rapid.T) {
		text := condition(t, rapid.IntRange(0, 4).Draw(t, "depth"), "")
		r, found := env.Compile(diag.Inline("b.yaml", "require", text, diag.Position{Line: 1, Column: 1}), rule.Options{})
		if len(found) > 0 {
			t.Fatalf("%s: %s", text, explain(found))
		}
		record := complete(t)
		full := r.Eval(record)
		if full.Truth == rule.Unknown {
			t.Fatalf("%s is open over a complete record: %s", text, outcome(full))
		}
		rest, gone := without(t, record)
		got := r.Eval(rest)
		if got.Truth != rule.Unknown {
			if got.Truth != full.Truth || len(got.Causes) > 0 {
				t.Fatalf("%s is %s, with answers missing %s", text, outcome(full), outcome(got))
			}
			return
		}
		if len(got.Causes) == 0 {
			t.Fatalf("%s is open for no cause", text)
		}
		for _, cause := range got.Causes {
			if !gone[cause.Path] {
				t.Fatalf("%s is open because of %v, which is known", text, cause)
			}
		}
		// Asking for what is named decides in the end.
		for rounds := 0; got.Truth == rule.Unknown; rounds++ {
			if rounds > 100 {
				t.Fatalf("%s stays open: %s", text, outcome(got))
			}
			answer(rest, record, got.Causes)
			got = r.Eval(rest)
		}
		if got.Truth != full.Truth {
			t.Fatalf("%s is %s, after answering %s", text, outcome(full), outcome(got))
		}
	})
}

// answer puts back what was taken.
func answer(rest, full answers, causes []forms.Cause) {
	for _, cause := range causes {
		var i int
		var cell string
		if _, err := fmt.Sscanf(string(cause.Path), "form.heirs[%d].%s", &i, &cell); err == nil {
			rest["form.heirs"].(kind.List)[i][cell] = full["form.heirs"].(kind.List)[i][cell]
			continue
		}
		rest[cause.Path] = full[cause.Path]
	}
}

// Whatever is written, the answer is a rule or a list of faults that stand within the text.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		"own.insured && own.claim", "form.heirs.all(h, h.agreed)", `own.name.matches("^[A-Z]$")`, "yuan(850.5) < own.income", "own.n in [1, 2]",
		"months_between(form.newborn.birth_dat, today) < 12", "given(own.remark, 'x') == \"y\"", "!!!own.insured", "- - 1 == 1", "own . n == 0x1F",
		"r'a' == b'a'", "// nothing", "form.heirs.map(h, has(h.proxy), h.proxy).exists(x, x == '中')", "((((", "own.n ? : ", "a.b.c.d(e).f[g]{h: 1}", "own.n == 1e400",
		"size(own.items) > 9223372036854775808", "-9223372036854775808 == own.n", "\"\"\"a\n\"\"\" == own.name", "[[1]].all(x, x.all(y, y == 1))", "@has(own.n)", "@calendar == 1",
		"_+_(1, 2)", "own.`n`", "own.?n", "[?own.n]", "own.heirs.all(own, true)", "this.a", "smallest([])", "distinct([])", "sum([]) == 0", "[].all(x, x)",
	} {
		f.Add(text)
	}
	env := environment(f, scope())
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // a file that is not UTF-8 is refused before
		}
		at := lines(text)
		r, found := env.Compile(diag.NewScalar("b.yaml", "require", text, at), rule.Options{InForce: forms.Conjuncts(text, "")})
		if (r == nil) != (len(found) > 0) {
			t.Fatalf("a rule or faults: %v, %s", r, explain(found))
		}
		for _, d := range found {
			if d.Message == "" || !slices.Contains(at, d.Span.Start) || !slices.Contains(at, d.Span.End) {
				t.Errorf("%+v", d)
			}
		}
		if r != nil {
			for _, record := range []answers{{}, values{}.answers()} {
				if o := r.Eval(record); (o.Truth == rule.Unknown) != (len(o.Causes) > 0) {
					t.Errorf("%q: %s", text, outcome(o))
				}
			}
			if r.Text() != text {
				t.Errorf("text %q", r.Text())
			}
		}
	})
}
