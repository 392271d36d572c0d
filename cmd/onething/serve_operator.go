package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"

	"github.com/siyiban/onething/engine/durable"
	"github.com/siyiban/onething/engine/store"
)

// backupRequest is what `onething backup` asks of a running server.
type backupRequest struct {
	To string // an absolute path of this machine
}

// listenOperator takes commands of whoever may enter the data folder: they come over a socket in it, which no other
// machine and no other user reaches. A server whose folder takes no socket (its path is too long, or its file system
// knows none) serves all the same, and says so.
func (s *server) listenOperator(parts store.Parts) error {
	name := s.cfg.data.Socket()
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // of one that was killed: the log's lock is ours
		return err
	}
	at, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", name)
	if err != nil {
		s.cfg.logger.Warn("no backup while the server runs: the data folder takes no socket", "error", err)
		return nil
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return errors.Join(err, at.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", func(w http.ResponseWriter, r *http.Request) {
		var request backupRequest
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		manifest, err := store.Backup(r.Context(), parts, request.To, s.cfg.clock.Now())
		switch {
		case errors.Is(err, store.ErrNotEmpty):
			http.Error(w, err.Error(), http.StatusConflict)
			return
		case errors.Is(err, durable.ErrNoSpace):
			http.Error(w, err.Error(), http.StatusInsufficientStorage)
			return
		case err != nil:
			s.cfg.logger.Error("backup failed", "error", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.cfg.logger.Info("backed up", "position", manifest.Position, "keys", manifest.Keys, "blobs", manifest.Blobs)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(manifest) // whoever asked has gone otherwise
	})
	s.listen(mux, at)
	return nil
}
