package main

import (
	"errors"

	"github.com/siyiban/onething/examples/plugins/civil"
	"github.com/siyiban/onething/examples/plugins/notice"
	plugin "github.com/siyiban/onething/sdk/go"
)

// Paths and parameters of the amount.
const (
	pathIndex        = "own.average_index"
	pathBalance      = "own.account_balance"
	pathAuditRetire  = "results.audit.retire_date"
	pathAuditAge     = "results.audit.age_months"
	pathAuditPaid    = "results.audit.paid_months"
	pathAuditDeemed  = "results.audit.deemed_months"
	paramBase        = "pension_base"
	paramTransition  = "pension_transition_percent"
	paramDivisorRule = "pension_divisor_rule"
	paramYearsRule   = "pension_years_rule"
	paramRounding    = "pension_rounding"

	purposeAmount = "核定基本养老金"
	basisAmount   = "国发〔2005〕38号 第六条"
)

// decideAmount works out the pension of an audited retirement from the account and the parameters of its year. What the
// form says of index and balance is compared with the account, which is the record; what it leaves blank comes from
// there.
func decideAmount(call *plugin.Call) (plugin.Decision, error) {
	name, named := call.Text(pathName)
	number, numbered := call.CitizenNumber(pathNumber)
	retire, retired := call.Date(pathAuditRetire)
	age, aged := call.Int(pathAuditAge)
	paid, counted := call.Int(pathAuditPaid)
	deemed, audited := call.Int(pathAuditDeemed)
	var doubts []plugin.Finding
	for _, need := range []struct {
		path string
		ok   bool
	}{{pathName, named}, {pathNumber, numbered}, {pathAuditRetire, retired}, {pathAuditAge, aged}, {pathAuditPaid, counted}, {pathAuditDeemed, audited}} {
		if !need.ok {
			doubts = append(doubts, missing(need.path))
		}
	}
	// What counts is in force in the year of retirement, which need not be that of the day of receipt.
	parameters := call.Parameters
	if retired && retire.Year != call.Today().Year {
		parameters = call.ParametersOn(retire)
		if !parameters.Has(paramBase) {
			doubts = append(doubts, note("parameter_year", pathAuditRetire, "退休年度的计发基数尚未公布，由经办人核定", "The base of the year of retirement is not published"))
			parameters = call.Parameters
		}
	}
	l, gaps := readLocal(parameters, deemed > 0, age%12 != 0)
	if doubts = append(doubts, gaps...); len(doubts) > 0 {
		return undetermined(doubts)
	}

	a, doubt, err := lookUp(call, number, name, purposeAmount)
	switch {
	case err != nil:
		return plugin.Decision{}, err
	case doubt != nil:
		return plugin.Undetermined(*doubt), nil
	}
	person := insured{Months: int(paid + deemed), Deemed: int(deemed), Age: int(age)}
	if doubts := a.fill(call, &person, &l); len(doubts) > 0 {
		return undetermined(doubts)
	}
	pay, err := monthly(l, person)
	if err != nil {
		return plugin.Undetermined(outOfBounds(err)), nil
	}
	return plugin.Approve(plugin.Values{
		"basic":      plugin.Money(pay.Basic),
		"account":    plugin.Money(pay.Account),
		"transition": plugin.Money(pay.Transition),
		"monthly":    plugin.Money(pay.Total),
		"paid_from":  paidFrom(retire),
	}), nil
}

// readLocal reads the province's parameters. One that is not published and that this pension needs is a doubt: last
// year's value never stands in, and no rule is assumed.
func readLocal(parameters plugin.Fields, transition, brokenAge bool) (local, []plugin.Finding) {
	var l local
	var doubts []plugin.Finding
	need := func(id string, ok bool) {
		if !ok {
			doubts = append(doubts, note("parameter_missing", "", "参数“"+id+"”尚未公布，由经办人核定", "The parameter "+id+" is not published"))
		}
	}
	rule := func(id, first, second string) bool {
		text, _ := parameters.Text(id)
		need(id, text == first || text == second)
		return text == second
	}
	base, ok := parameters.Money(paramBase)
	need(paramBase, ok)
	l.Base = int64(base)
	if brokenAge {
		l.Interpolate = rule(paramDivisorRule, "year_below", "interpolate")
	}
	l.TwoDecimals = rule(paramYearsRule, "exact", "two_decimals")
	l.UpToJiao = rule(paramRounding, "fen", "jiao_up")
	if transition {
		percent, _ := parameters.Decimal(paramTransition)
		rate, err := civil.Decimal(string(percent), 4)
		need(paramTransition, err == nil)
		l.Rate = rate
	}
	return l, doubts
}

