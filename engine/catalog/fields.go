package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// sections resolves the section uses against the library.
func (c *compiler) sections() {
	seen := map[string]*bundlev1.SectionUse{}
	for _, use := range c.message.GetForm() {
		shared, ok := c.library.sections[use.GetSection()]
		if !ok {
			c.broken = true
			c.unknown(c.source.At(use, "section"), "section-unknown", "section", use.GetSection(), slices.Collect(maps.Keys(c.library.sections)))
			continue
		}
		c.pin("section/" + use.GetSection())
		alias := use.GetAs()
		if alias == "" {
			alias = use.GetSection()
			if shared.item.GetAbout() != bundlev1.Section_ABOUT_UNSPECIFIED {
				c.broken = true
				c.fault(c.source.At(use, ""), "alias-missing", fmt.Sprintf("the section `%s` is about someone and needs an alias", use.GetSection()), "add `as:` with a word for whose section it is")
			}
		}
		c.reservedID(c.source.At(use, "as"), alias)
		if first, ok := seen[alias]; ok {
			c.broken = true
			c.fault(c.source.At(use, "as"), "alias-duplicate", fmt.Sprintf("the alias `%s` is used twice", alias), "give one of them another alias",
				diag.Related{Span: c.source.At(first, ""), Message: "the first use"})
			continue
		}
		seen[alias] = use
		section := &Section{Section: &forms.Section{Alias: alias, ID: use.GetSection(), Name: text(shared.item.GetName()), About: about(shared.item.GetAbout()), Condition: use.GetWhen()}}
		c.uses[section] = use
		prefix := forms.Path("form." + alias)
		inForce := forms.Conjuncts(use.GetWhen(), "")
		known := map[string]bool{}
		for _, m := range shared.item.GetFields() {
			known[m.GetField()] = true
			w, set := located[*formsv1.Field]{m, shared.source}, use.GetSet()[m.GetField()]
			if use.GetRepeat() != nil {
				f := c.field(w, "", inForce, set)
				if f.Kind == kind.KindList {
					c.broken = true
					c.fault(c.source.At(use, "repeat"), "list-in-list", fmt.Sprintf("the section `%s` holds a list and cannot be repeated", use.GetSection()), "use it once, or take the list out")
				}
				section.Fields = append(section.Fields, f)
				section.Section.Fields = append(section.Section.Fields, f.Field)
				continue
			}
			f := c.field(w, prefix, inForce, set)
			f.Section = section
			c.register(f, prefix+"."+forms.Path(m.GetField()))
			section.Fields = append(section.Fields, f)
			section.Section.Fields = append(section.Section.Fields, f.Field)
		}
		if use.GetRepeat() != nil {
			c.repeat(section, use, inForce)
		}
		for id, set := range use.GetSet() {
			if !known[id] {
				c.unknown(c.source.At(set, ""), "field-unknown", "field", id, slices.Collect(maps.Keys(known)))
			}
		}
		c.bundle.Sections = append(c.bundle.Sections, section)
	}
}

// repeat makes a section a list: one field whose elements have the fields of the section.
func (c *compiler) repeat(section *Section, use *bundlev1.SectionUse, inForce []string) {
	section.Repeated = true
	section.Filled = use.When == nil && filled(use.GetRepeat().Min)
	base := &forms.Field{ID: section.Alias, Kind: kind.KindList, Name: section.Name, Row: section.Section.Fields, Required: filled(use.GetRepeat().Min),
		Filled: filled(use.GetRepeat().Min), Conditions: inForce}
	list := &Field{Field: base, Section: section, Row: section.Fields}
	section.Fields = []*Field{list}
	c.register(list, forms.Path("form."+section.Alias))
}

// filled reports whether a least number, as it is written, is one or more whatever was answered.
func filled(least *string) bool {
	if least == nil {
		return false
	}
	n, err := strconv.Atoi(strings.TrimSpace(*least))
	return err == nil && n > 0
}

// register gives a field its path in the form.
func (c *compiler) register(f *Field, p forms.Path) {
	f.Path = p
	c.bundle.fields[p] = f
	c.bundle.order = append(c.bundle.order, p)
}

