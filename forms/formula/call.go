package formula

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// signature is what an ordinary function takes and gives; the routine has the same name.
type signature struct {
	parameters []kind.Kind
	result     kind.Kind
	days       bool // counts working days: the routine gets the frame first
}

// signatures is the allow-list of ordinary functions; special are those whose arguments are more than
// values of given kinds.
var signatures = map[string]signature{ //nolint:gochecknoglobals // a constant table
	"add_days":             {parameters: []kind.Kind{kind.KindDate, kind.KindInt}, result: kind.KindDate},
	"add_months":           {parameters: []kind.Kind{kind.KindDate, kind.KindInt}, result: kind.KindDate},
	"add_years":            {parameters: []kind.Kind{kind.KindDate, kind.KindInt}, result: kind.KindDate},
	"days_between":         {parameters: []kind.Kind{kind.KindDate, kind.KindDate}, result: kind.KindInt},
	"months_between":       {parameters: []kind.Kind{kind.KindDate, kind.KindDate}, result: kind.KindInt},
	"years_between":        {parameters: []kind.Kind{kind.KindDate, kind.KindDate}, result: kind.KindInt},
	"age":                  {parameters: []kind.Kind{kind.KindDate, kind.KindDate}, result: kind.KindInt},
	"age_late":             {parameters: []kind.Kind{kind.KindDate, kind.KindDate}, result: kind.KindInt},
	"add_working_days":     {parameters: []kind.Kind{kind.KindDate, kind.KindInt}, result: kind.KindDate, days: true},
	"working_days_between": {parameters: []kind.Kind{kind.KindDate, kind.KindDate}, result: kind.KindInt, days: true},
	"year_of":              {parameters: []kind.Kind{kind.KindDate}, result: kind.KindInt},
	"month_of":             {parameters: []kind.Kind{kind.KindDate}, result: kind.KindInt},
	"day_of":               {parameters: []kind.Kind{kind.KindDate}, result: kind.KindInt},
	"first_of_month":       {parameters: []kind.Kind{kind.KindDate}, result: kind.KindDate},
	"last_of_month":        {parameters: []kind.Kind{kind.KindDate}, result: kind.KindDate},
	"birth_date":           {parameters: []kind.Kind{kind.KindCitizenNumber}, result: kind.KindDate},
	"female":               {parameters: []kind.Kind{kind.KindCitizenNumber}, result: kind.KindBool},
	"div":                  {parameters: []kind.Kind{kind.KindInt, kind.KindInt}, result: kind.KindInt},
	"percent":              {parameters: []kind.Kind{kind.KindMoney, kindNumber}, result: kind.KindMoney},
	"share":                {parameters: []kind.Kind{kind.KindMoney, kind.KindInt, kind.KindInt}, result: kind.KindMoney},
	"round_yuan":           {parameters: []kind.Kind{kind.KindMoney}, result: kind.KindMoney},
	"floor_yuan":           {parameters: []kind.Kind{kind.KindMoney}, result: kind.KindMoney},
}

var special = []string{ //nolint:gochecknoglobals // a constant table
	"has", "given", "date", "yuan", "decimal", "region", "sum", "smallest", "largest", "earliest", "latest",
	"distinct", "size", "len", "min", "max", "join", "map", "filter",
}

// methods are called as text.startsWith("…"), address.within(region).
var methods = []string{"within", "startsWith", "endsWith", "contains", "matches"} //nolint:gochecknoglobals // a constant table

// instead says what to write for a function that formulas do not have.
var instead = map[string]string{ //nolint:gochecknoglobals // a constant table
	"now": "write today", "duration": "write add_days, add_months, days_between", "get": "write given(x, y)",
	"all": "rules have all; a formula counts: size(filter(list, condition)) == size(list)",
	"any": "write size(filter(list, condition)) > 0", "exists": "write size(filter(list, condition)) > 0",
	"count": "write size(filter(list, condition))", "none": "write size(filter(list, condition)) == 0",
	"one": "write size(filter(list, condition)) == 1", "uniq": "write distinct(list)",
	"reduce": "write sum(map(list, .field))", "int": "", "float": "write decimal(1.5)",
}

