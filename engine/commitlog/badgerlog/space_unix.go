//go:build linux || darwin

package badgerlog

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/siyiban/onething/engine/commitlog"
	"golang.org/x/sys/unix"
)

// enoughSpace returns an error that wraps [commitlog.ErrNoSpace] if the disk of a folder, which may not exist yet, has
// fewer free bytes than wanted.
func enoughSpace(dir string, want uint64) error {
	var disk unix.Statfs_t
	err := unix.Statfs(dir, &disk)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		err = unix.Statfs(dir, &disk)
	}
	if err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < want {
		return fmt.Errorf("%w: %d MiB are free, %d more are needed", commitlog.ErrNoSpace, free>>20, (want-free)>>20+1)
	}
	return nil
}
