package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/siyiban/onething/forms/kind"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

// Claims says which claims of a token mean which role, department and person. A claim is named by its path; a dot
// leads into an object, as in `realm_access.roles`.
type Claims struct {
	// Roles is the claim with the roles: a string or a list of strings.
	Roles string
	// RoleValues says which of its values mean which role. Other values mean nothing. ROLE_DEPARTMENT_SYSTEM is not
	// among them: systems are named in Systems.
	RoleValues map[string]accessv1.Role
	// Department is the claim with an officer's department.
	Department string
	// Departments says which of its values mean which department id. Empty: the value is the id.
	Departments map[string]string
	// Person is the claim with the citizen number (GB 11643) of the person who signed in.
	Person string
	// Enterprise is the claim with the unified social credit code (GB 32100) of the enterprise that a person acts for.
	Enterprise string
	// Client is the claim with the id of the program that the token was issued to. Empty: `azp`, else `client_id`.
	Client string
	// Systems says which subjects are departments' own systems, signed in as clients (`client_credentials`), and of
	// which department id. Such a token has the role ROLE_DEPARTMENT_SYSTEM and no other, whatever else it claims.
	// It is keyed by the subject and not by the client id, because a person who signs in through the same client
	// carries that id too.
	Systems map[string]string
}

// reader makes identities of claims. Its Claims are checked.
type reader struct{ Claims }

func newReader(c Claims) (reader, error) {
	var faults []error
	if c.Roles == "" {
		faults = append(faults, errors.New("no claim for the roles"))
	}
	if len(c.RoleValues) == 0 {
		faults = append(faults, errors.New("no value means a role"))
	}
	for _, value := range slices.Sorted(maps.Keys(c.RoleValues)) {
		role := c.RoleValues[value]
		switch {
		case value == "":
			faults = append(faults, errors.New("an empty value means a role"))
		case accessv1.Role_name[int32(role)] == "" || role == accessv1.Role_ROLE_UNSPECIFIED:
			faults = append(faults, fmt.Errorf("role value %q means no role", value))
		case role == accessv1.Role_ROLE_DEPARTMENT_SYSTEM:
			faults = append(faults, fmt.Errorf("role value %q: a department's system is named by its subject, not by a role", value))
		case role == accessv1.Role_ROLE_RESIDENT && c.Person == "":
			faults = append(faults, errors.New("residents need a claim for their citizen number"))
		case role == accessv1.Role_ROLE_COMPANY && c.Enterprise == "":
			faults = append(faults, errors.New("companies need a claim for their social credit code"))
		case (role == accessv1.Role_ROLE_OFFICER || role == accessv1.Role_ROLE_DEVELOPER) && c.Department == "":
			faults = append(faults, errors.New("officers and developers need a claim for their department"))
		}
	}
	for _, value := range slices.Sorted(maps.Keys(c.Departments)) {
		if value == "" || c.Departments[value] == "" {
			faults = append(faults, fmt.Errorf("department value %q means no department", value))
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(c.Systems)) {
		if subject == "" || c.Systems[subject] == "" {
			faults = append(faults, fmt.Errorf("system %q has no department", subject))
		}
	}
	for _, path := range []string{c.Roles, c.Department, c.Person, c.Enterprise, c.Client} {
		if path != "" && slices.Contains(strings.Split(path, "."), "") {
			faults = append(faults, fmt.Errorf("claim %q has an empty part", path))
		}
	}
	return reader{c}, errors.Join(faults...)
}

// identity returns the identity that the claims of a verified token make. Errors name claims and roles, never values.
func (r reader) identity(subject string, claims map[string]any, digest func(string) string) (Identity, error) {
	who := Identity{Subject: subject}
	var err error
	if who.Client, err = r.client(claims); err != nil {
		return Identity{}, err
	}
	if department, ok := r.Systems[subject]; ok {
		who.Roles = []accessv1.Role{accessv1.Role_ROLE_DEPARTMENT_SYSTEM}
		who.Department = department
		return who, nil
	}

	values, err := words(claims, r.Roles)
	if err != nil {
		return Identity{}, err
	}
	for _, value := range values {
		if role, ok := r.RoleValues[value]; ok && !who.Has(role) {
			who.Roles = append(who.Roles, role)
		}
	}
	slices.Sort(who.Roles)
	if who.Has(accessv1.Role_ROLE_OFFICER) || who.Has(accessv1.Role_ROLE_DEVELOPER) {
		value, err := word(claims, r.Department)
		if err != nil {
			return Identity{}, err
		}
		who.Department = value
		if len(r.Departments) > 0 {
			who.Department = r.Departments[value]
		}
	}
	if who.Person, err = number(claims, r.Person, kind.KindCitizenNumber, digest); err != nil {
		return Identity{}, err
	}
	if who.Has(accessv1.Role_ROLE_COMPANY) {
		if who.Enterprise, err = number(claims, r.Enterprise, kind.KindUSCC, digest); err != nil {
			return Identity{}, err
		}
	}
	return who, who.check()
}

func (r reader) client(claims map[string]any) (string, error) {
	if r.Client != "" {
		return word(claims, r.Client)
	}
	client, err := word(claims, "azp")
	if err != nil || client != "" {
		return client, err
	}
	return word(claims, "client_id")
}

// number returns the digest of the canonical number in a claim; "" if there is no such claim.
func number(claims map[string]any, path string, k kind.Kind, digest func(string) string) (string, error) {
	raw, err := word(claims, path)
	if err != nil || raw == "" {
		return "", err
	}
	value, fault := kind.Spec{Kind: k}.Parse(raw)
	if fault != nil {
		return "", fmt.Errorf("claim %s is no valid number (%s)", path, fault.Code)
	}
	canonical, ok := kind.Encode(value).(string)
	if !ok {
		return "", fmt.Errorf("claim %s: %s has no canonical text", path, k)
	}
	return digest(canonical), nil
}

// word returns the string in a claim; "" if there is no such claim.
func word(claims map[string]any, path string) (string, error) {
	value, ok := lookup(claims, path)
	if !ok || value == nil {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("claim %s is no text", path)
	}
	return text, nil
}

// words returns the strings in a claim that is a string or a list of strings; none if there is no such claim.
func words(claims map[string]any, path string) ([]string, error) {
	value, ok := lookup(claims, path)
	if !ok || value == nil {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = item.(string); !ok {
			return nil, fmt.Errorf("claim %s is neither a text nor a list of texts", path)
		}
	}
	return texts, nil
}

// lookup finds a claim: under its whole name first, since names that are addresses (`https://example.org/roles`)
// hold dots, else along its path.
func lookup(claims map[string]any, path string) (any, bool) {
	if path == "" {
		return nil, false
	}
	if value, ok := claims[path]; ok {
		return value, true
	}
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return nil, false
	}
	inner, ok := claims[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(inner, rest)
}
