package rule

import (
	"slices"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// tokenKind says what a token is.
type tokenKind int

const (
	tokenName tokenKind = iota
	tokenNumber
	tokenString
	tokenSign
)

// token is a word, number, quoted text or sign of a rule; from and to count code points.
type token struct {
	kind     tokenKind
	from, to int
	text     string
	match    int // of a bracket: the index of its partner, -1 if there is none
}

// tokens cuts a rule into its tokens. It serves to find where the parts of a parsed rule stand, and accepts
// everything: what is not a rule, the parser refuses.
func tokens(text string) []token {
	runes := []rune(text)
	var all []token
	var open []int
	for i := 0; i < len(runes); {
		r, from := runes[i], i
		kind := tokenSign
		switch {
		case unicode.IsSpace(r):
			i++
			continue
		case r == '/' && i+1 < len(runes) && runes[i+1] == '/':
			for i < len(runes) && runes[i] != '\n' {
				i++
			}
			continue
		case r == '_' || unicode.IsLetter(r):
			for i < len(runes) && (runes[i] == '_' || unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i])) {
				i++
			}
			kind = tokenName
			if i < len(runes) && (runes[i] == '"' || runes[i] == '\'') && strings.Trim(strings.ToLower(string(runes[from:i])), "rb") == "" {
				i = quoted(runes, i, strings.ContainsAny(string(runes[from:i]), "rR"))
				kind = tokenString
			}
		case unicode.IsDigit(r) || r == '.' && i+1 < len(runes) && unicode.IsDigit(runes[i+1]):
			i = numeral(runes, i)
			kind = tokenNumber
		case r == '"' || r == '\'':
			i = quoted(runes, i, false)
			kind = tokenString
		default:
			i++
			if i < len(runes) && slices.Contains([]string{"&&", "||", "==", "!=", "<=", ">="}, string(runes[from:i+1])) {
				i++
			}
		}
		t := token{kind: kind, from: from, to: i, text: string(runes[from:i]), match: -1}
		switch t.text {
		case "(", "[", "{":
			open = append(open, len(all))
		case ")", "]", "}":
			if len(open) > 0 {
				t.match = open[len(open)-1]
				all[t.match].match = len(all)
				open = open[:len(open)-1]
			}
		}
		all = append(all, t)
	}
	return all
}

// quoted returns the end of the quoted text that begins at i.
func quoted(runes []rune, i int, raw bool) int {
	quote := string(runes[i])
	if strings.HasPrefix(string(runes[i:min(i+3, len(runes))]), strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	width := len(quote)
	for i += width; i < len(runes); i++ {
		switch {
		case runes[i] == '\\' && !raw:
			i++
		case i+width <= len(runes) && string(runes[i:i+width]) == quote:
			return i + width
		}
	}
	return len(runes)
}

// numeral returns the end of the number that begins at i.
func numeral(runes []rune, i int) int {
	from := i
	for ; i < len(runes); i++ {
		r := runes[i]
		exponent := i > from && (r == '+' || r == '-') && (runes[i-1] == 'e' || runes[i-1] == 'E') && !isHex(runes[from:i])
		point := r == '.' && i+1 < len(runes) && unicode.IsDigit(runes[i+1])
		if !unicode.IsDigit(r) && !unicode.IsLetter(r) && !exponent && !point {
			break
		}
	}
	return i
}

func isHex(runes []rune) bool { return len(runes) > 1 && (runes[1] == 'x' || runes[1] == 'X') }

// source is a parsed rule with what is needed to say where its parts stand.
type source struct {
	text   string
	tokens []token
	info   *ast.SourceInfo
	spans  map[int64]span // by node, as parsed: the check replaces nodes
}

// span is a stretch of a rule in code points.
type span struct{ from, to int }

// locate remembers where every node stands.
func (s *source) locate(root ast.Expr) {
	s.spans = map[int64]span{}
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		from, to := s.span(e)
		s.spans[e.ID()] = span{from, to}
	}))
}

// at returns the index of the token at which the parser places a node, -1 if there is none.
func (s *source) at(e ast.Expr) int {
	offset, ok := s.info.GetOffsetRange(e.ID())
	if !ok {
		return -1
	}
	i, found := slices.BinarySearchFunc(s.tokens, int(offset.Start), func(t token, from int) int { return t.from - from })
	if !found {
		return -1
	}
	return i
}

