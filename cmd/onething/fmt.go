package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/layout"
)

func newFmt() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "Keep the YAML of bundles and libraries in one style",
		Long: "fmt rewrites every .yaml file of the paths, without one those of this folder. Blocks stand in by two, flow reads\n" +
			"`{ a: b, c: [d] }`, at most one blank line stands between two others, lines end in a line feed and in no spaces. What\n" +
			"stands on one line or in flow, the order of keys, quotes and the alignment of comments stay as they were written. A file\n" +
			"that would lose a comment or read otherwise is left alone and reported. With --check nothing is written, and it exits\n" +
			"with 1 if something would be.",
		Example: `  onething fmt --check examples/bundles/newborn
  onething fmt examples/bundles/newborn`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			var found diag.List
			differs := false
			for _, path := range args {
				err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
					if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" {
						return err
					}
					text, err := os.ReadFile(name) //nolint:gosec // the user's own file
					if err != nil {
						return err
					}
					formatted, list := layout.Format(name, text)
					found = append(found, list...)
					if formatted == nil || bytes.Equal(text, formatted) {
						return nil
					}
					differs = true
					if _, err := fmt.Fprintln(cmd.OutOrStdout(), name); err != nil || check {
						return err
					}
					info, err := d.Info()
					if err != nil {
						return err
					}
					return os.WriteFile(name, formatted, info.Mode().Perm()) //nolint:gosec // the user's own file
				})
				if err != nil {
					return err
				}
			}
			if len(found) > 0 {
				if err := diag.PrintText(cmd.OutOrStdout(), found, anywhere{}, false); err != nil {
					return err
				}
			}
			if found.Err() != nil || check && differs {
				return errFindings
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit with 1 if something would change")
	return cmd
}
