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

func compileFile(l *Library, name string, text []byte) (*Bundle, *diag.Source, diag.List) {
	message := &bundlev1.Bundle{}
	source, found := readYAML(name, text, message)
	if found.Err() != nil {
		l.name(source, found)
		return nil, source, found
	}
	c := &compiler{library: l, source: source, message: message, found: found, written: map[*Field]located[*formsv1.Field]{},
		uses: map[*Section]*bundlev1.SectionUse{}, envs: map[string]*place{}, columns: map[forms.Path]bool{}, facts: map[string][]*forms.Field{}}
	c.bundle = &Bundle{ID: message.GetBundle(), fields: map[forms.Path]*Field{}, Pins: map[string]string{}, places: map[string]diag.Span{}, library: l}
	c.compile()
	if c.found.Err() != nil {
		return nil, source, c.found
	}
	c.bundle.weigh()
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
	} else if slices.Contains([]string{"department", "section", "material", "parameter"}, what) {
		hint = fmt.Sprintf("library/%ss*.yaml has those that there are", what)
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
