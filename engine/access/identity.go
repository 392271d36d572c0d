// Package access says who calls, what they may call, and which fields of a record they see.
package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

// Identity is who calls, as the token says. The zero Identity is somebody who has not signed in.
type Identity struct {
	// Subject is the issuer's opaque id of the person or client. It names the actor in events.
	Subject string
	// Client is the program that the token was issued to, where the token says it.
	Client string
	// Roles are what the identity may act as; at least one, unless nobody has signed in.
	Roles []accessv1.Role
	// Department is the id of the department of an officer, a developer or a department's system; else empty.
	Department string
	// Person is the keyed digest of the citizen number of the person who signed in, as applications keep it: the
	// number itself is not kept. Empty if the token names none; a resident always has one.
	Person string
	// Enterprise is the keyed digest of the unified social credit code of the enterprise that a company's identity
	// acts for; else empty.
	Enterprise string
}

// SignedIn says whether somebody has signed in.
func (i Identity) SignedIn() bool { return i.Subject != "" }

// Has says whether the identity has the role.
func (i Identity) Has(role accessv1.Role) bool { return slices.Contains(i.Roles, role) }

// Principals returns the keyed digests under which applications are the identity's own: of the enterprise that it
// acts for, and of the person. Empty for staff and systems, who own none through their office.
func (i Identity) Principals() []string {
	var own []string
	if i.Has(accessv1.Role_ROLE_COMPANY) && i.Enterprise != "" {
		own = append(own, i.Enterprise)
	}
	if i.Has(accessv1.Role_ROLE_RESIDENT) && i.Person != "" {
		own = append(own, i.Person)
	}
	return own
}

// LogValue keeps ids and digests of persons out of logs: an identity in a log is its roles and department.
func (i Identity) LogValue() slog.Value {
	roles := make([]string, len(i.Roles))
	for n, r := range i.Roles {
		roles[n] = r.String()
	}
	return slog.GroupValue(slog.Any("roles", roles), slog.String("department", i.Department))
}

// check says what a role needs and the identity lacks.
func (i Identity) check() error {
	if i.Subject == "" {
		return errors.New("no subject")
	}
	if len(i.Roles) == 0 {
		return errors.New("no role that this installation knows")
	}
	for _, role := range i.Roles {
		var lacks string
		switch role {
		case accessv1.Role_ROLE_RESIDENT:
			if i.Person == "" {
				lacks = "a citizen number"
			}
		case accessv1.Role_ROLE_COMPANY:
			if i.Enterprise == "" {
				lacks = "a unified social credit code"
			}
		case accessv1.Role_ROLE_OFFICER, accessv1.Role_ROLE_DEPARTMENT_SYSTEM, accessv1.Role_ROLE_DEVELOPER:
			if i.Department == "" {
				lacks = "a department"
			}
		case accessv1.Role_ROLE_CLERK, accessv1.Role_ROLE_CONFIGURATOR, accessv1.Role_ROLE_OPERATOR:
		case accessv1.Role_ROLE_UNSPECIFIED:
			lacks = "a name"
		}
		if lacks != "" {
			return fmt.Errorf("%v without %s", role, lacks)
		}
	}
	return nil
}

type identityKey struct{}

// WithIdentity returns a context that carries who calls.
func WithIdentity(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, who)
}

// FromContext returns who calls: the zero Identity if nobody has signed in.
func FromContext(ctx context.Context) Identity {
	who, _ := ctx.Value(identityKey{}).(Identity)
	return who
}
