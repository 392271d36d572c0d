package engine

import (
	"context"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// hookPrefill is the hook that proposes values, as [Config.Hooks] names it.
const hookPrefill = "prefill"

// Prefiller asks a department's plugin for proposals.
type Prefiller interface {
	// Prefill returns proposals by path for a step, from the answers that are there of what the step needs, and the look-ups of
	// shared data that were made for them, also with an error.
	Prefill(ctx context.Context, b *catalog.Bundle, step *catalog.Step, answers forms.Record, today kind.Date, place string) (map[forms.Path]kind.Value, []person.Lookup, error)
}

// Proposal is a proposed answer.
type Proposal struct {
	Path       forms.Path
	Value      kind.Value
	Department string
}

// Prefill asks the plugins of the steps that apply for proposals, and returns those for fields that are shown and not
// answered, with the departments that were silent. It answers a person who waits, so the plugins are called directly;
// that they were is recorded first, under the request's id.
func (e *Engine) Prefill(ctx context.Context, owners []draft.Owner, id string, r Request) (proposals []Proposal, silent []string, err error) {
	d, err := e.Draft(ctx, owners, id)
	if err != nil || e.cfg.Prefiller == nil {
		return nil, nil, err
	}
	open := map[forms.Path]bool{}
	for _, f := range d.Assessed.Fields {
		_, answered := d.Assessed.Record.Get(f.Path)
		open[f.Path] = !answered && f.Shown != rule.False && !f.Field.Derived
	}
	actor := &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}
	for _, c := range d.Assessed.Cases {
		for _, s := range c.Steps {
			if s.Plugin == "" || s.Applies.Truth == rule.False || e.cfg.Hooks == nil || !slices.Contains(e.cfg.Hooks(s.Plugin), hookPrefill) {
				continue
			}
			if err := e.recordSight(ctx, id, actor, "prefill/"+s.Plugin, r.ID+"/"+c.Bundle.ID+"/"+s.ID); err != nil {
				return nil, nil, err
			}
			answers := d.Assessed.Record.Only(func(p forms.Path) bool { return slices.Contains(s.Fields, p) })
			proposed, lookups, err := e.cfg.Prefiller.Prefill(ctx, c.Bundle, s.Step, answers, e.Today(), e.cfg.Place)
			plugin := &applicationv1.Actor{Role: applicationv1.Role_ROLE_PLUGIN, Department: s.Department.ID, Id: s.Plugin}
			if err := e.RecordLookups(ctx, Looking{Application: id, Actor: plugin, Hook: hookPrefill}, lookups); err != nil {
				return nil, nil, err
			}
			if err != nil {
				silent = append(silent, s.Department.ID)
				continue
			}
			for _, p := range d.Assessed.Selection.Paths() {
				if v := proposed[p]; v != nil && open[p] {
					open[p] = false
					proposals = append(proposals, Proposal{Path: p, Value: v, Department: s.Department.ID})
				}
			}
		}
	}
	return proposals, silent, nil
}
