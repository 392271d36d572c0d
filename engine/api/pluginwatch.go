package api

import (
	"cmp"
	"context"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/observe"
	"github.com/siyiban/onething/engine/registry"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// GetPluginStats implements PluginService.
func (s pluginService) GetPluginStats(ctx context.Context, r *apiv1.GetPluginStatsRequest) (*apiv1.GetPluginStatsResponse, error) {
	if _, err := s.plugin(ctx, r.GetPlugin()); err != nil {
		return nil, err
	}
	answer := &apiv1.GetPluginStatsResponse{Since: timestamppb.New(s.watched.Since())}
	for _, v := range s.watched.Stats(r.GetPlugin()) {
		answer.Versions = append(answer.Versions, statsMessage(v))
	}
	return answer, nil
}

func statsMessage(v observe.PluginStats) *apiv1.PluginStats {
	message := &apiv1.PluginStats{Version: v.Version, Digest: v.Digest, Shadow: v.Shadow, HostCalls: v.HostCalls, Fuel: v.Fuel, MostMemoryBytes: uint64(max(v.MostMemory, 0)),
		Compared: v.Compared, Different: v.Different, Skipped: v.Skipped, Last: stamp(v.Last)}
	for key, n := range v.Outcomes {
		message.Outcomes = append(message.Outcomes, &apiv1.PluginOutcome{Hook: key[0], Outcome: key[1], Calls: n})
	}
	slices.SortFunc(message.GetOutcomes(), func(a, b *apiv1.PluginOutcome) int {
		return cmp.Or(cmp.Compare(a.GetHook(), b.GetHook()), cmp.Compare(a.GetOutcome(), b.GetOutcome()))
	})
	bounds := observe.Latencies()
	for i, n := range v.Latency {
		bucket := &apiv1.LatencyBucket{Calls: n}
		if i < len(bounds) {
			bucket.Seconds = bounds[i]
		}
		message.Latency = append(message.Latency, bucket)
	}
	return message
}

// ListPluginDifferences implements PluginService.
func (s pluginService) ListPluginDifferences(ctx context.Context, r *apiv1.ListPluginDifferencesRequest) (*apiv1.ListPluginDifferencesResponse, error) {
	if _, err := s.plugin(ctx, r.GetPlugin()); err != nil {
		return nil, err
	}
	all := s.watched.Differences(r.GetPlugin())
	from, to, next, err := window(r.GetPage(), len(all))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.ListPluginDifferencesResponse{NextToken: next}
	for _, d := range all[from:to] {
		answer.Differences = append(answer.Differences, &apiv1.PluginDifference{At: stamp(d.At), Task: d.Task, Hook: d.Hook, Active: d.Active, Shadow: d.Shadow, Paths: d.Paths, Failure: d.Failure})
	}
	return answer, nil
}

// ListPluginLogs implements PluginService.
func (s pluginService) ListPluginLogs(ctx context.Context, r *apiv1.ListPluginLogsRequest) (*apiv1.ListPluginLogsResponse, error) {
	if _, err := s.plugin(ctx, r.GetPlugin()); err != nil {
		return nil, err
	}
	all := s.watched.Lines(r.GetPlugin())
	from, to, next, err := window(r.GetPage(), len(all))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.ListPluginLogsResponse{NextToken: next}
	for _, l := range all[from:to] {
		answer.Lines = append(answer.Lines, &apiv1.PluginLogLine{At: stamp(l.At), Version: l.Version, Hook: l.Hook, Application: l.Application, Code: l.Code, Numbers: l.Numbers, Failure: l.Failure})
	}
	return answer, nil
}

// ShadowPlugin implements PluginService.
func (s pluginService) ShadowPlugin(ctx context.Context, r *apiv1.ShadowPluginRequest) (*apiv1.ShadowPluginResponse, error) {
	position, err := s.change(ctx, r.GetRequestId(), registry.ShadowPlugin{ID: r.GetPlugin(), Version: r.GetVersion()})
	if err != nil {
		return nil, err
	}
	return &apiv1.ShadowPluginResponse{Position: position, Plugin: s.now(r.GetPlugin())}, nil
}
