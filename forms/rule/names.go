package rule

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// compiler finds what is wrong with one rule, and rewrites what CEL reads otherwise than it is meant.
type compiler struct {
	env    *Env
	scalar diag.Scalar
	source *source
	this   forms.Path // the path behind `this`; empty: an element

	factory  ast.ExprFactory
	lastID   int64
	locals   []local
	reads    map[int64]read  // by the node of the variable
	reported map[int64]bool  // nodes whose fault is told already
	blanks   map[string]bool // paths that may be blank, told already
	found    diag.List
	warnings diag.List // of a rule with which nothing is wrong
}

// local is a name that `all`, `exists` and the like give to the elements of a list.
type local struct {
	name string
	row  *rowFields // nil if the elements are no rows
}

// read is a place where a variable is read; local is the name of its element, and row that element, if it is a cell.
type read struct {
	variable *variable
	local    string
	row      *rowFields
}

func (c *compiler) fail(e ast.Expr, code, message, hint string) {
	from, to := c.source.span(e)
	c.failAt(from, to, code, message, hint)
	c.reported[e.ID()] = true
}

func (c *compiler) failAt(from, to int, code, message, hint string) {
	c.found = append(c.found, diag.Diagnostic{
		Span: c.scalar.Span(from, to), Severity: diag.Error, Code: code, Path: c.scalar.Path, Message: message, Hint: hint,
	})
}

func (c *compiler) newID(like ast.Expr) int64 {
	c.lastID++
	if offset, ok := c.source.info.GetOffsetRange(like.ID()); ok {
		c.source.info.SetOffsetRange(c.lastID, offset)
	}
	return c.lastID
}

// walk resolves every name below a node, and refuses what is not part of the language.
func (c *compiler) walk(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind, ast.SelectKind:
		if names, nodes := chain(e); names != nil {
			c.name(names, nodes)
			return
		}
		c.walk(e.AsSelect().Operand())
	case ast.LiteralKind:
		c.literal(e)
	case ast.CallKind:
		c.call(e)
	case ast.ListKind:
		for _, elem := range e.AsList().Elements() {
			c.walk(elem)
		}
	case ast.ComprehensionKind:
		c.comprehension(e)
	case ast.MapKind, ast.StructKind:
		c.fail(e, CodeForbidden, "a rule makes no objects", "compare the fields one by one")
	}
}

// chain returns the names of `a.b.c` and the node that each name ends; nil if e is something else.
func chain(e ast.Expr) (names []string, nodes []ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{e.AsIdent()}, []ast.Expr{e}
	case ast.SelectKind:
		if names, nodes = chain(e.AsSelect().Operand()); names != nil {
			return append(names, e.AsSelect().FieldName()), append(nodes, e)
		}
	}
	return nil, nil
}

// local returns what a name means inside `all` and the like.
func (c *compiler) local(name string) (local, bool) {
	for _, l := range slices.Backward(c.locals) {
		if l.name == name {
			return l, true
		}
	}
	return local{}, false
}

// name finds what a chain of names means.
func (c *compiler) name(names []string, nodes []ast.Expr) {
	if strings.HasPrefix(names[0], "@") { // of a macro
		return
	}
	if l, ok := c.local(names[0]); ok {
		if l.row == nil || len(names) == 1 {
			return
		}
		cell := l.row.byID[names[1]]
		if cell == nil {
			c.unknown(nodes[1], CodeUnknownField, fmt.Sprintf("no field %q in the elements of this list", names[1]),
				names[1], l.row.names(), names[0]+".", "fields")
			c.skip(nodes)
			return
		}
		c.reads[nodes[1].ID()] = read{cell, names[0], l.row}
		c.rest(cell, names, nodes, 2)
		return
	}
	at := c.env.tree.roots
	for i, name := range names {
		next := at.members[name]
		switch {
		case next == nil:
			c.missing(at, names[:i+1], nodes[i])
			c.skip(nodes)
			return
		case next.variable != nil:
			c.reads[nodes[i].ID()] = read{variable: next.variable}
			c.rest(next.variable, names, nodes, i+1)
			return
		}
		at = next.group
	}
	c.fail(nodes[len(nodes)-1], CodeUnknownField, fmt.Sprintf("%s is not an answer: name one %s of it", strings.Join(names, "."), at.what),
		"write "+strings.Join(names, ".")+"."+first(at.names()))
	c.skip(nodes)
}

