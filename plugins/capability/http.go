package capability

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Bounds of a request to an outside system.
const (
	maxHTTPBytes    = maxSentBody + 32<<10
	maxSentBody     = 256 << 10
	maxReceivedBody = 512 << 10
	maxURL          = 2000
	maxHeaders      = 20
	maxHeaderValue  = 1000
	maxAnswerHeader = 16 << 10
	// maxHTTPTime bounds a request that comes without a deadline.
	maxHTTPTime = 30 * time.Second
)

// Refusals of requests, beside the common ones.
const (
	// RefusedTooLarge: the outside system's answer is larger than it may be.
	RefusedTooLarge = "too_large"
	// RefusedPrivateAddress: the host is at an address that the operator has not opened.
	RefusedPrivateAddress = "private_address"
)

// Resolver finds the addresses of a host.
type Resolver interface {
	// LookupNetIP is as [net.Resolver.LookupNetIP].
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Outside is the way to outside systems. The zero Outside is the machine's own resolver and network, and the
// certificate authorities that it trusts.
type Outside struct {
	// Resolver finds addresses; nil: the machine's.
	Resolver Resolver
	// Roots are the certificate authorities that are trusted; nil: the machine's.
	Roots *x509.CertPool
	// Dial connects to an address; nil: the machine's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Secret keys the idempotency keys, so that nobody can find out a request by trying. It has to be the same after a
	// restart, or a repeated call is another one to the outside system. If it is empty one is made up.
	Secret []byte
}

func refuseHTTP(why string) *pluginv1.HttpResponse { return &pluginv1.HttpResponse{Refused: why} }

// http asks an outside system once.
func (c *Call) http(ctx context.Context, q *pluginv1.HttpRequest) *pluginv1.HttpResponse {
	if !slices.Contains(c.manifest.GetCapabilities(), HTTP) {
		return refuseHTTP(RefusedNotGranted)
	}
	target, ok := parseTarget(q)
	if !ok {
		return refuseHTTP(RefusedBadRequest)
	}
	grant, ok := c.grantOf(target)
	if !ok {
		return refuseHTTP(RefusedNotGranted)
	}
	ctx, cancel := context.WithTimeout(ctx, maxHTTPTime)
	defer cancel()
	addresses, err := c.set.resolve(ctx, target.Hostname())
	if err != nil {
		return c.silent(ctx, target, "no_address")
	}
	for _, a := range addresses {
		if !grant.allows(a) {
			return refuseHTTP(RefusedPrivateAddress)
		}
	}
	c.requests++
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// From here on the outside system may have got the request, whatever comes of it.
		GotConn: func(httptrace.GotConnInfo) { c.outside = true },
	}), q.GetMethod(), target.String(), strings.NewReader(string(q.GetBody())))
	if err != nil {
		return refuseHTTP(RefusedBadRequest)
	}
	for name, value := range q.GetHeaders() {
		request.Header.Set(name, value)
	}
	request.Header.Set("User-Agent", "onething")
	request.Header.Set("Idempotency-Key", c.idempotencyKey())
	response, err := c.set.transport(addresses, port(target)).RoundTrip(request)
	if err != nil {
		return c.silent(ctx, target, "no_answer")
	}
	defer response.Body.Close()
	if response.StatusCode < 200 {
		return c.silent(ctx, target, "no_answer") // another protocol is not spoken here
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReceivedBody+1))
	switch {
	case err != nil:
		return c.silent(ctx, target, "cut_off")
	case len(body) > maxReceivedBody:
		return refuseHTTP(RefusedTooLarge)
	}
	answer := &pluginv1.HttpResponse{Answered: true, Status: uint32(response.StatusCode), Body: body}
	if kind := response.Header.Get("Content-Type"); len(kind) <= maxHeaderValue && plain(kind) {
		answer.ContentType = kind
	}
	return answer
}

// silent is the answer of a system that did not answer. Operators are told which and how, and not the error's text,
// which can quote what was received.
func (c *Call) silent(ctx context.Context, target *url.URL, how string) *pluginv1.HttpResponse {
	if ctx.Err() != nil {
		how = "timed_out"
	}
	c.set.config.Logger.WarnContext(ctx, "outside system is silent", "plugin", c.manifest.GetId(), "host", target.Host, "how", how)
	return &pluginv1.HttpResponse{}
}

// idempotencyKey names one request of a call: the same call asked again has the same ones, and no other has. The
// attempt counts only where the hook may not be repeated: where it may, a repeated attempt has to be known by its key.
func (c *Call) idempotencyKey() string {
	asked := proto.CloneOf(c.request)
	if slices.Contains(c.manifest.GetRepeatable(), asked.GetHook()) {
		asked.Attempt = 0
	}
	mac := hmac.New(sha256.New, c.set.config.Outside.Secret)
	mac.Write([]byte(c.manifest.GetId() + "\x00" + strconv.Itoa(c.requests) + "\x00"))
	if asked.GetHook() == pluginv1.Hook_HOOK_PREFILL {
		// It has no task, so two people with the same answers would share a key; and whoever asks again wants to know anew.
		mac.Write(c.nonce())
	}
	message, err := proto.MarshalOptions{Deterministic: true}.Marshal(asked)
	if err != nil { // the host has encoded it before
		message = c.nonce()
	}
	mac.Write(message)
	return hex.EncodeToString(mac.Sum(nil))
}

func (c *Call) nonce() []byte {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	return nonce
}

