package rule

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
)

// Part is a part of a rule, as it is written, with what it comes to. A part that reads what was left blank is neither:
// its Blank is true, and something beside it decides.
type Part struct {
	Text  string
	Truth Truth
	Blank bool
	// Causes are the reasons for which it is unknown.
	Causes []forms.Cause
	// Parts are what stands between its outermost `&&` or `||`, and what follows `!`; none if it is neither.
	Parts []Part
}

// Span returns where the rule stands in its file.
func (r *Rule) Span() diag.Span { return r.scalar.Whole() }

// Explain returns the rule with what each of its parts comes to over what env knows. Unlike [Rule.Eval] it evaluates
// every part, also those that decide nothing.
func (r *Rule) Explain(env forms.Env) Part {
	state := &run{tree: r.tree, env: env}
	program, err := r.env.Program(r.checked, cel.EvalOptions(cel.OptTrackState, cel.OptExhaustiveEval), cel.CostLimit(costBudget))
	if err != nil { // the same expression was planned when it was compiled
		return Part{Text: r.scalar.Text}
	}
	_, details, _ := program.Eval(state)
	var explain func(ast.Expr) Part
	explain = func(e ast.Expr) Part {
		p := Part{Text: r.source.written(e)}
		if v, ok := details.State().Value(e.ID()); ok {
			switch v := v.(type) {
			case types.Bool:
				p.Truth = False
				if v {
					p.Truth = True
				}
			case *types.Unknown:
				p.Causes = state.because(v)
			case *types.Err:
				p.Blank = isBlank(v)
			}
		}
		for _, child := range children(e) {
			p.Parts = append(p.Parts, explain(child))
		}
		return p
	}
	whole := explain(r.checked.NativeRep().Expr())
	if whole.Text = r.scalar.Text; len(whole.Parts) == 0 { // how the parts are put together is decided by Eval
		o := r.Eval(env)
		whole.Truth, whole.Causes = o.Truth, o.Causes
	}
	return whole
}

// children are the parts between the outermost `&&` or `||` of an expression, or what follows its `!`.
func children(e ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind {
		return nil
	}
	function := e.AsCall().FunctionName()
	switch function {
	case operators.LogicalNot:
		return e.AsCall().Args()
	case operators.LogicalAnd, operators.LogicalOr:
		var all []ast.Expr
		for _, arg := range e.AsCall().Args() {
			if arg.Kind() == ast.CallKind && arg.AsCall().FunctionName() == function {
				all = append(all, children(arg)...)
			} else {
				all = append(all, arg)
			}
		}
		return all
	}
	return nil
}
