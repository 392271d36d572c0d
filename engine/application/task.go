package application

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// claimFor is how long a claim holds if nothing else is asked.
const claimFor = 30 * time.Minute

// task returns a task that is the actor's to see: a department's people and systems see their own only.
func (d *decision) task(number string) (*Task, error) {
	if t := d.s.Task(number); t != nil && d.concerns(t.Department) {
		return t, nil
	}
	return nil, refusal.New(refusal.NotFound, "没有这项任务", "there is no such task")
}

// openTask is a task that is open, and not another officer's.
func (d *decision) openTask(number string) (*Task, error) {
	t, err := d.task(number)
	switch {
	case err != nil:
		return nil, err
	case t.State != TaskOpen:
		return nil, wrongTaskState(t)
	case t.Purpose != "":
		return nil, refusal.New(refusal.WrongState, "后续处理任务不适用此操作", "this is not done to a follow-up")
	}
	return t, d.mine(t)
}

func (d *decision) concerns(department string) bool {
	switch d.w.Actor.GetRole() {
	case applicationv1.Role_ROLE_OFFICER, applicationv1.Role_ROLE_DEPARTMENT_SYSTEM:
		return d.w.Actor.GetDepartment() == department
	default:
		return true
	}
}

// mine refuses what somebody else has claimed.
func (d *decision) mine(t *Task) error {
	if t.Claim != nil && t.Claim.By != d.w.Actor.GetId() {
		return refusal.New(refusal.Claimed, "该任务正由他人办理", "somebody else has claimed the task")
	}
	return nil
}

func wrongTaskState(t *Task) error {
	switch t.State {
	case TaskWaiting:
		if len(t.WaitsExamination) == 0 {
			return refusal.New(refusal.WrongState, "正在等待申请人补正", "the task waits for the applicant's correction")
		}
		return refusal.New(refusal.WrongState, "等待补交材料："+strings.Join(t.WaitsExamination, "、"), "the task waits for materials: "+strings.Join(t.WaitsExamination, ", "))
	case TaskPaused:
		return refusal.New(refusal.WrongState, "特别程序进行中", "a special procedure is under way")
	case TaskRevoked:
		return refusal.New(refusal.WrongState, "该任务的结果已被撤销", "the result of the task was revoked")
	case TaskDecided, TaskApproved, TaskRejected:
		return refusal.New(refusal.WrongState, "该任务已经作出决定", "the task is decided already")
	case TaskEnded:
		return refusal.New(refusal.WrongState, "该任务所属事项已经结束", "the case of the task is over")
	case TaskOpen:
	}
	return refusal.New(refusal.WrongState, "该任务正在办理中", "the task is under way")
}

func (d *decision) claim(cmd ClaimTask) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if t.State.Settled() {
		return wrongTaskState(t)
	}
	if err := d.mine(t); err != nil {
		return err
	}
	lease := cmd.For
	if lease <= 0 {
		lease = claimFor
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_TaskClaimed{TaskClaimed: &applicationv1.TaskClaimed{Task: t.Number, Until: timestamppb.New(d.w.Now.Add(lease))}}})
	return nil
}

func (s *State) taskClaimed(e *applicationv1.TaskClaimed, by string) {
	s.touchTask(e.GetTask()).Claim = &Claim{By: by, Until: e.GetUntil().AsTime()}
}

func (d *decision) release(cmd ReleaseTask) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if t.Claim == nil {
		return refusal.New(refusal.WrongState, "该任务没有被领取", "nobody has claimed the task")
	}
	if err := d.mine(t); err != nil {
		return err
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_TaskReleased{TaskReleased: &applicationv1.TaskReleased{Task: t.Number}}})
	return nil
}

func (s *State) taskReleased(e *applicationv1.TaskReleased) { s.touchTask(e.GetTask()).Claim = nil }

// lapseClaim gives back what was claimed until now.
func (d *decision) lapseClaim(t *Task) error {
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_TaskReleased{TaskReleased: &applicationv1.TaskReleased{Task: t.Number}}})
	return nil
}

