package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// fieldExpressions compiles what stands at sections and fields.
func (c *compiler) fieldExpressions() {
	for _, s := range c.bundle.Sections {
		use := c.uses[s]
		path := "form." + s.Alias
		if use.When != nil {
			s.When = c.rule(c.asking(), c.source, use, "when", path+".when", nil)
		}
		inForce := forms.Conjuncts(use.GetWhen(), "")
		fields := s.Fields
		if s.Repeated {
			list := s.Fields[0]
			fields = list.Row
			if r := use.GetRepeat(); r.Min != nil {
				list.Min = c.formula(c.asking(), c.source, r, "min", path+".repeat.min", kind.KindInt, inForce, nil)
			}
			if r := use.GetRepeat(); r.Max != nil {
				list.Max = c.formula(c.asking(), c.source, r, "max", path+".repeat.max", kind.KindInt, inForce, nil)
			}
		}
		for _, f := range fields {
			set := use.GetSet()[f.ID]
			c.expressions(c.within(s), f, set, path+"."+f.ID, s.this(), inForce)
			if set != nil {
				c.set(c.using(s), set, f, path+".set."+f.ID)
			}
			c.cells(f, path+"."+f.ID, false, inForce)
		}
	}
	for _, f := range c.bundle.Own {
		c.expressions(c.asking(), f, nil, "own."+f.ID, "", nil)
		c.cells(f, "own."+f.ID, true, nil)
	}
	for _, s := range c.bundle.Steps {
		for _, f := range s.Result {
			m := c.written[f].item
			if m.When != nil || m.Default != nil || m.Derive != nil || m.Is != nil {
				c.fault(c.source.At(m, ""), "result-field", "a field of a result is given by the department; it has no `when`, `default`, `derive` or `is`", "")
			}
			c.plain(c.source, m, "name", m.GetName())
			c.bounds(c.ready(s), located[*fieldMessage]{m, c.source}, f, "results."+s.ID+"."+f.ID, nil)
			c.cells(f, "results."+s.ID+"."+f.ID, false, nil)
		}
	}
}

// cells compiles what is written at the fields of an element. Those of an own list may name the bundle's answers too.
func (c *compiler) cells(list *Field, path string, outside bool, inForce []string) {
	if len(list.Row) == 0 {
		return
	}
	p := c.each(list, path, outside)
	inForce = append(slices.Clone(inForce), list.Conditions...)
	for _, cell := range list.Row {
		c.expressions(p, cell, nil, path+"."+cell.ID, "", inForce)
	}
}

// expressions compiles what is written at a field itself, but for what a use of its section replaces: that need not fit
// there. this is the path behind `this`, "" for an own field and for an element.
func (c *compiler) expressions(p *place, f *Field, set *bundlev1.FieldSet, path string, this forms.Path, inForce []string) {
	w := c.written[f]
	m := w.item
	if m.When != nil {
		c.addWhen(f, c.rule(p, w.source, m, "when", path+".when", inForce))
		inForce = append(slices.Clone(inForce), forms.Conjuncts(m.GetWhen(), this)...)
	}
	if required := m.GetRequired(); required != "" && !isTruth(required) && (set == nil || set.Required == nil) {
		f.RequireRule = c.rule(p, w.source, m, "required", path+".required", inForce)
	}
	c.bounds(p, w, f, path, inForce)
	if m.Default != nil && (set == nil || set.Default == nil) {
		f.Default = c.formula(p, w.source, m, "default", path+".default", f.Kind, inForce, f.Field)
	}
	if m.Derive != nil {
		at := p
		if f.Path.Root() == "own" {
			at = c.deriving()
		}
		f.Derive = c.formula(at, w.source, m, "derive", path+".derive", f.Kind, inForce, f.Field)
	}
	if m.Is != nil {
		f.Is = c.rule(p, w.source, m, "is", path+".is", inForce)
	}
	for _, o := range m.GetOptions() {
		if o.When == nil {
			continue
		}
		if f.OptionWhen == nil {
			f.OptionWhen = map[string]*rule.Rule{}
		}
		f.OptionWhen[o.GetId()] = c.rule(p, w.source, o, "when", path+".options."+o.GetId()+".when", inForce)
	}
	c.plain(w.source, m, "name", m.GetName())
	c.plain(w.source, m, "help", m.GetHelp())
}

// isTruth reports whether `required` says yes or no and is no rule. Other words for it are told where the field is made.
func isTruth(required string) bool {
	_, ok := diag.Truth(required)
	return ok
}

func (c *compiler) addWhen(f *Field, r *rule.Rule) {
	if r != nil {
		f.When = append(f.When, r)
	}
}

