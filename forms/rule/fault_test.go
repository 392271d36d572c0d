package rule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// marked takes the marks out of a rule and returns the stretches that they mark, in order of their beginning.
func marked(text string) (string, [][2]int) {
	var plain []rune
	var open []int
	var spans [][2]int
	for _, r := range text {
		switch r {
		case '«':
			open = append(open, len(spans))
			spans = append(spans, [2]int{len(plain), 0})
		case '»':
			spans[open[len(open)-1]][1] = len(plain)
			open = open[:len(open)-1]
		default:
			plain = append(plain, r)
		}
	}
	return string(plain), spans
}

// lines says where the code points of a block scalar stand that begins in line 10 and is indented by four.
func lines(text string) []diag.Position {
	at, here := []diag.Position{}, diag.Position{Line: 10, Column: 5}
	for _, r := range text {
		at = append(at, here)
		here.Column++
		if r == '\n' {
			here = diag.Position{Line: here.Line + 1, Column: 5}
		}
	}
	return append(at, here)
}

// Each line is a rule with the wrong places marked, and what is said of each: code, message, hint.
func TestFaults(t *testing.T) {
	t.Parallel()
	type fault struct{ code, message, hint string }
	tests := []struct {
		name    string
		rule    string
		inForce []string
		want    []fault
	}{
		{name: "misspelt field", rule: "months_between(«form.newborn.birth_dat», today) < 12",
			want: []fault{{rule.CodeUnknownField, `no field "newborn.birth_dat" in this form`, "did you mean form.newborn.birth_date (DATE)?"}}},
		{name: "misspelt section", rule: "«form.newbron».birth_date < today",
			want: []fault{{rule.CodeUnknownField, `no section "newbron" in this form`, "did you mean form.newborn?"}}},
		{name: "misspelt root", rule: "«frm».newborn.birth_date < today",
			want: []fault{{rule.CodeUnknownField, `there is nothing named "frm" here`, "did you mean form?"}}},
		{name: "misspelt own field", rule: "«own.single_parnt»",
			want: []fault{{rule.CodeUnknownField, `no field "single_parnt" among the bundle's own`, "did you mean own.single_parent (BOOL)?"}}},
		{name: "a section alone", rule: "has(«form.a»)",
			want: []fault{{rule.CodeUnknownField, "form.a is not an answer: name one field of it", "write form.a.birth"}}},
		{name: "below a field", rule: "«own.n.x» == 1", want: []fault{{rule.CodeUnknownField, "own.n is a number and has no parts", ""}}},
		{name: "misspelt option", rule: "«own.wedlock.maried»",
			want: []fault{{rule.CodeUnknownOption, `own.wedlock has no option "maried"`, "did you mean own.wedlock.married?"}}},
		{name: "no such option", rule: "«own.kind.other»",
			want: []fault{{rule.CodeUnknownOption, `own.kind has no option "other"`, "the options are a, b"}}},
		{name: "misspelt cell", rule: "form.heirs.all(h, «h.agred»)",
			want: []fault{{rule.CodeUnknownField, `no field "agred" in the elements of this list`, "did you mean h.agreed?"}}},
		{name: "field of a list", rule: "«form.heirs.agreed»",
			want: []fault{{rule.CodeType, "form.heirs is a list, agreed is of its elements", "write form.heirs.all(x, x.agreed …) or form.heirs.exists(x, x.agreed …)"}}},
		{name: "fact", rule: "«facts.mother.credit»", want: []fault{{rule.CodeUnknownFact, `no fact "credit" about mother`, "the facts are credit_restricted"}}},
		{name: "fact about nobody", rule: "«facts.father».credit_restricted", want: []fault{{rule.CodeUnknownFact, `no facts about "father"`, "did you mean facts.mother?"}}},
		{name: "parameter", rule: "own.income < «params.dibao_lin»",
			want: []fault{{rule.CodeUnknownParameter, `no parameter "dibao_lin"`, "did you mean params.dibao_line (MONEY)?"}}},
		{name: "result", rule: "has(«results.household».book)",
			want: []fault{{rule.CodeUnknownResult, `no step "household" that is settled at this place`, "the steps are certificate, inspect"}}},
		{name: "this where it means nothing", rule: "«this».a", want: []fault{{rule.CodeUnknownField, `there is nothing named "this" here`, "the names are facts, form, own, params, place, results, today"}}},

		{name: "date and number", rule: "«form.newborn.birth_date <= 5»",
			want: []fault{{rule.CodeType, "a date cannot be compared with a number", "count with days_between, months_between or years_between"}}},
		{name: "date and text", rule: "«form.newborn.birth_date <= '2026-01-01'»",
			want: []fault{{rule.CodeType, "a date cannot be compared with a text", "write date('2026-01-01')"}}},
		{name: "money and number", rule: "«own.income < 850»",
			want: []fault{{rule.CodeType, "an amount of money cannot be compared with a number", "write yuan(850)"}}},
		{name: "money and decimal", rule: "«own.income < 850.5»",
			want: []fault{{rule.CodeType, "an amount of money cannot be compared with a decimal number", "write yuan(850.5)"}}},
		{name: "number left of a decimal", rule: "«own.n < own.area»",
			want: []fault{{rule.CodeType, "a number cannot be compared with a decimal number", "a decimal number stands left, a number right"}}},
		{name: "choice and text", rule: "«own.wedlock == 'maried'»",
			want: []fault{{rule.CodeType, "a choice cannot be compared with a text", "write own.wedlock.married"}}},
		{name: "choices of other options", rule: "«own.wedlock == own.kind»",
			want: []fault{{rule.CodeType, "these two choices cannot be compared: their options differ", ""}}},
		{name: "place and text", rule: "«place == '321323'»", want: []fault{{rule.CodeType, "a region cannot be compared with a text", "write region('321323')"}}},
		{name: "address and region", rule: "«form.household_register.addr == place»",
			want: []fault{{rule.CodeType, "an address cannot be compared with a region", `write form.household_register.addr.within(region("3213"))`}}},
		{name: "list and number", rule: "«form.heirs > 2»", want: []fault{{rule.CodeType, "a list cannot be compared with a number", "write size(form.heirs)"}}},
		{name: "texts have no order", rule: "«own.name < 'b'»", want: []fault{{rule.CodeType, "texts have no order", "compare numbers, amounts of money and dates"}}},
		{name: "days from dates", rule: "«today - own.end» < 30", want: []fault{{rule.CodeType, "a date and a date cannot be subtracted", "write days_between(own.end, today)"}}},
		{name: "date and days", rule: "own.end < «today + 30»", want: []fault{{rule.CodeType, "a date and a number cannot be added", "write add_days(today, 30)"}}},
		{name: "number times money", rule: "own.income > «2 * yuan(3)»", want: []fault{{rule.CodeType, "a number and an amount of money cannot be multiplied", "write yuan(3) * 2"}}},
		{name: "share of money", rule: "«own.income * 0.5» > yuan(3)",
			want: []fault{{rule.CodeType, "an amount of money and a decimal number cannot be multiplied", "a derived field can: percent(money, 1.5) or share(money, 2, 3)"}}},
		{name: "kinds of an argument", rule: "«age(own.n, today)» > 5", want: []fault{{rule.CodeType, "age cannot take a number, a date", "it takes age(a date, a date)"}}},
		{name: "number of arguments", rule: "«age(today)» > 5", want: []fault{{rule.CodeType, "age cannot take a date", "it takes age(a date, a date)"}}},
		{name: "working days", rule: "«add_working_days(today)» > today",
			want: []fault{{rule.CodeType, "add_working_days cannot take a date", "it takes add_working_days(a date, a number)"}}},
		{name: "before the point", rule: "«today.age(today)» > 5", want: []fault{{rule.CodeType, "age is written otherwise", "write age(…)"}}},
		{name: "not a list", rule: "«own.n».all(x, x)", want: []fault{{rule.CodeType, "this is a number, not a list", "all, exists, filter and map ask of the elements of a list"}}},
		{name: "not yes or no", rule: "«months_between(form.newborn.birth_date, today)»", want: []fault{{rule.CodeType, "a yes or no is wanted here, this is a number", ""}}},
		{name: "not yes or no inside", rule: "own.insured && «own.n»", want: []fault{{rule.CodeType, "a yes or no is wanted here, this is a number", ""}}},
		{name: "branches of two kinds", rule: "«own.insured ? 1 : true»",
			want: []fault{{rule.CodeType, "both answers of ? : are of one kind, these are a number and a yes or no", ""}}},
		{name: "mixed list", rule: "own.n in [1, «'a'»]", want: []fault{{rule.CodeType, "a list holds one kind of thing, this is a text beside a number", ""}}},
		{name: "in", rule: "«own.name in [1, 2]»", want: []fault{{rule.CodeType, "in looks for a text or number in a list, this is a text in a list of numbers", ""}}},
		{name: "has of a list", rule: "has(«form.heirs»)", want: []fault{{rule.CodeType, "has does not ask after a list", "write size(form.heirs) > 0"}}},
		{name: "has of an option", rule: "has(«own.wedlock.married»)",
			want: []fault{{rule.CodeType, "has asks whether an answer is given, this is a part of one", "leave out what follows the field"}}},
		{name: "has of a value", rule: "has(«1 + 2»)", want: []fault{{rule.CodeType, "has asks whether one answer is given", "write has(own.a)"}}},

		{name: "bare choice", rule: "«own.wedlock»", want: []fault{{rule.CodeBareChoice, "own.wedlock is a choice: name the option that is meant", "write own.wedlock.married"}}},
		{name: "bare choice inside", rule: "!«own.wedlock» || own.insured", want: []fault{{rule.CodeBareChoice, "own.wedlock is a choice: name the option that is meant", "write own.wedlock.married"}}},
		{name: "bare choice of several", rule: "own.insured && «own.items»", want: []fault{{rule.CodeBareChoice, "own.items is a multiple choice: name the option that is meant", "write own.items.x"}}},

		{name: "yes in Chinese", rule: "«是»", want: []fault{{rule.CodeSyntax, "是 is not how a rule says yes or no", "write true"}}},
		{name: "no in English", rule: "«No»", want: []fault{{rule.CodeSyntax, "No is not how a rule says yes or no", "write false"}}},
		{name: "full-width digits", rule: "own.n > «６０»", want: []fault{{rule.CodeSyntax, "６０ is not part of rules", "write 60"}}},
		{name: "a label for an id", rule: "own.«餐位数» >= 20", want: []fault{{rule.CodeSyntax, "餐位数 does not fit here", "write own.seats"}}},
		{name: "the label of an option", rule: "own.hall.«大厅»", want: []fault{{rule.CodeSyntax, "大厅 does not fit here", "write own.hall.big"}}},
		{name: "a label that is none", rule: "«餐位» >= 20", want: []fault{{rule.CodeSyntax, "餐位 does not fit here", "a rule names fields and options by their ids, in small letters; a text stands in quotes"}}},
		{name: "an own field without its root", rule: "«n» > 1", want: []fault{{rule.CodeUnknownField, `there is nothing named "n" here`, "did you mean own.n?"}}},
		{name: "a section without its root", rule: "«licence».valid_to < today", want: []fault{{rule.CodeUnknownField, `there is nothing named "licence" here`, "did you mean form.licence?"}}},
		{name: "an option by itself", rule: "own.wedlock == «married»", want: []fault{{rule.CodeUnknownField, `there is nothing named "married" here`, "did you mean own.wedlock.married?"}}},
		{name: "words for signs", rule: "own.insured «并且» own.insured", want: []fault{{rule.CodeSyntax, "并且 is not part of rules", "write &&"}}},
		{name: "yes as a value", rule: "own.insured == «是»", want: []fault{{rule.CodeSyntax, "是 is not part of rules", "write true"}}},
		{name: "a day without its function", rule: "«own.end < 2026-03-16»", want: []fault{{rule.CodeType, "a date cannot be compared with a number", `write date("2026-03-16")`}}},
		{name: "a percentage", rule: "own.n > 20«%»", want: []fault{{rule.CodeSyntax, "% is not part of rules", "write the number without it: a * 100 >= b * 20"}}},
		{name: "division", rule: "«own.n / 2» > 1", want: []fault{{rule.CodeForbidden, "/ is not part of rules", "a formula divides: div(a, b) in a derived field"}}},
		{name: "rest", rule: "«own.n % 2» > 1", want: []fault{{rule.CodeForbidden, "% is not part of rules", "compute it in a derived field"}}},
		{name: "index", rule: "«form.heirs[0]».agreed", want: []fault{{rule.CodeForbidden, "[ ] is not part of rules", "ask of all elements with all(…) or exists(…)"}}},
		{name: "timestamp", rule: "«timestamp('2026-01-01T00:00:00Z')» == today", want: []fault{{rule.CodeForbidden, "timestamp is not part of rules", `write date("2026-01-01")`}}},
		{name: "duration", rule: "«duration('1h')» == own.n", want: []fault{{rule.CodeForbidden, "duration is not part of rules", "count with days_between or add_days"}}},
		{name: "type", rule: "«type(own.n)» == own.n", want: []fault{{rule.CodeForbidden, "type is not part of rules", "the kinds of fields are known"}}},
		{name: "dyn", rule: "«dyn(own.n)» == 1", want: []fault{{rule.CodeForbidden, "dyn is not part of rules", "a list holds one kind of thing"}}},
		{name: "conversion", rule: "«string(own.n)» == '1'", want: []fault{{rule.CodeForbidden, "string is not part of rules", "kinds are not converted; texts stand in quotes"}}},
		{name: "text building", rule: "«own.name + 'x'» == 'y'", want: []fault{{rule.CodeForbidden, "a text and a text cannot be added", "a rule builds no texts; a derived field can, with join(…)"}}},
		{name: "lists put together", rule: "(«[1] + [2]»).all(x, x > 0)", want: []fault{{rule.CodeForbidden, "a rule puts no lists together", "ask of each list: a.all(…) && b.all(…)"}}},
		{name: "null", rule: "own.n == «null»", want: []fault{{rule.CodeForbidden, "there is no null in a rule", "has(x) asks whether there is an answer"}}},
		{name: "unsigned", rule: "own.n == «2u»", want: []fault{{rule.CodeForbidden, "a number is written without u", "write 2"}}},
		{name: "map", rule: "size(«{'a': 1}») == 1", want: []fault{{rule.CodeForbidden, "a rule makes no objects", "compare the fields one by one"}}},
		{name: "name of an element", rule: "«form.heirs.all(own, own.agreed)»", want: []fault{{rule.CodeForbidden, "own means something else here already", "give the element another name"}}},

		{name: "misspelt function", rule: "«month_between»(today, today) > 1", want: []fault{{rule.CodeUnknownFunction, `there is no function "month_between"`, "did you mean months_between?"}}},
		{name: "has of two", rule: "«has»(own.n, own.m)", want: []fault{{rule.CodeUnknownFunction, "has is written otherwise", "write has(own.a)"}}},
		{name: "all of one", rule: "form.heirs.«all»(own.insured)", want: []fault{{rule.CodeUnknownFunction, "all is written otherwise", "write list.all(x, …), where x names an element"}}},

		{name: "no such day", rule: `today > date(«"2026-02-30"»)`, want: []fault{{rule.CodeLiteral, "date(…) takes a day that exists, in quotes", `for example date("2026-01-31")`}}},
		{name: "computed day", rule: "today > date(«own.name»)", want: []fault{{rule.CodeLiteral, "date(…) takes a day that exists, in quotes, not a value that is computed", `for example date("2026-01-31")`}}},
		{name: "half a fen", rule: "own.income > yuan(«1.005»)", want: []fault{{rule.CodeLiteral, "yuan(…) takes an amount with at most two digits after the point", "for example yuan(850) or yuan(850.5)"}}},
		{name: "amount in quotes", rule: "own.income > yuan(«'5'»)", want: []fault{{rule.CodeLiteral, "yuan(…) takes an amount with at most two digits after the point", "for example yuan(850) or yuan(850.5)"}}},
		{name: "no region", rule: "place.within(region(«'321'»))", want: []fault{{rule.CodeLiteral, "region(…) takes a region's code of 2, 4, 6, 9 or 12 digits, in quotes", `for example region("3213")`}}},
		{name: "exponent", rule: "own.area > «1e3»", want: []fault{{rule.CodeLiteral, "a number is written with digits and a point", "for example 1.5"}}},
		{name: "no pattern", rule: "own.name.matches(«'['»)", want: []fault{{rule.CodeLiteral, "this is not a regular expression of RE2: missing closing ]: `[`", ""}}},
		{name: "computed pattern", rule: "own.name.matches(«own.name»)", want: []fault{{rule.CodeLiteral, "matches takes a pattern in quotes", `for example "^[A-Z][0-9]{9}$"`}}},

		{name: "early end", rule: "own.n >= 5 &«&»", want: []fault{{rule.CodeSyntax, "the rule ends too early", ""}}},
		{name: "empty", rule: "« »", want: []fault{{rule.CodeSyntax, "there is no rule here", "write a condition, for example own.agreed"}}},
		{name: "two values", rule: "own.n «own»", want: []fault{{rule.CodeSyntax, "own does not fit here", ""}}},
		{name: "assignment", rule: "own.n «=» 5", want: []fault{{rule.CodeSyntax, "= is not part of rules", "write =="}}},
		{name: "and", rule: "own.insured «and» own.claim", want: []fault{{rule.CodeSyntax, "and is not part of rules", "write &&"}}},
		{name: "Chinese signs", rule: "own.name == «“»甲”", want: []fault{{rule.CodeSyntax, "“ is not part of rules", `write "`}}},
		{name: "a function where yes or no is wanted", rule: "own.insured && «age(form.a.birth, today)»", want: []fault{{rule.CodeType, "a yes or no is wanted here, this is a number", ""}}},
		{name: "a function where a list is wanted", rule: "«age(form.a.birth, today)».exists(x, x > 1)",
			want: []fault{{rule.CodeType, "this is a number, not a list", "all, exists, filter and map ask of the elements of a list"}}},
		{name: "a condition on elements that is none", rule: "form.heirs.all(h, «h.share»)", want: []fault{{rule.CodeType, "a yes or no is wanted here, this is a number", ""}}},
		{name: "a filter that is none", rule: "size(form.heirs.filter(h, «h.relation»)) > 1", want: []fault{{rule.CodeBareChoice, "h.relation is a choice: name the option that is meant", "write h.relation.child"}}},
		{name: "not closed", rule: "own.insured && «(»own.insured", want: []fault{{rule.CodeSyntax, "this ( is not closed", ""}}},
		{name: "not opened", rule: "own.insured«)»", want: []fault{{rule.CodeSyntax, "this ) closes nothing", ""}}},
		{name: "element without a name", rule: "form.heirs.all(«1», own.insured)", want: []fault{{rule.CodeSyntax, "the first argument names the element", "for example own.machines.all(m, m.legal)"}}},

		{name: "too long", rule: "«" + strings.Repeat("own.insured && ", 300) + "own.insured»", want: []fault{{rule.CodeCost, "a rule has at most 4000 characters", "split it, with named conditions"}}},
		{name: "too many parts", rule: "«" + strings.Repeat("!!1==1||", 400) + "true»", want: []fault{{rule.CodeCost, "this rule has too many parts", "split it, with named conditions"}}},
		{name: "too deep", rule: strings.Repeat("(", 60) + "«(»own.insured" + strings.Repeat(")", 61), want: []fault{{rule.CodeCost, "brackets stand too deep inside each other", "split the rule, with named conditions"}}},
		{name: "too much work", rule: "«form.heirs.all(h, form.heirs.exists(k, k.share == h.share))»",
			want: []fault{{rule.CodeCost, "this rule can take too much work", "ask of fewer lists at once; split the rule, with a named condition"}}},
		{name: "three lists", rule: "«[1].all(a, [1].all(b, [1].all(c, a + b == c)))»",
			want: []fault{{rule.CodeCost, "all, exists, filter and map stand inside each other here more than twice", "split the rule, with a named condition"}}},

		{name: "all at once", rule: "«own.wedlock.maried» && «own.income < 850» && today < date(«'2026-13-01'») && «own.remark» == 'x' && «own.kind»",
			want: []fault{
				{rule.CodeUnknownOption, `own.wedlock has no option "maried"`, "did you mean own.wedlock.married?"},
				{rule.CodeType, "an amount of money cannot be compared with a number", "write yuan(850)"},
				{rule.CodeLiteral, "date(…) takes a day that exists, in quotes", `for example date("2026-01-31")`},
				{rule.CodeUnguardedBlank, "own.remark may be blank", "it need not be answered: write has(own.remark) && … or given(own.remark, …)"},
				{rule.CodeBareChoice, "own.kind is a choice: name the option that is meant", "write own.kind.a"},
			}},
		{name: "under Chinese text and over lines", rule: "own.name == '中文中文' &&\n  own.name != \"甲\" && «own.nam» == ''",
			want: []fault{{rule.CodeUnknownField, `no field "nam" among the bundle's own`, "did you mean own.name (TEXT)?"}}},
	}
	env := environment(t, scope())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, spans := marked(tt.rule)
			at := lines(text)
			r, found := env.Compile(diag.NewScalar("b.yaml", "checks[0].require", text, at), rule.Options{InForce: tt.inForce})
			if r != nil {
				t.Error("a rule in spite of errors")
			}
			var want diag.List
			for i, f := range tt.want {
				want = append(want, diag.Diagnostic{
					Span:     diag.Span{File: "b.yaml", Start: at[spans[i][0]], End: at[spans[i][1]]},
					Severity: diag.Error, Code: f.code, Path: "checks[0].require", Message: f.message, Hint: f.hint,
				})
			}
			if diff := cmp.Diff(want, found); diff != "" {
				t.Errorf("%s (-want +got):\n%s", text, diff)
			}
		})
	}
}

