// Package snapshot keeps the memory of a guest as it is before every call, hands out private views of it, and sets a
// view back to it after a call by writing only what the call has written.
//
// How it finds out what was written depends on the machine: [Ways] are those that it has, and [Fastest] is measured.
package snapshot

import (
	"errors"
	"math"
	"os"
	"sync"
	"time"
)

// Way is a way to set a view back.
type Way int

// The ways. After each of them every byte of the view is the image's.
const (
	// CopyAll copies the whole image.
	CopyAll Way = iota
	// PrivatePages copies the pages that are no longer the image's: those that any call has written since the view was
	// made, as the kernel's page map shows them.
	PrivatePages
	// WrittenPages copies the pages that the last calls have written, which the kernel notes by write protection
	// (userfaultfd with asynchronous write protection, Linux 6.7).
	WrittenPages
)

// String returns the way's name, as it is logged.
func (w Way) String() string {
	switch w {
	case CopyAll:
		return "copy all"
	case PrivatePages:
		return "private pages"
	case WrittenPages:
		return "written pages"
	default:
		return "unknown"
	}
}

// small is the size of an image up to which copying all of it costs less than asking the kernel what was written.
const small = 256 << 10

// Best returns the way for an image of a size, given the one that is fastest for large images on this machine.
func Best(size int, fastest Way) Way {
	if size <= small {
		return CopyAll
	}
	return fastest
}

// protectEvery is after how many calls written pages are protected anew. Writing to a protected page costs a fault,
// which can take as long as copying several pages, and most calls write to the same pages: what is not protected is
// copied after each call, written or not.
const protectEvery = 64

// Fastest tries every way of this machine for some milliseconds on an image and with writes such as a Go guest's, once
// for the process. Which one wins depends on what a page fault costs: on bare metal noting writes does, on a virtual
// machine whose faults cost ten times as much, looking for private pages.
var Fastest = sync.OnceValue(func() Way { //nolint:gochecknoglobals // what the machine is does not change
	const pages, written = 800, 40
	page := os.Getpagesize()
	image, err := New(make([]byte, pages*page))
	if err != nil {
		return CopyAll
	}
	defer func() { _ = image.Close() }()
	fastest, least := CopyAll, time.Duration(math.MaxInt64)
	for _, way := range Ways() {
		view, err := image.View(image.Size(), way)
		if err != nil {
			continue
		}
		for half := range 2 {
			// The first half copies pages that the second finds copied.
			begun := time.Now()
			for range protectEvery {
				for n := range written {
					view.Bytes()[n*pages/written*page]++
				}
				err = errors.Join(err, view.Reset())
			}
			if took := time.Since(begun); err == nil && half == 1 && took < least {
				fastest, least = way, took
			}
		}
		_ = view.Close()
	}
	return fastest
})

// ErrUnsupported says that the machine does not have the way.
var ErrUnsupported = errors.New("snapshot: this machine does not have this way to set memory back")
