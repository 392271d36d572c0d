package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/simulate"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Offer is a version to which a case of an application may move if the applicant wants that.
type Offer struct {
	Bundle   string
	From, To *registry.Published
	// Selection is the application's bundles with that version.
	Selection *catalog.Selection
}

// Offer returns the version to which a case may move: the one in force today at the application's place, if it is later
// than the case's and offered (MOVING_CONSENT). Nil: there is none.
func (e *Engine) Offer(d *Dossier, bundle string) *Offer {
	c := d.State.Case(bundle)
	if c == nil || c.State.Over() || len(d.State.Confirmed) > 0 {
		return nil
	}
	f := e.InForce()
	to, from := f.On(bundle, e.Today(), d.State.Place), f.Numbered(bundle, c.Digest)
	if to == nil || from == nil || to.Moving != registryv1.Moving_MOVING_CONSENT || to.Digest == c.Digest || to.Number < from.Number {
		return nil
	}
	selection, err := simulate.Replaced(d.Selection, to.Bundle)
	if err != nil {
		return nil // it does not go with another case's bundle
	}
	return &Offer{Bundle: bundle, From: from, To: to, Selection: selection}
}

// Moving is what an applicant asks: to move a case to the version that is offered, with what has to be added for it.
type Moving struct {
	Application, Bundle string
	Version             int // number of the version that was shown
	Changes             map[string]*structpb.Value
	Materials           map[string]string // digest of the uploaded file, by material
	Expected            int64             // version of the application that was shown
}

// move is the command of it.
func (e *Engine) move(ctx context.Context, d *Dossier, m Moving) (*application.Move, *Offer, error) {
	offer := e.Offer(d, m.Bundle)
	if offer == nil {
		return nil, nil, refusal.New(refusal.WrongState, "该事项没有可以改用的新版本", "no other version is offered for this case")
	}
	if m.Version != 0 && m.Version != offer.To.Number {
		r := refusal.New(refusal.Stale, "可以改用的版本已经变化，请重新查看", "another version is offered by now; look at it again")
		r.CurrentVersion = int64(offer.To.Number)
		return nil, nil, r
	}
	changes, faults := forms.Decode(m.Changes, offer.Selection.Field)
	unknown, err := e.UnknownFiles(ctx, m.Application, changes)
	if err != nil {
		return nil, nil, err
	}
	if faults = append(faults, unknown...); len(faults) > 0 {
		return nil, nil, refusal.New(refusal.RecordInvalid, "表单中有填写不正确的内容", "the form has answers that are not right").With(faults...)
	}
	command := &application.Move{Bundle: m.Bundle, To: offer.Selection, FromVersion: offer.From.Number, ToVersion: offer.To.Number, Reason: offer.To.Why, Changes: changes, Expected: m.Expected}
	if command.Files, err = e.UploadedAll(ctx, m.Application, m.Materials); err != nil {
		return nil, nil, err
	}
	command.Persons, err = e.Named(ctx, d, offer.Selection, changes)
	return command, offer, err
}

// Named returns the keyed digests of whom an application names after changes, by alias, and puts what is known of them into
// the dossier.
func (e *Engine) Named(ctx context.Context, d *Dossier, to *catalog.Selection, changes forms.Record) (map[string]string, error) {
	if err := e.learn(ctx, d, to, changes); err != nil {
		return nil, err
	}
	return e.persons(to, d.Record.Merge(changes)), nil
}

// learn looks up what is not known yet of the persons of an application, by other bundles and after changes. What was known
// of somebody who is not named any more goes.
func (e *Engine) learn(ctx context.Context, d *Dossier, to *catalog.Selection, changes forms.Record) error {
	record := d.Record.Merge(changes)
	facts, err := e.facts(ctx, to, record)
	if err != nil {
		return err
	}
	for _, b := range to.Bundles {
		for _, s := range b.Sections {
			was, _ := numberOf(d.Record, s.Subject())
			if is, _ := numberOf(record, s.Subject()); is != was {
				maps.DeleteFunc(d.Facts, func(p forms.Path, _ kind.Value) bool { return strings.HasPrefix(string(p), "facts."+s.Alias+".") })
			}
		}
	}
	for p, v := range facts {
		if d.Facts[p] == nil {
			d.Facts[p] = v
		}
	}
	return nil
}

// Move moves a case to the version that is offered.
func (e *Engine) Move(ctx context.Context, m Moving, c Call) (*Answer, error) {
	c.Application = m.Application
	c.Command = func(ctx context.Context, d *Dossier) (application.Command, error) {
		command, _, err := e.move(ctx, d, m)
		if err != nil {
			return nil, err
		}
		return *command, nil
	}
	return e.Do(ctx, c)
}

// Preview is what would come of a move.
type Preview struct {
	Offer      *Offer
	Assessment *guide.Assessment // by the new version, of the record with what would be added
	Refusal    *refusal.Refusal  // why it would be refused; nil: it would be taken
}

// PreviewMove says what would come of a move, and changes nothing.
func (e *Engine) PreviewMove(ctx context.Context, d *Dossier, m Moving, c Call) (*Preview, error) {
	m.Expected = 0
	command, offer, err := e.move(ctx, d, m)
	if err != nil {
		return nil, err
	}
	p := &Preview{Offer: offer}
	w := d.world(e, c)
	if p.Assessment, err = application.AssessMove(d.State, *command, w); err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	if _, err = application.Decide(d.State, *command, w); err != nil {
		var refused bool
		if p.Refusal, refused = errors.AsType[*refusal.Refusal](err); !refused {
			return nil, err
		}
	}
	return p, nil
}

// offering are the selections to which cases of an application may move.
func (e *Engine) offering(d *Dossier) []*catalog.Selection {
	var all []*catalog.Selection
	for _, c := range d.State.Cases {
		if offer := e.Offer(d, c.Bundle); offer != nil {
			all = append(all, offer.Selection)
		}
	}
	return all
}

// offered returns the material with a key that a version asks for to which a case of an application may move; nil if none
// does.
func (e *Engine) offered(d *Dossier, key string) (*guide.SharedMaterial, error) {
	for _, to := range e.offering(d) {
		a, err := application.AssessMove(d.State, application.Move{To: to}, d.world(e, Call{}))
		if err != nil {
			return nil, err
		}
		for _, m := range a.Materials {
			if m.Key == key || slices.ContainsFunc(m.OneOf, func(o catalog.Alternative) bool { return o.Key == key }) {
				return m, nil
			}
		}
	}
	return nil, nil
}
