package main

import (
	"maps"
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	"github.com/siyiban/onething/examples/plugins/needs"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

// The numbers are made up, with check characters that are right: a man born on 15 March 1966, a woman born on 15 April
// 1976.
const (
	manNumber   = "321323196603150010"
	womanNumber = "321323197604150025"
)

// but is values with some changed; a nil value removes one.
func but(values plugin.Values, changes plugin.Values) plugin.Values {
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

func shared(entry plugin.Values) map[string]plugintest.Source {
	return map[string]plugintest.Source{sourceAccount: {manNumber: entry, womanNumber: entry}}
}

var silentAccounts = map[string]plugintest.Source{sourceAccount: nil}

// man retires early at sixty, with fifteen years paid.
func man() plugin.Values {
	return plugin.Values{
		pathName: plugin.Text("王建国"), pathNumber: plugin.CitizenNumber(manNumber), pathBirth: plugin.MustDate("1966-03-15"),
		pathWorker: plugin.Choice("male"), pathWay: plugin.Choice("early"), pathRetire: plugin.MustDate("2026-03-15"), pathPaid: plugin.Int(180),
	}
}

func manAccount() plugin.Values {
	return plugin.Values{
		"name": plugin.Text("王建国"), "state": plugin.Text("contributing"), "paid_months": plugin.Int(180), "average_index": plugin.Decimal("0.8"),
		"balance": plugin.Money(6000000),
	}
}

// woman retires at the statutory age of a worker's post: born 1976-04, old age 2026-04, postponed by 8 months.
func woman() plugin.Values {
	return plugin.Values{
		pathName: plugin.Text("李梅"), pathNumber: plugin.CitizenNumber(womanNumber), pathBirth: plugin.MustDate("1976-04-15"),
		pathWorker: plugin.Choice("female_50"), pathWay: plugin.Choice("statutory"), pathRetire: plugin.MustDate("2026-12-15"), pathPaid: plugin.Int(240),
		pathDeemed: plugin.Int(36),
	}
}

func womanAccount() plugin.Values {
	return plugin.Values{
		"name": plugin.Text("李梅"), "state": plugin.Text("contributing"), "paid_months": plugin.Int(240), "deemed_months": plugin.Int(36), "post": plugin.Text("worker"),
	}
}

func auditCase(name string, hook plugin.Hook, answers, entry plugin.Values, want plugintest.Want) plugintest.Case {
	return plugintest.Case{Name: name, Hook: hook, Bundle: "retirement", Step: stepAudit, Today: "2026-03-02", Place: "321323", Answers: answers,
		Shared: shared(entry), Want: want}
}

func auditCases() []plugintest.Case {
	approved := plugin.Values{
		"retire_date": plugin.MustDate("2026-03-15"), "age_months": plugin.Int(720), "statutory_date": plugin.MustDate("2026-07-15"),
		"required_months": plugin.Int(180), "paid_months": plugin.Int(180), "deemed_months": plugin.Int(0),
	}
	specialPost := but(man(), plugin.Values{pathWay: plugin.Choice("special_post"), pathSpecialKind: plugin.Choice("underground"), pathSpecialYears: plugin.Int(9)})
	specialAccount := but(manAccount(), plugin.Values{"special_years": plugin.Int(9), "special_kind": plugin.Text("underground")})
	undetermined := func(findings ...string) plugintest.Want {
		return plugintest.Want{Outcome: plugin.NotDecidable, Findings: findings}
	}
	rejected := func(findings ...string) plugintest.Want {
		return plugintest.Want{Outcome: plugin.Rejected, Findings: findings}
	}
	cases := []plugintest.Case{
		auditCase("early at sixty", plugin.HookDecide, man(), manAccount(), plugintest.Want{Outcome: plugin.Approved, Result: approved}),
		auditCase("woman at the statutory age", plugin.HookDecide, woman(), womanAccount(), plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{
			"retire_date": plugin.MustDate("2026-12-15"), "age_months": plugin.Int(608), "statutory_date": plugin.MustDate("2026-12-15"),
			"required_months": plugin.Int(180), "paid_months": plugin.Int(240), "deemed_months": plugin.Int(36)}}),
		auditCase("woman of a managing post", plugin.HookDecide,
			but(woman(), plugin.Values{pathWorker: plugin.Choice("female_55"), pathRetire: plugin.MustDate("2032-11-15")}),
			but(womanAccount(), plugin.Values{"post": plugin.Text("managing")}), plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{
				"retire_date": plugin.MustDate("2032-11-15"), "age_months": plugin.Int(679), "statutory_date": plugin.MustDate("2032-11-15"),
				"required_months": plugin.Int(198), "paid_months": plugin.Int(240), "deemed_months": plugin.Int(36)}}),
		auditCase("after a special post", plugin.HookDecide, specialPost, specialAccount, plugintest.Want{Outcome: plugin.Approved, Result: approved}),
		auditCase("late", plugin.HookDecide, but(man(), plugin.Values{pathWay: plugin.Choice("late"), pathRetire: plugin.MustDate("2028-01-10")}), manAccount(),
			plugintest.Want{Outcome: plugin.Approved, Result: but(approved, plugin.Values{"retire_date": plugin.MustDate("2028-01-10"), "age_months": plugin.Int(742)})}),

		// Refused by the law.
		auditCase("before sixty", plugin.HookDecide, but(man(), plugin.Values{pathRetire: plugin.MustDate("2026-02-15")}), manAccount(), rejected("too_early@"+pathRetire)),
		auditCase("too late", plugin.HookDecide, but(man(), plugin.Values{pathWay: plugin.Choice("late"), pathRetire: plugin.MustDate("2029-08-15")}), manAccount(),
			rejected("too_late@"+pathRetire)),
		auditCase("months short", plugin.HookDecide, but(man(), plugin.Values{pathPaid: plugin.Int(179)}), but(manAccount(), plugin.Values{"paid_months": plugin.Int(179)}),
			rejected("months_short@"+pathPaid)),
		auditCase("years short", plugin.HookDecide, but(specialPost, plugin.Values{pathSpecialYears: plugin.Int(8)}), specialAccount, rejected("years_short@"+pathSpecialYears)),
		auditCase("several reasons", plugin.HookDecide, but(man(), plugin.Values{pathPaid: plugin.Int(100), pathRetire: plugin.MustDate("2025-03-15")}),
			but(manAccount(), plugin.Values{"paid_months": plugin.Int(100)}), rejected("too_early", "months_short")),
		auditCase("draws a pension already", plugin.HookDecide, man(), but(manAccount(), plugin.Values{"state": plugin.Text("retired")}), rejected("already_retired")),

		// An officer's matter.
		auditCase("early in the statutory month", plugin.HookDecide, but(man(), plugin.Values{pathRetire: plugin.MustDate("2026-07-01")}), manAccount(), undetermined("not_early")),
		auditCase("late in the statutory month", plugin.HookDecide, but(man(), plugin.Values{pathWay: plugin.Choice("late"), pathRetire: plugin.MustDate("2026-07-31")}),
			manAccount(), undetermined("not_late")),
		auditCase("because of illness", plugin.HookDecide, but(man(), plugin.Values{pathWay: plugin.Choice("illness")}), manAccount(), undetermined("illness_route@"+pathWay)),
		auditCase("birth differs from the number", plugin.HookDecide, but(man(), plugin.Values{pathBirth: plugin.MustDate("1966-03-14")}), manAccount(),
			undetermined("birth_differs@"+pathBirth)),
		auditCase("category differs from the number", plugin.HookDecide, but(man(), plugin.Values{pathWorker: plugin.Choice("female_50")}), manAccount(),
			undetermined("worker_differs@"+pathWorker)),
		auditCase("number is wrong", plugin.HookDecide, but(man(), plugin.Values{pathNumber: plugin.CitizenNumber("321323196603150011")}), manAccount(),
			undetermined("number_wrong@"+pathNumber)),
		auditCase("name differs from the account", plugin.HookDecide, but(man(), plugin.Values{pathName: plugin.Text("王建")}), manAccount(), undetermined("account_name@"+pathName)),
		auditCase("months differ from the account", plugin.HookDecide, but(man(), plugin.Values{pathPaid: plugin.Int(181)}), manAccount(), undetermined("months_differ@"+pathPaid)),
		auditCase("the account does not say the months", plugin.HookDecide, man(), but(manAccount(), plugin.Values{"paid_months": nil}), undetermined("months_differ")),
		auditCase("deemed months not established", plugin.HookDecide, but(man(), plugin.Values{pathDeemed: plugin.Int(12)}), manAccount(), undetermined("deemed_unaudited@"+pathDeemed)),
		auditCase("deemed months established otherwise", plugin.HookDecide, woman(), but(womanAccount(), plugin.Values{"deemed_months": plugin.Int(35)}), undetermined("deemed_unaudited")),
		auditCase("a woman's post not established", plugin.HookDecide, woman(), but(womanAccount(), plugin.Values{"post": nil}), undetermined("post_unverified@"+pathWorker)),
		auditCase("a woman's other post", plugin.HookDecide, woman(), but(womanAccount(), plugin.Values{"post": plugin.Text("managing")}), undetermined("post_unverified")),
		auditCase("special years not on record", plugin.HookDecide, specialPost, manAccount(), undetermined("special_unverified@"+pathSpecialYears)),
		auditCase("fewer special years on record", plugin.HookDecide, specialPost, but(specialAccount, plugin.Values{"special_years": plugin.Int(8)}), undetermined("special_unverified")),
		auditCase("another special post on record", plugin.HookDecide, specialPost, but(specialAccount, plugin.Values{"special_kind": plugin.Text("harmful")}), undetermined("special_unverified")),
		auditCase("kind of special post not said", plugin.HookDecide, but(specialPost, plugin.Values{pathSpecialKind: nil}), but(specialAccount, plugin.Values{"special_kind": nil}),
			undetermined("post_unclear@"+pathSpecialKind)),
		auditCase("a negative number of months", plugin.HookDecide, but(man(), plugin.Values{pathPaid: plugin.Int(-1), pathDeemed: plugin.Int(-1)}), manAccount(),
			undetermined("input_missing@"+pathPaid, "input_missing@"+pathDeemed)),

		// Before acceptance.
		auditCase("nothing to find", plugin.HookCheck, man(), manAccount(), plugintest.Want{}),
		auditCase("found: before sixty", plugin.HookCheck, but(man(), plugin.Values{pathRetire: plugin.MustDate("2026-02-15")}), manAccount(), plugintest.Want{Findings: []string{"too_early@" + pathRetire}}),
		auditCase("found: draws a pension", plugin.HookCheck, man(), but(manAccount(), plugin.Values{"state": plugin.Text("retired")}), plugintest.Want{Findings: []string{"already_retired"}}),
		auditCase("found: months differ", plugin.HookCheck, but(man(), plugin.Values{pathPaid: plugin.Int(200)}), manAccount(), plugintest.Want{Findings: []string{"months_differ"}}),
		auditCase("found: a wrong number", plugin.HookCheck, but(man(), plugin.Values{pathNumber: plugin.CitizenNumber("321323196603150011")}), manAccount(), plugintest.Want{Findings: []string{"number_wrong"}}),
		auditCase("what is not answered is not found", plugin.HookCheck, but(man(), plugin.Values{pathWorker: nil, pathRetire: nil}), manAccount(), plugintest.Want{}),
		auditCase("no answer at all", plugin.HookCheck, nil, nil, plugintest.Want{}),

		auditCase("proposes the months", plugin.HookPrefill, woman(), womanAccount(), plugintest.Want{Proposals: plugin.Values{pathPaid: plugin.Int(240), pathDeemed: plugin.Int(36)}}),
		auditCase("proposes nothing for another name", plugin.HookPrefill, but(woman(), plugin.Values{pathName: plugin.Text("李")}), womanAccount(), plugintest.Want{}),
		auditCase("proposes nothing without a number", plugin.HookPrefill, but(woman(), plugin.Values{pathNumber: nil}), womanAccount(), plugintest.Want{}),
	}
	silent := auditCase("the account is silent", plugin.HookDecide, man(), nil, undetermined("source_silent"))
	silent.Shared = silentAccounts
	notFound := auditCase("no account", plugin.HookDecide, man(), nil, undetermined("account_not_found"))
	notFound.Shared = map[string]plugintest.Source{sourceAccount: {}}
	notGranted := auditCase("source not granted", plugin.HookDecide, man(), nil, plugintest.Want{Failure: "not_granted"})
	notGranted.Shared = nil
	checkSilent := auditCase("found: the account is silent", plugin.HookCheck, man(), nil, plugintest.Want{Findings: []string{"source_silent"}})
	checkSilent.Shared = silentAccounts
	noChoice := auditCase("the old age was reached before the reform", plugin.HookDecide,
		but(woman(), plugin.Values{pathWay: plugin.Choice("late"), pathBirth: plugin.MustDate("1974-12-15"), pathNumber: plugin.CitizenNumber("321323197412150020")}), nil,
		rejected("no_choice@"+pathWay))
	noChoice.Shared = map[string]plugintest.Source{sourceAccount: {"321323197412150020": womanAccount()}}
	document := auditCase("the approval", plugin.HookIssue, man(), nil, plugintest.Want{MediaType: "text/html; charset=utf-8",
		Content: []string{"企业职工退休核准表", "王建国", manNumber, "2026年3月15日", "60岁0个月", "2026年7月15日", "180", "从2026年4月1日起发给"}})
	document.Result = approved
	return append(cases, silent, notFound, notGranted, checkSilent, noChoice, document)
}

