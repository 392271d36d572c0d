package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// reserved words of CEL and expr cannot be ids, because ids stand in rules.
func reserved() []string {
	return strings.Fields("in if else let not and or true false null nil for loop import package return var as break const continue function namespace void while contains matches")
}

// compiler turns one bundle.yaml into a Bundle and collects everything that is wrong with it.
type compiler struct {
	library *Library
	source  *diag.Source
	message *bundlev1.Bundle
	bundle  *Bundle
	found   diag.List
	// broken is set if something is missing that expressions name: sections, fields, steps and their order.
	broken bool
	// without is set if a material is missing that steps may need.
	without bool

	facts  map[string][]*forms.Field
	params []*forms.Field
	// written are the messages behind fields, with the file that they stand in.
	written map[*Field]located[*fieldMessage]
	// uses are the section uses behind sections.
	uses map[*Section]*bundlev1.SectionUse
	// envs are the places of expressions that were met, by name.
	envs map[string]*place
	// columns are the cells of lists that something reads, as <list>.<field>.
	columns map[forms.Path]bool
}

// place compiles the expressions of one place: both languages over the same names. Most places hold few expressions or
// none, so what is needed for a language is made when the first one of it is met.
type place struct {
	scope    forms.Scope
	rules    *rule.Env
	formulas *formula.Env
}

func compileFile(l *Library, name string, text []byte) (*Bundle, *diag.Source, diag.List) {
	message := &bundlev1.Bundle{}
	source, found := readYAML(name, text, message)
	if found.Err() != nil {
		return nil, source, found
	}
	c := &compiler{library: l, source: source, message: message, found: found, written: map[*Field]located[*formsv1.Field]{},
		uses: map[*Section]*bundlev1.SectionUse{}, envs: map[string]*place{}, columns: map[forms.Path]bool{}, facts: map[string][]*forms.Field{}}
	c.bundle = &Bundle{ID: message.GetBundle(), fields: map[forms.Path]*Field{}, Pins: map[string]string{}, places: map[string]diag.Span{}, library: l}
	c.compile()
	if c.found.Err() != nil {
		return nil, source, c.found
	}
	c.bundle.Digest = digestBundle(text, c.bundle.Pins)
	return c.bundle, source, c.found
}

func (c *compiler) compile() {
	c.head()
	c.sections()
	c.own()
	c.outline()
	if c.broken {
		return // everything further would only repeat it
	}
	c.scopes()
	c.together()
	c.fieldExpressions()
	c.rules()
	c.materials()
	c.steps()
	if c.found.Err() != nil {
		return
	}
	c.cycles()
	c.unused()
	c.advise()
	c.narrow()
}

func (c *compiler) fault(at diag.Span, code, message, hint string, related ...diag.Related) {
	c.found = append(c.found, diag.Diagnostic{Span: at, Severity: diag.Error, Code: code, Message: message, Hint: hint, Related: related})
}

// unknown reports a name that is not there, with the nearest that is.
func (c *compiler) unknown(at diag.Span, code, what, name string, known []string) {
	hint := ""
	if near := diag.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean `%s`?", near)
	} else if len(known) > 0 && len(known) <= 12 {
		slices.Sort(known)
		hint = "there are " + strings.Join(known, ", ")
	}
	c.fault(at, code, fmt.Sprintf("there is no %s `%s`", what, name), hint)
}

func (c *compiler) unsupported(m proto.Message, key, what string) {
	c.fault(c.source.At(m, key), "unsupported", fmt.Sprintf("`%s` (%s) belongs to the language but is not read yet", key, what), "leave it out for now")
}

func (c *compiler) reservedID(at diag.Span, id string) {
	if slices.Contains(reserved(), id) {
		c.broken = true // no rule can name what has this id
		c.fault(at, "id-reserved", fmt.Sprintf("`%s` is a word of the rule languages and cannot be an id", id), "choose another id")
	}
}

