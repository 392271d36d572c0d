package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

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
