package api

import (
	"context"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// publishService changes what is in force.
type publishService struct {
	apiv1connect.UnimplementedPublishServiceHandler
	engine *engine.Engine
}

// sent is the name under which findings show a text that came with a request.
const sent = "bundle.yaml"

// CheckBundle implements PublishService.
func (s publishService) CheckBundle(_ context.Context, r *apiv1.CheckBundleRequest) (*apiv1.CheckBundleResponse, error) {
	found, err := s.engine.CheckBundle(sent, []byte(r.GetText()))
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.CheckBundleResponse{}
	for _, d := range found.Sorted() {
		answer.Findings = append(answer.Findings, d.Proto())
	}
	return answer, nil
}

// PublishBundle implements PublishService.
func (s publishService) PublishBundle(ctx context.Context, r *apiv1.PublishBundleRequest) (*apiv1.PublishBundleResponse, error) {
	position, err := s.engine.Publish(ctx, r.GetRequestId(), access.FromContext(ctx).Subject,
		registry.PublishBundle{Name: sent, Text: []byte(r.GetText()), Reason: r.GetReason(), Expected: int(r.GetExpectedVersion())})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.PublishBundleResponse{Position: position}
	for bundle, versions := range s.engine.InForce().State.Bundles {
		for _, v := range versions { // the text says which bundle it is: no other has the same
			if string(v.Text) == r.GetText() {
				answer.Version = s.version(bundle, v)
			}
		}
	}
	return answer, nil
}

// RollBackBundle implements PublishService.
func (s publishService) RollBackBundle(ctx context.Context, r *apiv1.RollBackBundleRequest) (*apiv1.RollBackBundleResponse, error) {
	position, err := s.engine.Publish(ctx, r.GetRequestId(), access.FromContext(ctx).Subject,
		registry.RollBackBundle{Bundle: r.GetBundle(), Number: int(r.GetNumber()), Reason: r.GetReason(), Expected: int(r.GetExpectedVersion())})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.RollBackBundleResponse{Position: position, Version: s.last(r.GetBundle())}, nil
}

// ListVersions implements PublishService.
func (s publishService) ListVersions(_ context.Context, r *apiv1.ListVersionsRequest) (*apiv1.ListVersionsResponse, error) {
	versions := s.engine.InForce().State.Bundles[r.GetBundle()]
	if len(versions) == 0 {
		return nil, refused(&registry.NotInForceError{Bundle: r.GetBundle()})
	}
	from, to, next, err := window(r.GetPage(), len(versions))
	if err != nil {
		return nil, err
	}
	newest := slices.Clone(versions)
	slices.Reverse(newest)
	answer := &apiv1.ListVersionsResponse{NextToken: next}
	for _, v := range newest[from:to] {
		answer.Versions = append(answer.Versions, s.version(r.GetBundle(), v))
	}
	return answer, nil
}

// GetVersion implements PublishService.
func (s publishService) GetVersion(_ context.Context, r *apiv1.GetVersionRequest) (*apiv1.GetVersionResponse, error) {
	versions := s.engine.InForce().State.Bundles[r.GetBundle()]
	if int(r.GetNumber()) > len(versions) {
		return nil, refused(&registry.NotInForceError{Bundle: r.GetBundle()})
	}
	v := versions[r.GetNumber()-1]
	return &apiv1.GetVersionResponse{Version: s.version(r.GetBundle(), v), Text: string(v.Text)}, nil
}

// PublishCalendar implements PublishService.
func (s publishService) PublishCalendar(ctx context.Context, r *apiv1.PublishCalendarRequest) (*apiv1.PublishCalendarResponse, error) {
	position, err := s.engine.Publish(ctx, r.GetRequestId(), access.FromContext(ctx).Subject, registry.PublishCalendar{Name: "holidays.yaml", Text: []byte(r.GetText())})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.PublishCalendarResponse{Position: position}, nil
}

// last is the version of a bundle that was published last.
func (s publishService) last(bundle string) *apiv1.BundleVersion {
	versions := s.engine.InForce().State.Bundles[bundle]
	if len(versions) == 0 {
		return nil
	}
	return s.version(bundle, versions[len(versions)-1])
}

func (s publishService) version(bundle string, v registry.Version) *apiv1.BundleVersion {
	on := s.engine.InForce().On(bundle, s.engine.Today(), s.engine.Place())
	return &apiv1.BundleVersion{Bundle: bundle, Number: int32(v.Number), Digest: v.Digest, Published: timestamppb.New(v.At), Author: v.By, Reason: v.Reason,
		RolledBackTo: int32(v.RolledBackTo), InForce: on != nil && on.Number == v.Number}
}