func first(names []string) string {
	if len(names) == 0 {
		return "…"
	}
	return names[0]
}

// rest looks at what follows a variable in a chain: an option, if anything.
func (c *compiler) rest(v *variable, names []string, nodes []ast.Expr, from int) {
	if from == len(names) {
		return
	}
	written := strings.Join(names[:from], ".")
	options := c.env.tree.choices[v.typ.TypeName()]
	switch {
	case options != nil && !slices.Contains(optionIDs(options.options), names[from]):
		c.unknown(nodes[from], CodeUnknownOption, fmt.Sprintf("%s has no option %q", written, names[from]),
			names[from], optionIDs(options.options), written+".", "options")
	case options != nil && from+1 < len(names):
		c.fail(nodes[from+1], CodeUnknownField, fmt.Sprintf("%s.%s is a yes or no and has no parts", written, names[from]), "")
	case options != nil:
		return
	case v.row != nil:
		c.fail(nodes[from], CodeType, fmt.Sprintf("%s is a list, %s is of its elements", written, names[from]),
			fmt.Sprintf("write %s.all(x, x.%s …) or %s.exists(x, x.%s …)", written, names[from], written, names[from]))
	default:
		c.fail(nodes[from], CodeUnknownField, fmt.Sprintf("%s is %s and has no parts", written, words(v.typ)), "")
	}
	c.skip(nodes)
}

// skip marks a chain as told of, so that what follows from its fault is not told again.
func (c *compiler) skip(nodes []ast.Expr) {
	for _, n := range nodes {
		c.reported[n.ID()] = true
	}
}

// missing tells that a group has no member of that name.
func (c *compiler) missing(g *group, names []string, node ast.Expr) {
	last, prefix := names[len(names)-1], strings.Join(names[:len(names)-1], ".")
	if prefix != "" {
		prefix += "."
	}
	code, message, many := CodeUnknownField, "", g.what+"s"
	switch {
	case len(names) == 1:
		message = fmt.Sprintf("there is nothing named %q here", last)
		many = "names"
	case g.what == "section":
		message = fmt.Sprintf("no section %q in this form", last)
	case names[0] == "form":
		message = fmt.Sprintf("no field %q in this form", strings.Join(names[1:], "."))
	case names[0] == "own":
		message = fmt.Sprintf("no field %q among the bundle's own", last)
	case names[0] == "this":
		message = fmt.Sprintf("no field %q here", last)
	case g.what == "fact":
		code, message = CodeUnknownFact, fmt.Sprintf("no fact %q about %s", last, names[1])
	case g.what == "alias":
		code, message, many = CodeUnknownFact, fmt.Sprintf("no facts about %q", last), "aliases"
	case g.what == "parameter":
		code, message = CodeUnknownParameter, fmt.Sprintf("no parameter %q", last)
	default:
		code, message = CodeUnknownResult, fmt.Sprintf("no %s %q that is settled at this place", g.what, last)
	}
	c.unknown(node, code, message, last, g.names(), prefix, many)
}

// unknown tells of a name that is not there, with the nearest that is.
func (c *compiler) unknown(node ast.Expr, code, message, name string, valid []string, prefix, many string) {
	hint := ""
	if meant := c.elsewhere(name); prefix == "" && len(meant) > 0 {
		hint = "did you mean " + strings.Join(meant, " or ") + "?"
	} else if near := diag.Nearest(name, valid); near != "" {
		hint = "did you mean " + prefix + near
		if v := c.env.tree.variables[prefix+near]; v != nil {
			hint += " (" + v.kindName() + ")"
		}
		hint += "?"
	} else if n := len(valid); n > 0 && n <= 12 {
		hint = "the " + many + " are " + strings.Join(valid, ", ")
	}
	c.fail(node, code, message, hint)
}

