package capability

import (
	"net/netip"
	"testing"
)

func TestRangeOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]reach{
		"93.184.216.34": public, "114.114.114.114": public, "172.32.0.1": public, "2400:3200::1": public, "::ffff:114.114.114.114": public,
		"64:ff9b::7272:7272": public, "2002:7272:7272::1": public,

		"127.0.0.1": private, "127.8.8.8": private, "10.0.0.1": private, "172.16.0.1": private, "192.168.1.1": private, "100.64.0.1": private,
		"::1": private, "fd00:ec2::254": private, "::ffff:10.0.0.1": private, "64:ff9b::a00:1": private, "2002:a00:1::1": private,

		"0.0.0.0": special, "0.1.2.3": special, "169.254.169.254": special, "100.100.100.200": special, "224.0.0.1": special, "255.255.255.255": special, "240.0.0.1": special,
		"192.0.2.1": special, "198.18.0.1": special, "::": special, "fe80::1": special, "fe80::1%eth0": special, "ff02::1": special, "::127.0.0.1": special,
		"2001::1": special, "2001:db8::1": special, "64:ff9b:1::7f00:1": special, "fec0::1": special, "::ffff:169.254.169.254": special, "64:ff9b::a9fe:a9fe": special,
		"2002:a9fe:a9fe::1": special, "::ffff:0:127.0.0.1": special,
	} {
		if got := rangeOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("rangeOf(%s) = %d, want %d", text, got, want)
		}
	}
}

func TestGrant_Allows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		grant   Grant
		address string
		want    bool
	}{
		{Grant{}, "114.114.114.114", true},
		{Grant{}, "10.0.0.1", false},
		{Grant{Host: "a.cn", Private: true}, "10.0.0.1", true},
		{Grant{Host: "a.cn", Private: true}, "169.254.169.254", false},
		{Grant{Host: "169.254.169.254", Private: true}, "169.254.169.254", true},
		{Grant{Host: "169.254.169.254:80", Private: true}, "169.254.169.254", true},
		{Grant{Host: "169.254.169.254"}, "169.254.169.254", false},
		{Grant{Host: "[fe80::1]", Private: true}, "fe80::1", true},
		{Grant{Host: "[fe80::1]:80", Private: true}, "fe80::1", true},
		{Grant{Host: "169.254.169.253", Private: true}, "169.254.169.254", false},
	} {
		if got := test.grant.allows(netip.MustParseAddr(test.address)); got != test.want {
			t.Errorf("%+v allows %s: %t, want %t", test.grant, test.address, got, test.want)
		}
	}
}
