package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/signature"
)

func newPluginSign() *cobra.Command {
	var key, output string
	var generate, again bool
	cmd := &cobra.Command{
		Use:   "sign [FILE…]",
		Short: "Sign plugins with a department's key, or make one",
		Long: "sign puts a signature into each file: who changes one byte afterwards has a file that is not signed. --generate makes a key\n" +
			"first and prints its public half, which the operator of a server is told once (`onething plugin trust`). The key stays\n" +
			"with the department: whoever has it ships code in its name. Files are written in place, or into the folder that --output\n" +
			"names. OpenSSL makes such a key too (`openssl genpkey -algorithm ed25519`), and other tools that sign WebAssembly read\n" +
			"the signature.",
		Example: `  onething plugin sign --generate --key department.pem
  onething plugin sign --key hrss.pem pension.wasm`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, files []string) error {
			switch {
			case key == "":
				return errors.New("name the file of the key with --key")
			case !generate && len(files) == 0:
				return errors.New("name a FILE to sign, or make a key with --generate")
			}
			if generate {
				public, err := signature.Generate(key)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), public); err != nil {
					return err
				}
			}
			private, public, err := signature.ReadKey(key)
			if err != nil {
				return err
			}
			for _, file := range files {
				to := file
				if output != "" {
					to = filepath.Join(output, filepath.Base(file))
				}
				if err := signFile(file, to, private, again); err != nil {
					return err
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: signed with the key %s\n", to, public.ID()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "file of the private key, in PEM")
	cmd.Flags().BoolVar(&generate, "generate", false, "make the key, in a file that does not exist yet, and print its public half")
	cmd.Flags().BoolVar(&again, "again", false, "put the signature in the place of one that is there")
	cmd.Flags().StringVar(&output, "output", "", "folder for the signed files; default in place")
	return cmd
}

// signFile signs one file, whole or not at all.
func signFile(from, to string, key ed25519.PrivateKey, again bool) error {
	module, err := os.ReadFile(from) //nolint:gosec // the developer names the file
	if err != nil {
		return err
	}
	if again {
		stripped, err := signature.Strip(module)
		if err != nil && !errors.Is(err, signature.ErrUnsigned) {
			return fmt.Errorf("sign %s: %w", from, err)
		}
		if err == nil {
			module = stripped
		}
	}
	if _, err := manifest.Read(module); err != nil { // what is signed is a plugin
		return fmt.Errorf("sign %s: %w", from, err)
	}
	signed, err := signature.Sign(module, key)
	if errors.Is(err, signature.ErrSigned) {
		return &refusedError{from + " is signed already: --again signs it with this key instead"}
	}
	if err != nil {
		return fmt.Errorf("sign %s: %w", from, err)
	}
	return manifest.WriteFile(to, signed)
}
