// Package store finds the departments' plugins: a directory of .wasm files, addressed by their digests. It runs
// nothing, and it does not choose: which version of a plugin is active is the caller's to know.
package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins/manifest"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Digest returns the digest that a .wasm file is addressed by: SHA-256, in hex.
func Digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return hex.EncodeToString(sum[:])
}

// Plugin is one version of a plugin in the store.
type Plugin struct {
	// Digest of the file.
	Digest string
	// File is its name in the directory.
	File string
	// Manifest is what the file says of itself, checked.
	Manifest *pluginv1.Manifest
}

// Store holds what a directory held when it was opened. It is safe for concurrent use.
type Store struct {
	directory string
	plugins   []Plugin
	files     map[string]string // name by digest
}

// Open reads the manifests of all files *.wasm in a directory, which may be empty but must be there. Every file that
// is no plugin, and two files of the same id and version, are named in the error, all at once.
func Open(directory string) (*Store, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("open plugin store: %w", err)
	}
	s := &Store{directory: directory, files: map[string]string{}}
	var faults []error
	versions := map[string]string{} // file by id and version
	for _, entry := range entries {
		name := entry.Name()
		if filepath.Ext(name) != ".wasm" || strings.HasPrefix(name, ".") {
			continue
		}
		plugin, err := s.read(name)
		if err != nil {
			faults = append(faults, fmt.Errorf("plugin %s: %w", filepath.Join(directory, name), err))
			continue
		}
		version := plugin.Manifest.GetId() + " " + plugin.Manifest.GetVersion()
		if other, ok := versions[version]; ok {
			faults = append(faults, fmt.Errorf("plugin %s: %s is in %s already", filepath.Join(directory, name), version, other))
			continue
		}
		versions[version] = name
		s.files[plugin.Digest] = name
		s.plugins = append(s.plugins, plugin)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	slices.SortFunc(s.plugins, func(a, b Plugin) int {
		return strings.Compare(a.Manifest.GetId()+" "+a.File, b.Manifest.GetId()+" "+b.File)
	})
	return s, nil
}

// Plugins returns what is in the store, by id and file name.
func (s *Store) Plugins() []Plugin {
	plugins := slices.Clone(s.plugins)
	for i := range plugins {
		plugins[i].Manifest = proto.CloneOf(plugins[i].Manifest)
	}
	return plugins
}

// Module returns the bytes of the file with a digest. It reads the file again and holds it against the digest, so a
// file that was replaced since is not run. The error wraps fs.ErrNotExist if there is none.
func (s *Store) Module(digest string) ([]byte, error) {
	name, ok := s.files[digest]
	if !ok {
		return nil, fmt.Errorf("plugin of digest %s: %w", digest, fs.ErrNotExist)
	}
	wasm, err := s.load(name)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	if Digest(wasm) != digest {
		return nil, fmt.Errorf("plugin %s: the file was changed since the store was opened", name)
	}
	return wasm, nil
}

func (s *Store) read(name string) (Plugin, error) {
	wasm, err := s.load(name)
	if err != nil {
		return Plugin{}, err
	}
	m, err := manifest.Read(wasm)
	if err != nil {
		return Plugin{}, err
	}
	return Plugin{Digest: Digest(wasm), File: name, Manifest: m}, nil
}

// load reads a file, but no more of it than a plugin may have.
func (s *Store) load(name string) ([]byte, error) {
	file, err := os.OpenInRoot(s.directory, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	wasm, err := io.ReadAll(io.LimitReader(file, manifest.MaxModuleBytes+1))
	if err != nil {
		return nil, err
	}
	if len(wasm) > manifest.MaxModuleBytes {
		return nil, fmt.Errorf("is larger than %d bytes", manifest.MaxModuleBytes)
	}
	return wasm, nil
}
