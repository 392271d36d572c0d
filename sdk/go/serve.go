//go:build !wasip1

package plugin

// Serve makes p the plugin of the WebAssembly file that is built of this package. Call it once, in a package variable
// of package main:
//
//	var _ = plugin.Serve(household)
//
// because a WebAssembly reactor runs the initialisation of packages, and never main. In a native build, which is a
// test, it does nothing.
func Serve(Plugin) struct{} { return struct{}{} }
