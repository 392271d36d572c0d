package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins/guest"
	"github.com/siyiban/onething/sdk"
)

func newPluginNew() *cobra.Command {
	p := sdk.Plugin{}
	cmd := &cobra.Command{
		Use:   "new DEPARTMENT/NAME",
		Short: "Make a folder with a plugin that builds, tests and runs",
		Long: "new makes a folder of the plugin's name, with a step that decides by age, its tests, its manifest, a call to try it with, and\n" +
			"the SDK, so that nothing else of onething is needed to build it.",
		Example: `  onething plugin new civil_affairs/senior_card
  onething plugin new --lang rust --name-zh 老年人优待证制发 civil_affairs/senior_card`,
		Args: arguments("DEPARTMENT/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			parts := regexp.MustCompile(`^([a-z][a-z0-9_]{0,39})/([a-z][a-z0-9_]{0,39})$`).FindStringSubmatch(args[0])
			if parts == nil {
				return fmt.Errorf("%q is no id of a plugin: write the department's id, a slash and a name in lower snake case, as hrss/pension", args[0])
			}
			if err := oneOf(p.Language, string(guest.Go), string(guest.Rust)); err != nil {
				return fmt.Errorf("there is no SDK for %q, only for go and rust", p.Language)
			}
			p.Department, p.Name = parts[1], parts[2]
			if err := sdk.Write(p.Name, p); err != nil {
				if errors.Is(err, fs.ErrExist) {
					return fmt.Errorf("%s is there already", p.Name)
				}
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\nnext: cd %s && onething plugin test\n", filepath.Join(p.Name, guest.ManifestFile), p.Name)
			return nil
		},
	}
	cmd.Flags().StringVar(&p.Language, "lang", "go", "go or rust")
	cmd.Flags().StringVar(&p.NameZH, "name-zh", "新插件", "what it does, in Chinese, for officers and operators")
	return cmd
}
