package rule

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/lowered"
)

// Reader gives the nodes of what a rule reads, to [Rule.Lower].
type Reader interface {
	// Read returns the node of a path; of an element that a rule names `this`, of `this.<field>`.
	Read(forms.Path) (lowered.Ref, error)
	// Cell returns the node of a column of the list, for the element that a loop is at.
	Cell(list forms.Path, loop int32, column string) (lowered.Ref, error)
}

// Lower translates the rule; what its node comes to is what [Rule.Eval] says, of which a fault is not known for no cause
// that can be asked. The error is [lowered.ErrNotLowered] if it has no lowered form.
func (r *Rule) Lower(b *lowered.Builder, reader Reader) (lowered.Ref, error) {
	l := &lowering{b: b, reader: reader, tree: r.tree, checked: r.checked.NativeRep()}
	o, err := l.expr(r.checked.NativeRep().Expr())
	if err != nil {
		return 0, err
	}
	return o.ref, nil
}

// lowering translates one rule.
type lowering struct {
	b       *lowered.Builder
	reader  Reader
	tree    *tree
	checked *ast.AST
	locals  []bound
}

// bound is a name that stands for the element of a loop, or of a list that is written out.
type bound struct {
	name    string
	element piece
}

// piece is a value: a node, a list, or an element.
type piece struct {
	ref  lowered.Ref
	list *sequence
	row  *rowFields // of an element of a list of rows
	loop int32
}

// sequence is a list as it is written: an answer with what is kept of it and taken from it, or its elements.
type sequence struct {
	of      lowered.Ref // of an answer
	row     *rowFields
	loop    int32 // of an answer that is walked
	filters []lowered.Ref
	value   lowered.Ref // of map; zero: the elements themselves
	joint   bool        // the last filter is the condition of map

	written bool
	items   []piece // of a list that is written out
}

func (l *lowering) typeOf(e ast.Expr) *types.Type { return l.checked.GetType(e.ID()) }

func (l *lowering) refs(args []ast.Expr) ([]lowered.Ref, error) {
	all := make([]lowered.Ref, len(args))
	for i, arg := range args {
		r, err := l.ref(arg)
		if err != nil {
			return nil, err
		}
		all[i] = r
	}
	return all, nil
}

// ref is the node of an expression that is a value.
func (l *lowering) ref(e ast.Expr) (lowered.Ref, error) {
	o, err := l.expr(e)
	if err != nil {
		return 0, err
	}
	if o.ref == 0 {
		return 0, lowered.Unsupported("a list or an element as a value")
	}
	return o.ref, nil
}

func (l *lowering) expr(e ast.Expr) (piece, error) {
	switch e.Kind() {
	case ast.IdentKind, ast.SelectKind:
		return l.name(e)
	case ast.LiteralKind:
		return l.literal(e)
	case ast.CallKind:
		r, err := l.call(e)
		return piece{ref: r}, err
	case ast.ListKind:
		s := &sequence{written: true}
		for _, item := range e.AsList().Elements() {
			o, err := l.expr(item)
			if err != nil {
				return piece{}, err
			}
			s.items = append(s.items, o)
		}
		return piece{list: s}, nil
	case ast.ComprehensionKind:
		return l.comprehension(e)
	default:
		return piece{}, lowered.Unsupported("an object")
	}
}

func (l *lowering) literal(e ast.Expr) (piece, error) {
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		return piece{ref: l.b.Truth(bool(v))}, nil
	case types.Int:
		return piece{ref: l.b.Number(int64(v))}, nil
	case types.String:
		return piece{ref: l.b.Text(string(v))}, nil
	default:
		return piece{}, lowered.Unsupported("a literal of this kind")
	}
}

// name is a variable, an option of an answer, a local, or a cell of an element.
func (l *lowering) name(e ast.Expr) (piece, error) {
	if info, ok := l.checked.ReferenceMap()[e.ID()]; ok && info.Name != "" {
		if v := l.tree.variables[info.Name]; v != nil && !l.isLocal(info.Name) {
			r, err := l.reader.Read(v.path)
			if err != nil {
				return piece{}, err
			}
			if v.typ.Kind() == types.ListKind {
				return piece{list: &sequence{of: r, row: v.row}}, nil
			}
			return piece{ref: r}, nil
		}
	}
	if e.Kind() == ast.IdentKind {
		for _, local := range slices.Backward(l.locals) {
			if local.name == e.AsIdent() {
				return local.element, nil
			}
		}
		return piece{}, lowered.Unsupported("the name " + e.AsIdent())
	}
	of, err := l.expr(e.AsSelect().Operand())
	if err != nil {
		return piece{}, err
	}
	field := e.AsSelect().FieldName()
	if of.row != nil {
		cell := of.row.byID[field]
		if cell == nil || cell.typ.Kind() == types.ListKind {
			return piece{}, lowered.Unsupported("a list in a list")
		}
		r, err := l.reader.Cell(of.row.path, of.loop, field)
		return piece{ref: r}, err
	}
	switch t := l.typeOf(e.AsSelect().Operand()); {
	case isChoice(t):
		r, err := l.b.Compare(lowered.Equal, of.ref, l.b.Option(field))
		return piece{ref: r}, err
	case isChoices(t):
		r, err := l.b.Chosen(of.ref, field)
		return piece{ref: r}, err
	}
	return piece{}, lowered.Unsupported("a part of this kind")
}

