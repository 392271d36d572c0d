package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// materials resolves and compiles the materials.
func (c *compiler) materials() {
	keys := map[string]*bundlev1.Material{}
	for i, m := range c.message.GetMaterials() {
		path := fmt.Sprintf("materials[%d]", i)
		material := c.material(m)
		if material == nil {
			c.without = true
			continue
		}
		p := c.deciding()
		if m.Per != nil {
			list := c.list(m)
			if list == nil {
				c.without = true
				continue
			}
			material.Per, p = list.Path, c.perElement(list)
			material.Title = c.text(p, c.source, m.GetName(), path+".name")
			c.elementReads(material, material.Title.reads())
		} else {
			c.plain(c.source, m, "name", m.GetName())
		}
		c.reservedID(c.source.At(m, ""), material.ID)
		if c.bundle.Material(material.ID) != nil {
			c.without = true
			c.fault(c.source.At(m, ""), "id-duplicate", fmt.Sprintf("the material `%s` stands here twice", material.ID), "give one of them another id by `as`")
			continue
		}
		if first, ok := keys[material.Key]; ok {
			c.without = true
			c.fault(c.source.At(m, ""), "material-duplicate", "this is the same document as another material of the bundle", "say by `of` whose document each is, or leave one out",
				diag.Related{Span: c.source.At(first, ""), Message: "the other one"})
			continue
		}
		keys[material.Key] = m
		if m.When != nil {
			material.When = c.rule(p, c.source, m, "when", path+".when", nil)
			c.elementReads(material, readsOf(material.When))
		}
		inForce := forms.Conjuncts(m.GetWhen(), "")
		if t := m.GetTolerate(); t != nil {
			if !material.Secondary {
				c.fault(c.source.At(m, "tolerate"), "tolerate-primary", "a primary material must be there at acceptance and cannot be tolerated", "make it `class: SECONDARY`, or leave `tolerate` out")
			}
			material.Tolerate = c.tolerate(p, t, path, inForce)
			c.elementReads(material, readsOf(material.Tolerate.When))
		}
		if promise := m.GetPromise(); promise != nil {
			material.Promise = c.promise(p, promise, path, inForce)
			c.elementReads(material, readsOf(material.Promise.When))
		}
		c.bundle.Materials = append(c.bundle.Materials, material)
	}
}

// list returns the list for whose elements a material is asked.
func (c *compiler) list(m *bundlev1.Material) *Field {
	p := forms.Path(m.GetPer())
	if field, own := strings.CutPrefix(m.GetPer(), "own."); own {
		p = forms.Path("own." + c.bundle.ID + "." + field)
	}
	if f := c.bundle.Field(p); f != nil && f.Kind == kind.KindList {
		return f
	}
	var lists []string
	for _, p := range c.bundle.order {
		if c.bundle.fields[p].Kind == kind.KindList {
			lists = append(lists, c.spelled(p))
		}
	}
	c.unknown(c.source.At(m, "per"), "list-unknown", "list", m.GetPer(), lists)
	return nil
}

// elementReads notes the cells that a material for each element reads.
func (c *compiler) elementReads(m *Material, reads []forms.Path) {
	for _, p := range reads {
		if field, ok := strings.CutPrefix(string(p), "this."); ok {
			c.columns[m.Per+"."+forms.Path(field)] = true
		}
	}
}

