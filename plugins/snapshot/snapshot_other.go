//go:build !linux

package snapshot

import (
	"errors"
	"slices"
)

// Image is a memory that does not change any more. It is safe for concurrent use.
type Image struct{ bytes []byte }

// New returns an image of the content.
func New(content []byte) (*Image, error) {
	if len(content) == 0 {
		return nil, errors.New("snapshot: the image is empty")
	}
	return &Image{slices.Clone(content)}, nil
}

// Size of the image in bytes.
func (i *Image) Size() int { return len(i.bytes) }

// Bytes of the image, to read.
func (i *Image) Bytes() []byte { return i.bytes }

// Close releases the image.
func (i *Image) Close() error { return nil }

// View is a private copy of an image in a region of addresses. It belongs to one goroutine at a time.
type View struct {
	image  *Image
	region []byte
}

// Reserve returns a region of zeros that no image is behind.
func Reserve(limit int) (*View, error) { return &View{region: make([]byte, limit)}, nil }

// View returns a region of limit bytes that begins with the image.
func (i *Image) View(limit int, way Way) (*View, error) {
	if way != CopyAll {
		return nil, ErrUnsupported
	}
	v := &View{image: i, region: make([]byte, limit)}
	return v, v.Reset()
}

// Bytes of the whole region.
func (v *View) Bytes() []byte { return v.region }

// Close releases the region.
func (v *View) Close() error { v.region = nil; return nil }

// Reset sets the part of the region that the image is behind back to the image.
func (v *View) Reset() error { copy(v.region, v.image.bytes); return nil }

// Ways returns the one way that every machine has.
func Ways() []Way { return []Way{CopyAll} }
