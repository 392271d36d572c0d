package formula

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// checker checks one formula and lowers it: every node of the parsed tree becomes nodes that call routines
// of this package, or conditionals, loops and variables of expr's machine.
type checker struct {
	env     *Env
	scalar  diag.Scalar
	runes   []rune
	tokens  []lexer.Token
	partner []int // by token: the other bracket, -1 for none
	diags   diag.List

	// inForce are the conjuncts that hold at the node that is being checked, the outermost first; used says
	// which of them a read has needed.
	inForce []string
	used    []bool
	// lenient lets blanks be read: a text prints them.
	lenient bool

	slots     []slot
	columns   []forms.Path // <list>.<field> of the cells that are read
	variables []variable
	element   *typ // of the list that the surrounding map or filter walks; nil outside
	cost      int  // elementary steps in the worst case
	weight    int  // how often the node that is being checked is evaluated
}

type variable struct {
	name   string // as written
	unique string // in the machine
	typ    typ
}

// spend accounts for the steps of the node that is being checked. It stops far above the bound.
func (c *checker) spend(steps int) { c.cost = min(c.cost+steps*c.weight, 2*maxCost) }

// check returns the lowered node and its type; an invalid type says that the finding is reported. The
// wanted type, nil if any will do, gives literals their kind.
func (c *checker) check(n ast.Node, want *typ) (ast.Node, typ) {
	c.spend(1)
	switch n := n.(type) {
	case *ast.BoolNode:
		return &ast.BoolNode{Value: n.Value}, typ{kind: kind.KindBool}
	case *ast.IntegerNode:
		return c.number(n, "", want)
	case *ast.FloatNode:
		return c.number(n, "", want)
	case *ast.StringNode:
		return c.text(n, want)
	case *ast.ArrayNode:
		return c.array(n, want)
	case *ast.UnaryNode:
		return c.unary(n, want)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n, want)
	case *ast.VariableDeclaratorNode:
		return c.let(n, want)
	case *ast.IdentifierNode, *ast.MemberNode, *ast.PointerNode:
		return c.path(n)
	case *ast.CallNode:
		return c.call(n, want)
	case *ast.BuiltinNode:
		return c.builtin(n, want)
	case *ast.NilNode:
		return c.refuse(n, "nil is not allowed in a formula", "a blank is asked for with has(x) or given(x, y)")
	case *ast.SliceNode:
		return c.refuse(n, "a part of a list cannot be taken in a formula", "write filter(list, condition)")
	case *ast.MapNode:
		return c.refuse(n, "maps are not allowed in a formula", "")
	case *ast.SequenceNode:
		return c.refuse(n, "a formula has one value", "write let name = value; before what uses it")
	default:
		return c.refuse(n, "this is not allowed in a formula", "")
	}
}

func (c *checker) refuse(n ast.Node, message, hint string) (ast.Node, typ) {
	c.failAt(n, CodeForbidden, message, hint)
	return nil, typ{}
}

func (c *checker) mistyped(n ast.Node, message, hint string) (ast.Node, typ) {
	c.failAt(n, CodeType, message, hint)
	return nil, typ{}
}

// source returns the code points of a token that is a node, such as a number.
func (c *checker) source(n ast.Node) string {
	at := n.Location()
	return string(c.runes[at.From:at.To])
}

// number takes a literal as it is written; sign is "" or "-".
func (c *checker) number(n ast.Node, sign string, want *typ) (ast.Node, typ) {
	text := sign + c.source(n)
	if _, whole := n.(*ast.IntegerNode); whole && (want == nil || want.kind != kind.KindDecimal) {
		value, _ := strconv.ParseInt(text, 10, 64) // the scan has seen that it fits
		return constant(value), typ{kind: kind.KindInt}
	}
	value, ok := parseDecimal(text)
	if !ok {
		c.failAt(n, CodeLiteral, "this number has too many digits", "")
		return nil, typ{}
	}
	return constant(value), typ{kind: kind.KindDecimal}
}

