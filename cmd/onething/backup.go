package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/engine/view"
)

func newLog() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Tools for the store of a server",
		Example: `  onething log verify var/onething
  onething log verify --help`,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       noSuchVerb,
	}
	var keyFile string
	verify := &cobra.Command{
		Use:   "verify DIR",
		Short: "Find everything that is wrong in the data folder of a stopped server",
		Long: "verify walks everything in the data folder of a server that is stopped: checksums, positions and versions without a gap,\n" +
			"events that are what they say and open under their keys, files against their digests, drafts, and the views entry by entry\n" +
			"against views that it makes of the log once more, in a temporary folder. It prints a line for each fault, with file, stream\n" +
			"and position, and what to do. It opens everything to be read only and changes nothing. It exits with 1 if it found faults.",
		Example: `  onething log verify var/onething
  onething log verify var/onething --key-encryption-key var/onething/key-encryption-key.json`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return verifyStore(cmd.Context(), store.Folder(args[0]), keyFile, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	keyFlag(verify, &keyFile)
	cmd.AddCommand(verify)
	return cmd
}

func newBackup() *cobra.Command {
	var to, keyFile string
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy a store into another folder, also while a server runs on it",
		Long: "backup copies what is in a data folder, and cannot be made again, into a folder that does not exist yet or is empty: the log up\n" +
			"to now, keys, files, drafts and the list of notices. A server that runs on it does that itself and goes on serving: it is asked over a socket in\n" +
			"the data folder, which only its owner reaches. The key-encryption key is not copied: keep it elsewhere.",
		Example: `  onething backup var/onething --to var/backup
  onething backup var/onething --to var/backup-2 --key-encryption-key var/onething/key-encryption-key.json`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			absolute, err := filepath.Abs(to)
			if err != nil {
				return err
			}
			m, err := backUp(cmd.Context(), store.Folder(args[0]), absolute, keyFile, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d commits, %d keys, %d files: %s\n", m.Position, m.Keys, m.Blobs, to)
			return err
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "folder to write, which does not exist yet or is empty")
	_ = cmd.MarkFlagRequired("to") // there is such a flag
	keyFlag(cmd, &keyFile)
	return cmd
}

func newRestore() *cobra.Command {
	var to, keyFile string
	var despite bool
	cmd := &cobra.Command{
		Use:   "restore FOLDER",
		Short: "Make a data folder of a backup, and verify it",
		Long: "restore makes a data folder of what backup has written, and verifies it: every file and commit, and every list of the views\n" +
			"against what the views showed when the backup was made. With a fault it prints what is wrong, exits with 1 and makes nothing,\n" +
			"unless --despite-faults. Start the server with the key-encryption key of the store that was backed up.",
		Example: `  onething restore var/backup --to var/restored --key-encryption-key var/onething/key-encryption-key.json
  onething restore var/backup --to var/restored-2 --key-encryption-key var/onething/key-encryption-key.json --despite-faults`,
		Args: arguments("FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			wrap, err := seal.ReadKeyset(keyFile)
			if err != nil {
				return err
			}
			faults := 0
			m, err := store.Restore(cmd.Context(), store.Restoring{From: args[0], To: store.Folder(to), KeyEncryption: wrap, Despite: despite, Now: time.Now, Logger: warnings(cmd.ErrOrStderr())},
				printing(cmd.OutOrStdout(), &faults))
			if err != nil {
				return refusing(err)
			}
			if faults > 0 && !despite {
				fmt.Fprintf(cmd.ErrOrStderr(), "%d faults: %s is not made; --despite-faults makes it all the same\n", faults, to)
				return errFindings
			}
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%d commits, %d keys, %d files, backed up %s: %s\n", m.Position, m.Keys, m.Blobs, m.At.In(officeZone()).Format(time.DateTime), to); err != nil || faults == 0 {
				return err
			}
			return errFindings
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "data folder to make, which does not exist yet or is empty")
	cmd.Flags().StringVar(&keyFile, "key-encryption-key", "", "file with the key that wraps all keys")
	cmd.Flags().BoolVar(&despite, "despite-faults", false, "make the folder although something is wrong, when there is no better backup")
	_ = cmd.MarkFlagRequired("to") // there are such flags
	_ = cmd.MarkFlagRequired("key-encryption-key")
	return cmd
}

func keyFlag(cmd *cobra.Command, keyFile *string) {
	cmd.Flags().StringVar(keyFile, "key-encryption-key", "", "file with the key that wraps all keys; default that of development, in the data folder")
}

func warnings(to io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// printing prints faults and counts them.
func printing(out io.Writer, faults *int) func(store.Fault) {
	return func(f store.Fault) {
		*faults++
		fmt.Fprintf(out, "%s\n    %s\n", f, f.Remedy)
	}
}

// refusing makes a refusal of an error that says that nothing is broken.
func refusing(err error) error {
	for _, known := range []error{store.ErrNotEmpty, store.ErrNewer, store.ErrCorrupt} {
		if errors.Is(err, known) {
			return &refusedError{err.Error()}
		}
	}
	return err
}

// wrapping reads the key of a store; no name: that of development.
func wrapping(folder store.Folder, keyFile string) (tink.AEAD, error) {
	if keyFile == "" {
		keyFile = folder.DevelopmentKey()
	}
	return seal.ReadKeyset(keyFile)
}

func verifyStore(ctx context.Context, folder store.Folder, keyFile string, out, progress io.Writer) error {
	if _, err := os.Stat(string(folder)); err != nil {
		return fmt.Errorf("%s is no data folder of a server: %w", folder, err)
	}
	wrap, err := wrapping(folder, keyFile)
	if err != nil {
		return err
	}
	faults := 0
	counts, err := store.Verify(ctx, store.Verification{Folder: folder, KeyEncryption: wrap, Followers: followers(), Now: time.Now, Logger: warnings(progress)}, printing(out, &faults))
	if err != nil {
		return refusing(whyNotOpen(string(folder), "verify a backup of it that you have restored", err))
	}
	fmt.Fprintf(progress, "%d commits, %d events, %d files, %d drafts, %d drafts of bundles, %d notices, %d entries of views: %d faults\n",
		counts.Commits, counts.Events, counts.Blobs, counts.Drafts, counts.BundleDrafts, counts.Notices, counts.Entries, faults)
	if faults > 0 {
		return errFindings
	}
	return nil
}

// backUp asks the server that runs on a folder for a backup; if there is none it makes it itself.
func backUp(ctx context.Context, folder store.Folder, to, keyFile string, progress io.Writer) (store.Manifest, error) {
	if err := folder.Readable(); err != nil {
		return store.Manifest{}, refusing(err)
	}
	m, err := askForBackup(ctx, folder, to)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) { // no server, or one that was killed
		m, err = backUpStopped(ctx, folder, to, keyFile, warnings(progress))
	}
	return m, err
}

func askForBackup(ctx context.Context, folder store.Folder, to string) (m store.Manifest, err error) {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", folder.Socket())
	}}}
	body, err := json.Marshal(backupRequest{To: to})
	if err != nil {
		return m, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server/backup", bytes.NewReader(body))
	if err != nil {
		return m, err
	}
	response, err := client.Do(request)
	if err != nil {
		return m, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16))
		err := errors.New(strings.TrimSpace(string(text)))
		if response.StatusCode == http.StatusConflict {
			return m, &refusedError{err.Error()}
		}
		return m, err
	}
	return m, json.NewDecoder(response.Body).Decode(&m)
}

