package plugin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// TestValues carries a value of every kind to the wire and back.
func TestValues(t *testing.T) {
	t.Parallel()
	values := plugin.Values{
		"text":    plugin.Text("张三"),
		"bool":    plugin.Bool(true),
		"int":     plugin.Int(-3),
		"decimal": plugin.Decimal("-12.50"),
		"money":   plugin.Money(379250),
		"date":    plugin.MustDate("2024-02-29"),
		"choice":  plugin.Choice("early"),
		"choices": plugin.Choices{"a", "b"},
		"number":  plugin.CitizenNumber("11010519491231002X"),
		"address": plugin.Address{Region: "321323", Text: "人民路1号"},
		"list":    plugin.List{{"name": plugin.Text("李四"), "born": plugin.MustDate("2026-03-15")}, {}},
	}
	got, err := plugin.ParseValues(values.Wire())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseValues_Refused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		value *pluginv1.Value
	}{
		{"no kind", &pluginv1.Value{Text: "secret"}},
		{"unknown kind", &pluginv1.Value{Kind: 99, Text: "secret"}},
		{"no date", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_DATE, Text: "secret"}},
		{"no decimal", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_DECIMAL, Text: "secret"}},
		{"no date in a row", &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_LIST, Rows: []*pluginv1.Row{
			{Cells: map[string]*pluginv1.Value{"born": {Kind: pluginv1.ValueKind_VALUE_KIND_DATE, Text: "secret"}}}}}},
		{"nothing", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := plugin.ParseValues(map[string]*pluginv1.Value{"form.x": test.value})
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), "form.x") || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %q names no path, or the content", err)
			}
		})
	}
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0001-01-01", "2024-02-29", "2000-02-29", "9999-12-31"} {
		if d, err := plugin.ParseDate(text); err != nil || d.String() != text {
			t.Errorf("ParseDate(%q) = %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "2026-2-29", "2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "0000-01-01", "2026-01-00", "2026/01/01", "２０２６-01", "-026-01-01"} {
		if d, err := plugin.ParseDate(text); err == nil || !d.IsZero() {
			t.Errorf("ParseDate(%q) = %v, want an error", text, d)
		}
	}
	early, late := plugin.MustDate("2026-03-31"), plugin.MustDate("2026-04-01")
	if !early.Before(late) || early.After(late) || late.Before(early) || early.Compare(early) != 0 {
		t.Error("dates do not compare")
	}
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "-0.8", "12049", "00.10"} {
		if d, err := plugin.ParseDecimal(text); err != nil || string(d) != text {
			t.Errorf("ParseDecimal(%q) = %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "-", ".5", "5.", "1e9", "+1", "1.2.3", " 1", strings.Repeat("9", 41)} {
		if d, err := plugin.ParseDecimal(text); err == nil {
			t.Errorf("ParseDecimal(%q) = %v, want an error", text, d)
		}
	}
}

func TestMoneyString(t *testing.T) {
	t.Parallel()
	for amount, want := range map[plugin.Money]string{0: "0.00", 5: "0.05", 379250: "3792.50", -101: "-1.01", -1 << 63: "-92233720368547758.08"} {
		if got := amount.String(); got != want {
			t.Errorf("Money(%d) = %s, want %s", int64(amount), got, want)
		}
	}
}

// TestAnswer_Fields reads a value through each accessor, with and without a value, and through the accessor of
// another kind, which fails the call.
func TestAnswer_Fields(t *testing.T) {
	t.Parallel()
	values := plugin.Values{
		"text": plugin.Text("x"), "bool": plugin.Bool(true), "int": plugin.Int(1), "decimal": plugin.Decimal("1.5"), "money": plugin.Money(1),
		"date": plugin.MustDate("2026-03-02"), "choice": plugin.Choice("a"), "choices": plugin.Choices{"a"},
		"number": plugin.CitizenNumber("11010519491231002X"), "address": plugin.Address{Region: "321323"}, "list": plugin.List{{"cell": plugin.Text("y")}},
	}
	accessors := map[string]func(plugin.Fields, string) bool{
		"text":    func(f plugin.Fields, path string) bool { v, ok := f.Text(path); return ok && v == "x" },
		"bool":    func(f plugin.Fields, path string) bool { v, ok := f.Bool(path); return ok && v },
		"int":     func(f plugin.Fields, path string) bool { v, ok := f.Int(path); return ok && v == 1 },
		"decimal": func(f plugin.Fields, path string) bool { v, ok := f.Decimal(path); return ok && v == "1.5" },
		"money":   func(f plugin.Fields, path string) bool { v, ok := f.Money(path); return ok && v == 1 },
		"date":    func(f plugin.Fields, path string) bool { v, ok := f.Date(path); return ok && v.Day == 2 },
		"choice":  func(f plugin.Fields, path string) bool { v, ok := f.Choice(path); return ok && v == "a" },
		"choices": func(f plugin.Fields, path string) bool { v, ok := f.Choices(path); return ok && len(v) == 1 },
		"number":  func(f plugin.Fields, path string) bool { v, ok := f.CitizenNumber(path); return ok && len(v) == 18 },
		"address": func(f plugin.Fields, path string) bool { v, ok := f.Address(path); return ok && v.Region == "321323" },
		"list": func(f plugin.Fields, path string) bool {
			rows, ok := f.List(path)
			if !ok || len(rows) != 1 {
				return false
			}
			cell, ok := rows[0].Text("cell")
			return ok && cell == "y"
		},
	}
	for name, read := range accessors {
		for path := range values {
			p := plugin.Plugin{Check: func(call *plugin.Call) ([]plugin.Finding, error) {
				if got := read(call.Fields, path); got != (name == path) {
					t.Errorf("accessor %s of %s: %t", name, path, got)
				}
				if read(call.Fields, "missing") || call.Has("missing") || !call.Has(path) {
					t.Errorf("accessor %s finds what is not there", name)
				}
				return nil, nil
			}}
			response, trace := p.Answer(&pluginv1.Request{Hook: plugin.HookCheck, Today: "2026-03-02", Answers: values.Wire()}, nil)
			if failed := response.GetFailure() != ""; failed != (name != path) {
				t.Errorf("accessor %s of %s: failure %q", name, path, response.GetFailure())
			}
			if len(trace.Answers) != 2 {
				t.Errorf("accessor %s of %s: read %q", name, path, trace.Answers)
			}
		}
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	p := plugin.Plugin{
		Check: func(*plugin.Call) ([]plugin.Finding, error) { return nil, nil },
		Issue: func(*plugin.Call) (plugin.Document, error) { return plugin.Document{}, nil },
	}
	if diff := cmp.Diff([]plugin.Hook{plugin.HookCheck, plugin.HookIssue}, p.Hooks()); diff != "" {
		t.Error(diff)
	}
}
