// Package durable keeps files in a folder so that what it has acknowledged is still there after a crash of the process
// or of the machine.
//
// A file is written under a temporary name, synced, renamed, and its folder synced; only then it is kept. Whoever opens
// it finds all of it or nothing. Files are spread over 256 subfolders by the first two digits of their names, so that
// no folder becomes slow. Only one process uses a folder at a time: opening it removes what an earlier one left half
// written.
package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync/atomic"
)

// temporary is the subfolder of files that are being written.
const temporary = "tmp"

// Folder is a folder of files whose names are lower-case hexadecimal digits, at least three. It is safe for concurrent
// use; two writers of one name are in no order. Nothing outside the folder is reached, whatever links lie in it.
type Folder struct {
	root     *os.Root
	readOnly bool
	next     atomic.Uint64
}

// ErrReadOnly is returned for a change of what was opened to be read only.
var ErrReadOnly = errors.New("durable: opened to be read only")

// OpenReadOnly opens the folder at a path, which has to be there, and changes nothing in it. The error wraps
// [fs.ErrNotExist] if there is none.
func OpenReadOnly(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root: root, readOnly: true}, nil
}

// Open opens the folder at a path, and makes it if there is none. Only its owner may enter it.
func Open(dir string) (*Folder, error) {
	if err := Mkdir(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{root: root}
	if err := f.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare folder %s: %w", dir, err), root.Close())
	}
	return f, nil
}

func (f *Folder) prepare() error {
	if err := f.root.RemoveAll(temporary); err != nil {
		return err
	}
	if err := f.root.Mkdir(temporary, 0o700); err != nil {
		return err
	}
	for i := range 256 {
		if err := f.root.Mkdir(subfolder(byte(i)), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return f.sync(".")
}

// Mkdir makes a folder and those above it, as far as there are none, so that they survive a crash.
func Mkdir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(dir)
	if above != dir {
		if err := Mkdir(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(os.Open(above)) //nolint:gosec // the folder is the operator's
}

// WriteNew writes a file that only its owner may read, in a folder that exists, and returns when it is on disk. The
// error wraps [fs.ErrExist] if there is one of that name, which stays as it is.
func WriteNew(name string, content []byte) error {
	above := filepath.Dir(name)
	file, err := os.CreateTemp(above, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it has a second name by then, or is of no use
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), name); err != nil {
		return err
	}
	if err := syncFolder(os.Open(above)); err != nil { //nolint:gosec // the folder is the operator's
		return err
	}
	return Alive(name)
}

// Close closes the folder. Open files stay open.
func (f *Folder) Close() error { return f.root.Close() }

// Empty reports whether no file is kept in the folder.
func (f *Folder) Empty() (bool, error) {
	for i := range 256 {
		d, err := f.root.Open(subfolder(byte(i)))
		if err != nil {
			return false, err
		}
		_, err = d.Readdirnames(1)
		if closed := d.Close(); closed != nil {
			return false, closed
		}
		if !errors.Is(err, io.EOF) {
			return false, err
		}
	}
	return true, nil
}

// All returns the names of the files, in order. One that is kept or removed meanwhile may be among them or not. An error
// ends the sequence.
func (f *Folder) All() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range 256 {
			entries, err := fs.ReadDir(f.root.FS(), subfolder(byte(i)))
			if err != nil {
				yield("", err)
				return
			}
			for _, entry := range entries {
				if !yield(entry.Name(), nil) {
					return
				}
			}
		}
	}
}

// CopyTo copies the files to another folder, made if it does not exist, and returns how many, when they are on disk.
// Those that are removed meanwhile are left out. The error wraps [ErrNoSpace] as soon as there is too little room there.
func (f *Folder) CopyTo(ctx context.Context, dir string, room Space) (n int, err error) {
	to, err := Open(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for name, err := range f.All() {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = room.Check(dir)
		}
		if err == nil {
			err = f.copy(to, name)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return n, fmt.Errorf("copy %s: %w", name, err)
		default:
			n++
		}
	}
	return n, nil
}

