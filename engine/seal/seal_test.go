package seal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/seal"
	"github.com/tink-crypto/tink-go/v2/tink"
	"pgregory.net/rapid"
)

func newKeyset(tb testing.TB) tink.AEAD {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "keyset.json")
	if err := seal.GenerateKeyset(path); err != nil {
		tb.Fatal(err)
	}
	k, err := seal.ReadKeyset(path)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func openStore(tb testing.TB, dir string, k tink.AEAD) *seal.Store {
	tb.Helper()
	s, err := seal.Open(seal.Config{Dir: dir, KeyEncryption: k, Cache: 2})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// newStore gives a store that has the named keys.
func newStore(tb testing.TB, ids ...seal.KeyID) *seal.Store {
	tb.Helper()
	s := openStore(tb, tb.TempDir(), newKeyset(tb))
	for _, id := range ids {
		if err := s.Create(tb.Context(), id); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

func TestSeal_OpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	const a, b = seal.KeyID("application/a"), seal.KeyID("application/b")
	s := newStore(t, a, b)
	place := seal.AssociatedData("draft", "a", "1")
	sealed, err := s.Seal(t.Context(), a, []byte("张三 110101199003070038"), place)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("1101")) {
		t.Error("the plaintext can be read in the sealed bytes")
	}
	again, err := s.Seal(t.Context(), a, []byte("张三 110101199003070038"), place)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(sealed, again) {
		t.Error("the same plaintext is sealed to the same bytes")
	}
	if got, err := s.Open(t.Context(), a, sealed, place); err != nil || string(got) != "张三 110101199003070038" {
		t.Errorf("opened %q, %v", got, err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open(t.Context(), a, changed, place); !errors.Is(err, seal.ErrCorrupt) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := s.Open(t.Context(), a, sealed[:i], place); !errors.Is(err, seal.ErrCorrupt) {
			t.Errorf("cut off at %d: %v", i, err)
		}
	}
	if _, err := s.Open(t.Context(), b, sealed, place); !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := s.Open(t.Context(), a, sealed, seal.AssociatedData("draft", "a", "2")); !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("in another place: %v", err)
	}
}

func TestAssociatedData_TellsPartsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00")), 0, 3, -1), 0, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if got, want := bytes.Equal(seal.AssociatedData(a...), seal.AssociatedData(b...)), cmp.Equal(a, b); got != want {
			t.Fatalf("%q and %q: equal %t, want %t", a, b, got, want)
		}
	})
}

func TestStore_KeysLiveAndDie(t *testing.T) {
	t.Parallel()
	dir, k := t.TempDir(), newKeyset(t)
	s := openStore(t, dir, k)
	id := seal.ForApplication("a")
	if _, err := s.Seal(t.Context(), id, nil, nil); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("seal under a key that was never made: %v", err)
	}
	for range 2 { // the second time it is there
		if err := s.Create(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	sealed, err := s.Seal(t.Context(), id, []byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), id, sealed, nil); err != nil {
		t.Errorf("after making the key again: %v", err)
	}

	// Another process, later.
	s = openStore(t, dir, k)
	if got, err := s.Open(t.Context(), id, sealed, nil); err != nil || string(got) != "x" {
		t.Errorf("after reopening: %q, %v", got, err)
	}
	for range 2 { // the second time there is none
		if err := s.Destroy(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), id, sealed, nil); !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("open after the key was destroyed: %v", err)
		}
		if _, err := s.Seal(t.Context(), id, nil, nil); !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("seal after the key was destroyed: %v", err)
		}
	}
	s = openStore(t, dir, k)
	if _, err := s.Open(t.Context(), id, sealed, nil); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("open after the key was destroyed, reopened: %v", err)
	}
	// A key that is made again under the same id is another one.
	if err := s.Create(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), id, sealed, nil); !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("open with a key of the same name: %v", err)
	}
}

