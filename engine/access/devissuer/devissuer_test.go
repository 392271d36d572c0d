package devissuer_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/access/devissuer"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
)

const (
	audience = "onething"
	callback = "http://localhost:5173/callback"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// serve starts an issuer on a port of its own.
func serve(t testing.TB) (*devissuer.Issuer, string, *clock) {
	t.Helper()
	c := &clock{at: time.Date(2026, 2, 10, 9, 0, 0, 0, time.UTC)}
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String() + "/issuer"
	issuer, err := devissuer.New(devissuer.Config{
		Development:   true,
		URL:           address,
		Audience:      audience,
		Departments:   []devissuer.Department{{ID: "hrss", Name: "县人力资源和社会保障局"}, {ID: "civil_affairs", Name: "县民政局"}},
		RedirectPaths: []string{"/callback"},
		Now:           c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = issuer
	server.Start()
	t.Cleanup(server.Close)
	return issuer, address, c
}

func api(t testing.TB, issuer *devissuer.Issuer, address string, now func() time.Time) *access.Verifier {
	t.Helper()
	v, err := access.New(access.Config{
		Issuer: address, Audience: audience, Claims: issuer.Claims(), Now: now,
		Digest: func(number string) string { return "digest of " + number },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNew_RefusedOutsideDevelopment(t *testing.T) {
	t.Parallel()
	sound := devissuer.Config{Development: true, URL: "http://127.0.0.1:8080/issuer", Audience: audience, Now: time.Now}
	tests := []struct {
		name   string
		change func(*devissuer.Config)
		typed  bool
	}{
		{name: "not in development", change: func(c *devissuer.Config) { c.Development = false }, typed: true},
		{name: "on an address that others reach", change: func(c *devissuer.Config) { c.URL = "http://10.0.0.5:8080/issuer" }, typed: true},
		{name: "under a name that others reach", change: func(c *devissuer.Config) { c.URL = "http://id.example.org/issuer" }, typed: true},
		{name: "slash at the end", change: func(c *devissuer.Config) { c.URL += "/" }},
		{name: "no audience", change: func(c *devissuer.Config) { c.Audience = "" }},
		{name: "no clock", change: func(c *devissuer.Config) { c.Now = nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := sound
			if _, err := devissuer.New(cfg); err != nil {
				t.Fatalf("sound configuration: %v", err)
			}
			tt.change(&cfg)
			_, err := devissuer.New(cfg)
			if err == nil || errors.Is(err, devissuer.ErrNotDevelopment) != tt.typed {
				t.Errorf("got %v, want an error, ErrNotDevelopment: %v", err, tt.typed)
			}
		})
	}
}

// Everybody on the list is somebody to the API.
func TestToken_EachIdentity(t *testing.T) {
	t.Parallel()
	issuer, address, c := serve(t)
	v := api(t, issuer, address, c.now)
	const frontEnd = devissuer.FrontEnd
	person := func(name, number string) access.Identity {
		return access.Identity{Subject: name, Client: frontEnd, Roles: []accessv1.Role{accessv1.Role_ROLE_RESIDENT}, Person: "digest of " + number}
	}
	staff := func(name string, role accessv1.Role, department string) access.Identity {
		return access.Identity{Subject: name, Client: frontEnd, Roles: []accessv1.Role{role}, Department: department}
	}
	system := func(department string) access.Identity {
		name := devissuer.System(department)
		return access.Identity{Subject: name, Client: name, Roles: []accessv1.Role{accessv1.Role_ROLE_DEPARTMENT_SYSTEM}, Department: department}
	}
	want := map[string]access.Identity{
		devissuer.Resident:       person(devissuer.Resident, "321323199304180029"),
		devissuer.SecondResident: person(devissuer.SecondResident, "32132319910722001X"),
		devissuer.Graduate:       person(devissuer.Graduate, "321323200401150521"),
		devissuer.Retiree:        person(devissuer.Retiree, "321323196512200334"),
		devissuer.Survivor:       person(devissuer.Survivor, "321323197402260648"),
		devissuer.Company: {Subject: devissuer.Company, Client: frontEnd, Roles: []accessv1.Role{accessv1.Role_ROLE_COMPANY},
			Person: "digest of 321323198506110059", Enterprise: "digest of 91321323MA1X7K2Q0X"},
		devissuer.Clerk:                      staff(devissuer.Clerk, accessv1.Role_ROLE_CLERK, ""),
		devissuer.Configurator:               staff(devissuer.Configurator, accessv1.Role_ROLE_CONFIGURATOR, ""),
		devissuer.SecondPerson:               staff(devissuer.SecondPerson, accessv1.Role_ROLE_CONFIGURATOR, ""),
		devissuer.Operator:                   staff(devissuer.Operator, accessv1.Role_ROLE_OPERATOR, ""),
		devissuer.Officer("hrss"):            staff("officer-hrss", accessv1.Role_ROLE_OFFICER, "hrss"),
		devissuer.Officer("civil_affairs"):   staff("officer-civil_affairs", accessv1.Role_ROLE_OFFICER, "civil_affairs"),
		devissuer.Developer("hrss"):          staff("developer-hrss", accessv1.Role_ROLE_DEVELOPER, "hrss"),
		devissuer.Developer("civil_affairs"): staff("developer-civil_affairs", accessv1.Role_ROLE_DEVELOPER, "civil_affairs"),
		devissuer.System("hrss"):             system("hrss"),
		devissuer.System("civil_affairs"):    system("civil_affairs"),
	}
	got := make(map[string]access.Identity)
	for _, who := range issuer.Identities() {
		token, err := issuer.Token(who.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got[who.Name], err = v.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: %v", who.Name, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	if _, err := issuer.Token("nobody"); !errors.Is(err, devissuer.ErrUnknownIdentity) {
		t.Errorf("unknown name: got %v", err)
	}
}

func TestToken_Expires(t *testing.T) {
	t.Parallel()
	issuer, address, c := serve(t)
	v := api(t, issuer, address, c.now)
	token, err := issuer.Token(devissuer.Resident)
	if err != nil {
		t.Fatal(err)
	}
	c.advance(59 * time.Minute)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("after 59 minutes: %v", err)
	}
	c.advance(2 * time.Minute)
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, access.ErrToken) {
		t.Errorf("after 61 minutes: got %v, want ErrToken", err)
	}
}

// noRedirect is a client that shows redirects instead of following them.
func noRedirect() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reply is an answer whose body was read.
type reply struct {
	Status     string
	StatusCode int
	Header     http.Header
}

func do(t testing.TB, client *http.Client, method, address string, form url.Values) (reply, string) {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else if form != nil {
		address += "?" + form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{Status: resp.Status, StatusCode: resp.StatusCode, Header: resp.Header}, string(raw)
}

func authorization() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {devissuer.FrontEnd}, "redirect_uri": {callback}, "scope": {"openid"},
		"state": {"s\"><script>"}, "nonce": {"n-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// signIn picks an identity and returns the code.
func signIn(t testing.TB, address, identity string) string {
	t.Helper()
	form := authorization()
	form.Set("identity", identity)
	resp, body := do(t, noRedirect(), http.MethodPost, address+"/authorize", form)
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign in: %s %s (%v)", resp.Status, body, err)
	}
	if got := back.Query().Get("state"); got != form.Get("state") {
		t.Fatalf("state %q came back as %q", form.Get("state"), got)
	}
	return back.Query().Get("code")
}

// The whole flow as a front end goes through it, with the libraries that it would use.
func TestCodeFlow(t *testing.T) {
	t.Parallel()
	issuer, address, c := serve(t)
	provider, err := oidc.NewProvider(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	front := oauth2.Config{ClientID: devissuer.FrontEnd, Endpoint: provider.Endpoint(), RedirectURL: callback, Scopes: []string{oidc.ScopeOpenID}}
	front.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	page, err := url.Parse(front.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-1")))
	if err != nil {
		t.Fatal(err)
	}
	resp, html := do(t, noRedirect(), http.MethodGet, page.String(), nil)
	if resp.StatusCode != http.StatusOK || !strings.Contains(html, "居民 周雨桐") || !strings.Contains(html, "县民政局 经办人员") {
		t.Fatalf("page: %s\n%s", resp.Status, html)
	}
	if strings.Contains(html, "业务系统") {
		t.Error("the page offers a system, which is no person")
	}

	form := page.Query()
	form.Set("identity", devissuer.Resident)
	resp, _ = do(t, noRedirect(), http.MethodPost, address+"/authorize", form)
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := back.Query().Get("state"), "state-1"; got != want {
		t.Errorf("state %q, want %q", got, want)
	}
	tokens, err := front.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}

	raw, _ := tokens.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: devissuer.FrontEnd, Now: c.now}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if id.Subject != devissuer.Resident || id.Nonce != "n-1" {
		t.Errorf("id token of %q with nonce %q", id.Subject, id.Nonce)
	}
	v := api(t, issuer, address, c.now)
	who, err := v.Verify(t.Context(), tokens.AccessToken)
	if err != nil || !who.Has(accessv1.Role_ROLE_RESIDENT) {
		t.Errorf("access token: %+v, %v", who, err)
	}
	if _, err := v.Verify(t.Context(), raw); !errors.Is(err, access.ErrToken) {
		t.Errorf("id token at the API: got %v, want ErrToken", err)
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	issuer, address, c := serve(t)
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		system := clientcredentials.Config{
			ClientID: devissuer.System("hrss"), ClientSecret: devissuer.SystemSecret, TokenURL: address + "/token", AuthStyle: style,
		}
		token, err := system.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		who, err := api(t, issuer, address, c.now).Verify(t.Context(), token.AccessToken)
		if err != nil || !who.Has(accessv1.Role_ROLE_DEPARTMENT_SYSTEM) || who.Department != "hrss" {
			t.Errorf("got %+v, %v", who, err)
		}
	}
}

func TestAuthorize_Page(t *testing.T) {
	t.Parallel()
	_, address, _ := serve(t)
	resp, html := do(t, noRedirect(), http.MethodGet, address+"/authorize", authorization())
	if strings.Contains(html, "<script>") {
		t.Errorf("the page repeats markup of the request:\n%s", html)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("content security policy %q", csp)
	}
}

func TestAuthorize_Refused(t *testing.T) {
	t.Parallel()
	_, address, _ := serve(t)
	tests := []struct {
		name string
		set  map[string]string
		want string
	}{
		{name: "another client", set: map[string]string{"client_id": "x"}, want: "client_id"},
		{name: "a system's client", set: map[string]string{"client_id": "system-hrss"}, want: "client_id"},
		{name: "another machine", set: map[string]string{"redirect_uri": "http://evil.example.org/callback"}, want: "redirect_uri"},
		{name: "another machine behind a user name", set: map[string]string{"redirect_uri": "http://localhost@evil.example.org/callback"}, want: "redirect_uri"},
		{name: "another path", set: map[string]string{"redirect_uri": "http://localhost:5173/other"}, want: "redirect_uri"},
		{name: "a script", set: map[string]string{"redirect_uri": "javascript:alert(1)"}, want: "redirect_uri"},
		{name: "implicit flow", set: map[string]string{"response_type": "token"}, want: "response_type"},
		{name: "no openid", set: map[string]string{"scope": "email"}, want: "scope"},
		{name: "no challenge", set: map[string]string{"code_challenge": ""}, want: "code_challenge"},
		{name: "plain challenge", set: map[string]string{"code_challenge_method": "plain"}, want: "code_challenge"},
		{name: "nobody", set: map[string]string{"identity": "nobody"}, want: "identity"},
		{name: "a system at the page", set: map[string]string{"identity": "system-hrss"}, want: "identity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			form := authorization()
			form.Set("identity", devissuer.Resident)
			for key, value := range tt.set {
				form.Set(key, value)
			}
			resp, body := do(t, noRedirect(), http.MethodPost, address+"/authorize", form)
			if resp.StatusCode != http.StatusBadRequest || !strings.HasPrefix(body, tt.want) || resp.Header.Get("Location") != "" {
				t.Errorf("got %s to %q: %s", resp.Status, resp.Header.Get("Location"), body)
			}
		})
	}
}

func TestToken_Refused(t *testing.T) {
	t.Parallel()
	_, address, c := serve(t)
	exchange := func(code string) url.Values {
		return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "client_id": {devissuer.FrontEnd},
			"redirect_uri": {callback}, "code_verifier": {verifier}}
	}
	refused := func(t *testing.T, form url.Values, status int, want string) {
		t.Helper()
		resp, body := do(t, noRedirect(), http.MethodPost, address+"/token", form)
		var got struct {
			Error string `json:"error"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != status || got.Error != want {
			t.Errorf("got %s %s, want %d %s", resp.Status, body, status, want)
		}
		if strings.Contains(body, "access_token") {
			t.Error("the refusal holds a token")
		}
	}
	changed := func(key, value string) url.Values {
		form := exchange(signIn(t, address, devissuer.Resident))
		form.Set(key, value)
		return form
	}

	used := exchange(signIn(t, address, devissuer.Resident))
	if resp, body := do(t, noRedirect(), http.MethodPost, address+"/token", used); resp.StatusCode != http.StatusOK {
		t.Fatalf("sound exchange: %s %s", resp.Status, body)
	}
	refused(t, used, http.StatusBadRequest, "invalid_grant")
	refused(t, changed("code", "x"), http.StatusBadRequest, "invalid_grant")
	refused(t, changed("client_id", "x"), http.StatusBadRequest, "invalid_grant")
	refused(t, changed("redirect_uri", "http://localhost:1/callback"), http.StatusBadRequest, "invalid_grant")
	refused(t, changed("grant_type", "password"), http.StatusBadRequest, "unsupported_grant_type")
	wrong := changed("code_verifier", "x")
	refused(t, wrong, http.StatusBadRequest, "invalid_grant")
	wrong.Set("code_verifier", verifier)
	refused(t, wrong, http.StatusBadRequest, "invalid_grant") // a code with which somebody guessed is spent

	late := exchange(signIn(t, address, devissuer.Resident))
	c.advance(2 * time.Minute)
	refused(t, late, http.StatusBadRequest, "invalid_grant")

	client := url.Values{"grant_type": {"client_credentials"}, "client_id": {devissuer.System("hrss")}, "client_secret": {"wrong"}}
	refused(t, client, http.StatusUnauthorized, "invalid_client")
	client = url.Values{"grant_type": {"client_credentials"}, "client_id": {devissuer.Operator}, "client_secret": {devissuer.SystemSecret}}
	refused(t, client, http.StatusUnauthorized, "invalid_client")
}

func TestSignIn_Bare(t *testing.T) {
	t.Parallel()
	issuer, address, c := serve(t)
	resp, body := do(t, noRedirect(), http.MethodPost, address+"/sign-in", url.Values{"identity": {devissuer.Clerk}})
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("got %s, allowed origin %q", resp.Status, resp.Header.Get("Access-Control-Allow-Origin"))
	}
	who, err := api(t, issuer, address, c.now).Verify(t.Context(), strings.TrimSpace(body))
	if err != nil || who.Subject != devissuer.Clerk {
		t.Errorf("got %+v, %v", who, err)
	}
	resp, body = do(t, noRedirect(), http.MethodPost, address+"/sign-in", url.Values{"identity": {"x"}})
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, devissuer.Officer("hrss")) {
		t.Errorf("unknown name: %s %s", resp.Status, body)
	}
}

// A page in the web that lets its own name point here must not become of the same origin.
func TestServeHTTP_ForeignHost(t *testing.T) {
	t.Parallel()
	issuer, _, _ := serve(t)
	r := httptest.NewRequest(http.MethodPost, "http://evil.example.org/issuer/sign-in", strings.NewReader("identity=resident"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	issuer.ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
