// Package send holds the ways by which notices go: mail over SMTP, and a webhook that is signed as the Standard Webhooks
// say. Neither says in an error what a receiver has written.
package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/siyiban/onething/engine/follow/notices"
)

// attemptTimeout bounds one attempt.
const attemptTimeout = 20 * time.Second

// The ways in which a connection to a mail server is encrypted.
const (
	StartTLS = "starttls" // after the greeting; a server that cannot is refused
	TLS      = "tls"      // from the first byte
	Plain    = "none"     // not at all
)

// SMTPConfig is a mail server that takes our mail.
type SMTPConfig struct {
	Host     string
	Port     int
	Security string // [StartTLS], [TLS] or [Plain]
	User     string // empty: no sign-in; not without encryption
	Password string
	From     string // address, perhaps with a name: 大厅 <hall@example.org>
	// Roots are the authorities whose certificates are believed; nil: those of the system.
	Roots *x509.CertPool
}

// SMTP sends notices by mail. A notice's id is its Message-ID, the same at every attempt.
type SMTP struct {
	config SMTPConfig
	domain string // of From
}

var _ notices.Sender = (*SMTP)(nil)

// NewSMTP returns a sender by mail.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("smtp: from: %w", err)
	}
	if c.User != "" && c.Security == Plain {
		return nil, errors.New("smtp: a password goes over an encrypted connection only")
	}
	s := &SMTP{config: c, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:]}
	_, err = s.client()
	return s, err
}

// client is a new one for each message: notices are few, and a connection that is kept would be the server's to end.
func (s *SMTP) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(s.config.Port), gomail.WithTimeout(attemptTimeout),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.config.Host, RootCAs: s.config.Roots, MinVersion: tls.VersionTLS12})}
	switch s.config.Security {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case TLS:
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("smtp: security %q is none of %s, %s and %s", s.config.Security, StartTLS, TLS, Plain)
	}
	if s.config.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.config.User), gomail.WithPassword(s.config.Password))
	}
	client, err := gomail.NewClient(s.config.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return client, nil
}

// Send implements [notices.Sender]. Mail goes to all addresses of an office, or to none.
func (s *SMTP) Send(ctx context.Context, m notices.Message) error {
	if len(m.Mail) == 0 {
		return &notices.Failure{Code: "no mail address", Permanent: true}
	}
	message := gomail.NewMsg()
	if err := message.From(s.config.From); err != nil {
		return &notices.Failure{Code: "sender's address"}
	}
	if err := message.To(m.Mail...); err != nil {
		return &notices.Failure{Code: "mail address", Permanent: true}
	}
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(m.ID + "@" + s.domain)
	message.SetDateWithValue(m.Now)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	message.SetBodyString(gomail.TypeTextPlain, m.Text+"\n")
	client, err := s.client()
	if err != nil {
		return &notices.Failure{Code: "smtp configuration"}
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err = client.DialAndSendWithContext(ctx, message); err == nil || message.IsDelivered() { // it was taken, whatever came after
		return nil
	}
	return smtpFailure(err)
}

// smtpFailure keeps of an error the server's code. For good is what the server says of the receiver or the message; what
// it says of us, an operator mends.
func smtpFailure(err error) *notices.Failure {
	refused, sending := errors.AsType[*gomail.SendError](err)
	code := 0
	if sending {
		code = refused.ErrorCode()
	} else if answer, ok := errors.AsType[*textproto.Error](err); ok {
		code = answer.Code
	}
	if code == 0 {
		return &notices.Failure{Code: "smtp unreachable"}
	}
	failed := &notices.Failure{Code: fmt.Sprintf("smtp %d", code)}
	if sending && code >= 500 {
		failed.Permanent = slices.Contains([]gomail.SendErrReason{gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose}, refused.Reason)
	}
	return failed
}