func (c *compiler) department(m proto.Message, key, id string) *Department {
	d := c.library.Departments[id]
	if d == nil {
		c.unknown(c.source.At(m, key), "department-unknown", "department", id, slices.Collect(maps.Keys(c.library.Departments)))
		return nil
	}
	c.pin("department/" + id)
	return d
}

func (c *compiler) pin(item string) { c.bundle.Pins[item] = c.library.digests[item] }

func (c *compiler) day(m proto.Message, key, given string) kind.Date {
	if given == "" {
		return kind.Date{}
	}
	d, ok := kind.ParseDate(given)
	if !ok {
		c.fault(c.source.At(m, key), "date", fmt.Sprintf("`%s` is no day of the calendar", given), "")
	}
	return d
}

// head takes what stands at the top of the bundle.
func (c *compiler) head() {
	m, b := c.message, c.bundle
	if m.GetExtends() != nil {
		c.unsupported(m, "extends", "a county's variant")
	}
	if m.GetEase() != nil {
		c.unsupported(m, "ease", "a county's variant")
	}
	c.reservedID(c.source.At(m, "bundle"), m.GetBundle())
	b.Name = text(m.GetName())
	b.Level = m.GetLevel().String()
	b.Lead = c.department(m, "lead", m.GetLead())
	b.Place = m.GetPlace()
	b.From, b.Until = c.day(m.GetInForce(), "from", m.GetInForce().GetFrom()), c.day(m.GetInForce(), "until", m.GetInForce().GetUntil())
	if (b.Until != kind.Date{}) && b.Until.Before(b.From) {
		c.fault(c.source.At(m.GetInForce(), "until"), "date", "the bundle ends before it begins", "")
	}
	b.places["until"] = c.source.At(m.GetInForce(), "until")
	b.Basis = m.GetBasis()
	b.Applicants = m.GetApplicant()
	b.NoAgent = m.GetAgent() == bundlev1.Bundle_FORBIDDEN
	b.Subject = m.GetSubject()
	if b.Subject == "" {
		b.Subject = b.Applicants[0]
	}
	b.ByEngine = m.GetAccept() == bundlev1.Bundle_ENGINE
	if m.GetPromised() != nil {
		d := days(m.GetPromised())
		b.Promised = &d
	}
	b.Statutory = Days{N: 45, Unit: WorkingDays}
	if m.GetStatutory() != nil {
		b.Statutory = days(m.GetStatutory())
	}
	b.LifeStage, b.Keywords = m.GetLifeStage(), m.GetKeywords()
}

// together takes whether all applicants have to submit. What decides it is the form's, as of what is asked.
func (c *compiler) together() {
	written := c.message.GetTogether()
	if written == "" || written == "false" {
		return
	}
	at := c.source.At(c.message, "together")
	if len(c.bundle.Applicants) < 2 {
		c.fault(at, "together-alone", "only one alias may submit, so nobody is there to submit together with", "name the others in `applicant`, or leave `together` out")
	}
	c.bundle.Together = &Together{}
	if written != "true" {
		c.bundle.Together.When = c.rule(c.asking(), c.source, c.message, "together", "together", nil)
	}
	for i, alias := range c.bundle.Applicants {
		if s := c.bundle.Section(alias); s != nil && s.Subject() == "" {
			c.fault(c.source.Element(c.message, "applicant", i), "together-nameless", fmt.Sprintf("`%s` holds no citizen number or credit code, so nobody can be found who has to submit", alias),
				"use a section that asks for one, or leave `together` out")
		}
	}
}

func days(d *bundlev1.Days) Days {
	switch {
	case d.WorkingDays != nil:
		return Days{int(d.GetWorkingDays()), WorkingDays}
	case d.Days != nil:
		return Days{int(d.GetDays()), CalendarDays}
	case d.Months != nil:
		return Days{int(d.GetMonths()), Months}
	default:
		return Days{int(d.GetYears()), Years}
	}
}

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

