// Command guest speaks the host's interface.
package main

import (
	"github.com/siyiban/onething/internal/sandboxbench/work"
	plugin "github.com/siyiban/onething/sdk/go"
)

var _ = plugin.Serve(work.Plugin)

func main() {}
