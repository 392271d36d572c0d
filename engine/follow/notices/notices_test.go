package notices_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// line is what the test compares of a message.
type line struct{ Kind, To, Department, Subject, Text string }

func lineOf(m notices.Message) line {
	return line{m.Kind, string(m.To), m.Department, m.Subject, m.Text}
}

func opened(task string, change func(*applicationv1.TaskOpened)) *applicationv1.Event {
	e := &applicationv1.TaskOpened{Task: task, Bundle: "well", Step: "permit", Department: "water", Due: due("2026-03-09"), Opened: "2026-03-02"}
	if change != nil {
		change(e)
	}
	return &applicationv1.Event{Kind: &applicationv1.Event_TaskOpened{TaskOpened: e}}
}

func warned(w *applicationv1.Warned) *applicationv1.Event {
	w.Bundle, w.Date = "well", "2026-03-06"
	return &applicationv1.Event{Kind: &applicationv1.Event_Warned{Warned: w}}
}

// Who is told what, by the default templates.
func TestNotices_WhoIsToldWhat(t *testing.T) {
	t.Parallel()
	promise := func(holds bool, tasks ...string) *applicationv1.Event {
		return &applicationv1.Event{Kind: &applicationv1.Event_PromiseVerified{PromiseVerified: &applicationv1.PromiseVerified{Bundle: "well", Material: "drawing", Holds: holds, Tasks: tasks}}}
	}
	verification := &applicationv1.Event{Kind: &applicationv1.Event_VerificationOpened{VerificationOpened: &applicationv1.VerificationOpened{Bundle: "well", Material: "drawing", Department: "office", Due: due("2026-03-20"), IfFalse: "REVOKE"}}}
	tests := []struct {
		name   string
		before []*applicationv1.Event // after submission and acceptance
		events []*applicationv1.Event
		want   []line
	}{
		{"accepted, and the first task is open", nil, nil, []line{
			{"accepted", "applicant", "", "“打井”已受理", "您申请的“打井”（编号 C100）已于2026年3月2日受理，承诺办结日期：2026年3月16日。"}}},
		{"not accepted", nil, []*applicationv1.Event{{Kind: &applicationv1.Event_NotAccepted{NotAccepted: &applicationv1.NotAccepted{Bundle: "well", Elsewhere: true}}}}, []line{
			{"not_accepted", "applicant", "", "“打井”不属于本窗口受理范围", "您申请的“打井”（编号 C100）不属于本窗口受理范围。理由和救济途径请登录查看。"}}},
		{"correction of the application", nil, []*applicationv1.Event{{Kind: &applicationv1.Event_CorrectionNotified{CorrectionNotified: &applicationv1.CorrectionNotified{Number: "N1", Bundles: []string{"well"}, Due: due("2026-04-01")}}}}, []line{
			{"correction", "applicant", "", "“打井”需要补正", "您申请的“打井”（编号 A100）需要补正，补正告知书编号 N1。请在2026年4月1日前登录查看并补正。"}}},
		{"task for officers", nil, []*applicationv1.Event{opened("T1", nil)}, []line{
			{"task_opened", "officer", "water", "待办理：“取水许可” T1", "“打井”的“取水许可”（任务 T1）待办理，期限：2026年3月9日。"}}},
		{"task of a plugin", nil, []*applicationv1.Event{opened("T1", func(o *applicationv1.TaskOpened) { o.Plugin, o.Hooks = "water/permit", []string{"decide"} })}, nil},
		{"task of a plugin that could not say", []*applicationv1.Event{opened("T1", func(o *applicationv1.TaskOpened) { o.Plugin, o.Hooks = "water/permit", []string{"decide"} })},
			[]*applicationv1.Event{{Kind: &applicationv1.Event_PluginFailed{PluginFailed: &applicationv1.PluginFailed{Task: "T1", Hook: "decide", GaveUp: true}}}}, []line{
				{"task_opened", "officer", "water", "待办理：“取水许可” T1", "“打井”的“取水许可”（任务 T1）待办理，期限：2026年3月9日。"}}},
		{"task that was decided at once", nil, []*applicationv1.Event{opened("T1", nil),
			{Kind: &applicationv1.Event_TaskDecided{TaskDecided: &applicationv1.TaskDecided{Task: "T1", Outcome: "APPROVED"}}}}, nil},
		{"task to revoke", []*applicationv1.Event{opened("T1", nil), verification}, []*applicationv1.Event{opened("T2", func(o *applicationv1.TaskOpened) { o.Purpose, o.Promise, o.About = "REVOKE", "drawing", "T1" })}, []line{
			{"task_opened", "officer", "water", "待办理：“取水许可” T2", "“打井”的“取水许可”（任务 T2）因告知承诺不实，待撤销，期限：2026年3月9日。"}}},
		{"special procedure begins", []*applicationv1.Event{opened("T1", nil)}, []*applicationv1.Event{{Kind: &applicationv1.Event_TaskPaused{TaskPaused: &applicationv1.TaskPaused{Task: "T1", Procedure: "EXPERT_REVIEW", From: "2026-03-03", Days: 10, Notice: "N2"}}}}, []line{
			{"paused", "applicant", "", "“打井”进入特别程序", "您申请的“打井”（编号 C100）中，水利局办理的“取水许可”自2026年3月3日起进行专家评审，预计 10 日，所需时间不计入办理期限。告知书编号 N2。"}}},
		{"special procedure ends, the date is not known", []*applicationv1.Event{opened("T1", nil)}, []*applicationv1.Event{{Kind: &applicationv1.Event_TaskResumed{TaskResumed: &applicationv1.TaskResumed{Task: "T1", To: "2026-03-05", Due: &applicationv1.Due{Earliest: "2027-01-04"}}}}}, []line{
			{"resumed", "applicant", "", "“打井”继续办理", "您申请的“打井”（编号 C100）中，水利局办理的“取水许可”的特别程序已于2026年3月5日结束，继续办理，承诺办结日期：——。"}}},
		{"limit of the case extended", nil, []*applicationv1.Event{{Kind: &applicationv1.Event_Extended{Extended: &applicationv1.Extended{Bundle: "well", Days: 15, Due: due("2026-04-07"), Notice: "N3"}}}}, []line{
			{"extended", "applicant", "", "“打井”期限延长", "您申请的“打井”（编号 C100）中，“打井”的期限已延长 15 个工作日，至2026年4月7日。告知书编号 N3，理由请登录查看。"}}},
		{"time for a material extended", nil, []*applicationv1.Event{{Kind: &applicationv1.Event_Extended{Extended: &applicationv1.Extended{Bundle: "well", Days: 5, Due: due("2026-04-07"), Notice: "N3", Material: "drawing"}}}}, []line{
			{"extended", "applicant", "", "“打井”期限延长", "您申请的“打井”（编号 C100）中，“图纸”的期限已延长 5 个工作日，至2026年4月7日。告知书编号 N3，理由请登录查看。"}}},
		{"applicant reminded, without the name in the material's", nil, []*applicationv1.Event{warned(&applicationv1.Warned{Clock: "TOLERANCE", Colour: "YELLOW", Material: "paper[0]"})}, []line{
			{"reminder", "applicant", "", "“打井”：容缺补交期限将至", "您申请的“打井”（编号 C100）中，“——的证件”请在2026年3月6日前补交。"}}},
		{"office warned", nil, []*applicationv1.Event{warned(&applicationv1.Warned{Clock: "STATUTORY", Colour: "RED"})}, []line{
			{"warning", "clerk", "", "红色预警：C100", "“打井”（编号 C100）的法定时限已经超期，期限为2026年3月6日。"}}},
		{"department warned", []*applicationv1.Event{opened("T1", nil)}, []*applicationv1.Event{warned(&applicationv1.Warned{Clock: "PROMISED", Colour: "YELLOW", Task: "T1"})}, []line{
			{"warning", "officer", "water", "黄色预警：T1", "“打井”（编号 C100）中，“取水许可”的承诺时限即将到期，期限为2026年3月6日。"}}},
		{"who verifies is warned", []*applicationv1.Event{verification}, []*applicationv1.Event{warned(&applicationv1.Warned{Clock: "VERIFICATION", Colour: "RED", Material: "drawing"})}, []line{
			{"warning", "officer", "office", "红色预警：C100", "“打井”（编号 C100）中，“图纸”的承诺核查已经超期，期限为2026年3月6日。"}}},
		{"tolerance over", nil, []*applicationv1.Event{{Kind: &applicationv1.Event_ToleranceLapsed{ToleranceLapsed: &applicationv1.ToleranceLapsed{Bundle: "well", Material: "drawing", Then: "SUSPEND", Until: due("2026-04-07")}}}}, []line{
			{"tolerance_lapsed", "applicant", "", "“打井”：容缺材料逾期未补交", "您申请的“打井”（编号 C100）的“图纸”已过补交期限：办理暂停。"}}},
		{"promise false", []*applicationv1.Event{opened("T1", nil), verification}, []*applicationv1.Event{promise(false, "T1")}, []line{
			{"promise_false", "applicant", "", "“打井”：告知承诺经核查不实", "您申请的“打井”（编号 C100）中，以告知承诺代替的“图纸”经核查与承诺不符。处理情况和救济途径请登录查看。"},
			{"promise_false", "officer", "water", "告知承诺不实：T1", "“打井”的“取水许可”（任务 T1）所依据的告知承诺经核查不实，涉及“图纸”，请办理时注意。"}}},
		{"promise holds", []*applicationv1.Event{verification}, []*applicationv1.Event{promise(true)}, nil},
		{"result, and the end of the case", []*applicationv1.Event{opened("T1", nil)}, []*applicationv1.Event{
			{Kind: &applicationv1.Event_TaskDecided{TaskDecided: &applicationv1.TaskDecided{Task: "T1", Outcome: "APPROVED"}}},
			{Kind: &applicationv1.Event_ResultIssued{ResultIssued: &applicationv1.ResultIssued{Task: "T1"}}},
			{Kind: &applicationv1.Event_CaseEnded{CaseEnded: &applicationv1.CaseEnded{Bundle: "well", Outcome: applicationv1.CaseEnded_OUTCOME_GRANTED}}}}, []line{
			{"case_ended", "applicant", "", "“打井”办理结束", "您申请的“打井”（编号 C100）办理结束：全部办结。详情请登录查看。"},
			{"result_issued", "applicant", "", "“打井”：“取水许可”已办结", "您申请的“打井”（编号 C100）中，水利局办理的“取水许可”已出具结果，请登录查看或下载。"}}},
		{"result revoked", []*applicationv1.Event{opened("T1", nil)}, []*applicationv1.Event{{Kind: &applicationv1.Event_ResultRevoked{ResultRevoked: &applicationv1.ResultRevoked{Task: "T1"}}}}, []line{
			{"revoked", "applicant", "", "“打井”：“取水许可”的结果已撤销", "您申请的“打井”（编号 C100）中，水利局出具的“取水许可”的结果已撤销。理由和救济途径请登录查看。"}}},
		{"what nobody is told of", []*applicationv1.Event{opened("T1", nil)}, []*applicationv1.Event{{Kind: &applicationv1.Event_TaskClaimed{TaskClaimed: &applicationv1.TaskClaimed{Task: "T1"}}}}, nil},
	}
	r := &recorder{}
	o := newOffice(t, everybody("test"), map[string]notices.Sender{"test": r})
	application := func(i int) string { return fmt.Sprintf("0190a1c2-0000-4000-8000-%012d", i) }
	for i, tt := range tests {
		if tt.events == nil {
			tests[i].events = []*applicationv1.Event{accepted()}
			o.commitTo(application(i), o.submitted())
		} else {
			o.commitTo(application(i), slices.Concat([]*applicationv1.Event{o.submitted(), accepted()}, tt.before)...)
		}
	}
	o.clock.Advance(time.Hour) // what lies before the list is told to nobody
	o.run()
	for i, tt := range tests {
		told := len(r.all())
		position := o.commitTo(application(i), tt.events...)
		if len(tt.want) == 0 {
			o.quiet(position)
		}
		for range tt.want {
			if err := o.attempt(); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		var got []line
		for _, m := range r.all()[told:] {
			got = append(got, lineOf(m))
		}
		slices.SortFunc(got, func(a, b line) int { return strings.Compare(a.Kind+a.To, b.Kind+b.To) })
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: told (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Clerks are told of a case once, when it is theirs, and again when a correction makes it theirs anew.
func TestNotices_CasesThatWait(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	o := newOffice(t, everybody("test"), map[string]notices.Sender{"test": r})
	o.run()
	submitted := o.submitted()
	submitted.GetSubmitted().Cases[0].Checks = []string{"permit"}
	o.quiet(o.commit(submitted))
	o.commit(&applicationv1.Event{Kind: &applicationv1.Event_Checked{Checked: &applicationv1.Checked{Bundle: "well", Step: "permit", Revision: 1, Attempt: 1}}})
	if err := o.attempt(); err != nil {
		t.Fatal(err)
	}
	want := []line{{"case_waiting", "clerk", "", "待预审：C100", "“打井”（编号 C100）待预审，须在2026年3月9日前答复。"}}
	if diff := cmp.Diff(want, []line{lineOf(r.all()[0])}); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	corrected := &applicationv1.Event{Kind: &applicationv1.Event_Corrected{Corrected: &applicationv1.Corrected{Revision: 2, Cases: o.submitted().GetSubmitted().GetCases(), NoticeDue: due("2026-03-10")}}}
	o.commit(corrected)
	if err := o.attempt(); err != nil || len(r.all()) != 2 {
		t.Fatal(err, r.all())
	}
	// One that the engine accepts in the same commit was never theirs.
	o.quiet(o.commit(&applicationv1.Event{Kind: &applicationv1.Event_TaskClaimed{TaskClaimed: &applicationv1.TaskClaimed{Task: "T0"}}}))
}

// What was sent, what it said and to whom, is nowhere but with the receiver; a template that names name and telephone gets
// them, another does not.
func TestNotices_NothingPersonalBeyondTheTemplate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		templates string
		text      string
	}{
		"named":     {"notices:\n  - { notice: accepted, to: applicant, subject: '{this.name}', text: '{this.name}（{this.phone}）' }\n", applicantName + "（" + applicantPhone + "）"},
		"not named": {"notices:\n  - { notice: accepted, to: applicant, subject: 受理, text: '{this.number}' }\n", "C100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{fail: func(attempt int) error {
				if attempt == 1 {
					return errors.New("550 " + applicantPhone + " " + applicantName + " is not known here") // as receivers write
				}
				return nil
			}}
			o := newOffice(t, applicants("test"), map[string]notices.Sender{"test": r})
			templates, found := notices.LoadTemplates("own.yaml", []byte(tt.templates))
			if found != nil {
				t.Fatal(found)
			}
			o.config.Templates = templates
			o.run()
			o.commit(o.submitted(), accepted())
			if err := o.attempt(); err == nil || strings.Contains(err.Error(), applicantPhone) {
				t.Errorf("first attempt: %v", err)
			}
			o.clock.Advance(5 * time.Second)
			if err := o.attempt(); err != nil {
				t.Fatal(err)
			}
			sent := r.all()
			if sent[1].Text != tt.text || sent[1].Phone != applicantPhone || sent[1].ID != sent[0].ID {
				t.Errorf("sent %+v", sent)
			}
			listed := jsonOf(t, o.listed())
			o.stop()
			stored := ""
			err := filepath.WalkDir(o.dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := os.ReadFile(path)
				stored += string(b)
				return err
			})
			if err != nil || !strings.Contains(stored, sent[0].ID) {
				t.Fatalf("the folder of the lists holds no notice: %v", err)
			}
			for _, secret := range []string{applicantName, applicantPhone, applicantMail} {
				for where, text := range map[string]string{"on the list": listed, "on disk": stored, "in the log": o.logs.String()} {
					if strings.Contains(text, secret) {
						t.Errorf("%s stands %s", secret, where)
					}
				}
			}
		})
	}
}