// bounds compiles `min` and `max`.
func (c *compiler) bounds(p *place, w located[*fieldMessage], f *Field, path string, inForce []string) {
	want := f.Kind
	switch f.Kind {
	case kind.KindText, kind.KindChoices, kind.KindList:
		want = kind.KindInt
	case kind.KindInt, kind.KindDecimal, kind.KindMoney, kind.KindDate:
	default:
		if w.item.Min != nil || w.item.Max != nil {
			c.fault(w.source.At(w.item, "min"), "field-bounds", fmt.Sprintf("`min` and `max` mean nothing for %s", f.Kind), "leave them out")
		}
		return
	}
	if w.item.Min != nil {
		f.Min = c.formula(p, w.source, w.item, "min", path+".min", want, inForce, nil)
	}
	if w.item.Max != nil {
		f.Max = c.formula(p, w.source, w.item, "max", path+".max", want, inForce, nil)
	}
}

// set compiles what a bundle changes in its use of a section.
func (c *compiler) set(p *place, set *bundlev1.FieldSet, f *Field, path string) {
	inForce := f.Conditions
	if set.When != nil {
		c.addWhen(f, c.rule(p, c.source, set, "when", path+".when", nil))
	}
	if set.Required != nil {
		f.RequireRule = nil
		if r := set.GetRequired(); !isTruth(r) {
			f.RequireRule = c.rule(p, c.source, set, "required", path+".required", inForce)
		}
	}
	if set.Min != nil || set.Max != nil {
		narrowed := proto.CloneOf(c.written[f].item)
		narrowed.Min, narrowed.Max = set.Min, set.Max
		want := f.Kind
		if f.Kind == kind.KindText || f.Kind == kind.KindChoices {
			want = kind.KindInt
		}
		if set.Min != nil {
			f.Min = c.formula(p, c.source, set, "min", path+".min", want, inForce, nil)
		}
		if set.Max != nil {
			f.Max = c.formula(p, c.source, set, "max", path+".max", want, inForce, nil)
		}
	}
	if set.Default != nil {
		f.Default = c.formula(p, c.source, set, "default", path+".default", f.Kind, inForce, f.Field)
	}
}

// rules compiles plausibility and eligibility.
func (c *compiler) rules() {
	for _, s := range c.bundle.Sections {
		shared := c.library.sections[s.ID]
		inForce := forms.Conjuncts(c.uses[s].GetWhen(), "")
		for i, m := range shared.item.GetChecks() {
			r := c.condition(c.within(s), shared.source, m, fmt.Sprintf("sections.%s.checks[%d]", s.ID, i), s.this(), inForce)
			r.ID = s.Alias + "." + r.ID
			if s.Repeated {
				r.Each = forms.Path("form." + s.Alias)
			}
			c.bundle.Checks = append(c.bundle.Checks, r)
		}
	}
	seen := map[string]bool{}
	once := func(m *bundlev1.Rule) {
		if seen[m.GetId()] {
			c.fault(c.source.At(m, "id"), "id-duplicate", fmt.Sprintf("the rule `%s` stands here twice", m.GetId()), "")
		}
		seen[m.GetId()] = true
	}
	for i, m := range c.message.GetChecks() {
		once(m)
		c.bundle.Checks = append(c.bundle.Checks, c.condition(c.deciding(), c.source, m, fmt.Sprintf("checks[%d]", i), "", nil))
	}
	for i, m := range c.message.GetEligibility() {
		once(m)
		c.bundle.Eligibility = append(c.bundle.Eligibility, c.condition(c.deciding(), c.source, m, fmt.Sprintf("eligibility[%d]", i), "", nil))
	}
}