var (
	methods    = regexp.MustCompile(`^(GET|POST|PUT|DELETE)$`)
	headerForm = regexp.MustCompile(`^(?i:content-type|accept|x-[a-z0-9-]{1,60})$`)
	// forwarded are headers by which servers believe that a request comes from somebody else.
	forwarded = regexp.MustCompile(`^(?i:x-forwarded-.*|x-real-ip|x-original-.*|x-rewrite-.*|x-http-method.*)$`)
)

// parseTarget returns the address of a request that is within its bounds.
func parseTarget(q *pluginv1.HttpRequest) (*url.URL, bool) {
	if !methods.MatchString(q.GetMethod()) || len(q.GetUrl()) > maxURL || len(q.GetBody()) > maxSentBody || len(q.GetHeaders()) > maxHeaders ||
		q.GetMethod() == http.MethodGet && len(q.GetBody()) > 0 {
		return nil, false
	}
	for name, value := range q.GetHeaders() {
		if !headerForm.MatchString(name) || forwarded.MatchString(name) || len(value) > maxHeaderValue || !plain(value) {
			return nil, false
		}
	}
	target, err := url.Parse(q.GetUrl())
	if err != nil || target.Scheme != "https" && target.Scheme != "http" || target.Opaque != "" || target.User != nil || target.Fragment != "" || target.Hostname() == "" {
		return nil, false
	}
	return target, true
}

// port is the port of an address, also where it is the scheme's own.
func port(target *url.URL) string {
	switch {
	case target.Port() != "":
		return target.Port()
	case target.Scheme == "http":
		return "80"
	default:
		return "443"
	}
}

// Grant is what an operator has granted, taken apart.
type Grant struct {
	// Capability is its name.
	Capability string
	// Host is one of the manifest's http_hosts; empty: all that the grant is for.
	Host string
	// Plain lets requests go without TLS.
	Plain bool
	// Private lets the host be at a private or loopback address.
	Private bool
}

// ParseGrant reads a grant: the name of a capability, which is all that the manifest asks for under it; or
// `http:HOST`, one of the manifest's hosts, with `+plain` and `+private` where its requests may go without TLS or to a
// private address.
func ParseGrant(text string) (Grant, error) {
	if slices.Contains(Names(), text) {
		return Grant{Capability: text}, nil
	}
	host, ok := strings.CutPrefix(text, HTTP+":")
	if !ok {
		return Grant{}, errors.New("a grant is `shared_data`, `key_value`, `log`, `http`, or `http:HOST` with `+plain` and `+private` where they are meant")
	}
	options := strings.Split(host, "+")
	g := Grant{Capability: HTTP, Host: options[0]}
	for _, option := range options[1:] {
		switch {
		case option == "plain" && !g.Plain:
			g.Plain = true
		case option == "private" && !g.Private:
			g.Private = true
		default:
			return Grant{}, errors.New("a host is granted with `+plain` or `+private`, each once, or without")
		}
	}
	if g.Host == "" {
		return Grant{}, errors.New("`http:` needs a host behind it")
	}
	return g, nil
}

// grantOf returns the grant for an address. Its host is one of the manifest's, written alike; one without a port stands
// for the scheme's own.
func (c *Call) grantOf(target *url.URL) (found Grant, ok bool) {
	listed := target.Host
	if !slices.Contains(c.manifest.GetHttpHosts(), listed) {
		// The same host with the port left out, or written out.
		if bare := strings.TrimSuffix(target.Host, ":"+port(target)); bare != target.Host && isDefault(target) {
			listed = bare
		} else if target.Port() == "" {
			listed = target.Host + ":" + port(target)
		}
		if !slices.Contains(c.manifest.GetHttpHosts(), listed) {
			return Grant{}, false
		}
	}
	for _, text := range c.granted {
		g, err := ParseGrant(text)
		if err == nil && g.Capability == HTTP && (g.Host == "" || g.Host == listed) {
			found.Host, found.Plain, found.Private, ok = listed, found.Plain || g.Plain, found.Private || g.Private, true
		}
	}
	return found, ok && (target.Scheme == "https" || found.Plain)
}

func isDefault(target *url.URL) bool {
	return target.Scheme == "https" && target.Port() == "443" || target.Scheme == "http" && target.Port() == "80"
}

// allows reports whether a grant reaches an address.
func (g Grant) allows(a netip.Addr) bool {
	switch rangeOf(a) {
	case public:
		return true
	case private:
		return g.Private
	default: // only if it is written out, and so known to the operator
		host, _, err := net.SplitHostPort(g.Host)
		if err != nil {
			host = strings.Trim(g.Host, "[]")
		}
		return g.Private && host == a.String()
	}
}

// resolve returns the addresses of a host, once for a request: it is dialled at what was looked at.
func (s *Set) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.WithZone("")}, nil
	}
	addresses, err := s.config.Outside.Resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(addresses) == 0 {
		err = errors.New("no address")
	}
	return addresses, err
}

// transport makes one request to one of the addresses, in a connection of its own: nothing of it is left to the next.
func (s *Set) transport(addresses []netip.Addr, port string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (connection net.Conn, err error) {
			for _, a := range addresses {
				if connection, err = s.config.Outside.Dial(ctx, "tcp", net.JoinHostPort(a.String(), port)); err == nil {
					return connection, nil
				}
			}
			return nil, err
		},
		TLSClientConfig:        &tls.Config{RootCAs: s.config.Outside.Roots, MinVersion: tls.VersionTLS12},
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1.1: one request, one connection
		DisableKeepAlives:      true,
		DisableCompression:     true, // what is received is what is counted
		MaxResponseHeaderBytes: maxAnswerHeader,
	}
}
