package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/access"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

const (
	audience = "onething"
	resident = "321323199304180029"
	company  = "91321323MA1X7K2Q0X"
)

// issuer is an issuer whose tokens say what a test wants.
type issuer struct {
	url     string
	key     *ecdsa.PrivateKey
	fetches atomic.Int32 // of the keys
	down    atomic.Bool
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{key: newKey(t)}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// It offers HS256 too, which must not be believed.
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": i.url, "jwks_uri": i.url + "/keys", "authorization_endpoint": i.url, "token_endpoint": i.url,
			"id_token_signing_alg_values_supported": []string{"HS256", "ES256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.fetches.Add(1)
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "k1", Algorithm: "ES256"}}})
	})
	return i
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key crypto.Signer, kid string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// claims are those of a resident's token with the changes; nil takes a claim away.
func (i *issuer) claims(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": i.url, "sub": "u-1", "aud": []string{"other", audience}, "azp": "front-end",
		"iat": now().Unix(), "exp": now().Add(time.Hour).Unix(),
		"realm_access":               map[string]any{"roles": []string{"jumin", "offline_access"}},
		"https://example.org/id.num": strings.ToLower(resident),
	}
	for name, value := range changes {
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
	}
	return c
}

func now() time.Time { return time.Date(2026, 2, 10, 9, 0, 0, 0, time.FixedZone("CST", 8*3600)) }

func roles(values ...any) map[string]any { return map[string]any{"roles": values} }

func testConfig(issuer string) access.Config {
	return access.Config{
		Issuer:   issuer,
		Audience: audience,
		Now:      now,
		Digest:   func(number string) string { return "digest of " + number },
		Claims: access.Claims{
			Roles: "realm_access.roles",
			RoleValues: map[string]accessv1.Role{
				"jumin": accessv1.Role_ROLE_RESIDENT, "qiye": accessv1.Role_ROLE_COMPANY, "chuangkou": accessv1.Role_ROLE_CLERK,
				"jingban": accessv1.Role_ROLE_OFFICER, "yunwei": accessv1.Role_ROLE_OPERATOR,
			},
			Department:  "dept",
			Departments: map[string]string{"11321323014": "hrss"},
			Person:      "https://example.org/id.num",
			Enterprise:  "uscc",
			Systems:     map[string]string{"service-account-hrss": "hrss"},
		},
	}
}

