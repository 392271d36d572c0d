package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/signature"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// key is a key made of one letter.
func key(letter byte) (ed25519.PrivateKey, signature.PublicKey) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{letter}, ed25519.SeedSize))
	return private, signature.PublicKey(private[ed25519.SeedSize:])
}

// module is a packed plugin.
func module(t testing.TB) []byte {
	t.Helper()
	wasm, err := manifest.Append([]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00"), &pluginv1.Manifest{
		Id: "test/a", Version: "1.0.0", Department: "test", NameZh: "测试", InterfaceVersion: 1, Hooks: []pluginv1.Hook{pluginv1.Hook_HOOK_CHECK},
	})
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func sign(t testing.TB, wasm []byte, letter byte) []byte {
	t.Helper()
	private, _ := key(letter)
	signed, err := signature.Sign(wasm, private)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestSign(t *testing.T) {
	t.Parallel()
	wasm := module(t)
	signed := sign(t, wasm, 'a')
	_, a := key('a')
	_, b := key('b')
	if got, err := signature.Verify(signed, []signature.PublicKey{b, a}); err != nil || got != a {
		t.Errorf("Verify() = %v, %v", got, err)
	}
	if again := sign(t, wasm, 'a'); !bytes.Equal(again, signed) {
		t.Error("signed twice, the file is another one")
	}
	if stripped, err := signature.Strip(signed); err != nil || !bytes.Equal(stripped, wasm) {
		t.Errorf("Strip() = %x, %v", stripped, err)
	}
	if m, err := manifest.Read(signed); err != nil || m.GetId() != "test/a" {
		t.Errorf("the manifest of the signed module: %v, %v", m, err)
	}
	private, _ := key('b')
	if _, err := signature.Sign(signed, private); !errors.Is(err, signature.ErrSigned) {
		t.Errorf("Sign() of a signed one = %v", err)
	}
}

// The bytes are those of the tool conventions, put together here by hand, so that other tools read them and ours reads
// theirs: these write no id of the key if they are not asked to.
func TestSign_Format(t *testing.T) {
	t.Parallel()
	wasm := module(t)
	private, public := key('a')
	hash := sha256.Sum256(wasm[8:])
	signed := ed25519.Sign(private, slices.Concat([]byte("wasmsig\x01\x01\x01"), hash[:]))
	id, err := hex.DecodeString(public.ID())
	if err != nil {
		t.Fatal(err)
	}
	section := func(id []byte) []byte {
		content := slices.Concat([]byte("\x09signature"), []byte{1, 1, 1, 1, 1}, hash[:], []byte{1, byte(len(id))}, id, []byte{1, 64}, signed)
		return slices.Concat(wasm[:8], []byte{0, byte(len(content))}, content, wasm[8:]) // below 128: one byte
	}
	if got := sign(t, wasm, 'a'); !bytes.Equal(got, section(id)) {
		t.Errorf("got\n%x\nwant\n%x", got, section(id))
	}
	withoutID := section(nil)
	if got, err := signature.Verify(withoutID, []signature.PublicKey{public}); err != nil || got != public {
		t.Errorf("without the key's id: %v, %v", got, err)
	}
}

// No byte of a signed file can be changed, taken away or added.
func TestVerify_Changed(t *testing.T) {
	t.Parallel()
	signed := sign(t, module(t), 'a')
	_, public := key('a')
	trusted := []signature.PublicKey{public}
	for at := range signed {
		for bit := range 8 {
			changed := bytes.Clone(signed)
			changed[at] ^= 1 << bit
			if _, err := signature.Verify(changed, trusted); err == nil {
				t.Errorf("bit %d of byte %d is another one, and it verifies", bit, at)
			}
		}
		if _, err := signature.Verify(signed[:at], trusted); err == nil {
			t.Errorf("cut off at %d, and it verifies", at)
		}
	}
	if _, err := signature.Verify(slices.Concat(signed, []byte("\x00\x02\x01x")), trusted); !errors.Is(err, signature.ErrChanged) {
		t.Errorf("with a further section: %v", err)
	}
}

func TestVerify_Refuses(t *testing.T) {
	t.Parallel()
	wasm := module(t)
	signed := sign(t, wasm, 'a')
	other := sign(t, append(bytes.Clone(wasm), "\x00\x02\x01x"...), 'a')
	_, a := key('a')
	_, b := key('b')
	size := len(signed) - len(wasm)
	section := signed[8 : 8+size]
	lied := bytes.Replace(sign(t, wasm, 'b'), mustID(t, b), mustID(t, a), 1)
	for _, test := range []struct {
		name   string
		module []byte
		want   error
	}{
		{"not signed", wasm, signature.ErrUnsigned},
		{"by another key", sign(t, wasm, 'b'), signature.ErrUnknownKey},
		{"by another key that says it is this one", lied, signature.ErrChanged},
		{"signature of another module", slices.Concat(other[:8+size], wasm[8:]), signature.ErrChanged},
		{"two signatures", slices.Concat(signed[:8+size], section, wasm[8:]), signature.ErrMalformed},
		{"a second one at the end", slices.Concat(signed, section), signature.ErrMalformed},
		{"at the end", slices.Concat(wasm, section), signature.ErrMalformed},
		{"longer encoding of the size", slices.Concat(wasm[:8], []byte{0, section[1] | 0x80, 0}, section[2:], wasm[8:]), signature.ErrMalformed},
		{"no module", []byte("x"), manifest.ErrNotWasm},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := signature.Verify(test.module, []signature.PublicKey{a}); !errors.Is(err, test.want) {
				t.Errorf("Verify() = %v, want %v", err, test.want)
			}
		})
	}
}

