package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// What the developers' verbs have in common: one plugin in a host of its own, and how they print.

// oneModule is the one file of a host.
type oneModule []byte

// Module implements plugins.Modules.
func (m oneModule) Module(digest string) ([]byte, error) {
	if digest != store.Digest(m) {
		return nil, fs.ErrNotExist
	}
	return m, nil
}

// tried is a plugin in a host that holds nothing else.
type tried struct {
	host     *plugins.Host
	ref      plugins.Ref
	manifest *pluginv1.Manifest
}

// readPlugin reads a plugin's file. What is no plugin is refused; a file that cannot be read is a failure.
func readPlugin(file string) ([]byte, *pluginv1.Manifest, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, nil, err
	}
	if info.Size() > manifest.MaxModuleBytes {
		return nil, nil, &refusedError{fmt.Sprintf("%s is not fit: %d bytes, at most %d are accepted", file, info.Size(), manifest.MaxModuleBytes)}
	}
	wasm, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, nil, err
	}
	m, err := plugins.Inspect(wasm)
	if err != nil {
		return nil, nil, &refusedError{file + " is not fit: " + err.Error()}
	}
	return wasm, m, nil
}

// try opens a host with one plugin, compiles it, and hands it to use.
func try(ctx context.Context, file string, wasm []byte, m *pluginv1.Manifest, use func(*tried) error) (err error) {
	host, err := plugins.Open(ctx, plugins.Config{Modules: oneModule(wasm)})
	if err != nil {
		return err
	}
	defer func() {
		if closing := host.Close(context.WithoutCancel(ctx)); closing != nil {
			err = errors.Join(err, closing)
		}
	}()
	t := &tried{host: host, ref: plugins.Ref{ID: m.GetId(), Digest: store.Digest(wasm)}, manifest: m}
	if _, err := host.Prepare(ctx, t.ref); err != nil {
		if failed, ok := errors.AsType[*plugins.CallError](err); ok {
			return &refusedError{file + " is not fit: " + failed.Error()}
		}
		return err
	}
	return use(t)
}

// folderArgument takes one folder or none, which is this one.
func folderArgument(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return arguments("FOLDER")(cmd, args)
	}
	return nil
}

func sourceFolder(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// oneOf refuses a format that a verb does not have.
func oneOf(format string, formats ...string) error {
	if slices.Contains(formats, format) {
		return nil
	}
	return fmt.Errorf("there is no format %q, only %v", format, formats)
}

// tell prints what a verb has found, as an object in one line or as text.
func tell(out io.Writer, format string, object any, text func(io.Writer)) error {
	if format == "json" {
		return json.NewEncoder(out).Encode(object)
	}
	text(out)
	return nil
}

// size is a number of bytes as people read it.
func size(bytes int) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.2f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	default:
		return fmt.Sprintf("%d bytes", bytes)
	}
}
