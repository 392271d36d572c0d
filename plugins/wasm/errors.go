package wasm

import (
	"errors"
	"fmt"
)

// Why a file is refused. Each *Error wraps one of them.
var (
	// ErrMalformed says that the file is no module of WebAssembly 1 or 2: it ends too early, or says what no module may.
	ErrMalformed = errors.New("malformed")
	// ErrBound says that the module is beyond a bound of this package, which keeps a compiler's time and memory bounded.
	ErrBound = errors.New("beyond a bound")
	// ErrNotAccepted says that the module uses a part of WebAssembly that guests do not get.
	ErrNotAccepted = errors.New("not accepted")
)

// Error says what is wrong with a file, and where.
type Error struct {
	// Section is the id of the section, or -1 if it is none's.
	Section int
	// Function is the index of the function whose body it is, counted with the imported ones, or -1 if it is none's.
	Function int
	// Offset is the byte in the file at which reading stopped.
	Offset int
	// Kind is ErrMalformed, ErrBound or ErrNotAccepted.
	Kind error
	// Reason says what is wrong. It holds nothing of the file but numbers and names of imports and exports.
	Reason string
}

// Error says where and what.
func (e *Error) Error() string {
	switch {
	case e.Function >= 0:
		return fmt.Sprintf("function %d at byte %d: %s", e.Function, e.Offset, e.Reason)
	case e.Section >= 0:
		return fmt.Sprintf("section %d at byte %d: %s", e.Section, e.Offset, e.Reason)
	default:
		return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason)
	}
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }
