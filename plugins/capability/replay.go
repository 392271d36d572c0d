package capability

import (
	"bytes"
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Replayed answers the host calls of a call from the transcript of an earlier one. It reaches nothing outside, and
// writes and logs nothing.
type Replayed struct {
	calls    []*pluginv1.HostCall
	next     int
	diverged string
}

var _ Session = (*Replayed)(nil)

// Replay returns a session that answers as a transcript has it.
func Replay(transcript []*pluginv1.HostCall) *Replayed { return &Replayed{calls: transcript} }

// Diverged says where the call first asked for something else than the recorded one; empty: it asked for the same, in
// the same order, and for all of it.
func (r *Replayed) Diverged() string {
	if r.diverged == "" && r.next < len(r.calls) {
		return fmt.Sprintf("host call %d, %s, was recorded and is not made", r.next+1, r.calls[r.next].GetFunction())
	}
	return r.diverged
}

// Call implements [Session].
func (r *Replayed) Call(_ context.Context, function string, request []byte) []byte {
	if r.next < len(r.calls) {
		if call := r.calls[r.next]; call.GetFunction() == function && sameMessage(function, call.GetRequest(), request) {
			r.next++
			return call.GetResponse()
		}
	}
	if function == Log {
		return nil // only a refused line is recorded
	}
	if r.diverged == "" {
		r.diverged = fmt.Sprintf("host call %d, %s, is not what was recorded", r.next+1, function)
	}
	r.next = len(r.calls) // nothing that follows fits
	answer, err := proto.Marshal(refusedAs(function))
	if err != nil {
		return nil
	}
	return answer
}

// sameMessage reports whether two requests are the same message: a guest may write a map in any order.
func sameMessage(function string, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	first, _ := Messages(function)
	second, _ := Messages(function)
	return first != nil && proto.Unmarshal(a, first) == nil && proto.Unmarshal(b, second) == nil && proto.Equal(first, second)
}

// Messages returns an empty request and an empty answer of a host function; nil if there is no such function.
func Messages(function string) (request, answer proto.Message) {
	switch function {
	case SharedData:
		return new(pluginv1.SharedDataRequest), new(pluginv1.SharedDataResponse)
	case KeyValue:
		return new(pluginv1.KeyValueRequest), new(pluginv1.KeyValueResponse)
	case HTTP:
		return new(pluginv1.HttpRequest), new(pluginv1.HttpResponse)
	case Log:
		return new(pluginv1.LogRequest), new(pluginv1.LogResponse)
	default:
		return nil, nil
	}
}

func refusedAs(function string) proto.Message {
	switch function {
	case SharedData:
		return &pluginv1.SharedDataResponse{Refused: RefusedNotRecorded}
	case KeyValue:
		return &pluginv1.KeyValueResponse{Refused: RefusedNotRecorded}
	default:
		return &pluginv1.HttpResponse{Refused: RefusedNotRecorded}
	}
}