func (f *Folder) copy(to *Folder, name string) error {
	from, err := f.Open(name)
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // only read
	file, err := to.Create()
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := io.Copy(file, from); err != nil {
		return err
	}
	return file.Keep(name)
}

// Open opens a file for reading. The error wraps [fs.ErrNotExist] if there is none.
func (f *Folder) Open(name string) (*os.File, error) {
	p, err := place(name)
	if err != nil {
		return nil, err
	}
	return f.root.Open(p)
}

// Confirm makes sure that a file that is there stays there: one whose writer was interrupted may be found without being
// on disk. The error wraps [fs.ErrNotExist] if there is none.
func (f *Folder) Confirm(name string) error {
	p, err := place(name)
	if err != nil {
		return err
	}
	if _, err := f.root.Stat(p); err != nil || f.readOnly {
		return err
	}
	return f.sync(path.Dir(p))
}

// Remove removes a file, and returns when that is on disk. It is no error if there is none.
func (f *Folder) Remove(name string) error {
	p, err := place(name)
	if err == nil && f.readOnly {
		err = ErrReadOnly
	}
	if err != nil {
		return err
	}
	if err := f.root.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.sync(path.Dir(p))
}

// File is a file that is being written and not there yet. It ends with [File.Keep] or [File.Discard].
type File struct {
	folder *Folder
	file   *os.File
	name   string
	ended  bool
}

// Create begins a file.
func (f *Folder) Create() (*File, error) {
	if f.readOnly {
		return nil, ErrReadOnly
	}
	name := path.Join(temporary, strconv.FormatUint(f.next.Add(1), 10))
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &File{folder: f, file: file, name: name}, nil
}

// Write implements [io.Writer].
func (f *File) Write(b []byte) (int, error) { return f.file.Write(b) }

// Keep gives the file its name, in place of one that has it already, and returns when that is on disk. After an error
// the file may be there or not.
func (f *File) Keep(name string) error {
	p, err := place(name)
	if err == nil {
		err = f.file.Sync()
	}
	if err = errors.Join(err, f.file.Close()); err == nil {
		err = f.folder.root.Rename(f.name, p)
	}
	if err != nil {
		f.Discard()
		return err
	}
	f.ended = true
	if err := f.folder.sync(path.Dir(p)); err != nil {
		return err
	}
	return closed(f.folder.root.OpenFile(p, os.O_RDWR, 0))
}

// Discard removes the file, unless it was kept. Where that fails, the next [Open] of the folder removes it.
func (f *File) Discard() {
	if !f.ended {
		f.ended = true
		_ = f.file.Close()
		_ = f.folder.root.Remove(f.name)
	}
}

func (f *Folder) sync(dir string) error { return syncFolder(f.root.Open(dir)) }

// syncFolder syncs and closes a folder that was to be opened.
func syncFolder(d *os.File, err error) error {
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func subfolder(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

func place(name string) (string, error) {
	if len(name) < 3 {
		return "", fmt.Errorf("file name %q: %w", name, fs.ErrInvalid)
	}
	for i := range len(name) {
		if b := name[i]; (b < '0' || b > '9') && (b < 'a' || b > 'f') {
			return "", fmt.Errorf("file name %q: %w", name, fs.ErrInvalid)
		}
	}
	return name[:2] + "/" + name, nil
}

// Alive returns an error unless the file system of a file, which has to be there, takes writes. A sync that was under way while a
// disk or its file system went away may report success though nothing is on disk: ext4 keeps to itself that it could not note
// where it has put what was written. Whoever asks after the sync learns it, as no file is opened for writing then.
func Alive(name string) error { return closed(os.OpenFile(name, os.O_RDWR, 0)) } //nolint:gosec // the file is the operator's

func closed(file *os.File, err error) error {
	if err != nil {
		return fmt.Errorf("after a sync: %w", err)
	}
	return file.Close()
}

// Sync makes sure that the names in a folder stay.
func Sync(dir string) error { return syncFolder(os.Open(dir)) } //nolint:gosec // the folder is the operator's
