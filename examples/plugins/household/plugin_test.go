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
	motherNumber = "321323199508150024"
	fatherNumber = "321323199303100015"
	boyNumber    = "321323202603150019"
	girlNumber   = "321323202603150027"
	otherCounty  = "320102202603150015"
	deadNumber   = "321323194001010011"
	headNumber   = "11010519491231002X"
	certificate  = "X320101001"
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

// newborn is a boy with his father's surname, registered with his mother.
func newborn() plugin.Values {
	return plugin.Values{
		pathChild: plugin.Text("王小明"), pathGender: plugin.Choice("male"), pathBorn: plugin.MustDate("2026-03-15"), pathCert: plugin.Text(certificate),
		pathMother: plugin.Text("李红"), pathMotherID: plugin.CitizenNumber(motherNumber), pathFather: plugin.Text("王强"), pathFatherID: plugin.CitizenNumber(fatherNumber),
		pathAddress: plugin.Address{Region: "321323001", Text: "众兴街道平安路1号"}, pathHead: plugin.Text("李红"), pathHeadID: plugin.CitizenNumber(motherNumber),
		pathKind: plugin.Choice("family"),
	}
}

func registered(name, head string, headNumber plugin.CitizenNumber) plugin.Values {
	return plugin.Values{"name": plugin.Text(name), "state": plugin.Text("registered"), "head_name": plugin.Text(head), "head_id": headNumber,
		"address": plugin.Address{Region: "321323001", Text: "众兴街道平安路1号"}}
}

// registers are the sources of a birth that nobody has registered yet.
func registers() map[string]plugintest.Source {
	return map[string]plugintest.Source{
		sourceBirths:  {},
		sourceNumbers: {certificate: {"id_no": plugin.CitizenNumber(boyNumber)}},
		sourcePopulation: {
			motherNumber: registered("李红", "李红", motherNumber),
			fatherNumber: registered("王强", "王大山", headNumber),
		},
	}
}

// with is the registers with one source replaced.
func with(source string, entries plugintest.Source) map[string]plugintest.Source {
	all := registers()
	all[source] = entries
	return all
}

func birthCase(name string, hook plugin.Hook, answers plugin.Values, shared map[string]plugintest.Source, want plugintest.Want) plugintest.Case {
	return plugintest.Case{Name: name, Hook: hook, Bundle: bundleBirth, Step: "household", Today: "2026-03-20", Place: "321323", Answers: answers, Shared: shared, Want: want}
}

func approvedBirth(number plugin.CitizenNumber, surname string, findings ...string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.Approved, Findings: findings,
		Result: plugin.Values{"id_no": number, "registered_on": plugin.MustDate("2026-03-20"), "surname_of": plugin.Text(surname)}}
}

func undetermined(findings ...string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.NotDecidable, Findings: findings}
}

