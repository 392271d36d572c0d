package main

import (
	"maps"
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

// account has 50 000 yuan and asks for 12 000 of it, after a home of 300 000 was paid for.
func account(reason string, changes plugin.Values) plugin.Values {
	answers := plugin.Values{
		pathReason: plugin.Choice(reason), pathAmount: plugin.Money(1_200_000), pathCost: plugin.Money(30_000_000), pathJoint: plugin.Bool(false),
		pathOver: plugin.Bool(false), pathMonths: plugin.Int(36), pathBalance: plugin.Money(5_000_000), pathLoan: plugin.Bool(false), pathHomes: plugin.Int(0),
	}
	maps.Copy(answers, changes)
	maps.DeleteFunc(answers, func(_ string, v plugin.Value) bool { return v == nil })
	return answers
}

func paid(fen int64, closes bool) plugintest.Want {
	return plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{"paid": plugin.Money(fen), "closes": plugin.Bool(closes)}}
}

func rejected(finding string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.Rejected, Findings: []string{finding}}
}

func officer(finding string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{finding}}
}

func cases() []plugintest.Case {
	decide := func(name, reason string, changes plugin.Values, want plugintest.Want) plugintest.Case {
		return plugintest.Case{
			Name: name, Hook: plugin.HookDecide, Bundle: "fund_withdraw", Step: "withdraw", Today: "2026-03-16", Place: "321323",
			Answers:    account(reason, changes),
			Parameters: plugin.Values{paramMonths: plugin.Int(3), paramRent: plugin.Money(1_200_000)}, Want: want,
		}
	}
	money := func(fen int64) plugin.Values { return plugin.Values{pathAmount: plugin.Money(fen)} }
	both := func(fen int64) plugin.Values {
		return plugin.Values{pathAmount: plugin.Money(fen), pathJoint: plugin.Bool(true)}
	}
	all := []plugintest.Case{
		decide("a home is bought", "purchase", nil, paid(1_200_000, false)),
		decide("a home is built", "build", nil, paid(1_200_000, false)),
		decide("a home is rebuilt", "rebuild", nil, paid(1_200_000, false)),
		decide("a loan is repaid", "repay", nil, paid(1_200_000, false)),
		decide("a loan of the fund is repaid", "repay", plugin.Values{pathLoan: plugin.Bool(true)}, paid(1_200_000, false)),
		decide("a loan of the fund is open", "purchase", plugin.Values{pathLoan: plugin.Bool(true)}, officer("loan_open@"+pathLoan)),
		decide("the whole balance", "purchase", money(5_000_000), paid(5_000_000, false)),
		decide("a fen more than the balance", "purchase", money(5_000_001), rejected("above_balance@"+pathAmount)),
		decide("a fen more, with the spouse", "purchase", both(5_000_001), officer("spouse_balance@"+pathAmount)),
		decide("exactly what it cost", "rebuild", plugin.Values{pathCost: plugin.Money(1_200_000)}, paid(1_200_000, false)),
		decide("a fen more than it cost", "rebuild", plugin.Values{pathCost: plugin.Money(1_199_999)}, rejected("above_cost@"+pathAmount)),
		decide("a lift", "lift", nil, officer("other_reason@"+pathReason)),

		decide("rent, exactly the limit", "rent", nil, paid(1_200_000, false)),
		decide("rent, a fen more", "rent", money(1_200_001), rejected("above_rent_limit@"+pathAmount)),
		decide("rent of both, twice the limit", "rent", both(2_400_000), paid(2_400_000, false)),
		decide("rent of both, a fen more", "rent", both(2_400_001), rejected("above_rent_limit")),
		decide("rent by the lease", "rent", plugin.Values{pathOver: plugin.Bool(true)}, officer("lease_to_compare@"+pathOver)),
		decide("rent with a home", "rent", plugin.Values{pathHomes: plugin.Int(1)}, rejected("has_home@"+pathHomes)),
		decide("rent by the lease, with a home", "rent", plugin.Values{pathOver: plugin.Bool(true), pathHomes: plugin.Int(1)}, rejected("has_home")),
		decide("rent after three months", "rent", plugin.Values{pathMonths: plugin.Int(3)}, paid(1_200_000, false)),
		decide("rent after two months", "rent", plugin.Values{pathMonths: plugin.Int(2)}, rejected("months_short@"+pathMonths)),
		decide("homes do not count otherwise", "purchase", plugin.Values{pathHomes: plugin.Int(2), pathMonths: plugin.Int(0)}, paid(1_200_000, false)),

		decide("retired", "retired", money(5_000_000), paid(5_000_000, true)),
		decide("unable to work", "disabled", money(5_000_000), paid(5_000_000, true)),
		decide("settled abroad", "abroad", money(5_000_000), paid(5_000_000, true)),
		decide("retired, and leaves a fen", "retired", money(4_999_999), officer("closes_account@"+pathAmount)),
		decide("retired, with the spouse", "retired", both(5_000_000), officer("closes_one@"+pathJoint)),
	}
	for _, tt := range []struct{ path, reason string }{
		{pathReason, "rent"}, {pathAmount, "rent"}, {pathBalance, "rent"}, {pathLoan, "rent"}, {pathJoint, "rent"},
		{pathMonths, "rent"}, {pathHomes, "rent"}, {pathOver, "rent"}, {pathCost, "purchase"},
	} {
		all = append(all, decide("without "+tt.path, tt.reason, plugin.Values{tt.path: nil}, officer("input_missing@"+tt.path)))
	}
	for _, tt := range []struct {
		path, reason string
		value        plugin.Value
	}{
		{pathAmount, "purchase", plugin.Money(0)},
		{pathAmount, "purchase", plugin.Money(mostMoney + 1)},
		{pathBalance, "purchase", plugin.Money(-1)},
		{pathBalance, "purchase", plugin.Money(mostMoney + 1)},
		{pathCost, "purchase", plugin.Money(0)},
		{pathCost, "purchase", plugin.Money(mostMoney + 1)},
		{pathMonths, "rent", plugin.Int(-1)},
		{pathHomes, "rent", plugin.Int(-1)},
	} {
		name := tt.path + " that cannot be"
		if m, ok := tt.value.(plugin.Money); ok {
			name += ", " + m.String()
		}
		all = append(all, decide(name, tt.reason, plugin.Values{tt.path: tt.value}, officer("input_missing@"+tt.path)))
	}
	for name, parameters := range map[string]plugin.Values{
		"no parameter is published":          nil,
		"the months are not published":       {paramRent: plugin.Money(1_200_000)},
		"the rent is not published":          {paramMonths: plugin.Int(3)},
		"a rent of nothing is published":     {paramMonths: plugin.Int(3), paramRent: plugin.Money(0)},
		"an absurd rent is published":        {paramMonths: plugin.Int(3), paramRent: plugin.Money(mostMoney + 1)},
		"months below nothing are published": {paramMonths: plugin.Int(-1), paramRent: plugin.Money(1_200_000)},
	} {
		c := decide(name, "rent", nil, officer("parameter_missing"))
		c.Parameters = parameters
		all = append(all, c)
	}
	return all
}

func TestHousingFund(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, housingFund(), cases())
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, housingFund(), cases())
}
