// Package conformance asks a plugin cases whose answers are known: the table that holds every SDK to the interface, and the
// cases that an SDK's test kit has recorded. The plugin runs in the host's sandbox; its host calls are answered as the case
// has them, so nothing outside is reached.
package conformance

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

//go:embed table.json
var table []byte

// entry is a case of the table.
type entry struct {
	Name    string          `json:"name"`
	Shows   string          `json:"shows"`
	Request json.RawMessage `json:"request"`
	// Further are members of the request, encoded, in hex, that this version of the schema does not know.
	Further string `json:"further"`
	Calls   []struct {
		Function string          `json:"function"`
		Request  json.RawMessage `json:"request"`
		Response json.RawMessage `json:"response"`
	} `json:"calls"`
	Response json.RawMessage `json:"response"`
}

// ReadCase reads one case in the form of the table. `name`, `shows` and `response` may be missing.
func ReadCase(source []byte) (*pluginv1.Case, error) {
	var e entry
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return nil, err
	}
	if e.Request == nil {
		return nil, errors.New("has no `request`")
	}
	return e.message()
}

// Table returns the cases that every SDK passes. docs/plugin-interface.md says how the plugin behaves that is asked.
func Table() ([]*pluginv1.Case, error) { return read(table) }

func read(source []byte) ([]*pluginv1.Case, error) {
	var file struct {
		Cases []entry `json:"cases"`
	}
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	cases := make([]*pluginv1.Case, 0, len(file.Cases))
	for _, e := range file.Cases {
		c, err := e.message()
		if err != nil {
			return nil, fmt.Errorf("conformance: case %q: %w", e.Name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func (e entry) message() (*pluginv1.Case, error) {
	c := &pluginv1.Case{Name: e.Name, Request: new(pluginv1.Request), Response: new(pluginv1.Response)}
	if err := protojson.Unmarshal(e.Request, c.GetRequest()); err != nil {
		return nil, err
	}
	further, err := hex.DecodeString(e.Further)
	if err != nil {
		return nil, err
	}
	if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(further, c.GetRequest()); err != nil {
		return nil, err
	}
	if e.Response != nil {
		if err := protojson.Unmarshal(e.Response, c.GetResponse()); err != nil {
			return nil, err
		}
	}
	for _, call := range e.Calls {
		request, response := capability.Messages(call.Function)
		if request == nil {
			return nil, fmt.Errorf("no host function %q", call.Function)
		}
		recorded := &pluginv1.HostCall{Function: call.Function}
		for _, m := range []struct {
			text    json.RawMessage
			message proto.Message
			to      *[]byte
		}{{call.Request, request, &recorded.Request}, {call.Response, response, &recorded.Response}} {
			if err := protojson.Unmarshal(m.text, m.message); err != nil {
				return nil, err
			}
			if *m.to, err = (proto.MarshalOptions{Deterministic: true}).Marshal(m.message); err != nil {
				return nil, err
			}
		}
		c.Calls = append(c.Calls, recorded)
	}
	return c, nil
}

// Ask asks a plugin one case and returns what differs from its answer, over several lines; empty: nothing does. An error
// means that the host could not ask, not that the plugin answered wrongly.
func Ask(ctx context.Context, host *plugins.Host, ref plugins.Ref, c *pluginv1.Case) (differs string, err error) {
	got, trace, diverged, err := host.Replay(ctx, ref, c.GetRequest(), c.GetCalls())
	if diverged != "" {
		return diverged + "; it should make" + calls(c.GetCalls()), nil
	}
	var failed *plugins.CallError
	switch {
	case errors.Is(err, plugins.GaveUp):
		got = &pluginv1.Response{Failure: trace.Failure}
	case errors.As(err, &failed):
		return failed.Error(), nil
	case err != nil:
		return "", err
	}
	want := c.GetResponse()
	if want.GetFailure() != "" && got.GetFailure() != "" || proto.Equal(want, got) {
		return "", nil
	}
	return "want " + show(want) + "\ngot  " + show(got), nil
}

// calls prints host calls, one in a line.
func calls(all []*pluginv1.HostCall) string {
	if len(all) == 0 {
		return " none"
	}
	var b strings.Builder
	for _, call := range all {
		request, _ := capability.Messages(call.GetFunction())
		if request == nil || proto.Unmarshal(call.GetRequest(), request) != nil {
			continue
		}
		b.WriteString("\n  " + call.GetFunction() + " " + show(request))
	}
	return b.String()
}

// show prints a message in one line.
func show(message proto.Message) string {
	// The printer varies its blanks on purpose.
	return strings.ReplaceAll(prototext.MarshalOptions{EmitUnknown: true}.Format(message), "  ", " ")
}
