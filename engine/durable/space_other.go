//go:build !(linux || darwin)

package durable

import "math"

// freeBytes does not know how to ask this system for its free space, and trusts the operator.
func freeBytes(string) (uint64, error) { return math.MaxUint64, nil }
