// Package rule decides: it compiles the yes-or-no expressions of a bundle, which are CEL, and evaluates them
// three-valued over a record in which answers are missing.
package rule

import (
	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
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
	scope forms.Scope
}

// NewEnv returns the environment of the rules that stand where scope is in sight.
func NewEnv(scope forms.Scope) (*Env, error) {
	return &Env{scope: scope}, nil
}

// Options say how a rule stands in its bundle.
type Options struct {
	// InForce are the canonical conjuncts (see [forms.Conjuncts]) that hold wherever the rule is evaluated,
	// for example those of its own `when`.
	InForce []string
}

// Rule is a compiled rule. It is immutable and safe for concurrent use.
type Rule struct {
	text  string
	reads []forms.Path
}

// Compile checks a rule and prepares it. The rule is nil if the list holds an error.
func (e *Env) Compile(text diag.Scalar, o Options) (*Rule, diag.List) {
	_ = o
	return &Rule{text: text.Text}, nil
}

// Text returns the rule as it was written.
func (r *Rule) Text() string { return r.text }

// Reads returns every path that the rule may read, sorted: those of a section behind `this` by their path,
// those of an element as `this.<field>`.
func (r *Rule) Reads() []forms.Path { return r.reads }

// Eval says whether the rule holds over what env knows.
func (r *Rule) Eval(env forms.Env) Outcome {
	_ = env
	return Outcome{}
}
