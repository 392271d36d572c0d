package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow/steps"
	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/store"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func newReplay() *cobra.Command {
	var f simulateFlags
	var folder string
	cmd := &cobra.Command{
		Use:   "replay [TASK…]",
		Short: "Run plugins again as they ran when they decided, and say whether they answer the same",
		Long: "replay takes, from the data folder of a server that is stopped, what a plugin was handed and what it saw through its\n" +
			"capabilities when it answered for a task (or a case, for a check), and runs the same version of the plugin on it once\n" +
			"more. Nothing outside is reached and nothing is written. It says for each answer whether the same came out for the same\n" +
			"fuel, and in which parts another one; it prints no value of a person. Without a task it does so for every answer that\n" +
			"there is. The files of the versions that answered have to lie in the folder of plugins. It exits with 1 if an answer is\n" +
			"another one or cannot be replayed.",
		Example: `  onething plugin replay --data var/onething --plugins build/plugins
  onething plugin replay --help`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, number := range args {
				if n, ok := application.ParseNumber(number); !ok || n.Kind != application.NumberOfTask && n.Kind != application.NumberOfCase {
					return fmt.Errorf("%s is no number of a task or a case", number)
				}
			}
			modules, err := store.Open(folder)
			if err != nil {
				return err
			}
			s, err := openStopped(cmd.Context(), f, "use a copy of its folder", slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn})))
			if err != nil {
				return err
			}
			defer s.close()
			return replay(cmd.Context(), s, modules, args, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.data, "data", "", "data folder of a server that is stopped")
	flags.StringVar(&f.keyFile, "key-encryption-key", "", "file with the key that wraps all keys; default that of development, in the data folder")
	flags.StringVar(&f.place, "place", "321323", "region of the office, six digits of GB/T 2260")
	flags.StringVar(&folder, "plugins", "build/plugins", "folder of the plugins, with the versions that answered")
	_ = cmd.MarkFlagRequired("data") // there is such a flag
	return cmd
}

// replay replays what was answered for the numbers, or everything, and tells out about each. The error is errFindings if one
// is not the same.
func replay(ctx context.Context, s *stopped, modules plugins.Modules, numbers []string, out io.Writer) (err error) {
	host, err := plugins.Open(ctx, plugins.Config{Modules: modules})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.Close(context.WithoutCancel(ctx))) }()
	same, other := 0, 0
	found := map[string]bool{}
	for id, err := range concerned(ctx, s, numbers) {
		if err != nil {
			return err
		}
		d, err := s.engine.Load(ctx, id)
		if err != nil {
			return err
		}
		state := application.State{ID: id}
		for i, event := range d.Events {
			before := state
			state = application.Evolve(state, event)
			recorded, ok := steps.RecordedIn(before, event)
			if !ok || len(numbers) > 0 && !slices.Contains(numbers, recorded.Task) {
				continue
			}
			found[recorded.Task] = true
			faults, how, err := replayed(ctx, s.engine, host, recorded, event, id, int64(i))
			if err != nil {
				return err
			}
			what := fmt.Sprintf("%s %s, attempt %d, %s %.12s", recorded.Task, recorded.Hook, recorded.Attempt, recorded.Plugin, recorded.Digest)
			if len(faults) == 0 {
				same++
				fmt.Fprintf(out, "%s: the same answer, %s\n", what, how)
				continue
			}
			other++
			fmt.Fprintf(out, "%s: %s\n", what, strings.Join(faults, "; "))
		}
	}
	for _, number := range numbers {
		if !found[number] {
			other++
			fmt.Fprintf(out, "%s: no answer of a plugin is recorded\n", number)
		}
	}
	fmt.Fprintf(out, "%d the same, %d not\n", same, other)
	if other > 0 {
		return errFindings
	}
	return nil
}

