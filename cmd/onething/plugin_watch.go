package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

func newPluginShadow() *cobra.Command {
	var r pluginRemote
	var end bool
	cmd := &cobra.Command{
		Use:   "shadow PLUGIN [VERSION]",
		Short: "Run a version beside the active one, and list where its answers differ",
		Long: "shadow lets a version that was pushed run beside the active one: it is asked what that is asked and sees what that has seen,\n" +
			"and its answers are compared and dropped; --end ends it. Without a VERSION the differences are listed, the newest first: when,\n" +
			"task, hook, both versions, and where the answers differ or why it did not answer. No value is shown.",
		Example: `  onething plugin shadow hrss/pension --as developer-hrss
  onething plugin shadow hrss/pension --end --as operator`,
		Args: optional("PLUGIN", "VERSION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("name the PLUGIN")
			case len(args) == 2 && end:
				return errors.New("a VERSION begins, --end ends: one of them at a time")
			}
			if len(args) == 1 && !end {
				service, err := r.dial()
				if err != nil {
					return err
				}
				return r.differences(cmd, service, args[0])
			}
			return r.change(cmd, func(ctx context.Context, service apiv1connect.PluginServiceClient) (changed, error) {
				return service.ShadowPlugin(ctx, &apiv1.ShadowPluginRequest{RequestId: uuid.NewString(), Plugin: args[0], Version: strings.Join(args[1:], "")})
			}, func(p *apiv1.Plugin) string {
				if p.GetShadow() == "" {
					return "none runs in shadow"
				}
				return p.GetShadow() + " runs in shadow of " + p.GetActive()
			})
		},
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&end, "end", false, "none runs in shadow any more")
	return cmd
}

// differences prints where the version in shadow has answered otherwise.
func (r *pluginRemote) differences(cmd *cobra.Command, service apiv1connect.PluginServiceClient, plugin string) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	err := pages(func(page *apiv1.Page) (string, error) {
		listed, err := service.ListPluginDifferences(cmd.Context(), &apiv1.ListPluginDifferencesRequest{Plugin: plugin, Page: page})
		if err != nil {
			return "", err
		}
		for _, d := range listed.GetDifferences() {
			line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", moment(d.GetAt()), orDash(d.GetTask()), d.GetHook(), d.GetActive(), d.GetShadow(), listOr(d.GetPaths(), d.GetFailure()))
			if err := r.tell(table, d, line); err != nil {
				return "", err
			}
		}
		return listed.GetNextToken(), nil
	})
	return errors.Join(err, table.Flush())
}

func newPluginLogs() *cobra.Command {
	var r pluginRemote
	cmd := &cobra.Command{
		Use:   "logs PLUGIN",
		Short: "Print what a plugin has logged, and its failures",
		Long: "logs prints the last thousand lines of a plugin since the server was started, the newest first: when, version, hook, number of\n" +
			"the application, code, numbers, and of a call that has failed the kind of failure.",
		Example: `  onething plugin logs hrss/pension --as operator
  onething plugin logs hrss/pension --format json --as developer-hrss`,
		Args: arguments("PLUGIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, err := r.dial()
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			err = pages(func(page *apiv1.Page) (string, error) {
				listed, err := service.ListPluginLogs(cmd.Context(), &apiv1.ListPluginLogsRequest{Plugin: args[0], Page: page})
				if err != nil {
					return "", err
				}
				for _, l := range listed.GetLines() {
					said := []string{l.GetCode(), l.GetFailure()}
					for _, name := range slices.Sorted(maps.Keys(l.GetNumbers())) {
						said = append(said, fmt.Sprintf("%s=%d", name, l.GetNumbers()[name]))
					}
					line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s", moment(l.GetAt()), l.GetVersion(), l.GetHook(), orDash(l.GetApplication()), strings.Join(strings.Fields(strings.Join(said, " ")), " "))
					if err := r.tell(table, l, line); err != nil {
						return "", err
					}
				}
				return listed.GetNextToken(), nil
			})
			return errors.Join(err, table.Flush())
		},
	}
	r.flags(cmd)
	return cmd
}

func newPluginStats() *cobra.Command {
	var r pluginRemote
	cmd := &cobra.Command{
		Use:   "stats PLUGIN",
		Short: "Say how the calls of a plugin have gone since the server was started",
		Long: "stats prints each version that was called, the last called first: calls by hook and outcome, how long half and 99 in 100 of them\n" +
			"took at most, fuel and host calls of one on average, the most memory that one had; and of a version in shadow how many answers\n" +
			"were compared, how many were others, and how many calls were left out.",
		Example: `  onething plugin stats hrss/pension --as operator
  onething plugin stats hrss/pension --format json --as developer-hrss`,
		Args: arguments("PLUGIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, err := r.dial()
			if err != nil {
				return err
			}
			stats, err := service.GetPluginStats(cmd.Context(), &apiv1.GetPluginStatsRequest{Plugin: args[0]})
			if err != nil {
				return answered(err)
			}
			for _, v := range stats.GetVersions() {
				if err := r.tell(cmd.OutOrStdout(), v, statsText(v)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	r.flags(cmd)
	return cmd
}

// statsText is how the calls of a version have gone, in a few lines.
func statsText(v *apiv1.PluginStats) string {
	var calls uint64
	for _, b := range v.GetLatency() {
		calls += b.GetCalls()
	}
	var said strings.Builder
	said.WriteString(v.GetVersion())
	if v.GetShadow() {
		fmt.Fprintf(&said, " in shadow: %d compared, %d different, %d left out", v.GetCompared(), v.GetDifferent(), v.GetSkipped())
	}
	for _, o := range v.GetOutcomes() {
		fmt.Fprintf(&said, "\n  %s %s: %d", o.GetHook(), o.GetOutcome(), o.GetCalls())
	}
	if calls > 0 {
		fmt.Fprintf(&said, "\n  half %s, 99 in 100 %s; %.1f million units of fuel, %.1f host calls, at most %s", atMost(v.GetLatency(), calls, 50), atMost(v.GetLatency(), calls, 99),
			float64(v.GetFuel())/float64(calls)/1e6, float64(v.GetHostCalls())/float64(calls), size(int(v.GetMostMemoryBytes())))
	}
	return said.String()
}

// atMost is how long so many of a hundred calls took at most, as the buckets know it.
func atMost(buckets []*apiv1.LatencyBucket, calls, percent uint64) string {
	var seen uint64
	for _, b := range buckets {
		if seen += b.GetCalls(); seen*100 >= calls*percent && b.GetSeconds() > 0 {
			return fmt.Sprintf("≤ %g ms", b.GetSeconds()*1000)
		}
	}
	return "longer than 30 s"
}
