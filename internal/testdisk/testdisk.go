//go:build linux

// Package testdisk gives a test a file system of its own, to fill it or to cut its power. Where a test may not mount one, it is
// skipped.
package testdisk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mount mounts an ext4 in a file, of so many MB, and returns its folder with a function that mounts it again after unmounting.
// Only root may mount.
func Mount(t testing.TB, megabytes int) (folder string, again func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may mount a file system to cut its power or to fill it")
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	image, folder := filepath.Join(dir, "image"), filepath.Join(dir, "mounted")
	run := func(name string, args ...string) error {
		if out, err := exec.CommandContext(context.Background(), name, args...).CombinedOutput(); err != nil { //nolint:gosec // its own tools
			return fmt.Errorf("%s: %w: %s", name, err, out)
		}
		return nil
	}
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, int64(megabytes)<<20), os.Mkdir(folder, 0o700), run("mkfs.ext4", "-q", "-F", image)); err != nil {
		t.Fatal(err)
	}
	mount := func() error { return run("mount", "-o", "loop", image, folder) }
	if err := mount(); err != nil {
		t.Skip(err) // as in most containers
	}
	t.Cleanup(func() {
		if err := run("umount", folder); err != nil {
			t.Error(err)
		}
	})
	return folder, func() {
		t.Helper()
		if err := errors.Join(run("umount", folder), mount()); err != nil {
			t.Fatal(err)
		}
	}
}

// CutPower has a file system take nothing any more, and lose what was not synced: EXT4_IOC_SHUTDOWN, without flushing its journal.
func CutPower(t testing.TB, folder string) {
	t.Helper()
	const shutdown, noLogFlush = 0x8004587d, uint32(2)
	d, err := os.Open(folder) //nolint:gosec // the folder is the test's
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	how := noLogFlush
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, d.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 { //nolint:gosec // as ioctl wants it
		t.Skipf("the file system cannot be shut down: %v", errno)
	}
}

// Fill leaves so many MB free on a file system, and returns what makes the room again.
func Fill(t testing.TB, folder string, megabytes int64) (empty func()) {
	t.Helper()
	var disk unix.Statfs_t
	if err := unix.Statfs(folder, &disk); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "ballast")
	file, err := os.Create(name) //nolint:gosec // the folder is the test's
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Fallocate(int(file.Fd()), 0, 0, int64(disk.Bavail)*disk.Bsize-megabytes<<20); err != nil {
		t.Skip(err)
	}
	return func() {
		t.Helper()
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
