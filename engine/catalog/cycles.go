package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
)

// cycles reports fields that decide one another, and results that are read before their step is settled.
func (c *compiler) cycles() {
	const visiting, done = 1, 2
	state := map[forms.Path]int{}
	var stack []forms.Path
	reported := false
	var visit func(*Field)
	visit = func(f *Field) {
		state[f.Path] = visiting
		stack = append(stack, f.Path)
		reads := f.reads()
		if f.Default != nil {
			reads = append(reads, f.Default.Reads()...)
		}
		for _, p := range reads {
			next := c.bundle.fields[p]
			switch {
			case next == nil || reported:
			case state[p] == visiting:
				reported = true
				var ring []string
				for _, q := range append(slices.Clone(stack[slices.Index(stack, p):]), p) {
					ring = append(ring, c.spelled(q))
				}
				w := c.written[f]
				c.fault(w.source.At(w.item, ""), "field-cycle", "these fields decide one another: "+strings.Join(ring, " → "), "take one of the rules or formulas away")
			case state[p] == 0:
				visit(next)
			}
		}
		stack = stack[:len(stack)-1]
		state[f.Path] = done
	}
	for _, p := range c.bundle.order {
		if state[p] == 0 {
			visit(c.bundle.fields[p])
		}
	}
	for _, p := range c.bundle.order {
		if !reported {
			reported = c.cellCycle(c.bundle.fields[p])
		}
	}
	if reported {
		return
	}
	settled := func(paths []forms.Path, before []*Step, at diag.Span, where string) {
		for p := range c.bundle.Closure(paths) {
			f := c.bundle.fields[p]
			if f.Derive == nil {
				continue
			}
			for _, r := range f.Derive.Reads() {
				if r.Root() != "results" {
					continue
				}
				id := r.Segments()[1]
				if !slices.ContainsFunc(before, func(s *Step) bool { return s.ID == id }) {
					c.fault(at, "result-unsettled", fmt.Sprintf("%s reads `%s`, a result of the step `%s`, before that is settled", where, c.spelled(p), id), "results may be read by later steps only")
				}
			}
		}
	}
	for _, r := range c.message.GetEligibility() {
		i := slices.IndexFunc(c.bundle.Eligibility, func(compiled *Rule) bool { return compiled.ID == r.GetId() })
		settled(c.bundle.Eligibility[i].Reads(), nil, c.source.At(r, "require"), "the rule `"+r.GetId()+"`")
	}
	for _, m := range c.message.GetSteps() {
		step := c.bundle.Step(m.GetId())
		settled(step.Reads(), c.bundle.Before(step), c.source.At(m, "needs"), "the step `"+step.ID+"`")
	}
}

// cellCycle reports fields of an element that decide one another.
func (c *compiler) cellCycle(list *Field) bool {
	const visiting, done = 1, 2
	state := map[*Field]int{}
	var stack []string
	var visit func(*Field) bool
	visit = func(cell *Field) bool {
		state[cell] = visiting
		stack = append(stack, "this."+cell.ID)
		reads := cell.reads()
		if cell.Default != nil {
			reads = append(reads, cell.Default.Reads()...)
		}
		for _, p := range reads {
			id, ok := strings.CutPrefix(string(p), "this.")
			next := list.Cell(id)
			if !ok || next == nil || state[next] == done {
				continue
			}
			if state[next] == visiting {
				w := c.written[cell]
				ring := append(slices.Clone(stack[slices.Index(stack, "this."+id):]), "this."+id)
				c.fault(w.source.At(w.item, ""), "field-cycle", "these fields decide one another: "+strings.Join(ring, " → "), "take one of the rules or formulas away")
				return true
			}
			if visit(next) {
				return true
			}
		}
		stack = stack[:len(stack)-1]
		state[cell] = done
		return false
	}
	return slices.ContainsFunc(list.Row, func(cell *Field) bool { return state[cell] == 0 && visit(cell) })
}

// spelled is a path as the bundle writes it.
func (c *compiler) spelled(p forms.Path) string {
	if field, own := strings.CutPrefix(string(p), "own."+c.bundle.ID+"."); own {
		return "own." + field
	}
	return string(p)
}
