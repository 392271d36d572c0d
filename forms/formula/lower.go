package formula

import (
	"regexp"

	"github.com/expr-lang/expr/ast"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/lowered"
)

// Lower translates the formula; read gives the node of a path. What its node comes to is what [Formula.Eval] says. The
// error is [lowered.ErrNotLowered] if it has no lowered form: formulas over lists have none.
func (f *Formula) Lower(b *lowered.Builder, read func(forms.Path) (lowered.Ref, error)) (lowered.Ref, error) {
	l := &lowering{b: b, variables: map[string]lowered.Ref{}}
	for _, s := range f.slots {
		r, err := read(s.path)
		if err != nil {
			return 0, err
		}
		l.slots = append(l.slots, r)
	}
	body, err := l.node(f.tree)
	if err != nil {
		return 0, err
	}
	if lowered.TypeOf(f.want) != b.Type(body) {
		return 0, lowered.Unsupported("a formula of this kind")
	}
	return b.Gate(l.slots, body), nil
}

// lowering translates one formula.
type lowering struct {
	b         *lowered.Builder
	slots     []lowered.Ref
	variables map[string]lowered.Ref
}

func (l *lowering) node(n ast.Node) (lowered.Ref, error) {
	switch n := n.(type) {
	case *ast.BoolNode:
		return l.b.Truth(n.Value), nil
	case *ast.ConstantNode:
		return l.constant(n.Value)
	case *ast.UnaryNode:
		x, err := l.node(n.Node)
		if err != nil || n.Operator != "!" {
			return 0, unless(err, "an operator")
		}
		return l.b.Not(x), nil
	case *ast.BinaryNode:
		x, y, err := l.two(n.Left, n.Right)
		switch {
		case err != nil:
			return 0, err
		case n.Operator == "&&":
			return l.b.SeqAnd(x, y), nil
		case n.Operator == "||":
			return l.b.SeqOr(x, y), nil
		}
		return 0, lowered.Unsupported("an operator")
	case *ast.ConditionalNode:
		c, err := l.node(n.Cond)
		if err != nil {
			return 0, err
		}
		x, y, err := l.two(n.Exp1, n.Exp2)
		if err != nil {
			return 0, err
		}
		return l.b.Cond(c, x, y)
	case *ast.VariableDeclaratorNode:
		value, err := l.node(n.Value)
		if err != nil {
			return 0, err
		}
		l.variables[n.Name] = value
		body, err := l.node(n.Expr)
		if err != nil {
			return 0, err
		}
		return l.b.Strict(value, body), nil
	case *ast.IdentifierNode:
		if r, ok := l.variables[n.Value]; ok {
			return r, nil
		}
		return 0, lowered.Unsupported("the name " + n.Value)
	case *ast.CallNode:
		return l.call(n)
	default:
		return 0, lowered.Unsupported("a list")
	}
}

// unless is the error, or that something has no lowered form.
func unless(err error, what string) error {
	if err != nil {
		return err
	}
	return lowered.Unsupported(what)
}

func (l *lowering) two(x, y ast.Node) (a, b lowered.Ref, err error) {
	if a, err = l.node(x); err != nil {
		return 0, 0, err
	}
	b, err = l.node(y)
	return a, b, err
}

func (l *lowering) constant(v any) (lowered.Ref, error) {
	switch v := v.(type) {
	case bool:
		return l.b.Truth(v), nil
	case int64:
		return l.b.Number(v), nil
	case string:
		return l.b.Text(v), nil
	case region:
		return l.b.Text(string(v)), nil
	case kind.Money:
		return l.b.Amount(v), nil
	case kind.Date:
		return l.b.Number(lowered.Day(v)), nil
	case kind.Choice:
		return l.b.Option(string(v)), nil
	case kind.Decimal:
		return l.b.Decimal(v)
	default:
		return 0, lowered.Unsupported("a constant of this kind")
	}
}

