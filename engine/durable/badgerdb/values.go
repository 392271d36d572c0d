package badgerdb

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4/y"
)

// valuesHeader is what stands before the entries of a value log.
const valuesHeader = 20

// checkLastValues returns an error that wraps [ErrDamaged] unless the last value log of a store that was closed is whole.
// Badger reads it when it opens the store for writing, takes the first entry with another checksum for the end, and cuts
// off what stands behind. Of the older ones an entry is held against its checksum when it is read.
func checkLastValues(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil || len(names) == 0 {
		return err
	}
	name := slices.Max(names) // their numbers have leading zeros
	if err := checkValues(name); err != nil {
		return fmt.Errorf("%w: %s: %w; put it back, or restore the last backup", ErrDamaged, name, err)
	}
	return nil
}

func checkValues(name string) error {
	file, err := os.Open(name) //nolint:gosec // the folder is the operator's
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	sum := crc32.New(y.CastagnoliCrcTable)
	r := &summing{r: bufio.NewReaderSize(file, 1<<20), sum: sum}
	if _, err := io.CopyN(io.Discard, r, valuesHeader); err != nil {
		return err
	}
	for at := int64(valuesHeader); ; at += r.n {
		sum.Reset()
		r.n = 0
		_, err := checkEntry(r)
		if errors.Is(err, io.EOF) && r.n == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("entry at byte %d: %w", at, err)
		}
	}
}

// checkEntry reads an entry: two bytes, the lengths of key and value and a time as varints, key, value, checksum. It returns the
// key, which ends with the version.
func checkEntry(r *summing) ([]byte, error) {
	for range 2 {
		if _, err := r.ReadByte(); err != nil {
			return nil, err
		}
	}
	var sizes [3]uint64
	for i := range sizes {
		var err error
		if sizes[i], err = binary.ReadUvarint(r); err != nil {
			return nil, err
		}
	}
	if sizes[0] > 1<<16 || sizes[1] > 1<<30 {
		return nil, errors.New("it is longer than any")
	}
	key := make([]byte, sizes[0])
	if _, err := io.ReadFull(r, key); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, int64(sizes[1])); err != nil {
		return nil, err
	}
	want := r.sum.Sum32()
	var stored [crc32.Size]byte
	if _, err := io.ReadFull(r, stored[:]); err != nil {
		return nil, err
	}
	if binary.BigEndian.Uint32(stored[:]) != want {
		return nil, errors.New("it has another checksum than when it was written")
	}
	return key, nil
}

// summing counts and sums up what is read.
type summing struct {
	r   *bufio.Reader
	sum interface {
		io.Writer
		Sum32() uint32
		Reset()
	}
	n int64
}

func (s *summing) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	_, _ = s.sum.Write(p[:n]) // never fails
	return n, err
}

func (s *summing) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err == nil {
		s.n++
		_, _ = s.sum.Write([]byte{b}) // never fails
	}
	return b, err
}

// loggedVersions are those of what the write-ahead logs of a store hold, up to the first entry that is none.
func loggedVersions(dir string) (map[uint64]bool, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return nil, err
	}
	versions := map[uint64]bool{}
	for _, name := range names {
		if err := addVersions(versions, name); err != nil {
			return nil, err
		}
	}
	return versions, nil
}

func addVersions(to map[uint64]bool, name string) error {
	file, err := os.Open(name) //nolint:gosec // the folder is the operator's
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	r := &summing{r: bufio.NewReaderSize(file, 1<<20), sum: crc32.New(y.CastagnoliCrcTable)}
	if _, err := io.CopyN(io.Discard, r, valuesHeader); err != nil {
		return nil // it was just made
	}
	for {
		r.sum.Reset()
		key, err := checkEntry(r)
		if err != nil || len(key) < 8 {
			return nil // its end
		}
		to[y.ParseTs(key)] = true
	}
}
