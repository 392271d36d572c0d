package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/docs"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/witness"
	"github.com/siyiban/onething/forms/kind"
)

func newCheck() *cobra.Command {
	var format string
	var all bool
	var explain string
	var translation bool
	cmd := &cobra.Command{
		Use:   "check [PATH…]",
		Short: "Check bundles and libraries, and say what is wrong and where",
		Long: "check reads each tree (a folder with library/ and bundles/; a bundle in it stands for its tree, narrowed to that bundle)\n" +
			"and prints every finding with file, line and column. It exits with 1 if one is an error. Default is the current folder.\n" +
			"A finding has a code in brackets; --explain prints what it means. --require-translation also finds texts without English.\n" +
			"With ONETHING_LANG=zh, or where the system's language is Chinese, each finding says in Chinese what it means.",
		Example: `  onething check examples
  onething check --explain rule-unguarded-blank`,
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := map[string]func(io.Writer, diag.List) error{"json": diag.PrintJSON, "sarif": printSARIF,
				"text": func(out io.Writer, list diag.List) error { return printText(out, list, all) }}[format]
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
				list, err := check(path, kind.DateOf(time.Now()), translation)
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
	cmd.Flags().BoolVar(&translation, "require-translation", false, "a text without English is an error")
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
	if inChinese() {
		page = docs.Chinese(code) + "\n\n" + page
	}
	_, err := io.WriteString(out, page)
	return err
}

// inChinese reports whether whoever asks reads Chinese: ONETHING_LANG says so, else what says so for every program.
func inChinese() bool {
	language := cmp.Or(os.Getenv("ONETHING_LANG"), os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
	return strings.HasPrefix(strings.ToLower(language), "zh")
}

// check loads the tree that a path belongs to and returns what concerns the path, with file names that can be opened
// from the current folder.
func check(path string, today kind.Date, translation bool) (diag.List, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	root, inside, err := treeOf(path)
	if err != nil {
		return nil, err
	}
	loaded, found := loadInside(os.DirFS(root), inside)
	searched, err := search(loaded, today)
	if err != nil {
		return nil, err
	}
	found = append(found, searched...)
	if translation {
		for id, files := range loaded.Files {
			for name, text := range files {
				found = append(found, catalog.Untranslated(filepath.ToSlash(filepath.Join(folderOf(id), name)), text)...)
			}
		}
	}
	found = within(found.Sorted(), inside)
	locate(found, root)
	return found, nil
}

// loadInside loads what a path in a tree concerns: where it stands in one bundle, the others are not asked for.
func loadInside(tree fs.FS, inside string) (*catalog.Catalog, diag.List) {
	if folder, ok := strings.CutPrefix(inside, "bundles/"); ok {
		folder, _, _ = strings.Cut(folder, "/")
		return catalog.LoadOnly(tree, folder)
	}
	return catalog.Load(tree)
}

// folderOf is where the files of a bundle stand in a tree, or those of the libraries, whose id is "".
func folderOf(bundle string) string {
	if bundle == "" {
		return "library"
	}
	return "bundles/" + bundle
}

// search looks in each bundle for what no single expression shows, in as many at a time as there are processors.
func search(loaded *catalog.Catalog, today kind.Date) (diag.List, error) {
	days, err := published()
	if err != nil {
		return nil, err
	}
	bundles := slices.Collect(maps.Values(loaded.Bundles))
	lists := make([]diag.List, len(bundles))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(bundles), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bundles)); i = next.Add(1) - 1 {
				lists[i] = witness.Check(bundles[i], guide.Setting{Today: today, Calendar: days})
			}
		})
	}
	workers.Wait()
	return slices.Concat(lists...), nil
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

// printText prints findings for people, with what their codes mean in the language of whoever asks.
func printText(out io.Writer, found diag.List, all bool) error {
	p := diag.Printer{Files: anywhere{}, All: all}
	if inChinese() {
		p.Says = docs.Chinese
	}
	return p.Print(out, found)
}

// anywhere reads files by the names under which findings print them, which may lead above the current folder.
type anywhere struct{}

// Open implements [fs.FS].
func (anywhere) Open(name string) (fs.File, error) { return os.Open(name) } //nolint:gosec // the user's own files
