package main

import (
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

func family(members, income int64) plugin.Values {
	return plugin.Values{pathCategory: plugin.Choice("dibao"), pathMembers: plugin.Int(members), pathIncome: plugin.Money(income)}
}

func line(fen int64) plugin.Values { return plugin.Values{paramLine: plugin.Money(fen)} }

func officer(finding string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{finding}}
}

func cases() []plugintest.Case {
	decide := func(name string, answers, parameters plugin.Values, want plugintest.Want) plugintest.Case {
		return plugintest.Case{
			Name: name, Hook: plugin.HookDecide, Bundle: "low_income_support", Step: "approve", Today: "2026-07-16", Place: "321323",
			Answers: answers, Parameters: parameters, Want: want,
		}
	}
	without := func(path string) plugin.Values {
		answers := family(4, 55000)
		delete(answers, path)
		return answers
	}
	edge := family(4, 55000)
	edge[pathCategory] = plugin.Choice("edge")
	above := plugintest.Want{Outcome: plugin.Rejected, Findings: []string{"above_line@" + pathIncome}}
	return []plugintest.Case{
		decide("four members, 550 a head", family(4, 55000), line(85000), officer("amount")),
		decide("a fen below the line", family(3, 84999), line(85000), officer("amount")),
		decide("exactly the line", family(3, 85000), line(85000), above),
		decide("above the line", family(2, 127500), line(85000), above),
		decide("no income", family(1, 0), line(85000), officer("amount")),
		decide("another status", edge, line(85000), officer("other_status@"+pathCategory)),
		decide("the line is not published", family(4, 55000), nil, officer("parameter_missing")),
		decide("a line of nothing", family(4, 55000), line(0), officer("parameter_missing")),
		decide("nobody", family(0, 55000), line(85000), officer("input_missing@"+pathMembers)),
		decide("too many", family(31, 55000), line(85000), officer("input_missing@"+pathMembers)),
		decide("an income that cannot be", family(4, -1), line(85000), officer("income_missing")),
		decide("no category", without(pathCategory), line(85000), officer("input_missing@"+pathCategory)),
		decide("no members", without(pathMembers), line(85000), officer("input_missing@"+pathMembers)),
		decide("not checked", without(pathIncome), line(85000), officer("income_missing@"+pathIncome)),
	}
}

func TestDibao(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, dibao(), cases())
}

// The figures of the law's examples, in fen.
func TestAllowance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line, income, members int64
		want                  string
	}{{85000, 55000, 4, "1200.00"}, {85000, 80000, 2, "100.00"}, {85000, 84999, 3, "0.03"}, {78000, 0, 1, "780.00"}} {
		if got := allowance(plugin.Money(tt.line), plugin.Money(tt.income), tt.members).String(); got != tt.want {
			t.Errorf("%d, %d, %d: %s, want %s", tt.line, tt.income, tt.members, got, tt.want)
		}
	}
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, dibao(), cases())
}
