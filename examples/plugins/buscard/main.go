// Command buscard is the plugin transport/bus_card: a connector to the system that makes bus cards, over HTTP. README.md
// says what it asks of that system and what it leaves to an officer.
package main

import (
	"encoding/json"
	"errors"
	"strconv"

	plugin "github.com/siyiban/onething/sdk/go"
)

// A WebAssembly reactor runs package variables and never main.
var _ = plugin.Serve(busCard())

func main() {}

func busCard() plugin.Plugin { return plugin.Plugin{Decide: decide, Revoke: revoke} }

const (
	pathName  = "form.applicant.name"
	pathPhone = "form.applicant.phone"
	cards     = "https://cards.transport.example.cn/v1/cards"
)

// Status codes: package net/http would make the file twice as large.
const (
	statusOK            = 200
	statusCreated       = 201
	statusNoContent     = 204
	statusNotFound      = 404
	statusConflict      = 409
	statusUnprocessable = 422
)

// card is what the other system says of a card.
type card struct {
	Number string `json:"number"`
}

func decide(call *plugin.Call) (plugin.Decision, error) {
	name, named := call.Text(pathName)
	phone, reached := call.Text(pathPhone)
	if !named || !reached {
		return plugin.Undetermined(plugin.Finding{Code: "input_missing", Severity: plugin.Note, TextZH: "缺少持卡人姓名或者手机号，由经办人核实"}), nil
	}
	body, err := json.Marshal(map[string]string{"task": call.Task(), "holder": name, "phone": phone})
	if err != nil {
		return plugin.Decision{}, err
	}
	answer, err := send(call, "POST", cards, body)
	if err != nil {
		return plugin.Decision{}, err
	}
	switch answer.Status {
	case statusOK, statusCreated:
	case statusConflict, statusUnprocessable:
		// It understood and will not: for a person to look at, not for another try.
		call.Log("refused_by_cards", map[string]int64{"status": int64(answer.Status)})
		return plugin.Undetermined(plugin.Finding{Code: "refused_by_cards", Severity: plugin.Note, TextZH: "制卡系统未受理，由经办人核实"}), nil
	default:
		return plugin.Decision{}, errors.New("the card system answers with status " + strconv.Itoa(answer.Status))
	}
	made := card{}
	if json.Unmarshal(answer.Body, &made) != nil || made.Number == "" {
		return plugin.Decision{}, errors.New("the card system's answer has no number")
	}
	call.Log("made", nil)
	return plugin.Approve(plugin.Values{"number": plugin.Text(made.Number)}), nil
}

// revoke takes a card back; one that the other system does not know is taken back.
func revoke(call *plugin.Call) (plugin.Revocation, error) {
	number, ok := call.Result.Text("number")
	if !ok || !digits(number) {
		return plugin.Revocation{Findings: []plugin.Finding{{Code: "no_number", Severity: plugin.Note, TextZH: "没有卡号，由经办人收回"}}}, nil
	}
	answer, err := send(call, "DELETE", cards+"/"+number, nil)
	if err != nil {
		return plugin.Revocation{}, err
	}
	switch answer.Status {
	case statusOK, statusNoContent, statusNotFound:
		return plugin.Revocation{Revoked: true}, nil
	default:
		return plugin.Revocation{}, errors.New("the card system answers with status " + strconv.Itoa(answer.Status))
	}
}

// digits says that a number can stand in an address as it is.
func digits(number string) bool {
	for _, r := range number {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return number != ""
}

// send asks the other system. Who is not there is asked again by the engine: a failure, and never a refusal.
func send(call *plugin.Call, method, address string, body []byte) (plugin.HTTPResponse, error) {
	request := plugin.HTTPRequest{Method: method, URL: address, Headers: map[string]string{"Accept": "application/json"}, Body: body}
	if body != nil {
		request.Headers["Content-Type"] = "application/json"
	}
	answer, err := call.HTTP(request)
	if err == nil && !answer.Answered {
		call.Log("unreachable", nil)
		err = errors.New("the card system does not answer")
	}
	return answer, err
}