// span returns where a node stands, in code points.
func (s *source) span(e ast.Expr) (from, to int) {
	if known, ok := s.spans[e.ID()]; ok {
		return known.from, known.to
	}
	i := s.at(e)
	if i < 0 {
		return 0, len([]rune(s.text))
	}
	t := s.tokens[i]
	from, to = t.from, t.to
	switch e.Kind() {
	case ast.LiteralKind:
		if t.text == "-" && i+1 < len(s.tokens) {
			to = s.tokens[i+1].to
		}
		return from, to
	case ast.SelectKind:
		if t.text == "." && i+1 < len(s.tokens) {
			from, _ = s.span(e.AsSelect().Operand())
			return from, s.tokens[i+1].to
		}
	case ast.CallKind:
		call := e.AsCall()
		if t.text == "(" || t.text == "[" && call.FunctionName() == operators.Index {
			break
		}
		for _, arg := range call.Args() {
			f, l := s.span(arg)
			from, to = min(from, f), max(to, l)
		}
		return from, to
	}
	// What has brackets: a call, an element, a list; and everything that a macro made of a call.
	if t.match > i {
		to = s.tokens[t.match].to
	}
	switch {
	case e.Kind() == ast.CallKind && e.AsCall().IsMemberFunction():
		from, _ = s.span(e.AsCall().Target())
	case e.Kind() == ast.ComprehensionKind:
		from, _ = s.span(e.AsComprehension().IterRange())
	case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index:
		from, _ = s.span(e.AsCall().Args()[0])
	case t.text == "(" && i > 0 && s.tokens[i-1].kind == tokenName:
		from = s.tokens[i-1].from
	}
	return from, to
}

// name returns where the name of a called function stands.
func (s *source) name(e ast.Expr) (from, to int) {
	if i := s.at(e); i > 0 && s.tokens[i].text == "(" && s.tokens[i-1].kind == tokenName {
		return s.tokens[i-1].from, s.tokens[i-1].to
	}
	return s.span(e)
}

// written returns the text of a node as it was written.
func (s *source) written(e ast.Expr) string {
	from, to := s.span(e)
	return string([]rune(s.text)[from:to])
}

// macros are the forms that are rewritten while a rule is parsed. Those of lists differ from CEL's in one
// thing: where a condition is unknown, `c ? a : b` keeps only the causes of c, so each step adds the outcome
// of its condition to what was collected, and no cause is lost.
func macros() []cel.Macro {
	return []cel.Macro{
		cel.AllMacro,
		cel.ExistsMacro,
		cel.GlobalMacro("has", 1, func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			return f.NewCall(hasFunction, args[0]), nil
		}),
		cel.GlobalMacro("given", 2, func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			return f.NewCall(operators.Conditional, f.NewCall(hasFunction, f.Copy(args[0])), args[0], args[1]), nil
		}),
		cel.ReceiverMacro("exists_one", 2, func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			one, none := f.NewLiteral(types.IntOne), f.NewLiteral(types.IntZero)
			found := f.NewCall(operators.Equals, f.NewAccuIdent(), f.NewLiteral(types.IntOne))
			return fold(f, target, args[0], f.NewLiteral(types.IntZero), f.NewCall(operators.Conditional, args[1], one, none), found)
		}),
		cel.ReceiverMacro("filter", 2, func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			keep := f.NewCall(operators.Conditional, args[1], f.NewList(f.Copy(args[0])), f.NewList())
			return fold(f, target, args[0], f.NewList(), keep, f.NewAccuIdent())
		}),
		cel.ReceiverMacro("map", 2, func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			return fold(f, target, args[0], f.NewList(), f.NewList(args[1]), f.NewAccuIdent())
		}),
		cel.ReceiverMacro("map", 3, func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			keep := f.NewCall(operators.Conditional, args[1], f.NewList(args[2]), f.NewList())
			return fold(f, target, args[0], f.NewList(), keep, f.NewAccuIdent())
		}),
	}
}

// fold adds a step for each element of target to what was collected so far.
func fold(f cel.MacroExprFactory, target, name, zero, step, result ast.Expr) (ast.Expr, *common.Error) {
	if name.Kind() != ast.IdentKind {
		return nil, f.NewError(name.ID(), "argument must be a simple name")
	}
	step = f.NewCall(operators.Add, f.NewAccuIdent(), step)
	return f.NewComprehension(target, name.AsIdent(), f.AccuIdentName(), zero, f.NewLiteral(types.True), step, result), nil
}
