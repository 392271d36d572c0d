package main

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// patient lets a handler wait for a request's body no longer than pause for each part of it, and whole for all of it, so
// that a caller who sends nothing holds no connection and no memory. Between the parts, and when the body has come, no
// deadline holds: how long an answer takes is the handler's matter.
func patient(next http.Handler, pause, whole time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = &awaitedBody{ReadCloser: r.Body, control: http.NewResponseController(w), pause: pause, end: time.Now().Add(whole)}
		next.ServeHTTP(w, r)
	})
}

// awaitedBody is a body whose parts have to come in time.
type awaitedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pause   time.Duration
	end     time.Time
}

// Read implements [io.Reader].
func (b *awaitedBody) Read(p []byte) (int, error) {
	deadline := time.Now().Add(b.pause)
	if b.end.Before(deadline) {
		deadline = b.end
	}
	if err := b.control.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	if unset := b.control.SetReadDeadline(time.Time{}); unset != nil {
		return n, unset
	}
	return n, err
}