func province() plugin.Values {
	return plugin.Values{paramBase: plugin.Money(900000), paramTransition: plugin.Decimal("1.3"), paramDivisorRule: plugin.Text("interpolate"),
		paramYearsRule: plugin.Text("exact"), paramRounding: plugin.Text("fen")}
}

// audited is the amount's part of the form: 60y3m, thirty years paid.
func audited() plugin.Values {
	return plugin.Values{
		pathName: plugin.Text("王建国"), pathNumber: plugin.CitizenNumber(manNumber), pathAuditRetire: plugin.MustDate("2026-06-15"),
		pathAuditAge: plugin.Int(723), pathAuditPaid: plugin.Int(360), pathAuditDeemed: plugin.Int(0),
		pathIndex: plugin.Decimal("1"), pathBalance: plugin.Money(15000000),
	}
}

func auditedAccount() plugin.Values {
	return plugin.Values{"name": plugin.Text("王建国"), "state": plugin.Text("contributing"), "paid_months": plugin.Int(360), "average_index": plugin.Decimal("1.0"),
		"balance": plugin.Money(15000000)}
}

func amountCases() []plugintest.Case {
	amountCase := func(name string, answers, parameters, entry plugin.Values, want plugintest.Want) plugintest.Case {
		return plugintest.Case{Name: name, Hook: plugin.HookDecide, Bundle: "retirement", Step: stepAmount, Today: "2026-03-02", Place: "321323", Answers: answers,
			Parameters: parameters, Shared: shared(entry), Want: want}
	}
	paid := func(basic, account, transition, total plugin.Money, from string) plugintest.Want {
		return plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{"basic": basic, "account": account, "transition": transition, "monthly": total,
			"paid_from": plugin.MustDate(from)}}
	}
	undetermined := func(findings ...string) plugintest.Want {
		return plugintest.Want{Outcome: plugin.NotDecidable, Findings: findings}
	}
	deemed := but(audited(), plugin.Values{pathAuditAge: plugin.Int(736), pathAuditPaid: plugin.Int(330), pathAuditDeemed: plugin.Int(72),
		pathIndex: plugin.Decimal("1.5"), pathBalance: plugin.Money(26000000)})
	deemedAccount := but(auditedAccount(), plugin.Values{"average_index": plugin.Decimal("1.5"), "balance": plugin.Money(26000000), "deemed_index": plugin.Decimal("1")})
	whole := but(audited(), plugin.Values{pathAuditAge: plugin.Int(720), pathAuditPaid: plugin.Int(240), pathBalance: plugin.Money(13900000)})
	wholeAccount := but(auditedAccount(), plugin.Values{"balance": plugin.Money(13900000)})
	cases := []plugintest.Case{
		amountCase("thirty years at 60y3m", audited(), province(), auditedAccount(), paid(270000, 109250, 0, 379250, "2026-07-01")),
		amountCase("deemed years", deemed, province(), deemedAccount, paid(376875, 200463, 70200, 647538, "2026-07-01")),
		amountCase("Beijing's base, whole years need no divisor rule", whole, but(province(), plugin.Values{paramBase: plugin.Money(1204900), paramDivisorRule: nil, paramTransition: nil}),
			wholeAccount, paid(240980, 100000, 0, 340980, "2026-07-01")),
		amountCase("the whole year below", audited(), but(province(), plugin.Values{paramDivisorRule: plugin.Text("year_below")}), auditedAccount(),
			paid(270000, 107914, 0, 377914, "2026-07-01")),
		amountCase("years to two digits", but(audited(), plugin.Values{pathAuditPaid: plugin.Int(197)}), but(province(), plugin.Values{paramYearsRule: plugin.Text("two_decimals")}),
			auditedAccount(), paid(147780, 109250, 0, 257030, "2026-07-01")),
		amountCase("up to a jiao", audited(), but(province(), plugin.Values{paramRounding: plugin.Text("jiao_up")}), auditedAccount(), paid(270000, 109250, 0, 379250, "2026-07-01")),
		amountCase("up to a jiao, with a rest", audited(), but(province(), plugin.Values{paramRounding: plugin.Text("jiao_up"), paramDivisorRule: plugin.Text("year_below")}), auditedAccount(),
			paid(270000, 107920, 0, 377920, "2026-07-01")),
		amountCase("what the form leaves blank comes from the account", but(audited(), plugin.Values{pathIndex: nil, pathBalance: nil}), province(), auditedAccount(),
			paid(270000, 109250, 0, 379250, "2026-07-01")),

		amountCase("index differs from the account", but(audited(), plugin.Values{pathIndex: plugin.Decimal("1.1")}), province(), auditedAccount(), undetermined("index_differs@"+pathIndex)),
		amountCase("balance differs from the account", but(audited(), plugin.Values{pathBalance: plugin.Money(15000001)}), province(), auditedAccount(), undetermined("balance_differs@"+pathBalance)),
		amountCase("no index anywhere", but(audited(), plugin.Values{pathIndex: nil}), province(), but(auditedAccount(), plugin.Values{"average_index": nil}), undetermined("input_missing@"+pathIndex)),
		amountCase("an index of too many digits", but(audited(), plugin.Values{pathIndex: nil}), province(), but(auditedAccount(), plugin.Values{"average_index": plugin.Decimal("1.1234567")}),
			undetermined("input_missing@"+pathIndex)),
		amountCase("no balance anywhere", audited(), province(), but(auditedAccount(), plugin.Values{"balance": nil}), undetermined("input_missing@"+pathBalance)),
		amountCase("index out of range", but(audited(), plugin.Values{pathIndex: plugin.Decimal("3.5")}), province(), but(auditedAccount(), plugin.Values{"average_index": plugin.Decimal("3.5")}),
			undetermined("index_out_of_range@"+pathIndex)),
		amountCase("too old for the table", but(audited(), plugin.Values{pathAuditAge: plugin.Int(853)}), province(), auditedAccount(), undetermined("age_out_of_table@"+pathAuditAge)),
		amountCase("more months than a life has", but(audited(), plugin.Values{pathAuditPaid: plugin.Int(100000)}), province(), auditedAccount(), undetermined("figure_out_of_range")),
		amountCase("the index of deemed months is not settled", deemed, province(), but(deemedAccount, plugin.Values{"deemed_index": nil}), undetermined("deemed_index_missing")),
		amountCase("retired in another year", but(audited(), plugin.Values{pathAuditRetire: plugin.MustDate("2027-01-15")}), province(), auditedAccount(), undetermined("parameter_year@"+pathAuditRetire)),
		amountCase("retired in an earlier year", but(audited(), plugin.Values{pathAuditRetire: plugin.MustDate("2025-12-15")}), province(), auditedAccount(), undetermined("parameter_year")),
		amountCase("name differs from the account", but(audited(), plugin.Values{pathName: plugin.Text("王")}), province(), auditedAccount(), undetermined("account_name")),
	}
	// A retirement of another year is reckoned with that year's values; 12049 is Beijing's base of 2025.
	year := func(year string, values plugin.Values) plugin.Published {
		published := plugin.Published{}
		for id, v := range values {
			published[id] = []plugin.PublishedValue{{From: plugin.MustDate(year + "-01-01"), Until: plugin.MustDate(year + "-12-31"), Place: "32", Value: v}}
		}
		return published
	}
	in := func(retire string, published plugin.Published, want plugintest.Want) plugintest.Case {
		c := amountCase("retired on "+retire+" with other years' values", but(whole, plugin.Values{pathAuditRetire: plugin.MustDate(retire)}), province(), wholeAccount, want)
		c.Published = published
		return c
	}
	base2025 := year("2025", but(province(), plugin.Values{paramBase: plugin.Money(1204900), paramDivisorRule: nil, paramTransition: nil}))
	cases = append(cases,
		in("2025-12-15", base2025, paid(240980, 100000, 0, 340980, "2026-01-01")),
		in("2024-12-15", base2025, undetermined("parameter_year@"+pathAuditRetire)),
		in("2025-06-15", year("2025", plugin.Values{paramBase: plugin.Money(1204900)}), undetermined("parameter_missing", "parameter_missing")),
	)
	for _, param := range []string{paramBase, paramTransition, paramDivisorRule, paramYearsRule, paramRounding} {
		answers, entry := deemed, deemedAccount
		cases = append(cases, amountCase(param+" is not published", answers, but(province(), plugin.Values{param: nil}), entry, undetermined("parameter_missing")))
	}
	for _, param := range []string{paramDivisorRule, paramYearsRule, paramRounding} {
		cases = append(cases, amountCase(param+" says something else", audited(), but(province(), plugin.Values{param: plugin.Text("other")}), auditedAccount(), undetermined("parameter_missing")))
	}
	for _, path := range []string{pathName, pathNumber, pathAuditRetire, pathAuditAge, pathAuditPaid, pathAuditDeemed} {
		cases = append(cases, amountCase("without "+path, but(audited(), plugin.Values{path: nil}), province(), auditedAccount(), undetermined("input_missing@"+path)))
	}
	silent := amountCase("the account is silent", audited(), province(), nil, undetermined("source_silent"))
	silent.Shared = silentAccounts
	proposal := amountCase("proposes index and balance", but(audited(), plugin.Values{pathIndex: nil, pathBalance: nil}), nil, auditedAccount(),
		plugintest.Want{Proposals: plugin.Values{pathIndex: plugin.Decimal("1.0"), pathBalance: plugin.Money(15000000)}})
	proposal.Hook = plugin.HookPrefill
	check := amountCase("there is nothing to check", audited(), nil, nil, plugintest.Want{})
	check.Hook = plugin.HookCheck
	document := amountCase("the statement", audited(), nil, nil, plugintest.Want{MediaType: "text/html; charset=utf-8",
		Content: []string{"基本养老金待遇核定单", "王建国", "2700.00 元", "1092.50 元", "0.00 元", "3792.50 元", "2026年7月1日"}})
	document.Hook = plugin.HookIssue
	document.Result = plugin.Values{"basic": plugin.Money(270000), "account": plugin.Money(109250), "transition": plugin.Money(0), "monthly": plugin.Money(379250),
		"paid_from": plugin.MustDate("2026-07-01")}
	return append(cases, silent, proposal, check, document)
}

