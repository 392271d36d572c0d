package badgerdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/proto"
)

// ErrDamaged is returned for a file of Badger's that is not what it wrote. The error names the file.
var ErrDamaged = errors.New("damaged file")

// checkTables returns an error that wraps [ErrDamaged] if anything in the tables of a folder is not what was written. A
// store is not opened before: of a table with a spoilt index Badger panics, in a goroutine of its own; and a spoilt block
// it takes for one in which the key that is looked for does not stand, so that what was written would be gone in silence,
// and for good with the next compaction.
//
// Tables that the manifest does not name are left alone, as long as nothing would go with them: a process that was killed while
// it wrote one leaves it behind, and Badger removes it.
func checkTables(dir string) error {
	named, err := tablesOf(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, id := range named {
		names = append(names, filepath.Join(dir, table.IDToFilename(id)))
	}
	faults, versions := make([]error, len(names)), make([]uint64, len(names))
	var group sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(names)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				var err error
				if versions[i], err = checkTable(names[i]); err != nil {
					faults[i] = fmt.Errorf("%w: %s: %w; put it back, or restore the last backup", ErrDamaged, names[i], err)
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	last := uint64(0)
	for _, version := range versions {
		last = max(last, version)
	}
	return checkUnnamed(dir, names, last)
}

// checkUnnamed returns an error that wraps [ErrDamaged] if a table that the manifest does not name holds what was committed, and
// nothing else does: then the manifest was cut off. What was being written when the process ended is still in a write-ahead log,
// or in the tables that were compacted, whose last version is given.
func checkUnnamed(dir string, named []string, last uint64) error {
	there, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return err
	}
	var logged map[uint64]bool
	for _, name := range there {
		if slices.Contains(named, name) {
			continue
		}
		version, err := checkTable(name)
		if err != nil || version <= last { // it was not written to its end, or is of a compaction
			continue
		}
		if logged == nil {
			if logged, err = loggedVersions(dir); err != nil {
				return err
			}
		}
		if !logged[version] {
			return fmt.Errorf("%w: %s does not name %s, which holds what nothing else does: it was cut off; put it back, or restore the last backup", ErrDamaged, filepath.Join(dir, manifestFile), name)
		}
	}
	return nil
}

// tablesOf returns the numbers of the tables that the manifest of a store names. What stands behind the last whole entry of a
// manifest was being written when the process ended.
func tablesOf(dir string) ([]uint64, error) {
	file, err := os.Open(filepath.Join(dir, manifestFile)) //nolint:gosec // the folder is the operator's
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	manifest, _, err := badger.ReplayManifestFile(file, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; put it back, or restore the last backup", ErrDamaged, file.Name(), err)
	}
	return slices.Sorted(maps.Keys(manifest.Tables)), nil
}

// checkTable reads a table from its end: length of the checksum, checksum, length of the index, index, as Badger does. It returns
// the last version in it.
func checkTable(name string) (version uint64, err error) {
	file, err := os.Open(name) //nolint:gosec // the folder is the operator's
	if err != nil {
		return 0, err
	}
	defer file.Close() //nolint:errcheck // only read
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	before := func(n uint32) ([]byte, error) {
		if int64(n) > end {
			return nil, fmt.Errorf("its end names %d bytes of %d", n, end)
		}
		end -= int64(n)
		b := make([]byte, n)
		_, err := file.ReadAt(b, end)
		return b, err
	}
	sized := func() ([]byte, error) {
		n, err := before(4)
		if err != nil {
			return nil, err
		}
		return before(binary.BigEndian.Uint32(n))
	}
	sum, err := sized()
	if err != nil {
		return 0, err
	}
	var checksum pb.Checksum
	if err := proto.Unmarshal(sum, &checksum); err != nil {
		return 0, errors.New("its end holds no checksum")
	}
	index, err := sized()
	if err != nil {
		return 0, err
	}
	if checksum.GetSum() == 0 || y.VerifyChecksum(index, &checksum) != nil {
		return 0, errors.New("its index has another checksum than when it was written")
	}
	blocks := fb.GetRootAsTableIndex(index, 0)
	var stored, plain []byte
	var at fb.BlockOffset
	for i := range blocks.OffsetsLength() {
		blocks.Offsets(&at, i)
		if int64(at.Offset())+int64(at.Len()) > end {
			return 0, fmt.Errorf("its block %d ends behind the blocks", i)
		}
		stored = slices.Grow(stored[:0], int(at.Len()))[:at.Len()]
		if _, err := file.ReadAt(stored, int64(at.Offset())); err != nil {
			return 0, err
		}
		if plain, err = snappy.Decode(plain[:cap(plain)], stored); err != nil {
			return 0, fmt.Errorf("its block %d: %w", i, err)
		}
		if err := checkBlock(plain); err != nil {
			return 0, fmt.Errorf("its block %d: %w", i, err)
		}
	}
	return blocks.MaxVersion(), nil
}

// checkBlock holds a block against the checksum at its end.
func checkBlock(block []byte) error {
	end := len(block) - 4
	if end < 0 || int64(binary.BigEndian.Uint32(block[end:])) > int64(end) {
		return errors.New("it has no checksum")
	}
	start := end - int(binary.BigEndian.Uint32(block[end:]))
	var checksum pb.Checksum
	if err := proto.Unmarshal(block[start:end], &checksum); err != nil {
		return errors.New("it has no checksum")
	}
	if y.VerifyChecksum(block[:start], &checksum) != nil {
		return errors.New("it has another checksum than when it was written")
	}
	return nil
}
