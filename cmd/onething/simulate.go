package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/simulate"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/forms/kind"
)

// simulateFlags are the flags of `simulate`, as they were given.
type simulateFlags struct {
	data, keyFile, bundle, place, today, format string
	all                                         bool
}

func newSimulate() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate NEW",
		Short: "Say what a new version of a bundle means for every application and draft under way",
		Long: "simulate tries a folder of a bundle, or a bundle of a tree (--bundle), with the libraries of its own tree, on the open\n" +
			"applications and the drafts in the data folder of a server that is stopped. It says for how many nothing changes, who has\n" +
			"to answer or bring something more, whose verdict changes and why, and whether a case could move to the version. It reads\n" +
			"what is sealed with the server's key, prints no value of a person, opens everything to be read only and changes nothing.\n" +
			"A running server is asked with SimulateVersion. It exits with 1 if a verdict changes or somebody is asked for more.",
		Example: `  onething simulate examples/bundles/newborn --data var/onething
  onething simulate examples --bundle newborn --data var/onething --format json`,
		Args: arguments("NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.format != "text" && f.format != "json" {
				return fmt.Errorf("--format is text or json, not %q", f.format)
			}
			if _, ok := kind.ParseDate(f.today); f.today != "" && !ok {
				return errors.New("--today is no day of the calendar as YYYY-MM-DD")
			}
			changes, err := simulateOn(cmd.Context(), args[0], f, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err == nil && changes {
				return errFindings
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.data, "data", "", "data folder of a server that is stopped")
	flags.StringVar(&f.keyFile, "key-encryption-key", "", "file with the key that wraps all keys; default that of development, in the data folder")
	flags.StringVar(&f.bundle, "bundle", "", "id of the bundle, if NEW is a tree")
	flags.StringVar(&f.place, "place", "321323", "region of the office, six digits of GB/T 2260")
	flags.StringVar(&f.today, "today", "", "the day, YYYY-MM-DD; default that of the clock")
	flags.StringVar(&f.format, "format", "text", "text, or json (one object a line, the sum last)")
	flags.BoolVar(&f.all, "all", false, "also print those for which nothing changes")
	_ = cmd.MarkFlagRequired("data") // there is such a flag
	return cmd
}