func newVerifier(t testing.TB, cfg access.Config) *access.Verifier {
	t.Helper()
	v, err := access.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerify_Identity(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := newVerifier(t, testConfig(i.url))
	tests := []struct {
		name   string
		claims map[string]any
		want   access.Identity
	}{
		{name: "resident, number in lower case, unknown role ignored", want: access.Identity{
			Subject: "u-1", Client: "front-end", Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: "digest of " + resident}},
		{name: "company", claims: map[string]any{"realm_access": roles("qiye"), "uscc": company}, want: access.Identity{
			Subject: "u-1", Client: "front-end", Roles: []accessv1.Role{accessv1.Role_ROLE_COMPANY}, Person: "digest of " + resident, Enterprise: "digest of " + company}},
		{name: "clerk who is a resident too", claims: map[string]any{"realm_access": roles("chuangkou", "jumin", "jumin")}, want: access.Identity{
			Subject: "u-1", Client: "front-end", Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT, accessv1.Role_ROLE_CLERK}, Person: "digest of " + resident}},
		{name: "officer, department by its number", claims: map[string]any{"realm_access": roles("jingban"), "dept": "11321323014", "https://example.org/id.num": nil}, want: access.Identity{
			Subject: "u-1", Client: "front-end", Roles: []accessv1.Role{accessv1.Role_ROLE_OFFICER}, Department: "hrss"}},
		{name: "one role as a text", claims: map[string]any{"realm_access": map[string]any{"roles": "yunwei"}, "https://example.org/id.num": nil, "azp": nil, "client_id": "console"}, want: access.Identity{
			Subject: "u-1", Client: "console", Roles: []accessv1.Role{accessv1.Role_ROLE_OPERATOR}}},
		{name: "department's system, whatever roles it claims", claims: map[string]any{"sub": "service-account-hrss", "azp": "hrss-system", "realm_access": roles("yunwei", "chuangkou")}, want: access.Identity{
			Subject: "service-account-hrss", Client: "hrss-system", Roles: []accessv1.Role{accessv1.Role_ROLE_DEPARTMENT_SYSTEM}, Department: "hrss"}},
		{name: "person who signed in through a system's client", claims: map[string]any{"azp": "service-account-hrss"}, want: access.Identity{
			Subject: "u-1", Client: "service-account-hrss", Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: "digest of " + resident}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := v.Verify(t.Context(), sign(t, i.key, "k1", i.claims(tt.claims)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerify_Refused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := newVerifier(t, testConfig(i.url))
	good := sign(t, i.key, "k1", i.claims(nil))
	parts := strings.Split(good, ".")
	encode := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	// The classic confusion of algorithms: the public key as the secret of a symmetric signature.
	public, err := i.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, public)
	head := encode(map[string]any{"alg": "HS256", "kid": "k1"})
	mac.Write([]byte(head + "." + parts[1]))

	claims := func(changes map[string]any) string { return sign(t, i.key, "k1", i.claims(changes)) }
	tests := []struct {
		name  string
		token string
		want  string // in the text for the operator's log
	}{
		{name: "empty", token: ""},
		{name: "garbage", token: "a.b.c"},
		{name: "too long", token: strings.Repeat("a", 9000), want: "longer than"},
		{name: "no signature", token: encode(map[string]any{"alg": "none"}) + "." + parts[1] + "."},
		{name: "symmetric signature with the public key", token: head + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))},
		{name: "another's signature", token: sign(t, newKey(t), "k1", i.claims(nil))},
		{name: "unknown key", token: sign(t, newKey(t), "k2", i.claims(nil))},
		{name: "changed claims", token: parts[0] + "." + encode(i.claims(map[string]any{"sub": "u-2"})) + "." + parts[2]},
		{name: "another issuer", token: claims(map[string]any{"iss": "https://evil.example.org"})},
		{name: "another audience", token: claims(map[string]any{"aud": "front-end"})},
		{name: "expired", token: claims(map[string]any{"exp": now().Add(-time.Second).Unix()}), want: "expired"},
		{name: "no expiry", token: claims(map[string]any{"exp": nil}), want: "expired"},
		{name: "not yet valid", token: claims(map[string]any{"nbf": now().Add(time.Hour).Unix()})},
		{name: "no subject", token: claims(map[string]any{"sub": nil}), want: "no subject"},
		{name: "no role", token: claims(map[string]any{"realm_access": nil}), want: "no role"},
		{name: "no role that is known", token: claims(map[string]any{"realm_access": roles("admin")}), want: "no role"},
		{name: "roles are numbers", token: claims(map[string]any{"realm_access": roles(7)}), want: "realm_access.roles"},
		{name: "resident without number", token: claims(map[string]any{"https://example.org/id.num": nil}), want: "ROLE_RESIDENT without"},
		{name: "number with a wrong check digit", token: claims(map[string]any{"https://example.org/id.num": "321323199304180020"}), want: "no valid number"},
		{name: "number is a number", token: claims(map[string]any{"https://example.org/id.num": 321323199304180}), want: "no text"},
		{name: "company without code", token: claims(map[string]any{"realm_access": roles("qiye")}), want: "ROLE_COMPANY without"},
		{name: "officer without department", token: claims(map[string]any{"realm_access": roles("jingban")}), want: "ROLE_OFFICER without"},
		{name: "officer of an unknown department", token: claims(map[string]any{"realm_access": roles("jingban"), "dept": "999"}), want: "ROLE_OFFICER without"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := v.Verify(t.Context(), tt.token)
			if !errors.Is(err, access.ErrToken) {
				t.Fatalf("got %+v, %v, want ErrToken", got, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "321323") || strings.Contains(err.Error(), "u-1") {
				t.Errorf("error %q repeats a claim's value", err)
			}
			if diff := cmp.Diff(access.Identity{}, got); diff != "" {
				t.Errorf("identity beside an error (-want +got):\n%s", diff)
			}
		})
	}
}

// A token that names a key that nobody knows makes us read the keys: once, not once per token.
func TestVerify_UnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := newVerifier(t, testConfig(i.url))
	forged := sign(t, newKey(t), "k9", i.claims(nil))
	for range 20 {
		if _, err := v.Verify(t.Context(), forged); !errors.Is(err, access.ErrToken) {
			t.Fatalf("got %v, want ErrToken", err)
		}
	}
	if got := i.fetches.Load(); got != 1 {
		t.Errorf("keys were read %d times, want 1", got)
	}
	if _, err := v.Verify(t.Context(), sign(t, i.key, "k1", i.claims(nil))); err != nil {
		t.Errorf("good token after forged ones: %v", err)
	}
}

