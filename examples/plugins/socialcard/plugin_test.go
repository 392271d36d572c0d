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
	childNumber   = "321323202603150019"
	motherNumber  = "321323199508150024"
	fatherNumber  = "321323199303100015"
	wrongNumber   = "321323199508150025"
	girlOf17      = "321323200809010020" // born 2008-09-01
	woman18Today  = "321323200803200026" // born 2008-03-20
	sixteenToday  = "321323201003200022" // born 2010-03-20
	almostSixteen = "32132320100321001X" // born 2010-03-21
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
		pathNumber: plugin.CitizenNumber(childNumber), pathName: plugin.Text("王小明"), pathBorn: plugin.MustDate("2026-03-15"),
		pathMother: plugin.Text("李红"), pathMotherID: plugin.CitizenNumber(motherNumber), pathFather: plugin.Text("王强"), pathFatherID: plugin.CitizenNumber(fatherNumber),
		pathMethod: plugin.Choice("post"), pathAddress: plugin.Address{Region: "321323", Text: "众兴街道平安路1号"}, pathReceiver: plugin.Text("李红"), pathPhone: plugin.Text("13800000000"),
	}
}

func cardCase(name string, hook plugin.Hook, answers plugin.Values, cards plugintest.Source, want plugintest.Want) plugintest.Case {
	return plugintest.Case{Name: name, Hook: hook, Bundle: "newborn", Step: "card", Today: "2026-03-20", Place: "321323", Answers: answers,
		Parameters: plugin.Values{paramYears: plugin.Int(10)}, Shared: map[string]plugintest.Source{sourceCards: cards}, Want: want}
}

func issued(guardian, delivery string, findings ...string) plugintest.Want {
	result := plugin.Values{"issued_on": plugin.MustDate("2026-03-20"), "valid_until": plugin.MustDate("2036-03-20"), "delivery": plugin.Text(delivery)}
	if guardian != "" {
		result["guardian"] = plugin.Text(guardian)
	}
	return plugintest.Want{Outcome: plugin.Approved, Result: result, Findings: findings}
}

func undetermined(findings ...string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.NotDecidable, Findings: findings}
}

