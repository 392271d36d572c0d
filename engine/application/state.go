package application

import (
	"maps"
	"slices"
	"time"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// State is an application as its events made it. It holds public things only: no value of a person. It is
// immutable: [Evolve] returns another one. The initial state is `State{ID: id}`.
type State struct {
	ID       string // of the stream; given by whoever loads it
	Version  int64  // number of events
	Changed  int64  // version with the last event that is not about a document: what was shown since then is as it was
	Number   string // empty: not submitted yet
	Received kind.Date
	Place    string
	Revision int // of the record, from 1
	Notified bool
	Notices  int // written notices so far, of every kind
	// Confirmed are the aliases of those who have submitted a joint application together.
	Confirmed []string
	Cases     []*Case
	Tasks     []*Task   // of steps, in the order in which they opened
	FollowUps []*Task   // what a false promise has opened at those who relied on it; they outlive the case
	Warnings  []Warning // the last one of each clock that was warned of
	// Documents are those that were made of its events, in their order.
	Documents []Document
}

// ApplicationState is the state of an application, derived from its cases.
type ApplicationState string //nolint:revive // beside CaseState and TaskState; State is the whole application

// The states of an application.
const (
	Draft                ApplicationState = "" // not submitted
	ApplicationPreReview ApplicationState = "IN_PRE_REVIEW"
	ApplicationCorrect   ApplicationState = "TO_BE_CORRECTED"
	ApplicationProgress  ApplicationState = "IN_PROGRESS"
	ApplicationCompleted ApplicationState = "COMPLETED"
	ApplicationEnded     ApplicationState = "ENDED"
)

// CaseState is the state of a case.
type CaseState string

// The states of a case.
const (
	PreReview     CaseState = "PRE_REVIEW"
	ToBeCorrected CaseState = "TO_BE_CORRECTED"
	Accepted      CaseState = "ACCEPTED"
	NotAccepted   CaseState = "NOT_ACCEPTED"
	Elsewhere     CaseState = "ELSEWHERE"
	Withdrawn     CaseState = "WITHDRAWN"
	Completed     CaseState = "COMPLETED"
	Ended         CaseState = "ENDED"
)

// TaskState is the state of a task.
type TaskState string

// The states of a task.
const (
	TaskOpen     TaskState = "OPEN"
	TaskWaiting  TaskState = "WAITING" // for a material that may follow, or for an answer to its notice
	TaskPaused   TaskState = "PAUSED"  // a special procedure (行政许可法 45)
	TaskDecided  TaskState = "DECIDED" // approved, but the result is not out yet
	TaskApproved TaskState = "APPROVED"
	TaskRejected TaskState = "REJECTED"
	TaskRevoked  TaskState = "REVOKED" // approved once, and its result taken back
	TaskEnded    TaskState = "ENDED"   // its case was over before it was
)

// Over says whether a case with the state is over.
func (s CaseState) Over() bool { return s != PreReview && s != ToBeCorrected && s != Accepted }

// Settled says whether a task with the state has ended.
func (s TaskState) Settled() bool {
	return s == TaskApproved || s == TaskRejected || s == TaskRevoked || s == TaskEnded
}

// Case is one bundle of an application.
type Case struct {
	Bundle  string
	Digest  string // of the bundle as published
	Number  string
	State   CaseState
	Version int64 // number of events that concern it
	// Revision of the record that it was judged on last; one that is over keeps it.
	Revision int

	Verdict   string
	Failing   []string // rules
	Undecided []string // rules, and `materials.<id>` whose tolerance or promise a clerk has to decide
	Steps     []string // that apply or may
	Checks    []Check
	Materials []Material
	NoticeDue *applicationv1.Due // of pre-review: until when the office has to answer

	CorrectionDue *applicationv1.Due // of a case that is to be corrected
	AcceptedBy    applicationv1.Accepted_By
	AcceptedOn    kind.Date // as of which it is accepted
	MovedOn       kind.Date // on which it moved to the version that it has; zero: it was accepted with it
	Overridden    []string
	Tolerances    []Tolerance
	Promises      []Promise
	Due           *applicationv1.Due
	Statutory     *applicationv1.Due
	Extended      bool // its limit
	FeeFen        int64
	Skipped       []Skipped
	Outcome       string // GRANTED, PARTLY_GRANTED, REJECTED, EXPIRED or ENDED, of a case that is over
	Reasons       []string
}

// Check is a plugin's look at a case in pre-review.
type Check struct {
	Step     string
	Attempt  int32 // of the answer that is awaited, or was the last; numbers go on over revisions
	Answered bool
	Failed   bool // for good: a clerk's matter
	Plugin   string
	Found    []Found
}

// Found is the public part of a finding.
type Found struct{ Code, Severity, Path string }

// The severities of a finding.
const (
	SeverityNote     = "NOTE"
	SeverityCorrect  = "CORRECT"
	SeverityObstacle = "OBSTACLE"
)

// Against says whether the finding stands against the case.
func (f Found) Against() bool { return f.Severity != SeverityNote }

// Material is a material of a case as it stands.
type Material struct {
	ID         string // in the bundle
	Shared     string // under which the form merges it
	Origin     applicationv1.Origin
	Required   bool
	Secondary  bool
	Tolerable  bool
	Promisable bool
}

// Tolerance is a secondary material that may follow (容缺).
type Tolerance struct {
	Material  string
	Due       *applicationv1.Due
	Then      string             // REMIND, SUSPEND or END
	Suspended int32              // working days
	Lapsed    bool               // its date has passed
	Until     *applicationv1.Due // end of the suspension
	Supplied  bool
	Extended  bool // its date
}

// Promise is a promise in place of a material (告知承诺), which is verified afterwards.
type Promise struct {
	Material   string
	Department string
	Due        *applicationv1.Due // nil: the draw left it out, and nobody has to verify it
	Verified   bool
	Holds      bool   // of a verified one
	IfFalse    string // IfFalseRevoke or IfFalseCorrect
	Repaired   bool   // of a false one
	// It is verified where what was drawn (0 to 99) is less than the percent of such promises that are.
	Drawn, Sample int32
}

// Skipped is a step without a task.
type Skipped struct {
	Step string
	// Ended is true if it is not reached because a step that it depends on was rejected; else it does not apply.
	Ended bool
}

// Task is one step of one case, in one department's queue.
type Task struct {
	Number     string
	Bundle     string
	Step       string
	Department string
	State      TaskState
	Version    int64  // number of events that concern it
	Plugin     string // id of the plugin that serves it; empty: officers
	Hooks      []string

	Opened           kind.Date
	Due              *applicationv1.Due
	Statutory        *applicationv1.Due // nil: the law gives none
	Extended         bool               // its limit
	WaitsExamination []string           // materials that are missing
	WaitsResult      []string
	Conditions       []string // rules for the officer: they fail, are not known, or are his to examine
	Findings         []string // that nobody has judged
	AutoApprove      bool
	Silence          bool // the law takes it for approved when its statutory date passes without a decision
	Claim            *Claim
	Pauses           []Pause
	CorrectionDue    *applicationv1.Due // nil: it asks for no correction
	Outcome          string             // APPROVED or REJECTED; UNDETERMINED: its plugin leaves it to an officer
	Revision         int                // of the record that the decision rests on
	Reasons          []string
	DecidedBy        *applicationv1.Actor
	Attempts         map[string]int32 // used so far, by hook
	GaveUp           []string         // hooks that failed for good
	Document         string
	ValidUntil       string

	// Of a follow-up only:
	Purpose string // IfFalseRevoke or IfFalseCorrect
	Promise string // material whose promise was false
	About   string // number of the task whose result rests on it
}

// Claim keeps others off a task for a while.
type Claim struct {
	By    string // opaque id
	Until time.Time
}

// Pause is a stretch of days that do not count.
type Pause struct {
	Procedure string    // a kind of special procedure, SUPPLY or CORRECTION
	From      kind.Date // first day that does not count
	To        kind.Date // last one; zero: not over
	Days      int32     // expected
	Notice    string    // number of the written notice
}

// Why a clock stands, beside the special procedures.
const (
	PauseSupply     = "SUPPLY"     // a step waits for a material that may follow
	PauseCorrection = "CORRECTION" // a department asked for a correction
)

// The outcomes of a task's decision.
const (
	Approved     = "APPROVED"
	Rejected     = "REJECTED"
	Undetermined = "UNDETERMINED"
)

// The hooks of a plugin that the life of an application calls.
const (
	HookCheck  = "check"
	HookDecide = "decide"
	HookIssue  = "issue"
	HookRevoke = "revoke"
)

// State derives the state of the application: what waits for the applicant comes first, then what waits for the
// office, then what is under way.
func (s State) State() ApplicationState {
	if s.Number == "" {
		return Draft
	}
	has := func(state CaseState) bool {
		return slices.ContainsFunc(s.Cases, func(c *Case) bool { return c.State == state })
	}
	switch {
	case has(ToBeCorrected):
		return ApplicationCorrect
	case has(PreReview):
		return ApplicationPreReview
	case has(Accepted):
		return ApplicationProgress
	case has(Completed):
		return ApplicationCompleted
	}
	return ApplicationEnded
}

// shown returns the version that what somebody was shown at a version has now: that of now, unless something has happened
// since. That documents are made of what happened changes nothing that anybody acts on.
func (s State) shown(at int64) int64 {
	if s.Changed <= at && at <= s.Version {
		return s.Version
	}
	return at
}

// Case returns the case of a bundle, nil if there is none.
func (s State) Case(bundle string) *Case {
	i := slices.IndexFunc(s.Cases, func(c *Case) bool { return c.Bundle == bundle })
	if i < 0 {
		return nil
	}
	return s.Cases[i]
}

// Promise returns the promise of a case in place of a material, nil if there is none.
func (s State) Promise(bundle, material string) *Promise {
	if c := s.Case(bundle); c != nil {
		return c.promise(material)
	}
	return nil
}

// Task returns the task with the number, a step's or a follow-up; nil if there is none.
func (s State) Task(number string) *Task {
	for _, tasks := range [][]*Task{s.Tasks, s.FollowUps} {
		if i := slices.IndexFunc(tasks, func(t *Task) bool { return t.Number == number }); i >= 0 {
			return tasks[i]
		}
	}
	return nil
}

// TaskOf returns the task of a step, nil if it has none.
func (s State) TaskOf(bundle, step string) *Task {
	i := slices.IndexFunc(s.Tasks, func(t *Task) bool { return t.Bundle == bundle && t.Step == step })
	if i < 0 {
		return nil
	}
	return s.Tasks[i]
}

// Awaited returns the steps whose check has not answered yet.
func (c *Case) Awaited() []string {
	var steps []string
	for _, k := range c.Checks {
		if !k.Answered {
			steps = append(steps, k.Step)
		}
	}
	return steps
}

// Against returns what stands against accepting the case, or is open: rules that fail or are not known, findings
// against it, checks that are awaited or failed. A clerk who accepts it nevertheless says why.
func (c *Case) Against() []string {
	against := slices.Concat(c.Failing, c.Undecided)
	for _, k := range c.Checks {
		if !k.Answered || k.Failed {
			against = append(against, HookCheck+"."+k.Step)
		}
		for _, f := range k.Found {
			if f.Against() {
				against = append(against, k.Step+"."+f.Code)
			}
		}
	}
	return against
}

// Material returns a material of the case, nil if it is not asked.
func (c *Case) Material(id string) *Material {
	i := slices.IndexFunc(c.Materials, func(m Material) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Materials[i]
}

// MaterialsOf returns a material of the bundle as the case asks for it: once, or for each element of a list.
func (c *Case) MaterialsOf(id string) []*Material {
	var all []*Material
	for i := range c.Materials {
		if catalog.Unnumbered(c.Materials[i].ID) == id {
			all = append(all, &c.Materials[i])
		}
	}
	return all
}

// tolerance returns the tolerance of a material, the zero one if there is none.
func (c *Case) tolerance(material string) Tolerance {
	for _, t := range c.Tolerances {
		if t.Material == material {
			return t
		}
	}
	return Tolerance{}
}

// Tolerated returns the materials that are still to follow.
func (c *Case) Tolerated() []string {
	var ids []string
	for _, t := range c.Tolerances {
		if !t.Supplied {
			ids = append(ids, t.Material)
		}
	}
	return ids
}

// Skip returns how a step without a task ended, nil if it has not.
func (c *Case) Skip(step string) *Skipped {
	i := slices.IndexFunc(c.Skipped, func(s Skipped) bool { return s.Step == step })
	if i < 0 {
		return nil
	}
	return &c.Skipped[i]
}

// Hook returns the hook of the task's plugin that is wanted now, and the attempt that it would be; "" if none is:
// then the task is an officer's, waits, or is over.
func (t *Task) Hook() (hook string, attempt int32) {
	switch {
	case t.State == TaskOpen && t.Outcome == "" && t.Purpose == "":
		hook = HookDecide
	case t.State == TaskDecided && t.Purpose != "":
		hook = HookRevoke
	case t.State == TaskDecided && len(t.WaitsResult) == 0:
		hook = HookIssue
	default:
		return "", 0
	}
	if !slices.Contains(t.Hooks, hook) || slices.Contains(t.GaveUp, hook) {
		return "", 0
	}
	if hook == HookDecide && len(t.Conditions)+len(t.Findings) > 0 {
		return "", 0 // what is put before an officer is his to judge
	}
	return hook, t.Attempts[hook] + 1
}

// Silent says whether the law takes the task for approved when its statutory date passes. It does not where the office
// could not decide on that date, because the step waited for a material of the applicant's.
func (t *Task) Silent() bool {
	last, ok := kind.ParseDate(t.Statutory.GetDate())
	if !ok || !t.Silence || t.State != TaskOpen {
		return false
	}
	return !slices.ContainsFunc(t.Pauses, func(p Pause) bool {
		return p.Procedure == PauseSupply && !last.Before(p.From) && !last.After(p.To)
	})
}

// clone returns a state that shares nothing with s that Evolve changes.
func (s State) clone() State {
	s.Cases = slices.Clone(s.Cases)
	for i, c := range s.Cases {
		copied := *c
		copied.Checks = slices.Clone(c.Checks)
		copied.Materials = slices.Clone(c.Materials)
		copied.Tolerances = slices.Clone(c.Tolerances)
		copied.Promises = slices.Clone(c.Promises)
		copied.Skipped = slices.Clone(c.Skipped)
		s.Cases[i] = &copied
	}
	s.Documents = slices.Clone(s.Documents)
	s.Tasks, s.FollowUps = cloneTasks(s.Tasks), cloneTasks(s.FollowUps)
	return s
}

func cloneTasks(tasks []*Task) []*Task {
	tasks = slices.Clone(tasks)
	for i, t := range tasks {
		copied := *t
		copied.WaitsExamination = slices.Clone(t.WaitsExamination)
		copied.WaitsResult = slices.Clone(t.WaitsResult)
		copied.Pauses = slices.Clone(t.Pauses)
		copied.Attempts = maps.Clone(t.Attempts)
		copied.GaveUp = slices.Clone(t.GaveUp)
		tasks[i] = &copied
	}
	return tasks
}
