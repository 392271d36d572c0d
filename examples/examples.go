// Package examples holds the shared libraries and the example bundles in the binary, so that an installed command
// serves them wherever it runs.
package examples

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed library/*.yaml bundles/*/*.yaml
var tree embed.FS

// Tree returns the libraries under library/ and the bundles under bundles/, as package catalog reads them.
func Tree() embed.FS { return tree }

// Matters are the four matters that go from end to end: plugins serve their steps, and the demonstration files them.
func Matters() []string { return []string{"newborn", "first_employment", "retirement", "after_death"} }

// Only returns the tree with the bundles of these ids and no others, for whoever needs no more than a few of many.
func Only(ids ...string) fs.FS { return only{tree, ids} }

// only is a tree in which other bundles do not exist.
type only struct {
	all embed.FS
	ids []string
}

func (o only) holds(name string) bool {
	folder, inside := strings.CutPrefix(name, "bundles/")
	id, _, _ := strings.Cut(folder, "/")
	return !inside || slices.Contains(o.ids, id)
}

// Open implements [fs.FS].
func (o only) Open(name string) (fs.File, error) {
	if !o.holds(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return o.all.Open(name)
}

// ReadDir implements [fs.ReadDirFS].
func (o only) ReadDir(name string) ([]fs.DirEntry, error) {
	if !o.holds(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	entries, err := o.all.ReadDir(name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !o.holds(name + "/" + e.Name()) }), err
}
