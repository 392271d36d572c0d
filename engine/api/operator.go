package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/refusal"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// operatorService is for who runs the platform.
type operatorService struct {
	notices   *notices.Desk // nil: none are sent
	followers map[string]*follow.Follower
}

// noNotices refuses what is asked of notices where none are sent.
func noNotices() error {
	return refused(refusal.New(refusal.WrongState, "本系统未启用通知", "this server sends no notices: it was started without --notices"))
}

// ListNotices implements OperatorService.
func (s operatorService) ListNotices(_ context.Context, r *apiv1.ListNoticesRequest) (*apiv1.ListNoticesResponse, error) {
	if s.notices == nil {
		return nil, noNotices()
	}
	state := notices.State("")
	for known, word := range noticeStates() {
		if word == r.GetState() {
			state = known
		}
	}
	page, next, err := s.notices.List.List(state, pageSize(r.GetPage()), r.GetPage().GetToken())
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.ListNoticesResponse{NextToken: next}
	for _, n := range page {
		answer.Notices = append(answer.Notices, noticeMessage(n))
	}
	return answer, nil
}

// RepeatNotice implements OperatorService.
func (s operatorService) RepeatNotice(ctx context.Context, r *apiv1.RepeatNoticeRequest) (*apiv1.RepeatNoticeResponse, error) {
	if s.notices == nil {
		return nil, noNotices()
	}
	n, err := s.notices.Repeat(ctx, r.GetNotice(), access.FromContext(ctx).Subject)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.RepeatNoticeResponse{Notice: noticeMessage(n)}, nil
}

// ListParkedStreams implements OperatorService.
func (s operatorService) ListParkedStreams(_ context.Context, r *apiv1.ListParkedStreamsRequest) (*apiv1.ListParkedStreamsResponse, error) {
	var all []*apiv1.ParkedStream
	for name, follower := range s.followers {
		parked, err := follower.Parked()
		if err != nil {
			return nil, refused(err)
		}
		for stream, reason := range parked {
			all = append(all, &apiv1.ParkedStream{Follower: name, Stream: stream, Reason: reason})
		}
	}
	slices.SortFunc(all, func(a, b *apiv1.ParkedStream) int {
		return cmp.Or(cmp.Compare(a.GetFollower(), b.GetFollower()), cmp.Compare(a.GetStream(), b.GetStream()))
	})
	from, to, next, err := window(r.GetPage(), len(all))
	if err != nil {
		return nil, err
	}
	return &apiv1.ListParkedStreamsResponse{Streams: all[from:to], NextToken: next}, nil
}

// TakeUpStream implements OperatorService.
func (s operatorService) TakeUpStream(ctx context.Context, r *apiv1.TakeUpStreamRequest) (*apiv1.TakeUpStreamResponse, error) {
	err := follow.ErrNotParked
	if follower := s.followers[r.GetFollower()]; follower != nil {
		err = follower.TakeUp(ctx, r.GetStream())
	}
	if errors.Is(err, follow.ErrParked) {
		return nil, refused(refusal.New(refusal.WrongState, "仍无法处理，办理继续暂停", err.Error()))
	}
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.TakeUpStreamResponse{}, nil
}

func noticeStates() map[notices.State]apiv1.NoticeState {
	return map[notices.State]apiv1.NoticeState{
		notices.Pending: apiv1.NoticeState_NOTICE_STATE_PENDING, notices.Sent: apiv1.NoticeState_NOTICE_STATE_SENT, notices.Failed: apiv1.NoticeState_NOTICE_STATE_FAILED,
	}
}

func noticeMessage(n notices.Notice) *apiv1.Notice {
	stamp := func(t time.Time) *timestamppb.Timestamp {
		if t.IsZero() {
			return nil
		}
		return timestamppb.New(t)
	}
	return &apiv1.Notice{Notice: n.ID, Kind: n.Kind, To: string(n.To), Department: n.Department, Alias: n.Alias, By: n.By, Number: n.Number, At: stamp(n.At),
		State: noticeStates()[n.State], Attempts: int32(n.Attempts), Last: stamp(n.Last), Next: stamp(n.Next), Failure: n.Failure, RepeatedBy: n.RepeatedBy}
}
