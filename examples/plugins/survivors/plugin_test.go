package main

import (
	"maps"
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	"github.com/siyiban/onething/examples/plugins/needs"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

// The numbers are made up, with check characters that are right.
const (
	deadNumber  = "321323194001010011"
	heirNumber  = "321323199508150024"
	wrongNumber = "321323199508150025"
)

// but is values with some changed; a nil value removes one.
func but(values, changes plugin.Values) plugin.Values {
	changed := maps.Clone(values)
	for path, v := range changes {
		if v == nil {
			delete(changed, path)
		} else {
			changed[path] = v
		}
	}
	return changed
}

func form() plugin.Values {
	return plugin.Values{
		pathDead: plugin.Text("赵德山"), pathDeadID: plugin.CitizenNumber(deadNumber), pathDied: plugin.MustDate("2026-02-20"), pathStatus: plugin.Choice("retired"),
		pathHeir: plugin.Text("赵敏"), pathHeirID: plugin.CitizenNumber(heirNumber), pathRelation: plugin.Choice("child"),
		pathHolder: plugin.Text("赵敏"), pathBank: plugin.Text("农业银行众兴支行"), pathAccount: plugin.Text("6228480402564890018"), pathOther: plugin.Bool(false),
	}
}

func pensioner() plugin.Values {
	return plugin.Values{"name": plugin.Text("赵德山"), "state": plugin.Text("retired"), "paid_months": plugin.Int(345), "received_months": plugin.Int(42)}
}

func employee(months int64) plugin.Values {
	return plugin.Values{"name": plugin.Text("赵德山"), "state": plugin.Text("contributing"), "paid_months": plugin.Int(months)}
}

func base(fen plugin.Money) plugin.Values { return plugin.Values{paramIncome: fen} }

func grantCase(name string, hook plugin.Hook, answers, parameters, entry plugin.Values, want plugintest.Want) plugintest.Case {
	return plugintest.Case{Name: name, Hook: hook, Bundle: "after_death", Step: "survivors", Today: "2026-03-20", Place: "321323", Answers: answers, Parameters: parameters,
		Shared: map[string]plugintest.Source{sourceAccount: {deadNumber: entry}}, Want: want}
}

func paid(funeral, lump, total plugin.Money, months string, findings ...string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.Approved, Findings: findings,
		Result: plugin.Values{"funeral_grant": funeral, "lump_sum": lump, "total": total, "lump_months": plugin.Text(months)}}
}

func undetermined(findings ...string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.NotDecidable, Findings: findings}
}