// call checks a function or a method.
func (c *checker) call(n *ast.CallNode, want *typ) (ast.Node, typ) {
	if member, is := n.Callee.(*ast.MemberNode); is {
		return c.method(n, member)
	}
	ident, is := n.Callee.(*ast.IdentifierNode)
	if !is {
		return c.refuse(n, "only functions can be called", "")
	}
	name := ident.Value
	if s, found := signatures[name]; found {
		return c.ordinary(n, name, s)
	}
	args := n.Arguments
	switch name {
	case "date", "yuan", "decimal", "region":
		return c.literal(n, name)
	case "min", "max":
		return c.extreme(n, name, want)
	}
	count, found := map[string]int{
		"has": 1, "given": 2, "smallest": 1, "largest": 1, "earliest": 1, "latest": 1, "distinct": 1, "size": 1, "len": 1, "join": 2,
	}[name]
	if !found {
		return c.unknownFunction(n, name)
	}
	if !c.arity(n, name, args, count) {
		return nil, typ{}
	}
	switch name {
	case "has":
		to, ok := c.answer(args[0], name)
		if !ok {
			return nil, typ{}
		}
		return c.has(to), typ{kind: kind.KindBool}
	case "given":
		return c.given(args)
	case "size", "len":
		return c.size(args[0])
	case "join":
		return c.join(args)
	case "distinct":
		return c.distinct(args[0])
	default:
		return c.pick(n, name)
	}
}

func (c *checker) unknownFunction(n *ast.CallNode, name string) (ast.Node, typ) {
	if hint, known := instead[name]; known || isBuiltin(name) {
		return c.refuse(n.Callee, fmt.Sprintf("the function %s is not allowed in a formula", name), hint)
	}
	hint := ""
	if slices.Contains(methods, name) {
		hint = fmt.Sprintf("write x.%s(y)", name)
	} else if near := diag.Nearest(name, slices.Concat(special, slices.Collect(maps.Keys(signatures)))); near != "" {
		hint = "did you mean " + near + "?"
	}
	c.failAt(n.Callee, CodeUnknownFunction, fmt.Sprintf("there is no function %s", name), hint)
	for _, a := range n.Arguments {
		c.check(a, nil) // what is wrong in them is told now, not later
	}
	return nil, typ{}
}

func (c *checker) arity(n ast.Node, name string, args []ast.Node, count int) bool {
	if len(args) == count {
		return true
	}
	hint := ""
	if name == "yuan" || name == "decimal" {
		hint = "write the number without commas: " + name + "(60000)"
	}
	c.failAt(n, CodeType, fmt.Sprintf("%s takes %d arguments, here are %d", name, count, len(args)), hint)
	return false
}

func (c *checker) ordinary(n *ast.CallNode, name string, s signature) (ast.Node, typ) {
	if !c.arity(n, name, n.Arguments, len(s.parameters)) {
		return nil, typ{}
	}
	nodes, ok := make([]ast.Node, 0, len(n.Arguments)+1), true
	if s.days {
		nodes = append(nodes, frameNode())
		c.spend(100)
	}
	for i, a := range n.Arguments {
		node, good := c.argument(a, name, s.parameters[i])
		nodes, ok = append(nodes, node), ok && good
	}
	if !ok {
		return nil, typ{}
	}
	return routineNode(name, nodes...), typ{kind: s.result}
}

// argument checks one argument of a given kind.
func (c *checker) argument(n ast.Node, name string, wanted kind.Kind) (ast.Node, bool) {
	node, t := c.check(n, nil)
	fits := t.kind == wanted
	switch wanted {
	case kindNumber:
		fits = t.kind == kind.KindInt || t.kind == kind.KindDecimal
	case kindString:
		fits = isText(t.kind)
	}
	if t.valid() && !fits {
		w := typ{kind: wanted}
		c.mistyped(n, fmt.Sprintf("%s takes %s here, this is %s", name, w, t), conversionTo(w, t))
	}
	return node, t.valid() && fits
}