// elsewhere are the paths that end in a name which stands alone: its root was left out. There are none if there are many.
func (c *compiler) elsewhere(name string) []string {
	found := map[string]bool{}
	for _, v := range c.env.tree.variables {
		switch {
		case strings.HasSuffix(v.name, "."+name):
			found[v.name] = true
		case strings.HasPrefix(v.name, "form."+name+"."):
			found["form."+name] = true
		case v.field != nil && slices.ContainsFunc(v.field.Options, func(o forms.Option) bool { return o.ID == name }):
			found[v.name+"."+name] = true
		}
	}
	if len(found) > 3 {
		return nil
	}
	return slices.Sorted(maps.Keys(found))
}

// labelled are the paths of the fields and options whose Chinese label a text is.
func (c *compiler) labelled(text string) []string {
	found := map[string]bool{}
	for _, v := range c.env.tree.variables {
		if v.field == nil {
			continue
		}
		if v.field.Name.ZH == text {
			found[v.name] = true
		}
		for _, o := range v.field.Options {
			if o.Name.ZH == text {
				found[v.name+"."+o.ID] = true
			}
		}
	}
	if len(found) > 3 {
		return nil
	}
	return slices.Sorted(maps.Keys(found))
}

func (r *rowFields) names() []string {
	var names []string
	for id := range r.byID {
		names = append(names, id)
	}
	slices.Sort(names)
	return names
}

// literal turns a number with a point into an exact one, and refuses what CEL has beside texts, numbers, yes
// and no.
func (c *compiler) literal(e ast.Expr) {
	switch e.AsLiteral().(type) {
	case types.Double:
		written := strings.ReplaceAll(c.source.written(e), " ", "")
		if _, ok := c.decimal(e, written); ok {
			c.replace(e, "decimal", written)
		}
	case types.Uint:
		c.fail(e, CodeForbidden, "a number is written without u", "write "+strings.TrimRight(c.source.written(e), "uU"))
	case types.Bytes:
		c.fail(e, CodeForbidden, "a text is written without b", "write "+strings.TrimLeft(c.source.written(e), "bB"))
	case types.Null:
		c.fail(e, CodeForbidden, "there is no null in a rule", "has(x) asks whether there is an answer")
	}
}

// replace makes a node the call of a function on a text.
func (c *compiler) replace(e ast.Expr, function, text string) {
	e.SetKindCase(c.factory.NewCall(e.ID(), function, c.factory.NewLiteral(c.newID(e), types.String(text))))
}

func (c *compiler) decimal(e ast.Expr, written string) (decimal.Decimal, bool) {
	d, err := decimal.NewFromString(written)
	if err != nil || strings.ContainsAny(written, "eE") || d.NumDigits() > maxDigits/2 {
		c.fail(e, CodeLiteral, "a number is written with digits and a point", "for example 1.5")
		return decimal.Decimal{}, false
	}
	return d, true
}

// comprehension resolves names below `all` and the like.
func (c *compiler) comprehension(e ast.Expr) {
	fold := e.AsComprehension()
	c.walk(fold.IterRange())
	name := fold.IterVar()
	if _, taken := c.local(name); taken || c.env.tree.roots.members[name] != nil {
		c.fail(e, CodeForbidden, fmt.Sprintf("%s means something else here already", name), "give the element another name")
	}
	c.locals = append(c.locals, local{name, c.rows(fold.IterRange())})
	c.walk(fold.LoopStep())
	c.locals = c.locals[:len(c.locals)-1]
}

// rows returns the fields of the elements of a list; nil if they have none.
func (c *compiler) rows(e ast.Expr) *rowFields {
	switch e.Kind() {
	case ast.IdentKind, ast.SelectKind:
		if r, ok := c.reads[e.ID()]; ok {
			return r.variable.row
		}
	case ast.CallKind:
		if call := e.AsCall(); call.FunctionName() == "distinct" && len(call.Args()) == 1 {
			return c.rows(call.Args()[0])
		}
	case ast.ComprehensionKind: // what filter made
		fold := e.AsComprehension()
		kept := false
		ast.PreOrderVisit(fold.LoopStep(), ast.NewExprVisitor(func(n ast.Expr) {
			if n.Kind() == ast.ListKind && n.AsList().Size() == 1 {
				item := n.AsList().Elements()[0]
				kept = kept || item.Kind() == ast.IdentKind && item.AsIdent() == fold.IterVar()
			}
		}))
		if kept {
			return c.rows(fold.IterRange())
		}
	}
	return nil
}

