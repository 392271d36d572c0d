// Package sandboxbench measures what a sandbox of its own costs a call: the host's against an instance that is reused
// and leaks, an instance made anew, and Extism's. Run `go test -bench . .` here, or `make bench` at the root.
package sandboxbench
