package catalog

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

func (c *compiler) warn(at diag.Span, code, message, hint string) {
	c.found = append(c.found, diag.Diagnostic{Span: at, Severity: diag.Warning, Code: code, Message: message, Hint: hint})
}

// advise finds what a bundle that can be compiled had better not say.
func (c *compiler) advise() {
	for _, m := range c.message.GetEligibility() {
		if o := m.GetOtherwise(); m.GetRemedy() == nil && (o == bundlev1.Rule_REFUSE || o == bundlev1.Rule_OTHERWISE_UNSPECIFIED) {
			c.warn(c.source.At(m, "id"), "remedy-missing", fmt.Sprintf("who fails `%s` is not told what to do", m.GetId()), "add `remedy`")
		}
	}
	var rules strings.Builder
	for _, d := range c.bundle.Decisions() {
		rules.WriteString(d.Rule.Text() + "\n")
	}
	for _, p := range c.bundle.order {
		f := c.bundle.fields[p]
		if !strings.Contains(rules.String(), "size("+c.spelled(p)+")") { // else a rule asks for some
			c.choices(f)
		}
		for _, cell := range f.Row {
			c.choices(cell)
		}
	}
	c.timely()
	for i, m := range c.message.GetMaterials() {
		c.suppliable(c.bundle.Materials[i], m)
	}
	for _, m := range c.message.GetSteps() {
		step := c.bundle.Step(m.GetId())
		if of, _, ok := strings.Cut(step.Plugin, "/"); ok && of != step.Department.ID {
			c.fault(c.source.At(m, "plugin"), "plugin-department", fmt.Sprintf("the plugin `%s` is not of the department `%s`", step.Plugin, step.Department.ID),
				"let a plugin of the step's department decide, or change the department")
		}
		for i, need := range m.GetNeeds().GetMaterials() {
			if d := c.bundle.Material(need.GetUse()); d.Tolerate != nil && need.GetBefore() == bundlev1.MaterialNeed_EXAMINATION {
				c.warn(c.source.Element(m.GetNeeds(), "materials", i), "tolerate-early", fmt.Sprintf("`%s` may follow after acceptance, but this step cannot be examined without it", d.ID),
					"write `before: RESULT`, or leave `tolerate` out")
			}
		}
	}
}

// choices reports a question that has to be answered and may be answered by choosing nothing.
func (c *compiler) choices(f *Field) {
	if f.Kind == kind.KindChoices && f.Field.Required && !f.Field.Derived && f.Min == nil {
		w := c.written[f]
		c.warn(w.source.At(w.item, "required"), "choices-empty", fmt.Sprintf("`%s` has to be answered, but nothing need be chosen", f.ID), "add `min: 1`, or leave `required` out")
	}
}

// suppliable reports a material that is to come from a step that does not give it.
func (c *compiler) suppliable(d *Material, m *bundlev1.Material) {
	if !slices.Contains(d.Sources, "STEP") || len(m.GetSource()) == 0 && len(d.Sources) > 1 {
		return
	}
	names := slices.DeleteFunc([]string{d.ID, m.GetUse(), m.GetMaterial()}, func(s string) bool { return s == "" })
	for _, s := range c.bundle.Steps {
		if !slices.ContainsFunc(s.Materials, func(n Need) bool { return n.Material == d }) {
			continue
		}
		if !slices.ContainsFunc(c.bundle.Before(s), func(b *Step) bool { return slices.Contains(names, b.Document) }) {
			c.fault(c.source.At(m, "source"), "material-source", fmt.Sprintf("no step before `%s` gives the document `%s`", s.ID, d.ID),
				"let the `result` of a step before it have this `document`, or name another source")
			return
		}
	}
}

// timely compares promised limits with the law's and with each other.
func (c *compiler) timely() {
	b, m := c.bundle, c.message
	for _, sm := range m.GetSteps() {
		step := b.Step(sm.GetId())
		for i, p := range step.Promised {
			// A case of the promise is held against the same case of the law, else against the longest.
			late := len(step.Statutory) > 0
			for j, s := range step.Statutory {
				if same := sm.GetPromised()[i].GetWhen() == sm.GetStatutory()[j].GetWhen(); same {
					late = longer(p.Days, s.Days)
					break
				}
				late = late && longer(p.Days, s.Days)
			}
			if late {
				at := c.source.At(sm.GetPromised()[i], "")
				if len(step.Promised) == 1 {
					at = c.source.At(sm, "promised")
				}
				c.fault(at, "limit-statutory", fmt.Sprintf("the step `%s` promises to take longer than the law allows", step.ID), "shorten `promised`, or correct `statutory`")
			}
		}
	}
	if b.Promised != nil {
		if longer(*b.Promised, b.Statutory) {
			c.fault(c.source.At(m, "promised"), "limit-statutory", "the bundle promises to take longer than the law allows", "shorten `promised`, or correct `statutory`")
		}
		if way, needs := c.longest(); longer(Days{needs, WorkingDays}, *b.Promised) {
			c.warn(c.source.At(m, "promised"), "limit-total", fmt.Sprintf("the steps take %d working days one after another: %s", needs, strings.Join(way, " → ")),
				"promise more for the whole, or less for the steps")
		}
	}
	most := c.most()
	for i, d := range b.Materials {
		if d.Tolerate != nil && most > 0 && d.Tolerate.WorkingDays > most {
			c.warn(c.source.At(m.GetMaterials()[i], "tolerate"), "tolerate-long",
				fmt.Sprintf("`%s` may follow after %d working days, when the matter is promised within %d", d.ID, d.Tolerate.WorkingDays, most), "shorten `tolerate`")
		}
	}
}

