package seal

import (
	"bytes"
	"fmt"
	"os"

	"github.com/siyiban/onething/engine/durable"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ReadKeyset reads a key-encryption key from a file: a Tink keyset in JSON, in the clear, which only its owner may read
// or write. A keyset may hold several keys: the primary one wraps, each unwraps, so a key-encryption key is replaced by
// adding another one with Tink's own tool. The error wraps [fs.ErrNotExist] if there is no file.
func ReadKeyset(path string) (tink.AEAD, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read keyset: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read keyset: %s has mode %04o and may be read by others; set it to 0600", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("read keyset: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(b)))
	if err != nil {
		// Without the cause, which may quote the file.
		return nil, fmt.Errorf("read keyset: %s is no keyset of Tink in JSON", path)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("read keyset: %s: %w", path, err)
	}
	return primitive, nil
}

// GenerateKeyset writes a new key-encryption key, AES-256-GCM, into a file that does not exist yet, and returns when it is
// on disk. The error wraps [fs.ErrExist] if there is such a file: whoever loses a key-encryption key loses what its store
// holds.
func GenerateKeyset(path string) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("generate keyset: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return fmt.Errorf("generate keyset: %w", err)
	}
	if err := durable.WriteNew(path, b.Bytes()); err != nil {
		return fmt.Errorf("generate keyset: %w", err)
	}
	return nil
}