// outline takes the ids of steps and their results, so that rules may name them before they are compiled.
func (c *compiler) outline() {
	b := c.bundle
	aliases := slices.Collect(func(yield func(string) bool) {
		for _, s := range b.Sections {
			if !yield(s.Alias) {
				return
			}
		}
	})
	repeated := false
	for i, alias := range b.Applicants {
		if !c.broken && !slices.Contains(aliases, alias) {
			c.unknown(c.source.Element(c.message, "applicant", i), "alias-unknown", "alias", alias, slices.Clone(aliases))
		}
		if s := b.Section(alias); s != nil && s.Repeated {
			c.fault(c.source.Element(c.message, "applicant", i), "alias-repeated", fmt.Sprintf("`%s` is asked for several persons, so it is not clear who applies", alias),
				"use the section once more, under an alias of the applicant's own")
			repeated = true
		}
	}
	if c.message.GetSubject() != "" && !c.broken && !slices.Contains(aliases, b.Subject) {
		c.unknown(c.source.At(c.message, "subject"), "alias-unknown", "alias", b.Subject, slices.Clone(aliases))
	}
	c.broken = c.broken || repeated // what reads the section as one person's would only repeat it
	for _, m := range c.message.GetSteps() {
		c.reservedID(c.source.At(m, "id"), m.GetId())
		if b.Step(m.GetId()) != nil {
			c.fault(c.source.At(m, "id"), "id-duplicate", fmt.Sprintf("the step `%s` stands here twice", m.GetId()), "")
			continue
		}
		step := &Step{ID: m.GetId(), Name: text(m.GetName()), Department: c.department(m, "department", m.GetDepartment()), Plugin: m.GetPlugin(),
			Essential: m.GetEssential(), Silence: m.GetSilence() == bundlev1.Step_APPROVED, AtOnce: m.GetStarts() == bundlev1.Step_ACCEPTANCE,
			Document: m.GetResult().GetDocument(), Basis: m.GetBasis()}
		if v := m.GetResult().GetValid(); v != nil {
			d := days(v)
			step.Valid = &d
		}
		for _, f := range m.GetResult().GetFields() {
			field := c.field(located[*formsv1.Field]{f, c.source}, "", nil, nil) // no part of the form
			field.Path = forms.Path("results." + step.ID + "." + f.GetField())
			step.Result = append(step.Result, field)
		}
		for _, n := range m.GetNotCounted() {
			step.NotCounted = append(step.NotCounted, NotCounted{n.GetKind().String(), int(n.GetDays())})
		}
		b.Steps = append(b.Steps, step)
	}
	for _, m := range c.message.GetSteps() {
		if c.stepMessage(m.GetId()) != m {
			continue // a second one of its id
		}
		step := b.Step(m.GetId())
		for _, a := range m.GetAfter() {
			if b.Step(a.GetStep()) == nil {
				c.broken = true
				c.unknown(c.source.At(a, ""), "step-unknown", "step", a.GetStep(), stepIDs(b))
				continue
			}
			on := a.GetOn().String()
			if a.GetOn() == bundlev1.After_ON_UNSPECIFIED {
				on = "APPROVED"
			}
			step.After = append(step.After, After{a.GetStep(), on})
		}
	}
	c.stepCycle()
}

func stepIDs(b *Bundle) []string {
	var ids []string
	for _, s := range b.Steps {
		ids = append(ids, s.ID)
	}
	return ids
}

// stepCycle reports steps that wait for one another.
func (c *compiler) stepCycle() {
	const visiting, done = 1, 2
	state := map[string]int{}
	var stack []string
	var visit func(*Step) bool
	visit = func(s *Step) bool {
		state[s.ID] = visiting
		stack = append(stack, s.ID)
		for _, a := range s.After {
			switch state[a.Step] {
			case visiting:
				c.broken = true
				ring := append(slices.Clone(stack[slices.Index(stack, a.Step):]), a.Step)
				c.fault(c.source.At(c.stepMessage(s.ID), "after"), "step-cycle", "these steps wait for one another: "+strings.Join(ring, " → "), "take one `after` away")
				return true
			case 0:
				if visit(c.bundle.Step(a.Step)) {
					return true
				}
			}
		}
		stack = stack[:len(stack)-1]
		state[s.ID] = done
		return false
	}
	for _, s := range c.bundle.Steps {
		if state[s.ID] == 0 && visit(s) {
			return
		}
	}
}