func cases() []plugintest.Case {
	decide := plugin.HookDecide
	employed := but(form(), plugin.Values{pathStatus: plugin.Choice("employed")})
	rejected := func(finding string) plugintest.Want {
		return plugintest.Want{Outcome: plugin.Rejected, Findings: []string{finding}}
	}
	all := []plugintest.Case{
		grantCase("a pensioner of three and a half years", decide, form(), base(281850), pensioner(), paid(563700, 5425613, 5989313, "19.25")),
		grantCase("a pensioner of long standing", decide, form(), base(281850), but(pensioner(), plugin.Values{"received_months": plugin.Int(186)}), paid(563700, 2536650, 3100350, "9")),
		grantCase("four years paid", decide, employed, base(501500), employee(48), paid(1003000, 1504500, 2507500, "3")),
		grantCase("fifteen years paid", decide, employed, base(501500), employee(180), paid(1003000, 4513500, 5516500, "9")),
		grantCase("275 months paid, payments interrupted", decide, employed, base(501500), but(employee(275), plugin.Values{"state": plugin.Text("interrupted")}),
			paid(1003000, 8483708, 9486708, "16.92")),
		grantCase("another scheme pays the funeral", decide, but(form(), plugin.Values{pathOther: plugin.Bool(true)}), base(281850), pensioner(),
			paid(0, 5425613, 5425613, "19.25", "one_funeral_grant@"+pathOther)),
		grantCase("the record agrees that another scheme pays", decide, but(form(), plugin.Values{pathOther: plugin.Bool(true)}), base(281850),
			but(pensioner(), plugin.Values{"other_funeral": plugin.Bool(true), "work_injury": plugin.Bool(false)}), paid(0, 5425613, 5425613, "19.25", "one_funeral_grant")),
		grantCase("a spouse", decide, but(form(), plugin.Values{pathRelation: plugin.Choice("spouse")}), base(281850), pensioner(), paid(563700, 5425613, 5989313, "19.25")),
		grantCase("a parent", decide, but(form(), plugin.Values{pathRelation: plugin.Choice("parent")}), base(281850), pensioner(), paid(563700, 5425613, 5989313, "19.25")),

		grantCase("paid before", decide, form(), base(281850), but(pensioner(), plugin.Values{"state": plugin.Text("settled")}), rejected("already_paid@"+pathDeadID)),

		grantCase("a brother", decide, but(form(), plugin.Values{pathRelation: plugin.Choice("sibling")}), base(281850), pensioner(), undetermined("relation_other@"+pathRelation)),
		grantCase("somebody else", decide, but(form(), plugin.Values{pathRelation: plugin.Choice("other")}), base(281850), pensioner(), undetermined("relation_other")),
		grantCase("the residents' scheme", decide, but(form(), plugin.Values{pathStatus: plugin.Choice("resident")}), base(281850), pensioner(), undetermined("local_scheme@"+pathStatus)),
		grantCase("not insured, but has an account", decide, but(form(), plugin.Values{pathStatus: plugin.Choice("none")}), base(281850), pensioner(), undetermined("status_differs@"+pathStatus)),
		grantCase("employed by the form, retired by the account", decide, employed, base(281850), pensioner(), undetermined("status_differs")),
		grantCase("retired by the form, employed by the account", decide, form(), base(281850), employee(345), undetermined("status_differs")),
		grantCase("another name", decide, but(form(), plugin.Values{pathDead: plugin.Text("赵德")}), base(281850), pensioner(), undetermined("decedent_name@"+pathDead)),
		grantCase("a fatal work injury", decide, form(), base(281850), but(pensioner(), plugin.Values{"work_injury": plugin.Bool(true)}), undetermined("work_injury")),
		grantCase("the record knows of another funeral grant", decide, form(), base(281850), but(pensioner(), plugin.Values{"other_funeral": plugin.Bool(true)}),
			undetermined("other_funeral_differs@"+pathOther)),
		grantCase("the record knows of no other funeral grant", decide, but(form(), plugin.Values{pathOther: plugin.Bool(true)}), base(281850),
			but(pensioner(), plugin.Values{"other_funeral": plugin.Bool(false)}), undetermined("other_funeral_differs")),
		grantCase("the months paid are not known", decide, form(), base(281850), but(pensioner(), plugin.Values{"paid_months": nil}), undetermined("months_missing")),
		grantCase("the months paid cannot be", decide, form(), base(281850), but(pensioner(), plugin.Values{"paid_months": plugin.Int(-1)}), undetermined("months_missing")),
		grantCase("more months than a life", decide, form(), base(281850), but(pensioner(), plugin.Values{"paid_months": plugin.Int(1201)}), undetermined("months_missing")),
		grantCase("the months received are not known", decide, form(), base(281850), but(pensioner(), plugin.Values{"received_months": nil}), undetermined("received_missing")),
		grantCase("the months received cannot be", decide, form(), base(281850), but(pensioner(), plugin.Values{"received_months": plugin.Int(1201)}), undetermined("received_missing")),
		grantCase("the income is not published", decide, form(), nil, pensioner(), undetermined("parameter_missing")),
		grantCase("an income of nothing", decide, form(), base(0), pensioner(), undetermined("parameter_missing")),
		grantCase("an income that cannot be", decide, form(), base(1_000_000_001), pensioner(), undetermined("parameter_missing")),
		grantCase("died in the year before", decide, but(form(), plugin.Values{pathDied: plugin.MustDate("2025-12-31")}), base(281850), pensioner(), undetermined("parameter_year@"+pathDied)),
		grantCase("died on the first day of the rules", decide, but(form(), plugin.Values{pathDied: plugin.MustDate("2021-09-01")}), base(281850), pensioner(), undetermined("parameter_year")),
		grantCase("died before the rules", decide, but(form(), plugin.Values{pathDied: plugin.MustDate("2021-08-31")}), base(281850), pensioner(), undetermined("before_rules@"+pathDied)),
		grantCase("died tomorrow", decide, but(form(), plugin.Values{pathDied: plugin.MustDate("2026-03-21")}), base(281850), pensioner(), undetermined("died_later@"+pathDied)),
		grantCase("the decedent's number is wrong", decide, but(form(), plugin.Values{pathDeadID: plugin.CitizenNumber(wrongNumber)}), base(281850), pensioner(), undetermined("number_wrong@"+pathDeadID)),
		grantCase("the survivor's number is wrong", decide, but(form(), plugin.Values{pathHeirID: plugin.CitizenNumber(wrongNumber)}), base(281850), pensioner(), undetermined("number_wrong@"+pathHeirID)),
		grantCase("one number for both", decide, but(form(), plugin.Values{pathHeirID: plugin.CitizenNumber(deadNumber)}), base(281850), pensioner(), undetermined("heir_is_decedent@"+pathHeirID)),
		grantCase("somebody else's account", decide, but(form(), plugin.Values{pathHolder: plugin.Text("钱七")}), base(281850), pensioner(), undetermined("holder_differs@"+pathHolder)),

		grantCase("nothing to find", plugin.HookCheck, form(), nil, pensioner(), plugintest.Want{}),
		grantCase("found: somebody else's account", plugin.HookCheck, but(form(), plugin.Values{pathHolder: plugin.Text("钱七")}), nil, pensioner(), plugintest.Want{Findings: []string{"holder_differs"}}),
		grantCase("found: paid before", plugin.HookCheck, form(), nil, but(pensioner(), plugin.Values{"state": plugin.Text("settled")}), plugintest.Want{Findings: []string{"already_paid"}}),
		grantCase("found: status differs", plugin.HookCheck, employed, nil, pensioner(), plugintest.Want{Findings: []string{"status_differs"}}),
		grantCase("what is not answered is not found", plugin.HookCheck, but(form(), plugin.Values{pathDead: nil}), nil, pensioner(), plugintest.Want{}),
		grantCase("no answer at all", plugin.HookCheck, nil, nil, nil, plugintest.Want{}),
		grantCase("found: a wrong number", plugin.HookCheck, but(form(), plugin.Values{pathDeadID: plugin.CitizenNumber(wrongNumber)}), nil, nil, plugintest.Want{Findings: []string{"number_wrong"}}),

		grantCase("proposes a pensioner", plugin.HookPrefill, form(), nil, pensioner(), plugintest.Want{Proposals: plugin.Values{pathStatus: plugin.Choice("retired")}}),
		grantCase("proposes an employee", plugin.HookPrefill, form(), nil, employee(1), plugintest.Want{Proposals: plugin.Values{pathStatus: plugin.Choice("employed")}}),
		grantCase("proposes nothing for another name", plugin.HookPrefill, but(form(), plugin.Values{pathDead: plugin.Text("赵")}), nil, pensioner(), plugintest.Want{}),
		grantCase("proposes nothing of a settled account", plugin.HookPrefill, form(), nil, but(pensioner(), plugin.Values{"state": plugin.Text("settled")}), plugintest.Want{}),
		grantCase("proposes nothing without a number", plugin.HookPrefill, but(form(), plugin.Values{pathDeadID: nil}), nil, pensioner(), plugintest.Want{}),
	}
	for path := range form() {
		all = append(all, grantCase("without "+path, decide, but(form(), plugin.Values{path: nil}), base(281850), pensioner(), undetermined("input_missing@"+path)))
	}
	silent := grantCase("the account is silent", decide, form(), base(281850), nil, undetermined("source_silent"))
	silent.Shared = map[string]plugintest.Source{sourceAccount: nil}
	checkSilent := grantCase("found: the account is silent", plugin.HookCheck, form(), nil, nil, plugintest.Want{Findings: []string{"source_silent"}})
	checkSilent.Shared = silent.Shared
	notFound := grantCase("no account", decide, form(), base(281850), nil, undetermined("account_not_found@"+pathDeadID))
	notFound.Shared = map[string]plugintest.Source{sourceAccount: {}}
	notInsured := grantCase("not insured", decide, but(form(), plugin.Values{pathStatus: plugin.Choice("none")}), base(281850), nil, rejected("not_insured@"+pathStatus))
	notInsured.Shared = notFound.Shared
	silentNone := grantCase("not insured, and the account is silent", decide, but(form(), plugin.Values{pathStatus: plugin.Choice("none")}), base(281850), nil, undetermined("source_silent"))
	silentNone.Shared = silent.Shared
	notGranted := grantCase("source not granted", decide, form(), base(281850), nil, plugintest.Want{Failure: "not_granted"})
	notGranted.Shared = nil
	document := grantCase("the statement", plugin.HookIssue, form(), nil, nil, plugintest.Want{MediaType: "text/html; charset=utf-8",
		Content: []string{"遗属待遇支付单", "赵德山", "2026年2月20日", "5637.00 元", "54256.13 元", "19.25", "59893.13 元", "赵敏", "农业银行众兴支行", "尾号0018"}})
	document.Result = plugin.Values{"funeral_grant": plugin.Money(563700), "lump_sum": plugin.Money(5425613), "total": plugin.Money(5989313), "lump_months": plugin.Text("19.25")}
	// A death in an earlier year is reckoned with that year's base; 5015 is what a city's office used for deaths in 2023.
	earlier := func(name, died string, published plugin.Published, answers, entry plugin.Values, want plugintest.Want) plugintest.Case {
		c := grantCase(name, decide, but(answers, plugin.Values{pathDied: plugin.MustDate(died)}), base(575000), entry, want)
		c.Published = published
		return c
	}
	in2023 := plugin.Published{paramIncome: {
		{From: plugin.MustDate("2026-01-01"), Until: plugin.MustDate("2026-12-31"), Place: "32", Value: plugin.Money(575000)},
		{From: plugin.MustDate("2023-01-01"), Until: plugin.MustDate("2023-12-31"), Place: "32", Value: plugin.Money(501500)},
	}}
	longPensioner := but(pensioner(), plugin.Values{"paid_months": plugin.Int(372), "received_months": plugin.Int(96)})
	all = append(all,
		earlier("died in 2023, 118 months paid", "2023-05-04", in2023, employed, employee(118), paid(1003000, 3009000, 4012000, "6")),
		earlier("died on the last day of 2023, a pensioner of eight years", "2023-12-31", in2023, form(), longPensioner, paid(1003000, 8024000, 9027000, "16")),
		earlier("died on the first day of a year that is not published", "2024-01-01", in2023, form(), longPensioner, undetermined("parameter_year@"+pathDied)),
		earlier("an income of an earlier year that cannot be", "2023-05-04", plugin.Published{paramIncome: {{Value: plugin.Money(0)}}}, form(), longPensioner, undetermined("parameter_year")),
	)
	return append(all, silent, checkSilent, notFound, notInsured, silentNone, notGranted, document)
}

func TestSurvivors(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, survivors(), cases())
}

// The bundles declare exactly what the plugin reads, or say why an officer needs it, and the result that it gives.
func TestNeeds(t *testing.T) {
	t.Parallel()
	needs.Hold(t, survivors(), "hrss/survivors", cases())
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, survivors(), cases())
}