// literal makes a constant of what is written.
func (c *checker) literal(n *ast.CallNode, name string) (ast.Node, typ) {
	if !c.arity(n, name, n.Arguments, 1) {
		return nil, typ{}
	}
	wrong := func(message, hint string) (ast.Node, typ) {
		c.failAt(n, CodeLiteral, message, hint)
		return nil, typ{}
	}
	arg := n.Arguments[0]
	if name == "yuan" || name == "decimal" {
		text, ok := c.digits(arg)
		switch {
		case !ok && name == "yuan":
			return wrong("yuan takes a number that is written out", "for another INT write yuan(1) * n")
		case !ok:
			return wrong("decimal takes a number that is written out", "for another INT write decimal(1) * n")
		case name == "yuan":
			amount, fits := kind.ParseMoney(text)
			if !fits {
				return wrong("this is no amount in yuan and fen", "at most 15 digits before the point and two after it")
			}
			return constant(amount), typ{kind: kind.KindMoney}
		}
		value, ok := parseDecimal(text)
		if !ok {
			return wrong("this number has too many digits", "")
		}
		return constant(value), typ{kind: kind.KindDecimal}
	}
	text, ok := arg.(*ast.StringNode)
	switch {
	case !ok && name == "date":
		return wrong("date takes a text that is written out", `for example date("2026-01-01")`)
	case !ok:
		return wrong("region takes a text that is written out", `for example region("3213")`)
	case name == "date":
		day, fits := kind.ParseDate(text.Value)
		if !fits {
			return wrong(fmt.Sprintf("there is no day %q", text.Value), `for example date("2026-01-01")`)
		}
		return constant(day), typ{kind: kind.KindDate}
	}
	code := text.Value
	if !slices.Contains([]int{2, 4, 6, 9, 12}, len(code)) || strings.Trim(code, "0123456789") != "" {
		return wrong(fmt.Sprintf("there is no region %q", code), "a region has 2, 4, 6, 9 or 12 digits")
	}
	return constant(region(code)), typ{kind: kindRegion}
}

// digits returns a number literal as it is written.
func (c *checker) digits(n ast.Node) (string, bool) {
	sign := ""
	if minus, is := n.(*ast.UnaryNode); is && minus.Operator == "-" {
		sign, n = "-", minus.Node
	}
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return sign + c.source(n), true
	}
	return "", false
}

// answer checks an argument that must be the path of an answer.
func (c *checker) answer(n ast.Node, name string) (target, bool) {
	root, names, ok := parts(n)
	switch r := root.(type) {
	case *ast.IdentifierNode:
		_, isVariable := c.variable(r.Value)
		ok = ok && !isVariable
	case *ast.PointerNode:
		ok = ok && r.Name == "" && len(names) > 0 && c.element != nil && c.element.kind == kindRow
	default:
		ok = false
	}
	if !ok {
		c.failAt(n, CodeType, fmt.Sprintf("%s asks for an answer: give it a path", name), "for example own.field")
		return target{}, false
	}
	c.spend(1)
	to, ok := c.resolve(n)
	switch {
	case !ok:
		return target{}, false
	case len(to.rest) > 0:
		c.failAt(n, CodeType, fmt.Sprintf("%s asks for an answer, not for a part of it", name), "write "+name+"("+to.written+")")
	case to.typ.kind == kind.KindList:
		c.failAt(n, CodeType, fmt.Sprintf("%s is not for lists", name), "write size("+to.written+") > 0")
	case to.field == nil:
		c.failAt(n, CodeType, fmt.Sprintf("%s is always known", to.written), "")
	default:
		return to, true
	}
	return target{}, false
}

// given is has(x) ? x : y.
func (c *checker) given(args []ast.Node) (ast.Node, typ) {
	to, ok := c.answer(args[0], "given")
	if ok && to.typ.kind == kind.KindFile {
		c.mistyped(args[0], "a file has no value", "write has(x)")
		ok = false
	}
	var want *typ
	if ok {
		want = &to.typ
	}
	var other ast.Node
	var t typ
	c.with([]string{"!has(" + to.written + ")"}, func() { other, t = c.check(args[1], want) })
	if !ok || !t.valid() {
		return nil, typ{}
	}
	both, agree := unify(to.typ, t)
	if !agree {
		return c.mistyped(args[1], fmt.Sprintf("%s is %s, the value in its place %s", to.written, to.typ, t), conversion(to.typ, t))
	}
	return &ast.ConditionalNode{Ternary: true, Cond: c.has(to), Exp1: c.read(to), Exp2: other}, both
}

func (c *checker) size(n ast.Node) (ast.Node, typ) {
	node, t := c.check(n, nil)
	switch {
	case !t.valid():
		return nil, typ{}
	case t.kind != kind.KindList && t.kind != kind.KindChoices && !isText(t.kind):
		return c.mistyped(n, fmt.Sprintf("%s has no size", t), "size is for lists, CHOICES and texts")
	}
	c.spend(10)
	return routineNode("size", node), typ{kind: kind.KindInt}
}

func (c *checker) join(args []ast.Node) (ast.Node, typ) {
	texts, t := c.check(args[0], nil)
	separator, ok := c.argument(args[1], "join", kindString)
	switch {
	case !t.valid():
		return nil, typ{}
	case t.kind != kind.KindList || !isText(t.elem.kind):
		return c.mistyped(args[0], fmt.Sprintf("join takes a list of texts, this is %s", t), "write map(list, .field)")
	case !ok:
		return nil, typ{}
	}
	c.spend(10 * t.size)
	return routineNode("join", texts, separator), typ{kind: kind.KindText}
}

