// Package work is what the guests of the benchmark do: a department's check that reads all that it is given.
package work

import (
	"fmt"

	plugin "github.com/siyiban/onething/sdk/go"
)

// Plugin checks twenty answers and has something to say of five.
var Plugin = plugin.Plugin{Check: func(call *plugin.Call) ([]plugin.Finding, error) {
	var findings []plugin.Finding
	length := 0
	for i := range 20 {
		path := fmt.Sprintf("form.person.text%d", i)
		text, ok := call.Text(path)
		if !ok {
			return nil, fmt.Errorf("no %s", path)
		}
		if length += len(text); i%4 == 0 {
			findings = append(findings, plugin.Finding{
				Code: "read", Severity: plugin.Note, Path: path, TextZH: fmt.Sprintf("已核对第 %d 项，共 %d 字节", i, length),
			})
		}
	}
	return findings, nil
}}
