package plugins

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// TestCall_Nonsense runs modules that answer every call with the same bytes.
func TestCall_Nonsense(t *testing.T) {
	t.Parallel()
	encode := func(r *pluginv1.Response) string {
		b, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const decideHook, issueHook, prefillHook = pluginv1.Hook_HOOK_DECIDE, pluginv1.Hook_HOOK_ISSUE, pluginv1.Hook_HOOK_PREFILL
	finding := func(change func(*pluginv1.Finding)) *pluginv1.Finding {
		f := &pluginv1.Finding{Code: "no_date", Severity: pluginv1.Severity_SEVERITY_CORRECT, Path: "form.newborn.birth_date", TextZh: "缺少出生日期"}
		change(f)
		return f
	}
	checked := func(change func(*pluginv1.Finding)) string {
		return encode(&pluginv1.Response{Check: &pluginv1.Check{Findings: []*pluginv1.Finding{finding(change)}}})
	}
	decided := func(d *pluginv1.Decision) string { return encode(&pluginv1.Response{Decision: d}) }
	proposed := func(path string, v *pluginv1.Value) string {
		return encode(&pluginv1.Response{Prefill: &pluginv1.Prefill{Proposals: map[string]*pluginv1.Value{path: v}}})
	}
	reasons := []*pluginv1.Finding{finding(func(*pluginv1.Finding) {})}
	notes := []*pluginv1.Finding{finding(func(f *pluginv1.Finding) { f.Severity = pluginv1.Severity_SEVERITY_NOTE })}
	result := map[string]*pluginv1.Value{"amount": {Kind: pluginv1.ValueKind_VALUE_KIND_MONEY, Number: 1}}
	const text, date, list = pluginv1.ValueKind_VALUE_KIND_TEXT, pluginv1.ValueKind_VALUE_KIND_DATE, pluginv1.ValueKind_VALUE_KIND_LIST
	const good = Kind("")
	deep := nested(40)
	tests := []struct {
		name   string
		hook   pluginv1.Hook
		answer string
		want   Kind
	}{
		{"no finding", checkHook, encode(&pluginv1.Response{Check: &pluginv1.Check{}}), good},
		{"nothing", checkHook, "", MissingAnswer},
		{"the member of another hook", checkHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_APPROVED}), MissingAnswer},
		{"the member of another hook, approving", decideHook, encode(&pluginv1.Response{Check: &pluginv1.Check{}}), MissingAnswer},
		{"noise", checkHook, "\xff\xfe\xfd", MalformedAnswer},
		{"half a message", checkHook, checked(func(*pluginv1.Finding) {})[:20], MalformedAnswer},
		{"an unknown member", checkHook, encode(&pluginv1.Response{Check: &pluginv1.Check{}}) + "\xfa\x06\x00", MalformedAnswer},
		{"a group", checkHook, "\x0b\x0c", MalformedAnswer},
		{"a number for a message", checkHook, "\x10\x01", MalformedAnswer},
		{"a text that is not UTF-8", checkHook, "\x12\x05\x0a\x03\x0a\x01\xff", MalformedAnswer},
		{"very many empty members", checkHook, "\x12" + vector(strings.Repeat("\x0a\x00", 8000)) + "\x12" + vector(strings.Repeat("\x0a\x00", 8000)) + "\x12" + vector(strings.Repeat("\x0a\x00", 8000)), MalformedAnswer},
		{"nested deeply", prefillHook, string(protowire.AppendString([]byte("\x0a"), string(protowire.AppendString([]byte("\x0a"), "\x0a\x01a\x12"+vector(deep))))), MalformedAnswer},

		{"finding", checkHook, checked(func(*pluginv1.Finding) {}), good},
		{"finding of no severity", checkHook, checked(func(f *pluginv1.Finding) { f.Severity = 0 }), good},
		{"finding of an unknown severity", checkHook, checked(func(f *pluginv1.Finding) { f.Severity = 9 }), MalformedAnswer},
		{"finding without a code", checkHook, checked(func(f *pluginv1.Finding) { f.Code = "" }), MalformedAnswer},
		{"finding with a code that is none", checkHook, checked(func(f *pluginv1.Finding) { f.Code = "No Date" }), MalformedAnswer},
		{"finding with a path that is none", checkHook, checked(func(f *pluginv1.Finding) { f.Path = "form[0]" }), MalformedAnswer},
		{"finding without a text", checkHook, checked(func(f *pluginv1.Finding) { f.TextZh = " " }), MalformedAnswer},
		{"finding with a long text", checkHook, checked(func(f *pluginv1.Finding) { f.TextZh = strings.Repeat("长", 4001) }), MalformedAnswer},
		{"finding with a control character", checkHook, checked(func(f *pluginv1.Finding) { f.TextZh = "a\x1b[2J" }), MalformedAnswer},
		{"finding with a long basis", checkHook, checked(func(f *pluginv1.Finding) { f.Basis = strings.Repeat("长", 501) }), MalformedAnswer},
		{"findings without end", checkHook, "\x12" + vector(strings.Repeat("\x0a"+vector("\x0a\x01a\x10\x01\x22\x01a"), 201)), MalformedAnswer},

		{"approved", decideHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_APPROVED, Result: result, Findings: notes}), good},
		{"approved with an obstacle", decideHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_APPROVED, Findings: reasons}), MalformedAnswer},
		{"no outcome", decideHook, decided(&pluginv1.Decision{Result: result}), MalformedAnswer},
		{"an unknown outcome", decideHook, decided(&pluginv1.Decision{Outcome: 4}), MalformedAnswer},
		{"rejected", decideHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_REJECTED, Findings: reasons}), good},
		{"rejected without a reason", decideHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_REJECTED}), MalformedAnswer},
		{"rejected with a result", decideHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_REJECTED, Findings: reasons, Result: result}), MalformedAnswer},
		{"undetermined without a doubt", decideHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_UNDETERMINED}), MalformedAnswer},
		{"undetermined", decideHook, decided(&pluginv1.Decision{Outcome: pluginv1.Outcome_OUTCOME_UNDETERMINED, Findings: reasons}), good},

		{"document", issueHook, encode(&pluginv1.Response{Issue: &pluginv1.Issue{MediaType: "text/html; charset=utf-8", Content: []byte("x")}}), good},
		{"document without a media type", issueHook, encode(&pluginv1.Response{Issue: &pluginv1.Issue{Content: []byte("x")}}), MalformedAnswer},
		{"document without content", issueHook, encode(&pluginv1.Response{Issue: &pluginv1.Issue{MediaType: "text/plain"}}), MalformedAnswer},
		{"document that splits a header", issueHook, encode(&pluginv1.Response{Issue: &pluginv1.Issue{MediaType: "text/plain\r\nX: y", Content: []byte("x")}}), MalformedAnswer},

		{"text", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: text, Text: "x"}), good},
		{"a path that is none", prefillHook, proposed("", &pluginv1.Value{Kind: text, Text: "x"}), MalformedAnswer},
		{"no kind", prefillHook, proposed("form.a.b", &pluginv1.Value{Text: "x"}), MalformedAnswer},
		{"an unknown kind", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: 12}), MalformedAnswer},
		{"a date", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: date, Text: "2024-02-29"}), good},
		{"no date", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: date, Text: "2026-02-29"}), MalformedAnswer},
		{"a date with a number", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: date, Text: "2024-02-29", Number: 1}), MalformedAnswer},
		{"a decimal", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_DECIMAL, Text: "-0.80"}), good},
		{"no decimal", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_DECIMAL, Text: "1e9"}), MalformedAnswer},
		{"a choice", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_CHOICE, Text: "female_55"}), good},
		{"no choice", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_CHOICE, Text: "女"}), MalformedAnswer},
		{"no choices", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_CHOICES, Items: []string{"a", ""}}), MalformedAnswer},
		{"no citizen number", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER, Text: "1"}), MalformedAnswer},
		{"an address", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_ADDRESS, Region: "321323", Text: "人民路1号"}), good},
		{"no region", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_ADDRESS, Region: "3213"}), MalformedAnswer},
		{"a list", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: list, Rows: []*pluginv1.Row{{Cells: map[string]*pluginv1.Value{"c": {Kind: text}}}}}), good},
		{"a list in a list", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: list, Rows: []*pluginv1.Row{{Cells: map[string]*pluginv1.Value{"c": {Kind: list}}}}}), MalformedAnswer},
		{"no date in a list", prefillHook, proposed("form.a.b", &pluginv1.Value{Kind: list, Rows: []*pluginv1.Row{{Cells: map[string]*pluginv1.Value{"c": {Kind: date}}}}}), MalformedAnswer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := fit(test.answer, "")
			if len(test.answer) > 16000 {
				// Three vectors of data, since a test's vector is below 16384 bytes.
				m = fit("", "\x42"+sleb(answerAt<<32|int64(len(test.answer))))
				m.data = leb((len(test.answer) + 9999) / 10000)
				for at := 0; at < len(test.answer); at += 10000 {
					m.data += "\x00\x41" + sleb(int64(answerAt+at)) + "\x0b" + vector(test.answer[at:min(at+10000, len(test.answer))])
				}
			}
			host, refs := newHost(t, Config{}, m.bytes(t))
			response, _, err := host.Call(t.Context(), refs[0], ask(test.hook, ""))
			if test.want == good {
				if err != nil || response == nil {
					t.Errorf("got %v, %v, want an answer", response, err)
				}
				return
			}
			var failed *CallError
			if !errors.As(err, &failed) || failed.Kind != test.want || response != nil {
				t.Errorf("got %v, %v, want %s", response, err, test.want)
			}
		})
	}
}

