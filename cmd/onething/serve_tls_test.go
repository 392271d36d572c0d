package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a new certificate of this machine that signs itself, and its key, over those that are there.
func writeCertificate(t testing.TB, folder string, lasts time.Duration) (crt, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "onething"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lasts),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	crt, key = filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")
	writeFile(t, crt, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return crt, key
}

// The API is served over TLS, HTTP/2 included; a certificate that was renewed is used by the next connection, and one that
// cannot be used is an alarm and leaves the one before.
func TestServer_TLS(t *testing.T) {
	t.Parallel()
	folder, logs := t.TempDir(), &lines{}
	crt, key := writeCertificate(t, folder, time.Hour)
	certs, err := openCertificates(crt, key, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		t.Fatal(err)
	}
	st := newStage(t, t.TempDir(), "2026-03-16", io.Discard)
	defer st.stop(t)
	st.server.cfg.certificates = certs
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	st.server.listenAPI(l)
	pool := func() *x509.CertPool {
		text, err := os.ReadFile(crt)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(text) {
			t.Fatal("no certificate", err)
		}
		return pool
	}
	call := func(trusted *x509.CertPool) (string, error) {
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: trusted}}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://"+l.Addr().String()+"/grpc.health.v1.Health/Check", strings.NewReader("{}"))
		if err != nil {
			return "", err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response.Proto + " " + string(text), err
	}
	const serving = `HTTP/2.0 {"status":"SERVING"}`
	first := pool()
	if got, err := call(first); err != nil || got != serving {
		t.Fatalf("got %s, %v", got, err)
	}
	writeCertificate(t, folder, 2*time.Hour)
	second := pool()
	if got, err := call(second); err != nil || got != serving {
		t.Errorf("with the renewed certificate: %s, %v", got, err)
	}
	if _, err := call(first); err == nil {
		t.Error("the certificate before is still used")
	}
	writeFile(t, key, "no key\n")
	if got, err := call(second); err != nil || got != serving {
		t.Errorf("with a key that cannot be read: %s, %v", got, err)
	}
	if n := strings.Count(logs.String(), "the new TLS certificate cannot be used"); n != 1 {
		t.Errorf("%d alarms:\n%s", n, logs)
	}
	if _, err := openCertificates(crt, key, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a server starts with a key that cannot be read")
	}
}
