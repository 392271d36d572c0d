package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// variable is something that a rule can read: an answer, a fact, a parameter, a result, today, the place; or
// a cell of an element.
type variable struct {
	name   string       // as rules write it, for example own.wedlock
	path   forms.Path   // what [forms.Env] is asked for; of a cell: empty
	field  *forms.Field // nil for today, place and repeated sections
	typ    *types.Type
	row    *rowFields // of a list: its elements
	cause  forms.CauseKind
	always bool               // never blank: facts, parameters, today, place
	filled bool               // of a list: has an element at least wherever it is asked
	guards []string           // conjuncts that must be in force beside those of the field
	needs  []func() condition // all conjuncts that must be in force
}

// kindName is the kind as the bundle language spells it, for hints.
func (v *variable) kindName() string {
	if v.field == nil {
		return words(v.typ)
	}
	return v.field.Kind.String()
}

// rowFields are the fields of the elements of one list.
type rowFields struct {
	typ  *types.Type
	path forms.Path // of the list
	byID map[string]*variable
}

// group is an inner node of the tree of paths, such as form or form.mother.
type group struct {
	what    string // what its members are, for messages: "section", "field", …
	members map[string]*member
}

// member is a group or a variable.
type member struct {
	group    *group
	variable *variable
}

func newGroup(what string) *group { return &group{what: what, members: map[string]*member{}} }

func (g *group) names() []string { return slices.Sorted(maps.Keys(g.members)) }

// tree is everything that rules of a scope can name.
type tree struct {
	roots     *group
	variables map[string]*variable   // by name
	objects   map[string]*rowFields  // by name of the type of elements
	choices   map[string]*choiceInfo // by name of the type
}

type choiceInfo struct {
	typ     *types.Type
	options []forms.Option
}

func newTree(scope forms.Scope) (*tree, error) {
	t := &tree{
		roots: newGroup("name"), variables: map[string]*variable{},
		objects: map[string]*rowFields{}, choices: map[string]*choiceInfo{},
	}
	t.add(t.roots, &variable{name: "today", path: "today", typ: dateType, always: true, cause: forms.CauseFault})
	t.add(t.roots, &variable{name: "place", path: "place", typ: regionType, always: true, cause: forms.CauseFault})

	form := t.sub(t.roots, "form", "section")
	for _, s := range scope.Form {
		name := "form." + s.Alias
		if s.Repeated {
			row, err := t.row(name, s.Fields)
			if err != nil {
				return nil, err
			}
			t.add(form, &variable{name: name, path: forms.Path(name), typ: types.NewListType(row.typ), row: row, cause: forms.CauseAnswer, filled: s.Filled})
			continue
		}
		if err := t.fields(t.sub(form, s.Alias, "field"), name, s.Fields, variable{cause: forms.CauseAnswer}); err != nil {
			return nil, err
		}
	}
	if err := t.fields(t.sub(t.roots, "own", "field"), "own", scope.Own, variable{cause: forms.CauseAnswer}); err != nil {
		return nil, err
	}
	facts := t.sub(t.roots, "facts", "alias")
	for alias, fields := range scope.Facts {
		if err := t.fields(t.sub(facts, alias, "fact"), "facts."+alias, fields, variable{cause: forms.CauseFact, always: true}); err != nil {
			return nil, err
		}
	}
	if err := t.fields(t.sub(t.roots, "params", "parameter"), "params", scope.Params, variable{cause: forms.CauseParameter, always: true}); err != nil {
		return nil, err
	}
	results := t.sub(t.roots, "results", "step")
	for step, fields := range scope.Results {
		like := variable{cause: forms.CauseResult, guards: scope.ResultGuards[step]}
		if err := t.fields(t.sub(results, step, "result"), "results."+step, fields, like); err != nil {
			return nil, err
		}
	}
	if scope.This != nil {
		if err := t.fields(t.sub(t.roots, "this", "field"), "this", scope.This, variable{cause: forms.CauseAnswer}); err != nil {
			return nil, err
		}
	}
	t.paths(scope)
	return t, nil
}