func (l *lowering) isLocal(name string) bool {
	return slices.ContainsFunc(l.locals, func(b bound) bool { return b.name == name })
}

func (l *lowering) call(e ast.Expr) (lowered.Ref, error) {
	call := e.AsCall()
	function, args := call.FunctionName(), call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	switch function {
	case "date", "yuan", "decimal", "region":
		return l.typed(function, args[0])
	case "size", "sum", "smallest", "largest", "earliest", "latest", "distinct":
		return l.ofList(function, args[0])
	case operators.In:
		return l.in(args[0], args[1])
	case "add_working_days", "working_days_between":
		args = args[1:] // the calendar
	case "matches":
		pattern, ok := literalText(args[1])
		if !ok {
			return 0, lowered.Unsupported("a pattern that is computed")
		}
		x, err := l.ref(args[0])
		if err != nil {
			return 0, err
		}
		return l.b.Matches(x, pattern)
	}
	x, err := l.refs(args)
	if err != nil {
		return 0, err
	}
	switch function {
	case operators.LogicalAnd:
		return all(x, l.b.And), nil
	case operators.LogicalOr:
		return all(x, l.b.Or), nil
	case operators.LogicalNot:
		return l.b.Not(x[0]), nil
	case operators.NotStrictlyFalse:
		return 0, lowered.Unsupported("a loop of this form")
	case operators.Conditional:
		return l.b.Cond(x[0], x[1], x[2])
	case hasFunction:
		return l.b.Has(x[0]), nil
	}
	if c, ok := comparisons(function); ok {
		return l.b.Compare(c, x[0], x[1])
	}
	if o, ok := arithmetics(function); ok {
		return l.b.Compute(o, x[0], x[1])
	}
	if function == operators.Negate {
		return l.negate(x[0], l.typeOf(args[0]))
	}
	if f, ok := lowerable(function); ok {
		if len(x) == 1 {
			x = append(x, 0)
		}
		return l.b.Call(f, x[0], x[1])
	}
	return 0, lowered.Unsupported("the function " + function)
}

// all puts the terms of && or || together.
func all(terms []lowered.Ref, two func(a, b lowered.Ref) lowered.Ref) lowered.Ref {
	r := terms[0]
	for _, t := range terms[1:] {
		r = two(r, t)
	}
	return r
}

func comparisons(function string) (lowered.Comparison, bool) {
	switch function {
	case operators.Equals:
		return lowered.Equal, true
	case operators.NotEquals:
		return lowered.NotEqual, true
	case operators.Less:
		return lowered.Less, true
	case operators.LessEquals:
		return lowered.LessEqual, true
	case operators.Greater:
		return lowered.Greater, true
	case operators.GreaterEquals:
		return lowered.GreaterEqual, true
	}
	return 0, false
}

func arithmetics(function string) (lowered.Arithmetic, bool) {
	switch function {
	case operators.Add:
		return lowered.Add, true
	case operators.Subtract:
		return lowered.Subtract, true
	case operators.Multiply:
		return lowered.Multiply, true
	}
	return 0, false
}

// lowerable are the functions that are called with one or two values.
func lowerable(function string) (lowered.Function, bool) {
	f, ok := map[string]lowered.Function{
		"add_days": lowered.AddDays, "add_months": lowered.AddMonths, "add_years": lowered.AddYears,
		"days_between": lowered.DaysBetween, "months_between": lowered.MonthsBetween, "years_between": lowered.YearsBetween,
		"age": lowered.Age, "age_late": lowered.AgeLate,
		"add_working_days": lowered.AddWorkingDays, "working_days_between": lowered.WorkingDaysBetween,
		"birth_date": lowered.BirthDate, "female": lowered.Female,
		"within": lowered.Within, "startsWith": lowered.StartsWith, "endsWith": lowered.EndsWith, "contains": lowered.Contains,
	}[function]
	return f, ok
}

