// Command schooldistrict is the plugin education/school_district: it gives a child a place in the school of its
// district where there is one for everybody of its order. README.md says what it decides and what it leaves to an
// officer.
package main

import (
	"slices"

	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(schoolDistrict())

func main() {}

func schoolDistrict() plugin.Plugin { return plugin.Plugin{Decide: decide} }

// Paths.
const (
	pathDistrict = "own.district"
	pathOrder    = "own.order"
	pathGrade    = "form.student.grade"
	pathSchool   = "form.student.school"
	pathAddress  = "form.residence.addr"

	purpose = "核对学区范围、学校和剩余学位"
	basis   = "义务教育法 第十二条"
)

// sourceDistricts is the shared data of districts, by grade and name (`primary/实验小学学区`): region, a code of
// GB/T 2260; school; places; and for each order how many applied (`applied_register` …) once applications are closed.
const sourceDistricts = "school_districts"

// most bounds a number of places or applicants, beyond which it is an error of the register.
const most = 100_000

func decide(call *plugin.Call) (plugin.Decision, error) {
	district, named := call.Text(pathDistrict)
	order, ordered := call.Choice(pathOrder)
	grade, graded := call.Choice(pathGrade)
	school, wished := call.Text(pathSchool)
	address, lives := call.Address(pathAddress)
	rank := slices.Index(ranks(), order)
	switch {
	case !named || district == "":
		return missing(pathDistrict), nil
	case !ordered || rank < 0:
		return missing(pathOrder), nil
	case !graded:
		return missing(pathGrade), nil
	case !wished || school == "":
		return missing(pathSchool), nil
	case !lives || address.Region == "":
		return missing(pathAddress), nil
	case grade != "primary" && grade != "junior":
		return doubt("other_grade", pathGrade, "学区只适用于小学一年级和初中一年级，由经办人办理"), nil
	}

	entry, err := call.SharedData(sourceDistricts, grade+"/"+district, purpose)
	switch {
	case err != nil:
		return plugin.Decision{}, err
	case !entry.Answered:
		return doubt("source_silent", "", "学区信息暂时无法查询，由经办人核实"), nil
	case !entry.Found:
		return doubt("district_unknown", pathDistrict, "没有公布这个学区，由经办人核实"), nil
	}
	if region, ok := entry.Values.Text("region"); !ok || !within(address.Region, region) {
		return doubt("outside_district", pathAddress, "居住地址不在所填学区范围内，由经办人核实"), nil
	}
	if its, ok := entry.Values.Text("school"); !ok || its != school {
		return doubt("school_differs", pathSchool, "申请就读的学校不是所填学区的学校，由经办人核实"), nil
	}
	places, counted := entry.Values.Int("places")
	applied := make([]int64, 0, len(ranks()))
	for _, r := range ranks() {
		n, ok := entry.Values.Int("applied_" + r)
		counted = counted && ok && 0 <= n && n <= most
		applied = append(applied, n)
	}
	// Who applies is counted among the applicants of the rank: none there means that they were counted too early.
	if !counted || places < 0 || places > most || applied[rank] == 0 {
		return doubt("places_unknown", "", "剩余学位或者报名人数尚不明确，由经办人核实"), nil
	}
	switch stand(rank, applied, places) {
	case sure:
		return plugin.Approve(plugin.Values{"school": plugin.Text(school), "rank": plugin.Int(int64(rank) + 1)}), nil
	case tight:
		return doubt("places_short", pathOrder, "同一顺位的报名人数多于剩余学位，由教育局按公布的办法排序"), nil
	default:
		return doubt("district_full", pathOrder, "本学区学位已满，由教育局统筹安排到相对就近的学校"), nil
	}
}

// doubt leaves the step to an officer. There is no refusal: every child has a place, if not in this school.
func doubt(code, path, text string) plugin.Decision {
	return plugin.Undetermined(plugin.Finding{Code: code, Severity: plugin.Note, Path: path, TextZH: text, Basis: basis})
}

func missing(path string) plugin.Decision {
	return doubt("input_missing", path, "缺少分配学位所需的信息，由经办人核实")
}
