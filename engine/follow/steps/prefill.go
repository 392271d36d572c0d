package steps

import (
	"context"
	"errors"
	"fmt"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/engine/pluginvalue"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Prefiller asks plugins for proposals. It is no follower: somebody waits for the answer, and nothing is tried again.
type Prefiller struct{ Caller Caller }

// Prefill returns the proposals of a step's plugin, by path, for the answers that are there of what the step needs, and the
// look-ups that it made for them, also if it failed. A proposal for a field that the bundle does not have, or of another
// kind, makes the whole answer a failure.
func (p Prefiller) Prefill(ctx context.Context, b *catalog.Bundle, step *catalog.Step, answers forms.Record, today kind.Date, place string) (map[forms.Path]kind.Value, []person.Lookup, error) {
	request := &pluginv1.Request{
		Hook: pluginv1.Hook_HOOK_PREFILL, Bundle: b.ID, Step: step.ID, Attempt: 1, Today: today.String(), Place: place,
		Answers: map[string]*pluginv1.Value{}, Parameters: map[string]*pluginv1.Value{},
	}
	for _, path := range step.Fields {
		value, ok := answers.Get(path)
		if !ok || value == nil {
			continue // not answered, or blank
		}
		var err error
		if request.Answers[shorten(path, b.ID)], err = pluginvalue.Of(step.Narrow(path, value)); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	parameters := b.Parameters()
	for id := range parameters {
		if value, ok := parameters.Value(id, today, place); ok {
			var err error
			if request.Parameters[id], err = pluginvalue.Of(value); err != nil {
				return nil, nil, fmt.Errorf("parameter %s: %w", id, err)
			}
		}
	}
	var err error
	if request.Published, err = published(parameters, place); err != nil {
		return nil, nil, err
	}
	answer, err := p.Caller.Call(ctx, step.Plugin, request)
	if err != nil {
		return nil, answer.Lookups, err
	}
	if answer.GetPrefill() == nil {
		return nil, answer.Lookups, &Failure{Kind: "unfit_answer", Err: errors.New("no answer of prefill")}
	}
	proposals := map[forms.Path]kind.Value{}
	for short, v := range answer.GetPrefill().GetProposals() {
		path := forms.Path(lengthen(short, b.ID))
		field := b.Field(path)
		if field == nil {
			return nil, answer.Lookups, &Failure{Kind: "unfit_answer", Err: fmt.Errorf("no field %s", path)}
		}
		if proposals[path], err = pluginvalue.Read(field.Field, v); err != nil {
			return nil, answer.Lookups, &Failure{Kind: "unfit_answer", Err: fmt.Errorf("proposal %s: %w", path, err)}
		}
	}
	return proposals, answer.Lookups, nil
}
