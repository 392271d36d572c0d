package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Image is a memory that does not change any more. It is safe for concurrent use.
type Image struct {
	fd    int
	bytes []byte // mapped from fd, to read
}

// New returns an image of the content, whose length must be a multiple of the page size.
func New(content []byte) (*Image, error) {
	if len(content) == 0 || len(content)%os.Getpagesize() != 0 {
		return nil, errors.New("snapshot: the size is no multiple of the page size")
	}
	fd, err := unix.MemfdCreate("guest", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	i := &Image{fd: fd}
	if err := i.fill(content); err != nil {
		return nil, errors.Join(fmt.Errorf("snapshot: %w", err), i.Close())
	}
	return i, nil
}

func (i *Image) fill(content []byte) error {
	for at := 0; at < len(content); {
		n, err := unix.Pwrite(i.fd, content[at:], int64(at))
		if err != nil {
			return err
		}
		at += n
	}
	// Sealed: not even this process can change it any more.
	if _, err := unix.FcntlInt(uintptr(i.fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL); err != nil {
		return err
	}
	bytes, err := unix.Mmap(i.fd, 0, len(content), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	i.bytes = bytes
	return nil
}

// Size of the image in bytes.
func (i *Image) Size() int { return len(i.bytes) }

// Bytes of the image, to read.
func (i *Image) Bytes() []byte { return i.bytes }

// Close releases the image. Views that were made of it stay, but cannot be set back.
func (i *Image) Close() error {
	var err error
	if i.bytes != nil {
		err = unix.Munmap(i.bytes)
		i.bytes = nil
	}
	return errors.Join(err, unix.Close(i.fd))
}

// View is a private copy of an image in a region of addresses. It belongs to one goroutine at a time.
type View struct {
	image  *Image
	way    Way
	region []byte
	resets int
}

// Reserve returns a region of zeros that no image is behind, for a memory that is still to become one.
func Reserve(limit int) (*View, error) {
	region, err := unix.Mmap(-1, 0, limit, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("snapshot: reserve %d bytes: %w", limit, err)
	}
	return &View{region: region}, nil
}

// View returns a region of limit bytes that begins with the image, which it shares until it is written, followed by
// zeros. The limit must be a multiple of the page size and not less than the image's size.
func (i *Image) View(limit int, way Way) (*View, error) {
	v, err := Reserve(limit)
	if err != nil {
		return nil, err
	}
	v.image, v.way = i, way
	at := unsafe.Pointer(unsafe.SliceData(v.region)) //nolint:gosec // the address of our own mapping
	if _, err := unix.MmapPtr(i.fd, 0, at, uintptr(i.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED); err != nil {
		return nil, errors.Join(fmt.Errorf("snapshot: map the image: %w", err), v.Close())
	}
	if way == WrittenPages {
		if err := v.track(); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	return v, nil
}

// Bytes of the whole region.
func (v *View) Bytes() []byte { return v.region }

// Close releases the region.
func (v *View) Close() error {
	region := v.region
	v.region = nil
	if region == nil {
		return nil
	}
	return unix.Munmap(region)
}

// Reset sets the part of the region that the image is behind back to the image. After an error the view must not be
// used any more.
func (v *View) Reset() error {
	switch v.way {
	case PrivatePages:
		return v.copyPrivate()
	case WrittenPages:
		return v.copyWritten()
	default:
		copy(v.region, v.image.bytes)
		return nil
	}
}

// Bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst).
const (
	pagemapPresent = 1 << 63
	pagemapSwapped = 1 << 62
	pagemapFile    = 1 << 61 // still the image's
)

// pagemap is the process's page map.
//
//nolint:gochecknoglobals // the process has one
var pagemap = sync.OnceValues(func() (*os.File, error) { return os.Open("/proc/self/pagemap") })

// copyPrivate copies the pages that are no longer the image's.
func (v *View) copyPrivate() error {
	file, err := pagemap()
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	page := os.Getpagesize()
	entries := make([]byte, v.image.Size()/page*8)
	if _, err := file.ReadAt(entries, int64(address(v.region))/int64(page)*8); err != nil {
		return fmt.Errorf("snapshot: read the page map: %w", err)
	}
	for at := 0; at < v.image.Size(); at += page {
		entry := binary.NativeEndian.Uint64(entries[at/page*8:])
		if entry&(pagemapPresent|pagemapSwapped) != 0 && entry&pagemapFile == 0 {
			copy(v.region[at:at+page], v.image.bytes[at:])
		}
	}
	return nil
}

// address of a mapping, for the kernel.
func address(b []byte) uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) //nolint:gosec // the address of our own mapping, which the collector does not move
}

// What userfaultfd and the scan of the page map take (include/uapi/linux/userfaultfd.h and fs.h).
const (
	uffdUserModeOnly = 1
	uffdAPI          = 0xaa
	uffdioAPI        = 0xc018aa3f
	uffdioRegister   = 0xc020aa00
	uffdModeWP       = 1 << 1
	uffdFeatures     = 1<<13 | 1<<15 // WP_UNPOPULATED, WP_ASYNC
	pagemapScan      = 0xc0606610
	scanWPMatching   = 1 << 0
	scanCheckWPAsync = 1 << 1
	pageIsWritten    = 1 << 1
	regionsOfOneScan = 512
)

type uffdAPIArgs struct{ api, features, ioctls uint64 }

type uffdRegisterArgs struct{ start, size, mode, ioctls uint64 }

type scanArgs struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages       uint64
	categoryInverted, categoryMask, categoryAnyOfMask, returnMask uint64
}

type pageRegion struct{ start, end, categories uint64 }

// faults is the file through which the kernel notes writes, one for the process.
var faults = sync.OnceValues(func() (int, error) { //nolint:gochecknoglobals // the process has one
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK|uffdUserModeOnly, 0, 0)
	if errno != 0 {
		return -1, fmt.Errorf("%w: userfaultfd: %w", ErrUnsupported, errno)
	}
	args := uffdAPIArgs{api: uffdAPI, features: uffdFeatures}
	if err := ioctl(int(fd), uffdioAPI, unsafe.Pointer(&args)); err != nil { //nolint:gosec // the kernel's interface
		return -1, errors.Join(fmt.Errorf("%w: userfaultfd: %w", ErrUnsupported, err), unix.Close(int(fd)))
	}
	return int(fd), nil
})

func ioctl(fd int, request uintptr, args unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(args)); errno != 0 {
		return errno
	}
	return nil
}

