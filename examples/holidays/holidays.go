// Package holidays holds the calendar of working days that the engine uses unless an operator publishes another:
// the State Council's notices, as far as they are out.
package holidays

import _ "embed"

// File is the name of the embedded file, for diagnostics.
const File = "examples/holidays/holidays.yaml"

//go:embed holidays.yaml
var source string

// Source returns the embedded file, which package calendar reads.
func Source() []byte { return []byte(source) }
