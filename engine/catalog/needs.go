package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// fieldMessage is a field as it is written.
type fieldMessage = formsv1.Field

// needs resolves what a step needs.
func (c *compiler) needs(step *Step, m *bundlev1.Step) {
	needed := map[forms.Path]bool{}
	for i, name := range m.GetNeeds().GetFields() {
		at := c.source.Element(m.GetNeeds(), "fields", i)
		paths, column := c.need(name)
		if len(paths) == 0 {
			c.unknown(at, "need-unknown", "field or alias", name, c.needNames())
			continue
		}
		for _, p := range paths {
			c.bundle.places["need "+step.ID+" "+string(p)] = at
			columns, partly := step.Columns[p]
			if needed[p] && (column == "" || !partly || slices.Contains(columns, column)) {
				c.fault(at, "need-duplicate", fmt.Sprintf("the step needs `%s` twice", name), "leave one out")
				break
			}
			needed[p] = true
			if column == "" {
				continue
			}
			if step.Columns == nil {
				step.Columns = map[forms.Path][]string{}
			}
			step.Columns[p] = append(columns, column)
			c.columns[p+"."+forms.Path(column)] = true
		}
	}
	for _, p := range c.bundle.order {
		if needed[p] {
			step.Fields = append(step.Fields, p)
		}
	}
	before := c.bundle.Before(step)
	for i, name := range m.GetNeeds().GetResults() {
		at := c.source.Element(m.GetNeeds(), "results", i)
		id, field, _ := strings.Cut(name, ".")
		earlier := c.bundle.Step(id)
		switch {
		case earlier == nil:
			c.unknown(at, "step-unknown", "step", id, stepIDs(c.bundle))
		case !slices.ContainsFunc(earlier.Result, func(f *Field) bool { return f.ID == field }):
			var fields []string
			for _, f := range earlier.Result {
				fields = append(fields, id+"."+f.ID)
			}
			c.unknown(at, "result-unknown", "result", name, fields)
		case !slices.Contains(before, earlier):
			c.fault(at, "result-unsettled", fmt.Sprintf("the step `%s` need not be settled when `%s` opens", id, step.ID), fmt.Sprintf("add `%s` to `after`", id))
		case c.stepMessage(id).When != nil && !subset(forms.Conjuncts(c.stepMessage(id).GetWhen(), ""), forms.Conjuncts(m.GetWhen(), "")):
			c.fault(at, "result-conditional", fmt.Sprintf("the step `%s` may not apply, and then there is no `%s`", id, name),
				"read it through a derived field with `given`, or give this step the same `when`")
		default:
			step.Results = append(step.Results, forms.Path("results."+name))
		}
	}
	for i, need := range m.GetNeeds().GetMaterials() {
		material := c.bundle.Material(need.GetUse())
		if material == nil && c.without {
			continue
		}
		if material == nil {
			var ids []string
			for _, known := range c.bundle.Materials {
				ids = append(ids, known.ID)
			}
			c.unknown(c.source.Element(m.GetNeeds(), "materials", i), "material-unknown", "material", need.GetUse(), ids)
			continue
		}
		step.Materials = append(step.Materials, Need{Material: material,
			BeforeExamination: need.GetBefore() == bundlev1.MaterialNeed_EXAMINATION || need.GetBefore() == bundlev1.MaterialNeed_BEFORE_UNSPECIFIED && !material.Secondary})
	}
}

