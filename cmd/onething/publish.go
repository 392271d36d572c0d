package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// remote says which server a verb speaks to, and as whom.
type remote struct {
	server, as, devIssuer, tokenFile string
}

// flags adds the flags to a verb. Each has an environment variable, as those of `serve`.
func (r *remote) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&r.server, "server", "http://127.0.0.1:8080", "address of the API")
	flags.StringVar(&r.tokenFile, "token-file", "", "file with a token of the issuer's, of somebody who may do this")
	flags.StringVar(&r.as, "as", "", "development: sign in under this name instead, such as configurator")
	flags.StringVar(&r.devIssuer, "dev-issuer", "127.0.0.1:8081", "development: address of the issuer")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd.Flags()) }
}

// dial returns the service of configurators, as whoever signs in.
func (r *remote) dial() (apiv1connect.PublishServiceClient, error) {
	client, err := r.connect()
	if err != nil {
		return nil, err
	}
	return apiv1connect.NewPublishServiceClient(client), nil
}

// connect returns a client that calls as whoever signs in.
func (r *remote) connect() (*connect.Client, error) {
	token := intake.SignIn("http://"+r.devIssuer+"/issuer", r.as)
	switch {
	case (r.tokenFile == "") == (r.as == ""):
		return nil, errors.New("sign in with --token-file FILE, or in development with --as NAME")
	case r.tokenFile != "":
		content, err := os.ReadFile(r.tokenFile)
		if err != nil {
			return nil, err
		}
		token = func(context.Context) (string, error) { return strings.TrimSpace(string(content)), nil }
	}
	return intake.Connect(strings.TrimSuffix(r.server, "/"), token), nil
}

// answered turns what a server has refused into a [refusedError] with its reason; anything else could not be done.
func answered(err error) error {
	info := intake.Why(err)
	switch code := connect.CodeOf(err); {
	case info == nil && code == connect.CodeUnavailable:
		return fmt.Errorf("the server does not answer: %w", err)
	case info == nil || code == connect.CodeInternal || code == connect.CodeUnavailable:
		return err
	}
	text := info.GetText().GetEn()
	if text == "" {
		text = info.GetText().GetZh()
	}
	for _, v := range info.GetViolations() {
		text += fmt.Sprintf("\n  %s: %s", v.GetPath(), v.GetText().GetZh())
	}
	return &refusedError{text}
}

