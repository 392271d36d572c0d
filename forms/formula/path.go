package formula

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// roots are the first names of paths.
var roots = []string{"form", "own", "facts", "params", "results", "this", "today", "place"} //nolint:gochecknoglobals // a constant table

func isReserved(name string) bool {
	_, function := signatures[name]
	return function || slices.Contains(roots, name) || slices.Contains(special, name)
}

// part is one name of a chain, `a.b.c`.
type part struct {
	name string
	node ast.Node // what the chain is up to and with this name
}

// place is what a path leads to.
type target struct {
	typ     typ
	field   *forms.Field // nil for today, place and repeated sections
	written string       // as conditions in force name it
	guards  []string     // conjuncts that must be in force, beside those of the field
	result  bool         // of a step: there is no blank, but a step may not apply
	facts   bool         // of the engine: never blank
	path    forms.Path   // "" for a field of an element
	element ast.Node     // the element, of such a field
	rest    []part       // what follows the path
}

// parts takes a chain apart. The root is the node that the chain begins with.
func parts(n ast.Node) (root ast.Node, names []part, ok bool) {
	member, is := n.(*ast.MemberNode)
	if !is {
		return n, nil, true
	}
	name, is := member.Property.(*ast.StringNode)
	if !is || member.Method {
		return nil, nil, false
	}
	root, names, ok = parts(member.Node)
	return root, append(names, part{name: name.Value, node: n}), ok
}

// path checks and lowers an identifier or a chain.
func (c *checker) path(n ast.Node) (ast.Node, typ) {
	root, names, ok := parts(n)
	if !ok {
		return c.refuse(n, "only functions can be called", "")
	}
	switch root := root.(type) {
	case *ast.IdentifierNode:
		if v, found := c.variable(root.Value); found {
			return c.members(&ast.IdentifierNode{Value: v.unique}, v.typ, v.name, names)
		}
	case *ast.PointerNode:
		if root.Name != "" {
			return c.refuse(root, fmt.Sprintf("#%s is not allowed in a formula", root.Name), "")
		}
		if c.element == nil {
			return c.refuse(root, "# and a leading point mean an element inside map and filter", "")
		}
		if len(names) == 0 || c.element.kind != kindRow {
			return c.members(&ast.PointerNode{}, *c.element, "#", names)
		}
	default:
		node, t := c.check(root, nil)
		if !t.valid() {
			return nil, typ{}
		}
		return c.members(node, t, c.quoted(root), names)
	}
	to, ok := c.resolve(n)
	if !ok {
		return nil, typ{}
	}
	c.guard(n, to)
	node := c.read(to)
	return c.members(node, to.typ, to.written, to.rest)
}

func (c *checker) variable(name string) (variable, bool) {
	for _, v := range slices.Backward(c.variables) {
		if v.name == name {
			return v, true
		}
	}
	return variable{}, false
}

// members goes on with the parts after a value: the option of a choice, a field of an element.
func (c *checker) members(node ast.Node, t typ, name string, names []part) (ast.Node, typ) {
	if len(names) == 0 || !t.valid() {
		return node, t
	}
	p := names[0]
	switch t.kind {
	case kind.KindChoice, kind.KindChoices:
		if !c.isOption(p.node, p.name, t.options) {
			return nil, typ{}
		}
		return c.members(routineNode("is", node, constant(p.name)), typ{kind: kind.KindBool}, name+"."+p.name, names[1:])
	case kind.KindList:
		return c.mistyped(p.node, fmt.Sprintf("%s is a list, %s a part of its elements", name, p.name),
			fmt.Sprintf("write map(%s, .%s)", name, p.name))
	case kindRow:
		return c.refuse(p.node, "an element is used inside map and filter", "")
	default:
		return c.mistyped(p.node, fmt.Sprintf("%s is %s and has no parts", name, t), "")
	}
}