func TestAudit(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, pension(), auditCases())
}

func TestAmount(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, pension(), amountCases())
}

// Without any one answer that it needs the audit is an officer's matter: never a yes, never a no.
func TestAudit_missing(t *testing.T) {
	t.Parallel()
	var cases []plugintest.Case
	special := but(man(), plugin.Values{pathWay: plugin.Choice("special_post"), pathSpecialKind: plugin.Choice("underground"), pathSpecialYears: plugin.Int(9)})
	for _, path := range []string{pathName, pathNumber, pathBirth, pathWorker, pathWay, pathRetire, pathPaid, pathSpecialYears} {
		cases = append(cases, auditCase("without "+path, plugin.HookDecide, but(special, plugin.Values{path: nil}), manAccount(),
			plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{"input_missing@" + path}}))
	}
	cases = append(cases, auditCase("an unknown category", plugin.HookDecide, but(man(), plugin.Values{pathWorker: plugin.Choice("other")}), manAccount(),
		plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{"input_missing@" + pathWorker}}),
		auditCase("an unknown way", plugin.HookDecide, but(man(), plugin.Values{pathWay: plugin.Choice("other")}), manAccount(),
			plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{"input_missing@" + pathWay}}))
	plugintest.Run(t, pension(), cases)
}

func TestUnknownStep(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, pension(), []plugintest.Case{
		{Name: "decide", Hook: plugin.HookDecide, Step: "elsewhere", Today: "2026-03-02", Want: plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{"step_unknown"}}},
		{Name: "check", Hook: plugin.HookCheck, Step: "elsewhere", Today: "2026-03-02", Want: plugintest.Want{Findings: []string{"step_unknown"}}},
		{Name: "prefill", Hook: plugin.HookPrefill, Step: "elsewhere", Today: "2026-03-02"},
	})
}

// The bundles declare exactly what the plugin reads, or say why an officer needs it, and the result that it gives.
func TestNeeds(t *testing.T) {
	t.Parallel()
	needs.Hold(t, pension(), "hrss/pension", append(auditCases(), amountCases()...))
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, pension(), append(auditCases(), amountCases()...))
}