// decideTask is the decision of a person, or of a department's own system. Where a plugin could not make the document of
// an approved result, or silence approved what still lacks values, the same command lets the result out.
func (d *decision) decideTask(cmd DecideTask) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if t.Purpose != "" {
		return d.decideFollowUp(t, cmd)
	}
	byPerson := slices.Contains(t.GaveUp, HookIssue) || !slices.Contains(t.Hooks, HookIssue)
	issue := t.State == TaskDecided && cmd.Approve && len(t.WaitsResult) == 0 && byPerson
	if t.State != TaskOpen && !issue {
		return wrongTaskState(t)
	}
	if err := d.mine(t); err != nil {
		return err
	}
	if !cmd.Approve && cmd.Reason == "" {
		return refusal.New(refusal.Invalid, "不予批准须说明理由", "a rejection needs a reason")
	}
	personal := &applicationv1.Personal{Reason: cmd.Reason}
	if cmd.Document != nil {
		personal.Files = []*applicationv1.MaterialFile{cmd.Document}
	}
	if cmd.Approve {
		if personal.Result, err = d.takeResult(t, cmd.Result); err != nil {
			return err
		}
	}
	if issue {
		d.by(&applicationv1.Event{Kind: &applicationv1.Event_ResultIssued{ResultIssued: d.issued(t, "")}, Personal: personal})
		return d.proceed(t.Bundle)
	}
	e := &applicationv1.TaskDecided{Task: t.Number, Outcome: Rejected, Revision: int32(d.s.Revision)}
	if cmd.Approve {
		e.Outcome = Approved
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_TaskDecided{TaskDecided: e}, Personal: personal})
	return d.proceed(t.Bundle)
}

// reasonSilence is the code of an approval that the law makes of silence.
const reasonSilence = "silence"

// lapseTask approves a task whose statutory date has passed without a decision, where the law says so. Values of the
// result that have to be given are its department's to add.
func (d *decision) lapseTask(t *Task) error {
	d.follows(&applicationv1.Event{Kind: &applicationv1.Event_TaskDecided{TaskDecided: &applicationv1.TaskDecided{Task: t.Number, Outcome: Approved,
		Revision: int32(d.s.Revision), Reasons: []string{reasonSilence}}}})
	return d.proceed(t.Bundle)
}

// recordDecision is the answer of a plugin. One that saw an old revision of the record is dropped, and asked again.
func (d *decision) recordDecision(cmd RecordDecision) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if hook, attempt := t.Hook(); hook != HookDecide || attempt != cmd.Attempt || cmd.Revision != d.s.Revision {
		return stale("部门系统的答复已过时", "this answer is not awaited: it is to an old revision or attempt")
	}
	e := &applicationv1.TaskDecided{Task: t.Number, Outcome: cmd.Outcome, Plugin: cmd.Plugin, Attempt: cmd.Attempt, Revision: int32(cmd.Revision)}
	for _, f := range cmd.Findings {
		e.Reasons = append(e.Reasons, f.GetCode())
	}
	personal := cmd.Trace.in(&applicationv1.Personal{Findings: cmd.Findings})
	switch {
	case cmd.Outcome == Approved:
		if personal.Result, err = d.takeResult(t, cmd.Result); err != nil {
			return err
		}
	case cmd.Outcome == Rejected && len(cmd.Findings) > 0, cmd.Outcome == Undetermined:
	default:
		return refusal.New(refusal.Invalid, "部门系统的答复不完整", "a plugin approves with a result, rejects with findings, or leaves it undetermined")
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_TaskDecided{TaskDecided: e}, Personal: personal})
	return d.proceed(t.Bundle)
}

func (s *State) taskDecided(e *applicationv1.TaskDecided, by *applicationv1.Actor) {
	t := s.touchTask(e.GetTask())
	t.Outcome, t.Revision, t.Reasons, t.DecidedBy = e.GetOutcome(), int(e.GetRevision()), e.GetReasons(), by
	if e.GetPlugin() != "" {
		t.attempted(HookDecide, e.GetAttempt())
	}
	switch t.Outcome {
	case Approved:
		t.State, t.Claim = TaskDecided, nil
		if t.Purpose == IfFalseCorrect {
			t.State = TaskApproved // there is no result to issue
		}
	case Rejected:
		t.State, t.Claim = TaskRejected, nil
	}
}

func (t *Task) attempted(hook string, attempt int32) {
	if t.Attempts == nil {
		t.Attempts = map[string]int32{}
	}
	t.Attempts[hook] = attempt
}

