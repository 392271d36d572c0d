package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/seal"
)

func open(tb testing.TB, dir string) *blob.Dir {
	tb.Helper()
	d, err := blob.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

func put(tb testing.TB, d *blob.Dir, content string) blob.Ref {
	tb.Helper()
	ref, err := d.Put(tb.Context(), strings.NewReader(content), int64(len(content)))
	if err != nil {
		tb.Fatal(err)
	}
	return ref
}

func get(tb testing.TB, d *blob.Dir, digest blob.Digest) (string, error) {
	tb.Helper()
	r, err := d.Get(tb.Context(), digest)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func digest(content string) blob.Digest {
	sum := sha256.Sum256([]byte(content))
	return blob.Digest(hex.EncodeToString(sum[:]))
}

func files(tb testing.TB, dir string) []string {
	tb.Helper()
	var all []string
	if err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, p)
		}
		return err
	}); err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestDir_RoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir)
	large := strings.Repeat("material ", 100_000)
	for _, content := range []string{"", "a", large} {
		want := blob.Ref{Digest: digest(content), Size: int64(len(content))}
		for range 2 { // the second time it is there
			if diff := cmp.Diff(want, put(t, d, content)); diff != "" {
				t.Errorf("ref (-want +got):\n%s", diff)
			}
		}
		if got, err := d.Stat(t.Context(), want.Digest); err != nil || got != want {
			t.Errorf("stat: %+v, %v", got, err)
		}
		if got, err := get(t, d, want.Digest); err != nil || got != content {
			t.Errorf("%d bytes came back as %d, %v", len(content), len(got), err)
		}
	}
	if got := files(t, dir); len(got) != 3 {
		t.Errorf("three blobs lie in %d files: %v", len(got), got)
	}
	if got, err := get(t, open(t, dir), digest(large)); err != nil || got != large {
		t.Errorf("after reopening: %d bytes, %v", len(got), err)
	}
}