// field makes a field of a section, of a row or of the bundle's own; its expressions are compiled later. this is the
// path behind `this` in them, "" for an element and for an own field.
func (c *compiler) field(w located[*formsv1.Field], this forms.Path, inForce []string, set *bundlev1.FieldSet) *Field {
	m := w.item
	at := func(key string) diag.Span { return w.source.At(m, key) }
	fault := func(key, code, message, hint string) { c.fault(at(key), code, message, hint) }
	c.reservedID(at("field"), m.GetField())
	base := &forms.Field{ID: m.GetField(), Kind: kindOf(m.GetKind()), Name: text(m.GetName()), Help: text(m.GetHelp()), Unit: m.GetUnit(),
		Scale: 2, Basis: m.GetBasis(), Derived: m.Derive != nil || m.Is != nil}
	if m.Scale != nil {
		base.Scale = int(m.GetScale())
	}
	if set.GetHelp() != nil {
		base.Help = text(set.GetHelp())
	}
	options := map[string]bool{}
	for _, o := range m.GetOptions() {
		c.reservedID(w.source.At(o, "id"), o.GetId())
		if options[o.GetId()] {
			c.fault(w.source.At(o, "id"), "id-duplicate", fmt.Sprintf("the option `%s` stands here twice", o.GetId()), "")
		}
		options[o.GetId()] = true
		if len(set.GetOptions()) == 0 || slices.Contains(set.GetOptions(), o.GetId()) {
			base.Options = append(base.Options, forms.Option{ID: o.GetId(), Name: forms.Text{ZH: o.GetZh(), EN: o.GetEn()}})
		}
	}
	for _, id := range set.GetOptions() {
		if !options[id] {
			c.unknown(c.source.At(set, "options"), "option-unknown", "option", id, slices.Collect(maps.Keys(options)))
		}
	}
	if m.Pattern != nil {
		pattern, err := kind.CompilePattern(m.GetPattern())
		if err != nil {
			fault("pattern", "pattern", fmt.Sprintf("this is no regular expression (RE2): %v", err), "")
		}
		base.Pattern = pattern
	}
	required, requiredAt := m.GetRequired(), at("required")
	if set != nil && set.Required != nil {
		required, requiredAt = set.GetRequired(), c.source.At(set, "required")
	}
	if word, ok := diag.Truth(required); ok && word != required {
		c.fault(requiredAt, rule.CodeSyntax, rule.NoTruth(required), "write "+word)
		required = word
	}
	base.Conditions = append(slices.Clone(inForce), forms.Conjuncts(m.GetWhen(), this)...)
	if set != nil && set.When != nil {
		base.Conditions = append(base.Conditions, forms.Conjuncts(set.GetWhen(), this)...)
	}
	switch required {
	case "true":
		base.Required = true
	case "", "false":
		base.Required = base.Derived
	default:
		base.Required = true
		base.Conditions = append(base.Conditions, forms.Conjuncts(required, this)...)
	}
	f := &Field{Field: base}
	c.written[f] = w
	c.fieldKeys(w, f)
	if f.Kind == kind.KindList {
		c.row(f, w)
		base.Filled = filled(m.Min) && base.Required
	} else if len(m.GetRow()) > 0 {
		fault("row", "row", "`row` belongs to LIST", "leave it out, or make the field a `kind: LIST`")
	}
	return f
}

// row makes the fields of an element.
func (c *compiler) row(list *Field, w located[*formsv1.Field]) {
	if len(w.item.GetRow()) == 0 {
		c.fault(w.source.At(w.item, "kind"), "row", "a LIST needs the fields of an element", "add `row: [{ field: …, kind: … }]`")
	}
	seen := map[string]bool{}
	for _, m := range w.item.GetRow() {
		if seen[m.GetField()] {
			c.broken = true
			c.fault(w.source.At(m, "field"), "id-duplicate", fmt.Sprintf("the field `%s` stands here twice", m.GetField()), "")
			continue
		}
		seen[m.GetField()] = true
		if m.GetKind() == formsv1.Field_LIST {
			c.broken = true
			c.fault(w.source.At(m, "kind"), "list-in-list", "a LIST cannot stand in a LIST", "let the field be a text, or a section of its own that is repeated")
			continue
		}
		cell := c.field(located[*formsv1.Field]{m, w.source}, "", nil, nil)
		list.Row = append(list.Row, cell)
		list.Field.Row = append(list.Field.Row, cell.Field)
	}
}

// own takes the bundle's own fields.
func (c *compiler) own() {
	seen := map[string]bool{}
	prefix := forms.Path("own." + c.bundle.ID)
	for _, m := range c.message.GetOwn() {
		if seen[m.GetField()] {
			c.broken = true
			c.fault(c.source.At(m, "field"), "id-duplicate", fmt.Sprintf("the field `%s` stands here twice", m.GetField()), "")
			continue
		}
		seen[m.GetField()] = true
		f := c.field(located[*formsv1.Field]{m, c.source}, "", nil, nil)
		c.register(f, prefix+"."+forms.Path(m.GetField()))
		c.bundle.Own = append(c.bundle.Own, f)
	}
}

// fieldMessage is a field as it is written.
type fieldMessage = formsv1.Field
