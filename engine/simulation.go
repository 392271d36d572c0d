package engine

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/simulate"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Simulated is what a version means for one application or draft.
type Simulated struct {
	Number string // of the case, or the id of an application that cannot be read; empty: a draft
	Draft  string // id; empty: an application
	simulate.Effect
}

// Simulation is a version that is tried.
type Simulation struct {
	To *catalog.Bundle
	// Applications are the ids of the applications, at least of all that are open; one that is over, or has no case of the
	// bundle, is passed over.
	Applications iter.Seq2[string, error]
	// Each is told of each application and draft of the bundle, as soon as it is known. Its error ends the simulation.
	Each func(Simulated) error
	// Looked is told of everything that was looked at, of the bundle or not; nil: nobody is.
	Looked func(draft bool) error
}

// ErrSimulating is returned while another simulation runs.
var ErrSimulating = errors.New("engine: another simulation is under way")

// BeginSimulation keeps other simulations away until end is called.
func (e *Engine) BeginSimulation() (end func(), err error) {
	if !e.simulating.TryLock() {
		return nil, ErrSimulating
	}
	return e.simulating.Unlock, nil
}

// Simulate tries a version on all applications and drafts that are under way. It changes nothing, asks no source, and holds
// one of them at a time. What is filed or saved meanwhile may be among them or not. An application that has the version
// already counts as unchanged.
func (e *Engine) Simulate(ctx context.Context, s Simulation) error {
	looked := func(draft bool) error {
		if s.Looked == nil {
			return ctx.Err()
		}
		return errors.Join(s.Looked(draft), ctx.Err())
	}
	for id, err := range s.Applications {
		if err != nil {
			return err
		}
		effect, number := e.simulateCase(ctx, id, s.To)
		if number != "" {
			err = s.Each(Simulated{Number: number, Effect: effect})
		}
		if err = errors.Join(err, looked(false)); err != nil {
			return err
		}
	}
	for d, err := range e.cfg.Drafts.All(ctx) {
		if err != nil {
			return err
		}
		if slices.Contains(d.Bundles, s.To.ID) {
			err = s.Each(Simulated{Draft: d.ID, Effect: e.simulateDraft(d, s.To)})
		}
		if err = errors.Join(err, looked(true)); err != nil {
			return err
		}
	}
	return nil
}

// simulateCase tries a version on an application. There is no number if it has no open case of the bundle.
func (e *Engine) simulateCase(ctx context.Context, id string, to *catalog.Bundle) (simulate.Effect, string) {
	d, err := e.Load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound) || ctx.Err() != nil:
		return simulate.Effect{}, ""
	case err != nil:
		e.cfg.Logger.Warn("application cannot be read by a simulation", "application", id, "error", err)
		return simulate.CannotRead(), id
	}
	c := d.State.Case(to.ID)
	if c == nil || c.State.Over() {
		return simulate.Effect{}, ""
	}
	w := d.world(e, Call{Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}})
	lapsed, err := application.Decide(d.State, application.Lapse{}, w)
	if d.Forgotten || err != nil {
		return simulate.CannotRead(), c.Number
	}
	for _, event := range lapsed {
		d.State = application.Evolve(d.State, event)
	}
	if d.State.Case(to.ID).State.Over() {
		return simulate.Effect{}, ""
	}
	return simulate.Case(d.State, w, to), c.Number
}

// simulateDraft tries a version on a draft.
func (e *Engine) simulateDraft(d *draft.Draft, to *catalog.Bundle) simulate.Effect {
	r, err := e.Reading(d)
	if err != nil {
		return simulate.CannotRead()
	}
	has := func(key string) bool {
		return slices.ContainsFunc(d.Files, func(f *applicationv1.MaterialFile) bool { return f.GetMaterial() == key }) ||
			slices.ContainsFunc(d.Promises, func(p *applicationv1.SignedPromise) bool { return p.GetMaterial() == key })
	}
	answers := func(s *catalog.Selection) forms.Record {
		record, _ := forms.Decode(d.Record.GetAnswers(), s.Field)
		return record
	}
	return simulate.Draft(r.Selection, to, answers, e.setting(e.cfg.Place, nil), has)
}

// Filed returns the ids of all applications that a log holds, up to a position, the first one first.
func Filed(ctx context.Context, log commitlog.Log, upto uint64) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if upto == 0 {
			return
		}
		for c, err := range log.Follow(ctx, 0) {
			if err != nil {
				yield("", err)
				return
			}
			for _, a := range c.Appends {
				if id, ok := fold.ID(a.Stream); ok && a.Expected == 0 && !yield(id, nil) {
					return
				}
			}
			if c.Position >= upto {
				return
			}
		}
	}
}
