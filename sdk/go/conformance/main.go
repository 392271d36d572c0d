// Command conformance is the plugin that holds this SDK to the conformance table. docs/plugin-interface.md says what it does.
package main

import (
	"errors"
	"strings"

	plugin "github.com/siyiban/onething/sdk/go"
)

var _ = plugin.Serve(conformance())

func main() {}

func conformance() plugin.Plugin {
	return plugin.Plugin{Prefill: prefill, Check: check, Decide: decide, Issue: issue, Revoke: revoke}
}

// kinds are every kind of value, by the name of its field.
func kinds() []string {
	return []string{"text", "bool", "int", "decimal", "money", "date", "choice", "choices", "citizen_number", "address", "list"}
}

// echo is each value of `form.<kind>`, read by the accessor of its kind.
func echo(call *plugin.Call, prefix string) plugin.Values {
	values := plugin.Values{}
	put := func(kind string, v plugin.Value, ok bool) {
		if ok {
			values[prefix+kind] = v
		}
	}
	text, ok := call.Text("form.text")
	put("text", plugin.Text(text), ok)
	yes, ok := call.Bool("form.bool")
	put("bool", plugin.Bool(yes), ok)
	n, ok := call.Int("form.int")
	put("int", plugin.Int(n), ok)
	d, ok := call.Decimal("form.decimal")
	put("decimal", d, ok)
	money, ok := call.Money("form.money")
	put("money", money, ok)
	date, ok := call.Date("form.date")
	put("date", date, ok)
	choice, ok := call.Choice("form.choice")
	put("choice", plugin.Choice(choice), ok)
	choices, ok := call.Choices("form.choices")
	put("choices", plugin.Choices(choices), ok)
	number, ok := call.CitizenNumber("form.citizen_number")
	put("citizen_number", number, ok)
	address, ok := call.Address("form.address")
	put("address", address, ok)
	rows, ok := call.List("form.list")
	list := plugin.List{}
	for _, cells := range rows {
		row := plugin.Values{}
		if text, ok := cells.Text("text"); ok {
			row["text"] = plugin.Text(text)
		}
		if money, ok := cells.Money("money"); ok {
			row["money"] = money
		}
		list = append(list, row)
	}
	put("list", list, ok)
	return values
}

func prefill(call *plugin.Call) (plugin.Values, error) { return echo(call, "own."), nil }

func check(call *plugin.Call) ([]plugin.Finding, error) {
	var found []plugin.Finding
	for _, kind := range kinds() {
		if !call.Has("form." + kind) {
			found = append(found, plugin.Finding{Code: "missing", Path: "form." + kind, TextZH: "缺少"})
		}
	}
	for _, id := range []string{"id_card", "promise", "photo"} {
		origin := "无"
		if m, ok := call.Material(id); ok {
			origin = m.Origin
		}
		found = append(found, plugin.Finding{Code: "material", Severity: plugin.Note, TextZH: id + "：" + origin})
	}
	return append(found, plugin.Finding{
		Code: "full", Severity: plugin.Obstacle, Path: "form.text", TextZH: "全部", TextEN: "everything", Basis: "民法典 第一条",
	}), nil
}

func decide(call *plugin.Call) (plugin.Decision, error) {
	switch call.Step() {
	case "echo":
		return plugin.Approve(echo(call, "")), nil
	case "call":
		return plugin.Approve(plugin.Values{
			"bundle": plugin.Text(call.Bundle()), "step": plugin.Text(call.Step()), "task": plugin.Text(call.Task()),
			"attempt": plugin.Int(call.Attempt()), "today": call.Today(), "place": plugin.Text(call.Place()),
		}), nil
	case "parameters":
		return parameters(call), nil
	case "shared":
		return shared(call)
	case "store":
		return store(call)
	case "http":
		return ask(call)
	case "log":
		call.Log("counted", map[string]int64{"rows": 3, "below": -1})
		return plugin.Approve(nil), nil
	case "wrong_kind":
		call.Date("form.text")
		return plugin.Approve(nil), nil
	case "wrong_cell":
		rows, _ := call.List("form.list")
		for _, cells := range rows {
			cells.Date("text")
		}
		return plugin.Approve(nil), nil
	case "note":
		return plugin.Approve(nil, plugin.Finding{Code: "noted", TextZH: "备注"}), nil
	case "reject":
		return plugin.Reject(
			plugin.Finding{Code: "first", Severity: plugin.Obstacle, Path: "form.text", TextZH: "理由一"},
			plugin.Finding{Code: "second", TextZH: "理由二"}), nil
	case "undetermined":
		return plugin.Undetermined(plugin.Finding{Code: "doubt", Severity: plugin.Note, TextZH: "存疑"}), nil
	default:
		return plugin.Decision{}, errors.New("no step " + call.Step())
	}
}

