package api

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/compare"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// DiffVersions implements PublishService.
func (s publishService) DiffVersions(ctx context.Context, r *apiv1.DiffVersionsRequest) (*apiv1.DiffVersionsResponse, error) {
	report, err := s.engine.Compare(ctx, r.GetBundle(), versionRef(r.GetOld()), versionRef(r.GetNew()), []byte(r.GetTests()))
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.DiffVersionsResponse{Old: report.Old.Digest, New: report.New.Digest, Breaks: len(report.Breaking()) > 0}
	for _, c := range report.Changes {
		message, err := changeMessage(c)
		if err != nil {
			return nil, refused(err)
		}
		answer.Changes = append(answer.Changes, message)
	}
	return answer, nil
}

func versionRef(r *apiv1.VersionRef) engine.VersionRef {
	return engine.VersionRef{Number: int(r.GetNumber()), Draft: r.GetDraft(), Proposal: int(r.GetProposal())}
}

func changeMessage(c compare.Change) (*apiv1.VersionChange, error) {
	message := &apiv1.VersionChange{Topic: apiv1.VersionChange_Topic(apiv1.VersionChange_Topic_value["TOPIC_"+string(c.Topic)]),
		Kind: apiv1.VersionChange_Kind(apiv1.VersionChange_Kind_value["KIND_"+string(c.Kind)]), Item: c.Item, Name: c.Name, What: c.What, Breaks: c.Breaks}
	for _, w := range c.Witnesses {
		example := &apiv1.VersionExample{Like: w.Like, Today: w.Setting.Today.String(), Place: w.Setting.Place, Old: w.Old, New: w.New,
			Before: verdictMessage(w.Before), After: verdictMessage(w.After)}
		for _, p := range w.Changed {
			example.Changed = append(example.Changed, string(p))
		}
		var err error
		if example.Record, err = w.Record.Encode(); err != nil {
			return nil, fmt.Errorf("example of %s: %w", c.Item, err)
		}
		if example.Facts, err = factsMessage(w.Setting.Facts); err != nil {
			return nil, fmt.Errorf("example of %s: %w", c.Item, err)
		}
		message.Examples = append(message.Examples, example)
	}
	return message, nil
}

func factsMessage(facts map[forms.Path]kind.Value) (*formsv1.Record, error) {
	message := &formsv1.Record{Answers: map[string]*structpb.Value{}}
	for p, v := range facts {
		value, err := forms.EncodeValue(v)
		if err != nil {
			return nil, err
		}
		message.Answers[string(p)] = value
	}
	return message, nil
}

func verdictMessage(v guide.Verdict) apiv1.Verdict {
	return apiv1.Verdict(apiv1.Verdict_value["VERDICT_"+v.String()])
}
