package manifest

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxModuleBytes is the size of the largest .wasm file that is looked at: five times a Go guest with a good deal of
// the standard library. What a decoder and a compiler need grows with it.
const MaxModuleBytes = 16 << 20

// ErrNotWasm says that a file is no WebAssembly module of version 1, or that its sections do not fit into it.
var ErrNotWasm = errors.New("manifest: not a WebAssembly module")

// header is the magic number and version 1.
const header = "\x00asm\x01\x00\x00\x00"

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
func Sections(wasm []byte) ([]Section, error) {
	if len(wasm) > MaxModuleBytes {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrNotWasm, len(wasm), MaxModuleBytes)
	}
	if len(wasm) < len(header) || string(wasm[:len(header)]) != header {
		return nil, fmt.Errorf("%w: no magic number and version 1 at its start", ErrNotWasm)
	}
	var sections []Section
	for at := len(header); at < len(wasm); {
		s := Section{ID: wasm[at], Offset: at}
		size, n := Uint32(wasm[at+1:])
		if n == 0 || uint64(size) > uint64(len(wasm)-at-1-n) {
			return nil, fmt.Errorf("%w: section %d at byte %d is longer than the file", ErrNotWasm, s.ID, at)
		}
		s.Body = wasm[at+1+n : at+1+n+int(size)]
		s.End = at + 1 + n + int(size)
		if s.ID == CustomSection {
			length, n := Uint32(s.Body)
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

// Uint32 decodes the unsigned LEB128 number of at most 32 bits at the start of b, and returns it with its length in
// bytes, which is 0 if there is none.
func Uint32(b []byte) (value uint32, n int) {
	for i := 0; i < len(b) && i < 5; i++ {
		// The fifth byte holds the last four bits.
		if i == 4 && b[i] > 0x0f {
			return 0, 0
		}
		value |= uint32(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return value, i + 1
		}
	}
	return 0, 0
}
