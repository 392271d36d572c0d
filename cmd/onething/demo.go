package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// sceneTimeout bounds a scene: a part that hangs ends the demonstration instead of its reader's patience.
const sceneTimeout = time.Minute

// scene is one application of the demonstration, with what it must come to.
type scene struct {
	title string // Chinese
	play  func(context.Context, *stage) (*intake.Filing, error)
	// want is the application as outcome returns it. Everything is decided by the bundles, the plugins and the registers
	// of the demonstration; the figures are worked out in the plugins' own tests.
	want []string
}

// scenes are played in this order. The clock goes on from one to the next.
func scenes() []scene {
	return []scene{newbornScene(), employmentScene(), retirementScene(), afterDeathScene(), pairScene()}
}

func newDemo() *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "File and decide one application for each matter, in a temporary folder",
		Long: "demo starts everything in a temporary folder, on free ports and on a day of its own, and files applications through the\n" +
			"API as a front end would: one for each of the four matters, and one for two matters at once. It plays residents, clerks,\n" +
			"officers and a department's system; the plugins decide their own steps. It prints what happened to each application, and\n" +
			"exits with 1 if one has come to anything else than it must.",
		Example: `  onething demo
  onething demo --help`,
		Args:    arguments(),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd.Flags()) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), folder, scenes(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&folder, "plugins", "build/plugins", "folder of the departments' plugins")
	return cmd
}

