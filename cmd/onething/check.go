package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/docs"
	"github.com/siyiban/onething/engine/catalog"
)

func newCheck() *cobra.Command {
	var format string
	var all bool
	var explain string
	cmd := &cobra.Command{
		Use:   "check [PATH…]",
		Short: "Check bundles and libraries, and say what is wrong and where",
		Long: "check reads each tree (a folder with library/ and bundles/; a bundle in it stands for its tree, narrowed to that bundle)\n" +
			"and prints every finding with file, line and column. It exits with 1 if one is an error. Default is the current folder.\n" +
			"A finding has a code in brackets; --explain prints what it means.",
		Example: `  onething check examples
  onething check --explain rule-unguarded-blank`,
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := map[string]func(io.Writer, diag.List) error{"json": diag.PrintJSON, "sarif": printSARIF,
				"text": func(out io.Writer, list diag.List) error { return diag.PrintText(out, list, anywhere{}, all) }}[format]
			if !ok {
				return fmt.Errorf("--format is text, json or sarif, not %q", format)
			}
			if cmd.Flags().Changed("explain") {
				return explainCode(cmd.OutOrStdout(), explain, args)
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			var found diag.List
			for _, path := range args {
				list, err := check(path)
				if err != nil {
					return err
				}
				found = append(found, list...)
			}
			if err := write(cmd.OutOrStdout(), found); err != nil {
				return err
			}
			if found.Err() != nil {
				return errFindings
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json (one object a line) or sarif (one SARIF 2.1.0 report)")
	cmd.Flags().BoolVar(&all, "all", false, "print more than the first 50 findings")
	cmd.Flags().StringVar(&explain, "explain", "", "print what a finding's code means, with an example, and check nothing")
	return cmd
}

// explainCode prints the page of a code.
func explainCode(out io.Writer, code string, args []string) error {
	if len(args) > 0 {
		return errors.New("--explain takes a code and no path: see `onething check --help`")
	}
	page, ok := docs.Diagnostic(code)
	if !ok {
		hint := "it stands in brackets in a finding, as in error[yaml-syntax]"
		if near := diag.Nearest(code, docs.Codes()); near != "" {
			hint = fmt.Sprintf("did you mean `%s`?", near)
		}
		return fmt.Errorf("there is no code `%s`: %s", code, hint)
	}
	_, err := io.WriteString(out, page)
	return err
}

// check loads the tree that a path belongs to and returns what concerns the path, with file names that can be opened
// from the current folder.
func check(path string) (diag.List, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	root, inside, err := treeOf(path)
	if err != nil {
		return nil, err
	}
	load := catalog.Load
	if folder, ok := strings.CutPrefix(inside, "bundles/"); ok { // the other bundles are not asked for
		folder, _, _ = strings.Cut(folder, "/")
		load = func(tree fs.FS) (*catalog.Catalog, diag.List) { return catalog.LoadOnly(tree, folder) }
	}
	_, found := load(os.DirFS(root))
	var kept diag.List
	for _, d := range found {
		name := filepath.ToSlash(d.Span.File)
		if inside != "" && name != inside && !strings.HasPrefix(name, inside+"/") && !strings.HasPrefix(name, "library") {
			continue
		}
		kept = append(kept, d)
	}
	return under(root, kept), nil
}

// under names the files of findings so that they can be opened from the current folder.
func under(root string, found diag.List) diag.List {
	for i := range found {
		found[i].Span.File = relative(filepath.Join(root, found[i].Span.File))
		for j, r := range found[i].Related {
			found[i].Related[j].Span.File = relative(filepath.Join(root, r.Span.File))
		}
	}
	return found
}

// treeOf finds the folder whose library a path belongs to, and the path in it: the path is that folder, or stands in its
// library/ or bundles/. Any other folder called library above it is somebody else's.
func treeOf(path string) (root, inside string, err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	for dir := absolute; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "library")); err == nil && info.IsDir() {
			inside, err := filepath.Rel(dir, absolute)
			if err != nil {
				return "", "", err
			}
			inside = filepath.ToSlash(inside)
			switch first, _, _ := strings.Cut(inside, "/"); first {
			case ".":
				return relative(dir), "", nil
			case "library", "bundles":
				return relative(dir), inside, nil
			default:
			}
		}
		if dir == filepath.Dir(dir) {
			return path, "", nil // no library: the loader says so
		}
	}
}

// relative is a file as it is named from the current folder.
func relative(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return file
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if r, err := filepath.Rel(here, absolute); err == nil {
		return r
	}
	return file
}

// anywhere reads files by the names under which findings print them, which may lead above the current folder.
type anywhere struct{}

// Open implements [fs.FS].
func (anywhere) Open(name string) (fs.File, error) { return os.Open(name) } //nolint:gosec // the user's own files
