package main

import (
	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins/manifest"
)

func newPlugin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Tools for departments' plugins",
		Example: `  onething plugin pack --manifest examples/plugins/pension/manifest.yaml --output pension.wasm pension.unpacked
  onething plugin pack --help`,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       noSuchVerb,
	}
	var manifestFile, output string
	pack := &cobra.Command{
		Use:   "pack MODULE",
		Short: "Put the manifest into a guest's module",
		Example: `  onething plugin pack --manifest manifest.yaml --output plugin.wasm module.wasm
  onething plugin pack --manifest examples/plugins/household/manifest.yaml --output household.wasm household.unpacked`,
		Args: arguments("MODULE"),
		RunE: func(_ *cobra.Command, args []string) error {
			return manifest.Pack(args[0], manifestFile, output)
		},
	}
	pack.Flags().StringVar(&manifestFile, "manifest", "manifest.yaml", "the plugin's manifest")
	pack.Flags().StringVar(&output, "output", "plugin.wasm", "the file to write")
	cmd.AddCommand(pack)
	// What developers do, in the order in which they do it.
	cmd.AddCommand(newPluginNew(), newPluginBuild(), newPluginTest(), newPluginCheck(), newPluginRun(), newPluginBench(), newPluginConformance())
	// What operators do.
	cmd.AddCommand(newReplay())
	return cmd
}
