package document

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// GivesRise reports whether documents may be made of an event, by its public part.
func GivesRise(e *applicationv1.Event) bool {
	switch k := e.GetKind().(type) {
	case *applicationv1.Event_Submitted, *applicationv1.Event_Accepted, *applicationv1.Event_NotAccepted, *applicationv1.Event_CorrectionNotified,
		*applicationv1.Event_CorrectionAsked, *applicationv1.Event_Corrected, *applicationv1.Event_Moved, *applicationv1.Event_TaskPaused,
		*applicationv1.Event_Extended, *applicationv1.Event_ResultIssued, *applicationv1.Event_DocumentServed:
		return true
	case *applicationv1.Event_TaskDecided:
		return k.TaskDecided.GetOutcome() == application.Rejected
	}
	return false
}

// All returns the documents of an application: of all its events with their personal parts, in their order. The number of
// a document says its kind, the year, and the number of what it is about, which is never used again; a second one of the
// kind about the same bears -2. So the same events give the same numbers.
func All(events []*applicationv1.Event, selection *catalog.Selection, setting Setting) []*Document {
	m := &maker{setting: setting, selection: selection, results: map[string]map[string]*structpb.Value{}, numbered: map[string]int{}, persons: map[string]string{}}
	for _, e := range events {
		m.state = application.Evolve(m.state, e)
		m.event = e
		m.today = setting.day(e.GetAt().AsTime())
		m.learn(e)
		m.make(e)
	}
	return m.made
}

// maker goes through the events of an application.
type maker struct {
	setting   Setting
	selection *catalog.Selection

	state   application.State // after the event
	event   *applicationv1.Event
	today   kind.Date // of the event
	answers map[string]*structpb.Value
	record  forms.Record
	persons map[string]string // keyed digests, by alias
	filers  []string          // aliases of who submitted; empty: the applicants
	results map[string]map[string]*structpb.Value

	numbered map[string]int
	made     []*Document
}

// learn takes in what an event says of persons and results.
func (m *maker) learn(e *applicationv1.Event) {
	p := e.GetPersonal()
	if r := p.GetRecord(); r != nil {
		m.answers = r.GetAnswers()
		m.record, _ = forms.Decode(m.answers, m.selection.Field)
	}
	maps.Copy(m.persons, p.GetPersons())
	if s := e.GetSubmitted(); s != nil {
		for _, alias := range slices.Sorted(maps.Keys(m.persons)) {
			joint := slices.ContainsFunc(s.GetConfirmations(), func(k *applicationv1.Confirmation) bool { return k.GetAlias() == alias })
			if joint || m.persons[alias] == p.GetActor() && p.GetActor() != "" && !e.GetActor().GetAgent() {
				m.filers = append(m.filers, alias)
			}
		}
	}
	if number := e.GetTaskDecided().GetTask() + e.GetResultIssued().GetTask(); number != "" { // one of them
		if m.results[number] == nil {
			m.results[number] = map[string]*structpb.Value{}
		}
		maps.Copy(m.results[number], p.GetResult().GetAnswers())
	}
}

// make makes the documents of an event.
func (m *maker) make(e *applicationv1.Event) {
	switch k := e.GetKind().(type) {
	case *applicationv1.Event_Submitted, *applicationv1.Event_Corrected, *applicationv1.Event_Moved:
		m.promises(e.GetPersonal().GetPromises())
	case *applicationv1.Event_Accepted:
		m.accepted(k.Accepted)
	case *applicationv1.Event_NotAccepted:
		m.notAccepted(k.NotAccepted)
	case *applicationv1.Event_CorrectionNotified:
		m.correctionNotified(k.CorrectionNotified)
	case *applicationv1.Event_CorrectionAsked:
		m.correctionAsked(k.CorrectionAsked)
	case *applicationv1.Event_TaskPaused:
		m.paused(k.TaskPaused)
	case *applicationv1.Event_Extended:
		m.extended(k.Extended)
	case *applicationv1.Event_TaskDecided:
		m.decided(k.TaskDecided)
	case *applicationv1.Event_ResultIssued:
		m.issued(k.ResultIssued)
	case *applicationv1.Event_DocumentServed:
		m.served(k.DocumentServed)
	}
}

// issue adds a document of the event that is looked at; about is the number of what it is about.
func (m *maker) issue(d *Document, about string) *Document {
	_, prefix := d.Kind.words()
	base := fmt.Sprintf("%s〔%d〕%s", prefix, m.today.Year, about)
	m.numbered[base]++
	if n := m.numbered[base]; n > 1 {
		base += "-" + strconv.Itoa(n)
	}
	d.Number = base + "号"
	d.Event, d.At = m.state.Version, m.event.GetAt().AsTime().In(m.setting.Location)
	if d.Sign == nil {
		d.Sign = []string{d.Office + "（印章）", m.today.Format()}
	}
	m.made = append(m.made, d)
	return d
}

