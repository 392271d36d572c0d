// Command dibao is the plugin civil_affairs/dibao: it works out the subsistence allowance of a family whose means were
// checked. README.md says what it decides and what it leaves to an officer.
package main

import plugin "github.com/siyiban/onething/sdk/go"

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(dibao())

func main() {}

func dibao() plugin.Plugin { return plugin.Plugin{Decide: decide} }

// Paths and the parameter.
const (
	pathMembers  = "form.family_economy.members"
	pathCategory = "own.category"
	pathIncome   = "results.check.income"
	paramLine    = "dibao_line"

	basis = "社会救助法 第十八条、第二十一条"
)

// Bounds beyond which a figure is an error of the record: thirty members, and an income per head in fen.
const (
	mostMembers = 30
	mostIncome  = 10_000_000_00
)

func decide(call *plugin.Call) (plugin.Decision, error) {
	category, asked := call.Choice(pathCategory)
	members, counted := call.Int(pathMembers)
	income, checked := call.Money(pathIncome)
	line, published := call.Parameters.Money(paramLine)
	switch {
	case !asked:
		return doubt("input_missing", pathCategory, "缺少申请类别，由经办人核实"), nil
	case category != "dibao":
		return doubt("other_status", pathCategory, "低保边缘和支出型困难由经办人认定"), nil
	case !counted || members < 1 || members > mostMembers:
		return doubt("input_missing", pathMembers, "缺少共同生活成员人数，由经办人核实"), nil
	case !checked || income < 0 || income > mostIncome:
		return doubt("income_missing", pathIncome, "缺少核对的月人均收入，由经办人核实"), nil
	case !published || line <= 0:
		return doubt("parameter_missing", "", "低保标准尚未公布，由经办人核定"), nil
	case income >= line:
		return plugin.Reject(plugin.Finding{
			Code: "above_line", Severity: plugin.Obstacle, Path: pathIncome, Basis: basis,
			TextZH: "核对的月人均收入不低于低保标准 " + line.String() + " 元，可以改申请低保边缘或者支出型困难",
			TextEN: "The income per head as checked is not below the line",
		}), nil
	}
	// The number of the notice is the office's to give, so an officer confirms; the amount is worked out for them.
	return plugin.Undetermined(plugin.Finding{
		Code: "amount", Severity: plugin.Note, Path: pathIncome, Basis: basis,
		TextZH: "按差额补助核算，全家每月 " + allowance(line, income, members).String() + " 元，请核对后签发确认通知书",
		TextEN: "The allowance of the family per month, to be confirmed: " + allowance(line, income, members).String(),
	}), nil
}

// allowance makes up what a family lacks: (line − income per head) × members. The income was rounded once, by the check.
func allowance(line, income plugin.Money, members int64) plugin.Money {
	return (line - income) * plugin.Money(members)
}

// doubt leaves the step to an officer.
func doubt(code, path, text string) plugin.Decision {
	return plugin.Undetermined(plugin.Finding{Code: code, Severity: plugin.Note, Path: path, TextZH: text, Basis: basis})
}