// backUpStopped backs up a folder that no server has open.
func backUpStopped(ctx context.Context, folder store.Folder, to, keyFile string, logger *slog.Logger) (m store.Manifest, err error) {
	if _, err := os.Stat(folder.Log()); err != nil {
		return m, fmt.Errorf("%s is no data folder of a server: %w", folder, err)
	}
	wrap, err := wrapping(folder, keyFile)
	if err != nil {
		return m, err
	}
	var closers []func() error
	defer func() {
		for _, closer := range slices.Backward(closers) {
			_ = closer() // nothing was written
		}
		if err != nil {
			err = refusing(whyNotOpen(string(folder), "wait until it answers", err))
		}
	}()
	var p store.Parts
	if p.Log, err = badgerlog.Open(badgerlog.Config{Dir: folder.Log(), ReadOnly: true, Logger: logger}); err != nil {
		return m, err
	}
	closers = append(closers, p.Log.Close)
	if p.Keys, err = seal.Open(seal.Config{Dir: folder.Keys(), KeyEncryption: wrap, ReadOnly: true}); err != nil {
		return m, err
	}
	closers = append(closers, p.Keys.Close)
	if p.Blobs, err = blob.OpenReadOnly(folder.Blobs()); err != nil {
		return m, err
	}
	closers = append(closers, p.Blobs.Close)
	if p.Drafts, err = draft.Open(ctx, draft.Config{Dir: folder.Drafts(), ReadOnly: true, Keys: p.Keys, Submitted: store.Submitted(p.Log), Now: time.Now, Logger: logger}); err != nil {
		return m, err
	}
	closers = append(closers, p.Drafts.Close)
	if p.BundleDrafts, err = bundledraft.Open(bundledraft.Config{Dir: folder.BundleDrafts(), ReadOnly: true, Now: time.Now, Logger: logger}); err != nil {
		return m, err
	}
	closers = append(closers, p.BundleDrafts.Close)
	if _, absent := os.Stat(folder.Notices()); absent == nil {
		if p.Notices, err = notices.OpenList(notices.ListConfig{Dir: folder.Notices(), ReadOnly: true, Logger: logger}); err != nil {
			return m, err
		}
		closers = append(closers, p.Notices.Close)
	}
	if p.Views, err = view.Open(view.Config{Dir: folder.Views(), Log: p.Log, Keys: p.Keys, ReadOnly: true, Logger: logger}); err != nil {
		return m, err
	}
	closers = append(closers, p.Views.Close)
	return store.Backup(ctx, p, to, time.Now())
}