func newPublish() *cobra.Command {
	var r remote
	var reason string
	var check bool
	var after int32
	var moves moving
	cmd := &cobra.Command{
		Use:   "publish BUNDLE",
		Short: "Publish a bundle to a server: a new version, in force at once or from the day that it says",
		Long: "publish sends the bundle.yaml of a folder to a server. The server checks it against the libraries in force there, and the\n" +
			"findings are printed as `onething check` prints them; with an error nothing is published. The version has a number and\n" +
			"never changes; applications under way keep theirs unless --moving says otherwise. Where the operator asks for a second\n" +
			"person, it becomes a proposal. It exits with 1 if it is refused.",
		Example: `  onething publish examples/bundles/newborn --reason 首次发布 --as configurator
  onething publish examples/bundles/newborn --check --as configurator`,
		Args: arguments("BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" && !check {
				return errors.New("say why with --reason, or only check with --check")
			}
			service, err := r.dial()
			if err != nil {
				return err
			}
			file, text, err := bundleText(args[0])
			if err != nil {
				return err
			}
			if err := checkThere(cmd, service, file, text); err != nil || check {
				return err
			}
			published, err := service.PublishBundle(cmd.Context(), &apiv1.PublishBundleRequest{RequestId: uuid.NewString(), Text: text, Reason: reason, ExpectedVersion: after, Moving: registryv1.Moving(moves)})
			if err != nil {
				return answered(err)
			}
			return printPublished(cmd.OutOrStdout(), published.GetPosition(), published.GetVersion(), published.GetProposal())
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why it is published; kept with the version")
	cmd.Flags().BoolVar(&check, "check", false, "check on the server, and publish nothing")
	cmd.Flags().Int32Var(&after, "after", 0, "number of the last version that you have seen: refused if there is a newer one")
	moves.flag(cmd)
	return cmd
}

// bundleText reads the bundle of a folder, or a file itself.
func bundleText(path string) (file, text string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "", err
	}
	if file = path; info.IsDir() {
		file = filepath.Join(path, filepath.Base(catalog.BundleFile("")))
	}
	content, err := diag.ReadFile(anywhere{}, file)
	return file, string(content), err
}

// checkThere prints what a server finds in a bundle.
func checkThere(cmd *cobra.Command, service apiv1connect.PublishServiceClient, file, text string) error {
	checked, err := service.CheckBundle(cmd.Context(), &apiv1.CheckBundleRequest{Text: text})
	if err != nil {
		return answered(err)
	}
	var found diag.List
	for _, f := range checked.GetFindings() {
		d := diag.FromProto(f)
		d.Span.File = here(d.Span.File, file)
		for i := range d.Related {
			d.Related[i].Span.File = here(d.Related[i].Span.File, file)
		}
		found = append(found, d)
	}
	if err := printText(cmd.OutOrStdout(), found, true); err != nil {
		return err
	}
	if found.Err() != nil {
		return errFindings
	}
	return nil
}

// here is the name of a file of which a server speaks: the bundle that was sent, or a library that is the server's.
func here(name, file string) string {
	if strings.HasSuffix(name, filepath.Base(file)) {
		return file
	}
	return name
}

func printPublished(out io.Writer, position uint64, v *apiv1.BundleVersion, p *apiv1.BundleProposal) error {
	var err error
	switch {
	case p != nil:
		_, err = fmt.Fprintf(out, "%s: proposal %d waits for a second configurator\n", p.GetBundle(), p.GetProposal())
	case position == 0:
		_, err = fmt.Fprintf(out, "%s: nothing new, version %d says the same\n", v.GetBundle(), v.GetNumber())
	default:
		_, err = fmt.Fprintf(out, "%s: version %d, %s\n", v.GetBundle(), v.GetNumber(), inForce(v))
	}
	return err
}

// inForce says when a version counts.
func inForce(v *apiv1.BundleVersion) string {
	said := "not in force"
	switch {
	case v.GetInForce():
		said = "in force"
	case v.GetFrom() != "":
		said = "in force from " + v.GetFrom()
	}
	if v.GetUntil() != "" {
		said += " until " + v.GetUntil()
	}
	if m := moving(v.GetMoving()); m > moving(registryv1.Moving_MOVING_PIN) {
		said += ", moving " + m.String()
	}
	return said
}

func newVersions() *cobra.Command {
	var r remote
	var show int32
	cmd := &cobra.Command{
		Use:   "versions BUNDLE",
		Short: "List the versions of a bundle on a server, or print one",
		Long: "versions lists the versions of a bundle, the newest first: number, whether it is in force, when, by whom and why it was\n" +
			"published. --show prints the text of one, to compare it or to go on from it.",
		Example: `  onething versions newborn --as configurator
  onething versions newborn --show 1 --as configurator`,
		Args: arguments("BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, err := r.dial()
			if err != nil {
				return err
			}
			if show > 0 {
				version, err := service.GetVersion(cmd.Context(), &apiv1.GetVersionRequest{Bundle: args[0], Number: show})
				if err != nil {
					return answered(err)
				}
				_, err = io.WriteString(cmd.OutOrStdout(), version.GetText())
				return err
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for token := ""; ; {
				listed, err := service.ListVersions(cmd.Context(), &apiv1.ListVersionsRequest{Bundle: args[0], Page: &apiv1.Page{Token: token}})
				if err != nil {
					return answered(err)
				}
				for _, v := range listed.GetVersions() {
					why := v.GetReason()
					if v.GetRolledBackTo() > 0 {
						why = fmt.Sprintf("as version %d: %s", v.GetRolledBackTo(), why)
					}
					by := v.GetAuthor()
					if v.GetApprover() != "" {
						by += ", " + v.GetApprover()
					}
					fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", v.GetNumber(), inForce(v), v.GetPublished().AsTime().In(officeZone()).Format("2006-01-02 15:04"), by, why)
				}
				if token = listed.GetNextToken(); token == "" {
					return table.Flush()
				}
			}
		},
	}
	r.flags(cmd)
	cmd.Flags().Int32Var(&show, "show", 0, "print the text of the version with this number")
	return cmd
}

func newRollback() *cobra.Command {
	var r remote
	var reason string
	var moves moving
	cmd := &cobra.Command{
		Use:   "rollback BUNDLE NUMBER",
		Short: "Publish an earlier version of a bundle once more",
		Long: "rollback publishes an earlier version again, under a new number and with the libraries that it had. Nothing is deleted, and\n" +
			"applications under way keep the version with which they were filed, unless --moving says otherwise.",
		Example: `  onething rollback newborn 1 --reason 退回首版 --as configurator
  ONETHING_AS=configurator onething rollback newborn 1 --reason 退回首版`,
		Args: arguments("BUNDLE", "NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.ParseInt(args[1], 10, 32)
			if err != nil || number < 1 {
				return fmt.Errorf("%q is no version: write its NUMBER, as `onething versions %s` lists it", args[1], args[0])
			}
			if reason == "" {
				return errNoReason
			}
			service, err := r.dial()
			if err != nil {
				return err
			}
			back, err := service.RollBackBundle(cmd.Context(), &apiv1.RollBackBundleRequest{RequestId: uuid.NewString(), Bundle: args[0], Number: int32(number), Reason: reason, Moving: registryv1.Moving(moves)})
			if err != nil {
				return answered(err)
			}
			return printPublished(cmd.OutOrStdout(), back.GetPosition(), back.GetVersion(), back.GetProposal())
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the version")
	moves.flag(cmd)
	return cmd
}
