package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/engine/seal"
)

func newKey() *cobra.Command {
	return &cobra.Command{
		Use:   "key FILE",
		Short: "Make a key-encryption key for a store",
		Long: "key writes a new key-encryption key into a file that does not exist yet: AES-256-GCM, as a Tink keyset in JSON. It wraps\n" +
			"all keys of a store, so whoever loses it loses what the store holds, and whoever has it and the store reads everything.\n" +
			"Keep a copy of it apart from the store.",
		Example: `  onething key kek.json
  onething key etc/onething/new-kek.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			err := seal.GenerateKeyset(args[0])
			if errors.Is(err, fs.ErrExist) {
				return &refusedError{args[0] + " exists already, and may be the key of a store: name another file"}
			}
			return err
		},
	}
}