func (l *lowering) negate(x lowered.Ref, t *types.Type) (lowered.Ref, error) {
	switch {
	case is(t, moneyType):
		return l.b.Compute(lowered.Multiply, x, l.b.Number(-1))
	case is(t, decimalType):
		zero, err := l.b.Decimal(kind.Decimal{})
		if err != nil {
			return 0, err
		}
		return l.b.Compute(lowered.Subtract, zero, x)
	default:
		return l.b.Compute(lowered.Subtract, l.b.Number(0), x)
	}
}

// typed is a literal with its kind, which was checked at load.
func (l *lowering) typed(function string, arg ast.Expr) (lowered.Ref, error) {
	text, ok := literalText(arg)
	if !ok {
		return 0, lowered.Unsupported("a literal that is computed")
	}
	switch function {
	case "date":
		if d, ok := kind.ParseDate(text); ok {
			return l.b.Number(lowered.Day(d)), nil
		}
	case "yuan":
		if m, ok := kind.ParseMoney(text); ok {
			return l.b.Amount(m), nil
		}
	case "decimal":
		if d, err := decimal.NewFromString(text); err == nil {
			return l.b.Decimal(kind.Decimal{Decimal: d})
		}
	default:
		return l.b.Text(text), nil
	}
	return 0, lowered.Unsupported("a literal that does not exist")
}

func literalText(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

func (l *lowering) in(x, list ast.Expr) (lowered.Ref, error) {
	value, err := l.ref(x)
	if err != nil {
		return 0, err
	}
	o, err := l.expr(list)
	if err != nil {
		return 0, err
	}
	if o.list == nil || !o.list.written {
		return 0, lowered.Unsupported("in over a list that is not written out")
	}
	items := make([]lowered.Ref, len(o.list.items))
	for i, item := range o.list.items {
		items[i] = item.ref
	}
	return l.b.In(value, items)
}

// ofList is a function of a list, or the size of a text or answer.
func (l *lowering) ofList(function string, arg ast.Expr) (lowered.Ref, error) {
	o, err := l.expr(arg)
	if err != nil {
		return 0, err
	}
	if o.list == nil {
		switch {
		case o.ref == 0 || function != "size":
			return 0, lowered.Unsupported(function + " of this kind")
		case isChoices(l.typeOf(arg)):
			return l.b.Call(lowered.Chosens, o.ref, 0)
		default:
			return l.b.Call(lowered.Runes, o.ref, 0)
		}
	}
	s := o.list
	switch {
	case s.written:
		return 0, lowered.Unsupported(function + " of a list that is written out")
	case function == "size" && s.loop == 0:
		return l.b.Call(lowered.Length, s.of, 0)
	case function == "size" && s.value != 0: // a value that is not known leaves the list open
		return 0, lowered.Unsupported("the size of a list of values")
	case function == "size":
		return l.b.End(s.loop, s.filters, 0, lowered.Count)
	case function == "distinct" || s.value == 0:
		return 0, lowered.Unsupported(function + " of this kind")
	}
	fold := map[string]lowered.Fold{"sum": lowered.Sum, "smallest": lowered.Least, "earliest": lowered.Least, "largest": lowered.Greatest, "latest": lowered.Greatest}[function]
	if s.joint {
		l.b.Joint(s.loop)
	}
	return l.b.End(s.loop, s.filters, s.value, fold)
}

// comprehension is one of the macros over a list, as they are rewritten.
func (l *lowering) comprehension(e ast.Expr) (piece, error) {
	c := e.AsComprehension()
	over, err := l.expr(c.IterRange())
	if err != nil {
		return piece{}, err
	}
	if over.list == nil {
		return piece{}, lowered.Unsupported("a loop over what is not a list")
	}
	m, ok := macroOf(c)
	if !ok {
		return piece{}, lowered.Unsupported("a loop of this form")
	}
	if over.list.written {
		return l.unroll(c, m, over.list)
	}
	return l.walk(c, m, over.list)
}

// macro is what a comprehension was written as.
type macro struct {
	fold   string   // all, exists, exists_one, collect
	filter ast.Expr // of filter, map with three parts, exists_one
	value  ast.Expr // the condition, or what is collected; nil of filter
}

// macroOf reads a comprehension as [macros] and CEL write it.
func macroOf(c ast.ComprehensionExpr) (macro, bool) {
	if c.LoopStep().Kind() != ast.CallKind || c.HasIterVar2() {
		return macro{}, false
	}
	step := c.LoopStep().AsCall()
	if len(step.Args()) < 2 || !isIdent(step.Args()[0], c.AccuVar()) {
		return macro{}, false
	}
	body := step.Args()[1]
	switch step.FunctionName() {
	case operators.LogicalAnd:
		return macro{fold: "all", value: body}, isIdent(c.Result(), c.AccuVar())
	case operators.LogicalOr:
		return macro{fold: "exists", value: body}, isIdent(c.Result(), c.AccuVar())
	case operators.Add:
	default:
		return macro{}, false
	}
	if body.Kind() == ast.ListKind && body.AsList().Size() == 1 {
		return macro{fold: "collect", value: body.AsList().Elements()[0]}, true
	}
	if body.Kind() != ast.CallKind || body.AsCall().FunctionName() != operators.Conditional {
		return macro{}, false
	}
	cond := body.AsCall().Args()
	if cond[1].Kind() == ast.LiteralKind { // 1 or 0
		return macro{fold: "exists_one", filter: cond[0]}, true
	}
	if cond[1].Kind() != ast.ListKind || cond[1].AsList().Size() != 1 {
		return macro{}, false
	}
	value := cond[1].AsList().Elements()[0]
	if isIdent(value, c.IterVar()) {
		return macro{fold: "collect", filter: cond[0]}, true
	}
	return macro{fold: "collect", filter: cond[0], value: value}, true
}

func isIdent(e ast.Expr, name string) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == name }

