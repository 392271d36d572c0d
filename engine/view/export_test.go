package view

import (
	"testing"

	"github.com/dgraph-io/badger/v4"
)

// Dump returns everything that the views hold, by key.
func (v *Views) Dump(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := v.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			value, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			all[string(it.Item().Key())] = string(value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