// recordIssue is the document that a plugin has made, and what is known only once it is issued.
func (d *decision) recordIssue(cmd RecordIssue) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if hook, attempt := t.Hook(); hook != HookIssue || attempt != cmd.Attempt {
		return stale("部门系统的答复已过时", "this answer is not awaited: it is to an old attempt")
	}
	personal := cmd.Trace.in(&applicationv1.Personal{})
	if cmd.Document != nil {
		personal.Files = []*applicationv1.MaterialFile{cmd.Document}
	}
	if personal.Result, err = d.takeResult(t, cmd.Result); err != nil {
		return err
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_ResultIssued{ResultIssued: d.issued(t, cmd.Plugin)}, Personal: personal})
	return d.proceed(t.Bundle)
}

func (s *State) resultIssued(e *applicationv1.ResultIssued) {
	t := s.touchTask(e.GetTask())
	t.State, t.Claim, t.Document, t.ValidUntil = TaskApproved, nil, e.GetDocument(), e.GetValidUntil()
	if e.GetPlugin() != "" {
		t.attempted(HookIssue, t.Attempts[HookIssue]+1)
	}
}

// recordFailure counts an attempt of a plugin that could not answer. It is neither consent nor refusal.
func (d *decision) recordFailure(cmd RecordFailure) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if hook, attempt := t.Hook(); hook == "" || hook != cmd.Hook || attempt != cmd.Attempt {
		return stale("部门系统的答复已过时", "this failure is not awaited: it is of an old attempt")
	}
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_PluginFailed{PluginFailed: &applicationv1.PluginFailed{Task: t.Number, Hook: cmd.Hook, Attempt: cmd.Attempt,
		Failure: cmd.Kind, Plugin: cmd.Plugin, GaveUp: cmd.GaveUp, Outside: cmd.Outside}}})
	return nil
}

func (s *State) pluginFailed(e *applicationv1.PluginFailed) {
	if e.GetTask() == "" {
		c := s.touch(e.GetBundle())
		for i := range c.Checks {
			if k := &c.Checks[i]; k.Step == e.GetStep() && !k.Answered {
				k.Attempt = e.GetAttempt() + 1
			}
		}
		return
	}
	t := s.touchTask(e.GetTask())
	t.attempted(e.GetHook(), e.GetAttempt())
	if e.GetGaveUp() {
		t.GaveUp = append(t.GaveUp, e.GetHook())
	}
}

// codeRequired is the code of a value that has to be given and is not.
const codeRequired = "required"

// takeResult checks the values of a result, together with those that were given before, and makes them readable for
// the steps that follow. It returns what was given, by field id.
func (d *decision) takeResult(t *Task, given map[string]*structpb.Value) (*formsv1.Record, error) {
	b := d.bundle(t.Bundle)
	step := b.Step(t.Step)
	values, faults := DecodeResult(step, given)
	all := map[forms.Path]kind.Value{}
	for _, f := range step.Result {
		if v := d.results[t.Bundle][f.Path]; v != nil && t.State == TaskDecided {
			all[f.Path] = v
		}
		if v := values[f.Path]; v != nil {
			all[f.Path] = v
		}
	}
	if len(faults) == 0 {
		faults = d.checkResult(b, step, all)
	}
	if t.State != TaskDecided && slices.Contains(t.Hooks, HookIssue) {
		// What is known only once it is issued cannot be there yet.
		faults = slices.DeleteFunc(faults, func(v forms.Violation) bool { return v.Code == codeRequired })
	}
	if len(faults) > 0 {
		return nil, refusal.New(refusal.RecordInvalid, "办理结果填写有误", "the result has faults").With(faults...)
	}
	if d.results[t.Bundle] == nil {
		d.results[t.Bundle] = map[forms.Path]kind.Value{}
	}
	record := &formsv1.Record{Answers: map[string]*structpb.Value{}}
	for _, f := range step.Result {
		v := values[f.Path]
		if v == nil {
			continue
		}
		d.results[t.Bundle][f.Path] = v
		encoded, err := forms.EncodeValue(v)
		if err != nil {
			return nil, err
		}
		record.Answers[f.ID] = encoded
	}
	if len(record.GetAnswers()) == 0 {
		return nil, nil
	}
	return record, nil
}