// paths gives each variable the path under which its value is found.
func (t *tree) paths(scope forms.Scope) {
	for name, v := range t.variables {
		root, rest, _ := strings.Cut(name, ".")
		switch {
		case root == "own" && scope.Bundle != "":
			v.path = forms.Path("own." + scope.Bundle + "." + rest)
		case root == "this" && scope.ThisPath != "":
			v.path = scope.ThisPath + "." + forms.Path(rest)
		default:
			v.path = forms.Path(name)
		}
		if v.row != nil {
			v.row.path = v.path
		}
	}
}

func (t *tree) sub(g *group, name, what string) *group {
	inner := newGroup(what)
	g.members[name] = &member{group: inner}
	return inner
}

func (t *tree) add(g *group, v *variable) {
	last := v.name[strings.LastIndexByte(v.name, '.')+1:]
	g.members[last] = &member{variable: v}
	t.variables[v.name] = v
}

func (t *tree) fields(g *group, prefix string, fields []*forms.Field, like variable) error {
	for _, f := range fields {
		v, err := t.variable(prefix+"."+f.ID, f)
		if err != nil {
			return err
		}
		v.cause, v.always, v.guards = like.cause, like.always, like.guards
		t.add(g, v)
	}
	return nil
}

func (t *tree) variable(name string, f *forms.Field) (*variable, error) {
	v := &variable{name: name, field: f}
	switch f.Kind {
	case kind.KindText, kind.KindPhone, kind.KindPlate, kind.KindBankAccount, kind.KindUSCC:
		v.typ = types.StringType
	case kind.KindBool:
		v.typ = types.BoolType
	case kind.KindInt:
		v.typ = types.IntType
	case kind.KindDecimal:
		v.typ = decimalType
	case kind.KindMoney:
		v.typ = moneyType
	case kind.KindDate:
		v.typ = dateType
	case kind.KindCitizenNumber:
		v.typ = citizenType
	case kind.KindAddress:
		v.typ = addressType
	case kind.KindFile:
		v.typ = fileType
	case kind.KindChoice:
		v.typ = t.choice(choicePrefix, f.Options)
	case kind.KindChoices:
		v.typ = t.choice(choicesPrefix, f.Options)
	case kind.KindList:
		row, err := t.row(name, f.Row)
		if err != nil {
			return nil, err
		}
		v.row, v.typ, v.filled = row, types.NewListType(row.typ), f.Filled
	default:
		return nil, fmt.Errorf("rule: field %s has no kind", name)
	}
	return v, nil
}

func (t *tree) choice(prefix string, options []forms.Option) *types.Type {
	typ := choiceType(prefix, options)
	if known := t.choices[typ.TypeName()]; known != nil {
		return known.typ
	}
	t.choices[typ.TypeName()] = &choiceInfo{typ: typ, options: options}
	return typ
}

func (t *tree) row(name string, fields []*forms.Field) (*rowFields, error) {
	row := &rowFields{typ: types.NewObjectType(rowPrefix + name), byID: map[string]*variable{}}
	for _, f := range fields {
		cell, err := t.variable(f.ID, f)
		if err != nil {
			return nil, err
		}
		row.byID[f.ID] = cell
	}
	t.objects[row.typ.TypeName()] = row
	return row, nil
}

// provider tells CEL of the parts of elements and of the options of answers.
type provider struct {
	*types.Registry
	tree *tree
}

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if row := p.tree.objects[name]; row != nil {
		return types.NewTypeTypeWithParam(row.typ), true
	}
	if choice := p.tree.choices[name]; choice != nil {
		return types.NewTypeTypeWithParam(choice.typ), true
	}
	return nil, false
}

func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if row := p.tree.objects[name]; row != nil {
		return slices.Sorted(maps.Keys(row.byID)), true
	}
	if choice := p.tree.choices[name]; choice != nil {
		return optionIDs(choice.options), true
	}
	return nil, false
}

// FindStructFieldType leaves reading to the values themselves: an unknown cell has to pass through.
func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if row := p.tree.objects[name]; row != nil {
		if cell := row.byID[field]; cell != nil {
			return &types.FieldType{Type: cell.typ}, true
		}
	}
	if choice := p.tree.choices[name]; choice != nil && slices.Contains(optionIDs(choice.options), field) {
		return &types.FieldType{Type: types.BoolType}, true
	}
	return nil, false
}

func optionIDs(options []forms.Option) []string {
	ids := make([]string, len(options))
	for i, o := range options {
		ids[i] = o.ID
	}
	return ids
}
