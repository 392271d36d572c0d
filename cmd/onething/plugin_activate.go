package main

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

func newPluginActivate() *cobra.Command {
	var r pluginRemote
	var reason string
	cmd := &cobra.Command{
		Use:   "activate PLUGIN VERSION",
		Short: "Let a version of a plugin answer from now on",
		Long: "activate lets a version that was pushed answer from now on. It is made ready first, and calls that are under way end on the\n" +
			"version on which they began, so none waits and none fails. Versions move forward only: `onething plugin rollback` goes back.",
		Example: `  onething plugin activate hrss/pension 1.0.0 --as operator
  onething plugin activate hrss/pension 1.0.0 --reason 新规施行 --as operator`,
		Args: arguments("PLUGIN", "VERSION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.change(cmd, func(ctx context.Context, service apiv1connect.PluginServiceClient) (changed, error) {
				return service.ActivatePlugin(ctx, &apiv1.ActivatePluginRequest{RequestId: uuid.NewString(), Plugin: args[0], Version: args[1], Reason: reason})
			}, answers)
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the version")
	return cmd
}

func newPluginRollback() *cobra.Command {
	var r pluginRemote
	var reason string
	cmd := &cobra.Command{
		Use:   "rollback PLUGIN VERSION",
		Short: "Let a version of a plugin answer again that was active before",
		Long: "rollback lets a version answer again that was active before, also after `onething plugin stop`. Calls that are under way end\n" +
			"on the version on which they began.",
		Example: `  onething plugin rollback hrss/pension 1.0.0 --reason 计算有误 --as operator
  ONETHING_AS=operator onething plugin rollback hrss/pension 1.0.0 --reason 计算有误`,
		Args: arguments("PLUGIN", "VERSION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errNoReason
			}
			return r.change(cmd, func(ctx context.Context, service apiv1connect.PluginServiceClient) (changed, error) {
				return service.RollBackPlugin(ctx, &apiv1.RollBackPluginRequest{RequestId: uuid.NewString(), Plugin: args[0], Version: args[1], Reason: reason})
			}, answers)
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the version")
	return cmd
}

func newPluginStop() *cobra.Command {
	var r pluginRemote
	var reason string
	cmd := &cobra.Command{
		Use:   "stop PLUGIN",
		Short: "Let no version of a plugin answer: its steps go to officers",
		Long: "stop lets no version answer any more. The plugin's steps go to officers until a version is activated or rolled back to; none\n" +
			"runs in shadow either.",
		Example: `  onething plugin stop hrss/pension --reason 结果有疑 --as operator
  onething plugin stop hrss/pension --reason 结果有疑 --format json --as operator`,
		Args: arguments("PLUGIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errNoReason
			}
			return r.change(cmd, func(ctx context.Context, service apiv1connect.PluginServiceClient) (changed, error) {
				return service.StopPlugin(ctx, &apiv1.StopPluginRequest{RequestId: uuid.NewString(), Plugin: args[0], Reason: reason})
			}, func(*apiv1.Plugin) string { return "stopped" })
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the plugin")
	return cmd
}

func newPluginGrant() *cobra.Command {
	var r pluginRemote
	var nothing bool
	cmd := &cobra.Command{
		Use:   "grant PLUGIN [CAPABILITY…]",
		Short: "Say what a plugin may use, all of it",
		Long: "grant says all that a plugin may use, of what a version of it asks for: `shared_data`, `key_value`, `http` or `http:HOST`, `log`.\n" +
			"What is not named is taken away; --nothing takes away all. It counts from the next call on.",
		Example: `  onething plugin grant hrss/pension shared_data --as operator
  onething plugin grant hrss/pension --nothing --as operator`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("name the PLUGIN")
			case nothing != (len(args) == 1):
				return errors.New("name each CAPABILITY that the plugin may use, or take all away with --nothing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.change(cmd, func(ctx context.Context, service apiv1connect.PluginServiceClient) (changed, error) {
				return service.GrantPlugin(ctx, &apiv1.GrantPluginRequest{RequestId: uuid.NewString(), Plugin: args[0], Capabilities: args[1:]})
			}, func(p *apiv1.Plugin) string { return "may use " + listOr(p.GetGranted(), "nothing") })
		},
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&nothing, "nothing", false, "it may use nothing")
	return cmd
}
