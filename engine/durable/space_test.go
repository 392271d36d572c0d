package durable_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siyiban/onething/engine/durable"
)

func TestSpace_Check(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := errors.New("no such disk")
	free := func(n uint64) func(string) (uint64, error) {
		return func(string) (uint64, error) { return n, nil }
	}
	for _, tt := range []struct {
		name  string
		space durable.Space
		want  error
		text  string
	}{
		{name: "enough", space: durable.Space{MinFree: 100 << 20, Free: free(100 << 20)}},
		{name: "a byte too few", space: durable.Space{MinFree: 100 << 20, Free: free(100<<20 - 1)}, want: durable.ErrNoSpace, text: "99 MiB are free, 1 more"},
		{name: "the default", space: durable.Space{Free: free(durable.DefaultMinFree - 1)}, want: durable.ErrNoSpace},
		{name: "the default is there", space: durable.Space{Free: free(durable.DefaultMinFree)}},
		{name: "a measure that fails", space: durable.Space{Free: func(string) (uint64, error) { return 0, broken }}, want: broken},
		{name: "a folder that is not there yet", space: durable.Space{MinFree: 1}},
		{name: "asks the folder above", space: durable.Space{MinFree: 1, Free: func(d string) (uint64, error) {
			if d != filepath.Dir(dir) {
				return 0, fs.ErrNotExist
			}
			return 0, nil
		}}, want: durable.ErrNoSpace},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.space.Check(filepath.Join(dir, "a", "b"))
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v does not say %q", err, tt.text)
			}
		})
	}
}
