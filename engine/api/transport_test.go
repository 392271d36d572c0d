package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// One port answers Connect, gRPC and gRPC-Web, compresses what is large, and lets the named web pages call.
func TestTransport(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	grpc := new(http.Transport)
	grpc.Protocols = new(http.Protocols)
	grpc.Protocols.SetUnencryptedHTTP2(true)
	const search, reflection = "/onething.api.v1.CatalogService/SearchBundles", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	empty := "\x00\x00\x00\x00\x00" // an empty message in its frame
	for _, tt := range []struct {
		name, method, path, body string
		client                   *http.Client
		header                   map[string]string
		want                     map[string]string // headers
	}{
		{"grpc", "POST", search, empty, &http.Client{Transport: grpc}, map[string]string{"Content-Type": "application/grpc", "Te": "trailers"}, map[string]string{"Content-Type": "application/grpc"}},
		{"grpc-web", "POST", search, empty, h.http, map[string]string{"Content-Type": "application/grpc-web+proto"}, map[string]string{"Content-Type": "application/grpc-web+proto"}},
		{"reflection", "POST", reflection, "\x00\x00\x00\x00\x02\x3a\x00", &http.Client{Transport: grpc}, map[string]string{"Content-Type": "application/grpc", "Te": "trailers"}, map[string]string{"Content-Type": "application/grpc"}},
		{"compressed", "POST", "/onething.api.v1.CatalogService/GetBundle", `{"bundle": "newborn"}`, h.http, map[string]string{"Content-Type": "application/json", "Accept-Encoding": "gzip"}, map[string]string{"Content-Encoding": "gzip"}},
		{"a small answer is not", "POST", search, `{"words": "zzz"}`, h.http, map[string]string{"Content-Type": "application/json", "Accept-Encoding": "gzip"}, map[string]string{"Content-Encoding": ""}},
		{"a page that may call", "OPTIONS", search, "", h.http, map[string]string{"Origin": "https://front.example", "Access-Control-Request-Method": "POST"}, map[string]string{"Access-Control-Allow-Origin": "https://front.example"}},
		{"a page that may not", "OPTIONS", search, "", h.http, map[string]string{"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}, map[string]string{"Access-Control-Allow-Origin": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), tt.method, h.url+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range tt.header {
				request.Header.Set(name, value)
			}
			response, err := tt.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			text, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode >= http.StatusMultipleChoices {
				t.Fatalf("status %d, %v", response.StatusCode, err)
			}
			for name, value := range tt.want {
				if got := response.Header.Get(name); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
			if strings.HasPrefix(tt.name, "grpc") && !strings.Contains(string(text), "newborn") || tt.name == "reflection" && !strings.Contains(string(text), "onething.api.v1.GuideService") {
				t.Errorf("the answer holds %.200q", text)
			}
		})
	}
}
