package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

// restaurant is one that lacks nothing.
func restaurant() plugin.Values {
	return plugin.Values{
		pathKind: plugin.Choice("catering"), pathItems: plugin.Choices{"hot", "drink"}, pathOfficer: plugin.Bool(true),
		pathStaff: plugin.Int(6), pathCertified: plugin.Int(6), pathOnline: plugin.Bool(false), pathVending: plugin.Bool(false),
		pathDocuments:  plugin.Choices{"application", "licence", "layout", "rules"},
		pathFacilities: plugin.Choices{"kitchen", "washing", "waste", "special_area"},
	}
}

// but is the restaurant with some answers changed; nil removes one.
func but(changes plugin.Values) plugin.Values {
	answers := restaurant()
	maps.Copy(answers, changes)
	maps.DeleteFunc(answers, func(_ string, v plugin.Value) bool { return v == nil })
	return answers
}

func cases() []plugintest.Case {
	check := func(name string, answers plugin.Values, findings ...string) plugintest.Case {
		return plugintest.Case{
			Name: name, Hook: plugin.HookCheck, Bundle: "restaurant", Step: "food", Today: "2026-03-16", Place: "321323",
			Answers: answers, Want: plugintest.Want{Findings: findings},
		}
	}
	const document, facility = "document_missing@" + pathDocuments, "facility_missing@" + pathFacilities
	shop := func(items ...string) plugin.Values {
		return but(plugin.Values{pathKind: plugin.Choice("retail"), pathItems: plugin.Choices(items), pathFacilities: plugin.Choices{}})
	}
	return []plugintest.Case{
		check("nothing is missing", restaurant()),
		check("nothing is answered", nil),
		check("only the kind and the items", plugin.Values{pathKind: plugin.Choice("catering"), pathItems: plugin.Choices{"hot"}}),

		check("a shop of prepacked food", shop("prepacked"), "record_enough@"+pathItems),
		check("a shop of prepacked food, without anything", but(plugin.Values{pathKind: plugin.Choice("retail"), pathItems: plugin.Choices{"prepacked"},
			pathDocuments: plugin.Choices{}, pathOfficer: plugin.Bool(false)}), "record_enough"),
		check("a shop that sells in bulk too", shop("prepacked", "bulk"), facility),
		check("a shop of special food too", shop("prepacked", "special"), facility),
		check("a shop of both", shop("prepacked", "bulk", "special"), facility, facility),
		check("a shop that does not say what it sells", but(plugin.Values{pathKind: plugin.Choice("retail"), pathItems: nil})),
		check("a canteen of prepacked food", but(plugin.Values{pathKind: plugin.Choice("canteen"), pathItems: plugin.Choices{"prepacked"}})),

		check("nobody in charge", but(plugin.Values{pathOfficer: plugin.Bool(false)}), "no_safety_officer@"+pathOfficer),
		check("not said who is in charge", but(plugin.Values{pathOfficer: nil})),
		check("one without certificate", but(plugin.Values{pathCertified: plugin.Int(5)}), "staff_uncertified@"+pathCertified),
		check("certificates not counted", but(plugin.Values{pathCertified: nil})),
		check("staff not counted", but(plugin.Values{pathStaff: nil})),

		check("no licence", but(plugin.Values{pathDocuments: plugin.Choices{"application", "layout", "rules"}}), document),
		check("a licence that is verified online", but(plugin.Values{pathDocuments: plugin.Choices{"application", "layout", "rules"}, pathOnline: plugin.Bool(true)})),
		check("no document", but(plugin.Values{pathDocuments: plugin.Choices{}}), document, document, document, document),
		check("from a machine", but(plugin.Values{pathVending: plugin.Bool(true)}), document),
		check("from a machine, with its plan", but(plugin.Values{pathVending: plugin.Bool(true),
			pathDocuments: plugin.Choices{"application", "licence", "layout", "rules", "vending_plan"}})),
		check("documents not said", but(plugin.Values{pathDocuments: nil})),

		check("drinks in a room", but(plugin.Values{pathFacilities: plugin.Choices{"kitchen", "washing", "waste", "special_room"}})),
		check("drinks without an area", but(plugin.Values{pathFacilities: plugin.Choices{"kitchen", "washing", "waste"}}), facility),
		check("raw dishes in an area", but(plugin.Values{pathItems: plugin.Choices{"raw", "drink"},
			pathFacilities: plugin.Choices{"kitchen", "washing", "waste", "cold_storage", "special_area"}}), facility),
		check("raw dishes in a room", but(plugin.Values{pathItems: plugin.Choices{"raw", "drink"},
			pathFacilities: plugin.Choices{"kitchen", "washing", "waste", "cold_storage", "special_room"}})),
		check("raw dishes in a canteen", but(plugin.Values{pathKind: plugin.Choice("canteen"), pathItems: plugin.Choices{"raw"},
			pathFacilities: plugin.Choices{"kitchen", "washing", "waste", "cold_storage", "special_room"}}), "raw_in_canteen@"+pathItems),
		check("something else", but(plugin.Values{pathItems: plugin.Choices{"other"}, pathFacilities: plugin.Choices{}})),
		check("facilities not said", but(plugin.Values{pathFacilities: nil})),
	}
}

func TestFoodPermit(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, foodPermit(), cases())
}

// Each line of the table, and what the items need together.
func TestFacilities(t *testing.T) {
	t.Parallel()
	for items, want := range map[string]string{
		"":                 "",
		"prepacked":        "",
		"other":            "",
		"bulk":             "covered_containers",
		"special":          "special_shelf",
		"hot":              "kitchen washing waste",
		"pastry":           "kitchen washing waste",
		"half":             "kitchen washing waste cold_storage",
		"cold":             "kitchen washing waste cold_storage special_area|special_room",
		"raw":              "kitchen washing waste cold_storage special_room",
		"cold_pastry":      "kitchen washing waste cold_storage special_room",
		"drink":            "washing waste special_area|special_room",
		"drink hot":        "kitchen washing waste special_area|special_room",
		"cold raw":         "kitchen washing waste cold_storage special_room",
		"hot half special": "special_shelf kitchen washing waste cold_storage",
	} {
		var got []string
		for _, n := range facilities(strings.Fields(items)) {
			got = append(got, strings.Join(n.any, "|"))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%q needs %q, want %q", items, got, want)
		}
	}
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, foodPermit(), cases())
}
