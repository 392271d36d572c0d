package capability_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// outside is a system outside the engine, over loopback, and what it was asked.
type outside struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

func serveOutside(t *testing.T, answer http.HandlerFunc) *outside {
	t.Helper()
	o := &outside{}
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		o.mu.Lock()
		o.requests, o.bodies = append(o.requests, r), append(o.bodies, string(body))
		o.mu.Unlock()
		answer(w, r)
	}))
	o.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(o.Close)
	return o
}

func (o *outside) asked() []*http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.requests
}

// at is the server's host and port.
func (o *outside) at(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func (o *outside) port(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(o.at(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (o *outside) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	if o.Certificate() != nil {
		pool.AddCert(o.Certificate())
	}
	return pool
}

// addresses is a resolver that knows one host and says something else each time.
type addresses struct {
	host  string
	calls [][]string
	asked int
}

func (a *addresses) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if host != a.host || a.asked >= len(a.calls) {
		return nil, errors.New("no such host")
	}
	a.asked++
	var found []netip.Addr
	for _, text := range a.calls[a.asked-1] {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
}

// begin begins a call of a plugin that asks for the hosts.
func begin(out capability.Outside, grants []string, hosts ...string) *capability.Call {
	m := manifestOf(capability.HTTP)
	m.HttpHosts = hosts
	return capability.New(capability.Config{Outside: out}).Begin(m, grants, decideRequest())
}

func decideRequest() *pluginv1.Request {
	return &pluginv1.Request{Hook: pluginv1.Hook_HOOK_DECIDE, Bundle: "matter", Step: "pay", Task: "T-1", Attempt: 1}
}

func get(t *testing.T, c capability.Session, address string) *pluginv1.HttpResponse {
	t.Helper()
	return call(t, c, capability.HTTP, &pluginv1.HttpRequest{Method: "GET", Url: address}, new(pluginv1.HttpResponse))
}

func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestHTTP_OverTLS(t *testing.T) {
	t.Parallel()
	o := serveOutside(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	o.StartTLS()
	c := begin(capability.Outside{Roots: o.roots(), Secret: []byte("s")}, []string{"http:" + o.at(t) + "+private"}, o.at(t))
	got := call(t, c, capability.HTTP, &pluginv1.HttpRequest{Method: "POST", Url: o.URL + "/ledger?year=2026", Body: []byte(`{"sum":1}`),
		Headers: map[string]string{"Content-Type": "application/json", "x-caller": "bank"}}, new(pluginv1.HttpResponse))
	same(t, "answer", &pluginv1.HttpResponse{Answered: true, Status: 201, ContentType: "application/json; charset=utf-8", Body: []byte(`{"ok":true}`)}, got)
	asked := o.asked()
	if len(asked) != 1 {
		t.Fatalf("%d requests", len(asked))
	}
	r := asked[0]
	same(t, "request", []string{"POST", "/ledger?year=2026", "application/json", "bank", "onething", `{"sum":1}`},
		[]string{r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-Caller"), r.UserAgent(), o.bodies[0]})
	if !r.Close {
		t.Error("the connection is kept for somebody else's request")
	}
	if len(r.Header.Get("Idempotency-Key")) != 64 {
		t.Errorf("idempotency key %q", r.Header.Get("Idempotency-Key"))
	}
	if !c.ReachedOutside() {
		t.Error("the call is said to have reached nobody")
	}
	if n := len(c.Transcript()); n != 1 || c.Transcript()[0].GetFunction() != capability.HTTP {
		t.Errorf("transcript %v", c.Transcript())
	}
	// A certificate of an authority that the operator does not trust.
	c = begin(capability.Outside{}, []string{"http:" + o.at(t) + "+private"}, o.at(t))
	same(t, "answer of who has no certificate", &pluginv1.HttpResponse{}, get(t, c, o.URL))
	if c.ReachedOutside() {
		t.Error("a request went to who has no certificate")
	}
}

func TestHTTP_Refusals(t *testing.T) {
	t.Parallel()
	o := serveOutside(t, func(http.ResponseWriter, *http.Request) {})
	o.Start()
	host := o.at(t)
	long := strings.Repeat("x", 2000)
	tests := []struct {
		name    string
		grants  []string
		request *pluginv1.HttpRequest
		want    string
	}{
		{"not granted", nil, &pluginv1.HttpRequest{Method: "GET", Url: o.URL}, "not_granted"},
		{"another host granted", []string{"http:ledger.example.cn+plain+private"}, &pluginv1.HttpRequest{Method: "GET", Url: o.URL}, "not_granted"},
		{"without TLS", []string{"http:" + host + "+private"}, &pluginv1.HttpRequest{Method: "GET", Url: o.URL}, "not_granted"},
		{"a private address", []string{"http:" + host + "+plain"}, &pluginv1.HttpRequest{Method: "GET", Url: o.URL}, "private_address"},
		{"all hosts granted, none of them private", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://" + host}, "private_address"},
		{"a host that is not listed", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://other.example.cn/"}, "not_granted"},
		{"a host below a listed one", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://a.ledger.example.cn/"}, "not_granted"},
		{"a host behind a listed one", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn@evil.example/"}, "bad_request"},
		{"a host with a dot behind it", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn./"}, "not_granted"},
		{"another port", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn:8443/"}, "not_granted"},
		{"another protocol", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "file:///etc/passwd"}, "bad_request"},
		{"no host", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https:///x"}, "bad_request"},
		{"no address", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "://"}, "bad_request"},
		{"a long address", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn/" + long}, "bad_request"},
		{"another method", []string{"http"}, &pluginv1.HttpRequest{Method: "CONNECT", Url: "https://ledger.example.cn/"}, "bad_request"},
		{"a method with a line", []string{"http"}, &pluginv1.HttpRequest{Method: "GET\r\nX: y", Url: "https://ledger.example.cn/"}, "bad_request"},
		{"a body of GET", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn/", Body: []byte("x")}, "bad_request"},
		{"another header", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn/", Headers: map[string]string{"Host": "x"}}, "bad_request"},
		{"an idempotency key of its own", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn/", Headers: map[string]string{"Idempotency-Key": "x"}}, "bad_request"},
		{"somebody else's address", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn/", Headers: map[string]string{"X-Forwarded-For": "10.0.0.1"}}, "bad_request"},
		{"a header of two lines", []string{"http"}, &pluginv1.HttpRequest{Method: "GET", Url: "https://ledger.example.cn/", Headers: map[string]string{"X-A": "a\r\nHost: b"}}, "bad_request"},
		{"a large body", []string{"http"}, &pluginv1.HttpRequest{Method: "POST", Url: "https://ledger.example.cn/", Body: make([]byte, 256<<10+1)}, "bad_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := begin(capability.Outside{Resolver: &addresses{}}, test.grants, host, "ledger.example.cn")
			got := call(t, c, capability.HTTP, test.request, new(pluginv1.HttpResponse))
			same(t, "answer", &pluginv1.HttpResponse{Refused: test.want}, got)
			if c.ReachedOutside() {
				t.Error("a refused request went out")
			}
		})
	}
	t.Cleanup(func() {
		if n := len(o.asked()); n != 0 {
			t.Errorf("%d requests went out", n)
		}
	})
}

func TestHTTP_NoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := serveOutside(t, func(http.ResponseWriter, *http.Request) {})
	elsewhere.Start()
	o := serveOutside(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	o.Start()
	c := begin(capability.Outside{}, []string{"http:" + o.at(t) + "+plain+private", "http:" + elsewhere.at(t) + "+plain+private"}, o.at(t), elsewhere.at(t))
	if got := get(t, c, o.URL); !got.GetAnswered() || got.GetStatus() != 302 {
		t.Errorf("answer %v", got)
	}
	if len(elsewhere.asked()) != 0 {
		t.Error("the redirect was followed")
	}
}

// TestHTTP_DialsWhatWasResolved: whoever answers the second question for the name with another address changes nothing.
func TestHTTP_DialsWhatWasResolved(t *testing.T) {
	t.Parallel()
	o := serveOutside(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ledger") })
	o.StartTLS() // its certificate is for example.com
	at := o.at(t)
	host := "example.com:" + o.port(t)
	tests := []struct {
		name   string
		calls  [][]string
		grant  string
		want   *pluginv1.HttpResponse
		dialed []string
	}{
		{"public at first, loopback then", [][]string{{"93.184.216.34"}, {"127.0.0.1"}}, "http",
			&pluginv1.HttpResponse{Answered: true, Status: 200, ContentType: "text/plain; charset=utf-8", Body: []byte("ledger")}, []string{"93.184.216.34"}},
		{"loopback among public ones", [][]string{{"93.184.216.34", "127.0.0.1"}}, "http", &pluginv1.HttpResponse{Refused: "private_address"}, nil},
		{"the operator's network", [][]string{{"10.8.0.4"}}, "http:" + host, &pluginv1.HttpResponse{Refused: "private_address"}, nil},
		{"the operator's network, opened", [][]string{{"10.8.0.4"}}, "http:" + host + "+private",
			&pluginv1.HttpResponse{Answered: true, Status: 200, ContentType: "text/plain; charset=utf-8", Body: []byte("ledger")}, []string{"10.8.0.4"}},
		{"metadata, with the network opened", [][]string{{"169.254.169.254"}}, "http:" + host + "+private", &pluginv1.HttpResponse{Refused: "private_address"}, nil},
		{"an IPv4 address within IPv6", [][]string{{"::ffff:127.0.0.1"}}, "http", &pluginv1.HttpResponse{Refused: "private_address"}, nil},
		{"NAT64", [][]string{{"64:ff9b::7f00:1"}}, "http", &pluginv1.HttpResponse{Refused: "private_address"}, nil},
		{"the second of two where the first is down", [][]string{{"93.184.216.35", "93.184.216.34"}}, "http",
			&pluginv1.HttpResponse{Answered: true, Status: 200, ContentType: "text/plain; charset=utf-8", Body: []byte("ledger")}, []string{"93.184.216.35", "93.184.216.34"}},
		{"no such host", nil, "http", &pluginv1.HttpResponse{}, nil},
		{"no address", [][]string{{}}, "http", &pluginv1.HttpResponse{}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var dialed []string
			c := begin(capability.Outside{
				Roots: o.roots(), Resolver: &addresses{host: "example.com", calls: test.calls},
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					to, _, _ := net.SplitHostPort(address)
					if dialed = append(dialed, to); to == "93.184.216.35" {
						return nil, errors.New("no route")
					}
					return new(net.Dialer).DialContext(ctx, network, at)
				},
			}, []string{test.grant}, host)
			same(t, "answer", test.want, get(t, c, "https://"+host+"/"))
			same(t, "dialled", test.dialed, dialed)
		})
	}
}

func TestHTTP_DefaultPorts(t *testing.T) {
	t.Parallel()
	o := serveOutside(t, func(http.ResponseWriter, *http.Request) {})
	o.Start()
	at := o.at(t)
	tests := []struct {
		listed, url, dialed string
	}{
		{"example.com", "http://example.com/", "93.184.216.34:80"},
		{"example.com", "http://example.com:80/", "93.184.216.34:80"},
		{"example.com:80", "http://example.com/", "93.184.216.34:80"},
		{"example.com:8080", "http://example.com:8080/", "93.184.216.34:8080"},
		{"example.com", "http://example.com:443/", ""},
		{"example.com:8080", "http://example.com/", ""},
		{"example.com", "http://EXAMPLE.com/", ""},
	}
	for _, test := range tests {
		t.Run(test.listed+" "+test.url, func(t *testing.T) {
			t.Parallel()
			dialed := ""
			c := begin(capability.Outside{
				Resolver: &addresses{host: "example.com", calls: [][]string{{"93.184.216.34"}}},
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					dialed = address
					return new(net.Dialer).DialContext(ctx, network, at)
				},
			}, []string{"http:" + test.listed + "+plain"}, test.listed)
			got := get(t, c, test.url)
			same(t, "dialled", test.dialed, dialed)
			same(t, "answered", test.dialed != "", got.GetAnswered())
		})
	}
}

func TestHTTP_SystemsThatFail(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 1)
	hijack := func(w http.ResponseWriter, sent string) {
		connection, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = buffer.WriteString(sent)
		_ = buffer.Flush()
		_ = connection.Close()
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		stop   bool // the call's time ends when the answer has begun
		want   *pluginv1.HttpResponse
	}{
		{"a body that does not end", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
			begun <- struct{}{}
			<-r.Context().Done()
		}, true, &pluginv1.HttpResponse{}},
		{"a body without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}, false, &pluginv1.HttpResponse{Refused: "too_large"}},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 100))
			}
		}, false, &pluginv1.HttpResponse{}},
		{"a connection that is dropped", func(w http.ResponseWriter, _ *http.Request) { hijack(w, "") }, false, &pluginv1.HttpResponse{}},
		{"a body that is cut off", func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		}, false, &pluginv1.HttpResponse{}},
		{"no HTTP", func(w http.ResponseWriter, _ *http.Request) { hijack(w, "320101199003071234\r\n") }, false, &pluginv1.HttpResponse{}},
		{"another protocol", func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		}, false, &pluginv1.HttpResponse{}},
		{"a failure that it says", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, false,
			&pluginv1.HttpResponse{Answered: true, Status: 500}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := serveOutside(t, test.answer)
			o.Start()
			var log strings.Builder
			m := manifestOf(capability.HTTP)
			m.HttpHosts = []string{o.at(t)}
			c := capability.New(capability.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}).
				Begin(m, []string{"http:" + o.at(t) + "+plain+private"}, decideRequest())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.stop {
				go func() {
					<-begun
					cancel()
				}()
			}
			got := callWith(ctx, t, c, capability.HTTP, &pluginv1.HttpRequest{Method: "GET", Url: o.URL + "/?id=320101199003071234"}, new(pluginv1.HttpResponse))
			same(t, "answer", test.want, got)
			if !c.ReachedOutside() {
				t.Error("the call is said to have reached nobody")
			}
			if strings.Contains(log.String(), "320101199003071234") {
				t.Errorf("the log holds what was asked or answered: %s", log.String())
			}
		})
	}
}

// TestHTTP_IdempotencyKey has the same key for the same request of the same call only.
func TestHTTP_IdempotencyKey(t *testing.T) {
	t.Parallel()
	o := serveOutside(t, func(http.ResponseWriter, *http.Request) {})
	o.Start()
	keys := func(secret string, repeatable bool, change func(*pluginv1.Request)) (first, second string) {
		m := manifestOf(capability.HTTP)
		m.HttpHosts = []string{o.at(t)}
		if repeatable {
			m.Repeatable = []pluginv1.Hook{pluginv1.Hook_HOOK_DECIDE}
		}
		request := decideRequest()
		change(request)
		before := len(o.asked())
		c := capability.New(capability.Config{Outside: capability.Outside{Secret: []byte(secret)}}).Begin(m, []string{"http:" + o.at(t) + "+plain+private"}, request)
		get(t, c, o.URL)
		get(t, c, o.URL)
		asked := o.asked()[before:]
		return asked[0].Header.Get("Idempotency-Key"), asked[1].Header.Get("Idempotency-Key")
	}
	nothing := func(*pluginv1.Request) {}
	attempt := func(r *pluginv1.Request) { r.Attempt = 2 }
	first, second := keys("s", false, nothing)
	if first == second {
		t.Error("two requests of a call have one key")
	}
	if again, _ := keys("s", false, nothing); again != first {
		t.Error("the same request has two keys")
	}
	for name, change := range map[string]func(*pluginv1.Request){
		"attempt": attempt,
		"task":    func(r *pluginv1.Request) { r.Task = "T-2" },
		"hook":    func(r *pluginv1.Request) { r.Hook = pluginv1.Hook_HOOK_ISSUE },
		"step":    func(r *pluginv1.Request) { r.Step = "other" },
		"answers": func(r *pluginv1.Request) {
			r.Answers = map[string]*pluginv1.Value{"own.x": {Kind: pluginv1.ValueKind_VALUE_KIND_INT, Number: 1}}
		},
	} {
		if other, _ := keys("s", false, change); other == first {
			t.Errorf("with another %s the key is the same", name)
		}
	}
	if other, _ := keys("t", false, nothing); other == first {
		t.Error("two stores have the same key")
	}
	repeated, _ := keys("s", true, nothing)
	if again, _ := keys("s", true, attempt); again != repeated {
		t.Error("a hook that may be repeated has another key at the next attempt")
	}
	prefill := func(r *pluginv1.Request) { r.Hook, r.Task = pluginv1.Hook_HOOK_PREFILL, "" }
	one, _ := keys("s", false, prefill)
	if other, _ := keys("s", false, prefill); other == one {
		t.Error("two people who wait for a proposal have one key")
	}
}

func TestParseGrant(t *testing.T) {
	t.Parallel()
	good := map[string]capability.Grant{
		"shared_data":                  {Capability: "shared_data"},
		"http":                         {Capability: "http"},
		"http:a.example.cn":            {Capability: "http", Host: "a.example.cn"},
		"http:a.example.cn:8443+plain": {Capability: "http", Host: "a.example.cn:8443", Plain: true},
		"http:[2001:db8::1]:1+private": {Capability: "http", Host: "[2001:db8::1]:1", Private: true},
		"http:10.8.0.4+private+plain":  {Capability: "http", Host: "10.8.0.4", Plain: true, Private: true},
	}
	for text, want := range good {
		if got, err := capability.ParseGrant(text); err != nil || got != want {
			t.Errorf("ParseGrant(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "files", "http:", "http:+plain", "http:a+", "http:a+tls", "http:a+plain+plain", "log:a", "http+plain"} {
		if got, err := capability.ParseGrant(text); err == nil {
			t.Errorf("ParseGrant(%q) = %+v", text, got)
		}
	}
}
