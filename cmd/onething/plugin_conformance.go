package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins/conformance"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func newPluginConformance() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "conformance FILE.wasm",
		Short: "Hold an SDK to the interface, by the plugin that docs/plugin-interface.md describes",
		Long: "conformance asks a plugin every case of the table that all SDKs pass, in the host's sandbox, and prints what differs. The\n" +
			"plugin is not any, but the one that docs/plugin-interface.md describes, written with the SDK. It exits with 1 if anything differs.",
		Example: `  onething plugin conformance build/conformance/go.wasm
  onething plugin conformance --format json build/conformance/go.wasm`,
		Args: arguments("FILE.wasm"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := oneOf(format, "text", "json"); err != nil {
				return err
			}
			cases, err := conformance.Table()
			if err != nil {
				return err
			}
			wasm, m, err := readPlugin(args[0])
			if err != nil {
				return err
			}
			return try(cmd.Context(), args[0], wasm, m, func(t *tried) error { return t.ask(cmd.Context(), cmd.OutOrStdout(), format, cases) })
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json (one case that differs a line)")
	return cmd
}

// ask asks every case and prints those whose answer differs. It returns [errFindings] if one does.
func (t *tried) ask(ctx context.Context, out io.Writer, format string, cases []*pluginv1.Case) error {
	differ := 0
	for _, c := range cases {
		differs, err := conformance.Ask(ctx, t.host, t.ref, c)
		if err != nil {
			return err
		}
		if differs == "" {
			continue
		}
		differ++
		found := struct {
			Case    string `json:"case"`
			Differs string `json:"differs"`
		}{c.GetName(), differs}
		if err := tell(out, format, found, func(w io.Writer) {
			fmt.Fprintf(w, "%s\n  %s\n", found.Case, strings.ReplaceAll(differs, "\n", "\n  "))
		}); err != nil {
			return err
		}
	}
	if format == "text" {
		fmt.Fprintf(out, "%d of %d cases are answered as they should be\n", len(cases)-differ, len(cases))
	}
	if differ > 0 {
		return errFindings
	}
	return nil
}
