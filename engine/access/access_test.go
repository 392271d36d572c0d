package access_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/forms"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	resident := access.Identity{Subject: "u", Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: "p"}
	clerk := access.Identity{Subject: "c", Roles: []accessv1.Role{accessv1.Role_ROLE_CLERK}}
	own := &accessv1.Access{Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT, accessv1.Role_ROLE_COMPANY}, Scope: accessv1.Scope_SCOPE_OWN}
	open := &accessv1.Access{Anyone: true, Scope: accessv1.Scope_SCOPE_PUBLIC}
	tests := []struct {
		name string
		who  access.Identity
		rule *accessv1.Access
		want error
	}{
		{name: "one of the roles", who: resident, rule: own},
		{name: "another role", who: clerk, rule: own, want: access.ErrNotAllowed},
		{name: "nobody", rule: own, want: access.ErrNotSignedIn},
		{name: "nobody, open method", rule: open},
		{name: "somebody, open method", who: clerk, rule: open},
		{name: "a role without a subject", who: access.Identity{Roles: resident.Roles}, rule: own, want: access.ErrNotSignedIn},
		{name: "no option", who: resident, want: access.ErrNoRule},
		{name: "no option, nobody", want: access.ErrNoRule},
		{name: "empty option", who: resident, rule: &accessv1.Access{}, want: access.ErrNoRule},
		{name: "no scope", who: resident, rule: &accessv1.Access{Roles: own.GetRoles()}, want: access.ErrNoRule},
		{name: "a scope of tomorrow", who: resident, rule: &accessv1.Access{Roles: own.GetRoles(), Scope: 99}, want: access.ErrNoRule},
		{name: "anyone, but of persons", who: resident, rule: &accessv1.Access{Anyone: true, Scope: accessv1.Scope_SCOPE_OWN}, want: access.ErrNoRule},
		{name: "anyone and roles", who: resident, rule: &accessv1.Access{Anyone: true, Roles: own.GetRoles(), Scope: accessv1.Scope_SCOPE_PUBLIC}, want: access.ErrNoRule},
		{name: "unspecified role", who: access.Identity{Subject: "u", Roles: []accessv1.Role{0}}, rule: &accessv1.Access{Roles: []accessv1.Role{0}, Scope: accessv1.Scope_SCOPE_PUBLIC}, want: access.ErrNoRule},
		{name: "resident in the office's scope", who: resident, rule: &accessv1.Access{Roles: own.GetRoles(), Scope: accessv1.Scope_SCOPE_OFFICE}, want: access.ErrNoRule},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := access.Authorize(tt.who, tt.rule); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		who  access.Identity
		want []string
	}{
		{name: "nobody"},
		{name: "resident", who: access.Identity{Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: "p"}, want: []string{"p"}},
		{name: "company: its agent's own applications are not the enterprise's", who: access.Identity{
			Roles: []accessv1.Role{accessv1.Role_ROLE_COMPANY}, Person: "p", Enterprise: "e"}, want: []string{"e"}},
		{name: "clerk: the office owns none", who: access.Identity{Roles: []accessv1.Role{accessv1.Role_ROLE_CLERK}, Person: "p"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.who.Principals()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdentity_LogHoldsNoPerson(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "who", access.Identity{
		Subject: "secret-subject", Client: "secret-client", Person: "secret-person", Enterprise: "secret-enterprise",
		Roles: []accessv1.Role{accessv1.Role_ROLE_OFFICER}, Department: "hrss",
	})
	if line := out.String(); strings.Contains(line, "secret") || !strings.Contains(line, "ROLE_OFFICER") || !strings.Contains(line, "hrss") {
		t.Errorf("log line %s", line)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	record := map[forms.Path]int{
		"form.mother.id_no": 1, "form.mother.name": 2, "form.mother_account.bank": 3, "form.father.id_no": 4,
		"own.newborn.cert_no": 5, "results.audit.date": 6,
	}
	tests := []struct {
		name  string
		needs []forms.Path
		want  map[forms.Path]int
	}{
		{name: "nothing", want: map[forms.Path]int{}},
		{name: "a field", needs: []forms.Path{"form.mother.id_no"}, want: map[forms.Path]int{"form.mother.id_no": 1}},
		{name: "a section, and not one whose name begins alike", needs: []forms.Path{"form.mother"}, want: map[forms.Path]int{"form.mother.id_no": 1, "form.mother.name": 2}},
		{name: "half a name is no need", needs: []forms.Path{"form.mother.id", "form.moth"}, want: map[forms.Path]int{}},
		{name: "an empty need opens nothing", needs: []forms.Path{""}, want: map[forms.Path]int{}},
		{name: "several", needs: []forms.Path{"own.newborn.cert_no", "results.audit", "form.child"}, want: map[forms.Path]int{"own.newborn.cert_no": 5, "results.audit.date": 6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, access.Redact(record, tt.needs)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