// A notice that is not taken is tried at growing intervals, then fails where an operator sees it, and is sent when the
// operator repeats it: under one id all the time.
func TestNotices_FailsAndIsRepeated(t *testing.T) {
	t.Parallel()
	down := true
	r := &recorder{}
	r.fail = func(int) error {
		if down {
			return &notices.Failure{Code: "http 503"}
		}
		return nil
	}
	o := newOffice(t, applicants("test"), map[string]notices.Sender{"test": r})
	o.run()
	o.commit(o.submitted(), accepted())
	waits := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	for i, wait := range waits {
		err := o.attempt()
		later, ok := errors.AsType[*follow.Later](err)
		if want := o.clock.Now().Add(wait); !ok || !later.At.Equal(want) {
			t.Fatalf("after attempt %d: %v, want another at %s", i+1, err, want)
		}
		n := o.listed()[0]
		if n.State != notices.Pending || n.Attempts != i+1 || !n.Next.Equal(later.At) || n.Failure != "http 503" {
			t.Errorf("after attempt %d the list says %+v", i+1, n)
		}
		o.clock.Advance(wait)
	}
	if err := o.attempt(); err != nil {
		t.Errorf("the last attempt: %v", err)
	}
	n := o.listed()[0]
	if n.State != notices.Failed || n.Attempts != len(waits)+1 || !strings.Contains(o.logs.String(), "notice failed") {
		t.Errorf("in the end the list says %+v", n)
	}
	if parked, err := o.desk.Follower.Parked(); err != nil || len(parked) > 0 {
		t.Errorf("parked %v, %v: other notices of the application wait", parked, err)
	}
	// The operator repeats it too early: it is tried, and goes on from the first interval.
	if n, err := o.desk.Repeat(t.Context(), n.ID, "operator-1"); err != nil || n.State != notices.Pending || n.RepeatedBy != "operator-1" {
		t.Fatalf("repeated: %+v, %v", n, err)
	}
	if later, ok := errors.AsType[*follow.Later](o.attempt()); !ok || later.At.Sub(o.clock.Now()) != waits[0] {
		t.Errorf("after the repeat: %v", later)
	}
	down = false
	if _, err := o.desk.Repeat(t.Context(), n.ID, "operator-2"); err != nil { // while it waits
		t.Fatal(err)
	}
	if err := o.attempt(); err != nil {
		t.Error(err)
	}
	if n := o.listed()[0]; n.State != notices.Sent || n.Failure != "" || !n.Next.IsZero() {
		t.Errorf("the list says %+v", n)
	}
	for _, m := range r.all() {
		if m.ID != n.ID {
			t.Errorf("sent under the id %s, then %s", n.ID, m.ID)
		}
	}
	if _, err := o.desk.Repeat(t.Context(), n.ID, "operator-1"); !errors.Is(err, notices.ErrSent) {
		t.Errorf("repeated though it was sent: %v", err)
	}
	if _, err := o.desk.Repeat(t.Context(), "none", "operator-1"); !errors.Is(err, notices.ErrNotFound) {
		t.Errorf("repeated though there is none: %v", err)
	}
}

