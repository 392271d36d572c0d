package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageTemplate ends with the examples: they are what people look for, and the end is what stays on the screen.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} VERB

Verbs:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}
`

// arguments refuses any other number of arguments than are named, and says which those are.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		takes := "no arguments"
		if len(names) > 0 {
			takes = strings.Join(names, " and ")
		}
		verb := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
		return fmt.Errorf("%s takes %s, and got %d: see `%s --help`", verb, takes, len(args), cmd.CommandPath())
	}
}

// noSuchVerb is what a command with verbs does by itself: it prints them, and refuses what is none.
func noSuchVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean `%s %s`?", cmd.CommandPath(), near[0])
	}
	return fmt.Errorf("there is no verb `%s`: %s", args[0], hint)
}

// newHelp is `onething help VERB`.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:    "help [VERB…]",
		Short:  "Print what a verb does",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noSuchVerb(cmd.Root(), args)
			}
			return about.Help()
		},
	}
}
