package view

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/application"
)

// Page asks for a part of a list.
type Page struct {
	// Size is how many at most, from 1.
	Size int
	// Token is the one that came with the part before; empty: from the beginning.
	Token string
}

// Row is an entry of a list: an application, and what of it the list is about.
type Row struct {
	// Application is its id.
	Application string
	// Item is the bundle of a case, or the number of a task; empty in a list of applications.
	Item string
	// State is the application as the views show it; its version is that of the stream.
	State application.State
}

// ByPerson returns the applications that a person or an enterprise filed, or that were filed for them, the newest first.
// digest is the keyed one that events carry. The second result is the token of the next part, empty if there is none.
func (v *Views) ByPerson(ctx context.Context, digest string, page Page) ([]Row, string, error) {
	return v.list(ctx, personList(digest), page)
}

// Review returns the cases in pre-review of an office, the nearest notice date first. Item is the bundle.
func (v *Views) Review(ctx context.Context, place string, page Page) ([]Row, string, error) {
	return v.list(ctx, reviewList(place), page)
}

// TaskFilter says which tasks are wanted.
type TaskFilter struct {
	Department string
	Step       string // empty: all
	Automatic  bool   // also those that a plugin is at
}

// Tasks returns the open tasks of a department, the nearest promised date first. Item is the number.
func (v *Views) Tasks(ctx context.Context, f TaskFilter, page Page) ([]Row, string, error) {
	return v.list(ctx, taskList(f), page)
}

// Verifications returns the promises that a department has to verify, the nearest date first. Item is the bundle and the
// material, with a slash between them.
func (v *Views) Verifications(ctx context.Context, department string, page Page) ([]Row, string, error) {
	return v.list(ctx, verificationList(department), page)
}

// Open returns the applications with a case that is not over, by id. Item is empty.
func (v *Views) Open(ctx context.Context, page Page) ([]Row, string, error) {
	return v.list(ctx, openList, page)
}

// Find returns the application that has a number, or a case or a task with it. The error wraps [ErrNotFound] if there is
// none.
func (v *Views) Find(ctx context.Context, number string) (Row, error) {
	rows, _, err := v.list(ctx, numberList(number), Page{Size: 1})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("number: %w", ErrNotFound)
	}
	if err != nil {
		return Row{}, err
	}
	return rows[0], nil
}

// Application returns an application as the views show it. The error wraps [ErrNotFound] if they know none of that id.
func (v *Views) Application(ctx context.Context, id string) (Row, error) {
	e, err := v.entry(id)
	if err != nil {
		return Row{}, err
	}
	if e.Version == 0 {
		return Row{}, fmt.Errorf("application: %w", ErrNotFound)
	}
	state, err := v.states.At(ctx, id, e.Version)
	return Row{Application: id, State: state}, err
}

// Concerns reports whether a person or an enterprise filed an application, or it was filed for them.
func (v *Views) Concerns(id, digest string) (bool, error) {
	e, err := v.entry(id)
	if err != nil {
		return false, err
	}
	return e.concerns(digest), nil
}

// list returns a part of a list.
func (v *Views) list(ctx context.Context, list string, page Page) ([]Row, string, error) {
	if page.Size < 1 {
		return nil, "", fmt.Errorf("%w: size %d", ErrInvalid, page.Size)
	}
	prefix := listKey(list)
	seek := prefix
	if page.Token != "" {
		after, err := base64.RawURLEncoding.DecodeString(page.Token)
		if err != nil || bytes.Count(after, []byte{0}) != 2 {
			return nil, "", fmt.Errorf("%w: token", ErrInvalid)
		}
		seek = append(append(slices.Clip(prefix), after...), 0)
	}
	var rows []Row
	var last []byte
	err := v.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
		defer it.Close()
		for it.Seek(seek); it.Valid(); it.Next() {
			if len(rows) == page.Size {
				return nil
			}
			last = it.Item().KeyCopy(nil)[len(prefix):]
			parts := strings.SplitN(string(last), "\x00", 3)
			rows = append(rows, Row{Application: parts[1], Item: parts[2]})
		}
		last = nil
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	for i := range rows {
		row, err := v.Application(ctx, rows[i].Application)
		if err != nil {
			return nil, "", err
		}
		rows[i].State = row.State
	}
	return rows, base64.RawURLEncoding.EncodeToString(last), nil
}
