package registers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/examples/registers"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

func demonstration(t testing.TB) *registers.Registers {
	t.Helper()
	r, err := registers.Demonstration()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(s string) *pluginv1.Value {
	return &pluginv1.Value{Kind: pluginv1.ValueKind_VALUE_KIND_TEXT, Text: s}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	var source capability.Source = demonstration(t)
	tests := []struct {
		name        string
		source, key string
		want        map[string]*pluginv1.Value // nil: no entry
		err         error
	}{
		{
			name: "a person with text, number and address", source: "population_register", key: "321323199304180029",
			want: map[string]*pluginv1.Value{
				"name": text("周雨桐"), "state": text("registered"), "head_name": text("许建国"),
				"head_id": {Kind: pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER, Text: "321323196409090157"},
				"address": {Kind: pluginv1.ValueKind_VALUE_KIND_ADDRESS, Region: "321323", Text: "众兴街道桃源路 18 号"},
			},
		},
		{
			name: "an account with months, an index and fen", source: "pension_account", key: "321323196512200334",
			want: map[string]*pluginv1.Value{
				"name": text("孙建平"), "state": text("contributing"),
				"paid_months":   {Kind: pluginv1.ValueKind_VALUE_KIND_INT, Number: 360},
				"deemed_months": {Kind: pluginv1.ValueKind_VALUE_KIND_INT},
				"average_index": {Kind: pluginv1.ValueKind_VALUE_KIND_DECIMAL, Text: "1"},
				"balance":       {Kind: pluginv1.ValueKind_VALUE_KIND_MONEY, Number: 150_000_00},
			},
		},
		{name: "an entry that says nothing but that it is there", source: "birth_registration", key: "X321300099", want: map[string]*pluginv1.Value{}},
		{name: "no entry", source: "population_register", key: "321323197909090318"},
		{name: "no register", source: "vehicle_register", key: "321323199304180029", err: registers.ErrNoRegister},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := source.LookUp(t.Context(), tt.source, tt.key)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if (got == nil) != (tt.want == nil) {
				t.Fatalf("got an entry: %v, want one: %v", got != nil, tt.want != nil)
			}
			if got != nil {
				if diff := cmp.Diff(tt.want, got.Values, protocmp.Transform()); diff != "" {
					t.Errorf("entry (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// What a caller does with an answer changes no later one.
func TestLookUp_IsACopy(t *testing.T) {
	t.Parallel()
	r := demonstration(t)
	for range 2 {
		got, err := r.LookUp(t.Context(), "population_register", "321323199304180029")
		if err != nil || got.Values["name"] == nil {
			t.Fatalf("entry %v, error %v", got, err)
		}
		delete(got.Values, "name")
	}
}

func TestLookUp_StopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := demonstration(t).LookUp(ctx, "population_register", "321323199304180029"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestFact(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                 string
		source, fact, number string
		want                 kind.Value
		known                bool
	}{
		{name: "on the list", source: "credit_list", fact: "credit_restricted", number: "321323197909090318", want: kind.Bool(true), known: true},
		{name: "not on the list", source: "credit_list", fact: "credit_restricted", number: "321323199304180029", want: kind.Bool(false), known: true},
		{name: "another fact", source: "credit_list", fact: "height", number: "321323199304180029"},
		{name: "a register of no facts", source: "population_register", fact: "credit_restricted", number: "321323199304180029"},
		{name: "no register", source: "nobody", fact: "credit_restricted", number: "321323199304180029"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, known, err := demonstration(t).Fact(t.Context(), tt.source, tt.fact, tt.number)
			if err != nil || known != tt.known || got != tt.want {
				t.Errorf("got %v, known %v, error %v; want %v, known %v", got, known, err, tt.want, tt.known)
			}
		})
	}
}

func TestParse_Faults(t *testing.T) {
	t.Parallel()
	const head = "registers:\n  - register: a\n    key: CITIZEN_NUMBER\n    values: { n: INT }\n    entries:\n"
	tests := []struct{ name, file, want string }{
		{name: "no YAML", file: "{", want: "f.yaml: "},
		{name: "a misspelt member", file: "registers:\n  - register: a\n    kye: TEXT\n", want: "kye"},
		{name: "wrong check digit of a key", file: head + "      \"321323199304180020\": { n: 1 }\n", want: "f.yaml:6: a: the key is wrong: "},
		{name: "wrong kind of a value", file: head + "      \"321323199304180029\": { n: one }\n", want: "f.yaml:6: a: the value n is wrong: "},
		{name: "a value that is not declared", file: head + "      \"321323199304180029\": { m: 1 }\n", want: "f.yaml:6: a: the value m is not declared"},
		{name: "the same person twice", file: head + "      32132319910722001X: {}\n      32132319910722001x: {}\n", want: "f.yaml:7: a: the key is there twice"},
		{name: "an entry that is no mapping", file: head + "      \"321323199304180029\": [1]\n", want: "f.yaml:6: a: the entry is no mapping"},
		{name: "unknown kind of key", file: strings.Replace(head, "CITIZEN_NUMBER", "NUMBER", 1) + "      a: {}\n", want: `the key's kind "NUMBER" is not known`},
		{name: "a kind that no register holds", file: strings.Replace(head, "INT", "FILE", 1) + "      a: {}\n", want: `the kind "FILE" of n is none`},
		{name: "a register twice", file: head + "      {}\n  - register: a\n    entries: {}\n", want: `the register "a" has no id or is there twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := registers.Parse("f.yaml", []byte(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "321323199304180020") {
				t.Errorf("the error names a person: %v", err)
			}
		})
	}
}
