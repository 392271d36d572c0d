package main

import (
	"github.com/siyiban/onething/examples/plugins/civil"
	"github.com/siyiban/onething/examples/plugins/notice"
	plugin "github.com/siyiban/onething/sdk/go"
)

// Paths of a death.
const (
	pathDead     = "form.decedent.name"
	pathDeadID   = "form.decedent.id_no"
	pathDied     = "form.decedent.death_date"
	purposeDeath = "办理死亡户口注销"
	basisDeath   = "户口登记条例 第八条"
)

// deathFaults are what the form says that cannot be right.
func deathFaults(number plugin.CitizenNumber, died, today plugin.Date) []plugin.Finding {
	var found []plugin.Finding
	if !died.IsZero() && today.Before(died) {
		found = append(found, plugin.Finding{Code: "died_later", Severity: plugin.Correct, Path: pathDied, Basis: basisDeath,
			TextZH: "死亡日期晚于申请日，请核对", TextEN: "The date of death is after the day of application"})
	}
	if number == "" {
		return found
	}
	n, ok := civil.ReadNumber(number)
	switch {
	case !ok:
		found = append(found, plugin.Finding{Code: "decedent_number", Severity: plugin.Correct, Path: pathDeadID, Basis: "GB 11643-1999",
			TextZH: "公民身份号码有误，请核对", TextEN: "The citizen number is wrong"})
	case !died.IsZero() && died.Before(n.Birth):
		found = append(found, plugin.Finding{Code: "died_before_birth", Severity: plugin.Correct, Path: pathDied,
			TextZH: "死亡日期早于身份号码中的出生日期，请核对", TextEN: "The date of death is before the birth in the number"})
	}
	return found
}

func checkDeath(call *plugin.Call) ([]plugin.Finding, error) {
	number, _ := call.CitizenNumber(pathDeadID)
	died, dated := call.Date(pathDied)
	found := deathFaults(number, died, call.Today())
	if dated && registerBy(died).Before(call.Today()) {
		found = append(found, lateDeath())
	}
	if _, ok := civil.ReadNumber(number); !ok {
		return found, nil
	}
	entry, err := call.SharedData(sourcePopulation, string(number), purposeDeath)
	if err != nil {
		return nil, err
	}
	if !entry.Answered {
		return append(found, silent(sourcePopulation)), nil
	}
	if state, _ := entry.Values.Text("state"); entry.Found && state == "cancelled" {
		found = append(found, alreadyCancelled())
	}
	return found, nil
}

// decideDeath cancels the registration of a person who is registered under the name on the form. That the death is
// proven, by the certificate, is the step before this one.
func decideDeath(call *plugin.Call) (plugin.Decision, error) {
	name, named := call.Text(pathDead)
	number, numbered := call.CitizenNumber(pathDeadID)
	died, dated := call.Date(pathDied)
	doubts := deathFaults(number, died, call.Today())
	for _, need := range []struct {
		path string
		ok   bool
	}{{pathDead, named}, {pathDeadID, numbered}, {pathDied, dated}} {
		if !need.ok {
			doubts = append(doubts, missing(need.path))
		}
	}
	if len(doubts) > 0 {
		return plugin.Undetermined(doubts[0], doubts[1:]...), nil
	}

	entry, err := call.SharedData(sourcePopulation, string(number), purposeDeath)
	if err != nil {
		return plugin.Decision{}, err
	}
	known, _ := entry.Values.Text("name")
	state, _ := entry.Values.Text("state")
	switch {
	case !entry.Answered:
		return plugin.Undetermined(silent(sourcePopulation)), nil
	case entry.Found && state == "cancelled":
		return plugin.Reject(alreadyCancelled()), nil
	case !entry.Found || state != "registered":
		return plugin.Undetermined(plugin.Finding{Code: "not_registered", Severity: plugin.Note, Path: pathDeadID, Basis: basisDeath,
			TextZH: "人口登记信息中没有逝者的有效户口，由民警核实", TextEN: "The register has no valid entry of the decedent"}), nil
	case known != name:
		return plugin.Undetermined(plugin.Finding{Code: "decedent_name", Severity: plugin.Note, Path: pathDead,
			TextZH: "逝者姓名与人口登记信息不一致，由民警核实", TextEN: "The decedent's name differs from the register"}), nil
	}
	result := plugin.Values{"cancelled_on": call.Today()}
	if registerBy(died).Before(call.Today()) {
		return plugin.Approve(result, lateDeath()), nil
	}
	return plugin.Approve(result), nil
}

func alreadyCancelled() plugin.Finding {
	return plugin.Finding{Code: "already_cancelled", Severity: plugin.Obstacle, Path: pathDeadID, Basis: basisDeath,
		TextZH: "逝者户口已经注销，无需再次办理", TextEN: "The registration is cancelled already"}
}

func lateDeath() plugin.Finding {
	return plugin.Finding{Code: "registered_late", Severity: plugin.Note, Path: pathDied, Basis: basisDeath,
		TextZH: "已超过死亡登记的申报期限，仍可办理", TextEN: "Later than the law foresees, which is no obstacle"}
}

// issueDeath is the notice of the cancellation.
func issueDeath(call *plugin.Call) (plugin.Document, error) {
	on, _ := call.Result.Date("cancelled_on")
	name, _ := call.Text(pathDead)
	number, _ := call.CitizenNumber(pathDeadID)
	died, _ := call.Date(pathDied)
	return notice.Document("户口注销证明", []notice.Line{
		{Label: "姓名", Text: name},
		{Label: "公民身份号码", Text: string(number)},
		{Label: "死亡日期", Text: civil.Chinese(died)},
		{Label: "注销日期", Text: civil.Chinese(on)},
	}, "上述人员的户口已依照《中华人民共和国户口登记条例》注销。"), nil
}
