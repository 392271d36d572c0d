package api

import (
	"context"

	"github.com/siyiban/onething/engine"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// guideService answers what applies.
type guideService struct {
	apiv1connect.UnimplementedGuideServiceHandler
	engine *engine.Engine
}

// Assess implements GuideService.
func (s guideService) Assess(_ context.Context, r *apiv1.AssessRequest) (*apiv1.AssessResponse, error) {
	before, after, err := s.engine.Assess(engine.Query{Bundles: r.GetBundles(), Place: r.GetPlace(), Answers: r.GetRecord().GetAnswers(),
		Changes: r.GetChanges(), Cleared: r.GetCleared(), Session: r.GetSession()})
	if err != nil {
		return nil, refused(err)
	}
	if r.GetFresh() {
		before = nil
	}
	change, err := engine.Change(before, after)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.AssessResponse{Change: change, LeftOut: after.LeftOut}, nil
}

// Verdicts implements GuideService.
func (s guideService) Verdicts(_ context.Context, r *apiv1.VerdictsRequest) (*apiv1.VerdictsResponse, error) {
	judgements, unreadable := s.engine.Verdicts(r.GetPlace(), r.GetRecord().GetAnswers())
	response := &apiv1.VerdictsResponse{Matters: make(map[string]*apiv1.MatterVerdict, len(judgements))}
	for _, j := range judgements {
		matter := &apiv1.MatterVerdict{Verdict: j.Verdict.Proto()}
		for _, failing := range j.Failing {
			matter.Failing = append(matter.Failing, failing.ID)
		}
		response.Matters[j.Bundle.ID] = matter
	}
	for _, v := range unreadable {
		response.Faults = append(response.Faults, v.Proto())
	}
	return response, nil
}
