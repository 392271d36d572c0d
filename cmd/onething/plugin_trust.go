package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

func newPluginTrust() *cobra.Command {
	var r pluginRemote
	var name string
	var departments, only []string
	cmd := &cobra.Command{
		Use:   "trust [KEY]",
		Short: "Let a key sign plugins of a department, or list the keys",
		Long: "trust lets a public key sign plugins of the departments that --department names (`*` for all), and only those that --plugin\n" +
			"names, if it names any. KEY is `ed25519:…`, as `onething plugin sign --generate` prints it, or a file with that. Of a key that\n" +
			"is trusted already it says anew which. Without a KEY it lists the keys: key, whose it is, departments, plugins, since when or\n" +
			"why it was revoked.",
		Example: `  onething plugin trust hrss.pub --name 人社局 --department hrss --as operator
  onething plugin trust --as operator`,
		Args: optional("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && (name == "" || len(departments) == 0) {
				return errors.New("say whose key it is with --name, and for which departments it may sign with --department")
			}
			service, err := r.dial()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return r.listKeys(cmd, service)
			}
			key, err := publicKey(args[0])
			if err != nil {
				return err
			}
			trusted, err := service.TrustPluginKey(cmd.Context(), &apiv1.TrustPluginKeyRequest{RequestId: uuid.NewString(), Key: key, Name: name, Departments: departments, Plugins: only})
			if err != nil {
				return answered(err)
			}
			k := trusted.GetKey()
			return r.tell(cmd.OutOrStdout(), k, fmt.Sprintf("%s: may sign%s plugins of %s", k.GetName(), already(trusted.GetPosition()), listOr(k.GetDepartments(), "")))
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&name, "name", "", "whose key it is")
	cmd.Flags().StringSliceVar(&departments, "department", nil, "department for which it may sign, or *; may be repeated")
	cmd.Flags().StringSliceVar(&only, "plugin", nil, "plugin that it may sign; default all of the departments; may be repeated")
	return cmd
}

// listKeys prints the keys.
func (r *pluginRemote) listKeys(cmd *cobra.Command, service apiv1connect.PluginServiceClient) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	err := pages(func(page *apiv1.Page) (string, error) {
		listed, err := service.ListPluginKeys(cmd.Context(), &apiv1.ListPluginKeysRequest{Page: page})
		if err != nil {
			return "", err
		}
		for _, k := range listed.GetKeys() {
			state := "trusted " + moment(k.GetTrusted().GetAt())
			if k.GetRevoked() != nil {
				state = "revoked " + moment(k.GetRevoked().GetAt()) + ": " + k.GetReason()
			}
			line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s", k.GetKey(), k.GetName(), listOr(k.GetDepartments(), "-"), listOr(k.GetPlugins(), "all"), state)
			if err := r.tell(table, k, line); err != nil {
				return "", err
			}
		}
		return listed.GetNextToken(), nil
	})
	return errors.Join(err, table.Flush())
}

// publicKey is a key that was written out, or the content of a file.
func publicKey(text string) (string, error) {
	if strings.HasPrefix(text, "ed25519:") {
		return text, nil
	}
	content, err := os.ReadFile(text) //nolint:gosec // the operator names the file
	return strings.TrimSpace(string(content)), err
}

func newPluginRevokeKey() *cobra.Command {
	var r pluginRemote
	var reason string
	var stop bool
	cmd := &cobra.Command{
		Use:   "revoke-key KEY",
		Short: "End the trust in a key, for ever",
		Long: "revoke-key ends the trust in a key: what it has signed is not pushed, activated or run in shadow any more. What is active goes\n" +
			"on, unless --stop is given: then the plugins that answer with a version of this key stop at once, and their steps go to\n" +
			"officers. A key that was revoked is never trusted again.",
		Example: `  onething plugin revoke-key hrss.pub --reason 密钥遗失 --as operator
  onething plugin revoke-key hrss.pub --reason 密钥被盗 --stop --as operator`,
		Args: arguments("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errNoReason
			}
			service, err := r.dial()
			if err != nil {
				return err
			}
			key, err := publicKey(args[0])
			if err != nil {
				return err
			}
			revoked, err := service.RevokePluginKey(cmd.Context(), &apiv1.RevokePluginKeyRequest{RequestId: uuid.NewString(), Key: key, Reason: reason, Stop: stop})
			if err != nil {
				return answered(err)
			}
			return r.tell(cmd.OutOrStdout(), revoked.GetKey(), fmt.Sprintf("%s: revoked%s", revoked.GetKey().GetName(), already(revoked.GetPosition())))
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the key")
	cmd.Flags().BoolVar(&stop, "stop", false, "also what is active and was signed with it answers no more")
	return cmd
}
