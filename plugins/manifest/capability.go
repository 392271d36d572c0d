package manifest

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// How much a plugin can ask for.
const (
	maxSources = 50
	maxHosts   = 20
	maxCodes   = 200
)

// checkCapabilities tells what is wrong with the capabilities and with what belongs to each.
func checkCapabilities(m *pluginv1.Manifest) []Fault {
	var faults []Fault
	fault := func(ok bool, field, message string) {
		if !ok {
			faults = append(faults, Fault{Field: field, Message: message})
		}
	}
	asked := map[string]bool{}
	for _, c := range m.GetCapabilities() {
		known := slices.Contains([]string{CapabilitySharedData, CapabilityKeyValue, CapabilityHTTP, CapabilityLog}, c)
		fault(known && !asked[c], "capabilities", "may name `shared_data`, `key_value`, `http` and `log`, each at most once; there is no other capability")
		asked[c] = true
	}
	for _, list := range []struct {
		field, capability string
		names             []string
		most              int
		valid             func(string) bool
		message           string
	}{
		{"shared_data_sources", CapabilitySharedData, m.GetSharedDataSources(), maxSources, idForm.MatchString,
			"must name each source once, by its id in lower snake case"},
		{"http_hosts", CapabilityHTTP, m.GetHttpHosts(), maxHosts, validHost,
			"must name each host once, as `host` or `host:port` in lower case, for example `ledger.example.cn` or `10.8.0.4:8443`, without a wildcard"},
		{"log_codes", CapabilityLog, m.GetLogCodes(), maxCodes, func(c string) bool { return len(c) <= 64 && codeForm.MatchString(c) },
			"must name each code once, in lower snake case, at most 64 characters"},
	} {
		fault(asked[list.capability] == (len(list.names) > 0), list.field, "must be given if, and only if, `capabilities` names `"+list.capability+"`")
		fault(len(list.names) <= list.most, list.field, "may name at most "+strconv.Itoa(list.most))
		seen := map[string]bool{}
		for _, name := range list.names {
			fault(list.valid(name) && !seen[name], list.field, list.message)
			seen[name] = true
		}
	}
	return faults
}

var (
	codeForm  = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	labelForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	portForm  = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
)

// validHost reports whether a text is `host` or `host:port`, with a DNS name or an IP address in the one form that it
// has: what is written in two ways could be listed in one and asked for in the other.
func validHost(text string) bool {
	host, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i >= 0 && strings.Count(text[:i], ":") == 0 || strings.HasPrefix(text, "[") && i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
		if n, err := strconv.Atoi(port); err != nil || n > 65535 || !portForm.MatchString(port) {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		address, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && address.Is6() && address.Zone() == "" && "["+address.String()+"]" == host
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Is4() && address.String() == host
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !labelForm.MatchString(label) {
			return false
		}
	}
	// A name whose last label is a number is read as an address by some, such as 127.1 or 0x7f.1.
	last := labels[len(labels)-1]
	return len(host) <= 253 && last[0] >= 'a' && last[0] <= 'z'
}
