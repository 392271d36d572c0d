//go:build !(linux || darwin)

package badgerlog

// enoughSpace does not know how to ask this system for its free space, and trusts the operator.
func enoughSpace(string, uint64) error { return nil }
