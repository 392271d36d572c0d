// Command onething is the engine's one binary: the server, and the tools of configurators, departments and operators.
//
// Every verb prints its result to stdout and its progress to stderr. Exit codes: 0 fine, 1 findings or refused, 2 could
// not do it. A file that was handed in and is wrong is a finding, whichever verb reads it: all that is wrong is told, with
// its place.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/diag"
)

// Exit codes.
const (
	exitFindings = 1 // findings, or refused
	exitFailure  = 2 // could not do it: usage, files, server
)

// errNoReason refuses a change that is to be explained.
var errNoReason = errors.New("say why with --reason")

// errFindings says that the verb has printed what it found.
var errFindings = errors.New("findings")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, out, progress io.Writer) int {
	root := newRoot()
	root.SetOut(out)
	root.SetErr(progress)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFindings):
		return exitFindings
	}
	if found := diag.List(nil); errors.As(err, &found) {
		if err := printText(progress, found, false); err != nil {
			return exitFailure
		}
		return exitFindings
	}
	fmt.Fprintf(progress, "onething: %v\n", err)
	if refused := (*refusedError)(nil); errors.As(err, &refused) {
		return exitFindings
	}
	return exitFailure
}

// newRoot is the command with its verbs.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "onething",
		Short: "一件事一次办: one form, one set of materials, one submission, one result",
		Long: "onething runs government bundles (一件事一次办): a configurator declares a matter once, each department ships its step as\n" +
			"a plugin, and a resident files one application.",
		Example: `  onething check examples
  onething days 2026-02-10 5`,
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       noSuchVerb,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(newHelp())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(newServe(), newCheck(), newTest(), newExplain(), newAsk(), newDiff(), newSimulate(), newFmt(), newPublish(), newVersions(), newRollback(), newProposals(), newMoving(), newNotices(), newParked(), newDemo(), newDays(), newKey(), newLog(), newBackup(), newRestore(), newPlugin(), newVersion())
	return root
}

// refusedError says that what was asked cannot be answered as things stand; nothing is broken.
type refusedError struct{ text string }

// Error says why.
func (e *refusedError) Error() string { return e.text }