// isNumber reports whether s is digits, or digits, a point and digits.
func isNumber(s string) bool {
	point := false
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
		case r == '.' && !point && i > 0 && i < len(s)-1:
			point = true
		default:
			return false
		}
	}
	return s != ""
}

// text is a literal text, or an option where a choice is wanted.
func (c *checker) text(n *ast.StringNode, want *typ) (ast.Node, typ) {
	if want == nil || want.kind != kind.KindChoice {
		return constant(n.Value), typ{kind: kind.KindText}
	}
	if want.options != nil && !c.isOption(n, n.Value, want.options) {
		return nil, typ{}
	}
	return constant(kind.Choice(n.Value)), *want
}

func (c *checker) isOption(n ast.Node, id string, options []forms.Option) bool {
	ids := make([]string, len(options))
	for i, o := range options {
		ids[i] = o.ID
	}
	if slices.Contains(ids, id) {
		return true
	}
	hint := "the options are " + list(ids)
	if near := diag.Nearest(id, ids); near != "" {
		hint = "did you mean " + near + "?"
	}
	c.failAt(n, CodeUnknownField, fmt.Sprintf("there is no option %q", id), hint)
	return false
}

func (c *checker) array(n *ast.ArrayNode, want *typ) (ast.Node, typ) {
	if want != nil && want.kind == kind.KindChoices {
		return c.choices(n, *want)
	}
	if len(n.Nodes) == 0 {
		return c.mistyped(n, "a list that is written out has at least one element", "")
	}
	var elem typ
	ok := true
	nodes := make([]ast.Node, len(n.Nodes))
	for i, item := range n.Nodes {
		node, t := c.check(item, nil)
		nodes[i] = node
		switch {
		case !t.valid():
			ok = false
		case !isScalar(t.kind):
			c.mistyped(item, fmt.Sprintf("%s cannot stand in a list", t), "")
			ok = false
		case !elem.valid():
			elem = t
		default:
			both, agree := unify(elem, t)
			if !agree {
				c.mistyped(item, fmt.Sprintf("a list has elements of one kind: %s beside %s", t, elem), conversion(t, elem))
				ok = false
				continue
			}
			elem = both
		}
	}
	if !ok {
		return nil, typ{}
	}
	c.spend(len(nodes))
	return &ast.ArrayNode{Nodes: nodes}, typ{kind: kind.KindList, elem: &elem, size: len(nodes), filled: true}
}

// choices is a literal answer to a question with several options, in the order of the options.
func (c *checker) choices(n *ast.ArrayNode, want typ) (ast.Node, typ) {
	chosen := make([]string, 0, len(n.Nodes))
	for _, item := range n.Nodes {
		text, ok := item.(*ast.StringNode)
		if !ok {
			return c.mistyped(item, "options are written out here", `for example ["a", "b"]`)
		}
		if want.options != nil && !c.isOption(item, text.Value, want.options) {
			return nil, typ{}
		}
		if !slices.Contains(chosen, text.Value) {
			chosen = append(chosen, text.Value)
		}
	}
	if want.options != nil {
		order := func(id string) int {
			return slices.IndexFunc(want.options, func(o forms.Option) bool { return o.ID == id })
		}
		slices.SortFunc(chosen, func(a, b string) int { return order(a) - order(b) })
	}
	return constant(kind.Choices(chosen)), want
}

func (c *checker) unary(n *ast.UnaryNode, want *typ) (ast.Node, typ) {
	switch n.Operator {
	case "!":
		node, ok := c.condition(n.Node)
		if !ok {
			return nil, typ{}
		}
		return &ast.UnaryNode{Operator: "!", Node: node}, typ{kind: kind.KindBool}
	case "-":
		switch n.Node.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			return c.number(n.Node, "-", want)
		}
		node, t := c.check(n.Node, nil)
		if t.valid() && !isAmount(t.kind) {
			return c.mistyped(n.Node, fmt.Sprintf("%s has no negative", t), "")
		}
		return routineNode("negate", node), typ{kind: t.kind}
	default:
		return c.refuse(n, fmt.Sprintf("%q is not allowed here", n.Operator), "leave it out")
	}
}