func mustID(t testing.TB, k signature.PublicKey) []byte {
	t.Helper()
	id, err := hex.DecodeString(k.ID())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// FuzzVerify holds that what verifies is what was signed, byte for byte, however it was come by.
func FuzzVerify(f *testing.F) {
	wasm := module(f)
	signed := sign(f, wasm, 'a')
	_, public := key('a')
	for _, seed := range [][]byte{wasm, signed, signed[:100], slices.Concat(signed, signed[8:])} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, module []byte) {
		if _, err := signature.Verify(module, []signature.PublicKey{public}); err == nil && !bytes.Equal(module, signed) {
			t.Errorf("verifies, and was never signed: %x", module)
		}
		if s, err := signature.Read(module); err == nil {
			stripped, err := signature.Strip(module)
			if err != nil || len(s.KeyID) != 0 && len(s.KeyID) != 12 || !bytes.HasSuffix(module, stripped[8:]) {
				t.Errorf("read %x as %x, %v", module, stripped, err)
			}
		}
	})
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "key.pem")
	public, err := signature.Generate(name)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	private, read, err := signature.ReadKey(name)
	if err != nil || read != public || !bytes.Equal(private[ed25519.SeedSize:], public[:]) {
		t.Errorf("ReadKey() = %v, %v; want %v", read, err, public)
	}
	if parsed, err := signature.ParsePublicKey(public.String()); err != nil || parsed != public {
		t.Errorf("ParsePublicKey(%s) = %v, %v", public, parsed, err)
	}
	before, _ := os.ReadFile(name)
	if _, err := signature.Generate(name); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if after, _ := os.ReadFile(name); !bytes.Equal(before, after) {
		t.Error("the key was written over")
	}
}

// A key that OpenSSL has made is read, and OpenSSL reads ours.
func TestReadKey_OpenSSL(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl")
	}
	dir := t.TempDir()
	theirs, ours := filepath.Join(dir, "theirs.pem"), filepath.Join(dir, "ours.pem")
	if out, err := exec.CommandContext(t.Context(), openssl, "genpkey", "-algorithm", "ed25519", "-out", theirs).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, _, err := signature.ReadKey(theirs); err != nil {
		t.Error(err)
	}
	public, err := signature.Generate(ours)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), openssl, "pkey", "-in", ours, "-pubout", "-outform", "DER").Output()
	if err != nil || !bytes.HasSuffix(out, public[:]) {
		t.Errorf("openssl reads %x, %v; want %x at its end", out, err, public[:])
	}
}

func TestReadKey_Refuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "text": "secret", "another block": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"no key in it": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "_"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := signature.ReadKey(file); !errors.Is(err, signature.ErrKey) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := signature.ReadKey(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestParsePublicKey_Refuses(t *testing.T) {
	t.Parallel()
	_, public := key('a')
	text := public.String()
	for _, wrong := range []string{"", "ed25519:", text[8:], text + "=", text[:len(text)-4], "rsa:" + text[8:], text + "\n", strings.TrimSuffix(text, "=")} {
		if key, err := signature.ParsePublicKey(wrong); !errors.Is(err, signature.ErrKey) {
			t.Errorf("ParsePublicKey(%q) = %v, %v", wrong, key, err)
		}
	}
}
