// Package formula computes values from answers: defaults, derived values, bounds, fees and the braces in
// texts, written in the bundle language's formulas.
//
// The grammar and the machine are those of github.com/expr-lang/expr; what may be written, which kinds fit,
// and all arithmetic are this package's own. A formula is checked when it is compiled and lowered onto
// routines that know money, dates and exact decimals, so that no integer wraps, no number passes through a
// binary float, nothing reads a clock, and the work of one evaluation has a bound that is known before.
// docs/decisions/formulas-expr.md says why.
package formula

import (
	"errors"
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Codes of the findings, documented in docs/diagnostics.md.
const (
	CodeSyntax          = "formula-syntax"           // not a formula
	CodeUnknownField    = "formula-unknown-field"    // a path, option or variable that is not there
	CodeUnknownFunction = "formula-unknown-function" // a function that is not there
	CodeType            = "formula-type"             // kinds that do not fit
	CodeForbidden       = "formula-forbidden"        // something that expr has and formulas do not
	CodeUnguardedBlank  = "formula-unguarded-blank"  // reads what may be blank
	CodeEmptyList       = "formula-empty-list"       // takes the smallest of a list that may be empty
	CodeLiteral         = "formula-literal"          // a date, amount, number or region that does not exist
	CodeCost            = "formula-cost"             // too long, or too much work
)

const (
	maxLength = 4000      // code points of a formula: the parser's recursion is bounded by it
	maxNodes  = 1000      // nodes of its tree
	maxCost   = 1_000_000 // elementary steps of one evaluation, in the worst case; some 50 ms
	maxMemory = 100_000   // elements of all lists that one evaluation makes
)

// Env is what formulas may name at one place of a bundle. It is immutable; one goroutine or several may
// compile with it.
type Env struct {
	scope    forms.Scope
	sections map[string]*forms.Section
	own      map[string]*forms.Field
	facts    map[string]map[string]*forms.Field
	params   map[string]*forms.Field
	results  map[string]map[string]*forms.Field
	this     map[string]*forms.Field
}

// NewEnv returns the environment of a place. It returns an error if the scope has two things of one name.
func NewEnv(scope forms.Scope) (*Env, error) {
	e := &Env{
		scope:    scope,
		sections: make(map[string]*forms.Section, len(scope.Form)),
		facts:    make(map[string]map[string]*forms.Field, len(scope.Facts)),
		results:  make(map[string]map[string]*forms.Field, len(scope.Results)),
	}
	for _, s := range scope.Form {
		if e.sections[s.Alias] != nil {
			return nil, fmt.Errorf("formula: two sections %q in one scope", s.Alias)
		}
		e.sections[s.Alias] = s
		if _, err := byID(s.Fields, "form."+s.Alias); err != nil {
			return nil, err
		}
	}
	var err error
	if e.own, err = byID(scope.Own, "own"); err != nil {
		return nil, err
	}
	if e.params, err = byID(scope.Params, "params"); err != nil {
		return nil, err
	}
	if e.this, err = byID(scope.This, "this"); err != nil {
		return nil, err
	}
	for alias, fields := range scope.Facts {
		if e.facts[alias], err = byID(fields, "facts."+alias); err != nil {
			return nil, err
		}
	}
	for step, fields := range scope.Results {
		if e.results[step], err = byID(fields, "results."+step); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func byID(fields []*forms.Field, of string) (map[string]*forms.Field, error) {
	m := make(map[string]*forms.Field, len(fields))
	for _, f := range fields {
		if m[f.ID] != nil {
			return nil, fmt.Errorf("formula: two fields %q in %s", f.ID, of)
		}
		m[f.ID] = f
	}
	return m, nil
}

// Formula is a checked formula. It is immutable and may be evaluated by several goroutines at once.
type Formula struct {
	text    string
	program *vm.Program
	tree    ast.Node // what the program was made of
	slots   []slot
	columns []forms.Path
	result  typ
	want    kind.Kind
}

// Compile checks a formula that is to yield a value of the wanted kind. The conjuncts inForce (see
// [forms.Conjuncts]) hold where it is evaluated and guard what it reads. Of a wanted CHOICE or CHOICES,
// field has the options; it may be nil, then any options will do.
//
// All findings are reported at once, but for a formula that cannot be parsed: there the parser stops. The
// formula is nil if there is an error.
func (e *Env) Compile(text diag.Scalar, want kind.Kind, inForce []string, field *forms.Field) (*Formula, diag.List) {
	target := typ{kind: want}
	if field != nil {
		target.options = field.Options
	}
	c := e.checker(text, inForce)
	f := c.compile(&target)
	return f, c.diags
}

func (e *Env) checker(text diag.Scalar, inForce []string) *checker {
	return &checker{
		env: e, scalar: text,
		inForce: slices.Clone(inForce), used: make([]bool, len(inForce)),
		weight: 1,
	}
}

// compile checks and lowers the checker's text; a nil target is any kind that can be printed.
func (c *checker) compile(target *typ) *Formula {
	tree := c.parse()
	if tree == nil {
		return nil
	}
	node, result := c.check(tree.Node, target)
	switch {
	case !result.valid(): // reported
	case target != nil:
		c.fits(tree.Node, result, *target)
	case !printable(result.kind):
		c.failAt(tree.Node, CodeType, fmt.Sprintf("%s cannot be printed", result), "")
	}
	if c.cost > maxCost {
		c.failAt(tree.Node, CodeCost, "this formula can take too long",
			"take functions that walk a list out of map and filter")
	}
	if c.diags.Err() != nil {
		return nil
	}
	config := &conf.Config{Functions: routines, ShortCircuit: true}
	program, err := compiler.Compile(&parser.Tree{Node: node, Source: tree.Source}, config)
	if err != nil { // not reached: only checked nodes are lowered
		c.failAt(tree.Node, CodeSyntax, "this formula cannot be compiled", "")
		return nil
	}
	f := &Formula{text: c.scalar.Text, program: program, tree: node, slots: c.slots, columns: c.columns, result: result}
	if target != nil {
		f.want = target.kind
	}
	return f
}

// Text returns the formula as it was written.
func (f *Formula) Text() string { return f.text }

// Reads returns the paths that the formula reads, in the order of their first appearance, each once.
func (f *Formula) Reads() []forms.Path {
	paths := make([]forms.Path, len(f.slots))
	for i, s := range f.slots {
		paths[i] = s.path
	}
	return paths
}

// Columns returns the cells of lists that the formula reads, as <list>.<field>, each once.
func (f *Formula) Columns() []forms.Path { return f.columns }

// Eval computes the formula. The value is unknown while any path that the formula reads is unknown, even in
// a branch that is not taken, and if the formula can not be computed: the amount does not fit (CauseFault),
// or a year's calendar is not published (CauseCalendar). It is never blank.
func (f *Formula) Eval(env forms.Env) forms.State {
	out, causes := f.run(env)
	if causes != nil {
		return forms.State{Status: forms.Unknown, Causes: causes}
	}
	value, ok := valueOf(out, f.want)
	if !ok {
		return forms.State{Status: forms.Unknown, Causes: []forms.Cause{{Kind: forms.CauseFault}}}
	}
	return forms.State{Status: forms.Known, Value: value}
}

// run returns what the machine computes, or why it is not known.
func (f *Formula) run(env forms.Env) (any, []forms.Cause) {
	fr := frame{env: env, slots: f.slots, values: make([]any, len(f.slots))}
	var causes []forms.Cause
	for i, s := range f.slots {
		state := env.State(s.path)
		switch state.Status {
		case forms.Unknown:
			causes = append(causes, state.Causes...)
			if len(state.Causes) == 0 {
				causes = append(causes, forms.Cause{Kind: s.cause(), Path: s.path})
			}
		case forms.Known:
			fr.values[i] = s.load(state.Value)
		case forms.Blank:
		}
	}
	if causes != nil {
		return nil, merged(causes)
	}
	machine := vm.VM{MemoryBudget: maxMemory}
	out, err := machine.Run(f.program, &fr)
	if err != nil {
		if absent, ok := errors.AsType[*absentError](err); ok {
			return nil, []forms.Cause{absent.cause}
		}
		return nil, []forms.Cause{{Kind: forms.CauseFault}}
	}
	return out, nil
}

// merged sorts the causes and keeps each once.
func merged(causes []forms.Cause) []forms.Cause {
	slices.SortFunc(causes, compareCauses)
	return slices.Compact(causes)
}

// routineNode calls a routine in the lowered tree.
func routineNode(name string, arguments ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: arguments}
}

func constant(value any) ast.Node { return &ast.ConstantNode{Value: value} }

// frameNode gives a routine the frame of the evaluation: `$env` is expr's name for what Run was given.
func frameNode() ast.Node { return &ast.IdentifierNode{Value: "$env"} }
