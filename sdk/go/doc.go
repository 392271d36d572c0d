// Package plugin is what a department imports to write its step of a bundle as a plugin.
//
// A plugin is a value of type [Plugin]: a handler for each hook that the department implements. A handler is a plain
// function from a [Call] to an answer. It sees the answers, parameters, materials and shared data that its step needs
// and nothing else; it has no clock but [Call.Today], no files, no network and no memory of an earlier call, so that
// the same call always gets the same answer.
//
//	package main
//
//	import plugin "github.com/siyiban/onething/sdk/go"
//
//	var household = plugin.Plugin{Check: check, Decide: decide}
//
//	// A WebAssembly reactor runs package variables and never main: this line makes household the plugin of the file.
//	var _ = plugin.Serve(household)
//
//	func main() {}
//
//	func decide(call *plugin.Call) (plugin.Decision, error) {
//		birth, ok := call.Date("form.newborn.birth_date")
//		if !ok {
//			return plugin.Undetermined(plugin.Finding{Code: "no_birth_date", TextZH: "缺少出生日期"}), nil
//		}
//		return plugin.Approve(plugin.Values{"registered_on": call.Today(), "birthday": birth}), nil
//	}
//
// Build it with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o household.unpacked .
//	onething plugin pack --manifest manifest.yaml --output household.wasm household.unpacked
//
// and test it natively, without any WebAssembly, with package plugintest.
package plugin