func (c *compiler) stepMessage(id string) *bundlev1.Step {
	for _, m := range c.message.GetSteps() {
		if m.GetId() == id {
			return m
		}
	}
	return nil
}

// scopes prepares what is the same at every place.
func (c *compiler) scopes() {
	for _, s := range c.bundle.Sections {
		if s.Subject() == "" {
			continue
		}
		for id, fact := range c.library.Facts {
			if fact.Of == s.About {
				f := *fact.Field
				f.Path = forms.Path("facts." + s.Alias + "." + id)
				c.facts[s.Alias] = append(c.facts[s.Alias], &f)
			}
		}
		slices.SortFunc(c.facts[s.Alias], func(a, b *forms.Field) int { return strings.Compare(a.ID, b.ID) })
	}
	for _, id := range slices.Sorted(maps.Keys(c.library.params)) {
		c.params = append(c.params, c.library.params[id])
	}
}

// Places of expressions. What may be named differs: facts not where a question is shown or required, results
// only where they are settled, `this` only in a section.
func (c *compiler) placeOf(name string, change func(*forms.Scope)) *place {
	if p, ok := c.envs[name]; ok {
		return p
	}
	scope := forms.Scope{Bundle: c.bundle.ID, Params: c.params}
	for _, s := range c.bundle.Sections {
		scope.Form = append(scope.Form, s.Section)
	}
	for _, f := range c.bundle.Own {
		scope.Own = append(scope.Own, f.Field)
	}
	change(&scope)
	p := &place{scope: scope}
	c.envs[name] = p
	return p
}

// inRules is what rules of a place are compiled with; nil if it cannot be, which is told.
func (c *compiler) inRules(p *place) *rule.Env {
	if p.rules == nil {
		var err error
		if p.rules, err = rule.NewEnv(p.scope); err != nil {
			c.fault(c.source.At(c.message, ""), "rule-scope", fmt.Sprintf("the rules of this place cannot be read: %v", err), "")
		}
	}
	return p.rules
}

// inFormulas is what formulas of a place are compiled with; nil if it cannot be, which is told.
func (c *compiler) inFormulas(p *place) *formula.Env {
	if p.formulas == nil {
		var err error
		if p.formulas, err = formula.NewEnv(p.scope); err != nil {
			c.fault(c.source.At(c.message, ""), "formula-scope", fmt.Sprintf("the formulas of this place cannot be read: %v", err), "")
		}
	}
	return p.formulas
}

// asking is the place of a question's `when` and `required`.
func (c *compiler) asking() *place { return c.placeOf("asking", func(*forms.Scope) {}) }

// deciding is the place of rules, materials and limits.
func (c *compiler) deciding() *place {
	return c.placeOf("deciding", func(s *forms.Scope) { s.Facts = c.facts })
}

// deriving is the place of derived values: results of every step.
func (c *compiler) deriving() *place {
	return c.placeOf("deriving", func(s *forms.Scope) {
		s.Facts = c.facts
		s.Results, s.ResultGuards = c.results(c.bundle.Steps)
	})
}

// ready is the place of a step's `when`, conditions and limits: results of the steps before it.
func (c *compiler) ready(step *Step) *place {
	before := slices.DeleteFunc(c.bundle.Before(step), func(s *Step) bool { return len(s.Result) == 0 })
	name := []string{"ready"}
	for _, s := range before { // steps that know the same results share the place
		name = append(name, s.ID)
	}
	return c.placeOf(strings.Join(name, " "), func(s *forms.Scope) {
		s.Facts = c.facts
		s.Results, s.ResultGuards = c.results(before)
	})
}

func (c *compiler) results(steps []*Step) (fields map[string][]*forms.Field, guards map[string][]string) {
	fields, guards = map[string][]*forms.Field{}, map[string][]string{}
	for _, s := range steps {
		for _, f := range s.Result {
			fields[s.ID] = append(fields[s.ID], f.Field)
		}
		guards[s.ID] = forms.Conjuncts(c.stepMessage(s.ID).GetWhen(), "")
	}
	return fields, guards
}

