package notices

import (
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// compose makes the message of a notice: its text from the facts of its event, and its addresses.
func (h *Handler) compose(a *Application, n Notice) (Message, *Failure) {
	m := Message{ID: n.ID, Kind: n.Kind, To: n.To, Department: n.Department, Alias: n.Alias, Number: n.Number, At: n.At, Now: h.Now()}
	facts := factsOf(a, n)
	switch n.To {
	case Applicant:
		person := find(a, n)
		m.Phone = person.phone
		if person.mail != "" {
			m.Mail = []string{person.mail}
		}
		// The template takes of these what it names; see Templates.render.
		facts.text("name", person.name)
		if person.phone != "" {
			facts["phone"] = kind.Phone(person.phone)
		}
	case Clerk:
		m.Mail = h.Routes.Clerks.To
	case Officer:
		m.Mail = h.Routes.officers(n.Department).To
	}
	var ok bool
	if m.Subject, m.Text, ok = h.Templates.render(n.Kind, n.To, facts); !ok {
		return m, &Failure{Code: "no template", Permanent: true} // it was switched off meanwhile
	}
	return m, nil
}

// facts are the values that templates may name, by name; one that is not there is blank.
type facts map[string]kind.Value

func (f facts) text(name, value string) {
	if value != "" {
		f[name] = kind.Text(value)
	}
}

func (f facts) date(name, value string) {
	if day, ok := kind.ParseDate(value); ok {
		f[name] = day
	}
}

func (f facts) choice(name, value string) {
	if value != "" {
		f[name] = kind.Choice(strings.ToLower(value))
	}
}

// factsOf are the facts of an event that are nobody's.
func factsOf(a *Application, n Notice) facts {
	f := facts{}
	bundle := n.Bundle
	f.text("number", n.Number)
	if c := a.State.Case(bundle); c != nil {
		f.text("number", c.Number)
	}
	f.text("matter", matters(a, n))
	if t := a.State.Task(n.Task); t != nil {
		f.text("task", t.Number)
		f.choice("purpose", t.Purpose)
		if b := a.Selection.Bundle(t.Bundle); b != nil {
			if step := b.Step(t.Step); step != nil {
				f.text("step", step.Name.ZH)
				f.text("department", step.Department.Name.ZH)
			}
		}
		if n.Kind == "task_opened" {
			f.date("date", t.Due.GetDate())
		}
	}
	if c := a.State.Case(bundle); c != nil && n.Kind == "case_waiting" {
		f.date("date", c.NoticeDue.GetDate())
	}
	f.event(a, bundle)
	for _, name := range []string{"material", "step", "matter"} { // the nearest thing that it is about
		if item, ok := f[name]; ok {
			f["item"] = item
			break
		}
	}
	return f
}

// event adds the facts of the event itself.
func (f facts) event(a *Application, bundle string) {
	material := func(id string) {
		if b := a.Selection.Bundle(bundle); b != nil {
			f.text("material", materialName(b, id))
		}
	}
	switch k := a.Event.GetKind().(type) {
	case *applicationv1.Event_Accepted:
		f.date("day", k.Accepted.GetAsOf())
		f.date("date", k.Accepted.GetDue().GetDate())
	case *applicationv1.Event_NotAccepted:
		f["elsewhere"] = kind.Bool(k.NotAccepted.GetElsewhere())
	case *applicationv1.Event_CorrectionNotified:
		f.text("notice", k.CorrectionNotified.GetNumber())
		f.date("date", k.CorrectionNotified.GetDue().GetDate())
	case *applicationv1.Event_CorrectionAsked:
		f.text("notice", k.CorrectionAsked.GetNotice())
		f.date("date", k.CorrectionAsked.GetDue().GetDate())
	case *applicationv1.Event_TaskPaused:
		f.text("notice", k.TaskPaused.GetNotice())
		f.choice("procedure", k.TaskPaused.GetProcedure())
		f.date("day", k.TaskPaused.GetFrom())
		f["days"] = kind.Int(k.TaskPaused.GetDays())
	case *applicationv1.Event_TaskResumed:
		f.date("day", k.TaskResumed.GetTo())
		f.date("date", k.TaskResumed.GetDue().GetDate())
	case *applicationv1.Event_Extended:
		f.text("notice", k.Extended.GetNotice())
		f.date("date", k.Extended.GetDue().GetDate())
		f["days"] = kind.Int(k.Extended.GetDays())
		material(k.Extended.GetMaterial())
	case *applicationv1.Event_ToleranceLapsed:
		f.choice("then", k.ToleranceLapsed.GetThen())
		f.date("date", k.ToleranceLapsed.GetUntil().GetDate())
		material(k.ToleranceLapsed.GetMaterial())
	case *applicationv1.Event_ResultIssued:
		f.date("date", k.ResultIssued.GetValidUntil())
	case *applicationv1.Event_PromiseVerified:
		material(k.PromiseVerified.GetMaterial())
	case *applicationv1.Event_CaseEnded:
		f.choice("outcome", strings.TrimPrefix(k.CaseEnded.GetOutcome().String(), "OUTCOME_"))
	case *applicationv1.Event_Warned:
		f.choice("clock", k.Warned.GetClock())
		f.choice("colour", k.Warned.GetColour())
		f.date("date", k.Warned.GetDate())
		material(k.Warned.GetMaterial())
	}
}

// matters are the names of the bundles that a notice is about.
func matters(a *Application, n Notice) string {
	var names []string
	for _, b := range about(a, n) {
		names = append(names, b.Name.ZH)
	}
	return strings.Join(names, "、")
}

// about are the bundles that a notice is about: its own, those of a correction notice, or all of the application.
func about(a *Application, n Notice) []*catalog.Bundle {
	wanted := a.Event.GetCorrectionNotified().GetBundles()
	if n.Bundle != "" {
		wanted = []string{n.Bundle}
	}
	var bundles []*catalog.Bundle
	for _, c := range a.State.Cases {
		if b := a.Selection.Bundle(c.Bundle); b != nil && (len(wanted) == 0 || slices.Contains(wanted, c.Bundle)) {
			bundles = append(bundles, b)
		}
	}
	return bundles
}

// materialName is the name of a material without the values of an element that it may hold: they are somebody's.
func materialName(b *catalog.Bundle, id string) string {
	m := b.Material(id)
	if m == nil {
		return ""
	}
	var name strings.Builder
	depth := 0
	for _, r := range m.Name.ZH {
		switch {
		case r == '{':
			if depth++; depth == 1 {
				name.WriteString(formula.Missing)
			}
		case r == '}' && depth > 0:
			depth--
		case depth == 0:
			name.WriteRune(r)
		}
	}
	return name.String()
}

// person is who is told, with the address.
type person struct{ name, phone, mail string }

// find returns the applicant of a notice: that of its alias, or the first of those who may apply whose section has an
// address, else a name.
func find(a *Application, n Notice) person {
	var named person
	for _, b := range about(a, n) {
		for _, alias := range b.Applicants {
			if n.Alias != "" && n.Alias != alias {
				continue
			}
			p := read(a.Record, b, alias)
			if p.phone != "" || p.mail != "" {
				return p
			}
			if named.name == "" {
				named = p
			}
		}
	}
	return named
}

// read reads name and addresses from a section: the fields with the ids `name` and `email`, and the first telephone.
func read(record forms.Record, b *catalog.Bundle, alias string) person {
	var p person
	for _, s := range b.Sections {
		if s.Alias != alias || s.Repeated {
			continue
		}
		for _, field := range s.Fields {
			value, _ := record.Get(field.Path)
			switch v := value.(type) {
			case kind.Phone:
				if p.phone == "" {
					p.phone = string(v)
				}
			case kind.Text:
				switch field.ID {
				case "name":
					p.name = string(v)
				case "email":
					p.mail = string(v)
				}
			default: // no name and no address
			}
		}
	}
	return p
}
