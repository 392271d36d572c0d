package manifest

import (
	"fmt"
	"os"
	"path/filepath"
)

// Pack writes the module of one file with the manifest of another to a third: what `onething plugin pack` does. The
// output appears whole or not at all.
func Pack(modulePath, manifestPath, outputPath string) error {
	source, err := os.ReadFile(manifestPath) //nolint:gosec // the developer names the file
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	m, err := Load(manifestPath, source)
	if err != nil {
		return err
	}
	wasm, err := os.ReadFile(modulePath) //nolint:gosec // the developer names the file
	if err != nil {
		return fmt.Errorf("read module: %w", err)
	}
	packed, err := Append(wasm, m)
	if err != nil {
		return fmt.Errorf("pack %s: %w", modulePath, err)
	}
	return WriteFile(outputPath, packed)
}

// WriteFile writes a plugin's file, whole or not at all.
func WriteFile(name string, wasm []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write plugin: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // it is gone if all went well
	_, err = temporary.Write(wasm)
	if err == nil {
		err = temporary.Chmod(0o644)
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write plugin: %w", err)
	}
	return nil
}