// condition checks a node that must be yes or no.
func (c *checker) condition(n ast.Node) (ast.Node, bool) {
	node, t := c.check(n, nil)
	switch {
	case !t.valid():
		return nil, false
	case t.kind == kind.KindChoice, t.kind == kind.KindChoices:
		hint := ""
		if len(t.options) > 0 {
			hint = fmt.Sprintf("ask for an option: %s.%s", c.quoted(n), t.options[0].ID)
		}
		c.mistyped(n, fmt.Sprintf("yes or no is needed here, this is %s", t), hint)
		return nil, false
	case t.kind != kind.KindBool:
		c.mistyped(n, fmt.Sprintf("yes or no is needed here, this is %s", t), "")
		return nil, false
	}
	return node, true
}

func (c *checker) binary(n *ast.BinaryNode) (ast.Node, typ) {
	switch n.Operator {
	case "&&", "||":
		return c.connective(n)
	case "==", "!=", "<", "<=", ">", ">=":
		return c.comparison(n)
	case "+", "-", "*":
		return c.arithmetic(n)
	case "in":
		return c.in(n)
	case "matches", "contains", "startsWith", "endsWith":
		return c.refuse(n, fmt.Sprintf("%q is written as a function", n.Operator),
			fmt.Sprintf("write %s.%s(%s)", c.quoted(n.Left), n.Operator, c.quoted(n.Right)))
	default:
		return c.refuse(n, fmt.Sprintf("%q is not allowed in a formula", n.Operator), "")
	}
}

// connective lets each side guard the other. If the left one needs the right one, they are lowered in the
// other order, so that what it guards is not read before.
func (c *checker) connective(n *ast.BinaryNode) (ast.Node, typ) {
	if twice, ok := chained(n); ok {
		return c.refuse(n, "a comparison cannot be continued",
			fmt.Sprintf("write %s twice, with && between", c.quoted(twice)))
	}
	truth := n.Operator == "&&"
	var left, right ast.Node
	var leftOK, rightOK bool
	swap := c.with(c.facts(n.Right, truth), func() { left, leftOK = c.condition(n.Left) })
	c.with(c.facts(n.Left, truth), func() { right, rightOK = c.condition(n.Right) })
	if !leftOK || !rightOK {
		return nil, typ{}
	}
	if swap {
		left, right = right, left
	}
	return &ast.BinaryNode{Operator: n.Operator, Left: left, Right: right}, typ{kind: kind.KindBool}
}

// chained recognises a < b < c, which the parser turns into a < b && b < c with b in the tree twice.
func chained(n *ast.BinaryNode) (ast.Node, bool) {
	right, ok := n.Right.(*ast.BinaryNode)
	if !ok {
		return nil, false
	}
	left, ok := n.Left.(*ast.BinaryNode)
	if ok && left.Operator == "&&" {
		left, ok = left.Right.(*ast.BinaryNode)
	}
	return right.Left, ok && left.Right == right.Left
}

// with checks something while the conjuncts are in force, and says whether one of them was needed.
func (c *checker) with(conjuncts []string, check func()) (needed bool) {
	base := len(c.inForce)
	c.inForce = append(c.inForce, conjuncts...)
	c.used = append(c.used, make([]bool, len(conjuncts))...)
	check()
	needed = slices.Contains(c.used[base:], true)
	c.inForce, c.used = c.inForce[:base], c.used[:base]
	return needed
}

// holds reports whether a conjunct is in force.
func (c *checker) holds(conjunct string) bool {
	i := slices.Index(c.inForce, conjunct)
	if i >= 0 {
		c.used[i] = true
	}
	return i >= 0
}

