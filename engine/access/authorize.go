package access

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

// Why a call is refused.
var (
	// ErrNotSignedIn says that the method needs a role, and nobody has signed in.
	ErrNotSignedIn = errors.New("access: not signed in")
	// ErrNotAllowed says that none of the caller's roles may call the method.
	ErrNotAllowed = errors.New("access: not allowed")
	// ErrNoRule says that the method has no access option, or a faulty one, so nobody may call it.
	ErrNoRule = errors.New("access: method without a sound access option")
)

// RuleOf returns the access option of a method; nil if it has none.
func RuleOf(method protoreflect.MethodDescriptor) *accessv1.Access {
	if method == nil {
		return nil
	}
	rule, _ := proto.GetExtension(method.Options(), accessv1.E_Access).(*accessv1.Access)
	if rule == nil || !proto.HasExtension(method.Options(), accessv1.E_Access) {
		return nil
	}
	return rule
}

// Authorize returns nil if the identity may call a method with this access option, else [ErrNotSignedIn],
// [ErrNotAllowed] or an error that wraps [ErrNoRule]. It is closed by default: no option, a faulty option and an
// identity without roles all refuse. Which objects the caller then reaches is the option's scope, which whoever
// answers applies.
func Authorize(who Identity, rule *accessv1.Access) error {
	if err := CheckRule(rule); err != nil {
		return err
	}
	if rule.GetAnyone() {
		return nil
	}
	if !who.SignedIn() {
		return ErrNotSignedIn
	}
	if slices.ContainsFunc(rule.GetRoles(), who.Has) {
		return nil
	}
	return ErrNotAllowed
}

// CheckRule returns an error that wraps [ErrNoRule] if the access option is missing or says something that cannot be
// meant: a method for anyone that reaches a person's objects, or a role that has no business in the scope.
func CheckRule(rule *accessv1.Access) error {
	if rule == nil {
		return fmt.Errorf("%w: none", ErrNoRule)
	}
	if rule.GetAnyone() {
		if len(rule.GetRoles()) > 0 || rule.GetScope() != accessv1.Scope_SCOPE_PUBLIC {
			return fmt.Errorf("%w: anyone means no roles and a public scope", ErrNoRule)
		}
		return nil
	}
	if len(rule.GetRoles()) == 0 {
		return fmt.Errorf("%w: no roles", ErrNoRule)
	}
	fit := rolesOf(rule.GetScope())
	if fit == nil {
		return fmt.Errorf("%w: no scope", ErrNoRule)
	}
	for _, role := range rule.GetRoles() {
		if !slices.Contains(fit, role) {
			return fmt.Errorf("%w: %v has no business in %v", ErrNoRule, role, rule.GetScope())
		}
	}
	return nil
}

// rolesOf returns the roles that may be given a scope; nil for a scope that is not known.
func rolesOf(scope accessv1.Scope) []accessv1.Role {
	switch scope {
	case accessv1.Scope_SCOPE_PUBLIC:
		return []accessv1.Role{
			accessv1.Role_ROLE_RESIDENT, accessv1.Role_ROLE_COMPANY, accessv1.Role_ROLE_CLERK, accessv1.Role_ROLE_OFFICER,
			accessv1.Role_ROLE_DEPARTMENT_SYSTEM, accessv1.Role_ROLE_CONFIGURATOR, accessv1.Role_ROLE_OPERATOR, accessv1.Role_ROLE_DEVELOPER,
		}
	case accessv1.Scope_SCOPE_OWN:
		// A clerk files at the counter for somebody who stands there; the draft and the application are that
		// person's and, until it is submitted, the clerk's.
		return []accessv1.Role{accessv1.Role_ROLE_RESIDENT, accessv1.Role_ROLE_COMPANY, accessv1.Role_ROLE_CLERK}
	case accessv1.Scope_SCOPE_OFFICE:
		return []accessv1.Role{accessv1.Role_ROLE_CLERK}
	case accessv1.Scope_SCOPE_DEPARTMENT:
		return []accessv1.Role{accessv1.Role_ROLE_OFFICER, accessv1.Role_ROLE_DEPARTMENT_SYSTEM}
	case accessv1.Scope_SCOPE_PLATFORM:
		return []accessv1.Role{accessv1.Role_ROLE_CONFIGURATOR, accessv1.Role_ROLE_OPERATOR}
	case accessv1.Scope_SCOPE_PLUGINS:
		return []accessv1.Role{accessv1.Role_ROLE_OPERATOR, accessv1.Role_ROLE_DEVELOPER}
	case accessv1.Scope_SCOPE_UNSPECIFIED:
		return nil
	default:
		return nil
	}
}
