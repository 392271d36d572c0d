package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

func newParked() *cobra.Command {
	var r remote
	var takeUp []string
	cmd := &cobra.Command{
		Use:   "parked",
		Short: "List the streams whose work waits for an operator, and take them up again",
		Long: "parked lists the streams that followers of a server have parked: a commit that cannot be read, or work that has failed too\n" +
			"often. It prints follower, stream and why. When the cause is mended, --take-up lets the work of a stream begin again while\n" +
			"the server runs; `--take-up all` that of every one. It exits with 1 if it is refused, or a stream stays parked.",
		Example: `  onething parked --as operator
  onething parked --take-up all --as operator`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := r.connect()
			if err != nil {
				return err
			}
			service := apiv1connect.NewOperatorServiceClient(client)
			parked, err := allParked(cmd, service)
			if err != nil {
				return err
			}
			if len(takeUp) > 0 {
				return takeUpStreams(cmd, service, parked, takeUp)
			}
			for _, s := range parked {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s\n", s.GetFollower(), s.GetStream(), s.GetReason()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	r.flags(cmd)
	cmd.Flags().StringSliceVar(&takeUp, "take-up", nil, "take up this stream, of every follower that has parked it, or `all`; may be repeated")
	return cmd
}

// allParked reads the whole list.
func allParked(cmd *cobra.Command, service apiv1connect.OperatorServiceClient) ([]*apiv1.ParkedStream, error) {
	var all []*apiv1.ParkedStream
	for token, more := "", true; more; more = token != "" {
		listed, err := service.ListParkedStreams(cmd.Context(), &apiv1.ListParkedStreamsRequest{Page: &apiv1.Page{Token: token}})
		if err != nil {
			return nil, answered(err)
		}
		all, token = append(all, listed.GetStreams()...), listed.GetNextToken()
	}
	return all, nil
}

// takeUpStreams takes up what is named; what stays parked does not keep the others.
func takeUpStreams(cmd *cobra.Command, service apiv1connect.OperatorServiceClient, parked []*apiv1.ParkedStream, names []string) error {
	var failed error
	for _, name := range names {
		found := name == "all"
		for _, s := range parked {
			if name != "all" && name != s.GetStream() {
				continue
			}
			found = true
			if _, err := service.TakeUpStream(cmd.Context(), &apiv1.TakeUpStreamRequest{Follower: s.GetFollower(), Stream: s.GetStream()}); err != nil {
				failed = answered(err)
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s: still parked\n", s.GetFollower(), s.GetStream()); err != nil {
					return err
				}
				continue
			}
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s: taken up\n", s.GetFollower(), s.GetStream()); err != nil {
				return err
			}
		}
		if !found {
			failed = &refusedError{fmt.Sprintf("no follower has parked %s", strings.TrimSpace(name))}
		}
	}
	return failed
}
