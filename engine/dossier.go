package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// ErrNotFound is returned for an application that is not there, or is not the caller's to see.
var ErrNotFound = errors.New("engine: not found")

// eventType is the type of an application's events in their envelopes.
const eventType = "onething.application.v1.Event"

// Stream is the stream of an application.
func Stream(application string) string { return "application/" + application }

// Dossier is an application with its sealed parts opened.
type Dossier struct {
	State     application.State
	Events    []*applicationv1.Event                 // with their personal parts, as far as the key is there
	Selection *catalog.Selection                     // the bundles as it was filed with them
	Record    forms.Record                           // the current revision
	Results   map[string]map[forms.Path]kind.Value   // what steps have given, by bundle and results.<step>.<field>
	Findings  []*applicationv1.Finding               // of the checks, on the current revision
	Facts     map[forms.Path]kind.Value              // as they were known at the last revision
	Persons   map[string]string                      // keyed digests, by alias
	Files     map[string]*applicationv1.MaterialFile // the last one of each material, and documents by task
	Forgotten bool                                   // the key was destroyed
}

// MaterialName is the name of a material of a case, as the bundle writes it for the current record.
func (d *Dossier) MaterialName(bundle, material string) forms.Text {
	return guide.MaterialName(d.Selection.Bundle(bundle), material, d.Record)
}

// Load reads an application and opens what is sealed. The error wraps [ErrNotFound] if there is none.
func (e *Engine) Load(ctx context.Context, id string) (*Dossier, error) {
	return e.LoadAt(ctx, id, math.MaxInt64)
}

// LoadAt reads an application as it was with a version. The error wraps [ErrNotFound] if there was none.
func (e *Engine) LoadAt(ctx context.Context, id string, version int64) (*Dossier, error) {
	d := &Dossier{State: application.State{ID: id}, Persons: map[string]string{}, Files: map[string]*applicationv1.MaterialFile{},
		Results: map[string]map[forms.Path]kind.Value{}, Facts: map[forms.Path]kind.Value{}}
	var record *formsv1.Record
	for event, err := range e.cfg.Log.Read(ctx, Stream(id), 0) {
		if err != nil {
			return nil, fmt.Errorf("read application: %w", err)
		}
		if int64(event.Version) > version {
			break
		}
		opened, err := e.open(ctx, id, event)
		switch {
		case errors.Is(err, seal.ErrNoKey):
			d.Forgotten = true
		case err != nil:
			return nil, fmt.Errorf("open application, version %d: %w", event.Version, err)
		}
		d.State = application.Evolve(d.State, opened)
		d.Events = append(d.Events, opened)
		if r := opened.GetPersonal().GetRecord(); r != nil {
			record = r
		}
		if persons := opened.GetPersonal().GetPersons(); len(persons) > 0 {
			d.Persons = maps.Clone(persons) // those of the last revision
		}
		for _, f := range opened.GetPersonal().GetFiles() {
			d.Files[f.GetMaterial()] = f
		}
	}
	if len(d.Events) == 0 {
		return nil, fmt.Errorf("application: %w", ErrNotFound)
	}
	var digests []string
	for _, c := range d.State.Cases {
		digests = append(digests, c.Digest)
	}
	var err error
	if d.Selection, err = e.InForce().SelectDigests(digests); err != nil {
		return nil, err
	}
	d.Record, _ = forms.Decode(record.GetAnswers(), d.Selection.Field)
	d.collect()
	return d, nil
}

// open returns an event with its personal part.
func (e *Engine) open(ctx context.Context, id string, event commitlog.Event) (*applicationv1.Event, error) {
	message := &applicationv1.Event{}
	if err := proto.Unmarshal(event.Public, message); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	if len(event.Personal) == 0 {
		return message, nil
	}
	content, err := e.cfg.Keys.OpenEvent(ctx, seal.KeyID(event.Key), seal.Place{Stream: Stream(id), Version: event.Version, Type: event.Type}, event.Personal, event.Commitment)
	if err != nil {
		return message, err
	}
	message.Personal = &applicationv1.Personal{}
	if err := proto.Unmarshal(content, message.Personal); err != nil {
		return message, fmt.Errorf("decode personal part: %w", err)
	}
	return message, nil
}

// collect gathers results and facts from the personal parts.
func (d *Dossier) collect() {
	for _, event := range d.Events {
		personal := event.GetPersonal()
		if personal.GetRecord() != nil { // a revision, with all that was known then
			clear(d.Facts)
		}
		for p, v := range personal.GetFacts().GetAnswers() {
			if value := d.fact(forms.Path(p), v.AsInterface()); value != nil {
				d.Facts[forms.Path(p)] = value
			}
		}
		if c, ok := event.GetKind().(*applicationv1.Event_Checked); ok && int(c.Checked.GetRevision()) == d.State.Revision {
			d.Findings = append(d.Findings, personal.GetFindings()...)
		}
		number := ""
		switch k := event.GetKind().(type) {
		case *applicationv1.Event_TaskDecided:
			number = k.TaskDecided.GetTask()
		case *applicationv1.Event_ResultIssued:
			number = k.ResultIssued.GetTask()
		}
		task := d.State.Task(number)
		if task == nil || personal.GetResult() == nil {
			continue
		}
		step := d.Selection.Bundle(task.Bundle).Step(task.Step)
		if d.Results[task.Bundle] == nil {
			d.Results[task.Bundle] = map[forms.Path]kind.Value{}
		}
		for _, f := range step.Result {
			given, ok := personal.GetResult().GetAnswers()[f.ID]
			if !ok || given.AsInterface() == nil {
				continue
			}
			if value, fault := f.Spec().Parse(given.AsInterface()); fault == nil {
				d.Results[task.Bundle][f.Path] = value
			}
		}
	}
}

// fact reads a stored fact by the kind that the bundles give it.
func (d *Dossier) fact(p forms.Path, given any) kind.Value {
	segments := p.Segments()
	for _, b := range d.Selection.Bundles {
		if f := b.Facts()[segments[len(segments)-1]]; f != nil {
			if value, fault := f.Spec().Parse(given); fault == nil {
				return value
			}
		}
	}
	return nil
}

// world is everything outside the application that a decision may depend on.
func (d *Dossier) world(e *Engine, c Call) application.World {
	w := application.World{Now: e.cfg.Now(), Actor: c.Actor, Person: c.Person, Selection: d.Selection, Calendar: e.InForce().Calendar, Place: e.cfg.Place,
		Facts: d.Facts, Record: d.Record, Results: d.Results, Findings: d.Findings, Plugins: map[string][]string{},
		Draw: e.cfg.Keys.Digest("draw", []byte(d.State.ID)), CorrectionDays: e.cfg.CorrectionDays}
	if e.cfg.Hooks != nil { // also those of a version to which a case moves, and of one that another program activated
		for id := range e.cfg.Offered {
			w.Plugins[id] = e.cfg.Hooks(id)
		}
		for id := range e.InForce().State.Plugins {
			w.Plugins[id] = e.cfg.Hooks(id)
		}
	}
	return w
}