// What a receiver refuses for good is not tried again, and one that asks for time gets it.
func TestNotices_Failures(t *testing.T) {
	t.Parallel()
	r := &recorder{fail: func(attempt int) error {
		if attempt == 1 {
			return &notices.Failure{Code: "http 429", After: time.Hour}
		}
		return &notices.Failure{Code: "http 410", Permanent: true}
	}}
	o := newOffice(t, applicants("test"), map[string]notices.Sender{"test": r})
	o.run()
	o.commit(o.submitted(), accepted())
	if later, ok := errors.AsType[*follow.Later](o.attempt()); !ok || later.At.Sub(o.clock.Now()) != time.Hour {
		t.Errorf("left alone until %v", later)
	}
	o.clock.Advance(time.Hour)
	if err := o.attempt(); err != nil {
		t.Error(err)
	}
	if n := o.listed()[0]; n.State != notices.Failed || n.Attempts != 2 || n.Failure != "http 410" {
		t.Errorf("the list says %+v", n)
	}
}

// What was sent when the power went out, before anybody wrote down that it was, is sent again under the same id.
func TestNotices_RestartInTheMiddle(t *testing.T) {
	t.Parallel()
	taken := make(chan string, 10)
	hang := &hanging{taken: taken}
	o := newOffice(t, applicants("test"), map[string]notices.Sender{"test": hang})
	o.run()
	o.commit(o.submitted(), accepted())
	first := <-taken
	copied := t.TempDir() // the work, not done yet
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(o.dir, "work"))); err != nil {
		t.Fatal(err)
	}
	o.stop() // while the sender has not come back
	if err := o.attempt(); !errors.Is(err, context.Canceled) {
		t.Errorf("the attempt ended with %v", err)
	}
	r := &recorder{}
	o.config.Senders = map[string]notices.Sender{"test": r}
	o.run()
	if err := o.attempt(); err != nil {
		t.Fatal(err)
	}
	if sent := r.all(); len(sent) != 1 || sent[0].ID != first {
		t.Errorf("sent under the id %s, and after the restart %+v", first, sent)
	}
	if n := o.listed()[0]; n.State != notices.Sent || n.Attempts != 1 {
		t.Errorf("the list says %+v", n)
	}
	// The power goes out when it is written down, before its work has left the other list: it is not sent again.
	o.stop()
	if err := errors.Join(os.RemoveAll(filepath.Join(o.dir, "work")), os.Rename(copied, filepath.Join(o.dir, "work"))); err != nil {
		t.Fatal(err)
	}
	o.run()
	o.clock.Advance(5 * time.Second) // an attempt that was begun is not the first thing that is done
	if err := o.attempt(); err != nil || len(r.all()) != 1 {
		t.Errorf("%v, sent %+v", err, r.all())
	}
}

