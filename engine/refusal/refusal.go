// Package refusal is a command refused: why, what is wrong, and what to do instead. It is written for the caller
// and goes over the wire; it holds no value of a person.
package refusal

import "github.com/siyiban/onething/forms"

// Reason says why a command was refused. It is the name in onething.api.v1.Reason without its prefix, so that the
// API needs no table of its own.
type Reason string

// The reasons that a decision can have.
const (
	NotAllowed       Reason = "NOT_ALLOWED"
	Invalid          Reason = "INVALID"           // the command has faults
	NotFound         Reason = "NOT_FOUND"         // no such thing, or not the caller's to see
	Stale            Reason = "STALE"             // what was shown, or seen by a plugin, has changed since
	RecordInvalid    Reason = "RECORD_INVALID"    // the violations say which answers
	NotEligible      Reason = "NOT_ELIGIBLE"      // the violations say by which rules
	WrongState       Reason = "WRONG_STATE"       // the text says what does not allow it
	MaterialMissing  Reason = "MATERIAL_MISSING"  // the violations say which
	Claimed          Reason = "CLAIMED"           // somebody else has the task
	FieldUsed        Reason = "FIELD_USED"        // a decided step has used it; the text names the department
	PromiseRefused   Reason = "PROMISE_REFUSED"   // not open to this applicant or for this material
	ToleranceRefused Reason = "TOLERANCE_REFUSED" // likewise
	VersionChanged   Reason = "VERSION_CHANGED"   // of the matter, since the draft was begun
	SecondPerson     Reason = "SECOND_PERSON"     // whoever has proposed it cannot approve it
)

// Refusal is the error of a command that was refused.
type Refusal struct {
	Reason     Reason
	Text       forms.Text        // what is wrong, for the person at the front end
	Violations []forms.Violation // each with its place
	Remedy     forms.Text        // what to do instead; may be empty
	// CurrentVersion is the version that the caller has to read, of Stale where a version was expected.
	CurrentVersion int64
}

// New returns a refusal with a text in Chinese and English.
func New(reason Reason, zh, en string) *Refusal {
	return &Refusal{Reason: reason, Text: forms.Text{ZH: zh, EN: en}}
}

// With returns the refusal with what is wrong where.
func (r *Refusal) With(violations ...forms.Violation) *Refusal {
	r.Violations = append(r.Violations, violations...)
	return r
}

// Else returns the refusal with what to do instead.
func (r *Refusal) Else(zh, en string) *Refusal {
	r.Remedy = forms.Text{ZH: zh, EN: en}
	return r
}

// Error is the English text with its reason.
func (r *Refusal) Error() string { return string(r.Reason) + ": " + r.Text.In("en") }
