package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/containers"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/siyiban/onething/diag"
)

// newChecker returns a checker of the environment that keeps the types it found where kinds do not fit, which
// CEL's own way in does not.
func newChecker(env *cel.Env) (*checker.Env, error) {
	check, err := checker.NewEnv(containers.DefaultContainer, env.CELTypeProvider())
	if err != nil {
		return nil, err
	}
	if err := check.AddIdents(env.Variables()...); err != nil {
		return nil, err
	}
	for _, f := range env.Functions() {
		if err := check.AddFunctions(f); err != nil {
			return nil, err
		}
	}
	return check, nil
}

// explain tells of every place where kinds do not fit, in plain words.
func (c *compiler) explain(parsed *ast.AST, text common.Source) {
	typed, errs := checker.Check(parsed, text, c.env.checker)
	nodes := map[int64]ast.Expr{}
	ast.PreOrderVisit(typed.Expr(), ast.NewExprVisitor(func(e ast.Expr) { nodes[e.ID()] = e }))
	for _, err := range errs.GetErrors() {
		e := nodes[err.ExprID]
		if e == nil || c.reported[e.ID()] {
			continue
		}
		c.mismatch(e, typed)
		c.reported[e.ID()] = true
	}
}

// mismatch tells of one place where kinds do not fit.
func (c *compiler) mismatch(e ast.Expr, typed *ast.AST) {
	typ := func(e ast.Expr) *types.Type { return typed.GetType(e.ID()) }
	if t := typ(e); t != nil && t.Kind() != types.ErrorKind && (e.Kind() != ast.CallKind || len(typed.GetOverloadIDs(e.ID())) > 0) {
		// All is well with e itself, it does not fit where it stands.
		switch {
		case c.toldBelow(e):
		case isRange(typed.Expr(), e):
			c.fail(e, CodeType, fmt.Sprintf("this is %s, not a list", words(t)), "all, exists, filter and map ask of the elements of a list")
		default:
			c.notCondition(e, t)
		}
		return
	}
	switch e.Kind() {
	case ast.CallKind:
		call := e.AsCall()
		args := call.Args()
		if call.IsMemberFunction() {
			args = append([]ast.Expr{call.Target()}, args...)
		}
		given := make([]operand, 0, len(args))
		for _, arg := range args {
			t := typ(arg)
			if t == nil || t.Kind() == types.ErrorKind || c.toldBelow(arg) {
				return // follows from something that is told
			}
			given = append(given, operand{arg, t})
		}
		c.operands(e, call.FunctionName(), given)
	case ast.SelectKind:
		operand := e.AsSelect().Operand()
		if t := typ(operand); t != nil && t.Kind() != types.ErrorKind && !c.toldBelow(operand) {
			c.fail(e, CodeUnknownField, fmt.Sprintf("%s is %s and has no part %q", c.source.written(operand), words(t), e.AsSelect().FieldName()), "")
		}
	}
}

// isRange reports whether e stands where all, exists and the like want their list.
func isRange(root, e ast.Expr) (found bool) {
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(n ast.Expr) {
		found = found || n.Kind() == ast.ComprehensionKind && n.AsComprehension().IterRange().ID() == e.ID()
	}))
	return found
}

// toldBelow reports whether something within e is told of already.
func (c *compiler) toldBelow(e ast.Expr) (told bool) {
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(n ast.Expr) {
		_, isRead := c.reads[n.ID()]
		told = told || c.reported[n.ID()] && !isRead
	}))
	return told
}

// is reports whether a type that the checker found is one of the language's own.
func is(t, own *types.Type) bool { return t.TypeName() == own.TypeName() }

// operand is an argument with its type.
type operand struct {
	expr ast.Expr
	typ  *types.Type
}