// within is the place of a section's own expressions: `this`, never `form`.
func (c *compiler) within(s *Section) *place {
	return c.placeOf("within "+s.Alias, func(scope *forms.Scope) {
		scope.Form, scope.Own = nil, nil
		scope.This, scope.ThisPath = s.Section.Fields, s.this()
	})
}

// using is the place of what a bundle sets in a section's use: both `this` and the bundle's names.
func (c *compiler) using(s *Section) *place {
	return c.placeOf("using "+s.Alias, func(scope *forms.Scope) {
		scope.This, scope.ThisPath = s.Section.Fields, s.this()
	})
}

// this is the path behind `this` in the section's expressions; "" where that is an element.
func (s *Section) this() forms.Path {
	if s.Repeated {
		return ""
	}
	return forms.Path("form." + s.Alias)
}

// each is the place of what stands at the elements of a list: `this` is the element. Of a section's list, nothing else
// may be named.
func (c *compiler) each(list *Field, name string, outside bool) *place {
	return c.placeOf("each "+name, func(scope *forms.Scope) {
		if !outside {
			scope.Form, scope.Own = nil, nil
		}
		scope.This, scope.ThisPath = list.Field.Row, ""
	})
}

// perElement is the place of a material that is asked for each element.
func (c *compiler) perElement(list *Field) *place {
	return c.placeOf("per "+string(list.Path), func(scope *forms.Scope) {
		scope.Facts = c.facts
		scope.This, scope.ThisPath = list.Field.Row, ""
	})
}

// rule compiles the rule at a key; nil if it is not written or wrong.
func (c *compiler) rule(p *place, w *diag.Source, m proto.Message, key, path string, inForce []string) *rule.Rule {
	scalar := w.Scalar(m, key, path)
	env := c.inRules(p)
	if env == nil {
		return nil
	}
	if strings.TrimSpace(scalar.Text) == "" {
		c.fault(w.At(m, key), "rule-syntax", "the rule is empty", "")
		return nil
	}
	compiled, found := env.Compile(scalar, rule.Options{InForce: inForce})
	c.found = append(c.found, found...)
	if compiled != nil {
		c.read(compiled.Columns())
		c.found = append(c.found, compiled.Warnings()...)
	}
	return compiled
}

// read notes the cells of lists that something reads.
func (c *compiler) read(columns []forms.Path) {
	for _, p := range columns {
		c.columns[p] = true
	}
}

func (c *compiler) formula(p *place, w *diag.Source, m proto.Message, key, path string, want kind.Kind, inForce []string, f *forms.Field) *formula.Formula {
	env := c.inFormulas(p)
	if env == nil {
		return nil
	}
	compiled, found := env.Compile(w.Scalar(m, key, path), want, inForce, f)
	c.found = append(c.found, found...)
	if compiled != nil {
		c.read(compiled.Columns())
	}
	return compiled
}

// text compiles a text with formulas in it.
func (c *compiler) text(p *place, w *diag.Source, m *formsv1.Text, path string) Text {
	t := Text{Text: text(m)}
	if m == nil {
		return t
	}
	env := c.inFormulas(p)
	if env == nil {
		return t
	}
	var found diag.List
	t.zh, found = env.CompileText(w.Scalar(m, "zh", path+".zh"))
	c.found = append(c.found, found...)
	if m.GetEn() != "" {
		t.en, found = env.CompileText(w.Scalar(m, "en", path+".en"))
		c.found = append(c.found, found...)
	}
	return t
}

var templated = regexp.MustCompile(`[{}]`)

// plain refuses formulas in a text that is shown without a record.
func (c *compiler) plain(w *diag.Source, m proto.Message, key string, t *formsv1.Text) {
	if templated.MatchString(t.GetZh() + t.GetEn()) {
		c.fault(w.At(m, key), "text-formula", "a formula cannot stand in this text, which is shown without a record", "leave the braces out")
	}
}