func cases() []plugintest.Case {
	const posted, collected, electronic = "邮政寄递：李红，众兴街道平安路1号", "窗口领取", "电子社保卡即时签发，实体卡窗口领取"
	none := plugintest.Source{}
	decide := plugin.HookDecide
	grown := func(number, born string) plugin.Values {
		return but(form(), plugin.Values{pathNumber: plugin.CitizenNumber(number), pathBorn: plugin.MustDate(born), pathMother: nil, pathMotherID: nil, pathFather: nil, pathFatherID: nil})
	}
	held := func(state string) plugintest.Source {
		return plugintest.Source{childNumber: {"state": plugin.Text(state)}}
	}
	rejected := func(finding string) plugintest.Want {
		return plugintest.Want{Outcome: plugin.Rejected, Findings: []string{finding}}
	}
	byFather := but(form(), plugin.Values{pathMotherID: plugin.CitizenNumber(girlOf17)})
	all := []plugintest.Case{
		cardCase("a newborn's, by post", decide, form(), none, issued("李红", posted)),
		cardCase("at the counter", decide, but(form(), plugin.Values{pathMethod: plugin.Choice("counter"), pathAddress: nil, pathReceiver: nil, pathPhone: nil}), none, issued("李红", collected)),
		cardCase("electronically", decide, but(form(), plugin.Values{pathMethod: plugin.Choice("electronic")}), none, issued("李红", electronic, "card_at_counter@"+pathMethod)),
		cardCase("a single mother", decide, but(form(), plugin.Values{pathFather: nil, pathFatherID: nil}), none, issued("李红", posted)),
		cardCase("only the father", decide, but(form(), plugin.Values{pathMother: nil, pathMotherID: nil}), none, issued("王强", posted)),
		cardCase("the mother under age", decide, byFather, none, issued("王强", posted)),
		cardCase("the mother of age today", decide, but(form(), plugin.Values{pathMotherID: plugin.CitizenNumber(woman18Today)}), none, issued("李红", posted)),
		cardCase("somebody of eighteen needs no guardian", decide, grown(woman18Today, "2008-03-20"), none, issued("", posted)),

		cardCase("a valid card", decide, form(), held("active"), rejected("card_exists@"+pathNumber)),
		cardCase("a lost card", decide, form(), held("lost"), rejected("card_lost@"+pathNumber)),

		cardCase("a cancelled card", decide, form(), held("cancelled"), undetermined("card_unclear@"+pathNumber)),
		cardCase("the cards are silent", decide, form(), nil, undetermined("source_silent")),
		cardCase("sixteen, perhaps on own work", decide, grown(sixteenToday, "2010-03-20"), none, undetermined("guardian_unclear@"+pathBorn)),
		cardCase("the day before sixteen, without a guardian", decide, grown(almostSixteen, "2010-03-21"), none, undetermined("guardian_missing@"+pathMother)),
		cardCase("both parents under age", decide, but(form(), plugin.Values{pathMotherID: plugin.CitizenNumber(girlOf17), pathFather: nil, pathFatherID: nil}), none,
			undetermined("guardian_minor@"+pathMotherID)),
		cardCase("the mother's number is wrong", decide, but(form(), plugin.Values{pathMotherID: plugin.CitizenNumber(wrongNumber)}), none, undetermined("guardian_number@"+pathMotherID)),
		cardCase("the father's number is wrong", decide, but(byFather, plugin.Values{pathFatherID: plugin.CitizenNumber(wrongNumber)}), none, undetermined("guardian_number@"+pathFatherID)),
		cardCase("the birth differs from the number", decide, but(form(), plugin.Values{pathBorn: plugin.MustDate("2026-03-14")}), none, undetermined("number_differs@"+pathBorn)),
		cardCase("the number is wrong", decide, but(form(), plugin.Values{pathNumber: plugin.CitizenNumber("321323202603150018")}), none, undetermined("number_differs")),

		cardCase("nothing to find", plugin.HookCheck, but(form(), plugin.Values{pathNumber: nil}), none, plugintest.Want{}),
		cardCase("found: a card", plugin.HookCheck, form(), held("active"), plugintest.Want{Findings: []string{"card_exists"}}),
		cardCase("found: no card", plugin.HookCheck, form(), none, plugintest.Want{}),
		cardCase("found: silent", plugin.HookCheck, form(), nil, plugintest.Want{Findings: []string{"source_silent"}}),
		cardCase("found: no guardian", plugin.HookCheck, but(form(), plugin.Values{pathNumber: nil, pathMother: nil, pathFather: nil}), none, plugintest.Want{Findings: []string{"guardian_missing"}}),
		cardCase("found: electronically", plugin.HookCheck, but(form(), plugin.Values{pathNumber: nil, pathMethod: plugin.Choice("electronic")}), none, plugintest.Want{Findings: []string{"card_at_counter"}}),
		cardCase("found: no address for the post", plugin.HookCheck, but(form(), plugin.Values{pathNumber: nil, pathAddress: nil}), none, plugintest.Want{Findings: []string{"post_incomplete@" + pathAddress}}),
		cardCase("no answer at all", plugin.HookCheck, nil, none, plugintest.Want{}),
	}
	for _, path := range []string{pathAddress, pathReceiver, pathPhone} {
		all = append(all, cardCase("by post without "+path, decide, but(form(), plugin.Values{path: nil}), none, undetermined("post_incomplete@"+path)))
	}
	for _, path := range []string{pathNumber, pathName, pathBorn, pathMethod} {
		all = append(all, cardCase("without "+path, decide, but(form(), plugin.Values{path: nil}), none, undetermined("input_missing@"+path)))
	}
	for name, years := range map[string]plugin.Value{"not published": nil, "none": plugin.Int(0), "absurd": plugin.Int(51)} {
		c := cardCase("the validity is "+name, decide, form(), none, undetermined("parameter_missing"))
		c.Parameters = but(plugin.Values{paramYears: plugin.Int(10)}, plugin.Values{paramYears: years})
		all = append(all, c)
	}
	longest := cardCase("the longest validity", decide, form(), none, plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{"issued_on": plugin.MustDate("2026-03-20"),
		"valid_until": plugin.MustDate("2076-03-20"), "delivery": plugin.Text(posted), "guardian": plugin.Text("李红")}})
	longest.Parameters = plugin.Values{paramYears: plugin.Int(50)}
	shortest := cardCase("the shortest validity", decide, form(), none, plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{"issued_on": plugin.MustDate("2026-03-20"),
		"valid_until": plugin.MustDate("2027-03-20"), "delivery": plugin.Text(posted), "guardian": plugin.Text("李红")}})
	shortest.Parameters = plugin.Values{paramYears: plugin.Int(1)}
	notGranted := cardCase("source not granted", decide, form(), none, plugintest.Want{Failure: "not_granted"})
	notGranted.Shared = nil
	document := cardCase("the notice", plugin.HookIssue, form(), none, plugintest.Want{MediaType: "text/html; charset=utf-8",
		Content: []string{"社会保障卡首次制发通知单", "王小明", childNumber, "李红", "2026年3月20日", "2036年3月20日", "邮政寄递"}})
	document.Result = plugin.Values{"issued_on": plugin.MustDate("2026-03-20"), "valid_until": plugin.MustDate("2036-03-20"), "guardian": plugin.Text("李红"), "delivery": plugin.Text(posted)}
	return append(all, longest, shortest, notGranted, document)
}

func TestSocialCard(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, socialcard(), cases())
}

// The bundles declare exactly what the plugin reads, or say why an officer needs it, and the result that it gives.
func TestNeeds(t *testing.T) {
	t.Parallel()
	needs.Hold(t, socialcard(), "hrss/social_security_card", cases())
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, socialcard(), cases())
}
