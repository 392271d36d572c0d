package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/siyiban/onething/engine/durable"
)

// Dir is a store in a folder of the machine. It is safe for concurrent use.
type Dir struct {
	// Space is how much room Put leaves on the disk, which the stores beside it need to go on. It may be set before use.
	Space durable.Space

	dir    string
	folder *durable.Folder
}

var _ Store = (*Dir)(nil)

// Open opens the store in a folder, makes it if there is none, and removes what was being written when the process that
// had it before ended. The folder holds nothing else, and one process opens it at a time.
func Open(dir string) (*Dir, error) {
	folder, err := durable.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	return &Dir{dir: dir, folder: folder}, nil
}

// OpenReadOnly opens the store in a folder, which has to be there, and changes nothing in it.
func OpenReadOnly(dir string) (*Dir, error) {
	folder, err := durable.OpenReadOnly(dir)
	if err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	return &Dir{dir: dir, folder: folder}, nil
}

// All returns the digests of the blobs, in order. An error ends the sequence.
func (d *Dir) All() iter.Seq2[Digest, error] {
	return func(yield func(Digest, error) bool) {
		for name, err := range d.folder.All() {
			if err != nil {
				err = fmt.Errorf("list blobs: %w", err)
			}
			if !yield(Digest(name), err) {
				return
			}
		}
	}
}

// CopyTo copies the blobs to another folder and returns how many, when they are on disk. The error wraps [ErrNoSpace]
// if there is too little room.
func (d *Dir) CopyTo(ctx context.Context, dir string, room durable.Space) (int, error) {
	n, err := d.folder.CopyTo(ctx, dir, room)
	if err != nil {
		return n, fmt.Errorf("copy blobs: %w", err)
	}
	return n, nil
}

// Close closes the store. Blobs that are being read can be read on.
func (d *Dir) Close() error { return d.folder.Close() }

// Put implements [Store].
func (d *Dir) Put(ctx context.Context, r io.Reader, limit int64) (Ref, error) {
	if err := d.Space.Check(d.dir); err != nil {
		return Ref{}, fmt.Errorf("store blob: %w", err)
	}
	file, err := d.folder.Create()
	if err != nil {
		return Ref{}, fmt.Errorf("store blob: %w", err)
	}
	defer file.Discard()
	sum := sha256.New()
	size, err := copyUpTo(ctx, io.MultiWriter(file, sum), r, limit)
	if err != nil {
		return Ref{}, fmt.Errorf("store blob: %w", err)
	}
	ref := Ref{Digest: digestOf(sum), Size: size}
	// A blob that is there already is replaced by the same bytes, which heals one that the disk has spoilt.
	if err := file.Keep(string(ref.Digest)); err != nil {
		return Ref{}, fmt.Errorf("store blob: %w", err)
	}
	return ref, nil
}

// copyUpTo copies all of r, unless it has more than limit bytes or ctx ends.
func copyUpTo(ctx context.Context, w io.Writer, r io.Reader, limit int64) (int64, error) {
	chunk := make([]byte, 64<<10)
	var size int64
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := r.Read(chunk)
		if size += int64(n); size > limit {
			return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
		}
		if _, failed := w.Write(chunk[:n]); failed != nil {
			return 0, failed
		}
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// Get implements [Store].
func (d *Dir) Get(ctx context.Context, digest Digest) (io.ReadCloser, error) {
	file, err := d.open(ctx, digest)
	if err != nil {
		return nil, err
	}
	return &verifyingReader{file: file, sum: sha256.New(), want: digest}, nil
}

// Stat implements [Store].
func (d *Dir) Stat(ctx context.Context, digest Digest) (Ref, error) {
	file, err := d.open(ctx, digest)
	if err != nil {
		return Ref{}, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	if err != nil {
		return Ref{}, fmt.Errorf("blob %s: %w", digest, err)
	}
	return Ref{Digest: digest, Size: info.Size()}, nil
}

func (d *Dir) open(ctx context.Context, digest Digest) (*os.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := digest.check(); err != nil {
		return nil, err
	}
	file, err := d.folder.Open(string(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, digest)
	}
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", digest, err)
	}
	return file, nil
}

// verifyingReader reads a file and says at its end whether it was the right one.
type verifyingReader struct {
	file *os.File
	sum  hash.Hash
	want Digest
}

func (r *verifyingReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && digestOf(r.sum) != r.want {
		err = fmt.Errorf("%w: %s", ErrCorrupt, r.want)
	}
	return n, err
}

func (r *verifyingReader) Close() error { return r.file.Close() }

func digestOf(sum hash.Hash) Digest { return Digest(hex.EncodeToString(sum.Sum(nil))) }
