package bundletest

import (
	"fmt"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/rule"
)

// reach collects what the tests of a bundle reach.
type reach struct {
	bundle    *catalog.Bundle
	decisions []catalog.Decision
	both      []struct{ holds, fails bool } // by decision
	rules     map[string]bool               // that fail in some test
	steps     map[string]bool               // that apply in some test
	tolerated map[string]bool
	promised  map[string]bool
}

func newReach(b *catalog.Bundle) *reach {
	r := &reach{bundle: b, rules: map[string]bool{}, steps: map[string]bool{}, tolerated: map[string]bool{}, promised: map[string]bool{}}
	for _, d := range b.Decisions() {
		// What stands in a library is no bundle's to test; and `when: "false"` reads nothing that could be otherwise.
		if d.Rule.Span().File == catalog.BundleFile(b.ID) && len(d.Rule.Reads()) > 0 {
			r.decisions = append(r.decisions, d)
		}
	}
	r.both = make([]struct{ holds, fails bool }, len(r.decisions))
	return r
}

func (r *reach) add(t *Test, a *guide.Assessment) {
	for _, c := range a.Cases {
		for _, x := range c.Rules {
			r.rules[x.ID] = r.rules[x.ID] || x.Outcome.Truth == rule.False
		}
		for _, s := range c.Steps {
			r.steps[s.ID] = r.steps[s.ID] || s.Applies.Truth == rule.True
		}
		for _, m := range c.Materials {
			id := catalog.Unnumbered(m.ID)
			r.tolerated[id] = r.tolerated[id] || m.Tolerable.Truth == rule.True
			r.promised[id] = r.promised[id] || m.Promisable.Truth == rule.True
		}
	}
	for _, v := range a.Faults {
		r.rules[v.Rule] = true
	}
	trace := guide.NewTrace(r.bundle, t.Record, t.Setting)
	for i, d := range r.decisions {
		for _, o := range trace.Outcomes(d) {
			r.both[i].holds = r.both[i].holds || o.Truth == rule.True
			r.both[i].fails = r.both[i].fails || o.Truth == rule.False
		}
	}
}

// unreached are rules that no test makes fail, steps that apply in none, tolerances and promises that none offers.
func (r *reach) unreached(at diag.Span) diag.List {
	var found diag.List
	warn := func(reached bool, format, id string) {
		if !reached {
			found = append(found, diag.Diagnostic{Span: at, Severity: diag.Warning, Code: CodeUnreached, Message: fmt.Sprintf(format, id)})
		}
	}
	for _, x := range r.bundle.Eligibility {
		warn(r.rules[x.ID] || x.Examine != nil, "no test makes the rule `%s` fail", x.ID)
	}
	for _, s := range r.bundle.Steps {
		warn(r.steps[s.ID], "the step `%s` applies in no test", s.ID)
	}
	for _, m := range r.bundle.Materials {
		warn(r.tolerated[m.ID] || m.Tolerate == nil, "no test offers the tolerance of `%s`", m.ID)
		warn(r.promised[m.ID] || m.Promise == nil, "no test offers the promise of `%s`", m.ID)
	}
	return found
}

// uncovered are the rules of which no test sees both ways, at their place.
func (r *reach) uncovered() diag.List {
	var found diag.List
	for i, d := range r.decisions {
		missing := ""
		switch seen := r.both[i]; {
		case !seen.holds && !seen.fails:
			missing = "is decided by no test"
		case !seen.holds:
			missing = "holds in no test"
		case !seen.fails:
			missing = "fails in no test"
		default:
			continue
		}
		found = append(found, diag.Diagnostic{Span: d.Rule.Span(), Severity: diag.Warning, Code: CodeUncovered, Message: d.What + " " + missing,
			Hint: "add a test with an answer that makes it so"})
	}
	return found
}
