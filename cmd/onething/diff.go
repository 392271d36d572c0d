package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/compare"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

func newDiff() *cobra.Command {
	var id, format string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changes between two versions of a bundle, with records that get another answer",
		Long: "diff compares two folders of a bundle, or one bundle of two trees (--bundle), each with the libraries of its own tree. It says\n" +
			"what is asked, judged, needed, routed, promised and charged otherwise, and what applications under way may hold that the\n" +
			"new version has no place for; if there is something of that kind, it exits with 1. A condition counts as tightened or\n" +
			"loosened only with a record that gets another answer, which is searched from the tests of both versions: write it into\n" +
			"tests.yaml as it stands. One that is only written otherwise is listed as such, other wording under texts.",
		Example: `  onething diff examples/bundles/newborn examples/bundles/newborn
  onething diff examples examples --bundle retirement --format json`,
		Args: arguments("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			report, err := diff(cmd.OutOrStdout(), args[0], args[1], id)
			if err != nil {
				return err
			}
			if format == "json" {
				err = printDiffJSON(cmd.OutOrStdout(), report)
			} else {
				err = printDiff(cmd.OutOrStdout(), report)
			}
			if err == nil && len(report.Breaking()) > 0 {
				return errFindings
			}
			return err
		},
	}
	cmd.Flags().StringVar(&id, "bundle", "", "id of the bundle, if OLD and NEW are trees")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// diff compares two versions as they stand in two folders.
func diff(out io.Writer, oldPath, newPath, id string) (*compare.Report, error) {
	old, oldRoot, err := versionOf(out, oldPath, id)
	if err != nil {
		return nil, err
	}
	after, newRoot, err := versionOf(out, newPath, id)
	if err != nil {
		return nil, err
	}
	if old.ID != after.ID {
		return nil, &refusedError{fmt.Sprintf("%s and %s are different bundles, not versions of one", old.ID, after.ID)}
	}
	days, err := published()
	if err != nil {
		return nil, err
	}
	var seeds []compare.Seed
	for _, version := range []struct {
		bundle *catalog.Bundle
		root   string
	}{{after, newRoot}, {old, oldRoot}} {
		name := bundletest.File(version.bundle.ID)
		text, err := os.ReadFile(filepath.Join(version.root, name)) //nolint:gosec // the user's own file
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		tests, _ := bundletest.Read(version.bundle, name, text, days) // a faulty test is no seed
		for _, t := range tests {
			if !slices.ContainsFunc(seeds, func(s compare.Seed) bool { return s.Name == t.ID }) {
				seeds = append(seeds, compare.Seed{Name: t.ID, Record: t.Record, Setting: t.Setting})
			}
		}
	}
	fallback := guide.Setting{Today: kind.DateOf(time.Now()), Place: (after.Place + "000000")[:6], Calendar: days}
	if after.Place == "" {
		fallback.Place = "321323"
	}
	return compare.Bundles(old, after, seeds, fallback)
}

// versionOf loads the bundle that a path stands for: its folder, or a tree with the id.
func versionOf(out io.Writer, path, id string) (*catalog.Bundle, string, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, "", err
	}
	_, inside, err := treeOf(path)
	if err != nil {
		return nil, "", err
	}
	if parts := strings.Split(inside, "/"); len(parts) > 1 && parts[0] == "bundles" {
		if id != "" && id != parts[1] {
			return nil, "", fmt.Errorf("%s is the folder of %s, not of %s", path, parts[1], id)
		}
		id = parts[1]
	}
	if id == "" {
		return nil, "", fmt.Errorf("%s is no folder of a bundle: say which one with --bundle", path)
	}
	bundles, root, err := bundlesOf(out, path, id)
	if err != nil {
		return nil, "", err
	}
	return bundles[0], root, nil
}

