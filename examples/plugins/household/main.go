// Command household is the plugin public_security/household: it registers a newborn child in a household, and cancels
// the registration of a person who has died. README.md says what it decides and what it leaves to an officer.
package main

import plugin "github.com/siyiban/onething/sdk/go"

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(household())

func main() {}

// Ids of the bundles that the plugin serves, in a step of either.
const (
	bundleBirth = "newborn"
	bundleDeath = "after_death"
)

func household() plugin.Plugin {
	return plugin.Plugin{Prefill: prefill, Check: check, Decide: decide, Issue: issue}
}

func prefill(call *plugin.Call) (plugin.Values, error) {
	if call.Bundle() == bundleBirth {
		return prefillBirth(call)
	}
	return nil, nil
}

func check(call *plugin.Call) ([]plugin.Finding, error) {
	switch call.Bundle() {
	case bundleBirth:
		return checkBirth(call)
	case bundleDeath:
		return checkDeath(call)
	default:
		return []plugin.Finding{unknownMatter()}, nil
	}
}

func decide(call *plugin.Call) (plugin.Decision, error) {
	switch call.Bundle() {
	case bundleBirth:
		return decideBirth(call)
	case bundleDeath:
		return decideDeath(call)
	default:
		return plugin.Undetermined(unknownMatter()), nil
	}
}

func issue(call *plugin.Call) (plugin.Document, error) {
	if call.Bundle() == bundleDeath {
		return issueDeath(call)
	}
	return issueBirth(call)
}

func unknownMatter() plugin.Finding {
	return plugin.Finding{Code: "matter_unknown", Severity: plugin.Note, TextZH: "户籍插件不办理该事项，由民警办理", TextEN: "The plugin does not handle this matter; an officer does"}
}

// missing is the doubt about an answer that the decision needs and does not have.
func missing(path string) plugin.Finding {
	return plugin.Finding{Code: "input_missing", Severity: plugin.Note, Path: path, TextZH: "缺少办理所需的信息，由民警核实", TextEN: "Information that the decision needs is missing"}
}

// silent is the doubt that remains while a source of shared data does not answer: neither yes nor no.
func silent(source string) plugin.Finding {
	return plugin.Finding{Code: "source_silent", Severity: plugin.Note, TextZH: sourceName(source) + "暂时无法查询，由民警核实", TextEN: "A register does not answer; an officer looks it up"}
}

// Sources of shared data, as the operator grants them, and their purpose as the person reads it.
const (
	sourceBirths     = "birth_registration"        // by number of the birth certificate: id_no
	sourceNumbers    = "citizen_number_allocation" // by number of the birth certificate: id_no
	sourcePopulation = "population_register"       // by citizen number: name, state, head_name, head_id, address
)

func sourceName(source string) string {
	switch source {
	case sourceBirths:
		return "出生登记信息"
	case sourceNumbers:
		return "公民身份号码编制信息"
	default:
		return "人口登记信息"
	}
}
