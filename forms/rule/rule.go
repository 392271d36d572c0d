// Package rule decides: it compiles the yes-or-no expressions of a bundle, which are CEL, and evaluates them
// three-valued over a record in which answers are missing.
package rule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	celenv "cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
)

// The codes of what can be wrong with a rule.
const (
	CodeSyntax           = "rule-syntax"            // not an expression
	CodeUnknownField     = "rule-unknown-field"     // a path that is not there
	CodeUnknownOption    = "rule-unknown-option"    // an option that its question does not have
	CodeUnknownFact      = "rule-unknown-fact"      // a fact that the engine does not know of this person
	CodeUnknownParameter = "rule-unknown-parameter" // a parameter that is not published
	CodeUnknownResult    = "rule-unknown-result"    // a result that is not there, or not settled at this place
	CodeUnknownFunction  = "rule-unknown-function"  // a function that is not there
	CodeType             = "rule-type"              // kinds that do not fit
	CodeBareChoice       = "rule-bare-choice"       // a choice where yes or no is wanted
	CodeUnguardedBlank   = "rule-unguarded-blank"   // reads what may be blank
	CodeEmptyList        = "rule-empty-list"        // takes the smallest of a list that may be empty
	CodeAllOfNone        = "rule-all-of-none"       // asks for all elements of a list that may be empty
	CodeForbidden        = "rule-forbidden"         // something that CEL has and rules have not
	CodeLiteral          = "rule-literal"           // a date, amount, number, region or pattern that does not exist
	CodeCost             = "rule-cost"              // too long, or too much work
)

// Truth is the outcome of a rule over what is known so far.
type Truth int

// The three outcomes. The zero Truth is Unknown.
const (
	Unknown Truth = iota
	False
	True
)

// String is the word for logs and tests.
func (t Truth) String() string { return [...]string{"unknown", "false", "true"}[t] }

// Outcome is what a rule says of a record. Causes are the reasons for which it is unknown, sorted, each once.
type Outcome struct {
	Truth  Truth
	Causes []forms.Cause
}

// Env is what rules may name at one place of a bundle. It is immutable and safe for concurrent use.
type Env struct {
	scope     forms.Scope
	tree      *tree
	cel       *cel.Env
	checker   *checker.Env
	functions map[string][]signature
}

// NewEnv returns the environment of the rules that stand where scope is in sight.
func NewEnv(scope forms.Scope) (*Env, error) {
	names, err := newTree(scope)
	if err != nil {
		return nil, err
	}
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("rule: make type registry: %w", err)
	}
	e := &Env{scope: scope, tree: names, functions: map[string][]signature{}}
	all := signatures(names)
	for _, s := range all {
		e.functions[s.name] = append(e.functions[s.name], s)
	}
	standard := celenv.NewLibrarySubset().SetDisableMacros(true)
	for _, name := range []string{
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional,
		operators.NotStrictlyFalse, operators.In, "startsWith", "endsWith", "contains", "matches",
	} {
		standard.AddIncludedFunctions(celenv.NewFunction(name))
	}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(standard)),
		cel.CustomTypeProvider(provider{registry, names}),
		cel.Macros(macros()...),
		cel.ParserExpressionSizeLimit(maxLength),
		cel.Variable(calendarName, calendarType),
	}
	options = append(options, declare(all)...)
	for name, v := range names.variables {
		options = append(options, cel.Variable(name, v.typ))
	}
	if e.cel, err = cel.NewCustomEnv(options...); err != nil {
		return nil, fmt.Errorf("rule: make environment: %w", err)
	}
	if e.checker, err = newChecker(e.cel); err != nil {
		return nil, fmt.Errorf("rule: make checker: %w", err)
	}
	e.prepareGuards()
	return e, nil
}

// prepareGuards lets the conditions under which fields are asked be brought into the form in which guards compare, when
// a rule reads one of them for the first time.
func (e *Env) prepareGuards() {
	keys := map[string]func() condition{} // the same condition stands at many fields
	prepare := func(v *variable, this forms.Path) {
		texts := v.guards
		if v.field != nil {
			texts = append(slices.Clone(v.field.Conditions), v.guards...)
		}
		for _, text := range texts {
			at := string(this) + " " + text
			if keys[at] == nil {
				keys[at] = sync.OnceValue(func() condition { return condition{text, e.conditions(text, this)[0]} })
			}
			v.needs = append(v.needs, keys[at])
		}
	}
	for _, v := range e.tree.variables {
		prepare(v, e.scope.ThisPath)
	}
	for _, row := range e.tree.objects {
		for _, cell := range row.byID {
			prepare(cell, "")
		}
	}
}

