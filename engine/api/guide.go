package api

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/guide"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// guideService answers what applies. It keeps no trace of what it is asked.
type guideService struct {
	apiv1connect.UnimplementedGuideServiceHandler
	engine *engine.Engine
}

// Assess implements GuideService.
func (s guideService) Assess(_ context.Context, r *apiv1.AssessRequest) (*apiv1.AssessResponse, error) {
	before := &apiv1.Assessment{}
	answers := r.GetRecord().GetAnswers()
	if !r.GetFresh() {
		assessed, err := s.engine.Assess(r.GetBundles(), r.GetPlace(), answers)
		if err != nil {
			return nil, refused(err)
		}
		if before, err = assessed.Message(); err != nil {
			return nil, refused(err)
		}
	}
	assessed, err := s.engine.Assess(r.GetBundles(), r.GetPlace(), change(answers, r.GetChanges(), r.GetCleared()))
	if err != nil {
		return nil, refused(err)
	}
	after, err := assessed.Message()
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.AssessResponse{Change: guide.Diff(before, after)}, nil
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

// change returns the answers with changes; those that are cleared are taken back.
func change(answers, changes map[string]*structpb.Value, cleared []string) map[string]*structpb.Value {
	changed := maps.Clone(answers)
	if changed == nil {
		changed = map[string]*structpb.Value{}
	}
	maps.Copy(changed, changes)
	maps.DeleteFunc(changed, func(p string, _ *structpb.Value) bool { return slices.Contains(cleared, p) })
	return changed
}
