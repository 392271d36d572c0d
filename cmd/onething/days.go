package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms/kind"
)

func newDays() *cobra.Command {
	var why bool
	var file string
	cmd := &cobra.Command{
		Use:   "days FROM N",
		Short: "Print the date N working days after FROM (N may be negative)",
		Long: "days prints the date that is N working days after FROM, by the published calendars with their holidays and shifted\n" +
			"working days. The day itself does not count. It exits with 1 where a calendar that it needs is not published.",
		Example: `  onething days 2026-02-10 5
  onething days --why 2026-09-18 11`,
		Args: func(cmd *cobra.Command, args []string) error {
			// Flags stand before FROM, so that -5 is a number and not a flag, or after N.
			if len(args) > 2 {
				if err := cmd.Flags().Parse(args[2:]); err != nil {
					return cmd.FlagErrorFunc()(cmd, err)
				}
				args = append(args[:2:2], cmd.Flags().Args()...)
			}
			return arguments("FROM", "N")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			from, ok := kind.ParseDate(args[0])
			if !ok {
				return fmt.Errorf("%q is no date: write FROM as a day of the calendar, YYYY-MM-DD", args[0])
			}
			n, err := strconv.Atoi(args[1])
			if err != nil {
				return fmt.Errorf("%q is no whole number of working days: write N as 5 or -5", args[1])
			}
			name, source := holidays.File, holidays.Source()
			if file != "" {
				name = file
				if source, err = os.ReadFile(file); err != nil { //nolint:gosec // the user's own file
					return err
				}
			}
			c, found := calendar.Parse(name, source)
			if found.Err() != nil {
				return found
			}
			due := c.Add(from, n)
			if why {
				fmt.Fprintln(cmd.OutOrStdout(), due.Explain())
			}
			if !due.Known {
				text := fmt.Sprintf("not yet known: the calendar of %d is not published", due.Unpublished)
				if due.Unpublished == 0 {
					text = "not known: the date is beyond the calendar"
				}
				if !due.Earliest.IsZero() {
					text += ", at the earliest " + due.Earliest.String()
				}
				return &refusedError{text}
			}
			if !why {
				fmt.Fprintln(cmd.OutOrStdout(), due.Date)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&why, "why", false, "print the derivation: each day, whether it counts and why")
	cmd.Flags().StringVar(&file, "holidays", "", "calendar file; default the embedded one (2024 to 2026)")
	cmd.Flags().SetInterspersed(false)
	return cmd
}