// conditions returns the key of a condition, and those of what follows from it; this is the path
// behind `this` in it.
func (e *Env) conditions(text string, this forms.Path) []string {
	c, parsed := e.parse(diag.Inline("", "", text, diag.Position{}))
	if parsed == nil {
		return []string{text} // equal to nothing that is a rule
	}
	c.this = this
	c.walk(parsed.NativeRep().Expr())
	return c.truths(parsed.NativeRep().Expr())
}

// Options say how a rule stands in its bundle.
type Options struct {
	// InForce are the canonical conjuncts (see [forms.Conjuncts]) that hold wherever the rule is evaluated,
	// for example those of its own `when`.
	InForce []string
}

// Rule is a compiled rule. It is immutable and safe for concurrent use.
type Rule struct {
	scalar  diag.Scalar
	reads   []forms.Path
	columns []forms.Path
	tree    *tree
	program cel.Program

	// For [Rule.Explain].
	env     *cel.Env
	checked *cel.Ast
	source  *source

	warnings diag.List
}

// Warnings returns what is not wrong with the rule, and seldom meant.
func (r *Rule) Warnings() diag.List { return r.warnings }

// Text returns the rule as it was written.
func (r *Rule) Text() string { return r.scalar.Text }

// Reads returns every path that the rule may read, sorted: those of a section behind `this` by their path,
// those of an element as `this.<field>`.
func (r *Rule) Reads() []forms.Path { return r.reads }

// Columns returns the cells of lists that the rule may read, as <list>.<field>, sorted.
func (r *Rule) Columns() []forms.Path { return r.columns }

// Compile checks a rule and prepares it. The rule is nil if the list holds an error; the list tells all that
// is wrong with it at once.
func (e *Env) Compile(text diag.Scalar, o Options) (*Rule, diag.List) {
	c, parsed := e.parse(text)
	if parsed == nil {
		return nil, c.found
	}
	tree := parsed.NativeRep()
	c.walk(tree.Expr())
	c.guard(tree.Expr(), e.inForce(o.InForce))

	checked, issues := e.cel.Check(parsed)
	if issues.Err() != nil {
		c.explain(tree, parsed.Source())
		if len(c.found) == 0 { // CEL refuses what none of the above does
			c.failAt(0, len([]rune(text.Text)), CodeType, "the kinds in this rule do not fit", "")
		}
		return nil, c.found.Sorted()
	}
	if c.afterwards(checked.NativeRep()); len(c.found) > 0 {
		return nil, c.found.Sorted()
	}
	program, ok := c.plan(checked)
	if !ok {
		return nil, c.found
	}
	return &Rule{scalar: text, reads: c.paths(), columns: c.columns(), tree: e.tree, program: program, env: e.cel, checked: checked, source: c.source, warnings: c.warnings}, nil
}

// inForce returns what holds wherever a rule is evaluated.
func (e *Env) inForce(conjuncts []string) force {
	var all force
	for _, text := range conjuncts {
		all = append(all, e.conditions(text, e.scope.ThisPath)...)
	}
	return all
}

