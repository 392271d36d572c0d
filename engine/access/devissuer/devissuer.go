// Package devissuer is an OIDC issuer for development: it signs in whoever picks a name from its list. It speaks the
// authorization code flow with PKCE for people and client_credentials for departments' systems, so that a front end
// and a department's system are developed against what they meet later, without setting up an issuer.
//
// It is refused outside development mode.
package devissuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/siyiban/onething/engine/access"
)

// ErrNotDevelopment says that somebody wants this issuer outside development mode, or where others than this machine
// reach it.
var ErrNotDevelopment = errors.New("devissuer: only for development on this machine")

// ErrUnknownIdentity says that nobody has this name.
var ErrUnknownIdentity = errors.New("devissuer: unknown identity")

const (
	// lifetime of a token: a working session; the front end signs in again afterwards, as it must be able to.
	lifetime = time.Hour
	// codeLifetime is how long an authorization code waits for its exchange (RFC 6749, section 4.1.2, says ten
	// minutes at most).
	codeLifetime = time.Minute
	// maxCodes bounds the codes that wait.
	maxCodes = 1000
	// maxForm bounds a request's form in bytes.
	maxForm = 16 << 10

	// FrontEnd is the client id of a front end under development: a public client, with PKCE.
	FrontEnd = "onething-front-end"
	// SystemSecret is the secret of every department's system. It protects nothing: who reaches this issuer is whom
	// they like.
	SystemSecret = "development-only"
)

// Config says where the issuer stands.
type Config struct {
	// Development must be true: the process was started in development mode.
	Development bool
	// URL is where the issuer is served, without a slash at its end, on this machine: `http://127.0.0.1:8080/issuer`.
	URL string
	// Audience is the name of the API that the tokens are for.
	Audience string
	// Departments have an officer and a system each.
	Departments []Department
	// RedirectPaths are the paths, on any port of this machine, to which a front end may be sent back after signing
	// in (RFC 8252, section 7.3).
	RedirectPaths []string
	// Now is the clock of the tokens: the same that the API checks them with.
	Now func() time.Time
}

// Department is a department whose officer and system can sign in.
type Department struct {
	ID   string
	Name string // Chinese, for the list
}

// Issuer is the issuer, an [http.Handler] for its URL's path. It is safe for concurrent use. Its signing key lives
// as long as it does, so whoever signed in before a restart signs in again.
type Issuer struct {
	cfg        Config
	identities []Identity
	signer     jose.Signer
	keys       jose.JSONWebKeySet
	mux        *http.ServeMux

	mu    sync.Mutex
	codes map[string]grant
}

// grant is a code that waits for its exchange.
type grant struct {
	identity  string
	client    string
	redirect  string
	challenge string
	nonce     string
	expires   time.Time
}

// New makes an issuer, or returns an error that wraps [ErrNotDevelopment] where it must not be.
func New(cfg Config) (*Issuer, error) {
	if !cfg.Development {
		return nil, ErrNotDevelopment
	}
	at, err := url.Parse(cfg.URL)
	if err != nil || at.Scheme != "http" || at.Path == "/" || strings.HasSuffix(at.Path, "/") || at.RawQuery != "" || at.Fragment != "" {
		return nil, errors.New("devissuer: configuration: the address is not like http://127.0.0.1:8080/issuer")
	}
	if !access.Loopback(at.Hostname()) {
		return nil, fmt.Errorf("%w: served at %s", ErrNotDevelopment, at.Host)
	}
	if cfg.Audience == "" || cfg.Now == nil {
		return nil, errors.New("devissuer: configuration: no audience or no clock")
	}

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("devissuer: make key: %w", err)
	}
	kid := rand.Text()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: kid}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("devissuer: make signer: %w", err)
	}
	i := &Issuer{
		cfg:        cfg,
		identities: identities(cfg.Departments),
		signer:     signer,
		keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: key.Public(), KeyID: kid, Algorithm: string(jose.ES256), Use: "sig"},
		}},
		mux:   http.NewServeMux(),
		codes: make(map[string]grant),
	}
	i.mux.HandleFunc("GET "+at.Path+"/.well-known/openid-configuration", i.discovery)
	i.mux.HandleFunc("GET "+at.Path+"/keys", i.publicKeys)
	i.mux.HandleFunc("GET "+at.Path+"/authorize", i.ask)
	i.mux.HandleFunc("POST "+at.Path+"/authorize", i.grant)
	i.mux.HandleFunc("POST "+at.Path+"/token", i.token)
	i.mux.HandleFunc("POST "+at.Path+"/sign-in", i.signIn)
	return i, nil
}

// ServeHTTP implements [http.Handler]. It answers under names of this machine only: a page in the web that points its
// own name here (DNS rebinding) would otherwise be of the same origin and could sign in.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if !access.Loopback(host) {
		http.Error(w, "not a name of this machine", http.StatusMisdirectedRequest)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	i.mux.ServeHTTP(w, r)
}

// Identities returns who can sign in, in the order of the list.
func (i *Issuer) Identities() []Identity { return slices.Clone(i.identities) }

// Token returns a token for the API that stands for the named identity, as signing in gives it: for tests, for the
// demo, and for the first steps with curl. It returns an error that wraps [ErrUnknownIdentity] if there is no such name.
func (i *Issuer) Token(name string) (string, error) {
	who, ok := i.find(name)
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrUnknownIdentity, name)
	}
	client := FrontEnd
	if who.System {
		client = who.Name
	}
	return i.sign(i.accessClaims(who, client))
}

func (i *Issuer) find(name string) (Identity, bool) {
	n := slices.IndexFunc(i.identities, func(who Identity) bool { return who.Name == name })
	if n < 0 {
		return Identity{}, false
	}
	return i.identities[n], true
}

// accessClaims are the claims of a token for the API (RFC 9068).
func (i *Issuer) accessClaims(who Identity, client string) map[string]any {
	claims := i.claims(who, i.cfg.Audience)
	claims["client_id"] = client
	claims["jti"] = rand.Text()
	if len(who.Roles) > 0 {
		claims[claimRoles] = who.Roles
	}
	for claim, value := range map[string]string{
		claimDepartment: who.Department,
		claimPerson:     who.CitizenNumber,
		claimEnterprise: who.CreditCode,
	} {
		if value != "" && !who.System {
			claims[claim] = value
		}
	}
	return claims
}

// claims are the claims that every token has.
func (i *Issuer) claims(who Identity, audience string) map[string]any {
	now := i.cfg.Now()
	return map[string]any{
		"iss": i.cfg.URL,
		"sub": who.Name,
		"aud": audience,
		"iat": now.Unix(),
		"exp": now.Add(lifetime).Unix(),
	}
}

func (i *Issuer) sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("devissuer: encode claims: %w", err)
	}
	signed, err := i.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("devissuer: sign: %w", err)
	}
	return signed.CompactSerialize()
}
