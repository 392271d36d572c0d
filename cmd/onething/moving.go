package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// moving is a flag or an argument: what a version means for applications under way.
type moving registryv1.Moving

// String implements pflag.Value.
func (m *moving) String() string {
	if *m == 0 {
		return "pin"
	}
	return strings.ToLower(strings.TrimPrefix(registryv1.Moving(*m).String(), "MOVING_"))
}

// Set implements pflag.Value.
func (m *moving) Set(word string) error {
	for _, known := range []registryv1.Moving{registryv1.Moving_MOVING_PIN, registryv1.Moving_MOVING_DRAFTS, registryv1.Moving_MOVING_CONSENT} {
		if *m = moving(known); m.String() == word {
			return nil
		}
	}
	return fmt.Errorf("it is pin, drafts or consent, not %q", word)
}

// Type implements pflag.Value.
func (*moving) Type() string { return "string" }

// flag adds the flag to a verb that publishes.
func (m *moving) flag(cmd *cobra.Command) {
	cmd.Flags().Var(m, "moving", "what it means for applications under way: pin (they stay), drafts (drafts are taken over) or\nconsent (also what was filed may move, if its applicant wants that)")
}

func newMoving() *cobra.Command {
	var r remote
	var reason string
	cmd := &cobra.Command{
		Use:   "moving BUNDLE NUMBER WORD",
		Short: "Say what the last version of a bundle means for applications under way",
		Long: "moving chooses for the last version of a bundle, whose number guards against a newer one: pin, everything stays on its\n" +
			"version; drafts, drafts are taken over when they are next saved; consent, also applications that were filed may move, each\n" +
			"if its applicant wants that. Where the version needs a second person, more than it means so far becomes a proposal.",
		Example: `  onething moving newborn 1 consent --reason 新规更宽 --as configurator
  onething moving newborn 1 pin --reason 维持原样 --as configurator`,
		Args: arguments("BUNDLE", "NUMBER", "WORD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.ParseInt(args[1], 10, 32)
			if err != nil || number < 1 {
				return fmt.Errorf("%q is no version: write its NUMBER, as `onething versions %s` lists it", args[1], args[0])
			}
			var chosen moving
			if err := chosen.Set(args[2]); err != nil {
				return err
			}
			if reason == "" {
				return errNoReason
			}
			service, err := r.dial()
			if err != nil {
				return err
			}
			moved, err := service.ChooseMoving(cmd.Context(), &apiv1.ChooseMovingRequest{RequestId: uuid.NewString(), Bundle: args[0], ExpectedVersion: int32(number), Moving: registryv1.Moving(chosen), Reason: reason})
			if err != nil {
				return answered(err)
			}
			if moved.GetProposal() != nil {
				return printPublished(cmd.OutOrStdout(), moved.GetPosition(), nil, moved.GetProposal())
			}
			chosen = moving(moved.GetVersion().GetMoving())
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: version %d, %s\n", args[0], moved.GetVersion().GetNumber(), &chosen)
			return err
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; applicants are shown it")
	return cmd
}
