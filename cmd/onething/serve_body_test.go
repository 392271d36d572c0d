package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A caller who announces a body and does not send it, or sends it drop by drop, is not waited for; one who sends it and
// then listens is answered for as long as the answer takes.
func TestPatient(t *testing.T) {
	t.Parallel()
	const pause, whole = 200 * time.Millisecond, time.Second
	server := httptest.NewServer(patient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "not in time", http.StatusRequestTimeout)
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(2 * pause): // the answer takes longer than a body may pause
		}
		fmt.Fprintf(w, "read %d", len(body))
	}), pause, whole))
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		name  string
		parts int           // of one byte each, of ten
		every time.Duration // between two
		want  string
	}{
		{name: "in time", parts: 10, every: pause / 10, want: "read 10"},
		{name: "nothing", want: "not in time"},
		{name: "not to its end", parts: 9, want: "not in time"},
		{name: "drop by drop", parts: 10, every: pause * 3 / 4, want: "not in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n")
			go func() {
				for range tt.parts {
					<-time.After(tt.every)
					if _, err := conn.Write([]byte("x")); err != nil {
						return
					}
				}
			}()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if text, err := io.ReadAll(response.Body); err != nil || strings.TrimSpace(string(text)) != tt.want {
				t.Errorf("got %q, %v, want %q", text, err, tt.want)
			}
		})
	}
}
