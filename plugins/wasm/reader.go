package wasm

import (
	"fmt"
	"unicode/utf8"
)

// reader reads the binary format from one byte of the file to another. After a fault every read returns zero, so that
// the walk needs one look at the end.
type reader struct {
	wasm     []byte
	at, end  int
	section  int
	function int
	err      *Error
}

func (r *reader) fail(kind error, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Section: r.section, Function: r.function, Offset: r.at, Kind: kind, Reason: fmt.Sprintf(format, args...)}
	}
	r.at = r.end
}

func (r *reader) malformed(format string, args ...any) { r.fail(ErrMalformed, format, args...) }

func (r *reader) left() int { return r.end - r.at }

func (r *reader) byte() byte {
	if r.at >= r.end {
		r.malformed("ends too early")
		return 0
	}
	b := r.wasm[r.at]
	r.at++
	return b
}

// uint32 reads an unsigned LEB128 number of at most 32 bits. Linkers pad numbers to five bytes, and decoders agree on
// what these say; longer ones, and ones with bits beyond the 32nd, are refused.
func (r *reader) uint32() uint32 {
	// Nearly all numbers are below 128.
	if r.at < r.end && r.wasm[r.at] < 0x80 {
		r.at++
		return uint32(r.wasm[r.at-1])
	}
	v, n := Uint32(r.wasm[r.at:r.end])
	if n == 0 {
		r.malformed("ends too early, or holds a number of more than 32 bits")
		return 0
	}
	r.at += n
	return v
}

// signed skips a signed LEB128 number of at most bits bits, and returns it.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if r.err != nil {
			return 0
		}
		if left := bits - shift; left < 8 {
			// The last byte holds the last bits; those above repeat the sign.
			if sign := int8(b<<1) >> (left); b >= 0x80 || sign != 0 && sign != -1 {
				r.malformed("holds a number of more than %d bits", bits)
				return 0
			}
		}
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift+7 < 64 && b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
}

// count reads how many elements follow, each of at least size bytes, and refuses what the bytes left cannot hold.
func (r *reader) count(what string, size, most int) int {
	n := int(r.uint32())
	if n > most {
		r.fail(ErrBound, "announces %d %s, at most %d are accepted", n, what, most)
		return 0
	}
	if n*size > r.left() {
		r.malformed("announces %d %s in %d bytes", n, what, r.left())
		return 0
	}
	return n
}

func (r *reader) skip(n int) {
	if n > r.left() {
		r.malformed("ends too early")
		return
	}
	r.at += n
}

func (r *reader) name() string {
	n := r.count("bytes of a name", 1, maxName)
	name := r.wasm[r.at : r.at+n]
	if !utf8.Valid(name) {
		r.malformed("has a name that is not UTF-8")
		return ""
	}
	r.at += n
	return string(name)
}

// limits reads the limits of a table or memory; most is 1<<32 if it has no maximum.
func (r *reader) limits() (least uint32, most uint64) {
	switch flags := r.byte(); flags {
	case 0:
		return r.uint32(), 1 << 32
	case 1:
		least, most = r.uint32(), uint64(r.uint32())
		if most < uint64(least) {
			r.malformed("has a maximum below its minimum")
		}
		return least, most
	default:
		r.fail(ErrNotAccepted, "has limits of kind %d: shared and 64-bit ones are not accepted", flags)
		return 0, 0
	}
}

// valueType reads the type of a value: numbers and references, no vectors.
func (r *reader) valueType() ValueType {
	t := ValueType(r.byte())
	if r.err == nil && !t.number() && !t.reference() {
		r.fail(ErrNotAccepted, "uses the value type 0x%02x", byte(t))
	}
	return t
}

// referenceType reads the type of a reference.
func (r *reader) referenceType() ValueType {
	t := ValueType(r.byte())
	if r.err == nil && !t.reference() {
		r.fail(ErrNotAccepted, "uses the reference type 0x%02x", byte(t))
	}
	return t
}

// Uint32 decodes the unsigned LEB128 number of at most 32 bits at the start of b, and returns it with its length in
// bytes, which is 0 if there is none.
func Uint32(b []byte) (value uint32, n int) {
	for i := 0; i < len(b) && i < 5; i++ {
		// The fifth byte holds the last four bits.
		if i == 4 && b[i] > 0x0f {
			return 0, 0
		}
		value |= uint32(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return value, i + 1
		}
	}
	return 0, 0
}

func appendUint32(b []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
