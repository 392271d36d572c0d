package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/siyiban/onething/examples/plugins/guest"
	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/plugintest"
)

// cardSystem is the other system: it answers one address with a status and a text, and anything else with 400.
func cardSystem(method, path string, status int, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := map[string]string{}
		if method == http.MethodPost {
			_ = json.NewDecoder(r.Body).Decode(&sent) // what is not understood is not what is wanted
		}
		good := method != http.MethodPost || sent["holder"] == "孙建平" && sent["phone"] == "13812345621" && sent["task"] == "T-1" &&
			r.Header.Get("Content-Type") == "application/json"
		if r.Method != method || r.URL.Path != path || r.Header.Get("Idempotency-Key") == "" || !good {
			status, text = http.StatusBadRequest, ""
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	})
}

func cases() []plugintest.Case {
	person := plugin.Values{pathName: plugin.Text("孙建平"), pathPhone: plugin.Text("13812345621")}
	call := plugintest.Case{Hook: plugin.HookDecide, Bundle: "senior_card", Step: "bus", Task: "T-1", Today: "2026-03-16", Place: "321323", Answers: person}
	decide := func(name string, status int, text string, want plugintest.Want) plugintest.Case {
		c := call
		c.Name, c.HTTP, c.Want = name, cardSystem(http.MethodPost, "/v1/cards", status, text), want
		return c
	}
	revoke := func(name, number string, status int, want plugintest.Want) plugintest.Case {
		c := call
		c.Name, c.Hook, c.HTTP, c.Want = name, plugin.HookRevoke, cardSystem(http.MethodDelete, "/v1/cards/"+number, status, ""), want
		c.Result = plugin.Values{"number": plugin.Text(number)}
		return c
	}
	made := plugintest.Want{Outcome: plugin.Approved, Result: plugin.Values{"number": plugin.Text("GJ20260001")}, Log: []string{"made"}}
	refused := func(status int) plugintest.Want {
		return plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{"refused_by_cards"}, Log: []string{fmt.Sprintf("refused_by_cards status=%d", status)}}
	}
	fails := func(text string, log ...string) plugintest.Want { return plugintest.Want{Failure: text, Log: log} }

	nobody := call
	nobody.Name, nobody.Answers, nobody.HTTP = "no name", plugin.Values{pathPhone: person[pathPhone]}, cardSystem("", "", 200, "")
	nobody.Want = plugintest.Want{Outcome: plugin.NotDecidable, Findings: []string{"input_missing"}}
	away := decide("the system does not answer", 200, "", fails("does not answer", "unreachable"))
	away.HTTP = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	closed := decide("not granted", 200, "", fails("not_granted"))
	closed.HTTP = nil
	return []plugintest.Case{
		decide("made", http.StatusCreated, `{"number":"GJ20260001"}`, made),
		decide("made before", http.StatusOK, `{"number":"GJ20260001","more":1}`, made),
		decide("in dispute", http.StatusConflict, "", refused(409)),
		decide("not understood", http.StatusUnprocessableEntity, "", refused(422)),
		decide("out of order", http.StatusServiceUnavailable, "", fails("status 503")),
		decide("redirected", http.StatusFound, "", fails("status 302")),
		decide("no number", http.StatusCreated, `{}`, fails("no number")),
		decide("no JSON", http.StatusCreated, `<html>`, fails("no number")),
		nobody, away, closed,
		revoke("taken back", "GJ20260001", http.StatusNoContent, plugintest.Want{Revoked: true}),
		revoke("not known", "GJ20260001", http.StatusNotFound, plugintest.Want{Revoked: true}),
		revoke("still there", "GJ20260001", http.StatusInternalServerError, fails("status 500")),
		revoke("no number to take back", "../x", http.StatusOK, plugintest.Want{Findings: []string{"no_number"}}),
	}
}

func TestBusCard(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, busCard(), cases())
}

// The packed guest answers as the native plugin does.
func TestGuest(t *testing.T) {
	t.Parallel()
	guest.Same(t, busCard(), cases())
}