// condition compiles one rule with its reason.
func (c *compiler) condition(p *place, w *diag.Source, m *bundlev1.Rule, path string, this forms.Path, inForce []string) *Rule {
	c.reservedID(w.At(m, "id"), m.GetId())
	r := &Rule{ID: m.GetId(), For: m.GetFor(), Basis: m.GetBasis(),
		Because: c.text(p, w, m.GetBecause(), path+".because"), Remedy: c.text(p, w, m.GetRemedy(), path+".remedy")}
	switch m.GetOtherwise() {
	case bundlev1.Rule_NOT_NEEDED:
		r.Otherwise = NotNeeded
	case bundlev1.Rule_ELSEWHERE:
		r.Otherwise = Elsewhere
		if m.GetRemedy() == nil {
			c.fault(w.At(m, "otherwise"), "remedy-missing", "a rule that sends people elsewhere has to say where", "add `remedy`")
		}
	case bundlev1.Rule_WARN:
		r.Otherwise = Warn
	default:
		r.Otherwise = Refuse
	}
	if m.When != nil {
		r.When = c.rule(p, w, m, "when", path+".when", inForce)
		inForce = append(slices.Clone(inForce), forms.Conjuncts(m.GetWhen(), this)...)
	}
	if m.Require != nil {
		r.Require = c.rule(p, w, m, "require", path+".require", inForce)
	}
	for i, way := range m.GetAnyOf() {
		at := fmt.Sprintf("%s.any_of[%d]", path, i)
		force := inForce
		compiled := Way{Because: c.text(p, w, way.GetBecause(), at+".because")}
		if way.When != nil {
			compiled.When = c.rule(p, w, way, "when", at+".when", inForce)
			force = append(slices.Clone(inForce), forms.Conjuncts(way.GetWhen(), this)...)
		}
		compiled.Require = c.rule(p, w, way, "require", at+".require", force)
		r.AnyOf = append(r.AnyOf, compiled)
	}
	if m.GetExamine() != nil {
		r.Examine = &Examine{By: c.department(m.GetExamine(), "by", m.GetExamine().GetBy()), Step: m.GetExamine().GetStep()}
		if s := r.Examine.Step; s != "" && c.bundle.Step(s) == nil {
			c.unknown(w.At(m.GetExamine(), "step"), "step-unknown", "step", s, stepIDs(c.bundle))
		}
	}
	for i, id := range m.GetFor() {
		if c.bundle.Step(id) == nil {
			c.unknown(w.Element(m, "for", i), "step-unknown", "step", id, stepIDs(c.bundle))
		}
	}
	return r
}

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

// steps compiles the steps.
func (c *compiler) steps() {
	for i, m := range c.message.GetSteps() {
		if c.stepMessage(m.GetId()) != m {
			continue // a second one of its id
		}
		step := c.bundle.Step(m.GetId())
		path := fmt.Sprintf("steps[%d]", i)
		p := c.ready(step)
		if m.When != nil {
			step.When = c.rule(p, c.source, m, "when", path+".when", nil)
		}
		inForce := forms.Conjuncts(m.GetWhen(), "")
		for j, r := range m.GetConditions() {
			step.Conditions = append(step.Conditions, c.condition(p, c.source, r, fmt.Sprintf("%s.conditions[%d]", path, j), "", inForce))
		}
		if m.AutoApprove != nil {
			step.AutoApprove = c.rule(p, c.source, m, "auto_approve", path+".auto_approve", inForce)
		}
		step.Promised = c.limits(p, m, m.GetPromised(), "promised", path, inForce)
		step.Statutory = c.limits(p, m, m.GetStatutory(), "statutory", path, inForce)
		for j, f := range m.GetFee() {
			fee := Fee{}
			at := fmt.Sprintf("%s.fee[%d]", path, j)
			force := inForce
			if f.When != nil {
				fee.When = c.rule(p, c.source, f, "when", at+".when", inForce)
				force = append(slices.Clone(inForce), forms.Conjuncts(f.GetWhen(), "")...)
			}
			c.lastCase(m, "fee", j == len(m.GetFee())-1, f.When != nil)
			fee.Amount = c.formula(p, c.source, f, "amount", at+".amount", kind.KindMoney, force, nil)
			step.Fee = append(step.Fee, fee)
		}
		c.plain(c.source, m, "name", m.GetName())
		c.limitKeys(step, m)
		c.needs(step, m)
	}
}

func (c *compiler) limits(p *place, m *bundlev1.Step, cases []*bundlev1.Limit, key, path string, inForce []string) []Limit {
	var limits []Limit
	for i, l := range cases {
		limit := Limit{}
		switch {
		case l.WorkingDays != nil:
			limit.Days = Days{int(l.GetWorkingDays()), WorkingDays}
		case l.Days != nil:
			limit.Days = Days{int(l.GetDays()), CalendarDays}
		case l.Months != nil:
			limit.Days = Days{int(l.GetMonths()), Months}
		default:
			c.fault(c.source.At(l, ""), "limit", "a limit has working_days, days or months", "")
		}
		if l.When != nil {
			limit.When = c.rule(p, c.source, l, "when", fmt.Sprintf("%s.%s[%d].when", path, key, i), inForce)
		}
		c.lastCase(m, key, i == len(cases)-1, l.When != nil)
		limits = append(limits, limit)
	}
	return limits
}

func (c *compiler) lastCase(m *bundlev1.Step, key string, last, conditional bool) {
	if last == conditional {
		c.fault(c.source.At(m, key), "cases", "of several cases each has a `when`, and the last one has none", "")
	}
}
