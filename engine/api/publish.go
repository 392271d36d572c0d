package api

import (
	"context"
	"regexp"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// publishService changes what is in force.
type publishService struct {
	apiv1connect.UnimplementedPublishServiceHandler
	service
}

// named is the name under which findings show a text that came with a request: that of the file in a tree, if it says
// which bundle it is.
func named(text string) string {
	if id := bundleID().FindStringSubmatch(text); id != nil {
		return catalog.BundleFile(id[1])
	}
	return "bundle.yaml"
}

// bundleID is the line with which a bundle says its id.
func bundleID() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^bundle:\s*["']?([a-z][a-z0-9_]{0,39})["']?\s*(?:#.*)?$`)
}

// CheckBundle implements PublishService.
func (s publishService) CheckBundle(ctx context.Context, r *apiv1.CheckBundleRequest) (*apiv1.CheckBundleResponse, error) {
	found, err := s.engine.CheckBundle(ctx, named(r.GetText()), []byte(r.GetText()))
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.CheckBundleResponse{}
	answer.Findings, answer.More = findings(found)
	return answer, nil
}

// PublishBundle implements PublishService.
func (s publishService) PublishBundle(ctx context.Context, r *apiv1.PublishBundleRequest) (*apiv1.PublishBundleResponse, error) {
	p, err := s.publish(ctx, r.GetRequestId(), registry.PublishBundle{Name: named(r.GetText()), Text: []byte(r.GetText()), Reason: r.GetReason(), Expected: int(r.GetExpectedVersion()), Moving: r.GetMoving()})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.PublishBundleResponse{Position: p.Position}
	if answer.Version, answer.Proposal = s.came(p.Event); p.Position == 0 {
		for bundle, versions := range s.engine.InForce().State.Bundles { // the text says which bundle it is: no other has the same
			if v := versions[len(versions)-1]; string(v.Text) == r.GetText() {
				answer.Version = s.version(bundle, v)
			}
		}
	}
	return answer, nil
}

// RollBackBundle implements PublishService.
func (s publishService) RollBackBundle(ctx context.Context, r *apiv1.RollBackBundleRequest) (*apiv1.RollBackBundleResponse, error) {
	p, err := s.publish(ctx, r.GetRequestId(), registry.RollBackBundle{Bundle: r.GetBundle(), Number: int(r.GetNumber()), Reason: r.GetReason(), Expected: int(r.GetExpectedVersion()), Moving: r.GetMoving()})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.RollBackBundleResponse{Position: p.Position}
	if answer.Version, answer.Proposal = s.came(p.Event); p.Position == 0 {
		answer.Version = s.last(r.GetBundle())
	}
	return answer, nil
}

// publish changes what is in force, as the caller.
func (s publishService) publish(ctx context.Context, requestID string, command registry.Command) (*engine.Publication, error) {
	return s.engine.Publish(ctx, requestID, access.FromContext(ctx).Subject, command)
}

// came is the version or the proposal that an event made; neither of any other event.
func (s publishService) came(event *registryv1.Event) (*apiv1.BundleVersion, *apiv1.BundleProposal) {
	state := s.engine.InForce().State
	if p := event.GetBundlePublished(); p != nil {
		return s.version(p.GetBundle(), state.Bundles[p.GetBundle()][p.GetNumber()-1]), nil
	}
	if p := event.GetBundleProposed(); p != nil {
		return nil, proposalMessage(state, state.Proposals[p.GetProposal()-1])
	}
	return nil, nil
}

// ChooseMoving implements PublishService.
func (s publishService) ChooseMoving(ctx context.Context, r *apiv1.ChooseMovingRequest) (*apiv1.ChooseMovingResponse, error) {
	p, err := s.publish(ctx, r.GetRequestId(), registry.ChooseMoving{Bundle: r.GetBundle(), Number: int(r.GetExpectedVersion()), Moving: r.GetMoving(), Reason: r.GetReason()})
	if err != nil {
		return nil, refused(err)
	}
	v := s.engine.InForce().State.Bundles[r.GetBundle()][r.GetExpectedVersion()-1]
	answer := &apiv1.ChooseMovingResponse{Position: p.Position, Version: s.version(r.GetBundle(), v)}
	_, answer.Proposal = s.came(p.Event)
	return answer, nil
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
	p, err := s.publish(ctx, r.GetRequestId(), registry.PublishCalendar{Name: "holidays.yaml", Text: []byte(r.GetText())})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.PublishCalendarResponse{Position: p.Position}, nil
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
	inForce := s.engine.InForce()
	on := inForce.On(bundle, s.engine.Today(), s.engine.Place())
	message := &apiv1.BundleVersion{Bundle: bundle, Number: int32(v.Number), Digest: v.Digest, Published: timestamppb.New(v.At), Author: v.By, Reason: v.Reason,
		RolledBackTo: int32(v.RolledBackTo), InForce: on != nil && on.Number == v.Number, Approver: v.ApprovedBy, Proposal: int32(v.Proposal),
		Moving: v.Moving, MovingReason: v.MovingReason}
	b := inForce.Version(bundle, v.Number)
	if !b.From.IsZero() {
		message.From = b.From.String()
	}
	if !b.Until.IsZero() {
		message.Until = b.Until.String()
	}
	return message
}
