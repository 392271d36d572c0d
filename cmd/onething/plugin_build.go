package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins/guest"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
)

func newPluginBuild() *cobra.Command {
	var output, format string
	cmd := &cobra.Command{
		Use:   "build [FOLDER]",
		Short: "Build a plugin from its source, with its manifest in it",
		Long: "build compiles the Go or Rust source in a folder (this one if none is named) and puts its manifest.yaml into the file. The\n" +
			"same source and compiler make the same file, wherever the folder lies. It prints the digest by which the file is addressed.",
		Example: `  onething plugin build
  onething plugin build --output senior_card.wasm .`,
		Args: folderArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(format, "text", "json"); err != nil {
				return err
			}
			folder := sourceFolder(args)
			wasm, err := guest.Build(cmd.Context(), folder, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			m, err := manifest.Read(wasm)
			if err != nil {
				return err
			}
			file := output
			if file == "" {
				_, name, _ := strings.Cut(m.GetId(), "/")
				file = filepath.Join(folder, "build", name+".wasm")
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // as the rest of the user's folder
					return err
				}
			}
			if err := manifest.WriteFile(file, wasm); err != nil {
				return err
			}
			built := struct {
				File    string `json:"file"`
				Plugin  string `json:"plugin"`
				Version string `json:"version"`
				Digest  string `json:"digest"`
				Bytes   int    `json:"bytes"`
			}{file, m.GetId(), m.GetVersion(), store.Digest(wasm), len(wasm)}
			return tell(cmd.OutOrStdout(), format, built, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %s %s, %s\n%s\n", file, built.Plugin, built.Version, size(built.Bytes), built.Digest)
			})
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "the file to write; build/NAME.wasm in the folder if not given")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}
