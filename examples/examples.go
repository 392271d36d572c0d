// Package examples holds the shared libraries and the example bundles in the binary, so that an installed command
// serves them wherever it runs.
package examples

import "embed"

//go:embed library/*.yaml bundles/*/*.yaml
var tree embed.FS

// Tree returns the libraries under library/ and the bundles under bundles/, as package catalog reads them.
func Tree() embed.FS { return tree }
