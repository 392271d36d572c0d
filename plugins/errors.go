package plugins

import (
	"fmt"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Kind says why a call failed. It is an error of its own, so that errors.Is(err, plugins.TimedOut) asks for it.
type Kind string

// The kinds. None of them is an answer: neither consent nor refusal.
const (
	// NotFound: there is no module with the digest.
	NotFound Kind = "not_found"
	// Unfit: the file is not a plugin that this host runs, or not the one that the call names. It stays so.
	Unfit Kind = "unfit"
	// HookNotOffered: the manifest does not name the hook.
	HookNotOffered Kind = "hook_not_offered"
	// BadRequest: the request has no hook, or its text is not UTF-8.
	BadRequest Kind = "bad_request"
	// Trapped: the guest executed what WebAssembly forbids: unreachable code, an address outside its memory, a stack
	// that the run-time ends. A Go guest's panic ends here.
	Trapped Kind = "trapped"
	// Exited: the guest ended itself, whatever its exit code.
	Exited Kind = "exited"
	// OutOfFuel: the guest executed more than its limit.
	OutOfFuel Kind = "out_of_fuel"
	// StackOverflow: more functions were under way inside each other than its limit allows.
	StackOverflow Kind = "stack_overflow"
	// Suspended: the plugin failed too often in a row and is left alone for a while.
	Suspended Kind = "suspended"
	// TimedOut: the guest's host calls took longer than its limit.
	TimedOut Kind = "timed_out"
	// OutOfMemory: the guest failed after it was refused more memory than its limit.
	OutOfMemory Kind = "out_of_memory"
	// TooMuchOutput: the answer is larger than its limit.
	TooMuchOutput Kind = "too_much_output"
	// TooManyHostCalls: the guest made more host calls, or moved more bytes through them, than its limit.
	TooManyHostCalls Kind = "too_many_host_calls"
	// MalformedAnswer: the answer is not what the interface foresees.
	MalformedAnswer Kind = "malformed_answer"
	// MissingAnswer: the answer lacks the member of the called hook.
	MissingAnswer Kind = "missing_answer"
	// GaveUp: the plugin says that it could not answer for a technical reason, which is in [Trace.Failure].
	GaveUp Kind = "gave_up"
)

// Error returns the kind's name.
func (k Kind) Error() string { return string(k) }

// CallError is a call that failed because of the plugin. It holds no personal data and nothing that a guest wrote.
type CallError struct {
	// Plugin is the id of the plugin.
	Plugin string
	// Hook is the hook that was called; HOOK_UNSPECIFIED if the plugin was only prepared.
	Hook pluginv1.Hook
	// Kind says why it failed.
	Kind Kind
	// Err says more, if there is more to say.
	Err error
}

// Error says which call failed and why.
func (e *CallError) Error() string {
	text := fmt.Sprintf("plugin %s: %s: %s", e.Plugin, e.Hook, e.Kind)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap makes errors.Is find the kind as well as the cause.
func (e *CallError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