func (c *compiler) material(m *bundlev1.Material) *Material {
	material := &Material{ID: m.GetAs(), Of: m.GetOf(), Name: text(m.GetName()), Secondary: m.GetClass() == bundlev1.Material_SECONDARY,
		Required: m.Required == nil || m.GetRequired(), Certificates: m.GetCertificates(), Formats: []string{"pdf", "jpg", "png"}, Basis: m.GetBasis(),
		Originals: int(m.GetCopies().GetOriginal()), Copies: int(m.GetCopies().GetCopy())}
	sources := m.GetSource()
	switch {
	case m.GetUse() != "":
		shared, ok := c.library.materials[m.GetUse()]
		if !ok {
			c.unknown(c.source.At(m, "use"), "material-unknown", "material", m.GetUse(), slices.Collect(maps.Keys(c.library.materials)))
			return nil
		}
		c.pin("material/" + m.GetUse())
		if material.ID == "" {
			material.ID = m.GetUse()
		}
		material.Key = m.GetUse()
		if m.GetOf() != "" {
			material.Key += "." + m.GetOf()
		}
		if m.GetName() == nil {
			material.Name = text(shared.item.GetName())
		}
		if len(sources) == 0 {
			sources = shared.item.GetSource()
		}
		if len(material.Certificates) == 0 {
			material.Certificates = shared.item.GetCertificates()
		}
		if f := shared.item.GetFormats(); len(f) > 0 {
			material.Formats = f
		}
		if material.Basis == "" {
			material.Basis = shared.item.GetBasis()
		}
		material.Sample = shared.item.GetSample()
		if v := shared.item.GetValid(); v != nil {
			valid := days(v)
			material.Valid = &valid
		}
	default:
		if material.ID == "" {
			material.ID = m.GetMaterial()
		}
		material.Key = "own." + c.bundle.ID + "." + material.ID
		if m.GetName() == nil || len(sources) == 0 && len(m.GetOneOf()) == 0 {
			c.fault(c.source.At(m, "material"), "material-incomplete", "a material of the bundle's own needs `name` and `source`", "")
		}
	}
	for i, id := range m.GetOneOf() {
		shared, ok := c.library.materials[id]
		if !ok {
			c.unknown(c.source.Element(m, "one_of", i), "material-unknown", "material", id, slices.Collect(maps.Keys(c.library.materials)))
			return nil
		}
		c.pin("material/" + id)
		alternative := Alternative{Key: id, Name: text(shared.item.GetName()), Formats: shared.item.GetFormats()}
		if m.GetOf() != "" {
			alternative.Key += "." + m.GetOf()
		}
		if len(alternative.Formats) == 0 {
			alternative.Formats = material.Formats
		}
		material.OneOf = append(material.OneOf, alternative)
		if len(m.GetSource()) == 0 {
			sources = append(sources, shared.item.GetSource()...)
		}
		if len(m.GetCertificates()) == 0 {
			material.Certificates = append(material.Certificates, shared.item.GetCertificates()...)
		}
	}
	if len(m.GetOneOf()) > 0 && m.GetUse() != "" {
		c.fault(c.source.At(m, "one_of"), "material-incomplete", "`one_of` makes a material of the bundle's own", "write `material:` and a name instead of `use:`")
	}
	c.owner(m)
	if len(m.GetCertificates()) > 0 && !slices.Contains(sources, bundlev1.Source_E_CERTIFICATE) {
		c.warn(c.source.At(m, "certificates"), "material-source", "`certificates` are kinds of e-certificate, and the material comes from none", "add E_CERTIFICATE to `source`, or leave `certificates` out")
	}
	for _, s := range sources {
		if name := s.String(); !slices.Contains(material.Sources, name) {
			material.Sources = append(material.Sources, name)
		}
	}
	if m.GetOf() != "" && c.bundle.Section(m.GetOf()) == nil {
		var aliases []string
		for _, s := range c.bundle.Sections {
			aliases = append(aliases, s.Alias)
		}
		c.unknown(c.source.At(m, "of"), "alias-unknown", "alias", m.GetOf(), aliases)
	}
	return material
}

func (c *compiler) tolerate(at *place, m *bundlev1.Tolerate, path string, inForce []string) *Tolerate {
	t := &Tolerate{WorkingDays: int(m.GetWorkingDays()), Then: "REMIND"}
	if m.When != nil {
		t.When = c.rule(at, c.source, m, "when", path+".tolerate.when", inForce)
	}
	if m.GetThen() != bundlev1.Tolerate_THEN_UNSPECIFIED {
		t.Then = m.GetThen().String()
	}
	if m.GetThen() == bundlev1.Tolerate_SUSPEND {
		if m.GetSuspended() == nil || m.GetSuspended().WorkingDays == nil {
			c.fault(c.source.At(m, "then"), "tolerate-suspended", "a suspension needs its length in working days", "add `suspended: { working_days: 20 }`")
		}
		t.Suspended = int(m.GetSuspended().GetWorkingDays())
	}
	return t
}

func (c *compiler) promise(at *place, m *bundlev1.Promise, path string, inForce []string) *Promise {
	p := &Promise{By: c.department(m.GetVerify(), "by", m.GetVerify().GetBy()), WorkingDays: int(m.GetVerify().GetWorkingDays()), Sample: 100, IfFalse: "REVOKE", Text: text(m.GetText())}
	if m.When != nil {
		p.When = c.rule(at, c.source, m, "when", path+".promise.when", inForce)
	}
	if m.GetVerify().Sample != nil {
		p.Sample = int(m.GetVerify().GetSample())
	}
	if m.GetIfFalse() == bundlev1.Promise_CORRECT {
		p.IfFalse = "CORRECT"
	}
	c.plain(c.source, m, "text", m.GetText())
	return p
}

// DefaultPromise is the office's text of a promise (国办发〔2020〕42号: duty of proof, content, liability, will).
func DefaultPromise(material forms.Text) forms.Text {
	text := forms.Text{ZH: "本人已知晓须提交“" + material.ZH + "”及其证明内容，现自愿承诺：符合该项条件，内容真实；不实的，愿意承担停止办理、限期整改、撤销决定以及信用惩戒等法律责任，并配合事后核查。"}
	if material.EN != "" {
		text.EN = "I know that “" + material.EN + "” is required and what it proves. I promise of my own will that the condition is met and what I state is true; if it is not, the matter may be stopped, corrected or revoked and my credit record affected, and I will assist in the verification."
	}
	return text
}

// ToleratePromise is the office's text of the promise to supply a tolerated material (容缺受理承诺书).
func ToleratePromise(material forms.Text) forms.Text {
	text := forms.Text{ZH: "本人申请容缺受理，承诺在容缺受理通知书载明的期限内补交“" + material.ZH + "”；逾期未补交的，愿意承担终止办理等后果。"}
	if material.EN != "" {
		text.EN = "I ask that my application be accepted without “" + material.EN + "” and promise to supply it by the date of the notice; otherwise the matter may be ended."
	}
	return text
}
