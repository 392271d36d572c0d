package send

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/siyiban/onething/engine/follow/notices"
)

// secretPrefix is what a secret begins with, by the Standard Webhooks.
const secretPrefix = "whsec_"

// maxDrained is how much of an answer is read so that its connection can be used again.
const maxDrained = 64 << 10

// WebhookConfig is a system that takes notices over HTTP.
type WebhookConfig struct {
	URL string
	// Secret is whsec_ and the base64 of 24 to 64 bytes.
	Secret string
	// WithoutAddresses: neither telephone nor mail address is handed over; the receiver finds the applicant by the number
	// of the application.
	WithoutAddresses bool
	// Roots are the authorities whose certificates are believed; nil: those of the system.
	Roots *x509.CertPool
}

// Webhook sends notices as the Standard Webhooks 1.0.0 say (https://www.standardwebhooks.com): webhook-id is the notice's
// id, the same at every attempt, webhook-timestamp the time of the attempt, webhook-signature an HMAC-SHA256 over both and
// the body.
type Webhook struct {
	config WebhookConfig
	secret []byte
	client *http.Client
}

var _ notices.Sender = (*Webhook)(nil)

// NewWebhook returns a sender to a webhook.
func NewWebhook(c WebhookConfig) (*Webhook, error) {
	at, err := url.Parse(c.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, errors.New("webhook: url is no http or https address") // not the address: it may hold a secret
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.Secret, secretPrefix))
	if err != nil || !strings.HasPrefix(c.Secret, secretPrefix) || len(secret) < 24 || len(secret) > 64 {
		return nil, fmt.Errorf("webhook: the secret is not %s and the base64 of 24 to 64 bytes", secretPrefix)
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute,
	}
	return &Webhook{config: c, secret: secret, client: &http.Client{
		Transport: transport, Timeout: attemptTimeout,
		// A receiver that has moved tells its operator: what is signed for one address is handed to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// payload is the body, in the form that the Standard Webhooks propose.
type payload struct {
	Type      string    `json:"type"`      // notice.accepted
	Timestamp time.Time `json:"timestamp"` // when happened what it tells
	Data      data      `json:"data"`
}

type data struct {
	To          string   `json:"to"` // applicant, clerk or officer
	Application string   `json:"application"`
	Department  string   `json:"department,omitempty"`
	Alias       string   `json:"alias,omitempty"`
	Phone       string   `json:"phone,omitempty"`
	Mail        []string `json:"mail,omitempty"`
	Subject     string   `json:"subject"`
	Text        string   `json:"text"`
}

// Send implements [notices.Sender].
func (w *Webhook) Send(ctx context.Context, m notices.Message) error {
	p := payload{Type: "notice." + m.Kind, Timestamp: m.At.UTC(), Data: data{To: string(m.To), Application: m.Number, Department: m.Department, Alias: m.Alias,
		Phone: m.Phone, Mail: m.Mail, Subject: m.Subject, Text: m.Text}}
	if w.config.WithoutAddresses {
		p.Data.Phone, p.Data.Mail = "", nil
	}
	body, err := json.Marshal(p)
	if err != nil {
		return &notices.Failure{Code: "webhook body", Permanent: true}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.config.URL, bytes.NewReader(body))
	if err != nil {
		return &notices.Failure{Code: "webhook address"}
	}
	at := strconv.FormatInt(m.Now.Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "onething")
	request.Header.Set("Webhook-Id", m.ID)
	request.Header.Set("Webhook-Timestamp", at)
	request.Header.Set("Webhook-Signature", "v1,"+w.sign(m.ID, at, body))
	response, err := w.client.Do(request)
	if err != nil {
		return &notices.Failure{Code: "http unreachable"} // the error names the address
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxDrained)
	if response.StatusCode/100 == 2 {
		return nil
	}
	return &notices.Failure{
		Code:      fmt.Sprintf("http %d", response.StatusCode),
		Permanent: response.StatusCode == http.StatusGone, // by the Standard Webhooks: it wants no more
		After:     retryAfter(response.Header.Get("Retry-After"), m.Now),
	}
}

// sign is the signature of a message.
func (w *Webhook) sign(id, at string, body []byte) string {
	mac := hmac.New(sha256.New, w.secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// retryAfter reads how long a receiver wants to be left alone (RFC 9110, 10.2.3): seconds, or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if until, err := http.ParseTime(header); err == nil {
		return max(until.Sub(now), 0)
	}
	return 0
}