// simulateOn tries a bundle on a data folder, and reports whether a verdict changes or somebody is asked for more.
func simulateOn(ctx context.Context, path string, f simulateFlags, out, progress io.Writer) (bool, error) {
	to, _, err := versionOf(out, path, f.bundle)
	if err != nil {
		return false, err
	}
	s, err := openStopped(ctx, f, "ask it with SimulateVersion", slog.New(slog.NewTextHandler(progress, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return false, err
	}
	defer s.close()
	if len(s.engine.InForce().State.Bundles[to.ID]) == 0 {
		return false, &refusedError{fmt.Sprintf("no version of %s was ever published there", to.ID)}
	}
	tell := printSimulatedText
	if f.format == "json" {
		tell = printSimulatedJSON
	}
	var sum simulate.Sum
	applications, drafts := 0, 0
	_, upto := s.log.Head()
	err = s.engine.Simulate(ctx, engine.Simulation{
		To: to, Applications: engine.Filed(ctx, s.log, upto),
		Each: func(found engine.Simulated) error {
			sum.Add(found.Effect, found.Draft != "")
			if found.Kind == simulate.Unchanged && !f.all {
				return nil
			}
			return tell(out, found)
		},
		Looked: func(draft bool) error {
			if applications++; draft {
				applications, drafts = applications-1, drafts+1
			}
			if (applications+drafts)%1000 == 0 {
				fmt.Fprintf(progress, "%d applications, %d drafts looked at\n", applications, drafts)
			}
			return nil
		},
	})
	if err != nil {
		return false, err
	}
	fmt.Fprintf(progress, "%d applications, %d drafts looked at\n", applications, drafts)
	if f.format == "json" {
		err = printSumJSON(out, &sum)
	} else {
		_, err = fmt.Fprintf(out, "%s %s: %.12s\n%s", to.ID, to.Name.ZH, to.Digest, sumText(&sum))
	}
	return sum.Changes(), err
}

// stopped is a data folder that no server has open, opened to be read only.
type stopped struct {
	engine  *engine.Engine
	log     *badgerlog.Log
	closers []func() error
}

func (s *stopped) close() {
	for _, closer := range slices.Backward(s.closers) {
		_ = closer() // nothing was written
	}
}

// openStopped opens what a simulation or a replay reads of a data folder; instead is what can be done while a server has it.
func openStopped(ctx context.Context, f simulateFlags, instead string, logger *slog.Logger) (_ *stopped, err error) {
	s := &stopped{}
	data := store.Folder(f.data)
	if err := data.Readable(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if _, err := os.Stat(data.Log()); err != nil {
		return nil, fmt.Errorf("%s is no data folder of a server: %w", f.data, err)
	}
	if s.log, err = badgerlog.Open(badgerlog.Config{Dir: data.Log(), ReadOnly: true, Logger: logger}); err != nil {
		return nil, whyNotOpen(f.data, instead, err)
	}
	s.closers = append(s.closers, s.log.Close)
	name := f.keyFile
	if name == "" {
		name = data.DevelopmentKey()
	}
	wrap, err := seal.ReadKeyset(name)
	if err != nil {
		return nil, err
	}
	keys, err := seal.Open(seal.Config{Dir: data.Keys(), KeyEncryption: wrap, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, keys.Close)
	now := func() time.Time { return time.Now().In(officeZone()) }
	if day, ok := kind.ParseDate(f.today); ok {
		now = func() time.Time { return time.Date(day.Year, day.Month, day.Day, 9, 0, 0, 0, officeZone()) }
	}
	drafts, err := draft.Open(ctx, draft.Config{Dir: data.Drafts(), ReadOnly: true, Keys: keys, Submitted: store.Submitted(s.log), Now: now, Logger: logger})
	if err != nil {
		return nil, whyNotOpen(f.data, instead, err)
	}
	s.closers = append(s.closers, drafts.Close)
	blobs, err := blob.OpenReadOnly(data.Blobs())
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, blobs.Close)
	s.engine, err = engine.Open(ctx, engine.Config{Log: s.log, Keys: keys, Blobs: blobs, Drafts: drafts, Now: now, Place: f.place, Logger: logger})
	return s, err
}

// whyNotOpen says what to do where a store cannot be opened to be read only, and what can be done instead if a server has it.
func whyNotOpen(data, instead string, err error) error {
	switch {
	case strings.Contains(err.Error(), "Another process"):
		return &refusedError{fmt.Sprintf("a server has %s: stop it, or %s", data, instead)}
	case badgerlog.NotClosed(err):
		return &refusedError{fmt.Sprintf("%s was not closed: start the server on it once more and stop it with SIGTERM, or use a copy on which you have done so", data)}
	}
	return err
}

// sumText is what a version means in all, in words.
func sumText(sum *simulate.Sum) string {
	var b strings.Builder
	count := func(name string, c simulate.Counts) {
		fmt.Fprintf(&b, "%s: %d", name, c.Total)
		words := map[simulate.Kind]string{simulate.Unchanged: "unchanged", simulate.Otherwise: "change otherwise", simulate.Asks: "need an answer or a material more",
			simulate.Verdict: "change verdict", simulate.Unknown: "cannot be told"}
		separator := ": "
		for _, k := range simulate.Kinds() {
			if n := c.Kinds[k]; n > 0 {
				fmt.Fprintf(&b, "%s%d %s", separator, n, words[k])
				separator = ", "
			}
		}
		if len(c.Moves) > 0 {
			fmt.Fprintf(&b, "; %d could move as they are, %d with what is missing, %d stay", c.Moves[simulate.Moves], c.Moves[simulate.MovesWith], c.Moves[simulate.Stays])
		}
		b.WriteString("\n")
	}
	count("applications", sum.Applications)
	count("drafts", sum.Drafts)
	for _, r := range sum.Reasons() {
		fmt.Fprintf(&b, "  %d  %s\n", r.N, reasonText(r.Reason))
	}
	return b.String()
}

func printSimulatedText(out io.Writer, s engine.Simulated) error {
	var b strings.Builder
	if s.Number != "" {
		fmt.Fprintf(&b, "%s", s.Number)
	} else {
		fmt.Fprintf(&b, "draft %s", s.Draft)
	}
	words := map[simulate.Kind]string{simulate.Unchanged: "nothing changes", simulate.Otherwise: "changes otherwise", simulate.Asks: "asks for more",
		simulate.Verdict: "another verdict", simulate.Unknown: "cannot be told"}
	fmt.Fprintf(&b, " %s", words[s.Kind])
	if s.Before != s.After {
		fmt.Fprintf(&b, ": %s, now %s", s.Before, s.After)
	}
	if s.Move != "" {
		fmt.Fprintf(&b, "; %s", map[simulate.Move]string{simulate.Moves: "could move", simulate.MovesWith: "could move with what is missing", simulate.Stays: "stays"}[s.Move])
	}
	b.WriteString("\n")
	for _, r := range s.Reasons {
		fmt.Fprintf(&b, "    %s\n", reasonText(r))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// reasonText is a reason in words.
func reasonText(r simulate.Reason) string {
	text := fmt.Sprintf(map[simulate.Code]string{
		simulate.RuleFails: "the rule %s fails", simulate.RuleHolds: "the rule %s fails no more", simulate.RuleOpen: "it is not known whether the rule %s holds",
		simulate.AnswerMissing: "%s has to be answered", simulate.AnswerFault: "%s is not plausible any more", simulate.MaterialMissing: "the material %s has to be brought",
		simulate.AnswerGone: "the answer to %s is not asked for, or cannot be read", simulate.MaterialAsked: "the material %s is asked for", simulate.MaterialGone: "the material %s is not asked for any more",
		simulate.StepApplies: "the step %s applies", simulate.StepGone: "the step %s does not apply any more", simulate.LimitChanges: "the promised time of %s changes", simulate.FeeChanges: "the fee of %s changes",
		simulate.Conflict: "it does not go with another bundle of the application%s", simulate.Unreadable: "it cannot be read%s", simulate.StepBegun: "stands in the way: the step %s has begun",
		simulate.AnswerUsed: "stands in the way: a decided step has used %s", simulate.PromiseWorse: "stands in the way: what was promised would be worse (%s)",
		simulate.ToleranceAsked: "stands in the way: the material %s may not follow any more", simulate.Waits: "stands in the way: the applicant of %s has to correct something first",
		simulate.Joint: "stands in the way: %s was submitted together",
	}[r.Code], r.Item)
	if r.Name.ZH != "" {
		text += " (" + r.Name.ZH + ")"
	}
	return text
}

// What other programs read.
type (
	simulatedJSON struct {
		Number  string         `json:"number,omitempty"`
		Draft   string         `json:"draft,omitempty"`
		Effect  simulate.Kind  `json:"effect"`
		Before  string         `json:"verdict_before"`
		After   string         `json:"verdict_after"`
		Move    simulate.Move  `json:"move,omitempty"`
		Reasons []reasonedJSON `json:"reasons,omitempty"`
	}
	reasonedJSON struct {
		Code  simulate.Code `json:"code"`
		Item  string        `json:"item,omitempty"`
		Name  string        `json:"name,omitempty"`
		Count int64         `json:"count,omitempty"`
	}
	countsJSON struct {
		Total   int64                   `json:"total"`
		Effects map[simulate.Kind]int64 `json:"effects"`
		Moves   map[simulate.Move]int64 `json:"moves,omitempty"`
	}
)

func printSimulatedJSON(out io.Writer, s engine.Simulated) error {
	line := simulatedJSON{Number: s.Number, Draft: s.Draft, Effect: s.Kind, Before: s.Before.String(), After: s.After.String(), Move: s.Move}
	for _, r := range s.Reasons {
		line.Reasons = append(line.Reasons, reasonedJSON{Code: r.Code, Item: r.Item, Name: r.Name.ZH})
	}
	return encodeLine(out, line)
}

func printSumJSON(out io.Writer, sum *simulate.Sum) error {
	counts := func(c simulate.Counts) countsJSON {
		return countsJSON{Total: c.Total, Effects: c.Kinds, Moves: c.Moves}
	}
	line := struct {
		Applications countsJSON     `json:"applications"`
		Drafts       countsJSON     `json:"drafts"`
		Reasons      []reasonedJSON `json:"reasons,omitempty"`
	}{Applications: counts(sum.Applications), Drafts: counts(sum.Drafts)}
	for _, r := range sum.Reasons() {
		line.Reasons = append(line.Reasons, reasonedJSON{Code: r.Code, Item: r.Item, Name: r.Name.ZH, Count: r.N})
	}
	return encodeLine(out, line)
}

func encodeLine(out io.Writer, line any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(line)
}