func (c *checker) distinct(n ast.Node) (ast.Node, typ) {
	node, t := c.check(n, nil)
	switch {
	case !t.valid():
		return nil, typ{}
	case t.kind != kind.KindList || !isScalar(t.elem.kind):
		return c.mistyped(n, fmt.Sprintf("distinct takes a list of values, this is %s", t), "write map(list, .field)")
	}
	c.spend(5 * t.size)
	t.filled = c.hasElement(n, t)
	return routineNode("distinct", node), t
}

// pick is smallest, largest, earliest and latest.
func (c *checker) pick(n *ast.CallNode, name string) (ast.Node, typ) {
	arg := n.Arguments[0]
	node, t := c.check(arg, nil)
	if !t.valid() {
		return nil, typ{}
	}
	day, right := name == "earliest" || name == "latest", map[bool]string{false: "numbers or amounts", true: "dates"}
	if t.kind != kind.KindList || !isOrdered(t.elem.kind) || (t.elem.kind == kind.KindDate) != day {
		return c.mistyped(arg, fmt.Sprintf("%s takes a list of %s, this is %s", name, right[day], t), "")
	}
	if !c.hasElement(arg, t) {
		c.failAt(n, CodeEmptyList, fmt.Sprintf("the list may be empty, then there is no %s", name),
			fmt.Sprintf("write size(%s) > 0 ? … : …", c.quoted(arg)))
		return nil, typ{}
	}
	c.spend(2 * t.size)
	return routineNode(name, node), *t.elem
}

// hasElement reports whether a list has an element at least.
func (c *checker) hasElement(n ast.Node, t typ) bool {
	if t.filled {
		return true
	}
	text := c.written(n)
	for _, function := range []string{"size", "len"} {
		for _, bound := range []string{">0", ">=1", "!=0"} {
			conjuncts := forms.Conjuncts(function+"("+text+")"+bound, c.env.scope.ThisPath)
			if len(conjuncts) == 1 && c.holds(conjuncts[0]) {
				return true
			}
		}
	}
	return false
}

func (c *checker) extreme(n *ast.CallNode, name string, want *typ) (ast.Node, typ) {
	if len(n.Arguments) < 2 {
		return c.mistyped(n, name+" takes two values or more", "of a list write smallest or largest")
	}
	var all typ
	nodes, ok := make([]ast.Node, len(n.Arguments)), true
	for i, a := range n.Arguments {
		node, t := c.check(a, want)
		nodes[i] = node
		switch {
		case !t.valid():
			ok = false
		case !isOrdered(t.kind):
			c.mistyped(a, fmt.Sprintf("%s has no order", t), "")
			ok = false
		case all.valid() && all.kind != t.kind:
			c.mistyped(a, fmt.Sprintf("%s takes values of one kind: %s beside %s", name, t, all), conversion(t, all))
			ok = false
		default:
			all = t
		}
	}
	if !ok {
		return nil, typ{}
	}
	return routineNode(name, nodes...), all
}

// builtin checks what expr's parser knows as its own: the functions with a predicate.
func (c *checker) builtin(n *ast.BuiltinNode, _ *typ) (ast.Node, typ) {
	switch n.Name {
	case "map", "filter":
		return c.walk(n)
	case "sum":
		return c.sum(n)
	}
	at := n.Location()
	c.fail(at.From, at.To, CodeForbidden, fmt.Sprintf("the function %s is not allowed in a formula", n.Name), instead[n.Name])
	return nil, typ{}
}

func (c *checker) sum(n *ast.BuiltinNode) (ast.Node, typ) {
	if len(n.Arguments) != 1 {
		return c.refuse(n, "sum takes a list", "write sum(map(list, .field))")
	}
	node, t := c.check(n.Arguments[0], nil)
	switch {
	case !t.valid():
		return nil, typ{}
	case t.kind != kind.KindList || !isAmount(t.elem.kind):
		return c.mistyped(n.Arguments[0], fmt.Sprintf("sum takes a list of numbers or amounts, this is %s", t), "write sum(map(list, .field))")
	}
	c.spend(2 * t.size)
	return routineNode("sum", node, constant(zeroOf(t.elem.kind))), *t.elem
}

