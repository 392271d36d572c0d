package main

import (
	"github.com/spf13/cobra"
)

func newPlugin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Tools for departments' plugins, and for those who run them",
		Example: `  onething plugin pack --manifest examples/plugins/pension/manifest.yaml --output pension.wasm pension.unpacked
  onething plugin pack --help`,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       noSuchVerb,
	}
	// Each in plugin_<verb>.go, together with what undoes it. First what developers do, in the order in which they do it, then
	// operators.
	cmd.AddCommand(newPluginNew(), newPluginBuild(), newPluginTest(), newPluginCheck(), newPluginRun(), newPluginBench(), newPluginConformance(), newPluginPack(), newPluginSign())
	cmd.AddCommand(newPluginPush(), newPluginList(), newPluginStats(), newPluginLogs())
	cmd.AddCommand(newPluginTrust(), newPluginRevokeKey(), newPluginGrant(), newPluginActivate(), newPluginRollback(), newPluginShadow(), newPluginStop(), newReplay())
	return cmd
}
