package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

func newPluginList() *cobra.Command {
	var r pluginRemote
	cmd := &cobra.Command{
		Use:   "list [PLUGIN]",
		Short: "List the plugins of a server, or the versions of one",
		Long: "list prints each plugin: id, version that answers, version in shadow, last version that was pushed, what it may use. With a\n" +
			"PLUGIN it prints the versions, the newest first: version, what it does, when and by whom it was pushed, who has signed it,\n" +
			"digest. Developers see those of their own department.",
		Example: `  onething plugin list --as operator
  onething plugin list hrss/pension --as developer-hrss`,
		Args: optional("PLUGIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, err := r.dial()
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			if len(args) > 0 {
				got, err := service.GetPlugin(cmd.Context(), &apiv1.GetPluginRequest{Plugin: args[0]})
				if err != nil {
					return answered(err)
				}
				p := got.GetPlugin()
				for _, v := range p.GetVersions() {
					line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", v.GetVersion(), doing(p, v), moment(v.GetPushed().GetAt()), v.GetPushed().GetBy(), signedBy(v), v.GetDigest())
					if err := r.tell(table, v, line); err != nil {
						return err
					}
				}
				return table.Flush()
			}
			err = pages(func(page *apiv1.Page) (string, error) {
				listed, err := service.ListPlugins(cmd.Context(), &apiv1.ListPluginsRequest{Page: page})
				if err != nil {
					return "", err
				}
				for _, p := range listed.GetPlugins() {
					last := ""
					if len(p.GetVersions()) > 0 {
						last = p.GetVersions()[0].GetVersion()
					}
					line := fmt.Sprintf("%s\tactive %s\tshadow %s\tpushed %s\tuses %s", p.GetPlugin(), orDash(p.GetActive()), orDash(p.GetShadow()), orDash(last), listOr(p.GetGranted(), "nothing"))
					if err := r.tell(table, p, line); err != nil {
						return "", err
					}
				}
				return listed.GetNextToken(), nil
			})
			return errors.Join(err, table.Flush())
		},
	}
	r.flags(cmd)
	return cmd
}

// doing says what a version of a plugin does.
func doing(p *apiv1.Plugin, v *apiv1.PluginVersion) string {
	switch {
	case v.GetVersion() == p.GetActive():
		return "active"
	case v.GetVersion() == p.GetShadow():
		return "in shadow"
	case v.GetLastActive() != nil:
		return "was active"
	default:
		return "waits"
	}
}

// optional takes at most the arguments that are named.
func optional(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return fmt.Errorf("%s takes at most %s, and got %d: see `%s --help`", cmd.Name(), strings.Join(names, " and "), len(args), cmd.CommandPath())
		}
		return nil
	}
}
