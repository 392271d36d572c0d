package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/examples/holidays"
)

// get reads a page of the listener for operators.
func get(t testing.TB, address, path string) (status int, text string) {
	t.Helper()
	response, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// watchStage opens the listener for operators of a stage.
func watchStage(t testing.TB, st *stage) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	st.server.listenMetrics(l)
	return l.Addr().String()
}

// Each cause turns readiness red and names itself, in the answer, in the log and among the metrics, and goes when what was
// wrong is mended. Nothing else turns red with it.
func TestServer_Ready(t *testing.T) {
	t.Parallel()
	var free atomic.Uint64
	free.Store(100 << 30)
	logs := &lines{}
	bundles, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	logger := slog.New(slog.NewTextHandler(logs, nil))
	crt, key := writeCertificate(t, folder, 90*24*time.Hour)
	certs, err := openCertificates(crt, key, logger)
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{clock: officeClock("2026-03-16")}
	st.server, err = openServer(t.Context(), serverConfig{
		data: store.Folder(filepath.Join(folder, "data")), development: true, clock: st.clock, place: "321323", bundles: bundles, withoutPlugins: true,
		issuerListener: issuer, logger: logger, certificates: certs, free: func(string) (uint64, error) { return free.Load(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer st.stop(t)
	at := watchStage(t, st)
	s := st.server

	red := func() (names []string, text string) {
		status, text := get(t, at, "/readyz")
		for line := range strings.SplitSeq(text, "\n") {
			if name, _, ok := strings.Cut(strings.TrimPrefix(line, "[-]"), ":"); ok && strings.HasPrefix(line, "[-]") {
				names = append(names, name)
			}
		}
		if (status == http.StatusOK) != (len(names) == 0) {
			t.Errorf("status %d with %v", status, names)
		}
		return names, text
	}
	until := func(what string, names ...string) string {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) {
			got, text := red()
			if cmp.Equal(got, names) {
				_, metrics := get(t, at, "/metrics")
				for _, m := range regexp.MustCompile(`(?m)^onething_ready\{check="(.*)"\} (\d)$`).FindAllStringSubmatch(metrics, -1) {
					if (m[2] == "0") != slices.Contains(names, m[1]) {
						t.Errorf("%s: the metric of %s says %s", what, m[1], m[2])
					}
				}
				s.watched.herald.Tell(t.Context(), s.watched.checks.Look(t.Context())) // as it does every 15 seconds
				return text
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: red are %v, want %v\n%s", what, got, names, text)
			}
		}
	}
	until("at the beginning")
	for _, tt := range []struct {
		name        string
		spoil, mend func()
		red         []string
		cause       string // on the line of the first of them
	}{
		{name: "little room", red: []string{"disk"}, cause: "1536 MiB are free, 513 more are needed",
			spoil: func() { free.Store(3 << 29) }, mend: func() { free.Store(100 << 30) }},
		{name: "no room", red: []string{"disk", "log"}, cause: "512 MiB are free",
			spoil: func() { free.Store(1 << 29) }, mend: func() { free.Store(100 << 30) }},
		{name: "a certificate that ends", red: []string{"certificate"}, cause: "the TLS certificate ends at",
			spoil: func() { writeCertificate(t, folder, time.Hour) }, mend: func() { writeCertificate(t, folder, 90*24*time.Hour) }},
		{name: "a calendar that ends", red: []string{"calendar"}, cause: "the calendar of 2027 is not published: dates after 2026-12-31 are not known",
			spoil: func() { st.clock.Advance(officeClock("2026-12-01").Now().Sub(st.clock.Now())) },
			mend: func() {
				text := append(slices.Clone(holidays.Source()), calendar2027...)
				if _, err := s.engine.Publish(t.Context(), "calendar-2027", "operator", registry.PublishCalendar{Name: holidays.File, Text: text}); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "a clock that was set back", red: []string{"clock"}, cause: "before the last commit: it was set back, or was ahead",
			spoil: func() { appendAt(t, s.watched.log, st.clock.Now().Add(2*time.Hour)) }, mend: func() { st.clock.Advance(3 * time.Hour) }},
	} {
		tt.spoil()
		text := until(tt.name, tt.red...)
		if _, line, _ := strings.Cut(text, "[-]"+tt.red[0]+": "); !strings.Contains(line, tt.cause) {
			t.Errorf("%s: it does not say %q:\n%s", tt.name, tt.cause, text)
		}
		described(t, text)
		if !strings.Contains(logs.String(), `msg="not ready" check=`+tt.red[0]+" cause=") {
			t.Errorf("%s: the log does not say it", tt.name)
		}
		tt.mend()
		until(tt.name + ", mended")
		if !strings.Contains(logs.String(), `msg="ready again" check=`+tt.red[0]+"\n") {
			t.Errorf("%s: the log does not say that it is over", tt.name)
		}
	}
	s.watched.look(t.Context(), time.Now().Add(time.Hour), time.Since(s.watched.begun))
	if !strings.Contains(logs.String(), `msg="the clock was set" by=1h0m0s`) {
		t.Error("the log does not say that the clock was set")
	}
	if _, metrics := get(t, at, "/metrics"); !strings.Contains(metrics, `onething_clock_jumps_total{direction="forward"} 1`) {
		t.Error("no metric says that the clock was set")
	}
}

// described holds what fails against docs/operators.md, which has to say what to do then; there `…` stands for anything.
func described(t testing.TB, text string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		found := strings.HasPrefix(line, "[+]")
		for known := range strings.SplitSeq(string(page), "\n") {
			pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(known), "…", ".*") + "$"
			found = found || strings.HasPrefix(known, "[-]") && regexp.MustCompile(pattern).MatchString(line)
		}
		if !found {
			t.Errorf("docs/operators.md does not say what to do about: %s", line)
		}
	}
}

// appendUnreadable commits an event that is none.
func appendUnreadable(t testing.TB, log commitlog.Log, stream string) {
	t.Helper()
	_, err := log.Append(t.Context(), commitlog.Commit{RequestID: rand.Text(), Digest: make([]byte, 32), At: time.Now(),
		Appends: []commitlog.Append{{Stream: stream, Events: []commitlog.Event{{Type: "onething.application.v1.Event", Public: []byte{0xff}}}}}})
	if err != nil {
		t.Fatal(err)
	}
}

// appendAt commits something that concerns nobody, as of a time.
func appendAt(t testing.TB, log commitlog.Log, at time.Time) {
	t.Helper()
	_, err := log.Append(t.Context(), commitlog.Commit{RequestID: rand.Text(), Digest: make([]byte, 32), At: at,
		Appends: []commitlog.Append{{Stream: "test/" + rand.Text(), Events: []commitlog.Event{{Type: "onething.test.Event", Public: []byte{1}}}}}})
	if err != nil {
		t.Fatal(err)
	}
}

// A parked stream and a reader that is behind name themselves, and are gone when the work goes on.
func TestWatched_Follows(t *testing.T) {
	t.Parallel()
	folder, clock := t.TempDir(), officeClock("2026-03-16")
	quiet := slog.New(slog.DiscardHandler)
	log, err := badgerlog.Open(badgerlog.Config{Dir: filepath.Join(folder, "log"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // the test is over
	w := &watched{server: &server{cfg: serverConfig{clock: clock}}, log: log}
	appendAt(t, log, clock.Now())

	// run runs a follower until its check says something, "" for nothing, or until it has to.
	run := func(handler failing, says string) {
		t.Helper()
		f, err := follow.Open(follow.Config{Name: "test", Dir: filepath.Join(folder, "follow"), Log: log, Handler: handler, Clock: clock, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		for deadline := time.Now().Add(10 * time.Second); ; <-time.After(5 * time.Millisecond) {
			err := w.follows("follow/test", f)(ctx)
			if says == "" && err == nil && f.Position() == 1 || says != "" && err != nil && strings.Contains(err.Error(), says) {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("it says %v, want %q", err, says)
				break
			}
		}
		if says != "" {
			described(t, fmt.Sprint("[-]follow/test: ", w.follows("follow/test", f)(ctx)))
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	clock.Advance(time.Minute)
	run(failing{wait: true}, "behind by 1 commits, the oldest is 1m0s old")
	run(failing{err: errors.New("cannot be read")}, "streams are parked: 1")
	run(failing{}, "") // a start takes it up again
}

// failing is the handler of a follower that cannot digest anything, or does not come to it.
type failing struct {
	err  error
	wait bool
}

func (f failing) Digest(ctx context.Context, _ commitlog.Append) ([]follow.Item, error) {
	if f.wait {
		<-ctx.Done()
	}
	return nil, f.err
}

func (failing) Work(context.Context, follow.Item) error { return nil }

// exposition holds what the metrics must not: a value of anybody, an id, a number, a digest; and counts series.
func exposition(t *testing.T, text string, forbidden map[string]string) {
	t.Helper()
	for value, of := range forbidden {
		if strings.Contains(text, value) {
			t.Errorf("the metrics hold %s", of)
		}
	}
	// Ids are UUIDs, digests at least eight bytes in hexadecimal, numbers at least nine digits.
	suspicious := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{16,}|[0-9]{9,}`)
	series := 0
	for line := range strings.SplitSeq(text, "\n") {
		name, labels, ok := strings.Cut(line, "{")
		if strings.HasPrefix(line, "#") || !strings.HasPrefix(line, "onething_") {
			continue
		}
		series++
		if !ok {
			continue
		}
		labels = labels[:strings.LastIndex(labels, "}")]
		if suspicious.MatchString(labels) {
			t.Errorf("%s has the labels %s", name, labels)
		}
	}
	if series < 100 || series > 2000 {
		t.Errorf("the metrics have %d series", series)
	}
}
