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
// Tables that the manifest does not name are left alone: a process that was killed while it wrote one leaves it behind, and
// Badger removes it.
func checkTables(dir string) error {
	named, err := tablesOf(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, id := range named {
		names = append(names, filepath.Join(dir, table.IDToFilename(id)))
	}
	faults := make([]error, len(names))
	var group sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(names)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				if err := checkTable(names[i]); err != nil {
					faults[i] = fmt.Errorf("%w: %s: %w; put it back, or restore the last backup", ErrDamaged, names[i], err)
				}
			}
		})
	}
	group.Wait()
	return errors.Join(faults...)
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

// checkTable reads a table from its end: length of the checksum, checksum, length of the index, index, as Badger does.
func checkTable(name string) error {
	file, err := os.Open(name) //nolint:gosec // the folder is the operator's
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
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
		return err
	}
	var checksum pb.Checksum
	if err := proto.Unmarshal(sum, &checksum); err != nil {
		return errors.New("its end holds no checksum")
	}
	index, err := sized()
	if err != nil {
		return err
	}
	if checksum.GetSum() == 0 || y.VerifyChecksum(index, &checksum) != nil {
		return errors.New("its index has another checksum than when it was written")
	}
	blocks := fb.GetRootAsTableIndex(index, 0)
	var stored, plain []byte
	var at fb.BlockOffset
	for i := range blocks.OffsetsLength() {
		blocks.Offsets(&at, i)
		if int64(at.Offset())+int64(at.Len()) > end {
			return fmt.Errorf("its block %d ends behind the blocks", i)
		}
		stored = slices.Grow(stored[:0], int(at.Len()))[:at.Len()]
		if _, err := file.ReadAt(stored, int64(at.Offset())); err != nil {
			return err
		}
		if plain, err = snappy.Decode(plain[:cap(plain)], stored); err != nil {
			return fmt.Errorf("its block %d: %w", i, err)
		}
		if err := checkBlock(plain); err != nil {
			return fmt.Errorf("its block %d: %w", i, err)
		}
	}
	return nil
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