// What may be blank can be read only where something in force rules that out.
func TestGuards(t *testing.T) {
	t.Parallel()
	s := scope()
	s.This, s.ThisPath = []*forms.Field{
		question("single", "*BOOL"), question("partner", "*TEXT", "!form.mother.single"),
	}, "form.mother"
	env := environment(t, s)
	tests := []struct {
		name    string
		rule    string
		inForce []string
		blank   string // what is said to be blank; "" if all is well
	}{
		{name: "nothing in force", rule: "own.agreed", blank: "own.agreed may be blank: it is asked only if !own.single_parent"},
		{name: "the rule's own when", rule: "own.agreed", inForce: []string{"!own.single_parent"}},
		{name: "and", rule: "!own.single_parent && own.agreed"},
		{name: "and, the other way round", rule: "own.agreed && !own.single_parent"},
		{name: "and, in parentheses", rule: "own.insured && (own.n > 1 && ((!own.single_parent))) && own.agreed"},
		{name: "or", rule: "own.single_parent || own.agreed"},
		{name: "or with not", rule: "!own.insured || own.claim"},
		{name: "or with not and", rule: "!(own.insured && own.n > 1) || own.claim"},
		{name: "or the wrong way", rule: "own.insured || own.claim", blank: "own.claim may be blank: it is asked only if own.insured"},
		{name: "choice", rule: "own.insured ? own.claim : own.n > 1"},
		{name: "choice, else", rule: "own.single_parent ? own.n > 1 : own.agreed"},
		{name: "choice, the wrong side", rule: "own.insured ? own.n > 1 : own.claim", blank: "own.claim may be blank: it is asked only if own.insured"},
		{name: "two parts", rule: "own.insured && own.n >= 2 && own.ready"},
		{name: "one of two parts", rule: "own.insured && own.ready", blank: "own.ready may be blank: it is asked only if own.n>=2"},
		{name: "one in force, one written", rule: "own.n >= 2 && own.ready", inForce: []string{"own.insured"}},
		{name: "written otherwise", rule: "own.insured && own.n > 1 && own.ready", blank: "own.ready may be blank: it is asked only if own.n>=2"},
		{name: "has", rule: "has(own.remark) && own.remark != 'x'"},
		{name: "has in force", rule: "own.remark != 'x'", inForce: []string{"has(own.remark)"}},
		{name: "not has", rule: "!has(own.remark) || own.remark != 'x'"},
		{name: "has instead of the condition", rule: "has(own.agreed) && own.agreed"},
		{name: "given", rule: "given(own.remark, 'x') != 'x'"},
		{name: "has of another", rule: "has(own.plate) && own.remark != 'x'", blank: "own.remark may be blank"},
		{name: "quotes and spaces do not matter", rule: "own.name=='x' && own.n  in [1,2]", inForce: []string{`own.name=="x"`}},
		{name: "a result of a step that may not apply", rule: "results.certificate.number == 'x'",
			blank: "results.certificate.number may be blank: it is there only if form.newborn.birth_place.in_county"},
		{name: "and if it applies", rule: "form.newborn.birth_place.in_county && results.certificate.number == 'x'"},
		{name: "a result of a step that always applies", rule: "results.inspect.grade.poor"},
		{name: "choices and lists", rule: "own.items.x && own.machines.all(m, m.legal)"},
		{name: "cell", rule: "form.heirs.all(h, h.proxy != '')", blank: "h.proxy may be blank: it is asked only if !h.adult"},
		{name: "cell with its condition", rule: "form.heirs.all(k, k.adult || k.proxy != '')"},
		{name: "cell with that of another", rule: "form.heirs.all(k, [1].all(h, k.adult || k.proxy != ''))"},
		{name: "optional cell", rule: "sum(form.shareholders.list.map(s, s.share)) == 100", blank: "s.share may be blank"},
		{name: "optional cell after has", rule: "sum(form.shareholders.list.map(s, has(s.share), s.share)) == 100"},
		{name: "this", rule: "this.partner != ''", blank: "this.partner may be blank: it is asked only if !form.mother.single"},
		{name: "this, guarded", rule: "this.single || this.partner != ''"},
		{name: "this, guarded in force", rule: "this.partner != ''", inForce: forms.Conjuncts("!this.single", "form.mother")},
		{name: "facts, parameters, today", rule: "facts.mother.credit_restricted || params.years > 1 || place.within(region('32'))"},
		{name: "smallest of what may be empty", rule: "smallest(form.shareholders.list.map(s, s.capital)) > yuan(1)", blank: "smallest needs a list that cannot be empty"},
		{name: "smallest, guarded", rule: "size(form.shareholders.list) > 0 && smallest(form.shareholders.list.map(s, s.capital)) > yuan(1)"},
		{name: "earliest, guarded in force", rule: "earliest(form.shareholders.list.map(s, s.since)) < today", inForce: []string{"size(form.shareholders.list)>=1"}},
		{name: "smallest of what filter leaves", rule: "size(form.shareholders.list) > 0 && smallest(form.shareholders.list.filter(s, s.since < today).map(s, s.capital)) > yuan(1)",
			blank: "smallest needs a list that cannot be empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, found := env.Compile(diag.Inline("b.yaml", "", tt.rule, diag.Position{Line: 1, Column: 1}), rule.Options{InForce: tt.inForce})
			var want []string
			if tt.blank != "" {
				want = []string{tt.blank}
			}
			var got []string
			for _, d := range found {
				got = append(got, d.Message)
				if !slices.Contains([]string{rule.CodeUnguardedBlank, rule.CodeEmptyList}, d.Code) {
					t.Errorf("code %s", d.Code)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.rule, diff)
			}
		})
	}
}

// A scope that cannot be is an error, not a panic.
func TestNewEnvRefuses(t *testing.T) {
	t.Parallel()
	_, err := rule.NewEnv(forms.Scope{Own: []*forms.Field{{ID: "a", Kind: kind.Kind(99)}}})
	if err == nil {
		t.Error("a field without a kind")
	}
	if fmt.Sprint(err) != "rule: field own.a has no kind" {
		t.Error(err)
	}
}