// applicants are the names of who applies for some of the bundles: of who submitted, else of all who may have.
func (m *maker) applicants(bundles ...string) string {
	var names []string
	for _, id := range bundles {
		b := m.selection.Bundle(id)
		if b == nil {
			continue
		}
		aliases := b.Applicants
		if own := slices.DeleteFunc(slices.Clone(aliases), func(alias string) bool { return !slices.Contains(m.filers, alias) }); len(own) > 0 {
			aliases = own
		}
		for _, alias := range aliases {
			if name := m.answers["form."+alias+".name"].GetStringValue(); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return "申请人"
	}
	return strings.Join(names, "、")
}

// bundles are the ids of the application's cases.
func (m *maker) bundles() []string {
	var ids []string
	for _, c := range m.state.Cases {
		ids = append(ids, c.Bundle)
	}
	return ids
}

// matter is the name of a bundle in quotes.
func (m *maker) matter(bundle string) string {
	if b := m.selection.Bundle(bundle); b != nil {
		return "“" + b.Name.ZH + "”"
	}
	return "“" + bundle + "”"
}

func (m *maker) step(bundle, step string) *catalog.Step {
	if b := m.selection.Bundle(bundle); b != nil {
		return b.Step(step)
	}
	return nil
}

// task is a task with its step; the step is nil where the bundle has it no more.
func (m *maker) task(number string) (*application.Task, *catalog.Step) {
	t := m.state.Task(number)
	if t == nil {
		return &application.Task{Number: number}, nil
	}
	return t, m.step(t.Bundle, t.Step)
}

// stepName is the name of a task's step in quotes, and of its department.
func (m *maker) stepName(t *application.Task, step *catalog.Step) (name, department string) {
	if step == nil {
		return "“" + t.Step + "”", m.setting.Office
	}
	return "“" + step.Name.ZH + "”", step.Department.Name.ZH
}

// department is the name of a department by its id, as a step of the application knows it; empty: the office.
func (m *maker) department(id string) string {
	if id == "" {
		return m.setting.Office
	}
	for _, b := range m.selection.Bundles {
		for _, step := range b.Steps {
			if step.Department.ID == id {
				return step.Department.Name.ZH
			}
		}
	}
	return id
}

// material is the name of a material of a case.
func (m *maker) material(bundle, id string) string {
	if b := m.selection.Bundle(bundle); b != nil {
		return guide.MaterialName(b, id, m.record).ZH
	}
	return id
}

// shared is the name of a material by the key under which the form merges it.
func (m *maker) shared(key string) string {
	for _, c := range m.state.Cases {
		for _, x := range c.Materials {
			if x.Shared == key {
				return m.material(c.Bundle, x.ID)
			}
		}
	}
	return key
}

// place is what a finding is about: a question or a material.
func (m *maker) place(bundle, path string) string {
	if id, ok := strings.CutPrefix(path, "materials."); ok {
		return m.material(bundle, id)
	}
	if b := m.selection.Bundle(bundle); b != nil {
		if f := b.Field(forms.Path(path)); f != nil {
			return f.Name.ZH
		}
	}
	return ""
}

// due is a date as people read it.
func due(d *applicationv1.Due) string {
	if day, ok := kind.ParseDate(d.GetDate()); ok {
		return day.Format()
	}
	if day, ok := kind.ParseDate(d.GetEarliest()); ok {
		return "尚未确定，最早为" + day.Format()
	}
	return "尚未确定"
}

// date is a day of an event as people read it.
func date(text string) string {
	if day, ok := kind.ParseDate(text); ok {
		return day.Format()
	}
	return text
}

// count appends how a date was counted; nothing where it was not.
func (d *Document) count(name string, date *applicationv1.Due) {
	if lines := date.GetDerivation(); len(lines) > 0 {
		d.Counted = append(d.Counted, Count{Name: name + "：" + due(date), Lines: lines})
	}
}

// rights are the remedies against a decision that turns somebody down.
func rights(decision string) Block {
	return Block{Heading: "权利告知", Paragraphs: []string{"如不服本" + decision + "，可以自收到本" + decision + "之日起六十日内依法申请行政复议，或者自收到之日起六个月内依法向人民法院提起行政诉讼。" +
		"（《中华人民共和国行政复议法》第二十条、《中华人民共和国行政诉讼法》第四十六条）"}}
}
