package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// proposalFlags are the flags of `proposals`, as they were given; a number that is 0 was not.
type proposalFlags struct {
	bundle, reason        string
	closed                bool
	show, approve, reject int32
}

func newProposals() *cobra.Command {
	var r remote
	var f proposalFlags
	cmd := &cobra.Command{
		Use:   "proposals",
		Short: "List, approve or reject what another configurator proposes, where a second person is needed",
		Long: "proposals lists the versions that wait for a second person, the newest first: number, bundle, state, when, by whom and why.\n" +
			"--show prints the text of one, to compare it with what is in force (`onething versions BUNDLE --show NUMBER`); --approve\n" +
			"makes it a version, which keeps both names; --reject ends it with a reason, or takes one's own back. Nobody approves what\n" +
			"they have proposed themselves. It exits with 1 if it is refused.",
		Example: `  onething proposals --as configurator2
  onething proposals --bundle newborn --closed --as configurator2`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := 0
			for _, name := range []string{"show", "approve", "reject"} {
				if flag := cmd.Flags().Lookup(name); flag.Changed {
					if given++; flag.Value.String()[0] == '-' || flag.Value.String() == "0" {
						return fmt.Errorf("--%s %s is no proposal: write its number, as `onething proposals` lists it", name, flag.Value)
					}
				}
			}
			switch {
			case given > 1:
				return errors.New("one of --show, --approve and --reject at a time")
			case (f.reject > 0) != (f.reason != ""):
				return errors.New("--reject and --reason go together")
			}
			service, err := r.dial()
			if err != nil {
				return err
			}
			return f.do(cmd, service)
		},
	}
	r.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.bundle, "bundle", "", "list only those of this bundle")
	flags.BoolVar(&f.closed, "closed", false, "also list those that were approved or rejected")
	flags.Int32Var(&f.show, "show", 0, "print the text of the proposal with this number")
	flags.Int32Var(&f.approve, "approve", 0, "approve the proposal with this number")
	flags.Int32Var(&f.reject, "reject", 0, "reject the proposal with this number")
	flags.StringVar(&f.reason, "reason", "", "why it is rejected; its author reads it")
	return cmd
}

// do is what the flags ask.
func (f *proposalFlags) do(cmd *cobra.Command, service apiv1connect.PublishServiceClient) error {
	out := cmd.OutOrStdout()
	switch {
	case f.show > 0:
		proposal, err := service.GetProposal(cmd.Context(), &apiv1.GetProposalRequest{Proposal: f.show})
		if err != nil {
			return answered(err)
		}
		_, err = io.WriteString(out, proposal.GetText())
		return err
	case f.approve > 0:
		approved, err := service.ApproveProposal(cmd.Context(), &apiv1.ApproveProposalRequest{RequestId: uuid.NewString(), Proposal: f.approve})
		if err != nil {
			return answered(err)
		}
		return printPublished(out, approved.GetPosition(), approved.GetVersion(), nil)
	case f.reject > 0:
		rejected, err := service.RejectProposal(cmd.Context(), &apiv1.RejectProposalRequest{RequestId: uuid.NewString(), Proposal: f.reject, Reason: f.reason})
		if err != nil {
			return answered(err)
		}
		_, err = fmt.Fprintf(out, "%s: proposal %d %s\n", rejected.GetProposal().GetBundle(), f.reject, proposalState(rejected.GetProposal()))
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for token := ""; ; {
		listed, err := service.ListProposals(cmd.Context(), &apiv1.ListProposalsRequest{Bundle: f.bundle, Closed: f.closed, Page: &apiv1.Page{Token: token}})
		if err != nil {
			return answered(err)
		}
		for _, p := range listed.GetProposals() {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", p.GetProposal(), p.GetBundle(), proposalState(p), p.GetProposed().AsTime().In(officeZone()).Format("2006-01-02 15:04"), p.GetAuthor(), p.GetReason())
		}
		if token = listed.GetNextToken(); token == "" {
			return table.Flush()
		}
	}
}

// proposalState says what has become of a proposal.
func proposalState(p *apiv1.BundleProposal) string {
	switch p.GetState() {
	case apiv1.BundleProposal_STATE_OPEN:
		return "waits"
	case apiv1.BundleProposal_STATE_OUTDATED:
		return "is outdated"
	case apiv1.BundleProposal_STATE_APPROVED:
		return fmt.Sprintf("is version %d, approved by %s", p.GetVersion(), p.GetClosedBy())
	case apiv1.BundleProposal_STATE_REJECTED:
		return fmt.Sprintf("rejected by %s: %s", p.GetClosedBy(), p.GetRejection())
	default:
		return p.GetState().String() // of a newer server
	}
}
