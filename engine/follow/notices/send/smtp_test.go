package send_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/follow/notices/send"
)

// post is a mail server: it takes mail, or answers as the test says.
type post struct {
	user, password string // empty: anybody may send
	rcpt, data     error
	encrypted      bool

	mu    sync.Mutex
	mails []received
}

type received struct {
	from string
	to   []string
	text string
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{post: p, signed: p.user == ""}, nil
}

type session struct {
	*post
	signed bool
	mail   received
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.user || password != s.password {
			return smtp.ErrAuthFailed
		}
		s.signed = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signed {
		return smtp.ErrAuthRequired
	}
	s.mail = received{from: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = append(s.mail.to, to)
	return s.rcpt
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if s.data != nil {
		return s.data
	}
	if err != nil {
		return err
	}
	s.mail.text = string(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, s.mail)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// serve starts it, and returns how to reach it.
func (p *post) serve(t testing.TB) send.SMTPConfig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certified := httptest.NewTLSServer(nil) // for its certificate
	certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	server := smtp.NewServer(p)
	server.Domain = "localhost"
	if p.encrypted {
		server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	}
	go func() { _ = server.Serve(l) }() // until the test closes it
	t.Cleanup(func() { _ = server.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c := send.SMTPConfig{Host: "127.0.0.1", Port: number, Security: send.Plain, From: "政务大厅 <hall@example.org>", Roots: roots}
	if p.encrypted {
		c.Security = send.StartTLS
	}
	return c
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"", "onething"} {
		p := &post{user: user, password: "s3cret", encrypted: user != ""}
		c := p.serve(t)
		c.User, c.Password = user, "s3cret"
		sender, err := send.NewSMTP(c)
		if err != nil {
			t.Fatal(err)
		}
		m := message()
		m.Mail = append(m.Mail, "second@example.org")
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if len(p.mails) != 1 || p.mails[0].from != "hall@example.org" || !slices.Equal(p.mails[0].to, m.Mail) {
			t.Fatalf("the server has %+v", p.mails)
		}
		got, err := mail.ReadMessage(strings.NewReader(p.mails[0].text))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if err != nil || subject != m.Subject {
			t.Errorf("subject %q, %v", subject, err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
		if err != nil || strings.TrimSpace(string(body)) != m.Text {
			t.Errorf("text %q, %v", body, err)
		}
		for header, want := range map[string]string{"Message-ID": "<019@example.org>", "Auto-Submitted": "auto-generated", "Date": "Mon, 02 Mar 2026 09:00:00 +0800"} {
			if got.Header.Get(header) != want {
				t.Errorf("%s is %q, want %q", header, got.Header.Get(header), want)
			}
		}
	}
}

// What a server answers becomes its code; its words, which name who is meant, go nowhere. For good is what it says of the
// receiver.
func TestSMTP_Failures(t *testing.T) {
	t.Parallel()
	answer := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "qian@example.org is not known here"}
	}
	tests := []struct {
		name   string
		post   post
		change func(*send.SMTPConfig, *notices.Message)
		want   notices.Failure
	}{
		{"later", post{rcpt: answer(451)}, nil, notices.Failure{Code: "smtp 451"}},
		{"nobody of that name", post{rcpt: answer(550)}, nil, notices.Failure{Code: "smtp 550", Permanent: true}},
		{"full", post{data: answer(452)}, nil, notices.Failure{Code: "smtp 452"}},
		{"refused as it is", post{data: answer(554)}, nil, notices.Failure{Code: "smtp 554", Permanent: true}},
		{"wrong password, which an operator mends", post{user: "onething", password: "x", encrypted: true}, func(c *send.SMTPConfig, _ *notices.Message) { c.User, c.Password = "onething", "y" }, notices.Failure{Code: "smtp 535"}},
		{"no sign-in, which an operator mends", post{user: "onething"}, nil, notices.Failure{Code: "smtp 502"}},
		{"no encryption where it is wanted", post{}, func(c *send.SMTPConfig, _ *notices.Message) { c.Security = send.StartTLS }, notices.Failure{Code: "smtp unreachable"}},
		{"a certificate that nobody believes", post{encrypted: true}, func(c *send.SMTPConfig, _ *notices.Message) { c.Roots = nil }, notices.Failure{Code: "smtp unreachable"}},
		{"no address", post{}, func(_ *send.SMTPConfig, m *notices.Message) { m.Mail = nil }, notices.Failure{Code: "no mail address", Permanent: true}},
		{"an address that is none", post{}, func(_ *send.SMTPConfig, m *notices.Message) { m.Mail = []string{"qian"} }, notices.Failure{Code: "mail address", Permanent: true}},
		{"nobody listens", post{}, func(c *send.SMTPConfig, _ *notices.Message) { c.Host = "127.0.0.2" }, notices.Failure{Code: "smtp unreachable"}},
	}
	for i := range tests {
		tt := &tests[i]
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, m := tt.post.serve(t), message()
			if tt.change != nil {
				tt.change(&c, &m)
			}
			sender, err := send.NewSMTP(c)
			if err != nil {
				t.Fatal(err)
			}
			err = sender.Send(t.Context(), m)
			got, ok := errors.AsType[*notices.Failure](err)
			if !ok {
				t.Fatalf("%v", err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
			if len(tt.post.mails) > 0 {
				t.Errorf("it was taken: %+v", tt.post.mails)
			}
		})
	}
}

func TestNewSMTP_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]send.SMTPConfig{
		"no host":                     {Port: 25, Security: send.StartTLS, From: "hall@example.org"},
		"no port":                     {Host: "mail.example.org", Security: send.StartTLS, From: "hall@example.org"},
		"no sender":                   {Host: "mail.example.org", Port: 25, Security: send.StartTLS},
		"password without encryption": {Host: "mail.example.org", Port: 25, Security: send.Plain, User: "onething", From: "hall@example.org"},
		"no security":                 {Host: "mail.example.org", Port: 25, From: "hall@example.org"},
	} {
		if _, err := send.NewSMTP(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
