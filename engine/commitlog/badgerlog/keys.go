package badgerlog

import (
	"encoding/binary"
	"fmt"

	"github.com/siyiban/onething/engine/commitlog"
)

// Prefixes of the keys; the package comment says what stands under each.
const (
	headerPrefix  = 'h'
	commitPrefix  = 'c'
	versionPrefix = 'v'
	streamPrefix  = 's'
	requestPrefix = 'r'
)

func headerKey() []byte { return []byte{headerPrefix} }

func commitKey(position uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{commitPrefix}, position)
}

func versionKey(stream string) []byte { return withStream(versionPrefix, stream, 0) }

func requestKey(scope, id string) []byte {
	return append(withStream(requestPrefix, scope, len(id)), id...)
}

// appendsKey is what all index keys of a stream begin with.
func appendsKey(stream string) []byte { return withStream(streamPrefix, stream, 8) }

func appendKey(stream string, last uint64) []byte {
	return binary.BigEndian.AppendUint64(appendsKey(stream), last)
}

// withStream returns the key of a stream under a prefix, with room for more bytes.
func withStream(prefix byte, stream string, more int) []byte {
	key := make([]byte, 0, 2+len(stream)+more)
	key = append(key, prefix, byte(len(stream))) // commitlog.MaxStream fits a byte
	return append(key, stream...)
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func parseNumber(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: number of %d bytes", commitlog.ErrCorrupt, len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}
