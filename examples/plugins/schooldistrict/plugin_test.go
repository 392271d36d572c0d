package main

import (
	"maps"
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

const (
	district = "实验小学学区"
	school   = "泗阳县示范实验小学"
)

func child(changes plugin.Values) plugin.Values {
	return with(plugin.Values{
		pathDistrict: plugin.Text(district), pathOrder: plugin.Choice("register"), pathGrade: plugin.Choice("primary"), pathSchool: plugin.Text(school),
		pathAddress: plugin.Address{Region: "321323001", Text: "众兴街道人民路 12 号"},
	}, changes)
}

// list has a district with 100 places, for which 60, 30, 20 and 10 applied.
func list(changes plugin.Values) plugintest.Source {
	return plugintest.Source{"primary/" + district: with(plugin.Values{
		"region": plugin.Text("321323001"), "school": plugin.Text(school), "places": plugin.Int(100),
		"applied_register_and_home": plugin.Int(60), "applied_register": plugin.Int(30), "applied_home": plugin.Int(20), "applied_migrant": plugin.Int(10),
	}, changes)}
}

// with is values with some changed; nil removes one.
func with(values, changes plugin.Values) plugin.Values {
	maps.Copy(values, changes)
	maps.DeleteFunc(values, func(_ string, v plugin.Value) bool { return v == nil })
	return values
}

func placed(rank int64) plugintest.Want {
	return plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{"school": plugin.Text(school), "rank": plugin.Int(rank)}}
}

func officer(finding string) plugintest.Want {
	return plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{finding}}
}

func cases() []plugintest.Case {
	decide := func(name string, answers plugin.Values, districts plugintest.Source, want plugintest.Want) plugintest.Case {
		return plugintest.Case{
			Name: name, Hook: plugin.HookDecide, Bundle: "school_enrolment", Step: "admit", Today: "2026-07-06", Place: "321323", Answers: answers,
			Shared: map[string]plugintest.Source{sourceDistricts: districts}, Want: want,
		}
	}
	order := func(id string) plugin.Values { return child(plugin.Values{pathOrder: plugin.Choice(id)}) }
	places := func(n int64) plugintest.Source { return list(plugin.Values{"places": plugin.Int(n)}) }
	lives := func(region string) plugin.Values {
		return child(plugin.Values{pathAddress: plugin.Address{Region: region, Text: "众兴街道人民路 12 号"}})
	}
	all := []plugintest.Case{
		decide("registered and at home", order("register_and_home"), list(nil), placed(1)),
		decide("registered", order("register"), list(nil), placed(2)),
		decide("at home, ten places for twenty", order("home"), list(nil), officer("places_short@"+pathOrder)),
		decide("migrant, nothing left", order("migrant"), list(nil), officer("district_full@"+pathOrder)),
		decide("a place for everybody", order("migrant"), places(120), placed(4)),
		decide("a place too few for everybody", order("migrant"), places(119), officer("places_short")),
		decide("a place for everybody registered", order("register"), places(90), placed(2)),
		decide("a place too few for them", order("register"), places(89), officer("places_short")),
		decide("one place is left", order("register"), places(61), officer("places_short")),
		decide("no place is left", order("register"), places(60), officer("district_full")),
		decide("no place at all", order("register_and_home"), places(0), officer("district_full")),
		decide("who comes later takes no place", order("home"), places(110), placed(3)),

		decide("the district holds the county", child(nil), list(plugin.Values{"region": plugin.Text("321323")}), placed(2)),
		decide("in a village of the district", lives("321323001002"), list(nil), placed(2)),
		decide("in another township", lives("321323002"), list(nil), officer("outside_district@"+pathAddress)),
		decide("in the county, no township said", lives("321323"), list(nil), officer("outside_district")),
		decide("a district without region", child(nil), list(plugin.Values{"region": nil}), officer("outside_district")),
		decide("a district with an empty region", child(nil), list(plugin.Values{"region": plugin.Text("")}), officer("outside_district")),
		decide("another school", child(plugin.Values{pathSchool: plugin.Text("别的小学")}), list(nil), officer("school_differs@"+pathSchool)),
		decide("a district without school", child(nil), list(plugin.Values{"school": nil}), officer("school_differs")),
		decide("no such district", child(plugin.Values{pathDistrict: plugin.Text("别的学区")}), list(nil), officer("district_unknown@"+pathDistrict)),
		decide("the district is none of junior schools", child(plugin.Values{pathGrade: plugin.Choice("junior")}), list(nil), officer("district_unknown")),
		decide("the list is silent", child(nil), nil, officer("source_silent")),
		decide("kindergarten", child(plugin.Values{pathGrade: plugin.Choice("kindergarten")}), list(nil), officer("other_grade@"+pathGrade)),
		decide("an order that is not known", order("other"), list(nil), officer("input_missing@"+pathOrder)),
		decide("counted too early", order("register"), list(plugin.Values{"applied_register": plugin.Int(0)}), officer("places_unknown")),
		decide("nobody of another order", order("register"), list(plugin.Values{"applied_home": plugin.Int(0)}), placed(2)),
		decide("fewer places than none", child(nil), places(-1), officer("places_unknown")),
		decide("more places than can be", child(nil), places(most+1), officer("places_unknown")),
		decide("fewer applicants than none", child(nil), list(plugin.Values{"applied_home": plugin.Int(-1)}), officer("places_unknown")),
		decide("more applicants than can be", child(nil), list(plugin.Values{"applied_home": plugin.Int(most + 1)}), officer("places_unknown")),
	}
	for _, path := range []string{pathDistrict, pathOrder, pathGrade, pathSchool, pathAddress} {
		all = append(all, decide("without "+path, child(plugin.Values{path: nil}), list(nil), officer("input_missing@"+path)))
	}
	for _, value := range []string{"places", "applied_register_and_home", "applied_register", "applied_home", "applied_migrant"} {
		all = append(all, decide("the list does not say "+value, child(nil), list(plugin.Values{value: nil}), officer("places_unknown")))
	}
	refused := decide("the list is not granted", child(nil), nil, plugintest.Want{Failure: "not_granted"})
	refused.Shared = nil
	return append(all, refused)
}

func TestSchoolDistrict(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, schoolDistrict(), cases())
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, schoolDistrict(), cases())
}