// hanging takes a message and does not come back.
type hanging struct{ taken chan string }

func (h *hanging) Send(ctx context.Context, m notices.Message) error {
	h.taken <- m.ID
	<-ctx.Done()
	return ctx.Err()
}

// A list that is begun on an old store tells nobody of what has happened before, and a log that is read again from its
// beginning tells nobody twice.
func TestNotices_NothingTwiceAndNothingOld(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	o := newOffice(t, applicants("test"), map[string]notices.Sender{"test": r})
	old := o.commit(o.submitted(), accepted())
	o.clock.Advance(time.Minute)
	o.run()
	o.quiet(old)
	position := o.commit(&applicationv1.Event{Kind: &applicationv1.Event_CaseEnded{CaseEnded: &applicationv1.CaseEnded{Bundle: "well", Outcome: applicationv1.CaseEnded_OUTCOME_REJECTED}}})
	if err := o.attempt(); err != nil {
		t.Fatal(err)
	}
	o.stop()
	if err := os.RemoveAll(filepath.Join(o.dir, "work")); err != nil { // as after a restore
		t.Fatal(err)
	}
	o.run()
	o.quiet(position)
	if got := r.all(); len(got) != 1 || got[0].Kind != "case_ended" {
		t.Errorf("told %+v", got)
	}
}