// walk is map and filter. A walk inside the predicate of another is refused: the machine has no limit of
// time, and lists of 500 elements make 125 million steps of three nested ones.
func (c *checker) walk(n *ast.BuiltinNode) (ast.Node, typ) {
	items, t := c.check(n.Arguments[0], nil)
	predicate, ok := n.Arguments[1].(*ast.PredicateNode)
	switch {
	case !ok:
		return c.refuse(n, n.Name+" takes a list and what to do with its elements", "")
	case c.element != nil:
		at := n.Location()
		c.fail(at.From, at.To, CodeForbidden, n.Name+" cannot stand inside of map or filter",
			"compute it in a derived field, or before with let")
		return nil, typ{}
	case !t.valid():
		return nil, typ{}
	case t.kind != kind.KindList:
		return c.mistyped(n.Arguments[0], fmt.Sprintf("%s takes a list, this is %s", n.Name, t), "")
	}
	var body ast.Node
	var result typ
	c.element, c.weight = t.elem, max(1, t.size)
	c.with(t.elem.checks, func() {
		if n.Name == "filter" {
			if body, ok = c.condition(predicate.Node); ok {
				result = typ{kind: kind.KindBool}
			}
			return
		}
		body, result = c.check(predicate.Node, nil)
	})
	c.element, c.weight = nil, 1
	if !result.valid() {
		return nil, typ{}
	}
	node := &ast.BuiltinNode{Name: n.Name, Arguments: []ast.Node{items, &ast.PredicateNode{Node: body}}}
	if n.Name == "filter" {
		elem := *t.elem
		elem.checks = slices.Concat(elem.checks, c.facts(predicate.Node, true))
		return node, typ{kind: kind.KindList, elem: &elem, size: t.size}
	}
	if result.kind == kind.KindList || result.kind == kind.KindChoices || result.kind == kindRow {
		return c.mistyped(predicate.Node, fmt.Sprintf("map makes a list of values, this is %s", result), "")
	}
	return node, typ{kind: kind.KindList, elem: &result, size: t.size, filled: c.hasElement(n.Arguments[0], t)}
}

func (c *checker) method(n *ast.CallNode, member *ast.MemberNode) (ast.Node, typ) {
	property, ok := member.Property.(*ast.StringNode)
	if !ok {
		return c.refuse(n, "only functions can be called", "")
	}
	name := property.Value
	if !slices.Contains(methods, name) {
		hint := instead[name]
		switch {
		case slices.Contains(special, name), isReserved(name):
			hint = fmt.Sprintf("write %s(%s, …)", name, c.quoted(member.Node))
		case hint == "":
			if near := diag.Nearest(name, methods); near != "" {
				hint = "did you mean " + near + "?"
			}
		}
		at := property.Location()
		c.fail(at.From, at.To, CodeUnknownFunction, fmt.Sprintf("there is no function .%s", name), hint)
		return nil, typ{}
	}
	if !c.arity(n, name, n.Arguments, 1) {
		return nil, typ{}
	}
	of, t := c.check(member.Node, nil)
	arg := n.Arguments[0]
	if name == "within" {
		in, ok := c.argument(arg, name, kindRegion)
		if t.valid() && t.kind != kind.KindAddress && t.kind != kindRegion {
			return c.mistyped(member.Node, fmt.Sprintf("an ADDRESS or a region lies within another, this is %s", t), "")
		}
		if !ok || !t.valid() {
			return nil, typ{}
		}
		return routineNode(name, of, in), typ{kind: kind.KindBool}
	}
	if t.valid() && !isText(t.kind) {
		return c.mistyped(member.Node, fmt.Sprintf("%s is for texts, this is %s", name, t), "")
	}
	c.spend(10)
	if name == "matches" {
		pattern, ok := c.pattern(arg)
		if !ok || !t.valid() {
			return nil, typ{}
		}
		return routineNode(name, of, pattern), typ{kind: kind.KindBool}
	}
	text, ok := c.argument(arg, name, kindString)
	if !ok || !t.valid() {
		return nil, typ{}
	}
	return routineNode(name, of, text), typ{kind: kind.KindBool}
}

// pattern compiles an expression that is written out.
func (c *checker) pattern(n ast.Node) (ast.Node, bool) {
	c.spend(200)
	text, ok := n.(*ast.StringNode)
	if !ok {
		c.failAt(n, CodeLiteral, "matches takes a pattern that is written out", "")
		return nil, false
	}
	pattern, err := regexp.Compile(text.Value)
	if err != nil {
		c.failAt(n, CodeLiteral, "this is no pattern", "patterns are written as RE2 reads them")
		return nil, false
	}
	return constant(pattern), true
}
