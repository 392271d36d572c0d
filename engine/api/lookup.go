package api

import (
	"context"
	"slices"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// ListLookups implements IntakeService. It reads the log itself, so it is never behind.
func (s intakeService) ListLookups(ctx context.Context, r *apiv1.ListLookupsRequest) (*apiv1.ListLookupsResponse, error) {
	lookups, err := s.lookups(ctx, r.GetApplication())
	if err != nil {
		return nil, refused(err)
	}
	from, to, next, err := window(r.GetPage(), len(lookups))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.ListLookupsResponse{NextToken: next}
	for _, l := range lookups[from:to] {
		answer.Lookups = append(answer.Lookups, &apiv1.Lookup{At: l.GetAt(), Department: l.GetActor().GetDepartment(), Plugin: l.GetActor().GetId(), Number: l.GetNumber(),
			Application: l.GetApplication(), Hook: l.GetHook(), Source: l.GetSource(), Purpose: l.Purpose, Answered: l.GetAnswered(), Found: l.GetFound(), Refused: l.GetRefused()})
	}
	return answer, nil
}

// lookups are those for an application of the caller's, or without one those about the caller, the latest first.
func (s intakeService) lookups(ctx context.Context, application string) ([]engine.LookedUp, error) {
	who := access.FromContext(ctx)
	if application != "" {
		if _, err := s.own(ctx, application); err != nil {
			return nil, err
		}
		return s.engine.LookupsFor(ctx, application)
	}
	var all []engine.LookedUp
	for _, own := range who.Principals() {
		about, err := s.engine.LookupsAbout(ctx, own)
		if err != nil {
			return nil, err
		}
		all = append(all, about...)
	}
	slices.SortStableFunc(all, func(a, b engine.LookedUp) int { return b.GetAt().AsTime().Compare(a.GetAt().AsTime()) })
	return all, nil
}