func TestVerify_IssuerDown(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := newVerifier(t, testConfig(i.url))
	token := sign(t, i.key, "k1", i.claims(nil))

	i.down.Store(true)
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, access.ErrIssuer) {
		t.Fatalf("discovery fails: got %v, want ErrIssuer", err)
	}
	i.down.Store(false)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatalf("issuer is up again: %v", err)
	}
	i.down.Store(true)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("keys are known, issuer down: %v", err)
	}
}

func TestVerify_KeysFail(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := newVerifier(t, testConfig(i.url))
	// The discovery document is read with a token that never comes to its signature.
	if _, err := v.Verify(t.Context(), "a.b.c"); !errors.Is(err, access.ErrToken) {
		t.Fatal(err)
	}
	i.down.Store(true)
	token := sign(t, i.key, "k1", i.claims(nil))
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, access.ErrIssuer) {
		t.Errorf("got %v, want ErrIssuer", err)
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*access.Config)
		want   string
	}{
		{name: "no issuer", change: func(c *access.Config) { c.Issuer = "" }, want: "not an address"},
		{name: "issuer without encryption", change: func(c *access.Config) { c.Issuer = "http://id.example.org" }, want: "neither https"},
		{name: "no audience", change: func(c *access.Config) { c.Audience = "" }, want: "no audience"},
		{name: "no clock", change: func(c *access.Config) { c.Now = nil }, want: "no clock"},
		{name: "no digest", change: func(c *access.Config) { c.Digest = nil }, want: "no digest"},
		{name: "no roles", change: func(c *access.Config) { c.Claims.Roles = "" }, want: "no claim for the roles"},
		{name: "no role values", change: func(c *access.Config) { c.Claims.RoleValues = nil }, want: "no value means a role"},
		{name: "role that is not there", change: func(c *access.Config) { c.Claims.RoleValues = map[string]accessv1.Role{"x": 99} }, want: `"x" means no role`},
		{name: "system by role", change: func(c *access.Config) {
			c.Claims.RoleValues = map[string]accessv1.Role{"x": accessv1.Role_ROLE_DEPARTMENT_SYSTEM}
		}, want: "by its subject"},
		{name: "residents without a person", change: func(c *access.Config) { c.Claims.Person = "" }, want: "residents need"},
		{name: "companies without an enterprise", change: func(c *access.Config) { c.Claims.Enterprise = "" }, want: "companies need"},
		{name: "officers without a department", change: func(c *access.Config) { c.Claims.Department = "" }, want: "officers and developers need"},
		{name: "system without a department", change: func(c *access.Config) { c.Claims.Systems = map[string]string{"s": ""} }, want: `system "s"`},
		{name: "department without an id", change: func(c *access.Config) { c.Claims.Departments = map[string]string{"1": ""} }, want: `department value "1"`},
		{name: "claim with a hole", change: func(c *access.Config) { c.Claims.Roles = "realm_access..roles" }, want: "empty part"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig("https://id.example.org/realms/county")
			if _, err := access.New(cfg); err != nil {
				t.Fatalf("sound configuration: %v", err)
			}
			tt.change(&cfg)
			_, err := access.New(cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a text with %q", err, tt.want)
			}
		})
	}
}