func printDiff(out io.Writer, r *compare.Report) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s: %.12s → %.12s\n", r.New.ID, r.New.Name.ZH, r.Old.Digest, r.New.Digest)
	topic := compare.Topic("")
	for _, c := range r.Changes {
		if c.Topic != topic {
			topic = c.Topic
			fmt.Fprintf(&text, "%s\n", strings.ToLower(string(topic)))
		}
		fmt.Fprintf(&text, "  %s%s", mark(c), c.Item)
		if c.Name != "" {
			fmt.Fprintf(&text, " %s", c.Name)
		}
		fmt.Fprintf(&text, "\n      %s\n", c.What)
		for _, w := range c.Witnesses {
			fmt.Fprintf(&text, "      example: %s\n", asTest(r.New, w))
			fmt.Fprintf(&text, "        %s, now %s", w.Old, w.New)
			if w.Before != w.After {
				fmt.Fprintf(&text, "; the case was %s, now %s", w.Before, w.After)
			}
			text.WriteString("\n")
		}
	}
	switch breaking := r.Breaking(); {
	case len(r.Changes) == 0 && r.Old.Digest == r.New.Digest:
		text.WriteString("nothing changes\n")
	case len(r.Changes) == 0:
		text.WriteString("only notes, comments or the layout of the file change\n")
	case len(breaking) == 0:
		text.WriteString("applications under way can go on\n")
	default:
		text.WriteString("applications under way would break\n")
		for _, c := range breaking {
			fmt.Fprintf(&text, "  %s\n", c.Breaks)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// mark is how a change is announced; other wording needs no word.
func mark(c compare.Change) string {
	switch {
	case c.Topic == compare.Texts:
		return ""
	case c.Kind == compare.Both:
		return "tightened and loosened: "
	case c.Kind == compare.Rewritten:
		return "written otherwise, no record found that gets another answer: "
	default:
		return strings.ToLower(string(c.Kind)) + ": "
	}
}

// asTest is a witness as a test writes it.
func asTest(b *catalog.Bundle, w compare.Witness) string {
	place := func(p forms.Path) string { return strings.Replace(string(p), "own."+b.ID+".", "own.", 1) }
	value := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(text)
	}
	paths := w.Changed
	var parts, without []string
	if w.Like != "" {
		parts = append(parts, "like: "+w.Like)
	} else {
		paths = []forms.Path{"today", "place"}
		for p := range w.Record.All() {
			paths = append(paths, p)
		}
	}
	var but []string
	for _, p := range paths {
		v, given := w.Given(p)
		switch {
		case p == "today", p == "place":
			parts = append(parts, string(p)+": "+value(v))
		case given:
			but = append(but, place(p)+": "+value(v))
		default:
			without = append(without, place(p))
		}
	}
	if len(but) > 0 {
		parts = append(parts, "but: { "+strings.Join(but, ", ")+" }")
	}
	if len(without) > 0 {
		parts = append(parts, "without: ["+strings.Join(without, ", ")+"]")
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// The report as other programs read it.
type (
	diffJSON struct {
		Bundle  string       `json:"bundle"`
		Old     string       `json:"old"`
		New     string       `json:"new"`
		Breaks  bool         `json:"breaks"`
		Changes []changeJSON `json:"changes"`
	}
	changeJSON struct {
		Topic    compare.Topic `json:"topic"`
		Kind     compare.Kind  `json:"kind"`
		Item     string        `json:"item"`
		Name     string        `json:"name,omitempty"`
		What     string        `json:"what"`
		Breaks   string        `json:"breaks,omitempty"`
		Examples []exampleJSON `json:"examples,omitempty"`
	}
	exampleJSON struct {
		Like    string         `json:"like,omitempty"`
		Today   string         `json:"today"`
		Place   string         `json:"place"`
		Changed []string       `json:"changed,omitempty"`
		Record  map[string]any `json:"record"`
		Facts   map[string]any `json:"facts,omitempty"`
		Old     string         `json:"old"`
		New     string         `json:"new"`
		Before  string         `json:"verdict_before"`
		After   string         `json:"verdict_after"`
	}
)

func printDiffJSON(out io.Writer, r *compare.Report) error {
	report := diffJSON{Bundle: r.New.ID, Old: r.Old.Digest, New: r.New.Digest, Breaks: len(r.Breaking()) > 0, Changes: []changeJSON{}}
	for _, c := range r.Changes {
		change := changeJSON{Topic: c.Topic, Kind: c.Kind, Item: c.Item, Name: c.Name, What: c.What, Breaks: c.Breaks}
		for _, w := range c.Witnesses {
			e := exampleJSON{Like: w.Like, Today: w.Setting.Today.String(), Place: w.Setting.Place, Record: map[string]any{}, Facts: map[string]any{},
				Old: w.Old, New: w.New, Before: w.Before.String(), After: w.After.String()}
			for _, p := range w.Changed {
				e.Changed = append(e.Changed, string(p))
			}
			for p, v := range w.Record.All() {
				e.Record[string(p)] = kind.Encode(v)
			}
			for p, v := range w.Setting.Facts {
				e.Facts[string(p)] = kind.Encode(v)
			}
			change.Examples = append(change.Examples, e)
		}
		report.Changes = append(report.Changes, change)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
