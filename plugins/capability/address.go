package capability

import "net/netip"

// reach says who is at an address.
type reach int

const (
	// public is anybody on the Internet.
	public reach = iota
	// private is the operator's own network, or this machine.
	private
	// special is what no system of a department is at: link-local addresses with the metadata services of clouds,
	// multicast, and what is reserved.
	special
)

// rangeOf says who is at an address. Ranges are those of IANA's registries of special-purpose addresses (RFC 6890).
// An IPv6 address that carries an IPv4 address is where that one is.
func rangeOf(a netip.Addr) reach {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return rangeOf4(a)
	}
	b := a.As16()
	switch {
	case within(a, "64:ff9b::/96"): // NAT64 (RFC 6052)
		return rangeOf4(netip.AddrFrom4([4]byte(b[12:])))
	case within(a, "2002::/16"): // 6to4
		return rangeOf4(netip.AddrFrom4([4]byte(b[2:6])))
	case a.IsLoopback(), within(a, "fc00::/7"):
		return private
	case !within(a, "2000::/3"), within(a, "2001::/23", "2001:db8::/32", "3fff::/20"): // Teredo is within 2001::/23
		return special
	default:
		return public
	}
}

func rangeOf4(a netip.Addr) reach {
	switch {
	case within(a, "100.100.100.200/32"): // a cloud's metadata service within the carriers' range
		return special
	case a.IsLoopback(), a.IsPrivate(), within(a, "100.64.0.0/10"):
		return private
	case within(a, "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"):
		return special
	default:
		return public
	}
}

func within(a netip.Addr, prefixes ...string) bool {
	for _, p := range prefixes {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}