// operands tells that a function or operator does not take what it is given.
func (c *compiler) operands(e ast.Expr, function string, given []operand) {
	switch function {
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional:
		for i, o := range given {
			if function == operators.Conditional && i > 0 {
				break
			}
			if o.typ.Kind() != types.BoolKind {
				c.notCondition(o.expr, o.typ)
				return
			}
		}
		c.fail(e, CodeType, fmt.Sprintf("both answers of ? : are of one kind, these are %s and %s", words(given[1].typ), words(given[2].typ)), "")
	case operators.Equals, operators.NotEquals:
		c.compared(e, given, "compared")
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		if given[0].typ.IsExactType(given[1].typ) {
			c.fail(e, CodeType, fmt.Sprintf("%s have no order", plural(given[0].typ)), "compare numbers, amounts of money and dates")
			return
		}
		c.compared(e, given, "compared")
	case operators.Add, operators.Subtract, operators.Multiply, operators.Negate:
		c.computed(e, function, given)
	case operators.In:
		c.fail(e, CodeType, fmt.Sprintf("in looks for a text or number in a list, this is %s in %s", words(given[0].typ), words(given[1].typ)), "")
	default:
		kinds := make([]string, 0, len(given))
		for _, o := range given {
			if !is(o.typ, calendarType) {
				kinds = append(kinds, words(o.typ))
			}
		}
		got := strings.Join(kinds, ", ")
		if got == "" {
			got = "nothing"
		}
		hint := c.env.usage(function)
		for _, o := range given {
			if isChoice(o.typ) {
				hint = "name the option: " + c.optionHint(o)
			}
		}
		c.fail(e, CodeType, fmt.Sprintf("%s cannot take %s", spelling(function), got), hint)
	}
}

// notCondition tells that something stands where yes or no is wanted.
func (c *compiler) notCondition(e ast.Expr, t *types.Type) {
	switch {
	case isChoice(t) || isChoices(t):
		c.fail(e, CodeBareChoice, fmt.Sprintf("%s is %s: name the option that is meant", c.source.written(e), words(t)),
			"write "+c.optionHint(operand{e, t}))
	default:
		c.fail(e, CodeType, fmt.Sprintf("a yes or no is wanted here, this is %s", words(t)), "")
	}
}

// optionHint names an option of a choice as an example.
func (c *compiler) optionHint(o operand) string {
	info := c.env.tree.choices[o.typ.TypeName()]
	if info == nil {
		return ""
	}
	return c.source.written(o.expr) + "." + first(optionIDs(info.options))
}

// compared tells that two kinds cannot be compared, and what was meant.
func (c *compiler) compared(e ast.Expr, given []operand, verb string) {
	a, b := given[0], given[1]
	message := fmt.Sprintf("%s cannot be %s with %s", words(a.typ), verb, words(b.typ))
	if words(a.typ) == words(b.typ) {
		message = fmt.Sprintf("these two %s cannot be %s", plural(a.typ), verb)
		if isChoice(a.typ) || isChoices(a.typ) {
			message += ": their options differ"
		}
	}
	c.fail(e, CodeType, message, c.comparisonHint(a, b))
}

// written is a day without its function, which is a difference of numbers.
var written = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

func (c *compiler) comparisonHint(a, b operand) string {
	for _, pair := range [][2]operand{{a, b}, {b, a}} {
		x, y := pair[0], pair[1]
		literal := y.expr.Kind() == ast.LiteralKind
		text := c.source.written(y.expr)
		switch {
		case isChoice(x.typ) && literal && y.typ.Kind() == types.StringKind:
			name := string(y.expr.AsLiteral().(types.String))
			ids := optionIDs(c.env.tree.choices[x.typ.TypeName()].options)
			if near := diag.Nearest(name, ids); near != "" && !slices.Contains(ids, name) {
				name = near
			} else if !slices.Contains(ids, name) {
				name = first(ids)
			}
			return "write " + c.source.written(x.expr) + "." + name
		case is(x.typ, moneyType) && y.typ.Kind() == types.IntKind && literal:
			return "write yuan(" + text + ")"
		case is(x.typ, moneyType) && is(y.typ, decimalType) && y.expr.Kind() == ast.CallKind && !strings.Contains(text, "("):
			return "write yuan(" + text + ")"
		case is(x.typ, dateType) && literal && y.typ.Kind() == types.StringKind:
			return "write date(" + text + ")"
		case is(x.typ, regionType) && literal && y.typ.Kind() == types.StringKind:
			return "write region(" + text + ")"
		case is(x.typ, addressType) && (is(y.typ, regionType) || y.typ.Kind() == types.StringKind):
			return "write " + c.source.written(x.expr) + `.within(region("3213"))`
		case x.typ.Kind() == types.IntKind && is(y.typ, decimalType):
			return "a decimal number stands left, a number right"
		case x.typ.Kind() == types.ListKind && y.typ.Kind() == types.IntKind:
			return "write size(" + c.source.written(x.expr) + ")"
		case is(x.typ, dateType) && y.typ.Kind() == types.IntKind && written.MatchString(text):
			return "write date(\"" + text + "\")"
		case is(x.typ, dateType) && y.typ.Kind() == types.IntKind:
			return "count with days_between, months_between or years_between"
		case is(x.typ, fileType):
			return "of a file only has(…) can be asked"
		}
	}
	return ""
}

