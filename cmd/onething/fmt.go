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
		Long: "fmt rewrites the files of bundles and libraries in the paths, without one those of this folder, and any file that is named.\n" +
			"Keys stand in the order of the schema; what fits into 160 columns stands in brackets on a line, unless a comment is in it or\n" +
			"it is a list of things with keys of their own; the rest stands in lines of its own, two spaces further in for each step.\n" +
			"Quotes stand where YAML needs them. A file that would lose a comment or read otherwise is left alone and reported. With\n" +
			"--check nothing is written, and it exits with 1 if something would be.",
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
					if err != nil || d.IsDir() || name != path && !ofTree(name) {
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
				if err := printText(cmd.OutOrStdout(), found, false); err != nil {
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

// ofTree reports whether a file stands where those of bundles and libraries do.
func ofTree(name string) bool {
	absolute, err := filepath.Abs(name)
	if err != nil || filepath.Ext(name) != ".yaml" {
		return false
	}
	folder := filepath.Dir(absolute)
	return filepath.Base(folder) == "library" || filepath.Base(filepath.Dir(folder)) == "bundles"
}
