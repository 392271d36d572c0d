// Command foodpermit is the plugin market_regulation/food_permit: it finds what an application for a food permit lacks,
// while the applicant can still add it. README.md says what it finds and what it leaves to an officer.
package main

import (
	"slices"
	"strconv"
	"strings"

	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(foodPermit())

func main() {}

func foodPermit() plugin.Plugin { return plugin.Plugin{Check: check} }

const (
	pathKind       = "form.food_operation.kind"
	pathItems      = "form.food_operation.items"
	pathOfficer    = "form.food_operation.safety_officer"
	pathStaff      = "form.staff_health.count"
	pathCertified  = "form.staff_health.health_ok"
	pathDocuments  = "own.documents"
	pathFacilities = "own.facilities"
	pathOnline     = "own.licence_online"
	pathVending    = "own.vending"

	measures = "食品经营许可和备案管理办法"
)

func check(call *plugin.Call) ([]plugin.Finding, error) {
	kind, _ := call.Choice(pathKind)
	items, chosen := call.Choices(pathItems)
	if recordOnly(kind, items) {
		// Who only has to be recorded needs none of what follows.
		return []plugin.Finding{{Code: "record_enough", Severity: plugin.Obstacle, Path: pathItems, Basis: "食品安全法 第三十五条",
			TextZH: "仅销售预包装食品的，不需要取得许可，请改办备案", TextEN: "Who sells prepacked food only needs no permit, and is recorded"}}, nil
	}
	var found []plugin.Finding
	if officer, said := call.Bool(pathOfficer); said && !officer {
		found = append(found, plugin.Finding{Code: "no_safety_officer", Severity: plugin.Obstacle, Path: pathOfficer, Basis: "食品安全法 第三十三条",
			TextZH: "请先配备专职或者兼职的食品安全管理人员", TextEN: "There has to be somebody in charge of food safety"})
	}
	if rawCanteen(kind, items) {
		found = append(found, plugin.Finding{Code: "raw_in_canteen", Severity: plugin.Note, Path: pathItems, Basis: measures,
			TextZH: "单位食堂制售生食类食品的，由许可机关核实；学校和托幼机构食堂不得制售", TextEN: "Raw dishes in a canteen are an officer's to look at"})
	}
	found = append(found, uncertified(call)...)

	online, _ := call.Bool(pathOnline)
	vending, _ := call.Bool(pathVending)
	if there, said := call.Choices(pathDocuments); said {
		found = append(found, lacking("document_missing", pathDocuments, "缺少申请材料：", documents(online, vending), there)...)
	}
	if there, said := call.Choices(pathFacilities); said && chosen {
		found = append(found, lacking("facility_missing", pathFacilities, "所选经营项目还需要：", facilities(items), there)...)
	}
	return found, nil
}

// uncertified notes how many of the staff have no health certificate yet. Only who touches food that is eaten as it is
// needs one, which the form does not say.
func uncertified(call *plugin.Call) []plugin.Finding {
	staff, counted := call.Int(pathStaff)
	certified, said := call.Int(pathCertified)
	if !counted || !said || certified >= staff {
		return nil
	}
	return []plugin.Finding{{Code: "staff_uncertified", Severity: plugin.Note, Path: pathCertified, Basis: "食品安全法 第四十五条",
		TextZH: "还有 " + strconv.FormatInt(staff-certified, 10) + " 人没有有效健康证明，接触直接入口食品的，取得后方可上岗",
		TextEN: "Nobody touches food that is eaten as it is without a health certificate"}}
}

// lacking are the findings for what is needed and not there, in the order of what is needed.
func lacking(code, path, text string, needed []need, there []string) (found []plugin.Finding) {
	for _, n := range needed {
		if slices.ContainsFunc(n.any, func(id string) bool { return slices.Contains(there, id) }) {
			continue
		}
		found = append(found, plugin.Finding{Code: code, Severity: plugin.Correct, Path: path, Basis: measures,
			TextZH: text + n.zh, TextEN: "Missing: " + strings.Join(n.any, " or ")})
	}
	return found
}
