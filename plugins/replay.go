package plugins

import (
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/proto"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Record returns what is kept of a call that was answered, for replay. It holds personal data.
func (t Trace) Record(request *pluginv1.Request, response *pluginv1.Response) (*pluginv1.Transcript, error) {
	asked, err := MessageDigest(request)
	if err != nil {
		return nil, err
	}
	answered, err := MessageDigest(response)
	if err != nil {
		return nil, err
	}
	return &pluginv1.Transcript{Calls: t.Transcript, Rewriter: t.Rewriter, Fuel: uint64(max(t.Fuel, 0)), RequestDigest: asked, ResponseDigest: answered}, nil
}

// MessageDigest is the SHA-256 of a message, encoded with its members and the keys of its maps in order.
func MessageDigest(m proto.Message) ([]byte, error) {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("plugins: encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	digest := sha256.Sum256(encoded)
	return digest[:], nil
}
