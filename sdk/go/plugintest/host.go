package plugintest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	plugin "github.com/siyiban/onething/sdk/go"
	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// Host is the engine of one case: it answers what a plugin asks outside its call from the case, and keeps what it stored and
// logged.
type Host struct {
	c Case
	// Stored is what the department has stored, with what the plugin wrote.
	Stored map[string]string
	// Lines are the lines that the plugin logged, each as a code with its numbers: `counted rows=3`.
	Lines []string
	// Faults are the lines and requests that no host would take.
	Faults []string
}

var _ plugin.Host = (*Host)(nil)

// NewHost returns the engine of a case.
func NewHost(c Case) *Host {
	stored := maps.Clone(c.Store)
	if stored == nil {
		stored = map[string]string{}
	}
	return &Host{c: c, Stored: stored}
}

// SharedData implements [plugin.Host].
func (h *Host) SharedData(request *pluginv1.SharedDataRequest) (*pluginv1.SharedDataResponse, error) {
	source, granted := h.c.Shared[request.GetSource()]
	entry, found := source[request.GetKey()]
	switch {
	case !granted:
		return &pluginv1.SharedDataResponse{Refused: "not_granted"}, nil
	case request.GetKey() == "" || request.GetPurpose() == "":
		return &pluginv1.SharedDataResponse{Refused: "bad_request"}, nil
	default:
		return &pluginv1.SharedDataResponse{Answered: source != nil, Found: found, Values: entry.Wire()}, nil
	}
}

// KeyValue implements [plugin.Host].
func (h *Host) KeyValue(q *pluginv1.KeyValueRequest) (*pluginv1.KeyValueResponse, error) {
	writes := q.GetOperation() == pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_PUT || q.GetOperation() == pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_DELETE
	listing := q.GetOperation() == pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_LIST
	switch {
	case h.c.Store == nil:
		return &pluginv1.KeyValueResponse{Refused: "not_granted"}, nil
	case q.GetOperation() == pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_UNSPECIFIED || !text(q.GetKey(), 200) || q.GetKey() == "" && !listing || len(q.GetValue()) > 64<<10:
		return &pluginv1.KeyValueResponse{Refused: "bad_request"}, nil
	case writes && h.c.Hook == plugin.HookPrefill:
		return &pluginv1.KeyValueResponse{Refused: "read_only"}, nil
	}
	switch q.GetOperation() {
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_GET:
		value, found := h.Stored[q.GetKey()]
		return &pluginv1.KeyValueResponse{Found: found, Value: []byte(value)}, nil
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_PUT:
		h.Stored[q.GetKey()] = string(q.GetValue())
		return &pluginv1.KeyValueResponse{}, nil
	case pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_DELETE:
		delete(h.Stored, q.GetKey())
		return &pluginv1.KeyValueResponse{}, nil
	default: // LIST
		limit := int(q.GetLimit())
		if limit == 0 {
			limit = 100
		}
		keys := slices.DeleteFunc(slices.Sorted(maps.Keys(h.Stored)), func(key string) bool { return !strings.HasPrefix(key, q.GetKey()) || key <= q.GetAfter() })
		return &pluginv1.KeyValueResponse{Keys: keys[:min(len(keys), limit)]}, nil
	}
}

var headerForm = regexp.MustCompile(`^(?i:content-type|accept|x-[a-z0-9-]{1,60})$`)

// HTTP implements [plugin.Host]: the case's handler answers. One that panics with http.ErrAbortHandler breaks off.
func (h *Host) HTTP(q *pluginv1.HttpRequest) (response *pluginv1.HttpResponse, err error) {
	if h.c.HTTP == nil {
		return &pluginv1.HttpResponse{Refused: "not_granted"}, nil
	}
	request, err := http.NewRequest(q.GetMethod(), q.GetUrl(), bytes.NewReader(q.GetBody()))
	ok := err == nil && slices.Contains([]string{"GET", "POST", "PUT", "DELETE"}, q.GetMethod()) && (request.URL.Scheme == "https" || request.URL.Scheme == "http") &&
		request.URL.Host != "" && (q.GetMethod() != "GET" || len(q.GetBody()) == 0) && len(q.GetBody()) <= 256<<10
	for name, value := range q.GetHeaders() {
		ok = ok && headerForm.MatchString(name) && text(value, 1000)
	}
	if !ok {
		return &pluginv1.HttpResponse{Refused: "bad_request"}, nil
	}
	for name, value := range q.GetHeaders() {
		request.Header.Set(name, value)
	}
	request.Header.Set("Idempotency-Key", strings.Repeat("0", 64))
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
				panic(r)
			}
			response, err = &pluginv1.HttpResponse{}, nil
		}
	}()
	recorder := httptest.NewRecorder()
	h.c.HTTP.ServeHTTP(recorder, request)
	result := recorder.Result()
	body, err := io.ReadAll(result.Body)
	if err != nil {
		return nil, err
	}
	if len(body) > 512<<10 {
		return &pluginv1.HttpResponse{Refused: "too_large"}, nil
	}
	return &pluginv1.HttpResponse{Answered: true, Status: uint32(result.StatusCode), ContentType: result.Header.Get("Content-Type"), Body: body}, nil
}

// Log implements [plugin.Host].
func (h *Host) Log(q *pluginv1.LogRequest) (*pluginv1.LogResponse, error) {
	line, ok := q.GetCode(), snake.MatchString(q.GetCode()) && len(q.GetNumbers()) <= 8
	for _, name := range slices.Sorted(maps.Keys(q.GetNumbers())) {
		n := q.GetNumbers()[name]
		ok = ok && snake.MatchString(name) && len(name) <= 40 && -1_000_000_000 < n && n < 1_000_000_000
		line += fmt.Sprintf(" %s=%d", name, n)
	}
	if !ok {
		h.Faults = append(h.Faults, "the line `"+line+"` would not be taken: a code and at most 8 names in lower snake case, numbers below a billion")
		return &pluginv1.LogResponse{Refused: "bad_request"}, nil
	}
	h.Lines = append(h.Lines, line)
	return &pluginv1.LogResponse{}, nil
}

// text reports whether a text is UTF-8 of at most so many bytes, without control characters.
func text(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