// resolve finds what a chain leads to, and reports it if that is nothing.
func (c *checker) resolve(n ast.Node) (target, bool) {
	root, names, _ := parts(n)
	if _, is := root.(*ast.PointerNode); is {
		return c.elementField(names)
	}
	e, ident := c.env, root.(*ast.IdentifierNode)
	switch ident.Value {
	case "today":
		return target{typ: typ{kind: kind.KindDate}, written: "today", path: "today", facts: true, rest: names}, true
	case "place":
		return target{typ: typ{kind: kindRegion}, written: "place", path: "place", facts: true, rest: names}, true
	case "form":
		return c.formField(ident, names)
	case "own":
		to, ok := c.field(ident, names, "own", e.own)
		if ok && to.field.Path == "" {
			to.path = forms.Path("own." + e.scope.Bundle + "." + to.field.ID)
		}
		return to, ok
	case "params":
		to, ok := c.field(ident, names, "params", e.params)
		to.facts = true
		return to, ok
	case "facts":
		to, ok := c.nested(ident, names, "facts", e.facts)
		to.facts = true
		return to, ok
	case "results":
		to, ok := c.nested(ident, names, "results", e.results)
		if ok {
			to.result, to.guards = true, e.scope.ResultGuards[names[0].name]
		}
		return to, ok
	case "this":
		prefix := "this"
		if e.scope.ThisPath != "" {
			prefix = string(e.scope.ThisPath)
		}
		to, ok := c.field(ident, names, prefix, e.this)
		if ok && e.scope.ThisPath == "" {
			to.path = forms.Path("this." + to.field.ID)
		}
		return to, ok
	}
	message, hint := fmt.Sprintf("there is nothing named %q", ident.Value), "paths begin with "+list(c.roots())
	candidates := c.roots()
	for _, v := range c.variables {
		candidates = append(candidates, v.name)
	}
	if known := instead[ident.Value]; known != "" {
		hint = known
	} else if isReserved(ident.Value) {
		hint = ident.Value + " is a function: write " + ident.Value + "(…)"
	} else if near := diag.Nearest(ident.Value, candidates); near != "" {
		hint = "did you mean " + near + "?"
	}
	c.failAt(root, CodeUnknownField, message, hint)
	return target{}, false
}

// roots returns the roots that lead to something here.
func (c *checker) roots() []string {
	s := c.env.scope
	empty := map[string]bool{
		"form": len(s.Form) == 0, "own": len(s.Own) == 0, "facts": len(s.Facts) == 0,
		"params": len(s.Params) == 0, "results": len(s.Results) == 0, "this": len(s.This) == 0,
	}
	return slices.DeleteFunc(slices.Clone(roots), func(root string) bool { return empty[root] })
}

func (c *checker) formField(root ast.Node, names []part) (target, bool) {
	if len(names) == 0 {
		return c.incomplete(root, "form", "a section")
	}
	section := c.env.sections[names[0].name]
	if section == nil {
		return c.missing(names[0].node, "section", "form", names[0].name, slices.Sorted(maps.Keys(c.env.sections)))
	}
	prefix := "form." + section.Alias
	if section.Repeated {
		rows := listOf(section.Fields, forms.Path(prefix))
		rows.filled = section.Filled
		return target{typ: rows, written: prefix, path: forms.Path(prefix), rest: names[1:]}, true
	}
	fields, _ := byID(section.Fields, prefix) // NewEnv has seen that there is no error
	return c.field(names[0].node, names[1:], prefix, fields)
}

// nested finds a field below an alias or step.
func (c *checker) nested(root ast.Node, names []part, prefix string, groups map[string]map[string]*forms.Field) (target, bool) {
	what := map[string]string{"facts": "alias with facts", "results": "step with a settled result"}[prefix]
	if len(names) == 0 {
		return c.incomplete(root, prefix, "an "+strings.Fields(what)[0])
	}
	group, found := groups[names[0].name]
	if !found {
		return c.missing(names[0].node, what, prefix, names[0].name, slices.Sorted(maps.Keys(groups)))
	}
	return c.field(names[0].node, names[1:], prefix+"."+names[0].name, group)
}

// field finds a field among those below the prefix.
func (c *checker) field(above ast.Node, names []part, prefix string, fields map[string]*forms.Field) (target, bool) {
	if len(names) == 0 {
		return c.incomplete(above, prefix, "a field")
	}
	f := fields[names[0].name]
	if f == nil {
		return c.missingField(names[0], prefix, fields)
	}
	to := target{field: f, written: prefix + "." + f.ID, path: f.Path, rest: names[1:]}
	if to.path == "" {
		to.path = forms.Path(to.written)
	}
	to.typ = ofField(f, to.path)
	return to, true
}