func TestDir_PutLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	gone, cancel := context.WithCancel(t.Context())
	for _, test := range []struct {
		name  string
		ended bool
		r     io.Reader
		limit int64
		want  error
	}{
		{"too large", false, strings.NewReader("12345"), 4, blob.ErrTooLarge},
		{"too large after many reads", false, io.LimitReader(zeros{}, 1<<20+1), 1 << 20, blob.ErrTooLarge},
		{"without end", false, zeros{}, 1 << 20, blob.ErrTooLarge},
		{"no room at all", false, strings.NewReader("1"), 0, blob.ErrTooLarge},
		{"upload that breaks off", false, io.MultiReader(strings.NewReader("123"), iotest.ErrReader(broken)), 10, broken},
		{"caller who has gone", true, io.MultiReader(strings.NewReader("123"), cancelling(cancel), zeros{}), 1 << 40, context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := open(t, dir)
			ctx := t.Context()
			if test.ended {
				ctx = gone
			}
			if ref, err := d.Put(ctx, test.r, test.limit); !errors.Is(err, test.want) {
				t.Errorf("put: %+v, %v; want %v", ref, err, test.want)
			}
			if got := files(t, dir); len(got) != 0 {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// cancelling calls a function when it is read, and is empty.
type cancelling func()

func (c cancelling) Read([]byte) (int, error) { c(); return 0, io.EOF }

func TestDir_SpoiltBlob(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("material", 1000)
	for _, test := range []struct {
		name   string
		change func([]byte) []byte
	}{
		{"flipped bit at the start", func(b []byte) []byte { b[0] ^= 1; return b }},
		{"flipped bit at the end", func(b []byte) []byte { b[len(b)-1] ^= 128; return b }},
		{"cut off", func(b []byte) []byte { return b[:len(b)-1] }},
		{"empty", func([]byte) []byte { return nil }},
		{"longer", func(b []byte) []byte { return append(b, 0) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := open(t, dir)
			ref := put(t, d, content)
			if err := os.WriteFile(files(t, dir)[0], test.change([]byte(content)), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := get(t, d, ref.Digest); !errors.Is(err, blob.ErrCorrupt) {
				t.Errorf("get: %v", err)
			}
			// Stored again, it is whole again.
			put(t, d, content)
			if got, err := get(t, d, ref.Digest); err != nil || got != content {
				t.Errorf("after storing it again: %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestDir_Refuses(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	a := put(t, d, "a").Digest
	for _, test := range []struct {
		digest blob.Digest
		want   error
	}{
		{digest("b"), blob.ErrNotFound},
		{"", blob.ErrInvalid},
		{a[1:], blob.ErrInvalid},
		{blob.Digest(strings.ToUpper(string(a))), blob.ErrInvalid},
		{"../" + a[3:], blob.ErrInvalid},
		{"sha256:" + a, blob.ErrInvalid},
	} {
		if _, err := d.Get(t.Context(), test.digest); !errors.Is(err, test.want) {
			t.Errorf("get %q: %v, want %v", test.digest, err, test.want)
		}
		if _, err := d.Stat(t.Context(), test.digest); !errors.Is(err, test.want) {
			t.Errorf("stat %q: %v, want %v", test.digest, err, test.want)
		}
	}
}

func TestDir_ConcurrentPuts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			content := strings.Repeat("x", i%4)
			if ref, err := d.Put(t.Context(), strings.NewReader(content), 10); err != nil || ref.Digest != digest(content) {
				t.Errorf("put: %+v, %v", ref, err)
			}
			if got, err := get(t, d, digest(content)); err != nil || got != content {
				t.Errorf("get: %q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if got := files(t, dir); len(got) != 4 {
		t.Errorf("four blobs lie in %d files", len(got))
	}
}

// A material goes through the seal into the store and back, and the disk never sees it.
func TestDir_Sealed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyset.json")
	if err := seal.GenerateKeyset(path); err != nil {
		t.Fatal(err)
	}
	wrap, err := seal.ReadKeyset(path)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(seal.Config{Dir: t.TempDir(), KeyEncryption: wrap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	dir := t.TempDir()
	d := open(t, dir)
	key := seal.ForApplication("a")
	if err := keys.Create(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	const line = "出生医学证明 A110101199003070038\n"
	material := []byte(strings.Repeat(line, 50_000))
	place := seal.AssociatedData("material", "a", "birth_certificate")

	store := func(limit int64) (blob.Ref, error) {
		sealed, err := keys.SealReader(t.Context(), key, bytes.NewReader(material), place)
		if err != nil {
			t.Fatal(err)
		}
		return d.Put(t.Context(), sealed, seal.SealedSize(limit))
	}
	if _, err := store(int64(len(material)) - 1); !errors.Is(err, blob.ErrTooLarge) {
		t.Errorf("one byte too large: %v", err)
	}
	ref, err := store(int64(len(material)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, dir) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("110101199003070038")) {
			t.Error("a plaintext lies on disk")
		}
	}
	load := func() error {
		r, err := d.Get(t.Context(), ref.Digest)
		if err != nil {
			return err
		}
		defer r.Close()
		opened, err := keys.OpenReader(t.Context(), key, r, place)
		if err != nil {
			return err
		}
		got, err := io.ReadAll(opened)
		if err == nil && !bytes.Equal(got, material) {
			t.Error("another material came back")
		}
		return err
	}
	if err := load(); err != nil {
		t.Errorf("load: %v", err)
	}
	if err := keys.Destroy(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := load(); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("load without the key: %v", err)
	}
}

func TestDir_FullDisk(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	kept := put(t, d, "kept")
	free := uint64(durable.DefaultMinFree - 1)
	d.Space.Free = func(string) (uint64, error) { return free, nil }
	if _, err := d.Put(t.Context(), strings.NewReader("more"), 4); !errors.Is(err, blob.ErrNoSpace) {
		t.Errorf("put: %v", err)
	}
	r, err := d.Get(t.Context(), kept.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != "kept" {
		t.Errorf("read %q, %v", b, err)
	}
	free++
	put(t, d, "more")
}
