package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/signature"
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
			return access.Claims{}, fmt.Errorf("%s: role_values: %q is no role: resident, company, clerk, officer, configurator, operator or developer", name, file.RoleValues[value])
		}
		claims.RoleValues[value] = accessv1.Role(role)
	}
	return claims, nil
}

// readGrants reads which plugin may use which capability: a mapping of plugin ids to lists.
func readGrants(name string) (map[string][]string, error) {
	grants := map[string][]string{}
	if err := readYAML(name, &grants); err != nil {
		return nil, err
	}
	for _, plugin := range slices.Sorted(maps.Keys(grants)) {
		for _, grant := range grants[plugin] {
			if _, err := capability.ParseGrant(grant); err != nil {
				return nil, fmt.Errorf("%s: %s: %q: %w", name, plugin, grant, err)
			}
		}
	}
	return grants, nil
}

// readSigners reads whose keys may sign plugins of which department. All that is wrong is told at once.
func readSigners(name string) ([]registry.TrustPluginKey, error) {
	var file struct {
		Keys []struct {
			Key         string   `yaml:"key"`
			Name        string   `yaml:"name"`
			Departments []string `yaml:"departments"`
			Plugins     []string `yaml:"plugins"`
		} `yaml:"keys"`
	}
	if err := readYAML(name, &file); err != nil {
		return nil, err
	}
	var keys []registry.TrustPluginKey
	var faults []error
	for i, k := range file.Keys {
		if _, err := signature.ParsePublicKey(k.Key); err != nil {
			faults = append(faults, fmt.Errorf("%s: keys[%d]: %w", name, i, err))
		}
		if len(k.Departments) == 0 {
			faults = append(faults, fmt.Errorf("%s: keys[%d]: departments says for which ones it may sign; [\"*\"] for all", name, i))
		}
		keys = append(keys, registry.TrustPluginKey{Key: k.Key, Name: k.Name, Departments: k.Departments, Plugins: k.Plugins})
	}
	return keys, errors.Join(faults...)
}

// readYAML reads a configuration file and refuses what it does not know.
func readYAML(name string, into any) error {
	content, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	err = decoder.Decode(into)
	if wrong := (*yaml.TypeError)(nil); errors.As(err, &wrong) {
		var faults []error
		for _, fault := range wrong.Errors {
			faults = append(faults, errors.New(name+":"+configFault.ReplaceAllString(strings.TrimPrefix(fault, "line "), "there is no key `$1` here")))
		}
		return errors.Join(faults...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// configFault is how the YAML package words an unknown key; what follows is a type of ours, which says nothing to a reader.
var configFault = regexp.MustCompile(`field (\S+) not found in type .*`)