// The cache holds two keys here; however many are in use, and destroyed meanwhile, each opens its own and no destroyed one
// comes back.
func TestStore_ConcurrentUse(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			id := seal.ForPerson(fmt.Sprint(w % 4))
			for i := range 25 {
				if err := s.Create(t.Context(), id); err != nil {
					t.Errorf("create: %v", err)
				}
				sealed, err := s.Seal(t.Context(), id, []byte(id), nil)
				if err != nil && !errors.Is(err, seal.ErrNoKey) {
					t.Errorf("seal: %v", err)
				}
				if err == nil {
					got, err := s.Open(t.Context(), id, sealed, nil)
					// Another goroutine may have destroyed the key, and made a new one.
					if err != nil && !errors.Is(err, seal.ErrNoKey) && !errors.Is(err, seal.ErrCorrupt) || err == nil && string(got) != string(id) {
						t.Errorf("open: %q, %v", got, err)
					}
				}
				if i%5 == w%5 {
					if err := s.Destroy(t.Context(), id); err != nil {
						t.Errorf("destroy: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	for i := range 4 {
		id := seal.ForPerson(fmt.Sprint(i))
		if err := s.Destroy(t.Context(), id); err != nil {
			t.Error(err)
		}
		if _, err := s.Seal(t.Context(), id, nil, nil); !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("a destroyed key came back: %v", err)
		}
	}
}

func TestStore_RefusesKeyIDs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, id := range []seal.KeyID{"", seal.KeyID(strings.Repeat("x", seal.MaxKeyID+1))} {
		_, sealing := s.Seal(t.Context(), id, nil, nil)
		_, opening := s.Open(t.Context(), id, nil, nil)
		for _, err := range []error{sealing, opening, s.Create(t.Context(), id), s.Destroy(t.Context(), id)} {
			if !errors.Is(err, seal.ErrInvalid) {
				t.Errorf("key id of %d bytes: %v", len(id), err)
			}
		}
	}
	if err := s.Create(ended, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("create for a caller who has gone: %v", err)
	}
}

func TestStore_Digest(t *testing.T) {
	t.Parallel()
	dir, k := t.TempDir(), newKeyset(t)
	s := openStore(t, dir, k)
	number := []byte("110101199003070038")
	digest := s.Digest("citizen number", number)
	if len(digest) != 32 {
		t.Errorf("digest of %d bytes", len(digest))
	}
	if got := openStore(t, dir, k).Digest("citizen number", number); !bytes.Equal(got, digest) {
		t.Error("the digest is another one after reopening")
	}
	for what, other := range map[string][]byte{
		"another purpose": s.Digest("command", number),
		"other data":      s.Digest("citizen number", number[1:]),
		"another store":   newStore(t).Digest("citizen number", number),
	} {
		if bytes.Equal(other, digest) {
			t.Errorf("%s has the same digest", what)
		}
	}
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	// spoilt gives the folder of a store with one key, after a change to its files: the secret's and the key's.
	spoilt := func(t *testing.T, k tink.AEAD, change func(secret, key string)) string {
		dir := t.TempDir()
		s := openStore(t, dir, k)
		names := []string{keyFiles(t, dir)[0]}
		if err := s.Create(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		for _, f := range keyFiles(t, dir) {
			if f != names[0] {
				names = append(names, f)
			}
		}
		change(names[0], names[1])
		return dir
	}
	k := newKeyset(t)
	for _, test := range []struct {
		name   string
		change func(secret, key string)
		with   tink.AEAD
		want   error
	}{
		{"another key-encryption key", func(string, string) {}, newKeyset(t), seal.ErrWrongKey},
		{"secret lost", func(secret, _ string) { must(t, os.Remove(secret)) }, k, seal.ErrCorrupt},
		{"secret spoilt", func(secret, _ string) { must(t, os.WriteFile(secret, []byte{1, 2, 3}, 0o600)) }, k, seal.ErrWrongKey},
		{"key in the secret's place", func(secret, key string) { must(t, os.Rename(key, secret)) }, k, seal.ErrWrongKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := spoilt(t, k, test.change)
			if s, err := seal.Open(seal.Config{Dir: dir, KeyEncryption: test.with}); !errors.Is(err, test.want) {
				t.Errorf("opened %v, %v; want %v", s, err, test.want)
			}
		})
	}
	t.Run("key spoilt", func(t *testing.T) {
		t.Parallel()
		dir := spoilt(t, k, func(_, key string) { must(t, os.Truncate(key, 5)) })
		if _, err := openStore(t, dir, k).Seal(t.Context(), "a", nil, nil); !errors.Is(err, seal.ErrCorrupt) {
			t.Errorf("seal: %v", err)
		}
	})
	for _, c := range []seal.Config{{KeyEncryption: k}, {Dir: t.TempDir()}, {Dir: t.TempDir(), KeyEncryption: k, Cache: -1}} {
		if _, err := seal.Open(c); err == nil {
			t.Errorf("%+v was opened", c)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keyFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "??", "*"))
	must(t, err)
	return files
}

// No key lies on disk unwrapped.
// A store that is opened to be read only opens what is sealed, makes and destroys no key, and is not made.
func TestOpen_ReadOnly(t *testing.T) {
	t.Parallel()
	dir, k := t.TempDir(), newKeyset(t)
	w := openStore(t, dir, k)
	must(t, w.Create(t.Context(), "a"))
	sealed, err := w.Seal(t.Context(), "a", []byte("x"), nil)
	must(t, err)
	s, err := seal.Open(seal.Config{Dir: dir, KeyEncryption: k, ReadOnly: true})
	must(t, err)
	if got, err := s.Open(t.Context(), "a", sealed, nil); err != nil || string(got) != "x" {
		t.Errorf("it opens %q, %v", got, err)
	}
	if err := s.Create(t.Context(), "b"); !errors.Is(err, durable.ErrReadOnly) {
		t.Errorf("a new key: %v", err)
	}
	if err := s.Destroy(t.Context(), "a"); !errors.Is(err, durable.ErrReadOnly) {
		t.Errorf("the end of a key: %v", err)
	}
	must(t, s.Close())
	if _, err := w.Open(t.Context(), "a", sealed, nil); err != nil {
		t.Errorf("the key is gone: %v", err)
	}
	empty := t.TempDir()
	for _, dir := range []string{empty, filepath.Join(empty, "nowhere")} {
		if _, err := seal.Open(seal.Config{Dir: dir, KeyEncryption: k, ReadOnly: true}); err == nil {
			t.Errorf("%s was opened", dir)
		}
		if inside, err := os.ReadDir(empty); err != nil || len(inside) > 0 {
			t.Errorf("something was made: %v, %v", inside, err)
		}
	}
}

func TestStore_KeysAreWrapped(t *testing.T) {
	t.Parallel()
	spy := &spyingAEAD{AEAD: newKeyset(t)}
	dir := t.TempDir()
	s := openStore(t, dir, spy)
	must(t, s.Create(t.Context(), "a"))
	files := keyFiles(t, dir)
	if len(files) != 2 || len(spy.wrapped) != 2 {
		t.Fatalf("%d files of %d keys, want 2", len(files), len(spy.wrapped))
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		for _, plain := range spy.wrapped {
			if bytes.Contains(b, plain) {
				t.Errorf("%s holds a key", f)
			}
		}
	}
}

type spyingAEAD struct {
	tink.AEAD
	wrapped [][]byte
}

func (s *spyingAEAD) Encrypt(plaintext, associated []byte) ([]byte, error) {
	s.wrapped = append(s.wrapped, bytes.Clone(plaintext))
	return s.AEAD.Encrypt(plaintext, associated)
}

func TestSealEvent(t *testing.T) {
	t.Parallel()
	id := seal.ForApplication("a")
	s := newStore(t, id)
	at := seal.Place{Stream: "application/a", Version: 7, Type: "onething.application.v1.Event"}
	content := []byte("居民身份证 110101199003070038")
	personal, commitment, err := s.SealEvent(t.Context(), id, at, content)
	must(t, err)
	if got, err := s.OpenEvent(t.Context(), id, at, personal, commitment); err != nil || !bytes.Equal(got, content) {
		t.Errorf("opened %q, %v", got, err)
	}
	other, otherCommitment, err := s.SealEvent(t.Context(), id, at, content)
	must(t, err)
	if bytes.Equal(commitment, otherCommitment) {
		t.Error("two commitments to the same content are equal: it could be guessed")
	}
	for name, place := range map[string]seal.Place{
		"another stream":  {Stream: "application/b", Version: 7, Type: at.Type},
		"another version": {Stream: at.Stream, Version: 8, Type: at.Type},
		"another type":    {Stream: at.Stream, Version: 7, Type: "T"},
	} {
		if _, err := s.OpenEvent(t.Context(), id, place, personal, commitment); !errors.Is(err, seal.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.OpenEvent(t.Context(), id, at, other, commitment); !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("with the commitment of another event: %v", err)
	}
	must(t, s.Destroy(t.Context(), id))
	if _, err := s.OpenEvent(t.Context(), id, at, personal, commitment); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("without its key: %v", err)
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	commitment, salt := seal.Commit([]byte("content"))
	if !seal.Verify(commitment, salt, []byte("content")) {
		t.Error("a true commitment is refused")
	}
	for name, ok := range map[string]bool{
		"other content":    seal.Verify(commitment, salt, []byte("Content")),
		"other salt":       seal.Verify(commitment, commitment, []byte("content")),
		"other commitment": seal.Verify(salt, salt, []byte("content")),
		"no salt":          seal.Verify(commitment, nil, []byte("content")),
		// HMAC fills a short key up with zeros, so that two salts would do if their length were not checked.
		"salt filled up": seal.Verify(commitment, append(bytes.Clone(salt), 0), []byte("content")),
	} {
		if ok {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	id := seal.ForApplication("a")
	s := newStore(t, id)
	place := seal.AssociatedData("material", "a", "birth_certificate")
	const segment = 1 << 20
	for _, n := range []int{0, 1, 1000, segment - 57, segment - 56, segment - 55, segment - 54, segment, 2*segment - 72, 2*segment - 71, 2*segment - 70, 3 * segment} {
		plain := bytes.Repeat([]byte("出生医学证明"), n/18+1)[:n]
		r, err := s.SealReader(t.Context(), id, bytes.NewReader(plain), place)
		must(t, err)
		sealed, err := io.ReadAll(r)
		must(t, err)
		if got := seal.SealedSize(int64(n)); got != int64(len(sealed)) {
			t.Errorf("%d bytes are sealed to %d, SealedSize says %d", n, len(sealed), got)
		}
		opened, err := s.OpenReader(t.Context(), id, iotest.HalfReader(bytes.NewReader(sealed)), place)
		must(t, err)
		if got, err := io.ReadAll(opened); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes came back as %d, %v", n, len(got), err)
		}
	}
}

func TestStream_Refuses(t *testing.T) {
	t.Parallel()
	id, other := seal.ForApplication("a"), seal.ForApplication("b")
	s := newStore(t, id, other)
	plain := bytes.Repeat([]byte{7}, 3<<20)
	r, err := s.SealReader(t.Context(), id, bytes.NewReader(plain), nil)
	must(t, err)
	sealed, err := io.ReadAll(r)
	must(t, err)
	broken := errors.New("broken")
	flipped := func(i int) []byte { b := bytes.Clone(sealed); b[i] ^= 1; return b }
	for _, test := range []struct {
		name   string
		id     seal.KeyID
		sealed io.Reader
		place  []byte
		want   error
	}{
		{"another key", other, bytes.NewReader(sealed), nil, seal.ErrCorrupt},
		{"no key", "none", bytes.NewReader(sealed), nil, seal.ErrNoKey},
		{"another place", id, bytes.NewReader(sealed), []byte("b"), seal.ErrCorrupt},
		{"nothing", id, bytes.NewReader(nil), nil, seal.ErrCorrupt},
		{"version changed", id, bytes.NewReader(flipped(0)), nil, seal.ErrCorrupt},
		{"header changed", id, bytes.NewReader(flipped(1)), nil, seal.ErrCorrupt},
		{"salt changed", id, bytes.NewReader(flipped(2)), nil, seal.ErrCorrupt},
		{"middle changed", id, bytes.NewReader(flipped(len(sealed) / 2)), nil, seal.ErrCorrupt},
		{"end changed", id, bytes.NewReader(flipped(len(sealed) - 1)), nil, seal.ErrCorrupt},
		{"last byte missing", id, bytes.NewReader(sealed[:len(sealed)-1]), nil, seal.ErrCorrupt},
		{"last segment missing", id, bytes.NewReader(sealed[:1+2<<20]), nil, seal.ErrCorrupt},
		{"cut off in the header", id, bytes.NewReader(sealed[:20]), nil, seal.ErrCorrupt},
		{"something behind the end", id, bytes.NewReader(append(bytes.Clone(sealed), 0)), nil, seal.ErrCorrupt},
		{"a source that fails", id, io.MultiReader(bytes.NewReader(sealed[:2<<20]), iotest.ErrReader(broken)), nil, broken},
		{"a source that fails at once", id, iotest.ErrReader(broken), nil, broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := s.OpenReader(t.Context(), test.id, test.sealed, test.place)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
				if _, again := r.Read(make([]byte, 1)); !errors.Is(again, test.want) {
					t.Errorf("read again: %v, want %v", again, test.want)
				}
			}
			if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}

	t.Run("a plaintext that fails", func(t *testing.T) {
		t.Parallel()
		r, err := s.SealReader(t.Context(), id, io.MultiReader(bytes.NewReader(plain), iotest.ErrReader(broken)), nil)
		must(t, err)
		half, err := io.ReadAll(r)
		if !errors.Is(err, broken) {
			t.Fatalf("seal: %v", err)
		}
		// What came out before is no whole stream.
		opened, err := s.OpenReader(t.Context(), id, bytes.NewReader(half), nil)
		must(t, err)
		if _, err := io.Copy(io.Discard, opened); !errors.Is(err, seal.ErrCorrupt) {
			t.Errorf("the half stream opens: %v", err)
		}
	})
	if _, err := s.SealReader(t.Context(), "none", bytes.NewReader(nil), nil); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("seal a stream without a key: %v", err)
	}
}

func TestKeyset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "keyset.json")
	if _, err := seal.ReadKeyset(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read what is not there: %v", err)
	}
	must(t, seal.GenerateKeyset(path))
	if err := seal.GenerateKeyset(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("generated over another one: %v", err)
	}
	first, err := seal.ReadKeyset(path)
	must(t, err)
	second, err := seal.ReadKeyset(path)
	must(t, err)
	wrapped, err := first.Encrypt([]byte("key"), nil)
	must(t, err)
	if got, err := second.Decrypt(wrapped, nil); err != nil || string(got) != "key" {
		t.Errorf("unwrapped %q, %v", got, err)
	}
	must(t, os.Chmod(path, 0o640))
	if _, err := seal.ReadKeyset(path); err == nil || !strings.Contains(err.Error(), "0640") {
		t.Errorf("read a file that others may read: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "other"), []byte(`{"secret": 1}`), 0o600))
	if _, err := seal.ReadKeyset(filepath.Join(dir, "other")); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("read a file that is no keyset: %v", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	s := newStore(b, "a")
	plain := make([]byte, 1000)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, _, err := s.SealEvent(b.Context(), "a", seal.Place{Stream: "a", Version: 1, Type: "T"}, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	s := newStore(b)
	for i := 0; b.Loop(); i++ {
		if err := s.Create(b.Context(), seal.ForApplication(fmt.Sprint(i))); err != nil {
			b.Fatal(err)
		}
	}
}

// slowAEAD unwraps what it is told to only when it is let on.
type slowAEAD struct {
	tink.AEAD
	reached, goOn chan struct{}
}

func (s *slowAEAD) Decrypt(ciphertext, associated []byte) ([]byte, error) {
	plain, err := s.AEAD.Decrypt(ciphertext, associated)
	if bytes.HasSuffix(associated, []byte("slow")) {
		s.reached <- struct{}{}
		<-s.goOn
	}
	return plain, err
}

// A key that is destroyed while another caller reads it does not stay in the cache.
func TestStore_DestroyedWhileRead(t *testing.T) {
	t.Parallel()
	slow := &slowAEAD{AEAD: newKeyset(t), reached: make(chan struct{}), goOn: make(chan struct{})}
	s := openStore(t, t.TempDir(), slow)
	must(t, s.Create(t.Context(), "slow"))
	done := make(chan error)
	go func() {
		_, err := s.Seal(t.Context(), "slow", nil, nil)
		done <- err
	}()
	<-slow.reached
	must(t, s.Destroy(t.Context(), "slow"))
	slow.goOn <- struct{}{}
	must(t, <-done) // it began before the key was destroyed
	if _, err := s.Seal(t.Context(), "slow", nil, nil); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("seal under a destroyed key: %v", err)
	}
}

// countingAEAD counts what it unwraps.
type countingAEAD struct {
	tink.AEAD
	unwrapped int
}

func (c *countingAEAD) Decrypt(ciphertext, associated []byte) ([]byte, error) {
	c.unwrapped++
	return c.AEAD.Decrypt(ciphertext, associated)
}

// The cache spares unwrapping, of as many keys as it holds, and holds those that were used last.
func TestStore_CacheIsBounded(t *testing.T) {
	t.Parallel()
	counting := &countingAEAD{AEAD: newKeyset(t)}
	s := openStore(t, t.TempDir(), counting) // with room for two
	for _, id := range []seal.KeyID{"a", "b", "c"} {
		must(t, s.Create(t.Context(), id))
	}
	for _, step := range []struct {
		use       seal.KeyID
		unwrapped int
	}{{"a", 1}, {"b", 1}, {"a", 0}, {"b", 0}, {"a", 0}, {"c", 1}, {"a", 0}, {"b", 1}, {"c", 1}} {
		before := counting.unwrapped
		if _, err := s.Seal(t.Context(), step.use, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := counting.unwrapped - before; got != step.unwrapped {
			t.Errorf("using %s unwrapped %d keys, want %d", step.use, got, step.unwrapped)
		}
	}
}

// Whatever happens to a file of the keys, nothing is opened as something that it is not, and nothing is made anew under the name
// of what is spoilt: the store is refused, or what the key has sealed is not opened, or all is there all the same.
func TestStore_DamagedFiles(t *testing.T) {
	t.Parallel()
	wrap, whole := newKeyset(t), t.TempDir()
	id, other := seal.ForApplication("a"), seal.ForPerson("b")
	s := openStore(t, whole, wrap)
	sealed := map[seal.KeyID][]byte{}
	for _, id := range []seal.KeyID{id, other} {
		must(t, s.Create(t.Context(), id))
		text, err := s.Seal(t.Context(), id, []byte("content of "+string(id)), []byte("place"))
		must(t, err)
		sealed[id] = text
	}
	digest := s.Digest("purpose", []byte("data"))
	must(t, s.Close())
	files := keyFiles(t, whole)
	if len(files) != 3 {
		t.Fatalf("%d files: %v", len(files), files)
	}
	damages := map[string]func(name string, b []byte) error{
		"missing":      func(name string, _ []byte) error { return os.Remove(name) },
		"empty":        func(name string, _ []byte) error { return os.Truncate(name, 0) },
		"cut off":      func(name string, b []byte) error { return os.Truncate(name, int64(len(b)/2)) },
		"one short":    func(name string, b []byte) error { return os.Truncate(name, int64(len(b)-1)) },
		"one too many": func(name string, b []byte) error { return os.WriteFile(name, append(bytes.Clone(b), 0), 0o600) },
	}
	for _, part := range []int{0, 50, 99} {
		damages[fmt.Sprintf("a bit at %d%%", part)] = func(name string, b []byte) error {
			b = bytes.Clone(b)
			b[len(b)*part/100] ^= 4
			return os.WriteFile(name, b, 0o600)
		}
	}
	refused, closed := 0, 0
	for _, file := range files {
		for damage, do := range damages {
			dir := t.TempDir()
			must(t, os.CopyFS(dir, os.DirFS(whole)))
			name, err := filepath.Rel(whole, file)
			must(t, err)
			name = filepath.Join(dir, name)
			b, err := os.ReadFile(name)
			must(t, err)
			must(t, do(name, b))
			s, err := seal.Open(seal.Config{Dir: dir, KeyEncryption: wrap})
			if err != nil {
				refused++
				continue
			}
			if !bytes.Equal(s.Digest("purpose", []byte("data")), digest) {
				t.Errorf("%s of %s: people have other digests than before", damage, file)
			}
			opened := 0
			for id, text := range sealed {
				plain, err := s.Open(t.Context(), id, text, []byte("place"))
				if err == nil && string(plain) != "content of "+string(id) {
					t.Errorf("%s of %s: %s is opened as %q", damage, file, id, plain)
				}
				if err == nil {
					opened++
				}
			}
			if opened == len(sealed) {
				t.Errorf("%s of %s is not noticed", damage, file)
			}
			closed++
			must(t, s.Close())
		}
	}
	if refused == 0 || closed == 0 {
		t.Errorf("%d refused, %d not opened", refused, closed)
	}
}
