//go:build linux || darwin

package durable

import "golang.org/x/sys/unix"

// freeBytes returns how many bytes the disk of a folder has free for us.
func freeBytes(dir string) (uint64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, err
	}
	return disk.Bavail * uint64(disk.Bsize), nil
}
