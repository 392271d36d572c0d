package devissuer

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/access"
)

//go:embed authorize.html
var authorizePage string

// discovery answers the discovery document (OpenID Connect Discovery 1.0).
func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer":                                         i.cfg.URL,
		"authorization_endpoint":                         i.cfg.URL + "/authorize",
		"token_endpoint":                                 i.cfg.URL + "/token",
		"jwks_uri":                                       i.cfg.URL + "/keys",
		"response_types_supported":                       []string{"code"},
		"grant_types_supported":                          []string{"authorization_code", "client_credentials"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"ES256"},
		"token_endpoint_auth_methods_supported":          []string{"none", "client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":               []string{"S256"},
		"scopes_supported":                               []string{"openid"},
		"authorization_response_iss_parameter_supported": true,
	})
}

func (i *Issuer) publicKeys(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, i.keys) }

// request is what a front end asks for when it sends somebody to sign in.
type request struct {
	Client, Redirect, State, Nonce, Challenge, Scope string
}

// read reads an authorization request. A fault is shown and never sent to the redirect address: that address is not
// trusted before the request is.
func (i *Issuer) read(w http.ResponseWriter, form url.Values) (request, bool) {
	q := request{
		Client:    form.Get("client_id"),
		Redirect:  form.Get("redirect_uri"),
		State:     form.Get("state"),
		Nonce:     form.Get("nonce"),
		Challenge: form.Get("code_challenge"),
		Scope:     form.Get("scope"),
	}
	var fault string
	switch {
	case q.Client != FrontEnd:
		fault = "client_id: not a client that people sign in through"
	case !i.mayRedirect(q.Redirect):
		fault = "redirect_uri: neither on this machine nor a path that was registered"
	case form.Get("response_type") != "code":
		fault = "response_type: only code"
	case !slices.Contains(strings.Fields(q.Scope), "openid"):
		fault = "scope: openid is missing"
	case form.Get("code_challenge_method") != "S256" || len(q.Challenge) != base64.RawURLEncoding.EncodedLen(sha256.Size):
		fault = "code_challenge: PKCE with S256 is needed (RFC 7636)"
	}
	if fault != "" {
		http.Error(w, fault, http.StatusBadRequest)
		return request{}, false
	}
	return q, true
}

// mayRedirect says whether the address is on this machine, on any port, under a registered path.
func (i *Issuer) mayRedirect(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http" && u.User == nil && u.Fragment == "" && u.RawQuery == "" &&
		access.Loopback(u.Hostname()) && slices.Contains(i.cfg.RedirectPaths, u.Path)
}

// ask shows the list of identities.
func (i *Issuer) ask(w http.ResponseWriter, r *http.Request) {
	q, ok := i.read(w, r.URL.Query())
	if !ok {
		return
	}
	people := slices.DeleteFunc(i.Identities(), func(who Identity) bool { return who.System })
	page, err := template.New("authorize").Parse(authorizePage)
	if err != nil {
		http.Error(w, "page", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	// The page is small and the connection is to this machine: a write that fails has nobody to be told.
	_ = page.Execute(w, struct {
		Action  string
		Request request
		People  []Identity
	}{i.cfg.URL + "/authorize", q, people})
}

// grant takes the choice and sends the browser back with a code.
func (i *Issuer) grant(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form", http.StatusBadRequest)
		return
	}
	q, ok := i.read(w, r.PostForm)
	if !ok {
		return
	}
	who, ok := i.find(r.PostForm.Get("identity"))
	if !ok || who.System {
		http.Error(w, "identity: nobody of this name", http.StatusBadRequest)
		return
	}
	code, ok := i.keep(grant{
		identity: who.Name, client: q.Client, redirect: q.Redirect, challenge: q.Challenge, nonce: q.Nonce,
		expires: i.cfg.Now().Add(codeLifetime),
	})
	if !ok {
		http.Error(w, "too many sign-ins at once", http.StatusServiceUnavailable)
		return
	}
	back := url.Values{"code": {code}, "iss": {i.cfg.URL}}
	if q.State != "" {
		back.Set("state", q.State)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, q.Redirect+"?"+back.Encode(), http.StatusSeeOther)
}

// keep keeps a grant until its exchange and returns its code; false if too many wait.
func (i *Issuer) keep(g grant) (string, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.cfg.Now()
	for code, waiting := range i.codes {
		if waiting.expires.Before(now) {
			delete(i.codes, code)
		}
	}
	if len(i.codes) >= maxCodes {
		return "", false
	}
	code := rand.Text()
	i.codes[code] = g
	return code, true
}

// take returns the grant of a code and forgets it: a code is good once.
func (i *Issuer) take(code string) (grant, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.codes[code]
	delete(i.codes, code)
	return g, ok && !g.expires.Before(i.cfg.Now())
}

// token exchanges a code or a client's secret for tokens (RFC 6749, sections 4.1.3 and 4.4.2). Any page on this machine
// may call it: nothing is taken from cookies.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if err := r.ParseForm(); err != nil {
		refuse(w, "invalid_request", "the form cannot be read")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		i.exchange(w, r.PostForm)
	case "client_credentials":
		i.clientToken(w, r)
	default:
		refuse(w, "unsupported_grant_type", "authorization_code or client_credentials")
	}
}

