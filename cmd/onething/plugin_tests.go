package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/guest"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func newPluginTest() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "test [FOLDER]",
		Short: "Run a plugin's tests natively, and the same cases again in the sandbox",
		Long: "test runs the tests of the Go or Rust source in a folder (this one if none is named), builds the plugin, and asks every case\n" +
			"that the SDK's test kit ran once more in the host's sandbox, where the answer has to be the same. It exits with 1 if not.",
		Example: `  onething plugin test
  onething plugin test --format json .`,
		Args: folderArgument,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := oneOf(format, "text", "json"); err != nil {
				return err
			}
			ctx, folder := cmd.Context(), sourceFolder(args)
			recorded, err := os.MkdirTemp("", "onething-cases")
			if err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(recorded) }()
			if err := guest.Test(ctx, folder, recorded, cmd.ErrOrStderr()); err != nil {
				return &refusedError{"the native tests have failed: " + err.Error()}
			}
			cases, err := readCases(recorded)
			if err != nil {
				return err
			}
			if len(cases) == 0 {
				return &refusedError{"the tests have asked the plugin nothing: use the SDK's test kit"}
			}
			wasm, err := guest.Build(ctx, folder, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			m, err := plugins.Inspect(wasm)
			if err != nil {
				return &refusedError{"what was built is not fit: " + err.Error()}
			}
			return try(ctx, "what was built", wasm, m, func(t *tried) error { return t.ask(ctx, cmd.OutOrStdout(), format, cases) })
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json (one case that differs a line)")
	return cmd
}

// readCases reads what test kits have written into a folder.
func readCases(folder string) ([]*pluginv1.Case, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.case"))
	if err != nil {
		return nil, err
	}
	var cases []*pluginv1.Case
	for _, file := range files {
		source, err := os.ReadFile(file) //nolint:gosec // a file of our own folder
		if err != nil {
			return nil, err
		}
		c := new(pluginv1.Case)
		if err := proto.Unmarshal(source, c); err != nil {
			return nil, fmt.Errorf("%s is no case: %w", strings.TrimPrefix(file, folder), err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}
