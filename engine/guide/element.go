package guide

import (
	"strconv"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// element is one row of a list in an evaluation: what stands at its fields reads it as `this`.
type element struct {
	*evaluation
	list  *catalog.Field
	row   int
	cells kind.Row
	known map[string]forms.State
}

// rows are the elements of a list as they were given; none of one that is not answered.
func (e *evaluation) rows(list *catalog.Field) kind.List {
	if list.Kind != kind.KindList {
		return nil
	}
	value, _ := e.get(list.Path)
	rows, _ := value.(kind.List)
	return rows
}

// element returns the row of a list; one that is not there is empty.
func (e *evaluation) element(list *catalog.Field, row int) *element {
	el := &element{evaluation: e, list: list, row: row, known: map[string]forms.State{}}
	if rows := e.rows(list); row < len(rows) {
		el.cells = rows[row]
	}
	return el
}

// at is where the expressions of the field at a path read: in the form, or in the element of its cell.
func (e *evaluation) at(p forms.Path) forms.Env {
	if list, row, _, ok := p.Cell(); ok {
		return e.element(e.bundle.Field(list), row)
	}
	return e
}

// State implements [forms.Env]: `this.<field>` is a cell of the element.
func (el *element) State(p forms.Path) forms.State {
	id, ok := strings.CutPrefix(string(p), "this.")
	if !ok {
		return el.evaluation.State(p)
	}
	s, ok := el.known[id]
	if !ok {
		s = el.cell(id)
		el.known[id] = s
	}
	return s
}

// cell is what is known of one cell.
func (el *element) cell(id string) forms.State {
	p := el.list.Path.CellOf(el.row, id)
	f := el.list.Cell(id)
	if f == nil { // not asked by this bundle
		return unknown(forms.Cause{Kind: forms.CauseAnswer, Path: p})
	}
	switch shown := el.isShown(f); shown.Truth {
	case rule.False:
		return forms.State{Status: forms.Blank}
	case rule.Unknown:
		return unknown(shown.Causes...)
	case rule.True:
	}
	value, answered := el.cells[id]
	return el.answer(el, f, p, value, answered)
}

// isShown says whether the element shows a field.
func (el *element) isShown(f *catalog.Field) rule.Outcome { return el.asks(el, f) }

// elements is a list as rules and formulas read it: what is hidden is blank, what is derived is there, and what is not
// known is absent. Why it is not known is kept beside, where it is not just that nobody has answered it.
func (e *evaluation) elements(list *catalog.Field, given kind.List) kind.List {
	rows := make(kind.List, len(given))
	for i := range given {
		rows[i] = kind.Row{}
		el := e.element(list, i)
		for _, f := range list.Row {
			switch s := el.State(forms.Path("this." + f.ID)); s.Status {
			case forms.Known:
				rows[i][f.ID] = s.Value
			case forms.Blank:
				rows[i][f.ID] = nil
			case forms.Unknown:
				e.open[list.Path.CellOf(i, f.ID)] = s.Causes
			}
		}
	}
	return rows
}

// assessRows says of each cell of a list whether it is asked, as [Field] says of a field.
func (e *evaluation) assessRows(list *catalog.Field) [][]*Cell {
	var rows [][]*Cell
	for i := range e.rows(list) {
		el := e.element(list, i)
		cells := make([]*Cell, 0, len(list.Row))
		for _, f := range list.Row {
			at := func(e *evaluation) *element { return e.element(list, i) }
			c := &Cell{Field: f.Field, Path: list.Path.CellOf(i, f.ID), Options: e.options(el, f),
				Shown: e.try(func(e *evaluation) rule.Outcome { return at(e).isShown(f) }).Truth, Required: rule.False}
			switch _, answered := el.cells[f.ID]; {
			case c.Shown == rule.False:
			case f.Field.Derived:
				if s := el.State(forms.Path("this." + f.ID)); s.Status == forms.Known {
					c.Derived = s.Value
				}
			default:
				c.Required = e.try(func(e *evaluation) rule.Outcome { return and(at(e).isShown(f), e.isRequired(at(e), f)) }).Truth
				if !answered && f.Default != nil {
					if s := e.compute(el, f.Default); s.Status == forms.Known {
						c.Proposal = s.Value
					}
				}
			}
			cells = append(cells, c)
		}
		rows = append(rows, cells)
	}
	return rows
}

// MaterialName is the name of a material of a bundle, by its id; one that is asked for an element of a list is named
// with the values of that element in the record.
func MaterialName(b *catalog.Bundle, id string, record forms.Record) forms.Text {
	m := b.Material(id)
	if m == nil {
		return forms.Text{ZH: id}
	}
	row, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(id, m.ID+"["), "]"))
	if m.Title.ZH == "" || err != nil {
		return m.Name
	}
	e := newEvaluation(b, record, &Setting{})
	return m.Title.Render(e.element(b.Field(m.Per), row))
}
