package application

import (
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Command is what somebody wants of an application: a person through the API, or a follower. Where it acts on
// something that was shown, Expected is the version of that: of the task, the case, or the application; 0 is not
// checked.
//
//sumtype:decl
type Command interface{ isCommand() }

// Documents are what an applicant brings for materials, by the key under which the form merges them.
type Documents struct {
	Files    []*applicationv1.MaterialFile
	Promises []*applicationv1.SignedPromise // with an empty material: the promise to supply what is tolerated
	Tolerate []string                       // materials that shall follow
}

// Submit files the draft. Where not all have confirmed who have to submit together, it is an [UnconfirmedError].
type Submit struct {
	Record forms.Record
	Documents
	Moves         []*applicationv1.DraftMoved // other versions that the draft had before
	Persons       map[string]string           // keyed digest of the persons and enterprises, by alias
	Confirmations []*applicationv1.Confirmation
	Confirmed     []*applicationv1.Confirmed // the sealed part of the confirmations
}

// RecordCheck is the answer of a plugin's `check`, or its failure.
type RecordCheck struct {
	Bundle, Step string
	Revision     int // of the record that it saw
	Attempt      int32
	Plugin       string // digest
	Findings     []*applicationv1.Finding
	Failure      string // kind of failure; empty: it answered
	GaveUp       bool   // no further attempt
	Outside      bool   // it failed after it had reached a system outside, and is not repeated for that
	Trace        Trace
}

// Accept accepts a case, with the tolerances that were asked and the promises that were given.
type Accept struct {
	Bundle         string
	OverrideReason string
	Expected       int64
}

// NotifyCorrection sends the one notice for the whole application.
type NotifyCorrection struct {
	Items    []Item // beside what the checks have found
	Expected int64
}

// Item is one thing to correct.
type Item struct {
	Bundle string
	Path   string // of the field, or `materials.<id>`
	Text   string
}

// Refuse does not accept a case (不予受理), or says that it is another office's (不受理).
type Refuse struct {
	Bundle    string
	Elsewhere bool
	Reason    string
	Expected  int64
}

// Correct makes a new revision of the record, and brings documents.
type Correct struct {
	Changes forms.Record      // answers that changed; a blank one is left empty
	Persons map[string]string // keyed digest of the persons and enterprises that are named then, by alias
	Documents
	Expected int64
}

// Move moves a case to another version of its bundle, with what the applicant has to add for it.
type Move struct {
	Bundle string
	// To is the application's bundles with that version.
	To                     *catalog.Selection
	FromVersion, ToVersion int    // numbers
	Reason                 string // why the version is offered
	Changes                forms.Record
	Persons                map[string]string // as of a correction
	Documents
	Expected int64
}

// Supply hands in a material that may follow; Material is the key under which the form merges it.
type Supply struct {
	Material string
	File     *applicationv1.MaterialFile
}

// Withdraw takes a case back; without a bundle all that are not over.
type Withdraw struct {
	Bundle string
	Reason string
}

// ClaimTask keeps others off a task for a while.
type ClaimTask struct {
	Task     string
	For      time.Duration // 0: half an hour
	Expected int64
}

// ReleaseTask gives a claim back.
type ReleaseTask struct{ Task string }

// DecideTask is the decision of an officer or a department's system.
type DecideTask struct {
	Task     string
	Approve  bool
	Result   map[string]*structpb.Value // by field id
	Reason   string                     // required for a rejection
	Document *applicationv1.MaterialFile
	Expected int64
}

// RecordDecision is the answer of a plugin's `decide`.
type RecordDecision struct {
	Task     string
	Outcome  string                     // APPROVED, REJECTED or UNDETERMINED
	Result   map[string]*structpb.Value // by field id
	Findings []*applicationv1.Finding
	Revision int // of the record that it saw
	Attempt  int32
	Plugin   string // digest
	Trace    Trace
}

// RecordIssue is the answer of a plugin's `issue`.
type RecordIssue struct {
	Task     string
	Document *applicationv1.MaterialFile
	Result   map[string]*structpb.Value // values that only exist once it is issued, by field id
	Attempt  int32
	Plugin   string // digest
	Trace    Trace
}

// RecordFailure says that a plugin could not answer `decide` or `issue`.
type RecordFailure struct {
	Task    string
	Hook    string
	Attempt int32
	Kind    string // of failure
	Plugin  string // digest
	GaveUp  bool   // no further attempt: the task is an officer's
	Outside bool   // for it had reached a system outside, which could act twice
}

// Trace is what a plugin's call saw through its capabilities, for replay: as it is, or as a file where it is large.
type Trace struct {
	Content []byte
	File    *applicationv1.MaterialFile
}

// in puts the trace into a personal part, which is made if there is none.
func (t Trace) in(p *applicationv1.Personal) *applicationv1.Personal {
	if len(t.Content) == 0 && t.File == nil {
		return p
	}
	if p == nil {
		p = &applicationv1.Personal{}
	}
	p.Trace, p.TraceFile = t.Content, t.File
	return p
}

// AskCorrection asks the applicant for what could not have been known at pre-review.
type AskCorrection struct {
	Task     string
	Items    []Item
	Reason   string
	Expected int64
}

// PauseTask begins a special procedure (行政许可法 45).
type PauseTask struct {
	Task      string
	Procedure string
	Days      int32 // that it is expected to take
	Reason    string
	Expected  int64
}

// ResumeTask ends it.
type ResumeTask struct {
	Task     string
	Expected int64
}

// Approval is what an extension needs: who approved it, why, and by how many working days (of a tolerance too).
type Approval struct {
	Days     int
	Approver string // opaque id of the head who approved it; somebody else than the caller
	Reason   string
}

// ExtendTask extends the limit of a task, once (行政许可法 42).
type ExtendTask struct {
	Task string
	Approval
	Expected int64
}

// ExtendCase extends the limit of a case, once (行政许可法 42).
type ExtendCase struct {
	Bundle string
	Approval
	Expected int64
}

// ExtendTolerance lets a material follow later.
type ExtendTolerance struct {
	Bundle   string
	Material string // its id in the bundle
	Approval
	Expected int64
}

// VerifyPromise says whether a promise holds.
type VerifyPromise struct {
	Bundle, Material string
	Holds            bool
	Reason           string
}

// RepairPromise says that the harm of a false promise is repaired (信用修复).
type RepairPromise struct {
	Bundle, Material string
	Reason           string
}

// RecordRevocation is the answer of a plugin's `revoke`.
type RecordRevocation struct {
	Task    string
	Attempt int32
	Plugin  string // digest
	Trace   Trace
}

// MakeDocuments records documents that were made of events: a follower gives it when they are kept.
type MakeDocuments struct{ Documents []MadeDocument }

// MadeDocument is a document with its files, as they are kept.
type MadeDocument struct {
	Public *applicationv1.DocumentMade
	Files  []*applicationv1.MaterialFile
}

// ServeDocument says that a document was served (送达).
type ServeDocument struct {
	Number   string // of the document
	Way      string
	On       kind.Date // zero: today
	Receiver string    // who received it, or was a witness; the applicant's own name need not be given
	Note     string
}

// Lapse settles what has lapsed, and nothing else: a follower gives it when a date has passed.
type Lapse struct{}

// SettleDates works out the dates of open clocks anew, after a calendar was published.
type SettleDates struct{}

func (Submit) isCommand()           {}
func (RecordCheck) isCommand()      {}
func (Accept) isCommand()           {}
func (NotifyCorrection) isCommand() {}
func (Refuse) isCommand()           {}
func (Correct) isCommand()          {}
func (Move) isCommand()             {}
func (Supply) isCommand()           {}
func (Withdraw) isCommand()         {}
func (ClaimTask) isCommand()        {}
func (ReleaseTask) isCommand()      {}
func (DecideTask) isCommand()       {}
func (RecordDecision) isCommand()   {}
func (RecordIssue) isCommand()      {}
func (RecordFailure) isCommand()    {}
func (AskCorrection) isCommand()    {}
func (PauseTask) isCommand()        {}
func (ResumeTask) isCommand()       {}
func (ExtendTask) isCommand()       {}
func (ExtendCase) isCommand()       {}
func (ExtendTolerance) isCommand()  {}
func (VerifyPromise) isCommand()    {}
func (RepairPromise) isCommand()    {}
func (RecordRevocation) isCommand() {}
func (MakeDocuments) isCommand()    {}
func (ServeDocument) isCommand()    {}
func (Lapse) isCommand()            {}
func (SettleDates) isCommand()      {}
