package plugin

import (
	"slices"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// Hook is a point in a step's life at which the engine calls a plugin.
type Hook = pluginv1.Hook

// The hooks.
const (
	HookPrefill = pluginv1.Hook_HOOK_PREFILL
	HookCheck   = pluginv1.Hook_HOOK_CHECK
	HookDecide  = pluginv1.Hook_HOOK_DECIDE
	HookIssue   = pluginv1.Hook_HOOK_ISSUE
	HookRevoke  = pluginv1.Hook_HOOK_REVOKE
)

// Plugin is a department's step: a handler for each hook that it implements, nil for the others. The hooks of the
// manifest must be the same.
//
// A handler that returns an error could not answer for a technical reason; the engine tries again later, and in the
// end hands the step to an officer. The error's text is kept for operators, so it must hold no personal data. An
// error is never a refusal: refuse with [Reject] or a [Finding].
type Plugin struct {
	// Prefill proposes values by path to a person who waits.
	Prefill func(*Call) (Values, error)
	// Check looks at an application before acceptance; no finding means that the department sees no obstacle.
	Check func(*Call) ([]Finding, error)
	// Decide decides the step.
	Decide func(*Call) (Decision, error)
	// Issue makes the result's document after an approval.
	Issue func(*Call) (Document, error)
	// Revoke takes a result back after a promise turned out false.
	Revoke func(*Call) (Revocation, error)
}

// Hooks returns the hooks that p implements, in their order in the schema.
func (p Plugin) Hooks() []Hook {
	var hooks []Hook
	for _, h := range []struct {
		hook Hook
		has  bool
	}{
		{HookPrefill, p.Prefill != nil},
		{HookCheck, p.Check != nil},
		{HookDecide, p.Decide != nil},
		{HookIssue, p.Issue != nil},
		{HookRevoke, p.Revoke != nil},
	} {
		if h.has {
			hooks = append(hooks, h.hook)
		}
	}
	return hooks
}

// Severity says how grave a finding is.
type Severity = pluginv1.Severity

// The severities.
const (
	// Note is worth an officer's knowing; there is nothing to do for the applicant.
	Note = pluginv1.Severity_SEVERITY_NOTE
	// Correct is what the applicant has to correct or supply. It is what an unset severity means.
	Correct = pluginv1.Severity_SEVERITY_CORRECT
	// Obstacle says that the case looks as if it could not be granted; a clerk decides.
	Obstacle = pluginv1.Severity_SEVERITY_OBSTACLE
)

// Finding is one thing found.
type Finding struct {
	// Code is stable, in lower snake case, for statistics and tests.
	Code string
	// Severity says how grave it is; unset it is Correct.
	Severity Severity
	// Path of the field that it is about; empty if none.
	Path string
	// TextZH says to the applicant, in Chinese, what was found and what to do.
	TextZH string
	// TextEN says the same in English, where there is one.
	TextEN string
	// Basis is the legal basis.
	Basis string
}

// Outcome is the outcome of a decision.
type Outcome = pluginv1.Outcome

// The outcomes.
const (
	Approved     = pluginv1.Outcome_OUTCOME_APPROVED
	Rejected     = pluginv1.Outcome_OUTCOME_REJECTED
	NotDecidable = pluginv1.Outcome_OUTCOME_UNDETERMINED
)

// Decision is what a step is decided to. Make one with [Approve], [Reject] or [Undetermined]; the zero Decision is no
// answer, and the call fails.
type Decision struct {
	Outcome  Outcome
	Result   Values
	Findings []Finding
}

// Approve grants the step with the values of its result by field id; every required one must be there. Notes for
// officers may go with it, whose severity is [Note]: an approval with anything to correct is none.
func Approve(result Values, notes ...Finding) Decision {
	findings := slices.Clone(notes)
	for i := range findings {
		findings[i].Severity = Note
	}
	return Decision{Outcome: Approved, Result: result, Findings: findings}
}

// Reject refuses the step, for at least one reason.
func Reject(reason Finding, more ...Finding) Decision {
	return Decision{Outcome: Rejected, Findings: append([]Finding{reason}, more...)}
}

// Undetermined leaves the step to an officer, who is told what is missing or in doubt.
func Undetermined(doubt Finding, more ...Finding) Decision {
	return Decision{Outcome: NotDecidable, Findings: append([]Finding{doubt}, more...)}
}

// Document is a result's document.
type Document struct {
	// MediaType of the content, for example `text/html; charset=utf-8`.
	MediaType string
	// Content of the document.
	Content []byte
	// Result holds values that only exist once it is issued, by field id of the result.
	Result Values
}

// Revocation is the answer to a promise that turned out false.
type Revocation struct {
	// Revoked is true if the result was taken back, false if an officer must.
	Revoked bool
	// Findings say what was done or is left to do.
	Findings []Finding
}