// call translates the call of a routine.
func (l *lowering) call(n *ast.CallNode) (lowered.Ref, error) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return 0, lowered.Unsupported("a call")
	}
	args := n.Arguments
	switch name := callee.Value; name {
	case "read", "has":
		slot, ok := args[1].(*ast.ConstantNode)
		if !ok {
			return 0, lowered.Unsupported("a read")
		}
		r := l.slots[slot.Value.(int)]
		if name == "has" {
			return l.b.Present(r)
		}
		return r, nil
	case "is":
		option, ok := args[1].(*ast.ConstantNode)
		id, isText := option.Value.(string)
		if !ok || !isText {
			return 0, lowered.Unsupported("an option")
		}
		x, err := l.node(args[0])
		if err != nil {
			return 0, err
		}
		if l.b.Type(x) == lowered.Options {
			return l.b.Chosen(x, id)
		}
		return l.b.Compare(lowered.Equal, x, l.b.Option(id))
	case "add_working_days", "working_days_between":
		args = args[1:] // the frame
	case "min", "max":
		return l.extreme(map[string]lowered.Function{"min": lowered.Smaller, "max": lowered.Larger}[name], args)
	case "size":
		return l.size(args[0])
	case "matches":
		x, err := l.node(args[0])
		pattern, ok := args[1].(*ast.ConstantNode)
		if err != nil || !ok {
			return 0, unless(err, "a pattern")
		}
		p, ok := pattern.Value.(*regexp.Regexp)
		if !ok {
			return 0, lowered.Unsupported("a pattern")
		}
		return l.b.Matches(x, p.String())
	}
	return l.routine(callee.Value, args)
}

func (l *lowering) extreme(f lowered.Function, args []ast.Node) (lowered.Ref, error) {
	r, err := l.node(args[0])
	for _, arg := range args[1:] {
		if err != nil {
			return 0, err
		}
		var next lowered.Ref
		if next, err = l.node(arg); err == nil {
			r, err = l.b.Call(f, r, next)
		}
	}
	return r, err
}

func (l *lowering) size(n ast.Node) (lowered.Ref, error) {
	x, err := l.node(n)
	if err != nil {
		return 0, err
	}
	switch l.b.Type(x) {
	case lowered.Text:
		return l.b.Call(lowered.Runes, x, 0)
	case lowered.Options:
		return l.b.Call(lowered.Chosens, x, 0)
	case lowered.List:
		return l.b.Call(lowered.Length, x, 0)
	default:
		return 0, lowered.Unsupported("a size")
	}
}

// routine translates an operator or function of one or two values.
func (l *lowering) routine(name string, args []ast.Node) (lowered.Ref, error) {
	refs := make([]lowered.Ref, 2)
	for i, arg := range args {
		if i == len(refs) {
			return 0, lowered.Unsupported("the function " + name)
		}
		r, err := l.node(arg)
		if err != nil {
			return 0, err
		}
		refs[i] = r
	}
	x, y := refs[0], refs[1]
	if c, ok := map[string]lowered.Comparison{"==": lowered.Equal, "!=": lowered.NotEqual, "<": lowered.Less, "<=": lowered.LessEqual, ">": lowered.Greater, ">=": lowered.GreaterEqual}[name]; ok {
		return l.b.Compare(c, x, y)
	}
	if o, ok := map[string]lowered.Arithmetic{"+": lowered.Add, "-": lowered.Subtract, "*": lowered.Multiply}[name]; ok {
		return l.b.Compute(o, x, y)
	}
	if name == "negate" {
		switch l.b.Type(x) {
		case lowered.Number:
			return l.b.Compute(lowered.Subtract, l.b.Number(0), x)
		case lowered.Amount:
			return l.b.Compute(lowered.Subtract, l.b.Amount(0), x)
		default:
			return 0, lowered.Unsupported("a negative of this kind")
		}
	}
	f, ok := map[string]lowered.Function{
		"add_days": lowered.AddDays, "add_months": lowered.AddMonths, "add_years": lowered.AddYears,
		"days_between": lowered.DaysBetween, "months_between": lowered.MonthsBetween, "years_between": lowered.YearsBetween,
		"age": lowered.Age, "age_late": lowered.AgeLate,
		"add_working_days": lowered.AddWorkingDays, "working_days_between": lowered.WorkingDaysBetween,
		"year_of": lowered.YearOf, "month_of": lowered.MonthOf, "day_of": lowered.DayOf,
		"first_of_month": lowered.FirstOfMonth, "last_of_month": lowered.LastOfMonth,
		"birth_date": lowered.BirthDate, "female": lowered.Female, "div": lowered.Div,
		"within": lowered.Within, "startsWith": lowered.StartsWith, "endsWith": lowered.EndsWith, "contains": lowered.Contains,
	}[name]
	if ok {
		return l.b.Call(f, x, y)
	}
	return 0, lowered.Unsupported("the function " + name)
}
