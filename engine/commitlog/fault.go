package commitlog

import (
	"fmt"
	"strings"
)

// Fault is something that is wrong in what is stored. What it is not about is zero.
type Fault struct {
	// Position is that of the commit, Stream and Version those of the event.
	Position uint64
	Stream   string
	Version  uint64
	// Err says what is wrong; it holds no value of a person.
	Err error
}

// String says where and what.
func (f Fault) String() string {
	var where []string
	if f.Position > 0 {
		where = append(where, fmt.Sprintf("position %d", f.Position))
	}
	if f.Stream != "" {
		where = append(where, "stream "+f.Stream)
	}
	if f.Version > 0 {
		where = append(where, fmt.Sprintf("version %d", f.Version))
	}
	if len(where) == 0 {
		return f.Err.Error()
	}
	return strings.Join(where, ", ") + ": " + f.Err.Error()
}