func (i *Issuer) exchange(w http.ResponseWriter, form url.Values) {
	g, ok := i.take(form.Get("code"))
	challenge := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !ok:
		refuse(w, "invalid_grant", "the code is unknown, used or expired")
		return
	case form.Get("client_id") != g.client || form.Get("redirect_uri") != g.redirect:
		refuse(w, "invalid_grant", "client_id or redirect_uri is not that of the request")
		return
	case base64.RawURLEncoding.EncodeToString(challenge[:]) != g.challenge:
		refuse(w, "invalid_grant", "code_verifier does not fit code_challenge")
		return
	}
	who, ok := i.find(g.identity)
	if !ok {
		refuse(w, "invalid_grant", "nobody of this name")
		return
	}
	id := i.claims(who, g.client)
	id["name"] = who.Title
	if g.nonce != "" {
		id["nonce"] = g.nonce
	}
	idToken, err := i.sign(id)
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	i.answerToken(w, who, g.client, map[string]any{"id_token": idToken, "scope": "openid"})
}

func (i *Issuer) clientToken(w http.ResponseWriter, r *http.Request) {
	client, secret, basic := r.BasicAuth()
	if !basic {
		client, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	who, ok := i.find(client)
	if !ok || !who.System || subtle.ConstantTimeCompare([]byte(secret), []byte(SystemSecret)) != 1 {
		w.Header().Set("WWW-Authenticate", `Basic realm="development issuer"`)
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	i.answerToken(w, who, client, map[string]any{})
}

// answerToken adds a token for the API to the members of an answer, and sends it.
func (i *Issuer) answerToken(w http.ResponseWriter, who Identity, client string, members map[string]any) {
	token, err := i.sign(i.accessClaims(who, client))
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	members["access_token"] = token
	members["token_type"] = "Bearer"
	members["expires_in"] = int(lifetime.Seconds())
	answer(w, http.StatusOK, members)
}

// signIn answers a bare token for the identity named in the form, for the first steps with curl. It allows no other
// origin, so that a page somewhere in the web cannot ask for one.
func (i *Issuer) signIn(w http.ResponseWriter, r *http.Request) {
	token, err := i.Token(r.PostFormValue("identity"))
	if err != nil {
		names := make([]string, len(i.identities))
		for n, who := range i.identities {
			names[n] = who.Name
		}
		http.Error(w, "identity: one of "+strings.Join(names, ", "), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, token+"\n") //nolint:gosec // plain text, and a token that we made
}

func refuse(w http.ResponseWriter, code, text string) {
	answer(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": text})
}

func answer(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