func birthCases() []plugintest.Case {
	girl := but(newborn(), plugin.Values{pathChild: plugin.Text("李小雨"), pathGender: plugin.Choice("female")})
	single := but(newborn(), plugin.Values{pathChild: plugin.Text("李明"), pathFather: nil, pathFatherID: nil})
	withFather := but(newborn(), plugin.Values{pathHead: plugin.Text("王大山"), pathHeadID: plugin.CitizenNumber(headNumber)})
	decide := plugin.HookDecide
	cases := []plugintest.Case{
		birthCase("a boy, with his mother", decide, newborn(), registers(), approvedBirth(boyNumber, "随父姓")),
		birthCase("a girl with the mother's surname", decide, girl, with(sourceNumbers, plugintest.Source{certificate: {"id_no": plugin.CitizenNumber(girlNumber)}}),
			approvedBirth(girlNumber, "随母姓")),
		birthCase("with the father, whose own father is the head", decide, withFather, registers(), approvedBirth(boyNumber, "随父姓")),
		birthCase("the head's number left blank", decide, but(withFather, plugin.Values{pathHeadID: nil}), registers(), approvedBirth(boyNumber, "随父姓")),
		birthCase("a single mother", decide, single, registers(), approvedBirth(boyNumber, "随母姓")),
		birthCase("a rare character", decide, but(newborn(), plugin.Values{pathChild: plugin.Text("王𬭎")}), registers(), approvedBirth(boyNumber, "随父姓")),
		birthCase("a name of several parts", decide,
			but(newborn(), plugin.Values{pathChild: plugin.Text("艾力·玉素甫"), pathMother: plugin.Text("古丽·玉素甫"), pathHead: plugin.Text("古丽·玉素甫")}),
			with(sourcePopulation, plugintest.Source{motherNumber: registered("古丽·玉素甫", "古丽·玉素甫", motherNumber)}), approvedBirth(boyNumber, "随母姓")),

		birthCase("registered already", decide, newborn(), with(sourceBirths, plugintest.Source{certificate: {}}),
			plugintest.Want{Outcome: plugin.Rejected, Findings: []string{"already_registered@" + pathCert}}),

		birthCase("a third surname", decide, but(newborn(), plugin.Values{pathChild: plugin.Text("赵小明")}), registers(), undetermined("surname_third@"+pathChild)),
		birthCase("a Latin letter", decide, but(newborn(), plugin.Values{pathChild: plugin.Text("王A")}), registers(), undetermined("name_latin@"+pathChild)),
		birthCase("a wrong dot", decide, but(newborn(), plugin.Values{pathChild: plugin.Text("艾力•王强")}), registers(), undetermined("name_dot@"+pathChild)),
		birthCase("another character", decide, but(newborn(), plugin.Values{pathChild: plugin.Text("王 明")}), registers(), undetermined("name_character@"+pathChild)),
		birthCase("a certificate number of another form", decide, but(newborn(), plugin.Values{pathCert: plugin.Text("320101001")}), registers(), undetermined("certificate_number@"+pathCert)),
		birthCase("not born yet", decide, but(newborn(), plugin.Values{pathBorn: plugin.MustDate("2026-03-21")}), registers(), undetermined("born_later@"+pathBorn)),
		birthCase("the parents' numbers swapped", decide,
			but(newborn(), plugin.Values{pathMotherID: plugin.CitizenNumber(fatherNumber), pathFatherID: plugin.CitizenNumber(motherNumber)}), registers(),
			undetermined("parent_sex@"+pathMotherID, "parent_sex@"+pathFatherID)),
		birthCase("both parents one number", decide, but(newborn(), plugin.Values{pathFatherID: plugin.CitizenNumber(motherNumber)}), registers(),
			undetermined("parent_sex@"+pathFatherID, "parents_same@"+pathFatherID)),
		birthCase("a parent's number is wrong", decide, but(newborn(), plugin.Values{pathMotherID: plugin.CitizenNumber("321323199508150025")}), registers(),
			undetermined("parent_number@"+pathMotherID)),
		birthCase("a collective household", decide, but(newborn(), plugin.Values{pathKind: plugin.Choice("collective")}), registers(), undetermined("collective_household@"+pathKind)),
		birthCase("a household of neither parent", decide, but(newborn(), plugin.Values{pathHead: plugin.Text("赵六"), pathHeadID: nil}), registers(), undetermined("household_other@"+pathHead)),
		birthCase("a namesake of the head", decide, but(newborn(), plugin.Values{pathHeadID: plugin.CitizenNumber(headNumber)}), registers(), undetermined("household_other")),
		birthCase("the head in another county", decide, but(newborn(), plugin.Values{pathAddress: plugin.Address{Region: "320102", Text: "某路"}}), registers(), undetermined("household_other")),
		birthCase("the mother's registration is cancelled", decide, single,
			with(sourcePopulation, plugintest.Source{motherNumber: but(registered("李红", "李红", motherNumber), plugin.Values{"state": plugin.Text("cancelled")})}), undetermined("household_other")),
		birthCase("the mother is in no register", decide, single, with(sourcePopulation, plugintest.Source{}), undetermined("household_other")),
		birthCase("the mother has another name", decide, newborn(), with(sourcePopulation, plugintest.Source{motherNumber: registered("李宏", "李红", motherNumber)}),
			undetermined("parent_name@"+pathMother)),
		birthCase("the father has another name", decide, withFather,
			with(sourcePopulation, plugintest.Source{motherNumber: registered("李红", "李红", motherNumber), fatherNumber: registered("王墙", "王大山", headNumber)}),
			undetermined("parent_name@"+pathFather)),
		birthCase("no number allocated", decide, newborn(), with(sourceNumbers, plugintest.Source{}), undetermined("number_pending")),
		birthCase("a number of another sex", decide, newborn(), with(sourceNumbers, plugintest.Source{certificate: {"id_no": plugin.CitizenNumber(girlNumber)}}), undetermined("number_differs")),
		birthCase("a number of another county", decide, newborn(), with(sourceNumbers, plugintest.Source{certificate: {"id_no": plugin.CitizenNumber(otherCounty)}}), undetermined("number_differs")),
		birthCase("a number of another day", decide, but(newborn(), plugin.Values{pathBorn: plugin.MustDate("2026-03-14")}), registers(), undetermined("number_differs")),
		birthCase("a number that is none", decide, newborn(), with(sourceNumbers, plugintest.Source{certificate: {"id_no": plugin.CitizenNumber("321323202603150018")}}), undetermined("number_differs")),
		birthCase("the births are silent", decide, newborn(), with(sourceBirths, nil), undetermined("source_silent")),
		birthCase("the population is silent", decide, newborn(), with(sourcePopulation, nil), undetermined("source_silent")),
		birthCase("the numbers are silent", decide, newborn(), with(sourceNumbers, nil), undetermined("source_silent")),
		birthCase("a source not granted", decide, newborn(), nil, plugintest.Want{Failure: "not_granted"}),
		birthCase("an unknown sex", decide, but(newborn(), plugin.Values{pathGender: plugin.Choice("other")}), registers(), undetermined("input_missing@"+pathGender)),
		birthCase("an unknown kind of household", decide, but(newborn(), plugin.Values{pathKind: plugin.Choice("other")}), registers(), undetermined("input_missing@"+pathKind)),
		birthCase("an empty certificate number", decide, but(newborn(), plugin.Values{pathCert: plugin.Text("")}), registers(), undetermined("input_missing@"+pathCert)),

		birthCase("nothing to find", plugin.HookCheck, newborn(), registers(), plugintest.Want{}),
		birthCase("the certificate comes later", plugin.HookCheck, but(newborn(), plugin.Values{pathCert: plugin.Text("")}), registers(), plugintest.Want{}),
		birthCase("found: registered already", plugin.HookCheck, newborn(), with(sourceBirths, plugintest.Source{certificate: {}}), plugintest.Want{Findings: []string{"already_registered"}}),
		birthCase("found: births are silent", plugin.HookCheck, newborn(), with(sourceBirths, nil), plugintest.Want{Findings: []string{"source_silent"}}),
		birthCase("found: a digit in the name", plugin.HookCheck, but(newborn(), plugin.Values{pathChild: plugin.Text("王8")}), registers(), plugintest.Want{Findings: []string{"name_latin@" + pathChild}}),
		birthCase("found: no name", plugin.HookCheck, but(newborn(), plugin.Values{pathChild: nil}), registers(), plugintest.Want{}),
		birthCase("found: a wrong certificate number", plugin.HookCheck, but(newborn(), plugin.Values{pathCert: plugin.Text("X1")}), registers(), plugintest.Want{Findings: []string{"certificate_number"}}),
		birthCase("no answer at all", plugin.HookCheck, nil, nil, plugintest.Want{}),

		birthCase("proposes the mother's household", plugin.HookPrefill, newborn(), registers(), plugintest.Want{Proposals: plugin.Values{
			pathAddress: plugin.Address{Region: "321323001", Text: "众兴街道平安路1号"}, pathHead: plugin.Text("李红"), pathHeadID: plugin.CitizenNumber(motherNumber)}}),
		birthCase("proposes the father's household", plugin.HookPrefill, but(newborn(), plugin.Values{pathMotherID: nil}), registers(), plugintest.Want{Proposals: plugin.Values{
			pathAddress: plugin.Address{Region: "321323001", Text: "众兴街道平安路1号"}, pathHead: plugin.Text("王大山"), pathHeadID: plugin.CitizenNumber(headNumber)}}),
		birthCase("proposes nothing for a number without its name", plugin.HookPrefill, but(newborn(), plugin.Values{pathMother: plugin.Text("李"), pathFather: nil}), registers(), plugintest.Want{}),
		birthCase("proposes nothing from a silent register", plugin.HookPrefill, newborn(), with(sourcePopulation, nil), plugintest.Want{}),
	}
	for _, path := range []string{pathChild, pathGender, pathBorn, pathCert, pathMother, pathMotherID, pathFather, pathFatherID, pathAddress, pathHead, pathKind} {
		cases = append(cases, birthCase("without "+path, decide, but(newborn(), plugin.Values{path: nil}), registers(), undetermined("input_missing@"+path)))
	}
	late := birthCase("on the last day", decide, newborn(), registers(), plugintest.Want{Outcome: plugin.Approved,
		Result: plugin.Values{"id_no": plugin.CitizenNumber(boyNumber), "registered_on": plugin.MustDate("2026-04-15"), "surname_of": plugin.Text("随父姓")}})
	late.Today = "2026-04-15"
	later := birthCase("a day later", decide, newborn(), registers(), plugintest.Want{Outcome: plugin.Approved, Findings: []string{"registered_late@" + pathBorn},
		Result: plugin.Values{"id_no": plugin.CitizenNumber(boyNumber), "registered_on": plugin.MustDate("2026-04-16"), "surname_of": plugin.Text("随父姓")}})
	later.Today = "2026-04-16"
	found := birthCase("found: a day later", plugin.HookCheck, newborn(), registers(), plugintest.Want{Findings: []string{"registered_late"}})
	found.Today = "2026-04-16"
	document := birthCase("the new page", plugin.HookIssue, newborn(), nil, plugintest.Want{MediaType: "text/html; charset=utf-8",
		Content: []string{"出生户口登记通知书", "王小明", boyNumber, "2026年3月15日", "2026年3月20日", "随父姓", "李红", "众兴街道平安路1号"}})
	document.Result = plugin.Values{"id_no": plugin.CitizenNumber(boyNumber), "registered_on": plugin.MustDate("2026-03-20"), "surname_of": plugin.Text("随父姓")}
	return append(cases, late, later, found, document)
}