// paths returns what the rule may read.
func (c *compiler) paths() []forms.Path {
	paths := map[forms.Path]bool{}
	for _, r := range c.reads {
		if r.local == "" {
			paths[r.variable.path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// columns returns the cells that the rule may read.
func (c *compiler) columns() []forms.Path {
	columns := map[forms.Path]bool{}
	for _, r := range c.reads {
		if r.local != "" {
			columns[r.row.path+"."+forms.Path(r.variable.field.ID)] = true
		}
	}
	return slices.Sorted(maps.Keys(columns))
}

// plan bounds the cost of a rule: at load and, should a record be larger than package kind allows, while it runs.
func (c *compiler) plan(checked *cel.Ast) (cel.Program, bool) {
	whole := func(message, hint string) {
		c.failAt(0, len([]rune(c.scalar.Text)), CodeCost, message, hint)
	}
	if folds := depth(checked.NativeRep().Expr()); folds > maxFolds {
		whole("all, exists, filter and map stand inside each other here more than twice", "split the rule, with a named condition")
		return nil, false
	}
	estimate, err := c.env.cel.EstimateCost(checked, sizes{})
	if err != nil || estimate.Max > costBudget {
		whole("this rule can take too much work", "ask of fewer lists at once; split the rule, with a named condition")
		return nil, false
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if depth(checked.NativeRep().Expr()) > 0 { // all else is linear in the length of the rule
		options = append(options, cel.CostLimit(costBudget))
	}
	program, err := c.env.cel.Program(checked, options...)
	if err != nil {
		whole("this rule cannot be prepared", "")
		return nil, false
	}
	return program, true
}

// depth returns how deep folds over lists stand inside each other.
func depth(e ast.Expr) int {
	deepest := 0
	var visit func(e ast.Expr, at int)
	visit = func(e ast.Expr, at int) {
		deepest = max(deepest, at)
		switch e.Kind() {
		case ast.SelectKind:
			visit(e.AsSelect().Operand(), at)
		case ast.CallKind:
			if e.AsCall().IsMemberFunction() {
				visit(e.AsCall().Target(), at)
			}
			for _, arg := range e.AsCall().Args() {
				visit(arg, at)
			}
		case ast.ListKind:
			for _, elem := range e.AsList().Elements() {
				visit(elem, at)
			}
		case ast.ComprehensionKind:
			visit(e.AsComprehension().IterRange(), at)
			visit(e.AsComprehension().LoopStep(), at+1)
			deepest = max(deepest, at+1)
		}
	}
	visit(e, 0)
	return deepest
}

// run is one evaluation: it gives CEL the values of variables as they are read.
type run struct {
	tree   *tree
	env    forms.Env
	causes []forms.Cause // an unknown value carries the numbers of its causes
}

var _ interpreter.Activation = (*run)(nil)

// Eval says whether the rule holds over what env knows. A fault at run time, such as a number out of range,
// is unknown with CauseFault and the place of the rule in its bundle.
func (r *Rule) Eval(env forms.Env) Outcome {
	state := &run{tree: r.tree, env: env}
	result, _, err := r.program.Eval(state)
	if err == nil {
		switch v := result.(type) {
		case types.Bool:
			if v {
				return Outcome{Truth: True}
			}
			return Outcome{Truth: False}
		case *types.Unknown:
			return Outcome{Causes: state.because(v)}
		}
	}
	return Outcome{Causes: []forms.Cause{{Kind: forms.CauseFault, Path: forms.Path(r.scalar.Path)}}}
}

// ResolveName gives CEL a variable.
func (r *run) ResolveName(name string) (any, bool) {
	if name == calendarName {
		return calendar{value{typ: calendarType}, r}, true
	}
	v := r.tree.variables[name]
	if v == nil {
		return nil, false
	}
	return r.read(v), true
}

// Parent is nil: there is nothing beside the variables.
func (r *run) Parent() interpreter.Activation { return nil }

func (r *run) read(v *variable) ref.Val {
	switch state := r.env.State(v.path); state.Status {
	case forms.Known:
		return r.load(v, string(v.path), state.Value)
	case forms.Blank:
		return v.blank()
	default:
		if len(state.Causes) == 0 {
			return r.unknown(forms.Cause{Kind: v.cause, Path: v.path})
		}
		return r.unknown(state.Causes...)
	}
}

// unknown returns an unknown value with its causes.
func (r *run) unknown(causes ...forms.Cause) ref.Val {
	var merged *types.Unknown
	for _, cause := range causes {
		i := slices.Index(r.causes, cause)
		if i < 0 {
			i = len(r.causes)
			r.causes = append(r.causes, cause)
		}
		merged = types.MergeUnknowns(merged, types.NewUnknown(int64(i), nil))
	}
	return merged
}

// because returns the causes of an unknown value.
func (r *run) because(u *types.Unknown) []forms.Cause {
	var causes []forms.Cause
	for _, id := range u.IDs() {
		if id >= 0 && id < int64(len(r.causes)) {
			causes = append(causes, r.causes[id])
		}
	}
	slices.SortFunc(causes, func(a, b forms.Cause) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path))
	})
	return slices.Compact(causes)
}

// parse reads a rule; the result is nil if it is none.
func (e *Env) parse(text diag.Scalar) (*compiler, *cel.Ast) {
	c := &compiler{
		env: e, scalar: text, this: e.scope.ThisPath, factory: ast.NewExprFactory(),
		reads: map[int64]read{}, reported: map[int64]bool{}, blanks: map[string]bool{},
	}
	runes := []rune(text.Text)
	if len(runes) > maxLength {
		c.failAt(0, len(runes), CodeCost, fmt.Sprintf("a rule has at most %d characters", maxLength), "split it, with named conditions")
		return c, nil
	}
	c.source = &source{text: text.Text, tokens: tokens(text.Text)}
	if c.shape(); len(c.found) > 0 {
		return c, nil
	}
	source := common.NewTextSource(text.Text)
	parsed, issues := e.cel.ParseSource(source)
	if issues.Err() != nil {
		c.syntax(issues.Errors())
		return c, nil
	}
	c.source.info = parsed.NativeRep().SourceInfo()
	c.source.locate(parsed.NativeRep().Expr())
	c.lastID = ast.MaxID(parsed.NativeRep())
	if ast.NodeCount(parsed.NativeRep()) > maxNodes {
		c.failAt(0, len(runes), CodeCost, "this rule has too many parts", "split it, with named conditions")
		return c, nil
	}
	return c, parsed
}
