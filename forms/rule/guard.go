package rule

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/siyiban/onething/diag"
)

// condition is a conjunct: as it is written, and in a form in which equal ones are equal.
type condition struct{ text, key string }

// force is what holds at a place of a rule, as keys of conditions.
type force []string

func (f force) and(more []string) force { return append(slices.Clip(f), more...) }

// key returns a form of an expression in which two that are written the same way are equal, whatever their
// spaces, parentheses and quotes.
func (c *compiler) key(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind, ast.SelectKind:
		names, _ := chain(e)
		if names == nil {
			return c.key(e.AsSelect().Operand()) + "." + e.AsSelect().FieldName()
		}
		if names[0] == "this" && c.this != "" && len(names) > 1 {
			return "$" + string(c.this) + "." + strings.Join(names[1:], ".")
		}
		return "$" + strings.Join(names, ".")
	case ast.LiteralKind:
		if s, ok := e.AsLiteral().(types.String); ok {
			return fmt.Sprintf("%q", string(s))
		}
		return fmt.Sprint(e.AsLiteral().Value())
	case ast.CallKind:
		call := e.AsCall()
		args := call.Args()
		if call.IsMemberFunction() {
			args = append([]ast.Expr{call.Target()}, args...)
		}
		return call.FunctionName() + c.keys(args)
	case ast.ListKind:
		return c.keys(e.AsList().Elements())
	case ast.ComprehensionKind:
		fold := e.AsComprehension()
		return "fold " + fold.IterVar() + c.keys([]ast.Expr{fold.IterRange(), fold.AccuInit(), fold.LoopStep(), fold.Result()})
	}
	return "?"
}

func (c *compiler) keys(list []ast.Expr) string {
	all := make([]string, len(list))
	for i, e := range list {
		all[i] = c.key(e)
	}
	return "(" + strings.Join(all, ",") + ")"
}

func negation(key string) string { return operators.LogicalNot + "(" + key + ")" }

// truths returns what holds where e is true, falsities what holds where it is false.
func (c *compiler) truths(e ast.Expr) []string {
	all := []string{c.key(e)}
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		switch call.FunctionName() {
		case operators.LogicalAnd:
			for _, arg := range call.Args() {
				all = append(all, c.truths(arg)...)
			}
		case operators.LogicalNot:
			all = append(all, c.falsities(call.Args()[0])...)
		}
	}
	return all
}

func (c *compiler) falsities(e ast.Expr) []string {
	all := []string{negation(c.key(e))}
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		switch call.FunctionName() {
		case operators.LogicalOr:
			for _, arg := range call.Args() {
				all = append(all, c.falsities(arg)...)
			}
		case operators.LogicalNot:
			all = append(all, c.truths(call.Args()[0])...)
		}
	}
	return all
}

// guard refuses to read what may be blank where e is evaluated.
func (c *compiler) guard(e ast.Expr, in force) {
	if r, ok := c.reads[e.ID()]; ok {
		c.guardRead(e, r, in)
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		c.guard(e.AsSelect().Operand(), in)
	case ast.ListKind:
		for _, elem := range e.AsList().Elements() {
			c.guard(elem, in)
		}
	case ast.ComprehensionKind:
		fold := e.AsComprehension()
		if isAll(fold) {
			c.guardAll(e, in)
		}
		c.guardFold(fold, in)
	case ast.CallKind:
		c.guardCall(e.AsCall(), in)
	}
}

func (c *compiler) guardFold(fold ast.ComprehensionExpr, in force) {
	c.guard(fold.IterRange(), in)
	c.guard(fold.LoopStep(), in)
}

func (c *compiler) guardCall(call ast.CallExpr, in force) {
	args := call.Args()
	switch call.FunctionName() {
	case hasFunction:
		return
	case operators.LogicalNot:
		if args[0].Kind() == ast.ComprehensionKind { // `!all` is `exists`, which an empty list does not meet
			c.guardFold(args[0].AsComprehension(), in)
			return
		}
	case operators.LogicalAnd, operators.LogicalOr:
		holds := c.truths
		if call.FunctionName() == operators.LogicalOr {
			holds = c.falsities
		}
		for i, arg := range args {
			others := in
			for j, other := range args {
				if i != j {
					others = others.and(holds(other))
				}
			}
			c.guard(arg, others)
		}
		return
	case operators.Conditional:
		c.guard(args[0], in)
		c.guard(args[1], in.and(c.truths(args[0])))
		c.guard(args[2], in.and(c.falsities(args[0])))
		return
	case "smallest", "largest", "earliest", "latest":
		if len(args) == 1 {
			c.guardEmpty(call.FunctionName(), args[0], in)
		}
	}
	if call.IsMemberFunction() {
		c.guard(call.Target(), in)
	}
	for _, arg := range args {
		c.guard(arg, in)
	}
}

