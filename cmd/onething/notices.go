package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

func newNotices() *cobra.Command {
	var r remote
	var failed bool
	var repeat []string
	cmd := &cobra.Command{
		Use:   "notices",
		Short: "List the notices to applicants, clerks and officers, and repeat those that have failed",
		Long: "notices lists the notices of a server, the newest first: id, what has become of it, attempts, when it happened, number of the\n" +
			"application, what it tells, whom, by which way, and why the last attempt failed. What they say and the addresses are kept\n" +
			"nowhere. --repeat lets one be tried again, at once, under its old id; `--repeat failed` all that have failed. It exits with\n" +
			"1 if it is refused.",
		Example: `  onething notices --failed --as operator
  onething notices --repeat failed --as operator`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if failed && len(repeat) > 0 {
				return errors.New("--failed lists, --repeat repeats: one of them at a time")
			}
			client, err := r.connect()
			if err != nil {
				return err
			}
			service := apiv1connect.NewOperatorServiceClient(client)
			if len(repeat) > 0 {
				return repeatNotices(cmd, service, repeat)
			}
			state := apiv1.NoticeState_NOTICE_STATE_UNSPECIFIED
			if failed {
				state = apiv1.NoticeState_NOTICE_STATE_FAILED
			}
			return eachNotice(cmd, service, state, func(page []*apiv1.Notice) error { return printNotices(cmd.OutOrStdout(), page) })
		},
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&failed, "failed", false, "list only those that have failed")
	cmd.Flags().StringSliceVar(&repeat, "repeat", nil, "repeat the notice with this id, or all that have `failed`; may be repeated")
	return cmd
}

// eachNotice goes through the list page by page.
func eachNotice(cmd *cobra.Command, service apiv1connect.OperatorServiceClient, state apiv1.NoticeState, f func([]*apiv1.Notice) error) error {
	for token, more := "", true; more; more = token != "" {
		listed, err := service.ListNotices(cmd.Context(), &apiv1.ListNoticesRequest{State: state, Page: &apiv1.Page{Token: token}})
		if err != nil {
			return answered(err)
		}
		if err := f(listed.GetNotices()); err != nil {
			return err
		}
		token = listed.GetNextToken()
	}
	return nil
}

func printNotices(out io.Writer, page []*apiv1.Notice) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, n := range page {
		to := strings.Join(strings.Fields(n.GetTo()+" "+n.GetDepartment()+" "+n.GetAlias()), " ")
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", n.GetNotice(), noticeState(n), n.GetAttempts(), n.GetAt().AsTime().In(officeZone()).Format("2006-01-02 15:04"),
			n.GetNumber(), n.GetKind(), to, n.GetBy(), n.GetFailure())
	}
	return table.Flush()
}

// noticeState says what has become of a notice.
func noticeState(n *apiv1.Notice) string {
	return strings.ToLower(strings.TrimPrefix(n.GetState().String(), "NOTICE_STATE_"))
}

// repeatNotices repeats notices by their ids; `failed` stands for all that have.
func repeatNotices(cmd *cobra.Command, service apiv1connect.OperatorServiceClient, ids []string) error {
	var all []string
	for _, id := range ids {
		if id != "failed" {
			all = append(all, id)
			continue
		}
		err := eachNotice(cmd, service, apiv1.NoticeState_NOTICE_STATE_FAILED, func(page []*apiv1.Notice) error {
			for _, n := range page {
				all = append(all, n.GetNotice())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, id := range all {
		repeated, err := service.RepeatNotice(cmd.Context(), &apiv1.RepeatNoticeRequest{Notice: id})
		if err != nil {
			return answered(err)
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", repeated.GetNotice().GetNotice(), noticeState(repeated.GetNotice())); err != nil {
			return err
		}
	}
	return nil
}
