package send_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/follow/notices/send"
)

func now() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("UTC+8", 8*3600)) }

func secret(b byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(b)), 32)))
}

func message() notices.Message {
	return notices.Message{ID: "019", Kind: "accepted", To: notices.Applicant, Number: "A100", At: now().Add(-time.Hour), Now: now(),
		Phone: "13812345678", Mail: []string{"qian@example.org"}, Subject: "“打井”已受理", Text: "您申请的“打井”已受理。"}
}

// A receiver that takes the library of the Standard Webhooks believes the signature; with another secret, body or id it
// does not.
func TestWebhook_Signature(t *testing.T) {
	t.Parallel()
	type request struct {
		header http.Header
		body   []byte
	}
	got := make(chan request, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.Header.Clone(), body}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	for _, without := range []bool{false, true} {
		sender, err := send.NewWebhook(send.WebhookConfig{URL: server.URL, Secret: secret('k'), WithoutAddresses: without})
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
		r := <-got
		receiver, err := standardwebhooks.NewWebhook(secret('k'))
		if err != nil {
			t.Fatal(err)
		}
		verify := receiver.VerifyIgnoringTimestamp // the clock of the test stands
		if err := verify(r.body, r.header); err != nil {
			t.Errorf("the receiver does not believe it: %v", err)
		}
		if id, at := r.header.Get("Webhook-Id"), r.header.Get("Webhook-Timestamp"); id != "019" || at != "1772413200" {
			t.Errorf("id %s, timestamp %s", id, at)
		}
		other, err := standardwebhooks.NewWebhook(secret('j'))
		if err != nil {
			t.Fatal(err)
		}
		forged := r.header.Clone()
		forged.Set("Webhook-Id", "018")
		if other.VerifyIgnoringTimestamp(r.body, r.header) == nil || verify(append(r.body, ' '), r.header) == nil || verify(r.body, forged) == nil {
			t.Error("it believes another secret, body or id")
		}
		want := map[string]any{"type": "notice.accepted", "timestamp": "2026-03-02T00:00:00Z", "data": map[string]any{
			"to": "applicant", "application": "A100", "subject": "“打井”已受理", "text": "您申请的“打井”已受理。"}}
		if data, ok := want["data"].(map[string]any); ok && !without {
			data["phone"], data["mail"] = "13812345678", []any{"qian@example.org"}
		}
		body := map[string]any{}
		if err := json.Unmarshal(r.body, &body); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, body); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
	}
}

// What a receiver answers becomes a code; what it writes goes nowhere.
func TestWebhook_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, after string
		status      int
		want        *notices.Failure
	}{
		{"taken", "", 202, nil},
		{"too many", "120", 429, &notices.Failure{Code: "http 429", After: 2 * time.Minute}},
		{"a date", "Mon, 02 Mar 2026 02:00:00 GMT", 503, &notices.Failure{Code: "http 503", After: time.Hour}},
		{"a date that has passed", "Mon, 02 Mar 2020 02:00:00 GMT", 503, &notices.Failure{Code: "http 503"}},
		{"nonsense", "soon", 500, &notices.Failure{Code: "http 500"}},
		{"moved", "", 307, &notices.Failure{Code: "http 307"}},
		{"not there yet", "", 404, &notices.Failure{Code: "http 404"}},
		{"no more", "", 410, &notices.Failure{Code: "http 410", Permanent: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Retry-After", tt.after)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				_, _ = w.Write(body) // and so the telephone
			}))
			defer server.Close()
			sender, err := send.NewWebhook(send.WebhookConfig{URL: server.URL, Secret: secret('k')})
			if err != nil {
				t.Fatal(err)
			}
			err = sender.Send(t.Context(), message())
			got, _ := errors.AsType[*notices.Failure](err)
			if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (got == nil) {
				t.Errorf("failure (-want +got), %v:\n%s", err, diff)
			}
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	sender, err := send.NewWebhook(send.WebhookConfig{URL: server.URL, Secret: secret('k')})
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), message()); err == nil || err.Error() != "http unreachable" {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestNewWebhook_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]send.WebhookConfig{
		"no address":           {Secret: secret('k')},
		"another scheme":       {URL: "ftp://example.org", Secret: secret('k')},
		"no secret":            {URL: "https://example.org"},
		"short secret":         {URL: "https://example.org", Secret: "whsec_c2hvcnQ="},
		"secret without begin": {URL: "https://example.org", Secret: strings.TrimPrefix(secret('k'), "whsec_")},
	} {
		if _, err := send.NewWebhook(c); err == nil || c.Secret != "" && strings.Contains(err.Error(), c.Secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
