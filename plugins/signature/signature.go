// Package signature signs a plugin's file and says by whom it was signed. The form is that of the WebAssembly tool
// conventions (Signatures.md), as other tools write it, and of what they allow one shape only: the first section of the
// module is a custom section `signature`, with one SHA-256 of everything behind it and one Ed25519 signature of that. So a
// file that was changed in any byte is not the one that was signed, and no two files differ in how a signature is written.
// docs/decisions/plugin-signatures.md says why.
//
// It runs no WebAssembly, and whether a key may sign for a department is not its matter.
package signature

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/wasm"
)

// SectionName is the name of the custom section that holds the signature.
const SectionName = "signature"

// Errors of a module, for [errors.Is].
var (
	// ErrUnsigned says that a module carries no signature.
	ErrUnsigned = errors.New("signature: the module is not signed")
	// ErrSigned says that a module carries one already.
	ErrSigned = errors.New("signature: the module is signed already")
	// ErrMalformed says that the signature is not written as it should be, is not the first section, or that there are two.
	ErrMalformed = errors.New("signature: malformed")
	// ErrChanged says that the module is not the one that was signed, or that its signature is not one of the key that it
	// names.
	ErrChanged = errors.New("signature: the module was changed after it was signed")
	// ErrUnknownKey says that none of the keys has signed the module.
	ErrUnknownKey = errors.New("signature: signed with a key that is not trusted")
)

// header is what precedes the sections of a module.
const header = len(wasm.Header)

// prelude are the version of the specification, the content type of a module, and SHA-256.
const prelude = "\x01\x01\x01"

// domain begins what is signed, so that a signature is of a module and of nothing else.
const domain = "wasmsig" + prelude

// algorithm is the identifier of Ed25519.
const algorithm = 1

// keyIDBytes is the size of a key's id.
const keyIDBytes = 12

// Signature is what a module carries.
type Signature struct {
	// KeyID is the id of the key, which may be empty: it is a hint, and proves nothing.
	KeyID []byte
	hash  [sha256.Size]byte
	bytes [ed25519.SignatureSize]byte
}

// Sign returns the module with a signature as its first section. One that is signed already is refused with [ErrSigned]:
// [Strip] takes a signature off.
func Sign(module []byte, key ed25519.PrivateKey) ([]byte, error) {
	switch _, err := Read(module); {
	case err == nil:
		return nil, ErrSigned
	case !errors.Is(err, ErrUnsigned):
		return nil, err
	}
	public, err := publicOf(key)
	if err != nil {
		return nil, err
	}
	s := Signature{KeyID: public.id(), hash: sha256.Sum256(module[header:])}
	signed, err := key.Sign(nil, append([]byte(domain), s.hash[:]...), crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("sign module: %w", err)
	}
	copy(s.bytes[:], signed)
	out := slices.Concat(module[:header], s.section(), module[header:])
	if len(out) > manifest.MaxModuleBytes {
		return nil, fmt.Errorf("sign module: %w: %d bytes are more than %d", manifest.ErrNotWasm, len(out), manifest.MaxModuleBytes)
	}
	return out, nil
}

// Strip returns the module without its signature. The error is that of [Read].
func Strip(module []byte) ([]byte, error) {
	s, err := Read(module)
	if err != nil {
		return nil, err
	}
	return slices.Concat(module[:header], module[header+len(s.section()):]), nil
}

// Verify returns the key, of those that are trusted, that has signed the module. The error wraps [ErrUnsigned],
// [ErrMalformed], [ErrChanged], [ErrUnknownKey] or manifest.ErrNotWasm.
func Verify(module []byte, trusted []PublicKey) (PublicKey, error) {
	s, err := Read(module)
	if err != nil {
		return PublicKey{}, err
	}
	if sha256.Sum256(module[header+len(s.section()):]) != s.hash {
		return PublicKey{}, ErrChanged
	}
	message := append([]byte(domain), s.hash[:]...)
	named := false
	for _, key := range trusted {
		if len(s.KeyID) > 0 && !bytes.Equal(s.KeyID, key.id()) {
			continue
		}
		if ed25519.Verify(key[:], message, s.bytes[:]) {
			return key, nil
		}
		named = len(s.KeyID) > 0
	}
	if named {
		return PublicKey{}, fmt.Errorf("%w: it names the key %x, which has not signed it", ErrChanged, s.KeyID)
	}
	if len(s.KeyID) > 0 {
		return PublicKey{}, fmt.Errorf("%w: %x", ErrUnknownKey, s.KeyID)
	}
	return PublicKey{}, ErrUnknownKey
}

// Read returns the signature that a module carries, and holds it against nothing. The error wraps [ErrUnsigned],
// [ErrMalformed] or manifest.ErrNotWasm.
func Read(module []byte) (*Signature, error) {
	sections, err := manifest.Sections(module)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(sections, isSignature)
	switch {
	case at < 0:
		return nil, ErrUnsigned
	case at > 0:
		return nil, fmt.Errorf("%w: the section does not stand first", ErrMalformed)
	case slices.ContainsFunc(sections[1:], isSignature):
		return nil, fmt.Errorf("%w: there are two", ErrMalformed)
	}
	s, err := decode(sections[0].Body)
	if err != nil {
		return nil, err
	}
	// Each number has several encodings, and what the signature covers begins behind them.
	if !bytes.Equal(s.section(), module[sections[0].Offset:sections[0].End]) {
		return nil, fmt.Errorf("%w: not in the shortest encoding", ErrMalformed)
	}
	return s, nil
}

func isSignature(s manifest.Section) bool {
	return s.ID == manifest.CustomSection && s.Name == SectionName
}

// decode reads the body of the section.
func decode(body []byte) (*Signature, error) {
	s := new(Signature)
	malformed := func(what string) (*Signature, error) { return nil, fmt.Errorf("%w: %s", ErrMalformed, what) }
	number := func() (n uint32, ok bool) {
		n, size := wasm.Uint32(body)
		body = body[size:]
		return n, size > 0
	}
	rest, ok := bytes.CutPrefix(body, []byte(prelude))
	if !ok {
		return malformed("not of version 1, for a module, with SHA-256")
	}
	body = rest
	if n, ok := number(); !ok || n != 1 {
		return malformed("it needs one set of hashes")
	}
	if n, ok := number(); !ok || n != 1 || len(body) < sha256.Size {
		return malformed("it needs one hash, of the whole module")
	}
	body = body[copy(s.hash[:], body):]
	if n, ok := number(); !ok || n != 1 {
		return malformed("it needs one signature")
	}
	n, ok := number()
	if !ok || n != 0 && n != keyIDBytes || len(body) < int(n) {
		return malformed("the key's id has not 12 bytes")
	}
	s.KeyID, body = bytes.Clone(body[:n]), body[n:]
	if len(body) == 0 || body[0] != algorithm {
		return malformed("not of Ed25519")
	}
	body = body[1:]
	if n, ok := number(); !ok || n != ed25519.SignatureSize || len(body) != ed25519.SignatureSize {
		return malformed("the signature has not 64 bytes, or something follows it")
	}
	copy(s.bytes[:], body)
	return s, nil
}

// section encodes the whole section, with its id and size.
func (s *Signature) section() []byte {
	content := protowire.AppendString(nil, SectionName) // a varint is LEB128, and so is a string's length
	content = append(append(append(content, prelude...), 1, 1), s.hash[:]...)
	content = append(content, 1)
	content = append(protowire.AppendBytes(content, s.KeyID), algorithm)
	content = protowire.AppendBytes(content, s.bytes[:])
	return protowire.AppendBytes([]byte{manifest.CustomSection}, content)
}
