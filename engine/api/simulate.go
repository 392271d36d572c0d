package api

import (
	"context"
	"iter"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/simulate"
	"github.com/siyiban/onething/engine/view"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// progressEvery is after how many that were looked at a simulation says how far it has come.
const progressEvery = 100

// SimulateVersion implements PublishService.
func (s publishService) SimulateVersion(ctx context.Context, r *apiv1.SimulateVersionRequest, stream apiv1connect.PublishServiceSimulateVersionServerStream) error {
	to, err := s.engine.Version(r.GetBundle(), versionRef(r.GetNew()))
	if err != nil {
		return refused(err)
	}
	end, err := s.engine.BeginSimulation()
	if err != nil {
		return refused(err)
	}
	defer end()
	var sum simulate.Sum
	progress := &apiv1.SimulationProgress{}
	tell := func() error {
		return stream.Send(&apiv1.SimulateVersionResponse{Part: &apiv1.SimulateVersionResponse_Progress{Progress: progress}})
	}
	if err := tell(); err != nil {
		return err
	}
	err = s.engine.Simulate(ctx, engine.Simulation{
		To: to, Applications: s.open(ctx),
		Each: func(found engine.Simulated) error {
			sum.Add(found.Effect, found.Draft != "")
			if found.Kind == simulate.Unchanged && !r.GetAll() {
				return nil
			}
			return stream.Send(&apiv1.SimulateVersionResponse{Part: &apiv1.SimulateVersionResponse_Item{Item: simulatedItem(found)}})
		},
		Looked: func(draft bool) error {
			if draft {
				progress.Drafts++
			} else {
				progress.Applications++
			}
			if (progress.GetApplications()+progress.GetDrafts())%progressEvery != 0 {
				return nil
			}
			return tell()
		},
	})
	if err != nil {
		return refused(err)
	}
	if err := tell(); err != nil {
		return err
	}
	return stream.Send(&apiv1.SimulateVersionResponse{Part: &apiv1.SimulateVersionResponse_Summary{Summary: simulationSummary(&sum)}})
}

// open are the open applications, page by page.
func (s publishService) open(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for token, more := "", true; more; more = token != "" {
			rows, next, err := s.views.Open(ctx, view.Page{Size: progressEvery, Token: token})
			if err != nil {
				yield("", err)
				return
			}
			for _, row := range rows {
				if !yield(row.Application, nil) {
					return
				}
			}
			token = next
		}
	}
}

func simulatedItem(found engine.Simulated) *apiv1.SimulatedItem {
	item := &apiv1.SimulatedItem{Number: found.Number, Draft: found.Draft, Effect: apiv1.SimulatedItem_Effect(apiv1.SimulatedItem_Effect_value["EFFECT_"+string(found.Kind)]),
		Before: verdictMessage(found.Before), After: verdictMessage(found.After), Move: apiv1.SimulatedItem_Move(apiv1.SimulatedItem_Move_value["MOVE_"+string(found.Move)])}
	for _, reason := range found.Reasons {
		item.Reasons = append(item.Reasons, reasonMessage(reason))
	}
	return item
}

func reasonMessage(r simulate.Reason) *apiv1.SimulatedReason {
	message := &apiv1.SimulatedReason{Code: apiv1.SimulatedReason_Code(apiv1.SimulatedReason_Code_value["CODE_"+string(r.Code)]), Item: r.Item}
	if r.Name.ZH != "" {
		message.Name = r.Name.Proto()
	}
	return message
}

func simulationSummary(sum *simulate.Sum) *apiv1.SimulationSummary {
	counts := func(c simulate.Counts) *apiv1.SimulationCounts {
		return &apiv1.SimulationCounts{Total: c.Total, Unchanged: c.Kinds[simulate.Unchanged], Otherwise: c.Kinds[simulate.Otherwise], Asks: c.Kinds[simulate.Asks],
			Verdict: c.Kinds[simulate.Verdict], Unknown: c.Kinds[simulate.Unknown], Moves: c.Moves[simulate.Moves], MovesWith: c.Moves[simulate.MovesWith], Stays: c.Moves[simulate.Stays]}
	}
	message := &apiv1.SimulationSummary{Applications: counts(sum.Applications), Drafts: counts(sum.Drafts)}
	for _, r := range sum.Reasons() {
		reason := reasonMessage(r.Reason)
		reason.Count = r.N
		message.Reasons = append(message.Reasons, reason)
	}
	return message
}
