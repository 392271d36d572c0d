package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Compiled remembers what was compiled, so that a bundle that is read, published and put into force is compiled once.
// What comes of a bundle depends on the files of its library, its name and its text alone, and these are what it is
// remembered by: an answer is never out of date. It is safe for concurrent use; nil remembers nothing.
type Compiled struct {
	mu        sync.Mutex
	libraries map[string]*Library // by digest of their files
	bundles   map[compiledBundle]*Bundle
}

type compiledBundle struct {
	library *Library
	name    string
	text    [sha256.Size]byte
}

// Compiled returns a memory of what the catalogue holds.
func (c *Catalog) Compiled() *Compiled {
	m := &Compiled{libraries: map[string]*Library{DigestFiles(c.Files[""]): c.Library}, bundles: map[compiledBundle]*Bundle{}}
	for id, b := range c.Bundles {
		m.bundles[compiledBundle{c.Library, BundleFile(id), sha256.Sum256(c.Files[id]["bundle.yaml"])}] = b
	}
	return m
}

// BundleFile is the name of a bundle's file in a tree.
func BundleFile(id string) string { return "bundles/" + id + "/bundle.yaml" }

// Library is [ParseLibrary]. The error is the list of findings.
func (m *Compiled) Library(files map[string][]byte) (*Library, error) {
	digest := DigestFiles(files)
	if m != nil {
		m.mu.Lock()
		l := m.libraries[digest]
		m.mu.Unlock()
		if l != nil {
			return l, nil
		}
	}
	l, found := ParseLibrary(files)
	if err := found.Err(); err != nil {
		return nil, err
	}
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.libraries == nil {
			m.libraries = map[string]*Library{}
		}
		m.libraries[digest] = l
	}
	return l, nil
}

// Bundle is [ParseBundle]. The error is the list of findings.
func (m *Compiled) Bundle(l *Library, name string, text []byte) (*Bundle, error) {
	key := compiledBundle{l, name, sha256.Sum256(text)}
	if m != nil {
		m.mu.Lock()
		b := m.bundles[key]
		m.mu.Unlock()
		if b != nil {
			return b, nil
		}
	}
	b, found := ParseBundle(l, name, text)
	if err := found.Err(); err != nil {
		return nil, err
	}
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.bundles == nil {
			m.bundles = map[compiledBundle]*Bundle{}
		}
		m.bundles[key] = b
	}
	return b, nil
}

// DigestFiles is a SHA-256, in hex, over files in the order of their names.
func DigestFiles(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(files[name]))
	}
	return hex.EncodeToString(h.Sum(nil))
}
