// Package capability is what a plugin can reach outside its call, each capability in a file of its own: granted by the
// operator, bounded, and recorded call by call, so that what a plugin saw can be replayed.
package capability

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// The capabilities, by the names that manifests and grants have for them. Each is one host function of the same name.
const (
	SharedData = "shared_data"
	KeyValue   = "key_value"
	HTTP       = "http"
	Log        = "log"
)

// Names are the capabilities, in the order of the documentation.
func Names() []string { return []string{SharedData, KeyValue, HTTP, Log} }

// Refusals, as `refused` of the answers carries them.
const (
	// RefusedNotGranted: the manifest does not ask for it, or the operator has not granted it.
	RefusedNotGranted = "not_granted"
	// RefusedBadRequest: the request breaks a bound of the schema, or is no message.
	RefusedBadRequest = "bad_request"
	// RefusedReadOnly: the hook may not write.
	RefusedReadOnly = "read_only"
	// RefusedFull: the call has written, or the department has stored, as much as it may.
	RefusedFull = "full"
	// RefusedUnavailable: the host could not read the department's store.
	RefusedUnavailable = "unavailable"
	// RefusedNotRecorded: a replayed call asks for what the recorded one did not ask for.
	RefusedNotRecorded = "not_recorded"
)

// Session answers the host calls of one call of a plugin. It is for one goroutine.
type Session interface {
	// Call answers one host call: function is the name of the import, request and answer are the messages that the
	// schema has for it. What is not answered is refused within the answer. It returns when ctx is done.
	Call(ctx context.Context, function string, request []byte) (answer []byte)
}

// Config is what stands behind the capabilities. What is nil is not there: a plugin that asks for it finds it silent
// or unavailable.
type Config struct {
	// SharedData answers look-ups of shared data.
	SharedData Source
	// KeyValue are the departments' stores.
	KeyValue Stores
	// Outside is the way to outside systems.
	Outside Outside
	// Application returns the number of the application of a task or a case, for log lines; nil: the number as it is.
	Application func(task string) string
	// Lines gets what plugins log, beside Logger. It must not wait.
	Lines func(Line)
	// Logger is told of sources that are silent, and gets what plugins log; nil: nothing is logged.
	Logger *slog.Logger
}

// Set is the capabilities of a host. It is safe for concurrent use.
type Set struct{ config Config }

// New returns the capabilities that stand on a configuration.
func New(c Config) *Set {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Application == nil {
		c.Application = func(task string) string { return task }
	}
	if c.Outside.Resolver == nil {
		c.Outside.Resolver = net.DefaultResolver
	}
	if c.Outside.Dial == nil {
		c.Outside.Dial = new(net.Dialer).DialContext
	}
	if len(c.Outside.Secret) == 0 {
		c.Outside.Secret = make([]byte, 32)
		_, _ = rand.Read(c.Outside.Secret) // never fails
	}
	return &Set{config: c}
}

// Begin begins the host calls of one call of a plugin: what its manifest asks for and the operator has granted, by the
// names of [Names]. A nil Set grants nothing.
func (s *Set) Begin(m *pluginv1.Manifest, granted []string, request *pluginv1.Request) *Call {
	if s == nil {
		s, granted = New(Config{}), nil
	}
	return &Call{set: s, manifest: m, granted: granted, request: request}
}

// Call is the host calls of one call of a plugin. It is for one goroutine.
type Call struct {
	set      *Set
	manifest *pluginv1.Manifest
	granted  []string
	request  *pluginv1.Request

	transcript []*pluginv1.HostCall
	lookups    []Lookup
	store      buffer
	requests   int // to outside systems
	outside    bool
}

var _ Session = (*Call)(nil)

// Call implements [Session].
func (c *Call) Call(ctx context.Context, function string, request []byte) []byte {
	var answer []byte
	switch function {
	case SharedData:
		answer = serve(request, maxLookupBytes, new(pluginv1.SharedDataRequest), c.refuseLookup, func(q *pluginv1.SharedDataRequest) *pluginv1.SharedDataResponse {
			return c.lookUp(ctx, q)
		})
	case KeyValue:
		answer = serve(request, maxKeyValueBytes, new(pluginv1.KeyValueRequest), refuseKeyValue, func(q *pluginv1.KeyValueRequest) *pluginv1.KeyValueResponse {
			return c.keyValue(ctx, q)
		})
	case HTTP:
		answer = serve(request, maxHTTPBytes, new(pluginv1.HttpRequest), refuseHTTP, func(q *pluginv1.HttpRequest) *pluginv1.HttpResponse {
			return c.http(ctx, q)
		})
	case Log:
		answer = serve(request, maxLineBytes, new(pluginv1.LogRequest), refuseLog, func(q *pluginv1.LogRequest) *pluginv1.LogResponse {
			return c.log(ctx, q)
		})
		if len(answer) == 0 {
			return nil // the line was taken, which a replay need not be told
		}
	default:
		return nil // no such import
	}
	c.transcript = append(c.transcript, &pluginv1.HostCall{Function: function, Request: slices.Clone(request), Response: answer})
	return answer
}

// serve decodes a request, answers it and encodes the answer. What is no message, is larger than it may be, or holds
// what this host does not know, is refused: what is not understood could be the part that matters.
func serve[Q, A proto.Message](message []byte, most int, request Q, refuse func(string) A, answer func(Q) A) []byte {
	var response A
	if len(message) > most || proto.Unmarshal(message, request) != nil || len(request.ProtoReflect().GetUnknown()) > 0 {
		response = refuse(RefusedBadRequest)
	} else {
		response = answer(request)
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(response)
	if err != nil {
		// A source that holds what is no text has no answer that a guest could read; the empty one is silence.
		return nil
	}
	return encoded
}

// Transcript is what the call saw, in order: each host call whose answer depends on something outside the request.
func (c *Call) Transcript() []*pluginv1.HostCall { return c.transcript }

// Lookups are the look-ups of shared data that the call made, in order, also those that were refused.
func (c *Call) Lookups() []Lookup { return c.lookups }

// may reports whether the plugin asks for a capability and has it.
func (c *Call) may(capability string) bool {
	return slices.Contains(c.manifest.GetCapabilities(), capability) && slices.Contains(c.granted, capability)
}

// hook is the name of the hook that is called, as operators read it.
func (c *Call) hook() string {
	return strings.ToLower(strings.TrimPrefix(c.request.GetHook().String(), "HOOK_"))
}

// ReachedOutside reports whether a request of the call went to an outside host, so that asking again could act twice.
func (c *Call) ReachedOutside() bool { return c.outside }