// Those who apply together are told each; an applicant whose record says no address is told without one; of an application
// whose key was destroyed nobody is told anything.
func TestNotices_Applicants(t *testing.T) {
	t.Parallel()
	type to struct {
		Alias, Phone string
		Mail         []string
	}
	tests := []struct {
		name      string
		record    map[string]string
		confirmed []*applicationv1.Confirmation
		forgotten bool
		want      []to
	}{
		{"the first of them", map[string]string{"form.me.phone": "13812345601", "form.you.phone": "13812345602"}, nil, false, []to{{"", "13812345601", nil}}},
		{"the one who has an address", map[string]string{"form.me.name": "甲", "form.you.email": "you@example.org"}, nil, false, []to{{"", "", []string{"you@example.org"}}}},
		{"nobody has", map[string]string{"form.me.name": "甲"}, nil, false, []to{{"", "", nil}}},
		{"together", map[string]string{"form.me.phone": "13812345601", "form.you.phone": "13812345602"}, []*applicationv1.Confirmation{{Alias: "me"}, {Alias: "you"}}, false,
			[]to{{"me", "13812345601", nil}, {"you", "13812345602", nil}}},
		{"forgotten", map[string]string{"form.me.phone": "13812345601"}, nil, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			o := newOffice(t, applicants("test"), map[string]notices.Sender{"test": r})
			o.answer(tt.record)
			o.forgotten = tt.forgotten
			o.run()
			submitted := o.submitted()
			submitted.GetSubmitted().Confirmations = tt.confirmed
			o.commit(submitted, accepted())
			for range max(len(tt.want), 1) {
				if err := o.attempt(); err != nil {
					t.Fatal(err)
				}
			}
			var got []to
			for _, m := range r.all() {
				got = append(got, to{m.Alias, m.Phone, m.Mail})
			}
			slices.SortFunc(got, func(a, b to) int { return strings.Compare(a.Alias, b.Alias) })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if list := o.listed(); tt.forgotten && len(list) > 0 {
				t.Errorf("the list says %+v", list)
			}
		})
	}
}
