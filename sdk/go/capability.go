package plugin

import (
	"errors"
	"maps"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// Refusal is the error of something that the engine refused. Return it from the handler, unless the plugin can do without:
// the call then failed for a technical reason, which is never a refusal of the applicant.
type Refusal struct {
	// What was asked for, without personal data.
	What string
	// Reason is the engine's: not_granted, bad_request, read_only, full, unavailable, too_large or private_address.
	Reason string
}

// Error says what was refused, and why.
func (r *Refusal) Error() string { return r.What + ": " + r.Reason }

// asked turns the two ways in which a host does not answer into one error.
func asked(what string, err error, refused string) error {
	switch {
	case err != nil:
		return errors.New(what + ": " + err.Error())
	case refused != "":
		return &Refusal{What: what, Reason: refused}
	default:
		return nil
	}
}

// Store is what the plugins of the department have stored (capability `key_value`). A call sees its own writes at once. All
// others see them when what the call answers is committed, with which they are one; of a call that fails nothing is left.
// Two calls that read the same key and write it do not overwrite each other: the later one is asked again.
type Store struct{ call *Call }

// Store returns the store of the plugin's department.
func (c *Call) Store() Store { return Store{c} }

func (s Store) do(what string, request *pluginv1.KeyValueRequest) (*pluginv1.KeyValueResponse, error) {
	answer, err := s.call.host.KeyValue(request)
	if err := asked(what, err, answer.GetRefused()); err != nil {
		return nil, err
	}
	return answer, nil
}

// Get returns the value under a key, and false if there is none.
func (s Store) Get(key string) (value []byte, found bool, err error) {
	answer, err := s.do("get of the store", &pluginv1.KeyValueRequest{Operation: pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_GET, Key: key})
	return answer.GetValue(), answer.GetFound(), err
}

// Put writes a value of at most 64 KiB under a key of at most 200 bytes. Prefill may not write.
func (s Store) Put(key string, value []byte) error {
	_, err := s.do("put into the store", &pluginv1.KeyValueRequest{Operation: pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_PUT, Key: key, Value: value})
	return err
}

// Delete removes a key; one that is not there stays so. Prefill may not write.
func (s Store) Delete(key string) error {
	_, err := s.do("delete from the store", &pluginv1.KeyValueRequest{Operation: pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_DELETE, Key: key})
	return err
}

// List returns the keys that begin with a prefix, in order, after a key, at most limit of them: 100 if it is 0, and never
// more than 1,000. For the next ones, pass the last key as after.
func (s Store) List(prefix, after string, limit int) ([]string, error) {
	if limit < 0 || limit > 1000 {
		limit = 1000
	}
	answer, err := s.do("list of the store", &pluginv1.KeyValueRequest{Operation: pluginv1.KeyValueOperation_KEY_VALUE_OPERATION_LIST, Key: prefix, After: after, Limit: uint32(limit)})
	return answer.GetKeys(), err
}

// HTTPRequest is a request to an outside system.
type HTTPRequest struct {
	// Method is GET, POST, PUT or DELETE.
	Method string
	// URL is an absolute address, over TLS, of a host that the manifest lists.
	URL string
	// Headers by name: Content-Type, Accept, and such as begin with X-.
	Headers map[string]string
	// Body of at most 256 KiB; GET has none.
	Body []byte
}

// HTTPResponse is what an outside system answered.
type HTTPResponse struct {
	// Answered is false if the system could not be reached in time, or broke off: neither yes nor no. It may have acted
	// nevertheless.
	Answered bool
	// Status code, such as 200. A redirect is not followed.
	Status int
	// ContentType of the body.
	ContentType string
	// Body of at most 512 KiB.
	Body []byte
}

// HTTP asks an outside system once (capability `http`). The engine adds the header Idempotency-Key: the same request of the
// same call has the same one, also after a crash. If the call fails afterwards it is not repeated, because the system could
// act twice, unless the manifest names the hook as `repeatable`.
func (c *Call) HTTP(request HTTPRequest) (HTTPResponse, error) {
	answer, err := c.host.HTTP(&pluginv1.HttpRequest{Method: request.Method, Url: request.URL, Headers: request.Headers, Body: request.Body})
	if err := asked("request to an outside system", err, answer.GetRefused()); err != nil {
		return HTTPResponse{}, err
	}
	return HTTPResponse{Answered: answer.GetAnswered(), Status: int(answer.GetStatus()), ContentType: answer.GetContentType(), Body: answer.GetBody()}, nil
}

// Log writes a line for the department's developers (capability `log`): a code of the manifest's and numbers by name, at most
// 8, each below a billion. No personal data. A line that the engine does not take is dropped: nothing is decided by it.
func (c *Call) Log(code string, numbers map[string]int64) {
	// The answer says whether it was taken, which changes nothing.
	_, _ = c.host.Log(&pluginv1.LogRequest{Code: code, Numbers: maps.Clone(numbers)})
}