// computed tells that two kinds cannot be added, subtracted or multiplied.
func (c *compiler) computed(e ast.Expr, function string, given []operand) {
	if function == operators.Negate {
		c.fail(e, CodeType, "- stands before numbers and amounts, this is "+words(given[0].typ), "")
		return
	}
	a, b := given[0], given[1]
	verb := map[string]string{operators.Add: "added", operators.Subtract: "subtracted", operators.Multiply: "multiplied"}[function]
	message := fmt.Sprintf("%s and %s cannot be %s", words(a.typ), words(b.typ), verb)
	code, hint := CodeType, ""
	switch {
	case a.typ.Kind() == types.StringKind || b.typ.Kind() == types.StringKind:
		code, hint = CodeForbidden, "a rule builds no texts; a derived field can, with join(…)"
	case is(a.typ, dateType) && is(b.typ, dateType) && function == operators.Subtract:
		hint = fmt.Sprintf("write days_between(%s, %s)", c.source.written(b.expr), c.source.written(a.expr))
	case is(a.typ, dateType) && b.typ.Kind() == types.IntKind:
		number := c.source.written(b.expr)
		if function == operators.Subtract {
			number = "-" + number
		}
		hint = fmt.Sprintf("write add_days(%s, %s)", c.source.written(a.expr), number)
	case a.typ.Kind() == types.IntKind && (is(b.typ, moneyType) || is(b.typ, decimalType)):
		hint = fmt.Sprintf("write %s %s %s", c.source.written(b.expr), spelling(function), c.source.written(a.expr))
		if function == operators.Subtract || is(b.typ, moneyType) && function == operators.Add {
			hint = c.comparisonHint(a, b)
		}
	case is(a.typ, moneyType) && is(b.typ, moneyType):
		hint = "an amount is multiplied by a number"
	case is(a.typ, moneyType) && is(b.typ, decimalType):
		hint = "a derived field can: percent(money, 1.5) or share(money, 2, 3)"
	default:
		hint = c.comparisonHint(a, b)
	}
	c.fail(e, code, message, hint)
}

// usage says what a function takes.
func (e *Env) usage(function string) string {
	switch function {
	case "startsWith", "endsWith", "contains", "matches":
		return fmt.Sprintf("it is asked of a text: x.%s(\"…\")", function)
	}
	ways := map[string]bool{}
	for _, s := range e.functions[function] {
		var args []string
		for _, t := range s.args {
			switch t {
			case calendarType:
			case anyList:
				args = append(args, "a list")
			default:
				args = append(args, words(t))
			}
		}
		if s.member {
			ways[args[0]+"."+function+"("+strings.Join(args[1:], ", ")+")"] = true
			continue
		}
		ways[function+"("+strings.Join(args, ", ")+")"] = true
	}
	var all []string
	for way := range ways {
		all = append(all, way)
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return "it takes " + strings.Join(all, " or ")
}

// afterwards refuses what CEL accepts and the language does not.
func (c *compiler) afterwards(checked *ast.AST) {
	if t := checked.GetType(checked.Expr().ID()); t != nil && t.Kind() != types.BoolKind {
		c.notCondition(checked.Expr(), t)
	}
	ast.PreOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.ListKind:
			c.mixed(e, checked)
		case ast.CallKind:
			call := e.AsCall()
			if call.FunctionName() != operators.Add || checked.GetType(e.ID()).Kind() != types.ListKind {
				return
			}
			if left := call.Args()[0]; left.Kind() != ast.IdentKind || !strings.HasPrefix(left.AsIdent(), "@") {
				c.fail(e, CodeForbidden, "a rule puts no lists together", "ask of each list: a.all(…) && b.all(…)")
			}
		}
	}))
}

// mixed refuses a list of several kinds.
func (c *compiler) mixed(list ast.Expr, checked *ast.AST) {
	elements := list.AsList().Elements()
	for _, e := range elements {
		t, first := checked.GetType(e.ID()), checked.GetType(elements[0].ID())
		if !t.IsExactType(first) {
			c.fail(e, CodeType, fmt.Sprintf("a list holds one kind of thing, this is %s beside %s", words(t), words(first)), "")
			return
		}
	}
}
