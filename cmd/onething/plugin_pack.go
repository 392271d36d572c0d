package main

import (
	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins/manifest"
)

func newPluginPack() *cobra.Command {
	var manifestFile, output string
	cmd := &cobra.Command{
		Use:   "pack MODULE",
		Short: "Put the manifest into a guest's module",
		Example: `  onething plugin pack --manifest manifest.yaml --output plugin.wasm module.wasm
  onething plugin pack --manifest examples/plugins/household/manifest.yaml --output household.wasm household.unpacked`,
		Args: arguments("MODULE"),
		RunE: func(_ *cobra.Command, args []string) error {
			return manifest.Pack(args[0], manifestFile, output)
		},
	}
	cmd.Flags().StringVar(&manifestFile, "manifest", "manifest.yaml", "the plugin's manifest")
	cmd.Flags().StringVar(&output, "output", "plugin.wasm", "the file to write")
	return cmd
}
