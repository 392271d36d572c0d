package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Why a token does not make an identity.
var (
	// ErrToken says that the token is malformed, expired, of another issuer or audience, wrongly signed, or its claims do not
	// make a complete identity. The wrapped text is for the operator's log; it holds no claim's value.
	ErrToken = errors.New("access: token not valid")
	// ErrIssuer says that the issuer does not answer, so nothing can be said about the token.
	ErrIssuer = errors.New("access: issuer does not answer")
)

const (
	// DefaultTimeout bounds a request to the issuer.
	DefaultTimeout = 10 * time.Second
	// maxToken is the greatest length of a token in bytes. Web servers bound a header to 8 KiB, and tokens of large
	// installations stay below it.
	maxToken = 8 << 10
	// refetchAfter is the least time between two requests for the issuer's keys. A token that names a key that
	// nobody knows causes a request, so without it anybody could make us flood the issuer.
	refetchAfter = 5 * time.Second
)

// Config says whom to believe and what their claims mean.
type Config struct {
	// Issuer is the address of the issuer, exactly as its tokens name it. It must be https, or on this machine.
	Issuer string
	// Audience is the name that tokens for this API carry. It must not be the client id of a front end, or a front
	// end's id tokens would open the API.
	Audience string
	// Claims says what the claims mean.
	Claims Claims
	// Digest is the store's keyed digest of a citizen number or social credit code, given in canonical form.
	Digest func(number string) string
	// Now is the clock for expiry.
	Now func() time.Time
	// HTTPClient reads the discovery document and the keys. Nil: one with [DefaultTimeout].
	HTTPClient *http.Client
}

// Verifier makes identities of bearer tokens. It is safe for concurrent use.
type Verifier struct {
	cfg    Config
	claims reader
	client *http.Client

	tokens atomic.Pointer[oidc.IDTokenVerifier] // nil until the discovery document was read
}

// New checks the configuration and returns a verifier. It does not call the issuer: the discovery document is read
// with the first token, so that a server starts while its issuer is down or is started by itself.
func New(cfg Config) (*Verifier, error) {
	var faults []error
	if u, err := url.Parse(cfg.Issuer); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		faults = append(faults, errors.New("issuer is not an address"))
	} else if u.Scheme != "https" && (u.Scheme != "http" || !Loopback(u.Hostname())) {
		faults = append(faults, errors.New("issuer is neither https nor on this machine"))
	}
	if cfg.Audience == "" {
		faults = append(faults, errors.New("no audience"))
	}
	if cfg.Digest == nil {
		faults = append(faults, errors.New("no digest for persons"))
	}
	if cfg.Now == nil {
		faults = append(faults, errors.New("no clock"))
	}
	claims, err := newReader(cfg.Claims)
	if err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("access: configuration: %w", errors.Join(faults...))
	}
	client := cfg.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: DefaultTimeout}
	}
	return &Verifier{cfg: cfg, claims: claims, client: client}, nil
}

// Verify returns the identity that a bearer token stands for, or an error that wraps [ErrToken] or [ErrIssuer].
func (v *Verifier) Verify(ctx context.Context, raw string) (Identity, error) {
	if len(raw) > maxToken {
		return Identity{}, fmt.Errorf("%w: longer than %d bytes", ErrToken, maxToken)
	}
	tokens, err := v.discover(ctx)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrIssuer, err)
	}
	var fetch fetchOutcome
	token, err := tokens.Verify(context.WithValue(ctx, fetchKey{}, &fetch), raw)
	if fetch.err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrIssuer, fetch.err)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %s", ErrToken, why(err))
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return Identity{}, fmt.Errorf("%w: claims are no object", ErrToken)
	}
	who, err := v.claims.identity(token.Subject, claims, v.cfg.Digest)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return who, nil
}

// discover reads the issuer's discovery document once; a failure is tried again with the next token. Callers that
// come before it is read each ask for themselves, so that none waits for another's time-out.
func (v *Verifier) discover(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	if tokens := v.tokens.Load(); tokens != nil {
		return tokens, nil
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, v.client), v.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("read discovery document: %w", err)
	}
	var document struct {
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&document); err != nil {
		return nil, fmt.Errorf("read discovery document: %w", err)
	}
	// Signatures that only an issuer with a private key can make. The document does not widen this: with HS256 the
	// public key would be the secret.
	algorithms := slices.DeleteFunc(
		[]string{oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA, oidc.PS256, oidc.PS384, oidc.PS512, oidc.RS256, oidc.RS384, oidc.RS512},
		func(alg string) bool { return !slices.Contains(document.Algorithms, alg) })
	if len(algorithms) == 0 {
		return nil, errors.New("discovery document names no asymmetric signature that is supported")
	}
	throttled := &http.Client{
		Transport:     &throttle{next: v.client.Transport, now: v.cfg.Now},
		Timeout:       v.client.Timeout,
		CheckRedirect: v.client.CheckRedirect,
	}
	keys := keySet{oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), throttled), document.Keys)}
	v.tokens.CompareAndSwap(nil, oidc.NewVerifier(v.cfg.Issuer, keys, &oidc.Config{
		ClientID:             v.cfg.Audience,
		SupportedSigningAlgs: algorithms,
		Now:                  v.cfg.Now,
	}))
	return v.tokens.Load(), nil
}

// why says what is wrong with a token without repeating anything that stands in it, as go-oidc's errors do.
func why(err error) string {
	if _, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return "expired"
	}
	return "signature, issuer, audience or form"
}

// Loopback says whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

type fetchKey struct{}

// fetchOutcome is where a keySet leaves a failure to read the keys: go-oidc flattens its cause to text.
type fetchOutcome struct{ err error }

// keySet are the issuer's keys. It tells a wrong signature from an issuer that does not answer.
type keySet struct{ remote *oidc.RemoteKeySet }

func (k keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.remote.VerifySignature(ctx, jwt)
	// RemoteKeySet wraps the cause when it could not read the keys, and has none to wrap for a wrong signature.
	if cause := errors.Unwrap(err); cause != nil && !errors.Is(err, errTooSoon) {
		if fetch, ok := ctx.Value(fetchKey{}).(*fetchOutcome); ok {
			fetch.err = fmt.Errorf("read keys: %w", cause)
		}
	}
	return payload, err
}

var errTooSoon = errors.New("keys were read a moment ago")

// throttle lets a request for the keys through only if the last successful one is refetchAfter ago.
type throttle struct {
	next http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex
	last time.Time
}

// RoundTrip implements [http.RoundTripper].
func (t *throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	now := t.now()
	t.mu.Lock()
	wait := !t.last.IsZero() && now.Sub(t.last) < refetchAfter
	t.mu.Unlock()
	if wait {
		return nil, errTooSoon
	}
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusOK {
		t.mu.Lock()
		t.last = now
		t.mu.Unlock()
	}
	return resp, err
}