// fill takes the person's own figures from the account and compares the form with them.
func (a account) fill(call *plugin.Call, person *insured, l *local) []plugin.Finding {
	var doubts []plugin.Finding
	index, answered := call.Decimal(pathIndex)
	switch {
	case a.index == nil:
		doubts = append(doubts, missing(pathIndex))
	case answered && !equalDecimal(string(index), *a.index):
		doubts = append(doubts, note("index_differs", pathIndex, "平均缴费工资指数与参保账户不一致，由经办人核定", "The average index differs from the account"))
	default:
		n, err := civil.Decimal(*a.index, 6)
		if err != nil {
			doubts = append(doubts, missing(pathIndex))
		}
		person.Index = n
	}
	balance, answered := call.Money(pathBalance)
	switch {
	case a.balance == nil:
		doubts = append(doubts, missing(pathBalance))
	case answered && int64(balance) != *a.balance:
		doubts = append(doubts, note("balance_differs", pathBalance, "个人账户储存额与参保账户不一致，由经办人核定", "The balance differs from the account"))
	default:
		person.Balance = *a.balance
	}
	if person.Deemed > 0 {
		// The index of deemed months is settled by the province for each person, with the deemed months themselves.
		var err error
		if a.deemedIndex == nil {
			err = civil.ErrDecimal
		} else {
			l.DeemedIndex, err = civil.Decimal(*a.deemedIndex, 6)
		}
		if err != nil {
			doubts = append(doubts, note("deemed_index_missing", pathAuditDeemed, "视同缴费指数尚未核定，由经办人核定", "The index of the deemed months is not settled"))
		}
	}
	return doubts
}

// outOfBounds says which figure no formula is meant for.
func outOfBounds(err error) plugin.Finding {
	switch {
	case errors.Is(err, errAge):
		return note("age_out_of_table", pathAuditAge, "退休年龄不在计发月数表（40至70岁）内，由经办人核定", "The age is not in the table of divisors")
	case errors.Is(err, errIndex):
		return note("index_out_of_range", pathIndex, "平均缴费工资指数不在0.6至3之间，由经办人核定", "The average index is not within 0.6 and 3")
	default:
		return note("figure_out_of_range", "", "核定数据超出合理范围，由经办人核定", "A figure is out of range")
	}
}

// proposeAmount fills in what the account says of index and balance.
func (a account) proposeAmount() plugin.Values {
	proposals := plugin.Values{}
	if a.index != nil {
		proposals[pathIndex] = plugin.Decimal(*a.index)
	}
	if a.balance != nil {
		proposals[pathBalance] = plugin.Money(*a.balance)
	}
	return proposals
}

// issueAmount is the statement of the pension.
func issueAmount(call *plugin.Call) (plugin.Document, error) {
	name, _ := call.Text(pathName)
	number, _ := call.CitizenNumber(pathNumber)
	basic, _ := call.Result.Money("basic")
	fromAccount, _ := call.Result.Money("account")
	transition, _ := call.Result.Money("transition")
	total, _ := call.Result.Money("monthly")
	from, _ := call.Result.Date("paid_from")
	return notice.Document("基本养老金待遇核定单", []notice.Line{
		{Label: "姓名", Text: name},
		{Label: "公民身份号码", Text: string(number)},
		{Label: "基础养老金", Text: basic.String() + " 元"},
		{Label: "个人账户养老金", Text: fromAccount.String() + " 元"},
		{Label: "过渡性养老金", Text: transition.String() + " 元"},
		{Label: "月养老金合计", Text: total.String() + " 元"},
		{Label: "起发日期", Text: civil.Chinese(from)},
	}, "依照"+basisAmount+"及本省规定核定。对核定有异议的，可以依法申请行政复议或者提起行政诉讼。"), nil
}
