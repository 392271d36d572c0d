package rule

import (
	"slices"

	"cel.dev/cel-go/cel"

	"github.com/siyiban/onething/forms"
)

// Plain is rules as cel-go has them, without what this package adds: their programs, and one activation in which the
// value of every variable that they read is adapted beforehand. The benchmarks measure against it.
func Plain(rules []*Rule, env forms.Env) (programs []cel.Program, activation map[string]any) {
	activation = map[string]any{}
	state := &run{env: env}
	activation[calendarName] = calendar{value{typ: calendarType}, state}
	for _, r := range rules {
		programs = append(programs, r.program)
		for name, v := range r.tree.variables {
			if _, done := activation[name]; !done && slices.Contains(r.reads, v.path) {
				activation[name] = state.read(v)
			}
		}
	}
	return programs, activation
}
