package catalog

import (
	"fmt"
	"maps"
	"slices"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// fieldKeys reports keys of a field that mean nothing for its kind, or for a value that is computed: who wrote them
// believes that they hold.
func (c *compiler) fieldKeys(w located[*fieldMessage], f *Field) {
	m := w.item
	of := func(written bool, key, whose string, kinds ...kind.Kind) {
		if written && !slices.Contains(kinds, f.Kind) {
			c.warn(w.source.At(m, key), "field-key", fmt.Sprintf("`%s` belongs to %s and means nothing for %s", key, whose, f.Kind), "leave it out")
		}
	}
	of(m.Pattern != nil, "pattern", "TEXT", kind.KindText)
	of(m.Scale != nil, "scale", "DECIMAL", kind.KindDecimal)
	of(m.GetUnit() != "", "unit", "INT and DECIMAL", kind.KindInt, kind.KindDecimal)
	if !f.Field.Derived {
		return
	}
	written := map[string]bool{"required": m.Required != nil, "default": m.Default != nil, "pattern": m.Pattern != nil && f.Kind == kind.KindText,
		"min": m.Min != nil && f.Kind != kind.KindBool, "max": m.Max != nil && f.Kind != kind.KindBool} // else told as what means nothing for the kind
	for _, key := range slices.Sorted(maps.Keys(written)) {
		if written[key] {
			c.warn(w.source.At(m, key), "field-key", fmt.Sprintf("`%s` means nothing for a value that is computed and never asked", key), "leave it out")
		}
	}
}

// limitKeys reports what a step says of a limit of the law that there is not.
func (c *compiler) limitKeys(step *Step, m *bundlev1.Step) {
	if step.Silence && len(m.GetStatutory()) == 0 {
		c.warn(c.source.At(m, "silence"), "silence-limit", "the law makes something of a limit that passes, and none is given", "add `statutory`, or leave `silence` out")
	}
	if step.Department != nil && step.Department.Partner && len(m.GetStatutory()) > 0 {
		c.warn(c.source.At(m, "statutory"), "limit-partner", fmt.Sprintf("`%s` is a partner, whom no law gives a limit", step.Department.ID), "leave `statutory` out; what it promises stands in `promised`")
	}
}

// owner reports a document that is said to be somebody's whose kind it cannot be: an identity card of a shop.
func (c *compiler) owner(m *bundlev1.Material) {
	s := c.bundle.Section(m.GetOf())
	if s == nil {
		return
	}
	for _, id := range append([]string{m.GetUse()}, m.GetOneOf()...) {
		shared, ok := c.library.materials[id]
		if !ok {
			continue
		}
		of := about(shared.item.GetAbout())
		whose, known := map[forms.About]string{forms.AboutPerson: "a person", forms.AboutEnterprise: "an enterprise", forms.AboutAccount: "an account"}[of]
		if known && s.About != of {
			c.warn(c.source.At(m, "of"), "material-of", fmt.Sprintf("`%s` is the document of %s, and `%s` is none", id, whose, m.GetOf()), "name another alias")
		}
	}
}