// nested is the rows of lists in lists: Value.rows.cells[…].rows.cells[…] …
func nested(depth int) string {
	deep := ""
	for range depth {
		for _, number := range []protowire.Number{2, 1, 7} { // CellsEntry.value, Row.cells, Value.rows
			deep = string(protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), deep))
		}
	}
	return deep
}

// TestDecodeAnswer_Bounds refuses what a decoder would spend much on before anything else looks at it.
func TestDecodeAnswer_Bounds(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, answer, want string }{
		{"very many members", "\x12" + string(protowire.AppendString(nil, strings.Repeat("\x0a\x00", maxMembers))), "members"},
		{"nested deeply", "\x0a" + vector("\x0a"+vector("\x0a\x01a\x12"+vector(nested(40)))), "nested"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := decodeAnswer([]byte(test.answer)); !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("decodeAnswer() = %v, want an error with %q", err, test.want)
			}
		})
	}
}

// TestCall_Bodies runs modules whose onething_call does something else than answer.
func TestCall_Bodies(t *testing.T) {
	t.Parallel()
	at := func(address, size int64) string { return "\x42" + sleb(address<<32|size) }
	tests := []struct {
		name, body string
		want       Kind
	}{
		{"unreachable", "\x00", Trapped},
		{"an answer outside the memory", at(1<<31-1, 100), MalformedAnswer},
		{"an answer across the end of the memory", at(65530, 100), MalformedAnswer},
		{"an answer too large", at(0, 1<<30), TooMuchOutput},
		{"a loop", "\x03\x40\x0c\x00\x0b\x42\x00", OutOfFuel},
		{"recursion", "\x20\x00\x20\x01\x10\x01", StackOverflow},
		{"memory beyond the limit, then a trap", "\x41" + sleb(10000) + "\x40\x00\x1a\x00", OutOfMemory},
		{"memory beyond the limit, and no answer", "\x41" + sleb(10000) + "\x40\x00\x1a\x42\x00", MissingAnswer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			limits := DefaultLimits()
			limits.Fuel = 200 * million
			host, refs := newHost(t, Config{Limits: limits}, fit("", test.body).bytes(t))
			if _, _, err := host.Call(t.Context(), refs[0], ask(checkHook, "")); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestCall_NotUTF8 refuses a request that no guest could read.
func TestCall_NotUTF8(t *testing.T) {
	t.Parallel()
	host, refs := newHost(t, Config{}, fit("\x12\x00", "").bytes(t))
	request := ask(checkHook, "\xff")
	if _, _, err := host.Call(t.Context(), refs[0], request); !errors.Is(err, BadRequest) {
		t.Errorf("got %v, want %s", err, BadRequest)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, r := range []*pluginv1.Response{
		{Check: &pluginv1.Check{Findings: []*pluginv1.Finding{{Code: "a", TextZh: "a"}}}},
		{Decision: &pluginv1.Decision{Outcome: 1, Result: map[string]*pluginv1.Value{"a": {Kind: 6, Text: "2026-03-02"}}}},
		{Issue: &pluginv1.Issue{MediaType: "text/plain", Content: []byte("x")}},
		{Failure: "x"},
	} {
		b, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, int32(checkHook))
	}
	f.Fuzz(func(t *testing.T, message []byte, hook int32) {
		r, err := decodeAnswer(message)
		if err != nil {
			if !errors.Is(err, errMalformed) {
				t.Fatalf("decodeAnswer() = %v", err)
			}
			return
		}
		if err := checkAnswer(pluginv1.Hook(hook), r); err == nil {
			// What passes can be written down again.
			if _, err := proto.Marshal(r); err != nil {
				t.Fatal(err)
			}
		} else if !errors.Is(err, errMalformed) && !errors.Is(err, MissingAnswer) {
			t.Fatalf("checkAnswer() = %v", err)
		}
	})
}
