package badgerdb_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/durable/badgerdb"
)

const entries = 60

// fill makes a store with entries that were committed one after the other, some of them large, and calls ended while it is open.
func fill(t testing.TB, dir string, ended func()) {
	t.Helper()
	db := open(t, dir)
	for i := range entries {
		if i == 40 { // a store that is opened again begins new files
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(t, dir)
		}
		key := binary.BigEndian.AppendUint32(nil, uint32(i))
		if err := db.Commit(func(txn *badger.Txn) error { return txn.Set(key, bytes.Repeat([]byte{byte(i)}, i%7*4000)) }); err != nil {
			t.Fatal(err)
		}
	}
	ended()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// content reads all of a store.
func content(db *badgerdb.DB) ([]string, error) {
	var all []string
	err := db.All(func(key, value []byte) error {
		all = append(all, fmt.Sprintf("%x %d %x", key, len(value), bytes.TrimLeft(value, string(value[:min(1, len(value))]))))
		return nil
	})
	return all, err
}

// damage is what happens to a file.
type damage struct {
	name string
	do   func(name string, content []byte) error
}

func damages() []damage {
	all := []damage{
		{"missing", func(name string, _ []byte) error { return os.Remove(name) }},
		{"empty", func(name string, _ []byte) error { return os.Truncate(name, 0) }},
		{"cut off", func(name string, b []byte) error { return os.Truncate(name, int64(len(b))*2/3) }},
		{"one short", func(name string, b []byte) error { return os.Truncate(name, max(int64(len(b))-1, 0)) }},
	}
	// Write-ahead logs are mostly holes.
	const early = 2000
	all = append(all, damage{"cut off early", func(name string, b []byte) error { return os.Truncate(name, int64(min(len(b), early))) }},
		damage{"an early bit", func(name string, b []byte) error {
			b = bytes.Clone(b)
			if len(b) > early {
				b[early] ^= 4
			}
			return os.WriteFile(name, b, 0o600)
		}})
	for _, part := range []int{50, 97} {
		all = append(all, damage{fmt.Sprintf("a bit at %d%%", part), func(name string, b []byte) error {
			b = bytes.Clone(b)
			if len(b) > 0 {
				b[len(b)*part/100] ^= 4
			}
			return os.WriteFile(name, b, 0o600)
		}})
	}
	return all
}

// each damages every file of a store in every way, and hands what becomes of it to judge: why it is not opened, or not read, or
// what is in it.
func each(t *testing.T, whole string, judge func(t *testing.T, file, damage string, all []string, err error)) {
	t.Helper()
	names, err := os.ReadDir(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		b, err := os.ReadFile(filepath.Join(whole, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, damage := range damages() {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := damage.do(filepath.Join(dir, file.Name()), b); err != nil {
				t.Fatal(err)
			}
			db, err := badgerdb.Open(badgerdb.Config{Dir: dir, Sync: true, Logger: quiet, Space: durable.Space{MinFree: 1}})
			if err != nil {
				judge(t, file.Name(), damage.name, nil, err)
				continue
			}
			all, err := content(db)
			judge(t, file.Name(), damage.name, all, err)
			if err := db.Close(); err != nil {
				t.Logf("%s of %s: close: %v", damage.name, file.Name(), err)
			}
		}
	}
}

// Whatever happens to a file of a store that was closed, of drafts, views, work or notices, nothing is skipped in silence: it is
// refused when it is opened, or when it is read, or all is there all the same.
func TestDB_DamagedFiles(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	fill(t, whole, func() {})
	db := open(t, whole)
	want, err := content(db)
	if err != nil || len(want) != entries {
		t.Fatal(len(want), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refused := 0
	each(t, whole, func(t *testing.T, file, damage string, all []string, err error) {
		t.Helper()
		if err != nil {
			refused++
		} else if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("%s of %s is skipped in silence: %d of %d entries are there", damage, file, len(all), len(want))
		}
	})
	if refused == 0 {
		t.Error("nothing was damaged")
	}
}

// After a crash there is no note of what the store consisted of. A damage is refused, or all is there, but for what had not
// been written to a table yet: of that Badger takes the first entry that is spoilt for the end. What is there was committed before
// what is not.
func TestDB_DamagedFilesAfterACrash(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	running := t.TempDir()
	fill(t, running, func() { // a copy of what a process leaves that is killed now
		if err := os.CopyFS(whole, os.DirFS(running)); err != nil {
			t.Fatal(err)
		}
	})
	most, least := 0, entries
	each(t, whole, func(t *testing.T, file, damage string, all []string, err error) {
		t.Helper()
		if err != nil {
			return
		}
		for i, entry := range all {
			if head := fmt.Sprintf("%08x %d ", i, i%7*4000); len(entry) < len(head) || entry != head {
				t.Errorf("%s of %s: entry %d is %q", damage, file, i, entry)
			}
		}
		most, least = max(most, len(all)), min(least, len(all))
		if len(all) < entries && filepath.Ext(file) != ".mem" {
			t.Errorf("%s of %s is skipped in silence: %d of %d entries are there", damage, file, len(all), entries)
		}
	})
	if most != entries || least == entries {
		t.Errorf("%d to %d entries are there: nothing was damaged, or everything", least, most)
	}
}
