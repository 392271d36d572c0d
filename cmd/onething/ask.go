package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

func newAsk() *cobra.Command {
	var tree, today, place string
	cmd := &cobra.Command{
		Use:   "ask BUNDLE…",
		Short: "Go through the guide in a terminal: next question, answer, verdicts moving",
		Long: "ask puts the question that decides most, takes the answer from standard input, and says what it changed, until nothing\n" +
			"more can change a verdict. An empty line leaves a question blank, ? says why it is asked, q ends.",
		Example: `  onething ask newborn --tree examples --today 2026-03-16
  onething ask newborn first_employment --tree examples --place 321323`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return arguments("BUNDLE…")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			setting := guide.Setting{Place: place, Today: kind.DateOf(time.Now())}
			var err error
			if setting.Calendar, err = published(); err != nil {
				return err
			}
			if today != "" {
				d, ok := kind.ParseDate(today)
				if !ok {
					return fmt.Errorf("%q is no date: expected a day of the calendar as YYYY-MM-DD", today)
				}
				setting.Today = d
			}
			bundles, _, err := bundlesOf(cmd.OutOrStdout(), tree, args...)
			if err != nil {
				return err
			}
			selection, err := catalog.Select(bundles...)
			if err != nil {
				return &refusedError{err.Error()}
			}
			d := dialogue{in: bufio.NewScanner(cmd.InOrStdin()), out: cmd.OutOrStdout(), selection: selection, setting: setting}
			return d.run()
		},
	}
	cmd.Flags().StringVar(&tree, "tree", ".", "folder with library/ and bundles/")
	cmd.Flags().StringVar(&today, "today", "", "day of asking, YYYY-MM-DD; default today")
	cmd.Flags().StringVar(&place, "place", "321323", "region of the office, six digits")
	return cmd
}

// dialogue asks one person one question after the other.
type dialogue struct {
	in        *bufio.Scanner
	out       io.Writer
	selection *catalog.Selection
	setting   guide.Setting
	record    forms.Record
	told      map[string]string // verdicts as they were told last
}

// errEnd ends a dialogue before its time.
var errEnd = errors.New("end")

func (d *dialogue) say(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }

func (d *dialogue) run() error {
	d.told = map[string]string{}
	for {
		a := guide.Assess(d.selection, d.record, d.setting)
		d.verdicts(a)
		if a.Next == nil {
			d.end(a)
			return nil
		}
		v, err := d.ask(a)
		if errors.Is(err, errEnd) {
			return nil
		}
		if err != nil {
			return err
		}
		d.record = d.record.With(a.Next.Path, v)
	}
}

// verdicts tells those that have changed.
func (d *dialogue) verdicts(a *guide.Assessment) {
	for _, c := range a.Cases {
		now := map[guide.Verdict]string{guide.Undecided: "尚不能确定", guide.Eligible: "可以办理", guide.NotEligible: "不符合条件", guide.NotNeeded: "无需办理", guide.Elsewhere: "请到别处办理"}[c.Verdict]
		if d.told[c.Bundle.ID] == now {
			continue
		}
		d.told[c.Bundle.ID] = now
		d.say("【%s】%s\n", c.Bundle.Name.ZH, now)
		for _, r := range c.Failing() {
			d.say("  ✗ %s", r.Because.ZH)
			if r.Remedy.ZH != "" {
				d.say("。%s", r.Remedy.ZH)
			}
			d.say("\n")
		}
	}
}

// because are the conditions that the next question can decide, in the words of their bundles; a step or a material by its
// name.
func (d *dialogue) because(a *guide.Assessment) []string {
	var all []string
	for _, decided := range a.Next.Decides {
		text := decided
		bundle, id, _ := strings.Cut(decided, ".")
		if b := d.selection.Bundle(bundle); b != nil {
			for _, r := range b.Eligibility {
				if r.ID == id {
					text = r.Because.ZH
				}
			}
			if s := b.Step(id); s != nil {
				text = s.Name.ZH
			}
			if m := b.Material(id); m != nil {
				text = m.Name.ZH
			}
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// ask puts the next question until there is an answer; nil is left blank.
func (d *dialogue) ask(a *guide.Assessment) (kind.Value, error) {
	field := d.selection.Field(a.Next.Path)
	options, required := shown(a, a.Next.Path)
	for {
		d.question(a.Next.Path, field, options)
		if !d.in.Scan() {
			if err := d.in.Err(); err != nil {
				return nil, err
			}
			d.say("\n")
			return nil, errEnd
		}
		switch text := strings.TrimSpace(d.in.Text()); text {
		case "q", "退出":
			return nil, errEnd
		case "?", "？":
			d.say("  关系到：%s\n", strings.Join(d.because(a), "；"))
		case "":
			if required == rule.False {
				return nil, nil
			}
			d.say("  此项必须回答\n")
		default:
			v, fault := d.parse(field, options, text)
			if fault == "" {
				return v, nil
			}
			d.say("  %s\n", fault)
		}
	}
}

// shown returns the options that a question offers, and whether it must be answered.
func shown(a *guide.Assessment, p forms.Path) (options []string, required rule.Truth) {
	for _, f := range a.Fields {
		if f.Path == p {
			return f.Options, f.Required
		}
		for _, row := range f.Rows {
			for _, c := range row {
				if c.Path == p {
					return c.Options, c.Required
				}
			}
		}
	}
	return nil, rule.True
}

func (d *dialogue) question(p forms.Path, f *forms.Field, options []string) {
	name := f.Name.ZH
	if list, row, _, ok := p.Cell(); ok {
		name = fmt.Sprintf("%s，第 %d 项：%s", d.selection.Field(list).Name.ZH, row+1, name)
	}
	d.say("%s", name)
	if f.Unit != "" {
		d.say("（%s）", f.Unit)
	}
	if f.Help.ZH != "" {
		d.say("\n  %s", f.Help.ZH)
	}
	switch f.Kind {
	case kind.KindBool:
		d.say(" [是/否]")
	case kind.KindDate:
		d.say(" [年-月-日，如 2026-03-16]")
	case kind.KindAddress:
		d.say(" [区划代码 地址，如 321323 众兴街道 1 号]")
	case kind.KindList:
		d.say(" [有几项]")
	case kind.KindChoice, kind.KindChoices:
		for i, id := range options {
			o, _ := f.Option(id)
			d.say("\n  %d %s", i+1, o.Name.ZH)
		}
		if f.Kind == kind.KindChoices {
			d.say("\n  [可选多项，用空格分开；0 都不选]")
		}
	default:
	}
	d.say("\n> ")
}

// maxRows is how many rows a person is asked for one after the other.
const maxRows = 50

// parse reads an answer as it is typed, or says what is wrong with it.
func (d *dialogue) parse(f *forms.Field, options []string, text string) (kind.Value, string) {
	var given any = text
	switch f.Kind {
	case kind.KindBool:
		switch strings.ToLower(text) {
		case "是", "y", "yes", "true", "1":
			given = true
		case "否", "n", "no", "false", "0":
			given = false
		default:
			return nil, "请回答是或否"
		}
	case kind.KindInt:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, "请填写整数"
		}
		given = n
	case kind.KindChoice:
		given = option(options, text)
	case kind.KindChoices:
		chosen := []any{}
		for word := range strings.FieldsSeq(text) {
			if word != "0" {
				chosen = append(chosen, option(options, word))
			}
		}
		given = chosen
	case kind.KindAddress:
		region, rest, _ := strings.Cut(text, " ")
		given = map[string]any{"region": region, "text": strings.TrimSpace(rest)}
	case kind.KindList:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxRows {
			return nil, fmt.Sprintf("请填写 0 到 %d 的数", maxRows)
		}
		given = slices.Repeat([]any{map[string]any{}}, n)
	default:
	}
	v, fault := f.Spec().Parse(given)
	if fault != nil {
		return nil, fault.Text
	}
	return v, ""
}

// option is the id behind a number of the list that was shown; an id stands for itself.
func option(options []string, text string) string {
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(options) {
		return options[n-1]
	}
	return text
}

// end tells what follows from the answers.
func (d *dialogue) end(a *guide.Assessment) {
	open := 0
	for _, f := range a.Fields {
		if _, answered := d.record.Get(f.Path); !answered && !f.Field.Derived && f.Shown == rule.True && f.Required == rule.True {
			open++
		}
	}
	for _, c := range a.Cases {
		if c.Verdict == guide.Undecided {
			d.say("【%s】须由工作人员核实：", c.Bundle.Name.ZH)
			for _, r := range c.Open() {
				d.say(" %s", r.Because.ZH)
			}
			d.say("\n")
		}
		if c.Verdict != guide.Eligible {
			continue
		}
		d.say("【%s】承诺 %d 个工作日\n", c.Bundle.Name.ZH, c.Total.Max)
		for _, s := range c.Steps {
			if s.Applies.Truth == rule.True {
				d.say("  %s（%s）\n", s.Name.ZH, s.Department.Name.ZH)
			}
		}
	}
	for _, m := range a.Materials {
		if m.Asked == rule.True {
			d.say("  材料：%s\n", m.Name.ZH)
		}
	}
	if open > 0 {
		d.say("申请时还须填写 %d 项\n", open)
	}
}