// call resolves the names in a call and looks at its function.
func (c *compiler) call(e ast.Expr) {
	call := e.AsCall()
	function := call.FunctionName()
	if hint := forbidden(function); hint != "" {
		c.fail(e, CodeForbidden, fmt.Sprintf("%s is not part of rules", spelling(function)), hint)
	} else if known := c.env.functions[function]; known == nil && !isBuiltIn(function) {
		c.unknownFunction(e, function)
	} else if known != nil && known[0].member != call.IsMemberFunction() {
		hint := "write " + function + "(…)"
		if known[0].member {
			hint = "write x." + function + "(…)"
		}
		c.fail(e, CodeType, function+" is written otherwise", hint)
	}
	if call.IsMemberFunction() {
		c.walk(call.Target())
	}
	switch function {
	case "yuan", "date", "decimal", "region":
		if len(call.Args()) == 1 && !call.IsMemberFunction() {
			c.typed(e, function, call.Args()[0])
			return
		}
	case hasFunction:
		c.has(call.Args()[0])
		return
	case "matches":
		if n := len(call.Args()); n > 0 {
			c.pattern(call.Args()[n-1])
		}
	}
	for _, arg := range call.Args() {
		c.walk(arg)
	}
	if function == "add_working_days" || function == "working_days_between" {
		args := append([]ast.Expr{c.factory.NewIdent(c.newID(e), calendarName)}, call.Args()...)
		if !call.IsMemberFunction() {
			e.SetKindCase(c.factory.NewCall(e.ID(), function, args...))
		}
	}
}

// isBuiltIn reports whether CEL evaluates a function itself.
func isBuiltIn(function string) bool {
	switch function {
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional, operators.In,
		operators.NotStrictlyFalse, hasFunction, "startsWith", "endsWith", "contains", "matches":
		return true
	}
	return false
}

// forbidden says of what CEL and formulas have and rules have not, what to write instead; "" of all else.
func forbidden(function string) string {
	switch function {
	case operators.Divide:
		return "a formula divides: div(a, b) in a derived field"
	case operators.Modulo:
		return "compute it in a derived field"
	case operators.Index:
		return "ask of all elements with all(…) or exists(…)"
	case "timestamp":
		return `write date("2026-01-01")`
	case "duration":
		return "count with days_between or add_days"
	case "type":
		return "the kinds of fields are known"
	case "dyn":
		return "a list holds one kind of thing"
	case "int", "uint":
		return "kinds are not converted; numbers are written as they are"
	case "double":
		return "write decimal(1.5)"
	case "string":
		return "kinds are not converted; texts stand in quotes"
	case "bytes":
		return "texts stand in quotes"
	case "bool":
		return "name the condition itself"
	case "now":
		return "the day is today"
	case "getFullYear":
		return "use years_between, or year_of in a derived field"
	case "getMonth":
		return "use months_between, or month_of in a derived field"
	case "getDate":
		return "use days_between, or day_of in a derived field"
	case "max":
		return "largest(list) takes the largest of a list"
	case "min":
		return "smallest(list) takes the smallest of a list"
	case "div":
		return "div is part of formulas: use it in a derived field"
	case "percent":
		return "percent is part of formulas: use it in a derived field"
	case "share":
		return "share is part of formulas: use it in a derived field"
	}
	return ""
}

// spelling is how a function of CEL is written.
func spelling(function string) string {
	switch function {
	case operators.Index:
		return "[ ]"
	case operators.Conditional:
		return "? :"
	case operators.LogicalNot:
		return "!"
	case operators.Negate:
		return "-"
	case operators.In:
		return "in"
	case hasFunction:
		return "has"
	}
	if strings.HasPrefix(function, "_") {
		return strings.Trim(function, "_")
	}
	return function
}