// with lowers an expression in which a name stands for an element.
func (l *lowering) with(name string, element piece, e ast.Expr) (piece, error) {
	l.locals = append(l.locals, bound{name, element})
	o, err := l.expr(e)
	l.locals = l.locals[:len(l.locals)-1]
	return o, err
}

// walk is a loop over an answer, or over what was kept of one.
func (l *lowering) walk(c ast.ComprehensionExpr, m macro, over *sequence) (piece, error) {
	s := *over
	if s.loop == 0 {
		loop, err := l.b.Loop(s.of)
		if err != nil {
			return piece{}, err
		}
		s.loop = loop
	}
	element := piece{row: s.row, loop: s.loop}
	if s.value != 0 {
		// A value that is not known would leave the list open before this asks of it.
		return piece{}, lowered.Unsupported("a loop over a list of values")
	}
	s.filters = slices.Clone(s.filters)
	if m.filter != nil {
		f, err := l.with(c.IterVar(), element, m.filter)
		if err != nil {
			return piece{}, err
		}
		s.filters = append(s.filters, f.ref)
	}
	var value piece
	if m.value != nil {
		var err error
		if value, err = l.with(c.IterVar(), element, m.value); err != nil {
			return piece{}, err
		}
		if value.ref == 0 && m.fold != "collect" || value.list != nil {
			return piece{}, lowered.Unsupported("a list of lists")
		}
	}
	switch m.fold {
	case "all":
		r, err := l.b.End(s.loop, s.filters, value.ref, lowered.All)
		return piece{ref: r}, err
	case "exists":
		r, err := l.b.End(s.loop, s.filters, value.ref, lowered.Any)
		return piece{ref: r}, err
	case "exists_one":
		n, err := l.b.End(s.loop, s.filters, 0, lowered.Count)
		if err != nil {
			return piece{}, err
		}
		r, err := l.b.Compare(lowered.Equal, n, l.b.Number(1))
		return piece{ref: r}, err
	default:
		if m.value != nil {
			if value.ref == 0 {
				return piece{}, lowered.Unsupported("a list of elements of another")
			}
			s.value, s.joint = value.ref, m.filter != nil
		}
		return piece{list: &s}, nil
	}
}

// unroll is a loop over a list that is written out.
func (l *lowering) unroll(c ast.ComprehensionExpr, m macro, over *sequence) (piece, error) {
	if m.fold != "all" && m.fold != "exists" {
		return piece{}, lowered.Unsupported(m.fold + " over a list that is written out")
	}
	r := l.b.Truth(m.fold == "all")
	for _, item := range over.items {
		if item.ref == 0 || !l.b.Constant(item.ref) { // one that is not known would leave the list open
			return piece{}, lowered.Unsupported("a list of what is not constant")
		}
		o, err := l.with(c.IterVar(), item, m.value)
		if err != nil {
			return piece{}, err
		}
		if m.fold == "all" {
			r = l.b.And(r, o.ref)
		} else {
			r = l.b.Or(r, o.ref)
		}
	}
	return piece{ref: r}, nil
}
