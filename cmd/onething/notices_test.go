package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/siyiban/onething/diag"
)

const noticeSecret = "whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="

// told is a configuration that tells everybody over a webhook at an address.
func told(t testing.TB, folder, address string) *noticesConfig {
	t.Helper()
	writeFile(t, filepath.Join(folder, "secret"), noticeSecret+"\n")
	writeFile(t, filepath.Join(folder, "templates.yaml"), "notices:\n  - { notice: accepted, to: applicant, subject: 受理, text: '{this.name}：{this.matter} {this.number}' }\n")
	writeFile(t, filepath.Join(folder, "notices.yaml"), fmt.Sprintf(
		"templates: templates.yaml\nwebhook: { url: %q, secret_file: secret }\napplicants: { by: [webhook] }\nclerks: { by: [webhook] }\nofficers: { by: [webhook] }\n", address))
	c, err := readNotices(filepath.Join(folder, "notices.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// receiver is a county's system that takes notices, believes only what is signed, and answers as the test says.
type receiver struct {
	t      testing.TB
	mu     sync.Mutex
	status int
	taken  []delivery
	more   chan struct{}
}

type delivery struct {
	ID   string
	Type string
	Data struct{ To, Application, Department, Phone, Subject, Text string }
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	verifier, err := standardwebhooks.NewWebhook(noticeSecret)
	if err == nil {
		err = verifier.VerifyIgnoringTimestamp(body, request.Header) // the server's day is the test's
	}
	d := delivery{ID: request.Header.Get("Webhook-Id")}
	if err := errors.Join(err, json.Unmarshal(body, &d)); err != nil {
		r.t.Errorf("a notice that the receiver does not believe: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = append(r.taken, d)
	w.WriteHeader(r.status)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// until waits until the receiver was given what the test wants.
func (r *receiver) until(ctx context.Context, wanted func([]delivery) bool) []delivery {
	r.t.Helper()
	for {
		r.mu.Lock()
		taken := slices.Clone(r.taken)
		r.mu.Unlock()
		if wanted(taken) {
			return taken
		}
		select {
		case <-r.more:
		case <-ctx.Done():
			r.t.Fatalf("the receiver was only given %+v", taken)
		}
	}
}

// A real server tells applicant, clerks and officers over a real webhook; what a receiver refuses for good is on the
// operator's list, and is told again when the operator wants it.
func TestServer_Notices(t *testing.T) {
	t.Parallel()
	r := &receiver{t: t, status: http.StatusNoContent, more: make(chan struct{}, 1)}
	web := httptest.NewServer(r)
	defer web.Close()
	var logs lines
	st := newStage(t, t.TempDir(), "2026-12-16", &logs, func(c *serverConfig) { c.notices = told(t, t.TempDir(), web.URL) })
	defer st.stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	filing, err := st.file(ctx, birth())
	if err != nil {
		t.Fatal(err)
	}
	r.until(ctx, func(d []delivery) bool { return len(d) == 1 && d[0].Type == "notice.case_waiting" })
	r.answer(http.StatusGone)
	if err := st.accept(ctx, filing, "newborn"); err != nil {
		t.Fatal(err)
	}
	taken := r.until(ctx, func(d []delivery) bool {
		return slices.ContainsFunc(d, func(d delivery) bool { return d.Type == "notice.accepted" }) && slices.ContainsFunc(d, func(d delivery) bool { return d.Type == "notice.task_opened" })
	})
	i := slices.IndexFunc(taken, func(d delivery) bool { return d.Type == "notice.accepted" })
	accepted := taken[i]
	if accepted.Data.To != "applicant" || accepted.Data.Application != filing.Number || accepted.Data.Phone != "13812345601" || !strings.HasPrefix(accepted.Data.Text, "周雨桐：新生儿出生一件事 ") {
		t.Errorf("the applicant is told %+v", accepted)
	}

	// The operator's list, on the command line.
	command := func(args ...string) (string, int) {
		var out, progress bytes.Buffer
		code := run(ctx, append([]string{"notices", "--as", "operator", "--server", st.api, "--dev-issuer", strings.TrimSuffix(strings.TrimPrefix(st.issuer, "http://"), "/issuer")}, args...), &out, &progress)
		return out.String() + progress.String(), code
	}
	var failed string
	for failed = ""; !strings.Contains(failed, accepted.ID); { // until the server has written down what it was answered
		var code int
		if failed, code = command("--failed"); code != 0 {
			t.Fatal(failed)
		}
	}
	line := regexp.MustCompile(`(?m)^` + accepted.ID + `\s+failed\s+1\s+2026-12-16 \d\d:\d\d\s+` + filing.Number + `\s+accepted\s+applicant\s+webhook\s+http 410$`)
	if !line.MatchString(failed) || strings.Contains(failed, "sent") || strings.Contains(failed, "周雨桐") {
		t.Errorf("the operator reads\n%s", failed)
	}
	at := watchStage(t, st)
	if _, metrics := get(t, at, "/metrics"); !regexp.MustCompile(`(?m)^onething_notices\{state="failed"\} [12]$`).MatchString(metrics) || !strings.Contains(metrics, `onething_notices{state="sent"} 1`) {
		t.Errorf("the metrics say\n%s", strings.Join(regexp.MustCompile(`onething_notices.*`).FindAllString(metrics, -1), "\n"))
	}
	r.answer(http.StatusOK)
	before := len(taken)
	if out, code := command("--repeat", accepted.ID); code != 0 || out != accepted.ID+" pending\n" {
		t.Errorf("repeated with %d: %s", code, out)
	}
	taken = r.until(ctx, func(d []delivery) bool {
		return len(d) > before && slices.ContainsFunc(d[before:], func(d delivery) bool { return d.ID == accepted.ID })
	})
	if diff := cmp.Diff(accepted, taken[len(taken)-1]); diff != "" {
		t.Errorf("told again (-first +again):\n%s", diff)
	}
	for sent := ""; !strings.Contains(sent, accepted.ID+"  sent"); {
		var code int
		if sent, code = command(); code != 0 {
			t.Fatal(sent)
		}
	}
	if out, code := command("--repeat", accepted.ID); code != 1 || !strings.Contains(out, "was sent") {
		t.Errorf("repeated once more with %d: %s", code, out)
	}
	if out, code := command("--repeat", "none"); code != 1 || !strings.Contains(out, "no such notice") {
		t.Errorf("repeated one that is not there with %d: %s", code, out)
	}
	for _, secret := range []string{"周雨桐", "13812345601", noticeSecret} {
		if strings.Contains(logs.String(), secret) {
			t.Errorf("the log says %s", secret)
		}
	}
}

// A server without notices says so.
func TestServer_NoNotices(t *testing.T) {
	t.Parallel()
	st := newStage(t, t.TempDir(), "2026-12-16", io.Discard)
	defer st.stop(t)
	var out, progress bytes.Buffer
	code := run(t.Context(), []string{"notices", "--as", "operator", "--server", st.api, "--dev-issuer", strings.TrimSuffix(strings.TrimPrefix(st.issuer, "http://"), "/issuer")}, &out, &progress)
	if code != exitFindings || !strings.Contains(progress.String(), "--notices") {
		t.Errorf("%d: %s", code, progress.String())
	}
}

// What is wrong with the configuration is told at the start, and no secret with it.
func TestReadNotices_Refuses(t *testing.T) {
	t.Parallel()
	const webhook = "webhook: { url: \"https://county.example\", secret_file: secret }\n"
	const mail = "mail: { host: mail.example.org, from: hall@example.org }\n"
	tests := []struct{ name, text, want string }{
		{"an unknown key", "telegram: {}\n", "there is no key `telegram` here"},
		{"nobody is told", webhook, "nobody is told"},
		{"an unknown way", webhook + "applicants: { by: [pigeon] }\n", `applicants: "pigeon" is no way: mail or webhook`},
		{"a way that is not described", webhook + "applicants: { by: [mail] }\n", "applicants: by mail, but there is no `mail`"},
		{"an office without address", mail + "clerks: { by: [mail] }\n", "clerks: by mail, but `to` names no address"},
		{"a department without address", mail + "departments: { hrss: { by: [mail] } }\n", "departments.hrss: by mail, but `to` names no address"},
		{"addresses of applicants", mail + "applicants: { by: [mail], to: [a@example.org] }\n", "applicants: their addresses stand in the form"},
		{"http to another machine", "webhook: { url: \"http://county.example\", secret_file: secret }\napplicants: { by: [webhook] }\n", "https for any other"},
		{"no secret", "webhook: { url: \"https://county.example\" }\napplicants: { by: [webhook] }\n", "name either a file or an environment variable"},
		{"a secret that is none", "webhook: { url: \"https://county.example\", secret_file: short }\napplicants: { by: [webhook] }\n", "base64 of 24 to 64 bytes"},
		{"no such variable", "webhook: { url: \"https://county.example\", secret_env: ONETHING_TEST_NONE }\napplicants: { by: [webhook] }\n", "no environment variable ONETHING_TEST_NONE"},
		{"plain mail to another machine", "mail: { host: mail.example.org, from: hall@example.org, security: none }\napplicants: { by: [mail] }\n", "for a server on this machine only"},
		{"an unknown security", "mail: { host: mail.example.org, port: 25, from: hall@example.org, security: some }\napplicants: { by: [mail] }\n", `security "some" is none of`},
		{"no authorities", "mail: { host: mail.example.org, from: hall@example.org, authorities: secret }\napplicants: { by: [mail] }\n", "no certificate in PEM"},
		{"wrong templates", "templates: wrong.yaml\n" + webhook + "applicants: { by: [webhook] }\n", "wrong.yaml:2:61: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			writeFile(t, filepath.Join(folder, "secret"), noticeSecret)
			writeFile(t, filepath.Join(folder, "short"), "whsec_c2hvcnQ=")
			writeFile(t, filepath.Join(folder, "wrong.yaml"), "notices:\n  - { notice: accepted, to: applicant, subject: 受理, text: '{this.id_no}' }\n")
			name := filepath.Join(folder, "notices.yaml")
			writeFile(t, name, tt.text)
			_, err := readNotices(name)
			text := fmt.Sprint(err)
			if found, ok := errors.AsType[diag.List](err); ok {
				var out bytes.Buffer
				if err := printText(&out, found, false); err != nil {
					t.Fatal(err)
				}
				text = strings.ReplaceAll(out.String(), folder+string(os.PathSeparator), "")
			}
			if !strings.Contains(text, tt.want) || strings.Contains(text, noticeSecret) || strings.Contains(text, "c2hvcnQ") {
				t.Errorf("it says %s, and should say %s", text, tt.want)
			}
		})
	}
}