func (c *compiler) unknownFunction(e ast.Expr, function string) {
	var names []string
	for name := range c.env.functions {
		names = append(names, name)
	}
	names = append(names, "has", "given", "all", "exists", "exists_one", "filter", "map", "startsWith", "endsWith", "contains", "matches")
	slices.Sort(names)
	hint, message := "", fmt.Sprintf("there is no function %q", function)
	if slices.Contains(names, function) {
		message, hint = function+" is written otherwise", macroForm(function)
	} else if near := diag.Nearest(function, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	from, to := c.source.name(e)
	c.failAt(from, to, CodeUnknownFunction, message, hint)
	c.reported[e.ID()] = true
}

func macroForm(function string) string {
	switch function {
	case "has":
		return "write has(own.a)"
	case "given":
		return "write given(own.a, value)"
	}
	return "write list." + function + "(x, …), where x names an element"
}

// typed checks the argument of a typed literal, such as date("2026-01-01"), and keeps it as it was written.
func (c *compiler) typed(e ast.Expr, function string, arg ast.Expr) {
	c.reported[arg.ID()] = true
	text, isText := "", false
	if arg.Kind() == ast.LiteralKind {
		switch v := arg.AsLiteral().(type) {
		case types.String:
			text, isText = string(v), true
		case types.Int, types.Double:
			text = strings.ReplaceAll(c.source.written(arg), " ", "")
		}
	}
	ok := false
	var message, hint string
	switch function {
	case "date":
		message, hint = "date(…) takes a day that exists, in quotes", `for example date("2026-01-31")`
		if isText {
			_, ok = kind.ParseDate(text)
		}
	case "region":
		message, hint = "region(…) takes a region's code of 2, 4, 6, 9 or 12 digits, in quotes", `for example region("3213")`
		ok = isText && regionCode.MatchString(text)
	case "yuan":
		message, hint = "yuan(…) takes an amount with at most two digits after the point", "for example yuan(850) or yuan(850.5)"
		if !isText && text != "" {
			_, ok = kind.ParseMoney(text)
		}
	case "decimal":
		message, hint = "decimal(…) takes a number", "for example decimal(1.5)"
		if !isText && text != "" {
			_, err := decimal.NewFromString(text)
			ok = err == nil && !strings.ContainsAny(text, "eExX") && len(text) <= maxDigits/2
		}
	}
	if !ok {
		if arg.Kind() != ast.LiteralKind {
			c.walk(arg)
			message += ", not a value that is computed"
		}
		c.fail(arg, CodeLiteral, message, hint)
	}
	// Also where it is wrong: the kind is as meant, so that nothing else follows from the fault.
	c.replace(e, function, text)
}

var regionCode = regexp.MustCompile(`^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$`)

// pattern checks the regular expression of `matches`.
func (c *compiler) pattern(arg ast.Expr) {
	text, ok := types.String(""), false
	if arg.Kind() == ast.LiteralKind {
		text, ok = arg.AsLiteral().(types.String)
	}
	if !ok {
		c.fail(arg, CodeLiteral, "matches takes a pattern in quotes", `for example "^[A-Z][0-9]{9}$"`)
		return
	}
	if _, err := regexp.Compile(string(text)); err != nil {
		c.fail(arg, CodeLiteral, "this is not a regular expression of RE2: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), "")
	}
}

// has checks what is asked after.
func (c *compiler) has(arg ast.Expr) {
	names, nodes := chain(arg)
	if names == nil {
		c.walk(arg)
		c.fail(arg, CodeType, "has asks whether one answer is given", "write has(own.a)")
		return
	}
	before := len(c.found)
	c.name(names, nodes)
	r, ok := c.reads[arg.ID()]
	switch {
	case len(c.found) > before:
	case !ok:
		c.fail(arg, CodeType, "has asks whether an answer is given, this is a part of one", "leave out what follows the field")
	case r.variable.typ.Kind() == types.ListKind:
		c.fail(arg, CodeType, "has does not ask after a list", fmt.Sprintf("write size(%s) > 0", c.source.written(arg)))
	}
}
