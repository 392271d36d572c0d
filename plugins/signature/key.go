package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// PublicKey is an Ed25519 public key.
type PublicKey [ed25519.PublicKeySize]byte

// keyPrefix begins the text of a public key.
const keyPrefix = "ed25519:"

// ErrKey says that a text or file holds no key of the kind that is wanted.
var ErrKey = errors.New("signature: no Ed25519 key")

// ParsePublicKey reads a public key as [PublicKey.String] writes it: `ed25519:` and the base64 of its 32 bytes. The error
// wraps [ErrKey].
func ParsePublicKey(text string) (PublicKey, error) {
	var key PublicKey
	encoded, ok := strings.CutPrefix(text, keyPrefix)
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(decoded) != len(key) || keyPrefix+base64.StdEncoding.EncodeToString(decoded) != text { // it skips line ends
		return key, fmt.Errorf("%w: a public key is %s and the base64 of 32 bytes", ErrKey, keyPrefix)
	}
	copy(key[:], decoded)
	return key, nil
}

// String is the text of the key, as files and commands have it.
func (k PublicKey) String() string { return keyPrefix + base64.StdEncoding.EncodeToString(k[:]) }

// ID is a short name of the key for people: 24 hexadecimal digits. Two keys may be made to have the same one, so nothing
// is decided by it.
func (k PublicKey) ID() string { return hex.EncodeToString(k.id()) }

// id is made as other tools that sign modules make it.
func (k PublicKey) id() []byte {
	sum := hmac.New(sha256.New, []byte("key_id"))
	sum.Write(k[:])
	return sum.Sum(nil)[:keyIDBytes]
}

// publicOf returns the public half of a key.
func publicOf(key ed25519.PrivateKey) (PublicKey, error) {
	if len(key) != ed25519.PrivateKeySize {
		return PublicKey{}, ErrKey
	}
	return PublicKey(key[ed25519.SeedSize:]), nil
}

// pemType is the type of the PEM block of a private key.
const pemType = "PRIVATE KEY"

// Generate makes a key and writes it to a file that does not exist yet, which only its owner may read: PKCS #8 in PEM, as
// `openssl genpkey -algorithm ed25519` writes it.
func Generate(name string) (PublicKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return PublicKey{}, fmt.Errorf("make key: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return PublicKey{}, fmt.Errorf("make key: %w", err)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the developer names the file
	if err != nil {
		return PublicKey{}, fmt.Errorf("make key: %w", err)
	}
	err = pem.Encode(file, &pem.Block{Type: pemType, Bytes: encoded})
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return PublicKey{}, errors.Join(fmt.Errorf("make key: %w", err), os.Remove(name))
	}
	return PublicKey(public), nil
}

// maxKeyBytes is more than any file with one key has.
const maxKeyBytes = 64 << 10

// ReadKey reads a private key and returns it with its public half. The error wraps [ErrKey] if the file holds another
// kind of thing, and says nothing of what is in it.
func ReadKey(name string) (ed25519.PrivateKey, PublicKey, error) {
	file, err := os.Open(name) //nolint:gosec // the developer names the file
	if err != nil {
		return nil, PublicKey{}, fmt.Errorf("read key: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(file, maxKeyBytes))
	if err != nil {
		return nil, PublicKey{}, fmt.Errorf("read key: %w", err)
	}
	none := fmt.Errorf("%w: %s holds no private key in PKCS #8, in PEM: `onething plugin sign --generate` makes one", ErrKey, name)
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return nil, PublicKey{}, none
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, PublicKey{}, none
	}
	public, err := publicOf(key)
	return key, public, err
}