func (c *checker) elementField(names []part) (target, bool) {
	fields, _ := byID(c.element.row, "")
	f := fields[names[0].name]
	if f == nil {
		return c.missingField(names[0], "", fields)
	}
	to := target{field: f, written: "#." + f.ID, element: &ast.PointerNode{}, rest: names[1:]}
	to.typ = ofField(f, c.element.path)
	if column := c.element.path + "." + forms.Path(f.ID); !slices.Contains(c.columns, column) {
		c.columns = append(c.columns, column)
	}
	return to, true
}

func (c *checker) incomplete(n ast.Node, name, what string) (target, bool) {
	c.failAt(n, CodeType, fmt.Sprintf("%s is not a value", name), "name "+what+" of it: "+name+".…")
	return target{}, false
}

func (c *checker) missingField(p part, prefix string, fields map[string]*forms.Field) (target, bool) {
	hint := ""
	if near := diag.Nearest(p.name, slices.Collect(maps.Keys(fields))); near != "" {
		hint = fmt.Sprintf("did you mean %s.%s (%s)?", prefix, near, fields[near].Kind)
	}
	c.failAt(p.node, CodeUnknownField, fmt.Sprintf("there is no field %q here", strings.TrimPrefix(prefix+"."+p.name, ".")), hint)
	return target{}, false
}

func (c *checker) missing(n ast.Node, what, prefix, name string, candidates []string) (target, bool) {
	hint := ""
	if near := diag.Nearest(name, candidates); near != "" {
		hint = fmt.Sprintf("did you mean %s.%s?", prefix, near)
	} else if len(candidates) > 0 {
		hint = "there are " + list(candidates)
	}
	c.failAt(n, CodeUnknownField, fmt.Sprintf("there is no %s %q here", what, name), hint)
	return target{}, false
}

// list writes the first names out.
func list(names []string) string {
	if len(names) > 8 {
		return strings.Join(names[:8], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// guard reports a read of what may be blank and is not guarded.
func (c *checker) guard(n ast.Node, to target) {
	if to.field == nil || to.facts || to.typ.kind == kind.KindList || to.typ.kind == kind.KindChoices {
		return
	}
	name := strings.TrimPrefix(to.written, "#")
	if to.field.Kind == kind.KindFile {
		c.failAt(n, CodeType, fmt.Sprintf("%s is a file", name), fmt.Sprintf("ask has(%s)", name))
		return
	}
	if c.lenient || c.holds("has("+to.written+")") {
		return
	}
	conditions := to.guards
	if !to.result {
		conditions = to.field.Conditions
	}
	if to.element != nil {
		conditions = ofElement(conditions)
	}
	var open []string
	for _, condition := range conditions {
		if !c.holds(condition) {
			open = append(open, condition)
		}
	}
	switch {
	case !to.result && !to.field.Required:
		c.failAt(n, CodeUnguardedBlank, fmt.Sprintf("%s may be blank", name),
			fmt.Sprintf("write given(%s, …), or has(%s) ? … : …", name, name))
	case len(open) > 0:
		c.failAt(n, CodeUnguardedBlank, fmt.Sprintf("%s is there only if %s", name, strings.Join(open, " && ")),
			fmt.Sprintf("write given(%s, …), or put %s ? … : … around it", name, strings.Join(open, " && ")))
	}
}

// ofElement writes the conditions of a row's fields as map and filter do.
func ofElement(conditions []string) []string {
	var all []string
	for _, condition := range conditions {
		all = append(all, forms.Conjuncts(condition, "#")...)
	}
	return all
}

// read lowers the read of a path, or of a field of an element.
func (c *checker) read(to target) ast.Node {
	if to.element == nil {
		return routineNode("read", frameNode(), constant(c.slot(to)))
	}
	if to.typ.kind == kind.KindChoices {
		return routineNode("choices", to.element, constant(to.field.ID))
	}
	return routineNode("cell", to.element, constant(to.field.ID))
}

// has lowers the question whether a path is answered.
func (c *checker) has(to target) ast.Node {
	if to.element == nil {
		return routineNode("has", frameNode(), constant(c.slot(to)))
	}
	return routineNode("filled", to.element, constant(to.field.ID))
}

// slot returns the number of a path in the frame.
func (c *checker) slot(to target) int {
	i := slices.IndexFunc(c.slots, func(s slot) bool { return s.path == to.path })
	if i < 0 {
		i = len(c.slots)
		c.slots = append(c.slots, slot{path: to.path, kind: to.typ.kind})
	}
	return i
}

// isBuiltin reports whether expr has the function.
func isBuiltin(name string) bool {
	_, found := builtin.Index[name]
	return found
}