// longer reports whether a length of time is longer than another for certain. Of different units, a week has five working
// days and a month 28 to 31 days.
func longer(a, b Days) bool {
	if a.Unit == b.Unit {
		return a.N > b.N
	}
	least, _ := a.inDays()
	_, most := b.inDays()
	return least > most
}

func (d Days) inDays() (least, most int) {
	switch d.Unit {
	case WorkingDays:
		return d.N * 7 / 5, d.N*7/5 + 4
	case Months:
		return d.N * 28, d.N * 31
	case Years:
		return d.N * 365, d.N * 366
	default:
		return d.N, d.N
	}
}

// longest is the longest way through steps that may all apply to one applicant, in working days: of steps with a
// `when`, only those with the same one are taken together, and of cases the shortest counts.
func (c *compiler) longest() (way []string, days int) {
	whens := map[string]bool{"": true}
	for _, m := range c.message.GetSteps() {
		whens[m.GetWhen()] = true
	}
	gated := map[string]bool{}
	for _, r := range c.bundle.Eligibility {
		for _, id := range r.For {
			gated[id] = true
		}
	}
	for when := range whens {
		w, n := c.path(func(s *Step) int {
			m := c.stepMessage(s.ID)
			if gated[s.ID] || m.When != nil && m.GetWhen() != when {
				return 0
			}
			least := -1
			for _, l := range s.Promised {
				if n := l.Days.working(); l.Days.Unit == WorkingDays && (least < 0 || n < least) {
					least = n
				}
			}
			return max(0, least)
		})
		if n > days || n == days && strings.Join(w, " ") < strings.Join(way, " ") {
			way, days = w, n
		}
	}
	return way, days
}

// most is what the bundle may take at most, in working days: what is promised for the whole, or the longest way if all
// steps applied and of cases the longest counted.
func (c *compiler) most() int {
	if p := c.bundle.Promised; p != nil {
		return p.working()
	}
	_, n := c.path(func(s *Step) int {
		most := 0
		for _, l := range s.Promised {
			most = max(most, l.Days.working())
		}
		return most
	})
	return n
}

// working is the length in working days, rounded up: calendar days and months have five a week.
func (d Days) working() int {
	switch d.Unit {
	case CalendarDays:
		return (d.N*5 + 6) / 7
	case Months:
		return d.N * 23
	default:
		return d.N
	}
}

// path is the longest way along `after`, where each step takes a length.
func (c *compiler) path(takes func(*Step) int) (way []string, length int) {
	type reach struct {
		way    []string
		length int
	}
	known := map[string]reach{}
	var visit func(*Step) reach
	visit = func(s *Step) reach {
		if r, ok := known[s.ID]; ok {
			return r
		}
		var best reach
		for _, a := range s.After {
			if r := visit(c.bundle.Step(a.Step)); !s.AtOnce && r.length > best.length {
				best = r
			}
		}
		if n := takes(s); n > 0 {
			best = reach{append(slices.Clone(best.way), s.ID), best.length + n}
		}
		known[s.ID] = best
		return best
	}
	for _, s := range c.bundle.Steps {
		if r := visit(s); r.length > length {
			way, length = r.way, r.length
		}
	}
	return way, length
}

// Places in a bundle's file that findings of later tools name.

// UntilAt is where the end of the time in force stands.
func (b *Bundle) UntilAt() diag.Span { return b.places["until"] }

// NeedOf is where a step says that it needs a field.
func (b *Bundle) NeedOf(step *Step, p forms.Path) diag.Span {
	return b.places["need "+step.ID+" "+string(p)]
}

// Untranslated reports the texts of a file, of a bundle or of a library, that have no English.
func Untranslated(name string, text []byte) diag.List {
	var message protoreflect.ProtoMessage = &bundlev1.Bundle{}
	if strings.HasPrefix(name, "library/") {
		message = &bundlev1.Library{}
	}
	source, faults := readYAML(name, text, message)
	if len(faults) > 0 {
		return nil // told by the loader
	}
	var found diag.List
	var visit func(protoreflect.Message)
	visit = func(m protoreflect.Message) {
		switch t := m.Interface().(type) {
		case *formsv1.Text:
			if t.GetEn() == "" {
				found = append(found, untranslated(source.At(t, "zh")))
			}
		case *formsv1.Option:
			if t.GetEn() == "" {
				found = append(found, untranslated(source.At(t, "zh")))
			}
		}
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			switch {
			case f.Message() == nil:
			case f.IsMap():
				if f.MapValue().Message() != nil {
					v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { visit(v.Message()); return true })
				}
			case f.IsList():
				for i := range v.List().Len() {
					visit(v.List().Get(i).Message())
				}
			default:
				visit(v.Message())
			}
			return true
		})
	}
	visit(message.ProtoReflect())
	return found.Sorted()
}

func untranslated(at diag.Span) diag.Diagnostic {
	return diag.Diagnostic{Span: at, Severity: diag.Error, Code: "translation-missing", Message: "this text has no English", Hint: "add `en:`"}
}