// guardRead looks whether something in force rules out that the variable is blank.
func (c *compiler) guardRead(e ast.Expr, r read, in force) {
	v := r.variable
	if v.always || v.typ.Kind() == types.ListKind || isChoices(v.typ) || slices.Contains(in, hasFunction+"("+c.key(e)+")") {
		return
	}
	written := c.source.written(e)
	if c.blanks[written] { // told once a rule
		return
	}
	var missing []string
	for _, needed := range v.needs {
		need := needed()
		key := need.key
		text := need.text
		if r.local != "" {
			key = strings.ReplaceAll(key, "$this.", "$"+r.local+".")
			text = strings.ReplaceAll(text, "this.", r.local+".")
		}
		if !slices.Contains(in, key) {
			missing = append(missing, text)
		}
	}
	given := fmt.Sprintf("has(%s) && … or given(%s, …)", written, written)
	switch {
	case v.field != nil && !v.field.Required:
		c.blanks[written] = true
		c.fail(e, CodeUnguardedBlank, written+" may be blank", "it need not be answered: write "+given)
	case len(missing) > 0:
		c.blanks[written] = true
		what := "is asked only if "
		if len(v.guards) > 0 {
			what = "is there only if "
		}
		c.fail(e, CodeUnguardedBlank, written+" may be blank: it "+what+strings.Join(missing, " && "),
			"put that into the rule's when, or write "+strings.Join(missing, " && ")+" && …")
	}
}

// guardEmpty looks whether something in force rules out that a list is empty.
func (c *compiler) guardEmpty(function string, list ast.Expr, in force) {
	if base := c.mayBeEmpty(list, in); base != nil {
		c.fail(list, CodeEmptyList, function+" needs a list that cannot be empty", fmt.Sprintf("write size(%s) > 0 && …", c.source.written(base)))
	}
}

// guardAll warns of `all` over a list that may be empty: it holds then, which is seldom meant.
func (c *compiler) guardAll(fold ast.Expr, in force) {
	base := c.mayBeEmpty(fold.AsComprehension().IterRange(), in)
	if base == nil {
		return
	}
	from, to := c.source.span(fold)
	c.warnings = append(c.warnings, diag.Diagnostic{Span: c.scalar.Span(from, to), Severity: diag.Warning, Code: CodeAllOfNone, Path: c.scalar.Path,
		Message: "`all` holds for a list without elements, and this one may have none", Hint: fmt.Sprintf("write size(%s) > 0 && …, or give the list `min: 1`", c.source.written(base))})
}

// mayBeEmpty returns the list on which it depends that a list may be empty; nil if something in force rules that out.
func (c *compiler) mayBeEmpty(list ast.Expr, in force) ast.Expr {
	base := list
	for {
		if base.Kind() == ast.ListKind && len(base.AsList().Elements()) > 0 {
			return nil
		}
		if r, ok := c.reads[base.ID()]; ok && r.variable.filled && c.inForceAll(r.variable, in) {
			return nil
		}
		size := "size(" + c.key(base) + ")"
		for _, f := range in {
			for _, form := range []string{"_>_(%s,0)", "_>=_(%s,1)", "_!=_(%s,0)", "_==_(%s,1)", "!_(_==_(%s,0))"} {
				if f == fmt.Sprintf(form, size) {
					return nil
				}
			}
		}
		switch {
		case base.Kind() == ast.ComprehensionKind && isMap(base.AsComprehension()):
			base = base.AsComprehension().IterRange()
		case base.Kind() == ast.CallKind && base.AsCall().FunctionName() == "distinct" && len(base.AsCall().Args()) == 1:
			base = base.AsCall().Args()[0]
		default:
			return base
		}
	}
}

// isAll reports whether the fold was written as all: it begins with true.
func isAll(fold ast.ComprehensionExpr) bool {
	begin := fold.AccuInit()
	return begin.Kind() == ast.LiteralKind && begin.AsLiteral() == types.True
}

// inForceAll reports whether everything is in force under which the variable is asked.
func (c *compiler) inForceAll(v *variable, in force) bool {
	return !slices.ContainsFunc(v.needs, func(need func() condition) bool { return !slices.Contains(in, need().key) })
}

// isMap reports whether each element gives one: the fold was written as map without a condition.
func isMap(fold ast.ComprehensionExpr) bool {
	step := fold.LoopStep()
	return step.Kind() == ast.CallKind && step.AsCall().FunctionName() == operators.Add && step.AsCall().Args()[1].Kind() == ast.ListKind
}
