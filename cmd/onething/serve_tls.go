package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificates holds the certificate under which the API is served, and reads it again when its files change. It is safe
// for concurrent use.
type certificates struct {
	certificate, key string // files
	logger           *slog.Logger
	loaded           func(error) // told of each time that the files were read

	mu      sync.Mutex
	current *tls.Certificate
	seen    [2]fs.FileInfo // of the files when they were read last
}

// openCertificates reads a certificate with the chain below it and its key, both in PEM.
func openCertificates(certificate, key string, logger *slog.Logger) (*certificates, error) {
	c := &certificates{certificate: certificate, key: key, logger: logger, loaded: func(error) {}}
	seen, err := c.stat()
	if err == nil {
		err = c.read(seen)
	}
	if err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	return c, nil
}

// config is what a server needs of TLS.
func (c *certificates) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get(), nil }}
}

// get returns the certificate. If the files have changed, they are read again; if they cannot be used, which is an alarm,
// the one before stays.
func (c *certificates) get() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen, err := c.stat()
	if err == nil && same(c.seen[0], seen[0]) && same(c.seen[1], seen[1]) {
		return c.current
	}
	if err == nil {
		err = c.read(seen)
	}
	if err != nil {
		c.logger.Error("the new TLS certificate cannot be used, the one before stays", "error", err)
	} else {
		c.logger.Info("new TLS certificate", "until", c.current.Leaf.NotAfter)
	}
	c.loaded(err)
	return c.current
}

// read reads the files that were seen. Whatever comes of it, they are not read again before they change.
func (c *certificates) read(seen [2]fs.FileInfo) error {
	c.seen = seen
	read, err := tls.LoadX509KeyPair(c.certificate, c.key)
	if err == nil {
		c.current = &read
	}
	return err
}

func (c *certificates) stat() (seen [2]fs.FileInfo, err error) {
	var faults [2]error
	seen[0], faults[0] = os.Stat(c.certificate)
	seen[1], faults[1] = os.Stat(c.key)
	return seen, errors.Join(faults[0], faults[1])
}

// same reports whether a file is the one that was seen before, unchanged.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// until is when the certificate ends.
func (c *certificates) until() time.Time { return c.get().Leaf.NotAfter }

// ends says that the certificate ends before a time.
func (c *certificates) ends(before time.Time) error {
	if until := c.until(); until.Before(before) {
		return fmt.Errorf("the TLS certificate ends at %s", until.UTC().Format(time.RFC3339))
	}
	return nil
}