func (c *checker) pair(n *ast.BinaryNode) (l, r ast.Node, lt, rt typ, ok bool) {
	l, lt = c.check(n.Left, nil)
	var want *typ
	if lt.kind == kind.KindDecimal {
		want = &lt // a number right of a DECIMAL
	}
	r, rt = c.check(n.Right, want)
	return l, r, lt, rt, lt.valid() && rt.valid()
}

func (c *checker) comparison(n *ast.BinaryNode) (ast.Node, typ) {
	l, r, lt, rt, ok := c.pair(n)
	if !ok {
		return nil, typ{}
	}
	_, agree := unify(lt, rt)
	if lt.kind == kind.KindDecimal && rt.kind == kind.KindInt {
		agree = true
	}
	equality := n.Operator == "==" || n.Operator == "!="
	switch {
	case !agree && lt.kind == rt.kind:
		return c.mistyped(n, "two choices can be compared only if they have the same options", "ask for an option")
	case !agree:
		return c.mistyped(n, fmt.Sprintf("%s cannot be compared with %s", lt, rt), conversion(lt, rt))
	case equality && !isScalar(lt.kind) && lt.kind != kind.KindChoices:
		return c.mistyped(n, fmt.Sprintf("%s cannot be compared", lt), "")
	case !equality && !isOrdered(lt.kind):
		return c.mistyped(n, fmt.Sprintf("%s has no order", lt), "")
	}
	if isText(lt.kind) {
		c.spend(10)
	}
	return routineNode(n.Operator, l, r), typ{kind: kind.KindBool}
}

func (c *checker) arithmetic(n *ast.BinaryNode) (ast.Node, typ) {
	l, r, lt, rt, ok := c.pair(n)
	if !ok {
		return nil, typ{}
	}
	result, fits := lt.kind, false
	switch {
	case !isAmount(lt.kind) || !isAmount(rt.kind):
	case lt.kind == kind.KindDecimal:
		fits = rt.kind != kind.KindMoney
	case lt.kind == rt.kind:
		fits = lt.kind == kind.KindInt || n.Operator != "*"
	case n.Operator == "*" && rt.kind == kind.KindInt:
		fits = true
	case n.Operator == "*" && lt.kind == kind.KindInt && rt.kind == kind.KindMoney:
		result, fits = rt.kind, true
	}
	if !fits {
		return c.mistyped(n, fmt.Sprintf("%s %s %s cannot be computed", lt, n.Operator, rt), arithmeticHint(n.Operator, lt, rt))
	}
	return routineNode(n.Operator, l, r), typ{kind: result}
}

func arithmeticHint(operator string, l, r typ) string {
	is := func(a, b kind.Kind) bool { return l.kind == a && r.kind == b || l.kind == b && r.kind == a }
	switch {
	case operator == "*" && is(kind.KindMoney, kind.KindDecimal):
		return "write percent(amount, 1.5), or share(amount, 2, 3)"
	case operator == "*" && is(kind.KindMoney, kind.KindMoney):
		return "an amount is multiplied by an INT"
	case is(kind.KindInt, kind.KindDecimal):
		return "the DECIMAL stands left of the operator"
	case operator != "*" && is(kind.KindDate, kind.KindInt):
		return "write add_days(date, n)"
	case operator == "-" && is(kind.KindDate, kind.KindDate):
		return "write days_between(a, b)"
	case isText(l.kind) && isText(r.kind):
		return "texts are put together where they are shown, with braces"
	}
	return conversion(l, r)
}

// conversion says how a literal of one kind is written as the other.
func conversion(a, b typ) string {
	if hint := conversionTo(a, b); hint != "" {
		return hint
	}
	return conversionTo(b, a)
}