// need resolves the name of something that a step needs: a section, a field, or one field of a list's elements.
func (c *compiler) need(name string) (paths []forms.Path, column string) {
	parts := strings.Split(name, ".")
	p := forms.Path("form." + name)
	if parts[0] == "own" && len(parts) > 1 {
		p = forms.Path("own." + c.bundle.ID + "." + strings.Join(parts[1:], "."))
	}
	if c.bundle.fields[p] != nil {
		return []forms.Path{p}, ""
	}
	if len(parts) == 1 {
		if s := c.bundle.Section(name); s != nil {
			for _, f := range s.Fields {
				paths = append(paths, f.Path)
			}
		}
		return paths, ""
	}
	column = parts[len(parts)-1]
	list := forms.Path(strings.TrimSuffix(string(p), "."+column))
	if f := c.bundle.fields[list]; f != nil && f.Cell(column) != nil {
		return []forms.Path{list}, column
	}
	return nil, ""
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

func (c *compiler) needNames() []string {
	var names []string
	for _, s := range c.bundle.Sections {
		names = append(names, s.Alias)
		for _, f := range s.Fields {
			name := s.Alias
			if !s.Repeated {
				name += "." + f.ID
				names = append(names, name)
			}
			for _, cell := range f.Row {
				names = append(names, name+"."+cell.ID)
			}
		}
	}
	for _, f := range c.bundle.Own {
		names = append(names, "own."+f.ID)
		for _, cell := range f.Row {
			names = append(names, "own."+f.ID+"."+cell.ID)
		}
	}
	return names
}

// reads returns everything that decides a field's visibility, requirement and value.
func (f *Field) reads() []forms.Path {
	var paths []forms.Path
	if f.Section != nil {
		paths = append(paths, readsOf(f.Section.When)...)
	}
	for _, r := range f.When {
		paths = append(paths, r.Reads()...)
	}
	paths = append(paths, readsOf(f.RequireRule)...)
	paths = append(paths, readsOf(f.Is)...)
	if f.Derive != nil {
		paths = append(paths, f.Derive.Reads()...)
	}
	for _, r := range f.OptionWhen {
		paths = append(paths, readsOf(r)...)
	}
	for _, cell := range f.Row {
		paths = append(paths, outside(cell.reads())...)
	}
	return paths
}

// outside leaves out what is read of the element itself.
func outside(paths []forms.Path) []forms.Path {
	return slices.DeleteFunc(paths, func(p forms.Path) bool { return p.Root() == "this" })
}

// proposes returns what a field's default and bounds read.
func (f *Field) proposes() []forms.Path {
	var paths []forms.Path
	if f.Default != nil {
		paths = append(paths, f.Default.Reads()...)
	}
	if f.Min != nil {
		paths = append(paths, f.Min.Reads()...)
	}
	if f.Max != nil {
		paths = append(paths, f.Max.Reads()...)
	}
	for _, cell := range f.Row {
		paths = append(paths, outside(cell.proposes())...)
	}
	return paths
}

func readsOf(r *rule.Rule) []forms.Path {
	if r == nil {
		return nil
	}
	return r.Reads()
}

// Reads returns everything that decides the rule.
func (r *Rule) Reads() []forms.Path {
	var paths []forms.Path
	for _, part := range r.Parts() {
		paths = append(paths, part.Reads()...)
	}
	return paths
}

// Closure returns the fields that are needed to know the given paths: themselves, and what decides whether they
// are shown and what they are. A fact needs the number of the person whom it is about.
func (b *Bundle) Closure(paths []forms.Path) map[forms.Path]bool {
	needed := map[forms.Path]bool{}
	var visit func(forms.Path)
	visit = func(p forms.Path) {
		if p.Root() == "facts" {
			if s := b.Section(p.Segments()[1]); s != nil {
				p = s.Subject()
			}
		}
		f := b.fields[p]
		if f == nil || needed[p] {
			return
		}
		needed[p] = true
		for _, q := range f.reads() {
			visit(q)
		}
	}
	for _, p := range paths {
		visit(p)
	}
	return needed
}

// Decisive returns what decides the verdict, which steps apply and who all have to submit: asked of every applicant.
func (b *Bundle) Decisive() []forms.Path {
	var paths []forms.Path
	if b.Together != nil {
		paths = append(paths, readsOf(b.Together.When)...)
		for _, alias := range b.Applicants {
			paths = append(paths, b.Section(alias).Subject())
		}
	}
	for _, r := range b.Eligibility {
		paths = append(paths, r.Reads()...)
	}
	for _, s := range b.Steps {
		paths = append(paths, readsOf(s.When)...)
	}
	return paths
}

// Reads returns what a step needs to be done once it applies: its fields, and what decides its materials,
// limits, fee and conditions.
func (s *Step) Reads() []forms.Path {
	paths := slices.Clone(s.Fields)
	for _, n := range s.Materials {
		paths = append(paths, n.Material.reads()...)
	}
	for _, r := range s.Conditions {
		paths = append(paths, r.Reads()...)
	}
	paths = append(paths, readsOf(s.AutoApprove)...)
	for _, l := range slices.Concat(s.Promised, s.Statutory) {
		paths = append(paths, readsOf(l.When)...)
	}
	for _, f := range s.Fee {
		paths = append(paths, readsOf(f.When)...)
		if f.Amount != nil {
			paths = append(paths, f.Amount.Reads()...)
		}
	}
	return paths
}

func (m *Material) reads() []forms.Path {
	paths := slices.Concat(readsOf(m.When), m.Title.reads())
	if m.Tolerate != nil {
		paths = append(paths, readsOf(m.Tolerate.When)...)
	}
	if m.Promise != nil {
		paths = append(paths, readsOf(m.Promise.When)...)
	}
	if m.Per != "" {
		paths = append(outside(paths), m.Per)
	}
	return paths
}

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

// unused reports what nothing needs: a question nobody needs is not to be asked, a document neither.
func (c *compiler) unused() {
	read := map[forms.Path]bool{}
	mark := func(paths []forms.Path) {
		for _, p := range paths {
			read[p] = true
		}
	}
	mark(c.bundle.Decisive())
	for _, r := range c.bundle.Checks {
		mark(r.Reads())
	}
	for _, s := range c.bundle.Steps {
		mark(s.Reads())
	}
	for _, p := range c.bundle.order {
		f := c.bundle.fields[p]
		mark(f.reads())
		mark(f.proposes())
	}
	for _, r := range slices.Concat(c.bundle.Eligibility, c.bundle.Checks) {
		mark(r.Because.reads())
		mark(r.Remedy.reads())
	}
	for _, f := range c.bundle.Own {
		if !read[f.Path] {
			w := c.written[f]
			c.fault(w.source.At(w.item, "field"), "field-unused", fmt.Sprintf("nothing reads `own.%s`, so it must not be asked", f.ID), "let a step need it or a rule read it, or leave it out")
		}
	}
	for _, list := range c.bundle.Own {
		for _, cell := range list.Row {
			if read[list.Path] && !c.asked(list)[cell.ID] {
				w := c.written[cell]
				c.fault(w.source.At(w.item, "field"), "field-unused", fmt.Sprintf("nothing reads `%s` of `own.%s`, so it must not be asked", cell.ID, list.ID),
					"let a step need it or a rule read it, or leave it out")
			}
		}
	}
	needed := map[*Material]bool{}
	for _, s := range c.bundle.Steps {
		for _, n := range s.Materials {
			needed[n.Material] = true
		}
	}
	for i, m := range c.bundle.Materials {
		if !needed[m] {
			c.fault(c.source.At(c.message.GetMaterials()[i], ""), "material-unused", fmt.Sprintf("no step needs the material `%s`, so it must not be asked", m.ID), "let a step need it, or leave it out")
		}
	}
}

// asked are the fields of a list's elements that the bundle needs: those that a step needs or something reads, and what
// decides these. A list of which nothing but the length is read keeps all of them.
func (c *compiler) asked(list *Field) map[string]bool {
	asked := map[string]bool{}
	var ask func(*Field)
	ask = func(cell *Field) {
		if cell == nil || asked[cell.ID] {
			return
		}
		asked[cell.ID] = true
		for _, p := range cell.reads() {
			if id, ok := strings.CutPrefix(string(p), "this."); ok {
				ask(list.Cell(id))
			}
		}
	}
	for _, s := range c.bundle.Steps {
		if _, partly := s.Columns[list.Path]; partly || !slices.Contains(s.Fields, list.Path) {
			continue
		}
		for _, cell := range list.Row {
			ask(cell)
		}
	}
	for _, cell := range list.Row {
		if c.columns[list.Path+"."+forms.Path(cell.ID)] {
			ask(cell)
		}
	}
	if len(asked) == 0 {
		for _, cell := range list.Row {
			asked[cell.ID] = true
		}
	}
	return asked
}

// narrow takes out of every list of the form what the bundle does not need of its elements, so that it is not asked.
func (c *compiler) narrow() {
	for _, p := range c.bundle.order {
		list := c.bundle.fields[p]
		if list.Kind != kind.KindList {
			continue
		}
		asked := c.asked(list)
		list.Row = slices.DeleteFunc(list.Row, func(cell *Field) bool { return !asked[cell.ID] })
		list.Field.Row = nil
		for _, cell := range list.Row {
			list.Field.Row = append(list.Field.Row, cell.Field)
		}
	}
}