func decedent() plugin.Values {
	return plugin.Values{pathDead: plugin.Text("赵德山"), pathDeadID: plugin.CitizenNumber(deadNumber), pathDied: plugin.MustDate("2026-03-10")}
}

func deathCases() []plugintest.Case {
	deathCase := func(name string, hook plugin.Hook, answers plugin.Values, entries plugintest.Source, want plugintest.Want) plugintest.Case {
		return plugintest.Case{Name: name, Hook: hook, Bundle: bundleDeath, Step: "household", Today: "2026-03-20", Place: "321323", Answers: answers,
			Shared: map[string]plugintest.Source{sourcePopulation: entries}, Want: want}
	}
	known := plugintest.Source{deadNumber: registered("赵德山", "赵德山", deadNumber)}
	cancelled := plugintest.Source{deadNumber: but(registered("赵德山", "赵德山", deadNumber), plugin.Values{"state": plugin.Text("cancelled")})}
	result := plugin.Values{"cancelled_on": plugin.MustDate("2026-03-20")}
	decide := plugin.HookDecide
	cases := []plugintest.Case{
		deathCase("cancelled", decide, decedent(), known, plugintest.Want{Outcome: plugin.Approved, Result: result}),
		deathCase("a month and a day late", decide, but(decedent(), plugin.Values{pathDied: plugin.MustDate("2026-02-19")}), known,
			plugintest.Want{Outcome: plugin.Approved, Result: result, Findings: []string{"registered_late@" + pathDied}}),
		deathCase("on the last day", decide, but(decedent(), plugin.Values{pathDied: plugin.MustDate("2026-02-20")}), known, plugintest.Want{Outcome: plugin.Approved, Result: result}),
		deathCase("cancelled before", decide, decedent(), cancelled, plugintest.Want{Outcome: plugin.Rejected, Findings: []string{"already_cancelled@" + pathDeadID}}),
		deathCase("in no register", decide, decedent(), plugintest.Source{}, undetermined("not_registered@"+pathDeadID)),
		deathCase("in a state that is not known", decide, decedent(), plugintest.Source{deadNumber: but(known[deadNumber], plugin.Values{"state": nil})}, undetermined("not_registered")),
		deathCase("another name", decide, but(decedent(), plugin.Values{pathDead: plugin.Text("赵德")}), known, undetermined("decedent_name@"+pathDead)),
		deathCase("the register is silent", decide, decedent(), nil, undetermined("source_silent")),
		deathCase("died tomorrow", decide, but(decedent(), plugin.Values{pathDied: plugin.MustDate("2026-03-21")}), known, undetermined("died_later@"+pathDied)),
		deathCase("died before birth", decide, but(decedent(), plugin.Values{pathDied: plugin.MustDate("1939-12-31")}), known, undetermined("died_before_birth@"+pathDied)),
		deathCase("a wrong number", decide, but(decedent(), plugin.Values{pathDeadID: plugin.CitizenNumber("321323194001010012")}), known, undetermined("decedent_number@"+pathDeadID)),
		deathCase("nothing to find", plugin.HookCheck, decedent(), known, plugintest.Want{}),
		deathCase("found: cancelled before", plugin.HookCheck, decedent(), cancelled, plugintest.Want{Findings: []string{"already_cancelled"}}),
		deathCase("found: late", plugin.HookCheck, but(decedent(), plugin.Values{pathDied: plugin.MustDate("2026-02-19")}), known, plugintest.Want{Findings: []string{"registered_late"}}),
		deathCase("found: silent", plugin.HookCheck, decedent(), nil, plugintest.Want{Findings: []string{"source_silent"}}),
		deathCase("found: a wrong number", plugin.HookCheck, but(decedent(), plugin.Values{pathDeadID: plugin.CitizenNumber("321323194001010012")}), known, plugintest.Want{Findings: []string{"decedent_number"}}),
		deathCase("no answer at all", plugin.HookCheck, nil, known, plugintest.Want{}),
		deathCase("nothing is proposed", plugin.HookPrefill, decedent(), known, plugintest.Want{}),
	}
	for _, path := range []string{pathDead, pathDeadID, pathDied} {
		cases = append(cases, deathCase("without "+path, decide, but(decedent(), plugin.Values{path: nil}), known, undetermined("input_missing@"+path)))
	}
	notGranted := deathCase("source not granted", decide, decedent(), known, plugintest.Want{Failure: "not_granted"})
	notGranted.Shared = nil
	document := deathCase("the certificate of cancellation", plugin.HookIssue, decedent(), known, plugintest.Want{MediaType: "text/html; charset=utf-8",
		Content: []string{"户口注销证明", "赵德山", deadNumber, "2026年3月10日", "2026年3月20日"}})
	document.Result = result
	return append(cases, notGranted, document)
}

func TestBirth(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, household(), birthCases())
}

func TestDeath(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, household(), deathCases())
}

func TestUnknownMatter(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, household(), []plugintest.Case{
		{Name: "decide", Hook: plugin.HookDecide, Bundle: "elsewhere", Today: "2026-03-02", Want: undetermined("matter_unknown")},
		{Name: "check", Hook: plugin.HookCheck, Bundle: "elsewhere", Today: "2026-03-02", Want: plugintest.Want{Findings: []string{"matter_unknown"}}},
		{Name: "prefill", Hook: plugin.HookPrefill, Bundle: "elsewhere", Today: "2026-03-02"},
	})
}

// The bundles declare exactly what the plugin reads, or say why an officer needs it, and the result that it gives.
func TestNeeds(t *testing.T) {
	t.Parallel()
	needs.Hold(t, household(), "public_security/household", append(birthCases(), deathCases()...))
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, household(), append(birthCases(), deathCases()...))
}