// conversionTo says how a literal of the wanted kind is written.
func conversionTo(want, got typ) string {
	number := got.kind == kind.KindInt || got.kind == kind.KindDecimal
	switch {
	case want.kind == kind.KindMoney && number:
		return "write an amount as yuan(850)"
	case want.kind == kind.KindDate && isText(got.kind):
		return `write a date as date("2026-01-01")`
	case want.kind == kind.KindDecimal && number:
		return "write a decimal as decimal(1.5); it stands left of the operator"
	case want.kind == kindRegion && isText(got.kind):
		return `write a region as region("3213")`
	case want.kind == kind.KindChoice && isText(got.kind):
		return "ask for an option: it is a yes or no field of the answer"
	}
	return ""
}

func (c *checker) in(n *ast.BinaryNode) (ast.Node, typ) {
	l, lt := c.check(n.Left, nil)
	r, rt := c.check(n.Right, nil)
	switch {
	case !lt.valid() || !rt.valid():
		return nil, typ{}
	case rt.kind != kind.KindList:
		return c.mistyped(n.Right, fmt.Sprintf("a list is needed after in, this is %s", rt), "")
	case !isText(lt.kind) && !isAmount(lt.kind):
		return c.mistyped(n.Left, fmt.Sprintf("in is for texts and numbers, this is %s", lt), conversion(lt, typ{kind: kind.KindText}))
	}
	if _, ok := unify(lt, *rt.elem); !ok {
		return c.mistyped(n, fmt.Sprintf("%s cannot be in a %s", lt, rt), conversion(lt, *rt.elem))
	}
	c.spend(rt.size)
	return routineNode("in", l, r), typ{kind: kind.KindBool}
}

func (c *checker) conditional(n *ast.ConditionalNode, want *typ) (ast.Node, typ) {
	if n.Cond == n.Exp1 {
		return c.refuse(n, `"?:" without a value between is not allowed in a formula`, "write given(x, y)")
	}
	cond, ok := c.condition(n.Cond)
	var left, right ast.Node
	var lt, rt typ
	c.with(c.facts(n.Cond, true), func() { left, lt = c.check(n.Exp1, want) })
	c.with(c.facts(n.Cond, false), func() { right, rt = c.check(n.Exp2, want) })
	if !ok || !lt.valid() || !rt.valid() {
		return nil, typ{}
	}
	both, agree := unify(lt, rt)
	if !agree {
		return c.mistyped(n, fmt.Sprintf("both branches must be of one kind: %s and %s", lt, rt), conversion(lt, rt))
	}
	return &ast.ConditionalNode{Ternary: true, Cond: cond, Exp1: left, Exp2: right}, both
}

func (c *checker) let(n *ast.VariableDeclaratorNode, want *typ) (ast.Node, typ) {
	at := n.Location()
	if isReserved(n.Name) {
		c.fail(at.From, at.To, CodeForbidden, fmt.Sprintf("%q has a meaning of its own", n.Name), "choose another name")
		return nil, typ{}
	}
	value, t := c.check(n.Value, nil)
	v := variable{name: n.Name, unique: fmt.Sprintf("%s$%d", n.Name, at.From), typ: t}
	c.variables = append(c.variables, v)
	body, result := c.check(n.Expr, want)
	c.variables = c.variables[:len(c.variables)-1]
	if !t.valid() || !result.valid() {
		return nil, typ{}
	}
	return &ast.VariableDeclaratorNode{Name: v.unique, Value: value, Expr: body}, result
}

// fits reports a result that is not what is wanted.
func (c *checker) fits(n ast.Node, got, want typ) {
	switch {
	case want.kind == kind.KindList, want.kind == kind.KindFile:
		c.mistyped(n, fmt.Sprintf("a formula cannot give %s", want), "")
	case want.kind == kind.KindText && isText(got.kind):
	case got.kind != want.kind:
		c.mistyped(n, fmt.Sprintf("%s is wanted, this gives %s", want, got), conversionTo(want, got))
	case (got.kind == kind.KindChoice || got.kind == kind.KindChoices) && !sameOptions(got.options, want.options):
		c.mistyped(n, "the options are not those of this field", "")
	}
}
