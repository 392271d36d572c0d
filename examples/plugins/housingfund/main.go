// Command housingfund is the plugin housing_fund/withdrawal: it decides what a person may withdraw from the housing
// fund. README.md says what it decides and what it leaves to an officer.
package main

import (
	"strconv"

	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(housingFund())

func main() {}

func housingFund() plugin.Plugin { return plugin.Plugin{Decide: decide} }

// Paths and parameters.
const (
	pathReason  = "own.reason"
	pathAmount  = "own.amount"
	pathCost    = "own.cost"
	pathJoint   = "own.joint"
	pathOver    = "own.over_quota"
	pathMonths  = "form.housing_fund.months"
	pathBalance = "form.housing_fund.balance"
	pathLoan    = "form.housing_fund.loan"
	pathHomes   = "results.homes.homes"

	paramMonths = "fund_rent_months"
	paramRent   = "fund_rent_limit"

	regulation = "住房公积金管理条例 第二十四条"
	rentNotice = "建金〔2015〕19号"
)

// mostMoney bounds an amount in fen, beyond which it is an error of the record.
const mostMoney = 100_000_000_00

func decide(call *plugin.Call) (plugin.Decision, error) {
	reason, asked := call.Choice(pathReason)
	amount, said := call.Money(pathAmount)
	balance, known := call.Money(pathBalance)
	loan, answered := call.Bool(pathLoan)
	joint, together := call.Bool(pathJoint)
	switch {
	case !asked:
		return missing(pathReason), nil
	case !said || amount <= 0 || amount > mostMoney:
		return missing(pathAmount), nil
	case !known || balance < 0 || balance > mostMoney:
		return missing(pathBalance), nil
	case !answered:
		return missing(pathLoan), nil
	case !together:
		return missing(pathJoint), nil
	case loan && reason != "repay":
		return doubt("loan_open", pathLoan, "有未结清的公积金贷款，由经办人核定先还贷的部分"), nil
	case amount > balance && joint:
		return doubt("spouse_balance", pathAmount, "申请金额超过本人账户余额，配偶账户由经办人核实"), nil
	case amount > balance:
		return reject("above_balance", pathAmount, "申请金额超过账户余额 "+balance.String()+" 元", "The amount is more than the balance"), nil
	}
	switch limitOf(reason) {
	case byCost:
		return ofCost(call, amount), nil
	case byRent:
		return ofRent(call, amount, joint), nil
	case whole:
		return ofWhole(amount, balance, joint), nil
	default:
		return doubt("other_reason", pathReason, "该情形由本地规定，由经办人核定"), nil
	}
}

// ofCost bounds the withdrawal by what the home cost, or was repaid.
func ofCost(call *plugin.Call, amount plugin.Money) plugin.Decision {
	cost, said := call.Money(pathCost)
	switch {
	case !said || cost <= 0 || cost > mostMoney:
		return missing(pathCost)
	case amount > cost:
		return reject("above_cost", pathAmount, "申请金额超过实际支出 "+cost.String()+" 元", "The amount is more than what was spent")
	default:
		return pay(amount, false)
	}
}

// ofRent bounds it by what is published for rent. More than that is paid for the rent of a registered lease, which an
// officer compares.
func ofRent(call *plugin.Call, amount plugin.Money, joint bool) plugin.Decision {
	months, counted := call.Int(pathMonths)
	homes, checked := call.Int(pathHomes)
	over, answered := call.Bool(pathOver)
	least, published := call.Parameters.Int(paramMonths)
	perPerson, priced := call.Parameters.Money(paramRent)
	switch {
	case !counted || months < 0:
		return missing(pathMonths)
	case !checked || homes < 0:
		return missing(pathHomes)
	case !answered:
		return missing(pathOver)
	case !published || least < 0 || !priced || perPerson <= 0 || perPerson > mostMoney:
		return doubt("parameter_missing", "", "租房提取的缴存月数或者限额尚未公布，由经办人核定")
	case homes > 0:
		return rejectRent("has_home", pathHomes, "本人及配偶在缴存地有自有住房，不符合租房提取条件", "There is a home of their own")
	case months < least:
		return rejectRent("months_short", pathMonths, "连续足额缴存不满 "+strconv.FormatInt(least, 10)+" 个月", "Not enough months were paid without a gap")
	case over:
		return doubt("lease_to_compare", pathOver, "按实际租金提取的，由经办人核对租赁备案")
	case amount > rentLimit(perPerson, joint):
		return rejectRent("above_rent_limit", pathAmount, "申请金额超过租房提取限额 "+rentLimit(perPerson, joint).String()+" 元", "The amount is more than the limit for rent")
	default:
		return pay(amount, false)
	}
}

// ofWhole closes the account: all of it is paid, and of one person only.
func ofWhole(amount, balance plugin.Money, joint bool) plugin.Decision {
	switch {
	case joint:
		return doubt("closes_one", pathJoint, "销户提取只及于本人账户，由经办人核实")
	case amount != balance:
		return doubt("closes_account", pathAmount, "该情形应当提取全部余额 "+balance.String()+" 元并注销账户，由经办人核实")
	default:
		return pay(amount, true)
	}
}

func pay(amount plugin.Money, closes bool) plugin.Decision {
	return plugin.Approve(plugin.Values{"paid": amount, "closes": plugin.Bool(closes)})
}

func reject(code, path, zh, en string) plugin.Decision {
	return plugin.Reject(plugin.Finding{Code: code, Severity: plugin.Obstacle, Path: path, TextZH: zh, TextEN: en, Basis: regulation})
}

func rejectRent(code, path, zh, en string) plugin.Decision {
	return plugin.Reject(plugin.Finding{Code: code, Severity: plugin.Obstacle, Path: path, TextZH: zh, TextEN: en, Basis: regulation + "；" + rentNotice})
}

// doubt leaves the step to an officer.
func doubt(code, path, text string) plugin.Decision {
	return plugin.Undetermined(plugin.Finding{Code: code, Severity: plugin.Note, Path: path, TextZH: text, Basis: regulation})
}

func missing(path string) plugin.Decision {
	return doubt("input_missing", path, "缺少核定提取所需的信息，由经办人核实")
}
