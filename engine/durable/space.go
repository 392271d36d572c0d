package durable

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// DefaultMinFree is the room that is kept free on a disk, in bytes: five memtables of the log, of 64 MiB, that wait to
// be flushed, a compaction of the same size, a value log file, and the same of the small stores, a quarter as large.
const DefaultMinFree = 1 << 30

// ErrNoSpace is returned while a disk has too little room to write safely. Nothing was written; writes are accepted
// again when there is room, and reads go on.
var ErrNoSpace = errors.New("durable: no space left")

// Space is how much room a store leaves on its disk. Badger writes through memory maps of files without blocks, so a
// full disk is not an error but the end of the process (SIGBUS): whoever writes asks before. The zero Space keeps
// [DefaultMinFree].
type Space struct {
	// MinFree is how many bytes have to be free; zero is [DefaultMinFree].
	MinFree uint64
	// Free measures the free bytes of the disk of a folder; nil asks the system. An error that wraps [fs.ErrNotExist] makes
	// Check ask for the folder above.
	Free func(dir string) (uint64, error)
}

// Check returns an error that wraps [ErrNoSpace] if the disk of a folder, which may not exist yet, has too little room.
func (s Space) Check(dir string) error {
	free, err := s.Left(dir)
	if err != nil {
		return err
	}
	if want := cmp.Or(s.MinFree, DefaultMinFree); free < want {
		return fmt.Errorf("%w: %d MiB are free, %d more are needed", ErrNoSpace, free>>20, (want-free)>>20+1)
	}
	return nil
}

// Left returns how many bytes the disk of a folder, which may not exist yet, has free.
func (s Space) Left(dir string) (uint64, error) {
	measure := s.Free
	if measure == nil {
		measure = freeBytes
	}
	free, err := measure(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		free, err = measure(dir)
	}
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return free, nil
}