func parameters(call *plugin.Call) plugin.Decision {
	result := plugin.Values{}
	if base, ok := call.Parameters.Money("base"); ok {
		result["base"] = base
	}
	if day, ok := call.Date("form.date"); ok {
		then := call.ParametersOn(day)
		if base, ok := then.Money("base"); ok {
			result["base_then"] = base
		}
		if rate, ok := then.Decimal("rate"); ok {
			result["rate_then"] = rate
		}
	}
	return plugin.Approve(result)
}

func shared(call *plugin.Call) (plugin.Decision, error) {
	source, _ := call.Text("form.source")
	key, _ := call.Text("form.key")
	purpose, _ := call.Text("form.purpose")
	entry, err := call.SharedData(source, key, purpose)
	switch {
	case err != nil:
		return plugin.Decision{}, err
	case !entry.Answered:
		return plugin.Undetermined(plugin.Finding{Code: "silent", TextZH: "暂时无法查询"}), nil
	case !entry.Found:
		return plugin.Reject(plugin.Finding{Code: "not_found", TextZH: "查无记录"}), nil
	}
	result := plugin.Values{}
	if name, ok := entry.Values.Text("name"); ok {
		result["name"] = plugin.Text(name)
	}
	if amount, ok := entry.Values.Money("amount"); ok {
		result["amount"] = amount
	}
	return plugin.Approve(result), nil
}

func store(call *plugin.Call) (plugin.Decision, error) {
	key, _ := call.Text("form.key")
	value, found, err := call.Store().Get(key)
	if err != nil {
		return plugin.Decision{}, err
	}
	if found {
		return plugin.Approve(plugin.Values{"value": plugin.Text(value)}), call.Store().Delete(key)
	}
	text, _ := call.Text("form.value")
	if err := call.Store().Put(key, []byte(text)); err != nil {
		return plugin.Decision{}, err
	}
	keys, err := call.Store().List("k", "k1", 2)
	return plugin.Approve(plugin.Values{"keys": plugin.Text(strings.Join(keys, " "))}), err
}

func ask(call *plugin.Call) (plugin.Decision, error) {
	answer, err := call.HTTP(plugin.HTTPRequest{
		Method: "POST", URL: "https://ledger.example.cn/entries", Body: []byte(`{"n":1}`),
		Headers: map[string]string{"Accept": "application/json", "Content-Type": "application/json"},
	})
	switch {
	case err != nil:
		return plugin.Decision{}, err
	case !answer.Answered:
		return plugin.Undetermined(plugin.Finding{Code: "unreachable", TextZH: "外部系统无法访问"}), nil
	}
	return plugin.Approve(plugin.Values{
		"status": plugin.Int(answer.Status), "content_type": plugin.Text(answer.ContentType), "body": plugin.Text(answer.Body),
	}), nil
}

func issue(call *plugin.Call) (plugin.Document, error) {
	text, ok := call.Result.Text("text")
	if !ok {
		return plugin.Document{}, errors.New("no text")
	}
	return plugin.Document{
		MediaType: "text/plain; charset=utf-8", Content: []byte(text + "\n"), Result: plugin.Values{"number": plugin.Text("N-1")},
	}, nil
}

func revoke(call *plugin.Call) (plugin.Revocation, error) {
	if revoked, _ := call.Result.Bool("bool"); revoked {
		return plugin.Revocation{Revoked: true}, nil
	}
	return plugin.Revocation{Findings: []plugin.Finding{{Code: "left", Severity: plugin.Note, TextZH: "由经办人收回"}}}, nil
}
