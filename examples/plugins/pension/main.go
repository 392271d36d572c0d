// Command pension is the plugin hrss/pension: it audits the conditions of a retirement and works out the pension.
// README.md says what it decides and what it leaves to an officer.
package main

import (
	"github.com/siyiban/onething/examples/plugins/civil"
	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(pension())

func main() {}

// Ids of the steps that the plugin serves.
const (
	stepAudit  = "audit"
	stepAmount = "pension"
)

func pension() plugin.Plugin {
	return plugin.Plugin{Prefill: prefill, Check: check, Decide: decide, Issue: issue}
}

func prefill(call *plugin.Call) (plugin.Values, error) {
	name, named := call.Text(pathName)
	number, numbered := call.CitizenNumber(pathNumber)
	if !named || !numbered {
		return nil, nil
	}
	a, _, err := lookUp(call, number, name, "预填退休申请")
	if err != nil || a == nil {
		return nil, err
	}
	switch call.Step() {
	case stepAudit:
		return a.proposeAudit(), nil
	case stepAmount:
		return a.proposeAmount(), nil
	default:
		return nil, nil
	}
}

func check(call *plugin.Call) ([]plugin.Finding, error) {
	switch call.Step() {
	case stepAudit:
		return checkAudit(call)
	case stepAmount:
		return nil, nil
	default:
		return []plugin.Finding{unknownStep()}, nil
	}
}

func decide(call *plugin.Call) (plugin.Decision, error) {
	switch call.Step() {
	case stepAudit:
		return decideAudit(call)
	case stepAmount:
		return decideAmount(call)
	default:
		return plugin.Undetermined(unknownStep()), nil
	}
}

func issue(call *plugin.Call) (plugin.Document, error) {
	if call.Step() == stepAmount {
		return issueAmount(call)
	}
	return issueAudit(call)
}

func unknownStep() plugin.Finding {
	return note("step_unknown", "", "养老保险插件不认识该环节，由经办人办理", "The plugin does not know this step; an officer handles it")
}

// note is a finding for an officer: nothing that the applicant could mend.
func note(code, path, zh, en string) plugin.Finding {
	return plugin.Finding{Code: code, Severity: plugin.Note, Path: path, TextZH: zh, TextEN: en}
}

// missing is the doubt about an answer that the decision needs and does not have.
func missing(path string) plugin.Finding {
	return note("input_missing", path, "缺少核定所需的信息，由经办人核实", "Information that the decision needs is missing")
}

// undetermined hands doubts to an officer; there is at least one.
func undetermined(doubts []plugin.Finding) (plugin.Decision, error) {
	return plugin.Undetermined(doubts[0], doubts[1:]...), nil
}

// Paths that both steps read.
const (
	pathName   = "form.retiree.name"
	pathNumber = "form.retiree.id_no"
)

// sourceAccount is the shared data of contribution accounts, by citizen number.
const sourceAccount = "pension_account"

// account is what the contribution account says. What it does not say is nil.
type account struct {
	state            string  // contributing, interrupted, retired …
	paid, deemed     *int64  // months
	index            *string // lifetime average, decimal
	deemedIndex      *string // index of the deemed months, decimal
	balance          *int64  // fen
	post             string  // of a woman: managing, worker; empty if it does not say
	specialYears     *int64  // full years recorded in special posts
	specialPostKinds string  // kind of these posts: heavy, underground, harmful
}

// lookUp returns the account under a number, or the doubt that keeps it from being used: the source is silent, there
// is no account, or it is somebody else's.
func lookUp(call *plugin.Call, number plugin.CitizenNumber, name, purpose string) (*account, *plugin.Finding, error) {
	entry, err := call.SharedData(sourceAccount, string(number), purpose)
	if err != nil {
		return nil, nil, err
	}
	holder, _ := entry.Values.Text("name")
	var doubt plugin.Finding
	switch {
	case !entry.Answered:
		doubt = note("source_silent", "", "养老保险参保账户暂时无法查询，由经办人核实", "The contribution account does not answer; an officer looks it up")
	case !entry.Found:
		doubt = note("account_not_found", pathNumber, "本省没有该参保人的养老保险账户，由经办人核实参保地", "No account in this province; an officer finds out where the contributions are")
	case holder != name:
		doubt = note("account_name", pathName, "姓名与养老保险账户不一致，由经办人核实", "The name differs from the account")
	default:
		v := entry.Values
		a := account{}
		a.state, _ = v.Text("state")
		a.paid = ptr(v.Int("paid_months"))
		a.deemed = ptr(v.Int("deemed_months"))
		a.index = ptr(decimal(v, "average_index"))
		a.deemedIndex = ptr(decimal(v, "deemed_index"))
		a.balance = ptr(money(v, "balance"))
		a.post, _ = v.Text("post")
		a.specialYears = ptr(v.Int("special_years"))
		a.specialPostKinds, _ = v.Text("special_kind")
		return &a, nil, nil
	}
	return nil, &doubt, nil
}

func ptr[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

func decimal(f plugin.Fields, name string) (string, bool) {
	d, ok := f.Decimal(name)
	return string(d), ok
}

func money(f plugin.Fields, name string) (int64, bool) {
	m, ok := f.Money(name)
	return int64(m), ok
}

// equalDecimal is true if two decimals are the same number of up to six digits.
func equalDecimal(a, b string) bool {
	x, errX := civil.Decimal(a, 6)
	y, errY := civil.Decimal(b, 6)
	return errX == nil && errY == nil && x == y
}