// concerned are the applications that the numbers are of; all of them without numbers.
func concerned(ctx context.Context, s *stopped, numbers []string) iter.Seq2[string, error] {
	wanted := map[string]bool{}
	for _, number := range numbers {
		n, _ := application.ParseNumber(number)
		wanted[n.Application] = true
	}
	return func(yield func(string, error) bool) {
		_, upto := s.log.Head()
		for id, err := range engine.Filed(ctx, s.log, upto) {
			if err == nil && len(wanted) > 0 {
				var number string
				if number, err = numberOf(ctx, s, id); err == nil && !wanted[number] {
					continue
				}
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

// numberOf is the number of an application, which its first event says.
func numberOf(ctx context.Context, s *stopped, id string) (string, error) {
	for e, err := range s.log.Read(ctx, engine.Stream(id), 0) {
		if err != nil {
			return "", err
		}
		event, err := fold.Decode(&e)
		return event.GetSubmitted().GetNumber(), err
	}
	return "", nil
}

// replayed runs a call once more, and returns what is not as it was; nothing if all is, with how it ran.
func replayed(ctx context.Context, e *engine.Engine, host *plugins.Host, recorded steps.Recorded, event *applicationv1.Event, id string, version int64) (faults []string, how string, err error) {
	transcript, err := transcriptOf(ctx, e, id, event.GetPersonal())
	if err != nil {
		return nil, "", err
	}
	if transcript == nil || len(transcript.GetRequestDigest()) == 0 {
		return []string{"nothing is kept of what the plugin saw: the application was forgotten, or it answered before that was kept"}, "", nil
	}
	then, request, err := asked(ctx, e, recorded, transcript, id, version)
	if err != nil {
		return nil, "", err
	}
	if request == nil {
		return []string{"what the plugin was handed cannot be made again: this program makes the request otherwise"}, "", nil
	}
	response, trace, diverged, err := host.Replay(ctx, plugins.Ref{ID: recorded.Plugin, Digest: recorded.Digest}, request, transcript.GetCalls())
	switch {
	case errors.Is(err, plugins.NotFound):
		return []string{"the folder of plugins does not hold the version that answered"}, "", nil
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case err != nil:
		faults = append(faults, "it fails: "+err.Error())
	}
	if diverged != "" {
		faults = append(faults, "it asks for something else: "+diverged)
	}
	if response != nil {
		digest, err := plugins.MessageDigest(response)
		if err != nil {
			return nil, "", err
		}
		if !bytes.Equal(digest, transcript.GetResponseDigest()) {
			differences, err := recorded.Differences(then, response)
			if err != nil {
				return nil, "", err
			}
			faults = append(append(faults, "it answers otherwise"), differences...)
		}
	}
	how = fmt.Sprintf("fuel %d, %d host calls", trace.Fuel, len(transcript.GetCalls()))
	switch {
	case trace.Rewriter != transcript.GetRewriter():
		how += fmt.Sprintf(" (fuel was reckoned by version %d, now by %d)", transcript.GetRewriter(), trace.Rewriter)
	case uint64(max(trace.Fuel, 0)) != transcript.GetFuel():
		faults = append(faults, fmt.Sprintf("it takes fuel %d, and took %d", trace.Fuel, transcript.GetFuel()))
	}
	return faults, how, nil
}

// transcriptOf is what was kept of a call; nil if nothing was, or it was forgotten.
func transcriptOf(ctx context.Context, e *engine.Engine, id string, personal *applicationv1.Personal) (*pluginv1.Transcript, error) {
	content := personal.GetTrace()
	if file := personal.GetTraceFile(); file != nil {
		_, reader, err := e.OpenFile(ctx, id, file.GetBlob())
		if err != nil {
			return nil, err
		}
		defer reader.Close()
		if content, err = io.ReadAll(reader); err != nil {
			return nil, fmt.Errorf("read trace: %w", err)
		}
	}
	transcript := &pluginv1.Transcript{}
	if len(content) == 0 || proto.Unmarshal(content, transcript) != nil {
		return nil, nil //nolint:nilnil // what an earlier program kept is none
	}
	return transcript, nil
}

// asked is the request of a call and the application as it was then: before the answer was committed, and perhaps some
// versions earlier, since other things happened while the plugin worked. nil if none of them makes the recorded one.
func asked(ctx context.Context, e *engine.Engine, recorded steps.Recorded, transcript *pluginv1.Transcript, id string, version int64) (*steps.Application, *pluginv1.Request, error) {
	for ; version > 0; version-- {
		d, err := e.LoadAt(ctx, id, version)
		if err != nil {
			return nil, nil, err
		}
		then := openedAs(e, d)
		request, err := recorded.Request(then)
		if err != nil {
			continue // it was not wanted yet
		}
		digest, err := plugins.MessageDigest(request)
		if err != nil {
			return nil, nil, err
		}
		if bytes.Equal(digest, transcript.GetRequestDigest()) {
			return then, request, nil
		}
	}
	return nil, nil, nil
}
