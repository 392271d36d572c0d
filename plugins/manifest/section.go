package manifest

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/siyiban/onething/plugins/wasm"
)

// MaxModuleBytes is the size of the largest .wasm file that is looked at.
const MaxModuleBytes = wasm.MaxBytes

// ErrNotWasm says that a file is no WebAssembly module of version 1, or that its sections do not fit into it.
var ErrNotWasm = errors.New("manifest: not a WebAssembly module")

// CustomSection is the id of a custom section.
const CustomSection = 0

// Section is one section of a module. Its bytes are part of the module's.
type Section struct {
	// ID of the section, as the WebAssembly specification numbers them.
	ID byte
	// Name of a custom section, empty for every other.
	Name string
	// Body of the section; of a custom one without its name.
	Body []byte
	// Offset and End are where the whole section, with its id and size, lies in the module.
	Offset, End int
}

// Sections returns the sections of a module, in their order, and looks at nothing in them but the names of custom
// ones. It allocates by what is there, never by what the file announces.
func Sections(module []byte) ([]Section, error) {
	if len(module) > MaxModuleBytes {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrNotWasm, len(module), MaxModuleBytes)
	}
	if len(module) < len(wasm.Header) || string(module[:len(wasm.Header)]) != wasm.Header {
		return nil, fmt.Errorf("%w: no magic number and version 1 at its start", ErrNotWasm)
	}
	var sections []Section
	for at := len(wasm.Header); at < len(module); {
		s := Section{ID: module[at], Offset: at}
		size, n := wasm.Uint32(module[at+1:])
		if n == 0 || uint64(size) > uint64(len(module)-at-1-n) {
			return nil, fmt.Errorf("%w: section %d at byte %d is longer than the file", ErrNotWasm, s.ID, at)
		}
		s.Body = module[at+1+n : at+1+n+int(size)]
		s.End = at + 1 + n + int(size)
		if s.ID == CustomSection {
			length, n := wasm.Uint32(s.Body)
			if n == 0 || uint64(length) > uint64(len(s.Body)-n) || !utf8.Valid(s.Body[n:n+int(length)]) {
				return nil, fmt.Errorf("%w: the custom section at byte %d has no name", ErrNotWasm, at)
			}
			s.Name, s.Body = string(s.Body[n:n+int(length)]), s.Body[n+int(length):]
		}
		sections = append(sections, s)
		at = s.End
	}
	return sections, nil
}