// demo plays the scenes and prints them. It returns [errFindings] if one came to something else than it must.
func demo(ctx context.Context, folder string, scenes []scene, out, progress io.Writer) (err error) {
	note := notes(progress)
	note("starting")
	st, err := openStage(ctx, folder, progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()

	wrong := 0
	for i, s := range scenes {
		note(fmt.Sprintf("%d/%d %s", i+1, len(scenes), s.title))
		application, err := st.run(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		note("")
		printApplication(out, s.title, application)
		if difference := differences(s.want, outcome(application)); difference != "" {
			fmt.Fprintf(out, "\n与预期不符：\n%s", difference)
			wrong++
		}
		fmt.Fprintln(out)
	}
	if wrong > 0 {
		fmt.Fprintf(out, "%d 份办件中有 %d 份与预期不符\n", len(scenes), wrong)
		return errFindings
	}
	fmt.Fprintf(out, "%d 份办件的结果均与预期一致\n", len(scenes))
	return nil
}

// notes returns what tells a person at a terminal what is being done, in one line that the next one replaces; an empty
// text clears it. It says nothing where there is no terminal.
func notes(progress io.Writer) func(text string) {
	file, ok := progress.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func(string) {}
	}
	return func(text string) { fmt.Fprintf(file, "\r\033[K%s", text) }
}

// stage is where the demonstration plays: a server in a temporary folder, its clock, and the addresses at which people
// sign in and call.
type stage struct {
	folder      string
	clock       *follow.Clock
	server      *server
	api, issuer string
}

// openStage starts a server on free ports. Its clock begins on Monday, 16 March 2026, at nine.
func openStage(ctx context.Context, pluginFolder string, progress io.Writer) (*stage, error) {
	folder, err := os.MkdirTemp("", "onething-demo-")
	if err != nil {
		return nil, err
	}
	st := &stage{folder: folder, clock: officeClock("2026-03-16")}
	if err := st.open(ctx, pluginFolder, progress); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return st, nil
}

func (st *stage) open(ctx context.Context, pluginFolder string, progress io.Writer) error {
	bundles, err := readBundles("")
	if err != nil {
		return err
	}
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, api.Close())
	}
	st.server, err = openServer(ctx, serverConfig{
		data: store.Folder(filepath.Join(st.folder, "data")), development: true, clock: st.clock, place: "321323", bundles: bundles, plugins: pluginFolder,
		issuerListener: issuer, logger: slog.New(slog.NewTextHandler(progress, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return errors.Join(err, api.Close())
	}
	st.server.listenAPI(api)
	st.api, st.issuer = "http://"+api.Addr().String(), st.server.issuerURL
	return nil
}

func (st *stage) close() error {
	var err error
	if st.server != nil {
		err = st.server.close()
	}
	return errors.Join(err, os.RemoveAll(st.folder))
}

// run plays a scene, and returns the application as it is then.
func (st *stage) run(ctx context.Context, s scene) (*apiv1.Application, error) {
	ctx, cancel := context.WithTimeout(ctx, sceneTimeout)
	defer cancel()
	filing, err := s.play(ctx, st)
	if err != nil {
		return nil, err
	}
	return filing.Application(ctx)
}

// outcome is what an application has come to, line by line: its state, each case with its outcome and its reasons, and
// each task with its result.
func outcome(a *apiv1.Application) []string {
	lines := []string{"application " + a.GetState()}
	for _, c := range a.GetCases() {
		line := c.GetBundle() + " " + c.GetState()
		if c.GetOutcome() != "" {
			line += " " + c.GetOutcome()
		}
		lines = append(lines, line+codes(c.GetFindings()))
		for _, task := range c.GetTasks() {
			var line strings.Builder
			line.WriteString(c.GetBundle() + "." + task.GetStep() + " " + task.GetState())
			for _, field := range slices.Sorted(keys(task.GetResult())) {
				line.WriteString(" " + field + "=" + text(task.GetResult()[field]))
			}
			lines = append(lines, line.String()+codes(task.GetFindings()))
		}
	}
	return lines
}

// codes are the codes of findings that are more than notes.
func codes(findings []*apiv1.Finding) string {
	var line strings.Builder
	for _, f := range findings {
		if f.GetSeverity() != "NOTE" && f.GetCode() != "" {
			line.WriteString(" !" + f.GetCode())
		}
	}
	return line.String()
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// text is a value of a result as it is printed.
func text(v *structpb.Value) string {
	if v == nil || v.AsInterface() == nil {
		return ""
	}
	return fmt.Sprint(v.AsInterface())
}

// differences returns what differs, line by line; empty if nothing does.
func differences(want, got []string) string {
	var b strings.Builder
	for _, line := range want {
		if !slices.Contains(got, line) {
			fmt.Fprintf(&b, "  应有  %s\n", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			fmt.Fprintf(&b, "  实有  %s\n", line)
		}
	}
	return b.String()
}

// printApplication prints an application as its applicant reads it.
func printApplication(out io.Writer, title string, a *apiv1.Application) {
	fmt.Fprintf(out, "%s  办件 %s\n", title, a.GetNumber())
	for _, entry := range a.GetTimeline() {
		fmt.Fprintf(out, "  %s  %s\n", entry.GetAt().AsTime().In(officeZone()).Format("01-02 15:04"), entry.GetText().GetZh())
	}
	for _, c := range a.GetCases() {
		fmt.Fprintf(out, "  %s：%s\n", c.GetName().GetZh(), stateText(c))
		for _, task := range c.GetTasks() {
			var line strings.Builder
			for _, field := range slices.Sorted(keys(task.GetResult())) {
				if value := text(task.GetResult()[field]); value != "" {
					line.WriteString("  " + field + " " + value)
				}
			}
			fmt.Fprintf(out, "    %s（%s）%s%s\n", task.GetName().GetZh(), task.GetDepartment().GetName().GetZh(), taskText(task.GetState()), line.String())
			for _, f := range task.GetFindings() {
				fmt.Fprintf(out, "      %s\n", f.GetText().GetZh())
			}
		}
		for _, f := range c.GetFindings() {
			fmt.Fprintf(out, "    %s\n", f.GetText().GetZh())
		}
	}
}

func stateText(c *apiv1.Case) string {
	texts := map[string]string{
		"PRE_REVIEW": "预审中", "TO_BE_CORRECTED": "待补正", "ACCEPTED": "办理中", "NOT_ACCEPTED": "不予受理", "ELSEWHERE": "不属于本机关职权",
		"WITHDRAWN": "已撤回", "COMPLETED": "办结", "ENDED": "终止",
		"GRANTED": "（全部办成）", "PARTLY_GRANTED": "（部分办成）", "REJECTED": "（未予批准）", "EXPIRED": "（逾期）",
	}
	outcome := ""
	if c.GetState() == "COMPLETED" {
		outcome = texts[c.GetOutcome()]
	}
	return texts[c.GetState()] + outcome
}

func taskText(state string) string {
	texts := map[string]string{
		"OPEN": "待办", "WAITING": "等待材料", "PAUSED": "中止", "DECIDED": "已决定，待出证", "APPROVED": "已办结", "REJECTED": "不予办理", "SKIPPED": "不需要", "ENDED": "终止",
	}
	return texts[state]
}
