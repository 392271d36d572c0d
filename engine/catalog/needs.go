package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

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
