package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// ErrFormat is returned for a file whose content is not of the media type that it claims.
var ErrFormat = errors.New("engine: the content is not of the file's media type")

// ErrEmpty is returned for a file without content.
var ErrEmpty = errors.New("engine: the file is empty")

// mediaTypes are the formats of uploaded files by extension, with what such a file begins with.
var mediaTypes = map[string]struct { //nolint:gochecknoglobals // a table that nothing writes to
	Type  string
	magic []byte
}{
	"pdf": {"application/pdf", []byte("%PDF-")},
	"jpg": {"image/jpeg", []byte{0xff, 0xd8, 0xff}},
	"png": {"image/png", []byte("\x89PNG\r\n\x1a\n")},
	"ofd": {"application/ofd", []byte("PK\x03\x04")}, // GB/T 33190: a ZIP archive
}

// Extension returns the file extension that stands for a media type; "" if no material is accepted in it.
func Extension(mediaType string) string {
	for extension, m := range mediaTypes {
		if m.Type == mediaType {
			return extension
		}
	}
	return ""
}

// PutFile keeps a file of an application, sealed with the application's key, and returns when it is on disk. Its
// description is sealed with it, so that whoever holds the digest later knows what it is. Blob and Size of the
// description are set by PutFile. An uploaded material must be what its media type says.
func (e *Engine) PutFile(ctx context.Context, application string, description *applicationv1.MaterialFile, content io.Reader, limit int64) (*applicationv1.MaterialFile, error) {
	var header bytes.Buffer
	if _, err := protodelim.MarshalTo(&header, description); err != nil {
		return nil, fmt.Errorf("describe file: %w", err)
	}
	headerLength := int64(header.Len())
	counted := &counter{r: content}
	sealed, err := e.cfg.Keys.SealReader(ctx, seal.ForApplication(application), io.MultiReader(&header, counted), fileData(application))
	if err != nil {
		return nil, fmt.Errorf("seal file: %w", err)
	}
	ref, err := e.cfg.Blobs.Put(ctx, sealed, seal.SealedSize(limit+headerLength))
	if err != nil {
		return nil, fmt.Errorf("keep file: %w", err)
	}
	return &applicationv1.MaterialFile{Material: description.GetMaterial(), Name: description.GetName(), MediaType: description.GetMediaType(),
		Blob: string(ref.Digest), Size: counted.n}, nil
}

// PutMaterial keeps an uploaded file, after a look at what it begins with.
func (e *Engine) PutMaterial(ctx context.Context, application string, description *applicationv1.MaterialFile, content io.Reader, limit int64) (*applicationv1.MaterialFile, error) {
	begin := bufio.NewReader(content)
	magic := mediaTypes[Extension(description.GetMediaType())].magic
	start, err := begin.Peek(max(1, len(magic)))
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return nil, ErrEmpty
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("read upload: %w", err)
	case magic == nil || !bytes.Equal(start, magic):
		return nil, ErrFormat
	}
	return e.PutFile(ctx, application, description, begin, limit)
}

// OpenFile returns the description of a file of an application and a reader of its content.
func (e *Engine) OpenFile(ctx context.Context, application, digest string) (*applicationv1.MaterialFile, io.ReadCloser, error) {
	stored, err := e.cfg.Blobs.Get(ctx, blob.Digest(digest))
	if err != nil {
		return nil, nil, fmt.Errorf("read file: %w", err)
	}
	plain, err := e.cfg.Keys.OpenReader(ctx, seal.ForApplication(application), stored, fileData(application))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open file: %w", err), stored.Close())
	}
	content := bufio.NewReader(plain)
	description := &applicationv1.MaterialFile{}
	if err := (protodelim.UnmarshalOptions{MaxSize: 1 << 16}).UnmarshalFrom(content, description); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open file: %w", err), stored.Close())
	}
	description.Blob = digest
	return description, struct {
		io.Reader
		io.Closer
	}{content, stored}, nil
}

// UnknownFiles returns a violation for each answer that names a file which nobody has uploaded to the application.
func (e *Engine) UnknownFiles(ctx context.Context, application string, record forms.Record) ([]forms.Violation, error) {
	var faults []forms.Violation
	for p, v := range record.All() {
		for _, digest := range filesIn(v) {
			_, content, err := e.OpenFile(ctx, application, digest)
			switch {
			case err == nil:
				content.Close()
			case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrInvalid), errors.Is(err, seal.ErrCorrupt):
				faults = append(faults, forms.Violation{Path: p, Code: "unknown_file",
					Text: forms.Text{ZH: "没有上传此文件，请重新上传", EN: "This file was not uploaded; upload it again."}})
			default:
				return nil, err
			}
		}
	}
	return faults, nil
}

// fileData binds a file to its application: it opens for no other.
func fileData(application string) []byte { return seal.AssociatedData("file", application) }

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

// Read implements [io.Reader].
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