// DecodeResult reads the values of a step's result, given by field id, and returns them by results.<step>.<field>.
// It tells every fault at once.
func DecodeResult(step *catalog.Step, given map[string]*structpb.Value) (map[forms.Path]kind.Value, []forms.Violation) {
	prefix := "results." + step.ID + "."
	answers := make(map[string]*structpb.Value, len(given))
	for id, v := range given {
		answers[prefix+id] = v
	}
	record, faults := forms.Decode(answers, func(p forms.Path) *forms.Field {
		for _, f := range step.Result {
			if f.Path == p {
				return f.Field
			}
		}
		return nil
	})
	values := map[forms.Path]kind.Value{}
	for _, f := range step.Result {
		switch v, _ := record.Get(f.Path); v := v.(type) {
		case nil:
		case kind.List: // a result is whole: what is not given of a row is blank
			for _, row := range v {
				for _, cell := range f.Row {
					if _, given := row[cell.ID]; !given {
						row[cell.ID] = nil
					}
				}
			}
			values[f.Path] = v
		default:
			values[f.Path] = v
		}
	}
	return values, faults
}

// procedures are the special procedures whose time does not count (行政许可法 45), and a publicity period.
func isProcedure(name string) bool {
	return slices.Contains([]string{"HEARING", "TENDER", "AUCTION", "INSPECTION", "TESTING", "QUARANTINE", "APPRAISAL", "EXPERT_REVIEW", "PUBLICITY"}, name)
}

// pause begins a special procedure: the clock stands from the next day on, and the applicant is told in writing how
// long it is expected to take (行政许可法 45).
func (d *decision) pause(cmd PauseTask) error {
	t, err := d.openTask(cmd.Task)
	if err != nil {
		return err
	}
	if !isProcedure(cmd.Procedure) || cmd.Days < 1 || cmd.Reason == "" {
		return refusal.New(refusal.Invalid, "须说明特别程序的种类、所需天数和理由", "a special procedure needs its kind, the days that it takes, and a reason")
	}
	from := nextDay(d.today)
	paused := *t
	paused.Pauses = append(slices.Clone(t.Pauses), Pause{Procedure: cmd.Procedure, From: from})
	e := &applicationv1.TaskPaused{Task: t.Number, Procedure: cmd.Procedure, From: from.String(), Days: cmd.Days, Notice: d.s.nextNotice()}
	e.Due, e.Statutory = d.dates(&paused)
	d.by(&applicationv1.Event{Kind: &applicationv1.Event_TaskPaused{TaskPaused: e}, Personal: &applicationv1.Personal{Reason: cmd.Reason}})
	return nil
}

func (s *State) taskPaused(e *applicationv1.TaskPaused) {
	s.Notices++
	t := s.touchTask(e.GetTask())
	from, _ := kind.ParseDate(e.GetFrom())
	t.Pauses = append(t.Pauses, Pause{Procedure: e.GetProcedure(), From: from, Days: e.GetDays(), Notice: e.GetNotice()})
	t.Due, t.Statutory = e.GetDue(), e.GetStatutory()
	t.rest()
}

// resume ends a special procedure; the dates of the task, and of its case, move by the days that did not count.
func (d *decision) resume(cmd ResumeTask) error {
	t, err := d.task(cmd.Task)
	if err != nil {
		return err
	}
	if t.State != TaskPaused {
		return refusal.New(refusal.WrongState, "没有进行中的特别程序", "no special procedure is under way")
	}
	if err := d.mine(t); err != nil {
		return err
	}
	d.by(d.resumed(t, d.today))
	d.moveCase(t.Bundle)
	return nil
}

// resumed ends what stops a task's clock, but not its wait for a material.
func (d *decision) resumed(t *Task, last kind.Date) *applicationv1.Event {
	going := *t
	going.Pauses = slices.Clone(t.Pauses)
	going.endPauses(last, notSupply)
	e := &applicationv1.TaskResumed{Task: t.Number, To: last.String()}
	e.Due, e.Statutory = d.dates(&going)
	return &applicationv1.Event{Kind: &applicationv1.Event_TaskResumed{TaskResumed: e}}
}

func notSupply(p Pause) bool { return p.Procedure != PauseSupply }

func (s *State) taskResumed(e *applicationv1.TaskResumed) {
	t := s.touchTask(e.GetTask())
	to, _ := kind.ParseDate(e.GetTo())
	t.endPauses(to, notSupply)
	t.CorrectionDue, t.Due, t.Statutory = nil, e.GetDue(), e.GetStatutory()
	t.rest()
}
