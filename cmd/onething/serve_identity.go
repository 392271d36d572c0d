package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/siyiban/onething/engine/access"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

// readClaims reads what the claims of an issuer's tokens mean. docs/operators.md describes the file.
func readClaims(name string) (access.Claims, error) {
	var file struct {
		Roles       string            `yaml:"roles"`
		RoleValues  map[string]string `yaml:"role_values"`
		Department  string            `yaml:"department"`
		Departments map[string]string `yaml:"departments"`
		Person      string            `yaml:"person"`
		Enterprise  string            `yaml:"enterprise"`
		Client      string            `yaml:"client"`
		Systems     map[string]string `yaml:"systems"`
	}
	if err := readYAML(name, &file); err != nil {
		return access.Claims{}, err
	}
	claims := access.Claims{
		Roles: file.Roles, RoleValues: map[string]accessv1.Role{}, Department: file.Department, Departments: file.Departments,
		Person: file.Person, Enterprise: file.Enterprise, Client: file.Client, Systems: file.Systems,
	}
	for _, value := range slices.Sorted(maps.Keys(file.RoleValues)) {
		role, ok := accessv1.Role_value["ROLE_"+strings.ToUpper(file.RoleValues[value])]
		if !ok || role == 0 {
			return access.Claims{}, fmt.Errorf("%s: role_values: %q is no role: resident, company, clerk, officer, configurator or operator", name, file.RoleValues[value])
		}
		claims.RoleValues[value] = accessv1.Role(role)
	}
	return claims, nil
}

// readGrants reads which plugin may use which capability: a mapping of plugin ids to lists.
func readGrants(name string) (map[string][]string, error) {
	grants := map[string][]string{}
	return grants, readYAML(name, &grants)
}

// readYAML reads a configuration file and refuses what it does not know.
func readYAML(name string, into any) error {
	content, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