// track asks the kernel to note what is written from now on.
func (v *View) track() error {
	fd, err := faults()
	if err != nil {
		return err
	}
	args := uffdRegisterArgs{start: address(v.region), size: uint64(v.image.Size()), mode: uffdModeWP}
	if err := ioctl(fd, uffdioRegister, unsafe.Pointer(&args)); err != nil { //nolint:gosec // the kernel's interface
		return fmt.Errorf("%w: register: %w", ErrUnsupported, err)
	}
	_, err = v.scan(address(v.region), scanWPMatching, nil)
	return err
}

// scan finds the regions of written pages from an address to the end of the image's part, as many as there is room for,
// and protects them anew if the flag asks for it.
func (v *View) scan(from, flags uint64, regions []pageRegion) (n int, err error) {
	file, err := pagemap()
	if err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	args := scanArgs{
		size: uint64(unsafe.Sizeof(scanArgs{})), flags: flags | scanCheckWPAsync, start: from, end: address(v.region) + uint64(v.image.Size()),
		vecLen: uint64(len(regions)), categoryMask: pageIsWritten, returnMask: pageIsWritten,
	}
	if len(regions) > 0 {
		args.vec = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(regions)))) //nolint:gosec // kept alive by the caller
	}
	found, _, errno := unix.Syscall(unix.SYS_IOCTL, file.Fd(), pagemapScan, uintptr(unsafe.Pointer(&args))) //nolint:gosec // the kernel's interface
	if errno != 0 {
		return 0, fmt.Errorf("%w: scan: %w", ErrUnsupported, errno)
	}
	return int(found), nil
}

// copyWritten copies the pages that were written since they were last protected.
func (v *View) copyWritten() error {
	start, end := address(v.region), address(v.region)+uint64(v.image.Size())
	var regions [regionsOfOneScan]pageRegion
	for from := start; from < end; {
		n, err := v.scan(from, 0, regions[:])
		if err != nil {
			return err
		}
		for _, r := range regions[:n] {
			copy(v.region[r.start-start:r.end-start], v.image.bytes[r.start-start:])
		}
		if n < len(regions) {
			break
		}
		from = regions[n-1].end
	}
	if v.resets++; v.resets%protectEvery != 0 {
		return nil
	}
	_, err := v.scan(start, scanWPMatching, nil)
	return err
}

// Ways returns the ways that this machine has, each tried once on a memory of its own.
var Ways = sync.OnceValue(func() []Way { //nolint:gochecknoglobals // what the machine is does not change
	ways := []Way{CopyAll}
	for _, way := range []Way{PrivatePages, WrittenPages} {
		if try(way) {
			ways = append(ways, way)
		}
	}
	return ways
})

// try reports whether a way sets back what was written.
func try(way Way) bool {
	page := os.Getpagesize()
	content := make([]byte, 64*page)
	for at := range content {
		content[at] = byte(at / page)
	}
	image, err := New(content)
	if err != nil {
		return false
	}
	defer func() { _ = image.Close() }()
	view, err := image.View(len(content), way)
	if err != nil {
		return false
	}
	defer func() { _ = view.Close() }()
	for range 2 {
		for at := 0; at < len(content); at += 3 * page {
			view.Bytes()[at] = 0xff
		}
		if err := view.Reset(); err != nil || !slices.Equal(view.Bytes(), content) {
			return false
		}
	}
	return true
}
