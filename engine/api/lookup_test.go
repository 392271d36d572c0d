package api_test

import (
	"fmt"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/person"
	"github.com/siyiban/onething/engine/seal"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// What a plugin has looked up about somebody, that one can read, whoever has filed; who has filed reads what was looked up
// for the application; nobody else reads either.
func TestListLookups(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	application := h.file(t).GetApplication()
	whole, err := h.intake("mother").GetApplication(ctx, &apiv1.GetApplicationRequest{Application: application})
	if err != nil {
		t.Fatal(explain(err))
	}
	number := whole.GetApplication().GetNumber()
	by := engine.Looking{Application: application, Number: number, Hook: "check",
		Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_PLUGIN, Department: "public_security", Id: "public_security/household"}}
	for _, made := range [][]person.Lookup{
		{{Source: "births", Key: "Q320000001", Purpose: "核对出生医学证明", Answered: true, Found: true}, {Source: "population", Key: father, Purpose: "核对父亲", Answered: true}},
		{{Source: "credit", Key: father, Purpose: "核对信用", Refused: "not_granted"}, {Refused: "bad_request"}, {Source: "population", Key: stranger, Purpose: "核对证明人"}},
	} {
		if err := h.engine.RecordLookups(ctx, by, made); err != nil {
			t.Fatal(err)
		}
	}
	list := func(who, application string, page *apiv1.Page) (lines []string, next string, err error) {
		got, err := h.intake(who).ListLookups(ctx, &apiv1.ListLookupsRequest{Application: application, Page: page})
		for _, l := range got.GetLookups() {
			if l.GetNumber() != number || l.GetApplication() == "" || l.GetDepartment() != "public_security" || l.GetPlugin() != "public_security/household" || l.GetHook() != "check" || !l.GetAt().IsValid() {
				t.Errorf("%s reads %v", who, l)
			}
			lines = append(lines, fmt.Sprint(l.GetSource(), " ", l.GetPurpose(), " ", l.GetAnswered(), l.GetFound(), " ", l.GetRefused()))
		}
		return lines, got.GetNextToken(), err
	}
	for who, want := range map[string][]string{
		"father":   {"credit 核对信用 false false not_granted", "population 核对父亲 true false "},
		"stranger": {"population 核对证明人 false false "},
		"mother":   nil,
	} {
		got, _, err := list(who, "", nil)
		if err != nil {
			t.Errorf("%s: %v", who, explain(err))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", who, diff)
		}
	}
	for _, who := range []string{"mother", "father"} {
		got, _, err := list(who, application, nil)
		if err != nil {
			t.Errorf("%s: %v", who, explain(err))
		}
		if diff := cmp.Diff([]string{"population 核对证明人 false false ", "  false false bad_request", "credit 核对信用 false false not_granted", "population 核对父亲 true false ", "births 核对出生医学证明 true true "}, got); diff != "" {
			t.Error(diff)
		}
	}
	first, next, err := list("father", "", &apiv1.Page{Size: 1})
	if err != nil || len(first) != 1 || next == "" {
		t.Fatalf("a page of one: %v, %q, %v", first, next, explain(err))
	}
	second, next, err := list("father", "", &apiv1.Page{Size: 1, Token: next})
	if err != nil || len(second) != 1 || next != "" || second[0] == first[0] {
		t.Errorf("the page behind it: %v, %q, %v", second, next, explain(err))
	}
	if _, _, err := list("stranger", application, nil); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a stranger reads those of the application: %v", explain(err))
	}
	// When the application is forgotten, who looked and when stays, and what for does not.
	if err := h.keys.Destroy(ctx, seal.ForApplication(application)); err != nil {
		t.Fatal(err)
	}
	got, _, err := list("father", "", nil)
	if err != nil {
		t.Fatal(explain(err))
	}
	if diff := cmp.Diff([]string{"credit  false false not_granted", "population  true false "}, got); diff != "" {
		t.Error(diff)
	}
}
