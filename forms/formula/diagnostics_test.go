package formula

import (
	"strings"
	"testing"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms/kind"
)

func TestCompile_Findings(t *testing.T) {
	t.Parallel()
	// The part of the formula between ‹ and › is where the finding stands.
	tests := []struct {
		name, text, code, hint string
	}{
		{"misspelt field", "‹own.incom› + own.fee", CodeUnknownField, "own.income (MONEY)"},
		{"misspelt section", "1 + ‹form.moter›.name", CodeUnknownField, "form.mother"},
		{"misspelt field of a section", "‹form.mother.nme›", CodeUnknownField, "form.mother.name (TEXT)"},
		{"misspelt root", "‹owns›.n", CodeUnknownField, "own"},
		{"misspelt option", "‹own.wedlock.maried› ? 1 : 2", CodeUnknownField, "married"},
		{"misspelt fact", "‹facts.mother.restrict› ? 1 : 2", CodeUnknownField, "restricted"},
		{"misspelt alias of facts", "‹facts.mothr›.restricted ? 1 : 2", CodeUnknownField, "facts.mother"},
		{"misspelt parameter", "‹params.lin› > yuan(1) ? 1 : 2", CodeUnknownField, "params.line"},
		{"misspelt step", "‹results.audi›.grade", CodeUnknownField, "results.audit"},
		{"result that there is not", "‹results.audit.number›", CodeUnknownField, ""},
		{"no this here", "‹this.x›", CodeUnknownField, ""},
		{"variable that is not set", "let a = 1; ‹b›", CodeUnknownField, "own"},
		{"misspelt cell", "sum(map(form.heirs, ‹.agee›))", CodeUnknownField, ".age (INT)"},
		{"on the second line, under Chinese", "own.word == \"汉字\" ? 1 :\n ‹own.zz›", CodeUnknownField, ""},
		{"a clock", "year_of(‹now›())", CodeForbidden, "today"},
		{"a clock without brackets", "year_of(‹now›)", CodeUnknownField, "today"},
		{"no part of a number", "‹own.n.x›", CodeType, ""},
		{"section alone", "‹form.mother›", CodeType, "name a field"},
		{"part of a list", "‹form.heirs.age›", CodeType, "map(form.heirs, .age)"},

		{"money and number", "‹own.income < 850› ? 1 : 2", CodeType, "yuan(850)"},
		{"money plus number", "‹own.income + 5›", CodeType, "yuan(850)"},
		{"int left of a decimal", "‹own.n * 1.5›", CodeType, "left of the operator"},
		{"money times decimal", "‹own.income * 1.5›", CodeType, "percent"},
		{"money times money", "‹own.income * own.fee›", CodeType, "INT"},
		{"date beside text", "‹own.start < \"2026-01-01\"› ? 1 : 2", CodeType, `date("2026-01-01")`},
		{"date plus int", "‹own.start + 5›", CodeType, "add_days"},
		{"date minus date", "‹own.end - own.start›", CodeType, "days_between"},
		{"texts put together", "‹own.word + \"x\"›", CodeType, "braces"},
		{"texts in order", "‹\"a\" < own.word› ? 1 : 2", CodeType, ""},
		{"bare choice", "‹own.wedlock› ? 1 : 2", CodeType, "own.wedlock.married"},
		{"choices with other options", "‹own.wedlock == own.category› ? 1 : 2", CodeType, "option"},
		{"choice beside text", "‹own.wedlock == \"married\"› ? 1 : 2", CodeType, "option"},
		{"branches of two kinds", "‹own.single ? 1 : yuan(1)›", CodeType, "yuan"},
		{"condition that is a number", "!‹own.n› ? 1 : 2", CodeType, ""},
		{"result of another kind", "‹own.fee›", CodeType, ""},
		{"list as a result", "‹form.heirs›", CodeType, ""},
		{"argument of another kind", "year_of(‹own.n›)", CodeType, ""},
		{"argument too few", "‹add_months(own.start)› == today ? 1 : 2", CodeType, ""},
		{"list of two kinds", "size([1, ‹yuan(1)›])", CodeType, "yuan"},
		{"empty list", "size(‹[]›)", CodeType, ""},
		{"list after in", "own.n in ‹own.m› ? 1 : 2", CodeType, ""},
		{"dates in a list", "‹today› in [today] ? 1 : 2", CodeType, ""},
		{"size of a number", "size(‹own.n›)", CodeType, ""},
		{"sum of texts", "sum(‹map(form.heirs, .name)›)", CodeType, ""},
		{"earliest of numbers", "‹earliest›", CodeUnknownField, "function"},
		{"smallest of dates", "smallest(‹map(form.company.owners, .since)›)", CodeType, ""},
		{"min of one", "‹min(1)›", CodeType, "smallest"},
		{"min of two kinds", "min(1, ‹yuan(1)›)", CodeType, "yuan"},
		{"within of a plate", "‹own.plate›.within(place) ? 1 : 2", CodeType, ""},
		{"within a text", "form.mother.hukou.within(‹\"32\"›) ? 1 : 2", CodeType, `region("3213")`},
		{"has of a list", "has(‹form.heirs›) ? 1 : 2", CodeType, "size(form.heirs) > 0"},
		{"has of an option", "has(‹own.wedlock.married›) ? 1 : 2", CodeType, "has(own.wedlock)"},
		{"has of today", "has(‹today›) ? 1 : 2", CodeType, ""},
		{"has of a sum", "has(‹own.n + 1›) ? 1 : 2", CodeType, "own.field"},
		{"given of another kind", "given(own.days, ‹yuan(1)›)", CodeType, "yuan"},
		{"value of a file", "‹own.proof› == own.proof2 ? 1 : 2", CodeType, "has(own.proof)"},
		{"map of lists", "size(map(form.heirs, ‹form.company.owners›))", CodeType, ""},

		{"day that is not", "year_of(‹date(\"2026-02-30\")›)", CodeLiteral, ""},
		{"date that is not written out", "year_of(‹date(own.word)›)", CodeLiteral, "2026-01-01"},
		{"a third of a fen", "‹yuan(1.005)› > own.fee ? 1 : 2", CodeLiteral, "two after"},
		{"yuan of a field", "‹yuan(own.n)› > own.fee ? 1 : 2", CodeLiteral, "yuan(1) * n"},
		{"decimal of a text", "‹decimal(\"1\")› > own.n ? 1 : 2", CodeLiteral, ""},
		{"region with three digits", "place.within(‹region(\"321\")›) ? 1 : 2", CodeLiteral, "2, 4, 6, 9 or 12"},
		{"exponent", "‹1e3›", CodeLiteral, "1200"},
		{"hexadecimal", "‹0x10›", CodeLiteral, "1200"},
		{"underscore", "‹1_000›", CodeLiteral, "1200"},
		{"point in front", "own.n + ‹.5›", CodeLiteral, "0.5"},
		{"too large", "1 + ‹99999999999999999999›", CodeLiteral, ""},
		{"too many digits", "‹1." + strings.Repeat("1", 70) + "› > own.n ? 1 : 2", CodeLiteral, ""},
		{"pattern that is computed", "own.word.matches(‹own.word›) ? 1 : 2", CodeLiteral, ""},
		{"pattern that is none", "own.word.matches(‹\"(\"›) ? 1 : 2", CodeLiteral, "RE2"},

		{"division", "own.n ‹/› 2", CodeForbidden, "div"},
		{"rest", "own.n ‹%› 2", CodeForbidden, "div"},
		{"power", "2 ‹**› 3", CodeForbidden, ""},
		{"coalescing", "own.days ‹??› 1", CodeForbidden, "given"},
		{"optional chaining", "own‹?.›n", CodeForbidden, "given"},
		{"short conditional", "‹own.n ?: 2›", CodeForbidden, "given"},
		{"range", "sum(1‹..›3)", CodeForbidden, ""},
		{"pipe", "own.start ‹|› year_of()", CodeForbidden, "f(x)"},
		{"own date of expr by its scope", "‹::›now()", CodeForbidden, ""},
		{"words for signs", "own.single ‹and› true ? 1 : 2", CodeForbidden, "&&"},
		{"not in", "own.n ‹not› in [1] ? 1 : 2", CodeForbidden, "!"},
		{"if", "‹if› own.single {1} else {2}", CodeForbidden, "?"},
		{"index", "form.heirs‹[›0].age", CodeForbidden, "map"},
		{"field as an index", "own‹[›\"n\"]", CodeForbidden, "point"},
		{"get", "‹get›(own, \"n\")", CodeForbidden, "given"},
		{"duration", "‹duration›(\"1h\")", CodeForbidden, "add_days"},
		{"toJSON", "size(‹toJSON›(own.n))", CodeForbidden, ""},
		{"any", "‹any›(form.heirs, .age > 3) ? 1 : 2", CodeForbidden, "size(filter"},
		{"count", "‹count›(form.heirs, .age > 3)", CodeForbidden, "size(filter"},
		{"reduce", "‹reduce›(form.heirs, #acc + .age)", CodeForbidden, "sum"},
		{"sum with a predicate", "‹sum(form.heirs, .age)›", CodeForbidden, "sum(map"},
		{"index of an element", "size(filter(form.heirs, ‹#›index > 1))", CodeForbidden, ""},
		{"nested predicates", "sum(map(form.heirs, sum(‹map›(form.company.owners, .votes))))", CodeForbidden, "let"},
		{"map literal", "‹{\"a\": 1}›", CodeForbidden, ""},
		{"nil", "‹nil›", CodeForbidden, "given"},
		{"sequence", "‹1; 2›", CodeForbidden, "let"},
		{"bytes", "size(‹b\"x\"›)", CodeForbidden, "text"},
		{"plus sign", "‹+1›", CodeForbidden, ""},
		{"continued comparison", "‹1 < own.n < 3› ? 1 : 2", CodeForbidden, "&&"},
		{"let with the name of a root", "let ‹today› = 1; 2", CodeForbidden, "name"},
		{"operator on texts", "‹own.word startsWith \"x\"› ? 1 : 2", CodeForbidden, "own.word.startsWith(\"x\")"},
		{"expr's environment", "‹$env›", CodeUnknownField, ""},

		{"misspelt function", "year_of(‹add_month›(own.start, 1))", CodeUnknownFunction, "add_months"},
		{"misspelt method", "own.word.‹startWith›(\"x\") ? 1 : 2", CodeUnknownFunction, "startsWith"},
		{"macro of rules", "form.heirs.‹exists›(h, h.age > 3) ? 1 : 2", CodeUnknownFunction, "size(filter"},
		{"map of rules", "sum(form.heirs.‹map›(h, h.age))", CodeUnknownFunction, "map(form.heirs"},

		{"optional answer", "‹own.days›", CodeUnguardedBlank, "given(own.days"},
		{"optional answer with another guard", "has(own.sum) ? ‹own.days› : 1", CodeUnguardedBlank, "has(own.days)"},
		{"optional answer in the other branch", "has(own.days) ? 1 : ‹own.days›", CodeUnguardedBlank, "given"},
		{"answer with a condition", "‹own.claim›", CodeUnguardedBlank, "own.single ?"},
		{"hidden section", "age(‹form.father.born›, today)", CodeUnguardedBlank, "!own.single"},
		{"result of a step that may not apply", "size(‹results.seal.number›)", CodeUnguardedBlank, "given"},
		{"optional cell", "sum(map(form.company.owners, ‹.loan›)) > yuan(1) ? 1 : 2", CodeUnguardedBlank, "given(.loan"},
		{"cell with a condition", "size(map(form.company.owners, ‹.bank›))", CodeUnguardedBlank, "#.foreign"},
		{"guard of an or", "has(own.days) || own.single ? ‹own.days› : 1", CodeUnguardedBlank, "given"},
		{"smallest of what may be empty", "‹smallest(map(form.heirs, .age))›", CodeEmptyList, "size(map(form.heirs, .age)) > 0"},
		{"smallest of what is filtered", "size(form.heirs) > 0 ? ‹smallest(map(filter(form.heirs, .age > 3), .age))› : 0", CodeEmptyList, "size("},

		{"empty", "‹ ›", CodeSyntax, ""},
		{"end missing", "own.n ‹+›", CodeSyntax, "missing"},
		{"bracket missing", "(own.‹n›", CodeSyntax, "missing"},
		{"bracket too many", "own.n‹)›", CodeSyntax, ""},
		{"one equals sign", "own.n ‹=› 7 ? 1 : 2", CodeSyntax, "=="},
		{"bracket of a Chinese keyboard", "max‹（›own.n, 1）", CodeSyntax, "'('"},
		{"comma of a Chinese keyboard", "max(own.n‹，› 1)", CodeSyntax, "','"},
		{"sign that there is not", "own.n ‹@› 3", CodeSyntax, ""},
	}
	s := scope()
	s.Own = append(s.Own, optional("proof2", kind.KindFile))
	e := newEnv(t, s)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := strings.NewReplacer("‹", "", "›", "").Replace(test.text)
			f, diags := e.Compile(scalar(text), kind.KindInt, nil, nil)
			if f != nil || len(diags) == 0 {
				t.Fatalf("%s compiled", text)
			}
			from := len([]rune(test.text[:strings.Index(test.text, "‹")]))
			to := len([]rune(test.text[:strings.Index(test.text, "›")])) - 1
			want := scalar(text).Span(from, to)
			for _, d := range diags {
				if d.Span == want && d.Code == test.code {
					if !strings.Contains(d.Hint, test.hint) {
						t.Errorf("hint %q, want one with %q", d.Hint, test.hint)
					}
					if d.Severity != diag.Error || d.Message == "" || d.Path != "own[0].derive" {
						t.Errorf("incomplete: %+v", d)
					}
					return
				}
			}
			t.Errorf("%s: want %s at %d–%d", text, test.code, from, to)
			for _, d := range diags {
				t.Logf("got %s at %d–%d: %s", d.Code, d.Span.Start.Column-11, d.Span.End.Column-11, d.Message)
			}
		})
	}
}

func TestCompile_AllFindingsAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t, scope())
	_, diags := e.Compile(scalar("own.incom + own.fe + (own.n < yuan(1) ? own.days : add_months(own.strt, own.nn))"), kind.KindInt, nil, nil)
	var codes []string
	for _, d := range diags.Sorted() {
		codes = append(codes, d.Code)
	}
	want := strings.Join([]string{CodeUnknownField, CodeUnknownField, CodeType, CodeUnguardedBlank, CodeUnknownField, CodeUnknownField}, " ")
	if got := strings.Join(codes, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCompile_Cost(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"too long", "1 + " + strings.Repeat(" ", maxLength) + "1"},
		{"too many parts", strings.Repeat("1+", maxNodes) + "1"},
		{"too deep", strings.Repeat("(", maxLength) + "1" + strings.Repeat(")", maxLength)},
		{"too much work", "let a = map(form.heirs, .age); size(filter(form.heirs, .age in a" + strings.Repeat(" && .age in a", 8) + "))"},
	}
	e := newEnv(t, scope())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, diags := e.Compile(scalar(test.text), kind.KindInt, nil, nil)
			if len(diags) != 1 || diags[0].Code != CodeCost {
				t.Errorf("got %v", diags)
			}
		})
	}
}
